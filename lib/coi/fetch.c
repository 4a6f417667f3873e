#include "coi/fetch.h"

#include <stdlib.h>

#include "coi/fetch_priv.h"
#include "coi/folders.h"
#include "core/sys.h"
#include "fmt/date.h"

/* --- what is wanted ------------------------------------------------------- */

static const char chat_criteria[] =
    "OR OR OR HEADER Chat-Version \"\" HEADER Message-ID \"<chat$\" "
    "HEADER Message-ID \"<coi$\" OR OR HEADER References \"<chat$\" "
    "HEADER References \"<coi$\" OR HEADER In-Reply-To \"<chat$\" "
    "HEADER In-Reply-To \"<coi$\"";

static void selection(const struct fetch_opts *o, struct buf *b)
{
	if (o->unseen)
		buf_z(b, " UNSEEN");
	if (o->since != INT64_MIN) {
		buf_z(b, " SINCE ");
		date_write_search(b, o->since - 86400);
	}
	if (o->message_id != NULL) {
		struct str id = str_of(o->message_id);

		if (str_starts(id, "<") && str_ends(id, ">"))
			id = str_sub(id, 1, id.n - 2);
		buf_z(b, " HEADER Message-ID ");
		imap_quote(b, id);
	}
}

static void write_range(struct buf *b, uint32_t lo, uint32_t hi)
{
	buf_fmt(b, "UID %u:%u", lo, hi);
}

/* Mails that no rule names: their threads are looked up here, where all
 * we ever heard of is known (a reply to Delta Chat has no chat$ in it). */
static int add_threads(struct reading *r, uint32_t lo, uint32_t hi,
		       struct imap_set *set, struct coi_err *e)
{
	struct imap_set all = {0}, rest = {0};
	struct buf b = {0};
	bool foreign = false;
	int rc = 0;

	if (r->st == NULL || r->o->message_id != NULL)
		return 0;
	if (store_thread_foreign(r->st, &foreign, e) < 0)
		return -1;
	if (!foreign)
		return 0;
	write_range(&b, lo, hi);
	selection(r->o, &b);
	rc = imap_search(r->im, buf_view(&b), &all, e);
	buf_free(&b);
	if (rc < 0)
		goto out;
	imap_set_less(&all, set, &rest);
	if (imap_set_count(&rest) == 0)
		goto out;
	rc = reading_threads(r, &rest, set, e);
out:
	imap_set_free(&all);
	imap_set_free(&rest);
	return rc;
}

/* "1:3,7:*": "*" is the highest there is. */
static bool uid_set(const char *text, uint32_t top, struct imap_set *set)
{
	struct buf b = {0};
	bool ok;

	for (; *text != '\0'; text++) {
		if (*text == '*')
			buf_u64(&b, top);
		else
			buf_c(&b, *text);
	}
	ok = imap_set_parse(buf_view(&b), set);
	buf_free(&b);
	return ok;
}

static int choose(struct reading *r, uint32_t lo, uint32_t hi,
		  struct imap_set *set, struct coi_err *e)
{
	const struct fetch_opts *o = r->o;
	bool every = o->all_mail || r->sure_chat;
	struct imap_set only = {0}, found = {0};
	struct buf b = {0};
	int rc = 0;

	if (o->uids != NULL && !uid_set(o->uids, hi, &only)) {
		rc = err_set(e, COI_E_USAGE, "--uid: \"%s\" is no UID set",
			     o->uids);
		goto out;
	}
	if (every && !o->unseen && o->since == INT64_MIN &&
	    o->message_id == NULL) {
		imap_set_add(&found, lo, hi);
	} else {
		write_range(&b, lo, hi);
		selection(o, &b);
		if (!every)
			buf_fmt(&b, " %s", chat_criteria);
		rc = imap_search(r->im, buf_view(&b), &found, e);
		if (rc == 0 && !every)
			rc = add_threads(r, lo, hi, &found, e);
	}
	if (rc == 0 && o->uids != NULL)
		imap_set_both(&found, &only, set);
	else if (rc == 0) {
		struct imap_set range = {0};

		/* A server may answer a search with what was not asked. */
		imap_set_add(&range, lo, hi);
		imap_set_both(&found, &range, set);
		imap_set_free(&range);
	}
out:
	imap_set_free(&only);
	imap_set_free(&found);
	buf_free(&b);
	return rc;
}

