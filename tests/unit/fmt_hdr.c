#include "fmt/hdr.h"

#include "test.h"

static struct arena *a;

__attribute__((constructor)) static void set_up(void)
{
	a = arena_new();
}

__attribute__((destructor)) static void tear_down(void)
{
	arena_free(a);
}

#define TEXT(in, want) CHECK_STR(hdr_text(a, STR(in)), want)

static struct str join(const char *name, struct str text)
{
	struct buf b = {0};
	struct str s;

	hdr_write_text(&b, name, text);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

static size_t longest_line(struct str s)
{
	struct str line;
	size_t max = 0;

	while (str_line(&s, &line))
		if (line.n > max)
			max = line.n;
	return max;
}

/* Every LF has its CR, and only folded lines follow the first. */
static bool one_field(struct str s)
{
	size_t i;

	if (!str_ends(s, "\r\n"))
		return false;
	for (i = 0; i < s.n; i++) {
		bool last = i + 1 == s.n;

		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			return false;
		if (s.p[i] == '\r' && (last || s.p[i + 1] != '\n'))
			return false;
		if (s.p[i] == '\n' && !last && s.p[i + 1] != ' ')
			return false;
		if ((unsigned char)s.p[i] >= 127 || s.p[i] == '\0')
			return false;
	}
	return true;
}

TEST(next, "fields come one by one, folded ones whole, LF and CRLF")
{
	struct str h = STR("From x Mon Jan  1 10:00:00 2001\n"
			   "Subject: a\r\n\tb\r\n c\n"
			   "no field here\n and its continuation\n"
			   "Odd : with blank\n"
			   "bad name: x\n"
			   "Empty:\n"
			   "To:x@y\n\nBody: no");
	struct str n, v;

	CHECK(hdr_next(&h, &n, &v));
	CHECK_STR(n, "Subject");
	CHECK_STR(v, "a\r\n\tb\r\n c");
	CHECK(hdr_next(&h, &n, &v));
	CHECK_STR(n, "Odd");
	CHECK_STR(v, "with blank");
	CHECK(hdr_next(&h, &n, &v));
	CHECK_STR(n, "Empty");
	CHECK_STR(v, "");
	CHECK(v.p != NULL);
	CHECK(hdr_next(&h, &n, &v));
	CHECK_STR(n, "To");
	CHECK_STR(v, "x@y");
	CHECK(!hdr_next(&h, &n, &v));
	CHECK_STR(h, "Body: no");
}

TEST(next_nul, "NUL and 8-bit octets stay in the value")
{
	struct str h = STR("A: x\0y\xff\nB: 2"), n, v;

	CHECK(hdr_next(&h, &n, &v));
	CHECK(str_eq(v, STR("x\0y\xff")));
	CHECK(hdr_next(&h, &n, &v));
	CHECK_STR(v, "2");
	CHECK(!hdr_next(&h, &n, &v));
}

TEST(next_cut, "a block cut anywhere gives a prefix of its fields")
{
	struct str all = STR("One: 1\r\nTwo: 2\r\n folded\r\nThree: 3\r\n\r\n");
	size_t i;

	for (i = 0; i <= all.n; i++) {
		struct str h = str_sub(all, 0, i), n, v;
		int got = 0;

		while (hdr_next(&h, &n, &v)) {
			got++;
			CHECK(n.p >= all.p && v.p + v.n <= all.p + i);
		}
		CHECK(got <= 3);
		CHECK_INT(h.n, 0);
	}
}

TEST(get, "the first field of that name, whatever its case; not in the body")
{
	struct str h = STR("X-To: no\r\nTO:\r\n a@b\r\nto: later\r\n"
			   "Subject : s\r\n To: folded\r\n\r\nCc: body");

	CHECK_STR(hdr_get(h, "To"), "a@b");
	CHECK_STR(hdr_get(h, "subject"), "s\r\n To: folded");
	CHECK(hdr_get(h, "Cc").p == NULL);
	CHECK(hdr_get(h, "T").p == NULL);
	CHECK(hdr_get(STR(""), "T").p == NULL);
	CHECK_STR(hdr_get(STR("A"), "A"), "");
	CHECK_STR(hdr_get(STR("A:"), "A"), "");
}

TEST(end, "where the header ends")
{
	CHECK_INT(hdr_end(STR("A: b\r\n\r\nbody")), 8);
	CHECK_INT(hdr_end(STR("A: b\n\nbody")), 6);
	CHECK_INT(hdr_end(STR("\nbody")), 1);
	CHECK_INT(hdr_end(STR("\r\nbody")), 2);
	CHECK_INT(hdr_end(STR("A: b\nC: d")), 9);
	CHECK_INT(hdr_end(STR("A: b\n \nC: d\n\n")), 13);
	CHECK_INT(hdr_end(STR("")), 0);
}

TEST(unfold, "a fold becomes one blank; a view where there is none")
{
	struct str s = STR("plain  text");

	CHECK(hdr_unfold(a, s).p == s.p);
	CHECK_STR(hdr_unfold(a, STR("a\r\n b")), "a b");
	CHECK_STR(hdr_unfold(a, STR("a \n\t b\r\n   \r\n c")), "a b c");
	CHECK_STR(hdr_unfold(a, STR("a\rb")), "a b");
	CHECK_STR(hdr_unfold(a, STR("\r\n a")), "a");
}

TEST(words, "encoded words (RFC 2047 8) and what real mailers make of them")
{
	struct str s = STR("nothing = to ? do");

	CHECK(hdr_text(a, s).p == s.p);
	TEXT("=?ISO-8859-1?Q?a?=", "a");
	TEXT("=?ISO-8859-1?Q?a?= b", "a b");
	TEXT("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab");
	TEXT("=?ISO-8859-1?Q?a?=\r\n  =?ISO-8859-2?Q?b?=", "ab");
	TEXT("=?ISO-8859-1?Q?a_b?=", "a b");
	TEXT("x =?utf-8?b?w6Q=?= y", "x ä y");
	TEXT("=?utf-8*de?Q?=C3=A4?=", "ä");
	TEXT("=?UTF-8?q?caf=c3=a9?=!", "café!");
	TEXT("x=?utf-8?Q?y?=z", "xyz");
	TEXT("=?utf-8?Q?raw blank?=", "raw blank");
	TEXT("=?utf-8?Q?\?=", "");
	TEXT("=?utf-8?Q?a?b?=", "a?b");
	TEXT("=?utf-8?Q?=4?= =?utf-8?Q?=ZZ?=", "=4=ZZ");
	TEXT("=?utf-8?B?w6Q?=", "ä");
}

TEST(split_char, "a character split over two words is one character")
{
	TEXT("=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC?=", "€");
	TEXT("=?utf-8?B?4oI=?=\r\n =?UTF-8?Q?=AC!?=", "€!");
	/* Another set, or text in between, ends it. */
	CHECK(str_ends(hdr_text(a, STR("=?utf-8?Q?=E2=82?= x =?utf-8?Q?=AC?=")),
		       " x \xef\xbf\xbd"));
}

TEST(charsets, "other character sets, unknown ones, raw octets")
{
	TEXT("=?iso-8859-1?Q?gr=FC=DFe?=", "grüße");
	TEXT("=?windows-1252?Q?=80?=", "€");
	TEXT("=?gb2312?B?xOO6ww==?=", "你好");
	TEXT("=?no-such-set?Q?=C3=A4?=", "ä");
	TEXT("raw gr\xc3\xbc\xc3\x9f", "raw grüß");
	TEXT("raw gr\xfc\xdf", "raw grüß");
	TEXT("\xc3\xa4\xc3\xb6 cut \xc3", "äö cut \xef\xbf\xbd");
	TEXT("\xfc =?utf-8?Q?=C3=BC?=", "ü ü");
}

TEST(no_words, "what only looks like a word stays as it is")
{
	TEXT("=?utf-8?Q?never ends", "=?utf-8?Q?never ends");
	TEXT("=?utf-8?X?a?=", "=?utf-8?X?a?=");
	TEXT("=?utf-8?Q", "=?utf-8?Q");
	TEXT("=?\?Q?a?=", "=?\?Q?a?=");
	TEXT("=?u f?Q?a?=", "=?u f?Q?a?=");
	TEXT("=?utf-8?B?!!!!?=", "=?utf-8?B?!!!!?=");
	TEXT("=?=?=?=?", "=?=?=?=?");
	TEXT("=?utf-8?B?!!!!?= =?utf-8?Q?ok?=", "=?utf-8?B?!!!!?= ok");
}

TEST(word_injection, "an encoded line end is a blank")
{
	TEXT("=?utf-8?Q?a=0D=0ABcc:_b=00c?=", "a  Bcc: b c");
}

TEST(words_linear, "a megabyte of broken words takes no time")
{
	static const char *const v[] = {"=?", "=?a?q?",
					"=?a?b?!?= ", "?=", "=?a?q?x?= "};
	struct buf b = {0};
	size_t i, k;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_clear(&b);
		for (k = 0; b.n < (1u << 20); k++)
			buf_z(&b, v[i]);
		CHECK(hdr_text(a, buf_view(&b)).n <= b.n);
		arena_reset(a);
	}
	buf_free(&b);
}

