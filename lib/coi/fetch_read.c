/* Messages read whole, as they stream in. */
#include "coi/fetch_priv.h"
#include "core/sys.h"

#define COLLECT (256u * 1024u) /* smaller messages are decoded in one piece */
#define COMMIT_MS 500
#define COMMIT_LINES 2000 /* worth the time of a server that is slower */

void reading_start(struct reading *r)
{
	if (r->got)
		decoder_drop(r->dec); /* two bodies for one message */
	arena_reset(r->arena);
	decoder_begin(r->dec, r->arena, &r->msg);
	r->begun = true;
	r->got = false;
	r->mem_n = 0;
}

static int on_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct reading *r = ctx;

	if (section.n != 0)
		return 0;
	/* Behind one that needs more than this, all is done in order. */
	if (r->quick && octets >= LARGE)
		r->slow = true;
	if (r->quick && r->slow) {
		r->cut = true;
		return 0;
	}
	reading_start(r);
	r->whole = octets <= COLLECT;
	if (r->whole && octets > r->mem_size) {
		r->mem = mem_grow(r->mem, COLLECT);
		r->mem_size = COLLECT;
	}
	return 0;
}

static int on_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct reading *r = ctx;

	if (!r->begun)
		return 0;
	if (!r->whole) {
		if (decoder_feed(r->dec, chunk, e) == 0)
			return 0;
		decoder_drop(r->dec);
		return -1;
	}
	if (chunk.n > r->mem_size - r->mem_n)
		return err_set(e, COI_E_PROTOCOL, "literal longer than said");
	memcpy(r->mem + r->mem_n, chunk.p, chunk.n);
	r->mem_n += chunk.n;
	return 0;
}

static int on_body_end(void *ctx, struct coi_err *e)
{
	struct reading *r = ctx;

	if (!r->begun)
		return 0;
	r->begun = false;
	if (r->whole &&
	    decoder_whole(r->dec, (struct str){r->mem, r->mem_n}, e) < 0) {
		decoder_drop(r->dec);
		return -1;
	}
	r->got = true;
	return decoder_end(r->dec, e);
}

int reading_stop(struct reading *r, struct coi_err *e)
{
	if (r->o->stopped != NULL && r->o->stopped()) {
		if (reading_commit_some(r, e) < 0)
			return -1;
		return err_set(e, COI_E_CANCELLED, "stopped");
	}
	return 0;
}

static int on_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	struct reading *r = ctx;

	if (r->cut || r->got)
		r->top = m->uid > r->top ? m->uid : r->top;
	r->cut = false;
	if (!r->got)
		return 0; /* flags somebody else changed */
	r->got = false;
	r->answered += m->uid > r->floor;
	if (m->uid == 0)
		return err_set(e, COI_E_PROTOCOL,
			       "the server sent a message without its UID");
	if (r->full) {
		decoder_drop(r->dec);
		return 0;
	}
	if (reading_take(r, m, e) < 0)
		return -1;
	if (r->nbatch >= BATCH_LINES && reading_commit_some(r, e) < 0)
		return -1;
	return reading_stop(r, e);
}

static int on_idle(void *ctx, struct coi_err *e)
{
	struct reading *r = ctx;
	bool late = sys_mono_ms() - r->last_commit >= COMMIT_MS;

	if (r->nbatch >= COMMIT_LINES || (late && r->nbatch > 0))
		return reading_commit_some(r, e);
	if (late && r->st != NULL)
		store_read_end(r->st);
	return r->o->flush(r->o->ctx, e);
}

static const struct imap_fetch_events whole_events = {
    on_begin, on_body, on_body_end, on_end, on_idle};

#define META_ITEMS "UID FLAGS INTERNALDATE RFC822.SIZE"

struct str reading_items(struct reading *r, const char *more)
{
	return arena_fmt(r->arena, META_ITEMS "%s %s",
			 imap_has(r->im, "CONDSTORE") ||
				 imap_has(r->im, "QRESYNC")
			     ? " MODSEQ"
			     : "",
			 more);
}

int reading_whole(struct reading *r, const struct imap_set *set,
		  struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	/* The arena is reset with each message: the items live outside. */
	buf_str(&b, reading_items(r, "BODY.PEEK[]"));
	rc = imap_fetch(r->im, set, buf_view(&b), &whole_events, r, e);
	buf_free(&b);
	return rc;
}

int reading_quick(struct reading *r, const struct imap_set *set,
		  struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	r->quick = true;
	buf_fmt(&b, "%.*s", STR_ARG(reading_items(r, "BODY.PEEK[]<0.")));
	buf_fmt(&b, "%u>", LARGE);
	rc = imap_fetch(r->im, set, buf_view(&b), &whole_events, r, e);
	r->quick = false;
	buf_free(&b);
	return rc;
}
