#include "store/out_priv.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/sys.h"

/* --- rows ----------------------------------------------------------------- */

/* No address holds a line feed. */
int out_join(const struct str *v, size_t n, struct buf *b, struct coi_err *e)
{
	size_t i;

	if (n > LIMIT_RCPTS)
		return err_set(e, COI_E_DATA, "more than %u recipients",
			       LIMIT_RCPTS);
	for (i = 0; i < n; i++) {
		if (v[i].n == 0 || memchr(v[i].p, '\n', v[i].n) != NULL)
			return err_set(e, COI_E_DATA, "bad recipient \"%.*s\"",
				       STR_ARG(v[i]));
		if (i > 0)
			buf_c(b, '\n');
		buf_str(b, v[i]);
	}
	return 0;
}

static void split(struct arena *a, struct str text, struct store_out *o)
{
	size_t i, n = text.n > 0;
	struct str rest = text;

	for (i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	o->nrcpts = n;
	o->rcpts = arena_alloc(a, (n + 1) * sizeof(*o->rcpts));
	for (i = 0; i < n; i++)
		o->rcpts[i] = str_split(&rest, '\n');
}

void out_read(struct arena *a, sqlite3_stmt *st, struct store_out *o)
{
	unsigned flags = (unsigned)sqlite3_column_int(st, C_FLAGS);

	*o = (struct store_out){
	    .row = sqlite3_column_int64(st, C_ROW),
	    .id = sql_dup(a, st, C_ID),
	    .key = sql_dup(a, st, C_KEY),
	    .digest = sql_dup(a, st, C_DIGEST),
	    .from = sql_dup(a, st, C_FROM),
	    .state = (enum store_state)sqlite3_column_int(st, C_STATE),
	    .created = sqlite3_column_int64(st, C_CREATED),
	    .expires = sqlite3_column_int64(st, C_EXPIRES),
	    .last_error = sql_dup(a, st, C_ERROR),
	    .tries = (unsigned)sqlite3_column_int(st, C_TRIES),
	    .utf8 = (flags & FLAG_UTF8) != 0,
	    .eight_bit = (flags & FLAG_8BIT) != 0,
	    .sent_copy = sqlite3_column_int(st, C_COPY),
	};
	split(a, sql_dup(a, st, C_RCPTS), o);
}

static void copy_z(char *dst, size_t cap, struct str s)
{
	size_t n = s.n < cap - 1 ? s.n : cap - 1;

	if (n > 0)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
}

void out_owner(sqlite3_stmt *st, struct owner *o)
{
	*o = (struct owner){
	    .pid = (pid_t)sqlite3_column_int64(st, C_PID),
	    .start = (uint64_t)sqlite3_column_int64(st, C_START)};
	copy_z(o->boot, sizeof(o->boot), sql_col(st, C_BOOT));
	copy_z(o->ns, sizeof(o->ns), sql_col(st, C_NS));
}

void out_bind_owner(sqlite3_stmt *st, int at, const struct owner *o)
{
	sqlite3_bind_int64(st, at, o->pid);
	sqlite3_bind_int64(st, at + 1, (int64_t)o->start);
	sql_text(st, at + 2, str_of(o->boot));
	sql_text(st, at + 3, str_of(o->ns));
}

int out_wire(struct store *s, struct arena *a, struct store_out *o,
	     struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_WIRE_GET, e);
	int rc;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, o->row);
	rc = sql_step(s, st, e);
	if (rc == 1)
		o->wire = sql_dup(a, st, 0);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/* --- changes -------------------------------------------------------------- */

int out_state(struct store *s, int64_t row, enum store_state state,
	      struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_STATE, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, row);
	sqlite3_bind_int(st, 2, state);
	sqlite3_bind_int64(st, 3, sys_now());
	return sql_step(s, st, e);
}

int out_by_row(struct store *s, enum query q, int64_t row, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, q, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, row);
	return sql_step(s, st, e);
}

