/* Globs with captures, variables and escapes of the peer's scripts. */
#ifndef PEER_TEXT_H
#define PEER_TEXT_H

#include "core/str.h"

#define VARS 64

struct vars {
	struct var {
		char name[32];
		struct buf val;
	} v[VARS];
	size_t n;
};

void var_set(struct vars *p, const char *name, struct str val);
void vars_free(struct vars *p);
/* `*` and `?`, case folded; sets $1 to $9 to what the stars stood for. */
bool text_matches(struct vars *p, struct str glob, struct str line);
void text_expand(const struct vars *p, struct str s, struct buf *out);

#endif
