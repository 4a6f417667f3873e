#include "net/srv.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/sys.h"
#include "core/task.h"
#include "net/priv.h"

#define FDS 16
#define OTHER_FAMILY_MS 200 /* when the addresses of one are there */

/* Until a socket is ready, or `ms`: 1, or 0 over the deadline, or -1. */
static int wait_for(struct pollfd *p, size_t n, int ms,
		    const struct net_until *u, struct coi_err *e)
{
	int left = net_ms_left(u->deadline), k;

	p[n] = (struct pollfd){.fd = u->cancel_fd, .events = POLLIN};
	if (left == 0)
		return 0;
	if (ms < 0 || left < ms)
		ms = left;
	k = task_poll(p, n + 1, ms);
	if (k < 0 && errno != EINTR)
		return err_errno(e, COI_E_OS, errno, "poll");
	if (k < 0) {
		size_t i;

		for (i = 0; i <= n; i++)
			p[i].revents = 0;
	}
	if (p[n].revents != 0)
		return err_set(e, COI_E_CANCELLED, "interrupted");
	return 1;
}

/* --- SRV ------------------------------------------------------------------ */

struct srv_run {
	struct net_srv_ask *ask;
	size_t *open;
	bool done;
};

void net_srv_sort(struct net_srv *v, size_t n)
{
	size_t i, k;

	/* Insertion: by priority, those of no weight first among equals. */
	for (i = 1; i < n; i++) {
		struct net_srv x = v[i];

		for (k = i; k > 0 && (v[k - 1].priority > x.priority ||
				      (v[k - 1].priority == x.priority &&
				       v[k - 1].weight > 0 && x.weight == 0));
		     k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
	for (i = 0; i < n; i++) {
		uint32_t sum = 0, pick;
		struct net_srv x;

		for (k = i; k < n && v[k].priority == v[i].priority; k++)
			sum += v[k].weight;
		sys_random(&pick, sizeof(pick));
		pick %= sum + 1;
		sum = 0;
		for (k = i; (sum += v[k].weight) < pick; k++)
			;
		x = v[k];
		memmove(&v[i + 1], &v[i], (k - i) * sizeof(*v));
		v[i] = x;
	}
}

static int srv_failed(struct net_srv_ask *q, int status)
{
	q->got = NET_SRV_FAILED;
	err_stage(&q->err, "dns");
	if (status == ARES_EBADRESP || status == ARES_EFORMERR) {
		err_set(&q->err, COI_E_PROTOCOL,
			"the answer about %s is malformed", q->name);
		return -1;
	}
	err_set(&q->err, COI_E_TEMP, "%s cannot be looked up: %s", q->name,
		ares_strerror(status));
	err_hint(&q->err, "is the network up, and does its name server "
			  "answer?");
	return -1;
}

static void take(struct net_srv_ask *q, const struct ares_srv_reply *r)
{
	struct net_srv *s;
	size_t refused = 0;

	for (; r != NULL; r = r->next) {
		if (r->host == NULL || *r->host == '\0' ||
		    strcmp(r->host, ".") == 0) {
			refused++;
			continue;
		}
		if (q->n == LIMIT_SRV || strlen(r->host) >= sizeof(s->host))
			continue;
		s = &q->v[q->n++];
		snprintf(s->host, sizeof(s->host), "%s", r->host);
		s->port = r->port;
		s->priority = r->priority;
		s->weight = r->weight;
	}
	q->got = q->n > 0      ? NET_SRV_FOUND
		 : refused > 0 ? NET_SRV_NOT_OFFERED
			       : NET_SRV_NONE;
	net_srv_sort(q->v, q->n);
}

static void answered(void *arg, int status, int timeouts, unsigned char *p,
		     int n)
{
	struct srv_run *r = arg;
	struct ares_srv_reply *list = NULL;

	(void)timeouts;
	if (status == ARES_SUCCESS)
		status = ares_parse_srv_reply(p, n, &list);
	if (status == ARES_SUCCESS)
		take(r->ask, list);
	else if (status == ARES_ENOTFOUND || status == ARES_ENODATA)
		r->ask->got = NET_SRV_NONE;
	else
		srv_failed(r->ask, status == ARES_EDESTRUCTION ? ARES_ETIMEOUT
							       : status);
	if (list != NULL)
		ares_free_data(list);
	r->done = true;
	--*r->open;
}

int net_srv(struct net_srv_ask *v, size_t n, const struct net_until *u,
	    struct coi_err *e)
{
	struct srv_run *run = mem_array(n, sizeof(*run));
	struct pollfd p[FDS + 1];
	ares_channel ch = NULL;
	size_t i, open = n;
	int rc = -1;

	if (net_ares_new(&ch, false, e) < 0)
		goto out;
	for (i = 0; i < n; i++) {
		run[i] = (struct srv_run){.ask = &v[i], .open = &open};
		v[i].n = 0;
		ares_query(ch, v[i].name, ns_c_in, ns_t_srv, answered, &run[i]);
	}
	rc = 1;
	while (rc > 0 && open > 0) {
		int ms = -1;
		size_t k = net_ares_poll(ch, p, FDS, &ms);

		rc = wait_for(p, k, ms, u, e);
		if (rc > 0)
			net_ares_process(ch, p, k);
	}
	/* What is still open is answered with "destruction". */
	ares_destroy(ch);
	if (rc >= 0)
		rc = 0;
out:
	if (rc < 0)
		err_stage(e, "dns");
	free(run);
	return rc;
}

/* --- addresses ------------------------------------------------------------ */

static void show(const struct net_found *f, struct buf *out)
{
	char ip[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct sockaddr_storage *sa = &f->v[i].sa;
		bool six = sa->ss_family == AF_INET6;
		const void *at =
		    six ? (const void *)&((const struct sockaddr_in6 *)sa)
			      ->sin6_addr
			: (const void *)&((const struct sockaddr_in *)sa)
			      ->sin_addr;

		if (inet_ntop(sa->ss_family, at, ip, sizeof(ip)) != NULL)
			buf_fmt(out, six ? "%s[%s]" : "%s%s",
				out->n > 0 ? "," : "", ip);
	}
}

int net_addrs(const char *host, int family, const struct net_until *u,
	      struct buf *out, struct coi_err *e)
{
	struct net_dns *d = net_dns_start_exact(host, 443, family, e);
	struct net_found *f4, *f6;
	struct pollfd p[FDS + 1];
	int rc = 1;

	if (d == NULL)
		return -1;
	f4 = net_dns_found(d, 4);
	f6 = net_dns_found(d, 6);
	while (rc > 0 && !(f4->done && f6->done)) {
		struct net_until soon = *u;
		size_t n;
		int ms = -1;

		if (f4->n + f6->n > 0) {
			int64_t at = (f4->n > 0 ? f4 : f6)->when +
				     OTHER_FAMILY_MS;

			if (at < soon.deadline)
				soon.deadline = at;
		}
		n = net_dns_poll(d, p, FDS, &ms);
		rc = wait_for(p, n, ms, &soon, e);
		if (rc > 0)
			net_dns_process(d, p, n);
	}
	if (rc >= 0) {
		struct buf b = {0};

		show(f6, &b);
		show(f4, &b);
		rc = b.n > 0 ? 0 : net_dns_failed(d, e);
		buf_str(out, buf_view(&b));
		buf_free(&b);
	}
	net_dns_free(d);
	return rc;
}
