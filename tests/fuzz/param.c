/* layer: fmt */
/* Structured values and parameters: what is written reads back. */
#include "core/limits.h"
#include "fmt/hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size}, s, n, v;
	struct arena *a = arena_new();
	struct hdr_value x;
	struct buf b = {0};
	size_t i;

	hdr_value(a, in, &x);
	check(x.n <= LIMIT_PARAMS);
	for (i = 0; i < x.n; i++) {
		check(x.v[i].name.n > 0 && x.v[i].value.p != NULL);
		check(utf8_valid(x.v[i].value) ||
		      str_is(x.v[i].name, "boundary"));
		s = hdr_param(&x, arena_cstr(a, x.v[i].name));
		check(s.p != NULL || !hdr_safe(x.v[i].name));
	}
	buf_z(&b, "A: b");
	hdr_write_param(&b, "filename", in);
	hdr_write_param(&b, "size", STR("1"));
	buf_z(&b, "\r\n");
	s = buf_view(&b);
	check(hdr_next(&s, &n, &v) && s.n == 0);
	hdr_value(a, v, &x);
	check(str_is(x.value, "b"));
	if (utf8_valid(in) && size < 1000) {
		check(str_eq(hdr_param(&x, "filename"), in));
		check(str_is(hdr_param(&x, "size"), "1"));
	}
	buf_free(&b);
	arena_free(a);
	return 0;
}
