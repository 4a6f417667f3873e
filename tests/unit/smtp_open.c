#include "test.h"

#include "smtp_server.h"

/* --- opening -------------------------------------------------------------- */

static struct coi_err open_fails(const char *script, bool user,
				 enum net_tls tls)
{
	struct secret *pw = secret_new(STR("geheim"));
	struct server s = server_new(script);
	struct smtp_opts o = opts(&s);
	struct coi_err e = {0};
	struct smtp *c;

	o.net.tls = tls;
	if (user) {
		o.creds.user = "me";
		o.creds.password = pw;
		o.creds.service = "smtp";
		o.creds.host = "127.0.0.1";
	}
	c = smtp_open(&o, &e);
	smtp_close(c);
	server_end(&s);
	CHECK(c == NULL);
	CHECK(e.msg[0] != '\0' && e.stage[0] != '\0' && e.host[0] != '\0');
	CHECK(!heard(&s, "AGdlaGVpbQ") || user);
	buf_free(&s.heard);
	secret_free(pw);
	return e;
}

TEST(opening, "greeting, EHLO, STARTTLS and AUTH refused: the code says why")
{
#define AUTH HELLO("> 250 AUTH PLAIN\n") "< AUTH PLAIN AG1lAGdlaGVpbQ==\n"
	static const struct {
		const char *script;
		enum coi_code code;
		const char *stage, *reply;
		bool user;
		enum net_tls tls;
	} t[] = {
	    {"> 554 5.7.1 go away\n", COI_E_UNAVAILABLE, "greeting",
	     "554 5.7.1 go away", 0, NET_TLS_OFF},
	    {"> 421 busy\n", COI_E_TEMP, "greeting", "421 busy", 0,
	     NET_TLS_OFF},
	    {"> * OK IMAP\n", COI_E_PROTOCOL, "greeting", "", 0, NET_TLS_OFF},
	    {"> 220-a\n> 250 b\n", COI_E_PROTOCOL, "greeting", "", 0,
	     NET_TLS_OFF},
	    {"!\n", COI_E_UNAVAILABLE, "greeting", "", 0, NET_TLS_OFF},
	    {"+ 220 hi\n> 250 injected\n", COI_E_PROTOCOL, "ehlo", "", 0,
	     NET_TLS_OFF},
	    {"> 220 hi\n< EHLO*\n> 421 no\n", COI_E_TEMP, "ehlo", "421 no", 0,
	     NET_TLS_OFF},
	    {"> 220 hi\n< EHLO*\n> 502 no\n< HELO*\n> 550 no\n",
	     COI_E_UNAVAILABLE, "ehlo", "550 no", 0, NET_TLS_OFF},
	    {HELLO("> 250 X\n"), COI_E_TLS, "tls", "", 1, NET_TLS_STARTTLS},
	    {HELLO("> 250 STARTTLS\n") "< STARTTLS\n> 454 later\n", COI_E_TEMP,
	     "tls", "454 later", 1, NET_TLS_STARTTLS},
	    {HELLO("> 250 STARTTLS\n") "< STARTTLS\n> 502 no\n", COI_E_TLS,
	     "tls", "502 no", 1, NET_TLS_STARTTLS},
	    {HELLO("> 250 STARTTLS\n") "< STARTTLS\n+ 220 go\n> 250 AUTH x\n",
	     COI_E_PROTOCOL, "tls", "", 1, NET_TLS_STARTTLS},
	    {HELLO("> 250 X\n"), COI_E_UNAVAILABLE, "login", "", 1,
	     NET_TLS_OFF},
	    {AUTH "> 535 5.7.8 wrong\n", COI_E_AUTH, "login", "535 5.7.8 wrong",
	     1, NET_TLS_OFF},
	    {AUTH "> 454 4.7.0 later\n", COI_E_TEMP, "login", "454 4.7.0 later",
	     1, NET_TLS_OFF},
	    {AUTH "> 421 bye\n!\n", COI_E_TEMP, "login", "421 bye", 1,
	     NET_TLS_OFF},
	    {AUTH "!\n", COI_E_UNAVAILABLE, "login", "", 1, NET_TLS_OFF},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int bad = test_bad;
		struct coi_err e = open_fails(t[i].script, t[i].user, t[i].tls);

		CHECK_INT(e.code, t[i].code);
		CHECK_STR(str_of(e.stage), t[i].stage);
		CHECK_STR(str_of(e.reply), t[i].reply);
		CHECK(strstr(e.msg, "geheim") == NULL);
		if (test_bad != bad)
			printf("# case %zu: %s\n", i, e.msg);
	}
}

