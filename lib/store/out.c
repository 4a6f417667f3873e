#include "store/out_priv.h"

#include "core/sys.h"

static int no_row(int64_t row, struct coi_err *e)
{
	return err_set(e, COI_E_NOINPUT, "no message %lld in the send log",
		       (long long)row);
}

static int not_ours(struct coi_err *e)
{
	err_set(e, COI_E_TEMP,
		"another process took this message over while we held it");
	err_hint(e, "coi-send --queue-list shows what became of it");
	return -1;
}

/* 1: the key is there with this digest. */
static int find_key(struct store *s, struct arena *a, const struct store_out *o,
		    struct store_out *existing, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_KEY, e);
	int rc;

	if (st == NULL)
		return -1;
	sql_text(st, 1, o->key);
	rc = sql_step(s, st, e);
	if (rc != 1)
		return rc;
	if (!str_eq(sql_col(st, C_DIGEST), o->digest)) {
		sqlite3_reset(st);
		err_set(e, COI_E_DATA,
			"idempotency key \"%.*s\" was used for other content",
			STR_ARG(o->key));
		err_hint(e, "take a new key for a new message");
		return -1;
	}
	out_read(a, st, existing);
	sqlite3_reset(st);
	return out_wire(s, a, existing, e) < 0 ? -1 : 1;
}

static int insert(struct store *s, struct store_out *o, struct str rcpts,
		  struct coi_err *e)
{
	struct owner none = {0};
	int64_t now = sys_now();
	sqlite3_stmt *st = sql(s, Q_OUT_ADD, e);

