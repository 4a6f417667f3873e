#include "test.h"

#include "core/err.h"
#include "core/file.h"
#include "core/mem.h"

TEST(utf8, "UTF-8: invalid sequences are found and replaced")
{
	static const char *bad[] = {"\xc0\x80",
				    "\xed\xa0\x80",
				    "\xf4\x90\x80\x80",
				    "\x80",
				    "\xe2\x82",
				    "ab\xff"
				    "cd"};
	struct buf b = {0};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!utf8_valid(str_of(bad[i])));
	CHECK(utf8_valid(STR("gr\xc3\xbc\xc3\x9f"
			     "e \xf0\x9f\x91\x8d")));
	buf_utf8(&b, STR("a\xff"
			 "b"));
	CHECK_STR(buf_view(&b), "a\xef\xbf\xbd"
				"b");
	buf_free(&b);
}

TEST(clean, "what a peer said cannot move a terminal's cursor")
{
	struct coi_err e = {0};

	err_set(&e, COI_E_TEMP, "%s",
		"x\033[2Jy\r\nz\xc2\x9b"
		"1m");
	CHECK(strcmp(e.msg, "x [2Jy  z 1m") == 0);
	CHECK(err_set(&e, COI_E_IO, "later") == -1);
	CHECK(e.code == COI_E_TEMP);
}

TEST(errno_text, "a system error is told in words")
{
	struct coi_err e = {0};

	err_errno(&e, COI_E_NOINPUT, 2, "cannot open %s", "x");
	CHECK(strcmp(e.msg, "cannot open x: No such file or directory") == 0);
}

TEST(numbers, "decimal numbers are checked for every octet and the limit")
{
	uint64_t v = 0;

	CHECK(str_u64(STR("4294967295"), 4294967295u, &v) && v == 4294967295u);
	CHECK(!str_u64(STR("4294967296"), 4294967295u, &v));
	CHECK(!str_u64(STR("18446744073709551616"), UINT64_MAX, &v));
	CHECK(!str_u64(STR(""), 9, &v));
	CHECK(!str_u64(STR("1 "), 9, &v));
	CHECK(!str_u64(STR("-1"), 9, &v));
}

TEST(names, "file names from mail lose folders, dots, dashes and controls")
{
	static const char *t[][2] = {
	    {"../../etc/passwd", "passwd"}, {"..", "f"},     {"-rf", "rf"},
	    {"C:\\x\\y.exe", "y.exe"},	    {"a\nb", "a b"}, {"", "f"},
	    {".bashrc", "bashrc"},	    {"/", "f"}};
	struct buf b = {0};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_clear(&b);
		file_safe_name(str_of(t[i][0]), "f", &b);
		CHECK_STR(buf_view(&b), t[i][1]);
	}
	buf_free(&b);
}

TEST(arena, "an arena keeps what was put in until it is reset")
{
	struct arena *a = arena_new();
	struct str s[200];
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 200; i++)
			s[i] = arena_fmt(a, "%d:%0*d", i, i * 7 % 900, i);
		for (i = 0; i < 200; i++) {
			struct buf b = {0};

			buf_fmt(&b, "%d:%0*d", i, i * 7 % 900, i);
			CHECK(str_eq(s[i], buf_view(&b)));
			buf_free(&b);
		}
		arena_reset(a);
	}
	arena_free(a);
}

TEST_MAIN
