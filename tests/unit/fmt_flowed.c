#include "core/mem.h"
#include "fmt/flowed.h"

#include "test.h"

static struct buf wire, back;

__attribute__((destructor)) static void tear_down(void)
{
	buf_free(&wire);
	buf_free(&back);
}

static struct str enc(struct str text)
{
	buf_clear(&wire);
	flowed_encode(&wire, text);
	return buf_view(&wire);
}

static struct str dec(struct str s, bool delsp)
{
	buf_clear(&back);
	flowed_decode(&back, s, delsp);
	return buf_view(&back);
}

static struct str round_trip(struct str text)
{
	return dec(enc(text), false);
}

/* Columns of the longest line, in code points. */
static size_t widest(struct str s)
{
	struct str line;
	size_t max = 0, n, i;

	while (str_line(&s, &line)) {
		for (i = n = 0; i < line.n; i++)
			n += (line.p[i] & 0xc0) != 0x80;
		if (n > max)
			max = n;
	}
	return max;
}

#define ENC(in, want) CHECK_STR(enc(STR(in)), want)
#define DEC(in, want) CHECK_STR(dec(STR(in), false), want)
#define SAME(in) CHECK_STR(round_trip(STR(in)), in)

TEST(encode, "lines, stuffing, trailing blanks, the signature mark")
{
	ENC("", "");
	ENC("a", "a\r\n");
	ENC("a\nb\n", "a\r\nb\r\n");
	ENC("\n\na\n\n", "\r\n\r\na\r\n\r\n");
	ENC(" a\n", "  a\r\n");
	ENC("> a\n>b\n", " > a\r\n >b\r\n");
	ENC("From me\nFrom\nFromage\n", " From me\r\nFrom\r\nFromage\r\n");
	ENC("a  \nb\t\n   \n", "a\r\nb\r\n\r\n");
	ENC("a\n-- \nme\n--  \n", "a\r\n-- \r\nme\r\n--\r\n");
}

TEST(wrap, "soft breaks at blanks, at most 72 columns")
{
	ENC("aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
	    "aaaaaaaaa aaaaaaaaa\n",
	    "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
	    "aaaaaaaaa \r\naaaaaaaaa\r\n");
	/* What a break brings to the front of a line is stuffed. */
	ENC("aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
	    "aaaaaaaaa >b From\n",
	    "aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
	    "aaaaaaaaa \r\n >b From\r\n");
	CHECK(
	    str_starts(enc(STR("-- aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b\n")),
		       "-- a"));
}

TEST(cli067, "a line of 300 characters, \"From \" and \"> \" survive (CLI-067)")
{
	struct buf b = {0};
	size_t i;

	for (i = 0; i < 300; i++)
		buf_c(&b, i % 7 == 6 ? ' ' : 'x');
	buf_z(&b, "!\nFrom here on\n> not a quote\n  indented\n");
	CHECK(str_eq(round_trip(buf_view(&b)), buf_view(&b)));
	CHECK(widest(buf_view(&wire)) <= 72);
	buf_clear(&b);
	for (i = 0; i < 300; i++)
		buf_c(&b, 'x');
	buf_z(&b, "\n");
	CHECK(str_eq(round_trip(buf_view(&b)), buf_view(&b)));
	buf_free(&b);
}

TEST(round_trips, "every text without trailing blanks comes back as it was")
{
	SAME("");
	SAME("a\n");
	SAME("\n\n");
	SAME("> a\n>> b\n >c\n");
	SAME("-- \nme\n");
	SAME("From \xc3\xa4 to z\n");
	SAME("aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
	     "aaaaaaaaa      aaaaaaaaa   > From x\n");
	SAME("Dies ist ein längerer Absatz mit Umlauten äöü, der über mehrere "
	     "Zeilen gehen muß, weil er größer ist als die Breite einer Zeile, "
	     "und der From am Anfang einer Zeile haben könnte, oder > auch.\n");
}

TEST(round_random, "ten thousand odd texts come back as they were")
{
	static const char *const v[] = {
	    "a",
	    " ",
	    ">",
	    "From ",
	    "-- ",
	    "\n",
	    "ä",
	    "word",
	    "-",
	    "\n-- \n",
	    "long-word-long-word-long-word-long-word"};
	struct buf b = {0}, want = {0};
	struct str rest, line;
	unsigned seed = 1;
	size_t i, k;

	for (i = 0; i < 10000; i++) {
		buf_clear(&b);
		buf_clear(&want);
		for (k = 0; k < i % 60; k++) {
			seed = seed * 1103515245u + 12345u;
			buf_z(&b, v[(seed >> 16) % 11]);
		}
		buf_c(&b, '\n');
		rest = buf_view(&b);
		while (str_line(&rest, &line)) {
			bool mark = str_is(line, "-- ");

			while (!mark && str_ends(line, " "))
				line.n--;
			buf_str(&want, line);
			buf_c(&want, '\n');
		}
		CHECK(str_eq(round_trip(buf_view(&b)), buf_view(&want)));
		if (test_bad > 0) {
			printf("# %.*s\n", STR_ARG(buf_view(&wire)));
			CHECK_STR(buf_view(&back), buf_cstr(&want));
			break;
		}
	}
	buf_free(&b);
	buf_free(&want);
}

TEST(decode, "paragraphs are joined, quotes keep their depth (RFC 3676 4)")
{
	DEC("a \r\nb\r\nc\r\n", "a b\nc\n");
	DEC("a \nb\nc", "a b\nc");
	DEC("> a \r\n> b\r\n>> c \r\n>> d\r\ne\r\n", "> a b\n>> c d\ne\n");
	DEC(">>a\r\n>\r\n> \r\n", ">> a\n>\n>\n");
	DEC("a \r\n> b\r\n", "a \n> b\n");
	DEC("> a \r\nb\r\n", "> a \nb\n");
	DEC(" > a\r\n  b\r\n From x\r\n", "> a\n b\nFrom x\n");
	DEC("", "");
	DEC("a \r\n", "a \n");
	DEC("a ", "a ");
}

TEST(signature, "the signature mark is a line of its own, quoted or not")
{
	DEC("a \r\n-- \r\nme\r\n", "a \n-- \nme\n");
	DEC("> a \r\n> -- \r\n> me\r\n", "> a \n> -- \n> me\n");
	CHECK_STR(dec(STR("a \r\n-- \r\nme"), true), "a\n-- \nme");
}

TEST(delsp, "DelSp=yes: the blank of a soft break goes")
{
	CHECK_STR(dec(STR("日 \r\n本\r\n"), true), "日本\n");
	CHECK_STR(dec(STR("a  \r\nb\r\n"), true), "a b\n");
}

TEST(linear, "a megabyte of anything takes no time")
{
	static const char *const v[] = {
	    "a", " ", ">", "\n", "a ", " \n", "> \n", "> a \n>> b \n", "\r"};
	struct buf b = {0};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_clear(&b);
		while (b.n < (1u << 20))
			buf_z(&b, v[i]);
		CHECK(dec(buf_view(&b), true).n <= 2 * b.n);
		CHECK(enc(buf_view(&b)).n <= 3 * b.n);
	}
	buf_free(&b);
}

TEST_MAIN
