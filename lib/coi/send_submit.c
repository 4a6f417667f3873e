/* A batch: recorded, submitted, judged, each result told in order. */
#include <stddef.h>

#include "coi/send_priv.h"
#include "core/sys.h"

static int before_data(void *ctx, struct coi_err *e)
{
	struct item *it = (struct item *)((char *)ctx -
					  offsetof(struct item, octets));

	sys_point("send.before_data");
	return store_out_data(it->sender->st, it->out.row, e);
}

static enum send_outcome outcome_of(enum smtp_state st)
{
	switch (st) {
	case SMTP_ACCEPTED:
		return SEND_ACCEPTED;
	case SMTP_REFUSED:
		return SEND_REFUSED;
	case SMTP_UNKNOWN:
		return SEND_UNKNOWN;
	case SMTP_UNSENT:
	case SMTP_DEFERRED:
		break;
	}
	return SEND_DEFERRED;
}

static void judge(struct item *it, const struct smtp_msg *x)
{
	size_t i, ok = 0;

	it->judged = true;
	it->outcome = outcome_of(x->state);
	it->why = x->reply;
	for (i = 0; i < it->out.nrcpts; i++) {
		const struct smtp_rcpt *r = &x->rcpts[i];

		it->rcpts[i] = (struct send_rcpt){r->email,
						  outcome_of(r->state), r->code,
						  r->enhanced, r->reply};
		/* What became of the message became of its recipients, but
		 * for those that were refused before. */
		if (it->outcome != SEND_ACCEPTED && r->state != SMTP_REFUSED)
			it->rcpts[i].state = it->outcome;
		if (r->state == SMTP_ACCEPTED)
			ok++;
	}
	if (it->outcome == SEND_ACCEPTED && ok < it->out.nrcpts)
		it->outcome = SEND_PARTIAL;
}

static void settled(struct sender *s, struct item *it)
{
	it->settled = true;
	if (it->spent && it->size > SPOOL_ABOVE)
		spool_remove(s->arena, s->ac, it->out.id);
}

/* The result is recorded before the user hears of it. */
static int settle(struct sender *s, struct item *it, struct coi_err *e)
{
	enum store_state st = STORE_REFUSED;
	struct str *left = arena_alloc(s->arena,
				       (it->out.nrcpts + 1) * sizeof(*left));
	struct str why = it->outcome == SEND_ACCEPTED ? STR_NONE : it->why;
	/* Who repeats a key means those who did not get it yet. */
	bool keep = s->o->queue || it->kept ||
		    (it->outcome == SEND_PARTIAL && it->out.key.n > 0);
	size_t i, nleft = 0;

	if (it->out.row == 0) { /* it never was recorded */
		it->spent = true;
		settled(s, it);
		return 0;
	}
	if (it->outcome == SEND_PARTIAL)
		why = STR_NONE; /* that of those who did not get it */

	for (i = 0; i < it->out.nrcpts; i++)
		if (it->rcpts[i].state == SEND_DEFERRED ||
		    it->rcpts[i].state == SEND_QUEUED) {
			left[nleft++] = it->rcpts[i].email;
			if (keep)
				it->rcpts[i].state = SEND_QUEUED;
			if (why.n == 0)
				why = it->rcpts[i].reply;
		}
	switch (it->outcome) {
	case SEND_ACCEPTED:
	case SEND_PARTIAL:
		st = nleft > 0 && keep ? STORE_QUEUED : STORE_ACCEPTED;
		/* Kept for who asks again under the same key. */
		for (i = 0; st == STORE_ACCEPTED && i < it->out.nrcpts; i++)
			if (it->rcpts[i].state == SEND_REFUSED) {
				left[nleft++] = it->rcpts[i].email;
				if (why.n == 0)
					why = it->rcpts[i].reply;
			}
		if (it->out.sent_copy == 0)
			s->copies = true;
		break;
	case SEND_UNKNOWN:
		st = STORE_UNKNOWN;
		break;
	case SEND_DEFERRED:
		if (!keep) {
			/* Never submitted and not to be kept. */
			it->spent = true;
			if (store_out_drop(s->st, it->out.id, e) < 0)
				return -1;
			settled(s, it);
			return 0;
		}
		st = STORE_QUEUED;
		it->outcome = SEND_QUEUED;
		break;
	case SEND_QUEUED:
		st = STORE_QUEUED;
		break;
	default:
		break;
	}
	it->spent = st == STORE_REFUSED ||
		    (st == STORE_ACCEPTED && it->out.sent_copy == 2);
	if (store_out_result(s->st, it->out.row, st, why, left, nleft, e) < 0)
		return -1;
	sys_point("send.recorded");
	settled(s, it);
	return 0;
}

