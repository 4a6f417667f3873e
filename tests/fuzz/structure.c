/* layer: imap */
#include "imap/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct imap_part *v;
	size_t n;

	imap_structure(a, (struct str){(const char *)data, size}, &v, &n, &e);
	arena_free(a);
	return 0;
}
