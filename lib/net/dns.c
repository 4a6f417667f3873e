/* Addresses of a host: both families asked at once, nothing blocks. */
#include <ares.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/sys.h"
#include "net/priv.h"

struct ask {
	struct net_dns *d;
	int status;
	struct net_found found;
};

struct net_dns {
	char *host;
	uint16_t port;
	ares_channel channel;
	bool have_channel;
	struct ask v4, v6;
};

static const char *servers;

void net_dns_servers(const char *csv)
{
	servers = csv;
}

static void add(struct ask *a, const void *sa, size_t len)
{
	struct net_addr *to;

	if (a->found.n == NET_ADDRS_MAX || len > sizeof(to->sa))
		return;
	to = &a->found.v[a->found.n++];
	memcpy(&to->sa, sa, len);
	to->len = (socklen_t)len;
}

static void done(struct ask *a, int status)
{
	a->status = status;
	a->found.done = true;
	a->found.when = sys_mono_ms();
}

static void add_v4(struct net_dns *d, const struct in_addr *ip)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = *ip};

	sa.sin_port = htons(d->port);
	add(&d->v4, &sa, sizeof(sa));
}

static void add_v6(struct net_dns *d, const struct in6_addr *ip, unsigned scope)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6, .sin6_addr = *ip};

	sa.sin6_port = htons(d->port);
	sa.sin6_scope_id = scope;
	add(&d->v6, &sa, sizeof(sa));
}

/* "fe80::1%eth0" */
static bool scoped(struct net_dns *d)
{
	struct str rest = str_of(d->host), ip = str_split(&rest, '%');
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a6;
	unsigned scope;
	uint64_t v;

	if (rest.n == 0 || ip.n >= sizeof(text))
		return false;
	memcpy(text, ip.p, ip.n);
	text[ip.n] = '\0';
	if (inet_pton(AF_INET6, text, &a6) != 1)
		return false;
	scope = if_nametoindex(rest.p);
	if (scope == 0 && str_u64(rest, UINT32_MAX, &v))
		scope = (unsigned)v;
	add_v6(d, &a6, scope);
	return true;
}

bool net_dns_literal(const char *host)
{
	struct in6_addr a6;
	struct in_addr a4;

	return inet_pton(AF_INET, host, &a4) == 1 ||
	       inet_pton(AF_INET6, host, &a6) == 1 || strchr(host, '%') != NULL;
}

/* Literals, and localhost, which RFC 6761 keeps away from the DNS. */
static bool known(struct net_dns *d)
{
	struct str h = str_of(d->host);
	const struct in_addr lo4 = {htonl(INADDR_LOOPBACK)};
	struct in_addr a4;
	struct in6_addr a6;

	if (inet_pton(AF_INET, d->host, &a4) == 1) {
		add_v4(d, &a4);
	} else if (inet_pton(AF_INET6, d->host, &a6) == 1) {
		add_v6(d, &a6, 0);
	} else if (str_iis(h, "localhost") ||
		   (h.n > 10 &&
		    str_iis(str_sub(h, h.n - 10, 10), ".localhost"))) {
		add_v6(d, &in6addr_loopback, 0);
		add_v4(d, &lo4);
	} else {
		return scoped(d);
	}
	return true;
}

static void answered(void *arg, int status, int timeouts,
		     struct ares_addrinfo *res)
{
	struct ask *a = arg;
	struct ares_addrinfo_node *node;

	(void)timeouts;
	if (status == ARES_SUCCESS && res != NULL)
		for (node = res->nodes; node != NULL; node = node->ai_next)
			if (node->ai_addr != NULL)
				add(a, node->ai_addr, node->ai_addrlen);
	if (res != NULL)
		ares_freeaddrinfo(res);
	done(a, status);
}

static void ask(struct net_dns *d, struct ask *a, int family)
{
	struct ares_addrinfo_hints h = {.ai_family = family,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = ARES_AI_NUMERICSERV};
	char port[8];

	snprintf(port, sizeof(port), "%u", d->port);
	ares_getaddrinfo(d->channel, d->host, port, &h, answered, a);
}

int net_ares_new(struct ares_channeldata **ch, bool search, struct coi_err *e)
{
	struct ares_options opt = {.timeout = 3000, .tries = 3, .ndomains = 0};
	int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
	static bool ready;
	int r = ready ? ARES_SUCCESS : ares_library_init(ARES_LIB_INIT_ALL);

	*ch = NULL;
	if (r == ARES_SUCCESS) {
		ready = true;
		r = ares_init_options(ch, &opt,
				      search ? mask : mask | ARES_OPT_DOMAINS);
		if (r != ARES_SUCCESS)
			*ch = NULL;
	}
	if (r == ARES_SUCCESS && servers != NULL)
		r = ares_set_servers_ports_csv(*ch, servers);
	if (r == ARES_SUCCESS)
		return 0;
	if (*ch != NULL)
		ares_destroy(*ch);
	*ch = NULL;
	return err_set(e, COI_E_OS, "the resolver cannot be set up: %s",
		       ares_strerror(r));
}

