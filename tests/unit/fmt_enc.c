#include "fmt/enc.h"

#include "test.h"

static struct str decode_split(enum enc enc, struct str in, size_t cut,
			       size_t step, struct buf *out, bool *bad)
{
	struct enc_dec d = {.enc = enc};
	size_t i;

	buf_clear(out);
	enc_decode(&d, str_sub(in, 0, cut), false, out);
	for (i = cut; i < in.n; i += step)
		enc_decode(&d, str_sub(in, i, step), false, out);
	enc_decode(&d, STR(""), true, out);
	*bad = d.bad;
	return buf_view(out);
}

/* The same at every split in two, and octet by octet. */
static void check_decode(enum enc enc, struct str in, const char *want,
			 bool want_bad)
{
	struct buf out = {0};
	bool bad;
	size_t i;

	for (i = 0; i <= in.n; i++) {
		CHECK_STR(decode_split(enc, in, i, in.n + 1, &out, &bad), want);
		CHECK_INT(bad, want_bad);
	}
	CHECK_STR(decode_split(enc, in, 0, 1, &out, &bad), want);
	CHECK_INT(bad, want_bad);
	CHECK_STR(decode_split(enc, in, 0, 3, &out, &bad), want);
	buf_free(&out);
}

#define B64(in, want, bad) check_decode(ENC_BASE64, STR(in), want, bad)
#define QP(in, want, bad) check_decode(ENC_QP, STR(in), want, bad)

TEST(names, "transfer encodings are known in any case, with comments")
{
	CHECK_INT(enc_of(STR("")), ENC_7BIT);
	CHECK_INT(enc_of(STR_NONE), ENC_7BIT);
	CHECK_INT(enc_of(STR(" BASE64 ")), ENC_BASE64);
	CHECK_INT(enc_of(STR("base64 (by hand)")), ENC_BASE64);
	CHECK_INT(enc_of(STR("\"Quoted-Printable\"")), ENC_QP);
	CHECK_INT(enc_of(STR("8bit;")), ENC_8BIT);
	CHECK_INT(enc_of(STR("binary")), ENC_BINARY);
	CHECK_INT(enc_of(STR("x-uuencode")), ENC_UNKNOWN);
}

TEST(b64_read, "base64: line ends, padding and garbage, at every split")
{
	B64("", "", false);
	B64("SGVsbG8gV29ybGQ=", "Hello World", false);
	B64("SGVsbG8g\r\nV29ybGQ=\r\n", "Hello World", false);
	B64("SGVsbG8g\nV29ybGQhISE=\n", "Hello World!!!", false);
	B64("SGV sbG8g\tV29ybGQ", "Hello World", false);
	B64("SGVs*bG8gV29ybGQ=", "Hello World", true);
	B64("SGVsbG8=\r\n-- \r\nA list footer", "Hello", true);
	B64("SGVsbG8gV29ybGQhSGVsbG8gV29ybGQhSGVsbG8gV29ybGQhSGVsbG8gV29y\r\n"
	    "bGQhSGVsbG8g\r\n",
	    "Hello World!Hello World!Hello World!Hello World!Hello ", false);
	B64("SGVsb", "Hel", true);
	B64("=", "", true);
	B64("TQ==", "M", false);
	B64("TQ=\r\n=", "M", false);
}

TEST(b64_whole, "base64 values: strict and lenient")
{
	struct buf b = {0};

	CHECK(enc_b64_decode(STR("TWFu"), false, &b));
	CHECK(enc_b64_decode(STR("TQ=="), false, &b));
	CHECK_STR(buf_view(&b), "ManM");
	CHECK(!enc_b64_decode(STR("TQ"), false, &b));
	CHECK(!enc_b64_decode(STR("TQ==\n"), false, &b));
	CHECK(!enc_b64_decode(STR("T==="), false, &b));
	CHECK(!enc_b64_decode(STR("===="), false, &b));
	CHECK(!enc_b64_decode(STR("TQ==TWFu"), false, &b));
	CHECK(!enc_b64_decode(STR("TW-u"), false, &b));
	CHECK_STR(buf_view(&b), "ManM");
	CHECK(enc_b64_decode(STR("T Q"), true, &b));
	CHECK(enc_b64_decode(STR(""), false, &b));
	CHECK(!enc_b64_decode(STR("T%Q"), true, &b));
	CHECK(!enc_b64_decode(STR("T"), true, &b));
	CHECK_STR(buf_view(&b), "ManMM");
	buf_free(&b);
}

TEST(b64_all, "base64: every octet and every length survives")
{
	struct buf raw = {0}, text = {0}, back = {0}, fed = {0};
	size_t n, i;

	for (n = 0; n < 300; n++) {
		struct enc_b64_enc x = {.nheld = 0};
		struct str line, rest;

		buf_clear(&text);
		buf_clear(&back);
		buf_clear(&fed);
		enc_b64_lines(&text, buf_view(&raw));
		rest = buf_view(&text);
		CHECK(rest.n == 0 || str_ends(rest, "\r\n"));
		while (str_line(&rest, &line))
			CHECK(line.n <= 76 && line.n > 0);
		for (i = 0; i < raw.n; i += n % 7 + 1)
			enc_b64_feed(&x, str_sub(buf_view(&raw), i, n % 7 + 1),
				     &fed);
		enc_b64_end(&x, &fed);
		CHECK(str_eq(buf_view(&fed), buf_view(&text)));
		CHECK(enc_b64_decode(buf_view(&text), true, &back));
		CHECK(str_eq(buf_view(&back), buf_view(&raw)));
		buf_clear(&text);
		buf_clear(&back);
		enc_b64(&text, buf_view(&raw));
		CHECK(enc_b64_decode(buf_view(&text), false, &back));
		CHECK(str_eq(buf_view(&back), buf_view(&raw)));
		buf_c(&raw, (char)n);
	}
	buf_free(&raw);
	buf_free(&text);
	buf_free(&back);
	buf_free(&fed);
}

