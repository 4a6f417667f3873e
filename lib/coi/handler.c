/* Messages in, conversations in order, a few of them running. */
#include "coi/handler.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "coi/handler_job.h"
#include "coi/handler_priv.h"
#include "core/sys.h"
#include "kind/kind.h"

#define STEP_MS 5 /* where nobody wakes us */

void handler_warn(struct handler *h, const char *fmt, ...)
{
	struct buf raw = {0}, b = {0};
	va_list ap;

	if (h->o.warn == NULL)
		return;
	va_start(ap, fmt);
	buf_vfmt(&raw, fmt, ap);
	va_end(ap);
	buf_clean(&b, buf_view(&raw));
	h->o.warn(h->o.ctx, buf_cstr(&b));
	buf_free(&raw);
	buf_free(&b);
}

int handler_backoff(int first_ms, unsigned failures)
{
	int64_t ms = first_ms;
	uint32_t r;

	while (failures-- > 1 && ms < BACKOFF_MAX)
		ms *= 4;
	if (ms > BACKOFF_MAX)
		ms = BACKOFF_MAX;
	sys_random(&r, sizeof(r));
	return (int)(ms - ms / 5 + (int64_t)(r % 1000) * (ms / 5) / 1000);
}

/* --- accounts --------------------------------------------------------------
 */

static struct source *source_of(struct handler *h,
				const struct handler_account *f, bool add)
{
	struct source *s;

	for (s = h->sources; s != NULL; s = s->next)
		if (strcmp(s->account->state_path, f->account->state_path) ==
			0 &&
		    strcmp(s->consumer, f->consumer) == 0) {
			s->account = f->account; /* read anew, perhaps */
			return s;
		}
	if (!add)
		return NULL;
	s = mem_alloc(sizeof(*s));
	s->h = h;
	s->account = f->account;
	s->net = f->net;
	s->consumer = mem_dup(str_of(f->consumer));
	s->recent = mem_array(RECENT_MAX, sizeof(*s->recent));
	s->next = h->sources;
	h->sources = s;
	return s;
}

struct store *source_store(struct source *s, struct coi_err *e)
{
	if (s->store == NULL)
		s->store = store_open(s->account->state_path, e);
	return s->store;
}

void source_rest(struct source *s)
{
	if (s->njobs > 0 || s->post != NULL)
		return;
	store_close(s->store);
	s->store = NULL;
}

static void source_free(struct source *s)
{
	store_close(s->store);
	post_free(s);
	free(s->consumer);
	free(s->recent);
	free(s);
}

/* --- a message -------------------------------------------------------------
 */

static void sum(EVP_MD_CTX *c, struct str v)
{
	unsigned char n[4] = {(unsigned char)v.n, (unsigned char)(v.n >> 8),
			      (unsigned char)(v.n >> 16),
			      (unsigned char)(v.n >> 24)};

	EVP_DigestUpdate(c, n, sizeof(n));
	if (v.n > 0)
		EVP_DigestUpdate(c, v.p, v.n);
}

/* What stays the same however and wherever it is read. */
static void identify(const struct message *m, unsigned char out[32])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	char date[32];
	size_t i;

	EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	sum(c, m->id);
	sum(c, m->from.email);
	snprintf(date, sizeof(date), "%lld", (long long)m->sent_at);
	sum(c, str_of(date));
	sum(c, m->text);
	sum(c, m->html);
	sum(c, m->markdown);
	for (i = 0; i < m->nattachments; i++) {
		sum(c, m->attachments[i].type);
		sum(c, m->attachments[i].name);
	}
	EVP_DigestFinal_ex(c, out, NULL);
	EVP_MD_CTX_free(c);
}

static char *dup_or_null(struct str s)
{
	return s.p == NULL ? NULL : mem_dup(s);
}

static struct job *job_new(struct source *s, const struct message *m,
			   struct str line)
{
	struct job *j = mem_alloc(sizeof(*j));
	struct str conv = m->meta.conversation;

	j->src = s;
	identify(m, j->identity);
	j->id = mem_dup(m->id.p == NULL ? STR("") : m->id);
	j->mailbox = dup_or_null(m->imap.mailbox);
	j->uid = m->imap.uid;
	j->uid_validity = m->imap.uid_validity;
	j->from = dup_or_null(m->from.email);
	j->group = dup_or_null(m->group_id);
	j->kind = mem_dup(str_of(m->kind == NULL ? "message" : m->kind->name));
	j->conversation = mem_dup(conv.n > 0		? conv
				  : m->from.email.n > 0 ? m->from.email
							: str_of(j->id));
	j->automatic = m->meta.auto_submitted.n > 0 || m->meta.from_me;
	buf_str(&j->line, line);
	return j;
}

