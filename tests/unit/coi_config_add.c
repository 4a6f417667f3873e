/* Values are read back as they were written; a section goes behind others. */
#include <sys/stat.h>
#include <unistd.h>

#include "coi/config.h"
#include "core/file.h"
#include "test.h"

TEST(values, "what config_put() writes, config_parse() reads")
{
	static const char *const v[] = {
	    "",	    "x",      " x",   "x ",	  "a b", "\"",	 "\"x\"",
	    "a\"b", "\\",     "\\n",  "a\\",	  "# x", ";",	 "a = b",
	    "[x]",  "\"a\\b", " \\ ", "\xc3\xbc", "'x'", "x # y"};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct arena *a = arena_new();
		struct coi_err e = {0};
		struct buf b = {0};
		struct config c;

		buf_z(&b, "[account x]\n");
		config_put(&b, "user", str_of(v[i]));
		CHECK_INT(config_parse(a, "f", buf_view(&b), &c, &e), 0);
		CHECK_INT(c.n, 2);
		CHECK_STR(c.v[1].v[KEY_USER].text, v[i]);
		buf_free(&b);
		arena_free(a);
	}
}

static char dir[64];

static const char *path(const char *name)
{
	static char p[128];

	snprintf(p, sizeof(p), "%s/%s", dir, name);
	return p;
}

static void is(const char *p, const char *want)
{
	struct coi_err e = {0};
	struct buf b = {0};

	CHECK_INT(file_read(p, 10000, &b, &e), 0);
	CHECK_STR(buf_view(&b), want);
	buf_free(&b);
}

static int add(const char *p, const char *name, struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	buf_fmt(&b, "[account %s]\nuser = u\n", name);
	rc = config_add(p, str_of(name), buf_view(&b), e);
	buf_free(&b);
	return rc;
}

TEST(added, "new files are private, old ones only grow")
{
	struct coi_err e = {0};
	struct stat st;
	const char *p;

	snprintf(dir, sizeof(dir), "/tmp/coi-u.XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	p = path("new/deep/config");
	CHECK_INT(add(p, "a", &e), 0);
	is(p, "[account a]\nuser = u\n");
	CHECK(stat(p, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(stat(path("new"), &st) == 0 && (st.st_mode & 0777) == 0700);
	p = path("new/deep/config");
	CHECK_INT(add(p, "b", &e), 0);
	is(p, "[account a]\nuser = u\n\n[account b]\nuser = u\n");
	CHECK_INT(add(p, "a", &e), -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, ":1 already") != NULL);
	is(p, "[account a]\nuser = u\n\n[account b]\nuser = u\n");
}

TEST(refused, "a broken file stays as it is")
{
	const char *p = path("broken");
	struct coi_err e = {0};
	FILE *f = fopen(p, "w");

	fputs("[account x", f);
	fclose(f);
	CHECK_INT(add(p, "a", &e), -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	is(p, "[account x");
	err_clear(&e);
	/* What would not be read again is not written. */
	p = path("other");
	CHECK_INT(config_add(p, STR("a"), STR("[account a]\nnonsense\n"), &e),
		  -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	is(p, "");
	err_clear(&e);
	CHECK_INT(add(path("other/x"), "a", &e), -1);
	CHECK_INT(e.code, COI_E_CREATE);
	unlink(path("broken"));
	unlink(path("other"));
	unlink(path("new/deep/config"));
	rmdir(path("new/deep"));
	rmdir(path("new"));
	rmdir(dir);
}

TEST_MAIN
