#include "coi/filter.h"

#include <stdlib.h>

#include "coi/filter_priv.h"
#include "core/sys.h"
#include "fmt/date.h"
#include "fmt/json.h"

#define AT_ONCE 1000	   /* messages looked at in one go */
#define CRITERIA_MAX 4000u /* octets of UIDs in one SEARCH */

static bool is_me(const void *ctx, struct str email)
{
	return account_is_me(ctx, email);
}

/* --- state ------------------------------------------------------------------
 */

static const char *state_name(struct filter *f)
{
	return arena_fmt(f->arena, "filter:%s", f->o.consumer).p;
}

static void put_set(struct buf *b, const struct imap_set *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		buf_fmt(b, "%s%u:%u", i > 0 ? "," : "", s->v[i].lo, s->v[i].hi);
}

/* "UIDVALIDITY UID 3:5,9:9 NOT-BEFORE", the last one where there is one. */
static int save(struct filter *f, struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	buf_fmt(&b, "%u %u ", f->uid_validity, f->done);
	put_set(&b, &f->waiting);
	if (f->not_before > 0)
		buf_fmt(&b, " %lld", (long long)f->not_before);
	rc = store_set(f->o.store, state_name(f), buf_view(&b), e);
	buf_free(&b);
	return rc;
}

static int load(struct filter *f, bool *found, struct coi_err *e)
{
	struct str v, one;
	uint64_t validity, done, start = 0;

	*found = false;
	if (store_get(f->o.store, f->arena, state_name(f), &v, e) < 0)
		return -1;
	one = str_split(&v, ' ');
	if (!str_u64(one, UINT32_MAX, &validity) || validity == 0)
		return 0;
	one = str_split(&v, ' ');
	if (!str_u64(one, UINT32_MAX, &done))
		return 0;
	one = str_split(&v, ' ');
	imap_set_free(&f->waiting);
	if ((one.n > 0 && !imap_set_parse(one, &f->waiting)) ||
	    (v.n > 0 && !str_u64(v, INT64_MAX, &start)))
		return 0;
	f->uid_validity = (uint32_t)validity;
	f->done = (uint32_t)done;
	if (start > 0)
		f->not_before = (int64_t)start;
	*found = true;
	return 0;
}

static int cursor(struct filter *f, struct store_cursor *c, struct coi_err *e)
{
	return store_cursor_get(f->o.store, f->o.consumer, STR("INBOX"), c, e);
}

/* --- the server's own filter -------------------------------------------------
 */

static int check_server(struct filter *f, struct imap *im, struct coi_err *e)
{
	struct buf v = {0};
	bool given = false;
	int rc = 0;

	if (!imap_has(im, "COI"))
		return 0;
	if (imap_getmetadata(im, STR(""), COI_ENTRY "enabled", &v, &given, e) <
	    0) {
		rc = -1;
	} else if (given && str_iis(buf_view(&v), "yes")) {
		f->asleep = true;
		err_set(e, COI_E_UNAVAILABLE,
			"the server filters chats itself");
		err_hint(e, "\"coi-config filter\" tells it how");
		rc = -1;
	}
	buf_free(&v);
	return rc;
}

bool filter_asleep(const struct filter *f)
{
	return f->asleep;
}

/* --- where it begins ---------------------------------------------------------
 */

static int first_uid(struct filter *f, struct imap *im,
		     const struct imap_selected *sel, uint32_t *first,
		     struct coi_err *e)
{
	struct imap_set found = {0};
	struct buf b = {0};
	uint32_t next = sel->uid_next;
	int rc = 0;

	*first = 1;
	if (f->o.start == INT64_MIN)
		return 0;
	if (next == 0) {
		/* Not told: behind the last one. */
		rc = imap_search(im, STR("ALL"), &found, e);
		next = found.n > 0 ? found.v[found.n - 1].hi + 1 : 1;
		imap_set_free(&found);
	}
	*first = next;
	if (rc == 0 && f->o.start != INT64_MAX) {
		buf_z(&b, "SINCE ");
		date_write_search(&b, f->o.start - 86400);
		rc = imap_search(im, buf_view(&b), &found, e);
		if (found.n > 0)
			*first = found.v[0].lo;
		f->not_before = f->o.start;
		imap_set_free(&found);
		buf_free(&b);
	}
	return rc;
}

