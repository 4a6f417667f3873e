/*
 * Reading what is new: mailboxes, selection, cursor, decoding, commit.
 * Nothing is lost: the cursor moves only over what was written out.
 */
#ifndef COI_FETCH_H
#define COI_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "coi/decode.h"
#include "imap/imap.h"
#include "store/store.h"

struct fetch_opts {
	const struct decode_opts *decode;
	const char *const *mailboxes; /* -b; none: INBOX and the chats */
	size_t nmailboxes;
	bool all_mail; /* also what is no chat */
	bool own;      /* also what we sent ourselves */
	bool unseen;
	int64_t since;	  /* unix; INT64_MIN: no limit */
	const char *uids; /* "1:3,7" */
	const char *message_id;
	int64_t limit; /* -1: none */
	/* A consumer's cursor; NULL: a selection that moves no cursor. */
	const char *consumer;
	bool no_commit;
	bool start_now;
	int64_t start_date; /* INT64_MIN: all */
	bool mark_seen;

	bool (*stopped)(void); /* a signal came: end after this message */
	int (*line)(void *ctx, const struct message *m, struct coi_err *e);
	int (*flush)(void *ctx, struct coi_err *e);
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};

struct fetch_result {
	uint64_t printed;    /* lines given to line() */
	uint64_t duplicates; /* seen before, not printed */
	uint64_t own;	     /* ours, not printed */
};

/* st is NULL for selections without a state database. */
int fetch_run(struct imap *im, struct store *st, const struct fetch_opts *o,
	      struct fetch_result *r, struct coi_err *e);

#endif