TEST(write_plain, "plain text is written plainly, folded at single blanks")
{
	struct str s;

	CHECK_STR(join("Subject", STR("hello world")),
		  "Subject: hello world\r\n");
	CHECK_STR(join("Subject", STR("")), "Subject:\r\n");
	CHECK_STR(join("Subject", STR("Re: a:")), "Subject: Re: a:\r\n");
	s = join("Subject",
		 STR("aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee "
		     "fffffffff ggggggggg hhhhhhhhh"));
	CHECK_STR(s, "Subject: aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd "
		     "eeeeeeeee fffffffff\r\n ggggggggg hhhhhhhhh\r\n");
}

TEST(write_round, "every subject comes back as it was")
{
	static const char *const v[] = {
	    "grüße",
	    "x",
	    "=?utf-8?Q?not_a_word?=",
	    " leading and trailing ",
	    "two  blanks   inside a text that has to be folded somewhere, "
	    "since "
	    "it is  so   very long",
	    "plain start, then grüße, then plain end of quite some length here",
	    "日本語の件名はとても長いので、いくつかの符号語に分けなければなりま"
	    "せん。"
	    "それでも読み手には一つの文です。",
	    "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
	    "one ä two ö three ü four ß five six seven eight nine ten eleven",
	    "naïve question? yes_no = 3 (really) \"quoted\" <tag>",
	    "äöü  ",
	};
	size_t i, k;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (k = 0; k < 60; k++) {
			struct str pad = str_sub(
			    STR("aaaaaaaaa aaaaaaaaa aaaaaaaaa aaaaaaaaa "
				"aaaaaaaaa aaaaaaaaa "),
			    0, k);
			struct str t = arena_fmt(a, "%.*s%s", STR_ARG(pad),
						 v[i]);
			struct str s = join("Subject", t), n, val;

			CHECK(one_field(s));
			CHECK(longest_line(s) <= 78);
			CHECK(hdr_next(&s, &n, &val));
			if (!str_eq(hdr_text(a, val), t)) {
				printf("# %.*s\n", STR_ARG(val));
				CHECK_STR(hdr_text(a, val), t.p);
			}
		}
		arena_reset(a);
	}
}

