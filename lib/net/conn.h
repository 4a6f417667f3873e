/*
 * A connection: TCP and verified TLS under absolute deadlines, with one
 * redacted wire trace.  Streams are libetpan's low drivers of our own.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/err.h"
#include "core/str.h"

enum net_tls { NET_TLS_IMPLICIT, NET_TLS_STARTTLS, NET_TLS_OFF };

/* All strings are borrowed for the life of the connection. */
struct net_opts {
	const char *host; /* name or address literal */
	uint16_t port;
	enum net_tls tls;    /* OFF: loopback addresses only, else 78 */
	int family;	     /* 0, 4 or 6 */
	const char *ca_file; /* instead of the system's trust */
	const char *client_cert, *client_key; /* PEM files */
	const char *const *pins; /* SPKI SHA-256, base64; replaces chain+name */
	size_t npins;
	int connect_ms;	   /* DNS, TCP and TLS together; 0: 30000 */
	int io_ms;	   /* one command and its answer; 0: 60000 */
	int trace_fd;	   /* -1: no trace */
	const char *label; /* "imap", "smtp": in trace and errors */
	int cancel_fd;	   /* readable: give up (COI_E_CANCELLED); -1 */
};

struct net_conn;

/*
 * Where the system's trust is, instead of OpenSSL's own places: what
 * SSL_CERT_FILE and SSL_CERT_DIR say.  NULL: the default.  Process-wide and
 * borrowed; to be called before the first connection.
 */
void net_trust_defaults(const char *file, const char *dir);
/* What net_trust_defaults() was told. */
void net_trust(const char **file, const char **dir);
/* Name servers ("127.0.0.1:5353,[::1]:53") instead of resolv.conf's; for
 * tests.  Process-wide and borrowed. */
void net_dns_servers(const char *csv);

/*
 * Resolves with c-ares, connects (both families raced, RFC 8305), and does
 * the TLS handshake when implicit.  NULL on failure: COI_E_UNAVAILABLE (no
 * such host, refused), COI_E_TEMP (time), COI_E_TLS (certificate or TLS).
 */
struct net_conn *net_open(const struct net_opts *o, struct coi_err *e);
void net_close(struct net_conn *c); /* close_notify sent, never waits */

/* Upgrades in place; plaintext that came behind the go-ahead is an attack:
 * COI_E_PROTOCOL. */
int net_starttls(struct net_conn *c, struct coi_err *e);
bool net_is_tls(const struct net_conn *c);
bool net_is_loopback(const struct net_conn *c);
/* Channel binding for SCRAM-PLUS: type "tls-exporter" or "tls-unique"
 * ("tls-server-end-point" too); false if there is none. */
bool net_binding(struct net_conn *c, const char *type, struct buf *out);

/*
 * Every read and write that has to wait, until the next call, must end within
 * ms from now; 0: io_ms, negative: no limit.  What is there already is given
 * out even when it is late, so renew it as a long answer makes progress.
 */
void net_deadline(struct net_conn *c, int ms);
/* From here cancel_fd is not looked at: for the goodbye after a signal. */
void net_ignore_cancel(struct net_conn *c);

/* Reading: what has arrived is a view, good until the next net_fill(). */
struct str net_avail(const struct net_conn *c);
void net_consume(struct net_conn *c, size_t n);
/* Waits for at least one more octet.  COI_E_UNAVAILABLE with "connection
 * closed" at the end, COI_E_TEMP at the deadline.  The buffer grows up to
 * `max` unconsumed octets: beyond, COI_E_PROTOCOL. */
int net_fill(struct net_conn *c, size_t max, struct coi_err *e);
/* A line without CRLF (bare LF taken), at most max octets. */
int net_line(struct net_conn *c, size_t max, struct str *line,
	     struct coi_err *e);
/*
 * True when net_fill() would not wait: octets are in our buffer, in a layer
 * below or in the kernel, or the connection has ended.  After poll(2) said
 * readable and this says false, it was TLS housekeeping: poll again.
 */
bool net_pending(const struct net_conn *c);
/* For poll(2) by a watcher; check net_pending() first. */
int net_fd(const struct net_conn *c);
/*
 * Waits for news without the deadline: 1 when net_fill() has more octets than
 * net_avail() shows, or an error; 0 when it is `until` (sys_mono_ms();
 * negative: no end, 0: only a look) or the task was woken; -1 COI_E_CANCELLED
 * and what is wrong with poll(2).  Buffers that are empty are given back
 * meanwhile.
 */
int net_idle(struct net_conn *c, int64_t until, struct coi_err *e);

/*
 * Writing: collected until net_flush() (or 64 KiB); the trace shows what
 * passes, but what is put with net_put_secret() as "[n octets hidden]".  A peer
 * that has gone is an error, never SIGPIPE; what it said before can still be
 * read.  While we wait to write, what it sends is taken (16 MiB), so that two
 * talkers cannot lock each other.
 */
int net_put(struct net_conn *c, struct str s, struct coi_err *e);
int net_put_secret(struct net_conn *c, struct str s, struct coi_err *e);
int net_flush(struct net_conn *c, struct coi_err *e);
/* Marks what follows, in both directions, as not to be traced (literals of
 * credentials, message bodies at low trace levels). */
void net_trace_hide(struct net_conn *c, bool hide);

int net_compress(struct net_conn *c, struct coi_err *e); /* RFC 4978, DEFLATE */

struct net_stats {
	uint64_t in, out; /* octets on the wire */
	uint64_t turns;	  /* times we waited for the peer after writing */
};
struct net_stats net_stats(const struct net_conn *c);

/* What the connection is made of; texts are cut, "" where there is none. */
struct net_info {
	char peer[64];	  /* numeric address and port */
	char tls[16];	  /* "TLSv1.3" */
	char cipher[64];  /* "TLS_AES_256_GCM_SHA384" */
	char issuer[128]; /* of the server's certificate */
	char pin[48];	  /* SHA-256 of its key (SPKI), base64 */
	bool pinned;	  /* a pin was right; else chain and name were */
	bool have_dates;
	int64_t not_before, not_after; /* of it, seconds since 1970 */
};
void net_info(const struct net_conn *c, struct net_info *i);

#endif
