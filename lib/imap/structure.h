/* BODYSTRUCTURE (RFC 3501 7.4.2) as a flat list of parts. */
#ifndef IMAP_STRUCTURE_H
#define IMAP_STRUCTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct imap_part {
	struct str section;  /* "1.2"; "" for the message's own multipart */
	struct str type;     /* "text/plain", lower case */
	struct str encoding; /* lower case; leaves only */
	uint64_t octets;     /* encoded size; leaves only */
	ptrdiff_t parent;    /* index of the multipart around it, or -1 */
	bool multipart;
};

/*
 * Parses the raw text of a BODYSTRUCTURE (or BODY) item.  Containers come
 * before what is in them.  Limits of core/limits.h; COI_E_PROTOCOL.
 */
int imap_structure(struct arena *a, struct str raw, struct imap_part **v,
		   size_t *n, struct coi_err *e);

#endif
