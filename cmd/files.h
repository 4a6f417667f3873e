/* Mail in files: a message, an mbox, a folder of them, a Maildir, a stream. */
#ifndef CMD_FILES_H
#define CMD_FILES_H

#include "coi/decode.h"

struct files_opts {
	int64_t limit; /* at most so many messages; -1: all */
	int (*line)(void *ctx, const struct message *m, struct coi_err *e);
	bool (*stopped)(void);
	void *ctx;
};

/*
 * Decodes what `path` ("-": standard input) holds, in order; the files of a
 * folder by name.  A single message is decoded as it is read: memory does not
 * grow with it.  An mbox that is no file of its own (a pipe) is collected.
 */
int files_each(const char *path, const struct decode_opts *d,
	       const struct files_opts *o, struct coi_err *e);

#endif