TEST(write_words, "each word is at most 75 octets and whole by itself")
{
	struct str t = STR("ääääääääääääääääääääääääääääääääääääääääääääääääää"
			   "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€😀😀😀😀😀😀😀😀");
	struct buf b = {0};
	struct str s, line;
	size_t words = 0;

	hdr_write_words(&b, t, 20);
	s = buf_view(&b);
	while (str_line(&s, &line)) {
		struct str w = str_trim(line);

		CHECK(w.n <= 75);
		CHECK(line.n + (words == 0 ? 20 : 0) <= 76);
		CHECK(str_starts(w, "=?utf-8?"));
		CHECK(str_find(hdr_text(a, w), STR("\xef\xbf\xbd")) < 0);
		words++;
	}
	CHECK(words > 4);
	CHECK(str_eq(hdr_text(a, buf_view(&b)), t));
	buf_free(&b);
}

TEST(write_shorter, "B or Q, whichever is shorter")
{
	CHECK_STR(join("S", STR("mostly ascii ä")),
		  "S: mostly ascii =?utf-8?B?w6Q=?=\r\n");
	CHECK_STR(join("S", STR("ä mostly ascii and ä")),
		  "S: =?utf-8?Q?=C3=A4_mostly_ascii_and_=C3=A4?=\r\n");
	CHECK_STR(join("S", STR("日本語")), "S: =?utf-8?B?5pel5pys6Kqe?=\r\n");
}

