/* Where a mailbox is begun: by the cursor, or without one by --start. */
#include "coi/fetch_priv.h"
#include "core/sys.h"
#include "fmt/date.h"

#define SKEW 300 /* seconds that two clocks may be apart */

/* Since when this consumer reads the mailbox: should the server number it
 * anew, what was old then is old now. */
static const char *since_name(struct reading *r)
{
	return arena_fmt(r->arena, "start.%s.%.*s", r->o->consumer,
			 STR_ARG(r->mailbox))
	    .p;
}

static int since_set(struct reading *r, int64_t when, struct coi_err *e)
{
	const char *name = since_name(r);

	return store_set(r->st, name,
			 arena_fmt(r->arena, "%lld", (long long)when), e);
}

static int since_get(struct reading *r, int64_t *when, struct coi_err *e)
{
	struct str s;
	uint64_t t;

	*when = INT64_MIN;
	if (store_get(r->st, r->arena, since_name(r), &s, e) < 0)
		return -1;
	if (s.n > 0 && str_u64(s, INT64_MAX, &t))
		*when = (int64_t)t - SKEW;
	return 0;
}

/* What arrived since a date; SEARCH knows whole days, in any time zone. */
static int since_first(struct reading *r, const struct imap_selected *sel,
		       int64_t when, uint32_t *lo, struct coi_err *e)
{
	struct imap_set found = {0};
	struct buf b = {0};
	int rc;

	buf_z(&b, "SINCE ");
	date_write_search(&b, when - 86400);
	rc = imap_search(r->im, buf_view(&b), &found, e);
	r->not_before = when;
	*lo = found.n > 0 ? found.v[0].lo : sel->uid_next;
	imap_set_free(&found);
	buf_free(&b);
	return rc;
}

static int first_time(struct reading *r, const struct imap_selected *sel,
		      uint32_t *lo, struct coi_err *e)
{
	int64_t when = r->o->start_date;

	if (r->o->start_now) {
		*lo = sel->uid_next;
		return since_set(r, sys_now(), e);
	}
	if (when == INT64_MIN)
		return 0;
	if (since_first(r, sel, when, lo, e) < 0)
		return -1;
	return when < 0 ? 0 : since_set(r, when + SKEW, e);
}

static int renumbered(struct reading *r, const struct imap_selected *sel,
		      uint32_t *lo, struct coi_err *e)
{
	struct buf b = {0};
	int64_t when;

	if (r->o->warn != NULL) {
		buf_fmt(&b,
			"%.*s: the server renumbered it (UIDVALIDITY); "
			"reading it again without repeating",
			STR_ARG(r->mailbox));
		r->o->warn(r->o->ctx, buf_cstr(&b));
		buf_free(&b);
	}
	if (since_get(r, &when, e) < 0)
		return -1;
	return when == INT64_MIN ? 0 : since_first(r, sel, when, lo, e);
}

int reading_begin(struct reading *r, const struct imap_selected *sel,
		  const struct store_cursor *cur, uint32_t *lo,
		  struct coi_err *e)
{
	*lo = 1;
	if (r->o->consumer == NULL)
		return 0;
	if (cur->uid_validity == 0)
		return first_time(r, sel, lo, e);
	if (cur->uid_validity != sel->uid_validity)
		return renumbered(r, sel, lo, e);
	*lo = cur->uid + 1;
	return 0;
}
