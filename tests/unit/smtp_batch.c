#include "test.h"

#include "smtp_server.h"

/* --- several -------------------------------------------------------------- */

struct seen {
	int n;
	struct smtp_msg *m[8];
};

static void saw(void *ctx, struct smtp_msg *m)
{
	struct seen *seen = ctx;

	seen->m[seen->n++] = m;
}

static int several(const char *script, unsigned window, struct mail *v,
		   size_t n, struct smtp_msg *msgs, struct arena *a,
		   struct seen *seen, size_t *finished, struct server *s,
		   struct coi_err *e)
{
	struct smtp_opts o;
	struct smtp *c;
	size_t i;
	int rc;

	*s = server_new(script);
	o = opts(s);
	o.window = window;
	c = smtp_open(&o, e);
	if (c == NULL)
		abort();
	for (i = 0; i < n; i++)
		msgs[i] = v[i].m;
	rc = smtp_send_all(c, a, msgs, n, saw, seen, finished, e);
	smtp_close(c);
	server_end(s);
	return rc;
}

TEST(window, "a window: results in order, a refused one alone, big ones alone")
{
	char *p = big_body(100032);
	struct arena *a = arena_new();
	struct server s;
	struct mail v[5];
	struct smtp_msg m[5];
	struct seen seen = {0};
	struct coi_err e = {0};
	size_t finished, i;

	for (i = 0; i < 5; i++)
		mail_new(&v[i], STR(BODY), "a@x");
	v[3].body = (struct str){p, 100032};
	v[3].m.size = 100032;
	CHECK_INT(several(FULL PUT PUT PUT
			  "> 250 r\n> 250 s\n> 250 r\n> 250 0\n"
			  "> 250 r\n> 250 s\n> 550 r\n> 503 x\n"
			  "> 250 r\n> 250 s\n> 250 r\n> 250 2\n"
			  "< RSET\n< MAIL*\n< RCPT*\n"
			  "> 250 r\n> 250 s\n> 250 r\n"
			  "< BDAT*\n= 100032\n> 250 3\n" PUT
			  "> 250 r\n> 250 s\n> 250 r\n> 250 4\n",
			  3, v, 5, m, a, &seen, &finished, &s, &e),
		  0);
	CHECK_INT(finished, 5);
	CHECK_INT(seen.n, 5);
	for (i = 0; i < 5; i++) {
		CHECK(seen.m[i] == &m[i]);
		CHECK_INT(m[i].state, i == 1 ? SMTP_REFUSED : SMTP_ACCEPTED);
		CHECK_INT(v[i].before, 1);
	}
	CHECK_STR(m[2].reply, "2");
	CHECK_STR(m[3].reply, "3");
	buf_free(&s.heard);
	arena_free(a);
	free(p);
}

TEST(window_cut, "a window cut: what has no final reply is unknown")
{
	struct arena *a = arena_new();
	struct server s;
	struct mail v[5];
	struct smtp_msg m[5];
	struct seen seen = {0};
	struct coi_err e = {0};
	size_t finished, i;

	for (i = 0; i < 5; i++)
		mail_new(&v[i], STR(BODY), "a@x");
	CHECK_INT(several(FULL PUT PUT PUT "> 250 r\n> 250 s\n> 250 r\n"
					   "> 250 0\n" PUT "!\n",
			  3, v, 5, m, a, &seen, &finished, &s, &e),
		  -1);
	CHECK_INT(finished, 1);
	CHECK_INT(e.code, COI_E_OUTCOME);
	CHECK_INT(m[0].state, SMTP_ACCEPTED);
	for (i = 1; i < 4; i++)
		CHECK_INT(m[i].state, SMTP_UNKNOWN);
	CHECK_INT(m[4].state, SMTP_UNSENT);
	CHECK_INT(v[4].before, 0);
	buf_free(&s.heard);

	/* 421 and the end: nothing behind it was looked at. */
	seen.n = 0;
	err_clear(&e);
	for (i = 0; i < 5; i++)
		mail_new(&v[i], STR(BODY), "a@x");
	CHECK_INT(several(FULL PUT PUT PUT "> 250 r\n> 250 s\n> 250 r\n"
					   "> 250 0\n" PUT
					   "> 421 too many\n!\n",
			  3, v, 5, m, a, &seen, &finished, &s, &e),
		  -1);
	CHECK_INT(finished, 1);
	CHECK_INT(e.code, COI_E_TEMP);
	for (i = 1; i < 5; i++)
		CHECK_INT(m[i].state, SMTP_UNSENT);
	buf_free(&s.heard);
	arena_free(a);
}

TEST(all_one, "window 1: bad input among others is refused and passed over")
{
	struct arena *a = arena_new();
	struct server s;
	struct mail v[3];
	struct smtp_msg m[3];
	struct seen seen = {0};
	struct coi_err e = {0};
	size_t finished, i;

	for (i = 0; i < 3; i++)
		mail_new(&v[i], STR(BODY), i == 1 ? "a\rb@x" : "a@x");
	CHECK_INT(several(FULL TAKEN("19") PUT
			  "> 250 r\n> 250 s\n> 250 r\n> 250 two\n",
			  0, v, 3, m, a, &seen, &finished, &s, &e),
		  0);
	CHECK_INT(finished, 3);
	CHECK_INT(m[0].state, SMTP_ACCEPTED);
	CHECK_INT(m[1].state, SMTP_REFUSED);
	CHECK_INT(m[1].code, 0);
	CHECK_STR(m[2].reply, "two");
	buf_free(&s.heard);
	arena_free(a);
}

TEST(cancel, "a signal after the data waits for the reply, then ends")
{
	struct arena *a = arena_new();
	struct server s = server_new(FULL "< MAIL*\n< RCPT*\n< BDAT*\n= 19\n"
					  "> 250 s\nw 300\n> 250 r\n> 250 k\n");
	struct smtp_opts o = opts(&s);
	struct coi_err e = {0};
	struct smtp_msg m[2];
	struct mail v[2];
	struct smtp *c;
	size_t finished = 9;
	int p[2];

	CHECK_INT(pipe(p), 0);
	o.net.cancel_fd = p[0];
	c = smtp_open(&o, &e);
	CHECK(c != NULL);
	CHECK_INT(write(p[1], "x", 1), 1);
	mail_new(&v[0], STR(BODY), "a@x");
	mail_new(&v[1], STR(BODY), "a@x");
	m[0] = v[0].m;
	m[1] = v[1].m;
	CHECK_INT(smtp_send_all(c, a, m, 2, NULL, NULL, &finished, &e), -1);
	CHECK_INT(e.code, COI_E_CANCELLED);
	CHECK_INT(finished, 1);
	CHECK_INT(m[0].state, SMTP_ACCEPTED);
	CHECK_INT(m[1].state, SMTP_UNSENT);
	smtp_close(c);
	server_end(&s);
	CHECK(heard(&s, "QUIT"));
	buf_free(&s.heard);
	close(p[0]);
	close(p[1]);
	arena_free(a);
}

TEST_MAIN