void job_free(struct job *j)
{
	free(j->id);
	free(j->mailbox);
	free(j->from);
	free(j->group);
	free(j->kind);
	free(j->conversation);
	buf_free(&j->line);
	free(j);
}

/* --- taking ----------------------------------------------------------------
 */

static bool same(const struct job *a, const struct job *b)
{
	if (a->dead_row != 0 || b->dead_row != 0)
		return a->dead_row == b->dead_row;
	if (a->uid == b->uid && a->uid_validity == b->uid_validity &&
	    a->mailbox != NULL && b->mailbox != NULL &&
	    strcmp(a->mailbox, b->mailbox) == 0)
		return true;
	return memcmp(a->identity, b->identity, sizeof(a->identity)) == 0;
}

static bool is_there(const struct handler *h, const struct job *j)
{
	const struct conv *c;
	const struct job *k;

	for (c = h->convs; c != NULL; c = c->next)
		for (k = c->first; c->src == j->src && k != NULL; k = k->next)
			if (same(k, j))
				return true;
	return false;
}

static bool is_recent(const struct job *j)
{
	const struct source *s = j->src;
	size_t i, n = s->nrecent < RECENT_MAX ? s->nrecent : RECENT_MAX;

	for (i = 0; i < n; i++)
		if (memcmp(s->recent[i], j->identity, sizeof(j->identity)) == 0)
			return true;
	return false;
}

static bool stopped(const struct handler *h)
{
	return h->stopping || (h->o.stopped != NULL && h->o.stopped());
}

/* It has more than its share. */
static bool is_long(const struct conv *c, size_t more)
{
	return c->n > 0 && (c->n >= CONV_MAX || c->octets + more > CONV_OCTETS);
}

/* And others have waited for it long enough.  What is not taken is read again:
 * so not much less than there is memory for. */
static bool too_long(const struct conv *c, size_t more)
{
	if (c->full || !is_long(c, more))
		return c->full;
	return c->failures > 0 ||
	       (c->held_ms >= CONV_HOLD_MS &&
		(c->n >= CONV_MOST || c->octets + more > CONV_OCTETS));
}

/* Nobody is free to begin with another one. */
static bool crowded(const struct handler *h, const struct load *l, size_t more)
{
	if (l->ready == 0)
		return false;
	return l->ready_octets + more > WAIT_OCTETS ||
	       (l->ready >= WAIT_MAX && h->workers >= h->o.jobs);
}

/* 0, 1: no room behind the others of its conversation, -1. */
static int room_for(struct handler *h, const struct job *j, struct coi_err *e)
{
	for (;;) {
		struct conv *c = conv_of(h, j->src, j->conversation);
		struct load l = load_of(h);
		bool held = c != NULL && is_long(c, j->line.n) &&
			    c->held_ms < CONV_HOLD_MS;

		if (c != NULL ? too_long(c, j->line.n) : j->src->overflow)
			return 1;
		if (l.all > 0 && (l.all >= JOBS_MAX ||
				  l.all_octets + j->line.n > JOBS_OCTETS))
			return 1;
		if (!held && !crowded(h, &l, j->line.n))
			return 0;
		if (stopped(h))
			return err_set(e, COI_E_CANCELLED, "stopped");
		if (held)
			c->held_ms += STEP_MS;
		task_poll_deaf(NULL, 0, STEP_MS);
	}
}

int handler_take(struct handler *h, const struct handler_account *from,
		 const struct message *m, struct str line, struct coi_err *e)
{
	struct source *s = source_of(h, from, true);
	struct job *j = job_new(s, m, line);
	struct conv *c;
	int rc = 0;

	if (is_recent(j)) {
		rc = job_forget(j, e);
		goto drop;
	}
	if (is_there(h, j))
		goto drop;
	rc = room_for(h, j, e);
	if (rc != 0)
		goto drop;
	/* Another reader may have been here while we waited. */
	if (is_there(h, j))
		goto drop;
	queue_add(h, j);
	return 0;
drop:
	if (rc == 1) {
		c = conv_of(h, s, j->conversation);
		if (c != NULL)
			c->full = true;
		else
			s->overflow = true;
	}
	job_free(j);
	return rc;
}

