#include "fmt/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt/date.h"
#include "fmt/enc.h"

void json_begin(struct json *j, struct buf *out)
{
	j->out = out;
	j->comma = false;
}

static void comma(struct json *j)
{
	if (j->comma)
		buf_c(j->out, ',');
	j->comma = true;
}

void json_open(struct json *j, char bracket)
{
	comma(j);
	buf_c(j->out, bracket);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_c(j->out, bracket);
	j->comma = true;
}

void json_key(struct json *j, const char *key)
{
	size_t n = strlen(key);
	char *p = buf_room(j->out, n + 4), *q = p;

	if (j->comma)
		*q++ = ',';
	*q++ = '"';
	memcpy(q, key, n);
	q += n;
	*q++ = '"';
	*q++ = ':';
	j->out->n += (size_t)(q - p);
	j->comma = false;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGH UINT64_C(0x8080808080808080)

/*
 * Non-zero if one of eight octets is below 0x20, a quote, a backslash or DEL.
 * A borrow can flag a clean octet above a dirty one: the lowest flag is true.
 */
static uint64_t dirty8(uint64_t w)
{
	uint64_t quote = w ^ (ONES * '"');
	uint64_t slash = w ^ (ONES * '\\');
	uint64_t del = w ^ (ONES * 0x7f);

	return (((w - ONES * 0x20) | (quote - ONES) | (slash - ONES) |
		 (del - ONES)) &
		~w & HIGH);
}

static bool dirty(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

static char *escape(char *q, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char letter;

	switch (c) {
	case '"':
	case '\\':
		letter = (char)c;
		break;
	case '\b':
		letter = 'b';
		break;
	case '\f':
		letter = 'f';
		break;
	case '\n':
		letter = 'n';
		break;
	case '\r':
		letter = 'r';
		break;
	case '\t':
		letter = 't';
		break;
	default:
		memcpy(q, "\\u00", 4);
		q[4] = hex[c >> 4];
		q[5] = hex[c & 15];
		return q + 6;
	}
	q[0] = '\\';
	q[1] = letter;
	return q + 2;
}

/* The room of one step: its octets may all become \u00xx. */
#define STEP 2048u

static void put_valid(struct buf *out, struct str s)
{
	const char *p = s.p;
	size_t left = s.n;
	unsigned char c;

	while (left > 0) {
		size_t n = left < STEP ? left : STEP;
		const char *end = p + n;
		char *start = buf_room(out, n * 6 + 8), *q = start;

		while (p < end) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			uint64_t w, bad;
			size_t k;

			if (end - p >= 8) {
				memcpy(&w, p, 8);
				memcpy(q, &w, 8);
				bad = dirty8(w);
				k = bad == 0 ? 8
					     : (size_t)__builtin_ctzll(bad) / 8;
				p += k;
				q += k;
				if (bad != 0)
					q = escape(q, (unsigned char)*p++);
				continue;
			}
#endif
			c = (unsigned char)*p++;
			if (dirty(c))
				q = escape(q, c);
			else
				*q++ = (char)c;
		}
		out->n += (size_t)(q - start);
		left -= n;
	}
}

/* The C1 controls too, U+0080 to U+009F: some terminals obey them. */
static void put_escaped(struct buf *out, struct str s)
{
	size_t at = 0;
	const char *q;

	while (at + 1 < s.n &&
	       (q = memchr(s.p + at, 0xc2, s.n - 1 - at)) != NULL) {
		unsigned char c = (unsigned char)q[1];

		at = (size_t)(q - s.p) + 2;
		if (c < 0xa0) {
			put_valid(out, str_sub(s, 0, at - 2));
			escape(buf_room(out, 6), c);
			out->n += 6;
			s = str_sub(s, at, s.n);
			at = 0;
		}
	}
	put_valid(out, s);
}

void json_str(struct json *j, struct str s)
{
	struct buf fixed = {0};

	comma(j);
	buf_c(j->out, '"');
	if (utf8_valid(s)) {
		put_escaped(j->out, s);
	} else {
		buf_utf8(&fixed, s);
		put_escaped(j->out, buf_view(&fixed));
		buf_free(&fixed);
	}
	buf_c(j->out, '"');
}

void json_int(struct json *j, int64_t v)
{
	comma(j);
	if (v < 0)
		buf_c(j->out, '-');
	buf_u64(j->out, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

/* Digits and exponent as jq 1.6 lays them out, so that lines pass through. */
void json_num(struct json *j, double v)
{
	char e[40], digits[20];
	size_t n = 0, i;
	const char *p;
	int prec, point;

	if (!isfinite(v)) {
		json_null(j);
		return;
	}
	comma(j);
	for (prec = 0; prec <= 16; prec++) {
		snprintf(e, sizeof(e), "%.*e", prec, v);
		if (strtod(e, NULL) == v)
			break;
	}
	p = e;
	if (*p == '-')
		buf_c(j->out, *p++);
	/* The point may be a comma: the locale decides. */
	for (; *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	point = (int)strtol(p + 1, NULL, 10) + 1;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	if (n == 1 && digits[0] == '0') {
		buf_c(j->out, '0');
	} else if (point <= -4 || point > (int)n + 15) {
		buf_c(j->out, digits[0]);
		if (n > 1) {
			buf_c(j->out, '.');
			buf_add(j->out, digits + 1, n - 1);
		}
		buf_fmt(j->out, "e%+03d", point - 1);
	} else if (point <= 0) {
		buf_z(j->out, "0.");
		for (i = 0; i < (size_t)-point; i++)
			buf_c(j->out, '0');
		buf_add(j->out, digits, n);
	} else {
		for (i = 0; i < n || i < (size_t)point; i++) {
			if (i == (size_t)point)
				buf_c(j->out, '.');
			buf_c(j->out, i < n ? digits[i] : '0');
		}
	}
}

void json_bool(struct json *j, bool v)
{
	comma(j);
	buf_z(j->out, v ? "true" : "false");
}

void json_null(struct json *j)
{
	comma(j);
	buf_z(j->out, "null");
}

void json_b64(struct json *j, struct str raw)
{
	comma(j);
	buf_c(j->out, '"');
	enc_b64(j->out, raw);
	buf_c(j->out, '"');
}

void json_kstr(struct json *j, const char *key, struct str s)
{
	if (s.p == NULL)
		return;
	json_key(j, key);
	json_str(j, s);
}

void json_kint(struct json *j, const char *key, int64_t v)
{
	json_key(j, key);
	json_int(j, v);
}

void json_kbool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

void json_kdate(struct json *j, const char *key, int64_t unixtime)
{
	if (unixtime == INT64_MIN)
		return;
	json_key(j, key);
	comma(j);
	buf_c(j->out, '"');
	date_write_3339(j->out, unixtime);
	buf_c(j->out, '"');
}
