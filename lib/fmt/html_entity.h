/* Named characters of HTML. */
#ifndef FMT_HTML_ENTITY_H
#define FMT_HTML_ENTITY_H

#include <stdint.h>

#include "core/str.h"

/* The code point of a name without "&" and ";"; letters and digits only.
 * 0: unknown. */
uint32_t html_entity(struct str name);

#endif
