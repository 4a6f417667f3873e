/* layer: fmt */
/* Addresses: what is read is UTF-8 with an "@"; what is written reads back. */
#include "fmt/addr.h"
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
	struct str in = {(const char *)data, size}, n, v, s;
	struct arena *a = arena_new();
	struct addr_list l = {0}, back = {0};
	struct buf b = {0};
	struct coi_err e = {0};
	struct addr one;
	size_t i, valid = 0;

	addr_parse(a, in, &l);
	check(l.n <= LIMIT_ADDRESSES);
	for (i = 0; i < l.n; i++) {
		check(utf8_valid(l.v[i].name) && utf8_valid(l.v[i].email));
		check(str_chr(l.v[i].email, '@') > 0);
		check(addr_same(l.v[i].email, l.v[i].email));
		valid += addr_valid(l.v[i].email);
	}
	addr_write_field(&b, "To", &l);
	s = buf_view(&b);
	check(hdr_next(&s, &n, &v) == (l.n > 0) && s.n == 0);
	if (l.n > 0 && valid == l.n && l.n < 100) {
		addr_parse(a, v, &back);
		check(back.n == l.n);
		for (i = 0; i < l.n; i++)
			check(addr_same(back.v[i].email, l.v[i].email));
	}
	if (addr_one(a, in, &one, &e) == 0)
		check(addr_valid(one.email) && hdr_safe(one.name));
	else
		check(e.code == COI_E_DATA);
	buf_free(&b);
	arena_free(a);
	return 0;
}
