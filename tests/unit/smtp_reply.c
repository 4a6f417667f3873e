#include "test.h"

#include "core/limits.h"
#include "smtp/priv.h"

/* Feeds `in` cut into pieces of `step` octets; the outcome of the last. */
static int feed(struct smtp_reply *r, struct str in, size_t step, size_t *used)
{
	size_t i = 0, k, n;
	int rc = 0;

	smtp_reply_reset(r);
	while (i < in.n && rc == 0) {
		n = in.n - i < step ? in.n - i : step;
		rc = smtp_reply_feed(r, str_sub(in, i, n), &k);
		i += k;
		if (rc == 0 && k != n)
			return -2;
	}
	*used = i;
	return rc;
}

static const struct {
	const char *in;
	int rc, code;
	unsigned lines;
	const char *words, *enhanced;
} table[] = {
    {"250 ok\r\n", 1, 250, 1, "ok", ""},
    {"250 ok\n", 1, 250, 1, "ok", ""},
    {"250\r\n", 1, 250, 1, "", ""},
    {"250-\r\n250 \r\n", 1, 250, 2, "", ""},
    {"250-a\r\n250-b\r\n250 c\r\n", 1, 250, 3, "a b c", ""},
    {"550 5.1.1 No such user\r\n", 1, 550, 1, "No such user", "5.1.1"},
    {"550-5.1.1 No such\r\n550 5.1.1 user\r\n", 1, 550, 2, "No such user",
     "5.1.1"},
    {"550 4.1.1 odd class\r\n", 1, 550, 1, "4.1.1 odd class", ""},
    {"250 2.0.0\r\n", 1, 250, 1, "", "2.0.0"},
    {"550 5.1.1234 long\r\n", 1, 550, 1, "5.1.1234 long", ""},
    {"550 5.1.1x\r\n", 1, 550, 1, "5.1.1x", ""},
    {"451 4.7.650 later\r\n", 1, 451, 1, "later", "4.7.650"},
    {"550 \x1b[31mred\xff\r\n", 1, 550, 1, " [31mred\xef\xbf\xbd", ""},
    {"250 a\rb\r\n", 1, 250, 1, "a b", ""},
    {"250 ok\r\n250 next\r\n", 1, 250, 1, "ok", ""},
    {"250 ok", 0, 0, 0, NULL, NULL},
    {"250-ok\r\n", 0, 0, 0, NULL, NULL},
    {"250-ok\r\n251 other\r\n", -1, 0, 0, NULL, NULL},
    {"250-ok\r\nnonsense\r\n", -1, 0, 0, NULL, NULL},
    {"\r\n", -1, 0, 0, NULL, NULL},
    {"\n", -1, 0, 0, NULL, NULL},
    {"25\r\n", -1, 0, 0, NULL, NULL},
    {"250ok\r\n", -1, 0, 0, NULL, NULL},
    {"2500 ok\r\n", -1, 0, 0, NULL, NULL},
    {"150 ok\r\n", -1, 0, 0, NULL, NULL},
    {"650 ok\r\n", -1, 0, 0, NULL, NULL},
    {" 250 ok\r\n", -1, 0, 0, NULL, NULL},
    {"* OK IMAP\r\n", -1, 0, 0, NULL, NULL},
};

TEST(replies, "replies of one and many lines, cut at every place")
{
	struct smtp_reply r = {0};
	struct buf words = {0};
	size_t i, step, used;
	int rc;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct str in = str_of(table[i].in);

		for (step = 1; step <= in.n; step++) {
			rc = feed(&r, in, step, &used);
			if (rc != table[i].rc)
				printf("# case %zu step %zu\n", i, step);
			CHECK_INT(rc, table[i].rc);
			if (rc < 0)
				CHECK(r.fault != NULL);
			if (rc <= 0)
				continue;
			CHECK_INT(r.code, table[i].code);
			CHECK_INT(r.lines, table[i].lines);
			buf_clear(&words);
			smtp_reply_words(&r, &words);
			CHECK_STR(buf_view(&words), table[i].words);
			CHECK_STR(smtp_reply_enhanced(&r), table[i].enhanced);
		}
	}
	buf_free(&words);
	smtp_reply_free(&r);
}

TEST(rest, "what follows a reply is left for the next one")
{
	struct smtp_reply r = {0};
	size_t used;

	CHECK_INT(
	    smtp_reply_feed(&r, STR("250-a\r\n250 b\r\n354 go\r\n"), &used), 1);
	CHECK_INT(used, 14);
	smtp_reply_free(&r);
}

static int many(const char *line, size_t n, bool last)
{
	struct smtp_reply r = {0};
	struct buf b = {0};
	size_t used, i;
	int rc;

	for (i = 0; i < n; i++)
		buf_z(&b, line);
	if (last)
		buf_z(&b, "250 end\r\n");
	rc = smtp_reply_feed(&r, buf_view(&b), &used);
	buf_free(&b);
	smtp_reply_free(&r);
	return rc;
}

