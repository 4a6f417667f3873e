#include "core/sys.h"
#include "smtp/priv.h"

#define FLIGHT (64u * 1024u)  /* a body that goes with its envelope */
#define FLIGHT_RCPTS 90	      /* below envelope.c's limit */
#define CHUNK (1024u * 1024u) /* octets of a BDAT */
#define CHUNKS_DUE 4	      /* unanswered ones */
#define PIECE (64u * 1024u)   /* a deadline for each */

enum how { LOCAL, FLOWN, ALONE, FAILED };

static void unsent(struct smtp_msg *m)
{
	size_t i;

	m->state = SMTP_UNSENT;
	for (i = 0; i < m->nrcpts; i++)
		m->rcpts[i].state = SMTP_UNSENT;
}

/*
 * The way a message can go.  FLOWN: envelope and data are put in one flight.
 * FAILED: *e is set, nothing of it was sent, the session is as before.
 */
static enum how begin(struct smtp *s, struct tx *t, struct coi_err *e)
{
	struct smtp_msg *m = t->m;
	struct body *b = &s->body;
	struct str body;

	if (!smtp_check_fits(s, t->a, m)) {
		t->local = true;
		t->step = TX_DONE;
		return LOCAL;
	}
	body_init(b, m);
	if (body_fill(b, FLIGHT + 1, e) != 0) {
		err_stage(e, "data");
		return FAILED;
	}
	if (!s->pipelining || !s->chunking || s->o.lmtp || !b->eof ||
	    m->nrcpts > FLIGHT_RCPTS)
		return ALONE;
	if (m->before_data != NULL && m->before_data(m->ctx, e) != 0) {
		err_set(e, COI_E_INTERNAL, "the message was given up");
		return FAILED;
	}
	sys_point("smtp-before-data");
	tx_envelope(s, t, false);
	body = body_view(b, FLIGHT);
	buf_fmt(&s->out, "BDAT %zu LAST\r\n", body.n);
	t->put++;
	t->end_sent = tx_put(s, buf_view(&s->out)) && tx_put_body(s, body);
	buf_clear(&s->out);
	return FLOWN;
}

/* Reads what is due for t; false when the link does not give it. */
static bool finish(struct smtp *s, struct tx *t)
{
	while (t->put > 0)
		if (tx_read(s, t) != 0)
			return false;
	return true;
}

/* Local trouble in the middle of the data: only closing takes it back. */
static int give_up(struct smtp *s, struct tx *t, struct coi_err *e)
{
	s->usable = false;
	unsent(t->m);
	err_set(e, COI_E_INTERNAL, "the message was given up");
	return smtp_failed(s, "data", e);
}

static int before_data(struct smtp *s, struct tx *t, struct coi_err *e)
{
	if (t->m->before_data != NULL && t->m->before_data(t->m->ctx, e) != 0)
		return -1;
	sys_point("smtp-before-data");
	return 0;
}

/* 0: go on to settle; -1: given up, *e set. */
static int chunks(struct smtp *s, struct tx *t, struct coi_err *e)
{
	struct body *b = &s->body;
	struct str piece;
	bool last = false;
	size_t n, k, due = s->pipelining ? CHUNKS_DUE : 0;

	if (before_data(s, t, e) != 0)
		return -1;
	while (!last && !s->cut && s->usable) {
		if (body_fill(b, CHUNK + 1, e) != 0)
			return -1;
		n = b->b.n - b->at;
		last = b->eof && n <= CHUNK;
		if (n > CHUNK)
			n = CHUNK;
		buf_clear(&s->out);
		buf_fmt(&s->out, "BDAT %zu%s\r\n", n, last ? " LAST" : "");
		t->end_sent = tx_put(s, buf_view(&s->out)) && last && n == 0;
		t->put++;
		if (!last) {
			t->chunks++;
			t->step = TX_CHUNK;
		}
		for (k = n; k > 0; k -= piece.n) {
			piece = body_view(b, k < PIECE ? k : PIECE);
			t->end_sent = tx_put_body(s, piece) && last &&
				      piece.n == k;
			body_take(b, piece.n);
		}
		t->end_sent = tx_flush(s) && t->end_sent;
		while (!last && t->put > 0 &&
		       (t->put > due || net_pending(s->c)))
			if (tx_read(s, t) != 0)
				return 0;
		/* A refused chunk: the rest would be refused as well. */
		if (t->final.code != 0)
			break;
	}
	sys_point("smtp-data-sent");
	if (finish(s, t))
		t->step = TX_DONE;
	return 0;
}

