/*
 * The subcommands of coi-config: one file cmd/config_NAME.c each, which
 * defines `const struct config_command config_NAME`; the table is in
 * coi-config.c.
 */
#ifndef CMD_CONFIG_H
#define CMD_CONFIG_H

#include "cli.h"

struct config_command {
	const char *name;
	const char *help; /* one line: what it does */
	/* Synopsis lines behind "coi-config", NULL-ended: "discover [--json]
	 * ADDRESS". */
	const char *const *usage;
	/* Its own options, ended by name == NULL; may be NULL.  -h shows all of
	 * all subcommands, each name once: those with the same name must be
	 * the same; --json is there for all and need not be named.  One that
	 * another subcommand has is refused. */
	const struct cli_opt *opts;
	size_t min, max; /* operands behind the name; checked before run() */
	/* 0, or -1 with *e set; cli_status() for other statuses. */
	int (*run)(struct cli *c, char **operands, size_t n, struct coi_err *e);
};

extern const struct config_command config_disable, config_discover,
    config_doctor, config_enable, config_filter, config_folders, config_show,
    config_sieve, config_status;

#endif
