/* --filter of coi-fetch and coi-watch. */
#ifndef CMD_FILTERING_H
#define CMD_FILTERING_H

#include "cli.h"
#include "coi/filter.h"

/* A row of the table of options. */
#define FILTERING                                                  \
	{                                                          \
		0, "filter", "MODE",                               \
		    "sort chats in INBOX: none, active or seen", 0 \
	}

/* FILTER_OFF without the option.  With -b, INBOX must be among them. */
int filtering_mode(struct cli *c, enum filter_mode *m, struct coi_err *e);

#endif