/*
 * The server answered before the dot.  Whatever it said, the message is not
 * in its hands, and where the data would go on nobody knows.
 */
static void early_reply(struct smtp *s, struct tx *t)
{
	s->usable = false;
	if (t->final.code / 100 == 2) {
		err_set(&s->le, COI_E_PROTOCOL,
			"the server took the message before its end");
		t->final = (struct answer){0};
		t->step = TX_FINAL;
	}
}

static int dotted(struct smtp *s, struct tx *t, struct coi_err *e)
{
	struct body *b = &s->body;
	struct stuff st = {0};
	struct str piece;
	bool early = false;

	if (before_data(s, t, e) != 0)
		return -1;
	while (!s->cut && !early) {
		if (body_fill(b, PIECE, e) != 0)
			return -1;
		piece = body_view(b, PIECE);
		if (piece.n == 0)
			break;
		buf_clear(&s->out);
		stuff_add(&st, piece, &s->out);
		body_take(b, piece.n);
		tx_put_body(s, buf_view(&s->out));
		/* An answer in the middle can only be a refusal. */
		early = net_pending(s->c);
	}
	t->put++;
	if (!early) {
		buf_clear(&s->out);
		stuff_end(&st, &s->out);
		t->end_sent = tx_put(s, buf_view(&s->out)) && tx_flush(s);
	}
	sys_point("smtp-data-sent");
	finish(s, t);
	if (early)
		early_reply(s, t);
	return 0;
}

/* Envelope first, data when somebody is there to get it. */
static int alone(struct smtp *s, struct tx *t, struct coi_err *e)
{
	t->data = !s->chunking;
	if (tx_envelope(s, t, true) != 0)
		return tx_settle(s, t, e);
	if (t->data && !s->pipelining && t->accepted > 0) {
		tx_put(s, STR("DATA\r\n"));
		tx_flush(s);
		t->put++;
		if (!finish(s, t))
			return tx_settle(s, t, e);
	}
	if (t->accepted > 0 && t->mail.code / 100 == 2) {
		if (t->step == TX_FINAL &&
		    (t->data ? dotted(s, t, e) : chunks(s, t, e)) != 0)
			return give_up(s, t, e);
	} else if (t->go && s->o.lmtp) {
		/* How many replies a dot would get is anybody's guess. */
		s->usable = false;
	} else if (t->go) {
		/* RFC 2920 3.1: DATA went through without a recipient. */
		t->empty = true;
		t->put++;
		tx_put(s, STR(".\r\n"));
		tx_flush(s);
		finish(s, t);
	}
	return tx_settle(s, t, e);
}

static int ready(struct smtp *s, struct coi_err *e)
{
	if (!s->usable) {
		err_set(e, COI_E_TEMP,
			"the connection cannot be used any "
			"more");
		return smtp_failed(s, "mail", e);
	}
	return smtp_quiet(s, "mail", e);
}

int smtp_send(struct smtp *s, struct arena *a, struct smtp_msg *m,
	      struct coi_err *e)
{
	struct tx t;

	tx_init(s, &t, a, m);
	if (smtp_check(m, e) != 0 || ready(s, e) != 0)
		return -1;
	switch (begin(s, &t, e)) {
	case LOCAL:
		return 0;
	case FAILED:
		return -1;
	case ALONE:
		return alone(s, &t, e);
	case FLOWN:
		break;
	}
	t.end_sent = tx_flush(s) && t.end_sent;
	sys_point("smtp-data-sent");
	finish(s, &t);
	return tx_settle(s, &t, e);
}

/* What may not be sent is refused here and does not stop its neighbours. */
static bool bad_data(struct arena *a, struct smtp_msg *m)
{
	struct coi_err le = {0};
	size_t i;

	if (smtp_check(m, &le) == 0)
		return false;
	m->state = SMTP_REFUSED;
	m->reply = arena_fmt(a, "not sent: %s", le.msg);
	for (i = 0; i < m->nrcpts; i++) {
		m->rcpts[i].state = SMTP_REFUSED;
		m->rcpts[i].reply = m->reply;
	}
	return true;
}