	if (st == NULL)
		return -1;
	if (o->created == 0)
		o->created = now;
	o->tries = o->state == STORE_SUBMITTING;
	sql_text(st, 1, o->id);
	sql_text(st, 2, o->key);
	sql_text(st, 3, o->digest);
	sql_text(st, 4, o->from);
	sql_text(st, 5, rcpts);
	sqlite3_bind_int(st, 6, o->state);
	sqlite3_bind_int64(st, 7, o->created);
	sqlite3_bind_int64(st, 8, o->expires);
	sql_text(st, 9, o->last_error);
	sqlite3_bind_int64(st, 10, o->tries);
	sqlite3_bind_int(
	    st, 11, (o->utf8 ? FLAG_UTF8 : 0) | (o->eight_bit ? FLAG_8BIT : 0));
	sqlite3_bind_int(st, 12, o->sent_copy);
	out_bind_owner(st, 13,
		       o->state == STORE_SUBMITTING ? owner_self(s) : &none);
	sqlite3_bind_int64(st, 17, now);
	if (sql_step(s, st, e) < 0)
		return -1;
	o->row = sqlite3_last_insert_rowid(s->db);
	if (o->state == STORE_SUBMITTING)
		marks_hold(s, o->row);
	if (o->wire.p == NULL)
		return 0;
	if ((st = sql(s, Q_OUT_WIRE, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, o->row);
	sql_blob(st, 2, o->wire);
	return sql_step(s, st, e);
}

int store_out_add(struct store *s, struct arena *a, struct store_out *o,
		  struct store_out *existing, bool *exists, struct coi_err *e)
{
	struct buf rcpts = {0};
	int rc = -1;

	*exists = false;
	if (o->id.n == 0 ||
	    (o->state != STORE_QUEUED && o->state != STORE_SUBMITTING))
		return err_set(e, COI_E_INTERNAL, "send log: bad new message");
	if (out_join(o->rcpts, o->nrcpts, &rcpts, e) < 0)
		goto out;
	if (o->key.p != NULL && out_recover(s, e) < 0)
		goto out;
	/* In a group without a savepoint, which would cost as much as all the
	 * rest: a lack of room half way through is the end of the group. */
	if (!s->group && tx_begin(s, SYNC_DISK, e) < 0)
		goto out;
	rc = o->key.p != NULL ? find_key(s, a, o, existing, e) : 0;
	*exists = rc == 1;
	if (rc == 0 && insert(s, o, buf_view(&rcpts), e) < 0) {
		s->half = true;
		rc = -1;
	}
	if (rc == 0 && !s->group)
		rc = tx_commit(s, "store.out.add", e);
	else if (!s->group)
		tx_rollback(s);
	rc = rc < 0 ? -1 : 0;
out:
	buf_free(&rcpts);
	return rc;
}

int store_out_take(struct store *s, int64_t row, struct coi_err *e)
{
	struct hold h;
	sqlite3_stmt *st;
	int rc;

	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	rc = out_hold(s, row, &h, e);
	if (rc < 0)
		goto fail;
	if (rc == 1 && h.state == STORE_SUBMITTING &&
	    owner_is_dead(s, &h.owner, h.changed)) {
		if (out_settle_dead(s, row, &h, e) < 0)
			goto fail;
		if (h.state != STORE_QUEUED) {
			rc = tx_commit(s, "store.recover", e);
			return rc < 0 ? -1 : 1;
		}
	}
	if (rc == 0 || h.state != STORE_QUEUED) {
		tx_rollback(s);
		return 1;
	}
	if ((st = sql(s, Q_OUT_TAKE, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, row);
	out_bind_owner(st, 2, owner_self(s));
	sqlite3_bind_int64(st, 6, sys_now());
	if (sql_step(s, st, e) < 0)
		goto fail;
	marks_hold(s, row);
	return tx_commit(s, "store.out.take", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_out_retry(struct store *s, int64_t row, struct coi_err *e)
{
	struct hold h;
	int rc;

	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	rc = out_hold(s, row, &h, e);
	if (rc < 0)
		goto fail;
	if (rc == 0 || h.state != STORE_UNKNOWN) {
		tx_rollback(s);
		return 1;
	}
	if (out_state(s, row, STORE_QUEUED, e) < 0)
		goto fail;
	return tx_commit(s, "store.out.retry", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_out_data(struct store *s, int64_t row, struct coi_err *e)
{
	struct hold h;
	sqlite3_stmt *st;
	int rc;

	if (marks_held(s, row)) {
		sys_point("store.out.data.before");
		if (marks_put(s, row, MARK_DATA) < 0)
			return not_ours(e);
		sys_point("store.out.data.after");
		return 0;
	}
	if (tx_begin(s, SYNC_KERNEL, e) < 0)
		return -1;
	rc = out_hold(s, row, &h, e);
	if (rc == 0)
		no_row(row, e);
	if (rc <= 0)
		goto fail;
	if (h.state != STORE_SUBMITTING || !owner_is_self(s, &h.owner)) {
		not_ours(e);
		goto fail;
	}
	if ((st = sql(s, Q_OUT_DATA, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, row);
	sqlite3_bind_int64(st, 2, sys_now());
	if (sql_step(s, st, e) < 0)
		goto fail;
	return tx_commit(s, "store.out.data", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_out_result(struct store *s, int64_t row, enum store_state state,
		     struct str error, const struct str *left, size_t nleft,
		     struct coi_err *e)
{
	/* After a crash of the machine a row without its result is UNKNOWN;
	 * one that waits to go out must still do so. */
	enum sync sync = state == STORE_ACCEPTED || state == STORE_UNKNOWN
			     ? SYNC_KERNEL
			     : SYNC_DISK;
	struct buf rcpts = {0};
	struct hold h;
	int rc;

	if (state == STORE_SUBMITTING)
		return err_set(e, COI_E_INTERNAL, "send log: no result");
	if (state == STORE_ACCEPTED && nleft == 0 && marks_held(s, row)) {
		sys_point("store.out.result.before");
		if (marks_put(s, row, MARK_ACCEPTED) == 0) {
			sys_point("store.out.result.after");
			marks_result(s, row, error);
			return 0;
		}
	}
	rc = out_join(left, nleft, &rcpts, e);
	if (rc < 0)
		goto out;
	rc = tx_begin(s, sync, e);
	if (rc < 0)
		goto out;
	rc = out_hold(s, row, &h, e);
	if (rc == 0)
		rc = no_row(row, e);
	if (rc > 0 && h.state != STORE_QUEUED && !out_is_ours(s, &h))
		rc = not_ours(e);
	if (rc > 0)
		rc = state == STORE_ACCEPTED && nleft == 0
			 ? out_accept(s, row, &h, error, e)
			 : out_put(s, row, state, error, buf_view(&rcpts), e);
	if (rc < 0)
		tx_rollback(s);
	else
		rc = tx_commit(s, "store.out.result", e);
out:
	buf_free(&rcpts);
	return rc;
}

int store_out_sent_copy(struct store *s, int64_t row, int done,
			struct coi_err *e)
{
	struct hold h;
	sqlite3_stmt *st;
	int rc;

	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	rc = out_hold(s, row, &h, e);
	if (rc == 0)
		no_row(row, e);
	if (rc <= 0 || (st = sql(s, Q_OUT_COPY, e)) == NULL)
		goto fail;
	sqlite3_bind_int64(st, 1, row);
	sqlite3_bind_int(st, 2, done);
	if (sql_step(s, st, e) < 0)
		goto fail;
	if (h.state == STORE_ACCEPTED && done != 0 &&
	    out_by_row(s, Q_OUT_UNWIRE, row, e) < 0)
		goto fail;
	return tx_commit(s, "store.out.copy", e);
fail:
	tx_rollback(s);
	return -1;
}
