/* layer: fmt */
/* Lists of message ids: what is valid is written and read back. */
#include "fmt/msgid.h"
#include "fmt/hdr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size}, rest = in, id, n, v, got;
	struct buf b = {0};

	while (msgid_next(&rest, &id)) {
		check(id.n > 0 && id.p >= in.p && id.p + id.n <= in.p + in.n);
		check(msgid_group(id).p == NULL || msgid_is_chat(id));
		if (!msgid_valid(id))
			continue;
		buf_clear(&b);
		msgid_write_field(&b, "References", &id, 1);
		v = buf_view(&b);
		check(hdr_next(&v, &n, &got) && v.n == 0);
		check(msgid_next(&got, &n) && str_eq(n, id));
	}
	check(rest.n == 0);
	buf_clear(&b);
	in = str_sub(in, 0, 250);
	msgid_new(&b, in, in);
	check(msgid_valid(buf_view(&b)) && msgid_is_chat(buf_view(&b)));
	buf_free(&b);
	return 0;
}