static int find_large(struct reading *r, const struct imap_set *set,
		      struct imap_set *large, struct coi_err *e)
{
	const struct decode_opts *d = r->o->decode;
	bool content = d->save_dir != NULL || d->inline_data;
	struct imap_set found = {0};
	struct buf b = {0};
	int64_t limit = LARGE;
	int rc;

	if (content && d->max_size < 0)
		return 0; /* everything is wanted anyway */
	if (content && d->max_size > limit)
		limit = d->max_size;
	write_range(&b, set->v[0].lo, set->v[set->n - 1].hi);
	buf_fmt(&b, " LARGER %lld",
		(long long)(limit > UINT32_MAX ? UINT32_MAX : limit));
	rc = imap_search(r->im, buf_view(&b), &found, e);
	if (rc == 0)
		imap_set_both(&found, set, large);
	imap_set_free(&found);
	buf_free(&b);
	return rc;
}

/* --- reading a set ---------------------------------------------------------
 */

/* Asked for, but no answer: gone in between, or a server that hides mail?
 * Those that are gone are done. */
static int check_missing(struct reading *r, const struct imap_set *set,
			 struct coi_err *e)
{
	struct imap_set missing = {0}, still = {0}, both = {0};
	struct buf b = {0};
	size_t i;
	int rc = 0;

	imap_set_less(set, &r->done, &missing);
	/* A UID range holds numbers that never were messages. */
	if (imap_set_count(&missing) > 0) {
		write_range(&b, missing.v[0].lo, missing.v[missing.n - 1].hi);
		rc = imap_search(r->im, buf_view(&b), &still, e);
		if (rc == 0)
			imap_set_both(&missing, &still, &both);
		if (rc == 0 && both.n > 0) {
			rc = err_set(e, COI_E_PROTOCOL,
				     "the server did not send message %u",
				     both.v[0].lo);
			err_hint(e, "nothing is lost: the next run asks again");
		}
		for (i = 0; rc == 0 && i < missing.n; i++)
			imap_set_add(&r->done, missing.v[i].lo,
				     missing.v[i].hi);
	}
	imap_set_free(&missing);
	imap_set_free(&still);
	imap_set_free(&both);
	buf_free(&b);
	return rc;
}

/* The ranges of `small` below `limit`, from index *i on. */
static void run_until(const struct imap_set *small, size_t *i, uint64_t limit,
		      struct imap_set *run)
{
	for (; *i < small->n && small->v[*i].lo < limit; (*i)++)
		imap_set_add(run, small->v[*i].lo, small->v[*i].hi);
}

static int read_run(struct reading *r, const struct imap_set *small, size_t *i,
		    uint64_t limit, struct coi_err *e)
{
	struct imap_set run = {0};
	int rc = 0;

	run_until(small, i, limit, &run);
	if (run.n > 0 && !r->full)
		rc = reading_whole(r, &run, e);
	imap_set_free(&run);
	return rc;
}

/* Ascending: runs of small messages in one command, large ones singly. */
static int read_set(struct reading *r, const struct imap_set *set,
		    const struct imap_set *large, struct coi_err *e)
{
	struct imap_set small = {0};
	size_t i = 0, k;
	uint64_t uid;
	int rc = 0;

	imap_set_less(set, large, &small);
	for (k = 0; rc == 0 && k < large->n && !r->full; k++) {
		rc = read_run(r, &small, &i, large->v[k].lo, e);
		for (uid = large->v[k].lo;
		     rc == 0 && !r->full && uid <= large->v[k].hi; uid++)
			rc = reading_large(r, (uint32_t)uid, e);
	}
	if (rc == 0)
		rc = read_run(r, &small, &i, UINT64_MAX, e);
	imap_set_free(&small);
	return rc;
}

