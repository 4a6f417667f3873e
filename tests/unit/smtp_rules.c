#include "test.h"

#include "smtp_server.h"

TEST(rset, "from the second message on each flight begins with RSET")
{
	struct server s = server_new(
	    FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 550 r\n"
		 "> 503 none\n< RSET\n< MAIL*\n< RCPT*\n< BDAT*\n= 19\n"
		 "> 250 reset\n> 250 s\n> 250 r\n> 250 ok\n");
	struct smtp_opts o = opts(&s);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct smtp *c = smtp_open(&o, &e);
	struct mail m;

	CHECK(c != NULL);
	mail_new(&m, STR(BODY), "a@x");
	CHECK_INT(smtp_send(c, a, &m.m, &e), 0);
	CHECK_INT(m.m.state, SMTP_REFUSED);
	mail_new(&m, STR(BODY), "b@x");
	CHECK_INT(smtp_send(c, a, &m.m, &e), 0);
	CHECK_INT(m.m.state, SMTP_ACCEPTED);
	CHECK_INT(net_stats(smtp_conn(c)).turns, 3);
	smtp_close(c);
	server_end(&s);
	CHECK(heard(&s, "QUIT\r\n"));
	buf_free(&s.heard);
	arena_free(a);
}

TEST(round_trips, "a message is one round trip with CHUNKING, two with DATA")
{
	static const char *const script[] = {
	    FULL TAKEN("19"),
	    DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n> 354 go\n.\n"
		 "> 250 ok\n"};
	int i;

	for (i = 0; i < 2; i++) {
		struct server s = server_new(script[i]);
		struct smtp_opts o = opts(&s);
		struct arena *a = arena_new();
		struct coi_err e = {0};
		struct smtp *c = smtp_open(&o, &e);
		struct mail m;
		uint64_t before = net_stats(smtp_conn(c)).turns;

		mail_new(&m, STR(BODY), "a@x");
		CHECK_INT(smtp_send(c, a, &m.m, &e), 0);
		CHECK_INT(net_stats(smtp_conn(c)).turns - before, i + 1);
		smtp_close(c);
		server_end(&s);
		buf_free(&s.heard);
		arena_free(a);
	}
}

TEST(big, "a big message: replies to the envelope first, then chunks")
{
	char *p = big_body(2500032), *huge;
	struct str body = {p, 2500032};
	struct arena *a = arena_new();
	struct server s;
	struct mail m;
	struct coi_err e = {0};
	bool usable;

	mail_new(&m, body, "a@x b@x");
	CHECK_INT(once(FULL
		       "< MAIL * SIZE=2500032\n< RCPT*\n< RCPT*\n> 250 s\n"
		       "> 250 r\n> 550 no\n< BDAT 1048576\n= 1048576\n> 250 1\n"
		       "< BDAT 1048576\n= 1048576\n> 250 2\n"
		       "< BDAT 402880 LAST\n= 402880\n> 250 all\n",
		       NULL, &m, a, &s, &e, &usable),
		  0);
	CHECK_INT(m.m.state, SMTP_ACCEPTED);
	CHECK_STR(m.m.reply, "all");
	CHECK_INT(m.r[1].state, SMTP_REFUSED);
	CHECK(usable);
	buf_free(&s.heard);

	mail_new(&m, body, "a@x");
	CHECK_INT(once(FULL "< MAIL*\n< RCPT*\n> 250 s\n> 550 5.1.1 r\n"
			    "< QUIT\n> 221 bye\n",
		       NULL, &m, a, &s, &e, NULL),
		  0);
	CHECK_INT(m.m.state, SMTP_REFUSED);
	CHECK_INT(m.before, 0);
	CHECK(!heard(&s, "BDAT"));
	buf_free(&s.heard);

	/* Refused in the middle: 552 counts, whatever follows it. */
	mail_new(&m, body, "a@x");
	CHECK_INT(once(FULL "< MAIL*\n< RCPT*\n> 250 s\n> 250 r\n"
			    "< BDAT*\n= 1048576\n> 552 5.3.4 too big\n"
			    "< BDAT*\n= 1048576\n> 503 5.5.1 no\n"
			    "< BDAT*LAST\n= 402880\n> 503 5.5.1 no\n",
		       NULL, &m, a, &s, &e, &usable),
		  0);
	CHECK_INT(m.m.state, SMTP_REFUSED);
	CHECK_INT(m.r[0].state, SMTP_REFUSED);
	CHECK_INT(m.r[0].code, 552);
	CHECK_STR(m.r[0].reply, "too big");
	CHECK(usable);
	buf_free(&s.heard);

	/* The link lost long before the last chunk. */
	huge = big_body(16u << 20);
	mail_new(&m, (struct str){huge, 16u << 20}, "a@x");
	CHECK_INT(
	    once(
		HELLO(
		    "> 250-PIPELINING\n> 250 CHUNKING\n") "< MAIL*\n< RCPT*\n> "
							  "250 s\n> 250 r\n"
							  "< BDAT*\n= "
							  "1048576\n< BDAT*\n= "
							  "1000\nR\n",
		NULL, &m, a, &s, &e, &usable),
	    -1);
	CHECK_INT(m.m.state, SMTP_DEFERRED);
	CHECK(!usable);
	err_clear(&e);
	buf_free(&s.heard);

	mail_new(&m, body, "a@x");
	CHECK_INT(once(DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n"
			    "> 354 go\n.\n> 250 ok\n",
		       NULL, &m, a, &s, &e, &usable),
		  0);
	CHECK_INT(m.m.state, SMTP_ACCEPTED);
	CHECK(s.heard.n > 2500032);
	buf_free(&s.heard);
	arena_free(a);
	free(huge);
	free(p);
}