static int begin(struct filter *f, struct imap *im, struct coi_err *e)
{
	struct store_cursor c;
	struct imap_selected sel;
	uint32_t first = 1;
	bool found;

	if (load(f, &found, e) < 0 || found)
		return found ? 0 : -1;
	if (cursor(f, &c, e) < 0)
		return -1;
	if (c.uid_validity != 0) {
		f->uid_validity = c.uid_validity;
		f->done = c.uid;
		return save(f, e);
	}
	if (imap_select(im, STR("INBOX"), true, &sel, e) < 0 ||
	    first_uid(f, im, &sel, &first, e) < 0)
		return -1;
	f->uid_validity = sel.uid_validity;
	f->done = first - 1;
	return save(f, e);
}

struct filter *filter_new(const struct filter_opts *o, struct imap *im,
			  struct coi_err *e)
{
	struct filter *f = mem_alloc(sizeof(*f));

	f->o = *o;
	f->decode = (struct decode_opts){.is_me = is_me,
					 .is_me_ctx = o->account,
					 .save_fd = -1,
					 .max_size = -1};
	f->not_before = INT64_MIN;
	f->places = arena_new();
	f->arena = arena_new();
	if (check_server(f, im, e) == 0 && begin(f, im, e) == 0)
		return f;
	err_ctx(e, "filter");
	filter_free(f);
	return NULL;
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	imap_set_free(&f->waiting);
	blocked_free(&f->blocked);
	arena_free(f->places);
	arena_free(f->arena);
	free(f);
}

/* --- one pass ----------------------------------------------------------------
 */

/* Up to AT_ONCE of the set, from UID *next on. */
static void take(const struct imap_set *set, uint64_t *next,
		 struct imap_set *out)
{
	uint64_t room = AT_ONCE, lo, hi;
	size_t i;

	for (i = 0; i < set->n && room > 0; i++) {
		if (set->v[i].hi < *next)
			continue;
		lo = set->v[i].lo > *next ? set->v[i].lo : *next;
		hi = set->v[i].hi;
		if (hi - lo >= room)
			hi = lo + room - 1;
		imap_set_add(out, (uint32_t)lo, (uint32_t)hi);
		room -= hi - lo + 1;
		*next = hi + 1;
	}
}

static void drop(struct imap_set *set, const struct imap_set *gone)
{
	struct imap_set keep = {0};

	imap_set_less(set, gone, &keep);
	imap_set_free(set);
	*set = keep;
}

/* These messages: their heads, deeds, and who waits. */
static int work(struct filter *f, struct imap *im, const struct imap_set *set,
		struct coi_err *e)
{
	struct items l = {0};
	size_t i, n = 0;

	if (filter_select(f, im, STR("INBOX"), e) < 0 ||
	    heads_read(im, f->o.store, &f->decode, f->arena, set, &l, e) < 0)
		return -1;
	for (i = 0; i < l.n; i++) {
		struct item *x = &l.v[i];

		/* Marked \Deleted: moved by a program that cannot expunge, or
		 * nobody wants it. */
		if (x->deleted || (x->received_at != INT64_MIN &&
				   x->received_at < f->not_before))
			continue;
		x->facts.blocked = blocked_has(&f->blocked, x->from);
		x->deed = filter_rule(f->o.mode, &x->facts);
		l.v[n++] = *x;
	}
	l.n = n;
	if (n > 0 && filter_do(f, im, &l, e) < 0)
		return -1;
	drop(&f->waiting, set);
	for (i = 0; i < n; i++)
		if (l.v[i].deed.to == TO_WAIT)
			imap_set_add(&f->waiting, l.v[i].uid, l.v[i].uid);
	return 0;
}

static int arrived(struct filter *f, struct imap *im, uint32_t hi,
		   struct coi_err *e)
{
	struct imap_set all = {0}, some = {0};
	uint64_t next = (uint64_t)f->done + 1;
	struct buf b = {0};
	int rc = 0;

	if (hi - f->done <= AT_ONCE) {
		imap_set_add(&all, f->done + 1, hi);
	} else {
		buf_fmt(&b, "UNDELETED UID %u:%u", f->done + 1, hi);
		rc = filter_select(f, im, STR("INBOX"), e);
		if (rc == 0)
			rc = imap_search(im, buf_view(&b), &all, e);
		buf_free(&b);
	}
	/* A server may answer a search with what was not asked. */
	imap_set_add(&some, 1, f->done);
	if (hi < UINT32_MAX)
		imap_set_add(&some, hi + 1, UINT32_MAX);
	drop(&all, &some);
	while (rc == 0 && f->done < hi) {
		arena_reset(f->arena);
		imap_set_free(&some);
		take(&all, &next, &some);
		if (some.n > 0)
			rc = work(f, im, &some, e);
		if (rc < 0)
			break;
		f->done = some.n > 0 && some.v[some.n - 1].hi < hi
			      ? some.v[some.n - 1].hi
			      : hi;
		rc = save(f, e);
	}
	imap_set_free(&all);
	imap_set_free(&some);
	return rc;
}

