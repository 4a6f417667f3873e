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
	/* Name for meta.account of every record; NULL: none. */
	const char *account;

	bool (*stopped)(void); /* a signal came: end after this message */
	int (*line)(void *ctx, const struct message *m, struct coi_err *e);
	int (*flush)(void *ctx, struct coi_err *e);
	void (*warn)(void *ctx, const char *text);
	/* May be NULL; with no_commit: the message was printed, flushed and is
	 * in the database as handed out.  May wait.  1: it has to come again
	 * (fetch_box.untaken). */
	int (*handed)(void *ctx, const struct message *m, struct coi_err *e);
	void *ctx;
};

struct fetch_result {
	uint64_t printed;    /* lines given to line() */
	uint64_t duplicates; /* seen before, not printed */
	uint64_t own;	     /* ours, not printed */
};

/*
 * One mailbox that is read again and again, over connections that come and
 * go.  Zero but for its name at first; what is remembered between two reads is
 * where to go on, so that lines which nobody acknowledged yet (no_commit) are
 * not printed again by the same process.
 */
struct fetch_box {
	struct str name;       /* borrowed */
	bool sure_chat;	       /* a chats folder: everything in it is wanted */
	uint32_t uid_validity; /* 0: never read */
	uint32_t next;	       /* the first UID not looked at */
	uint32_t exists;       /* as the last SELECT said */
	bool selected;	       /* set by a read that had to select it */
	bool renumbered;       /* the last select saw another UIDVALIDITY */
	bool untaken;	       /* set when handed() said that */
};

/*
 * What is new since the cursor.  `s`: its STATUS, when just asked: nothing new
 * costs nothing then.
 */
int fetch_box_read(struct fetch_box *b, struct imap *im, struct store *st,
		   const struct fetch_opts *o, const struct imap_status *s,
		   struct fetch_result *r, struct coi_err *e);
/* Selects it for waiting; *news: something is there to be read. */
int fetch_box_select(struct fetch_box *b, struct imap *im,
		     const struct fetch_opts *o, bool *news, struct coi_err *e);
/*
 * As fetch_box_read() in the mailbox that is selected and was read before, in
 * the quick way: one FETCH, written in one segment with what waits to be
 * written (DONE).  `expected`: so many messages were announced.
 */
int fetch_box_more(struct fetch_box *b, struct imap *im, struct store *st,
		   const struct fetch_opts *o, uint32_t expected,
		   struct fetch_result *r, struct coi_err *e);

/* st is NULL for selections without a state database. */
int fetch_run(struct imap *im, struct store *st, const struct fetch_opts *o,
	      struct fetch_result *r, struct coi_err *e);

#endif
