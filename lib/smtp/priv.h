/* What the files of this layer share: the session and its small commands. */
#ifndef SMTP_PRIV_H
#define SMTP_PRIV_H

#include "smtp/reply.h"
#include "smtp/smtp.h"

struct smtp {
	struct smtp_opts o;
	struct net_conn *c;
	struct smtp_reply r; /* the last one read */
	struct buf hi;	     /* the greeting */
	char mech[24];	     /* how the login was done */
	struct buf ext;	     /* lines of EHLO's reply, the greeting line cut */
	bool usable;
	bool pipelining, chunking, eightbit, smtputf8, dsn;
	uint64_t max_size;
	unsigned begun;	   /* transactions this connection has seen */
	bool dirty;	   /* the last one may have left a sender behind */
	int io_ms;	   /* a command and its reply */
	int final_ms;	   /* the reply to the end of the data */
	bool sizes;	   /* SIZE= is understood */
	int64_t grace;	   /* after a signal: until then; 0: none came */
	bool cut;	   /* writing failed: only what came already is read */
	struct coi_err le; /* why */
	struct buf out;	   /* commands of the flight being built */
	struct body {	   /* of the message being sent */
		struct smtp_msg *m;
		struct buf b; /* read, not yet sent from `at` on */
		size_t at;
		uint64_t total;
		bool eof;
	} body;
};

/* Reads one reply into s->r; on failure the session is no longer usable. */
void smtp_deadline(struct smtp *s, int ms);
int smtp_read(struct smtp *s, int ms, const char *stage, struct coi_err *e);
/* Sends a command (CRLF added) alone and reads its reply. */
int smtp_cmd(struct smtp *s, const char *stage, struct coi_err *e,
	     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * Nothing may come while nothing was asked: 0.  Else -1: the server said
 * goodbye (421, end) in between, or speaks out of turn (COI_E_PROTOCOL).
 */
int smtp_quiet(struct smtp *s, const char *stage, struct coi_err *e);
/* Sets the error with stage, host and the reply's own words; -1. */
int smtp_refused(struct smtp *s, enum coi_code code, const char *stage,
		 struct coi_err *e, const char *what);
/* Stage and host for an error that is there already; -1. */
int smtp_failed(struct smtp *s, const char *stage, struct coi_err *e);

/* hello.c: EHLO, HELO or LHLO, and what was offered. */
int smtp_hello(struct smtp *s, struct coi_err *e);
/* The argument of an extension; false when it is not offered. */
bool smtp_ext(const struct smtp *s, const char *name, struct str *arg);
/* auth.c */
int smtp_auth(struct smtp *s, struct coi_err *e);

/* check.c: what must not be put on the wire; COI_E_DATA. */
int smtp_check(const struct smtp_msg *m, struct coi_err *e);
/* True when the server cannot take it; the result is then set. */
bool smtp_check_fits(const struct smtp *s, struct arena *a, struct smtp_msg *m);
bool smtp_needs_utf8(const struct smtp_msg *m);
void smtp_xtext(struct buf *out, struct str s);

/* body.c: the message read ahead, so that its end is known in time. */
void body_init(struct body *b, struct smtp_msg *m);
void body_free(struct body *b);
/* Reads until `want` octets wait or the end came; checks the size told. */
int body_fill(struct body *b, size_t want, struct coi_err *e);
struct str body_view(const struct body *b, size_t max);
void body_take(struct body *b, size_t n);

/* Dot-stuffing and line ends for DATA, in pieces. */
struct stuff {
	bool bol_not, cr; /* zeroed: at the beginning of a line */
};
void stuff_add(struct stuff *st, struct str in, struct buf *out);
void stuff_end(struct stuff *st, struct buf *out); /* CRLF if needed, dot */

/* A reply as it is kept: strings in the caller's arena. */
struct answer {
	int code; /* 0: none came */
	struct str enhanced, reply;
};

/* The reply that is due next; replies are counted, never guessed. */
enum tx_step {
	TX_RSET,
	TX_MAIL,
	TX_RCPT,
	TX_DATA,
	TX_CHUNK,
	TX_FINAL,
	TX_DONE
};

/* tx.c: one transaction and what its replies mean. */
struct tx {
	struct smtp_msg *m;
	struct arena *a;
	enum tx_step step;
	size_t put;	 /* commands put, replies still due */
	size_t rcpt;	 /* recipients answered */
	size_t accepted; /* of these, taken */
	size_t lmtp;	 /* LMTP: recipients passed by final replies */
	bool data, go;	 /* DATA was put; 354 came */
	unsigned chunks; /* replies due before the last chunk's */
	bool end_sent;	 /* the octets that end the data may have left */
	bool empty;	 /* only a dot was sent, nothing to accept */
	bool local;	 /* the result was made here, nothing was sent */
	bool later;	 /* not the first on this connection */
	struct answer mail, final, bye;
	enum tx_step bye_at;
};
void tx_init(struct smtp *s, struct tx *t, struct arena *a, struct smtp_msg *m);
/* Reads the reply that is due; -1: s->le says why there is none. */
int tx_read(struct smtp *s, struct tx *t);
/*
 * Fills the results.  0: there is one; -1: the link was lost, state says
 * UNSENT, DEFERRED or UNKNOWN.
 */
int tx_settle(struct smtp *s, struct tx *t, struct coi_err *e);
/*
 * False when it did not all leave: then the octets at its end did not.  What
 * is put is only sent for sure by a flush.
 */
bool tx_put(struct smtp *s, struct str x);
bool tx_put_body(struct smtp *s, struct str x); /* not traced */
bool tx_flush(struct smtp *s);

/* envelope.c: RSET, MAIL, RCPT in as few flights as the server bears. */
int tx_envelope(struct smtp *s, struct tx *t, bool flush);

#endif
