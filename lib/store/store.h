/*
 * The state of one account: a SQLite database that many processes share.
 * Every call is one transaction; a kill at any point loses nothing committed.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/str.h"

struct store;

/* Opens (creates, 0600, WAL) the database; an unknown newer schema version is
 * COI_E_CONFIG.  Waits up to 10 s for another writer. */
struct store *store_open(const char *path, struct coi_err *e);

/* From then on `fn` says whether this process is to end: then it waits no more
 * than a second for one that keeps a database locked, else 10 s. */
void store_stopped(bool (*fn)(void));
void store_close(struct store *s); /* NULL is legal */

/*
 * Whose lines store_handout_done() takes for those of older runs: a database
 * that is closed and opened again within one run is given the mark it had.
 */
int64_t store_run(const struct store *s);
void store_run_set(struct store *s, int64_t run);

/*
 * Makes all calls up to store_end() one transaction, so that many cost one
 * wait for the disk (durable; else only a kill is survived).  It holds the
 * write lock: nothing slow in between.  A call that fails undoes itself only,
 * or, when it could not write, makes store_end() fail; commit == false undoes
 * all.
 */
int store_begin(struct store *s, bool durable, struct coi_err *e);
int store_end(struct store *s, bool commit, struct coi_err *e);
/*
 * What is read from here on is one state of the database, so that many reads
 * cost one lock; until the next change, or store_read_end().  Others write
 * meanwhile, but their log cannot start anew: nothing slow in between.
 */
int store_read(struct store *s, struct coi_err *e);
void store_read_end(struct store *s);

/* --- consumers ------------------------------------------------------------ */

/* Holds the consumer for this process (a lock file beside the database, freed
 * by the kernel when we die); held by another: COI_E_TEMP. */
int store_lease(struct store *s, const char *consumer, struct coi_err *e);

/* As store_lease(), for one that closes the database in between: the lock is
 * the caller's, until it closes *fd. */
int store_lease_keep(struct store *s, const char *consumer, int *fd,
		     struct coi_err *e);

struct store_cursor {
	uint32_t uid_validity; /* 0: no cursor yet */
	uint32_t uid;	       /* last UID done */
	uint64_t modseq;
};
int store_cursor_get(struct store *s, const char *consumer, struct str mailbox,
		     struct store_cursor *c, struct coi_err *e);
/*
 * What was printed (written to the reader) in one step: marks all of `ids` as
 * seen by the consumer and moves the cursor.  Never moves it back within the
 * same uid_validity.
 */
struct store_seen {
	struct str id;	     /* Message-ID, may be absent */
	struct str identity; /* hash over id, From, Date, body */
	uint32_t uid;
	/* For a chat message: its thread, added in the same transaction (also
	 * by store_handout()); absent otherwise. */
	struct str root, conversation;
};
int store_commit(struct store *s, const char *consumer, struct str mailbox,
		 const struct store_cursor *c, const struct store_seen *v,
		 size_t n, struct coi_err *e);
/* Was exactly this message (identity) seen by the consumer?  *id_reused: the
 * id was seen with another identity. */
int store_seen(struct store *s, const char *consumer, struct str id,
	       struct str identity, bool *seen, bool *id_reused,
	       struct coi_err *e);

/* --no-commit and --ack: lines handed out but not acknowledged.  The cursor
 * stays behind the oldest of them; store_ack() moves it as far as all before
 * are acknowledged, and no farther than c->uid: all up to there was looked
 * at.  Returns COI_E_NOINPUT for an id never handed out. */
int store_handout(struct store *s, const char *consumer, struct str mailbox,
		  const struct store_cursor *c, const struct store_seen *v,
		  size_t n, struct coi_err *e);
int store_ack(struct store *s, const char *consumer, struct str id,
	      struct coi_err *e);
