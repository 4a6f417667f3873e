/* The connections of an account, and what the server says on them unasked. */
#include "coi/watch_priv.h"
#include "core/sys.h"

#define AGAIN_MS 1500 /* a push may hide another one for so long */

/* --- what is said ----------------------------------------------------------
 */

static void on_exists(void *ctx, uint32_t n)
{
	struct line *l = ctx;

	l->news = true;
	if (n > l->exists)
		l->fresh += n - l->exists;
	else
		l->unsure = true;
	l->exists = n;
}

static void on_expunge(void *ctx, uint32_t number)
{
	struct line *l = ctx;

	l->left = true;
	if (l->exists > 0)
		l->exists--;
}

#define VANISHED_SAID 1000 /* event lines for one answer */

static void on_vanished(void *ctx, uint32_t lo, uint32_t hi)
{
	struct line *l = ctx;
	uint32_t n = hi - lo + 1, i;

	l->left = true;
	l->exists -= n < l->exists ? n : l->exists;
	if (!l->a->w->o.changes || l->sel == NULL)
		return;
	for (i = 0; i < n && i < VANISHED_SAID; i++)
		watching_say(l->a, WATCH_EXPUNGED,
			     (struct watch_event){
				 .mailbox = l->sel->box.name,
				 .uid = lo + i,
				 .uid_validity = l->sel->box.uid_validity});
}

static void on_flags(void *ctx, uint32_t number, const struct imap_msg *m)
{
	struct line *l = ctx;

	l->changed = true;
	if (!l->a->w->o.changes || l->sel == NULL || m->uid == 0 ||
	    !m->have_flags)
		return;
	watching_say(
	    l->a, WATCH_FLAGS,
	    (struct watch_event){.mailbox = l->sel->box.name,
				 .uid = m->uid,
				 .uid_validity = l->sel->box.uid_validity,
				 .flags = m->flags,
				 .nflags = m->nflags});
}

static struct wbox *box_of(struct watching *a, struct str name)
{
	size_t i;

	for (i = 0; i < a->nboxes; i++)
		if (imap_same_mailbox(a->boxes[i]->box.name, name))
			return a->boxes[i];
	return NULL;
}

static void on_status(void *ctx, struct str mailbox,
		      const struct imap_status *st)
{
	struct line *l = ctx;
	struct wbox *b = box_of(l->a, mailbox);

	if (!l->a->asking)
		l->noop_at = sys_mono_ms() + AGAIN_MS;
	if (b == NULL || b == l->sel)
		return;
	if ((st->uid_validity != 0 &&
	     st->uid_validity != b->box.uid_validity) ||
	    st->uid_next == 0 || st->uid_next > b->box.next)
		b->news = true;
}

/* Made anew or gone: the check finds out. */
static void on_mailbox(void *ctx, const struct imap_mailbox *m)
{
	struct line *l = ctx;

	if (box_of(l->a, m->name) != NULL)
		l->a->look = true;
}

static void on_overflow(void *ctx)
{
	struct line *l = ctx;

	l->broken = true;
}

static void on_renumbered(void *ctx, uint32_t uid_validity)
{
	struct line *l = ctx;

	if (l->sel != NULL && l->sel->box.uid_validity != uid_validity)
		l->broken = true;
}

static const struct imap_news news = {.exists = on_exists,
				      .expunge = on_expunge,
				      .vanished = on_vanished,
				      .flags = on_flags,
				      .status = on_status,
				      .mailbox = on_mailbox,
				      .overflow = on_overflow,
				      .renumbered = on_renumbered};

/* --- one line ---------------------------------------------------------------
 */

void line_listens(struct line *l)
{
	imap_listen(l->im, &news, l);
}

int line_open(struct line *l, struct watching *a, struct coi_err *e)
{
	*l = (struct line){.a = a};
	l->im = account_imap(a->ac, &a->w->o.net, e);
	if (l->im == NULL)
		return -1;
	if (a->w->o.changes && imap_enable_uids(l->im, e) < 0)
		return -1;
	line_listens(l);
	l->renew_at = sys_mono_ms() + a->w->o.idle_ms;
	return 0;
}

void line_close(struct line *l)
{
	struct coi_err ignored = {0};

	if (l->im != NULL && l->idle)
		imap_idle_stop(l->im, &ignored);
	imap_close(l->im);
	*l = (struct line){.a = l->a};
}

void line_unselect(struct line *l)
{
	if (l->sel != NULL)
		l->sel->line = NULL;
	l->sel = NULL;
}

int line_select(struct line *l, struct wbox *b, struct coi_err *e)
{
	bool more = false;

	line_unselect(l);
	if (fetch_box_select(&b->box, l->im, &l->a->fetch, &more, e) < 0)
		return -1;
	if (b->box.renumbered)
		return watching_other(b, "was made anew (UIDVALIDITY)", e);
	l->news = l->unsure = false; /* that was the SELECT */
	l->fresh = 0;
	l->sel = b;
	b->line = l;
	b->news |= more;
	l->exists = b->box.exists;
	return 0;
}