TEST(limits, "endless lines and endless replies end at their limits")
{
	struct smtp_reply r = {0};
	struct buf b = {0};
	size_t used, step;

	CHECK_INT(many("250-x\r\n", LIMIT_SMTP_LINES - 1, true), 1);
	CHECK_INT(many("250-x\r\n", LIMIT_SMTP_LINES, true), -1);
	CHECK_INT(many("250-x\r\n", LIMIT_SMTP_LINES * 2, false), -1);

	buf_z(&b, "250 ");
	while (b.n < LIMIT_SMTP_LINE - 1)
		buf_c(&b, 'x');
	buf_z(&b, "\r\n");
	CHECK_INT(feed(&r, buf_view(&b), b.n, &used), 1);
	buf_clear(&b);
	buf_z(&b, "250 ");
	while (b.n < LIMIT_SMTP_LINE * 3)
		buf_c(&b, 'x');
	for (step = 1; step < 9000; step += 997) {
		CHECK_INT(feed(&r, buf_view(&b), step, &used), -1);
		CHECK(used <= LIMIT_SMTP_LINE + 1);
	}
	buf_clear(&b);
	buf_z(&b, "250-");
	while (b.n < 1000)
		buf_c(&b, 'x');
	buf_z(&b, "\r\n");
	CHECK_INT(many(buf_cstr(&b), 64, true), -1);
	buf_free(&b);
	smtp_reply_free(&r);
}

static const struct {
	const char *in, *out;
} dots[] = {
    {"", ".\r\n"},
    {"a\r\n", "a\r\n.\r\n"},
    {"a", "a\r\n.\r\n"},
    {".", "..\r\n.\r\n"},
    {".\r\n", "..\r\n.\r\n"},
    {"..\r\n", "...\r\n.\r\n"},
    {"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
    {"a.\r\n b.c\r\n", "a.\r\n b.c\r\n.\r\n"},
    {"\r\n\r\n.x", "\r\n\r\n..x\r\n.\r\n"},
    /* Lone CR and LF must not become another line's end further on. */
    {"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
    {"a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"},
    {"a\r\r\n.\r\n", "a\r\n\r\n..\r\n.\r\n"},
    {"a\r", "a\r\n.\r\n"},
    {"\r", "\r\n.\r\n"},
    {"\n\r.", "\r\n\r\n..\r\n.\r\n"},
};

TEST(dot, "dot-stuffing, cut at every place")
{
	struct buf out = {0};
	size_t i, step, at;

	for (i = 0; i < sizeof(dots) / sizeof(dots[0]); i++) {
		struct str in = str_of(dots[i].in);

		for (step = 1; step <= in.n + 1; step++) {
			struct stuff st = {0};

			buf_clear(&out);
			for (at = 0; at < in.n; at += step)
				stuff_add(&st, str_sub(in, at, step), &out);
			stuff_end(&st, &out);
			CHECK_STR(buf_view(&out), dots[i].out);
		}
	}
	buf_free(&out);
}

static bool address_ok(const char *to)
{
	struct smtp_rcpt r = {.email = str_of(to)};
	struct smtp_msg m = {
	    .from = STR("me@example.org"), .rcpts = &r, .nrcpts = 1};
	struct coi_err e = {0};

	return smtp_check(&m, &e) == 0;
}

TEST(addresses, "addresses that would break a command are refused")
{
	struct smtp_rcpt r = {.email = {"a\0b@x", 5}};
	struct smtp_msg m = {.rcpts = &r, .nrcpts = 1};
	struct coi_err e = {0};

	CHECK(address_ok("a@example.org"));
	CHECK(address_ok("\"a b\"@example.org"));
	CHECK(address_ok("\"a>b\"@example.org"));
	CHECK(address_ok("\"a\\\"b\"@example.org"));
	CHECK(address_ok("j\xc3\xbcrgen@example.org"));
	CHECK(!address_ok(""));
	CHECK(!address_ok("a@x> NOTIFY=NEVER"));
	CHECK(!address_ok("a@x\r\nDATA"));
	CHECK(!address_ok("a@x\nDATA"));
	CHECK(!address_ok("a@x\rDATA"));
	CHECK(!address_ok("\"a\r\n\"@x"));
	CHECK(!address_ok("\"a\\\r\n\"@x"));
	CHECK(!address_ok("a b@x"));
	CHECK(!address_ok("a\tb@x"));
	CHECK(!address_ok("<a@x"));
	CHECK(!address_ok("\"a@x"));
	CHECK(!address_ok("\"a@x\\"));
	CHECK(!address_ok("a\xff@x"));
	CHECK(!address_ok("a\xc2\x85@x"));
	CHECK_INT(smtp_check(&m, &e), -1);
	CHECK_INT(e.code, COI_E_DATA);
}

TEST(xtext, "xtext of RFC 3461")
{
	struct buf b = {0};

	smtp_xtext(&b, STR("a+b=c d@x\x7f"));
	CHECK_STR(buf_view(&b), "a+2Bb+3Dc+20d@x+7F");
	buf_free(&b);
}

TEST_MAIN
