#include "fmt/date.h"

#include "test.h"

#define T 1796169600 /* Wed, 2 Dec 2026 00:00:00 UTC */

#define READS(in, want)                                            \
	do {                                                       \
		int64_t t_ = -1;                                   \
		if (!date_parse(STR(in), &t_) || t_ != (want)) {   \
			test_bad++;                                \
			printf("# %s: %lld\n", in, (long long)t_); \
		}                                                  \
	} while (0)

#define FAILS(in)                                                  \
	do {                                                       \
		int64_t t_ = -1;                                   \
		if (date_parse(STR(in), &t_)) {                    \
			test_bad++;                                \
			printf("# %s: %lld\n", in, (long long)t_); \
		}                                                  \
	} while (0)

TEST(standard, "dates of RFC 5322 3.3")
{
	READS("Wed, 2 Dec 2026 00:00:00 +0000", T);
	READS("2 Dec 2026 01:30:00 +0130", T);
	READS("1 Dec 2026 19:00:00 -0500", T);
	READS("Wed, 02 Dec 2026 00:00 +0000", T);
	READS("Fri, 21 Nov 1997 09:55:06 -0600", 880127706);
	READS("29 Feb 2024 23:59:60 GMT", 1709251200);
	READS("1 Jan 1970 00:00:00 +0000", 0);
	READS("31 Dec 1969 23:59:59 +0000", -1);
	READS("Wed,\r\n\t2 Dec 2026\r\n 00:00:00 +0000 (UTC)\r\n", T);
}

TEST(obsolete, "obsolete dates: comments, zones by name, short years")
{
	READS("Wed (x) , 2 (a (b) \\) c) Dec (d) 2026 00 : 00 : 00 (e) +0000",
	      T);
	READS("Tue, 1 Dec 26 19:00:00 EST", T);
	READS("1 Dec 2026 20:00 EDT", T);
	READS("1 Dec 2026 17:00 mst", T);
	READS("1 Dec 2026 16:00 PST", T);
	READS("2 Dec 2026 00:00 UT", T);
	READS("2 Dec 2026 00:00 Z", T);
	READS("2 Dec 2026 00:00 A", T); /* RFC 5322 4.3: as -0000 */
	READS("2 Dec 2026 00:00 XYZT", T);
	READS("2 Dec 126 00:00 GMT", T);
	READS("21 Nov 97 09:55:06 GMT", 880106106);
	READS("1 Jan 49 00:00 GMT", 2493072000);
	READS("1 Jan 50 00:00 GMT", -631152000);
}

TEST(real, "dates that real mail and COI's own text hold")
{
	READS("Mon, 4 Dec 2019 0:00:00 +0000", 1575417600); /* weekday wrong */
	READS("Mi, 2 Dec 2026 00:00:00 +0000", T);
	READS("mi\xc3\xa9, 2 dec 2026 00:00:00 +0000", T);
	READS("2 December 2026 00:00:00 +0000", T);
	READS("Wed, 02-Dec-2026 00:00:00 GMT", T);
	READS("Wed, 2 Dec 2026 00:00:00", T);
	READS("Wed, 2 Dec 2026 01:00:00 GMT+0100", T);
	READS("Wed, 2 Dec 2026 01:00:00 +01:00", T);
	READS("Wed, 2 Dec 2026 00:00:00.123 +0000", T);
	READS("Wed Dec  2 00:00:00 2026", T);
	READS("Tue Dec 1 19:00:00 EST 2026", T);
	READS("Wed, 2 Dec 2026 00:00:00 +0000 (unfinished", T);
}

TEST(unreadable, "what is no date is not read as one")
{
	FAILS("");
	FAILS("   ");
	FAILS("yesterday");
	FAILS("2 Dec 2026");
	FAILS("Wed, 2 Foo 2026 00:00:00 +0000");
	FAILS("0 Dec 2026 00:00 GMT");
	FAILS("31 Nov 2026 00:00 GMT");
	FAILS("29 Feb 2026 00:00 GMT");
	FAILS("29 Feb 2100 00:00 GMT");
	FAILS("2 Dec 2026 24:00 GMT");
	FAILS("2 Dec 2026 00:60 GMT");
	FAILS("2 Dec 2026 00:00:61 GMT");
	FAILS("2 Dec 2026 00:00 +2400");
	FAILS("2 Dec 2026 00:00 +0060");
	FAILS("2 Dec 2026 00:00 +1");
	FAILS("2 Dec 20261 00:00 GMT");
	FAILS("2 Dec 1 00:00 GMT");
	FAILS("99999999999999999999 Dec 2026 00:00 GMT");
	FAILS("2 Dec 2026 00");
	FAILS("((((((");
	FAILS("2 Dec 2026 :00 GMT");
}

TEST(cut, "a date cut anywhere does no harm")
{
	struct str s = STR("Wed (x), 2 Dec 2026 00:00:00 -0500 (EST)");
	int64_t t;
	size_t i;

	for (i = 0; i < 24; i++)
		CHECK(!date_parse(str_sub(s, 0, i), &t));
	for (; i <= s.n; i++)
		date_parse(str_sub(s, 0, i), &t);
}

