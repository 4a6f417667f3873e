/* UID FETCH: one command for the set, or a few in flight for a long one. */
#include "imap/priv.h"

#define IN_FLIGHT 4

struct chunks {
	const struct imap_set *set;
	struct str items;
	size_t at;
	uint32_t tags[IN_FLIGHT];
	size_t sent, done;
};

static int send_some(struct imap *im, struct chunks *k, struct coi_err *e)
{
	struct buf b = {0};
	int rc = 0;

	while (rc == 0 && k->at < k->set->n && k->sent - k->done < IN_FLIGHT) {
		buf_clear(&b);
		buf_z(&b, "UID FETCH ");
		set_write(k->set, &k->at, IMAP_SET_TEXT, &b);
		buf_z(&b, " (");
		buf_str(&b, k->items);
		buf_c(&b, ')');
		rc = imap_send(im, "FETCH", buf_view(&b),
			       &k->tags[k->sent % IN_FLIGHT], e);
		if (rc == 0)
			k->sent++;
	}
	buf_free(&b);
	return rc;
}

/* Is there an item that news about flags never hold? */
static bool asks_more(struct str items)
{
	struct str word;

	while (items.n > 0) {
		word = str_split(&items, ' ');
		if (word.n > 0 && !str_iis(word, "UID") &&
		    !str_iis(word, "FLAGS") && !str_iis(word, "MODSEQ"))
			return true;
	}
	return false;
}

int imap_fetch(struct imap *im, const struct imap_set *set, struct str items,
	       const struct imap_fetch_events *ev, void *ctx, struct coi_err *e)
{
	struct chunks k = {.set = set, .items = items};
	int rc = imap_begin(im, "fetch", e);

	im->want.fetch = ev;
	im->want.fetch_ctx = ctx;
	im->want.fetch_more = asks_more(items);
	while (rc == 0 && (k.at < set->n || k.done < k.sent)) {
		rc = send_some(im, &k, e);
		if (rc == 0)
			rc = imap_done(im, k.tags[k.done++ % IN_FLIGHT], e);
		im->responses = 0;
	}
	/* Answers to the rest are still to come. */
	if (rc < 0 && k.done < k.sent)
		im->spoiled = true;
	return imap_end(im, rc, e);
}
