#include "coi/compose.h"

#include <stdlib.h>

#include "coi/compose_in.h"
#include "core/limits.h"
#include "core/sys.h"
#include "fmt/date.h"
#include "fmt/hdr.h"
#include "fmt/msgid.h"
#include "kind/kind.h"

/* --- checks ------------------------------------------------------------- */

static int check_header_text(const char *what, struct str s, struct coi_err *e)
{
	if (!hdr_safe(s))
		return err_set(e, COI_E_DATA,
			       "the %s has a line break or a NUL character",
			       what);
	if (!utf8_valid(s))
		return err_set(e, COI_E_DATA, "the %s is not valid UTF-8",
			       what);
	return 0;
}

/* Checks one address and gives its form on the wire. */
static int check_addr(struct arena *a, const char *what, const struct addr *in,
		      struct addr *out, bool *utf8, struct coi_err *e)
{
	struct str domain;
	size_t i;

	if (!addr_valid(in->email) || !utf8_valid(in->email)) {
		err_set(e, COI_E_DATA, "%s: \"%.*s\" is no mail address", what,
			STR_ARG(in->email));
		return -1;
	}
	if (check_header_text("name of an address", in->name, e) < 0)
		return -1;
	out->name = in->name.n > 0 ? in->name : STR_NONE;
	out->email = addr_ascii(a, in->email);
	domain = addr_domain(out->email);
	for (i = 0; i < domain.n && (unsigned char)domain.p[i] < 0x80; i++)
		;
	if (domain.n == 0 || i < domain.n || !addr_valid(out->email)) {
		err_set(e, COI_E_DATA, "%s: the domain of \"%.*s\" is no name",
			what, STR_ARG(in->email));
		return -1;
	}
	if (addr_needs_utf8(out->email))
		*utf8 = true;
	return 0;
}

static int check_addrs(struct arena *a, const char *what,
		       const struct addr_list *in, struct addr_list *out,
		       bool *utf8, struct coi_err *e)
{
	struct addr x;
	size_t i;

	*out = (struct addr_list){0};
	for (i = 0; i < in->n; i++) {
		if (check_addr(a, what, &in->v[i], &x, utf8, e) < 0)
			return -1;
		addr_add(a, out, x);
	}
	return 0;
}

static int check_headers(const struct message *m, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < m->nheaders; i++) {
		const struct raw_header *h = &m->headers[i];

		if (!message_header_name(h->name) ||
		    message_header_ours(h->name))
			return err_set(e, COI_E_DATA,
				       "the header \"%.*s\" cannot be set",
				       STR_ARG(h->name));
		if (check_header_text("value of a header", h->value, e) < 0)
			return -1;
	}
	return 0;
}

static int check_id(const char *what, struct str id, struct coi_err *e)
{
	if (id.p == NULL || (msgid_valid(id) && hdr_safe(id)))
		return 0;
	return err_set(e, COI_E_DATA, "%s: \"%.*s\" is not a message id", what,
		       STR_ARG(id));
}

/* What is demanded and cannot be kept must not go out in another way. */
static int check_secrecy(const struct message *m, struct coi_err *e)
{
	if (m->encrypted == 1) {
		err_set(e, COI_E_NOKEY,
			"the message demands encryption, which "
			"this version cannot do yet");
		err_hint(e, "\"encrypted\":false sends it in clear");
		return -1;
	}
	if (m->is_signed == 1) {
		err_set(e, COI_E_NOKEY,
			"the message demands a signature, "
			"which this version cannot make yet");
		err_hint(e, "leave out \"signed\"");
		return -1;
	}
	return 0;
}

static int check_message(const struct message *m, struct coi_err *e)
{
	size_t n = m->to.n + m->cc.n + m->bcc.n;
	size_t i;

	if (check_secrecy(m, e) < 0)
		return -1;
	if (m->from.email.n == 0) {
		err_set(e, COI_E_DATA, "the message has no sender");
		err_hint(e, "set address in the account, or give \"from\" "
			    "with --keep");
		return -1;
	}
	if (n == 0) {
		err_set(e, COI_E_DATA, "the message has no recipient");
		err_hint(e, "give at least one address in to, cc or bcc");
		return -1;
	}
	if (n > LIMIT_RCPTS)
		return err_set(e, COI_E_DATA, "%zu recipients, at most %u", n,
			       LIMIT_RCPTS);
	if (m->nattachments > LIMIT_MIME_PARTS / 2 - 2)
		return err_set(e, COI_E_DATA,
			       "too many attachments for one message");
	if (m->group_id.p != NULL && !msgid_group_valid(m->group_id))
		return err_set(e, COI_E_DATA,
			       "\"%.*s\" is not the id of a group",
			       STR_ARG(m->group_id));
	for (i = 0; i < m->references.n; i++)
		if (check_id("references", m->references.v[i], e) < 0)
			return -1;
	if (check_id("inReplyTo", m->in_reply_to, e) < 0 ||
	    check_id("targetId", m->target_id, e) < 0 ||
	    check_header_text("subject", m->subject, e) < 0 ||
	    check_header_text("name of the group", m->group_name, e) < 0)
		return -1;
	return check_headers(m, e);
}

/* --- ids and threads ---------------------------------------------------- */

static struct str answered(const struct message *m)
{
	return m->target_id.p != NULL ? m->target_id : m->in_reply_to;
}

static bool of_group(const struct message *m, struct str id)
{
	return m->group_id.p == NULL || str_eq(msgid_group(id), m->group_id);
}

/* The two ids of References: the first and the latest of the thread (COI
 * client text, header fields).  The same when applied to its own result. */
