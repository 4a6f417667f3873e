#include "imap/priv.h"
#include "test.h"

static void text(const struct imap_set *s, const char *want)
{
	struct buf b = {0};
	size_t i = 0;

	set_write(s, &i, 1 << 20, &b);
	CHECK_STR(buf_view(&b), want);
	CHECK_INT(i, s->n);
	buf_free(&b);
}

TEST(adding, "ranges stay ascending and joined")
{
	struct imap_set s = {0};

	imap_set_add(&s, 5, 5);
	imap_set_add(&s, 6, 7);
	text(&s, "5:7");
	imap_set_add(&s, 10, 12);
	imap_set_add(&s, 1, 1);
	text(&s, "1,5:7,10:12");
	imap_set_add(&s, 8, 9);
	text(&s, "1,5:12");
	imap_set_add(&s, 6, 6);
	text(&s, "1,5:12");
	imap_set_add(&s, 3, 3);
	text(&s, "1,3,5:12");
	imap_set_add(&s, 2, 20);
	text(&s, "1:20");
	imap_set_add(&s, 4294967295u, 4294967295u);
	imap_set_add(&s, 4294967290u, 4294967295u);
	text(&s, "1:20,4294967290:4294967295");
	CHECK_INT(imap_set_count(&s), 26);
	imap_set_add(&s, 9, 3);
	imap_set_add(&s, 0, 0);
	text(&s, "1:20,4294967290:4294967295");
	imap_set_add(&s, 0, 4294967295u);
	text(&s, "1:4294967295");
	CHECK_INT(imap_set_count(&s), 4294967295u);
	imap_set_free(&s);
	text(&s, "");
}

TEST(both_and_less, "what is in both, and what is in the first one alone")
{
	unsigned x = 7, k, i;

	for (k = 0; k < 500; k++) {
		struct imap_set v[2] = {{0}, {0}}, both = {0}, less = {0};
		bool bits[2][64] = {{false}, {false}};

		for (i = 0; i < 12; i++) {
			uint32_t lo, hi, n;

			x = x * 1103515245u + 12345u;
			lo = 1 + (x >> 16) % 60;
			hi = lo + (x >> 24) % 4;
			imap_set_add(&v[i % 2], lo, hi);
			for (n = lo; n <= hi; n++)
				bits[i % 2][n] = true;
		}
		imap_set_both(&v[0], &v[1], &both);
		imap_set_less(&v[0], &v[1], &less);
		for (i = 1; i < 64; i++) {
			CHECK(imap_set_has(&both, i) ==
			      (bits[0][i] && bits[1][i]));
			CHECK(imap_set_has(&less, i) ==
			      (bits[0][i] && !bits[1][i]));
		}
		for (i = 0; i < 2; i++)
			imap_set_free(&v[i]);
		imap_set_free(&both);
		imap_set_free(&less);
	}
}

TEST(both_and_less_end, "the highest UID there is")
{
	struct imap_set a = {0}, b = {0}, out = {0};

	imap_set_add(&a, 4294967290u, 4294967295u);
	imap_set_add(&b, 1, 4294967291u);
	imap_set_add(&b, 4294967295u, 4294967295u);
	imap_set_both(&a, &b, &out);
	text(&out, "4294967290:4294967291,4294967295");
	imap_set_free(&out);
	imap_set_less(&a, &b, &out);
	text(&out, "4294967292:4294967294");
	imap_set_free(&out);
	imap_set_free(&a);
	imap_set_free(&b);
	imap_set_free(&out);
}

TEST(random_adds, "any order of adding gives the same as a table of bits")
{
	unsigned x = 1, i, k;

	for (k = 0; k < 200; k++) {
		struct imap_set s = {0}, raw = {0};
		bool bits[130] = {false};
		uint64_t n = 0;

		for (i = 0; i < 40; i++) {
			uint32_t lo, hi;

			x = x * 1103515245u + 12345u;
			lo = 1 + (x >> 16) % 120;
			hi = lo + (x >> 8) % 4;
			imap_set_add(&s, lo, hi);
			set_raw(&raw, lo, hi);
			for (; lo <= hi; lo++)
				bits[lo] = true;
		}
		set_normalise(&raw);
		for (i = 0; i < 130; i++) {
			CHECK(imap_set_has(&s, i) == bits[i]);
			CHECK(imap_set_has(&raw, i) == bits[i]);
			n += bits[i];
		}
		CHECK_INT(imap_set_count(&s), n);
		CHECK_INT(imap_set_count(&raw), n);
		CHECK_INT(s.n, raw.n);
		for (i = 1; i < s.n; i++)
			CHECK(s.v[i].lo > s.v[i - 1].hi + 1);
		imap_set_free(&s);
		imap_set_free(&raw);
	}
}

TEST(parsing, "sets from text: numbers and ranges, nothing else")
{
	static const char *const bad[] = {
	    "",	 "0",	       "1:",  ":1",   "1,", ",1",    "a",  "1 2", "1:*",
	    "*", "4294967296", "1:0", "1,,2", "-1", "1:2:3", "+1", " 1",  "1 "};
	struct imap_set s = {0};
	size_t i;

	CHECK(imap_set_parse(STR("7,1:3,5:4"), &s));
	text(&s, "1:5,7");
	CHECK(imap_set_has(&s, 4));
	CHECK(!imap_set_has(&s, 6));
	imap_set_free(&s);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!imap_set_parse(str_of(bad[i]), &s));
		CHECK_INT(s.n, 0);
	}
	imap_set_free(&s);
}

TEST(pieces, "a long set is written in pieces of a bounded length")
{
	struct imap_set s = {0}, back = {0};
	struct buf b = {0};
	size_t i, pieces = 0;

	for (i = 1; i <= 20000; i++)
		imap_set_add(&s, (uint32_t)(i * 2), (uint32_t)(i * 2));
	for (i = 0; i < s.n; pieces++) {
		buf_clear(&b);
		set_write(&s, &i, IMAP_SET_TEXT, &b);
		CHECK(b.n > 0 && b.n < IMAP_SET_TEXT + 24);
		CHECK(imap_set_parse(buf_view(&b), &back));
	}
	CHECK(pieces > 10);
	CHECK_INT(imap_set_count(&back), 20000);
	CHECK_INT(back.n, s.n);
	buf_free(&b);
	imap_set_free(&s);
	imap_set_free(&back);
}

TEST_MAIN
