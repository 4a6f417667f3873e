/* What every tool shares: options, help, errors, exit status, output. */
#ifndef CMD_CLI_H
#define CMD_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "coi/account.h"
#include "core/err.h"
#include "core/str.h"

enum { CLI_REPEAT = 1, CLI_HIDDEN = 2 };

struct cli_opt {
	char letter; /* 0: long form only */
	const char *name;
	const char *arg; /* NULL: a switch; "[X]": an optional value */
	const char *help;
	unsigned flags;
};

struct cli;

struct cli_tool {
	const char *name;
	const char *summary;
	const char *const *usage;   /* synopsis lines, NULL-ended */
	const struct cli_opt *opts; /* ended by name == NULL; the common ones
				       are added */
	/* 0, or -1 with *e set; a status other than those of errors through
	 * cli_status(). */
	int (*run)(struct cli *c, struct coi_err *e);
	const char *const *examples; /* NULL-ended, or NULL */
};

/* main() of every tool. */
int cli_main(const struct cli_tool *t, int argc, char **argv);

bool cli_has(const struct cli *c, const char *name);
/* Value of the option, or NULL; cli_values for repeatable ones. */
const char *cli_value(const struct cli *c, const char *name);
size_t cli_values(const struct cli *c, const char *name, const char ***v);
size_t cli_operands(const struct cli *c, char ***v);
/* A usage error with the hint "try NAME -h"; always -1. */
int cli_usage(struct cli *c, struct coi_err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A whole number with limits, or -1 with the usage error set. */
int cli_number(struct cli *c, const char *name, int64_t lo, int64_t hi,
	       int64_t *v, struct coi_err *e);
/* "10", "10s", "5m", "2h", "1d" in seconds. */
int cli_duration(struct cli *c, const char *name, int64_t *seconds,
		 struct coi_err *e);
/* "100k", "5M", "1G" or plain octets. */
int cli_size(struct cli *c, const char *name, int64_t *octets,
	     struct coi_err *e);

bool cli_dry_run(const struct cli *c);
int cli_verbose(const struct cli *c);
bool cli_json(const struct cli *c);

/* Loads the account of -a, -c, --state-dir and the environment. */
struct account *cli_account(struct cli *c, bool need_server, struct coi_err *e);
/* The same for one of several names; NULL: the default. */
struct account *cli_account_of(struct cli *c, const char *name,
			       bool need_server, struct coi_err *e);
struct account_net cli_net(struct cli *c);

/* True once SIGINT or SIGTERM asked to stop. */
bool cli_stopped(void);
/* An octet, the signal's number, is written there when that happens; -1: no
 * more. */
void cli_stop_to(int fd);
/* For an end that nobody asked for by a signal (--run-for). */
void cli_stop(void);

/* Output to stdout; failure is COI_E_IO, a reader that left COI_E_PIPE. */
int cli_out(struct cli *c, struct str s, struct coi_err *e);
int cli_flush(struct cli *c, struct coi_err *e);
struct buf *cli_outbuf(struct cli *c); /* to append to; then cli_out_more() */
int cli_out_more(struct cli *c, struct coi_err *e); /* flushes when large */

/* The exit status of a run that did not fail as such. */
void cli_status(struct cli *c, int status);

/* One line to stderr: "coi-send: ..."; silenced by -q for warnings. */
void cli_warn(struct cli *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints an error as the program's end would, and clears it. */
void cli_report(struct cli *c, struct coi_err *e);

#endif
