#include "smtp/priv.h"

#define CUT_MS 1000  /* after a failed write: for what came already */
#define BYE_MS 10000 /* after 421: the end should follow at once */

void tx_init(struct smtp *s, struct tx *t, struct arena *a, struct smtp_msg *m)
{
	size_t i;

	*t = (struct tx){.m = m, .a = a};
	t->later = s->begun > 0;
	/*
	 * Exim keeps the sender of a transaction whose recipients were all
	 * refused and files the next message under it: each one begins with
	 * RSET.  Only where that costs a round trip it waits for a reason.
	 */
	if (s->o.window > 1 || (s->pipelining ? s->begun > 0 : s->dirty))
		t->step = TX_RSET;
	else
		t->step = TX_MAIL;
	m->state = SMTP_UNSENT;
	m->code = 0;
	m->enhanced = m->reply = STR_NONE;
	for (i = 0; i < m->nrcpts; i++) {
		m->rcpts[i].state = SMTP_UNSENT;
		m->rcpts[i].code = 0;
		m->rcpts[i].enhanced = m->rcpts[i].reply = STR_NONE;
	}
}

static bool wrote(struct smtp *s, int rc)
{
	if (rc == 0)
		return true;
	s->cut = true;
	s->usable = false;
	return false;
}

bool tx_put(struct smtp *s, struct str x)
{
	if (s->cut)
		return false;
	smtp_deadline(s, s->io_ms);
	return wrote(s, net_put(s->c, x, &s->le));
}

bool tx_put_body(struct smtp *s, struct str x)
{
	bool ok;

	net_trace_hide(s->c, true);
	ok = tx_put(s, x);
	net_trace_hide(s->c, false);
	return ok;
}

bool tx_flush(struct smtp *s)
{
	if (s->cut)
		return false;
	smtp_deadline(s, s->io_ms);
	return wrote(s, net_flush(s->c, &s->le));
}

static struct answer keep(struct smtp *s, struct arena *a)
{
	struct answer r = {.code = s->r.code};
	struct buf b = {0};

	smtp_reply_words(&s->r, &b);
	r.reply = arena_str(a, buf_view(&b));
	r.enhanced = smtp_reply_enhanced(&s->r);
	if (r.enhanced.n > 0)
		r.enhanced = arena_str(a, r.enhanced);
	buf_free(&b);
	return r;
}

static enum smtp_state state_of(int code)
{
	switch (code / 100) {
	case 2:
		return SMTP_ACCEPTED;
	case 5:
		return SMTP_REFUSED;
	default:
		return SMTP_DEFERRED;
	}
}

static void rcpt_set(struct smtp_rcpt *r, enum smtp_state state,
		     const struct answer *w)
{
	r->state = state;
	r->code = w->code;
	r->enhanced = w->enhanced;
	r->reply = w->reply;
}

static void msg_set(struct smtp_msg *m, enum smtp_state state,
		    const struct answer *w)
{
	m->state = state;
	m->code = w->code;
	m->enhanced = w->enhanced;
	m->reply = w->reply;
}

/* An LMTP server answers the data once for each recipient it took. */
static void take_lmtp(struct tx *t, const struct answer *w)
{
	struct smtp_msg *m = t->m;

	while (t->lmtp < m->nrcpts && m->rcpts[t->lmtp].state != SMTP_ACCEPTED)
		t->lmtp++;
	if (t->lmtp < m->nrcpts)
		rcpt_set(&m->rcpts[t->lmtp++], state_of(w->code), w);
	while (t->lmtp < m->nrcpts && m->rcpts[t->lmtp].state != SMTP_ACCEPTED)
		t->lmtp++;
	if (t->final.code == 0 || w->code / 100 == 2)
		t->final = *w;
	if (t->lmtp < m->nrcpts)
		t->put++; /* one more is due */
	else
		t->step = TX_DONE;
}

