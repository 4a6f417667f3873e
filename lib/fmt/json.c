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
 * Flags those of eight octets that are not copied as they are: below 0x20, a
 * quote, a backslash, DEL, and all that is not ASCII.  A borrow can flag a
 * clean octet above a dirty one: the lowest flag is true.
 */
static uint64_t special8(uint64_t w)
{
	uint64_t quote = w ^ (ONES * '"');
	uint64_t slash = w ^ (ONES * '\\');
	uint64_t del = w ^ (ONES * 0x7f);

	return ((w - ONES * 0x20) | (quote - ONES) | (slash - ONES) |
		(del - ONES) | w) &
	       HIGH;
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

/* What stands at p and is not ASCII; returns its octets. */
static size_t put_wide(char **q, const char *p, size_t n)
{
	uint32_t cp;
	size_t k = utf8_decode(p, n, &cp);

	if (k == 0) {
		memcpy(*q, "\xef\xbf\xbd", 3);
		*q += 3;
		return 1;
	}
	/* The C1 controls too: some terminals obey them. */
	if (cp < 0xa0) {
		*q = escape(*q, (unsigned char)cp);
		return k;
	}
	memcpy(*q, p, k);
	*q += k;
	return k;
}

/* The room of one step: its octets may all become \u00xx. */
#define STEP 2048u

void json_str(struct json *j, struct str s)
{
	const char *p = s.n > 0 ? s.p : "", *all = p + s.n, *end;
	char *start, *q;

	comma(j);
	buf_c(j->out, '"');
	while (p < all) {
		size_t n = (size_t)(all - p) < STEP ? (size_t)(all - p) : STEP;

		end = p + n;
		start = q = buf_room(j->out, n * 6 + 8);
		while (p < end) {
			unsigned char c = (unsigned char)*p;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
			uint64_t w, flags;
			size_t k;

			if (all - p >= 8) {
				memcpy(&w, p, 8);
				memcpy(q, &w, 8);
				flags = special8(w);
				k = flags == 0
					? 8
					: (size_t)__builtin_ctzll(flags) / 8;
				p += k;
				q += k;
				if (flags == 0)
					continue;
				c = (unsigned char)*p;
			}
#endif
			if (c >= 0x80)
				p += put_wide(&q, p, (size_t)(all - p));
			else if (dirty(c))
				q = escape(q, (unsigned char)*p++);
			else
				*q++ = *p++;
		}
		j->out->n += (size_t)(q - start);
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

void json_kdigits(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	comma(j);
	buf_c(j->out, '"');
	buf_u64(j->out, v);
	buf_c(j->out, '"');
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