bool handler_missed(struct handler *h, const struct handler_account *from)
{
	struct source *s = source_of(h, from, false);
	struct load l = load_of(h);

	return s != NULL && l.all <= JOBS_MAX / 2 &&
	       l.all_octets <= JOBS_OCTETS / 2 && queue_missed(h, s);
}

/* --- what was put back -----------------------------------------------------
 */

static void put_back(struct handler *h, struct source *s,
		     const struct store_dead *d)
{
	struct arena *a = arena_new();
	struct coi_err ignored = {0};
	struct message m;
	struct job *j;

	/* One that cannot be read is still for its handler to see. */
	if (message_read_json(a, str_trim(d->line), &m, &ignored) < 0)
		message_init(&m);
	m.id = d->id;
	m.meta.conversation = d->conversation;
	j = job_new(s, &m, d->line);
	j->dead_row = d->row;
	j->automatic = d->automatic;
	/* Somebody asks for it: no loop. */
	j->allowed = true;
	if (is_there(h, j))
		job_free(j);
	else
		queue_add(h, j);
	arena_free(a);
}

int handler_look(struct handler *h, const struct handler_account *from,
		 struct coi_err *e)
{
	struct source *s = source_of(h, from, true);
	struct arena *a;
	struct store_dead *v;
	struct store *st;
	size_t n, i;
	int rc;

	st = source_store(s, e);
	if (st == NULL)
		return -1;
	a = arena_new();
	rc = store_dead_list(st, a, s->consumer, true, &v, &n, e);
	for (i = 0; rc == 0 && i < n && s->njobs < JOBS_MAX; i++)
		put_back(h, s, &v[i]);
	arena_free(a);
	queue_pump(h);
	if (h->o.reply)
		post_wake(s);
	source_rest(s);
	return rc;
}

/* --- beginning and end -----------------------------------------------------
 */

struct handler *handler_new(const struct handler_opts *o, struct coi_err *e)
{
	struct handler *h;

	if (o->command == NULL || str_trim(str_of(o->command)).n == 0 ||
	    o->jobs == 0 || o->tries == 0 || o->timeout_ms <= 0) {
		err_set(e, COI_E_USAGE, "no command for the handler");
		return NULL;
	}
	h = mem_alloc(sizeof(*h));
	h->o = *o;
	if (h->o.retry_ms <= 0)
		h->o.retry_ms = 1000;
	h->ready_tail = &h->ready;
	return h;
}

int handler_check(const struct handler *h, const struct account *ac,
		  struct coi_err *e)
{
	return h->o.reply ? answers_possible(ac, e) : 0;
}

static bool busy(const struct handler *h, bool retries)
{
	const struct source *s;
	const struct conv *c;

	for (s = h->sources; s != NULL; s = s->next)
		if (!post_idle(s))
			return true;
	for (c = h->convs; c != NULL; c = c->next)
		if (c->state != CONV_EMPTY &&
		    (retries || c->state != CONV_WAITING))
			return true;
	return false;
}

bool handler_idle(struct handler *h, bool retries, int64_t until)
{
	for (;;) {
		if (!busy(h, retries))
			return true;
		if (sys_mono_ms() >= until || stopped(h))
			return false;
		task_poll_deaf(NULL, 0, STEP_MS);
	}
}

static void wake_all(struct handler *h)
{
	struct source *s;
	struct run *r;

	for (r = h->runs; r != NULL; r = r->next)
		task_wake(r->task);
	for (s = h->sources; s != NULL; s = s->next)
		if (s->post != NULL)
			task_wake(s->post);
	if (h->timer != NULL)
		task_wake(h->timer);
}

void handler_stop(struct handler *h, int grace_ms)
{
	if (h->stopping)
		return;
	h->stopping = true;
	h->kill_at = sys_mono_ms() + grace_ms;
	wake_all(h);
}

void handler_end(struct handler *h, int grace_ms)
{
	handler_stop(h, grace_ms);
	while (h->tasks > 0)
		task_poll_deaf(NULL, 0, STEP_MS);
}

void handler_free(struct handler *h, int grace_ms)
{
	struct source *s;

	if (h == NULL)
		return;
	handler_end(h, grace_ms);
	queue_clear(h);
	while ((s = h->sources) != NULL) {
		h->sources = s->next;
		source_free(s);
	}
	free(h->quiet);
	free(h);
}

struct handler_stats handler_stats(const struct handler *h)
{
	struct handler_stats s = h->stats;
	struct load l = load_of(h);

	s.waiting = (unsigned)(l.all - (l.all < s.running ? l.all : s.running));
	return s;
}
