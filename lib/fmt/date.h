/* Dates: RFC 5322 3.3 (obsolete forms read), RFC 3339, IMAP internal date. */
#ifndef FMT_DATE_H
#define FMT_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* Seconds since 1970; the weekday is not looked at.  False: unreadable. */
bool date_parse(struct str s, int64_t *t); /* Date: */
/* Sub-seconds are dropped, seconds may be missing (HTML's datetime). */
bool date_parse_3339(struct str s, int64_t *t);
bool date_parse_imap(struct str s, int64_t *t); /* INTERNALDATE */
/* "2026-11-25", RFC 3339, "@UNIX", "3d", "12h", "30m" ago from now. */
bool date_parse_human(struct str s, int64_t now, int64_t *t);
void date_write(struct buf *b, int64_t t);	  /* ..., +0000 */
void date_write_3339(struct buf *b, int64_t t);	  /* ...Z */
void date_write_imap(struct buf *b, int64_t t);	  /* APPEND, no quotes */
void date_write_search(struct buf *b, int64_t t); /* 25-Nov-2026 */

#endif
