/* The task of one account: connect, catch up, wait, and again. */
#include <unistd.h>

#include "coi/watch_priv.h"
#include "core/sys.h"

#define STEADY_MS 10000 /* a connection that lived so long was good */

bool watching_leaves(const struct watching *a)
{
	return a->w->stopping || a->next_ac != NULL || a->again;
}

static bool is_me(const void *ctx, struct str email)
{
	return account_is_me(ctx, email);
}

static void prepare(struct watching *a)
{
	const struct watch_opts *o = &a->w->o;

	a->decode = o->decode;
	a->decode.is_me = is_me;
	a->decode.is_me_ctx = a->ac;
	if (!o->max_size_given)
		a->decode.max_size = a->ac->max_size;
	a->fetch = o->fetch;
	a->fetch.decode = &a->decode;
	a->fetch.account = a->ac->section;
}

/* Another reading of the configuration takes the place of the account. */
static void swap(struct watching *a)
{
	if (a->next_ac == NULL)
		return;
	if (strcmp(a->ac->state_path, a->next_ac->state_path) != 0) {
		watching_store_close(a);
		if (a->lease >= 0)
			close(a->lease);
		a->lease = -1;
		a->nboxes = 0;
	}
	watching_retire(a, a->ac);
	a->ac = a->next_ac;
	a->next_ac = NULL;
	a->ever = false; /* what is wrong now is wrong in the file */
	a->attempt = a->refusals = 0;
}

void watching_store_close(struct watching *a)
{
	if (a->st == NULL)
		return;
	store_close(a->st);
	a->st = NULL;
	a->w->open--;
}

/* Each takes some 150 kB and three descriptors. */
static void make_room(struct watch *w)
{
	struct watching *a, *oldest;

	while (w->open >= STORES_MAX) {
		oldest = NULL;
		for (a = w->all; a != NULL; a = a->next)
			if (a->st != NULL && a->waits && a->filter == NULL &&
			    (oldest == NULL || a->st_used < oldest->st_used))
				oldest = a;
		if (oldest == NULL)
			return;
		watching_store_close(oldest);
	}
}

int watching_store(struct watching *a, struct coi_err *e)
{
	const char *consumer = a->w->o.fetch.consumer;

	a->st_used = sys_mono_ms();
	if (a->st != NULL)
		return 0;
	make_room(a->w);
	a->st = store_open(a->ac->state_path, e);
	if (a->st == NULL)
		return -1;
	a->w->open++;
	if (a->run == 0)
		a->run = store_run(a->st);
	store_run_set(a->st, a->run);
	if (a->lease < 0 &&
	    store_lease_keep(a->st, consumer, &a->lease, e) < 0) {
		/* Another process watches it: that will last. */
		e->lasting = true;
		return -1;
	}
	return 0;
}

/* A password may have been changed where it comes from: then once more. */
static int log_in(struct watching *a, struct coi_err *e)
{
	struct coi_err le = {0};

	if (line_open(&a->lines[0], a, e) == 0) {
		a->refusals = 0;
		return 0;
	}
	if (e->code != COI_E_AUTH)
		return -1;
	a->refusals++;
	if (watching_leaves(a) || account_secrets(a->ac, true, &le) < 0 ||
	    !a->ac->secrets_new)
		return -1;
	err_clear(e);
	if (line_open(&a->lines[0], a, e) < 0)
		return -1;
	a->refusals = 0;
	return 0;
}

int watching_checked(struct watching *a, struct coi_err *e)
{
	const struct watch_opts *o = &a->w->o;

	if (o->checked == NULL || o->checked(o->ctx, a->ac, e) == 0)
		return 0;
	e->lasting = e->code == COI_E_CONFIG || e->code == COI_E_NOKEY;
	return -1;
}

static int session(struct watching *a, struct coi_err *e)
{
	a->nlines = 1;
	a->again = false;
	if (watching_checked(a, e) < 0 || filtering_new(a, e) < 0 ||
	    watching_catch_up(a, e) < 0 || filtering_apply(a, e) < 0)
		return -1;
	if (a->w->o.once && a->result.printed > 0) {
		watch_stop(a->w);
		return 0;
	}
	if (lines_spread(a, e) < 0)
		return -1;
	a->since = sys_mono_ms();
	a->connected = true;
	if (a->attempt > 0) {
		a->w->stats.reconnects++;
		watching_say(a, WATCH_RECONNECTED,
			     (struct watch_event){.attempt = a->attempt});
	}
	a->ever = true;
	return watching_wait(a, e);
}

static void hang_up(struct watching *a)
{
	size_t i;

	filtering_end(a);
	for (i = 0; i < a->nlines || i == 0; i++)
		line_close(&a->lines[i]);
	a->nlines = 0;
	a->connected = false;
	for (i = 0; i < a->nboxes; i++)
		a->boxes[i]->line = NULL;
}

static void give_up(struct watching *a, const struct coi_err *e)
{
	struct watch *w = a->w;

	if (w->error.code == COI_OK)
		w->error = *e;
	w->failed++;
	watching_say(a, WATCH_STOPPED, (struct watch_event){.why = e});
}

/* Waits until the next attempt; earlier when told to look. */
static void pause_before(struct watching *a, const struct coi_err *e)
{
	struct watch_event ev = {.why = e};
	int64_t until, now;
	uint32_t random;

	if (a->since != 0 && sys_mono_ms() - a->since > STEADY_MS)
		a->attempt = 0;
	a->since = 0;
	ev.attempt = ++a->attempt;
	sys_random(&random, sizeof(random));
	ev.retry_ms = watch_backoff(e, a->attempt, a->w->o.retry_ms, random);
	watching_say(a, WATCH_LOST, ev);
	until = sys_mono_ms() + ev.retry_ms;
	a->look = false;
	while (!watching_leaves(a) && !a->look && (now = sys_mono_ms()) < until)
		task_sleep((int)(until - now));
}

/* True when the account is to be tried again. */
static bool once_more(struct watching *a, struct coi_err *e, bool in)
{
	enum watch_fate fate;

	if (e->code == COI_OK)
		return !a->w->stopping;
	fate = watch_fate(e, in, a->ever, a->attempt + 1, a->refusals);
	if (fate == WATCH_END || a->w->stopping) {
		if (e->code == COI_E_PIPE && a->w->error.code == COI_OK)
			a->w->error = *e;
		if (fate == WATCH_END)
			watch_stop(a->w);
		return false;
	}
	if (fate == WATCH_GIVE_UP) {
		give_up(a, e);
		return false;
	}
	pause_before(a, e);
	return !a->w->stopping;
}

void watching_run(void *arg)
{
	struct watching *a = arg;
	struct watch *w = a->w;
	struct coi_err e;
	bool in;

	do {
		e = (struct coi_err){0};
		swap(a);
		prepare(a);
		in = false;
		if (watching_store(a, &e) == 0 && log_in(a, &e) == 0) {
			in = true;
			(void)session(a, &e);
		}
		hang_up(a);
	} while (once_more(a, &e, in));
	a->heat.until = 0;
	watching_store_close(a);
	a->done = true;
	a->task = NULL;
	if (--w->running == 0 && w->o.ended != NULL)
		w->o.ended(w->o.ctx);
}