static struct net_dns *start(const char *host, uint16_t port, int family,
			     bool search, struct coi_err *e)
{
	struct net_dns *d = mem_alloc(sizeof(*d));

	d->host = mem_dup(str_of(host));
	d->port = port;
	if (known(d)) {
		if (family == 4)
			d->v6.found.n = 0;
		if (family == 6)
			d->v4.found.n = 0;
		done(&d->v4, d->v4.found.n > 0 ? ARES_SUCCESS : ARES_ENODATA);
		done(&d->v6, d->v6.found.n > 0 ? ARES_SUCCESS : ARES_ENODATA);
		return d;
	}
	if (net_ares_new(&d->channel, search, e) < 0) {
		net_dns_free(d);
		return NULL;
	}
	d->have_channel = true;
	if (family == 4)
		done(&d->v6, ARES_ENODATA);
	else
		ask(d, &d->v6, AF_INET6);
	if (family == 6)
		done(&d->v4, ARES_ENODATA);
	else
		ask(d, &d->v4, AF_INET);
	return d;
}

struct net_dns *net_dns_start(const char *host, uint16_t port, int family,
			      struct coi_err *e)
{
	return start(host, port, family, true, e);
}

struct net_dns *net_dns_start_exact(const char *host, uint16_t port, int family,
				    struct coi_err *e)
{
	return start(host, port, family, false, e);
}

void net_dns_free(struct net_dns *d)
{
	if (d == NULL)
		return;
	if (d->have_channel)
		ares_destroy(d->channel);
	free(d->host);
	free(d);
}

struct net_found *net_dns_found(struct net_dns *d, int family)
{
	return family == 4 ? &d->v4.found : &d->v6.found;
}

size_t net_ares_poll(struct ares_channeldata *ch, struct pollfd *p, size_t max,
		     int *ms)
{
	ares_socket_t fds[ARES_GETSOCK_MAXNUM];
	struct timeval tv, *t;
	size_t i, n = 0;
	unsigned bits;
	int left;

	/* The macros of ares.h shift into the sign. */
	bits = (unsigned)ares_getsock(ch, fds, ARES_GETSOCK_MAXNUM);
	for (i = 0; i < ARES_GETSOCK_MAXNUM && n < max; i++) {
		short ev = 0;

		if (bits >> i & 1)
			ev |= POLLIN;
		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			ev |= POLLOUT;
		if (ev != 0)
			p[n++] = (struct pollfd){.fd = fds[i], .events = ev};
	}
	t = ares_timeout(ch, NULL, &tv);
	if (t != NULL) {
		left = (int)(t->tv_sec * 1000 + t->tv_usec / 1000 + 1);
		if (*ms < 0 || left < *ms)
			*ms = left;
	}
	return n;
}

void net_ares_process(struct ares_channeldata *ch, const struct pollfd *p,
		      size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bool in = p[i].revents & (POLLIN | POLLERR | POLLHUP);
		bool out = p[i].revents & (POLLOUT | POLLERR | POLLHUP);

		if (in || out)
			ares_process_fd(ch, in ? p[i].fd : ARES_SOCKET_BAD,
					out ? p[i].fd : ARES_SOCKET_BAD);
	}
	ares_process_fd(ch, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static bool over(const struct net_dns *d)
{
	return !d->have_channel || (d->v4.found.done && d->v6.found.done);
}

size_t net_dns_poll(struct net_dns *d, struct pollfd *p, size_t max, int *ms)
{
	return over(d) ? 0 : net_ares_poll(d->channel, p, max, ms);
}

void net_dns_process(struct net_dns *d, const struct pollfd *p, size_t n)
{
	if (!over(d))
		net_ares_process(d->channel, p, n);
}

static bool absent(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA ||
	       status == ARES_ENONAME;
}

int net_dns_failed(const struct net_dns *d, struct coi_err *e)
{
	int s4 = d->v4.status, s6 = d->v6.status;
	int worst = absent(s4) ? s6 : s4;

	err_stage(e, "dns");
	if (!d->v4.found.done && !d->v6.found.done)
		worst = ARES_ETIMEOUT;
	if (worst == ARES_EBADNAME || worst == ARES_EBADQUERY)
		return err_set(e, COI_E_CONFIG, "\"%s\" is not a host name",
			       d->host);
	if (!absent(worst) && worst != ARES_SUCCESS) {
		err_set(e, COI_E_TEMP, "\"%s\" cannot be looked up: %s",
			d->host, ares_strerror(worst));
		err_hint(e, "is the network up, and does its name server "
			    "answer?");
		return -1;
	}
	if (s4 == ARES_ENOTFOUND || s6 == ARES_ENOTFOUND)
		err_set(e, COI_E_UNAVAILABLE, "there is no host \"%s\"",
			d->host);
	else
		err_set(e, COI_E_UNAVAILABLE,
			"\"%s\" has no address of the wanted kind", d->host);
	err_hint(e, "check the host name in the configuration");
	return -1;
}
