#include "core/word.h"

#include <stdint.h>

size_t word_distance(struct str a, struct str b)
{
	size_t row[3][WORD_MAX + 1], i, j, best;

	if (a.n > WORD_MAX || b.n > WORD_MAX)
		return SIZE_MAX;
	for (j = 0; j <= b.n; j++)
		row[0][j] = j;
	for (i = 1; i <= a.n; i++) {
		size_t *up2 = row[(i + 1) % 3], *up = row[(i + 2) % 3];
		size_t *now = row[i % 3];

		now[0] = i;
		for (j = 1; j <= b.n; j++) {
			char x = ascii_lower(a.p[i - 1]);
			char y = ascii_lower(b.p[j - 1]);

			best = up[j - 1] + (x != y);
			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && x == ascii_lower(b.p[j - 2]) &&
			    y == ascii_lower(a.p[i - 2]) &&
			    up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[a.n % 3][b.n];
}
