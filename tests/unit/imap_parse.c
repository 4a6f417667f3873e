/* The push parser: every response also cut at every octet. */
#include "core/limits.h"
#include "test.h"

#include "imap_mem.h"

/* Feeds all of it: events, then "ERR ..." if it was refused. */
static void run(struct imap *im, struct mem *m, struct buf *out)
{
	struct coi_err e = {0};

	im->want.fetch = &mem_events;
	im->want.fetch_ctx = m;
	while (imap_read(im, &e) == 0)
		;
	buf_str(out, buf_view(&m->log));
	if (e.code != COI_E_UNAVAILABLE)
		buf_fmt(out, "ERR %d %s <%s>", e.code, e.msg, e.reply);
}

static void once(struct str in, size_t step, const char *want)
{
	struct buf got = {0};
	struct mem m;
	struct imap *im = mem_ready(&m, in, step, "");

	run(im, &m, &got);
	CHECK_STR(buf_view(&got), want);
	buf_free(&got);
	mem_close(im, &m);
}

static void fetch(const char *in, const char *want)
{
	struct str s = str_of(in);
	size_t i;

	once(s, 0, want);
	once(s, 1, want);
	for (i = 2; i < s.n && i < 80; i++)
		once(s, i, want);
}

TEST(fetch_plain, "FETCH: what is asked for, in any order and case")
{
	fetch("* 1 FETCH (UID 7 FLAGS (\\Seen $Chat) MODSEQ "
	      "(18446744073709551615)"
	      " INTERNALDATE \" 1-Jan-2024 10:00:00 +0100\" RFC822.SIZE 41"
	      " BODY[] {5}\r\nhello)\r\n",
	      "7[]5:hello;uid 7 mod 18446744073709551615 flags \\Seen $Chat "
	      "date 1704099600 size 41\n");
	fetch("* 1 fetch (body[header] {3}\r\nabc uid 9 flags ())\r\n",
	      "0[header]3:abc;uid 9 flags\n");
	fetch("* 2 FETCH (BODY[1.2]<0> \"q\\\"\\\\x\" UID 3)\r\n",
	      "0[1.2]4:q\"\\x;uid 3\n");
	fetch(
	    "* 2 FETCH (UID 4 BODY[HEADER.FIELDS (FROM \"TO]\")] {0}\r\n)\r\n",
	    "4[HEADER.FIELDS (FROM \"TO]\")]0:;uid 4\n");
	fetch("* 2 FETCH (UID 4 BODY[] NIL)\r\n", "4[]0:;uid 4\n");
	fetch("* 2 FETCH (UID 4 BODY[] \"\")\r\n", "4[]0:;uid 4\n");
	fetch("* 2 FETCH (UID 4 BINARY[1] ~{3}\r\na)\n)\r\n",
	      "4[1]3:a)\n;uid 4\n");
	fetch("* 2 FETCH (UID 4)\n* 3 FETCH (UID 5)\n", "uid 4\nuid 5\n");
	fetch("* 2 FETCH ( UID 4  FLAGS  (  a  b ) )\r\n", "uid 4 flags a b\n");
	fetch("* 9 FETCH ()\r\n", "uid 0\n");
}

TEST(fetch_two, "FETCH: two bodies, two answers for one UID, last flags win")
{
	fetch("* 1 FETCH (UID 7 BODY[1] {1}\r\na BODY[2] {2}\r\nbc)\r\n"
	      "* 1 FETCH (UID 7 FLAGS (x) FLAGS (y))\r\n",
	      "7[1]1:a;7[2]2:bc;uid 7\nuid 7 flags y\n");
}

