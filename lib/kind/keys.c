#include "kind/keys.h"

#define MAX 24

bool keys_has(struct str word, const char *const *known)
{
	for (; *known != NULL; known++)
		if (str_is(word, *known))
			return true;
	return false;
}

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Levenshtein distance, case folded, of words of at most MAX octets. */
static unsigned distance(struct str a, struct str b)
{
	unsigned row[MAX + 1], diag, up, best;
	size_t i, k;

	for (k = 0; k <= b.n; k++)
		row[k] = (unsigned)k;
	for (i = 0; i < a.n; i++) {
		diag = row[0]++;
		for (k = 0; k < b.n; k++) {
			up = row[k + 1];
			best = diag + (fold(a.p[i]) != fold(b.p[k]));
			if (up + 1 < best)
				best = up + 1;
			if (row[k] + 1 < best)
				best = row[k] + 1;
			row[k + 1] = best;
			diag = up;
		}
	}
	return row[b.n];
}

const char *keys_nearest(struct str word, const char *const *known)
{
	const char *best = NULL;
	unsigned d, least = 3;

	if (word.n == 0 || word.n > MAX)
		return NULL;
	for (; *known != NULL; known++) {
		struct str k = str_of(*known);

		if (k.n > MAX)
			continue;
		d = distance(word, k);
		/* Two errors in a short word leave nothing of it. */
		if (d < least && d * 2 < k.n + 1) {
			least = d;
			best = *known;
		}
	}
	return best;
}