static void take(struct smtp *s, struct tx *t)
{
	struct smtp_msg *m = t->m;
	struct answer w = {0};
	bool good = s->r.code / 100 == 2;

	if (t->step != TX_RSET && !(t->step == TX_CHUNK && good) &&
	    s->r.code != 354)
		w = keep(s, t->a);
	if (s->r.code == 421 && t->bye.code == 0) {
		t->bye = w.code != 0 ? w : keep(s, t->a);
		t->bye_at = t->step;
	}
	switch (t->step) {
	case TX_RSET:
		t->step = TX_MAIL;
		break;
	case TX_MAIL:
		t->mail = w;
		t->step = TX_RCPT;
		break;
	case TX_RCPT:
		rcpt_set(&m->rcpts[t->rcpt++], state_of(w.code), &w);
		if (good)
			t->accepted++;
		if (t->rcpt == m->nrcpts)
			t->step = t->data ? TX_DATA : TX_FINAL;
		break;
	case TX_DATA:
		t->go = s->r.code == 354;
		if (!t->go)
			t->final = w;
		t->step = t->go ? TX_FINAL : TX_DONE;
		break;
	case TX_CHUNK:
		if (!good && t->final.code == 0)
			t->final = w;
		if (--t->chunks == 0)
			t->step = TX_FINAL;
		break;
	case TX_FINAL:
		if (s->o.lmtp && !t->empty) {
			take_lmtp(t, &w);
			break;
		}
		/* Behind a refused chunk its refusal says more. */
		if (t->final.code == 0 || good)
			t->final = w;
		t->step = TX_DONE;
		break;
	case TX_DONE:
		break;
	}
}

int tx_read(struct smtp *s, struct tx *t)
{
	int ms = t->step == TX_FINAL ? s->final_ms : s->io_ms;

	if (t->bye.code != 0 && ms > BYE_MS)
		ms = BYE_MS;
	if (s->cut && ms > CUT_MS)
		ms = CUT_MS;
	if (smtp_read(s, ms, NULL, &s->le) != 0) {
		s->cut = true;
		return -1;
	}
	if (s->r.code / 100 == 3 && (t->step != TX_DATA || s->r.code != 354)) {
		s->usable = false;
		return smtp_refused(s, COI_E_PROTOCOL, NULL, &s->le,
				    "the server asks for more at the wrong "
				    "place");
	}
	if (t->step == TX_DATA && s->r.code / 100 == 2) {
		s->usable = false;
		return smtp_refused(s, COI_E_PROTOCOL, NULL, &s->le,
				    "the server did not ask for the data");
	}
	t->put--;
	take(s, t);
	return 0;
}

/* All recipients without a refusal of their own get this. */
static void rest(struct tx *t, enum smtp_state state, const struct answer *w)
{
	size_t i;

	for (i = 0; i < t->m->nrcpts; i++)
		if (i >= t->rcpt || t->m->rcpts[i].state == SMTP_ACCEPTED)
			rcpt_set(&t->m->rcpts[i], state, w);
}

static void all(struct tx *t, enum smtp_state state, const struct answer *w)
{
	size_t i;

	for (i = 0; i < t->m->nrcpts; i++)
		rcpt_set(&t->m->rcpts[i], state, w);
	msg_set(t->m, state, w);
}

/* The message's state from its recipients': the best of them speaks. */
static void by_rcpts(struct tx *t)
{
	static const int rank[] = {[SMTP_UNSENT] = 0,
				   [SMTP_REFUSED] = 1,
				   [SMTP_DEFERRED] = 2,
				   [SMTP_ACCEPTED] = 3,
				   [SMTP_UNKNOWN] = 4};
	struct smtp_rcpt *r, *best = &t->m->rcpts[0];
	size_t i;

	for (i = 1; i < t->m->nrcpts; i++) {
		r = &t->m->rcpts[i];
		if (rank[r->state] > rank[best->state])
			best = r;
	}
	t->m->state = best->state;
	t->m->code = best->code;
	t->m->enhanced = best->enhanced;
	t->m->reply = best->reply;
}

static bool mail_refused(const struct tx *t)
{
	return t->mail.code != 0 && t->mail.code / 100 != 2;
}

static bool all_refused(const struct tx *t)
{
	return t->rcpt == t->m->nrcpts && t->accepted == 0;
}

