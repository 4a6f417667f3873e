/* Passwords and tokens: wiped, kept out of core dumps, never formatted. */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include <stdbool.h>

#include "core/str.h"

/* Opaque on purpose: printing one takes secret_view(), which lint counts. */
struct secret;

struct secret *secret_new(struct str s); /* copies; wipe yours */
/* One more who frees it; NULL is legal. */
struct secret *secret_keep(struct secret *s);
/* The last one wipes; NULL is legal. */
void secret_free(struct secret *s);
struct str secret_view(const struct secret *s);
/* NULL is none, and none is the same as none. */
bool secret_same(const struct secret *a, const struct secret *b);
void secret_wipe(void *p, size_t n);

#endif
