/* Encoded words (RFC 2047), read and written. */
#include "fmt/enc.h"
#include "fmt/hdr.h"
#include "fmt/text.h"

#define CHARSET_MAX 64 /* octets of a charset name and its language */
#define LINE_MAX_COL 76
#define WORD_MAX 75
#define WORD_FRAME 12	   /* =?utf-8?Q? ... ?= */
#define WORD_MIN (12 + 12) /* frame and one code point of four octets */
#define PIECE_MAX 900	   /* ASCII without a blank that stays as it is */

void hdr_utf8(struct buf *b, struct str s)
{
	size_t i = 0, good = 0, bad = 0, k;
	uint32_t cp;

	if (utf8_valid(s)) {
		buf_str(b, s);
		return;
	}
	while (i < s.n) {
		k = utf8_decode(s.p + i, s.n - i, &cp);
		good += k > 1;
		bad += k == 0;
		i += k == 0 ? 1 : k;
	}
	/* UTF-8 cut in the middle stays UTF-8; else it is an old 8-bit set. */
	if (good > 0 && good >= bad)
		buf_utf8(b, s);
	else
		text_to_utf8(b, STR("windows-1252"), s);
}

/* Octets of words not converted yet: a character may span words. */
struct words {
	struct buf *out;
	struct buf raw;
	struct str charset; /* p == NULL: nothing waits */
};

static void words_flush(struct words *w)
{
	size_t i = w->out->n;

	if (w->charset.p == NULL)
		return;
	text_to_utf8(w->out, w->charset, buf_view(&w->raw));
	/* What looked like text must not become the end of a line. */
	for (; i < w->out->n; i++)
		if (w->out->p[i] == '\r' || w->out->p[i] == '\n' ||
		    w->out->p[i] == '\0')
			w->out->p[i] = ' ';
	buf_clear(&w->raw);
	w->charset = STR_NONE;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void q_decode(struct buf *b, struct str s)
{
	char *p = buf_room(b, s.n);
	size_t i, n = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '_') {
			p[n++] = ' ';
		} else if (s.p[i] == '=' && i + 2 < s.n &&
			   hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
			p[n++] = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		} else {
			p[n++] = s.p[i];
		}
	}
	b->n += n;
}

/*
 * Takes the word at the front of s ("=?" is there); `close` is where the first
 * "?=" of s stands at or behind the text.  Octets used, 0 if it is no word.
 */
static size_t word_take(struct words *w, struct str s, size_t text, char how,
			struct str charset, size_t close)
{
	struct str in = str_sub(s, text, close - text);
	size_t was;

	if (w->charset.p != NULL && !str_ieq(w->charset, charset))
		words_flush(w);
	was = w->raw.n;
	if (how == 'q') {
		q_decode(&w->raw, in);
	} else if (!enc_b64_decode(in, true, &w->raw)) {
		w->raw.n = was;
		return 0;
	}
	w->charset = charset;
	return close + 2;
}

/* Reads "=?charset*language?x?"; the index of the text, 0 if it is not. */
static size_t word_head(struct str s, struct str *charset, char *how)
{
	struct str head = str_sub(s, 2, CHARSET_MAX);
	ptrdiff_t q = str_chr(head, '?'), i;

	if (q <= 0 || (size_t)q + 5 > s.n || s.p[q + 4] != '?')
		return 0;
	for (i = 0; i < q; i++)
		if (head.p[i] <= ' ' || head.p[i] >= 127)
			return 0;
	*how = (char)(s.p[q + 3] | 0x20);
	if (*how != 'q' && *how != 'b')
		return 0;
	head.n = (size_t)q;
	*charset = str_split(&head, '*');
	return (size_t)q + 5;
}

static void words_decode(struct buf *out, struct str s)
{
	struct words w = {.out = out};
	size_t at = 0, copied = 0, close = 0, text, used;
	struct str charset = STR_NONE;
	char how = 0;

	while (at < s.n) {
		struct str rest = str_sub(s, at, s.n), gap;
		ptrdiff_t i = str_find(rest, STR("=?"));

		if (i < 0)
			break;
		at += (size_t)i;
		rest = str_sub(s, at, s.n);
		text = word_head(rest, &charset, &how);
		/* The search for "?=" never goes back: linear in all. */
		if (text > 0 && close < at + text) {
			i = str_find(str_sub(rest, text, rest.n), STR("?="));
			if (i < 0)
				break;
			close = at + text + (size_t)i;
		}
		gap = str_sub(s, copied, at - copied);
		if (text > 0) {
			if (w.charset.p == NULL || str_trim(gap).n > 0) {
				words_flush(&w);
				hdr_utf8(out, gap);
				copied = at;
			}
			used = word_take(&w, rest, text, how, charset,
					 close - at);
			if (used > 0) {
				at += used;
				copied = at;
				continue;
			}
		}
		at += 2;
	}
	words_flush(&w);
	hdr_utf8(out, str_sub(s, copied, s.n));
	buf_free(&w.raw);
}

struct str hdr_text(struct arena *a, struct str raw)
{
	struct str s = hdr_unfold(a, raw);
	struct buf b = {0};
	bool words = str_find(s, STR("=?")) >= 0;

