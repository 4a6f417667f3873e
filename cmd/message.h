/* The message that the options of coi-send describe. */
#ifndef CMD_MESSAGE_H
#define CMD_MESSAGE_H

#include "cli.h"
#include "kind/message.h"

/*
 * Text, recipients, files and the rest; strings in the arena or of the
 * command line.  `stdin_taken`: standard input holds records, so that no text
 * is read from it and recipients come from them.
 */
int message_of_options(struct cli *c, struct account *ac, struct arena *a,
		       bool stdin_taken, struct message *m, struct coi_err *e);

#endif