TEST(write_injection, "no text can begin another field or the body")
{
	CHECK_STR(join("Subject", STR("a\r\nBcc: b@c")),
		  "Subject: a  Bcc: b@c\r\n");
	CHECK(one_field(join("Subject", STR("ä\r\n\r\nbody\0\n"))));
	CHECK(one_field(join("Subject", STR("\xff\xfe\r"))));
	CHECK(!hdr_safe(STR("a\nb")));
	CHECK(!hdr_safe(STR("a\rb")));
	CHECK(!hdr_safe(STR("a\0b")));
	CHECK(hdr_safe(STR("a\tb ä")));
	CHECK(hdr_safe(STR_NONE));
}

TEST(write_long, "a word of 5000 octets does not make a line of 1000")
{
	struct buf b = {0};
	struct str s;
	size_t i;

	for (i = 0; i < 5000; i++)
		buf_c(&b, (char)('a' + i % 26));
	s = join("Subject", buf_view(&b));
	CHECK(longest_line(s) <= 76);
	CHECK(str_eq(hdr_text(a, str_trim(str_sub(s, 8, s.n))), buf_view(&b)));
	buf_free(&b);
}

/* --- parameters ---------------------------------------------------------- */

static struct hdr_value hv;

#define VALUE(in) hdr_value(a, STR(in), &hv)
#define PARAM(name, want) CHECK_STR(hdr_param(&hv, name), want)

TEST(value, "the value and its parameters, any case, any spacing")
{
	VALUE("Text/Plain; Charset=\"UTF-8\"; format=flowed");
	CHECK_STR(hv.value, "text/plain");
	PARAM("charset", "UTF-8");
	PARAM("format", "flowed");
	PARAM("Format", "flowed");
	CHECK(hdr_param(&hv, "delsp").p == NULL);
	CHECK_INT(hv.n, 2);
	VALUE(" text / plain (comment) ;charset = us-ascii (Plain text) ;; ");
	CHECK_STR(hv.value, "text/plain");
	PARAM("charset", "us-ascii");
	CHECK_INT(hv.n, 1);
	VALUE("multipart/mixed;\r\n\tboundary=\"a=b;c\\\"d\"");
	PARAM("boundary", "a=b;c\"d");
	VALUE("");
	CHECK_STR(hv.value, "");
	CHECK_INT(hv.n, 0);
	VALUE(";;;");
	CHECK_STR(hv.value, "");
	VALUE("text/html");
	CHECK_STR(hv.value, "text/html");
	VALUE("text/plain charset=utf-8");
	CHECK_STR(hv.value, "text/plain");
	PARAM("charset", "utf-8");
}

TEST(value_coi, "the values COI's own text shows")
{
	VALUE("profile; categories=friend, family");
	CHECK_STR(hv.value, "profile");
	PARAM("categories", "friend, family");
	VALUE("edit;");
	CHECK_STR(hv.value, "edit");
	CHECK_INT(hv.n, 0);
	VALUE("inline;filename=\"earth.jpg\";size=2048");
	CHECK_STR(hv.value, "inline");
	PARAM("filename", "earth.jpg");
	PARAM("size", "2048");
	VALUE("pinned; timeout=Wed, 4 Dec 2019 0:00:00 +0000; x=y");
	PARAM("timeout", "Wed, 4 Dec 2019 0:00:00 +0000"); /* CLI-294 */
	PARAM("x", "y");
	VALUE("manual-action/MDN-sent-manually; displayed");
	CHECK_STR(hv.value, "manual-action/mdn-sent-manually");
	PARAM("displayed", "");
}

