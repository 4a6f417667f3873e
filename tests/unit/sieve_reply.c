#include "test.h"

#include "core/limits.h"
#include "sieve/reply.h"

/* Feeds `in` in pieces of `step` octets; the outcome of the last. */
static int feed(struct sieve_line *l, struct str in, size_t step, size_t *used)
{
	size_t i = 0, k, n;
	int rc = 0;

	sieve_line_reset(l);
	while (i < in.n && rc == 0) {
		n = in.n - i < step ? in.n - i : step;
		rc = sieve_line_feed(l, str_sub(in, i, n), &k);
		i += k;
		if (rc == 0 && k != n)
			return -2;
	}
	*used = i;
	return rc;
}

/* "OK <QUOTA/MAX> s:words" of a line: strings have "s:", those in
 * parentheses stand between < and >. */
static void show(const struct sieve_line *l, struct buf *b)
{
	unsigned k;
	size_t i;

	buf_clear(b);
	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_c(b, ' ');
		for (k = 0; k < l->v[i].deep; k++)
			buf_c(b, '<');
		buf_z(b, l->v[i].string ? "s:" : "");
		buf_str(b, sieve_line_word(l, i));
		for (k = 0; k < l->v[i].deep; k++)
			buf_c(b, '>');
	}
}

static const struct {
	const char *in;
	int rc;
	const char *want;
} table[] = {
    {"OK\r\n", 1, "OK"},
    {"ok\n", 1, "ok"},
    {"\r\n", 1, ""},
    {"NO \"no such script\"\r\n", 1, "NO s:no such script"},
    {"NO (QUOTA/MAXSCRIPTS) \"full\"\r\n", 1, "NO <QUOTA/MAXSCRIPTS> s:full"},
    {"OK (SASL \"dj1h\")\r\n", 1, "OK <SASL> <s:dj1h>"},
    {"BYE (REFERRAL \"sieve://b.test\") \"there\"\r\n", 1,
     "BYE <REFERRAL> <s:sieve://b.test> s:there"},
    {"OK (TAG {3}\r\na\rb) {2+}\r\n\r\n\r\n", 1, "OK <TAG> <s:a\rb> s:\r\n"},
    {"NO (a (b \"c\"))\r\n", 1, "NO <a> <<b>> <<s:c>>"},
    {"\"SIEVE\" \"fileinto vacation\"\r\n", 1, "s:SIEVE s:fileinto vacation"},
    {"\"STARTTLS\"\r\n", 1, "s:STARTTLS"},
    {"\"a \\\"b\\\\\" ACTIVE\r\n", 1, "s:a \"b\\ ACTIVE"},
    {"\"\" {0}\r\n\r\n", 1, "s: s:"},
    {"{5}\r\nkeep;\r\nOK\r\n", 1, "s:keep;"},
    {"\"gr\xc3\xbc\xc3\x9f\"\r\n", 1, "s:gr\xc3\xbc\xc3\x9f"},
    {"OK  \"two blanks\" \r\n", 1, "OK s:two blanks"},
    {"a b c d e f g h i j k l m n o p q \"r\" {1}\r\ns\r\n", 1,
     "a b c d e f g h i j k l m n o p"},
    {"OK", 0, NULL},
    {"\"open", 0, NULL},
    {"{5}\r\nkee", 0, NULL},
    {"\"open\r\n\"", -1, NULL},
    {"\"a\"\"b\"\r\n", -1, NULL},
    {"\"a\"b\r\n", -1, NULL},
    {"a\"b\"\r\n", -1, NULL},
    {"a{1}\r\nb\r\n", -1, NULL},
    {"{}\r\n", -1, NULL},
    {"{x}\r\n", -1, NULL},
    {"{-1}\r\n", -1, NULL},
    {"{1+1}\r\n", -1, NULL},
    {"{1} \r\n", -1, NULL},
    {"{1}\r\r\n", -1, NULL},
    {"{99999999999999999999999}\r\n", -1, NULL},
    {"OK (a\r\n", -1, NULL},
    {"OK a)\r\n", -1, NULL},
    {"OK \r \r\n", -1, NULL},
    {"OK }\r\n", -1, NULL},
    {"OK \001\r\n", -1, NULL},
    {"NO ((((((((((((((((((", -1, NULL},
    {"\x16\x03\x01\x02", -1, NULL},
};

