/* SASL: choice of the mechanism, its lines, SCRAM against libgsasl. */
#include <gsasl.h>
#include <openssl/ssl.h>

#include "core/limits.h"
#include "fmt/enc.h"
#include "net/sasl.h"
#include "net/scram.h"
#include "net_peer.h"
#include "test.h"

static bool says(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return true;
	printf("# \"%s\" is not in: %s\n", part, text);
	return false;
}

static struct sasl_creds creds(struct secret *password, struct secret *token)
{
	return (struct sasl_creds){.user = "alice@one.test",
				   .password = password,
				   .token = token,
				   .host = "mail.one.test",
				   .port = 993,
				   .service = "imap"};
}

/* One step, both sides not in base64. */
static int step(struct sasl *s, const char *in, struct buf *out,
		struct coi_err *e)
{
	struct buf in64 = {0}, out64 = {0};
	int r;

	enc_b64(&in64, str_of(in));
	r = sasl_step(s, buf_view(&in64), &out64, e);
	buf_clear(out);
	if (r == 0 && !str_is(buf_view(&out64), "="))
		CHECK(enc_b64_decode(buf_view(&out64), false, out));
	buf_free(&in64);
	buf_free(&out64);
	return r;
}

static void same(const struct buf *got, const char *want, size_t n)
{
	CHECK(got->n == n && memcmp(got->p, want, n) == 0);
}

#define SAME(b, lit) same(b, lit, sizeof(lit) - 1)

static int silent(int fd, void *arg)
{
	char sink[64];

	(void)arg;
	while (read(fd, sink, sizeof(sink)) > 0)
		;
	return 0;
}

/* --- choice
 * --------------------------------------------------------------------- */

TEST(choice, "the best mechanism that both sides have is taken")
{
	static const struct {
		const char *offered, *only, *want;
		bool password, token, external;
	} v[] = {
	    {"PLAIN LOGIN SCRAM-SHA-256", NULL, "SCRAM-SHA-256", 1, 0, 0},
	    {"plain login", NULL, "PLAIN", 1, 0, 0},
	    {"LOGIN", NULL, "LOGIN", 1, 0, 0},
	    {"PLAIN XOAUTH2", NULL, "XOAUTH2", 0, 1, 0},
	    {"XOAUTH2 OAUTHBEARER PLAIN", NULL, "OAUTHBEARER", 1, 1, 0},
	    {"PLAIN", NULL, "PLAIN", 1, 1, 0},
	    {"PLAIN EXTERNAL", NULL, "EXTERNAL", 1, 0, 1},
	    {"PLAIN EXTERNAL", NULL, "PLAIN", 1, 0, 0},
	    {"PLAIN SCRAM-SHA-256", "plain", "PLAIN", 1, 0, 0},
	    /* No binding without TLS. */
	    {"SCRAM-SHA-256-PLUS SCRAM-SHA-256", NULL, "SCRAM-SHA-256", 1, 0,
	     0},
	    {"  GSSAPI   PLAIN ", NULL, "PLAIN", 1, 0, 0},
	    {"GSSAPI CRAM-MD5 PLAINX", NULL, NULL, 1, 0, 0},
	    {"PLAIN", "SCRAM-SHA-256", NULL, 1, 0, 0},
	    {"PLAIN", NULL, NULL, 0, 1, 0},
	    {"", NULL, NULL, 1, 0, 0},
	};
	struct secret *password = secret_new(STR("pencil"));
	struct secret *token = secret_new(STR("tok.en"));
	struct peer p = peer_start(silent, NULL);
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);
	struct coi_err e = {0};
	struct net_conn *c = net_open(&o, &e);
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct sasl_creds cr = creds(v[i].password ? password : NULL,
					     v[i].token ? token : NULL);
		struct sasl *s;

		cr.only = v[i].only;
		cr.external = v[i].external;
		err_clear(&e);
		s = sasl_new(&cr, str_of(v[i].offered), c, &e);
		if (v[i].want == NULL) {
			CHECK(s == NULL);
			CHECK_INT(e.code, COI_E_AUTH);
			CHECK_STR(str_of(e.stage), "login");
			CHECK(says(e.msg,
				   *v[i].offered ? v[i].offered : "nothing"));
			CHECK(e.hint[0] != '\0');
		} else {
			CHECK(s != NULL);
			if (s != NULL)
				CHECK_STR(str_of(sasl_name(s)), v[i].want);
		}
		sasl_free(s);
	}
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
	secret_free(password);
	secret_free(token);
}

