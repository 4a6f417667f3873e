/* format=flowed (RFC 3676): soft breaks, space-stuffing, quote depth. */
#ifndef FMT_FLOWED_H
#define FMT_FLOWED_H

#include <stdbool.h>

#include "core/str.h"

/* Text with LF line ends to flowed lines of at most ~72 columns, CRLF. */
void flowed_encode(struct buf *b, struct str text);
/* Back to paragraphs, LF only; quoted lines keep their ">" prefix. */
void flowed_decode(struct buf *b, struct str wire, bool delsp);

#endif
