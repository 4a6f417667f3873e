/*
 * Answers that are one long list of numbers: SEARCH (RFC 3501), ESEARCH (RFC
 * 4731), VANISHED (RFC 7162).  Taken in parts, as a list for a large mailbox
 * is longer than any line should be.
 */
#include "core/limits.h"
#include "imap/priv.h"

bool numbers_word(struct str word, enum imap_numbers *kind)
{
	if (str_iis(word, "SEARCH"))
		*kind = NUM_SEARCH;
	else if (str_iis(word, "ESEARCH"))
		*kind = NUM_ESEARCH;
	else if (str_iis(word, "VANISHED"))
		*kind = NUM_VANISHED;
	else
		return false;
	return true;
}

static bool found(struct imap *im, uint32_t lo, uint32_t hi)
{
	struct imap_set *s = im->want.search;
	uint32_t swap;

	if (im->numbers == NUM_VANISHED) {
		if (hi < lo) {
			swap = lo;
			lo = hi;
			hi = swap;
		}
		if (im->want.vanished != NULL)
			im->want.vanished(im->want.vanished_ctx, lo, hi);
		else if (im->news->vanished != NULL)
			im->news->vanished(im->news_ctx, lo, hi);
		return true;
	}
	if (s->n >= LIMIT_IMAP_RESPONSES)
		return false;
	set_raw(s, lo, hi);
	return true;
}

/* Elements of a set; a part may end behind a comma. */
static bool ranges(struct imap *im, struct imap_cur *c)
{
	uint32_t lo, hi;

	do {
		if (c->p == c->end && im->num_in_set)
			return true;
		if (!set_range(c, &lo, &hi) || !found(im, lo, hi))
			return false;
		im->num_in_set = true;
	} while (cur_ch(c, ','));
	im->num_in_set = false;
	return true;
}

/* "(TAG "a1") UID": false when it is broken; num_off when not for us. */
static bool correlator(struct imap *im, struct imap_cur *c)
{
	struct str key, tag;
	struct buf mine = {0};

	if (cur_ch(c, '(')) {
		if (!cur_atom(c, &key) || !cur_sp(c) || !cur_astring(c, &tag))
			return false;
		buf_fmt(&mine, "a%u", im->want.search_tag);
		if (str_iis(key, "TAG") && !str_eq(tag, buf_view(&mine)))
			im->num_off = true;
		buf_free(&mine);
		while (!cur_ch(c, ')'))
			if (!cur_sp(c) || !cur_skip(c))
				return false;
		cur_sp(c);
	}
	return true;
}

static bool esearch(struct imap *im, struct imap_cur *c)
{
	struct str key;

	while (!cur_end(c)) {
		if (im->num_value) {
			if (!cur_skip(c))
				return false;
			im->num_value = false;
			continue;
		}
		if (!im->num_in_set) {
			if (!cur_atom(c, &key))
				return false;
			if (str_iis(key, "UID"))
				continue;
			if (!str_iis(key, "ALL")) {
				im->num_value = true;
				continue;
			}
			if (!cur_sp(c))
				return false;
			im->num_in_set = true;
		}
		if (!ranges(im, c))
			return false;
	}
	return true;
}

static bool search(struct imap *im, struct imap_cur *c)
{
	uint32_t uid;

	while (!cur_end(c)) {
		if (cur_peek(c, '(')) { /* (MODSEQ n) */
			im->num_off = true;
			return true;
		}
		if (!cur_u32(c, &uid) || uid == 0 ||
		    (c->p < c->end && *c->p != ' ') || !found(im, uid, uid))
			return false;
	}
	return true;
}

bool numbers_feed(struct imap *im, struct str args)
{
	struct imap_cur c = {args.p, args.p + args.n, im->scratch};
	bool first = !im->num_begun;

	im->num_begun = true;
	if (first) {
		im->num_off = im->num_in_set = im->num_value = false;
		if (im->numbers == NUM_VANISHED ? im->want.vanished == NULL &&
						      im->news->vanished == NULL
						: im->want.search == NULL)
			im->num_off = true;
		cur_end(&c);
	}
	if (im->num_off || (!first && cur_end(&c)))
		return true;
	switch (im->numbers) {
	case NUM_SEARCH:
		im->want.searched = true;
		return search(im, &c);
	case NUM_ESEARCH:
		if (first && !correlator(im, &c))
			return false;
		if (im->num_off)
			return true;
		im->want.searched = true;
		return esearch(im, &c);
	case NUM_VANISHED:
		if (first && cur_peek(&c, '(') &&
		    (!cur_skip(&c) || !cur_sp(&c)))
			return false;
		return ranges(im, &c) && (im->num_in_set || cur_end(&c));
	}
	return false;
}