TEST(fetch_unknown, "FETCH: unknown items pass, nested and with literals")
{
	fetch(
	    "* 1 FETCH (X-A 1 X-B (a (b \"c)\" {3}\r\n(() ) ~{2}\r\nxx d) UID 1"
	    " EMAILID (M6d99ac3275bb4e) PREVIEW {4}\r\n)))) X NIL"
	    " X-GM-LABELS (\"\\\\Sent\") SAVEDATE \"x\""
	    " ENVELOPE (NIL {1}\r\n\" ((\"a\" NIL \"b\" \"c\")) NIL)"
	    " BINARY.SIZE[1] 12 RFC822.HEADER {2}\r\nhi)\r\n",
	    "uid 1\n");
	fetch("* 1 FETCH (UID 1 BODYSTRUCTURE (\"text\" {5}\r\npl)in (\"a\" "
	      "\"b\")"
	      " NIL) FLAGS (x))\r\n",
	      "uid 1 flags x bs (\"text\" {5}\r\npl)in (\"a\" \"b\") NIL)\n");
	fetch("* 1 FETCH (UID 1 BODYSTRUCTURE NIL)\r\n", "uid 1\n");
	fetch("* 1 FETCH (UID 1 BODY (\"a\" \"b\"))\r\n",
	      "uid 1 bs (\"a\" \"b\")\n");
}

TEST(others, "untagged data of every kind between, also what nobody knows")
{
	fetch(
	    "* 12 EXISTS\r\n* 1 RECENT\r\n* 2 EXPUNGE\r\n* OK still here "
	    "{5}\r\n"
	    "* X-NEW ((a) {3}\r\n(\r\n \"q\") 5\r\n"
	    "* OK [X-CODE \"]\" (] text\r\n* NO warning\r\n* BAD hm\r\n"
	    "* FLAGS (\\Seen)\r\n* LIST () \"/\" x\r\n* STATUS x (A 1)\r\n"
	    "* SEARCH 1 2 3\r\n* ESEARCH (TAG \"x\") ALL 1\r\n"
	    "* VANISHED (EARLIER) 1:5\r\n* METADATA \"\" /x\r\n"
	    "* ENABLED QRESYNC\r\n* THREAD (1)\r\n* QUOTA \"\" (S 1 2)\r\n"
	    "* 5 X-NEW (\r\n*\r\n\r\n+ idling\r\n* ID NIL\r\n"
	    "* LIST (broken\r\n* STATUS nobody asked\r\n* 1 FETCH (UID 1)\r\n",
	    "uid 1\n");
}

#define BROKEN "ERR 12 the server sent a FETCH response that is broken "

TEST(fetch_broken, "FETCH: broken syntax is an error that quotes the place")
{
	fetch("* 1 FETCH (UID 0)\r\n", BROKEN "<(UID 0)>");
	fetch("* 1 FETCH (UID 4294967296)\r\n", BROKEN "<(UID 4294967296)>");
	fetch("* 1 FETCH (UID x)\r\n", BROKEN "<(UID x)>");
	fetch("* 1 FETCH (UID 1\r\n", BROKEN "<(UID 1>");
	fetch("* 1 FETCH UID 1\r\n", BROKEN "<UID 1>");
	fetch("* 1 FETCH (UID 1) x\r\n", BROKEN "<(UID 1) x>");
	fetch("* 1 FETCH (BODY[ {1}\r\na)\r\n", BROKEN "<(BODY[>");
	fetch("* 1 FETCH (BODY[] atom)\r\n", BROKEN "<(BODY[] atom)>");
	fetch("* 1 FETCH (BODY[] \"x)\r\n", BROKEN "<(BODY[] \"x)>");
	fetch("* 1 FETCH (FLAGS (a (b)))\r\n", BROKEN "<(FLAGS (a (b)))>");
	fetch("* 1 FETCH (FLAGS {1}\r\na)\r\n", BROKEN "<(FLAGS>");
	fetch("* 1 FETCH (X a) b)\r\n", BROKEN "<(X a) b)>");
	fetch("* 1 FETCH (MODSEQ (18446744073709551616))\r\n",
	      BROKEN "<(MODSEQ (18446744073709551616))>");
	fetch("* 1 FETCH (FLAGS (\x1b[31m\r\n", BROKEN "<(FLAGS ( [31m>");
	fetch("HTTP/1.1 400 Bad Request\r\n",
	      "ERR 12 the server sent what is no IMAP <HTTP/1.1 400 Bad "
	      "Request>");
	fetch("a99 OK hi\r\n",
	      "ERR 12 the server sent an answer to a command that was not "
	      "given <a99 OK hi>");
}

