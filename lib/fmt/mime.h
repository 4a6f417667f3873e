/*
 * MIME reader (RFC 2045, 2046): one pass, fed in pieces, bodies never
 * collected.  The caller sees parts begin, raw body octets pass, parts end.
 */
#ifndef FMT_MIME_H
#define FMT_MIME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"
#include "fmt/enc.h"
#include "fmt/hdr.h"

struct mime_part {
	struct mime_part *parent;     /* NULL: the message itself */
	struct str header;	      /* raw header block */
	struct hdr_value type;	      /* "text/plain" when absent or broken */
	struct hdr_value disposition; /* value empty when absent */
	enum enc enc;
	struct str section; /* IMAP part number: "1", "2.1", ... */
	unsigned index;	    /* 0-based among its siblings */
	unsigned depth;	    /* 0: the message itself */
	bool multipart;
	void *user; /* the caller's */
};

struct mime_events {
	/* A leaf or a container begins; its headers are complete.  A negative
	 * return ends the reading with that error set by the callee. */
	int (*begin)(void *ctx, struct mime_part *p, struct coi_err *e);
	/* Raw (still encoded) octets of a leaf; the line end that belongs to
	 * the next boundary is not part of them. */
	int (*body)(void *ctx, struct mime_part *p, struct str raw,
		    struct coi_err *e);
	int (*end)(void *ctx, struct mime_part *p, struct coi_err *e);
};

struct mime;
/*
 * message/rfc822 is a leaf (not opened), and so is a multipart without a
 * boundary (text/plain then).  A multipart in which no boundary line is found
 * gets one text/plain part with what stands there.  Parts live in the arena;
 * `ev` is borrowed.
 */
struct mime *mime_new(struct arena *a, const struct mime_events *ev, void *ctx);
/*
 * Feeds message octets in any pieces.  Limits: core/limits.h; a part beyond
 * them is opaque (application/octet-stream), after LIMIT_MIME_PARTS the whole
 * rest of the message is, and mime_warning() says so.
 */
int mime_feed(struct mime *m, struct str in, struct coi_err *e);
/* The same for a message that is in memory as a whole and outlives the parts:
 * their headers are views of it.  The only feed before mime_end(). */
int mime_feed_whole(struct mime *m, struct str msg, struct coi_err *e);
int mime_end(struct mime *m, struct coi_err *e);
/* After mime_end(): the last boundary is missing, as when a mail was cut off.
 */
bool mime_unclosed(const struct mime *m);
const char *mime_warning(const struct mime *m); /* NULL: none */

#endif