TEST(value_broken, "broken parameters lose nothing that can be read")
{
	VALUE("x; name=un quoted.txt");
	PARAM("name", "un quoted.txt");
	VALUE("x; name=report (1).txt; b=c");
	PARAM("name", "report (1).txt");
	PARAM("b", "c");
	VALUE("x; name=a.txt (c;d) ; b=c");
	PARAM("name", "a.txt");
	VALUE("x; name=\"never ends; b=c");
	PARAM("name", "never ends; b=c");
	VALUE("x; name=\"a\" b=c; name=\"second\"");
	PARAM("name", "a");
	PARAM("b", "c");
	VALUE("x; =y; name=1");
	PARAM("name", "1");
	VALUE("x; name=; b=2");
	PARAM("name", "");
	PARAM("b", "2");
	VALUE("x; name=\"gr\xfc\xdf.txt\"");
	PARAM("name", "grüß.txt");
	VALUE("x; name=\"gr\xc3\xbc\xc3\x9f.txt\"");
	PARAM("name", "grüß.txt");
	VALUE("x; boundary=\"=?utf-8?Q?a?=\"");
	PARAM("boundary", "=?utf-8?Q?a?=");
	VALUE("x (((((; name=y");
	CHECK_STR(hv.value, "x (((((");
	PARAM("name", "y");
}

TEST(words_in_param, "encoded words in a file name, quoted or not")
{
	VALUE("attachment; filename=\"=?utf-8?Q?gr=C3=BC=C3=9Fe.txt?=\"");
	PARAM("filename", "grüße.txt");
	VALUE("attachment; filename==?utf-8?Q?gr=C3=BC=C3=9Fe.txt?=; size=1");
	PARAM("filename", "grüße.txt");
	PARAM("size", "1");
	VALUE("attachment; filename=\"=?utf-8?B?4oI=?=\r\n "
	      "=?utf-8?B?rC50eHQ=?=\"");
	PARAM("filename", "€.txt");
}

TEST(rfc2231, "RFC 2231: character sets, continuations in any order, holes")
{
	VALUE("a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A");
	PARAM("title", "This is ***fun***");
	VALUE("a/b; title*0*=us-ascii'en'This%20is%20even%20more%20; "
	      "title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"");
	PARAM("title", "This is even more ***fun*** isn't it!");
	VALUE("a/b; n*2=c; n*0=a; n*1=b; n*10=k; n*9=j");
	PARAM("n", "abcjk");
	VALUE("a/b; n*1*=%AC.txt; n*0*=utf-8''%E2%82");
	PARAM("n", "€.txt");
	VALUE("a/b; n*=iso-8859-1''gr%FC%DF");
	PARAM("n", "grüß");
	VALUE("a/b; n*=''%C3%A4");
	PARAM("n", "ä");
	VALUE("a/b; n*=%E4");
	PARAM("n", "ä");
	VALUE("a/b; n*0=a; n*2=c");
	PARAM("n", "ac");
	VALUE("a/b; n*0=a; n*0=x; n*1=b");
	PARAM("n", "ab");
	VALUE("a/b; n=plain; n*=utf-8''ext%C3%A9; n=again");
	PARAM("n", "exté");
	CHECK_INT(hv.n, 1);
	VALUE("a/b; n*0=one; n*=utf-8''whole; n*1=two");
	PARAM("n", "onetwo");
	VALUE("a/b; n*1=b");
	PARAM("n", "b");
	VALUE("a/b; n*x=b; *=c; n*9999=d");
	PARAM("n*x", "b");
	VALUE("a/b; n*=utf-8''100%; m*=utf-8''%4");
	PARAM("n", "100%");
	PARAM("m", "%4");
}

TEST(param_first, "of two equal parameters the first counts")
{
	VALUE("a/b; charset=one; x=y; Charset=two");
	PARAM("charset", "one");
	CHECK_INT(hv.n, 2);
}

TEST(param_limits, "thousands of parameters, deep comments: no harm")
{
	static const char *const v[] = {"; a=b", "; a*1=b", "; \"", "(",
					" (",	 "; a=(",   " (a)", "x(b)",
					"; =",	 "\\"};
	struct buf b = {0};
	size_t i, k;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_clear(&b);
		buf_z(&b, "text/plain");
		for (k = 0; b.n < (1u << 18); k++)
			buf_z(&b, v[i]);
		buf_z(&b, "; z=1");
		hdr_value(a, buf_view(&b), &hv);
		CHECK(str_starts(hv.value, "text/plain"));
		CHECK(hv.n <= 64);
		arena_reset(a);
	}
	buf_free(&b);
}

