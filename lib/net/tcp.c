/* TCP: racing the addresses of a host (RFC 8305), and the plain stream. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libetpan/mailstream_low.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/sys.h"
#include "core/task.h"
#include "net/priv.h"

#define STAGGER_MS 250 /* between two attempts */
#define WAIT_V6_MS 50  /* for the AAAA answer when A is there */
#define TRIES_MAX (2 * NET_ADDRS_MAX)
#define DNS_FDS 16

struct
try {
	const struct net_addr *to;
	int fd;	 /* -1 when it ended */
	int num; /* errno of it, 0 while it runs */
};

struct race {
	struct net_conn *c;
	struct net_dns *dns;
	struct try v[TRIES_MAX];
	size_t n, running;
	size_t used4, used6; /* addresses taken */
	int64_t next;	     /* when the next may start */
	int skipped;	     /* not loopback, and TLS is off */
};

static bool is_loopback(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

	if (sa->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return v6->sin6_addr.s6_addr[12] == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static void show(const struct sockaddr_storage *sa, bool port, char *out,
		 size_t n)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;
	char ip[INET6_ADDRSTRLEN] = "?";
	bool six = sa->ss_family == AF_INET6;

	if (six)
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
	if (!port)
		snprintf(out, n, "%s", ip);
	else
		snprintf(out, n, six ? "[%s]:%u" : "%s:%u", ip,
			 ntohs(six ? v6->sin6_port : v4->sin_port));
}

/* Small writes leave at once, and a dead peer is noticed in two minutes. */
static void tune(int fd)
{
	static const struct {
		int level, name, value;
	} opts[] = {
	    {IPPROTO_TCP, TCP_NODELAY, 1},
	    {SOL_SOCKET, SO_KEEPALIVE, 1},
	    {IPPROTO_TCP, TCP_KEEPIDLE, 60},
	    {IPPROTO_TCP, TCP_KEEPINTVL, 20},
	    {IPPROTO_TCP, TCP_KEEPCNT, 3},
	    {IPPROTO_TCP, TCP_USER_TIMEOUT, 120000},
	};
	size_t i;

	for (i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
		(void)setsockopt(fd, opts[i].level, opts[i].name,
				 &opts[i].value, sizeof(opts[i].value));
}

/* The next address, families in turn; NULL when none is known (yet). */
static const struct net_addr *next_addr(struct race *r)
{
	struct net_found *f4 = net_dns_found(r->dns, 4);
	struct net_found *f6 = net_dns_found(r->dns, 6);
	const struct net_addr *a;

	for (;;) {
		bool six = r->used6 < f6->n &&
			   (r->used6 <= r->used4 || r->used4 >= f4->n);

		if (six)
			a = &f6->v[r->used6++];
		else if (r->used4 < f4->n)
			a = &f4->v[r->used4++];
		else
			return NULL;
		if (r->c->o.tls != NET_TLS_OFF || is_loopback(&a->sa))
			return a;
		r->skipped++;
	}
}

static void start_try(struct race *r, const struct net_addr *a)
{
	struct try *t = &r->v[r->n++];

	*t = (struct try){.to = a, .num = 0};
	t->fd = socket(a->sa.ss_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->fd < 0) {
		t->num = errno;
		return;
	}
	tune(t->fd);
	if (connect(t->fd, (const struct sockaddr *)&a->sa, a->len) < 0 &&
	    errno != EINPROGRESS) {
		t->num = errno;
		close(t->fd);
		t->fd = -1;
		return;
	}
	r->running++;
	r->next = sys_mono_ms() + STAGGER_MS;
}

/* Starts what is due; the time of the next start into *ms. */
static void start_due(struct race *r, int *ms)
{
	struct net_found *f4 = net_dns_found(r->dns, 4);
	struct net_found *f6 = net_dns_found(r->dns, 6);
	int64_t now = sys_mono_ms();
	const struct net_addr *a;
	int64_t at = r->next;

	/* Only A is there: give AAAA a moment, it goes first. */
	if (!f6->done && f4->n > 0 && r->n == 0)
		at = f4->when + WAIT_V6_MS;
	while (r->n < TRIES_MAX) {
		if (now < at) {
			int left = (int)(at - now);

			if ((r->used4 < f4->n || r->used6 < f6->n) &&
			    (*ms < 0 || left < *ms))
				*ms = left;
			return;
		}
		a = next_addr(r);
		if (a == NULL)
			return;
		start_try(r, a);
		at = r->next;
	}
}

static int win(struct race *r, struct try *t)
{
	struct net_conn *c = r->c;

	c->fd = t->fd;
	t->fd = -1;
	c->loopback = is_loopback(&t->to->sa);
	show(&t->to->sa, true, c->peer, sizeof(c->peer));
	return 0;
}

/* 0: connected; 1: go on. */
static int look(struct race *r, struct try *t, short revents)
{
	socklen_t len = sizeof(t->num);

	if (revents == 0)
		return 1;
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &t->num, &len) < 0)
		t->num = errno;
	if (t->num == 0)
		return win(r, t);
	close(t->fd);
	t->fd = -1;
	r->running--;
	r->next = 0; /* no reason to wait longer */
	return 1;
}

