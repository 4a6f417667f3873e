/* layer: find */
#include "find/autoconfig.h"
#include "core/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void whole(struct str s)
{
	if (s.p != NULL && (s.n > 2 * LIMIT_AUTOCONFIG_TEXT || !utf8_valid(s)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct autoconfig c;
	size_t i, k;

	if (autoconfig_parse(a, (struct str){(const char *)data, size}, &c,
			     &e) < 0) {
		if (e.code != COI_E_PROTOCOL || e.msg[0] == '\0')
			abort();
		c.n = 0;
	}
	if (c.n > LIMIT_AUTOCONFIG_SERVERS)
		abort();
	for (i = 0; i < c.n; i++) {
		struct str v = autoconfig_fill(a, c.v[i].user, STR("a@b.test"));

		whole(c.v[i].host);
		whole(c.v[i].user);
		for (k = 0; k < v.n; k++)
			if ((unsigned char)v.p[k] < 0x20)
				abort();
	}
	arena_free(a);
	return 0;
}
