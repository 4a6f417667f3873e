/* What the files of sending share. */
#ifndef COI_SEND_PRIV_H
#define COI_SEND_PRIV_H

#include "coi/send.h"

/* The octets of a message: composed now, or kept from an earlier run. */
struct octets {
	struct wire *wire; /* or: */
	struct str mem;
	size_t at;
	int fd; /* spool file, or -1 */
};

ssize_t octets_read(void *ctx, char *p, size_t n, struct coi_err *e);
void octets_rewind(struct octets *o);
void octets_close(struct octets *o);

struct item {
	struct store_out out;
	struct octets octets;
	uint64_t size;
	int64_t input;
	struct str source;
	struct str root, conversation;
	bool judged;  /* its result is known, */
	bool fresh;   /* added by the group that is going on */
	bool settled; /* recorded, and may be told; from now or earlier */
	bool spent;   /* its octets are not needed any more */
	bool kept;    /* of an earlier run: never dropped unsent */
	struct str why;
	struct send_rcpt *rcpts;
	enum send_outcome outcome;
	struct sender *sender;
};

struct sender {
	struct account *ac;
	const struct account_net *net;
	struct store *st;
	const struct send_opts *o;
	struct arena *arena;
	struct smtp *smtp;
	struct item **batch;
	size_t n, cap;
	uint64_t octets;    /* of the batch */
	size_t results;	    /* of the batch, given so far */
	struct coi_err bad; /* of a message by its own fault */
	bool copies;	    /* something was accepted that wants a Sent copy */
};

#define SENDER_BATCH 64 /* messages at most */

/* A new message at the end of the batch. */
struct item *sender_new_item(struct sender *s);
/* One outcome for the message and all its recipients. */
void sender_set_rcpts(struct sender *s, struct item *it,
		      enum send_outcome state);
/* Puts it into the database before anything can leave. */
int sender_record(struct sender *s, struct item *it, struct coi_err *e);
/* Closes and forgets the messages of the batch. */
void sender_clear(struct sender *s);

/* The file that keeps a large message, beside the database. */
const char *spool_path(struct arena *a, const struct account *ac,
		       struct str id);
int spool_write(struct arena *a, const struct account *ac, struct str id,
		struct octets *o, struct coi_err *e);
/* Opens the octets of a row: its blob, or its spool file. */
int spool_open(struct arena *a, const struct account *ac,
	       const struct store_out *row, struct octets *o, uint64_t *size,
	       struct coi_err *e);
/* Removes old files that no message needs: a kill leaves such behind. */
void spool_sweep(struct sender *s);
void spool_remove(struct arena *a, const struct account *ac, struct str id);

#define SPOOL_ABOVE (256u * 1024u) /* octets kept in the database itself */

#endif
