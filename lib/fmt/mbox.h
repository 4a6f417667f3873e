/* Files of mail: a single message, or an mbox of any dialect. */
#ifndef FMT_MBOX_H
#define FMT_MBOX_H

#include "core/err.h"
#include "core/str.h"

/*
 * Calls fn for each message of the file.  An mbox begins with a "From " line;
 * its messages are separated by such lines after an empty one, and mboxrd's
 * ">From " is undone.  Anything else is one message.
 */
int mbox_each(struct str file,
	      int (*fn)(void *ctx, struct str mail, struct coi_err *e),
	      void *ctx, struct coi_err *e);

/* Appends a message in mboxrd form: separator, quoting, empty line. */
void mbox_write(struct buf *out, struct str mail, struct str from,
		int64_t date);

#endif