TEST(rfc3339, "RFC 3339, and datetime attributes without seconds")
{
	int64_t t = -1;

	CHECK(date_parse_3339(STR("2026-12-02T00:00:00Z"), &t) && t == T);
	CHECK(date_parse_3339(STR("2026-12-02t01:00:00.25+01:00"), &t) &&
	      t == T);
	CHECK(date_parse_3339(STR("2026-12-01 19:00-05:00"), &t) && t == T);
	CHECK(!date_parse_3339(STR("2026-12-02T00:00:00"), &t));
	CHECK(!date_parse_3339(STR("2026-12-02"), &t));
	CHECK(!date_parse_3339(STR("2026-12-02T00:00:00+0100"), &t));
	CHECK(!date_parse_3339(STR("2026-13-02T00:00:00Z"), &t));
	CHECK(!date_parse_3339(STR("2026-12-02T00:00:00Zx"), &t));
	CHECK(!date_parse_3339(STR("2026-2-2T00:00:00Z"), &t));
	CHECK(!date_parse_3339(STR(""), &t));
}

TEST(imap, "INTERNALDATE, with or without its quotes")
{
	int64_t t = -1;

	CHECK(date_parse_imap(STR(" 2-Dec-2026 00:00:00 +0000"), &t) && t == T);
	CHECK(date_parse_imap(STR("\"02-Dec-2026 01:00:00 +0100\""), &t) &&
	      t == T);
	CHECK(!date_parse_imap(STR("02-Dec-2026 01:00:00"), &t));
	CHECK(!date_parse_imap(STR("02-Dec-26 01:00:00 +0000"), &t));
	CHECK(!date_parse_imap(STR("02-Dec-2026 01:00:00 GMT"), &t));
	CHECK(!date_parse_imap(STR("\""), &t));
}

TEST(human, "dates as a user types them")
{
	int64_t t = -1;

	CHECK(date_parse_human(STR("2026-12-02"), 0, &t) && t == T);
	CHECK(date_parse_human(STR("2026-12-02T01:00:00+01:00"), 0, &t) &&
	      t == T);
	CHECK(date_parse_human(STR("@1796169600"), 0, &t) && t == T);
	CHECK(date_parse_human(STR("3d"), T, &t) && t == T - 3 * 86400);
	CHECK(date_parse_human(STR("12h"), T, &t) && t == T - 12 * 3600);
	CHECK(date_parse_human(STR("30m"), T, &t) && t == T - 1800);
	CHECK(date_parse_human(STR("2w"), T, &t) && t == T - 14 * 86400);
	CHECK(!date_parse_human(STR("d"), T, &t));
	CHECK(!date_parse_human(STR("-3d"), T, &t));
	CHECK(!date_parse_human(STR("3y"), T, &t));
	CHECK(!date_parse_human(STR("@"), T, &t));
	CHECK(!date_parse_human(STR("@99999999999999"), T, &t));
	CHECK(!date_parse_human(STR("99999999999d"), T, &t));
	CHECK(!date_parse_human(STR("2026-02-30"), T, &t));
	CHECK(!date_parse_human(STR(""), T, &t));
}

TEST(write_all, "dates are written with the true weekday (CLI-031)")
{
	struct buf b = {0};

	date_write(&b, T);
	CHECK_STR(buf_view(&b), "Wed, 2 Dec 2026 00:00:00 +0000");
	buf_clear(&b);
	date_write(&b, 1575417600); /* the spec says it is a Monday */
	CHECK_STR(buf_view(&b), "Wed, 4 Dec 2019 00:00:00 +0000");
	buf_clear(&b);
	date_write(&b, -1);
	CHECK_STR(buf_view(&b), "Wed, 31 Dec 1969 23:59:59 +0000");
	buf_clear(&b);
	date_write_3339(&b, T + 3661);
	CHECK_STR(buf_view(&b), "2026-12-02T01:01:01Z");
	buf_clear(&b);
	date_write_imap(&b, T);
	CHECK_STR(buf_view(&b), " 2-Dec-2026 00:00:00 +0000");
	buf_clear(&b);
	date_write_search(&b, T);
	CHECK_STR(buf_view(&b), "2-Dec-2026");
	buf_clear(&b);
	date_write_3339(&b, INT64_MAX);
	date_write_3339(&b, INT64_MIN);
	CHECK_STR(buf_view(&b), "9999-12-31T23:59:59Z0000-01-01T00:00:00Z");
	buf_free(&b);
}

TEST(round_trips, "what is written is read back; agrees with the C library")
{
	struct buf b = {0};
	int64_t t, got;
	struct tm tm;
	time_t c;
	char want[64];

	for (t = -2000000000; t < INT64_C(8000000000); t += 86399 * 97) {
		got = -1;
		buf_clear(&b);
		date_write(&b, t);
		c = (time_t)t;
		CHECK(gmtime_r(&c, &tm) != NULL);
		strftime(want, sizeof(want), "%a, %e %b %Y %T +0000", &tm);
		if (want[5] == ' ')
			memmove(want + 5, want + 6, strlen(want + 5));
		CHECK_STR(buf_view(&b), want);
		CHECK(date_parse(buf_view(&b), &got) && got == t);
		buf_clear(&b);
		date_write_3339(&b, t);
		CHECK(date_parse_3339(buf_view(&b), &got) && got == t);
		buf_clear(&b);
		date_write_imap(&b, t);
		CHECK(date_parse_imap(buf_view(&b), &got) && got == t);
	}
	buf_free(&b);
}

TEST_MAIN
