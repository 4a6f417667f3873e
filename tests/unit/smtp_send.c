#include "test.h"

#include "smtp_server.h"

static const struct one {
	const char *name, *script;
	const char *rcpts; /* NULL: "a@x" */
	int rc;
	enum smtp_state state;
	int code;
	const char *enhanced, *reply;
	int rcpt[3]; /* state + 1 of each recipient; 0: not looked at */
	int before;
	bool usable;
	enum coi_code err;
} ones[] = {
    {.name = "one flight with BDAT",
     .script = FULL "< MAIL FROM:<me@example.org> SIZE=19\n< RCPT TO:<a@x>\n"
		    "< BDAT 19 LAST\n= 19\n> 250 2.1.0 s\n> 250 2.1.5 r\n"
		    "> 250 2.0.0 id=1\n",
     .state = SMTP_ACCEPTED,
     .code = 250,
     .enhanced = "2.0.0",
     .reply = "id=1",
     .rcpt = {SMTP_ACCEPTED + 1},
     .before = 1,
     .usable = true},
    {.name = "DATA goes in the flight, the body after its 354",
     .script = DATA
     "< MAIL FROM:<me@example.org> SIZE=19\n< RCPT TO:<a@x>\n< DATA\n"
     "> 250 s\n> 250 r\n> 354 go\n< Subject: x\n< \n< ..hi\n< .\n> 250 ok\n",
     .state = SMTP_ACCEPTED,
     .code = 250,
     .reply = "ok",
     .rcpt = {SMTP_ACCEPTED + 1},
     .before = 1,
     .usable = true},
    {.name = "command by command without PIPELINING",
     .script = PLAIN "< MAIL FROM:<me@example.org>\n> 250 s\n"
		     "< RCPT TO:<a@x>\n> 250 r\n< DATA\n> 354 go\n.\n"
		     "> 250 ok\n",
     .state = SMTP_ACCEPTED,
     .code = 250,
     .reply = "ok",
     .before = 1,
     .usable = true},
    {.name = "some recipients refused: the rest gets it",
     .rcpts = "a@x b@x c@x",
     .script = FULL "< MAIL*\n< RCPT*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n"
		    "> 250 s\n> 550 5.1.1 no a\n> 250 r\n> 451 4.2.1 later\n"
		    "> 250 2.0.0 ok\n",
     .state = SMTP_ACCEPTED,
     .code = 250,
     .enhanced = "2.0.0",
     .reply = "ok",
     .rcpt = {SMTP_REFUSED + 1, SMTP_ACCEPTED + 1, SMTP_DEFERRED + 1},
     .before = 1,
     .usable = true},
    {.name = "all recipients refused, data in flight",
     .rcpts = "a@x b@x",
     .script = FULL "< MAIL*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n"
		    "> 550 5.1.1 no a\n> 550 5.1.1 no b\n> 503 5.5.1 none\n",
     .state = SMTP_REFUSED,
     .code = 550,
     .enhanced = "5.1.1",
     .reply = "no a",
     .rcpt = {SMTP_REFUSED + 1, SMTP_REFUSED + 1},
     .before = 1,
     .usable = true},
    {.name = "all recipients refused, one of them for now",
     .rcpts = "a@x b@x",
     .script = FULL "< MAIL*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n"
		    "> 550 5.1.1 no a\n> 450 4.2.0 grey\n> 503 5.5.1 none\n",
     .state = SMTP_DEFERRED,
     .code = 450,
     .enhanced = "4.2.0",
     .reply = "grey",
     .rcpt = {SMTP_REFUSED + 1, SMTP_DEFERRED + 1},
     .before = 1,
     .usable = true},
    {.name = "a sender refused: its words, not those of the 503 behind",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 550 5.7.1 not you\n"
		    "> 503 5.5.1 no sender\n> 503 5.5.1 no sender\n",
     .state = SMTP_REFUSED,
     .code = 550,
     .enhanced = "5.7.1",
     .reply = "not you",
     .rcpt = {SMTP_REFUSED + 1},
     .before = 1,
     .usable = true},
    {.name = "Exim: 503 to MAIL, yet the message is taken: not refused",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n"
		    "> 503 sender already given\n> 250 r\n> 250 id=2\n",
     .state = SMTP_ACCEPTED,
     .code = 250,
     .reply = "id=2",
     .rcpt = {SMTP_ACCEPTED + 1},
     .before = 1,
     .usable = true},
    {.name = "taken although all recipients were refused: unknown",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 450 r\n"
		    "> 250 odd\n",
     .state = SMTP_UNKNOWN,
     .code = 250,
     .reply = "odd",
     .rcpt = {SMTP_UNKNOWN + 1},
     .before = 1,
     .usable = true},
    {.name = "5xx for the data is for all that were taken",
     .rcpts = "a@x b@x",
     .script = FULL "< MAIL*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n"
		    "> 250 r\n> 450 4.2.0 b\n> 554-5.7.0 spam\n"
		    "> 554 5.7.0 indeed\n",
     .state = SMTP_REFUSED,
     .code = 554,
     .enhanced = "5.7.0",
     .reply = "spam indeed",
     .rcpt = {SMTP_REFUSED + 1, SMTP_DEFERRED + 1},
     .before = 1,
     .usable = true},
    {.name = "4xx for the data: later",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 250 r\n"
		    "> 452 4.3.1 full\n",
     .state = SMTP_DEFERRED,
     .code = 452,
     .enhanced = "4.3.1",
     .reply = "full",
     .rcpt = {SMTP_DEFERRED + 1},
     .before = 1,
     .usable = true},
    {.name = "DATA refused",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n"
		    "> 554 5.5.1 no\n",
     .state = SMTP_REFUSED,
     .code = 554,
     .enhanced = "5.5.1",
     .reply = "no",
     .rcpt = {SMTP_REFUSED + 1},
     .usable = true},
    {.name = "354 without recipients gets a bare dot",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 550 5.1.1 r\n"
		    "> 354 go\n< .\n> 250 fine\n",
     .state = SMTP_REFUSED,
     .code = 550,
     .enhanced = "5.1.1",
     .reply = "r",
     .rcpt = {SMTP_REFUSED + 1},
     .usable = true},
    {.name = "no DATA when nobody is there to get it",
     .script = PLAIN "< MAIL*\n> 250 s\n< RCPT*\n> 550 5.1.1 r\n< QUIT\n"
		     "> 221 bye\n",
     .state = SMTP_REFUSED,
     .code = 550,
     .enhanced = "5.1.1",
     .reply = "r",
     .usable = true},
    {.name = "link cut after BDAT LAST: unknown",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n!\n",
     .rc = -1,
     .state = SMTP_UNKNOWN,
     .rcpt = {SMTP_UNKNOWN + 1},
     .before = 1,
     .err = COI_E_OUTCOME},
    {.name = "link cut after the replies to the envelope: unknown",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 250 r\n!\n",
     .rc = -1,
     .state = SMTP_UNKNOWN,
     .before = 1,
     .err = COI_E_OUTCOME},
    {.name = "link cut after the dot: unknown",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n> 354 go\n"
		    ".\n!\n",
     .rc = -1,
     .state = SMTP_UNKNOWN,
     .before = 1,
     .err = COI_E_OUTCOME},
    {.name = "half a reply to the dot: unknown",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n> 354 go\n"
		    ".\n> 250-half\n!\n",
     .rc = -1,
     .state = SMTP_UNKNOWN,
     .before = 1,
     .err = COI_E_OUTCOME},
    {.name = "link cut before the data: deferred, safe",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n!\n",
     .rc = -1,
     .state = SMTP_DEFERRED,
     .rcpt = {SMTP_DEFERRED + 1},
     .err = COI_E_UNAVAILABLE},
    {.name = "nonsense instead of the final reply: unknown",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 250 r\n"
		    "> what\n",
     .rc = -1,
     .state = SMTP_UNKNOWN,
     .before = 1,
     .err = COI_E_OUTCOME},
    {.name = "354 instead of the final reply: unknown",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 250 r\n"
		    "> 354 more\n",
     .rc = -1,
     .state = SMTP_UNKNOWN,
     .before = 1,
     .err = COI_E_OUTCOME},
    {.name = "421 to MAIL and the end: deferred",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 421 4.3.2 bye\n!\n",
     .state = SMTP_DEFERRED,
     .code = 421,
     .enhanced = "4.3.2",
     .reply = "bye",
     .rcpt = {SMTP_DEFERRED + 1},
     .before = 1},
    {.name = "421 to RCPT, then the rest is answered: the final reply counts",
     .rcpts = "a@x b@x",
     .script = FULL "< MAIL*\n< RCPT*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n"
		    "> 421 4.7.0 slow down\n> 250 r\n> 250 2.0.0 ok\n",
     .state = SMTP_ACCEPTED,
     .code = 250,
     .enhanced = "2.0.0",
     .reply = "ok",
     .rcpt = {SMTP_DEFERRED + 1, SMTP_ACCEPTED + 1},
     .before = 1},
    {.name = "421 to the data: deferred",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 250 s\n> 250 r\n"
		    "> 421 4.3.0 bye\n!\n",
     .state = SMTP_DEFERRED,
     .code = 421,
     .enhanced = "4.3.0",
     .reply = "bye",
     .rcpt = {SMTP_DEFERRED + 1},
     .before = 1},
    {.name = "421 instead of 354: deferred",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n"
		    "> 421 4.3.0 bye\n!\n",
     .state = SMTP_DEFERRED,
     .code = 421,
     .enhanced = "4.3.0",
     .reply = "bye"},
    {.name = "sender refused and link cut: refused, not unknown",
     .script = FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n> 550 5.7.1 no\n!\n",
     .state = SMTP_REFUSED,
     .code = 550,
     .enhanced = "5.7.1",
     .reply = "no",
     .rcpt = {SMTP_REFUSED + 1},
     .before = 1},
    {.name = "an answer in the middle of the data is no acceptance",
     .script = DATA "< MAIL*\n< RCPT*\n< DATA\n> 250 s\n> 250 r\n+ 354 go\n"
		    "> 250 already\n",
     .rc = -1,
     .state = SMTP_DEFERRED,
     .before = 1,
     .err = COI_E_PROTOCOL},
};