static struct str param_field(const char *name, struct str value)
{
	struct buf b = {0};
	struct str s;

	buf_z(&b, "Content-Disposition: attachment");
	hdr_write_param(&b, name, value);
	buf_z(&b, "\r\n");
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

TEST(write_param, "parameters: quoted, else RFC 2231")
{
	CHECK_STR(param_field("filename", STR("a \"b\\.txt")),
		  "Content-Disposition: attachment; "
		  "filename=\"a \\\"b\\\\.txt\"\r\n");
	CHECK_STR(param_field("filename", STR("ä.txt")),
		  "Content-Disposition: attachment; "
		  "filename*=utf-8''%C3%A4.txt\r\n");
	CHECK_STR(param_field("filename",
			      STR("a-name-that-does-not-fit-the-line.txt")),
		  "Content-Disposition: attachment;\r\n "
		  "filename=\"a-name-that-does-not-fit-the-line.txt\"\r\n");
	CHECK(str_find(param_field("boundary",
				   STR("0123456789012345678901234567890123456"
				       "789012345678901234567890123456789")),
		       STR("*0")) < 0);
}

TEST(write_param_round, "every file name comes back as it was")
{
	static const char *const v[] = {
	    "",
	    "plain.txt",
	    "=?utf-8?Q?x?=.txt",
	    "a\r\nBcc: x@y",
	    "tab\there",
	    "semi;colon, comma \"quote\" 'single' back\\slash 100%.txt",
	    "a-very-long-ascii-name-with-more-than-a-hundred-octets-in-it-so-"
	    "that-it-must-be-cut-into-several-pieces-for-the-wire.tar.gz",
	    "日本語のとても長いファイル名で、続きの行に分けなければなりません。"
	    "txt",
	    "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀.png",
	    "ä",
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct str s = param_field("filename", str_of(v[i])), n, val;

		CHECK(one_field(s));
		CHECK(longest_line(s) <= 78);
		CHECK(hdr_next(&s, &n, &val));
		CHECK(!hdr_next(&s, &n, &n));
		hdr_value(a, val, &hv);
		CHECK_STR(hv.value, "attachment");
		PARAM("filename", v[i]);
	}
}

/* hdr_next_of() sees what hdr_next() sees, and leaves the same behind. */
static int next_of_differs(struct str block, char initial)
{
	struct str some = block, all = block, n, v, n2, v2;
	int wrong = 0;

	while (hdr_next_of(&some, initial, &n, &v)) {
		bool found = false;

		while (!found && hdr_next(&all, &n2, &v2))
			found = (n2.p[0] | 0x20) == initial;
		wrong += !found || n.p != n2.p || n.n != n2.n || v.p != v2.p ||
			 v.n != v2.n;
	}
	while (hdr_next(&all, &n2, &v2))
		wrong += (n2.p[0] | 0x20) == initial;
	return wrong + (some.p != all.p || some.n != all.n);
}

TEST(next_of, "a first letter: the fields that hdr_next() gives, no other")
{
	static const char piece[][16] = {"From: a\r\n",
					 "fax:\r\n f: x\r\n",
					 "To: b\n",
					 "\r\n",
					 "f no colon\n",
					 "\n",
					 " f: y\n",
					 "F:\r",
					 "f",
					 ":\n",
					 "\tF: z\n"};
	const unsigned kinds = sizeof(piece) / sizeof(piece[0]);
	unsigned k, i, rest, wrong = 0;

	for (k = 0; k < kinds * kinds * kinds * kinds; k++) {
		struct buf b = {0};

		for (i = 0, rest = k; i < 4; i++, rest /= kinds)
			buf_z(&b, piece[rest % kinds]);
		wrong += (unsigned)next_of_differs(buf_view(&b), 'f');
		wrong += (unsigned)next_of_differs(buf_view(&b), 't');
		buf_free(&b);
	}
	CHECK_INT(wrong, 0);
}

TEST_MAIN
