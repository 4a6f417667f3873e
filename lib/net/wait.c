/* Waiting for the socket: deadline, cancellation, and the spill. */
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "core/sys.h"
#include "core/task.h"
#include "net/priv.h"

int net_ms_left(int64_t deadline)
{
	int64_t left;

	if (deadline < 0)
		return -1;
	left = deadline - sys_mono_ms();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static int fail(struct net_conn *c, enum net_fail why)
{
	c->fail = why;
	return -1;
}

/* Takes what the peer says while it does not read: true when it did. */
static bool spill(struct net_conn *c)
{
	char *p;
	ssize_t n;
	short want = 0;

	if (c->spill.n - c->spill_at >= NET_SPILL_MAX)
		return false;
	p = buf_room(&c->spill, NET_READ_MIN);
	if (c->ssl != NULL)
		n = net_tls_now(c, p, NET_READ_MIN, &want);
	else
		n = net_plain_now(c, p, NET_READ_MIN);
	if (n > 0)
		c->spill.n += (size_t)n;
	return n >= 0;
}

void net_drain(struct net_conn *c)
{
	enum net_fail why = c->fail;
	int num = c->fail_errno;
	size_t before;

	do {
		before = c->spill.n;
		c->fail = NET_OK;
	} while (spill(c) && c->spill.n > before);
	c->fail = why;
	c->fail_errno = num;
}

size_t net_unspill(struct net_conn *c, void *p, size_t n)
{
	size_t have = c->spill.n - c->spill_at;

	if (have == 0)
		return 0;
	if (n > have)
		n = have;
	memcpy(p, c->spill.p + c->spill_at, n);
	c->spill_at += n;
	if (c->spill_at == c->spill.n) {
		buf_free(&c->spill);
		c->spill_at = 0;
	}
	return n;
}

int net_wait(struct net_conn *c, short events)
{
	bool spilling = c->may_spill && events == POLLOUT;
	struct pollfd p[2];
	int r;

	if (c->nowait)
		return fail(c, NET_AGAIN);
	for (;;) {
		p[0] = (struct pollfd){.fd = c->fd, .events = events};
		p[1] = (struct pollfd){.fd = -1, .events = POLLIN};
		if (spilling)
			p[0].events |= POLLIN;
		if (!c->no_cancel)
			p[1].fd = c->o.cancel_fd;
		r = task_poll_deaf(p, 2, net_ms_left(c->deadline));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			c->fail_errno = errno;
			return fail(c, NET_SYS);
		}
		if (r == 0)
			return fail(c, NET_TIME);
		/* What is there already goes first: a stream that flows is
		 * read on to where the caller can stop. */
		if (p[0].revents & (events | POLLERR | POLLHUP | POLLNVAL))
			return 0;
		if (p[1].revents != 0)
			return fail(c, NET_CANCELLED);
		if (p[0].revents & POLLIN && !spill(c)) {
			if (c->fail != NET_OK)
				return -1;
			spilling = false;
		}
	}
}

int net_idle(struct net_conn *c, int64_t until, struct coi_err *e)
{
	struct pollfd p[2];
	int r;

	for (;;) {
		if (net_more(c))
			return 1;
		if (until == 0)
			return 0; /* only a look */
		net_rest(c);
		p[0] = (struct pollfd){.fd = c->fd, .events = POLLIN};
		p[1] = (struct pollfd){.fd = -1, .events = POLLIN};
		if (!c->no_cancel)
			p[1].fd = c->o.cancel_fd;
		r = task_poll(p, 2, net_ms_left(until));
		if (r == 0)
			return 0;
		if (r < 0 && errno != EINTR) {
			c->fail_errno = errno;
			c->fail = NET_SYS;
			return net_failed(c, e);
		}
		if (r > 0 && p[0].revents == 0) {
			c->fail = NET_CANCELLED;
			return net_failed(c, e);
		}
	}
}

int net_failed(struct net_conn *c, struct coi_err *e)
{
	err_host(e, c->o.host, c->o.port);
	switch (c->fail) {
	case NET_EOF:
		return err_set(e, COI_E_UNAVAILABLE,
			       "connection closed by the server");
	case NET_CUT:
		return err_set(e, COI_E_UNAVAILABLE,
			       "connection closed without the end of TLS: "
			       "cut off on the way or by the server");
	case NET_TIME:
		err_set(e, COI_E_TEMP, "no answer from the server in time");
		err_hint(e, "a longer --timeout may help");
		return -1;
	case NET_CANCELLED:
		return err_set(e, COI_E_CANCELLED, "interrupted");
	case NET_SYS:
		return err_errno(e, COI_E_UNAVAILABLE, c->fail_errno,
				 "connection lost");
	case NET_BAD:
		return err_set(e, COI_E_TLS, "TLS failed: %s", c->fail_text);
	case NET_GARBLED:
		return err_set(e, COI_E_PROTOCOL, "%s", c->fail_text);
	default:
		return err_set(e, COI_E_INTERNAL, "connection in no state");
	}
}
