/* Comments in header values (RFC 5322 3.2.2), for the readers of fmt. */
#ifndef FMT_COMMENT_H
#define FMT_COMMENT_H

/* Behind the comment that begins at p; NULL when it does not end, or nests
 * deeper than LIMIT_COMMENT_NESTING. */
const char *comment_end(const char *p, const char *end);

#endif
