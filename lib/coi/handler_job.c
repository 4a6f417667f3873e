#include "coi/handler_job.h"

#include <stdlib.h>

#include "core/sys.h"

#define TOLD 3600 /* seconds between two warnings of one conversation */

struct quiet {
	uint64_t key;
	int64_t until;
};

/* --- acknowledging ---------------------------------------------------------
 */

static int ack(const struct job *j, struct store *st, struct coi_err *e)
{
	struct source *s = j->src;
	int rc = -1;

	if (j->dead_row != 0)
		return store_dead_done(st, j->dead_row, e);
	if (j->mailbox != NULL) {
		rc = store_ack_uid(st, s->consumer, str_of(j->mailbox),
				   j->uid_validity, j->uid, e);
		if (rc == 0 || e->code != COI_E_NOINPUT)
			return rc;
		err_clear(e);
	}
	/* Renumbered meanwhile, or acknowledged by somebody else. */
	rc = store_ack(st, s->consumer, str_of(j->id), e);
	if (rc < 0 && e->code == COI_E_NOINPUT) {
		err_clear(e);
		rc = 0;
	}
	return rc;
}

int job_forget(const struct job *j, struct coi_err *e)
{
	struct store *st = source_store(j->src, e);

	return st == NULL ? -1 : ack(j, st, e);
}

static void remember(const struct job *j)
{
	struct source *s = j->src;

	memcpy(s->recent[s->nrecent++ % RECENT_MAX], j->identity,
	       sizeof(j->identity));
}

static int record(const struct job *j, struct store *st, struct answers *a,
		  const char *why, size_t *kept, struct coi_err *e)
{
	struct store_dead d = {.id = str_of(j->id),
			       .conversation = str_of(j->conversation),
			       .automatic = j->automatic,
			       .tries = j->tries,
			       .why = str_of(why),
			       .line = buf_view(&j->line)};

	if (why != NULL && j->dead_row != 0)
		return store_dead_again(st, j->dead_row, j->tries, d.why, e);
	if (why != NULL && store_dead_add(st, j->src->consumer, &d, e) < 0)
		return -1;
	if (a != NULL && answers_keep(a, j, st, kept, e) < 0)
		return -1;
	sys_point("handler.recorded");
	return ack(j, st, e);
}

/* Answers, or the dead letter, and the acknowledgement: all or nothing. */
static int finish(const struct job *j, struct answers *a, const char *why,
		  struct coi_err *e)
{
	struct store *st = source_store(j->src, e);
	struct coi_err second = {0};
	size_t kept = 0;

	if (st == NULL || store_begin(st, true, e) < 0)
		return -1;
	if (record(j, st, a, why, &kept, e) < 0) {
		store_end(st, false, &second);
		return -1;
	}
	if (store_end(st, true, e) < 0)
		return -1;
	sys_point("handler.acked");
	remember(j);
	if (kept > 0)
		post_wake(j->src);
	return 0;
}

/* The database is busy or the disk is full: it is all there is to wait for. */
static int finish_at_last(struct handler *h, const struct job *j,
			  struct answers *a, const char *why, struct coi_err *e)
{
	unsigned n = 0;

	while (finish(j, a, why, e) < 0) {
		if (e->code != COI_E_IO && e->code != COI_E_TEMP &&
		    e->code != COI_E_CREATE && e->code != COI_E_OS)
			return -1;
		if (n++ == 0)
			handler_warn(h, "%s waits for the database: %s", j->id,
				     e->msg);
		if (h->stopping)
			return -1;
		task_poll_deaf(NULL, 0, 500);
		err_clear(e);
	}
	return 0;
}

/* --- the loop guard --------------------------------------------------------
 */

static uint64_t key_of(const struct job *j)
{
	uint64_t k = UINT64_C(14695981039346656037);
	const char *p;

	for (p = j->conversation; *p != '\0'; p++)
		k = (k ^ (unsigned char)*p) * UINT64_C(1099511628211);
	return k ^ (uint64_t)(uintptr_t)j->src;
}

static void tell_quiet(struct handler *h, const struct job *j)
{
	uint64_t key = key_of(j);
	int64_t now = sys_now();
	size_t i, n = 0;

	for (i = 0; i < h->nquiet; i++)
		if (h->quiet[i].until > now)
			h->quiet[n++] = h->quiet[i];
	h->nquiet = n;
	for (i = 0; i < n; i++)
		if (h->quiet[i].key == key)
			return;
	h->quiet = mem_more(h->quiet, n, &h->quiet_cap, sizeof(*h->quiet));
	h->quiet[h->nquiet++] = (struct quiet){key, now + TOLD};
	handler_warn(h,
		     "%s: more than %u automatic messages within an hour: no "
		     "handler runs for them (--max-auto)",
		     j->conversation, h->o.max_auto);
}

