#include "store/priv.h"

/*
 * Lines given out but not acknowledged.  A line is known by mailbox,
 * UIDVALIDITY and UID; `run` says which process gave it out last, so that a
 * later run which looked at the same stretch and did not find a message again
 * knows that it has left the mailbox, and the cursor does not wait for it.
 */

static int bind_ident(sqlite3_stmt *st, int at, const unsigned char *ident)
{
	return sqlite3_bind_blob(st, at, ident, STORE_IDENT, SQLITE_STATIC);
}

static int hand_add(struct store *s, int64_t consumer,
		    const struct cursor_row *r, const struct store_seen *v,
		    struct coi_err *e)
{
	unsigned char ident[STORE_IDENT];
	int64_t id = hash_id(s, v->id);
	sqlite3_stmt *st;

	hash_ident(s, v->id, v->identity, ident);
	/* The same message under an older UID or UIDVALIDITY. */
	if ((st = sql(s, Q_HAND_OLD, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, id);
	bind_ident(st, 3, ident);
	sqlite3_bind_int64(st, 4, r->row);
	sqlite3_bind_int64(st, 5, r->validity);
	sqlite3_bind_int64(st, 6, v->uid);
	if (sql_step(s, st, e) < 0 || (st = sql(s, Q_HAND_ADD, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, r->row);
	sqlite3_bind_int64(st, 3, r->validity);
	sqlite3_bind_int64(st, 4, v->uid);
	sqlite3_bind_int64(st, 5, id);
	bind_ident(st, 6, ident);
	sqlite3_bind_int64(st, 7, s->run);
	sqlite3_bind_int64(st, 8, store_day());
	return sql_step(s, st, e);
}

/* The mailbox's row, moved to this UIDVALIDITY. */
static int hand_cursor(struct store *s, const char *consumer,
		       struct str mailbox, uint32_t uid_validity, int64_t *id,
		       struct cursor_row *r, struct coi_err *e)
{
	if (consumer_find(s, consumer, true, id, e) < 0 ||
	    cursor_row(s, *id, mailbox, r, e) < 0)
		return -1;
	if (r->row != 0 && r->validity == uid_validity)
		return 0;
	r->validity = uid_validity;
	r->uid = 0;
	r->modseq = 0;
	return r->row == 0 ? cursor_add(s, *id, mailbox, r, e)
			   : cursor_put(s, r, e);
}

static int hand_goal(struct store *s, int64_t row, uint32_t uid,
		     uint64_t modseq, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_GOAL, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, row);
	sqlite3_bind_int64(st, 2, uid);
	sqlite3_bind_int64(st, 3,
			   modseq > INT64_MAX ? INT64_MAX : (int64_t)modseq);
	return sql_step(s, st, e);
}

int store_handout(struct store *s, const char *consumer, struct str mailbox,
		  const struct store_cursor *c, const struct store_seen *v,
		  size_t n, struct coi_err *e)
{
	struct cursor_row r;
	int64_t id;
	size_t i;

	if (n == 0)
		return 0;
	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (hand_cursor(s, consumer, mailbox, c->uid_validity, &id, &r, e) < 0)
		goto fail;
	for (i = 0; i < n; i++)
		if (hand_add(s, id, &r, &v[i], e) < 0)
			goto fail;
	if (thread_put_all(s, v, n, e) < 0 ||
	    hand_goal(s, r.row, c->uid, 0, e) < 0)
		goto fail;
	return tx_commit(s, "store.handout", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_handout_done(struct store *s, const char *consumer,
		       struct str mailbox, const struct store_cursor *c,
		       struct coi_err *e)
{
	struct cursor_row r;
	sqlite3_stmt *st;
	int64_t id;

	if (consumer_check(consumer, e) < 0)
		return -1;
	/* Nothing new, nothing to write. */
	if (consumer_find(s, consumer, false, &id, e) < 0 ||
	    (id != 0 && cursor_row(s, id, mailbox, &r, e) < 0))
		return -1;
	if (id != 0 && r.row != 0 && r.validity == c->uid_validity &&
	    r.uid >= c->uid && r.modseq >= c->modseq)
		return 0;
	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (hand_cursor(s, consumer, mailbox, c->uid_validity, &id, &r, e) <
		0 ||
	    (st = sql(s, Q_HAND_GONE, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, r.row);
	sqlite3_bind_int64(st, 2, s->run);
	sqlite3_bind_int64(st, 3, r.validity);
	sqlite3_bind_int64(st, 4, c->uid);
	if (sql_step(s, st, e) < 0 ||
	    hand_goal(s, r.row, c->uid, c->modseq, e) < 0 ||
	    cursor_settle(s, id, e) < 0)
		goto fail;
	return tx_commit(s, "store.handout", e);
fail:
	tx_rollback(s);
	return -1;
}

static int hand_delete(struct store *s, int64_t consumer, int64_t id,
		       const unsigned char *ident, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_HAND_DONE, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, id);
	bind_ident(st, 3, ident);
	return sql_step(s, st, e);
}

int handout_commit(struct store *s, int64_t consumer,
		   const struct cursor_row *r, const struct store_seen *v,
		   size_t n, struct coi_err *e)
{
	unsigned char ident[STORE_IDENT];
	sqlite3_stmt *st;
	bool any;
	size_t i;

	if (handout_any(s, consumer, &any, e) < 0)
		return -1;
	if (!any)
		return 0;
	if ((st = sql(s, Q_HAND_PASSED, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, r->row);
	sqlite3_bind_int64(st, 2, r->validity);
	sqlite3_bind_int64(st, 3, r->uid);
	if (sql_step(s, st, e) < 0)
		return -1;
	/* Copies in other mailboxes will not be printed again either. */
	for (i = 0; i < n; i++) {
		hash_ident(s, v[i].id, v[i].identity, ident);
		if (hand_delete(s, consumer, hash_id(s, v[i].id), ident, e) < 0)
			return -1;
	}
	return cursor_settle(s, consumer, e);
}

static int ack_line(struct store *s, int64_t consumer, int64_t id,
		    sqlite3_stmt *found, int col, struct coi_err *e)
{
	unsigned char ident[STORE_IDENT] = {0};
	struct str v = sql_col(found, col);

	if (v.n == STORE_IDENT)
		memcpy(ident, v.p, STORE_IDENT);
	sqlite3_reset(found);
	if (seen_add(s, consumer, id, ident, store_day(), e) < 0)
		return -1;
	return hand_delete(s, consumer, id, ident, e);
}

/* 1: acknowledged (now or before), 0: never handed out. */
static int ack_id(struct store *s, int64_t consumer, struct str id,
		  struct coi_err *e)
{
	int64_t h = hash_id(s, id);
	sqlite3_stmt *st;
	int rc;

	if ((st = sql(s, Q_HAND_BY_ID, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, h);
	rc = sql_step(s, st, e);
	if (rc < 0)
		return -1;
	/* With an id that two messages share, the older line goes first. */
	if (rc == 1)
		return ack_line(s, consumer, h, st, 0, e) < 0 ? -1 : 1;
	if ((st = sql(s, Q_SEEN_ID, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, h);
	rc = sql_step(s, st, e);
	sqlite3_reset(st);
	return rc;
}

int store_ack_all(struct store *s, const char *consumer, const struct str *ids,
		  size_t n, bool *known, struct coi_err *e)
{
	int64_t c;
	size_t i;
	int rc;

	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (consumer_find(s, consumer, false, &c, e) < 0)
		goto fail;
	for (i = 0; i < n; i++) {
		rc = c == 0 ? 0 : ack_id(s, c, ids[i], e);
		if (rc < 0)
			goto fail;
		known[i] = rc == 1;
	}
	if (c != 0 && cursor_settle(s, c, e) < 0)
		goto fail;
	return tx_commit(s, "store.ack", e);
fail:
	tx_rollback(s);
	return -1;
}

static int never(struct str id, const char *consumer, struct coi_err *e)
{
	err_set(e, COI_E_NOINPUT,
		"%.*s was never handed out to the consumer \"%s\"", STR_ARG(id),
		consumer);
	err_hint(e, "--ack takes the lines of coi-fetch --no-commit, or "
		    "results that name them as source; same --consumer?");
	return -1;
}

int store_ack(struct store *s, const char *consumer, struct str id,
	      struct coi_err *e)
{
	bool known = false;

	if (store_ack_all(s, consumer, &id, 1, &known, e) < 0)
		return -1;
	return known ? 0 : never(id, consumer, e);
}

int store_ack_uid(struct store *s, const char *consumer, struct str mailbox,
		  uint32_t uid_validity, uint32_t uid, struct coi_err *e)
{
	struct cursor_row r = {0};
	sqlite3_stmt *st;
	int64_t c, id;
	int rc = 0;

	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (consumer_find(s, consumer, false, &c, e) < 0 ||
	    (c != 0 && cursor_row(s, c, mailbox, &r, e) < 0))
		goto fail;
	if (r.row != 0) {
		if ((st = sql(s, Q_HAND_BY_UID, e)) == NULL)
			goto fail;
		sqlite3_bind_int64(st, 1, r.row);
		sqlite3_bind_int64(st, 2, uid_validity);
		sqlite3_bind_int64(st, 3, uid);
		rc = sql_step(s, st, e);
		if (rc < 0)
			goto fail;
	}
	if (rc == 1) {
		id = sqlite3_column_int64(st, 0);
		if (ack_line(s, c, id, st, 1, e) < 0 ||
		    cursor_settle(s, c, e) < 0)
			goto fail;
		return tx_commit(s, "store.ack", e);
	}
	tx_rollback(s);
	/* Acknowledged before, and passed by the cursor. */
	if (r.row != 0 && r.validity == uid_validity && uid <= r.uid)
		return 0;
	return err_set(e, COI_E_NOINPUT,
		       "UID %lu of %.*s was never handed out to the consumer "
		       "\"%s\"",
		       (unsigned long)uid, STR_ARG(mailbox), consumer);
fail:
	tx_rollback(s);
	return -1;
}
