#include "coi/decode_priv.h"
#include "core/limits.h"
#include "fmt/date.h"
#include "fmt/msgid.h"

static struct str first_id(struct decoder *d, struct str raw)
{
	struct str rest = raw, id;

	if (!msgid_next(&rest, &id) || id.n == 0)
		return STR_NONE;
	return arena_str(d->a, id);
}

static void add_ids(struct decoder *d, struct str raw)
{
	struct message *m = d->m;
	struct str rest = raw, id;
	size_t cap = 0, n = 0;
	struct str *v = NULL;

	while (msgid_next(&rest, &id)) {
		/* The first says which chat it is, the last what is answered:
		 * of too many those in between go. */
		if (n == LIMIT_REFERENCES) {
			memmove(v + 1, v + 2, (n - 2) * sizeof(*v));
			n--;
		}
		v = arena_more(d->a, v, n, &cap, sizeof(*v));
		v[n++] = id;
	}
	for (cap = 0; cap < n; cap++)
		v[cap] = arena_str(d->a, v[cap]);
	m->references.v = v;
	m->references.n = n;
}

static struct str text_of(struct decoder *d, struct str raw)
{
	return arena_str(d->a, hdr_text(d->a, raw));
}

static void addresses(struct decoder *d, const char *what, struct str raw,
		      struct addr_list *l)
{
	size_t skipped = addr_parse(d->a, raw, l);

	if (skipped > 0 && l->n >= LIMIT_ADDRESSES)
		message_warn(d->a, d->m, "more than %u addresses",
			     LIMIT_ADDRESSES);
	else if (skipped > 0 && what != NULL)
		message_warn(d->a, d->m, "%s: %zu without a mail address", what,
			     skipped);
}

static void extra_header(struct decoder *d, struct str name, struct str value)
{
	struct message *m = d->m;

	m->headers = arena_more(d->a, m->headers, m->nheaders, &m->headers_cap,
				sizeof(*m->headers));
	m->headers[m->nheaders++] = (struct raw_header){arena_str(d->a, name),
							text_of(d, value)};
}

enum field {
	F_DATE,
	F_FROM,
	F_TO,
	F_CC,
	F_REPLY_TO,
	F_SUBJECT,
	F_ID,
	F_IRT,
	F_REFS,
	F_VERSION,
	F_CONTENT,
	F_GROUP_ID,
	F_GROUP_NAME,
	F_DNT,
	F_CDNT,
	F_LIST_ID,
	F_AUTO,
	F_XMS_ID,
	F_OTHER
};

static const struct {
	struct str name;
	enum field field;
} fields[] = {{{"date", 4}, F_DATE},
	      {{"from", 4}, F_FROM},
	      {{"to", 2}, F_TO},
	      {{"cc", 2}, F_CC},
	      {{"reply-to", 8}, F_REPLY_TO},
	      {{"subject", 7}, F_SUBJECT},
	      {{"message-id", 10}, F_ID},
	      {{"in-reply-to", 11}, F_IRT},
	      {{"references", 10}, F_REFS},
	      {{"chat-version", 12}, F_VERSION},
	      {{"chat-content", 12}, F_CONTENT},
	      {{"chat-group-id", 13}, F_GROUP_ID},
	      {{"chat-group-name", 15}, F_GROUP_NAME},
	      {{"disposition-notification-to", 27}, F_DNT},
	      {{"chat-disposition-notification-to", 32}, F_CDNT},
	      {{"list-id", 7}, F_LIST_ID},
	      {{"auto-submitted", 14}, F_AUTO},
	      {{"x-microsoft-original-message-id", 31}, F_XMS_ID}};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static enum field field_of(struct str name)
{
	size_t i;

	for (i = 0; i < NFIELDS; i++)
		if (name.n == fields[i].name.n &&
		    (name.p[0] | 0x20) == fields[i].name.p[0] &&
		    str_ieq(name, fields[i].name))
			return fields[i].field;
	return F_OTHER;
}

static bool mapped_elsewhere(struct str name)
{
	return str_istarts(name, "content-") || str_istarts(name, "chat-") ||
	       str_istarts(name, "coi-") || str_iis(name, "mime-version") ||
	       str_iis(name, "bcc");
}

static void list_id(struct decoder *d, struct str raw)
{
	struct str s = text_of(d, raw);
	ptrdiff_t lt = str_chr(s, '<');

	if (lt >= 0) {
		s = str_sub(s, (size_t)lt + 1, s.n);
		s = str_split(&s, '>');
	}
	d->list_id = str_trim(s);
}

static void from(struct decoder *d, struct str raw)
{
	struct addr_list l = {0};

	addresses(d, NULL, raw, &l);
	if (l.n > 0)
		d->m->from = l.v[0];
	if (l.n > 1)
		message_warn(d->a, d->m, "From holds %zu addresses", l.n);
}

