/* Transfer encodings (RFC 2045 6, RFC 4648), streaming. */
#ifndef FMT_ENC_H
#define FMT_ENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum enc { ENC_7BIT, ENC_8BIT, ENC_BINARY, ENC_QP, ENC_BASE64, ENC_UNKNOWN };

enum enc enc_of(struct str cte); /* "" is 7bit */

/* A decoder fed with raw body octets; zero-initialise, set `enc`. */
struct enc_dec {
	enum enc enc;
	uint32_t bits; /* base64: bits not written yet */
	unsigned nbits;
	bool ended;    /* base64: '=' was seen */
	bool bad;      /* something was not of the alphabet */
	char held[80]; /* qp: an unfinished escape or trailing blanks */
	unsigned nheld;
	bool wide; /* qp: inside a run of blanks too long for padding */
};

/* Appends what `in` decodes to; call with last=true once at the end. */
void enc_decode(struct enc_dec *d, struct str in, bool last, struct buf *out);

/* Whole values.  base64: strict unless `lenient` (blanks, no padding). */
bool enc_b64_decode(struct str in, bool lenient, struct buf *out);
void enc_b64(struct buf *b, struct str in);	  /* one line, padded */
void enc_b64_lines(struct buf *b, struct str in); /* 76, CRLF ends */
void enc_qp(struct buf *b, struct str in);	  /* text: LF in, CRLF out */

/* A streaming base64 line encoder, for files that do not fit in memory. */
struct enc_b64_enc {
	unsigned char held[57];
	size_t nheld;
};
void enc_b64_feed(struct enc_b64_enc *x, struct str in, struct buf *out);
void enc_b64_end(struct enc_b64_enc *x, struct buf *out);

#endif