static int gave_up(struct race *r, bool late, struct coi_err *e)
{
	struct net_found *f4 = net_dns_found(r->dns, 4);
	struct net_found *f6 = net_dns_found(r->dns, 6);
	char ip[64];
	struct buf b = {0};
	size_t i;

	if (r->n == 0 && r->skipped > 0) {
		err_stage(e, "connect");
		err_set(e, COI_E_CONFIG,
			"%s is not on this machine: it is not used without TLS",
			r->c->host);
		err_hint(e, "tls = off is for loopback addresses only; set "
			    "implicit or starttls");
		return -1;
	}
	if (f4->n + f6->n == 0)
		return net_dns_failed(r->dns, e);
	for (i = 0; i < r->n && b.n < 300; i++) {
		int num = r->v[i].num == 0 ? ETIMEDOUT : r->v[i].num;

		show(&r->v[i].to->sa, false, ip, sizeof(ip));
		buf_fmt(&b, "%s%s: %s", i > 0 ? "; " : "", ip, strerror(num));
		late |= num == ETIMEDOUT;
	}
	if (i < r->n)
		buf_fmt(&b, "; and %zu more", r->n - i);
	err_stage(e, "connect");
	err_set(e, late ? COI_E_TEMP : COI_E_UNAVAILABLE,
		"cannot connect to %s port %u (%s)", r->c->host, r->c->o.port,
		buf_cstr(&b));
	err_hint(e, "check host, port and firewall; is the server running?");
	buf_free(&b);
	return -1;
}

static int run(struct race *r, struct coi_err *e)
{
	struct pollfd p[1 + DNS_FDS + TRIES_MAX];
	struct try *of[TRIES_MAX];
	struct net_found *f4 = net_dns_found(r->dns, 4);
	struct net_found *f6 = net_dns_found(r->dns, 6);

	for (;;) {
		size_t ndns, n, i;
		int ms = net_ms_left(r->c->deadline), k;

		if (ms == 0)
			return gave_up(r, true, e);
		start_due(r, &ms);
		if (r->running == 0 && f4->done && f6->done &&
		    r->used4 == f4->n && r->used6 == f6->n)
			return gave_up(r, false, e);
		p[0] = (struct pollfd){.fd = r->c->o.cancel_fd,
				       .events = POLLIN};
		ndns = net_dns_poll(r->dns, p + 1, DNS_FDS, &ms);
		for (i = n = 0; i < r->n; i++) {
			if (r->v[i].fd < 0)
				continue;
			of[n] = &r->v[i];
			p[1 + ndns + n++] = (struct pollfd){.fd = r->v[i].fd,
							    .events = POLLOUT};
		}
		k = task_poll_deaf(p, 1 + ndns + n, ms);
		if (k < 0 && errno != EINTR)
			return err_errno(e, COI_E_OS, errno, "poll");
		if (k < 0)
			continue;
		if (p[0].revents != 0) {
			err_stage(e, "connect");
			return err_set(e, COI_E_CANCELLED, "interrupted");
		}
		for (i = 0; i < n; i++)
			if (look(r, of[i], p[1 + ndns + i].revents) == 0)
				return 0;
		net_dns_process(r->dns, p + 1, ndns);
	}
}

int net_connect(struct net_conn *c, struct coi_err *e)
{
	struct race r = {.c = c};
	size_t i;
	int ret;

	c->literal = net_dns_literal(c->host);
	r.dns = net_dns_start(c->host, c->o.port, c->o.family, e);
	if (r.dns == NULL) {
		err_stage(e, "dns");
		return -1;
	}
	ret = run(&r, e);
	for (i = 0; i < r.n; i++)
		if (r.v[i].fd >= 0)
			close(r.v[i].fd);
	net_dns_free(r.dns);
	return ret;
}

/* --- the plain stream ---------------------------------------------------- */

ssize_t net_plain_now(struct net_conn *c, void *p, size_t n)
{
	ssize_t k;

	do
		k = recv(c->fd, p, n, MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k > 0) {
		c->st.in += (uint64_t)k;
		return k;
	}
	if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	c->fail = k == 0 ? NET_EOF : NET_SYS;
	c->fail_errno = errno;
	return -1;
}

/* libetpan loops for ever on a driver that returns 0 at the end: -1. */
static ssize_t plain_read(mailstream_low *low, void *p, size_t n)
{
	struct net_conn *c = low->data;
	ssize_t k;

	k = (ssize_t)net_unspill(c, p, n);
	while (k == 0 && c->fail == NET_OK) {
		k = net_plain_now(c, p, n);
		if (k == 0 && net_wait(c, POLLIN) < 0)
			break;
	}
	return k > 0 ? k : -1;
}

static ssize_t plain_write(mailstream_low *low, const void *p, size_t n)
{
	struct net_conn *c = low->data;
	ssize_t k;

	while (c->fail == NET_OK) {
		k = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k >= 0) {
			c->st.out += (uint64_t)k;
			return k;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK) {
			(void)net_wait(c, POLLOUT);
		} else if (errno != EINTR) {
			c->fail = NET_SYS;
			c->fail_errno = errno;
		}
	}
	return -1;
}

static int plain_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int plain_fd(mailstream_low *low)
{
	return ((struct net_conn *)low->data)->fd;
}

static void plain_free(mailstream_low *low)
{
	free(low);
}

static mailstream_low_driver plain = {
    .mailstream_read = plain_read,
    .mailstream_write = plain_write,
    .mailstream_close = plain_close,
    .mailstream_get_fd = plain_fd,
    .mailstream_free = plain_free,
};

mailstream_low *net_plain_new(struct net_conn *c)
{
	mailstream_low *low = mailstream_low_new(c, &plain);

	if (low == NULL)
		mem_fail(sizeof(*low));
	return low;
}
