#include "fmt/comment.h"

#include "core/limits.h"

const char *comment_end(const char *p, const char *end)
{
	int depth = 0;

	for (; p < end; p++) {
		if (*p == '\\') {
			p++;
		} else if (*p == '(') {
			if (++depth > LIMIT_COMMENT_NESTING)
				break;
		} else if (*p == ')' && --depth == 0) {
			return p + 1;
		}
	}
	return NULL;
}
