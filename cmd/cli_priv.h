/* What the files cli*.c share. */
#ifndef CMD_CLI_PRIV_H
#define CMD_CLI_PRIV_H

#include "cli.h"
#include "core/log.h"

struct given {
	const struct cli_opt *opt;
	const char *value;
};

struct cli {
	const struct cli_tool *tool;
	struct cli_opt *opts; /* the tool's and the common ones */
	size_t nopts;
	struct given *given;
	size_t ngiven, given_cap;
	const char **values; /* scratch of cli_values() */
	size_t values_cap;
	char **operands;
	size_t noperands;
	int verbose, status, trace_fd;
	struct buf out;
	enum coi_code out_code; /* why standard output is gone */
};

/* cli_options.c: the tool's rows and the common ones; the command line. */
void options_gather(struct cli *c);
int options_parse(struct cli *c, int argc, char **argv, struct coi_err *e);
/* The text of -h. */
void options_help(struct cli *c, struct buf *b);

/* cli_errors.c: what is said on standard error. */
void errors_no_memory(size_t wanted);
void errors_log(void *ctx, enum log_level level, const char *text);

/* cli_signals.c: a descriptor that is readable when all is to be cut off. */
void signals_catch(void);
int signals_cancel_fd(void);

#endif
