/* What the files of the account share. */
#ifndef COI_ACCOUNT_PRIV_H
#define COI_ACCOUNT_PRIV_H

#include "coi/account.h"
#include "coi/config.h"

/* One reading of the configuration. */
struct load {
	const struct account_options *o;
	struct arena *a;
	const char *home;
	struct config file[2]; /* the user's, the system's; or one by name */
	size_t nfiles;
	const char *wanted; /* where one would be written */
	struct coi_err *e;
};

/* account.c: empty counts as not there, as a shell user means it. */
const char *load_env(const struct load *l, const char *name);

/* account_choose.c */
const struct config_section *load_section(const struct config *c,
					  struct str name);
/* `need_server`: several accounts and no default is an error. */
int load_choose(const struct load *l, bool need_server, struct str *out);

/*
 * The values that won, by key, into the account: each checked, an error names
 * the place it came from.  `home` may be NULL.
 */
int account_values(struct account *ac, const struct config_value v[KEY_MAX],
		   const char *home, struct coi_err *e);

/*
 * Runs `/bin/sh -c command` without input and takes its one line of output.
 * `what`: "password-command of account \"work\"".
 */
struct secret *secret_run(const char *what, const char *command,
			  char *const *env, int cancel_fd, int limit_ms,
			  struct coi_err *e);
/* `others`: whether it matters that others may read it. */
struct secret *secret_read(const char *what, const char *path, bool others,
			   struct coi_err *e);
/* The one line that a secret is; COI_E_CONFIG for none or two. */
struct secret *secret_line(const char *what, struct str text,
			   struct coi_err *e);

#endif
