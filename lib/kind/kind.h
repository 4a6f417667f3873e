/*
 * A message kind is one file kind_NAME.c with one `const struct coi_kind`
 * kind_NAME; the build lists the folder.
 */
#ifndef KIND_KIND_H
#define KIND_KIND_H

#include "kind/message.h"

struct coi_kind {
	const char *name; /* KIND of coi-send -k, "kind" in JSON */
	const char *help; /* one line */
	/* Chat-Content words that mean this kind, NULL-ended; first is emitted.
	 * NULL: no word. */
	const char *const *words;
};

const struct coi_kind *kind_by_name(struct str name); /* or NULL */

#endif
