/* From message to wire: what the files of the composer share. */
#ifndef COI_COMPOSE_IN_H
#define COI_COMPOSE_IN_H

#include <sys/stat.h>

#include "coi/compose.h"

/* --- compose_wire.c --- */

struct wire *wire_new(void);
/* What is appended here comes next. */
struct buf *wire_buf(struct wire *w);
/* Octets that are base64-encoded as they are read; borrowed. */
void wire_add_data(struct wire *w, struct str raw);
/* Takes the fd; `name` is borrowed, for messages. */
void wire_add_file(struct wire *w, int fd, const struct stat *st,
		   const char *name);
void wire_end(struct wire *w); /* after the last octet */
void wire_set_utf8(struct wire *w);

/* --- compose_blob.c --- */

/* An attachment ready to be written. */
struct part {
	struct str type, name, disposition, cid;
	const char *charset; /* of a text file, or NULL */
	bool preview;
	int fd; /* -1: data */
	struct stat st;
	const char *path;
	struct str data;
};

/* Opens and measures.  part->fd is the caller's until it is added. */
int part_open(struct arena *a, struct blob *b, bool preview, struct part *p,
	      struct coi_err *e);
/* The file name to give: the last component, without controls. */
struct str part_name(struct arena *a, const struct blob *b);
/* Opens what can be sent, a file or a pipe: COI_E_NOINPUT, COI_E_DATA. */
int part_open_file(const char *path, struct stat *st, struct coi_err *e);

/* --- compose_type.c --- */

/* Valid UTF-8 without controls; the end may be cut. */
bool type_is_text(struct str head);
const char *type_ext(struct str type); /* "jpg"; "bin" if unknown */

/* --- compose_body.c --- */

/* Writes MIME-Version and all below it. */
int body_write(struct arena *a, struct message *m, const struct compose_opts *o,
	       struct wire *w, struct coi_err *e);

#endif
