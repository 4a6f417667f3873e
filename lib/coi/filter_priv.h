/* What the files of filter share. */
#ifndef COI_FILTER_PRIV_H
#define COI_FILTER_PRIV_H

#include "coi/decode.h"
#include "coi/filter.h"
#include "coi/folders.h"

/* --- filter_rule.c: what is to be done with a message ----------------------
 */

enum filter_to { TO_STAY, TO_WAIT, TO_CHATS, TO_SENT, TO_BLOCKED };

struct filter_facts {
	bool chat;	/* by any rule, or by its thread */
	bool from_me;	/* address or alias */
	bool to_others; /* To or Cc name somebody who is not me */
	bool blocked;	/* the sender is */
	bool seen;
};

struct filter_deed {
	enum filter_to to;
	bool mark_seen, keyword;
};

struct filter_deed filter_rule(enum filter_mode mode,
			       const struct filter_facts *f);

/* --- filter_block.c: blocked senders ---------------------------------------
 */

#define FILTER_HASH 32 /* octets of SHA3-256 */

/* COI-From-Hash: hex of any case, or base64 with or without padding. */
bool block_hash_read(struct str value, unsigned char out[FILTER_HASH]);
bool block_hash_of(struct str text, unsigned char out[FILTER_HASH]);

struct blocked {
	unsigned char (*v)[FILTER_HASH]; /* ascending */
	size_t n, cap;
	struct str of; /* which state of the contacts, in `arena` */
	struct arena *arena;
	bool known;
};

void blocked_free(struct blocked *b);
bool blocked_has(const struct blocked *b, struct str email);
/* Reads the contacts folder where it changed; selects it then (*selected). */
int blocked_load(struct blocked *b, struct imap *im, struct store *st,
		 struct str folder, bool *selected, struct coi_err *e);

/* Contact messages as they are read; the newest of an address decides. */
struct contacts;
struct contacts *contacts_new(void);
void contacts_free(struct contacts *c);
void contacts_add(struct contacts *c, uint32_t uid, struct str header);
void contacts_blocked(struct contacts *c, struct blocked *b);

/* --- filter_heads.c: what the messages say ---------------------------------
 */

struct item {
	uint32_t uid;
	struct str id;		   /* without <>, or absent */
	struct str from;	   /* address, or absent */
	const char *key;	   /* "Message-ID" or "Date", or NULL */
	struct str value;	   /* of that field, to search for */
	int64_t received_at;	   /* INT64_MIN: unknown */
	bool deleted, has_keyword; /* $Chat */
	struct filter_facts facts;
	struct filter_deed deed;
};

struct items {
	struct item *v; /* in the arena; by UID as the server gave them */
	size_t n, cap;
};

/* Headers and flags of the set, in the mailbox that is selected. */
int heads_read(struct imap *im, struct store *st, const struct decode_opts *d,
	       struct arena *a, const struct imap_set *set, struct items *out,
	       struct coi_err *e);

/* --- filter_copies.c: the same message twice -------------------------------
 */

/*
 * Which of the items have a message of that Message-ID in the mailbox that is
 * selected; all UIDs found in `found`.
 */
int copies_find(struct imap *im, struct item *const *v, size_t n,
		struct imap_set *found, struct coi_err *e);
/* Whole messages, by what they hold. */
struct copy {
	uint32_t uid;
	unsigned char sum[32];
};
int copies_sums(struct imap *im, const struct imap_set *set, struct copy **v,
		size_t *n, struct coi_err *e);
/*
 * Of several equal copies in the selected mailbox the one that came first
 * stays; all who filter at the same time decide so.  `moved`: those of the
 * items that should be there.
 */
int copies_thin(struct imap *im, struct item *const *v, size_t n,
		const struct imap_set *moved, struct coi_err *e);

/* --- filter.c ---------------------------------------------------------------
 */

struct filter {
	struct filter_opts o;
	struct decode_opts decode;
	struct arena *places; /* of place and sent */
	struct arena *arena;  /* of one pass */

	/* "filter:CONSUMER" in the state database */
	uint32_t uid_validity, done; /* INBOX: looked at up to here */
	struct imap_set waiting;     /* chats that are not \Seen yet */
	int64_t not_before;
	bool looked; /* those that wait were looked through once */

	bool have_place;
	struct folders_place place;
	struct str sent; /* absent: there is none */
	struct blocked blocked;

	bool asleep, keyword_refused;
	/* of one pass */
	struct str selected; /* absent: who knows */
	bool keyword_ok;
	uint64_t moved;
};

/* --- filter_flags.c ---------------------------------------------------------
 */

/* Sets the flags that the deeds ask for, in INBOX, which is selected. */
int filter_mark(struct filter *f, struct imap *im, const struct items *l,
		struct coi_err *e);

/* --- filter_move.c ----------------------------------------------------------
 */

/* Selects, unless it is. */
int filter_select(struct filter *f, struct imap *im, struct str mailbox,
		  struct coi_err *e);
int filter_places(struct filter *f, struct imap *im, struct coi_err *e);
/* Does the deeds of messages of INBOX. */
int filter_do(struct filter *f, struct imap *im, struct items *items,
	      struct coi_err *e);

#endif
