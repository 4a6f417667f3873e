/* Waiting: IDLE, what is due, probes while a conversation is hot. */
#include "coi/watch_priv.h"
#include "core/sys.h"

#define LINE_AGAIN_MS 15000

static void sooner(int64_t *until, int64_t t)
{
	if (t != 0 && t < *until)
		*until = t;
}

static bool untold(const struct watching *a)
{
	size_t i;

	for (i = 0; i < a->nboxes; i++)
		if (!a->boxes[i]->told)
			return true;
	/* A chats folder may be made any time. */
	return a->fetch.nmailboxes == 0 && a->nboxes < 2;
}

/* The second connection is gone: the first one looks after its mailbox. */
static void line_lost(struct watching *a, struct line *l)
{
	size_t i = (size_t)(l - a->lines);

	if (l->sel != NULL) {
		l->sel->line = NULL;
		l->sel->told = false;
	}
	l->idle = false;
	line_close(l);
	a->nlines--;
	if (i < a->nlines) {
		a->lines[i] = a->lines[a->nlines];
		line_listens(&a->lines[i]);
		if (a->lines[i].sel != NULL)
			a->lines[i].sel->line = &a->lines[i];
	}
	a->poll_at = sys_mono_ms();
	a->more_at = a->poll_at + LINE_AGAIN_MS;
}

/* 0, 1 when the line was lost and is gone, -1. */
static int judge(struct watching *a, struct line *l, int rc, struct coi_err *e)
{
	if (rc >= 0)
		return 0;
	if (l == &a->lines[0] || e->code == COI_E_CANCELLED ||
	    e->code == COI_E_PIPE || e->code == COI_E_IO)
		return -1;
	err_clear(e);
	line_lost(a, l);
	return 1;
}

static int noop(struct line *l, struct coi_err *e)
{
	l->noop_at = 0;
	l->renew_at = sys_mono_ms() + l->a->w->o.idle_ms;
	return line_wake(l, e) < 0 || imap_noop(l->im, e) < 0 ? -1 : 0;
}

static int noop_all(struct watching *a, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < a->nlines;) {
		int rc = judge(a, &a->lines[i], noop(&a->lines[i], e), e);

		if (rc < 0)
			return -1;
		i += rc == 0;
	}
	return 0;
}

/* Is the conversation hot?  Then asks, when it is time to. */
static int probe(struct watching *a, struct coi_err *e)
{
	int64_t now = sys_mono_ms();
	uint64_t made = a->heat.all;
	int ms;

	if (a->heat.until == 0 || now < a->probe_at)
		return 0;
	ms = watch_heat_next(&a->heat, now);
	if (ms < 0) {
		a->heat.all = 0;
		watching_say(a, WATCH_CALM,
			     (struct watch_event){.probes = made});
		return 0;
	}
	a->w->stats.probes += a->nlines;
	a->heat.all += a->nlines;
	if (noop_all(a, e) < 0)
		return -1;
	a->probe_at = sys_mono_ms() + ms;
	return 0;
}

static bool any_news(const struct watching *a)
{
	size_t i;

	for (i = 0; i < a->nlines; i++)
		if (watching_has_news(a, &a->lines[i]))
			return true;
	return false;
}

static int news(struct watching *a, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < a->nlines; i++) {
		struct line *l = &a->lines[i];
		int rc;

		if (!watching_has_news(a, l))
			continue;
		rc = judge(a, l, watching_news(a, l, e), e);
		if (rc != 0)
			return rc;
	}
	return 0;
}

/* Flags that a filter wants to know of. */
static bool flags_changed(const struct watching *a)
{
	return a->filter != NULL && a->lines[0].changed &&
	       a->w->o.filter == FILTER_SEEN;
}

static int filter_again(struct watching *a, struct coi_err *e)
{
	struct line *l = &a->lines[0];
	struct wbox *home = l->sel;

	if (filtering_apply(a, e) < 0)
		return -1;
	return l->sel == home ? 0 : line_select(l, home, e);
}

#define ROOM_MS 1000

/* What a handler had no room for is read again, from the cursor on. */
static int room(struct watching *a, struct coi_err *e)
{
	const struct watch_opts *o = &a->w->o;
	size_t i;

	a->room_at = sys_mono_ms() + ROOM_MS;
	if (!o->room(o->ctx, a->ac))
		return 0;
	a->room_at = 0;
	for (i = 0; i < a->nboxes; i++)
		if (a->boxes[i]->box.untaken) {
			a->boxes[i]->box.untaken = false;
			a->boxes[i]->box.uid_validity = 0;
		}
	a->again = true;
	return 0;
}

static void room_wanted(struct watching *a)
{
	size_t i;

	for (i = 0; a->room_at == 0 && i < a->nboxes; i++)
		if (a->boxes[i]->box.untaken)
			a->room_at = sys_mono_ms() + ROOM_MS;
}