TEST(literal_sizes, "literals beyond 32 bit are refused, not wrapped")
{
#define TOO(x) \
	"ERR 12 the server sent a literal that is too large <(BODY[] {" x "}>"
	fetch("* 1 FETCH (BODY[] {4294967295}\r\n", TOO("4294967295"));
	fetch("* 1 FETCH (BODY[] {4294967299}\r\nabc)\r\n", TOO("4294967299"));
	fetch("* 1 FETCH (BODY[] {99999999999999999999999}\r\nabc)\r\n",
	      TOO("99999999999999999999999"));
	/* cut off: what came is seen, no end() */
	fetch("* 1 FETCH (UID 2 BODY[] {4294967294}\r\nabc",
	      "2[]4294967294:abc");
	/* no number at all is an atom of nobody's */
	fetch("* X {}\r\n* X {-1}\r\n* X {+}\r\n", "");
}

TEST(limits, "limits: nesting, lines, literals kept, without waste")
{
	struct buf b = {0};
	size_t i;

	buf_z(&b, "* 1 FETCH (X ");
	for (i = 0; i < 100000; i++)
		buf_c(&b, '(');
	buf_z(&b, "\r\n");
	{
		struct buf got = {0};
		struct mem m;
		struct imap *im = mem_ready(&m, buf_view(&b), 0, "");

		run(im, &m, &got);
		CHECK(str_starts(buf_view(&got), "ERR 12 "));
		mem_close(im, &m);
		buf_free(&got);
	}
	/* a line without end, one octet at a time: linear, and refused */
	buf_clear(&b);
	buf_z(&b, "* X ");
	for (i = 0; i < LIMIT_IMAP_LINE + 10; i++)
		buf_c(&b, 'x');
	once(buf_view(&b), 1,
	     "ERR 12 the server sent a response beyond the limit of 1048576 "
	     "octets <>");
	once(buf_view(&b), 0,
	     "ERR 12 the server sent a response beyond the limit of 1048576 "
	     "octets <>");
	/* a kept literal that is too large; a skipped one may be */
	once(STR("* LIST () \"/\" {1048577}\r\nxxx"), 1,
	     "ERR 12 the server sent a response beyond the limit of 1048576 "
	     "octets <>");
	once(STR("* X-LIST () \"/\" {1048577}\r\nxxx"), 1, "");
	buf_free(&b);
}

TEST(structure_limits,
     "a BODYSTRUCTURE beyond all limits passes, the next is read")
{
	static const size_t steps[] = {0, 1, 4096, 65536};
	struct buf deep = {0}, line = {0}, lits = {0};
	size_t i;

	buf_z(&deep, "* 1 FETCH (UID 1 BODYSTRUCTURE ");
	for (i = 0; i < 1000; i++)
		buf_c(&deep, '(');
	for (i = 0; i < 1000; i++)
		buf_c(&deep, ')');
	buf_z(&deep, ")\r\n* 2 FETCH (UID 2)\r\n");
	/* One line, its last octets a literal; the octets of that are no
	 * response, whatever they look like. */
	buf_z(&line, "* 1 FETCH (UID 1 BODYSTRUCTURE (");
	for (i = 0; i < 2 * LIMIT_IMAP_LINE / 8; i++)
		buf_z(&line, "\"a(b c\" ");
	buf_z(&line, "{19}\r\n* 3 FETCH (UID 3)\r\n x))\r\n"
		     "* 2 FETCH (UID 2)\r\n");
	/* Short lines, long literals. */
	buf_z(&lits, "* 1 FETCH (UID 1 BODYSTRUCTURE (");
	for (i = 0; i < 20; i++) {
		size_t k;

		buf_z(&lits, "{100000}\r\n");
		for (k = 0; k < 100000; k++)
			buf_c(&lits, 'x');
		buf_c(&lits, ' ');
	}
	buf_z(&lits, "x))\r\n* 2 FETCH (UID 2)\r\n");
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct buf got = {0};
		struct mem m;
		struct imap *im = mem_ready(&m, buf_view(&deep), steps[i], "");

		run(im, &m, &got);
		CHECK(str_ends(buf_view(&got), "uid 2\n"));
		mem_close(im, &m);
		buf_free(&got);
		once(buf_view(&line), steps[i], "uid 2\n");
		once(buf_view(&lits), steps[i], "uid 1\nuid 2\n");
	}
	buf_free(&deep);
	buf_free(&line);
	buf_free(&lits);
}

