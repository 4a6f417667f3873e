/* What the command line of coi-watch says, but for accounts and handlers. */
#ifndef CMD_WATCH_GIVEN_H
#define CMD_WATCH_GIVEN_H

#include "cli.h"
#include "coi/watch.h"

enum { EVENTS_NONE, EVENTS_STATE, EVENTS_ALL };

struct watch_given {
	int events;
	bool once;
	int64_t run_for, heartbeat; /* seconds; 0: not given */
};

/* Into *g and *o, which holds the defaults. */
int watch_given_read(struct cli *c, struct watch_given *g, struct watch_opts *o,
		     struct coi_err *e);

#endif
