#include "fmt/json.h"

#include <math.h>

#include "test.h"

static struct buf out;
static struct json j;

static void begin(void)
{
	buf_clear(&out);
	json_begin(&j, &out);
}

static struct str quoted(struct str s)
{
	begin();
	json_str(&j, s);
	return buf_view(&out);
}

TEST(shape, "objects, lists and commas")
{
	begin();
	json_open(&j, '{');
	json_kint(&j, "v", 1);
	json_kstr(&j, "gone", STR_NONE);
	json_kstr(&j, "empty", STR(""));
	json_key(&j, "l");
	json_open(&j, '[');
	json_int(&j, -5);
	json_open(&j, '{');
	json_close(&j, '}');
	json_open(&j, '[');
	json_close(&j, ']');
	json_null(&j);
	json_bool(&j, false);
	json_close(&j, ']');
	json_kbool(&j, "t", true);
	json_kdate(&j, "d", 1575471097);
	json_kdate(&j, "none", INT64_MIN);
	json_key(&j, "b");
	json_b64(&j, STR("{\"m\":\"Nf3\"}"));
	json_close(&j, '}');
	CHECK_STR(buf_view(&out),
		  "{\"v\":1,\"empty\":\"\",\"l\":[-5,{},[],null,false],"
		  "\"t\":true,\"d\":\"2019-12-04T14:51:37Z\","
		  "\"b\":\"eyJtIjoiTmYzIn0=\"}");
}

TEST(ints, "whole numbers at their ends")
{
	begin();
	json_open(&j, '[');
	json_int(&j, INT64_MAX);
	json_int(&j, INT64_MIN);
	json_int(&j, 0);
	json_close(&j, ']');
	CHECK_STR(buf_view(&out),
		  "[9223372036854775807,-9223372036854775808,0]");
}

/* What jq 1.6 -c gave for the same values. */
TEST(nums, "numbers read back and pass through jq unchanged")
{
	static const struct {
		double v;
		const char *want;
	} t[] = {
	    {0.1, "0.1"},
	    {53.07516, "53.07516"},
	    {8.80777, "8.80777"},
	    {-33.5, "-33.5"},
	    {180, "180"},
	    {0, "0"},
	    {1e20, "1e+20"},
	    {1e17, "1e+17"},
	    {1e-7, "1e-07"},
	    {1e300, "1e+300"},
	    {1.5e16, "15000000000000000"},
	    {1e-5, "1e-05"},
	    {0.0001, "0.0001"},
	    {5e-324, "5e-324"},
	    {1.0 / 3, "0.3333333333333333"},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin();
		json_num(&j, t[i].v);
		CHECK_STR(buf_view(&out), t[i].want);
		CHECK(strtod(buf_cstr(&out), NULL) == t[i].v);
	}
	begin();
	json_num(&j, HUGE_VAL);
	CHECK_STR(buf_view(&out), "null");
}

TEST(escapes, "quotes, backslash and controls are escaped as jq does")
{
	CHECK_STR(quoted(STR("a\"b\\c/d")), "\"a\\\"b\\\\c/d\"");
	CHECK_STR(quoted(STR("\b\f\n\r\t")), "\"\\b\\f\\n\\r\\t\"");
	CHECK_STR(quoted(STR("\0\x01\x1f\x7f")),
		  "\"\\u0000\\u0001\\u001f\\u007f\"");
	CHECK_STR(quoted(STR("gr\xc3\xbc\xc3\x9f"
			     "e \xf0\x9f\x91\x8d")),
		  "\"gr\xc3\xbc\xc3\x9f"
		  "e \xf0\x9f\x91\x8d\"");
	CHECK_STR(quoted(STR_NONE), "\"\"");
}

TEST(broken, "invalid UTF-8 becomes U+FFFD")
{
	CHECK_STR(quoted(STR("a\xff"
			     "b\"")),
		  "\"a\xef\xbf\xbd"
		  "b\\\"\"");
	CHECK_STR(quoted(STR("\xed\xa0\x80")),
		  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	CHECK_STR(quoted(STR("cut \xe2\x82")),
		  "\"cut \xef\xbf\xbd\xef\xbf\xbd\"");
}

/* The same, octet by octet. */
static void slow(struct buf *b, struct str s)
{
	size_t i;

	buf_c(b, '"');
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		static const char letters[] = "btn\0fr";

		if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", c);
		else if (c >= 8 && c <= 13 && letters[c - 8] != '\0')
			buf_fmt(b, "\\%c", letters[c - 8]);
		else if (c < 32 || c == 127)
			buf_fmt(b, "\\u%04x", c);
		else
			buf_c(b, (char)c);
	}
	buf_c(b, '"');
}

TEST(places, "every octet at every place, across steps")
{
	struct buf want = {0}, in = {0};
	size_t len, i;
	unsigned c, wrong = 0;

	for (len = 1; len < 40; len++)
		for (i = 0; i < len; i++)
			for (c = 0; c < 128; c++) {
				char line[40];

				memset(line, 'x', sizeof(line));
				line[i] = (char)c;
				buf_clear(&want);
				slow(&want, (struct str){line, len});
				wrong += !str_eq(
				    quoted((struct str){line, len}),
				    buf_view(&want));
			}
	CHECK_INT(wrong, 0);
	for (i = 0; i < 9000; i++)
		buf_c(&in, (char)((i * 7 + i / 97) & 127));
	buf_clear(&want);
	slow(&want, buf_view(&in));
	CHECK(str_eq(quoted(buf_view(&in)), buf_view(&want)));
	/* Nothing but escapes: the buffer must have room for all. */
	in.n = 0;
	for (i = 0; i < 9000; i++)
		buf_c(&in, '\x01');
	CHECK_INT(quoted(buf_view(&in)).n, 9000 * 6 + 2);
	buf_free(&want);
	buf_free(&in);
	buf_free(&out);
}

TEST(digits, "63 bits and more are a string of digits")
{
	begin();
	json_open(&j, '{');
	json_kdigits(&j, "a", 0);
	json_kdigits(&j, "b", UINT64_MAX);
	json_close(&j, '}');
	CHECK_STR(buf_view(&out),
		  "{\"a\":\"0\",\"b\":\"18446744073709551615\"}");
	buf_free(&out);
}

TEST_MAIN
