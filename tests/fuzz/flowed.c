/* layer: fmt */
/* format=flowed: text without trailing blanks comes back as it was. */
#include "fmt/flowed.h"
#include "core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size}, rest = in, line;
	struct buf wire = {0}, back = {0}, want = {0};

	flowed_decode(&back, in, false);
	check(back.n <= 2 * size);
	buf_clear(&back);
	flowed_decode(&back, in, true);
	buf_clear(&back);
	while (str_line(&rest, &line)) {
		bool mark = str_is(line, "-- ");

		while (
		    !mark && line.n > 0 &&
		    (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
			line.n--;
		/* A carriage return at an end belongs to the line end. */
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			goto out;
		buf_str(&want, line);
		buf_c(&want, '\n');
	}
	flowed_encode(&wire, in);
	flowed_decode(&back, buf_view(&wire), false);
	check(str_eq(buf_view(&back), buf_view(&want)));
out:
	buf_free(&wire);
	buf_free(&back);
	buf_free(&want);
	return 0;
}
