#include "store/priv.h"

#include <time.h>

#include "core/sys.h"

/*
 * thread: plain marks ids that are not of the chat$ or coi$ form.
 * seen: `id` is a keyed hash of the Message-ID, `ident` the first octets of
 * the identity: some 40 octets a message.  `day` counts from 1970.
 * handout: lines given out with --no-commit, cursor.goal is how far all was
 * looked at.  wire stands apart so that a change of state does not rewrite
 * the octets of the message.
 */
static const char schema_1[] =
    "CREATE TABLE kv(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE consumer(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE cursor(id INTEGER PRIMARY KEY, consumer INT NOT NULL,"
    " mailbox TEXT NOT NULL, validity INT NOT NULL, uid INT NOT NULL,"
    " modseq INT NOT NULL, goal INT NOT NULL, goal_modseq INT NOT NULL,"
    " UNIQUE(consumer, mailbox));"
    "CREATE TABLE seen(consumer INT NOT NULL, id INT NOT NULL,"
    " ident BLOB NOT NULL, day INT NOT NULL,"
    " PRIMARY KEY(consumer, id, ident)) WITHOUT ROWID;"
    "CREATE TABLE handout(consumer INT NOT NULL, cursor INT NOT NULL,"
    " validity INT NOT NULL, uid INT NOT NULL, id INT NOT NULL,"
    " ident BLOB NOT NULL, run INT NOT NULL, gone INT NOT NULL,"
    " day INT NOT NULL, PRIMARY KEY(cursor, validity, uid)) WITHOUT ROWID;"
    "CREATE INDEX handout_id ON handout(consumer, id);"
    "CREATE TABLE thread(id INTEGER PRIMARY KEY, root TEXT,"
    " conversation TEXT, day INT NOT NULL, plain INT NOT NULL);"
    "CREATE INDEX thread_plain ON thread(plain) WHERE plain = 1;"
    "CREATE TABLE out(row INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL, key TEXT UNIQUE, digest TEXT, sender TEXT,"
    " rcpts TEXT NOT NULL, state INT NOT NULL, created INT NOT NULL,"
    " expires INT NOT NULL, error TEXT, tries INT NOT NULL,"
    " flags INT NOT NULL, sent_copy INT NOT NULL, pid INT, start INT,"
    " boot TEXT, ns TEXT, data INT NOT NULL, changed INT NOT NULL);"
    "CREATE INDEX out_id ON out(id);"
    /* Spelt so that SQLite sees that `state = 1` is among them. */
    "CREATE INDEX out_state ON out(state)"
    " WHERE state = 0 OR state = 1 OR state = 3;"
    "CREATE INDEX out_copy ON out(state) WHERE sent_copy = 0;"
    "CREATE TABLE wire(row INTEGER PRIMARY KEY, octets BLOB NOT NULL);"
    "PRAGMA user_version=1;";

/*
 * tries: how often a handler was run for a line.  dead: what handlers could
 * not take.  auto: automatic messages of the last hour that were handled.
 */
static const char schema_2[] =
    "ALTER TABLE handout ADD COLUMN tries INT NOT NULL DEFAULT 0;"
    "CREATE TABLE dead(row INTEGER PRIMARY KEY AUTOINCREMENT,"
    " consumer INT NOT NULL, id TEXT NOT NULL, conversation TEXT,"
    " automatic INT NOT NULL, retry INT NOT NULL, tries INT NOT NULL,"
    " at INT NOT NULL, why TEXT NOT NULL, line BLOB NOT NULL);"
    "CREATE INDEX dead_consumer ON dead(consumer, retry);"
    "CREATE TABLE auto(consumer INT NOT NULL, conversation INT NOT NULL,"
    " id INT NOT NULL, at INT NOT NULL,"
    " PRIMARY KEY(consumer, conversation, id)) WITHOUT ROWID;"
    "PRAGMA user_version=2;";

static int number(struct store *s, const char *query, int64_t *v,
		  struct coi_err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, query, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		*v = sqlite3_column_int64(st, 0);
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_OK)
		sql_fail(s, rc, "open", e);
	sqlite3_finalize(st);
	return rc == SQLITE_OK ? 0 : -1;
}

/* SQLite does not wait for others when it changes the journal mode. */
static int go_wal(struct store *s, struct coi_err *e)
{
	int64_t end = sys_mono_ms() + 10000;
	struct timespec nap = {0, 5000000};
	int rc;

	for (;;) {
		rc = sqlite3_exec(s->db, "PRAGMA journal_mode=WAL", NULL, NULL,
				  NULL);
		if ((rc & 0xff) != SQLITE_BUSY || sys_mono_ms() >= end)
			break;
		nanosleep(&nap, NULL);
	}
	return rc == SQLITE_OK ? 0 : sql_fail(s, rc, "open", e);
}

static int foreign(struct store *s, struct coi_err *e)
{
	err_set(e, COI_E_CONFIG,
		"%s is an SQLite database, but not a state database", s->path);
	err_hint(e, "choose another folder with --state-dir");
	return -1;
}

static int create(struct store *s, struct coi_err *e)
{
	int64_t version = 0, tables = 0;
	uint64_t key[2];
	sqlite3_stmt *st;

	if (go_wal(s, e) < 0)
		return -1;
	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	/* Another process may have been here meanwhile. */
	if (number(s, "PRAGMA user_version", &version, e) < 0 ||
	    number(s, "SELECT count(*) FROM sqlite_schema", &tables, e) < 0)
		goto fail;
	if (version != 0) {
		tx_rollback(s);
		return 0;
	}
	if (tables != 0) {
		foreign(s, e);
		goto fail;
	}
	sys_random(key, sizeof(key));
	if (sql_exec(s, schema_1, e) < 0 || sql_exec(s, schema_2, e) < 0 ||
	    (st = sql(s, Q_KV_SET, e)) == NULL)
		goto fail;
	sql_text(st, 1, STR("store.hash-key"));
	sql_blob(st, 2, (struct str){(const char *)key, sizeof(key)});
	if (sql_step(s, st, e) < 0)
		goto fail;
	return tx_commit(s, "store.create", e);
fail:
	tx_rollback(s);
	return -1;
}

/* From what an older version made. */
static int upgrade(struct store *s, struct coi_err *e)
{
	int64_t version = 0;

	if (tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	/* Another process may have been here meanwhile. */
	if (number(s, "PRAGMA user_version", &version, e) < 0 ||
	    (version == 1 && sql_exec(s, schema_2, e) < 0)) {
		tx_rollback(s);
		return -1;
	}
	return tx_commit(s, "store.upgrade", e);
}

int schema_check(struct store *s, struct coi_err *e)
{
	int64_t version = 0;

	if (number(s, "PRAGMA user_version", &version, e) < 0)
		return -1;
	if (version == 0 && (create(s, e) < 0 ||
			     number(s, "PRAGMA user_version", &version, e) < 0))
		return -1;
	if (version > 0 && version < STORE_SCHEMA &&
	    (upgrade(s, e) < 0 ||
	     number(s, "PRAGMA user_version", &version, e) < 0))
		return -1;
	if (version > STORE_SCHEMA || version < 0) {
		err_set(e, COI_E_CONFIG,
			"the state database %s has schema %lld, this program "
			"knows %d",
			s->path, (long long)version, STORE_SCHEMA);
		err_hint(e, "use the newer version that wrote it, or another "
			    "--state-dir");
		return -1;
	}
	return hash_key(s, e);
}
