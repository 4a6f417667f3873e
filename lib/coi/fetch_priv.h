/* What the files of fetch share: one mailbox being read. */
#ifndef COI_FETCH_PRIV_H
#define COI_FETCH_PRIV_H

#include "coi/fetch.h"

struct reading {
	struct imap *im;
	struct store *st;
	const struct fetch_opts *o;
	struct fetch_result *r;

	struct str mailbox;
	uint32_t uid_validity;
	bool sure_chat; /* a chats folder: everything in it is wanted */
	struct imap_set asked, done;
	uint32_t floor;	       /* cursor at the beginning */
	int64_t not_before;    /* INTERNALDATE; SEARCH knows whole days only */
	struct fetch_box *box; /* where to go on; NULL: nobody asks */
	/* The quick way: beginnings of messages. */
	bool quick, cut; /* cut: this one is longer */
	bool slow;	 /* from here on it has to be done the other way */
	uint32_t top, answered;

	bool out_failed; /* a line could not be written: commit nothing more */
	bool full;	 /* the limit is reached */

	/* the message being read */
	struct decoder *dec;
	struct arena *arena;
	struct message msg;
	bool begun, whole, got;
	char *mem; /* a small message, collected */
	size_t mem_n, mem_size;

	/* printed, not committed */
	struct arena *batch_arena;
	struct store_seen *batch;
	size_t nbatch, batch_cap;
	uint64_t *marks; /* ids and identities in the batch, a hash table */
	size_t nmarks, marks_cap; /* a power of two */
	struct imap_set printed;
	int64_t last_commit;
};

#define BATCH_LINES 10000

/* The highest UID up to which all that was asked for is done. */
uint32_t reading_safe(const struct reading *r);
/* Finishes the message in r->msg: decides, prints, remembers. */
int reading_take(struct reading *r, const struct imap_msg *m,
		 struct coi_err *e);
/* Output flushed, then the batch and the cursor committed. */
int reading_commit(struct reading *r, uint32_t cursor, struct coi_err *e);
/* Between messages: the cursor goes as far as the answers are in order. */
int reading_commit_some(struct reading *r, struct coi_err *e);
/* Makes ready for the next message. */
void reading_start(struct reading *r);
/* -1 with COI_E_CANCELLED when a signal came, after a commit. */
int reading_stop(struct reading *r, struct coi_err *e);
/* What is asked of every message, and `more`; in the arena of the message. */
struct str reading_items(struct reading *r, const char *more);
/* As reading_commit, when everything up to the cursor was looked at. */
int reading_end(struct reading *r, uint32_t cursor, struct coi_err *e);
/* One message by its structure: large parts stay where they are. */
int reading_large(struct reading *r, uint32_t uid, struct coi_err *e);
/* Adds to `found` those of `rest` that answer a message we know. */
int reading_threads(struct reading *r, const struct imap_set *rest,
		    struct imap_set *found, struct coi_err *e);
/* The messages of the set, whole. */
int reading_whole(struct reading *r, const struct imap_set *set,
		  struct coi_err *e);
/* The messages of the set in the quick way: r->slow, r->top, r->answered. */
int reading_quick(struct reading *r, const struct imap_set *set,
		  struct coi_err *e);

/* fetch_start.c: the first UID to look at; *cur is the cursor, or where this
 * process got to. */
int reading_begin(struct reading *r, const struct imap_selected *sel,
		  const struct store_cursor *cur, uint32_t *lo,
		  struct coi_err *e);

/* fetch.c, for fetch_box.c */
void reading_new(struct reading *r);
void reading_free(struct reading *r);
/* All that is wanted of lo to hi in the selected mailbox. */
int reading_range(struct reading *r, uint32_t lo, uint32_t hi,
		  struct coi_err *e);
/* SELECT or EXAMINE, with a UIDNEXT even where it is not told. */
int reading_select(struct imap *im, const struct fetch_opts *o,
		   struct str mailbox, struct imap_selected *sel,
		   struct coi_err *e);

/* From here on a message is read by its structure, so that attachments that
 * nobody asked for stay on the server. */
#define LARGE (64u * 1024u)

#endif
