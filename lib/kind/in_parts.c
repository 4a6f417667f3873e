#include "core/limits.h"
#include "fmt/enc.h"
#include "fmt/msgid.h"
#include "kind/in.h"
#include "kind/keys.h"

/* --- addresses ---------------------------------------------------------- */

int in_addr(struct in *in, json_t *v, bool check, struct addr *out)
{
	static const char *const known[] = {"name", "email", NULL};
	const char *key;
	json_t *x;
	size_t n, mark;
	int rc = 0;

	*out = (struct addr){0};
	if (json_is_string(v)) {
		struct str s = STR_NONE;
		struct coi_err why = {0};

		if (in_str(in, v, &s) < 0)
			return -1;
		if (addr_one(in->a, s, out, &why) == 0)
			return 0;
		err_set(in->e, COI_E_DATA, "%.*s: %s",
			STR_ARG(buf_view(&in->path)), why.msg);
		err_hint(in->e, "%s",
			 why.hint[0] != '\0'
			     ? why.hint
			     : "like \"Name <you@example.org>\"");
		return -1;
	}
	if (!json_is_object(v))
		return in_wrong_type(in, v, "an address");
	json_object_keylen_foreach(v, key, n, x)
	{
		struct str name = {key, n};
		struct str *dst = str_is(name, "name")	  ? &out->name
				  : str_is(name, "email") ? &out->email
							  : NULL;

		if (dst == NULL) {
			rc = in_unknown_key(in, key, n, known);
		} else {
			mark = in_push(in, key, n);
			rc = in_str(in, x, dst);
			in->path.n = mark;
		}
		if (rc < 0)
			return rc;
	}
	if (out->email.p == NULL)
		return in_bad(in, "has no email");
	if (check && !addr_valid(out->email)) {
		err_set(in->e, COI_E_DATA, "%.*s: \"%.*s\" is no mail address",
			STR_ARG(buf_view(&in->path)), STR_ARG(out->email));
		return -1;
	}
	if (out->name.n == 0)
		out->name = STR_NONE;
	return 0;
}

int in_addrs(struct in *in, json_t *v, struct addr_list *out)
{
	struct addr x;
	json_t *item;
	size_t i, mark;
	int rc;

	if (!json_is_array(v)) {
		if (in_addr(in, v, true, &x) < 0)
			return -1;
		addr_add(in->a, out, x);
		return 0;
	}
	if (json_array_size(v) > LIMIT_ADDRESSES)
		return in_bad(in, "has too many addresses");
	json_array_foreach(v, i, item)
	{
		mark = in_push_index(in, i);
		rc = in_addr(in, item, true, &x);
		in->path.n = mark;
		if (rc < 0)
			return rc;
		addr_add(in->a, out, x);
	}
	return 0;
}

int in_ids(struct in *in, json_t *v, struct ids *out)
{
	size_t n, i, mark;
	int rc = 0;

	if (json_is_string(v)) {
		out->v = arena_alloc(in->a, sizeof(*out->v));
		out->n = 1;
		return in_id(in, v, &out->v[0]);
	}
	if (!json_is_array(v))
		return in_wrong_type(in, v, "a list of message ids");
	n = json_array_size(v);
	if (n > LIMIT_REFERENCES)
		return in_bad(in, "has too many ids");
	out->v = n == 0 ? NULL : arena_alloc(in->a, n * sizeof(*out->v));
	for (i = 0; i < n && rc == 0; i++) {
		json_t *x = json_array_get(v, i);

		mark = in_push_index(in, i);
		rc = json_is_string(x) ? in_id(in, x, &out->v[i])
				       : in_wrong_type(in, x, "a string");
		in->path.n = mark;
	}
	out->n = i;
	return rc;
}

/* --- group -------------------------------------------------------------- */

int in_group(struct in *in, json_t *v)
{
	static const char *const known[] = {
	    "id",	    "name",	    "description", "photo",
	    "participants", "notification", "removed",	   NULL};
	const char *key;
	json_t *x;
	size_t n, mark;
	int rc;

	if (!json_is_object(v))
		return in_wrong_type(in, v, "an object");
	json_object_keylen_foreach(v, key, n, x)
	{
		struct str name = {key, n};

		if (str_is(name, "id") || str_is(name, "name")) {
			mark = in_push(in, key, n);
			rc = in_str(in, x,
				    n == 2 ? &in->m->group_id
					   : &in->m->group_name);
			in->path.n = mark;
		} else if (keys_has(name, known)) {
			rc = in_later(in, key, n);
		} else {
			rc = in_unknown_key(in, key, n, known);
		}
		if (rc < 0)
			return rc;
	}
	if (in->m->group_id.p == NULL)
		return in_bad(in, "has no id");
	if (!msgid_group_valid(in->m->group_id))
		return in_bad(in, "id may have letters, digits, - and _ only, "
				  "at most 128");
	return 0;
}

/* --- attachments -------------------------------------------------------- */

static bool type_ok(struct str s)
{
	ptrdiff_t slash = str_chr(s, '/');
	size_t i;

	if (slash <= 0 || (size_t)slash + 1 == s.n || s.n > 127)
		return false;
	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (i == (size_t)slash)
			continue;
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		      (c >= 'A' && c <= 'Z') ||
		      (c != '\0' && strchr("!#$&^_.+-", c) != NULL)))
			return false;
	}
	return true;
}

static int get_type(struct in *in, json_t *v, struct str *out)
{
	struct str s = STR_NONE;

	if (in_str(in, v, &s) < 0)
		return -1;
	if (!type_ok(s)) {
		in_bad(in, "is not a media type");
		err_hint(in->e, "like image/jpeg, without parameters");
		return -1;
	}
	*out = arena_lower(in->a, s);
	return 0;
}

