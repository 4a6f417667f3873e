/* Buffers, lines and deadlines above a stack of libetpan low streams. */
#include "net/conn.h"

#include <libetpan/mailstream_low.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/secret.h"
#include "core/sys.h"
#include "core/task.h"
#include "net/priv.h"

#define CONNECT_MS 30000
#define IO_MS 60000

/* "[::1]", "fe80::1%eth0" and "mail.example.org." as they are compared. */
static char *plain_host(const char *host)
{
	struct str s = str_of(host);

	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = str_sub(s, 1, s.n - 2);
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return mem_dup(s);
}

static int check_host(struct net_conn *c, struct coi_err *e)
{
	size_t i, n = strlen(c->host);

	if (n == 0)
		return err_set(e, COI_E_CONFIG, "no host name is given");
	if (n > 253)
		return err_set(e, COI_E_CONFIG, "the host name is too long");
	for (i = 0; i < n; i++) {
		unsigned char u = (unsigned char)c->host[i];

		if (u >= 0x80) {
			err_set(e, COI_E_CONFIG,
				"\"%s\" is not an ASCII host name", c->host);
			err_hint(e, "write its xn-- form");
			return -1;
		}
		if (u <= ' ' || u == 0x7f || u == '/')
			return err_set(e, COI_E_CONFIG,
				       "\"%s\" is not a host name", c->host);
	}
	if (c->o.port == 0)
		return err_set(e, COI_E_CONFIG, "no port is given");
	return 0;
}

struct net_conn *net_open(const struct net_opts *o, struct coi_err *e)
{
	struct net_conn *c = mem_alloc(sizeof(*c));
	int ms = o->connect_ms > 0 ? o->connect_ms : CONNECT_MS;
	struct coi_err err = {0};

	c->o = *o;
	c->fd = -1;
	c->trace_in.dir = 'S';
	c->trace_out.dir = 'C';
	c->host = plain_host(o->host != NULL ? o->host : "");
	if (check_host(c, &err) < 0)
		goto fail;
	c->deadline = sys_mono_ms() + ms;
	if (net_connect(c, &err) < 0)
		goto fail;
	net_trace_note(c, "connected to %s", c->peer);
	c->low = net_plain_new(c);
	if (o->tls == NET_TLS_IMPLICIT && net_tls_open(c, &err) < 0)
		goto fail;
	net_deadline(c, 0);
	return c;
fail:
	err_host(&err, o->host != NULL ? o->host : "", o->port);
	if (e != NULL && e->code == COI_OK)
		*e = err;
	net_trace_note(c, "%s", err.msg);
	net_close(c);
	return NULL;
}

void net_close(struct net_conn *c)
{
	if (c == NULL)
		return;
	if (c->ssl != NULL)
		net_tls_goodbye(c);
	if (c->low != NULL)
		mailstream_low_free(c->low);
	if (c->fd >= 0)
		close(c->fd);
	if (c->end > c->at)
		net_consume(c, c->end - c->at); /* for the trace */
	net_trace_end(c);
	if (c->out != NULL) {
		secret_wipe(c->out, NET_OUT_MAX);
		free(c->out);
	}
	free(c->in);
	buf_free(&c->spill);
	free(c->host);
	free(c);
}

int net_starttls(struct net_conn *c, struct coi_err *e)
{
	if (c->ssl != NULL)
		return err_set(e, COI_E_INTERNAL, "TLS is there already");
	if (net_flush(c, e) < 0)
		return -1;
	if (!net_pending(c)) {
		if (net_tls_open(c, e) == 0)
			return 0;
	} else if (c->fail != NET_OK) {
		(void)net_failed(c, e);
	} else {
		err_set(e, COI_E_PROTOCOL,
			"unencrypted octets came behind the answer to "
			"STARTTLS");
		err_hint(e, "somebody on the way may be injecting commands; "
			    "nothing secret was sent");
	}
	err_stage(e, "tls");
	err_host(e, c->o.host, c->o.port);
	/* Never carry on in the clear. */
	if (c->fail == NET_OK) {
		c->fail = NET_BAD;
		snprintf(c->fail_text, sizeof(c->fail_text),
			 "it was to begin and did not");
	}
	return -1;
}

