/* --exec of coi-watch: one handler process per message. */
#ifndef CMD_WATCH_EXEC_H
#define CMD_WATCH_EXEC_H

#include "cli.h"
#include "kind/message.h"

/* Rows of the table of options. */
#define WATCH_EXEC_OPTS                                                        \
	{0, "exec", "CMD", "run CMD for each message, its record on stdin",    \
	 0},                                                                   \
	    {0, "reply", NULL, "what CMD prints is sent as the answer", 0},    \
	    {0, "jobs", "N", "so many handlers at a time (4)", 0},             \
	    {0, "exec-timeout", "TIME", "end a handler that runs longer (1m)", \
	     0},                                                               \
	    {0, "tries", "N",                                                  \
	     "failures before a message is a dead letter (5)", 0},             \
	{                                                                      \
		0, "max-auto", "N",                                            \
		    "automatic messages handled per conversation and hour "    \
		    "(3)",                                                     \
		    0                                                          \
	}

struct watch_exec;

/* *x stays NULL without --exec; the options are then usage errors. */
int watch_exec_new(struct cli *c, const char *consumer, struct watch_exec **x,
		   struct coi_err *e);
void watch_exec_free(struct watch_exec *x); /* after watch_exec_end() */

/* An account that is watched, or its new reading: by its section.  An error
 * when it cannot do what --reply asks for. */
int watch_exec_know(struct watch_exec *x, struct account *ac,
		    struct coi_err *e);
/* For fetch_opts.handed: 1: it has to come again. */
int watch_exec_handed(struct watch_exec *x, const struct message *m,
		      struct coi_err *e);
/* For watch_opts.checked and watch_opts.room. */
int watch_exec_checked(struct watch_exec *x, struct account *ac,
		       struct coi_err *e);
bool watch_exec_room(struct watch_exec *x, struct account *ac);
/* No more handlers; those that run have some seconds. */
void watch_exec_stop(struct watch_exec *x);
/* Nothing is to be done, but for what waits for another try. */
bool watch_exec_idle(struct watch_exec *x);
/* Stops and waits for the end, inside of a task; false when something was left
 * undone. */
bool watch_exec_end(struct watch_exec *x);

#endif
