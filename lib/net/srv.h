/* What a domain publishes about its services: SRV records (RFC 2782). */
#ifndef NET_SRV_H
#define NET_SRV_H

#include <stdint.h>

#include "core/err.h"
#include "core/limits.h"
#include "core/str.h"

struct net_srv {
	char host[256]; /* as the DNS says it, \DDD for odd octets: check it */
	uint16_t port, priority, weight;
};

enum net_srv_got {
	NET_SRV_NONE,	     /* no such record */
	NET_SRV_FOUND,	     /* n records in v, in the order of use */
	NET_SRV_NOT_OFFERED, /* the domain says so: the target is "." */
	NET_SRV_FAILED,	     /* err: COI_E_TEMP or COI_E_PROTOCOL */
};

struct net_srv_ask {
	const char *name; /* "_imaps._tcp.example.org", borrowed */
	enum net_srv_got got;
	struct coi_err err;
	struct net_srv v[LIMIT_SRV];
	size_t n;
};

/* When to give up; monotonic milliseconds. */
struct net_until {
	int64_t deadline;
	int cancel_fd; /* readable: COI_E_CANCELLED; -1 */
};

/*
 * Asks for all n names at once, none with a search domain.  0, whatever came
 * of each; -1 when cancelled, or when there is no resolver.
 */
int net_srv(struct net_srv_ask *v, size_t n, const struct net_until *u,
	    struct coi_err *e);

/* The order of use: by priority, among equals by chance and weight. */
void net_srv_sort(struct net_srv *v, size_t n);

/*
 * Appends the addresses of exactly this host, separated by commas, IPv6 in
 * brackets.  family: 0, 4 or 6.  COI_E_UNAVAILABLE when there is none,
 * COI_E_TEMP when nobody answered in time.
 */
int net_addrs(const char *host, int family, const struct net_until *u,
	      struct buf *out, struct coi_err *e);

#endif
