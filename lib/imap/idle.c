/* Waiting for news: IDLE (RFC 2177), and who listens. */
#include "core/sys.h"
#include "imap/priv.h"

#define AT_ONCE_MS 1000 /* an IDLE that the server ends earlier is none */
#define MANY 10000	/* responses, then the caller has a turn */

void imap_listen(struct imap *im, const struct imap_news *ev, void *ctx)
{
	static const struct imap_news none;

	im->news = ev != NULL ? ev : &none;
	im->news_ctx = ctx;
}

static int begin(struct imap *im, struct coi_err *e)
{
	int rc;

	/* What imap_begin() keeps from others. */
	bool idling = im->idling;

	im->idling = false;
	rc = imap_begin(im, "idle", e);
	im->idling = idling;
	return rc;
}

static int start(struct imap *im, struct coi_err *e)
{
	im->plus = false;
	if (imap_send(im, "IDLE", STR("IDLE"), &im->idle_tag, e) < 0 ||
	    imap_flush(im, e) < 0)
		return -1;
	im->idling = true;
	im->idle_since = sys_mono_ms();
	return 0;
}

int imap_idle(struct imap *im, struct coi_err *e)
{
	int rc = imap_begin(im, "idle", e);

	if (rc == 0 && !imap_has(im, "IDLE"))
		rc = err_set(e, COI_E_UNAVAILABLE, "the server offers no IDLE");
	if (rc == 0)
		rc = start(im, e);
	return imap_end(im, rc, e);
}

/* The server ended it: 0 when it has begun anew. */
static int ended(struct imap *im, struct coi_err *e)
{
	im->idling = false;
	if (imap_state(im, im->idle_tag) != RES_OK)
		return imap_refused(im, im->idle_tag, e);
	if (sys_mono_ms() - im->idle_since < AT_ONCE_MS)
		return err_set(e, COI_E_UNAVAILABLE,
			       "the server ends IDLE at once");
	return start(im, e);
}

/* Nothing is under way: what an answer needed is given back. */
static void rest(struct imap *im)
{
	if (im->inside || im->io.avail(im->io_ctx).n > 0)
		return;
	items_free(&im->items);
	im->items = (struct imap_items){0};
	buf_free(&im->kept);
	arena_free(im->scratch);
	im->scratch = arena_new();
}

/* What has arrived: how many were news, or -1. */
static int take(struct imap *im, struct coi_err *e)
{
	size_t answers;
	int told = 0, rc;

	while (told < MANY) {
		answers = im->answers;
		rc = imap_take(im, e);
		if (rc < 0)
			return -1;
		if (rc == 0)
			break;
		told += im->answers == answers;
		if (im->idling && imap_state(im, im->idle_tag) != RES_PENDING &&
		    ended(im, e) < 0)
			return -1;
	}
	return told;
}

/* As net_idle(), and octets that came are there. */
static int more(struct imap *im, int64_t until, struct coi_err *e)
{
	int rc = im->io.idle(im->io_ctx, until, e);

	if (rc > 0)
		return imap_fill(im, e) < 0 ? -1 : 1;
	if (rc < 0 && e->code == COI_E_CANCELLED)
		im->spoiled = true; /* a goodbye is still in order */
	else if (rc < 0)
		im->dead = true;
	return rc;
}

int imap_idle_wait(struct imap *im, int64_t until, struct coi_err *e)
{
	struct coi_err le = {0};
	int rc, told = 0;

	if (e == NULL)
		e = &le;
	rc = begin(im, e);
	if (rc == 0)
		rc = imap_flush(im, e);
	while (rc >= 0) {
		rc = take(im, e);
		if (rc < 0)
			break;
		told += rc;
		if (told >= MANY)
			break;
		if (told == 0)
			rest(im);
		rc = more(im, told > 0 ? 0 : until, e);
		if (rc == 0)
			break;
	}
	imap_end(im, rc, e);
	return rc < 0 ? -1 : told > 0;
}

/* Waits for the "+" and puts DONE; nothing when the server ended it. */
static int done(struct imap *im, struct coi_err *e)
{
	while (!im->plus && imap_state(im, im->idle_tag) == RES_PENDING)
		if (imap_read(im, e) < 0)
			return -1;
	im->idling = false;
	if (imap_state(im, im->idle_tag) != RES_PENDING)
		return 0;
	imap_ignore(im, im->idle_tag);
	return imap_put(im, STR("DONE\r\n"), e);
}

int imap_idle_stop(struct imap *im, struct coi_err *e)
{
	int rc;

	if (!im->idling)
		return 0;
	rc = begin(im, e);
	if (rc == 0)
		rc = done(im, e);
	return imap_end(im, rc, e);
}

bool idle_leave(struct imap *im, struct coi_err *e)
{
	return !im->idling || done(im, e) == 0;
}

int imap_noop(struct imap *im, struct coi_err *e)
{
	int rc = imap_begin(im, "noop", e);

	if (rc == 0)
		rc = imap_run(im, "NOOP", STR("NOOP"), e);
	return imap_end(im, rc, e);
}