/*
 * What a run with --no-commit calls instead of store_commit(), when it has
 * looked at everything up to c->uid and handed out what it printed: once all
 * is acknowledged the cursor stands there.  Lines of older runs in that
 * stretch which were not handed out again have left the mailbox: the cursor
 * no longer waits for them (they can still be acknowledged).
 */
int store_handout_done(struct store *s, const char *consumer,
		       struct str mailbox, const struct store_cursor *c,
		       struct coi_err *e);
/* Many acks in one transaction; known[i] false: never handed out. */
int store_ack_all(struct store *s, const char *consumer, const struct str *ids,
		  size_t n, bool *known, struct coi_err *e);
/* By place, for lines that carry it: exact even where two share an id. */
int store_ack_uid(struct store *s, const char *consumer, struct str mailbox,
		  uint32_t uid_validity, uint32_t uid, struct coi_err *e);

/* --- handlers -------------------------------------------------------------
 */

/*
 * Adds `delta` to how often a line that was handed out has been tried; it
 * outlives this process (not a power failure), ends with the acknowledgement.
 * *tries: the sum; 0 also for a line that was not handed out.
 */
int store_try(struct store *s, const char *consumer, struct str mailbox,
	      uint32_t uid_validity, uint32_t uid, int delta, unsigned *tries,
	      struct coi_err *e);

/* A message that its handler could not take. */
struct store_dead {
	int64_t row;
	struct str id, conversation;
	bool automatic;
	bool retry; /* put back: to be tried again */
	unsigned tries;
	int64_t at; /* when it failed last */
	struct str why;
	struct str line; /* its record */
};

/* In the group that acknowledges it, so that it is never lost nor twice. */
int store_dead_add(struct store *s, const char *consumer,
		   const struct store_dead *d, struct coi_err *e);
/* Oldest first; `retry`: those that were put back only. */
int store_dead_list(struct store *s, struct arena *a, const char *consumer,
		    bool retry, struct store_dead **v, size_t *n,
		    struct coi_err *e);
/* Puts it back; COI_E_NOINPUT: there is none with this id. */
int store_dead_retry(struct store *s, const char *consumer, struct str id,
		     struct coi_err *e);
/* As store_try(), for one that was put back. */
int store_dead_try(struct store *s, int64_t row, int delta, unsigned *tries,
		   struct coi_err *e);
/* It failed again: no longer put back. */
int store_dead_again(struct store *s, int64_t row, unsigned tries,
		     struct str why, struct coi_err *e);
int store_dead_done(struct store *s, int64_t row, struct coi_err *e);

#define STORE_AUTO_WINDOW 3600 /* seconds */
/*
 * An automatic message wants to be handled: *allowed when less than `max` of
 * its conversation were within the window, or when it was allowed before.
 */
int store_auto(struct store *s, const char *consumer, struct str conversation,
	       struct str id, unsigned max, bool *allowed, struct coi_err *e);

/* --- threads: id -> conversation root, group ----------------------------- */

/* Known at once; written with the next transaction or store_close().  The
 * first that was said of an id stays. */
int store_thread_add(struct store *s, struct str id, struct str root,
		     struct str conversation, struct coi_err *e);
/* false when unknown; strings in the arena. */
int store_thread_get(struct store *s, struct arena *a, struct str id,
		     struct str *root, struct str *conversation, bool *found,
		     struct coi_err *e);

/* The conversation of the first of these ids that is known: `id` unless it is
 * absent, then `refs` from the last on (References). */
int store_thread_find(struct store *s, struct arena *a, struct str id,
		      const struct str *refs, size_t n,
		      struct str *conversation, bool *found, struct coi_err *e);

/* Is any id known that is no chat$ or coi$ one?  Cheap. */
int store_thread_foreign(struct store *s, bool *any, struct coi_err *e);

/* --- sending -------------------------------------------------------------- */

enum store_state {
	STORE_QUEUED,
	STORE_SUBMITTING,
	STORE_ACCEPTED,
	STORE_UNKNOWN,
	STORE_REFUSED,
	STORE_EXPIRED
};

