/*
 * Watching: what is new as it arrives, in many accounts at a time.  Each
 * account is a task (core/task.h) that connects, reads what is new since its
 * cursor, waits for news and connects again when it must, until it is stopped.
 */
#ifndef COI_WATCH_H
#define COI_WATCH_H

#include "coi/account.h"
#include "coi/fetch.h"
#include "coi/filter.h"

enum watch_kind {
	WATCH_READY,	   /* this mailbox is being watched */
	WATCH_LOST,	   /* no connection: why, attempt, retry_ms */
	WATCH_RECONNECTED, /* and all that was missed is read */
	WATCH_STOPPED,	   /* this account is no longer watched: why */
	WATCH_CALM,	   /* no more probing: probes */
	WATCH_FLAGS,	   /* imap: flags of a message changed */
	WATCH_EXPUNGED	   /* imap: a message left */
};

struct watch_event {
	enum watch_kind kind;
	const char *account;
	struct str mailbox;
	const char *by; /* ready: "notify", "idle" or "poll" */
	const struct coi_err *why;
	unsigned attempt; /* how many failed so far */
	int retry_ms;
	uint64_t probes; /* in the conversation that has calmed down */
	uint32_t uid, uid_validity;
	const struct str *flags;
	size_t nflags;
};

struct watch_opts {
	/* `decode`, `account` and `writing` are filled in for each account. */
	struct fetch_opts fetch;
	/* is_me is filled in; max_size: that of the account unless given. */
	struct decode_opts decode;
	bool max_size_given;
	struct account_net net;
	bool once;	  /* stop after the first lines */
	bool low_latency; /* probe while a conversation is hot */
	bool changes;	  /* also WATCH_FLAGS and WATCH_EXPUNGED */
	int idle_ms;	  /* renewal of IDLE, and the slow look at all */
	int poll_ms;	  /* where the server does not tell by itself */
	int retry_ms;	  /* longest wait between two attempts */
	enum filter_mode filter;
	/* None of these may wait, but flush(). */
	void (*event)(void *ctx, const struct watch_event *ev);
	void (*ended)(void *ctx); /* no account is left */
	/* All may be NULL.  A message has left INBOX (filter). */
	void (*moved)(void *ctx, const char *account,
		      const struct filter_moved *m);
	/* The account is connected, and now and then.  May wait. */
	int (*checked)(void *ctx, struct account *ac, struct coi_err *e);
	/* After handed() said 1: is there room for what was not taken? */
	bool (*room)(void *ctx, struct account *ac);
	void *ctx;
};

struct watch_stats {
	unsigned accounts, connected;
	uint64_t printed, reconnects, probes;
};

struct watch;

struct watch *watch_new(const struct watch_opts *o);
/* After ended(), or before the first watch_add(). */
void watch_free(struct watch *w);
/*
 * Watches this account from the next wait on; it is freed with the watch, or
 * when another one of that name takes its place (watch_reload()).
 */
int watch_add(struct watch *w, struct account *ac, struct coi_err *e);
/* The same account from a new reading of the configuration; also one that
 * had stopped starts again. */
int watch_reload(struct watch *w, struct account *ac, struct coi_err *e);
/* All accounts look what is new and whether the server is there, now. */
void watch_look(struct watch *w);
/* Every account ends after the message it reads. */
void watch_stop(struct watch *w);
struct watch_stats watch_stats(const struct watch *w);
/* Accounts that have not stopped. */
unsigned watch_running(const struct watch *w);
/* Did handed() put off messages that were not given to it again? */
bool watch_untaken(const struct watch *w);
/* Why it ended: COI_OK, or the first error that stopped an account. */
const struct coi_err *watch_error(const struct watch *w);
/* Accounts that stopped on an error. */
unsigned watch_failed(const struct watch *w);

/* --- the rules, for tests --------------------------------------------------
 */

enum watch_fate { WATCH_RETRY, WATCH_GIVE_UP, WATCH_END };

/* What becomes of an account after this error; `session`: it was logged in,
 * `ever`: it was at least once, `refusals`: of the login, in a row. */
enum watch_fate watch_fate(const struct coi_err *e, bool session, bool ever,
			   unsigned attempt, unsigned refusals);
/* How long to wait before attempt n + 1 (n >= 1), at most `most` ms, with
 * jitter out of `random`. */
int watch_backoff(const struct coi_err *e, unsigned n, int most,
		  uint32_t random);

/* Probes of a hot conversation: how long until the next, or -1: calm. */
struct watch_heat {
	int64_t until; /* ms; 0: cold */
	int step;
	unsigned probes; /* since the last message */
	uint64_t all;	 /* since it was calm */
};
#define WATCH_PROBES_MAX 200 /* after one message */
void watch_heat_up(struct watch_heat *h, int64_t now);
int watch_heat_next(struct watch_heat *h, int64_t now);

#endif
