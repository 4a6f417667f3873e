/*
 * SMTP submission client (RFC 6409, 5321) with PIPELINING, CHUNKING, SIZE,
 * 8BITMIME, SMTPUTF8, DSN, ENHANCEDSTATUSCODES; LMTP (RFC 2033) for tests.
 */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"
#include "net/conn.h"
#include "net/sasl.h"

struct smtp;

struct smtp_opts {
	struct net_opts net;
	struct sasl_creds creds; /* user NULL: no AUTH */
	const char *helo;	 /* NULL: "[127.0.0.1]", which tells nothing */
	bool lmtp;
	unsigned window; /* transactions in flight; 0 and 1: one */
};

struct smtp *smtp_open(const struct smtp_opts *o, struct coi_err *e);
void smtp_close(struct smtp *s); /* QUIT, not waiting over a second */
bool smtp_has(const struct smtp *s, const char *extension);
uint64_t smtp_max_size(const struct smtp *s); /* 0: no limit said */
struct net_conn *smtp_conn(struct smtp *s);
/* How the login was done: "PLAIN"; "" without one. */
const char *smtp_mechanism(const struct smtp *s);
/* What the server said first, without its code. */
struct str smtp_greeting(const struct smtp *s);
bool smtp_usable(const struct smtp *s); /* false after 421 or a lost link */

enum smtp_state {
	SMTP_UNSENT,   /* nothing of it was submitted: safe to send again */
	SMTP_ACCEPTED, /* final reply 2xx (for at least one recipient) */
	SMTP_REFUSED,  /* 5xx */
	SMTP_DEFERRED, /* 4xx, or the link was lost before the data's end */
	SMTP_UNKNOWN   /* data was sent, its final reply was not read */
};

struct smtp_rcpt {
	struct str email; /* addr-spec */
	/* results: */
	enum smtp_state state;
	int code;	     /* 0: none */
	struct str enhanced; /* "5.1.1" or absent */
	struct str reply;    /* text, cleaned */
};

/* A message to submit.  Strings are borrowed until its result is there. */
struct smtp_msg {
	struct str from; /* reverse-path without <>; "" for <> */
	struct smtp_rcpt *rcpts;
	size_t nrcpts;
	uint64_t size;	/* octets that read() will deliver */
	bool eight_bit; /* body has 8-bit octets */
	bool utf8;	/* needs SMTPUTF8: headers or addresses */
	struct str envid, ret, notify; /* DSN, used where offered */
	/* Delivers wire octets (CRLF); 0 at the end, -1 with error set. */
	ssize_t (*read)(void *ctx, char *p, size_t n, struct coi_err *e);
	/* Called right before the first data octet may leave: what is not
	 * recorded by then could be sent twice.  -1 gives the message up. */
	int (*before_data)(void *ctx, struct coi_err *e);
	void *ctx;
	/* results: */
	enum smtp_state state;
	int code;
	struct str enhanced, reply;
};

/*
 * Submits one message and waits for its result.  0 when a result is there
 * (look at state and rcpts; smtp_usable() may be false all the same, after a
 * 421).  -1 with *e set when there is none; the state then says:
 *   UNSENT    nothing of it was submitted: bad address (COI_E_DATA), read() or
 *             before_data() failed, or the server had ended the connection
 *             before (421 to RSET or MAIL of a later message, COI_E_TEMP): send
 *             it over a new one.
 *   DEFERRED  the link was lost before the data's end had left: safe.
 *   UNKNOWN   COI_E_OUTCOME: after it.
 * The result is the final reply and nothing earlier.  Should a server take the
 * data after it had refused all recipients, 0 is returned and the state is
 * UNKNOWN.  A message above SIZE, 8-bit without 8BITMIME or SMTPUTF8 that is
 * not offered: refused locally, code 0.  A signal (cancel_fd) lets a
 * message in hand come to its end for three seconds.  Result strings are in the
 * arena.
 */
int smtp_send(struct smtp *s, struct arena *a, struct smtp_msg *m,
	      struct coi_err *e);

/*
 * Many messages in order, up to `window` transactions in flight where the
 * server has PIPELINING and CHUNKING; big ones go alone.  done() is called for
 * each message in order as its result is known; one with a bad address is
 * refused (code 0) and does not stop the others.  Ends early, -1, when the link
 * is lost, a 421 or a signal came, or a message cannot be read: *finished tells
 * how many have a result; the state of the rest is UNSENT, DEFERRED or UNKNOWN.
 */
int smtp_send_all(struct smtp *s, struct arena *a, struct smtp_msg *v, size_t n,
		  void (*done)(void *ctx, struct smtp_msg *m), void *ctx,
		  size_t *finished, struct coi_err *e);

#endif
