/* What the files of lib/net share: the connection behind net/conn.h. */
#ifndef NET_PRIV_H
#define NET_PRIV_H

#include <sys/socket.h>

#include "net/conn.h"

struct _mailstream_low;
struct ssl_st;

/* Why a stream call returned -1; sticky, but for NET_AGAIN. */
enum net_fail {
	NET_OK,
	NET_AGAIN, /* would wait, and was told not to */
	NET_EOF,
	NET_CUT, /* TLS ended without close_notify */
	NET_TIME,
	NET_CANCELLED,
	NET_SYS,     /* fail_errno */
	NET_BAD,     /* TLS is broken: fail_text */
	NET_GARBLED, /* compression is: fail_text */
};

/* One direction of the trace: the line being collected. */
struct net_trace {
	struct buf line;
	uint64_t hidden; /* octets, not yet told */
	char dir;	 /* 'C' or 'S' */
};

struct net_conn {
	struct net_opts o;
	char *host; /* without brackets, zone and final dot */
	bool literal;
	bool loopback;
	char peer[64]; /* numeric address and port */
	int fd;
	struct _mailstream_low *low; /* top of the stack: plain, TLS, zip */
	struct ssl_st *ssl;
	bool bio_eof;
	int64_t deadline; /* monotonic ms; negative: none */
	bool nowait, no_cancel;
	bool half_written; /* a write failed: no going on */
	enum net_fail fail;
	int fail_errno;
	char fail_text[256];

	bool no_trust; /* the system has no CA certificates */
	/* Filled by the verification of the certificate. */
	char cert_text[384], cert_hint[256];

	char *in; /* [at, end) not consumed, [at, scanned) without LF */
	size_t at, end, cap, scanned;
	bool stashed; /* an octet that net_pending() had to take */
	char stash;

	/* Read while we were writing, so that two full pipes cannot lock. */
	bool may_spill;
	struct buf spill;
	size_t spill_at;

	char *out;
	size_t nout;
	bool out_secret;

	bool hide;
	struct net_trace trace_in, trace_out;
	struct net_stats st;
	bool wrote; /* since we last waited for the peer */
};

#define NET_OUT_MAX ((size_t)64 * 1024)
#define NET_READ_MIN ((size_t)64 * 1024)
#define NET_SPILL_MAX ((size_t)16 * 1024 * 1024)

/* tcp.c */
/* Sets c->fd, peer and loopback before c->deadline. */
int net_connect(struct net_conn *c, struct coi_err *e);
struct _mailstream_low *net_plain_new(struct net_conn *c);

/* wait.c */
/* poll(2) for events of the socket until the deadline: 0, or -1 and c->fail. */
int net_wait(struct net_conn *c, short events);
int net_ms_left(int64_t deadline); /* for poll(2) */
/* conn.c */
/* net_pending() of what is not in our buffer. */
bool net_more(struct net_conn *c);
/* Frees the buffers that hold nothing. */
void net_rest(struct net_conn *c);
/* After a failed write: keeps what the peer said before it went away. */
void net_drain(struct net_conn *c);
/* What was spilled; 0 when nothing is left. */
size_t net_unspill(struct net_conn *c, void *p, size_t n);
/* Octets read without waiting; 0: none now, -1: c->fail. */
ssize_t net_plain_now(struct net_conn *c, void *p, size_t n);
ssize_t net_tls_now(struct net_conn *c, void *p, size_t n, short *want);
/* c->fail as an error; -1. */
int net_failed(struct net_conn *c, struct coi_err *e);

/* tls.c */
int net_tls_open(struct net_conn *c, struct coi_err *e);
void net_tls_goodbye(struct net_conn *c);
/* The oldest error of OpenSSL's queue as text; the queue is emptied. */
unsigned long net_tls_errors(char *text, size_t n);

/* cert.c */
struct ssl_ctx_st;
int net_cert_trust(struct net_conn *c, struct ssl_ctx_st *ctx,
		   struct coi_err *e);
int net_cert_client(struct net_conn *c, struct ssl_ctx_st *ctx,
		    struct coi_err *e);

struct x509_st;
/* The issuer's name, and base64 of the SHA-256 of the public key. */
void net_cert_issuer(const struct x509_st *x, char *out, size_t n);
bool net_cert_pin(const struct x509_st *x, struct buf *out);

/* zip.c */
/* `rest`: compressed octets that were read already. */
struct _mailstream_low *
net_zip_new(struct net_conn *c, struct _mailstream_low *below, struct str rest);

/* dns.c */
struct net_addr {
	struct sockaddr_storage sa;
	socklen_t len;
};
#define NET_ADDRS_MAX 16
struct net_found {
	bool done;
	int64_t when; /* monotonic ms of the answer */
	struct net_addr v[NET_ADDRS_MAX];
	size_t n;
};
struct net_dns;
bool net_dns_literal(const char *host);
/* Starts looking up; literals and localhost are answered at once. */
struct net_dns *net_dns_start(const char *host, uint16_t port, int family,
			      struct coi_err *e);
/* The same without the search domains of resolv.conf. */
struct net_dns *net_dns_start_exact(const char *host, uint16_t port, int family,
				    struct coi_err *e);
struct ares_channeldata;
struct pollfd;
int net_ares_new(struct ares_channeldata **ch, bool search, struct coi_err *e);
size_t net_ares_poll(struct ares_channeldata *ch, struct pollfd *p, size_t max,
		     int *ms);
void net_ares_process(struct ares_channeldata *ch, const struct pollfd *p,
		      size_t n);
void net_dns_free(struct net_dns *d);
struct net_found *net_dns_found(struct net_dns *d, int family); /* 4, 6 */
size_t net_dns_poll(struct net_dns *d, struct pollfd *p, size_t max, int *ms);
void net_dns_process(struct net_dns *d, const struct pollfd *p, size_t n);
int net_dns_failed(const struct net_dns *d, struct coi_err *e);

/* trace.c */
void net_trace(struct net_conn *c, struct net_trace *t, struct str s,
	       bool hidden);
void net_trace_note(struct net_conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void net_trace_end(struct net_conn *c);

#endif
