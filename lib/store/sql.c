#include "store/priv.h"

#include "core/sys.h"

/* Rows of an INSERT that adds many: the price of a statement is paid once. */
#define SEEN_1 "(?1, ?2, ?, ?)"
#define SEEN_4 SEEN_1 ", " SEEN_1 ", " SEEN_1 ", " SEEN_1
#define THREAD_1 "(?1, ?, ?, ?, ?)"
#define THREAD_4 THREAD_1 ", " THREAD_1 ", " THREAD_1 ", " THREAD_1
#define MANY_16(x) x ", " x ", " x ", " x
/* Not ON CONFLICT ... DO UPDATE: for many rows SQLite would then copy every
 * page it touches into a journal of the statement. */
#define THREAD_INTO \
	"INSERT OR IGNORE INTO thread(day, id, root, conversation, plain) "

static const char *const text[Q_MAX] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_READ] = "BEGIN",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_SAVE] = "SAVEPOINT one",
    [Q_RELEASE] = "RELEASE one",
    [Q_BACK] = "ROLLBACK TO one",
    [Q_KV_GET] = "SELECT value FROM kv WHERE name = ?1",
    [Q_KV_SET] = "INSERT INTO kv VALUES(?1, ?2) ON CONFLICT(name) "
		 "DO UPDATE SET value = ?2",
    [Q_KV_DEL] = "DELETE FROM kv WHERE name = ?1",
    [Q_CONSUMER_GET] = "SELECT id FROM consumer WHERE name = ?1",
    [Q_CONSUMER_ADD] = "INSERT INTO consumer(name) VALUES(?1)",
    [Q_CURSOR_GET] = "SELECT id, validity, uid, modseq FROM cursor "
		     "WHERE consumer = ?1 AND mailbox = ?2",
    [Q_CURSOR_ADD] = "INSERT INTO cursor(consumer, mailbox, validity, uid, "
		     "modseq, goal, goal_modseq) VALUES(?1, ?2, ?3, ?4, ?5, "
		     "0, 0)",
    [Q_CURSOR_SET] = "UPDATE cursor SET validity = ?2, uid = ?3, modseq = ?4, "
		     "goal = CASE WHEN validity = ?2 THEN goal ELSE 0 END, "
		     "goal_modseq = CASE WHEN validity = ?2 THEN goal_modseq "
		     "ELSE 0 END WHERE id = ?1",
    [Q_CURSOR_SETTLE] =
	"UPDATE cursor SET uid = max(uid, min(goal, coalesce((SELECT "
	"min(h.uid) - 1 FROM handout h WHERE h.cursor = cursor.id "
	"AND h.validity = cursor.validity AND h.gone = 0), goal))), "
	"modseq = CASE WHEN EXISTS(SELECT 1 FROM handout h "
	"WHERE h.cursor = cursor.id AND h.validity = cursor.validity "
	"AND h.gone = 0) THEN modseq ELSE max(modseq, goal_modseq) END "
	"WHERE consumer = ?1 AND goal > 0",
    [Q_SEEN_ADD] = "INSERT OR IGNORE INTO seen(day, consumer, id, ident) "
		   "VALUES" SEEN_1,
    [Q_SEEN_ADD_MANY] = "INSERT OR IGNORE INTO seen(day, consumer, id, ident) "
			"VALUES" MANY_16(SEEN_4),
    [Q_SEEN_GET] = "SELECT 1 FROM seen WHERE consumer = ?1 AND id = ?2 "
		   "AND ident = ?3",
    [Q_SEEN_ID] = "SELECT 1 FROM seen WHERE consumer = ?1 AND id = ?2 LIMIT 1",
    [Q_HAND_ANY] = "SELECT 1 FROM handout WHERE consumer = ?1 LIMIT 1",
    [Q_HAND_ADD] = "INSERT INTO handout(consumer, cursor, validity, uid, id, "
		   "ident, run, gone, day) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, "
		   "0, ?8) ON CONFLICT(cursor, validity, uid) DO UPDATE SET "
		   "id = ?5, ident = ?6, run = ?7, gone = 0, day = ?8",
    [Q_HAND_OLD] = "DELETE FROM handout WHERE consumer = ?1 AND id = ?2 "
		   "AND ident = ?3 AND cursor = ?4 "
		   "AND NOT (validity = ?5 AND uid = ?6)",
    [Q_HAND_GONE] = "UPDATE handout SET gone = 1 WHERE cursor = ?1 "
		    "AND run <> ?2 AND gone = 0 "
		    "AND (validity <> ?3 OR uid <= ?4)",
    [Q_HAND_PASSED] = "DELETE FROM handout WHERE cursor = ?1 "
		      "AND (validity <> ?2 OR uid <= ?3)",
    [Q_HAND_DONE] = "DELETE FROM handout WHERE consumer = ?1 AND id = ?2 "
		    "AND ident = ?3",
    [Q_HAND_BY_ID] = "SELECT ident FROM handout WHERE consumer = ?1 "
		     "AND id = ?2 ORDER BY cursor, validity, uid LIMIT 1",
    [Q_HAND_BY_UID] = "SELECT id, ident FROM handout WHERE cursor = ?1 "
		      "AND validity = ?2 AND uid = ?3",
    [Q_HAND_REUSED] = "SELECT 1 FROM handout WHERE consumer = ?1 AND id = ?2 "
		      "AND ident <> ?3 LIMIT 1",
    [Q_HAND_TRY] = "UPDATE handout SET tries = max(0, tries + ?4) "
		   "WHERE cursor = ?1 AND validity = ?2 AND uid = ?3 "
		   "RETURNING tries",
    [Q_DEAD_ADD] = "INSERT INTO dead(consumer, id, conversation, automatic, "
		   "retry, tries, at, why, line) VALUES(?1, ?2, ?3, ?4, 0, ?5, "
		   "?6, ?7, ?8)",