TEST(table, "one message: replies and cuts at every stage")
{
	size_t i, k;

	for (i = 0; i < sizeof(ones) / sizeof(ones[0]); i++) {
		const struct one *o = &ones[i];
		struct arena *a = arena_new();
		struct server s;
		struct mail m;
		struct coi_err e = {0};
		bool usable = false;
		int bad = test_bad, rc;

		mail_new(&m, STR(BODY), o->rcpts != NULL ? o->rcpts : "a@x");
		rc = once(o->script, NULL, &m, a, &s, &e, &usable);
		CHECK_INT(m.m.state, o->state);
		CHECK_INT(e.code, o->err);
		CHECK_INT(usable, o->usable);
		CHECK_INT(rc, o->rc);
		if (o->code != 0) {
			CHECK_INT(m.m.code, o->code);
			CHECK_STR(m.m.enhanced,
				  o->enhanced != NULL ? o->enhanced : "");
			CHECK_STR(m.m.reply, o->reply);
		}
		for (k = 0; k < 3; k++)
			if (o->rcpt[k] != 0)
				CHECK_INT(m.r[k].state, o->rcpt[k] - 1);
		CHECK_INT(m.before, o->before);
		if (rc < 0) {
			CHECK(e.msg[0] != '\0' && e.stage[0] != '\0');
			CHECK(strncmp(e.host, "127.0.0.1:", 10) == 0);
		}
		if (test_bad != bad)
			printf("# in: %s (%s)\n", o->name, e.msg);
		buf_free(&s.heard);
		arena_free(a);
	}
}

TEST_MAIN
