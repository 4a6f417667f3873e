/* The outbox of an account: answers leave in a task of their own. */
#include <stdlib.h>

#include "coi/handler_priv.h"
#include "core/sys.h"

#define FIRST_MS 15000	/* after a failure; grows */
#define HOLD_MS 300000	/* what the server put off */
#define LINGER_MS 20000 /* a connection without work */
#define COPIES_MS 2000	/* copies to Sent wait for a pause */

struct held {
	char *id;
	int64_t until;
};

struct post {
	struct source *s;
	struct send_opts o;
	struct sender *sender;
	int64_t used;	/* the last time */
	int64_t copies; /* the last time that any may be wanted; 0: none */
};

/* --- what came of it -------------------------------------------------------
 */

static void hold(struct source *s, struct str id)
{
	s->held = mem_more(s->held, s->nheld, &s->held_cap, sizeof(*s->held));
	s->held[s->nheld++] = (struct held){mem_dup(id),
					    sys_mono_ms() + HOLD_MS};
}

/* The next time one of them may be tried, or 0. */
static int64_t release(struct source *s, int64_t now)
{
	int64_t next = 0;
	size_t i, n = 0;

	for (i = 0; i < s->nheld; i++) {
		if (s->held[i].until <= now) {
			free(s->held[i].id);
			continue;
		}
		if (next == 0 || s->held[i].until < next)
			next = s->held[i].until;
		s->held[n++] = s->held[i];
	}
	s->nheld = n;
	return next;
}

static bool is_held(void *ctx, const struct store_out *o)
{
	struct post *p = ctx;
	size_t i;

	for (i = 0; i < p->s->nheld; i++)
		if (str_is(o->id, p->s->held[i].id))
			return true;
	return false;
}

static int on_result(void *ctx, const struct send_result *r, struct coi_err *e)
{
	struct post *p = ctx;
	struct handler *h = p->s->h;
	bool put_off = false;
	size_t i;

	if (r->outcome == SEND_ACCEPTED || r->outcome == SEND_PARTIAL)
		h->stats.answers++;
	for (i = 0; i < r->nrcpts; i++) {
		const struct send_rcpt *x = &r->rcpts[i];

		if (x->state == SEND_QUEUED && x->code > 0)
			put_off = true;
		if (x->state != SEND_REFUSED && x->state != SEND_UNKNOWN)
			continue;
		handler_warn(h, "%.*s to %.*s: %s%s%.*s%s", STR_ARG(r->id),
			     STR_ARG(x->email), send_word(x->state),
			     x->reply.n > 0 ? ": " : "", STR_ARG(x->reply),
			     x->state == SEND_UNKNOWN
				 ? "; it may have arrived: coi-send "
				   "--retry-unknown sends it again"
				 : "");
	}
	if (put_off)
		hold(p->s, r->id);
	return 0;
}

static void on_warn(void *ctx, const char *text, bool expected)
{
	struct post *p = ctx;

	if (!expected)
		handler_warn(p->s->h, "%s", text);
}

/* An earlier run was killed while an answer left. */
static void tell_unknown(struct source *s, struct store *st)
{
	struct arena *a = arena_new();
	struct coi_err ignored = {0};
	struct store_out *v;
	size_t n = 0, i, k = 0;

	s->told = true;
	if (store_out_list(st, a, STORE_UNKNOWN, false, &v, &n, &ignored) == 0)
		for (i = 0; i < n; i++)
			k += str_starts(v[i].key, "exec:");
	if (k > 0)
		handler_warn(s->h,
			     "%zu %s of unknown outcome: coi-send --queue-list "
			     "shows, coi-send --retry-unknown sends again",
			     k, k == 1 ? "answer is" : "answers are");
	arena_free(a);
}

/* --- the task --------------------------------------------------------------
 */

static void send_now(struct post *p)
{
	struct source *s = p->s;
	struct coi_err e = {0};
	struct store *st = source_store(s, &e);
	int rc = -1;

	s->post_now = false;
	release(s, sys_mono_ms());
	if (st != NULL) {
		if (p->sender == NULL)
			p->sender = sender_new(s->account, s->net, st, &p->o);
		if (!s->told)
			tell_unknown(s, st);
		s->posting = true;
		rc = sender_outbox(p->sender, false, STR_NONE, &e);
		s->posting = false;
	}
	p->used = sys_mono_ms();
	if (rc == 0) {
		s->post_failed = 0;
		p->copies = p->used;
		s->post_at = release(s, p->used);
		return;
	}
	if (s->post_failed++ == 0 && e.code != COI_E_CANCELLED)
		handler_warn(s->h, "answers wait in the outbox: %s%s%s", e.msg,
			     e.reply[0] != '\0' ? ": " : "", e.reply);
	s->post_at = p->used + handler_backoff(FIRST_MS, s->post_failed);
}

static bool due(const struct source *s, int64_t now)
{
	if (s->post_at != 0 && now >= s->post_at)
		return true;
	return s->post_now && s->post_failed == 0;
}

static void sooner(int64_t *t, int64_t when)
{
	if (*t == 0 || when < *t)
		*t = when;
}

static void post_run(void *arg)
{
	struct source *s = arg;
	struct handler *h = s->h;
	struct post p = {.s = s};
	struct coi_err ignored = {0};

	p.o = (struct send_opts){
	    .result = on_result, .warn = on_warn, .hold = is_held, .ctx = &p};
	for (;;) {
		int64_t now = sys_mono_ms(), next = 0;

		if (due(s, now) && (!h->stopping || now < h->kill_at)) {
			send_now(&p);
			continue;
		}
		if (h->stopping)
			break;
		if (p.copies != 0) {
			next = p.copies + COPIES_MS;
			if (now >= next) {
				p.copies = 0;
				sender_copies(p.sender, &ignored);
				continue;
			}
		}
		if (p.sender != NULL) {
			sooner(&next, p.used + LINGER_MS);
			if (p.copies == 0 && now >= p.used + LINGER_MS) {
				sender_free(p.sender);
				p.sender = NULL;
				continue;
			}
		}
		if (s->post_at != 0)
			sooner(&next, s->post_at);
		if (next == 0)
			break;
		task_sleep(next > now ? (int)(next - now) : 0);
	}
	if (p.copies != 0 && sys_mono_ms() < h->kill_at)
		sender_copies(p.sender, &ignored);
	sender_free(p.sender);
	s->post = NULL;
	source_rest(s);
	h->tasks--;
}

void post_wake(struct source *s)
{
	s->post_now = true;
	if (s->post != NULL) {
		task_wake(s->post);
		return;
	}
	s->post = task_start(post_run, s);
	if (s->post != NULL)
		s->h->tasks++;
}

bool post_idle(const struct source *s)
{
	return s->post == NULL ||
	       (!s->posting && (!s->post_now || s->post_failed > 0));
}

void post_free(struct source *s)
{
	while (s->nheld > 0)
		free(s->held[--s->nheld].id);
	free(s->held);
}