/* --- lists of numbers -------------------------------------------------------
 */

static void numbers(struct str in, size_t step, uint64_t count, size_t ranges,
		    bool good)
{
	struct imap_set set = {0};
	struct coi_err e = {0};
	struct mem m;
	struct imap *im = mem_ready(&m, in, step, "");

	im->want.search = &set;
	im->want.search_tag = 5;
	while (imap_read(im, &e) == 0)
		;
	set_normalise(&set);
	CHECK_INT(e.code, good ? COI_E_UNAVAILABLE : COI_E_PROTOCOL);
	if (good) {
		CHECK_INT(imap_set_count(&set), count);
		CHECK_INT(set.n, ranges);
	}
	imap_set_free(&set);
	mem_close(im, &m);
}

static void search(const char *in, uint64_t count, size_t ranges, bool good)
{
	size_t i;

	numbers(str_of(in), 0, count, ranges, good);
	for (i = 1; i < strlen(in); i++)
		numbers(str_of(in), i, count, ranges, good);
}

TEST(search_short, "SEARCH and ESEARCH: every form of the answer")
{
	search("* SEARCH\r\n", 0, 0, true);
	search("* SEARCH \r\n", 0, 0, true);
	search("* SEARCH 3 1 2 7 7\r\n", 4, 2, true);
	search("* search 1 2 (MODSEQ 917162500)\r\n", 2, 1, true);
	search("* SEARCH 1\r\n* SEARCH 2\r\n", 2, 1, true);
	search("* ESEARCH (TAG \"a5\") UID ALL 1:3,9,12:10\r\n", 7, 2, true);
	search("* ESEARCH (TAG \"a5\") UID\r\n", 0, 0, true);
	search("* ESEARCH UID COUNT 3 MIN 1 ALL 2:3 MODSEQ 5\r\n", 2, 1, true);
	search("* ESEARCH (TAG \"a4\") UID ALL 1:3\r\n", 0, 0, true);
	search("* ESEARCH (TAG \"a5\") UID X (a (b)) ALL 4\r\n", 1, 1, true);
	search("* SEARCH 0\r\n", 0, 0, false);
	search("* SEARCH x\r\n", 0, 0, false);
	search("* SEARCH 1,2\r\n", 0, 0, false);
	search("* SEARCH 4294967296\r\n", 0, 0, false);
	search("* ESEARCH (TAG \"a5\") UID ALL 1:*\r\n", 0, 0, false);
	search("* ESEARCH (TAG \"a5\" UID ALL 1\r\n", 0, 0, false);
}

TEST(search_long, "a list longer than a line may be is taken in parts")
{
	struct buf b = {0}, c = {0}, d = {0};
	size_t i, steps[] = {1, 7, 4096, 65536, 0};

	buf_z(&b, "* SEARCH");
	buf_z(&c, "* ESEARCH (TAG \"a5\") UID ALL 1");
	buf_z(&d, "* SEARCH");
	for (i = 1; i <= 300000; i++) {
		buf_fmt(&b, " %zu", i * 2);
		buf_fmt(&c, ",%zu", i * 2 + 1);
		buf_fmt(&d, " %zu", 600001 - i * 2);
	}
	CHECK(b.n > LIMIT_IMAP_LINE && c.n > LIMIT_IMAP_LINE);
	buf_z(&b, "\r\n");
	buf_z(&c, "\r\n");
	buf_z(&d, "\r\n");
	for (i = 0; i < 5; i++) {
		numbers(buf_view(&b), steps[i], 300000, 300000, true);
		numbers(buf_view(&c), steps[i], 300001, 300001, true);
		numbers(buf_view(&d), steps[i], 300000, 300000, true);
	}
	buf_free(&b);
	buf_free(&c);
	buf_free(&d);
}

