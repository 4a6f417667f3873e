/* TLS by OpenSSL: the handshake, its failures in words, the stream. */
#include <errno.h>
#include <libetpan/mailstream_low.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>

#include "core/mem.h"
#include "net/priv.h"

#define READ_AHEAD (64 * 1024)

/* --- the socket below: send(2) without SIGPIPE ---------------------------- */

static int bio_write(BIO *b, const char *p, int n)
{
	struct net_conn *c = BIO_get_data(b);
	ssize_t k;

	BIO_clear_retry_flags(b);
	do
		k = send(c->fd, p, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k >= 0)
		c->st.out += (uint64_t)k;
	else if (errno == EAGAIN || errno == EWOULDBLOCK)
		BIO_set_retry_write(b);
	else
		c->fail_errno = errno;
	return (int)k;
}

static int bio_read(BIO *b, char *p, int n)
{
	struct net_conn *c = BIO_get_data(b);
	ssize_t k;

	BIO_clear_retry_flags(b);
	do
		k = recv(c->fd, p, (size_t)n, MSG_DONTWAIT);
	while (k < 0 && errno == EINTR);
	if (k > 0)
		c->st.in += (uint64_t)k;
	else if (k == 0)
		c->bio_eof = true;
	else if (errno == EAGAIN || errno == EWOULDBLOCK)
		BIO_set_retry_read(b);
	else
		c->fail_errno = errno;
	return (int)k;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	struct net_conn *c = BIO_get_data(b);

	(void)num;
	(void)ptr;
	if (cmd == BIO_CTRL_EOF)
		return c->bio_eof;
	return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO *bio_new(struct net_conn *c)
{
	static BIO_METHOD *method; /* one for the process */
	BIO *b;

	if (method == NULL) {
		method = BIO_meth_new(
		    BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
		if (method == NULL)
			return NULL;
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_ctrl(method, bio_ctrl);
		BIO_meth_set_create(method, bio_create);
	}
	b = BIO_new(method);
	if (b != NULL)
		BIO_set_data(b, c);
	return b;
}

/* --- errors --------------------------------------------------------------- */

unsigned long net_tls_errors(char *text, size_t n)
{
	unsigned long first = ERR_get_error();
	const char *why = first == 0 ? NULL : ERR_reason_error_string(first);

	snprintf(text, n, "%s", why == NULL ? "unknown reason" : why);
	ERR_clear_error();
	return first;
}

/* Turns what SSL_get_error() said into c->fail; 0 when it is just waiting. */
static int judge(struct net_conn *c, int ret, short *want)
{
	unsigned long code;

	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		*want = POLLIN;
		return 0;
	case SSL_ERROR_WANT_WRITE:
		*want = POLLOUT;
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		c->fail = NET_EOF;
		break;
	case SSL_ERROR_SYSCALL:
		c->fail = c->fail_errno != 0 ? NET_SYS : NET_CUT;
		break;
	default:
		code = net_tls_errors(c->fail_text, sizeof(c->fail_text));
		c->fail = NET_BAD;
		if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			c->fail = NET_CUT;
		break;
	}
	ERR_clear_error();
	return -1;
}

/* --- the handshake ---------------------------------------------------------
 */

static int refuse(struct net_conn *c, struct coi_err *e, const char *what)
{
	char why[160];

	net_tls_errors(why, sizeof(why));
	return err_set(e, COI_E_TLS, "%s: %s", what, why);
}

static SSL_CTX *context(struct net_conn *c, struct coi_err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL) {
		refuse(c, e, "TLS cannot be set up");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
	if (net_cert_trust(c, ctx, e) == 0 && net_cert_client(c, ctx, e) == 0)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static int expect_name(struct net_conn *c, SSL *ssl)
{
	X509_VERIFY_PARAM *vp = SSL_get0_param(ssl);

	if (c->literal) {
		char *ip = mem_dup(str_of(c->host));
		int ok;

		ip[strcspn(ip, "%")] = '\0';
		ok = X509_VERIFY_PARAM_set1_ip_asc(vp, ip);
		free(ip);
		return ok;
	}
	X509_VERIFY_PARAM_set_hostflags(
	    vp, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return X509_VERIFY_PARAM_set1_host(vp, c->host, 0) &&
	       SSL_set_tlsext_host_name(ssl, c->host);
}

static bool too_old(int reason)
{
	return reason == SSL_R_UNSUPPORTED_PROTOCOL ||
	       reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION ||
	       reason == SSL_R_WRONG_SSL_VERSION ||
	       reason == SSL_R_NO_PROTOCOLS_AVAILABLE ||
	       reason == SSL_R_VERSION_TOO_LOW;
}

static int explain(struct net_conn *c, unsigned long code, struct coi_err *e)
{
	int reason = ERR_GET_REASON(code);

	if (c->cert_text[0] != '\0') {
		err_set(e, COI_E_TLS, "%s", c->cert_text);
		e->lasting = true;
		if (c->cert_hint[0] != '\0')
			err_hint(e, "%s", c->cert_hint);
		return -1;
	}
	if (too_old(reason)) {
		err_set(e, COI_E_TLS,
			"the server has no TLS 1.2 or newer to offer");
		err_hint(e, "older TLS is not safe: the server needs an "
			    "update");
		return -1;
	}
	if (reason == SSL_R_WRONG_VERSION_NUMBER ||
	    reason == SSL_R_HTTP_REQUEST) {
		err_set(e, COI_E_TLS, "the server does not speak TLS here");
		err_hint(e, c->o.tls == NET_TLS_IMPLICIT
				? "wrong port, or it wants tls = starttls?"
				: "is this the right port?");
		return -1;
	}
	if (c->fail == NET_EOF || c->fail == NET_CUT) {
		err_set(e, COI_E_TLS,
			"the server closed the connection during the TLS "
			"handshake");
		err_hint(e, "is this the right port, and does it speak TLS "
			    "1.2 or newer?");
		return -1;
	}
	if (c->fail == NET_BAD) {
		err_set(e, COI_E_TLS, "the TLS handshake failed: %s",
			c->fail_text);
		return -1;
	}
	return net_failed(c, e);
}

static int handshake(struct net_conn *c, struct coi_err *e)
{
	unsigned long code = 0;
	short want;
	int r;

	for (;;) {
		ERR_clear_error();
		c->fail_errno = 0;
		r = SSL_connect(c->ssl);
		if (r == 1)
			return 0;
		code = ERR_peek_error();
		if (judge(c, r, &want) < 0 || net_wait(c, want) < 0)
			break;
	}
	return explain(c, code, e);
}

/* --- the stream ------------------------------------------------------------
 */

ssize_t net_tls_now(struct net_conn *c, void *p, size_t n, short *want)
{
	size_t got, all = 0;
	int r;

	/* A record at a time, as long as some are here. */
	do {
		ERR_clear_error();
		c->fail_errno = 0;
		r = SSL_read_ex(c->ssl, (char *)p + all, n - all, &got);
		if (r != 1) {
			r = judge(c, r, want);
			break;
		}
		all += got;
	} while (all < n && SSL_has_pending(c->ssl));
	return all > 0 ? (ssize_t)all : r;
}

static ssize_t tls_read(mailstream_low *low, void *p, size_t n)
{
	struct net_conn *c = low->data;
	short want = POLLIN;
	ssize_t k;

	k = (ssize_t)net_unspill(c, p, n);
	while (k == 0 && c->fail == NET_OK) {
		k = net_tls_now(c, p, n, &want);
		if (k == 0 && net_wait(c, want) < 0)
			break;
	}
	return k > 0 ? k : -1;
}

static ssize_t tls_write(mailstream_low *low, const void *p, size_t n)
{
	struct net_conn *c = low->data;
	short want = POLLOUT;
	size_t put;
	int r;

	while (c->fail == NET_OK) {
		ERR_clear_error();
		c->fail_errno = 0;
		r = SSL_write_ex(c->ssl, p, n, &put);
		if (r == 1)
			return (ssize_t)put;
		if (judge(c, r, &want) == 0)
			(void)net_wait(c, want);
	}
	return -1;
}

static int tls_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int tls_fd(mailstream_low *low)
{
	return ((struct net_conn *)low->data)->fd;
}

static void tls_free(mailstream_low *low)
{
	struct net_conn *c = low->data;

	SSL_free(c->ssl);
	c->ssl = NULL;
	free(low);
}

static mailstream_low_driver tls = {
    .mailstream_read = tls_read,
    .mailstream_write = tls_write,
    .mailstream_close = tls_close,
    .mailstream_get_fd = tls_fd,
    .mailstream_free = tls_free,
};

int net_tls_open(struct net_conn *c, struct coi_err *e)
{
	SSL_CTX *ctx;
	BIO *b;

	ERR_clear_error();
	ctx = context(c, e);
	if (ctx == NULL)
		goto out;
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	b = c->ssl == NULL ? NULL : bio_new(c);
	if (b == NULL)
		goto fail;
	SSL_set_bio(c->ssl, b, b);
	if (expect_name(c, c->ssl) != 1)
		goto fail;
	if (handshake(c, e) < 0)
		goto out;
	/* All the trust of a system is 800 KiB, and it has served. */
	SSL_CTX_set_cert_store(SSL_get_SSL_CTX(c->ssl), X509_STORE_new());
	mailstream_low_free(c->low);
	c->low = mailstream_low_new(c, &tls);
	if (c->low == NULL)
		mem_fail(sizeof(*c->low));
	net_trace_note(c, "%s, %s", SSL_get_version(c->ssl),
		       SSL_get_cipher_name(c->ssl));
	return 0;
fail:
	refuse(c, e, "TLS cannot be set up");
out:
	err_stage(e, "tls");
	SSL_free(c->ssl);
	c->ssl = NULL;
	return -1;
}

void net_tls_goodbye(struct net_conn *c)
{
	if (c->fail == NET_BAD || c->fail == NET_SYS || c->fail == NET_CUT)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(c->ssl);
	ERR_clear_error();
}

/* --- channel binding --------------------------------------------------------
 */

static bool unique(SSL *ssl, struct buf *out)
{
	unsigned char fin[64];
	size_t n;

	/* Without the extended master secret it can be forged (RFC 7627). */
	if (SSL_version(ssl) != TLS1_2_VERSION ||
	    SSL_get_extms_support(ssl) != 1)
		return false;
	n = SSL_session_reused(ssl)
		? SSL_get_peer_finished(ssl, fin, sizeof(fin))
		: SSL_get_finished(ssl, fin, sizeof(fin));
	if (n == 0 || n > sizeof(fin))
		return false;
	buf_add(out, fin, n);
	return true;
}

static bool exporter(SSL *ssl, struct buf *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char key[32];

	if (SSL_version(ssl) != TLS1_3_VERSION ||
	    SSL_export_keying_material(ssl, key, sizeof(key), label,
				       sizeof(label) - 1,
				       (const unsigned char *)"", 0, 1) != 1)
		return false;
	buf_add(out, key, sizeof(key));
	return true;
}

static bool end_point(SSL *ssl, struct buf *out)
{
	X509 *x = SSL_get0_peer_certificate(ssl);
	unsigned char md[EVP_MAX_MD_SIZE];
	const EVP_MD *how = NULL;
	unsigned n = 0;
	int nid = NID_undef;

	if (x == NULL ||
	    X509_get_signature_info(x, &nid, NULL, NULL, NULL) != 1)
		return false;
	if (nid == NID_md5 || nid == NID_sha1) /* RFC 5929 4.1 */
		nid = NID_sha256;
	how = EVP_get_digestbynid(nid);
	if (how == NULL || X509_digest(x, how, md, &n) != 1)
		return false;
	buf_add(out, md, n);
	return true;
}

bool net_binding(struct net_conn *c, const char *type, struct buf *out)
{
	bool ok = false;

	if (c->ssl == NULL)
		return false;
	if (strcmp(type, "tls-exporter") == 0)
		ok = exporter(c->ssl, out);
	else if (strcmp(type, "tls-unique") == 0)
		ok = unique(c->ssl, out);
	else if (strcmp(type, "tls-server-end-point") == 0)
		ok = end_point(c->ssl, out);
	ERR_clear_error();
	return ok;
}
