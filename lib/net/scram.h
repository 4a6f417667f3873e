/*
 * SCRAM-SHA-256 as a client (RFC 5802, RFC 7677).  Ours, because libgsasl
 * 2.2.0 fails when it should say "y" (the server hid its -PLUS from a client
 * that has a channel binding), and takes any iteration count.
 */
#ifndef NET_SCRAM_H
#define NET_SCRAM_H

#include "core/err.h"
#include "core/str.h"

struct scram;

/*
 * `flag`: 'n' no channel binding, 'y' only the server lacks it, 'p' bound to
 * `cb` of the kind `cb_name`.  User and password go through SASLprep.  `nonce`
 * is for test vectors; NULL makes one.
 */
struct scram *scram_new(struct str user, struct str password, char flag,
			const char *cb_name, struct str cb, const char *nonce,
			struct coi_err *e);
void scram_free(struct scram *s); /* wipes; NULL is legal */
/* The three messages, not in base64. */
void scram_first(struct scram *s, struct buf *out);
int scram_final(struct scram *s, struct str server_first, struct buf *out,
		struct coi_err *e);
/* COI_E_AUTH when the server does not prove that it knows the password. */
int scram_check(struct scram *s, struct str server_final, struct coi_err *e);

#endif
