/* Reading what is new: which mailboxes there are, and what is in them. */
#include <stdlib.h>

#include "coi/watch_priv.h"
#include "core/sys.h"

/* --- which mailboxes -------------------------------------------------------
 */

static struct wbox *add(struct watching *a, struct str name, bool sure)
{
	struct wbox *b = arena_alloc(a->arena, sizeof(*b));

	*b = (struct wbox){
	    .box = {.name = arena_str(a->arena, name), .sure_chat = sure}};
	a->boxes[a->nboxes++] = b;
	return b;
}

/* The chats folder under another name is another one. */
static struct wbox *chats(struct watching *a, struct str name)
{
	if (a->nboxes > 1 && !str_eq(a->boxes[1]->box.name, name))
		a->nboxes = 1;
	return a->nboxes > 1 ? a->boxes[1] : add(a, name, true);
}

#define NO_CHATS "watch.no-chats" /* and the consumer */

/*
 * A folder that was not there while we watched holds nothing old: the first
 * message in it may be what made it.
 */
static int born(struct watching *a, bool there, bool *young, struct coi_err *e)
{
	struct arena *tmp = arena_new();
	struct str key, was = STR_NONE;
	int rc;

	key = arena_fmt(tmp, NO_CHATS ".%s", a->fetch.consumer);
	rc = store_get(a->st, tmp, key.p, &was, e);
	*young = there && was.n > 0;
	if (rc == 0 && !there && was.n == 0)
		rc = store_set(a->st, key.p, STR("yes"), e);
	arena_free(tmp);
	return rc;
}

static int grown_up(struct watching *a, struct coi_err *e)
{
	struct arena *tmp = arena_new();
	struct str key;
	int rc;

	key = arena_fmt(tmp, NO_CHATS ".%s", a->fetch.consumer);
	rc = store_set(a->st, key.p, STR_NONE, e);
	arena_free(tmp);
	return rc;
}

/* INBOX and the chats folder, with their STATUS; *young: that of the last
 * one is to be read from its beginning. */
static int usual(struct watching *a, struct imap_status *st, bool *young,
		 struct coi_err *e)
{
	struct arena *tmp = arena_new();
	struct folders f = {0};
	int rc = folders_find(a->lines[0].im, a->st, tmp, &f, e);

	if (rc == 0)
		rc = born(a, f.chats.n > 0, young, e);
	if (rc == 0) {
		if (a->nboxes == 0)
			add(a, f.inbox, false);
		st[0] = f.inbox_status;
		if (f.chats.n > 0) {
			chats(a, f.chats);
			st[1] = f.chats_status;
		}
	}
	arena_free(tmp);
	return rc;
}

static int named(struct watching *a, struct imap_status *st, struct coi_err *e)
{
	const struct fetch_opts *o = &a->fetch;
	struct str names[BOXES_MAX];
	size_t i;

	for (i = a->nboxes; i < o->nmailboxes && i < BOXES_MAX; i++)
		add(a, str_of(o->mailboxes[i]), false);
	for (i = 0; i < a->nboxes; i++)
		names[i] = a->boxes[i]->box.name;
	return imap_status(a->lines[0].im, names, a->nboxes, st, e);
}

static int look_around(struct watching *a, struct imap_status *st, bool *young,
		       struct coi_err *e)
{
	size_t i;
	int rc;

	for (i = 0; i < BOXES_MAX; i++)
		st[i] = (struct imap_status){0};
	*young = false;
	if (watching_store(a, e) < 0)
		return -1;
	a->asking = true;
	rc = a->fetch.nmailboxes == 0 ? usual(a, st, young, e)
				      : named(a, st, e);
	a->asking = false;
	return rc;
}

/* --- reading ---------------------------------------------------------------
 */

/* Lines were printed: the conversation is on. */
static void printed(struct watching *a, uint64_t before)
{
	if (a->result.printed == before)
		return;
	if (a->w->o.once)
		watch_stop(a->w);
	if (a->w->o.low_latency) {
		watch_heat_up(&a->heat, sys_mono_ms());
		a->probe_at = sys_mono_ms();
	}
}

/* The mailbox is selected on this line from now on. */
static void took(struct line *l, struct wbox *b)
{
	line_unselect(l);
	l->sel = b;
	b->line = l;
	/* What was said since the SELECT is not in it. */
	if (l->news && (l->left || l->exists != b->box.exists))
		l->unsure = true;
	else
		l->news = false;
	l->exists = b->box.exists;
}

/* By SELECT, from the cursor on. */
static int read_box(struct watching *a, struct line *l, struct wbox *b,
		    const struct imap_status *st, bool young, struct coi_err *e)
{
	struct fetch_opts o = a->fetch;
	uint64_t before = a->result.printed;
	int rc;

	if (young) {
		o.start_now = false;
		o.start_date = INT64_MIN;
	}
	b->news = false;
	if (watching_store(a, e) < 0 || line_wake(l, e) < 0)
		return -1;
	l->news = l->unsure = l->left = false;
	l->fresh = 0;
	rc = fetch_box_read(&b->box, l->im, a->st, &o, st, &a->result, e);
	if (b->box.selected)
		took(l, b);
	printed(a, before);
	if (rc == 0 || e->code != COI_E_NOINPUT)
		return rc;
	/* Gone since it was looked for. */
	err_clear(e);
	b->gone = true;
	line_unselect(l);
	return 0;
}

