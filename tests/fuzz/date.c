/* layer: fmt */
/* Dates: what is read is in range, and is written and read back. */
#include "fmt/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	int64_t t = 0, u = 0;
	struct buf b = {0};

	date_parse_human(in, 1796169600, &t);
	if (date_parse(in, &t) || date_parse_3339(in, &t) ||
	    date_parse_imap(in, &t)) {
		check(t > INT64_C(-2208988800) - 90000 &&
		      t < INT64_C(253402300800) + 90000);
		if (t >= INT64_C(-2208988800) && t < INT64_C(253402300800)) {
			date_write(&b, t);
			check(date_parse(buf_view(&b), &u) && u == t);
			buf_clear(&b);
			date_write_3339(&b, t);
			check(date_parse_3339(buf_view(&b), &u) && u == t);
			buf_clear(&b);
			date_write_imap(&b, t);
			check(date_parse_imap(buf_view(&b), &u) && u == t);
		}
	}
	buf_free(&b);
	return 0;
}