/* With a limit only as much is read as may be printed. */
static int read_limited(struct reading *r, const struct imap_set *set,
			const struct imap_set *large, struct coi_err *e)
{
	uint64_t step = (uint64_t)r->o->limit - r->r->printed;
	size_t i = 0;
	uint64_t lo = set->n > 0 ? set->v[0].lo : 0;
	int rc = 0;

	if (step < 16)
		step = 16;
	while (rc == 0 && i < set->n && !r->full) {
		struct imap_set some = {0}, big = {0};
		uint64_t room = step;

		while (room > 0 && i < set->n) {
			uint64_t hi = set->v[i].hi;

			if (hi - lo + 1 > room)
				hi = lo + room - 1;
			imap_set_add(&some, (uint32_t)lo, (uint32_t)hi);
			room -= hi - lo + 1;
			if (hi < set->v[i].hi) {
				lo = hi + 1;
			} else if (++i < set->n) {
				lo = set->v[i].lo;
			}
		}
		imap_set_both(large, &some, &big);
		rc = read_set(r, &some, &big, e);
		if (rc == 0 && !r->full)
			rc = check_missing(r, &some, e);
		imap_set_free(&some);
		imap_set_free(&big);
	}
	return rc;
}

/* The limit is reached: what of the set comes before the last line? */
static int check_before(struct reading *r, struct coi_err *e)
{
	struct imap_set front = {0}, part = {0};
	int rc = 0;

	if (r->done.n > 0) {
		imap_set_add(&front, 1, r->done.v[r->done.n - 1].hi);
		imap_set_both(&r->asked, &front, &part);
		rc = check_missing(r, &part, e);
	}
	imap_set_free(&front);
	imap_set_free(&part);
	return rc;
}

static int read_all(struct reading *r, uint32_t top, struct coi_err *e)
{
	struct imap_set large = {0};
	int rc;

	if (r->asked.n == 0)
		return reading_end(r, top, e);
	rc = find_large(r, &r->asked, &large, e);
	if (rc == 0 && r->o->limit >= 0)
		rc = read_limited(r, &r->asked, &large, e);
	else if (rc == 0) {
		rc = read_set(r, &r->asked, &large, e);
		if (rc == 0)
			rc = check_missing(r, &r->asked, e);
	}
	imap_set_free(&large);
	if (rc == 0 && r->full) {
		rc = check_before(r, e);
		top = reading_safe(r);
	}
	if (rc == 0) {
		rc = reading_end(r, top, e);
	} else if (e->code != COI_E_PIPE) {
		/* What was written is written: it need not come again. */
		struct coi_err second = {0};

		if (r->nbatch > 0)
			reading_commit(r, reading_safe(r), &second);
	}
	return rc;
}

/* --- one mailbox ------------------------------------------------------------
 */

static int uid_next(struct imap *im, struct imap_selected *sel,
		    struct coi_err *e)
{
	struct imap_set all = {0};
	int rc;

	if (sel->uid_next != 0)
		return 0;
	/* Not told: ask for the last one. */
	rc = imap_search(im, STR("ALL"), &all, e);
	sel->uid_next = all.n > 0 ? all.v[all.n - 1].hi + 1 : 1;
	imap_set_free(&all);
	return rc;
}

int reading_select(struct imap *im, const struct fetch_opts *o,
		   struct str mailbox, struct imap_selected *sel,
		   struct coi_err *e)
{
	if (imap_select(im, mailbox, !o->mark_seen, sel, e) < 0)
		return -1;
	return uid_next(im, sel, e);
}

int reading_range(struct reading *r, uint32_t lo, uint32_t hi,
		  struct coi_err *e)
{
	int rc;

	r->floor = lo - 1;
	imap_set_free(&r->asked);
	if (choose(r, lo, hi, &r->asked, e) < 0)
		return -1;
	rc = read_all(r, hi, e);
	if (rc == 0 && r->o->mark_seen && r->printed.n > 0)
		rc = imap_store(r->im, &r->printed, STR("+FLAGS.SILENT"),
				STR("\\Seen"), e);
	return rc;
}