TEST(no_creds, "without password and token it is the configuration")
{
	struct sasl_creds cr = creds(NULL, NULL);
	struct coi_err e = {0};

	CHECK(sasl_new(&cr, STR("PLAIN"), NULL, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(says(e.hint, "password-command"));
}

TEST(in_the_clear, "PLAIN, LOGIN and tokens are never sent in the clear")
{
	static const char *const mechs[] = {"PLAIN LOGIN",
					    "OAUTHBEARER XOAUTH2"};
	struct secret *x = secret_new(STR("pencil"));
	size_t i;

	for (i = 0; i < 2; i++) {
		struct sasl_creds cr = creds(x, x);
		struct coi_err e = {0};
		struct sasl *s;

		/* No connection stands for one that is not trusted. */
		CHECK(sasl_new(&cr, str_of(mechs[i]), NULL, &e) == NULL);
		CHECK_INT(e.code, COI_E_AUTH);
		CHECK(says(e.hint, "tls"));
		err_clear(&e);
		s = sasl_new(&cr, STR("PLAIN SCRAM-SHA-256"), NULL, &e);
		CHECK(s != NULL);
		sasl_free(s);
	}
	secret_free(x);
}

/* --- what they say
 * ----------------------------------------------------------------- */

/* A mechanism as it is on a loopback connection. */
static struct sasl *start(const char *mech, struct sasl_creds *cr)
{
	struct peer p = peer_start(silent, NULL);
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);
	struct coi_err e = {0};
	struct net_conn *c = net_open(&o, &e);
	struct sasl *s = sasl_new(cr, str_of(mech), c, &e);

	net_close(c);
	CHECK_INT(peer_end(&p), 0);
	CHECK(s != NULL);
	if (s == NULL) {
		printf("# %s: %s\n", mech, e.msg);
		exit(1);
	}
	return s;
}

TEST(plain, "PLAIN, LOGIN, EXTERNAL")
{
	struct secret *x = secret_new(STR("p\xc3\xa4ss"));
	struct sasl_creds cr = creds(x, NULL);
	struct coi_err e = {0};
	struct buf b = {0};
	struct sasl *s = start("PLAIN", &cr);

	CHECK(sasl_initial(s));
	CHECK(step(s, "", &b, &e) == 0);
	SAME(&b, "\0alice@one.test\0p\xc3\xa4ss");
	CHECK(sasl_done(s, STR_NONE, &e) == 0);
	CHECK(step(s, "more?", &b, &e) < 0);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	sasl_free(s);

	err_clear(&e);
	s = start("LOGIN", &cr);
	CHECK(!sasl_initial(s));
	CHECK(step(s, "Username:", &b, &e) == 0);
	SAME(&b, "alice@one.test");
	CHECK(step(s, "Password:", &b, &e) == 0);
	SAME(&b, "p\xc3\xa4ss");
	CHECK(sasl_done(s, STR_NONE, &e) == 0);
	sasl_free(s);

	cr.external = true;
	s = start("EXTERNAL", &cr);
	CHECK(step(s, "", &b, &e) == 0);
	SAME(&b, "alice@one.test");
	sasl_free(s);
	cr.user = NULL;
	s = start("EXTERNAL", &cr);
	buf_clear(&b);
	CHECK(sasl_step(s, STR(""), &b, &e) == 0);
	CHECK_STR(buf_view(&b), "=");
	sasl_free(s);
	buf_free(&b);
	secret_free(x);
}

TEST(oauth, "OAUTHBEARER and XOAUTH2, and the round after a refused token")
{
	static const char json[] = "{\"status\":\"invalid_token\"}";
	struct secret *x = secret_new(STR("ya29.x"));
	struct sasl_creds cr = creds(NULL, x);
	struct coi_err e = {0};
	struct buf b = {0}, in = {0};
	struct sasl *s = start("OAUTHBEARER", &cr);

	enc_b64(&in, str_of(json));
	cr.user = "a=b,c@one.test";
	CHECK(step(s, "", &b, &e) == 0);
	SAME(&b, "n,a=a=3Db=2Cc@one.test,\001host=mail.one.test\001port=993"
		 "\001auth=Bearer ya29.x\001\001");
	buf_clear(&b);
	CHECK(sasl_step(s, buf_view(&in), &b, &e) == 0);
	CHECK_STR(buf_view(&b), "AQ==");
	CHECK_STR(sasl_reason(s), json);
	CHECK(step(s, "", &b, &e) < 0);
	sasl_free(s);

	err_clear(&e);
	cr.user = "alice@one.test";
	s = start("XOAUTH2", &cr);
	CHECK(step(s, "", &b, &e) == 0);
	SAME(&b, "user=alice@one.test\001auth=Bearer ya29.x\001\001");
	buf_clear(&b);
	CHECK(sasl_step(s, buf_view(&in), &b, &e) == 0);
	CHECK_STR(buf_view(&b), "");
	CHECK_STR(sasl_reason(s), json);
	sasl_free(s);
	buf_free(&b);
	buf_free(&in);
	secret_free(x);
}

TEST(junk, "challenges that are no base64 or too long break the protocol")
{
	struct secret *x = secret_new(STR("p"));
	struct sasl_creds cr = creds(x, NULL);
	char *big = calloc(1, LIMIT_SASL_TOKEN + 2);
	struct str in[] = {
	    STR("*"), STR("a"), STR("ab=c"), {big, LIMIT_SASL_TOKEN + 1}};
	size_t i;

	memset(big, 'A', LIMIT_SASL_TOKEN + 1);
	for (i = 0; i < 4; i++) {
		struct sasl *s = start("LOGIN", &cr);
		struct coi_err e = {0};
		struct buf b = {0};

		CHECK(sasl_step(s, in[i], &b, &e) < 0);
		CHECK_INT(e.code, COI_E_PROTOCOL);
		CHECK_INT(b.n, 0);
		sasl_free(s);
		buf_free(&b);
	}
	free(big);
	secret_free(x);
}

/* --- SCRAM
 * ---------------------------------------------------------------------- */

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define FIRST "r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
#define SALT "s=W22ZaJ0SNY7soEsUEjb6gQ==,"
#define FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

TEST(vector, "SCRAM-SHA-256 as in RFC 7677 section 3")
{
	struct coi_err e = {0};
	struct buf b = {0};
	struct scram *s = scram_new(STR("user"), STR("pencil"), 'n', NULL,
				    STR_NONE, NONCE, &e);

	scram_first(s, &b);
	CHECK_STR(buf_view(&b), "n,,n=user,r=" NONCE);
	buf_clear(&b);
	CHECK(scram_final(s, STR(FIRST SALT "i=4096"), &b, &e) == 0);
	CHECK_STR(buf_view(&b),
		  "c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		  "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	CHECK(scram_check(s, STR(FINAL), &e) == 0);
	CHECK(scram_check(s,
			  STR("v=7rriTRBi23WpRR/wtup+mMhUZUn/"
			      "dB5nLTJRsjl95G4="),
			  &e) < 0);
	CHECK_INT(e.code, COI_E_AUTH);
	err_clear(&e);
	CHECK(scram_check(s, STR("e=invalid-proof"), &e) < 0);
	CHECK_INT(e.code, COI_E_AUTH);
	CHECK_STR(str_of(e.reply), "e=invalid-proof");
	scram_free(s);
	buf_free(&b);
}

TEST(hostile, "SCRAM challenges that no server should send")
{
	static const char *const bad[] = {
	    "",
	    "r=" NONCE "," SALT "i=4096",
	    "r=other" NONCE "x," SALT "i=4096",
	    "m=ext," FIRST SALT "i=4096",
	    FIRST "s=,i=4096",
	    FIRST "s=!!,i=4096",
	    FIRST SALT "i=4095",
	    FIRST SALT "i=1",
	    FIRST SALT "i=-4096",
	    FIRST SALT "i=4000000000",
	    FIRST SALT "i=99999999999999999999",
	    FIRST SALT "i=",
	    FIRST SALT,
	    SALT FIRST "i=4096",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct coi_err e = {0};
		struct buf b = {0};
		struct scram *s = scram_new(STR("user"), STR("pencil"), 'n',
					    NULL, STR_NONE, NONCE, &e);

		CHECK(scram_final(s, str_of(bad[i]), &b, &e) < 0);
		if (e.code != COI_E_PROTOCOL)
			printf("# %s\n", bad[i]);
		CHECK_INT(e.code, COI_E_PROTOCOL);
		scram_free(s);
		buf_free(&b);
	}
}

TEST(prep, "user names and passwords are prepared (RFC 4013)")
{
	struct coi_err e = {0};
	struct buf b = {0};
	/* Soft hyphen goes, "," and "=" are escaped, NBSP is a blank. */
	struct scram *s = scram_new(STR("a\xc2\xad=b,c"),
				    STR("\xe2\x85\xa8\xc2\xa0x"), 'y', NULL,
				    STR_NONE, NONCE, &e);

	scram_first(s, &b);
	CHECK_STR(buf_view(&b), "y,,n=a=3Db=2Cc,r=" NONCE);
	scram_free(s);
	buf_free(&b);
	CHECK(scram_new(STR("u"), STR("\xff"), 'n', NULL, STR_NONE, NULL, &e) ==
	      NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
}

/* --- against libgsasl over TLS
 * --------------------------------------------------- */

static char dir[64];

struct server {
	const char *mech, *password;
	int tls; /* version */
	bool final_in_ok, skip_final, wrong_binding, no_binding;
	bool refuses; /* what this server should do */
};

static const struct server *cur;
static SSL *cur_ssl;

static int callback(Gsasl *ctx, Gsasl_session *s, Gsasl_property prop)
{
	unsigned char raw[64];
	struct buf b = {0};
	size_t n = 32;
	int r;

	(void)ctx;
	switch (prop) {
	case GSASL_PASSWORD:
		return gsasl_property_set(s, prop, cur->password);
	case GSASL_SCRAM_ITER:
		return gsasl_property_set(s, prop, "4096");
	case GSASL_CB_TLS_EXPORTER:
		if (cur->no_binding || cur->tls != TLS1_3_VERSION)
			return GSASL_NO_CALLBACK;
		SSL_export_keying_material(cur_ssl, raw, 32,
					   "EXPORTER-Channel-Binding", 24,
					   (const unsigned char *)"", 0, 1);
		break;
	case GSASL_CB_TLS_UNIQUE:
		if (cur->no_binding || cur->tls != TLS1_2_VERSION)
			return GSASL_NO_CALLBACK;
		n = SSL_get_peer_finished(cur_ssl, raw, sizeof(raw));
		break;
	default:
		return GSASL_NO_CALLBACK;
	}
	if (cur->wrong_binding)
		raw[0] ^= 1;
	enc_b64(&b, (struct str){(char *)raw, n});
	r = gsasl_property_set(s, prop, buf_cstr(&b));
	buf_free(&b);
	return r;
}

static size_t read_line(SSL *ssl, char *out, size_t n)
{
	size_t k = 0;

	while (k + 1 < n && SSL_read(ssl, out + k, 1) == 1)
		if (out[k++] == '\n')
			break;
	while (k > 0 && (out[k - 1] == '\n' || out[k - 1] == '\r'))
		k--;
	out[k] = '\0';
	return k;
}

static void write_line(SSL *ssl, const char *word, const char *b64)
{
	char out[4096];
	int n = snprintf(out, sizeof(out), "%s%s\r\n", word, b64);

	SSL_write(ssl, out, n);
}

/* "+ BASE64" and at the end "OK", "OK BASE64" or "NO". */
static int serve(int fd, void *arg)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	char line[4096], *out = NULL, cert[128];
	Gsasl_session *s;
	Gsasl *ctx;
	int r;

	cur = arg;
	snprintf(cert, sizeof(cert), "%s/good.pem", dir);
	SSL_CTX_use_certificate_chain_file(tls, cert);
	snprintf(cert, sizeof(cert), "%s/good.key", dir);
	SSL_CTX_use_PrivateKey_file(tls, cert, SSL_FILETYPE_PEM);
	SSL_CTX_set_max_proto_version(tls, cur->tls);
	cur_ssl = SSL_new(tls);
	SSL_set_fd(cur_ssl, fd);
	if (SSL_accept(cur_ssl) != 1 || gsasl_init(&ctx) != GSASL_OK)
		return 90;
	gsasl_callback_set(ctx, callback);
	if (gsasl_server_start(ctx, cur->mech, &s) != GSASL_OK)
		return 91;
	for (;;) {
		read_line(cur_ssl, line, sizeof(line));
		gsasl_free(out);
		out = NULL;
		r = gsasl_step64(s, line, &out);
		if (r == GSASL_NEEDS_MORE) {
			write_line(cur_ssl, "+ ", out);
			continue;
		}
		if (r != GSASL_OK) {
			write_line(cur_ssl, "NO", "");
			break;
		}
		if (cur->skip_final) {
			write_line(cur_ssl, "OK", "");
			break;
		}
		if (cur->final_in_ok) {
			write_line(cur_ssl, "OK ", out);
			break;
		}
		write_line(cur_ssl, "+ ", out);
		read_line(cur_ssl, line, sizeof(line));
		write_line(cur_ssl, "OK", "");
		break;
	}
	/* The client has the last word. */
	read_line(cur_ssl, line, sizeof(line));
	gsasl_free(out);
	gsasl_finish(s);
	gsasl_done(ctx);
	SSL_free(cur_ssl);
	SSL_CTX_free(tls);
	return r == GSASL_OK ? 0 : 50;
}

/* Logs in as an engine would; the GS2 header into gs2. */
static int log_in(struct server *sv, const char *offered, const char *only,
		  char *gs2, struct coi_err *e)
{
	struct secret *x = secret_new(STR("pen cil"));
	struct sasl_creds cr = creds(x, NULL);
	struct peer p = peer_start(serve, sv);
	struct net_opts o = peer_opts(&p, NET_TLS_IMPLICIT);
	struct buf out = {0}, plain = {0};
	struct net_conn *c;
	struct str line = STR(""), in;
	struct sasl *s;
	char ca[128];
	int r;

	gs2[0] = '\0';
	cr.only = only;
	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	o.ca_file = ca;
	c = net_open(&o, e);
	s = c == NULL ? NULL : sasl_new(&cr, str_of(offered), c, e);
	r = s == NULL ? -1 : 0;
	while (r == 0) {
		in = str_starts(line, "+ ") ? str_sub(line, 2, line.n) : line;
		buf_clear(&out);
		r = sasl_step(s, in, &out, e);
		if (r < 0)
			break;
		if (gs2[0] == '\0' &&
		    enc_b64_decode(buf_view(&out), false, &plain))
			snprintf(gs2, 32, "%.*s",
				 (int)str_find(buf_view(&plain), STR("n=")),
				 plain.p);
		net_put_secret(c, buf_view(&out), e);
		net_put(c, STR("\r\n"), e);
		net_flush(c, e);
		r = net_line(c, 4096, &line, e);
		if (r == 0 && str_starts(line, "OK")) {
			in = line.n > 3 ? str_sub(line, 3, line.n) : STR_NONE;
			r = sasl_done(s, in, e);
			break;
		}
		if (r == 0 && !str_starts(line, "+"))
			r = err_set(e, COI_E_AUTH, "NO");
	}
	sasl_free(s);
	net_close(c);
	buf_wipe(&out);
	buf_wipe(&plain);
	secret_free(x);
	CHECK_INT(peer_end(&p), sv->refuses ? 50 : 0);
	return r;
}

TEST(setup, "certificates are made")
{
	char cmd[128];

	snprintf(dir, sizeof(dir), "/tmp/net_sasl.XXXXXX");
	if (mkdtemp(dir) == NULL)
		exit(1);
	snprintf(cmd, sizeof(cmd), "tests/lib/mkca %s", dir);
	CHECK_INT(system(cmd), 0);
}

TEST(with_gsasl, "SCRAM and SCRAM-PLUS with a libgsasl server, TLS 1.2 and 1.3")
{
	static const struct {
		int tls;
		const char *mech, *offered, *only, *gs2;
	} v[] = {
	    {TLS1_3_VERSION, "SCRAM-SHA-256-PLUS",
	     "PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS", NULL,
	     "p=tls-exporter,,"},
	    {TLS1_2_VERSION, "SCRAM-SHA-256-PLUS",
	     "SCRAM-SHA-256-PLUS SCRAM-SHA-256", NULL, "p=tls-unique,,"},
	    /* -PLUS offered and not wanted: "n"; not offered: "y". */
	    {TLS1_3_VERSION, "SCRAM-SHA-256",
	     "SCRAM-SHA-256-PLUS SCRAM-SHA-256", "SCRAM-SHA-256", "n,,"},
	};
	size_t i, k;

	for (i = 0; i < 3; i++) {
		for (k = 0; k < 2; k++) {
			struct server sv = {.mech = v[i].mech,
					    .password = "pen cil",
					    .tls = v[i].tls,
					    .final_in_ok = k == 1};
			struct coi_err e = {0};
			char gs2[32];

			CHECK_INT(log_in(&sv, v[i].offered, v[i].only, gs2, &e),
				  0);
			CHECK_STR(str_of(gs2), v[i].gs2);
			if (e.code != COI_OK)
				printf("# %s: %s\n", v[i].gs2, e.msg);
		}
	}
}

TEST(proofs, "a wrong password, a wrong binding, a server without proof")
{
	struct server sv = {.mech = "SCRAM-SHA-256-PLUS",
			    .password = "other",
			    .tls = TLS1_3_VERSION,
			    .refuses = true};
	struct coi_err e = {0};
	char gs2[32];

	CHECK(log_in(&sv, sv.mech, NULL, gs2, &e) < 0);
	CHECK_INT(e.code, COI_E_AUTH);
	err_clear(&e);
	sv.password = "pen cil";
	sv.wrong_binding = true; /* somebody in the middle */
	CHECK(log_in(&sv, sv.mech, NULL, gs2, &e) < 0);
	CHECK_INT(e.code, COI_E_AUTH);
	err_clear(&e);
	sv.wrong_binding = sv.refuses = false;
	sv.skip_final = true;
	CHECK(log_in(&sv, sv.mech, NULL, gs2, &e) < 0);
	CHECK_INT(e.code, COI_E_AUTH);
	CHECK(says(e.msg, "without proving"));
}

TEST(downgrade,
     "-PLUS hidden from a client that could: \"y\"; the server knows")
{
	struct server sv = {.mech = "SCRAM-SHA-256",
			    .password = "pen cil",
			    .tls = TLS1_3_VERSION,
			    .no_binding = true};
	struct coi_err e = {0};
	char gs2[32];

	CHECK_INT(log_in(&sv, "PLAIN SCRAM-SHA-256", NULL, gs2, &e), 0);
	CHECK_STR(str_of(gs2), "y,,");
	/* This one has a -PLUS that somebody took out of the list. */
	sv.no_binding = false;
	sv.refuses = true;
	CHECK(log_in(&sv, "PLAIN SCRAM-SHA-256", NULL, gs2, &e) < 0);
	CHECK_INT(e.code, COI_E_AUTH);
	CHECK_STR(str_of(gs2), "y,,");
}

TEST(cleanup, "certificates are gone")
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK_INT(system(cmd), 0);
}

TEST_MAIN