/* 1: may run, 0: acknowledged without, -1. */
static int guard(struct handler *h, struct job *j, struct store *st,
		 struct coi_err *e)
{
	if (!j->automatic || j->allowed)
		return 1;
	if (store_auto(st, j->src->consumer, str_of(j->conversation),
		       str_of(j->id), h->o.max_auto, &j->allowed, e) < 0)
		return -1;
	if (j->allowed)
		return 1;
	if (finish(j, NULL, NULL, e) < 0)
		return -1;
	h->stats.silenced++;
	tell_quiet(h, j);
	return 0;
}

/* --- tries -----------------------------------------------------------------
 */

static int count(struct job *j, struct store *st, int delta, unsigned *tries,
		 struct coi_err *e)
{
	if (j->dead_row != 0)
		return store_dead_try(st, j->dead_row, delta, tries, e);
	if (j->mailbox == NULL) {
		*tries = 0;
		return 0;
	}
	return store_try(st, j->src->consumer, str_of(j->mailbox),
			 j->uid_validity, j->uid, delta, tries, e);
}

static void uncount(struct job *j)
{
	struct coi_err ignored = {0};
	unsigned tries;

	if (j->tries > 0)
		j->tries--;
	if (j->src->store != NULL)
		count(j, j->src->store, -1, &tries, &ignored);
}

static int bury(struct handler *h, struct job *j, const char *why)
{
	struct coi_err e = {0};

	if (finish_at_last(h, j, NULL, why, &e) < 0) {
		handler_warn(h, "%s: %s", j->id, e.msg);
		return h->stopping ? JOB_STOPPED
				   : handler_backoff(h->o.retry_ms, 9);
	}
	h->stats.dead++;
	handler_warn(h,
		     "%s from %s is a dead letter after %u %s: %s; coi-fetch "
		     "--dead lists them",
		     j->id, j->from == NULL ? "nobody" : j->from, j->tries,
		     j->tries == 1 ? "try" : "tries", why);
	return JOB_OVER;
}

static int again(struct handler *h, const struct job *j, const char *why,
		 unsigned failures)
{
	int wait = handler_backoff(h->o.retry_ms, failures + 1);

	handler_warn(h, "%s from %s: %s; again in %d.%d s", j->id,
		     j->from == NULL ? "nobody" : j->from, why, wait / 1000,
		     wait % 1000 / 100);
	return wait;
}

static int failed(struct handler *h, struct job *j, const char *why,
		  unsigned failures)
{
	h->stats.failures++;
	if (j->tries >= h->o.tries)
		return bury(h, j, why);
	return again(h, j, why, failures);
}

/* It ended with 0. */
static int done(struct handler *h, struct job *j, struct run *r,
		unsigned failures)
{
	struct answers a = {0};
	struct coi_err e = {0};
	int rc = 0;

	if (h->o.reply)
		rc = answers_read(&a, j, buf_view(&r->out), &e);
	if (rc == 0)
		rc = finish_at_last(h, j, h->o.reply ? &a : NULL, NULL, &e);
	answers_free(&a);
	if (rc == 0) {
		h->stats.done++;
		return JOB_OVER;
	}
	if (h->stopping) {
		uncount(j);
		return JOB_STOPPED;
	}
	snprintf(r->why, sizeof(r->why), "%.80s%s%.160s", e.ctx,
		 e.ctx[0] != '\0' ? ": " : "", e.msg);
	return failed(h, j, r->why, failures);
}

/* Counted before it runs: one that ends us is not run for ever. */
static int prepare(struct handler *h, struct job *j, struct coi_err *e)
{
	struct store *st = source_store(j->src, e);
	unsigned tries = 0;
	int rc;

	if (st == NULL)
		return -1;
	rc = guard(h, j, st, e);
	if (rc != 1)
		return rc;
	if (count(j, st, 1, &tries, e) < 0)
		return -1;
	j->tries = tries > j->tries + 1 ? tries : j->tries + 1;
	return 1;
}

int job_do(struct handler *h, struct job *j, unsigned failures)
{
	struct run r = {0};
	struct coi_err e = {0};
	int rc = prepare(h, j, &e);

	if (rc < 0)
		return again(h, j, e.msg, failures);
	if (rc == 0)
		return JOB_OVER;
	if (j->tries > h->o.tries) {
		j->tries--;
		return bury(h, j, "this program ended while its handler ran");
	}
	switch (run_job(h, j, &r)) {
	case RUN_DONE:
		rc = done(h, j, &r, failures);
		break;
	case RUN_LATER:
		uncount(j);
		rc = again(h, j, r.why, failures);
		break;
	case RUN_NEVER:
		rc = bury(h, j, r.why);
		break;
	case RUN_FAILED:
		rc = failed(h, j, r.why, failures);
		break;
	case RUN_STOPPED:
		uncount(j);
		rc = JOB_STOPPED;
		break;
	}
	run_free(&r);
	return rc;
}
