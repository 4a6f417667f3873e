/* A mailbox read again and again: what is new, in one round trip. */
#include "coi/fetch_priv.h"

#define UID_MAX (UINT32_MAX - 1)

int fetch_box_select(struct fetch_box *b, struct imap *im,
		     const struct fetch_opts *o, bool *news, struct coi_err *e)
{
	struct imap_selected sel;

	if (reading_select(im, o, b->name, &sel, e) < 0)
		return -1;
	b->exists = sel.exists;
	b->renumbered = b->uid_validity != 0 &&
			b->uid_validity != sel.uid_validity;
	*news = b->uid_validity != sel.uid_validity ||
		(sel.exists > 0 && b->next < sel.uid_next);
	return 0;
}

/* The highest UID from lo on; 0: there is none. */
static int last_uid(struct reading *r, uint32_t lo, uint32_t *top,
		    struct coi_err *e)
{
	struct imap_set found = {0};
	struct buf b = {0};
	int rc;

	buf_fmt(&b, "UID %u:%u", lo, UID_MAX);
	rc = imap_search(r->im, buf_view(&b), &found, e);
	*top = found.n > 0 ? found.v[found.n - 1].hi : 0;
	if (*top < lo || *top > UID_MAX)
		*top = 0;
	imap_set_free(&found);
	buf_free(&b);
	return rc;
}

static int quick(struct reading *r, struct coi_err *e)
{
	int rc;

	imap_set_add(&r->asked, r->floor + 1, UID_MAX);
	rc = reading_quick(r, &r->asked, e);
	if (rc < 0 && e->code != COI_E_PIPE && r->nbatch > 0) {
		struct coi_err second = {0};

		reading_commit(r, reading_safe(r), &second);
	}
	return rc;
}

/* Nothing is missing: all of it is done. */
static int quick_end(struct reading *r, struct coi_err *e)
{
	if (reading_end(r, r->top > r->floor ? r->top : r->floor, e) < 0)
		return -1;
	if (!r->o->mark_seen || r->printed.n == 0)
		return 0;
	return imap_store(r->im, &r->printed, STR("+FLAGS.SILENT"),
			  STR("\\Seen"), e);
}

/* What the quick way did not get: from where it got to, with searches. */
static int carefully(struct reading *r, struct coi_err *e)
{
	uint32_t lo, top;

	if (r->nbatch > 0 && reading_commit_some(r, e) < 0)
		return -1;
	lo = reading_safe(r) + 1;
	if (last_uid(r, lo, &top, e) < 0)
		return -1;
	if (top == 0)
		return quick_end(r, e);
	return reading_range(r, lo, top, e);
}

int fetch_box_more(struct fetch_box *b, struct imap *im, struct store *st,
		   const struct fetch_opts *o, uint32_t expected,
		   struct fetch_result *res, struct coi_err *e)
{
	struct reading r = {.im = im,
			    .st = st,
			    .o = o,
			    .r = res,
			    .mailbox = b->name,
			    .sure_chat = b->sure_chat,
			    .box = b,
			    .uid_validity = b->uid_validity,
			    .floor = b->next - 1};
	int rc;

	if (b->next > UID_MAX)
		return 0;
	reading_new(&r);
	rc = quick(&r, e);
	if (rc == 0 && !r.slow && r.answered >= expected)
		rc = quick_end(&r, e);
	else if (rc == 0)
		rc = carefully(&r, e);
	if (rc < 0)
		err_ctx(e, "%.*s", STR_ARG(b->name));
	reading_free(&r);
	return rc;
}
