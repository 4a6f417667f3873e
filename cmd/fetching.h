/* Options that coi-fetch and coi-watch share: what is printed of a message. */
#ifndef CMD_FETCHING_H
#define CMD_FETCHING_H

#include "cli.h"
#include "coi/decode.h"
#include "coi/fetch.h"

/* Rows of the table of options; FETCHING_START is the default of --start. */
#define FETCHING_WHERE                                                        \
	{'b', "mailbox", "MAILBOX",                                           \
	 "read this mailbox instead of INBOX and the chats", CLI_REPEAT},     \
	    {'j', "json", NULL, "JSON Lines (the default but on a terminal)", \
	     0},                                                              \
	    {0, "all-mail", NULL, "also what is no chat message", 0},         \
	{                                                                     \
		0, "own", NULL, "also messages of our own", 0                 \
	}
#define FETCHING_PRINT                                                        \
	{0, "max-size", "SIZE", "leave larger attachments on the server", 0}, \
	    {0, "save", "DIR", "write attachments into DIR", 0},              \
	    {0, "inline", NULL, "attachments as base64 in the record", 0},    \
	    {0, "full", NULL, "quotes and signatures too (fullText)", 0},     \
	    {0, "headers", NULL, "other header fields too", 0},               \
	{                                                                     \
		0, "mark-seen", NULL, "set \\Seen on what was printed", 0     \
	}

/*
 * Fills *d: what --max-size, --save, --inline, --full and --headers say.
 * `max_size`: without the option.  fetching_end() closes what it opened.
 */
int fetching_decode(struct cli *c, int64_t max_size, struct decode_opts *d,
		    struct coi_err *e);
void fetching_end(struct decode_opts *d);
/* --start: now, all or a date; `now`: the default. */
int fetching_start(struct cli *c, bool now, struct fetch_opts *o,
		   struct coi_err *e);

#endif
