#include "kind/kind.h"

#define KIND(x) extern const struct coi_kind kind_##x;
#include "kinds.h"
#undef KIND

static const struct coi_kind *const kinds[] = {
#define KIND(x) &kind_##x,
#include "kinds.h"
#undef KIND
    NULL};

const struct coi_kind *kind_by_name(struct str name)
{
	size_t i;

	for (i = 0; kinds[i] != NULL; i++)
		if (str_is(name, kinds[i]->name))
			return kinds[i];
	return NULL;
}
