#include "store/out_priv.h"

#include <stdlib.h>

static int list(struct store *s, struct arena *a, enum query q, int state,
		bool wire, struct store_out **v, size_t *n, struct coi_err *e)
{
	sqlite3_stmt *st;
	size_t cap = 0, i;
	int rc;

	*v = NULL;
	*n = 0;
	if (out_recover(s, e) < 0 || (st = sql(s, q, e)) == NULL)
		return -1;
	sqlite3_bind_int(st, 1, state);
	while ((rc = sql_step(s, st, e)) == 1) {
		*v = arena_more(a, *v, *n, &cap, sizeof(**v));
		out_read(a, st, &(*v)[(*n)++]);
	}
	for (i = 0; i < *n && wire && rc == 0; i++)
		rc = out_wire(s, a, &(*v)[i], e);
	return rc;
}

int store_out_list(struct store *s, struct arena *a, int state, bool wire,
		   struct store_out **v, size_t *n, struct coi_err *e)
{
	bool open = state == STORE_QUEUED || state == STORE_SUBMITTING ||
		    state == STORE_UNKNOWN;

	return list(s, a, open ? Q_OUT_OPEN : Q_OUT_LIST, state, wire, v, n, e);
}

int store_out_copies(struct store *s, struct arena *a, struct store_out **v,
		     size_t *n, struct coi_err *e)
{
	return list(s, a, Q_OUT_COPIES, STORE_ACCEPTED, true, v, n, e);
}

int store_out_get(struct store *s, struct arena *a, struct str id, bool wire,
		  struct store_out *o, bool *found, struct coi_err *e)
{
	sqlite3_stmt *st;
	int rc;

	*found = false;
	if (out_recover(s, e) < 0 || (st = sql(s, Q_OUT_GET, e)) == NULL)
		return -1;
	sql_text(st, 1, id);
	rc = sql_step(s, st, e);
	if (rc <= 0)
		return rc;
	out_read(a, st, o);
	sqlite3_reset(st);
	*found = true;
	return wire ? out_wire(s, a, o, e) : 0;
}

/* One row that may go, with its state. */
struct victim {
	int64_t row;
	enum store_state state;
	bool ours; /* we hold it in SUBMITTING */
};

static int drop_row(struct store *s, const struct victim *v, struct coi_err *e)
{
	if (out_by_row(s, Q_OUT_UNWIRE, v->row, e) < 0)
		return -1;
	/* It may have arrived: its id and key stay taken. */
	if (v->state == STORE_UNKNOWN)
		return out_put(s, v->row, STORE_EXPIRED, STR("dropped"),
			       STR_NONE, e);
	return out_by_row(s, Q_OUT_DROP, v->row, e);
}

/* 0, or -1; *busy: another process is sending one. */
static int victims(struct store *s, struct str id, struct victim **v, size_t *n,
		   bool *busy, bool *ours, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_BY_ID, e);
	struct victim one;
	struct owner o;
	size_t cap = 0;
	int rc;

	if (st == NULL)
		return -1;
	sql_text(st, 1, id);
	while ((rc = sql_step(s, st, e)) == 1) {
		one = (struct victim){
		    sqlite3_column_int64(st, C_ROW),
		    (enum store_state)sqlite3_column_int(st, C_STATE), false};
		if (one.state == STORE_ACCEPTED)
			continue;
		if (one.state == STORE_SUBMITTING) {
			out_owner(st, &o);
			one.ours = owner_is_self(s, &o);
			*ours |= one.ours;
			*busy |= !one.ours;
			if (!one.ours)
				continue;
		}
		*v = mem_more(*v, *n, &cap, sizeof(**v));
		(*v)[(*n)++] = one;
	}
	return rc;
}

int store_out_drop(struct store *s, struct str id, struct coi_err *e)
{
	struct victim *v = NULL;
	size_t n = 0, i;
	bool busy = false, ours = false;
	int rc = -1;

	if (out_recover(s, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		goto out;
	rc = victims(s, id, &v, &n, &busy, &ours, e);
	for (i = 0; i < n && rc == 0; i++)
		if (!ours || v[i].ours)
			rc = drop_row(s, &v[i], e);
	if (rc == 0 && n == 0)
		rc = busy ? err_set(e, COI_E_TEMP, "%.*s is being sent",
				    STR_ARG(id))
			  : err_set(e, COI_E_NOINPUT, "%.*s is not queued",
				    STR_ARG(id));
	if (rc < 0)
		tx_rollback(s);
	else
		rc = tx_commit(s, "store.out.drop", e);
out:
	free(v);
	return rc;
}

int store_sent_has(struct store *s, struct str id, bool *has, struct coi_err *e)
{
	sqlite3_stmt *st;
	int rc;

	*has = false;
	if (s->reading && s->look.out == ASK) {
		if ((st = sql(s, Q_OUT_ANY, e)) == NULL ||
		    (rc = sql_step(s, st, e)) < 0)
			return -1;
		sqlite3_reset(st);
		s->look.out = rc == 1 ? SOME : NONE;
	}
	if (s->look.out == NONE)
		return 0;
	if ((st = sql(s, Q_OUT_HAS, e)) == NULL)
		return -1;
	sql_text(st, 1, id);
	rc = sql_step(s, st, e);
	*has = rc == 1;
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}
