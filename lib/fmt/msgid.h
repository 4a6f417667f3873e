/* Message-IDs and threads (RFC 5322 3.6.4; COI client text, header fields). */
#ifndef FMT_MSGID_H
#define FMT_MSGID_H

#include <stdbool.h>

#include "core/mem.h"
#include "core/str.h"

/*
 * Appends a new id without <>: chat$UNIQUE@domain, or
 * chat$group.GROUP.UNIQUE@domain.  UNIQUE: 128 random bits, [A-Za-z0-9_-],
 * never beginning with "group.".
 */
void msgid_new(struct buf *b, struct str group, struct str domain);

/*
 * Next id of a References-like value, without <>; a missing bracket, blanks
 * and comments are tolerated.  False at the end.
 */
bool msgid_next(struct str *rest, struct str *id);
/*
 * An id without <> that can be written and found again: something on both sides
 * of an "@", no blank, control, "<" or ">".  Wider than RFC 5322, since replies
 * to real mail must name ids such as a:b@c@d.
 */
bool msgid_valid(struct str id);
bool msgid_is_chat(struct str id); /* chat$ or the older coi$ */
/* A group id as it may stand in an id: [0-9A-Za-z_-], 1 to 128 octets. */
bool msgid_group_valid(struct str group);
struct str msgid_group(struct str id); /* the group's id, or STR_NONE */

/* Appends "Name: <a>\r\n <b>\r\n".  An id that could not stand between brackets
 * (blank, control, "<", over 900 octets) is left out; none left: no field. */
void msgid_write_field(struct buf *b, const char *field, const struct str *ids,
		       size_t n);

#endif
