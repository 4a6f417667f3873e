/* Accounts: config file, environment, secrets (coi-config(5)). */
#ifndef COI_ACCOUNT_H
#define COI_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"
#include "core/secret.h"
#include "fmt/addr.h"
#include "imap/imap.h"
#include "sieve/sieve.h"
#include "smtp/smtp.h"

struct config_value;

/* Strings in the account's arena; NULL or absent where not configured. */
struct account {
	struct arena *arena;
	const char *section; /* name in [account NAME] */
	const char *file;    /* the file it stands in, or NULL */
	/* What was given for each key and where (coi/config.h), KEY_MAX. */
	const struct config_value *given;
	struct addr me; /* address + name */
	struct addr_list aliases;
	const char *imap_host, *smtp_host, *sieve_host;
	uint16_t imap_port, smtp_port, sieve_port;
	enum net_tls imap_tls, smtp_tls, sieve_tls;
	const char *user, *smtp_user; /* smtp_user "": no AUTH */
	const char *password_command, *token_command, *password_file;
	const char *client_cert, *client_key, *ca_file;
	const char **pins;
	size_t npins;
	const char *encrypt;	 /* "auto", "always", "never" */
	const char *sent_folder; /* "auto", "none", or a mailbox name */
	const char *auth;	 /* forced SASL mechanism, or NULL */
	unsigned smtp_window;
	unsigned max_connections; /* of coi-watch to the IMAP server */
	int64_t max_size;	  /* octets; -1: no limit */
	bool compress;
	int timeout_ms;		/* of a command and its answer; 0: the usual */
	const char *state_dir;	/* resolved */
	const char *state_path; /* STATE_DIR/NAME.db */
	/* for the secrets, filled on first use */
	struct secret *password, *token;
	int64_t secrets_at;	 /* monotonic ms, 0: never */
	bool secrets_new;	 /* others than the time before */
	const char *credentials; /* $CREDENTIALS_DIRECTORY, or NULL */
	int cancel_fd;		 /* gives up a command that runs; -1 */
	char *const *environ_of_commands;
};

/* Values that come from the command line; NULL where not given. */
struct account_options {
	const char *config;  /* -c */
	const char *account; /* -a */
	const char *state_dir;
	int timeout_ms;		   /* 0: not given */
	const char *system_config; /* NULL: /etc/coi/config */
	/* The environment, so that lib/ need not read it. */
	const char *(*getenv)(const char *name);
	/* What password and token commands get, borrowed; NULL: HOME, PATH
	 * and the like through getenv(). */
	char *const *environ_of_commands;
};

/*
 * Finds and reads the files, applies COI_* environment, checks everything:
 * COI_E_CONFIG with "FILE:LINE: ..." and a suggestion for a misspelt key.
 * `need_server`: the address and a host must be there (false for -n and -f;
 * then a missing file gives an empty account instead of an error).  Which of
 * the two hosts is needed shows in account_imap() and account_smtp().
 */
struct account *account_load(const struct account_options *o, bool need_server,
			     struct coi_err *e);
void account_free(struct account *ac);
/* The file where a new account is written; NULL when there is no home.  In
 * the arena. */
const char *account_config_path(const struct account_options *o,
				struct arena *a);
bool account_is_me(const struct account *ac, struct str email);

/*
 * Runs the password or token command, reads the file or $CREDENTIALS_DIRECTORY
 * entry (coi-NAME.password, password, coi-NAME.token, token); `fresh` does it
 * again.  COI_E_CONFIG or COI_E_AUTH with the reason.  Nothing configured is
 * no error here unless there is no client certificate either.
 */
int account_secrets(struct account *ac, bool fresh, struct coi_err *e);

/* Connection options from the account; strings borrowed. */
struct account_net {
	int trace_fd;  /* -1: none */
	int family;    /* 0, 4, 6 */
	int cancel_fd; /* -1: none */
};
enum account_server { ACCOUNT_IMAP, ACCOUNT_SMTP };
/* Connects (and does TLS from the start, where configured) without a login;
 * what it met goes to *i. */
int account_probe(const struct account *ac, const struct account_net *n,
		  enum account_server which, struct net_info *i,
		  struct coi_err *e);
/* Login with secrets; a refused token is fetched anew once. */
struct imap *account_imap(struct account *ac, const struct account_net *n,
			  struct coi_err *e);
struct smtp *account_smtp(struct account *ac, const struct account_net *n,
			  struct coi_err *e);
/* ManageSieve: sieve-host, else imap-host. */
struct sieve *account_sieve(struct account *ac, const struct account_net *n,
			    struct coi_err *e);

#endif
