/* ManageSieve client (RFC 5804): a server's Sieve scripts. */
#ifndef SIEVE_SIEVE_H
#define SIEVE_SIEVE_H

#include <stdbool.h>

#include "core/mem.h"
#include "net/conn.h"
#include "net/sasl.h"

struct sieve;

struct sieve_opts {
	struct net_opts net;
	struct sasl_creds creds;
};

/*
 * Connects, reads the greeting, does STARTTLS (what the server said before is
 * forgotten), logs in and asks CAPABILITY again.  COI_E_AUTH: login refused.
 */
struct sieve *sieve_open(const struct sieve_opts *o, struct coi_err *e);
/* LOGOUT and close; waits no longer than a second.  NULL is legal. */
void sieve_close(struct sieve *s);
/* Whether scripts may require this extension: "include". */
bool sieve_has(const struct sieve *s, const char *extension);

struct sieve_scripts {
	struct sieve_script {
		struct str name; /* UTF-8 */
		bool active;
	} * v;
	size_t n;
};
int sieve_list(struct sieve *s, struct arena *a, struct sieve_scripts *out,
	       struct coi_err *e);
/* Appends the script, octet for octet; COI_E_NOINPUT: there is none. */
int sieve_get(struct sieve *s, struct str name, struct buf *out,
	      struct coi_err *e);
/*
 * Stores it under the name, replacing; a server that knows HAVESPACE and
 * CHECKSCRIPT is asked first, so that nothing is there by half.
 * COI_E_UNAVAILABLE: no room, or the server refuses the script.
 * `warnings`, NULL or what the server said about it.
 */
int sieve_put(struct sieve *s, struct str name, struct str script,
	      struct buf *warnings, struct coi_err *e);
/* Makes the script active instead of the one that is; "": none. */
int sieve_activate(struct sieve *s, struct str name, struct coi_err *e);
/* COI_E_NOINPUT: there is none. */
int sieve_delete(struct sieve *s, struct str name, struct coi_err *e);

#endif
