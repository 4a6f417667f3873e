/* The spellings of one address (client specification, COI-From-Hash). */
#ifndef FMT_ADDR_FOLD_H
#define FMT_ADDR_FOLD_H

#include "core/mem.h"
#include "core/str.h"

#define ADDR_FORMS 3

/*
 * Appends what an address is hashed as: lower case, the local part without
 * its quotes.  out[0] is the one to write (domain in U-labels, NFC); where
 * they differ also the one with A-labels, and the one of programs that fold
 * ASCII only.  Returns how many; strings in the arena.
 */
size_t addr_forms(struct arena *a, struct str email,
		  struct str out[ADDR_FORMS]);

#endif