TEST(lines, "lines as they come, and those that are none")
{
	struct sieve_line l = {.n = 0};
	struct buf b = {0};
	size_t i, step, used;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (step = 1; step <= strlen(table[i].in); step++) {
			int rc = feed(&l, str_of(table[i].in), step, &used);

			if (rc != table[i].rc)
				printf("# \"%s\" by %zu\n", table[i].in, step);
			CHECK_INT(rc, table[i].rc);
			CHECK((rc < 0) == (l.fault != NULL));
			if (rc != 1)
				continue;
			show(&l, &b);
			CHECK_STR(buf_view(&b), table[i].want);
		}
	buf_free(&b);
	sieve_line_free(&l);
}

TEST(next, "what comes behind a line stays for the next")
{
	struct sieve_line l = {.n = 0};
	struct str in = STR("{5}\r\nkeep;\r\nOK\r\n");
	size_t used;

	CHECK_INT(sieve_line_feed(&l, in, &used), 1);
	CHECK_INT(used, 12);
	sieve_line_reset(&l);
	CHECK_INT(sieve_line_feed(&l, str_sub(in, used, in.n), &used), 1);
	CHECK_INT(sieve_line_status(&l), SIEVE_OK);
	sieve_line_free(&l);
}

TEST(meaning, "status, code, its argument, the words")
{
	struct sieve_line l = {.n = 0};
	size_t used;

	feed(&l, STR("NO (QUOTA/MAXSIZE) {4}\r\nfull\r\n"), 100, &used);
	CHECK_INT(sieve_line_status(&l), SIEVE_NO);
	CHECK_STR(sieve_line_code(&l), "QUOTA/MAXSIZE");
	CHECK(sieve_line_argument(&l).p == NULL);
	CHECK_STR(sieve_line_words(&l), "full");

	feed(&l, STR("OK (SASL \"YQ==\") \"hi\"\r\n"), 100, &used);
	CHECK_INT(sieve_line_status(&l), SIEVE_OK);
	CHECK_STR(sieve_line_code(&l), "SASL");
	CHECK_STR(sieve_line_argument(&l), "YQ==");
	CHECK_STR(sieve_line_words(&l), "hi");

	feed(&l, STR("BYE\r\n"), 100, &used);
	CHECK_INT(sieve_line_status(&l), SIEVE_BYE);
	CHECK(sieve_line_code(&l).p == NULL);
	CHECK(sieve_line_words(&l).p == NULL);

	/* a script or a name may be called so */
	feed(&l, STR("\"OK\" ACTIVE\r\n"), 100, &used);
	CHECK_INT(sieve_line_status(&l), SIEVE_DATA);
	feed(&l, STR("(OK)\r\n"), 100, &used);
	CHECK_INT(sieve_line_status(&l), SIEVE_DATA);
	feed(&l, STR("OKAY\r\n"), 100, &used);
	CHECK_INT(sieve_line_status(&l), SIEVE_DATA);
	sieve_line_free(&l);
}

/* n octets of c between a and b: the outcome. */
static int sized(const char *a, char c, size_t n, const char *b)
{
	struct sieve_line l = {.n = 0};
	struct buf in = {0};
	size_t used, i;
	int rc;

	buf_z(&in, a);
	for (i = 0; i < n; i++)
		buf_c(&in, c);
	buf_z(&in, b);
	rc = feed(&l, buf_view(&in), 4096, &used);
	CHECK(l.text.n <= LIMIT_SIEVE_SCRIPT + 2 * LIMIT_SIEVE_LINE);
	buf_free(&in);
	sieve_line_free(&l);
	return rc;
}

TEST(limits, "lines and literals have their limits")
{
	char head[40];

	CHECK_INT(sized("\"", 'a', LIMIT_SIEVE_LINE - 10, "\"\r\n"), 1);
	CHECK_INT(sized("\"", 'a', LIMIT_SIEVE_LINE, "\"\r\n"), -1);
	CHECK_INT(sized("", ' ', LIMIT_SIEVE_LINE + 1, ""), -1);
	CHECK_INT(sized("", 'a', LIMIT_SIEVE_LINE + 1, ""), -1);
	CHECK_INT(sized("{", '0', LIMIT_SIEVE_LINE + 1, ""), -1);
	snprintf(head, sizeof(head), "{%u}\r\n", LIMIT_SIEVE_SCRIPT);
	CHECK_INT(sized(head, 'a', LIMIT_SIEVE_SCRIPT, "\r\n"), 1);
	snprintf(head, sizeof(head), "{%u}\r\n", LIMIT_SIEVE_SCRIPT + 1);
	CHECK_INT(sized(head, 'a', LIMIT_SIEVE_SCRIPT, "\r\n"), -1);
	snprintf(head, sizeof(head), " {%u}\r\n", LIMIT_SIEVE_SCRIPT);
	CHECK_INT(sized(head, 'a', LIMIT_SIEVE_SCRIPT, " {100000}\r\n"), -1);
}

TEST_MAIN
