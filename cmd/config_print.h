/* What coi-config says of COI on the server. */
#ifndef CMD_CONFIG_PRINT_H
#define CMD_CONFIG_PRINT_H

#include "cli.h"
#include "coi/server.h"

/* One object and a line end, or lines "name: value". */
void config_print_server(struct cli *c, const struct account *ac,
			 const struct server_coi *s);
/* Which folders were made: lines, silent where there was nothing to do. */
void config_print_made(struct cli *c, const struct folders_place *p);

#endif