TEST(deadline, "a silent server: the deadline tells before from after")
{
	static const struct {
		const char *script;
		enum smtp_state state;
		enum coi_code err;
	} t[] = {
	    {DATA "< MAIL*\n< RCPT*\n< RCPT*\n< DATA\n> 250 s\nw 700\n!\n",
	     SMTP_DEFERRED, COI_E_TEMP},
	    {FULL "< MAIL*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n"
		  "w 700\n!\n",
	     SMTP_UNKNOWN, COI_E_OUTCOME},
	    /* Closing was promised and not done: it may still be at work. */
	    {FULL "< MAIL*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n"
		  "> 250 r\n> 421 r\nw 700\n!\n",
	     SMTP_UNKNOWN, COI_E_OUTCOME},
	};
	struct smtp_opts extra = {.net.io_ms = 200};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_new();
		struct server s;
		struct mail m;
		struct coi_err e = {0};

		mail_new(&m, STR(BODY), "a@x b@x");
		CHECK_INT(once(t[i].script, &extra, &m, a, &s, &e, NULL), -1);
		CHECK_INT(m.m.state, t[i].state);
		CHECK_INT(m.r[0].state, t[i].state);
		CHECK_INT(e.code, t[i].err);
		buf_free(&s.heard);
		arena_free(a);
	}
}

TEST(local, "what the server cannot take is refused before anything is sent")
{
	static const struct {
		const char *script, *enhanced;
		bool eight, utf8;
		const char *rcpt;
	} t[] = {
	    {HELLO("> 250-CHUNKING\n> 250 SIZE 18\n"), "5.3.4", 0, 0, "a@x"},
	    {HELLO("> 250 PIPELINING\n"), "5.6.3", 1, 0, "a@x"},
	    {HELLO("> 250 8BITMIME\n"), "5.6.7", 0, 1, "a@x"},
	    {HELLO("> 250 8BITMIME\n"), "5.6.7", 0, 0, "\xc3\xbc@x"},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct arena *a = arena_new();
		struct server s;
		struct mail m;
		struct coi_err e = {0};
		bool usable;

		mail_new(&m, STR(BODY), t[i].rcpt);
		m.m.eight_bit = t[i].eight;
		m.m.utf8 = t[i].utf8;
		CHECK_INT(once(t[i].script, NULL, &m, a, &s, &e, &usable), 0);
		CHECK_INT(m.m.state, SMTP_REFUSED);
		CHECK_INT(m.m.code, 0);
		CHECK_STR(m.m.enhanced, t[i].enhanced);
		CHECK_STR(m.r[0].enhanced, t[i].enhanced);
		CHECK(str_starts(m.r[0].reply, "not sent: "));
		CHECK_INT(m.before, 0);
		CHECK(usable);
		CHECK(!heard(&s, "MAIL"));
		buf_free(&s.heard);
		arena_free(a);
	}
}

