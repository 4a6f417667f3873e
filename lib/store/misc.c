#include "store/priv.h"

#include "core/sys.h"

int store_get(struct store *s, struct arena *a, const char *name,
	      struct str *value, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_KV_GET, e);
	int rc;

	*value = STR_NONE;
	if (st == NULL)
		return -1;
	sql_text(st, 1, str_of(name));
	rc = sql_step(s, st, e);
	if (rc == 1)
		*value = sql_dup(a, st, 0);
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

/* 1 when the value is there already. */
static int kv_same(struct store *s, const char *name, struct str value,
		   struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_KV_GET, e);
	struct str old;
	int rc;

	if (st == NULL)
		return -1;
	sql_text(st, 1, str_of(name));
	rc = sql_step(s, st, e);
	if (rc < 0)
		return -1;
	old = rc == 1 ? sql_col(st, 0) : STR_NONE;
	rc = (old.p == NULL) == (value.p == NULL) && str_eq(old, value);
	sqlite3_reset(st);
	return rc;
}

int store_set(struct store *s, const char *name, struct str value,
	      struct coi_err *e)
{
	sqlite3_stmt *st;
	int rc = kv_same(s, name, value, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	st = sql(s, value.p == NULL ? Q_KV_DEL : Q_KV_SET, e);
	if (st == NULL)
		goto fail;
	sql_text(st, 1, str_of(name));
	if (value.p != NULL)
		sql_blob(st, 2, value);
	if (sql_step(s, st, e) < 0)
		goto fail;
	return tx_commit(s, "store.set", e);
fail:
	tx_rollback(s);
	return -1;
}

int store_prune(struct store *s, unsigned days, struct coi_err *e)
{
	static const struct {
		enum query q;
		int64_t unit;
	} job[] = {{Q_PRUNE_SEEN, 1},	  {Q_PRUNE_THREAD, 1},
		   {Q_PRUNE_HAND, 1},	  {Q_PRUNE_DEAD, 86400},
		   {Q_PRUNE_WIRE, 86400}, {Q_PRUNE_OUT, 86400}};
	int64_t day = store_day() - days, now = sys_now();
	char mark[64];
	struct str done;
	sqlite3_stmt *st;
	size_t i;
	int rc;

	snprintf(mark, sizeof(mark), "%lld %u", (long long)store_day(), days);
	done = str_of(mark);
	rc = kv_same(s, "store.pruned", done, e);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (tx_begin(s, SYNC_KERNEL, e) < 0)
		return -1;
	for (i = 0; i < sizeof(job) / sizeof(job[0]); i++) {
		if ((st = sql(s, job[i].q, e)) == NULL)
			goto fail;
		sqlite3_bind_int64(
		    st, 1, job[i].unit == 1 ? day : now - days * job[i].unit);
		if (sql_step(s, st, e) < 0)
			goto fail;
	}
	if ((st = sql(s, Q_KV_SET, e)) == NULL)
		goto fail;
	sql_text(st, 1, STR("store.pruned"));
	sql_blob(st, 2, done);
	if (sql_step(s, st, e) < 0)
		goto fail;
	return tx_commit(s, "store.prune", e);
fail:
	tx_rollback(s);
	return -1;
}