static int get_data(struct in *in, json_t *v, struct str *out)
{
	struct buf raw = {0};
	struct str s;

	if (!json_is_string(v))
		return in_wrong_type(in, v, "base64");
	s = (struct str){json_string_value(v), json_string_length(v)};
	if (!enc_b64_decode(s, false, &raw)) {
		buf_free(&raw);
		return in_bad(in, "is not base64 (with padding, on one line)");
	}
	*out = arena_str(in->a, buf_view(&raw));
	buf_free(&raw);
	return 0;
}

static int get_size(struct in *in, json_t *v, int64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    json_integer_value(v) >= INT64_C(1) << 53)
		return in_bad(in, "must be a number of octets");
	*out = json_integer_value(v);
	return 0;
}

static int get_blob(struct in *in, json_t *v, struct blob *b, bool inner);

static int get_preview(struct in *in, json_t *v, struct blob *b, bool inner)
{
	if (inner)
		return in_bad(in, "a preview has no preview");
	b->preview = arena_alloc(in->a, sizeof(*b->preview));
	*b->preview = (struct blob){.size = -1};
	return get_blob(in, v, b->preview, true);
}

static int get_blob(struct in *in, json_t *v, struct blob *b, bool inner)
{
	static const char *const known[] = {
	    "type", "name", "size",    "disposition", "cid",
	    "path", "data", "section", "preview",     NULL};
	const char *key;
	json_t *x;
	size_t n, mark;
	int rc;

	if (!json_is_object(v))
		return in_wrong_type(in, v, "an object");
	json_object_keylen_foreach(v, key, n, x)
	{
		struct str k = {key, n};

		if (!keys_has(k, known)) {
			if (in_unknown_key(in, key, n, known) < 0)
				return -1;
			continue;
		}
		mark = in_push(in, key, n);
		if (str_is(k, "type"))
			rc = get_type(in, x, &b->type);
		else if (str_is(k, "size"))
			rc = get_size(in, x, &b->size);
		else if (str_is(k, "data"))
			rc = get_data(in, x, &b->data);
		else if (str_is(k, "preview"))
			rc = get_preview(in, x, b, inner);
		else
			rc = in_str(in, x,
				    str_is(k, "name")	   ? &b->name
				    : str_is(k, "cid")	   ? &b->cid
				    : str_is(k, "path")	   ? &b->path
				    : str_is(k, "section") ? &b->section
							   : &b->disposition);
		in->path.n = mark;
		if (rc < 0)
			return rc;
	}
	n = (b->path.p != NULL) + (b->data.p != NULL) + (b->section.p != NULL);
	if (n != 1) {
		in_bad(in, n == 0 ? "has no content" : "has two contents");
		err_hint(in->e, "give exactly one of path, data, section");
		return -1;
	}
	return 0;
}

int in_blobs(struct in *in, json_t *v)
{
	json_t *x;
	size_t i, mark;
	int rc;

	if (!json_is_array(v))
		return in_wrong_type(in, v, "a list of attachments");
	if (json_array_size(v) > LIMIT_MIME_PARTS / 2 - 2)
		return in_bad(in, "are too many for one message");
	json_array_foreach(v, i, x)
	{
		mark = in_push_index(in, i);
		rc = get_blob(in, x, message_attach(in->a, in->m), false);
		in->path.n = mark;
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- headers ------------------------------------------------------------ */

static int get_header(struct in *in, json_t *v, struct raw_header *h)
{
	static const char *const known[] = {"name", "value", NULL};
	const char *key;
	json_t *x;
	size_t n, mark;
	int rc;

	*h = (struct raw_header){0};
	if (!json_is_object(v))
		return in_wrong_type(in, v, "an object");
	json_object_keylen_foreach(v, key, n, x)
	{
		struct str k = {key, n};

		if (!keys_has(k, known)) {
			rc = in_unknown_key(in, key, n, known);
		} else {
			mark = in_push(in, key, n);
			rc = in_str(in, x, n == 4 ? &h->name : &h->value);
			in->path.n = mark;
		}
		if (rc < 0)
			return rc;
	}
	if (h->name.p == NULL || h->value.p == NULL)
		return in_bad(in, "needs name and value");
	if (!message_header_name(h->name))
		return in_bad(in, "name cannot be the name of a header");
	if (message_header_ours(h->name)) {
		err_set(in->e, COI_E_DATA,
			"%.*s may not set \"%.*s\", which is written from "
			"other keys",
			STR_ARG(buf_view(&in->path)), STR_ARG(h->name));
		err_hint(in->e, "headers are for fields of your own, like "
				"X-Ticket; in jq: del(.headers)");
		return -1;
	}
	if (str_chr(h->value, '\r') >= 0 || str_chr(h->value, '\n') >= 0)
		return in_bad(in, "value has a line break");
	return 0;
}

int in_headers(struct in *in, json_t *v)
{
	struct message *m = in->m;
	json_t *x;
	size_t i, mark;
	int rc;

	if (!json_is_array(v))
		return in_wrong_type(in, v, "a list of {name, value}");
	if (json_array_size(v) > LIMIT_HEADER_FIELDS / 2)
		return in_bad(in, "are too many for one message");
	json_array_foreach(v, i, x)
	{
		m->headers = arena_more(in->a, m->headers, m->nheaders,
					&m->headers_cap, sizeof(*m->headers));
		mark = in_push_index(in, i);
		rc = get_header(in, x, &m->headers[m->nheaders++]);
		in->path.n = mark;
		if (rc < 0)
			return rc;
	}
	return 0;
}
