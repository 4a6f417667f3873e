#include "smtp/priv.h"

/*
 * Replies left unread while commands are written could fill both directions
 * (RFC 2920 3.1): a thousand recipients go in several flights.
 */
#define REPLIES_DUE_MAX 100

static void add_mail(struct smtp *s, const struct smtp_msg *m)
{
	struct buf *b = &s->out;
	bool utf8 = smtp_needs_utf8(m) && s->smtputf8;

	buf_z(b, "MAIL FROM:<");
	buf_str(b, m->from);
	buf_c(b, '>');
	if (s->sizes && m->size > 0) {
		buf_z(b, " SIZE=");
		buf_u64(b, m->size);
	}
	if ((m->eight_bit || utf8) && s->eightbit)
		buf_z(b, " BODY=8BITMIME");
	if (utf8)
		buf_z(b, " SMTPUTF8");
	if (s->dsn && m->ret.n > 0) {
		buf_z(b, " RET=");
		buf_str(b, m->ret);
	}
	if (s->dsn && m->envid.n > 0) {
		buf_z(b, " ENVID=");
		smtp_xtext(b, m->envid);
	}
	buf_z(b, "\r\n");
}

static void add_rcpt(struct smtp *s, const struct smtp_msg *m, size_t i)
{
	struct buf *b = &s->out;

	buf_z(b, "RCPT TO:<");
	buf_str(b, m->rcpts[i].email);
	buf_c(b, '>');
	if (s->dsn && m->notify.n > 0) {
		buf_z(b, " NOTIFY=");
		buf_str(b, m->notify);
		if (str_ascii(m->rcpts[i].email)) {
			buf_z(b, " ORCPT=rfc822;");
			smtp_xtext(b, m->rcpts[i].email);
		}
	}
	buf_z(b, "\r\n");
}

static int drain(struct smtp *s, struct tx *t)
{
	tx_put(s, buf_view(&s->out));
	buf_clear(&s->out);
	tx_flush(s);
	while (t->put > 0)
		if (tx_read(s, t) != 0)
			return -1;
	return s->usable ? 0 : -1;
}

/* One more command stands in s->out. */
static int counted(struct smtp *s, struct tx *t)
{
	t->put++;
	if (t->put < (s->pipelining ? REPLIES_DUE_MAX : 1))
		return 0;
	return drain(s, t);
}

int tx_envelope(struct smtp *s, struct tx *t, bool flush)
{
	const struct smtp_msg *m = t->m;
	size_t i;

	buf_clear(&s->out);
	if (t->step == TX_RSET) {
		buf_z(&s->out, "RSET\r\n");
		if (counted(s, t) != 0)
			return -1;
	}
	s->begun++;
	s->dirty = true;
	add_mail(s, m);
	if (counted(s, t) != 0)
		return -1;
	for (i = 0; i < m->nrcpts; i++) {
		if (t->mail.code != 0 && t->mail.code / 100 != 2)
			break;
		add_rcpt(s, m, i);
		if (counted(s, t) != 0)
			return -1;
	}
	if (t->data && s->pipelining && i == m->nrcpts) {
		/* RFC 2920: the last of its group. */
		buf_z(&s->out, "DATA\r\n");
		t->put++;
		flush = true;
	}
	if (flush)
		return drain(s, t);
	tx_put(s, buf_view(&s->out));
	buf_clear(&s->out);
	return 0;
}
