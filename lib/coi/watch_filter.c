/* Sorting INBOX while it is watched, where the server does not do it. */
#include "coi/watch_priv.h"
#include "core/sys.h"

#define ACKS_MS 1000 /* lines that somebody else acknowledges: look so soon */
#define ACKS_MAX_MS 60000

static void on_moved(void *ctx, const struct filter_moved *m)
{
	struct watching *a = ctx;

	if (a->w->o.moved != NULL)
		a->w->o.moved(a->w->o.ctx, a->ac->section, m);
}

static void on_warn(void *ctx, const char *text)
{
	struct watching *a = ctx;

	if (a->fetch.warn != NULL)
		a->fetch.warn(a->fetch.ctx, text);
}

/* Without the server's help, or not at all: said once for an account. */
static void say(struct watching *a, const struct coi_err *e)
{
	struct buf b = {0};

	if (a->filter_said)
		return;
	a->filter_said = true;
	buf_fmt(&b, "account \"%s\": --filter: %s%s%s%s", a->ac->section,
		e->msg, e->reply[0] != '\0' ? " (the server said: " : "",
		e->reply, e->reply[0] != '\0' ? ")" : "");
	on_warn(a, buf_cstr(&b));
	buf_free(&b);
}

int filtering_new(struct watching *a, struct coi_err *e)
{
	const struct fetch_opts *f = &a->fetch;
	struct filter_opts o = {.store = a->st,
				.account = a->ac,
				.consumer = f->consumer,
				.mode = a->w->o.filter,
				.start = f->start_now ? INT64_MAX
						      : f->start_date,
				.moved = on_moved,
				.warn = on_warn,
				.ctx = a};

	if (o.mode == FILTER_OFF)
		return 0;
	a->filter = filter_new(&o, a->lines[0].im, e);
	if (a->filter != NULL)
		return 0;
	if (e->code != COI_E_UNAVAILABLE)
		return -1;
	say(a, e);
	err_clear(e);
	return 0;
}

void filtering_end(struct watching *a)
{
	filter_free(a->filter);
	a->filter = NULL;
	a->filter_at = 0;
}

/* What ails the mailbox is said and no reason to stop; a link is. */
static int judge(struct watching *a, struct coi_err *e)
{
	struct coi_err le = {0};

	if (e->code == COI_E_CANCELLED || e->code == COI_E_PIPE ||
	    e->code == COI_E_IO || e->code == COI_E_INTERNAL ||
	    imap_noop(a->lines[0].im, &le) < 0)
		return -1;
	say(a, e);
	err_clear(e);
	if (filter_asleep(a->filter))
		filtering_end(a);
	return 0;
}

/* Somebody else moves the cursor, by acknowledging lines. */
static void look_again(struct watching *a, bool moved)
{
	if (!a->fetch.no_commit || a->filter == NULL)
		return;
	a->filter_ms = moved || a->filter_ms == 0 ? ACKS_MS : a->filter_ms * 2;
	if (a->filter_ms > ACKS_MAX_MS)
		a->filter_ms = ACKS_MAX_MS;
	a->filter_at = sys_mono_ms() + a->filter_ms;
}

int filtering_apply(struct watching *a, struct coi_err *e)
{
	struct line *l = &a->lines[0];
	uint64_t moved = 0, sent;

	if (a->filter == NULL)
		return 0;
	l->changed = false;
	if (line_wake(l, e) < 0)
		return -1;
	sent = net_stats(imap_conn(l->im)).out;
	if (filter_apply(a->filter, l->im, &moved, e) < 0 && judge(a, e) < 0)
		return -1;
	if (net_stats(imap_conn(l->im)).out != sent)
		line_unselect(l); /* it may have gone elsewhere */
	look_again(a, moved > 0);
	return 0;
}
