/* layer: coi */
/* Contact messages: who of them is blocked, by whatever hash and address. */
#include "coi/filter_priv.h"
#include "fmt/addr_fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		__builtin_trap();
}

/* Header blocks, a NUL between two; the first piece is an address. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, size};
	struct str email = str_split(&rest, '\0'), form[ADDR_FORMS];
	struct contacts *c = contacts_new();
	struct blocked b = {0};
	struct arena *a = arena_new();
	unsigned char hash[FILTER_HASH];
	uint32_t uid = 0;
	size_t i, k, n;
	bool any = false;

	while (rest.n > 0)
		contacts_add(c, ++uid, str_split(&rest, '\0'));
	contacts_blocked(c, &b);
	for (i = 1; i < b.n; i++)
		check(memcmp(b.v[i - 1], b.v[i], FILTER_HASH) < 0);
	n = addr_forms(a, email, form);
	check(n <= ADDR_FORMS);
	for (i = 0; i < n; i++) {
		check(form[i].n > 0 && block_hash_of(form[i], hash));
		for (k = 0; k < b.n; k++)
			any |= memcmp(hash, b.v[k], FILTER_HASH) == 0;
	}
	check(!blocked_has(&b, STR_NONE));
	check(blocked_has(&b, email) == any);
	arena_free(a);
	blocked_free(&b);
	contacts_free(c);
	return 0;
}
