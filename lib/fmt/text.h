/* Text of ordinary mail: character sets, HTML, quotes and signatures. */
#ifndef FMT_TEXT_H
#define FMT_TEXT_H

#include <stdbool.h>

#include "core/mem.h"
#include "core/str.h"

/*
 * Appends `in` converted from the named character set to valid UTF-8; what
 * cannot be converted becomes U+FFFD.  Unknown set: UTF-8 if valid, else
 * Latin-1; false is returned then.
 */
bool text_to_utf8(struct buf *b, struct str charset, struct str in);

/*
 * Readable text of an HTML body (UTF-8): blocks, lists ("* ", "1. "), quotes
 * ("> "), links ("text <url>"), entities; no scripts, no styles, no comments,
 * nothing hidden.  Linear in time, bounded nesting.  LF line ends, none last.
 */
void text_from_html(struct buf *b, struct str html);

/* CommonMark to an HTML fragment; raw HTML in it is not passed through. */
void text_markdown_html(struct buf *b, struct str markdown);

/*
 * What the sender wrote himself: quoted blocks with their attribution line
 * ("On ... wrote:" and its common translations), "-----Original Message-----"
 * and the signature behind "-- " cut; LF line ends, none last.  Of answers
 * between quotes all own pieces stay.  What is forwarded is no quote.  A text
 * that is nothing but quotes stays as it is.  True when something was cut.
 */
bool text_cut(struct str text, struct buf *own);

/* CRLF and CR become LF; trailing blank lines and the last line end go. */
void text_lf(struct buf *b, struct str text);

#endif