	if (!words && utf8_valid(s))
		return s;
	if (words)
		words_decode(&b, s);
	else
		hdr_utf8(&b, s);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

/* --- writing ------------------------------------------------------------- */

static bool q_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '!' || c == '*' || c == '+' ||
	       c == '-' || c == '/';
}

static size_t q_size(struct str s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += q_plain(s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return n;
}

static void q_encode(struct buf *b, struct str s)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == ' ') {
			buf_c(b, '_');
		} else if (q_plain(s.p[i])) {
			buf_c(b, s.p[i]);
		} else {
			buf_c(b, '=');
			buf_c(b, digits[c >> 4]);
			buf_c(b, digits[c & 15]);
		}
	}
}

/* How much of s (whole code points) fits into `room` columns of payload. */
static size_t fit(struct str s, size_t room, bool q)
{
	size_t n = 0, cols = 0, k, w;
	uint32_t cp;

	while (n < s.n) {
		k = utf8_decode(s.p + n, s.n - n, &cp);
		if (k == 0)
			k = 1;
		if (q) {
			w = q_size((struct str){s.p + n, k});
			if (cols + w > room)
				break;
			cols += w;
		} else if ((n + k + 2) / 3 * 4 > room) {
			break;
		}
		n += k;
	}
	return n;
}

/* Valid UTF-8 without controls; everything that is written goes through it. */
static void clean(struct buf *b, struct str s)
{
	size_t i = b->n;

	buf_utf8(b, s);
	for (; i < b->n; i++)
		if ((unsigned char)b->p[i] < ' ' || b->p[i] == 127)
			b->p[i] = ' ';
}

static void words_encode(struct buf *b, struct str s, size_t col)
{
	bool q = q_size(s) <= (s.n + 2) / 3 * 4, first = true;

	while (s.n > 0) {
		size_t room = col + WORD_MIN > LINE_MAX_COL
				  ? 0
				  : LINE_MAX_COL - col;
		struct str part;

		if (!first || room == 0) {
			/* The caller folds before the first word. */
			if (!first)
				buf_z(b, "\r\n ");
			room = LINE_MAX_COL - 1;
		}
		if (room > WORD_MAX)
			room = WORD_MAX;
		part = str_sub(s, 0, fit(s, room - WORD_FRAME, q));
		s = str_sub(s, part.n, s.n);
		if (q) {
			buf_z(b, "=?utf-8?Q?");
			q_encode(b, part);
		} else {
			buf_z(b, "=?utf-8?B?");
			enc_b64(b, part);
		}
		buf_z(b, "?=");
		first = false;
	}
}

void hdr_write_words(struct buf *b, struct str text, size_t column)
{
	struct buf t = {0};

	clean(&t, text);
	words_encode(b, buf_view(&t), column);
	buf_free(&t);
}

/* The piece at the front: up to a blank that stands alone, where a fold loses
 * nothing. */
static struct str piece(struct str s)
{
	size_t i;

	for (i = 1; i + 1 < s.n; i++)
		if (s.p[i] == ' ' && s.p[i - 1] != ' ' && s.p[i + 1] != ' ')
			return str_sub(s, 0, i);
	return s;
}

static bool must_encode(struct str s)
{
	size_t i;

	if (s.n > PIECE_MAX || str_find(s, STR("=?")) >= 0)
		return true;
	if (s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' '))
		return true;
	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 128)
			return true;
	return false;
}

static void fold(struct buf *b, size_t *col, size_t width)
{
	if (*col + 1 + width > LINE_MAX_COL) {
		buf_z(b, "\r\n ");
		*col = 1;
	} else {
		buf_c(b, ' ');
		*col += 1;
	}
}

static void plain(struct buf *b, size_t *col, struct str s, bool first)
{
	while (s.n > 0) {
		struct str p = piece(s);

		/* A name alone on its line confuses some readers. */
		if (first) {
			buf_c(b, ' ');
			*col += 1;
		} else {
			fold(b, col, p.n);
		}
		first = false;
		buf_str(b, p);
		*col += p.n;
		s = str_sub(s, p.n + 1, s.n);
	}
}

void hdr_write_text(struct buf *b, const char *name, struct str text)
{
	size_t col = strlen(name) + 1, from = SIZE_MAX, to = 0, at = 0, nl;
	struct buf t = {0};
	struct str s;

	buf_z(b, name);
	buf_c(b, ':');
	clean(&t, text);
	s = buf_view(&t);
	/* From the first piece that needs it to the last one. */
	while (at < s.n) {
		struct str p = piece(str_sub(s, at, s.n));

		if (must_encode(p)) {
			if (from == SIZE_MAX)
				from = at;
			to = at + p.n;
		}
		at += p.n + 1;
	}
	if (from == SIZE_MAX) {
		plain(b, &col, s, true);
	} else {
		if (from > 0)
			plain(b, &col, str_sub(s, 0, from - 1), true);
		fold(b, &col, WORD_MIN);
		words_encode(b, str_sub(s, from, to - from), col);
		for (nl = b->n; nl > 0 && b->p[nl - 1] != '\n'; nl--)
			;
		col = b->n - nl;
		if (to < s.n)
			plain(b, &col, str_sub(s, to + 1, s.n), false);
	}
	buf_z(b, "\r\n");
	buf_free(&t);
}