/* Where a mailbox was renamed it stays the selected one, and its name may be
 * another's: servers do not tell, and STATUS is of what is selected. */
static int select_all(struct watching *a, struct coi_err *e)
{
	size_t i;

	a->selected_at = sys_mono_ms();
	for (i = 0; i < a->nlines;) {
		struct line *l = &a->lines[i];
		struct wbox *b = l->sel;
		int rc = 0;

		if (b != NULL &&
		    (line_wake(l, e) < 0 || line_select(l, b, e) < 0))
			rc = judge(a, l, -1, e);
		if (rc < 0)
			return -1;
		i += rc == 0;
	}
	return 0;
}

/* What the clock asks for. */
static int due(struct watching *a, struct coi_err *e)
{
	int64_t now = sys_mono_ms();
	size_t i;

	if (a->more_at != 0 && now >= a->more_at && lines_more(a, e) < 0)
		return -1;
	if (a->look || now >= a->lines[0].renew_at ||
	    (now >= a->poll_at && untold(a))) {
		bool all = a->look;

		a->look = false;
		if (all && noop_all(a, e) < 0)
			return -1;
		/* A server that tells nothing tells it in a NOOP. */
		if (!all && a->lines[0].sel != NULL && !a->lines[0].sel->told &&
		    noop(&a->lines[0], e) < 0)
			return -1;
		if (watching_check(a, e) < 0)
			return -1;
		return all || now - a->selected_at >= a->w->o.idle_ms / 2
			   ? select_all(a, e)
			   : 0;
	}
	for (i = 0; i < a->nlines; i++) {
		struct line *l = &a->lines[i];

		if (now >= l->renew_at ||
		    (l->noop_at != 0 && now >= l->noop_at))
			return judge(a, l, noop(l, e), e);
	}
	if (flags_changed(a) || (a->filter_at != 0 && now >= a->filter_at))
		return filter_again(a, e);
	if (a->room_at != 0 && now >= a->room_at)
		return room(a, e);
	return probe(a, e);
}

static int64_t next_due(const struct watching *a)
{
	int64_t until = INT64_MAX;
	size_t i;

	for (i = 0; i < a->nlines; i++) {
		sooner(&until, a->lines[i].renew_at);
		sooner(&until, a->lines[i].noop_at);
	}
	sooner(&until, a->more_at);
	sooner(&until, a->filter_at);
	sooner(&until, a->room_at);
	if (untold(a))
		sooner(&until, a->poll_at);
	if (a->heat.until != 0)
		sooner(&until, a->probe_at);
	return until;
}

/* Takes what is there on any line, waiting for the first. */
static int listen_all(struct watching *a, int64_t until, struct coi_err *e)
{
	struct pollfd p[LINES_MAX];
	int64_t ms = until - sys_mono_ms();
	bool there = false;
	size_t i;
	int rc;

	for (i = 0; i < a->nlines; i++) {
		struct net_conn *c = imap_conn(a->lines[i].im);

		p[i] = (struct pollfd){.fd = net_fd(c), .events = POLLIN};
		there |= net_pending(c);
	}
	if (!there)
		task_poll(p, a->nlines, ms < 0 ? 0 : (int)ms);
	for (i = 0; i < a->nlines;) {
		struct line *l = &a->lines[i];

		rc = judge(a, l, imap_idle_wait(l->im, sys_mono_ms(), e), e);
		if (rc != 0)
			return rc;
		i++;
	}
	return 0;
}

static int wait_more(struct watching *a, struct coi_err *e)
{
	int64_t until = next_due(a);
	size_t i;
	int rc;

	for (i = 0; i < a->nlines; i++) {
		/* The answers to probes are all there is while it is hot. */
		if (a->heat.until != 0) {
			line_ready(&a->lines[i]);
			continue;
		}
		rc = judge(a, &a->lines[i], line_idle(&a->lines[i], e), e);
		if (rc != 0)
			return rc;
	}
	if (a->w->open > STORES_MAX && a->filter == NULL)
		watching_store_close(a);
	if (a->st != NULL)
		store_read_end(a->st);
	a->waits = true;
	rc = a->nlines == 1 ? imap_idle_wait(a->lines[0].im, until, e)
			    : listen_all(a, until, e);
	a->waits = false;
	return rc < 0 ? -1 : 0;
}

int watching_wait(struct watching *a, struct coi_err *e)
{
	int rc = 0;

	while (rc >= 0 && !watching_leaves(a)) {
		/* Event lines do not pile up in front of a slow reader. */
		if (a->w->o.changes && a->fetch.flush(a->fetch.ctx, e) < 0)
			return -1;
		if (any_news(a)) {
			rc = news(a, e);
			continue;
		}
		rc = due(a, e);
		if (rc != 0 || a->again || any_news(a))
			continue;
		room_wanted(a);
		rc = wait_more(a, e);
	}
	return rc < 0 ? -1 : 0;
}
