/* Mail addresses: read liberally, written strictly (RFC 5322 3.4, 6531). */
#ifndef FMT_ADDR_H
#define FMT_ADDR_H

#include <stdbool.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/str.h"

struct addr {
	struct str name;  /* UTF-8, decoded; STR_NONE if there is none */
	struct str email; /* addr-spec without <>; quoted local part kept */
};

struct addr_list {
	struct addr *v;
	size_t n;
	size_t cap; /* of v, kept by addr_add(); 0 is always right */
};

/*
 * Reads an address field (raw or unfolded value).  Groups are flattened, ";"
 * outside a group counts as ",", comments are dropped, names are decoded by
 * RFC 2047; what has no "@" is skipped.  Appends to out; strings in the arena
 * or views of `field`.  Returns the number of things skipped.
 */
size_t addr_parse(struct arena *a, struct str field, struct addr_list *out);

/*
 * One address as a user types it: "a@b" or "Name <a@b>".  COI_E_DATA with the
 * reason when it is not exactly one valid address.  Result in the arena.
 */
int addr_one(struct arena *a, struct str text, struct addr *out,
	     struct coi_err *e);

/*
 * True when email may go on the wire: dot-atom or quoted local part of at
 * most 64 octets, a domain or [literal], 254 octets in all, no control, no
 * blank outside quotes.  UTF-8 in the local part needs SMTPUTF8: see below.
 */
bool addr_valid(struct str email);
/* The reason why not, for a user to read; NULL when it is valid. */
const char *addr_why(struct str email);
bool addr_needs_utf8(struct str email); /* non-ASCII local part */

/* Same mailbox: local part byte for byte but ASCII case, domain folded. */
bool addr_same(struct str a, struct str b);
struct str addr_domain(struct str email);
/* The domain in A-labels (IDNA2008), the local part kept; STR_NONE where that
 * cannot be, which addr_valid() excludes. */
struct str addr_ascii(struct arena *a, struct str email);

/* Appends "Name <email>" with name quoted or RFC 2047-encoded as needed and the
 * domain in A-labels.  No name or email, however hostile, can end the line; an
 * email that is not addr_valid() loses what could begin another address. */
void addr_write(struct buf *b, const struct addr *x);
/* Appends a whole folded field: "To: a, b\r\n"; nothing for an empty list. */
void addr_write_field(struct buf *b, const char *field,
		      const struct addr_list *l);

void addr_add(struct arena *a, struct addr_list *l, struct addr x);

#endif
