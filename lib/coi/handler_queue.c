/* Conversations in order, a few of them running: workers and their clock. */
#include <stdlib.h>

#include "coi/handler_job.h"
#include "core/sys.h"

struct conv *conv_of(struct handler *h, const struct source *s, const char *key)
{
	struct conv *c;

	for (c = h->convs; c != NULL; c = c->next)
		if (c->src == s && strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static struct conv *conv_new(struct handler *h, struct source *s,
			     const char *key)
{
	struct conv *c = mem_alloc(sizeof(*c));

	c->src = s;
	c->key = mem_dup(str_of(key));
	c->tail = &c->first;
	c->next = h->convs;
	h->convs = c;
	return c;
}

static void conv_free(struct handler *h, struct conv *c)
{
	struct conv **at = &h->convs;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c->key);
	free(c);
}

static void conv_pop(struct conv *c)
{
	struct job *j = c->first;

	c->first = j->next;
	if (c->first == NULL)
		c->tail = &c->first;
	c->n--;
	c->octets -= j->line.n;
	c->src->njobs--;
	job_free(j);
}

static void worker(void *arg);
static void timer_set(struct handler *h, int64_t at);

void queue_pump(struct handler *h)
{
	if (h->ready == NULL || h->workers >= h->o.jobs)
		return;
	if (task_start(worker, h) == NULL) {
		timer_set(h, sys_mono_ms() + 1000); /* no memory */
		return;
	}
	h->workers++;
	h->tasks++;
}

static void make_ready(struct handler *h, struct conv *c)
{
	c->state = CONV_READY;
	c->ready = NULL;
	*h->ready_tail = c;
	h->ready_tail = &c->ready;
	queue_pump(h);
}

static struct conv *next_ready(struct handler *h)
{
	struct conv *c = h->ready;

	if (c == NULL)
		return NULL;
	h->ready = c->ready;
	if (h->ready == NULL)
		h->ready_tail = &h->ready;
	return c;
}

static void worker(void *arg)
{
	struct handler *h = arg;
	struct conv *c;

	while (!h->stopping && (c = next_ready(h)) != NULL) {
		int wait;

		c->state = CONV_RUNNING;
		wait = job_do(h, c->first, c->failures);
		if (wait == JOB_STOPPED)
			break;
		if (wait >= 0) {
			c->failures++;
			c->state = CONV_WAITING;
			c->until = sys_mono_ms() + wait;
			timer_set(h, c->until);
			continue;
		}
		c->failures = 0;
		conv_pop(c);
		if (c->n > 0)
			make_ready(h, c);
		else if (c->full)
			c->state = CONV_EMPTY;
		else
			conv_free(h, c);
	}
	h->workers--;
	h->tasks--;
}

/* Wakes the conversations whose time has come. */
static void timer_run(void *arg)
{
	struct handler *h = arg;

	while (!h->stopping) {
		int64_t now = sys_mono_ms(), next = INT64_MAX;
		struct conv *c;

		for (c = h->convs; c != NULL; c = c->next) {
			if (c->state != CONV_WAITING)
				continue;
			if (c->until <= now)
				make_ready(h, c);
			else if (c->until < next)
				next = c->until;
		}
		queue_pump(h);
		if (next == INT64_MAX && (h->ready == NULL || h->workers > 0))
			break;
		if (next > now + 1000000)
			next = now + (h->ready == NULL ? 1000000 : 1000);
		h->timer_at = next;
		task_sleep((int)(next - now));
	}
	h->timer = NULL;
	h->tasks--;
}

static void timer_set(struct handler *h, int64_t at)
{
	if (h->timer != NULL) {
		if (at < h->timer_at)
			task_wake(h->timer);
		return;
	}
	h->timer_at = 0;
	h->timer = task_start(timer_run, h);
	if (h->timer != NULL)
		h->tasks++;
}

/* --- from outside ----------------------------------------------------------
 */

void queue_add(struct handler *h, struct job *j)
{
	struct conv *c = conv_of(h, j->src, j->conversation);
	bool fresh = c == NULL;

	if (fresh)
		c = conv_new(h, j->src, j->conversation);
	*c->tail = j;
	c->tail = &j->next;
	c->n++;
	c->octets += j->line.n;
	j->src->njobs++;
	if (fresh || c->state == CONV_EMPTY)
		make_ready(h, c);
}

bool queue_missed(struct handler *h, struct source *s)
{
	struct conv *c, *next;
	bool any = s->overflow;

	s->overflow = false;
	for (c = h->convs; c != NULL; c = next) {
		next = c->next;
		if (c->src != s || c->state != CONV_EMPTY)
			continue;
		any = true;
		conv_free(h, c);
	}
	return any;
}

void queue_clear(struct handler *h)
{
	while (h->convs != NULL) {
		while (h->convs->n > 0)
			conv_pop(h->convs);
		conv_free(h, h->convs);
	}
}

struct load load_of(const struct handler *h)
{
	struct load l = {0};
	const struct conv *c;

	for (c = h->convs; c != NULL; c = c->next) {
		l.all += c->n;
		l.all_octets += c->octets;
		if (c->failures > 0)
			continue;
		l.ready += c->n < CONV_MAX ? c->n : CONV_MAX;
		l.ready_octets += c->octets;
	}
	return l;
}