static size_t thread_ids(const struct message *m, struct str out[2])
{
	struct str last = answered(m), root = last;
	size_t n = 0;

	if (m->references.n > 0) {
		root = m->references.v[0];
		if (last.p == NULL)
			last = m->references.v[m->references.n - 1];
	}
	/* A thread of a group begins with a message of that group. */
	if (root.p != NULL && of_group(m, root))
		out[n++] = root;
	if (last.p != NULL && (n == 1 || of_group(m, last)) &&
	    (n == 0 || !str_eq(root, last)))
		out[n++] = last;
	return n;
}

static int fill_ids(struct arena *a, struct message *m,
		    const struct compose_opts *o, const struct addr *from,
		    struct coi_err *e)
{
	struct buf b = {0};
	struct str pair[2], *v;
	size_t n;

	if (o->id.p != NULL)
		m->id = o->id;
	else if (!o->keep)
		m->id = STR_NONE;
	if (m->id.n > 2 && m->id.p[0] == '<' && m->id.p[m->id.n - 1] == '>')
		m->id = str_sub(m->id, 1, m->id.n - 2);
	if (check_id("id", m->id, e) < 0)
		return -1;
	if (m->id.p == NULL) {
		msgid_new(&b, m->group_id, addr_domain(from->email));
		m->id = arena_str(a, buf_view(&b));
		buf_free(&b);
	}
	if (!o->keep || m->sent_at == INT64_MIN)
		m->sent_at = sys_now();
	if (o->keep && m->references.n > 0)
		return 0;
	n = thread_ids(m, pair);
	v = arena_alloc(a, sizeof(pair));
	memcpy(v, pair, n * sizeof(*v));
	m->references = (struct ids){v, n};
	return 0;
}

/* --- headers ------------------------------------------------------------ */

struct wire_addrs {
	struct addr from;
	struct addr_list to, cc, bcc, reply_to;
};

static int addrs_of(struct arena *a, const struct message *m,
		    struct wire_addrs *x, bool *utf8, struct coi_err *e)
{
	if (check_addr(a, "from", &m->from, &x->from, utf8, e) < 0 ||
	    check_addrs(a, "to", &m->to, &x->to, utf8, e) < 0 ||
	    check_addrs(a, "cc", &m->cc, &x->cc, utf8, e) < 0 ||
	    check_addrs(a, "bcc", &m->bcc, &x->bcc, utf8, e) < 0 ||
	    check_addrs(a, "replyTo", &m->reply_to, &x->reply_to, utf8, e) < 0)
		return -1;
	return 0;
}

static void put_addrs(struct buf *b, const struct wire_addrs *x)
{
	const struct addr_list from = {.v = (struct addr *)&x->from, .n = 1};

	addr_write_field(b, "From", &from);
	if (x->to.n > 0)
		addr_write_field(b, "To", &x->to);
	else if (x->cc.n == 0)
		/* Servers of old standing want one (RFC 822 4.1). */
		buf_z(b, "To: undisclosed-recipients:;\r\n");
	if (x->cc.n > 0)
		addr_write_field(b, "Cc", &x->cc);
	if (x->reply_to.n > 0)
		addr_write_field(b, "Reply-To", &x->reply_to);
}

static void put_headers(struct arena *a, struct buf *b, const struct message *m,
			const struct wire_addrs *x)
{
	const struct addr_list from = {.v = (struct addr *)&x->from, .n = 1};
	struct str id = answered(m);
	struct str subject = m->group_name.n > 0 ? m->group_name : m->subject;
	size_t i;

	buf_z(b, "Date: ");
	date_write(b, m->sent_at);
	buf_z(b, "\r\n");
	put_addrs(b, x);
	if (subject.n > 0)
		hdr_write_text(b, "Subject", subject);
	msgid_write_field(b, "Message-ID", &m->id, 1);
	if (id.p != NULL)
		msgid_write_field(b, "In-Reply-To", &id, 1);
	if (m->references.n > 0)
		msgid_write_field(b, "References", m->references.v,
				  m->references.n);
	buf_z(b, "Chat-Version: 1.0\r\n");
	if (m->kind != NULL && m->kind->words != NULL)
		buf_fmt(b, "Chat-Content: %s\r\n", m->kind->words[0]);
	if (m->auto_submitted.n > 0)
		buf_fmt(b, "Auto-Submitted: %.*s\r\n",
			STR_ARG(m->auto_submitted));
	if (m->receipt_requested) {
		addr_write_field(b, "Disposition-Notification-To", &from);
		/* Delta Chat heeds only this one. */
		addr_write_field(b, "Chat-Disposition-Notification-To", &from);
	}
	for (i = 0; i < m->nheaders; i++)
		hdr_write_text(b, arena_cstr(a, m->headers[i].name),
			       m->headers[i].value);
}

struct wire *compose(struct arena *a, struct message *m,
		     const struct compose_opts *o, struct coi_err *e)
{
	struct wire_addrs x = {0};
	struct wire *w = NULL;
	bool utf8 = false;

	if (check_message(m, e) < 0 || addrs_of(a, m, &x, &utf8, e) < 0 ||
	    fill_ids(a, m, o, &x.from, e) < 0) {
		err_stage(e, "compose");
		return NULL;
	}
	w = wire_new();
	put_headers(a, wire_buf(w), m, &x);
	if (body_write(a, m, o, w, e) < 0) {
		err_stage(e, "compose");
		wire_free(w);
		return NULL;
	}
	wire_end(w);
	if (utf8)
		wire_set_utf8(w);
	return w;
}