bool net_is_tls(const struct net_conn *c)
{
	return c->ssl != NULL;
}

bool net_is_loopback(const struct net_conn *c)
{
	return c->loopback;
}

void net_deadline(struct net_conn *c, int ms)
{
	/* A read that came to nothing can be tried again. */
	if (c->fail == NET_TIME && !c->half_written)
		c->fail = NET_OK;
	if (ms == 0)
		ms = c->o.io_ms > 0 ? c->o.io_ms : IO_MS;
	c->deadline = ms < 0 ? -1 : sys_mono_ms() + ms;
}

void net_ignore_cancel(struct net_conn *c)
{
	c->no_cancel = true;
	if (c->fail == NET_CANCELLED && !c->half_written)
		c->fail = NET_OK;
}

struct str net_avail(const struct net_conn *c)
{
	if (c->in == NULL)
		return (struct str){"", 0};
	return (struct str){c->in + c->at, c->end - c->at};
}

void net_consume(struct net_conn *c, size_t n)
{
	if (n > c->end - c->at)
		n = c->end - c->at;
	if (c->o.trace_fd >= 0)
		net_trace(c, &c->trace_in, str_sub(net_avail(c), 0, n),
			  c->hide);
	c->at += n;
	if (c->scanned < c->at)
		c->scanned = c->at;
}

/* Room for a large read: what is left moves down, or the buffer doubles. */
static void make_room(struct net_conn *c)
{
	size_t left = c->end - c->at;

	if (c->cap - c->end >= NET_READ_MIN)
		return;
	if (c->in == NULL || left > c->cap / 2) {
		size_t cap = c->cap == 0 ? 2 * NET_READ_MIN : c->cap * 2;
		char *p = mem_grow(NULL, cap);

		if (left > 0)
			memcpy(p, c->in + c->at, left);
		free(c->in);
		c->in = p;
		c->cap = cap;
	} else if (left > 0) {
		memmove(c->in, c->in + c->at, left);
	}
	c->scanned -= c->at;
	c->end = left;
	c->at = 0;
}

int net_fill(struct net_conn *c, size_t max, struct coi_err *e)
{
	ssize_t n;

	if (c->end - c->at >= max) {
		err_host(e, c->o.host, c->o.port);
		return err_set(e, COI_E_PROTOCOL,
			       "the server sent more than %zu octets where "
			       "that is the limit",
			       max);
	}
	task_turn();
	if (c->at == c->end)
		c->at = c->end = c->scanned = 0;
	make_room(c);
	if (c->stashed) {
		/* And what came with it; alone it would be asked for again. */
		c->in[c->end++] = c->stash;
		c->stashed = false;
		c->nowait = true;
		n = mailstream_low_read(c->low, c->in + c->end,
					c->cap - c->end);
		c->nowait = false;
		if (n > 0)
			c->end += (size_t)n;
		else if (c->fail == NET_AGAIN)
			c->fail = NET_OK;
		return 0;
	}
	if (c->wrote) {
		c->wrote = false;
		c->st.turns++;
	}
	n = mailstream_low_read(c->low, c->in + c->end, c->cap - c->end);
	if (n <= 0)
		return net_failed(c, e);
	c->end += (size_t)n;
	return 0;
}

int net_line(struct net_conn *c, size_t max, struct str *line,
	     struct coi_err *e)
{
	const char *lf;
	size_t n;

	for (;;) {
		n = c->end - c->scanned;
		lf = n == 0 ? NULL : memchr(c->in + c->scanned, '\n', n);
		n = (lf == NULL ? c->end : (size_t)(lf - c->in)) - c->at;
		if (n > max + 1 || (n == max + 1 && c->in[c->at + max] != '\r'))
			break;
		if (lf != NULL) {
			*line = (struct str){c->in + c->at, n};
			if (n > 0 && line->p[n - 1] == '\r')
				line->n--;
			net_consume(c, n + 1);
			return 0;
		}
		c->scanned = c->end;
		if (net_fill(c, max + 2, e) < 0)
			return -1;
	}
	err_host(e, c->o.host, c->o.port);
	return err_set(e, COI_E_PROTOCOL,
		       "the server sent a line of more than %zu octets", max);
}

