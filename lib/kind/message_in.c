#include <stddef.h>

#include "core/limits.h"
#include "kind/in.h"
#include "kind/keys.h"
#include "kind/kind.h"

enum how {
	H_STR,
	H_BOOL,
	H_TRI, /* int: -1, 0, 1 */
	H_ID,
	H_IDS,
	H_DATE,
	H_ADDR,
	H_ADDRS,
	H_GROUP,
	H_BLOBS,
	H_HEADERS,
	H_KIND,
	H_VERSION,
	H_AUTO,
	H_SKIP, /* what a reader derived: never trusted */
	H_LATER
};

#define AT(x) offsetof(struct message, x)
static const struct field {
	const char *key;
	enum how how;
	size_t at;
} fields[] = {
    {"v", H_VERSION, 0},
    {"kind", H_KIND, 0},
    {"id", H_STR, AT(id)}, /* used with --keep only: checked there */
    {"sentAt", H_DATE, AT(sent_at)},
    {"from", H_ADDR, AT(from)},
    {"to", H_ADDRS, AT(to)},
    {"cc", H_ADDRS, AT(cc)},
    {"bcc", H_ADDRS, AT(bcc)},
    {"replyTo", H_ADDRS, AT(reply_to)},
    {"subject", H_STR, AT(subject)},
    {"inReplyTo", H_ID, AT(in_reply_to)},
    {"references", H_IDS, AT(references)},
    {"targetId", H_ID, AT(target_id)},
    {"group", H_GROUP, 0},
    {"text", H_STR, AT(text)},
    {"fullText", H_STR, AT(full_text)},
    {"html", H_STR, AT(html)},
    {"markdown", H_STR, AT(markdown)},
    {"attachments", H_BLOBS, 0},
    {"mentions", H_LATER, 0},
    {"location", H_LATER, 0},
    {"pin", H_LATER, 0},
    {"status", H_LATER, 0},
    {"profile", H_LATER, 0},
    {"profiles", H_LATER, 0},
    {"contact", H_LATER, 0},
    {"request", H_LATER, 0},
    {"receiptRequested", H_BOOL, AT(receipt_requested)},
    {"mdn", H_LATER, 0},
    {"poll", H_LATER, 0},
    {"vote", H_LATER, 0},
    {"pollResult", H_LATER, 0},
    {"autoSubmitted", H_AUTO, AT(auto_submitted)},
    {"chatContent", H_STR, AT(chat_content)},
    {"parts", H_LATER, 0},
    {"encrypted", H_TRI, AT(encrypted)},
    {"signed", H_TRI, AT(is_signed)},
    {"headers", H_HEADERS, 0},
    {"history", H_LATER, 0},
    {"imap", H_SKIP, 0},
    {"meta", H_SKIP, 0},
    {"dead", H_SKIP, 0},
};
#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static const char *const kind_words[] = {
    "message", "edit",	  "delete",  "receipt", "leave",     "poll",	 "vote",
    "close",   "contact", "profile", "group",	"extension", "reaction", NULL};

static int get_kind(struct in *in, json_t *v)
{
	struct str s = STR_NONE;
	const char *near;

	if (in_str(in, v, &s) < 0)
		return -1;
	in->m->kind = kind_by_name(s);
	if (in->m->kind != NULL)
		return 0;
	if (keys_has(s, kind_words)) {
		err_set(in->e, COI_E_DATA, "kind \"%.*s\" is not supported yet",
			STR_ARG(s));
		return -1;
	}
	err_set(in->e, COI_E_DATA, "unknown kind \"%.*s\"",
		STR_ARG(str_sub(s, 0, 60)));
	near = keys_nearest(s, kind_words);
	if (near != NULL)
		err_hint(in->e, "did you mean \"%s\"?", near);
	return -1;
}

static int get_version(struct in *in, json_t *v)
{
	if (!json_is_integer(v) || json_integer_value(v) != 1) {
		in_bad(in, "must be 1, the version of the format");
		return -1;
	}
	return 0;
}

static int get_auto(struct in *in, json_t *v, struct str *out)
{
	if (in_str(in, v, out) < 0)
		return -1;
	if (str_is(*out, "auto-generated") || str_is(*out, "auto-replied"))
		return 0;
	return in_bad(in, "is auto-generated or auto-replied");
}

static int get_field(struct in *in, const struct field *f, json_t *v)
{
	void *at = (char *)in->m + f->at;
	bool b = false;
	int rc = -1;

	switch (f->how) {
	case H_STR:
		return in_str(in, v, at);
	case H_BOOL:
		return in_bool(in, v, at);
	case H_TRI:
		rc = in_bool(in, v, &b);
		if (rc == 0)
			*(int *)at = b;
		return rc;
	case H_ID:
		return in_id(in, v, at);
	case H_IDS:
		return in_ids(in, v, at);
	case H_DATE:
		return in_date(in, v, at);
	case H_ADDR:
		if (json_is_array(v) && json_array_size(v) > 1)
			return in_bad(in, "holds exactly one address");
		/* Mostly replaced by the account's: checked when it is used. */
		return in_addr(in, in_scalar(v), false, at);
	case H_ADDRS:
		return in_addrs(in, v, at);
	case H_GROUP:
		return in_group(in, v);
	case H_BLOBS:
		return in_blobs(in, v);
	case H_HEADERS:
		return in_headers(in, v);
	case H_KIND:
		return get_kind(in, v);
	case H_VERSION:
		return get_version(in, v);
	case H_AUTO:
		return get_auto(in, v, at);
	case H_SKIP:
	case H_LATER:
		break;
	}
	return 0;
}