/* In the mailbox that is selected. */
static int read_on(struct watching *a, struct line *l, struct coi_err *e)
{
	uint64_t before = a->result.printed;
	uint32_t expected = l->unsure || l->sel->news ? UINT32_MAX : l->fresh;
	int rc;

	if (watching_store(a, e) < 0 || line_wake(l, e) < 0)
		return -1;
	l->news = l->unsure = l->sel->news = false;
	l->fresh = 0;
	rc = fetch_box_more(&l->sel->box, l->im, a->st, &a->fetch, expected,
			    &a->result, e);
	printed(a, before);
	return rc;
}

static bool anew(const struct wbox *b, const struct imap_status *st)
{
	return b->box.uid_validity != 0 && st->uid_validity != 0 &&
	       st->uid_validity != b->box.uid_validity;
}

static bool has_more(const struct wbox *b, const struct imap_status *st)
{
	return st->messages > 0 && st->uid_next > b->box.next;
}

int watching_catch_up(struct watching *a, struct coi_err *e)
{
	struct line *l = &a->lines[0];
	struct imap_status st[BOXES_MAX];
	bool young;
	size_t i;

	if (look_around(a, st, &young, e) < 0)
		return -1;
	for (i = 0; i < a->nboxes; i++) {
		struct wbox *b = a->boxes[i];
		bool fresh = young && i == 1;

		b->gone = !st[i].have;
		if (b->gone && !a->ever && a->fetch.nmailboxes > 0) {
			e->lasting = true;
			return err_set(e, COI_E_NOINPUT,
				       "there is no mailbox \"%.*s\"",
				       STR_ARG(str_sub(b->box.name, 0, 150)));
		}
		if (b->gone)
			continue;
		if (read_box(a, l, b, &st[i], fresh, e) < 0 ||
		    (fresh && grown_up(a, e) < 0))
			return -1;
	}
	return store_prune(a->st, 400, e);
}

int watching_other(const struct wbox *b, const char *what, struct coi_err *e)
{
	return err_set(e, COI_E_TEMP, "mailbox \"%.*s\" %s",
		       STR_ARG(str_sub(b->box.name, 0, 150)), what);
}

static int check_box(struct watching *a, struct wbox *b,
		     const struct imap_status *st, bool young,
		     struct coi_err *e)
{
	struct line *l = b->line != NULL ? b->line : &a->lines[0];

	if (!st->have) {
		if (!b->gone && b->told)
			return watching_other(b, "is gone", e);
		b->gone = true;
		return 0;
	}
	if (b->gone && a->lines[0].notify)
		return watching_other(b, "is there again", e);
	b->gone = false;
	if (anew(b, st) && b->line != NULL)
		return watching_other(b, "was made anew (UIDVALIDITY)", e);
	if (anew(b, st) || b->box.uid_validity == 0)
		return read_box(a, l, b, st, young, e);
	if (!has_more(b, st))
		return 0;
	b->news = true;
	return b->line != NULL ? read_on(a, l, e)
			       : read_box(a, l, b, st, young, e);
}

/* Back to where this line waits, unless NOTIFY tells of all. */
static int go_home(struct line *l, struct wbox *home, struct coi_err *e)
{
	if (home == NULL || home->gone || l->sel == home ||
	    (l->notify && l->sel != NULL))
		return 0;
	return line_select(l, home, e);
}

int watching_check(struct watching *a, struct coi_err *e)
{
	struct line *l = &a->lines[0];
	struct wbox *home = l->sel;
	struct imap_status st[BOXES_MAX];
	int64_t now = sys_mono_ms();
	size_t i, had = a->nboxes;
	bool young;

	a->poll_at = now + a->w->o.poll_ms;
	l->renew_at = now + a->w->o.idle_ms;
	if (line_wake(l, e) < 0 || look_around(a, st, &young, e) < 0)
		return -1;
	for (i = 0; i < a->nboxes && !watching_leaves(a); i++)
		if (check_box(a, a->boxes[i], &st[i], young && i == 1, e) < 0)
			return -1;
	if (young && grown_up(a, e) < 0)
		return -1;
	if (a->nboxes > had) {
		/* One that was made since: another connection for it, or
		 * another NOTIFY, which has to be the first of its own. */
		a->more_at = now;
		a->again = l->notify || imap_has(l->im, "NOTIFY");
	}
	if (watching_checked(a, e) < 0 || filtering_apply(a, e) < 0)
		return -1;
	return go_home(l, home, e);
}

bool watching_has_news(const struct watching *a, const struct line *l)
{
	size_t i;

	if (l->broken || l->news || (l->sel != NULL && l->sel->news))
		return true;
	for (i = 0; l == &a->lines[0] && i < a->nboxes; i++)
		if (a->boxes[i]->news && a->boxes[i]->line == NULL)
			return true;
	return false;
}

int watching_news(struct watching *a, struct line *l, struct coi_err *e)
{
	struct wbox *home = l->sel;
	size_t i;

	if (l->broken)
		return err_set(e, COI_E_TEMP,
			       "the server can no longer say what is new");
	if (l->sel != NULL && (l->news || l->sel->news)) {
		if (read_on(a, l, e) < 0 || filtering_apply(a, e) < 0)
			return -1;
		return go_home(l, home, e);
	}
	l->news = false;
	for (i = 0; l == &a->lines[0] && i < a->nboxes; i++) {
		struct wbox *b = a->boxes[i];

		if (!b->news || b->line != NULL)
			continue;
		if (read_box(a, l, b, NULL, false, e) < 0)
			return -1;
		/* What came into the one we left meanwhile. */
		if (l->notify && l->sel != home)
			return watching_check(a, e);
	}
	return go_home(l, home, e);
}
