/* Files: whole reads with a limit, private creation, atomic replacement. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/str.h"

/* Reads all of fd (or path) into out, at most max octets (COI_E_DATA). */
int file_read_fd(int fd, size_t max, struct buf *out, struct coi_err *e);
int file_read(const char *path, size_t max, struct buf *out,
	      struct coi_err *e); /* COI_E_NOINPUT when it is not there */

/* Writes all of it, over EINTR and short writes; COI_E_IO or COI_E_PIPE. */
int file_write_fd(int fd, const void *p, size_t n, struct coi_err *e);

/* mkdir -p with mode 0700 for what is made; COI_E_CREATE. */
int file_mkdirs(const char *path, struct coi_err *e);

/*
 * Creates a new file 0600 in the directory dirfd without following links or
 * overwriting: "a.jpg", else "a-1.jpg", "a-2.jpg" ...  `name` must come from
 * file_safe_name().  The name used is appended to `used`.  The fd, or -1.
 */
int file_create_new(int dirfd, const char *name, struct buf *used,
		    struct coi_err *e);

/*
 * A file name that is safe to create: last path component, no controls, no
 * leading dot or dash, valid UTF-8, at most 200 octets; never empty.
 */
void file_safe_name(struct str wanted, const char *fallback, struct buf *out);

/* True when group or others have any permission on it (fstat of fd). */
bool file_is_open_to_others(int fd);

#endif
