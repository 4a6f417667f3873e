/* The readable view of a message on a terminal. */
#ifndef CMD_VIEW_H
#define CMD_VIEW_H

#include "kind/message.h"

/* Appends a few lines; controls from mail never pass.  `color`: ANSI. */
void view_message(struct buf *out, const struct message *m, bool color);

#endif
