#include "test.h"

#include "coi/config.h"

static struct coi_err e;

static int parse(struct arena *a, struct config *c, struct str text)
{
	err_clear(&e);
	return config_parse(a, "cfg", text, c, &e);
}

/* The message that a text earns. */
static const char *bad(const char *text)
{
	struct arena *a = arena_new();
	struct config c;

	if (parse(a, &c, str_of(text)) == 0)
		snprintf(e.msg, sizeof(e.msg), "no error");
	else if (e.code != COI_E_CONFIG)
		snprintf(e.msg, sizeof(e.msg), "code %d", (int)e.code);
	arena_free(a);
	return e.msg;
}

TEST(values, "sections, defaults, comments, quotes")
{
	struct arena *a = arena_new();
	struct config c;

	CHECK(parse(a, &c,
		    STR("\xef\xbb\xbf# comment\r\n"
			"; another\r\n"
			"imap-tls=starttls\r\n"
			"\r\n"
			"[account work]\n"
			"  address =  me@example.org  \n"
			"name = \"J. \\\"Jo\\\" \\\\ Doe\\tx \"\n"
			"password-command = pass show a; b # c = d \"e\"\n"
			"sent-folder = \"\"\n"
			"[ account\tb.c_d-9 ]\n"
			"pin = AAA\n"
			"pin = BBB CCC")) == 0);
	CHECK_INT(c.n, 3);
	CHECK(c.v[0].name.p == NULL);
	CHECK_STR(c.v[0].v[KEY_IMAP_TLS].text, "starttls");
	CHECK_INT(c.v[0].v[KEY_IMAP_TLS].line, 3);
	CHECK_STR(c.v[1].name, "work");
	CHECK_INT(c.v[1].line, 5);
	CHECK_STR(c.v[1].v[KEY_ADDRESS].text, "me@example.org");
	CHECK_STR(c.v[1].v[KEY_NAME].text, "J. \"Jo\" \\ Doe\tx ");
	CHECK_STR(c.v[1].v[KEY_PASSWORD_COMMAND].text,
		  "pass show a; b # c = d \"e\"");
	CHECK(c.v[1].v[KEY_SENT_FOLDER].file != NULL);
	CHECK_STR(c.v[1].v[KEY_SENT_FOLDER].text, "");
	CHECK(c.v[1].v[KEY_USER].file == NULL);
	CHECK_STR(c.v[2].name, "b.c_d-9");
	CHECK_STR(c.v[2].v[KEY_PIN].text, "AAA BBB CCC");
	arena_free(a);
}

TEST(long_values, "long lines, values and names are not cut")
{
	struct arena *a = arena_new();
	struct buf b = {0};
	struct config c;
	int i;

	buf_z(&b, "[account "
		  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"
		  "1234]\npassword-command = x");
	for (i = 0; i < 20000; i++)
		buf_z(&b, " ; y");
	CHECK(parse(a, &c, buf_view(&b)) == 0);
	CHECK_INT(c.v[1].name.n, 64);
	CHECK_INT(c.v[1].v[KEY_PASSWORD_COMMAND].text.n, 80001);
	buf_free(&b);
	arena_free(a);
}

TEST(errors, "every error names file and line, and what to do")
{
	static const char *const t[][2] = {
	    {"\n\nimap-hots = x",
	     "cfg:3: unknown key \"imap-hots\", did you mean \"imap-host\"?"},
	    {"Address = x",
	     "cfg:1: unknown key \"Address\", did you mean \"address\"?"},
	    {"pni = x", "cfg:1: unknown key \"pni\", did you mean \"pin\"?"},
	    {"smpt-port = 1",
	     "cfg:1: unknown key \"smpt-port\", did you mean \"smtp-port\"?"},
	    {"something-else = x", "cfg:1: unknown key \"something-else\""},
	    {"= x", "cfg:1: unknown key \"\""},
	    {"user", "cfg:1: no \"=\" in \"user\""},
	    {"user =  ", "cfg:1: \"user\" has no value"},
	    {"user = a\nuser = b", "cfg:2: \"user\" stands in line 1 already"},
	    {"[account a]\nuser = b\n[account b]\n[account a]",
	     "cfg:4: account \"a\" stands in line 1 already"},
	    {"[account a", "cfg:1: the section does not end with \"]\""},
	    {"[acount a]", "cfg:1: unknown section \"acount a\""},
	    {"[accounta]", "cfg:1: unknown section \"accounta\""},
	    {"[]", "cfg:1: unknown section \"\""},
	    {"[account]", "cfg:1: bad name of an account \"\""},
	    {"[account ../x]", "cfg:1: bad name of an account \"../x\""},
	    {"[account .x]", "cfg:1: bad name of an account \".x\""},
	    {"[account a b]", "cfg:1: bad name of an account \"a b\""},
	    {"name = \"x", "cfg:1: a closing \" is missing"},
	    {"name = \"x\\\"", "cfg:1: a closing \" is missing"},
	    {"name = \"x\" y", "cfg:1: text behind the closing \": \" y\""},
	    {"name = \"\\n\"", "cfg:1: in quotes only \\\" \\\\ and \\t may "
			       "follow a backslash"},
	    {"name = a\001b", "cfg:1: control characters in the line"},
	    {"name = \xff", "cfg:1: the line is not UTF-8"},
	    {"default = yes", "cfg:1: \"default\" belongs into a section"},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_STR(str_of(bad(t[i][0])), t[i][1]);
}

TEST(password, "a password in the file is refused with advice")
{
	CHECK_STR(str_of(bad("[account a]\npassword = hunter2")),
		  "cfg:2: no password may stand in this file");
	CHECK(strstr(e.hint, "password-command") != NULL);
	CHECK(strstr(e.msg, "hunter2") == NULL);
	CHECK(strstr(e.hint, "hunter2") == NULL);
	bad("token = abc");
	CHECK(strstr(e.hint, "token-command") != NULL);
}

TEST(cut, "a text cut anywhere is parsed or refused, never more")
{
	static const char whole[] =
	    "user = a\n[account work]\nname = \"a \\\" b\"\npin = x\npin = y\n"
	    "[account b]\nmax-size = 5M\n";
	struct arena *a = arena_new();
	struct config c;
	size_t i;

	for (i = 0; i < sizeof(whole); i++) {
		char *p = mem_dup((struct str){whole, i});
		int rc = parse(a, &c, (struct str){p, i});

		CHECK(rc == 0 || (e.code == COI_E_CONFIG &&
				  str_starts(str_of(e.msg), "cfg:")));
		free(p);
		arena_reset(a);
	}
	arena_free(a);
}

TEST(many, "many pins and sections end in an error, not in time or memory")
{
	struct buf b = {0};
	int i;

	for (i = 0; i < 150000; i++)
		buf_z(&b, "pin=a\n");
	CHECK(strstr(bad(buf_cstr(&b)), "too many pins") != NULL);
	buf_clear(&b);
	for (i = 0; i < 50000; i++)
		buf_fmt(&b, "[account a%d]\n", i);
	CHECK(strstr(bad(buf_cstr(&b)), "more than 1000 accounts") != NULL);
	buf_free(&b);
}

TEST_MAIN