/* Of those that wait: which fit the criteria? */
static int search_waiting(struct filter *f, struct imap *im,
			  const char *criteria, struct imap_set *out,
			  struct coi_err *e)
{
	struct imap_set found = {0};
	struct buf b = {0};
	size_t i = 0, k, start;
	int rc = 0;

	while (rc == 0 && i < f->waiting.n) {
		buf_clear(&b);
		buf_fmt(&b, "%s UID ", criteria);
		for (start = b.n; i < f->waiting.n && b.n < CRITERIA_MAX; i++)
			buf_fmt(&b, "%s%u:%u", b.n > start ? "," : "",
				f->waiting.v[i].lo, f->waiting.v[i].hi);
		rc = imap_search(im, buf_view(&b), &found, e);
		for (k = 0; rc == 0 && k < found.n; k++)
			imap_set_add(out, found.v[k].lo, found.v[k].hi);
		imap_set_free(&found);
	}
	buf_free(&b);
	return rc;
}

/* Chats that have been read since, here or with another program. */
static int waiting(struct filter *f, struct imap *im, struct coi_err *e)
{
	struct imap_set seen = {0}, some = {0}, there = {0};
	uint64_t next = 1;
	int rc = 0;

	if (f->waiting.n == 0)
		return 0;
	rc = filter_select(f, im, STR("INBOX"), e);
	if (rc == 0 && !f->looked) {
		rc = search_waiting(f, im, "UNDELETED", &there, e);
		if (rc == 0) {
			struct imap_set still = {0};

			imap_set_both(&f->waiting, &there, &still);
			imap_set_free(&f->waiting);
			f->waiting = still;
			f->looked = true;
			rc = save(f, e);
		}
		imap_set_free(&there);
	}
	if (rc == 0)
		rc = search_waiting(f, im, "SEEN UNDELETED", &seen, e);
	while (rc == 0) {
		arena_reset(f->arena);
		imap_set_free(&some);
		take(&seen, &next, &some);
		if (some.n == 0)
			break;
		rc = work(f, im, &some, e);
		if (rc == 0)
			rc = save(f, e);
	}
	imap_set_free(&seen);
	imap_set_free(&some);
	return rc;
}

static int pass(struct filter *f, struct imap *im, uint32_t hi,
		struct coi_err *e)
{
	bool selected = false;

	f->selected = STR_NONE;
	if (hi > f->done && !f->have_place && filter_places(f, im, e) < 0)
		return -1;
	if (hi > f->done && blocked_load(&f->blocked, im, f->o.store,
					 f->place.v[1].name, &selected, e) < 0)
		return -1;
	if (hi > f->done && arrived(f, im, hi, e) < 0)
		return -1;
	return f->o.mode == FILTER_SEEN ? waiting(f, im, e) : 0;
}

int filter_apply(struct filter *f, struct imap *im, uint64_t *moved,
		 struct coi_err *e)
{
	struct store_cursor c;
	bool waits = f->o.mode == FILTER_SEEN && f->waiting.n > 0;
	int rc;

	*moved = f->moved = 0;
	if (f->asleep || f->o.mode == FILTER_OFF)
		return 0;
	arena_reset(f->arena);
	if (cursor(f, &c, e) < 0)
		return -1;
	if (c.uid_validity == 0)
		return 0;
	if (c.uid_validity != f->uid_validity) {
		/* Renumbered: what is old and what is new cannot be told. */
		f->uid_validity = c.uid_validity;
		f->done = c.uid;
		imap_set_free(&f->waiting);
		return save(f, e);
	}
	if (c.uid <= f->done && !waits)
		return 0;
	rc = check_server(f, im, e);
	if (rc == 0)
		rc = pass(f, im, c.uid, e);
	*moved = f->moved;
	if (rc < 0)
		err_ctx(e, "filter");
	return rc;
}

void filter_moved_json(struct buf *out, const struct filter_moved *m,
		       const char *account)
{
	struct json j;

	json_begin(&j, out);
	json_open(&j, '{');
	json_key(&j, "event");
	json_str(&j, STR("moved"));
	json_kstr(&j, "account", str_of(account));
	json_key(&j, "imap");
	json_open(&j, '{');
	json_kstr(&j, "mailbox", m->from);
	json_kint(&j, "uid", m->uid);
	json_kint(&j, "uidValidity", m->uid_validity);
	json_close(&j, '}');
	json_kstr(&j, "id", m->id);
	json_kstr(&j, "to", m->to);
	json_close(&j, '}');
	buf_c(out, '\n');
}