#define DEAD_COLS \
	"row, id, conversation, automatic, retry, tries, at, why, line"
    [Q_DEAD_LIST] = "SELECT " DEAD_COLS " FROM dead WHERE consumer = ?1 "
		    "ORDER BY row",
    [Q_DEAD_RETRY_LIST] = "SELECT " DEAD_COLS " FROM dead WHERE consumer = ?1 "
			  "AND retry = 1 ORDER BY row",
    [Q_DEAD_RETRY] = "UPDATE dead SET retry = 1, tries = 0 "
		     "WHERE consumer = ?1 AND id = ?2",
    [Q_DEAD_TRY] = "UPDATE dead SET tries = max(0, tries + ?2) WHERE row = ?1 "
		   "RETURNING tries",
    [Q_DEAD_AGAIN] = "UPDATE dead SET retry = 0, tries = ?2, why = ?3, "
		     "at = ?4 WHERE row = ?1",
    [Q_DEAD_DONE] = "DELETE FROM dead WHERE row = ?1",
    [Q_AUTO_OLD] = "DELETE FROM auto WHERE at <= ?1 OR at > ?2",
    [Q_AUTO_COUNT] = "SELECT count(*), max(id = ?3) FROM auto "
		     "WHERE consumer = ?1 AND conversation = ?2",
    [Q_AUTO_ADD] = "INSERT INTO auto VALUES(?1, ?2, ?3, ?4)",
    [Q_GOAL] = "UPDATE cursor SET goal = max(goal, ?2), "
	       "goal_modseq = max(goal_modseq, ?3) WHERE id = ?1",
    [Q_THREAD_ADD] = THREAD_INTO "VALUES" THREAD_1,
    [Q_THREAD_ADD_MANY] = THREAD_INTO "VALUES" MANY_16(THREAD_4),
    [Q_THREAD_DAY] = "UPDATE thread SET day = ?1 WHERE id = ?2 AND day <> ?1",
    [Q_THREAD_PLAIN] = "SELECT 1 FROM thread WHERE plain = 1 LIMIT 1",
    [Q_THREAD_GET] = "SELECT root, conversation FROM thread WHERE id = ?1",
