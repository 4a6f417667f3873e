/* Lines of a file descriptor, in batches that end when the input pauses. */
#ifndef CMD_LINES_H
#define CMD_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

/*
 * Calls line() for each non-empty line (number from 1; without its LF), and
 * pause() after every `batch` lines (more: the input goes on), whenever nothing
 * more has arrived, and at the end.  The line is gone after the pause, not
 * before.  A longer line than max octets is COI_E_DATA.
 */
int lines_each(int fd, size_t max, unsigned batch,
	       int (*line)(void *ctx, struct str s, int64_t n,
			   struct coi_err *e),
	       int (*pause)(void *ctx, bool more, struct coi_err *e),
	       bool (*stopped)(void), void *ctx, struct coi_err *e);

#endif
