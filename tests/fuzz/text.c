/* layer: fmt */
#include "fmt/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size}, charset;
	struct buf out = {0}, own = {0}, lf = {0};

	charset = str_split(&in, '\n');
	text_to_utf8(&out, charset, in);
	if (!utf8_valid(buf_view(&out)))
		abort();
	text_lf(&lf, buf_view(&out));
	if (str_chr(buf_view(&lf), '\r') >= 0)
		abort();
	if (!text_cut(buf_view(&lf), &own) &&
	    !str_eq(buf_view(&own), buf_view(&lf)))
		abort();
	/* Own words are words of the text, and some are left. */
	if (own.n > lf.n + 2 || !utf8_valid(buf_view(&own)) ||
	    (str_trim(buf_view(&lf)).n > 0) != (str_trim(buf_view(&own)).n > 0))
		abort();
	buf_free(&out);
	buf_free(&own);
	buf_free(&lf);
	return 0;
}