/* opened: it is selected already, else NULL. */
static int read_mailbox(struct reading *r, const struct imap_status *st,
			const struct imap_selected *opened, struct coi_err *e)
{
	struct fetch_box *box = r->box;
	struct store_cursor cur = {0};
	struct imap_selected sel;
	uint32_t lo, hi;

	if (r->o->consumer != NULL &&
	    store_cursor_get(r->st, r->o->consumer, r->mailbox, &cur, e) < 0)
		return -1;
	if (box != NULL && box->uid_validity != 0 &&
	    (cur.uid_validity == 0 || cur.uid_validity == box->uid_validity)) {
		cur.uid_validity = box->uid_validity;
		if (cur.uid < box->next - 1)
			cur.uid = box->next - 1;
	}
	if (r->o->consumer != NULL && st->have && cur.uid_validity != 0 &&
	    cur.uid_validity == st->uid_validity && st->uid_next != 0 &&
	    (uint64_t)cur.uid + 1 >= st->uid_next) {
		if (box != NULL) {
			box->uid_validity = cur.uid_validity;
			box->next = cur.uid + 1;
		}
		return 0;
	}
	if (opened != NULL) {
		sel = *opened;
		if (uid_next(r->im, &sel, e) < 0)
			return -1;
	} else if (reading_select(r->im, r->o, r->mailbox, &sel, e) < 0) {
		return -1;
	}
	r->uid_validity = sel.uid_validity;
	if (reading_begin(r, &sel, &cur, &lo, e) < 0)
		return -1;
	hi = sel.uid_next - 1;
	if (box != NULL) {
		box->selected = true;
		box->exists = sel.exists;
	}
	r->floor = lo - 1;
	if (lo <= hi && sel.exists > 0)
		return reading_range(r, lo, hi, e);
	return reading_end(r, hi > r->floor ? hi : r->floor, e);
}

void reading_new(struct reading *r)
{
	r->arena = arena_new();
	r->batch_arena = arena_new();
	r->dec = decoder_new(r->o->decode);
	r->not_before = r->o->since;
	r->last_commit = sys_mono_ms();
}

void reading_free(struct reading *r)
{
	decoder_free(r->dec);
	arena_free(r->arena);
	arena_free(r->batch_arena);
	imap_set_free(&r->asked);
	imap_set_free(&r->done);
	imap_set_free(&r->printed);
	free(r->batch);
	free(r->marks);
	free(r->mem);
}

static int one_mailbox(struct imap *im, struct store *st,
		       const struct fetch_opts *o, struct fetch_result *res,
		       struct str name, bool sure, struct fetch_box *box,
		       const struct imap_status *s,
		       const struct imap_selected *opened, struct coi_err *e)
{
	struct reading r = {.im = im,
			    .st = st,
			    .o = o,
			    .r = res,
			    .mailbox = name,
			    .sure_chat = sure,
			    .box = box};
	int rc = 0;

	reading_new(&r);
	if (o->limit < 0 || res->printed < (uint64_t)o->limit)
		rc = read_mailbox(&r, s, opened, e);
	if (rc < 0)
		err_ctx(e, "%.*s", STR_ARG(name));
	reading_free(&r);
	return rc;
}

int fetch_box_read(struct fetch_box *b, struct imap *im, struct store *st,
		   const struct fetch_opts *o, const struct imap_status *s,
		   struct fetch_result *r, struct coi_err *e)
{
	static const struct imap_status none = {0};

	b->selected = false;
	return one_mailbox(im, st, o, r, b->name, b->sure_chat, b,
			   s != NULL ? s : &none, NULL, e);
}

int fetch_run(struct imap *im, struct store *st, const struct fetch_opts *o,
	      struct fetch_result *res, struct coi_err *e)
{
	struct arena *a = arena_new();
	struct folders f;
	struct imap_selected inbox;
	struct imap_status none = {0};
	size_t i;
	int rc = 0;

	*res = (struct fetch_result){0};
	if (o->nmailboxes == 0) {
		rc = folders_open(im, st, a, !o->mark_seen, &inbox, &f, e);
		if (rc == 0)
			rc = one_mailbox(im, st, o, res, f.inbox, false, NULL,
					 &f.inbox_status, &inbox, e);
		if (rc == 0 && f.chats.n > 0)
			rc = one_mailbox(im, st, o, res, f.chats, true, NULL,
					 &f.chats_status, NULL, e);
	}
	for (i = 0; rc == 0 && i < o->nmailboxes; i++)
		rc = one_mailbox(im, st, o, res, str_of(o->mailboxes[i]), false,
				 NULL, &none, NULL, e);
	arena_free(a);
	return rc;
}