/* Results leave in input order, each as soon as those before it have. */
static int give_settled(struct sender *s, struct coi_err *e)
{
	while (s->results < s->n) {
		struct item *it = s->batch[s->results];
		struct send_result r = {it->outcome, it->out.id,
					it->input,   it->source,
					it->rcpts,   it->out.nrcpts};

		if (!it->settled)
			return 0;
		s->results++;
		if (s->o->result(s->o->ctx, &r, e) < 0)
			return -1;
	}
	return 0;
}

/* One flight of smtp_send_all(): which item each message is. */
struct flight {
	struct sender *s;
	struct item **items;
	struct smtp_msg *v;
	size_t n;
	struct coi_err *e;
};

static void on_done(void *ctx, struct smtp_msg *m)
{
	struct flight *f = ctx;
	struct item *it = f->items[m - f->v];

	sys_point("send.replied");
	judge(it, m);
	if (settle(f->s, it, f->e) == 0)
		give_settled(f->s, f->e);
}

static void prepare(struct sender *s, struct item *it, struct smtp_msg *x)
{
	size_t i;

	sender_set_rcpts(s, it, SEND_DEFERRED);
	octets_rewind(&it->octets);
	*x = (struct smtp_msg){.from = it->out.from,
			       .nrcpts = it->out.nrcpts,
			       .size = it->size,
			       .eight_bit = it->out.eight_bit,
			       .utf8 = it->out.utf8,
			       .read = octets_read,
			       .before_data = before_data,
			       .ctx = &it->octets};
	x->rcpts = arena_alloc(s->arena, x->nrcpts * sizeof(*x->rcpts));
	for (i = 0; i < x->nrcpts; i++)
		x->rcpts[i].email = it->out.rcpts[i];
}

static int connect_smtp(struct sender *s, struct coi_err *e)
{
	if (s->smtp != NULL && smtp_usable(s->smtp))
		return 0;
	smtp_close(s->smtp);
	s->smtp = account_smtp(s->ac, s->net, e);
	return s->smtp == NULL ? -1 : 0;
}

static int take_rows(struct sender *s, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		struct item *it = s->batch[i];
		int k;

		if (it->settled || it->out.state == STORE_SUBMITTING)
			continue;
		k = store_out_take(s->st, it->out.row, e);
		if (k < 0)
			return -1;
		if (k == 1) { /* another process is at it */
			it->settled = true;
			sender_set_rcpts(s, it, SEND_QUEUED);
		}
	}
	return 0;
}

static size_t gather(struct sender *s, struct flight *f)
{
	size_t i;

	f->n = 0;
	f->items = arena_alloc(s->arena, (s->n + 1) * sizeof(*f->items));
	f->v = arena_alloc(s->arena, (s->n + 1) * sizeof(*f->v));
	for (i = 0; i < s->n; i++) {
		if (s->batch[i]->settled || s->batch[i]->judged)
			continue;
		prepare(s, s->batch[i], &f->v[f->n]);
		f->items[f->n++] = s->batch[i];
	}
	return f->n;
}

/* The link went away: what may have arrived is unknown, never repeated. */
static int settle_unknown(struct flight *f, size_t from,
			  const struct coi_err *lost, bool *any,
			  struct coi_err *e)
{
	size_t i, k;

	for (i = from; i < f->n; i++) {
		struct item *it = f->items[i];

		if (f->v[i].state != SMTP_UNKNOWN)
			continue;
		judge(it, &f->v[i]);
		if (it->why.n == 0)
			it->why = arena_fmt(f->s->arena, "%s: %s", lost->host,
					    lost->msg);
		for (k = 0; k < it->out.nrcpts; k++)
			if (it->rcpts[k].reply.n == 0)
				it->rcpts[k].reply = it->why;
		if (settle(f->s, it, e) < 0)
			return -1;
		*any = true;
	}
	return give_settled(f->s, e);
}

/* Over one connection and, where the server ends it in the middle (a 421
 * after many messages), over the next. */
static int submit(struct sender *s, struct coi_err *e)
{
	struct coi_err local = {0};
	struct flight f = {.s = s, .e = &local};
	struct coi_err before = {0};
	unsigned fruitless = 0;

	while (gather(s, &f) > 0) {
		size_t finished = 0;
		bool progress;

		if (s->o->stopped != NULL && s->o->stopped())
			return err_set(e, COI_E_CANCELLED, "stopped");
		if (connect_smtp(s, e) < 0) {
			/* Why the first try failed says more. */
			if (before.code != COI_OK)
				*e = before;
			return -1;
		}
		smtp_send_all(s->smtp, s->arena, f.v, f.n, on_done, &f,
			      &finished, e);
		if (local.code != COI_OK) {
			*e = local;
			return -1;
		}
		progress = finished > 0;
		if (settle_unknown(&f, finished, e, &progress, &local) < 0) {
			*e = local;
			return -1;
		}
		if (finished == f.n)
			break;
		/* A message of ours that cannot be read is no fault of the
		 * link; and twice the same failure is final. */
		if (e->code == COI_E_CANCELLED || e->code == COI_E_DATA ||
		    e->code == COI_E_IO || e->code == COI_E_INTERNAL ||
		    e->code == COI_E_AUTH || (!progress && fruitless++ > 0))
			return -1;
		if (progress)
			fruitless = 0;
		before = *e;
		err_clear(e);
	}
	return 0;
}

