/* What the files of the store share; SQLite ends here. */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H

#include <sqlite3.h>
#include <sys/types.h>

#include "store/store.h"

#define STORE_SCHEMA 2
#define MANY 16	       /* rows of an INSERT that adds many */
#define STORE_IDENT 16 /* octets kept of an identity */

/* Who holds a row in SUBMITTING; a pid alone may be somebody else's by now. */
struct owner {
	pid_t pid;
	uint64_t start; /* of the process, in clock ticks since boot */
	char boot[64];	/* boot id; "" where the system has none */
	char ns[32];	/* pid name space */
};

struct lease {
	char *consumer;
	int fd;
};

struct pending; /* threads not written yet */
struct marks;	/* what became of the rows we hold */

enum query {
	Q_BEGIN,
	Q_READ,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_SAVE,
	Q_RELEASE,
	Q_BACK,
	Q_KV_GET,
	Q_KV_SET,
	Q_KV_DEL,
	Q_CONSUMER_GET,
	Q_CONSUMER_ADD,
	Q_CURSOR_GET,
	Q_CURSOR_ADD,
	Q_CURSOR_SET,
	Q_CURSOR_SETTLE,
	Q_SEEN_ADD,
	Q_SEEN_ADD_MANY,
	Q_SEEN_GET,
	Q_SEEN_ID,
	Q_HAND_ANY,
	Q_HAND_ADD,
	Q_HAND_OLD,
	Q_HAND_GONE,
	Q_HAND_PASSED,
	Q_HAND_DONE,
	Q_HAND_BY_ID,
	Q_HAND_BY_UID,
	Q_HAND_REUSED,
	Q_HAND_TRY,
	Q_DEAD_ADD,
	Q_DEAD_LIST,
	Q_DEAD_RETRY_LIST,
	Q_DEAD_RETRY,
	Q_DEAD_TRY,
	Q_DEAD_AGAIN,
	Q_DEAD_DONE,
	Q_AUTO_OLD,
	Q_AUTO_COUNT,
	Q_AUTO_ADD,
	Q_GOAL,
	Q_THREAD_ADD,
	Q_THREAD_ADD_MANY,
	Q_THREAD_DAY,
	Q_THREAD_GET,
	Q_THREAD_PLAIN,
	Q_OUT_KEY,
	Q_OUT_ADD,
	Q_OUT_WIRE,
	Q_OUT_ROW,
	Q_OUT_OWNED,
	Q_OUT_TAKE,
	Q_OUT_DATA,
	Q_OUT_RESULT,
	Q_OUT_OURS,
	Q_OUT_RCPTS,
	Q_OUT_UNWIRE,
	Q_OUT_SPENT,
	Q_OUT_COPY,
	Q_OUT_STATE,
	Q_OUT_LIST,
	Q_OUT_OPEN,
	Q_OUT_COPIES,
	Q_OUT_GET,
	Q_OUT_WIRE_GET,
	Q_OUT_BY_ID,
	Q_OUT_DROP,
	Q_OUT_HAS,
	Q_OUT_ANY,
	Q_PRUNE_SEEN,
	Q_PRUNE_THREAD,
	Q_PRUNE_HAND,
	Q_PRUNE_DEAD,
	Q_PRUNE_WIRE,
	Q_PRUNE_OUT,
	Q_MAX
};

/* How far a commit goes before it counts: to the disk, or to the kernel. */
enum sync { SYNC_KERNEL = 1, SYNC_DISK = 2 };

struct store {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *q[Q_MAX];
	int sync;	    /* as set, 0: not yet */
	bool group;	    /* between store_begin() and store_end() */
	bool half;	    /* a call of the group was done by half */
	int64_t busy_until; /* while another process has the lock */
	bool hurried;	    /* less, because we are to end */
	bool reading;	    /* between store_read() and store_read_end() */
	/* What one such look found out once and for all. */
	struct {
		char consumer[65];
		bool nobody; /* the consumer is new */
		enum { ASK, NONE, SOME } handout, out;
	} look;
	uint64_t key[2];
	bool have_key;
	char *consumer; /* the last one looked up */
	int64_t consumer_id;
	int64_t run; /* tells the handouts of this process from older ones */
	struct lease *leases;
	size_t nleases, leases_cap;
	struct owner self;
	struct pending *pending;
	struct marks *marks;
};

