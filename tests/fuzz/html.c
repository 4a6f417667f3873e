/* layer: fmt */
#include "fmt/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf in = {0}, out = {0};

	buf_utf8(&in, (struct str){(const char *)data, size});
	text_from_html(&out, buf_view(&in));
	if (!utf8_valid(buf_view(&out)) || out.n > 64 * in.n + 64)
		abort();
	buf_clear(&out);
	text_markdown_html(&out, buf_view(&in));
	buf_free(&in);
	buf_free(&out);
	return 0;
}
