/* Strings: a borrowed view for parsing, an owned buffer for building. */
#ifndef CORE_STR_H
#define CORE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view: borrowed, not NUL-terminated, may hold NUL.  p == NULL: absent. */
struct str {
	const char *p;
	size_t n;
};

#define STR(lit) ((struct str){(lit), sizeof(lit) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

bool str_ascii(struct str a); /* no octet above 127 */

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* NULL gives STR_NONE. */
static inline struct str str_of(const char *z)
{
	return (struct str){z, z == NULL ? 0 : strlen(z)};
}

/* The i ones fold the case of ASCII letters. */
static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_ieq_n(const char *a, const char *b, size_t n);

static inline bool str_ieq(struct str a, struct str b)
{
	return a.n == b.n && str_ieq_n(a.p, b.p, a.n);
}

static inline bool str_is(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

static inline bool str_iis(struct str a, const char *z)
{
	return str_ieq(a, str_of(z));
}

static inline bool str_starts(struct str a, const char *z)
{
	size_t n = strlen(z);

	return a.n >= n && (n == 0 || memcmp(a.p, z, n) == 0);
}

static inline bool str_istarts(struct str a, const char *z)
{
	size_t n = strlen(z);

	return a.n >= n && str_ieq_n(a.p, z, n);
}

bool str_ends(struct str a, const char *z);
struct str str_trim(struct str a); /* SP, TAB, CR, LF both ends */

/* At most n octets from `from` on, as far as there are any. */
static inline struct str str_sub(struct str a, size_t from, size_t n)
{
	if (from > a.n)
		from = a.n;
	if (n > a.n - from)
		n = a.n - from;
	return (struct str){a.p == NULL ? NULL : a.p + from, n};
}

/* Index of the first c or of the first occurrence of z, or -1. */
ptrdiff_t str_chr(struct str a, char c);
ptrdiff_t str_find(struct str a, struct str z);
ptrdiff_t str_ifind(struct str a, struct str z);
/* Cuts off what stands before the first c (whole rest if there is none). */
struct str str_split(struct str *rest, char c);
/* The next line without its LF or CRLF; false at the end. */
bool str_line(struct str *rest, struct str *line);
/* Unsigned decimal, all of it, no sign, at most max: false otherwise. */
bool str_u64(struct str a, uint64_t max, uint64_t *out);

/* True when all bytes are valid UTF-8 (no surrogates, no overlong forms). */
bool utf8_valid(struct str a);
/* Length of the valid sequence at p (1..4), 0 if there is none; *cp set. */
size_t utf8_decode(const char *p, size_t n, uint32_t *cp);

/* An owned, growing buffer.  Zero-initialised is empty and valid. */
struct buf {
	char *p;
	size_t n, cap;
};

void buf_free(struct buf *b);		/* leaves it empty and valid */
void buf_wipe(struct buf *b);		/* zeroes the bytes, then frees */
void buf_grow(struct buf *b, size_t n); /* so that n more fit */

/* Keeps the memory. */
static inline void buf_clear(struct buf *b)
{
	b->n = 0;
}

/* Space for n more; b->n unchanged. */
static inline char *buf_room(struct buf *b, size_t n)
{
	if (b->p == NULL || b->cap - b->n < n)
		buf_grow(b, n);
	return b->p + b->n;
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_room(b, n), p, n);
	b->n += n;
}

static inline void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

static inline void buf_z(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}

static inline void buf_c(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->n++;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap);
void buf_u64(struct buf *b, uint64_t v);
void buf_cp(struct buf *b, uint32_t cp); /* one code point as UTF-8 */
/* Appends s with every invalid sequence replaced by U+FFFD. */
void buf_utf8(struct buf *b, struct str s);
/* As buf_utf8, and control characters become blanks: safe for a terminal. */
void buf_clean(struct buf *b, struct str s);
const char *buf_cstr(struct buf *b); /* NUL added behind, n unchanged */

static inline struct str buf_view(const struct buf *b)
{
	return (struct str){b->p == NULL ? "" : b->p, b->n};
}

char *buf_take(struct buf *b); /* NUL-terminated, caller frees */

#endif
