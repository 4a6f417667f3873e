/* Inside of the MIME reader: the open parts, and what a boundary does. */
#ifndef FMT_MIME_TREE_H
#define FMT_MIME_TREE_H

#include "fmt/mime.h"

#define BOUNDARY_MAX 250u      /* RFC 2046: 70; some programs use more */
#define BOUNDARY_LINE_MAX 512u /* with its padding and line end */

/* A multipart whose end was not seen yet. */
struct open {
	struct mime_part *part;
	struct str boundary;
	unsigned children;
	char *preamble; /* until the first boundary */
	size_t npreamble, cpreamble;
};

enum where { IN_HEADER, IN_BODY };

struct mime {
	struct arena *arena;
	const struct mime_events *ev;
	void *ctx;
	struct open *open;
	size_t nopen, copen;
	struct mime_part *leaf; /* NULL: octets are preamble or epilogue */
	enum where where;
	bool whole, opaque, failed, ended, unclosed;
	bool bol; /* in a body, at the start of a line */
	unsigned nparts;
	const char *warning;
	/* A header block that came in pieces. */
	char *hdr;
	size_t nhdr, chdr, hdr_line;
	/* A line end and the line behind it that may be a boundary. */
	size_t nheld, eol;
	char held[2 + BOUNDARY_LINE_MAX];
};

/* The header block is complete: the part begins.  `cut`: it was too long. */
int tree_begin(struct mime *m, struct str header, bool cut, struct coi_err *e);

/* Octets of the part that is open, of a preamble or of an epilogue. */
int tree_give(struct mime *m, const char *p, size_t n, struct coi_err *e);

/* Ends the leaf and the multiparts above `keep` of the stack; `seen`: the
 * lowest of them by its own close boundary. */
int tree_close(struct mime *m, size_t keep, bool seen, struct coi_err *e);

/* The multipart (index + 1) that this whole line is a boundary of, or 0. */
size_t tree_boundary(const struct mime *m, const char *p, size_t n,
		     bool *closes);
int tree_at_boundary(struct mime *m, size_t which, bool closes,
		     struct coi_err *e);

#endif