static void on_vanished(void *ctx, uint32_t lo, uint32_t hi)
{
	buf_fmt(ctx, "%u:%u ", lo, hi);
}

TEST(vanished, "VANISHED comes as ranges, huge ones too")
{
	static const struct str in = STR(
	    "* VANISHED (EARLIER) 1:4294967295,7,9:8\r\n* VANISHED 3 \r\n");
	struct buf got = {0};
	struct coi_err e = {0};
	struct mem m;
	struct imap *im;
	size_t i;

	for (i = 0; i < in.n; i++) {
		im = mem_ready(&m, in, i, "");
		im->want.vanished = on_vanished;
		im->want.vanished_ctx = &got;
		while (imap_read(im, &e) == 0)
			;
		CHECK_STR(buf_view(&got), "1:4294967295 7:7 8:9 3:3 ");
		buf_clear(&got);
		err_clear(&e);
		mem_close(im, &m);
	}
	buf_free(&got);
}

/* --- small things ------------------------------------------------------------
 */

static int tail(const char *s, size_t *before, uint64_t *n)
{
	return imap_literal_tail(str_of(s), before, n);
}

TEST(tails, "the end of a line that announces a literal")
{
	size_t before;
	uint64_t n;

	CHECK(tail("a {12}", &before, &n) == 1 && before == 2 && n == 12);
	CHECK(tail("a {12+}", &before, &n) == 1 && before == 2 && n == 12);
	CHECK(tail("a ~{0}", &before, &n) == 1 && before == 2 && n == 0);
	CHECK(tail("{1}", &before, &n) == 1 && before == 0);
	CHECK(tail("a {12} ", &before, &n) == 0);
	CHECK(tail("a {}", &before, &n) == 0);
	CHECK(tail("a 12}", &before, &n) == 0);
	CHECK(tail("}", &before, &n) == 0);
	CHECK(tail("", &before, &n) == 0);
	CHECK(tail("{4294967294}", &before, &n) == 1 && n == 4294967294u);
	CHECK(tail("{4294967295}", &before, &n) == -1);
}

TEST(strings, "atoms, quoted strings, literals, NIL")
{
	static const struct str in = STR(
	    "INBOX \"a\\\"b\\\\c\" \"\" {3}\r\nx\"y ~{1}\r\nz NIL nil \"NIL\" "
	    "(");
	struct imap_cur c = {in.p, in.p + in.n, arena_new()};
	struct str s;

	CHECK(cur_astring(&c, &s) && cur_sp(&c));
	CHECK_STR(s, "INBOX");
	CHECK(cur_astring(&c, &s) && cur_sp(&c));
	CHECK_STR(s, "a\"b\\c");
	CHECK(cur_nstring(&c, &s) && cur_sp(&c));
	CHECK(s.p != NULL && s.n == 0);
	CHECK(cur_nstring(&c, &s) && cur_sp(&c));
	CHECK_STR(s, "x\"y");
	CHECK(cur_nstring(&c, &s) && cur_sp(&c));
	CHECK_STR(s, "z");
	CHECK(cur_nstring(&c, &s) && cur_sp(&c));
	CHECK(s.p == NULL);
	CHECK(cur_nstring(&c, &s) && cur_sp(&c));
	CHECK(s.p == NULL);
	CHECK(cur_nstring(&c, &s) && cur_sp(&c));
	CHECK_STR(s, "NIL");
	CHECK(!cur_astring(&c, &s));
	CHECK(!cur_skip(&c));
	arena_free(c.a);
}

TEST(quoting, "strings of ours: quoted, or a literal when they must be")
{
	struct buf b = {0};

	imap_quote(&b, STR(""));
	imap_quote(&b, STR("a\"b\\c"));
	CHECK_STR(buf_view(&b), "\"\"\"a\\\"b\\\\c\"");
	buf_clear(&b);
	imap_quote(&b, STR("h\xc3\xa4"));
	imap_quote(&b, STR("a\r\nb"));
	CHECK_STR(buf_view(&b), "{3+}\r\nh\xc3\xa4{4+}\r\na\r\nb");
	buf_free(&b);
}

TEST_MAIN