static const struct field *field_of(struct str key)
{
	size_t i;

	for (i = 0; i < NFIELDS; i++)
		if (str_is(key, fields[i].key))
			return &fields[i];
	return NULL;
}

static int get_record(struct in *in, json_t *root)
{
	const char *names[NFIELDS + 1];
	const struct field *f;
	const char *key;
	json_t *x;
	size_t i, n, mark;
	int rc;

	/* First, so that "poll" is named before the keys it brings. */
	x = json_object_get(root, "kind");
	if (x != NULL) {
		in_push(in, "kind", 4);
		rc = get_kind(in, x);
		in->path.n = 0;
		if (rc < 0)
			return rc;
	}
	json_object_keylen_foreach(root, key, n, x)
	{
		f = field_of((struct str){key, n});
		if (f == NULL) {
			for (i = 0; i < NFIELDS; i++)
				names[i] = fields[i].key;
			names[NFIELDS] = NULL;
			if (in_unknown_key(in, key, n, names) < 0)
				return -1;
			continue;
		}
		if (f->how == H_LATER)
			return in_later(in, key, n);
		mark = in_push(in, key, n);
		rc = get_field(in, f, x);
		in->path.n = mark;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* What the kind "message" cannot do without or has no place for. */
static int check_message(struct in *in)
{
	const struct message *m = in->m;

	if (m->kind != NULL && strcmp(m->kind->name, "message") != 0)
		return 0;
	if (m->target_id.p != NULL) {
		err_set(in->e, COI_E_DATA,
			"\"targetId\" has no meaning in a message");
		err_hint(in->e, "an answer is made with \"inReplyTo\"");
		return -1;
	}
	if (m->text.n == 0 && m->html.n == 0 && m->markdown.n == 0 &&
	    m->nattachments == 0) {
		err_set(in->e, COI_E_DATA,
			"nothing to send: the message has "
			"no text and no attachment");
		err_hint(in->e, "give \"text\", \"markdown\", \"html\" or "
				"\"attachments\"");
		return -1;
	}
	return 0;
}

/* jansson recurses; what it may see is bounded before. */
static bool too_deep(struct str s)
{
	size_t i, depth = 0;
	bool quoted = false;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			const char *q = memchr(s.p + i, '"', s.n - i);
			const char *b = memchr(
			    s.p + i, '\\',
			    q == NULL ? s.n - i : (size_t)(q - s.p) - i);

			if (b != NULL) {
				i = (size_t)(b - s.p) + 1;
				continue;
			}
			if (q == NULL)
				return false;
			i = (size_t)(q - s.p);
			quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > LIMIT_JSON_DEPTH)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

static int check_line(struct str line, struct coi_err *e)
{
	if (line.n > LIMIT_JSON_LINE) {
		err_set(e, COI_E_DATA, "the JSON line is longer than %u MB",
			LIMIT_JSON_LINE / (1024 * 1024));
		err_hint(e, "give large files with \"path\" instead of "
			    "\"data\"");
		return -1;
	}
	if (str_starts(line, "\xef\xbb\xbf")) {
		err_set(e, COI_E_DATA,
			"the JSON begins with a byte order mark");
		err_hint(e, "JSON Lines are UTF-8 without a mark");
		return -1;
	}
	if (str_trim(line).n == 0)
		return err_set(e, COI_E_DATA, "an empty line is no message");
	if (!utf8_valid(line))
		return err_set(e, COI_E_DATA, "the JSON is not valid UTF-8");
	if (too_deep(line))
		return err_set(e, COI_E_DATA,
			       "the JSON is nested deeper than %d",
			       LIMIT_JSON_DEPTH);
	return 0;
}

static int read_line(struct arena *a, struct str line, bool lax, bool any,
		     struct message *m, struct coi_err *e)
{
	struct in in = {.a = a, .m = m, .e = e, .lax = lax};
	json_error_t err;
	json_t *root;
	int rc;

	message_init(m);
	if (check_line(line, e) < 0)
		return -1;
	root = json_loadb(
	    line.p, line.n,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &err);
	if (root == NULL)
		return err_set(e, COI_E_DATA, "bad JSON at octet %d: %s",
			       err.position, err.text);
	if (!json_is_object(root)) {
		rc = err_set(e, COI_E_DATA,
			     "a message is a JSON object, not %s",
			     in_type_name(root));
	} else {
		rc = get_record(&in, root);
		if (rc == 0 && !any)
			rc = check_message(&in);
	}
	json_decref(root);
	buf_free(&in.path);
	return rc;
}

int message_from_json(struct arena *a, struct str line, bool lax,
		      struct message *m, struct coi_err *e)
{
	return read_line(a, line, lax, false, m, e);
}

int message_read_json(struct arena *a, struct str line, struct message *m,
		      struct coi_err *e)
{
	return read_line(a, line, true, true, m, e);
}