#define OUT_COLS                                                         \
	"row, id, key, digest, sender, rcpts, state, created, expires, " \
	"error, tries, flags, sent_copy, pid, start, boot, ns, data, changed"
    [Q_OUT_KEY] = "SELECT " OUT_COLS " FROM out WHERE key = ?1",
    [Q_OUT_ADD] = "INSERT INTO out(id, key, digest, sender, rcpts, state, "
		  "created, expires, error, tries, flags, sent_copy, pid, "
		  "start, boot, ns, data, changed) VALUES(?1, ?2, ?3, ?4, ?5, "
		  "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, ?17)",
    [Q_OUT_WIRE] = "INSERT INTO wire VALUES(?1, ?2)",
    [Q_OUT_ROW] = "SELECT " OUT_COLS " FROM out WHERE row = ?1",
    [Q_OUT_OWNED] = "SELECT " OUT_COLS " FROM out WHERE state = 1",
    [Q_OUT_TAKE] = "UPDATE out SET state = 1, tries = tries + 1, pid = ?2, "
		   "start = ?3, boot = ?4, ns = ?5, data = 0, changed = ?6 "
		   "WHERE row = ?1",
    [Q_OUT_DATA] = "UPDATE out SET data = 1, changed = ?2 WHERE row = ?1",
    [Q_OUT_RESULT] = "UPDATE out SET state = ?2, error = ?3, changed = ?4, "
		     "data = 0 WHERE row = ?1",
    [Q_OUT_OURS] = "UPDATE out SET state = 2, error = ?2, changed = ?3, "
		   "data = 0 WHERE row = ?1 AND state IN (1, 3) AND pid = ?4 "
		   "AND start = ?5 AND boot = ?6 AND ns = ?7",
    [Q_OUT_RCPTS] = "UPDATE out SET rcpts = ?2 WHERE row = ?1",
    [Q_OUT_UNWIRE] = "DELETE FROM wire WHERE row = ?1",
    [Q_OUT_SPENT] = "DELETE FROM wire WHERE row = ?1 AND (SELECT sent_copy "
		    "FROM out WHERE row = ?1) <> 0",
    [Q_OUT_COPY] = "UPDATE out SET sent_copy = ?2 WHERE row = ?1",
    [Q_OUT_STATE] = "UPDATE out SET state = ?2, changed = ?3 WHERE row = ?1",
    [Q_OUT_LIST] = "SELECT " OUT_COLS " FROM out WHERE ?1 < 0 OR state = ?1 "
		   "ORDER BY row",
    /* By the index of what is not finished. */
    [Q_OUT_OPEN] = "SELECT " OUT_COLS " FROM out WHERE state = ?1 "
		   "AND (state = 0 OR state = 1 OR state = 3) ORDER BY row",
    [Q_OUT_COPIES] = "SELECT " OUT_COLS " FROM out WHERE sent_copy = 0 "
		     "AND state = ?1 ORDER BY row",
    [Q_OUT_GET] = "SELECT " OUT_COLS " FROM out WHERE id = ?1 "
		  "ORDER BY row DESC LIMIT 1",
    [Q_OUT_WIRE_GET] = "SELECT octets FROM wire WHERE row = ?1",
    [Q_OUT_BY_ID] = "SELECT " OUT_COLS " FROM out WHERE id = ?1 ORDER BY row",
    [Q_OUT_DROP] = "DELETE FROM out WHERE row = ?1",
    [Q_OUT_HAS] = "SELECT 1 FROM out WHERE id = ?1 LIMIT 1",
    [Q_OUT_ANY] = "SELECT 1 FROM out LIMIT 1",
    [Q_PRUNE_SEEN] = "DELETE FROM seen WHERE day < ?1",
    [Q_PRUNE_THREAD] = "DELETE FROM thread WHERE day < ?1",
    [Q_PRUNE_HAND] = "DELETE FROM handout WHERE gone = 1 AND day < ?1",
    [Q_PRUNE_DEAD] = "DELETE FROM dead WHERE at < ?1",
    [Q_PRUNE_WIRE] = "DELETE FROM wire WHERE row IN (SELECT row FROM out "
		     "WHERE state IN (2, 4, 5) AND changed < ?1)",
    [Q_PRUNE_OUT] = "DELETE FROM out WHERE state IN (2, 4, 5) "
		    "AND changed < ?1",
};

int sql_fail(struct store *s, int rc, const char *what, struct coi_err *e)
{
	const char *why = s->db != NULL ? sqlite3_errmsg(s->db)
					: sqlite3_errstr(rc);
	enum coi_code code = COI_E_IO;
	const char *hint = NULL;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err_set(e, COI_E_TEMP,
			"another process keeps the state database %s locked",
			s->path);
		err_hint(e, "try again later");
		return -1;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err_set(e, COI_E_IO, "the state database %s is damaged: %s",
			s->path, why);
		err_hint(e, "it was left as it is; move it and its -wal file "
			    "away to start a new one (what was printed comes "
			    "again once, the send queue is in the old file)");
		return -1;
	case SQLITE_NOMEM:
		code = COI_E_OS;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		code = COI_E_CREATE;
		hint = "choose a folder that can be written with --state-dir";
		break;
	case SQLITE_FULL:
		hint = "make room on the disk";
		break;
	case SQLITE_MISUSE:
	case SQLITE_ERROR:
	case SQLITE_CONSTRAINT:
	case SQLITE_RANGE:
	case SQLITE_MISMATCH:
		code = COI_E_INTERNAL;
		break;
	default:
		break;
	}
	err_set(e, code, "state database %s: %s: %s", s->path, what, why);
	if (hint != NULL)
		err_hint(e, "%s", hint);
	return -1;
}