bool net_more(struct net_conn *c)
{
	ssize_t n;

	if (c->stashed || c->spill.n > c->spill_at)
		return true;
	if (c->fail != NET_OK)
		return true;
	c->nowait = true;
	n = mailstream_low_read(c->low, &c->stash, 1);
	c->nowait = false;
	if (n > 0) {
		c->stashed = true;
		return true;
	}
	if (c->fail == NET_AGAIN) {
		c->fail = NET_OK;
		return false;
	}
	return true;
}

bool net_pending(const struct net_conn *c)
{
	/* Asking may take an octet from the layers below; no more changes. */
	return c->end > c->at || net_more((struct net_conn *)(uintptr_t)c);
}

void net_rest(struct net_conn *c)
{
	if (c->at == c->end) {
		free(c->in);
		c->in = NULL;
		c->at = c->end = c->scanned = c->cap = 0;
	}
	if (c->nout == 0) {
		free(c->out);
		c->out = NULL;
	}
}

int net_fd(const struct net_conn *c)
{
	return c->fd;
}

static int write_all(struct net_conn *c, const char *p, size_t n,
		     struct coi_err *e)
{
	ssize_t k;

	if (c->fail != NET_OK)
		return net_failed(c, e);
	c->wrote = true;
	c->may_spill = true;
	while (n > 0) {
		k = mailstream_low_write(c->low, p, n);
		if (k <= 0)
			break;
		p += k;
		n -= (size_t)k;
	}
	c->may_spill = false;
	if (n == 0)
		return 0;
	c->half_written = true;
	if (c->fail == NET_SYS)
		net_drain(c);
	return net_failed(c, e);
}

int net_flush(struct net_conn *c, struct coi_err *e)
{
	size_t n = c->nout;
	int r;

	if (n == 0)
		return 0;
	r = write_all(c, c->out, n, e);
	if (c->out_secret)
		secret_wipe(c->out, n);
	c->out_secret = false;
	c->nout = 0;
	return r;
}

static int put(struct net_conn *c, struct str s, bool secret, struct coi_err *e)
{
	size_t k;

	if (c->fail != NET_OK)
		return net_failed(c, e);
	if (c->o.trace_fd >= 0)
		net_trace(c, &c->trace_out, s, secret || c->hide);
	if (c->out == NULL)
		c->out = mem_grow(NULL, NET_OUT_MAX);
	while (s.n > 0) {
		/* Nothing to collect with: no copy. */
		if (c->nout == 0 && s.n >= NET_OUT_MAX)
			return write_all(c, s.p, s.n, e);
		k = NET_OUT_MAX - c->nout;
		if (k > s.n)
			k = s.n;
		memcpy(c->out + c->nout, s.p, k);
		c->nout += k;
		c->out_secret |= secret;
		s = str_sub(s, k, s.n);
		if (c->nout == NET_OUT_MAX && net_flush(c, e) < 0)
			return -1;
	}
	return 0;
}

int net_put(struct net_conn *c, struct str s, struct coi_err *e)
{
	return put(c, s, false, e);
}

int net_put_secret(struct net_conn *c, struct str s, struct coi_err *e)
{
	return put(c, s, true, e);
}

void net_trace_hide(struct net_conn *c, bool hide)
{
	c->hide = hide;
}

int net_compress(struct net_conn *c, struct coi_err *e)
{
	struct str rest;

	if (net_flush(c, e) < 0)
		return -1;
	if (c->stashed)
		(void)net_fill(c, SIZE_MAX, e);
	/* What came behind the OK line is compressed already. */
	rest = net_avail(c);
	c->low = net_zip_new(c, c->low, rest);
	c->at = c->end = c->scanned = 0;
	net_trace_note(c, "compressed from here");
	return 0;
}

struct net_stats net_stats(const struct net_conn *c)
{
	return c->st;
}
