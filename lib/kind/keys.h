/* Words of a closed list: known or not, and which one was meant. */
#ifndef KIND_KEYS_H
#define KIND_KEYS_H

#include <stdbool.h>

#include "core/str.h"

/* `known` ends with NULL. */
bool keys_has(struct str word, const char *const *known);
/* The known word at most two typing errors away, or NULL. */
const char *keys_nearest(struct str word, const char *const *known);

#endif
