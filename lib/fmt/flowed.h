/* format=flowed (RFC 3676): soft breaks, space-stuffing, quote depth. */
#ifndef FMT_FLOWED_H
#define FMT_FLOWED_H

#include <stdbool.h>

#include "core/str.h"

/*
 * Text with LF line ends to flowed lines of at most ~72 columns, CRLF, the last
 * one ended too.  Only blanks are broken at, so a word longer than that makes a
 * longer line: if a line passes 990 octets, send the result as quoted-printable
 * or base64, which keeps it whole.  Blanks at the end of a line are dropped
 * (they would mean something else), but for the signature mark "-- ".
 */
void flowed_encode(struct buf *b, struct str text);
/* Back to paragraphs, LF only, each line ended as on the wire; quoted lines
 * keep their depth as ">>> ". */
void flowed_decode(struct buf *b, struct str wire, bool delsp);

#endif
