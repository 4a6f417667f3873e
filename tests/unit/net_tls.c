/* TLS: what is accepted, what is refused and in which words. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "core/mem.h"
#include "fmt/enc.h"
#include "net_peer.h"
#include "test.h"

static char dir[64];

static const char *path(const char *name)
{
	static char out[8][128];
	static unsigned k;

	k = (k + 1) % 8;
	snprintf(out[k], sizeof(out[k]), "%s/%s", dir, name);
	return out[k];
}

static bool says(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return true;
	printf("# \"%s\" is not in: %s\n", part, text);
	return false;
}

/* --- the server
 * ------------------------------------------------------------------ */

enum play {
	ECHO,	     /* lines back, then close_notify */
	CUT,	     /* a line, then the socket ends */
	STALL,	     /* never answers the handshake */
	STARTTLS,    /* "go", then TLS */
	INJECT,	     /* "go" and a line behind it */
	INJECT_LATE, /* "go", and a line when it is being read already */
	NO_TLS	     /* speaks in the clear */
};

struct server {
	enum play play;
	const char *cert;
	int max;	  /* protocol version, or 0 */
	bool want_client; /* asks for a client certificate */
	bool no_ems;
};

static SSL_CTX *server_ctx(const struct server *s)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char name[32];

	snprintf(name, sizeof(name), "%s.pem", s->cert);
	if (SSL_CTX_use_certificate_chain_file(ctx, path(name)) != 1)
		_exit(90);
	snprintf(name, sizeof(name), "%s.key", s->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, path(name), SSL_FILETYPE_PEM) != 1)
		_exit(91);
	if (s->max != 0) {
		SSL_CTX_set_min_proto_version(ctx, 0);
		SSL_CTX_set_max_proto_version(ctx, s->max);
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	}
	if (s->no_ems)
		SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	if (s->want_client) {
		SSL_CTX_load_verify_file(ctx, path("ca.pem"));
		SSL_CTX_set_verify(
		    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
		    NULL);
	}
	return ctx;
}

static int tls_line(SSL *ssl, char *out, size_t n)
{
	size_t k = 0;

	while (k + 1 < n && SSL_read(ssl, out + k, 1) == 1)
		if (out[k++] == '\n')
			break;
	out[k] = '\0';
	return (int)k;
}

/* "sni", "cn" and bindings are asked for by lines. */
static void respond(SSL *ssl, const char *line)
{
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	X509 *peer = SSL_get0_peer_certificate(ssl);
	unsigned char raw[64];
	struct buf b = {0};
	char cn[64] = "none";

	if (strcmp(line, "sni\r\n") == 0) {
		buf_z(&b, sni == NULL ? "none" : sni);
	} else if (strcmp(line, "cn\r\n") == 0) {
		if (peer != NULL)
			X509_NAME_get_text_by_NID(X509_get_subject_name(peer),
						  NID_commonName, cn,
						  sizeof(cn));
		buf_z(&b, cn);
	} else if (strcmp(line, "unique\r\n") == 0) {
		size_t n = SSL_get_peer_finished(ssl, raw, sizeof(raw));

		enc_b64(&b, (struct str){(char *)raw, n});
	} else if (strcmp(line, "exporter\r\n") == 0) {
		SSL_export_keying_material(ssl, raw, 32,
					   "EXPORTER-Channel-Binding", 24,
					   (const unsigned char *)"", 0, 1);
		enc_b64(&b, (struct str){(char *)raw, 32});
	} else {
		buf_add(&b, line, strcspn(line, "\r\n"));
	}
	buf_z(&b, "\r\n");
	SSL_write(ssl, b.p, (int)b.n);
	buf_free(&b);
}