int out_hold(struct store *s, int64_t row, struct hold *h, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_ROW, e);
	int rc;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, row);
	rc = sql_step(s, st, e);
	if (rc != 1)
		return rc;
	h->state = (enum store_state)sqlite3_column_int(st, C_STATE);
	h->sent_copy = sqlite3_column_int(st, C_COPY);
	h->data = sqlite3_column_int(st, C_DATA) != 0;
	h->changed = sqlite3_column_int64(st, C_CHANGED);
	out_owner(st, &h->owner);
	sqlite3_reset(st);
	return 1;
}

bool out_is_ours(struct store *s, const struct hold *h)
{
	return (h->state == STORE_SUBMITTING || h->state == STORE_UNKNOWN) &&
	       owner_is_self(s, &h->owner);
}

int out_accept(struct store *s, int64_t row, const struct hold *h,
	       struct str error, struct coi_err *e)
{
	if (out_put(s, row, STORE_ACCEPTED, error, STR_NONE, e) < 0)
		return -1;
	/* The octets wait for the copy in the sent folder, if one is wanted. */
	return h->sent_copy != 0 ? out_by_row(s, Q_OUT_UNWIRE, row, e) : 0;
}

int out_settle_dead(struct store *s, int64_t row, struct hold *h,
		    struct coi_err *e)
{
	struct marks_log *l = marks_seize(s, &h->owner);
	enum mark m = marks_of(l, row);

	marks_free(l);
	if (h->data || h->owner.boot[0] == '\0' ||
	    !owner_is_of_boot(s, &h->owner))
		m = MARK_UNKNOWN;
	if (m == MARK_ACCEPTED) {
		h->state = STORE_ACCEPTED;
		return out_accept(s, row, h, STR_NONE, e);
	}
	h->state = m == MARK_NONE ? STORE_QUEUED : STORE_UNKNOWN;
	return out_state(s, row, h->state, e);
}

/*
 * Rows whose sender died: UNKNOWN where data may have left, else QUEUED.
 * Collected first, written only if there are any.
 */
int out_recover(struct store *s, struct coi_err *e)
{
	sqlite3_stmt *st;
	int64_t *row = NULL;
	size_t n = 0, cap = 0, i;
	struct owner o, *dead = NULL;
	size_t ndead = 0, dead_cap = 0;
	struct hold h;
	int rc;

	if (marks_write(s, e) < 0 || (st = sql(s, Q_OUT_OWNED, e)) == NULL)
		return -1;
	while ((rc = sql_step(s, st, e)) == 1) {
		out_owner(st, &o);
		if (!owner_is_dead(s, &o, sqlite3_column_int64(st, C_CHANGED)))
			continue;
		row = mem_more(row, n, &cap, sizeof(*row));
		row[n++] = sqlite3_column_int64(st, C_ROW);
		if (ndead > 0 && memcmp(&dead[ndead - 1], &o, sizeof(o)) == 0)
			continue;
		dead = mem_more(dead, ndead, &dead_cap, sizeof(*dead));
		dead[ndead++] = o;
	}
	if (rc < 0 || n == 0)
		goto out;
	rc = tx_begin(s, SYNC_DISK, e);
	for (i = 0; i < n && rc >= 0; i++) {
		rc = out_hold(s, row[i], &h, e);
		if (rc == 1 && h.state == STORE_SUBMITTING &&
		    owner_is_dead(s, &h.owner, h.changed))
			rc = out_settle_dead(s, row[i], &h, e);
	}
	if (rc < 0)
		tx_rollback(s);
	else
		rc = tx_commit(s, "store.recover", e);
	for (i = 0; i < ndead && rc == 0 && !s->group; i++)
		marks_remove(s, &dead[i]);
out:
	free(row);
	free(dead);
	return rc;
}

int out_put(struct store *s, int64_t row, enum store_state state,
	    struct str error, struct str left, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_RESULT, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, row);
	sqlite3_bind_int(st, 2, state);
	sql_text(st, 3, error);
	sqlite3_bind_int64(st, 4, sys_now());
	if (sql_step(s, st, e) < 0)
		return -1;
	if (left.n == 0)
		return 0;
	if ((st = sql(s, Q_OUT_RCPTS, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, row);
	sql_text(st, 2, left);
	return sql_step(s, st, e);
}