/* What could not go out: kept or given back, with its result all the same. */
static int settle_rest(struct sender *s, const struct coi_err *why,
		       struct coi_err *e)
{
	struct coi_err ignored = {0};
	size_t i, k;
	int rc = 0;

	for (i = 0; i < s->n; i++) {
		struct item *it = s->batch[i];

		if (it->settled)
			continue;
		/* A result that could not be recorded is a result still. */
		if (!it->judged) {
			const char *said = why->reply[0] != '\0' ? why->reply
								 : why->msg;

			it->why = arena_str(s->arena, str_of(said));
			sender_set_rcpts(s, it, SEND_DEFERRED);
			for (k = 0; k < it->out.nrcpts; k++)
				it->rcpts[k].reply = it->why;
		}
		/* One that cannot be recorded keeps no other from its result.
		 * What may be out and is not on record is unknown. */
		if (settle(s, it, e) < 0) {
			if (it->outcome == SEND_ACCEPTED ||
			    it->outcome == SEND_PARTIAL)
				it->outcome = SEND_UNKNOWN;
			it->settled = true;
			rc = -1;
		}
	}
	return give_settled(s, rc < 0 ? &ignored : e) < 0 ? -1 : rc;
}

/* An item of its own fault: told, and the others go on. */
static void fail_item(struct sender *s, struct item *it, struct coi_err *e)
{
	size_t k;

	if (s->bad.code == COI_OK)
		s->bad = *e;
	sender_set_rcpts(s, it, SEND_REFUSED);
	it->why = arena_str(s->arena, str_of(e->msg));
	for (k = 0; k < it->out.nrcpts; k++)
		it->rcpts[k].reply = it->why;
	it->settled = true;
	err_clear(e);
}

static int record_batch(struct sender *s, struct coi_err *e)
{
	size_t i;
	int rc = 0;

	if (store_begin(s->st, true, e) < 0)
		return -1;
	for (i = 0; rc == 0 && i < s->n; i++) {
		struct item *it = s->batch[i];

		if (it->out.row != 0 || it->settled)
			continue;
		it->fresh = true;
		rc = sender_record(s, it, e);
		if (rc < 0 && e->code == COI_E_DATA) {
			fail_item(s, it, e);
			rc = 0;
		}
	}
	if (rc == 0)
		rc = take_rows(s, e);
	if (store_end(s->st, rc == 0, e) < 0)
		rc = -1;
	/* Undone: a row number of ours may soon be somebody else's. */
	for (i = 0; rc < 0 && i < s->n; i++)
		if (s->batch[i]->fresh)
			s->batch[i]->out.row = 0;
	sys_point("send.added");
	return rc;
}

int sender_batch(struct sender *s, struct coi_err *e)
{
	struct coi_err why = {0}, second = {0};
	int rc;

	if (s->n == 0)
		return 0;
	rc = record_batch(s, e);
	if (rc == 0)
		rc = submit(s, e);
	if (rc < 0) {
		why = *e;
		if (settle_rest(s, &why, &second) == 0 && s->o->patient &&
		    (why.code == COI_E_TEMP || why.code == COI_E_UNAVAILABLE)) {
			/* Waiting for better times was asked for. */
			if (s->o->warn != NULL)
				s->o->warn(s->o->ctx, why.msg, true);
			err_clear(e);
			rc = 0;
		}
	} else {
		rc = give_settled(s, e);
	}
	/* A single message of its own fault is the error of the run. */
	if (s->bad.code != COI_OK && rc == 0 && s->n == 1) {
		*e = s->bad;
		rc = -1;
	} else if (s->bad.code != COI_OK && s->o->warn != NULL) {
		s->o->warn(s->o->ctx, s->bad.msg, false);
	}
	err_clear(&s->bad);
	sender_clear(s);
	return rc;
}

int sender_flush(struct sender *s, struct coi_err *e)
{
	struct coi_err ignored = {0};
	int rc = sender_batch(s, e);

	/* Said and done: a record that lags behind changes no outcome. */
	if (store_out_settle(s->st, &ignored) < 0 && s->o->warn != NULL)
		s->o->warn(s->o->ctx, ignored.msg, false);
	return rc;
}