static int serve(int fd, void *arg)
{
	const struct server *s = arg;
	char line[1024];
	SSL_CTX *ctx;
	SSL *ssl;
	int r;

	if (s->play == STALL) {
		while (read(fd, line, sizeof(line)) > 0)
			;
		return 0;
	}
	if (s->play == NO_TLS) {
		peer_say(fd, "* OK in the clear\r\n");
		peer_line(fd, line, sizeof(line));
		return 0;
	}
	if (s->play >= STARTTLS) {
		peer_line(fd, line, sizeof(line));
		if (strcmp(line, "STARTTLS\r\n") != 0)
			return 80;
		peer_say(fd,
			 s->play == INJECT ? "go\r\n* injected\r\n" : "go\r\n");
		if (s->play == INJECT_LATE)
			peer_say(fd, "* injected\r\n");
	}
	ctx = server_ctx(s);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	r = SSL_accept(ssl) == 1 ? 0 : 40;
	if (r == 0 && s->play == CUT) {
		SSL_write(ssl, "cut\r\n", 5);
		shutdown(fd, SHUT_RDWR);
	} else if (r == 0) {
		while (tls_line(ssl, line, sizeof(line)) > 0)
			respond(ssl, line);
		/* A client that goes must say so. */
		if (!(SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN))
			r = 41;
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return r;
}

static struct net_conn *dial(struct peer *p, struct server *s,
			     struct net_opts *o, struct coi_err *e)
{
	static const char *host;
	uint16_t port;

	*p = peer_start(serve, s);
	port = p->port;
	host = o->host != NULL ? o->host : "127.0.0.1";
	if (o->label == NULL) {
		struct net_opts base = peer_opts(p, o->tls);

		base.pins = o->pins;
		base.npins = o->npins;
		base.ca_file = o->ca_file;
		base.client_cert = o->client_cert;
		base.client_key = o->client_key;
		base.connect_ms = o->connect_ms > 0 ? o->connect_ms : 10000;
		*o = base;
	}
	o->host = host;
	o->port = port;
	return net_open(o, e);
}

static void ask(struct net_conn *c, const char *what, struct buf *out)
{
	struct coi_err e = {0};
	struct str line = STR_NONE;

	CHECK(net_put(c, str_of(what), &e) == 0);
	CHECK(net_put(c, STR("\r\n"), &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	CHECK(net_line(c, 4096, &line, &e) == 0);
	if (e.code != COI_OK)
		printf("# %s\n", e.msg);
	buf_clear(out);
	buf_str(out, line);
}

/* The pin as a user would make it, not as lib/net does. */
static void pin_by_cli(const char *cert, char *out, size_t n)
{
	char cmd[512];
	FILE *f;

	snprintf(cmd, sizeof(cmd),
		 "openssl x509 -in %s/%s.pem -noout -pubkey | "
		 "openssl pkey -pubin -outform der | "
		 "openssl dgst -sha256 -binary | openssl base64",
		 dir, cert);
	f = popen(cmd, "r");
	if (f == NULL || fgets(out, (int)n, f) == NULL)
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (f != NULL)
		pclose(f);
}

/* --- accepted
 * --------------------------------------------------------------------- */

TEST(setup, "certificates are made")
{
	char cmd[128];

	snprintf(dir, sizeof(dir), "/tmp/net_tls.XXXXXX");
	if (mkdtemp(dir) == NULL)
		exit(1);
	snprintf(cmd, sizeof(cmd), "tests/lib/mkca %s", dir);
	CHECK_INT(system(cmd), 0);
}

TEST(good, "a good certificate: by name with SNI, by address without")
{
	static const char *const hosts[] = {"localhost", "localhost.",
					    "127.0.0.1"};
	static const char *const sni[] = {"localhost", "localhost", "none"};
	int max[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	size_t i;

	for (i = 0; i < 6; i++) {
		struct server s = {ECHO, "good", max[i / 3], false, false};
		struct net_opts o = {.tls = NET_TLS_IMPLICIT,
				     .host = hosts[i % 3],
				     .ca_file = path("ca.pem")};
		struct coi_err e = {0};
		struct buf b = {0};
		struct peer p;
		struct net_conn *c = dial(&p, &s, &o, &e);

		CHECK(c != NULL);
		if (c == NULL) {
			printf("# %s: %s\n", hosts[i % 3], e.msg);
			peer_kill(&p);
			continue;
		}
		CHECK(net_is_tls(c));
		ask(c, "hello", &b);
		CHECK_STR(buf_view(&b), "hello");
		ask(c, "sni", &b);
		CHECK_STR(buf_view(&b), sni[i % 3]);
		net_close(c);
		buf_free(&b);
		CHECK_INT(peer_end(&p), 0);
	}
}

TEST(much, "a large answer and a large question over TLS")
{
	struct server s = {ECHO, "good", 0, false, false};
	struct net_opts o = {.tls = NET_TLS_IMPLICIT,
			     .ca_file = path("ca.pem")};
	struct coi_err e = {0};
	struct peer p;
	struct net_conn *c = dial(&p, &s, &o, &e);
	struct str line = STR_NONE;
	struct buf b = {0};
	int i;

	net_deadline(c, 100000);
	/* Nobody reads between: what comes back is taken while writing. */
	for (i = 0; i < 900; i++)
		buf_c(&b, (char)('a' + i % 26));
	buf_z(&b, "\r\n");
	for (i = 0; i < 2000; i++)
		CHECK(net_put(c, buf_view(&b), &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	for (i = 0; i < 2000 && e.code == COI_OK; i++) {
		CHECK(net_line(c, 2000, &line, &e) == 0);
		CHECK(line.n == 900 && memcmp(line.p, b.p, 900) == 0);
	}
	CHECK(!net_pending(c));
	net_close(c);
	buf_free(&b);
	CHECK_INT(peer_end(&p), 0);
}

TEST(trust_dir, "SSL_CERT_DIR: a hashed folder; SSL_CERT_FILE: a bundle")
{
	struct server s = {ECHO, "good", 0, false, false};
	char cmd[512];
	int i;

	snprintf(cmd, sizeof(cmd),
		 "mkdir %s/hashed && cp %s/ca.pem %s/hashed && "
		 "openssl rehash %s/hashed",
		 dir, dir, dir, dir);
	CHECK_INT(system(cmd), 0);
	for (i = 0; i < 3; i++) {
		struct net_opts o = {.tls = NET_TLS_IMPLICIT};
		struct coi_err e = {0};
		struct peer p;
		struct net_conn *c;

		if (i == 0)
			net_trust_defaults(NULL, path("hashed"));
		else if (i == 1)
			net_trust_defaults(path("ca.pem"), NULL);
		else
			net_trust_defaults(NULL, NULL);
		c = dial(&p, &s, &o, &e);
		CHECK((c != NULL) == (i < 2));
		if (i == 2)
			CHECK_INT(e.code, COI_E_TLS);
		net_close(c);
		CHECK_INT(peer_end(&p), i < 2 ? 0 : 40);
	}
}

TEST(client, "a client certificate is shown; unusable ones are explained")
{
	struct server s = {ECHO, "good", 0, true, false};
	struct net_opts o = {.tls = NET_TLS_IMPLICIT,
			     .ca_file = path("ca.pem"),
			     .client_cert = path("client.pem"),
			     .client_key = path("client.key")};
	struct coi_err e = {0};
	struct peer p;
	struct net_conn *c = dial(&p, &s, &o, &e);
	struct buf b = {0};
	struct str line;

	CHECK(c != NULL);
	ask(c, "cn", &b);
	CHECK_STR(buf_view(&b), "alice");
	buf_free(&b);
	net_close(c);
	CHECK_INT(peer_end(&p), 0);

	o.client_key = path("good.key");
	CHECK(dial(&p, &s, &o, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(says(e.msg, "good.key"));
	peer_kill(&p);

	err_clear(&e);
	o.client_cert = path("missing.pem");
	CHECK(dial(&p, &s, &o, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(says(e.msg, "missing.pem"));
	peer_kill(&p);

	/* TLS 1.3: the refusal comes behind the handshake. */
	err_clear(&e);
	o.client_cert = o.client_key = NULL;
	c = dial(&p, &s, &o, &e);
	if (c != NULL) {
		CHECK(net_line(c, 100, &line, &e) < 0);
		net_close(c);
	}
	CHECK_INT(e.code, COI_E_TLS);
	CHECK(says(e.msg, "certificate required"));
	CHECK_INT(peer_end(&p), 40);
}

/* --- refused
 * ---------------------------------------------------------------------- */

static void refused(const char *cert, const char *host, const char *ca,
		    const char *why, const char *hint)
{
	struct server s = {ECHO, cert, 0, false, false};
	struct net_opts o = {.tls = NET_TLS_IMPLICIT,
			     .host = host,
			     .ca_file = ca == NULL ? NULL : path(ca)};
	struct coi_err e = {0};
	struct peer p;
	struct net_conn *c = dial(&p, &s, &o, &e);

	CHECK(c == NULL);
	net_close(c);
	CHECK_INT(e.code, COI_E_TLS);
	CHECK_STR(str_of(e.stage), "tls");
	CHECK(says(e.msg, why));
	CHECK(says(e.hint, hint));
	/* The server got an alert and not one octet. */
	CHECK_INT(peer_end(&p), 40);
}

TEST(bad_certs, "wrong host, unknown CA, self-signed, expired: each is told")
{
	char pin[64];

	pin_by_cli("unknown", pin, sizeof(pin));
	CHECK_INT(strlen(pin), 44);
	refused("wrong", "localhost", "ca.pem",
		"for wrong.test, not for localhost", "a name that");
	refused("wrong", "127.0.0.1", "ca.pem",
		"for wrong.test, not for 127.0.0.1", "a name that");
	refused("unknown", NULL, "ca.pem", "\"Other Test CA\"", "ca-file");
	refused("unknown", NULL, "ca.pem", "unknown", pin);
	refused("good", NULL, NULL, "\"Test CA\"", "ca-file");
	refused("self", NULL, "ca.pem", "self-signed", "pin = ");
	refused("expired", NULL, "ca.pem", "expired on 2020-01-31", "clock");
}

TEST(own_ca, "a certificate named as ca-file itself is trusted")
{
	struct server s = {ECHO, "self", 0, false, false};
	struct net_opts o = {.tls = NET_TLS_IMPLICIT,
			     .ca_file = path("self.pem")};
	struct coi_err e = {0};
	struct peer p;
	struct net_conn *c = dial(&p, &s, &o, &e);

	CHECK(c != NULL);
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
	o.ca_file = path("nothing.pem");
	CHECK(dial(&p, &s, &o, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(says(e.msg, "nothing.pem"));
	peer_kill(&p);
}

TEST(pins, "a pin replaces chain and name; another key is refused and shown")
{
	static const char *const certs[] = {"wrong", "self", "expired"};
	char pin[64], other[64], curl[96];
	const char *v[2];
	size_t i;

	pin_by_cli("good", other, sizeof(other));
	for (i = 0; i < 3; i++) {
		struct server s = {ECHO, certs[i], 0, false, false};
		struct net_opts o = {
		    .tls = NET_TLS_IMPLICIT, .pins = v, .npins = 2};
		struct coi_err e = {0};
		struct peer p;
		struct net_conn *c;

		pin_by_cli(certs[i], pin, sizeof(pin));
		snprintf(curl, sizeof(curl), "sha256//%s", pin);
		v[0] = other;
		v[1] = i == 1 ? curl : pin;
		c = dial(&p, &s, &o, &e);
		CHECK(c != NULL);
		net_close(c);
		CHECK_INT(peer_end(&p), 0);

		/* Another key, even with a good chain and name. */
		s.cert = "good";
		o.npins = 1;
		v[0] = pin;
		o.ca_file = path("ca.pem");
		CHECK(dial(&p, &s, &o, &e) == NULL);
		CHECK_INT(e.code, COI_E_TLS);
		CHECK(says(e.msg, other));
		CHECK(says(e.hint, other));
		CHECK_INT(peer_end(&p), 40);
	}
}

TEST(old_tls, "TLS 1.1 and older is refused and named")
{
	int max[] = {TLS1_1_VERSION, TLS1_VERSION};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct server s = {ECHO, "good", max[i], false, false};
		struct net_opts o = {.tls = NET_TLS_IMPLICIT,
				     .ca_file = path("ca.pem")};
		struct coi_err e = {0};
		struct peer p;

		CHECK(dial(&p, &s, &o, &e) == NULL);
		CHECK_INT(e.code, COI_E_TLS);
		CHECK(says(e.msg, "TLS 1.2"));
		CHECK_INT(peer_end(&p), 40);
	}
}

TEST(no_tls, "a port that speaks in the clear, and one that says nothing")
{
	struct server s = {NO_TLS, "good", 0, false, false};
	struct net_opts o = {.tls = NET_TLS_IMPLICIT,
			     .ca_file = path("ca.pem")};
	struct coi_err e = {0};
	struct peer p;
	int64_t t = sys_mono_ms();

	CHECK(dial(&p, &s, &o, &e) == NULL);
	CHECK_INT(e.code, COI_E_TLS);
	CHECK(says(e.msg, "does not speak TLS"));
	CHECK(says(e.hint, "starttls"));
	peer_kill(&p);
	err_clear(&e);
	s.play = STALL;
	o.connect_ms = 300;
	CHECK(dial(&p, &s, &o, &e) == NULL);
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK_STR(str_of(e.stage), "tls");
	CHECK(sys_mono_ms() - t < 2000);
	peer_kill(&p);
}

TEST(cut, "an end without close_notify is a closed connection")
{
	struct server s = {CUT, "good", 0, false, false};
	struct net_opts o = {.tls = NET_TLS_IMPLICIT,
			     .ca_file = path("ca.pem")};
	struct coi_err e = {0};
	struct peer p;
	struct net_conn *c = dial(&p, &s, &o, &e);
	struct str line = STR_NONE;

	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "cut");
	CHECK(net_line(c, 100, &line, &e) < 0);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK(says(e.msg, "connection closed"));
	CHECK(says(e.msg, "TLS"));
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
}

/* --- STARTTLS
 * ---------------------------------------------------------------------- */

TEST(starttls, "STARTTLS upgrades; injected plaintext ends it")
{
	enum play plays[] = {STARTTLS, INJECT, INJECT_LATE};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct server s = {plays[i], "good", 0, false, false};
		struct net_opts o = {.tls = NET_TLS_STARTTLS,
				     .ca_file = path("ca.pem")};
		struct coi_err e = {0};
		struct peer p;
		struct net_conn *c = dial(&p, &s, &o, &e);
		struct buf b = {0};
		int r;

		CHECK(c != NULL && !net_is_tls(c));
		ask(c, "STARTTLS", &b);
		CHECK_STR(buf_view(&b), "go");
		r = net_starttls(c, &e);
		if (i == 0) {
			CHECK_INT(r, 0);
			CHECK(net_is_tls(c) && e.stage[0] == '\0');
			ask(c, "hello", &b);
			CHECK_STR(buf_view(&b), "hello");
		} else {
			CHECK_INT(r, -1);
			CHECK(!net_is_tls(c));
			CHECK(e.code == COI_E_PROTOCOL ||
			      (i == 2 && e.code == COI_E_TLS));
			/* No command can follow in the clear. */
			err_clear(&e);
			CHECK(net_put(c, STR("a LOGIN u p\r\n"), &e) < 0 ||
			      net_flush(c, &e) < 0);
			CHECK_INT(net_stats(c).out < 600, 1);
		}
		net_close(c);
		buf_free(&b);
		CHECK_INT(peer_end(&p), i == 0 ? 0 : 40);
	}
}

TEST(starttls_bad,
     "a bad certificate behind STARTTLS is never fallen back from")
{
	struct server s = {STARTTLS, "wrong", 0, false, false};
	struct net_opts o = {.tls = NET_TLS_STARTTLS,
			     .ca_file = path("ca.pem")};
	struct coi_err e = {0};
	struct peer p;
	struct net_conn *c = dial(&p, &s, &o, &e);
	struct buf b = {0};

	ask(c, "STARTTLS", &b);
	CHECK(net_starttls(c, &e) < 0);
	CHECK_INT(e.code, COI_E_TLS);
	CHECK(says(e.msg, "wrong.test"));
	err_clear(&e);
	CHECK(net_put(c, STR("a LOGIN u p\r\n"), &e) < 0);
	CHECK(net_starttls(c, &e) < 0);
	net_close(c);
	buf_free(&b);
	CHECK_INT(peer_end(&p), 40);
}

/* --- channel binding
 * ---------------------------------------------------------------- */

TEST(bindings, "both ends see the same channel binding")
{
	int max[] = {TLS1_3_VERSION, TLS1_2_VERSION, TLS1_2_VERSION};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct server s = {ECHO, "good", max[i], false, i == 2};
		struct net_opts o = {.tls = NET_TLS_IMPLICIT,
				     .ca_file = path("ca.pem")};
		struct coi_err e = {0};
		struct peer p;
		struct net_conn *c = dial(&p, &s, &o, &e);
		struct buf theirs = {0}, ours = {0}, b64 = {0}, end = {0};
		const char *kind = i == 0 ? "tls-exporter" : "tls-unique";

		CHECK(c != NULL);
		CHECK_INT(net_binding(c, "tls-exporter", &ours), i == 0);
		CHECK_INT(net_binding(c, "tls-unique", &ours), i == 1);
		CHECK(net_binding(c, "tls-server-end-point", &end));
		CHECK_INT(end.n, 32);
		CHECK(!net_binding(c, "other", &end));
		if (i < 2) {
			ask(c, kind + 4, &theirs);
			enc_b64(&b64, buf_view(&ours));
			CHECK(ours.n >= 12);
			CHECK(str_eq(buf_view(&b64), buf_view(&theirs)));
		}
		net_close(c);
		buf_free(&theirs);
		buf_free(&ours);
		buf_free(&b64);
		buf_free(&end);
		CHECK_INT(peer_end(&p), 0);
	}
}

TEST(cleanup, "certificates are gone")
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK_INT(system(cmd), 0);
}

TEST_MAIN