TEST(injection, "an address with CR LF is bad input and nothing is sent")
{
	struct arena *a = arena_new();
	struct server s;
	struct mail m;
	struct coi_err e = {0};
	bool usable;

	mail_new(&m, STR(BODY), "a@x");
	m.r[0].email = STR("a@x>\r\nRCPT TO:<b@x");
	CHECK_INT(once(FULL, NULL, &m, a, &s, &e, &usable), -1);
	CHECK_INT(e.code, COI_E_DATA);
	CHECK_INT(m.m.state, SMTP_UNSENT);
	CHECK(usable);
	CHECK(!heard(&s, "MAIL"));
	buf_free(&s.heard);

	err_clear(&e);
	mail_new(&m, STR(BODY), "a@x");
	m.m.ret = STR("FULL\r\nX");
	CHECK_INT(once(FULL, NULL, &m, a, &s, &e, &usable), -1);
	CHECK_INT(e.code, COI_E_DATA);
	buf_free(&s.heard);
	arena_free(a);
}

TEST(params, "SMTPUTF8, 8BITMIME and DSN parameters where offered")
{
	struct arena *a = arena_new();
	struct server s;
	struct mail m;
	struct coi_err e = {0};

	mail_new(&m, STR(BODY), "\xc3\xbc@x b+c@x");
	m.m.eight_bit = true;
	m.m.envid = STR("id=1");
	m.m.ret = STR("HDRS");
	m.m.notify = STR("FAILURE,DELAY");
	CHECK_INT(once(FULL
		       "< MAIL FROM:<me@example.org> SIZE=19 BODY=8BITMIME "
		       "SMTPUTF8 RET=HDRS ENVID=id+3D1\n"
		       "< RCPT TO:<\xc3\xbc@x> NOTIFY=FAILURE,DELAY\n"
		       "< RCPT TO:<b+c@x> NOTIFY=FAILURE,DELAY "
		       "ORCPT=rfc822;b+2Bc@x\n"
		       "< BDAT*\n= 19\n> 250 s\n> 250 r\n> 250 r\n> 250 ok\n",
		       NULL, &m, a, &s, &e, NULL),
		  0);
	CHECK_INT(m.m.state, SMTP_ACCEPTED);
	buf_free(&s.heard);
	arena_free(a);
}

TEST(reader, "a message that cannot be read or recorded is not half sent")
{
	struct arena *a = arena_new();
	char *p = big_body(200000);
	struct server s;
	struct mail m;
	struct coi_err e = {0};
	bool usable;

	mail_new(&m, STR(BODY), "a@x");
	m.fail_at = 1;
	CHECK_INT(once(FULL, NULL, &m, a, &s, &e, &usable), -1);
	CHECK_INT(e.code, COI_E_IO);
	CHECK_INT(m.m.state, SMTP_UNSENT);
	CHECK(usable && !heard(&s, "MAIL"));
	buf_free(&s.heard);
	err_clear(&e);

	mail_new(&m, STR(BODY), "a@x");
	m.m.size = 25; /* shorter than told: cut off on disk */
	CHECK_INT(once(FULL, NULL, &m, a, &s, &e, &usable), -1);
	CHECK_INT(e.code, COI_E_IO);
	CHECK_INT(m.m.state, SMTP_UNSENT);
	CHECK(!heard(&s, "MAIL"));
	buf_free(&s.heard);
	err_clear(&e);

	mail_new(&m, STR(BODY), "a@x");
	m.fail_before = true;
	CHECK_INT(once(FULL, NULL, &m, a, &s, &e, &usable), -1);
	CHECK_INT(e.code, COI_E_OS);
	CHECK_INT(m.m.state, SMTP_UNSENT);
	CHECK(usable && !heard(&s, "MAIL"));
	buf_free(&s.heard);
	err_clear(&e);

	mail_new(&m, (struct str){p, 200000}, "a@x");
	m.fail_at = 150000;
	CHECK_INT(once(DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n"
			    "> 354 go\n",
		       NULL, &m, a, &s, &e, &usable),
		  -1);
	CHECK_INT(e.code, COI_E_IO);
	CHECK_INT(m.m.state, SMTP_UNSENT);
	CHECK(!usable);
	CHECK(!heard(&s, "\n.\r\n") && !heard(&s, "QUIT"));
	buf_free(&s.heard);
	arena_free(a);
	free(p);
}