TEST(helo, "a server without EHLO gets HELO and plain mail")
{
	struct arena *a = arena_new();
	struct server s;
	struct mail m;
	struct coi_err e = {0};

	mail_new(&m, STR(BODY), "a@x");
	CHECK_INT(once("> 220 hi\n< EHLO*\n> 500 what\n< HELO *\n"
		       "> 250 PIPELINING\n< MAIL FROM:<me@example.org>\n"
		       "> 250 s\n< RCPT*\n> 250 r\n< DATA\n> 354 go\n.\n"
		       "> 250 ok\n",
		       NULL, &m, a, &s, &e, NULL),
		  0);
	CHECK_INT(m.m.state, SMTP_ACCEPTED);
	buf_free(&s.heard);
	arena_free(a);
}

static struct smtp *login(struct server *s, const char *script,
			  struct secret *pw, const char *only,
			  struct coi_err *e)
{
	struct smtp_opts o;

	*s = server_new(script);
	o = opts(s);
	o.creds.user = "me";
	o.creds.password = pw;
	o.creds.service = "smtp";
	o.creds.host = "127.0.0.1";
	o.creds.only = only;
	return smtp_open(&o, e);
}

TEST(login_ok, "AUTH: initial response, rounds, and a response too long for it")
{
	struct secret *pw = secret_new(STR("geheim")), *big;
	struct buf long_pw = {0};
	struct server s;
	struct coi_err e = {0};
	struct smtp *c;

	c = login(
	    &s,
	    HELLO("> 250 AUTH=PLAIN LOGIN\n") "< AUTH PLAIN "
					      "AG1lAGdlaGVpbQ==\n> 235 ok\n",
	    pw, NULL, &e);
	CHECK(c != NULL);
	smtp_close(c);
	server_end(&s);
	buf_free(&s.heard);

	c = login(&s,
		  HELLO("> 250 AUTH LOGIN\n") "< AUTH LOGIN*\n> 334 "
					      "VXNlcm5hbWU6\n< bWU=\n"
					      "> 334 UGFzc3dvcmQ6\n< "
					      "Z2VoZWlt\n> 235 ok\n",
		  pw, "LOGIN", &e);
	CHECK(c != NULL);
	if (c == NULL)
		printf("# %s\n", e.msg);
	smtp_close(c);
	server_end(&s);
	buf_free(&s.heard);

	while (long_pw.n < 600)
		buf_c(&long_pw, 'x');
	big = secret_new(buf_view(&long_pw));
	c = login(&s,
		  HELLO("> 250 AUTH PLAIN\n") "< AUTH PLAIN\n> 334 \n< "
					      "AG1lAHh4*\n> 235 ok\n",
		  big, NULL, &e);
	CHECK(c != NULL);
	smtp_close(c);
	server_end(&s);
	buf_free(&s.heard);
	buf_free(&long_pw);
	secret_free(big);
	secret_free(pw);
}

TEST(quit, "closing does not wait for a server that does not answer QUIT")
{
	struct server s = server_new(PLAIN "< QUIT\nw 3000\n!\n");
	struct smtp_opts o = opts(&s);
	struct coi_err e = {0};
	struct smtp *c = smtp_open(&o, &e);
	int64_t t0 = sys_mono_ms();

	CHECK(c != NULL);
	smtp_close(c);
	CHECK(sys_mono_ms() - t0 < 2000);
	server_end(&s);
	buf_free(&s.heard);
}

TEST_MAIN