int sql_exec(struct store *s, const char *script, struct coi_err *e)
{
	int rc = sqlite3_exec(s->db, script, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(s, rc, "schema", e);
}

sqlite3_stmt *sql(struct store *s, enum query q, struct coi_err *e)
{
	int rc;

	if (s->q[q] == NULL) {
		rc = sqlite3_prepare_v3(s->db, text[q], -1,
					SQLITE_PREPARE_PERSISTENT, &s->q[q],
					NULL);
		if (rc != SQLITE_OK) {
			sql_fail(s, rc, "prepare", e);
			return NULL;
		}
	} else {
		sqlite3_reset(s->q[q]);
		sqlite3_clear_bindings(s->q[q]);
	}
	return s->q[q];
}

int sql_step(struct store *s, sqlite3_stmt *st, struct coi_err *e)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		sql_fail(s, rc, "step", e);
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

void sql_text(sqlite3_stmt *st, int at, struct str v)
{
	if (v.p == NULL)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_text64(st, at, v.p, v.n, SQLITE_STATIC,
				    SQLITE_UTF8);
}

void sql_blob(sqlite3_stmt *st, int at, struct str v)
{
	if (v.p == NULL)
		sqlite3_bind_null(st, at);
	else
		sqlite3_bind_blob64(st, at, v.p, v.n, SQLITE_STATIC);
}

struct str sql_col(sqlite3_stmt *st, int at)
{
	struct str v = STR_NONE;

	if (sqlite3_column_type(st, at) == SQLITE_NULL)
		return v;
	v.p = sqlite3_column_blob(st, at);
	v.n = (size_t)sqlite3_column_bytes(st, at);
	if (v.p == NULL)
		v.p = ""; /* SQLite gives NULL for what is empty */
	return v;
}

struct str sql_dup(struct arena *a, sqlite3_stmt *st, int at)
{
	struct str v = sql_col(st, at);

	return v.p == NULL ? v : arena_str(a, v);
}

static int plain(struct store *s, enum query q, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, q, e);

	return st == NULL ? -1 : sql_step(s, st, e);
}

int store_read(struct store *s, struct coi_err *e)
{
	if (s->reading || s->group)
		return 0;
	if (plain(s, Q_READ, e) < 0)
		return -1;
	s->reading = true;
	return 0;
}

void store_read_end(struct store *s)
{
	struct coi_err ignored = {0};

	if (!s->reading)
		return;
	s->reading = false;
	memset(&s->look, 0, sizeof(s->look));
	plain(s, Q_COMMIT, &ignored);
}

int tx_begin(struct store *s, enum sync sync, struct coi_err *e)
{
	if (s->group)
		return plain(s, Q_SAVE, e);
	store_read_end(s);
	if (s->sync != (int)sync) {
		if (sql_exec(s,
			     sync == SYNC_DISK ? "PRAGMA synchronous=FULL"
					       : "PRAGMA synchronous=NORMAL",
			     e) < 0)
			return -1;
		s->sync = (int)sync;
	}
	if (plain(s, Q_BEGIN, e) < 0)
		return -1;
	if (thread_flush(s, e) < 0 || marks_flush(s, e) < 0) {
		tx_rollback(s);
		return -1;
	}
	return 0;
}

static void point(const char *name, const char *side)
{
	char full[64];

	snprintf(full, sizeof(full), "%s.%s", name, side);
	sys_point(full);
}

int tx_commit(struct store *s, const char *name, struct coi_err *e)
{
	if (s->group)
		return plain(s, Q_RELEASE, e);
	if (name != NULL)
		point(name, "before");
	if (plain(s, Q_COMMIT, e) < 0) {
		tx_rollback(s);
		return -1;
	}
	thread_forget(s);
	marks_flushed(s);
	if (name != NULL)
		point(name, "after");
	return 0;
}

void tx_rollback(struct store *s)
{
	struct coi_err ignored = {0};

	/* Some failures end the transaction by themselves. */
	if (sqlite3_get_autocommit(s->db) != 0)
		return;
	if (s->group) {
		plain(s, Q_BACK, &ignored);
		plain(s, Q_RELEASE, &ignored);
	} else {
		plain(s, Q_ROLLBACK, &ignored);
	}
}

int store_begin(struct store *s, bool durable, struct coi_err *e)
{
	if (s->group)
		return err_set(e, COI_E_INTERNAL, "state: a group in a group");
	if (tx_begin(s, durable ? SYNC_DISK : SYNC_KERNEL, e) < 0)
		return -1;
	s->group = true;
	s->half = false;
	return 0;
}

int store_end(struct store *s, bool commit, struct coi_err *e)
{
	if (!s->group)
		return 0;
	s->group = false;
	if (!commit) {
		tx_rollback(s);
		return 0;
	}
	if (sqlite3_get_autocommit(s->db) != 0 || s->half) {
		tx_rollback(s);
		return err_set(e, COI_E_IO, "state: the transaction was lost");
	}
	/* Threads that came in between. */
	if (thread_flush(s, e) < 0) {
		tx_rollback(s);
		return -1;
	}
	return tx_commit(s, "store.group", e);
}
