/* Header fields: RFC 5322 2.2, encoded words (2047), parameters (2045, 2231).
 */
#ifndef FMT_HDR_H
#define FMT_HDR_H

#include <stdbool.h>

#include "core/mem.h"
#include "core/str.h"

/*
 * Walks a header block (LF or CRLF) one field at a time; folded lines stay in
 * `value` (raw, trimmed).  Lines that are no field (no colon, mbox "From ")
 * are skipped.  Stops at the empty line or the end: false.  `block` is left
 * behind what was read, the empty line included.
 */
bool hdr_next(struct str *block, struct str *name, struct str *value);
/* The same, but only fields whose name begins with that small letter. */
bool hdr_next_of(struct str *block, char initial, struct str *name,
		 struct str *value);

/* First field of that name in the block, or STR_NONE. */
struct str hdr_get(struct str block, const char *name);

/* Length of the header block that starts `msg`, with its empty line; msg.n if
 * there is no empty line. */
size_t hdr_end(struct str msg);

/* Folds removed, blanks at folds kept as one; a view where nothing changes. */
struct str hdr_unfold(struct arena *a, struct str raw);

/* Unfolded, encoded words decoded to UTF-8, invalid octets as U+FFFD.  A CR, LF
 * or NUL that was hidden in an encoded word becomes a blank. */
struct str hdr_text(struct arena *a, struct str raw);
/* Appends raw header octets as UTF-8: kept if they are, else windows-1252. */
void hdr_utf8(struct buf *b, struct str raw);

/* Appends "Name: text\r\n", encoded by RFC 2047 where needed, folded at 76. */
void hdr_write_text(struct buf *b, const char *name, struct str text);
/* Appends text as encoded words alone; `column` is where the first begins, at
 * most 52.  More than fit into a line of 76 go on in folded lines. */
void hdr_write_words(struct buf *b, struct str text, size_t column);
/* True when text may stand in a header as it is: no CR, LF, NUL. */
bool hdr_safe(struct str text);

/* A structured value: `value; name=x; name*0*=...`. */
struct hdr_param {
	struct str name;  /* lower case, without the RFC 2231 marks */
	struct str value; /* UTF-8, decoded by RFC 2231, or 2047 in quotes */
};
struct hdr_value {
	struct str value; /* lower case: "text/plain", "inline", ... */
	struct hdr_param *v;
	size_t n;
};
/*
 * Reads liberally: comments go, an unquoted value may hold blanks up to the
 * next ";", continuations in any order, of two equal names the first counts, an
 * extended value before a plain one.  `; word` without "=" is a parameter with
 * an empty value.
 */
void hdr_value(struct arena *a, struct str raw, struct hdr_value *out);
struct str hdr_param(const struct hdr_value *v, const char *name);
/* Appends `; name="value"`, or RFC 2231 form and continuations if needed; what
 * would pass column 76 starts a folded line (";\r\n name=..."). */
void hdr_write_param(struct buf *b, const char *name, struct str value);

#endif
