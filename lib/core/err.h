/* Errors: one caller-owned value, filled by the first failure. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum coi_code {
	COI_OK = 0,
	COI_E_PARTIAL,	   /* negative or partial answer */
	COI_E_USAGE,	   /* the command line is wrong */
	COI_E_DATA,	   /* input that cannot be used */
	COI_E_NOINPUT,	   /* no such file or message */
	COI_E_NOUSER,	   /* every recipient refused for good */
	COI_E_UNAVAILABLE, /* unreachable, or the server lacks it */
	COI_E_INTERNAL,	   /* our own bug */
	COI_E_OS,	   /* the operating system refused */
	COI_E_CREATE,	   /* a file cannot be created */
	COI_E_IO,	   /* local reading or writing failed */
	COI_E_TEMP,	   /* may work later */
	COI_E_PROTOCOL,	   /* the peer broke the protocol */
	COI_E_AUTH,	   /* login refused, or not permitted */
	COI_E_CONFIG,	   /* configuration */
	COI_E_KEY,	   /* key changed or untrusted */
	COI_E_NOKEY,	   /* encryption required, no usable key */
	COI_E_TLS,	   /* TLS or certificate */
	COI_E_OUTCOME,	   /* link lost after the data: outcome unknown */
	COI_E_CANCELLED,   /* a signal asked to stop */
	COI_E_PIPE	   /* the reader of our output went away */
};

#define ERR_MSG_MAX 512

/*
 * The first failure sets it; later ones are ignored, so that the cause is
 * what the user reads.  All strings are printable UTF-8 without controls:
 * err_set() and friends clean what a peer said.
 */
struct coi_err {
	enum coi_code code;
	char msg[ERR_MSG_MAX];	 /* what failed, in one line */
	char stage[32];		 /* "connect", "tls", "login", "data", ... */
	char host[256];		 /* "mail.example.org:993", or empty */
	char reply[ERR_MSG_MAX]; /* the server's own words, or empty */
	char hint[256];		 /* what to do next, or empty */
	char ctx[256];		 /* "fetching UID 12", added on the way up */
	bool lasting;		 /* a bad certificate: no use to try again */
};

/* Sets code and message unless an error is there already; always -1. */
int err_set(struct coi_err *e, enum coi_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of errno `num` appended. */
int err_errno(struct coi_err *e, enum coi_code code, int num, const char *fmt,
	      ...) __attribute__((format(printf, 4, 5)));

/* Adds context in front ("fetching UID 12: ..."); for an error already set. */
void err_ctx(struct coi_err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Each fills its field unless it is filled already. */
void err_hint(struct coi_err *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void err_stage(struct coi_err *e, const char *stage);
void err_host(struct coi_err *e, const char *host, unsigned port);
void err_reply(struct coi_err *e, const char *text, size_t n);

/* Makes `e` free for another attempt. */
void err_clear(struct coi_err *e);

/* The exit status of the table in coi(7). */
int err_status(enum coi_code code);

/* "temporary", "tls", ...: the word used in JSON error lines. */
const char *err_word(enum coi_code code);

#endif
