#include "coi/watch_priv.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/sys.h"

struct watch *watch_new(const struct watch_opts *o)
{
	struct watch *w = mem_alloc(sizeof(*w));

	w->o = *o;
	return w;
}

void watching_retire(struct watching *a, struct account *ac)
{
	if (a->w->o.checked == NULL) {
		account_free(ac); /* nobody was given one */
		return;
	}
	if (ac == NULL)
		return;
	a->old = mem_more(a->old, a->nold, &a->old_cap, sizeof(*a->old));
	a->old[a->nold++] = ac;
}

static void forget_old(struct watching *a)
{
	size_t i;

	for (i = 0; i < a->nold; i++)
		account_free(a->old[i]);
	free(a->old);
}

void watch_free(struct watch *w)
{
	struct watching *a;

	if (w == NULL)
		return;
	while ((a = w->all) != NULL) {
		w->all = a->next;
		if (a->lease >= 0)
			close(a->lease);
		forget_old(a);
		account_free(a->ac);
		account_free(a->next_ac);
		arena_free(a->arena);
		free(a);
	}
	free(w);
}

static int start(struct watching *a, struct coi_err *e)
{
	a->done = false;
	a->task = task_start(watching_run, a);
	if (a->task == NULL)
		return err_set(e, COI_E_OS, "no memory for another account");
	a->w->running++;
	return 0;
}

int watch_add(struct watch *w, struct account *ac, struct coi_err *e)
{
	struct watching *a = mem_alloc(sizeof(*a)), **at = &w->all;

	*a = (struct watching){
	    .w = w, .ac = ac, .lease = -1, .arena = arena_new()};
	while (*at != NULL)
		at = &(*at)->next;
	*at = a;
	w->stats.accounts++;
	return start(a, e);
}

int watch_reload(struct watch *w, struct account *ac, struct coi_err *e)
{
	struct watching *a = w->all;

	while (a != NULL && strcmp(a->ac->section, ac->section) != 0)
		a = a->next;
	if (a == NULL)
		return watch_add(w, ac, e);
	watching_retire(a, a->next_ac);
	a->next_ac = ac;
	if (a->done && w->stopping)
		return 0;
	if (a->done) {
		/* It stopped for a reason that may be gone. */
		if (--w->failed == 0)
			w->error = (struct coi_err){0};
		return start(a, e);
	}
	task_wake(a->task);
	return 0;
}

void watch_look(struct watch *w)
{
	struct watching *a;

	for (a = w->all; a != NULL; a = a->next) {
		if (a->done)
			continue;
		a->look = true;
		task_wake(a->task);
	}
}

void watch_stop(struct watch *w)
{
	struct watching *a;

	w->stopping = true;
	for (a = w->all; a != NULL; a = a->next)
		if (!a->done)
			task_wake(a->task);
}

struct watch_stats watch_stats(const struct watch *w)
{
	struct watch_stats s = w->stats;
	const struct watching *a;

	s.connected = 0;
	for (a = w->all; a != NULL; a = a->next) {
		s.connected += a->connected;
		s.printed += a->result.printed;
	}
	return s;
}

unsigned watch_running(const struct watch *w)
{
	return w->running;
}

bool watch_untaken(const struct watch *w)
{
	const struct watching *a;
	size_t i;

	for (a = w->all; a != NULL; a = a->next)
		for (i = 0; i < a->nboxes; i++)
			if (a->boxes[i]->box.untaken)
				return true;
	return false;
}

const struct coi_err *watch_error(const struct watch *w)
{
	return &w->error;
}

unsigned watch_failed(const struct watch *w)
{
	return w->failed;
}

void watching_say(struct watching *a, enum watch_kind kind,
		  struct watch_event ev)
{
	ev.kind = kind;
	ev.account = a->ac->section;
	if (a->w->o.event != NULL)
		a->w->o.event(a->w->o.ctx, &ev);
}
