/* The forms of an address that its hash may be made of. */
#include "fmt/addr_fold.h"
#include "test.h"

static void forms(struct str email, const char *want)
{
	struct arena *a = arena_new();
	struct str out[ADDR_FORMS];
	struct buf b = {0};
	size_t i, n = addr_forms(a, email, out);

	for (i = 0; i < n; i++)
		buf_fmt(&b, "%s%.*s", i > 0 ? "|" : "", STR_ARG(out[i]));
	CHECK_STR(buf_view(&b), want);
	buf_free(&b);
	arena_free(a);
}

TEST(plain, "lower case, quotes and backslashes gone")
{
	forms(STR("John.Doe@Example.COM"), "john.doe@example.com");
	forms(STR("\"J D\"@x.org"), "j d@x.org");
	forms(STR("\"a\\\"B\\\\c\"@x.org"), "a\"b\\c@x.org");
	forms(STR("\"a@b\"@x.org"), "a@b@x.org");
	forms(STR("user+tag@x.org"), "user+tag@x.org");
	forms(STR(""), "");
	forms(STR_NONE, "");
	forms(STR("nodomain"), "nodomain");
	forms(((struct str){"a\0b@x", 5}), "");
}

TEST(international, "U-labels to write, A-labels and ASCII folding to find")
{
	forms(STR("X@b\xc3\xbc"
		  "cher.test"),
	      "x@b\xc3\xbc"
	      "cher.test|x@xn--bcher-kva.test");
	forms(STR("x@XN--bcher-kva.test"), "x@b\xc3\xbc"
					   "cher.test|x@xn--bcher-kva.test");
	/* Capitals beyond ASCII, and a letter in two characters. */
	forms(STR("\xc3\x84@x.org"), "\xc3\xa4@x.org|\xc3\x84@x.org");
	forms(STR("A\xcc\x88@x.org"), "\xc3\xa4@x.org|a\xcc\x88@x.org");
	/* What is no UTF-8 or no domain stays as it is. */
	forms(STR("\xffQ@x.org"), "\xffq@x.org");
	forms(STR("x@xn--\x80"), "x@xn--\x80");
	forms(STR("x@xn--zzzzzzzz-.test"), "x@xn--zzzzzzzz-.test");
}

TEST(long_one, "nobody's address is that long")
{
	struct buf b = {0};

	while (b.n < 2000)
		buf_c(&b, 'a');
	buf_z(&b, "@x");
	forms(buf_view(&b), "");
	buf_free(&b);
}

TEST_MAIN
