/* The JSON schemas of what the tools read and write. */
#ifndef CMD_SCHEMA_H
#define CMD_SCHEMA_H

#include "cli.h"

/*
 * Prints the schema that --json-schema[=NAME] asks for: message, result, event
 * or error; `otherwise` without a NAME.
 */
int schema_print(struct cli *c, const char *otherwise, struct coi_err *e);

#endif
