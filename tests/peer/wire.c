#include "wire.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_HERE (16u << 20)
#define LINGER_MS 2000

void wire_log(struct wire *w, const char *what, struct str s)
{
	size_t i;

	fputs(what, w->log);
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' && c != '\t')
			fprintf(w->log, "\\x%02x", c);
		else
			putc(c, w->log);
	}
	putc('\n', w->log);
	fflush(w->log);
}

static int version(const char *max)
{
	static const struct {
		const char *name;
		int v;
	} t[] = {{"1.0", TLS1_VERSION},
		 {"1.1", TLS1_1_VERSION},
		 {"1.2", TLS1_2_VERSION},
		 {"1.3", TLS1_3_VERSION}};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (strcmp(max, t[i].name) == 0)
			return t[i].v;
	return -1;
}

bool wire_tls(struct wire *w, const struct tls_files *f)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok = false;

	if (ctx == NULL || f->cert == NULL)
		goto out;
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (f->max != NULL) {
		/* The old versions need signatures that level 1 forbids. */
		SSL_CTX_set_security_level(ctx, 0);
		if (!SSL_CTX_set_max_proto_version(ctx, version(f->max)))
			goto out;
	}
	if (SSL_CTX_use_certificate_chain_file(ctx, f->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, f->key, SSL_FILETYPE_PEM) != 1)
		goto out;
	w->ssl = SSL_new(ctx);
	SSL_set_fd(w->ssl, w->fd);
	ok = SSL_accept(w->ssl) == 1;
	wire_log(w, ok ? "TLS: " : "TLS failed: ",
		 str_of(ok ? SSL_get_version(w->ssl) : "no handshake"));
	if (!ok)
		w->over = true;
out:
	SSL_CTX_free(ctx);
	return ok;
}

static bool more(struct wire *w)
{
	struct pollfd v[2] = {{.fd = w->fd, .events = POLLIN},
			      {.fd = 0, .events = POLLIN}};
	char *p, sink[256];
	int n;

	if (w->over)
		return false;
	if (w->at > 0 && w->at == w->in.n)
		w->at = w->in.n = 0;
	while (w->watch && (w->ssl == NULL || SSL_pending(w->ssl) == 0)) {
		if (poll(v, 2, -1) <= 0)
			continue;
		if (v[0].revents != 0)
			break;
		if (read(0, sink, sizeof(sink)) <= 0)
			exit(0);
	}
	p = buf_room(&w->in, 65536);
	n = w->ssl != NULL ? SSL_read(w->ssl, p, 65536)
			   : (int)recv(w->fd, p, 65536, 0);
	if (n <= 0) {
		w->over = true;
		return false;
	}
	w->in.n += (size_t)n;
	return true;
}

bool wire_line(struct wire *w, struct str *line)
{
	size_t from = w->at;
	const char *lf;

	for (;;) {
		lf = from < w->in.n
			 ? memchr(w->in.p + from, '\n', w->in.n - from)
			 : NULL;
		if (lf != NULL)
			break;
		from = w->in.n - w->at; /* more() may move what is there */
		if (w->in.n - w->at > LINE_MAX_HERE || !more(w))
			return false;
		from += w->at;
	}
	*line = (struct str){w->in.p + w->at, (size_t)(lf - w->in.p) - w->at};
	w->at += line->n + 1;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	wire_log(w, "C: ", *line);
	return true;
}

bool wire_skip(struct wire *w, unsigned long long n)
{
	struct str part, line;
	size_t have;

	while (n > 0) {
		if (w->at == w->in.n && !more(w))
			return false;
		have = w->in.n - w->at;
		if (have > n)
			have = (size_t)n;
		part = (struct str){w->in.p + w->at, have};
		while (str_line(&part, &line))
			wire_log(w, "C: ", line);
		w->at += have;
		n -= have;
	}
	return true;
}

void wire_send(struct wire *w, struct str s)
{
	ssize_t n;

	while (s.n > 0 && !w->over) {
		size_t part = s.n > 1 << 20 ? 1 << 20 : s.n;

		n = w->ssl != NULL ? SSL_write(w->ssl, s.p, (int)part)
				   : send(w->fd, s.p, part, MSG_NOSIGNAL);
		if (n <= 0)
			w->over = true;
		else
			s = str_sub(s, (size_t)n, s.n);
	}
}

void wire_close(struct wire *w, bool reset)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	char sink[4096];

	if (reset) {
		setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	} else {
		if (w->ssl != NULL && !w->over)
			SSL_shutdown(w->ssl);
		shutdown(w->fd, SHUT_WR);
		/* Closing over unread octets would take back what we said. */
		while (poll(&p, 1, LINGER_MS) > 0 &&
		       recv(w->fd, sink, sizeof(sink), 0) > 0)
			;
	}
	SSL_free(w->ssl);
	close(w->fd);
	buf_free(&w->in);
}