/* sql.c: every failure of SQLite becomes one of ours here. */
int sql_fail(struct store *s, int rc, const char *what, struct coi_err *e);
int sql_exec(struct store *s, const char *text, struct coi_err *e);
/* The statement, reset, its values gone; NULL when it cannot be prepared. */
sqlite3_stmt *sql(struct store *s, enum query q, struct coi_err *e);
/* 1 a row, 0 done (and reset), -1 failed (and reset). */
int sql_step(struct store *s, sqlite3_stmt *st, struct coi_err *e);
void sql_text(sqlite3_stmt *st, int at, struct str v);
void sql_blob(sqlite3_stmt *st, int at, struct str v);
struct str sql_col(sqlite3_stmt *st, int at); /* until the next step */
struct str sql_dup(struct arena *a, sqlite3_stmt *st, int at);

/*
 * One write transaction; `point` names the kill points around its commit:
 * "store.commit" gives store.commit.before and store.commit.after.
 */
int tx_begin(struct store *s, enum sync sync, struct coi_err *e);
int tx_commit(struct store *s, const char *point, struct coi_err *e);
void tx_rollback(struct store *s);

/* hash.c */
uint64_t hash_sip(const uint64_t key[2], struct str s);
/* The key is random and stays in the database, so nobody can aim at it. */
int hash_key(struct store *s, struct coi_err *e);
int64_t hash_id(struct store *s, struct str id);
void hash_ident(struct store *s, struct str id, struct str identity,
		unsigned char out[STORE_IDENT]);

/* schema.c */
int schema_check(struct store *s, struct coi_err *e);

/* cursor.c */
int consumer_check(const char *consumer, struct coi_err *e);
/* add == false: *id is 0 for a consumer that was never here. */
int consumer_find(struct store *s, const char *consumer, bool add, int64_t *id,
		  struct coi_err *e);
/* Does the consumer wait for any --ack? */
int handout_any(struct store *s, int64_t consumer, bool *any,
		struct coi_err *e);
struct str mailbox_name(struct str mailbox);
struct cursor_row {
	int64_t row; /* 0: none */
	uint32_t validity, uid;
	uint64_t modseq;
};
int cursor_row(struct store *s, int64_t consumer, struct str mailbox,
	       struct cursor_row *r, struct coi_err *e);
int cursor_add(struct store *s, int64_t consumer, struct str mailbox,
	       struct cursor_row *r, struct coi_err *e);
int cursor_put(struct store *s, const struct cursor_row *r, struct coi_err *e);
/* Moves all cursors of the consumer up to what is not acknowledged yet. */
int cursor_settle(struct store *s, int64_t consumer, struct coi_err *e);
int seen_add(struct store *s, int64_t consumer, int64_t id,
	     const unsigned char *ident, int64_t day, struct coi_err *e);
int64_t store_day(void);

/* handout.c */
/* What stands in v was printed for good: no longer waits for an --ack. */
int handout_commit(struct store *s, int64_t consumer,
		   const struct cursor_row *r, const struct store_seen *v,
		   size_t n, struct coi_err *e);

/* thread.c */
int thread_flush(struct store *s, struct coi_err *e); /* inside a transaction */
void thread_forget(struct store *s);
/* Those of v that name a root; inside a transaction. */
int thread_put_all(struct store *s, const struct store_seen *v, size_t n,
		   struct coi_err *e);

/*
 * marks.c.  A mark and a result for each message would be two transactions
 * each; they go into a file of the process beside the database instead, which
 * outlives a kill as well.  Results follow with the next transaction.
 */
enum mark {
	MARK_NONE,     /* nothing of it left */
	MARK_DATA,     /* data may have left */
	MARK_ACCEPTED, /* and was accepted */
	MARK_UNKNOWN   /* nobody knows: the file is gone */
};
/* Before a row that this process holds is committed. */
void marks_hold(struct store *s, int64_t row);
bool marks_held(const struct store *s, int64_t row);
/* 0, or -1: not written, or another process took our rows over. */
int marks_put(struct store *s, int64_t row, enum mark m);
void marks_result(struct store *s, int64_t row, struct str error);
int marks_flush(struct store *s, struct coi_err *e); /* in a transaction */
void marks_flushed(struct store *s);		     /* it was committed */
int marks_write(struct store *s, struct coi_err *e); /* results that wait */
void marks_close(struct store *s);
/*
 * Takes the rows of a dead owner over: what it puts from now on fails, what
 * it put before is in the list.
 */
struct marks_log;
struct marks_log *marks_seize(struct store *s, const struct owner *o);
enum mark marks_of(const struct marks_log *l, int64_t row);
void marks_free(struct marks_log *l);
void marks_remove(struct store *s, const struct owner *o);

/* owner.c */
const struct owner *owner_self(struct store *s);
bool owner_is_self(struct store *s, const struct owner *o);
/* Of this boot: all it ever committed is there to be read. */
bool owner_is_of_boot(struct store *s, const struct owner *o);
/* since: when the row changed last; decides where the kernel cannot. */
bool owner_is_dead(struct store *s, const struct owner *o, int64_t since);

#endif
