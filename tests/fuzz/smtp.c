/* layer: smtp */
/*
 * Replies: the same outcome however the octets are cut, within the limits, and
 * text that can be printed.  The first octet says how to cut.
 */
#include <stdint.h>

#include "core/limits.h"
#include "smtp/priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	int rc, code;
	unsigned lines;
	size_t used;
	struct buf words;
};

static struct outcome play(struct str in, size_t step)
{
	struct smtp_reply r = {0};
	struct outcome o = {0};
	struct str enhanced;
	size_t n, k;

	while (o.used < in.n && o.rc == 0) {
		n = in.n - o.used < step ? in.n - o.used : step;
		o.rc = smtp_reply_feed(&r, str_sub(in, o.used, n), &k);
		if (k > n || (o.rc == 0 && k != n))
			__builtin_trap();
		o.used += k;
	}
	o.code = r.code;
	o.lines = r.lines;
	if (r.text.n > LIMIT_SMTP_TEXT + LIMIT_SMTP_LINE)
		__builtin_trap();
	if ((o.rc < 0) != (r.fault != NULL))
		__builtin_trap();
	if (o.rc > 0) {
		if (r.code < 200 || r.code > 599 || r.lines == 0)
			__builtin_trap();
		enhanced = smtp_reply_enhanced(&r);
		if (enhanced.n > 9 || (enhanced.n > 0 && enhanced.n < 5))
			__builtin_trap();
		smtp_reply_words(&r, &o.words);
		if (!utf8_valid(buf_view(&o.words)) ||
		    str_chr(buf_view(&o.words), '\n') >= 0)
			__builtin_trap();
	}
	smtp_reply_free(&r);
	return o;
}

static void stuff(struct str in, size_t step)
{
	struct buf whole = {0}, cut = {0};
	struct stuff a = {0}, b = {0};
	struct str v;
	ptrdiff_t at;
	size_t i;

	stuff_add(&a, in, &whole);
	stuff_end(&a, &whole);
	for (i = 0; i < in.n; i += step)
		stuff_add(&b, str_sub(in, i, step), &cut);
	stuff_end(&b, &cut);
	if (!str_eq(buf_view(&whole), buf_view(&cut)))
		__builtin_trap();
	/* Only one end of data, at the end, and no lone CR or LF. */
	v = buf_view(&whole);
	at = str_find(v, STR("\r\n.\r\n"));
	if (at >= 0 && (size_t)at + 5 != v.n)
		__builtin_trap();
	for (i = 0; i < v.n; i++)
		if ((v.p[i] == '\n' && (i == 0 || v.p[i - 1] != '\r')) ||
		    (v.p[i] == '\r' && (i + 1 == v.n || v.p[i + 1] != '\n')))
			__builtin_trap();
	buf_free(&whole);
	buf_free(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome a, b;
	struct str in;
	size_t step;

	if (size < 1)
		return 0;
	step = data[0] % 64 + 1;
	in = (struct str){(const char *)data + 1, size - 1};
	a = play(in, in.n + 1);
	b = play(in, step);
	if (a.rc != b.rc || a.used != b.used || a.code != b.code ||
	    a.lines != b.lines ||
	    !str_eq(buf_view(&a.words), buf_view(&b.words)))
		__builtin_trap();
	buf_free(&a.words);
	buf_free(&b.words);
	stuff(in, step);
	return 0;
}
