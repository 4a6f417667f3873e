/* SASL (RFC 4422): picks a mechanism and makes its answers. */
#ifndef NET_SASL_H
#define NET_SASL_H

#include <stdbool.h>

#include "core/err.h"
#include "core/secret.h"
#include "core/str.h"
#include "net/conn.h"

struct sasl_creds {
	const char *user;	 /* authentication identity */
	struct secret *password; /* or NULL */
	struct secret *token;	 /* OAuth access token, or NULL */
	bool external;		 /* client certificate: EXTERNAL */
	const char *host;	 /* for OAUTHBEARER's host= */
	uint16_t port;
	const char *service; /* "imap", "smtp" */
	const char *only;    /* force one mechanism, or NULL */
};

struct sasl;

/*
 * `offered`: the server's mechanisms, blank-separated.  Order: EXTERNAL if
 * asked, OAUTHBEARER or XOAUTH2 for a token, SCRAM-SHA-256-PLUS (when the
 * connection has a binding), SCRAM-SHA-256, PLAIN, LOGIN.  PLAIN and LOGIN only
 * over TLS or loopback.  NULL: COI_E_AUTH, naming what was offered.
 */
struct sasl *sasl_new(const struct sasl_creds *c, struct str offered,
		      struct net_conn *conn, struct coi_err *e);
void sasl_free(struct sasl *s);
const char *sasl_name(const struct sasl *s);
bool sasl_initial(const struct sasl *s); /* client speaks first */
/*
 * One step, base64 in and out ("" in for the first; out is "=" for an empty
 * initial response).  The out buffer holds secrets: buf_wipe() it.
 */
int sasl_step(struct sasl *s, struct str in, struct buf *out,
	      struct coi_err *e);
/* What an OAuth server said against the token (JSON), for the error; "". */
struct str sasl_reason(const struct sasl *s);
/* After the server said OK: SCRAM checks that the server knew the password.
 * `last`: data that came with the success (base64), or STR_NONE. */
int sasl_done(struct sasl *s, struct str last, struct coi_err *e);

#endif
