#include "fmt/enc.h"

#include <string.h>

/* First token of the field: blanks, comments and parameters behind it go. */
enum enc enc_of(struct str cte)
{
	struct str s = str_trim(cte);
	size_t n;

	if (s.n > 0 && s.p[0] == '"')
		s = str_sub(s, 1, s.n - 1);
	for (n = 0; n < s.n; n++)
		if (strchr(" \t\r\n;(\"", s.p[n]) != NULL)
			break;
	s.n = n;
	if (s.n == 0 || str_iis(s, "7bit") || str_iis(s, "7-bit"))
		return ENC_7BIT;
	if (str_iis(s, "8bit") || str_iis(s, "8-bit"))
		return ENC_8BIT;
	if (str_iis(s, "binary"))
		return ENC_BINARY;
	if (str_iis(s, "quoted-printable"))
		return ENC_QP;
	if (str_iis(s, "base64"))
		return ENC_BASE64;
	return ENC_UNKNOWN;
}

/* --- base64 --------------------------------------------------------------- */

static const char b64_chars[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Value with bit 6 set; 0 is no character of the alphabet. */
#define OK 0x40
static const unsigned char b64_value[256] = {
    ['A'] = OK + 0,  ['B'] = OK + 1,  ['C'] = OK + 2,  ['D'] = OK + 3,
    ['E'] = OK + 4,  ['F'] = OK + 5,  ['G'] = OK + 6,  ['H'] = OK + 7,
    ['I'] = OK + 8,  ['J'] = OK + 9,  ['K'] = OK + 10, ['L'] = OK + 11,
    ['M'] = OK + 12, ['N'] = OK + 13, ['O'] = OK + 14, ['P'] = OK + 15,
    ['Q'] = OK + 16, ['R'] = OK + 17, ['S'] = OK + 18, ['T'] = OK + 19,
    ['U'] = OK + 20, ['V'] = OK + 21, ['W'] = OK + 22, ['X'] = OK + 23,
    ['Y'] = OK + 24, ['Z'] = OK + 25, ['a'] = OK + 26, ['b'] = OK + 27,
    ['c'] = OK + 28, ['d'] = OK + 29, ['e'] = OK + 30, ['f'] = OK + 31,
    ['g'] = OK + 32, ['h'] = OK + 33, ['i'] = OK + 34, ['j'] = OK + 35,
    ['k'] = OK + 36, ['l'] = OK + 37, ['m'] = OK + 38, ['n'] = OK + 39,
    ['o'] = OK + 40, ['p'] = OK + 41, ['q'] = OK + 42, ['r'] = OK + 43,
    ['s'] = OK + 44, ['t'] = OK + 45, ['u'] = OK + 46, ['v'] = OK + 47,
    ['w'] = OK + 48, ['x'] = OK + 49, ['y'] = OK + 50, ['z'] = OK + 51,
    ['0'] = OK + 52, ['1'] = OK + 53, ['2'] = OK + 54, ['3'] = OK + 55,
    ['4'] = OK + 56, ['5'] = OK + 57, ['6'] = OK + 58, ['7'] = OK + 59,
    ['8'] = OK + 60, ['9'] = OK + 61, ['+'] = OK + 62, ['/'] = OK + 63,
};

/* The marks of four values, shifted like the values themselves. */
#define MARKS4 ((OK << 18) + (OK << 12) + (OK << 6) + OK)

static bool blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * Whole groups of four, line ends between them skipped; stops in front of
 * anything else.  Writes 4 octets per group: the caller has room for that.
 */
static const unsigned char *b64_groups(const unsigned char *p,
				       const unsigned char *end,
				       unsigned char **out)
{
	unsigned char *o = *out;

	while (end - p >= 8) {
		unsigned a = b64_value[p[0]], b = b64_value[p[1]];
		unsigned c = b64_value[p[2]], d = b64_value[p[3]];
		unsigned e = b64_value[p[4]], f = b64_value[p[5]];
		unsigned g = b64_value[p[6]], h = b64_value[p[7]];
		uint32_t x, y;
		uint64_t w;

		if ((a & b & c & d & OK) == 0) {
			if (p[0] == '\r' && p[1] == '\n') {
				p += 2;
				continue;
			}
			if (p[0] == '\n') {
				p++;
				continue;
			}
			break;
		}
		x = (a << 18) + (b << 12) + (c << 6) + d - MARKS4;
		if ((e & f & g & h & OK) == 0) {
			x = __builtin_bswap32(x << 8);
			memcpy(o, &x, 4);
			o += 3;
			p += 4;
			continue;
		}
		y = (e << 18) + (f << 12) + (g << 6) + h - MARKS4;
		w = __builtin_bswap64((uint64_t)x << 40 | (uint64_t)y << 16);
		memcpy(o, &w, 8);
		o += 6;
		p += 8;
	}
	*out = o;
	return p;
}

static void b64_decode(struct enc_dec *d, struct str in, bool last,
		       struct buf *out)
{
	const unsigned char *p = (const unsigned char *)in.p, *end = p + in.n;
	unsigned char *o = (unsigned char *)buf_room(out, in.n / 4 * 3 + 3 + 8);
	unsigned char *start = o;

	while (p < end) {
		unsigned v;

		if (d->nbits == 0 && !d->ended) {
			p = b64_groups(p, end, &o);
			if (p == end)
				break;
		}
		v = b64_value[*p];
		if (v != 0 && !d->ended) {
			d->bits = d->bits << 6 | (v & 0x3f);
			d->nbits += 6;
			if (d->nbits >= 8) {
				d->nbits -= 8;
				*o++ = (unsigned char)(d->bits >> d->nbits);
			}
		} else if (*p == '=') {
			if (!d->ended && (d->nbits == 0 || d->nbits == 6))
				d->bad = true;
			d->ended = true;
		} else if (!blank(*p)) {
			d->bad = true;
		}
		p++;
	}
	out->n += (size_t)(o - start);
	if (last && d->nbits == 6)
		d->bad = true;
}

bool enc_b64_decode(struct str in, bool lenient, struct buf *out)
{
	struct enc_dec d = {.enc = ENC_BASE64};
	size_t before = out->n, i, pad = 0;

	if (in.n == 0)
		return true;
	if (!lenient) {
		if (in.n % 4 != 0)
			return false;
		while (pad < 2 && pad < in.n && in.p[in.n - 1 - pad] == '=')
			pad++;
		for (i = 0; i < in.n - pad; i++)
			if (b64_value[(unsigned char)in.p[i]] == 0)
				return false;
	}
	b64_decode(&d, in, true, out);
	if (d.bad)
		out->n = before;
	return !d.bad;
}

/* Whole groups only but for the padded end. */
static char *b64_put(char *o, const unsigned char *p, size_t n)
{
	for (; n >= 3; n -= 3, p += 3) {
		*o++ = b64_chars[p[0] >> 2];
		*o++ = b64_chars[(p[0] & 3) << 4 | p[1] >> 4];
		*o++ = b64_chars[(p[1] & 15) << 2 | p[2] >> 6];
		*o++ = b64_chars[p[2] & 63];
	}
	if (n == 0)
		return o;
	*o++ = b64_chars[p[0] >> 2];
	*o++ = b64_chars[(p[0] & 3) << 4 | (n > 1 ? p[1] >> 4 : 0)];
	*o++ = n > 1 ? b64_chars[(p[1] & 15) << 2] : '=';
	*o++ = '=';
	return o;
}

void enc_b64(struct buf *b, struct str in)
{
	char *o = buf_room(b, in.n / 3 * 4 + 4);

	b->n += (size_t)(b64_put(o, (const unsigned char *)in.p, in.n) - o);
}

#define LINE_IN 57 /* octets of a line of 76 characters */

static void b64_lines(struct buf *b, const unsigned char *p, size_t n)
{
	char *o = buf_room(b, (n / LINE_IN + 1) * 78), *start = o;

	while (n > 0) {
		size_t k = n < LINE_IN ? n : LINE_IN;

		o = b64_put(o, p, k);
		*o++ = '\r';
		*o++ = '\n';
		p += k;
		n -= k;
	}
	b->n += (size_t)(o - start);
}

void enc_b64_lines(struct buf *b, struct str in)
{
	b64_lines(b, (const unsigned char *)in.p, in.n);
}

void enc_b64_feed(struct enc_b64_enc *x, struct str in, struct buf *out)
{
	size_t k;

	if (x->nheld > 0) {
		k = LINE_IN - x->nheld;
		if (k > in.n)
			k = in.n;
		if (k > 0)
			memcpy(x->held + x->nheld, in.p, k);
		x->nheld += k;
		in = str_sub(in, k, in.n - k);
		if (x->nheld < LINE_IN)
			return;
		b64_lines(out, x->held, LINE_IN);
		x->nheld = 0;
	}
	k = in.n - in.n % LINE_IN;
	if (k > 0)
		b64_lines(out, (const unsigned char *)in.p, k);
	if (in.n > k)
		memcpy(x->held, in.p + k, in.n - k);
	x->nheld = in.n - k;
}

void enc_b64_end(struct enc_b64_enc *x, struct buf *out)
{
	b64_lines(out, x->held, x->nheld);
	x->nheld = 0;
}

/* --- quoted-printable ------------------------------------------------------
 */

static int hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static void qp_flush(struct enc_dec *d, struct buf *out)
{
	if (d->nheld > 0 && d->held[0] == '=')
		d->bad = true;
	buf_add(out, d->held, d->nheld);
	d->nheld = 0;
}

/* What the octet means behind the held ones; false: look at it again. */
static bool qp_step(struct enc_dec *d, unsigned char c, struct buf *out)
{
	char first = d->nheld > 0 ? d->held[0] : 0;
	char tail = d->nheld > 0 ? d->held[d->nheld - 1] : 0;
	bool ws = c == ' ' || c == '\t';

	if (d->nheld == 0) {
		if (ws && d->wide) {
			buf_c(out, (char)c);
			return true;
		}
		d->wide = false;
		if (ws || c == '=')
			d->held[d->nheld++] = (char)c;
		else
			buf_c(out, (char)c);
		return true;
	}
	if (first == '=' && d->nheld == 2 && hex((unsigned char)tail) >= 0) {
		if (hex(c) < 0) {
			qp_flush(d, out);
			return false;
		}
		buf_c(out, (char)(hex((unsigned char)tail) << 4 | hex(c)));
		d->nheld = 0;
		return true;
	}
	if (c == '\n') {
		if (first != '=' && tail == '\r')
			buf_c(out, '\r');
		if (first != '=')
			buf_c(out, '\n');
		d->nheld = 0;
		return true;
	}
	if (tail != '\r' && (ws || c == '\r' ||
			     (d->nheld == 1 && first == '=' && hex(c) >= 0))) {
		/* No line of this encoding has that many: they are content. */
		if (d->nheld == sizeof(d->held)) {
			qp_flush(d, out);
			d->wide = ws;
			return false;
		}
		d->held[d->nheld++] = (char)c;
		return true;
	}
	qp_flush(d, out);
	return false;
}

static const char *qp_plain(struct enc_dec *d, const char *p, const char *end,
			    struct buf *out)
{
	while (p < end) {
		const char *q = memchr(p, '=', (size_t)(end - p));
		int hi, lo;

		if (q == NULL)
			q = end;
		if (q > p)
			buf_add(out, p, (size_t)(q - p));
		if (end - q < 3)
			return q;
		hi = hex((unsigned char)q[1]);
		lo = hex((unsigned char)q[2]);
		if (hi < 0 || lo < 0)
			return q;
		buf_c(out, (char)(hi << 4 | lo));
		p = q + 3;
	}
	return p;
}

static void qp_decode(struct enc_dec *d, struct str in, bool last,
		      struct buf *out)
{
	const char *p = in.p, *end = p + in.n;
	const char *next = p; /* behind the line that p is in */
	const char *stop = p; /* blanks that may be padding begin here */

	while (p < end) {
		if (p >= next) {
			next = memchr(p, '\n', (size_t)(end - p));
			next = next != NULL ? next + 1 : end;
			stop = next;
			if (stop > p && stop[-1] == '\n')
				stop--;
			if (stop > p && stop[-1] == '\r')
				stop--;
			if (stop > p && stop[-1] != ' ' && stop[-1] != '\t')
				stop = next;
			while (stop > p &&
			       (stop[-1] == ' ' || stop[-1] == '\t'))
				stop--;
		}
		if (d->nheld == 0 && !d->wide && p < stop)
			p = qp_plain(d, p, stop, out);
		if (p < next &&
		    (p >= stop || *p == '=' || d->nheld > 0 || d->wide) &&
		    qp_step(d, (unsigned char)*p, out))
			p++;
	}
	if (!last)
		return;
	/* The end of the body is a line end. */
	if (d->nheld > 1 && d->held[0] == '=' &&
	    hex((unsigned char)d->held[1]) >= 0)
		qp_flush(d, out);
	else if (d->nheld > 0 && d->held[0] != '=' &&
		 d->held[d->nheld - 1] == '\r')
		buf_c(out, '\r');
	d->nheld = 0;
	d->wide = false;
}

void enc_decode(struct enc_dec *d, struct str in, bool last, struct buf *out)
{
	if (in.p == NULL)
		in = STR("");
	switch (d->enc) {
	case ENC_BASE64:
		b64_decode(d, in, last, out);
		break;
	case ENC_QP:
		qp_decode(d, in, last, out);
		break;
	default:
		buf_add(out, in.p, in.n);
	}
}

/* --- writing quoted-printable ----------------------------------------------
 */

static bool qp_literal(struct str in, size_t i, bool bol, bool eol)
{
	unsigned char c = (unsigned char)in.p[i];

	if (c == ' ' || c == '\t')
		return !eol;
	if (c <= ' ' || c > '~' || c == '=')
		return false;
	if (!bol)
		return true;
	/* A lone dot ends SMTP data, "From " a message in mbox files. */
	return c != '.' && !(c == 'F' && in.n - i >= 5 &&
			     memcmp(in.p + i, "From ", 5) == 0);
}

#define QP_MAX 76u

void enc_qp(struct buf *b, struct str in)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t col = 0, i = 0, len = 0;
	char *o = NULL;

	while (i < in.n) {
		unsigned char c = (unsigned char)in.p[i];
		bool eol, lit;
		size_t need;

		if (len < 8) {
			len = 4096;
			o = buf_room(b, len);
		}
		if (c == '\r' && i + 1 < in.n && in.p[i + 1] == '\n') {
			i++;
			continue;
		}
		if (c == '\n') {
			*o++ = '\r';
			*o++ = '\n';
			b->n += 2;
			len -= 2;
			col = 0;
			i++;
			continue;
		}
		eol = i + 1 == in.n || in.p[i + 1] == '\n' ||
		      (in.p[i + 1] == '\r' && i + 2 < in.n &&
		       in.p[i + 2] == '\n');
		lit = qp_literal(in, i, col == 0, eol);
		need = lit ? 1 : 3;
		if (col + need > (eol ? QP_MAX : QP_MAX - 1)) {
			memcpy(o, "=\r\n", 3);
			o += 3;
			b->n += 3;
			len -= 3;
			col = 0;
			continue;
		}
		if (lit) {
			*o++ = (char)c;
		} else {
			*o++ = '=';
			*o++ = digits[c >> 4];
			*o++ = digits[c & 15];
		}
		b->n += need;
		len -= need;
		col += need;
		i++;
	}
}
