/* layer: kind */
/* A JSON record: what is taken is written, and taken again as the same. */
#include "core/err.h"
#include "kind/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct buf one = {0}, two = {0};
	struct coi_err e = {0}, again = {0};
	struct message m;
	struct str in;
	bool lax;

	if (size == 0)
		goto out;
	lax = (data[0] & 1) != 0;
	in = (struct str){(const char *)data + 1, size - 1};
	if (message_from_json(a, in, lax, &m, &e) < 0) {
		check(e.code == COI_E_DATA && e.msg[0] != '\0');
		goto out;
	}
	check(e.code == COI_OK);
	message_json(&one, &m);
	check(utf8_valid(buf_view(&one)));
	/* One line, whatever the record held. */
	check(str_chr(buf_view(&one), '\n') == (ptrdiff_t)one.n - 1);
	check(str_chr(buf_view(&one), '\r') < 0);
	check(message_from_json(a, buf_view(&one), false, &m, &again) == 0);
	message_json(&two, &m);
	check(str_eq(buf_view(&one), buf_view(&two)));
out:
	buf_free(&one);
	buf_free(&two);
	arena_free(a);
	return 0;
}
