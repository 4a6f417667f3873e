/* coi-fetch --dead, --retry-dead: what handlers could not take. */
#ifndef CMD_DEAD_H
#define CMD_DEAD_H

#include "cli.h"

/* Lists the dead letters of the consumer; *n: how many. */
int dead_list(struct cli *c, const char *consumer, bool readable, bool color,
	      uint64_t *n, struct coi_err *e);
/* Puts those with this id back. */
int dead_retry(struct cli *c, const char *consumer, const char *id,
	       struct coi_err *e);

#endif
