/* layer: coi */
#include "coi/config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct config c;
	size_t i, k;

	if (config_parse(a, "f", (struct str){(const char *)data, size}, &c,
			 &e) < 0) {
		if (e.code != COI_E_CONFIG || e.msg[0] != 'f')
			abort();
	} else {
		for (i = 0; i < c.n; i++)
			for (k = 0; k < KEY_MAX; k++)
				if (c.v[i].v[k].file != NULL &&
				    !utf8_valid(c.v[i].v[k].text))
					abort();
	}
	arena_free(a);
	return 0;
}
