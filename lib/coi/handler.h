/*
 * One process per message (coi-watch --exec): JSON on stdin, order kept per
 * conversation, time-outs, retries, dead letters, answers, loop guard.
 */
#ifndef COI_HANDLER_H
#define COI_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "coi/account.h"
#include "kind/message.h"
#include "store/store.h"

/* How a handler ends: 0 done, 75 again later, 65 never; all else, a signal and
 * a time-out are failures, of which it may have `tries`. */
struct handler_opts {
	const char *command;	   /* for sh -c */
	unsigned jobs;		   /* at once */
	int timeout_ms;		   /* of one run; then its group is ended */
	unsigned tries;		   /* before a message is a dead letter */
	int retry_ms;		   /* before the second try; 0: 1 s */
	bool reply;		   /* what it prints is sent as answers */
	char *const *environ_base; /* ours: what is harmless is handed on */
	/* Loop guard: at most so many automatic messages (Auto-Submitted, or
	 * our own) of one conversation are handled within an hour. */
	unsigned max_auto;
	bool (*stopped)(void); /* may be NULL: handler_take() gives up */
	void (*warn)(void *ctx, const char *text);
	/* May be NULL: what handlers print that is no answer, as it comes. */
	void (*output)(void *ctx, struct str octets);
	void *ctx;
};

struct handler;

/* The options are copied, what they point to is borrowed. */
struct handler *handler_new(const struct handler_opts *o, struct coi_err *e);
/* Can this account send answers, if it is to?  COI_E_CONFIG, COI_E_NOKEY. */
int handler_check(const struct handler *h, const struct account *ac,
		  struct coi_err *e);
/* No other handler begins; those that run get `grace_ms` to end, then their
 * groups are killed. */
void handler_stop(struct handler *h, int grace_ms);
/* Stops and waits for the end, inside of a task.  What was not committed comes
 * again with the next start. */
void handler_end(struct handler *h, int grace_ms);
/* handler_end(), and frees. */
void handler_free(struct handler *h, int grace_ms);

/* Where the messages of one account come from; account and net live until
 * handler_free(). */
struct handler_account {
	struct account *account;
	const struct account_net *net;
	const char *consumer; /* copied */
};

/*
 * To be called when an account begins to be watched, and now and then: takes
 * what store_dead_retry() put back, and sends what waits in the outbox.
 */
int handler_look(struct handler *h, const struct handler_account *from,
		 struct coi_err *e);
/*
 * A message was printed into `line` (its JSON, copied) and handed out
 * (store_handout()): it runs when its conversation and a place are free, and
 * is acknowledged when it is done.  Waits (task_poll_deaf) while too many
 * wait.  A message that is running, waiting or done but not yet acknowledged
 * is not taken twice.
 * 1: not taken, because too many of its conversation wait, behind one that
 * fails or handlers that are slow: it has to come again, once handler_missed()
 * says so.
 */
int handler_take(struct handler *h, const struct handler_account *from,
		 const struct message *m, struct str line, struct coi_err *e);
/* True once after messages were not taken and there is room again: all from
 * the cursor on has to be read and given once more. */
bool handler_missed(struct handler *h, const struct handler_account *from);
/* Waits until all that was taken has ended (but for what waits for another
 * try, unless `retries`) and answers were tried, or `until` (sys_mono_ms()). */
bool handler_idle(struct handler *h, bool retries, int64_t until);

struct handler_stats {
	uint64_t done, dead, failures, answers, silenced;
	unsigned running, waiting; /* messages */
};
struct handler_stats handler_stats(const struct handler *h);

#endif