TEST(carry_on, "421 after some messages leaves the next one unsent")
{
	static const char *const script[] = {
	    /* to MAIL, to RSET, between two messages, a bare end */
	    FULL TAKEN("19") "< RSET\n< MAIL*\n< RCPT*\n< BDAT*\n= 19\n"
			     "> 250 ok\n> 421 4.7.0 too many\n!\n",
	    FULL TAKEN("19") "< RSET\n< MAIL*\n< RCPT*\n< BDAT*\n= 19\n"
			     "> 421 4.7.0 too many\n!\n",
	    FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 250 r\n"
		 "+ 250 ok\n> 421 4.7.0 too many\n!\n",
	    FULL TAKEN("19") "!\n",
	};
	size_t i;

	for (i = 0; i < sizeof(script) / sizeof(script[0]); i++) {
		struct server s = server_new(script[i]);
		struct smtp_opts o = opts(&s);
		struct arena *a = arena_new();
		struct coi_err e = {0};
		struct smtp *c = smtp_open(&o, &e);
		struct mail m;

		CHECK(c != NULL);
		mail_new(&m, STR(BODY), "a@x");
		CHECK_INT(smtp_send(c, a, &m.m, &e), 0);
		CHECK_INT(m.m.state, SMTP_ACCEPTED);
		usleep(i == 3 ? 100000 : 0);
		mail_new(&m, STR(BODY), "b@x");
		CHECK_INT(smtp_send(c, a, &m.m, &e), -1);
		CHECK_INT(m.m.state, SMTP_UNSENT);
		CHECK_INT(m.r[0].state, SMTP_UNSENT);
		CHECK_INT(e.code, COI_E_TEMP);
		CHECK(!smtp_usable(c));
		if (test_bad > 0)
			printf("# script %zu: %s %s\n", i, e.msg, e.reply);
		smtp_close(c);
		server_end(&s);
		buf_free(&s.heard);
		arena_free(a);
	}
}

TEST(lmtp, "LMTP: a final reply for each recipient taken")
{
	static const char hello[] =
	    "> 220 hi\n< LHLO *\n> 250-me\n> 250-PIPELINING\n> 250 CHUNKING\n"
	    "< MAIL*\n< RCPT TO:<a@x>\n< RCPT TO:<b@x>\n< RCPT TO:<c@x>\n"
	    "> 250 s\n> 250 r\n> 550 5.1.1 no b\n> 250 r\n"
	    "< BDAT 19 LAST\n= 19\n> 250 2.0.0 a\n";
	struct smtp_opts extra = {.lmtp = true};
	struct arena *a = arena_new();
	struct server s;
	struct mail m;
	struct coi_err e = {0};
	bool usable;
	char script[1024];

	mail_new(&m, STR(BODY), "a@x b@x c@x");
	snprintf(script, sizeof(script), "%s> 452 4.2.2 c full\n", hello);
	CHECK_INT(once(script, &extra, &m, a, &s, &e, &usable), 0);
	CHECK_INT(m.m.state, SMTP_ACCEPTED);
	CHECK_INT(m.r[0].state, SMTP_ACCEPTED);
	CHECK_INT(m.r[1].state, SMTP_REFUSED);
	CHECK_STR(m.r[1].reply, "no b");
	CHECK_INT(m.r[2].state, SMTP_DEFERRED);
	CHECK_STR(m.r[2].reply, "c full");
	CHECK(usable);
	buf_free(&s.heard);

	mail_new(&m, STR(BODY), "a@x b@x c@x");
	snprintf(script, sizeof(script), "%s!\n", hello);
	CHECK_INT(once(script, &extra, &m, a, &s, &e, &usable), -1);
	CHECK_INT(m.m.state, SMTP_UNKNOWN);
	CHECK_INT(m.r[0].state, SMTP_ACCEPTED);
	CHECK_INT(m.r[1].state, SMTP_REFUSED);
	CHECK_INT(m.r[2].state, SMTP_UNKNOWN);
	buf_free(&s.heard);
	arena_free(a);
}

TEST_MAIN
