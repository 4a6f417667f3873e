#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/secret.h"

bool str_ascii(struct str a)
{
	size_t i;

	for (i = 0; i < a.n; i++)
		if ((unsigned char)a.p[i] >= 0x80)
			return false;
	return true;
}

bool str_ieq_n(const char *a, const char *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool str_ends(struct str a, const char *z)
{
	size_t n = strlen(z);

	return a.n >= n && (n == 0 || memcmp(a.p + a.n - n, z, n) == 0);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str a)
{
	while (a.n > 0 && blank(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n > 0 && blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

ptrdiff_t str_chr(struct str a, char c)
{
	const char *q = a.n == 0 ? NULL : memchr(a.p, c, a.n);

	return q == NULL ? -1 : q - a.p;
}

ptrdiff_t str_find(struct str a, struct str z)
{
	const char *q;

	if (z.n == 0)
		return 0;
	if (a.n < z.n)
		return -1;
	q = memmem(a.p, a.n, z.p, z.n);
	return q == NULL ? -1 : q - a.p;
}

ptrdiff_t str_ifind(struct str a, struct str z)
{
	size_t i;

	if (z.n == 0)
		return 0;
	for (i = 0; i + z.n <= a.n; i++)
		if (str_ieq_n(a.p + i, z.p, z.n))
			return (ptrdiff_t)i;
	return -1;
}

struct str str_split(struct str *rest, char c)
{
	ptrdiff_t i = str_chr(*rest, c);
	struct str head = *rest;

	if (i < 0) {
		rest->p = rest->p == NULL ? NULL : rest->p + rest->n;
		rest->n = 0;
		return head;
	}
	head.n = (size_t)i;
	rest->p += i + 1;
	rest->n -= (size_t)i + 1;
	return head;
}

bool str_line(struct str *rest, struct str *line)
{
	if (rest->n == 0)
		return false;
	*line = str_split(rest, '\n');
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

bool str_u64(struct str a, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	if (a.n == 0 || a.n > 20)
		return false;
	for (i = 0; i < a.n; i++) {
		unsigned d = (unsigned char)a.p[i] - (unsigned)'0';

		if (d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

size_t utf8_decode(const char *p, size_t n, uint32_t *cp)
{
	const unsigned char *s = (const unsigned char *)p;
	uint32_t v, min;
	size_t len, i;

	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2, v = s[0] & 0x1fu, min = 0x80;
	} else if ((s[0] & 0xf0) == 0xe0) {
		len = 3, v = s[0] & 0x0fu, min = 0x800;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4, v = s[0] & 0x07u, min = 0x10000;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s[i] & 0x3fu);
	}
	if (v < min || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp = v;
	return len;
}

/* Octets of ASCII at the front of eight. */
static size_t ascii8(const char *p)
{
	uint64_t w;

	memcpy(&w, p, 8);
	w &= UINT64_C(0x8080808080808080);
	if (w == 0)
		return 8;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return (size_t)__builtin_ctzll(w) / 8;
#else
	return (size_t)__builtin_clzll(w) / 8;
#endif
}

bool utf8_valid(struct str a)
{
	size_t i = 0, k;
	uint32_t cp;

	while (i < a.n) {
		/* Eight ASCII octets at a time: most mail is just that. */
		if (i + 8 <= a.n) {
			k = ascii8(a.p + i);
			i += k;
			if (k == 8)
				continue;
		}
		k = utf8_decode(a.p + i, a.n - i, &cp);
		if (k == 0)
			return false;
		i += k;
	}
	return true;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		secret_wipe(b->p, b->cap);
	buf_free(b);
}

void buf_grow(struct buf *b, size_t n)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;

	if (n > SIZE_MAX / 2 - b->n)
		mem_fail(n);
	while (cap - b->n < n)
		cap *= 2;
	b->p = mem_grow(b->p, cap);
	b->cap = cap;
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	buf_room(b, 128);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	if (n > 0 && (size_t)n >= b->cap - b->n) {
		buf_room(b, (size_t)n + 1);
		n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
	}
	va_end(again);
	if (n > 0)
		b->n += (size_t)n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(b, fmt, ap);
	va_end(ap);
}

void buf_u64(struct buf *b, uint64_t v)
{
	char tmp[20];
	size_t i = sizeof(tmp);

	do {
		tmp[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(b, tmp + i, sizeof(tmp) - i);
}

void buf_cp(struct buf *b, uint32_t cp)
{
	char *p = buf_room(b, 4);

	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		cp = 0xfffd;
	if (cp < 0x80) {
		p[0] = (char)cp;
		b->n += 1;
	} else if (cp < 0x800) {
		p[0] = (char)(0xc0 | cp >> 6);
		p[1] = (char)(0x80 | (cp & 0x3f));
		b->n += 2;
	} else if (cp < 0x10000) {
		p[0] = (char)(0xe0 | cp >> 12);
		p[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		p[2] = (char)(0x80 | (cp & 0x3f));
		b->n += 3;
	} else {
		p[0] = (char)(0xf0 | cp >> 18);
		p[1] = (char)(0x80 | (cp >> 12 & 0x3f));
		p[2] = (char)(0x80 | (cp >> 6 & 0x3f));
		p[3] = (char)(0x80 | (cp & 0x3f));
		b->n += 4;
	}
}

void buf_utf8(struct buf *b, struct str s)
{
	size_t i = 0, k;
	uint32_t cp;

	if (utf8_valid(s)) {
		buf_str(b, s);
		return;
	}
	while (i < s.n) {
		k = utf8_decode(s.p + i, s.n - i, &cp);
		if (k == 0) {
			buf_cp(b, 0xfffd);
			i++;
		} else {
			buf_add(b, s.p + i, k);
			i += k;
		}
	}
}

void buf_clean(struct buf *b, struct str s)
{
	size_t i = 0, k;
	uint32_t cp;

	while (i < s.n) {
		k = utf8_decode(s.p + i, s.n - i, &cp);
		if (k == 0) {
			buf_cp(b, 0xfffd);
			i++;
			continue;
		}
		/* C0, DEL, C1, and the marks that reorder text. */
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    (cp >= 0x202a && cp <= 0x202e) ||
		    (cp >= 0x2066 && cp <= 0x2069) || cp == 0x2028 ||
		    cp == 0x2029)
			buf_c(b, ' ');
		else
			buf_add(b, s.p + i, k);
		i += k;
	}
}

const char *buf_cstr(struct buf *b)
{
	*buf_room(b, 1) = '\0';
	return b->p;
}

char *buf_take(struct buf *b)
{
	char *p;

	buf_cstr(b);
	p = b->p;
	*b = (struct buf){0};
	return p;
}
