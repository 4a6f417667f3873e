/* Answering a received record. */
#ifndef COI_REPLY_H
#define COI_REPLY_H

#include "coi/account.h"
#include "kind/message.h"

/*
 * Makes m an answer to everybody of `in` but ourselves: recipients (Reply-To
 * before From), thread, group.  COI_E_DATA when nobody is left or `in` has no
 * id.
 */
int reply_to_all(struct arena *a, const struct account *ac,
		 const struct message *in, struct message *m,
		 struct coi_err *e);

#endif