struct store_out {
	int64_t row;
	struct str id;	   /* Message-ID */
	struct str key;	   /* idempotency key, or absent */
	struct str digest; /* SHA-256 over content, for the key */
	struct str from;   /* envelope */
	struct str *rcpts; /* envelope, all */
	size_t nrcpts;
	enum store_state state;
	int64_t created, expires; /* unix; expires 0: never */
	struct str wire; /* the message's octets; absent once accepted and the
			    sent copy is done or not wanted */
	struct str last_error;
	unsigned tries;
	bool utf8, eight_bit;
	int sent_copy; /* 0: wanted, 1: done, 2: not wanted */
};

/*
 * Adds a message in state QUEUED or SUBMITTING before anything leaves.  A key
 * that exists: with the same digest *existing is filled (arena) and nothing is
 * added; with another digest COI_E_DATA.
 */
int store_out_add(struct store *s, struct arena *a, struct store_out *o,
		  struct store_out *existing, bool *exists, struct coi_err *e);
/*
 * QUEUED -> SUBMITTING for one owner: 0 taken, 1 when another process has it.
 * A SUBMITTING row whose owner died is UNKNOWN if data may have left (see
 * store_out_data; always after a crash of the machine), else free to take.
 */
int store_out_take(struct store *s, int64_t row, struct coi_err *e);
/* UNKNOWN -> QUEUED, because the user asks for it; 1: it is not UNKNOWN. */
int store_out_retry(struct store *s, int64_t row, struct coi_err *e);
/* Data may leave now; only a kill is survived.  COI_E_TEMP: the row is no
 * longer ours, do not send. */
int store_out_data(struct store *s, int64_t row, struct coi_err *e);
/* The result; recipients that remain (deferred) go in `left`. */
int store_out_result(struct store *s, int64_t row, enum store_state state,
		     struct str error, const struct str *left, size_t nleft,
		     struct coi_err *e);
/* After the results of all that was added or taken: those of accepted
 * messages may wait in a file beside the database until then. */
int store_out_settle(struct store *s, struct coi_err *e);
int store_out_sent_copy(struct store *s, int64_t row, int done,
			struct coi_err *e);
/* Rows in a state (or any: -1), oldest first; wire only if asked.  Rows of
 * dead owners are put right first (UNKNOWN, or QUEUED again). */
int store_out_list(struct store *s, struct arena *a, int state, bool wire,
		   struct store_out **v, size_t *n, struct coi_err *e);
/* Accepted rows whose copy in Sent is still wanted, with their wire. */
int store_out_copies(struct store *s, struct arena *a, struct store_out **v,
		     size_t *n, struct coi_err *e);
int store_out_get(struct store *s, struct arena *a, struct str id, bool wire,
		  struct store_out *o, bool *found, struct coi_err *e);
/* Gives up what waits under this id; COI_E_NOINPUT: nothing does, COI_E_TEMP:
 * another process is sending it.  A row that this process holds goes alone. */
int store_out_drop(struct store *s, struct str id, struct coi_err *e);
/* Was a message added under this idempotency key? */
int store_out_key(struct store *s, struct str key, bool *known,
		  struct coi_err *e);
/* Is this one of our own Message-IDs? */
int store_sent_has(struct store *s, struct str id, bool *has,
		   struct coi_err *e);

/* --- small things ----------------------------------------------------------
 */

int store_get(struct store *s, struct arena *a, const char *name,
	      struct str *value, struct coi_err *e); /* absent: STR_NONE */
int store_set(struct store *s, const char *name, struct str value,
	      struct coi_err *e);
/* Forgets what is older than `days` (seen ids, finished sends, threads);
 * works at most once a day, so it may be called by every run. */
int store_prune(struct store *s, unsigned days, struct coi_err *e);

#endif