struct run {
	struct smtp *s;
	struct arena *a;
	struct smtp_msg *v;
	size_t n, head, tail; /* v[head..tail) are in flight */
	unsigned window;
	struct tx *ring;
	bool alone; /* v[tail] was begun and waits for the window to empty */
	bool stop;  /* take no more: *e is set, or the link is going */
	void (*done)(void *ctx, struct smtp_msg *m);
	void *ctx;
};

static void result(struct run *r)
{
	if (r->done != NULL)
		r->done(r->ctx, &r->v[r->head]);
	r->head++;
}

/* Fills the window, up to one that must go alone. */
static void fill(struct run *r, struct coi_err *e)
{
	struct tx *t;

	while (!r->stop && !r->alone && r->s->usable && r->s->grace == 0 &&
	       r->tail < r->n && r->tail - r->head < r->window) {
		t = &r->ring[r->tail % r->window];
		tx_init(r->s, t, r->a, &r->v[r->tail]);
		if (bad_data(r->a, t->m)) {
			t->local = true;
			t->step = TX_DONE;
			r->tail++;
			continue;
		}
		if (r->head == r->tail && ready(r->s, e) != 0) {
			r->stop = true;
			break;
		}
		switch (begin(r->s, t, e)) {
		case LOCAL:
		case FLOWN:
			r->tail++;
			break;
		case ALONE:
			r->alone = true;
			break;
		case FAILED:
			r->stop = true;
			break;
		}
	}
}

/* The link is gone: what is left in flight has no result. */
static void abandon(struct run *r, bool bye)
{
	struct coi_err le = {0};
	size_t i;

	for (i = r->head + 1; i < r->tail; i++) {
		struct tx *t = &r->ring[i % r->window];

		/* Behind a 421 and the end nothing was looked at. */
		if (t->local || (bye && r->s->le.code == COI_E_UNAVAILABLE)) {
			unsent(t->m);
			continue;
		}
		tx_settle(r->s, t, &le);
		err_clear(&le);
	}
}

static int run(struct run *r, struct coi_err *e)
{
	struct smtp *s = r->s;
	struct tx *t;
	bool bye = false;

	while (r->head < r->n) {
		fill(r, e);
		if (r->head == r->tail && !r->alone)
			break;
		if (r->head == r->tail) {
			t = &r->ring[r->tail++ % r->window];
			r->alone = false;
			if (alone(s, t, e) != 0)
				break;
			result(r);
			continue;
		}
		if (!s->cut && !tx_flush(s))
			/* The last one's end stood at the end of it. */
			r->ring[(r->tail - 1) % r->window].end_sent = false;
		t = &r->ring[r->head % r->window];
		finish(s, t);
		if (t->bye.code != 0)
			bye = true;
		if (!t->local && bye && t->bye.code == 0 && t->put > 0 &&
		    s->le.code == COI_E_UNAVAILABLE) {
			unsent(t->m);
			abandon(r, bye);
			break;
		}
		if (tx_settle(s, t, e) != 0) {
			abandon(r, bye);
			break;
		}
		result(r);
	}
	if (r->head == r->n)
		return 0;
	if (s->grace != 0)
		err_set(e, COI_E_CANCELLED, "interrupted");
	err_set(e, COI_E_TEMP, "the server ends the connection");
	return smtp_failed(s, "mail", e);
}

int smtp_send_all(struct smtp *s, struct arena *a, struct smtp_msg *v, size_t n,
		  void (*done)(void *ctx, struct smtp_msg *m), void *ctx,
		  size_t *finished, struct coi_err *e)
{
	struct run r = {
	    .s = s, .a = a, .v = v, .n = n, .done = done, .ctx = ctx};
	size_t i;
	int rc;

	r.window = s->o.window > 1 && s->pipelining && s->chunking && !s->o.lmtp
		       ? s->o.window
		       : 1;
	if (r.window > n)
		r.window = n > 0 ? (unsigned)n : 1;
	for (i = 0; i < n; i++)
		unsent(&v[i]);
	r.ring = mem_array(r.window, sizeof(*r.ring));
	rc = run(&r, e);
	free(r.ring);
	if (finished != NULL)
		*finished = r.head;
	return rc;
}
