#include "kind/keys.h"
#include "core/word.h"

bool keys_has(struct str word, const char *const *known)
{
	for (; *known != NULL; known++)
		if (str_is(word, *known))
			return true;
	return false;
}

const char *keys_nearest(struct str word, const char *const *known)
{
	const char *best = NULL;
	size_t d, least = 3;

	if (word.n == 0)
		return NULL;
	for (; *known != NULL; known++) {
		struct str k = str_of(*known);

		d = word_distance(word, k);
		/* Two errors in a short word leave nothing of it. */
		if (d < least && d * 2 < k.n + 1) {
			least = d;
			best = *known;
		}
	}
	return best;
}