int line_wake(struct line *l, struct coi_err *e)
{
	if (!l->idle)
		return 0;
	l->idle = false;
	return imap_idle_stop(l->im, e);
}

static bool may_idle(const struct line *l)
{
	return l->sel != NULL && imap_has(l->im, "IDLE");
}

static void ready(struct watching *a, struct wbox *b, const char *by)
{
	if (b->ready || b->gone)
		return;
	b->ready = true;
	watching_say(a, WATCH_READY,
		     (struct watch_event){.mailbox = b->box.name, .by = by});
}

void line_ready(struct line *l)
{
	struct watching *a = l->a;
	size_t i;

	for (i = 0; i < a->nboxes; i++) {
		struct wbox *b = a->boxes[i];

		if (b->line == l)
			ready(a, b,
			      may_idle(l) ? l->notify ? "notify" : "idle"
					  : "poll");
		else if (b->line == NULL && l == &a->lines[0])
			ready(a, b, b->told ? "notify" : "poll");
	}
}

int line_idle(struct line *l, struct coi_err *e)
{
	if (l->idle)
		return 0;
	if (may_idle(l)) {
		if (imap_idle(l->im, e) < 0)
			return -1;
		l->idle = true;
	}
	line_ready(l);
	return 0;
}

/* --- all of them -----------------------------------------------------------
 */

/* One connection for all mailboxes; *on: the server can. */
static int notify(struct watching *a, struct line *l, bool *on,
		  struct coi_err *e)
{
	struct str names[BOXES_MAX];
	struct coi_err le = {0};
	size_t i, n = 0;

	*on = false;
	if (!imap_has(l->im, "NOTIFY") || !imap_has(l->im, "IDLE"))
		return 0;
	for (i = 0; i < a->nboxes; i++)
		if (!a->boxes[i]->gone)
			names[n++] = a->boxes[i]->box.name;
	if (n < 2)
		return 0;
	if (imap_notify(l->im, names, n, a->w->o.changes || a->filter != NULL,
			&le) < 0) {
		if (le.code == COI_E_UNAVAILABLE)
			return 0;
		if (e->code == COI_OK)
			*e = le;
		return -1;
	}
	*on = l->notify = true;
	for (i = 0; i < a->nboxes; i++)
		a->boxes[i]->told = !a->boxes[i]->gone;
	l->noop_at = sys_mono_ms() + AGAIN_MS;
	/* What came before it was on is not told. */
	return watching_check(a, e);
}

#define MORE_MS 600000 /* no room for us: ask again that late */

/* More connections: a server without room for them is no failure. */
int lines_more(struct watching *a, struct coi_err *e)
{
	unsigned most = a->ac->max_connections;
	struct coi_err le = {0};
	size_t i;

	if (most > LINES_MAX)
		most = LINES_MAX;
	a->more_at = 0;
	for (i = 0; i < a->nboxes && a->nlines < most; i++) {
		struct wbox *b = a->boxes[i];
		struct line *l = &a->lines[a->nlines];

		if (b->line != NULL || b->gone)
			continue;
		if (line_open(l, a, &le) == 0 && !may_idle(l) &&
		    imap_has(l->im, "IDLE") && line_select(l, b, &le) == 0) {
			a->nlines++;
			b->told = true;
			continue;
		}
		b->line = NULL;
		line_close(l);
		if (watching_leaves(a) || le.code == COI_E_CANCELLED) {
			*e = le;
			return -1;
		}
		a->more_at = sys_mono_ms() + MORE_MS;
		break;
	}
	return 0;
}

/* Where the last message came is the best place to wait in. */
static struct wbox *best(struct watching *a)
{
	size_t i;

	for (i = 0; i < a->nboxes; i++)
		if (!a->boxes[i]->gone)
			return a->boxes[i];
	return NULL;
}

int lines_spread(struct watching *a, struct coi_err *e)
{
	struct line *l = &a->lines[0];
	struct wbox *b = l->sel;
	bool on;
	size_t i;

	for (i = 0; i < a->nboxes; i++)
		a->boxes[i]->told = false;
	if (b == NULL || b->gone)
		b = best(a);
	if (b != NULL && b != l->sel && line_select(l, b, e) < 0)
		return -1;
	if (b != NULL)
		b->told = may_idle(l);
	if (notify(a, l, &on, e) < 0)
		return -1;
	if (!on && lines_more(a, e) < 0)
		return -1;
	a->selected_at = sys_mono_ms();
	a->poll_at = a->selected_at + a->w->o.poll_ms;
	return 0;
}
