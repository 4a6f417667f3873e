/* SMTP replies (RFC 5321 4.2, RFC 2034): octets in, one reply out; no I/O. */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "core/str.h"

struct smtp_reply {
	int code;	   /* 200..599 when complete */
	unsigned lines;	   /* lines taken so far */
	struct buf text;   /* what follows the codes, lines ended by LF */
	const char *fault; /* why it is none, or NULL */
	/* where the reading stands */
	unsigned column;
	int line_code;
	bool more, cr;
};

/* Ready for the next reply; keeps the memory. */
void smtp_reply_reset(struct smtp_reply *r);
void smtp_reply_free(struct smtp_reply *r);

/*
 * Takes octets up to the end of the reply; *used tells how many.  1: the reply
 * is complete, 0: more is needed, -1: no reply (see fault).  The same for every
 * way the octets are cut up.
 */
int smtp_reply_feed(struct smtp_reply *r, struct str in, size_t *used);

/* "5.1.1" when the first line begins so and its class fits; or absent. */
struct str smtp_reply_enhanced(const struct smtp_reply *r);
/* The human part in one line, cleaned, without enhanced codes. */
void smtp_reply_words(const struct smtp_reply *r, struct buf *out);

#endif
