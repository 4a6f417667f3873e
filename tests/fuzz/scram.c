/* layer: net */
/* What a server says in SCRAM: "FIRST LF FINAL", against a fixed nonce. */
#include "net/scram.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size}, first, iter;
	struct coi_err e = {0};
	struct buf out = {0};
	struct scram *s;

	if (!str_line(&rest, &first))
		return 0;
	/* Large counts are work, not parsing. */
	iter = str_sub(first, (size_t)(str_find(first, STR(",i=")) + 3), 5);
	if (iter.n == 5 && iter.p[4] >= '0' && iter.p[4] <= '9')
		return 0;
	s = scram_new(STR("user"), STR("pencil"), 'n', NULL, STR_NONE, NONCE,
		      &e);
	if (scram_final(s, first, &out, &e) == 0)
		(void)scram_check(s, rest, &e);
	scram_free(s);
	buf_free(&out);
	return 0;
}
