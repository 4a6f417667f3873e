/* What the files of this layer share: the session and its commands. */
#ifndef SIEVE_PRIV_H
#define SIEVE_PRIV_H

#include "sieve/reply.h"
#include "sieve/sieve.h"

struct sieve {
	struct sieve_opts o;
	struct net_conn *c;
	struct sieve_line line; /* the last one read */
	int io_ms;
	bool usable;
	/* what the server offers; blank-separated */
	struct buf mechanisms, extensions;
	bool starttls;
	bool version; /* RFC 5804: CHECKSCRIPT, NOOP and the like are there */
};

/* A string as a command wants it: quoted, or a literal without waiting. */
void sieve_quote(struct buf *b, struct str s);

/* Stage and host for an error that is there already; -1. */
int sieve_failed(struct sieve *s, const char *stage, struct coi_err *e);
/* Reads one line into s->line; all of a response within the time that began
 * when the command was sent. */
int sieve_read(struct sieve *s, const char *stage, struct coi_err *e);
/* Puts it, with CRLF, and sends it. */
int sieve_say(struct sieve *s, struct str command, const char *stage,
	      struct coi_err *e);
/*
 * Reads lines up to the status, data() for each that is none (NULL: there may
 * be none).  0: OK; 1: NO, in s->line; -1: an error, BYE too.
 */
int sieve_response(struct sieve *s, int (*data)(void *ctx, struct sieve *s),
		   void *ctx, const char *stage, struct coi_err *e);
/* The error of a NO in s->line; `code` unless its code says better; -1. */
int sieve_refused(struct sieve *s, enum coi_code code, const char *stage,
		  struct coi_err *e, const char *what);
/* What the server offers (greeting, after STARTTLS): reads up to the OK. */
int sieve_capabilities(struct sieve *s, const char *stage, struct coi_err *e);

/* auth.c */
int sieve_auth(struct sieve *s, struct coi_err *e);

#endif
