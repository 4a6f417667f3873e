/* Words of a closed list: which one was meant? */
#ifndef CORE_WORD_H
#define CORE_WORD_H

#include "core/str.h"

#define WORD_MAX 32 /* octets; longer words are near to nothing */

/*
 * Damerau-Levenshtein distance, ASCII case folded: insertions, deletions,
 * replacements and swapped neighbours that lead from a to b.  SIZE_MAX when
 * one is longer than WORD_MAX.
 */
size_t word_distance(struct str a, struct str b);

#endif
