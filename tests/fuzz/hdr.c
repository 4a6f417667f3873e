/* layer: fmt */
/* Header blocks and unstructured text: what is written reads back. */
#include "fmt/hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

static void round_trip(struct arena *a, struct str text)
{
	struct buf b = {0};
	struct str s, n, v, line;
	size_t i;

	if (!hdr_safe(text) || !utf8_valid(text))
		return;
	for (i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 127)
			return;
	hdr_write_text(&b, "Subject", text);
	s = buf_view(&b);
	while (str_line(&s, &line))
		check(line.n <= 998);
	s = buf_view(&b);
	check(hdr_next(&s, &n, &v) && s.n == 0 && str_is(n, "Subject"));
	check(str_eq(hdr_text(a, v), text));
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size}, rest = in, n, v, first, t;
	struct arena *a = arena_new();
	struct buf b = {0};

	check(hdr_end(in) <= size);
	while (hdr_next(&rest, &n, &v)) {
		check(n.n > 0 && n.p >= in.p && v.p + v.n <= in.p + in.n);
		first = hdr_get(in, arena_cstr(a, n));
		check(first.p != NULL && first.p <= v.p);
		t = hdr_text(a, v);
		check(utf8_valid(t));
		check(str_chr(t, '\r') < 0 && str_chr(t, '\n') < 0);
		round_trip(a, t);
	}
	check(utf8_valid(hdr_text(a, in)));
	round_trip(a, in);
	hdr_write_text(&b, "X", in);
	rest = buf_view(&b);
	check(hdr_next(&rest, &n, &v) && rest.n == 0);
	buf_free(&b);
	arena_free(a);
	return 0;
}