/* "1.0;name=value": what stands before the first ";" (CLI-029). */
static void chat_version(struct decoder *d, struct str raw)
{
	struct str s = hdr_text(d->a, raw);

	d->m->meta.chat_version = arena_str(d->a, str_trim(str_split(&s, ';')));
	d->m->meta.by_version = true;
}

/* "auto-replied; owner=...": the word; "no" is that of a person (RFC 3834 5).
 */
static void auto_submitted(struct decoder *d, struct str raw)
{
	struct hdr_value v;

	hdr_value(d->a, raw, &v);
	if (v.value.n > 0 && !str_iis(v.value, "no"))
		d->m->meta.auto_submitted = arena_str(
		    d->a, arena_lower(d->a, str_sub(v.value, 0, 60)));
}

/* The words of the standard and their older forms: any case is read. */
static bool standard_word(struct str s)
{
	static const char *const words[] = {
	    "ignore",	     "status",	       "editrequest",
	    "deleterequest", "preview",	       "contact",
	    "profile",	     "profilerequest", "group",
	    "groupinfo",     "groupprofile",   "groupprofilerequest",
	    "grouprequest",  "grouprequested", "groupleft",
	    "location",	     "poll",	       "pollvote",
	    "pollclose",     "edit",	       "amend",
	    "ammend",	     "delete",	       "collapse",
	    "collapsed",     "contactinfo"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_iis(s, words[i]))
			return true;
	return false;
}

static void chat_content(struct decoder *d, struct str raw)
{
	struct hdr_value v;
	struct str s;

	hdr_value(d->a, raw, &v);
	if (v.value.n == 0)
		return;
	/* The word of a client is its own, capitals and all. */
	s = hdr_text(d->a, raw);
	s = str_trim(str_split(&s, ';'));
	if (standard_word(v.value) || !str_ieq(s, v.value))
		s = v.value;
	d->m->chat_content = arena_str(d->a, s);
}

static void one_field(struct decoder *d, enum field f, struct str value)
{
	struct message *m = d->m;

	switch (f) {
	case F_DATE:
		if (!date_parse(value, &m->sent_at))
			message_warn(d->a, m, "unreadable Date");
		break;
	case F_FROM:
		from(d, value);
		break;
	case F_TO:
		addresses(d, "To", value, &m->to);
		break;
	case F_CC:
		addresses(d, "Cc", value, &m->cc);
		break;
	case F_REPLY_TO:
		addresses(d, "Reply-To", value, &m->reply_to);
		break;
	case F_SUBJECT:
		m->subject = text_of(d, value);
		if (m->subject.n == 0)
			m->subject = STR_NONE;
		break;
	case F_ID:
		m->id = first_id(d, value);
		break;
	case F_XMS_ID:
		d->original_id = first_id(d, value);
		break;
	case F_IRT:
		m->in_reply_to = first_id(d, value);
		break;
	case F_REFS:
		add_ids(d, value);
		break;
	case F_VERSION:
		chat_version(d, value);
		break;
	case F_CONTENT:
		chat_content(d, value);
		break;
	case F_GROUP_ID:
		d->delta_group = str_trim(text_of(d, value));
		break;
	case F_GROUP_NAME:
		d->delta_name = str_trim(text_of(d, value));
		break;
	case F_DNT:
	case F_CDNT:
		m->receipt_requested = true;
		break;
	case F_AUTO:
		auto_submitted(d, value);
		break;
	case F_LIST_ID:
		list_id(d, value);
		break;
	case F_OTHER:
		break;
	}
}

/* What tells a message without an id from the next one: every trace field. */
static void note_fields(struct decoder *d, struct str block)
{
	struct str name, value;

	while (hdr_next(&block, &name, &value)) {
		buf_str(&d->shape, name);
		buf_c(&d->shape, ':');
		buf_str(&d->shape, value);
		buf_c(&d->shape, '\n');
	}
}

/* The header block of the message itself: the first of each field counts. */
void decode_head(struct decoder *d, struct str block)
{
	const struct str whole = block;
	struct message *m = d->m;
	bool had[F_OTHER] = {false}, twice = false;
	struct str name, value;
	unsigned n = 0;

	while (hdr_next(&block, &name, &value)) {
		enum field f = field_of(name);

		if (++n > LIMIT_HEADER_FIELDS) {
			message_warn(d->a, m, "more than %u header fields",
				     LIMIT_HEADER_FIELDS);
			break;
		}
		if (f == F_OTHER) {
			if (d->o->headers && !mapped_elsewhere(name))
				extra_header(d, name, value);
		} else if (!had[f]) {
			had[f] = true;
			one_field(d, f, value);
		} else if (f == F_FROM && !twice) {
			/* Programs differ in which they show. */
			twice = true;
			message_warn(d->a, m, "more than one From field");
		}
	}
	/* Exchange puts an id of its own in place of the sender's, whom the
	 * replies of others name. */
	if (d->original_id.p != NULL)
		m->id = d->original_id;
	if (m->id.p == NULL && d->o->identity)
		note_fields(d, whole);
	if (m->from.email.p == NULL)
		message_warn(d->a, m, "no From address");
}