static const char *stage_of(const struct tx *t)
{
	switch (t->step) {
	case TX_RSET:
	case TX_MAIL:
		return "mail";
	case TX_RCPT:
		return "rcpt";
	default:
		return "data";
	}
}

/* The link was lost, or the server broke the protocol. */
static int settle_lost(struct smtp *s, struct tx *t, struct coi_err *e)
{
	struct answer none = {0};
	enum smtp_state state = t->end_sent ? SMTP_UNKNOWN : SMTP_DEFERRED;

	none.reply = arena_str(t->a, str_of(s->le.msg));
	if (s->o.lmtp && t->lmtp > 0) {
		size_t i;

		for (i = t->lmtp; i < t->m->nrcpts; i++)
			if (t->m->rcpts[i].state == SMTP_ACCEPTED)
				rcpt_set(&t->m->rcpts[i], state, &none);
		by_rcpts(t);
	} else {
		rest(t, state, &none);
		msg_set(t->m, state, &none);
	}
	if (e != NULL && e->code == COI_OK && state == SMTP_UNKNOWN) {
		err_set(e, COI_E_OUTCOME,
			"the message was sent, but not its receipt: %s",
			s->le.msg);
		err_reply(e, s->le.reply, strlen(s->le.reply));
		err_hint(e, "it may or may not have been taken: look before "
			    "you send it again");
	} else if (e != NULL && e->code == COI_OK) {
		*e = s->le;
	}
	return smtp_failed(s, stage_of(t), e);
}

static void err_answer(struct coi_err *e, const struct answer *w)
{
	struct buf b = {0};

	buf_fmt(&b, "%d %.*s%s%.*s", w->code, STR_ARG(w->enhanced),
		w->enhanced.n > 0 ? " " : "", STR_ARG(w->reply));
	err_reply(e, b.p, b.n);
	buf_free(&b);
}

static int settle_bye(struct smtp *s, struct tx *t, struct coi_err *e)
{
	if (t->later && t->bye_at <= TX_MAIL) {
		/* Exim after 1,000 messages: this one goes to the next. */
		all(t, SMTP_UNSENT, &t->bye);
		err_set(e, COI_E_TEMP, "the server ends the connection");
		err_answer(e, &t->bye);
		return smtp_failed(s, "mail", e);
	}
	rest(t, SMTP_DEFERRED, &t->bye);
	msg_set(t->m, SMTP_DEFERRED, &t->bye);
	return 0;
}

int tx_settle(struct smtp *s, struct tx *t, struct coi_err *e)
{
	struct smtp_msg *m = t->m;
	enum smtp_state state;

	if (t->local)
		return 0;
	if (t->final.code / 100 == 2 && t->step == TX_DONE && !t->empty) {
		if (s->o.lmtp) {
			by_rcpts(t);
			return 0;
		}
		if (t->accepted > 0) {
			rest(t, SMTP_ACCEPTED, &t->final);
			msg_set(m, SMTP_ACCEPTED, &t->final);
			s->dirty = false;
			return 0;
		}
		/* Taken, but for whom?  Not lost, and not to be doubled. */
		all(t, SMTP_UNKNOWN, &t->final);
		return 0;
	}
	if (t->bye.code != 0 &&
	    (t->step != TX_DONE ? !t->end_sent || s->le.code != COI_E_TEMP
				: t->later && t->bye_at <= TX_MAIL))
		return settle_bye(s, t, e);
	if (t->step == TX_DONE || s->le.code == COI_OK || !t->end_sent ||
	    t->mail.code != 503) {
		if (mail_refused(t)) {
			all(t, state_of(t->mail.code), &t->mail);
			return 0;
		}
		if (all_refused(t)) {
			by_rcpts(t);
			return 0;
		}
	}
	if (t->final.code != 0 && t->step == TX_DONE) {
		if (s->o.lmtp && t->lmtp > 0) {
			by_rcpts(t);
			return 0;
		}
		state = state_of(t->final.code);
		rest(t, state, &t->final);
		msg_set(m, state, &t->final);
		return 0;
	}
	return settle_lost(s, t, e);
}