TEST(qp_read, "quoted-printable: soft breaks, padding, broken escapes")
{
	QP("", "", false);
	QP("Caf=C3=A9\r\n", "Caf\xc3\xa9\r\n", false);
	QP("caf=c3=a9", "caf\xc3\xa9", false);
	QP("one =\r\ntwo", "one two", false);
	QP("one=\ntwo", "onetwo", false);
	QP("one= \t \r\ntwo", "onetwo", false);
	QP("padding \t \r\nnext \nend  ", "padding\r\nnext\nend", false);
	QP("kept=20\r\n", "kept \r\n", false);
	QP("a  b\tc\r\n", "a  b\tc\r\n", false);
	QP("1=XY 2=4", "1=XY 2=4", true);
	QP("a=4\r\n==41= x", "a=4\r\n=A= x", true);
	QP("last=", "last", false);
	QP("last= \r\n", "last", false);
	QP("lone\rcr \rx \r\r\n", "lone\rcr \rx \r\r\n", false);
	QP("e=\rx", "e=\rx", true);
	QP(" \r\n\r\n\tx", "\r\n\r\n\tx", false);
	QP("a=3D=3D=\r\n=3D", "a===", false);
}

TEST(qp_blanks, "quoted-printable: more blanks than a line can have are text")
{
	struct buf in = {0}, want = {0};
	int i;

	buf_z(&in, "x");
	for (i = 0; i < 200; i++)
		buf_c(&in, ' ');
	buf_str(&want, buf_view(&in));
	buf_z(&in, "\ny\n");
	buf_z(&want, "\ny\n");
	check_decode(ENC_QP, buf_view(&in), buf_cstr(&want), false);
	buf_free(&in);
	buf_free(&want);
}

static void check_qp_write(const char *in, const char *want)
{
	struct buf b = {0};

	enc_qp(&b, str_of(in));
	CHECK_STR(buf_view(&b), want);
	buf_free(&b);
}

TEST(qp_write, "quoted-printable is safe for SMTP, mbox and gateways")
{
	check_qp_write("plain\n", "plain\r\n");
	check_qp_write("From me\n.\n.x\nFromage\n",
		       "=46rom me\r\n=2E\r\n=2Ex\r\nFromage\r\n");
	check_qp_write("blank \ntab\t\nend ", "blank=20\r\ntab=09\r\nend=20");
	check_qp_write("a=b \xc3\xa9\r\n", "a=3Db =C3=A9\r\n");
	check_qp_write("cr\rcr\n", "cr=0Dcr\r\n");
	check_qp_write(
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "567890123456\n",
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "567890123456\r\n");
	check_qp_write(
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "56789012345From x\n",
	    "1234567890123456789012345678901234567890123456789012345678901234"
	    "56789012345=\r\n=46rom x\r\n");
}

TEST(qp_all, "quoted-printable: any octets survive in lines of 76")
{
	struct buf raw = {0}, text = {0}, back = {0};
	unsigned seed = 1, i;
	int round;

	for (round = 0; round < 200; round++) {
		struct enc_dec d = {.enc = ENC_QP};
		struct str line, rest;

		buf_clear(&raw);
		buf_clear(&text);
		buf_clear(&back);
		for (i = 0; i < 700; i++) {
			static const char odd[] = " .=\t\rFrom ";

			seed = seed * 1103515245u + 12345u;
			if (seed >> 30 == 0)
				buf_c(&raw, odd[(seed >> 8) % 10]);
			else if (seed >> 30 == 1)
				buf_c(&raw, (char)(seed >> 16));
			else
				buf_c(&raw, 'x');
			if (raw.p[raw.n - 1] == '\n')
				raw.n--;
		}
		enc_qp(&text, buf_view(&raw));
		rest = buf_view(&text);
		while (str_line(&rest, &line)) {
			CHECK(line.n <= 76);
			CHECK(!str_ends(line, " ") && !str_ends(line, "\t"));
			CHECK(!str_starts(line, ".") &&
			      !str_starts(line, "From "));
		}
		enc_decode(&d, buf_view(&text), true, &back);
		CHECK(!d.bad);
		CHECK(str_eq(buf_view(&back), buf_view(&raw)));
	}
	buf_free(&raw);
	buf_free(&text);
	buf_free(&back);
}

TEST(absent, "an absent value decodes to nothing")
{
	struct enc_dec d = {.enc = ENC_BASE64}, q = {.enc = ENC_QP};
	struct buf b = {0};

	CHECK(enc_b64_decode(STR_NONE, false, &b));
	enc_decode(&d, STR_NONE, true, &b);
	enc_decode(&q, STR_NONE, true, &b);
	enc_b64(&b, STR_NONE);
	enc_b64_lines(&b, STR_NONE);
	enc_qp(&b, STR_NONE);
	CHECK_INT(b.n, 0);
	CHECK(!d.bad && !q.bad);
	buf_free(&b);
}

TEST(plain, "other encodings pass as they are")
{
	check_decode(ENC_8BIT, STR("a =20\r\n"), "a =20\r\n", false);
	check_decode(ENC_UNKNOWN, STR("a =20\r\n"), "a =20\r\n", false);
}

TEST_MAIN
