/* Tags of HTML: names, and the few attributes that matter to its text. */
#ifndef FMT_HTML_TAG_H
#define FMT_HTML_TAG_H

#include <stdbool.h>

#include "core/str.h"

enum tag_kind {
	TAG_INLINE, /* and unknown ones */
	TAG_BLOCK,
	TAG_PARAGRAPH, /* a block with a margin */
	TAG_BREAK,
	TAG_RULE,
	TAG_LIST,
	TAG_ITEM,
	TAG_QUOTE,
	TAG_PRE,
	TAG_LINK,
	TAG_IMAGE,
	TAG_CELL,
	TAG_RAW,  /* its content is no HTML, and not for the reader */
	TAG_SKIP, /* its content is not for the reader */
	TAG_VOID  /* has no content */
};

struct tag {
	char name[12]; /* lower case; "" when longer: no tag we know */
	enum tag_kind kind;
	bool end;	      /* </name> */
	bool hidden;	      /* by attribute or style */
	struct str href;      /* raw: entities not decoded */
	struct str alt;	      /* raw */
	unsigned long number; /* start= or value=, 0: none */
};

/* What a scan to the end did not find, so that it is not looked for again. */
struct tag_memory {
	bool quotes_broken, no_gt;
};

/*
 * Reads the tag at p, which points at "<" and a letter or "/" and a letter.
 * Returns what is behind its ">", or NULL: no tag, "<" is text.
 */
const char *tag_read(const char *p, const char *end, struct tag_memory *mem,
		     struct tag *t);

#endif
