/* Lays out the text of an HTML page: lines, blanks, quote and list marks. */
#ifndef FMT_HTML_PAGE_H
#define FMT_HTML_PAGE_H

#include <stdbool.h>

#include "core/str.h"

enum page_level_kind { PAGE_QUOTE, PAGE_LIST, PAGE_ITEM };

struct page_level {
	enum page_level_kind kind;
	bool ordered;	   /* list */
	bool marked;	   /* item: its mark is on the page */
	unsigned long num; /* list: next number; item: its own, 0 a bullet */
	unsigned width;	   /* item: columns of the mark */
};

#define PAGE_LEVELS 16

struct page {
	struct buf *out;
	bool started; /* something is on the page */
	bool open;    /* the line has content, perhaps only hard blanks */
	bool soft;    /* the last blank was one that collapses */
	bool cell;    /* a table cell begins before the next text */
	bool fresh;   /* set by the caller: the next text sets fresh_at */
	size_t fresh_at;
	size_t spaces;		 /* before the next text of this line */
	unsigned ends;		 /* line ends before the next text */
	unsigned quotes, common; /* quote depth; least one since the last text
				  */
	unsigned n, over;	 /* levels; those beyond the array */
	struct page_level v[PAGE_LEVELS];
};

void page_text(struct page *p, const char *s, size_t n); /* no blanks */
void page_blank(struct page *p);			 /* collapses */
void page_hard(struct page *p);				 /* does not */
void page_break(struct page *p);			 /* <br> */
void page_block(struct page *p, bool margin); /* begin or end of a block */
void page_cell(struct page *p);
void page_push(struct page *p, struct page_level level);
/* Ends the innermost level of that kind and what is open in it. */
void page_pop(struct page *p, enum page_level_kind kind);
void page_item(struct page *p, unsigned long value); /* <li>; 0: next number */

#endif
