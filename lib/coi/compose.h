/* From a message to its octets on the wire (RFC 5322, 2045, 2046; COI). */
#ifndef COI_COMPOSE_H
#define COI_COMPOSE_H

#include <sys/types.h>

#include "core/err.h"
#include "kind/message.h"

/*
 * The finished message as a list of pieces: bytes in memory and files that are
 * base64-encoded as they are read, so that memory stays flat.
 */
struct wire;

struct compose_opts {
	bool keep;	   /* take id, sentAt, from as given */
	bool markdown;	   /* text is Markdown: add markdown and html forms */
	const char *agent; /* unused headers stay away: NULL */
	struct str id;	   /* without <>: this Message-ID, for a retry */
};

/*
 * Fills id, sent_at and references of m (unless keep) and composes it.
 * COI_E_DATA: no recipient, bad address, a section attachment ...;
 * COI_E_NOINPUT: a file is not there; COI_E_NOKEY: encryption is demanded.
 * Sizes of files are taken now; a file that changed when read is COI_E_DATA.
 * A pipe is read now and becomes `data` of its blob.  The wire borrows from
 * the arena and from m: free it before they go.
 */
struct wire *compose(struct arena *a, struct message *m,
		     const struct compose_opts *o, struct coi_err *e);
void wire_free(struct wire *w);
uint64_t wire_size(const struct wire *w);
bool wire_8bit(const struct wire *w);
bool wire_utf8(const struct wire *w); /* needs SMTPUTF8 */
/* For smtp_msg.read and imap_append: ctx is the wire. */
ssize_t wire_read(void *w, char *p, size_t n, struct coi_err *e);
void wire_rewind(struct wire *w);
/*
 * Hex SHA-256 of the content without id, date, references and boundaries: same
 * message, same digest (idempotency), before and after compose().  Nothing is
 * written when a file cannot be read or is a pipe that compose() has not read
 * yet (e is set).  compose_opts.markdown is not seen here: set m->markdown.
 */
void compose_digest(const struct message *m, struct buf *hex,
		    struct coi_err *e);
/* type of a file by its content, else by its name; "application/octet-stream"
 */
struct str compose_type(struct arena *a, const char *path, struct str head);

#endif
