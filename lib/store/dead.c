/* What handlers leave behind: tries, dead letters, automatic messages. */
#include "store/priv.h"

#include "core/sys.h"

/* --- tries ----------------------------------------------------------------
 */

static int64_t clamp(int64_t v)
{
	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : v;
}

int store_try(struct store *s, const char *consumer, struct str mailbox,
	      uint32_t uid_validity, uint32_t uid, int delta, unsigned *tries,
	      struct coi_err *e)
{
	struct cursor_row r = {0};
	sqlite3_stmt *st;
	int64_t c;
	int rc;

	*tries = 0;
	/* The kernel keeps it: what counts is the end of this process. */
	if (tx_begin(s, SYNC_KERNEL, e) < 0)
		return -1;
	if (consumer_find(s, consumer, false, &c, e) < 0 ||
	    (c != 0 && cursor_row(s, c, mailbox, &r, e) < 0) ||
	    (st = sql(s, Q_HAND_TRY, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, r.row);
	sqlite3_bind_int64(st, 2, uid_validity);
	sqlite3_bind_int64(st, 3, uid);
	sqlite3_bind_int(st, 4, delta);
	rc = sql_step(s, st, e);
	if (rc < 0)
		goto fail;
	if (rc == 1)
		*tries = (unsigned)clamp(sqlite3_column_int64(st, 0));
	sqlite3_reset(st);
	return tx_commit(s, "store.try", e);
fail:
	tx_rollback(s);
	return -1;
}

/* --- dead letters ---------------------------------------------------------
 */

int store_dead_add(struct store *s, const char *consumer,
		   const struct store_dead *d, struct coi_err *e)
{
	sqlite3_stmt *st;
	int64_t c;

	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (consumer_find(s, consumer, true, &c, e) < 0 ||
	    (st = sql(s, Q_DEAD_ADD, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, c);
	sql_text(st, 2, d->id);
	sql_text(st, 3, d->conversation);
	sqlite3_bind_int(st, 4, d->automatic);
	sqlite3_bind_int64(st, 5, d->tries);
	sqlite3_bind_int64(st, 6, sys_now());
	sql_text(st, 7, d->why);
	sql_blob(st, 8, d->line);
	if (sql_step(s, st, e) < 0)
		goto fail;
	return tx_commit(s, "store.dead", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_dead_list(struct store *s, struct arena *a, const char *consumer,
		    bool retry, struct store_dead **v, size_t *n,
		    struct coi_err *e)
{
	sqlite3_stmt *st;
	size_t cap = 0;
	int64_t c;
	int rc;

	*v = NULL;
	*n = 0;
	if (consumer_find(s, consumer, false, &c, e) < 0)
		return -1;
	if (c == 0)
		return 0;
	if ((st = sql(s, retry ? Q_DEAD_RETRY_LIST : Q_DEAD_LIST, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, c);
	while ((rc = sql_step(s, st, e)) == 1) {
		struct store_dead *d;

		*v = arena_more(a, *v, *n, &cap, sizeof(**v));
		d = &(*v)[(*n)++];
		*d = (struct store_dead){
		    .row = sqlite3_column_int64(st, 0),
		    .id = sql_dup(a, st, 1),
		    .conversation = sql_dup(a, st, 2),
		    .automatic = sqlite3_column_int(st, 3) != 0,
		    .retry = sqlite3_column_int(st, 4) != 0,
		    .tries = (unsigned)clamp(sqlite3_column_int64(st, 5)),
		    .at = sqlite3_column_int64(st, 6),
		    .why = sql_dup(a, st, 7),
		    .line = sql_dup(a, st, 8)};
	}
	return rc;
}

int store_dead_retry(struct store *s, const char *consumer, struct str id,
		     struct coi_err *e)
{
	sqlite3_stmt *st;
	int64_t c;

	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (consumer_find(s, consumer, false, &c, e) < 0 ||
	    (st = sql(s, Q_DEAD_RETRY, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, c);
	sql_text(st, 2, id);
	if (sql_step(s, st, e) < 0)
		goto fail;
	if (sqlite3_changes(s->db) == 0) {
		err_set(e, COI_E_NOINPUT,
			"no dead letter %.*s of the consumer \"%s\"",
			STR_ARG(id), consumer);
		err_hint(e, "coi-fetch --dead lists them; same --consumer?");
		goto fail;
	}
	return tx_commit(s, "store.dead", e);
fail:
	tx_rollback(s);
	return -1;
}

/* One statement about one row: ?1 row, ?2 number, ?3 text, ?4 now. */
static int change(struct store *s, enum query q, enum sync sync, int64_t row,
		  int64_t number, struct str text, unsigned *got,
		  struct coi_err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (tx_begin(s, sync, e) < 0)
		return -1;
	if ((st = sql(s, q, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, row);
	if (q != Q_DEAD_DONE)
		sqlite3_bind_int64(st, 2, number);
	if (q == Q_DEAD_AGAIN) {
		sql_text(st, 3, text);
		sqlite3_bind_int64(st, 4, sys_now());
	}
	rc = sql_step(s, st, e);
	if (rc < 0)
		goto fail;
	if (rc == 1 && got != NULL)
		*got = (unsigned)clamp(sqlite3_column_int64(st, 0));
	sqlite3_reset(st);
	return tx_commit(s, "store.dead", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_dead_try(struct store *s, int64_t row, int delta, unsigned *tries,
		   struct coi_err *e)
{
	*tries = 0;
	return change(s, Q_DEAD_TRY, SYNC_KERNEL, row, delta, STR_NONE, tries,
		      e);
}

int store_dead_again(struct store *s, int64_t row, unsigned tries,
		     struct str why, struct coi_err *e)
{
	return change(s, Q_DEAD_AGAIN, SYNC_DISK, row, tries, why, NULL, e);
}

int store_dead_done(struct store *s, int64_t row, struct coi_err *e)
{
	return change(s, Q_DEAD_DONE, SYNC_DISK, row, 0, STR_NONE, NULL, e);
}

/* --- automatic messages ---------------------------------------------------
 */

static int auto_bind(struct store *s, sqlite3_stmt *st, int64_t consumer,
		     struct str conversation, struct str id)
{
	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, hash_id(s, conversation));
	sqlite3_bind_int64(st, 3, hash_id(s, id));
	return 0;
}

int store_auto(struct store *s, const char *consumer, struct str conversation,
	       struct str id, unsigned max, bool *allowed, struct coi_err *e)
{
	int64_t now = sys_now(), c, n = 0;
	sqlite3_stmt *st;
	bool known = false;
	int rc;

	*allowed = false;
	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_KERNEL, e) < 0)
		return -1;
	if (consumer_find(s, consumer, true, &c, e) < 0 ||
	    (st = sql(s, Q_AUTO_OLD, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, now - STORE_AUTO_WINDOW);
	/* A clock that was set back must not silence anybody for long. */
	sqlite3_bind_int64(st, 2, now);
	if (sql_step(s, st, e) < 0)
		goto fail;
	st = sql(s, Q_AUTO_COUNT, e);
	if (auto_bind(s, st, c, conversation, id) < 0 ||
	    (rc = sql_step(s, st, e)) < 0)
		goto fail;
	if (rc == 1) {
		n = sqlite3_column_int64(st, 0);
		known = sqlite3_column_int(st, 1) != 0;
	}
	sqlite3_reset(st);
	*allowed = known || n < (int64_t)max;
	if (*allowed && !known) {
		st = sql(s, Q_AUTO_ADD, e);
		if (auto_bind(s, st, c, conversation, id) < 0)
			goto fail;
		sqlite3_bind_int64(st, 4, now);
		if (sql_step(s, st, e) < 0)
			goto fail;
	}
	return tx_commit(s, "store.auto", e);
fail:
	tx_rollback(s);
	return -1;
}

/* --- answers --------------------------------------------------------------
 */

int store_out_key(struct store *s, struct str key, bool *known,
		  struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_KEY, e);
	int rc;

	*known = false;
	if (st == NULL)
		return -1;
	sql_text(st, 1, key);
	rc = sql_step(s, st, e);
	*known = rc == 1;
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}
