/*
 * Sending: composed, recorded, submitted, judged by the final reply, copied to
 * Sent.  No message is ever submitted twice unasked.
 */
#ifndef COI_SEND_H
#define COI_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "coi/account.h"
#include "coi/compose.h"
#include "store/store.h"

enum send_outcome {
	SEND_ACCEPTED,
	SEND_PARTIAL,
	SEND_REFUSED,
	SEND_DEFERRED,
	SEND_QUEUED,
	SEND_UNKNOWN
};

const char *send_word(enum send_outcome o); /* "accepted", ... */

struct send_rcpt {
	struct str email;
	enum send_outcome state;
	int code;
	struct str enhanced, reply;
};

struct send_result {
	enum send_outcome outcome;
	struct str id;
	int64_t input;	   /* line of the input, from 1; 0: none */
	struct str source; /* id of the record it answers, or absent */
	const struct send_rcpt *rcpts;
	size_t nrcpts;
};

/* Appends the result line and LF. */
void send_result_json(struct buf *b, const struct send_result *r);

struct send_opts {
	struct compose_opts compose;
	bool patient;	/* an unreachable server is no failure then */
	bool queue;	/* keep what cannot go out now */
	bool collect;	/* sender_add() sends nothing: for sender_keep() */
	int64_t expire; /* seconds a queued message may wait; 0: 5 days */
	bool (*stopped)(void);
	/* Called for each message, in input order, after it was recorded. */
	int (*result)(void *ctx, const struct send_result *r,
		      struct coi_err *e);
	/* A failure that did not change the outcome: Sent copy, ... `expected`:
	 * asked for (--queue), of interest with -v only. */
	void (*warn)(void *ctx, const char *text, bool expected);
	/* May be NULL: sender_outbox() leaves this one for later. */
	bool (*hold)(void *ctx, const struct store_out *o);
	void *ctx;
};

struct sender;

/* Connects when the first message leaves.  Everything is borrowed. */
struct sender *sender_new(struct account *ac, const struct account_net *net,
			  struct store *st, const struct send_opts *o);
void sender_free(struct sender *s);

/*
 * Completes (references from what the database knows) and composes the
 * message and puts it into the batch; the batch leaves when it is full.  The
 * strings of m must live until sender_flush().  `key`: idempotency, or NULL.
 */
int sender_add(struct sender *s, struct message *m, const char *key,
	       int64_t input, struct str source, struct coi_err *e);
/* Submits the batch.  -1: the connection failed; the results were given all
 * the same (deferred, queued or unknown). */
int sender_flush(struct sender *s, struct coi_err *e);
/* The same when more messages follow at once: what was accepted goes into the
 * database with them, and is until then on record in a file beside it. */
int sender_batch(struct sender *s, struct coi_err *e);
/* Records the batch as queued, with no result told: sender_outbox() sends it.
 * Within a group of the store (store_begin()) of the caller. */
int sender_keep(struct sender *s, struct coi_err *e);
/* Copies to Sent what was accepted. */
int sender_copies(struct sender *s, struct coi_err *e);

/* Submits what the outbox holds: queued rows, and with `unknown` those of
 * unknown outcome (all, or the one with this id). */
int sender_outbox(struct sender *s, bool unknown, struct str id,
		  struct coi_err *e);
/* Forgets what waits under this id, with its octets. */
int sender_drop(struct sender *s, struct str id, struct coi_err *e);

/* Fills in from, references, group id as `m` leaves them open. */
int send_complete(struct account *ac, struct store *st, struct arena *a,
		  struct message *m, bool keep, struct coi_err *e);

#endif
