#include <libetpan/mailimf.h>

#include "core/limits.h"
#include "fmt/addr.h"
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

/* "name|email\n" per address, and "skipped N" if there are any. */
static struct str shown(struct str field)
{
	struct addr_list l = {0};
	struct buf b = {0};
	size_t skipped = addr_parse(a, field, &l), i;
	struct str s;

	for (i = 0; i < l.n; i++) {
		buf_str(&b, l.v[i].name);
		buf_c(&b, '|');
		buf_str(&b, l.v[i].email);
		buf_c(&b, '\n');
	}
	if (skipped > 0)
		buf_fmt(&b, "skipped %zu\n", skipped);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

#define READS(in, want) CHECK_STR(shown(STR(in)), want)

TEST(simple, "addresses with and without names")
{
	READS("a@b.example", "|a@b.example\n");
	READS("<a@b>", "|a@b\n");
	READS("Alice <a@b>", "Alice|a@b\n");
	READS("Alice B. Cook <a@b>", "Alice B. Cook|a@b\n");
	READS("\"Cook, Alice\" <a@b>", "Cook, Alice|a@b\n");
	READS("\"Al \\\"x\\\" \\\\ C\" <a@b>", "Al \"x\" \\ C|a@b\n");
	READS("a@b, c@d,Name <e@f>", "|a@b\n|c@d\nName|e@f\n");
	READS("\"a b\"@c", "|\"a b\"@c\n");
	READS("\"<x>, y\"@c, <\"p@q\"@r>", "|\"<x>, y\"@c\n|\"p@q\"@r\n");
	READS("a@[192.0.2.1], b@[IPv6:::1]", "|a@[192.0.2.1]\n|b@[IPv6:::1]\n");
	READS("", "");
	READS(" , ,, ", "");
	READS("Müller <m\xc3\xbcller@b\xc3\xbc"
	      "cher.de>",
	      "Müller|müller@bücher.de\n");
}

TEST(words, "names are decoded, in quotes too")
{
	READS("=?utf-8?Q?M=C3=BCller?= <a@b>", "Müller|a@b\n");
	READS("\"=?utf-8?Q?M=C3=BCller?=\" <a@b>", "Müller|a@b\n");
	READS("=?utf-8?Q?M=C3=BC?=\r\n =?utf-8?Q?ller?= X <a@b>",
	      "Müller X|a@b\n");
	READS("=?iso-8859-1?Q?M=FCller=2C_K?= <a@b>, c@d",
	      "Müller, K|a@b\n|c@d\n");
	READS("M\xfcller <a@b>", "Müller|a@b\n");
}

TEST(comments, "comments and folds go")
{
	READS("a@b (Alice)", "|a@b\n");
	READS("(x (y) \\) z) Alice (w) Cook <a@(c)b>", "Alice Cook|a@b\n");
	READS("Alice\r\n\tCook\r\n <a@b>,\r\n c@d\r\n",
	      "Alice Cook|a@b\n|c@d\n");
	READS("a (x) . b (y) @ c . d", "|a.b@c.d\n");
	READS("\"A\"  \"B\"   C <a@b>", "A B C|a@b\n");
}

TEST(groups, "groups are flattened, \";\" separates like a comma")
{
	READS("Friends: a@b, C <c@d>;, e@f", "|a@b\nC|c@d\n|e@f\n");
	READS("undisclosed-recipients:;", "");
	READS("undisclosed-recipients: ;", "");
	READS("\"My: group\": a@b; c@d", "|a@b\n|c@d\n");
	/* COI's own examples; client-notes B9. */
	READS("a@b; c@d;", "|a@b\n|c@d\n");
	READS("A <a@b>; \"C;D\" <c@d> ; e@f", "A|a@b\nC;D|c@d\n|e@f\n");
	READS("a@b: c@d", "|a@b\n|c@d\n");
}

TEST(odd, "what real mail makes of it")
{
	READS("<@x,@y:a@b>", "|a@b\n");
	READS("A <a@b> B <c@d>", "A|a@b\nB|c@d\n");
	READS("a@b c@d", "|a@b\n|c@d\n");
	READS("Alice a@b", "Alice|a@b\n");
	READS("A <a@b, C <c@d>", "A|a@b\nC|c@d\n");
	READS("A <<a@b>>, c@d", "A|a@b\n|c@d\n");
	READS("<mailto:a@b>", "|a@b\n");
	READS("mailto:a@b", "|a@b\n");
	READS("[list] x <a@b>", "[list] x|a@b\n");
	READS("a@x.example <c@d>", "a@x.example|c@d\n");
	READS("a..b.@docomo.example", "|a..b.@docomo.example\n");
	READS("<Name a@b>", "|a@b\n");
	READS("O'Neil \"the (x) <a@b>, c@d", "O'Neil the|a@b\n|c@d\n");
	READS("A (x <a@b>, c@d", "A x|a@b\n|c@d\n");
	READS("a@b.", "|a@b.\n");
	READS("a@b(, c@d\", e@f", "|a@b\n|c@d\n|e@f\n");
}

TEST(skipped, "what has no \"@\" is counted, not invented")
{
	READS("root, a@b", "|a@b\nskipped 1\n");
	READS("<>, Alice <>, a@b", "|a@b\nskipped 2\n");
	READS("Alice <alice>", "skipped 1\n");
	READS("@b, a@, @", "skipped 3\n");
	READS("<a@b> trailing", "|a@b\nskipped 1\n");
}

TEST(nul, "NUL and controls neither end the list nor reach the wire")
{
	struct addr_list l = {0};

	CHECK_INT(addr_parse(a, STR("A\0B <a\0x@b>, c@d"), &l), 0);
	CHECK_INT(l.n, 2);
	CHECK(!addr_valid(l.v[0].email));
	CHECK_STR(l.v[1].email, "c@d");
}

TEST(append, "parsing appends; a list built by hand grows too")
{
	struct addr one = {STR("X"), STR("x@y")};
	struct addr_list l = {&one, 1, 0};
	size_t i;

	for (i = 0; i < 20; i++)
		CHECK_INT(addr_parse(a, STR("a@b, c@d"), &l), 0);
	CHECK_INT(l.n, 41);
	CHECK_STR(l.v[0].email, "x@y");
	CHECK_STR(l.v[40].email, "c@d");
}

TEST(cut, "a field cut at every byte stays inside its bytes")
{
	struct str all = STR("\"A, \\\"b\" (c (d)) <x.y@z>, G: =?utf-8?Q?=C3?= "
			     "<@r:\"q\"@[1.2.3.4]>; e@f");
	size_t i, k;

	for (i = 0; i <= all.n; i++) {
		char *copy = mem_alloc(i + 1);
		struct addr_list l = {0};

		memcpy(copy, all.p, i);
		addr_parse(a, (struct str){copy, i}, &l);
		for (k = 0; k < l.n; k++) {
			CHECK(str_chr(l.v[k].email, '@') > 0);
			CHECK(utf8_valid(l.v[k].name));
		}
		arena_reset(a);
		free(copy);
	}
}

TEST(hostile, "deep comments, megabytes of brackets: linear, limited")
{
	static const char *const v[] = {
	    "(",   ")",	     "<",	 "\"",	 "a:",	   "a b, ", "<@",
	    "(a",  "(a)",    "@",	 "a@b ", "a@b,",   "\\",    "[",
	    "a@[", "<@a,\"", "(<a@b,\"", " . ",	 "a (b) ", "<a@b>", "=?a?q?"};
	struct buf b = {0};
	size_t i, k;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct addr_list l = {0};

		buf_clear(&b);
		for (k = 0; b.n < (1u << 18); k++)
			buf_z(&b, v[i]);
		addr_parse(a, buf_view(&b), &l);
		CHECK(l.n <= LIMIT_ADDRESSES);
		arena_reset(a);
	}
	buf_free(&b);
}

TEST(deep, "comments nested deeper than the limit hide no address")
{
	struct buf b = {0};
	int i;

	for (i = 0; i < 500000; i++)
		buf_c(&b, '(');
	buf_z(&b, " a@b.example, c@d.example");
	READS("(((a@b) c) d) e@f", "|e@f\n");
	CHECK(str_find(shown(buf_view(&b)), STR("|c@d.example\n")) >= 0);
	buf_free(&b);
}

/* --- libetpan as the oracle for well-formed fields ------------------------ */

static void put_mailbox(struct buf *b, const struct mailimf_mailbox *m)
{
	if (m->mb_display_name != NULL)
		buf_str(b, hdr_text(a, str_of(m->mb_display_name)));
	buf_c(b, '|');
	buf_z(b, m->mb_addr_spec);
	buf_c(b, '\n');
}

static struct str oracle(struct str field)
{
	struct mailimf_address_list *l = NULL;
	struct buf b = {0};
	clistiter *i, *k;
	size_t at = 0;
	struct str s;

	if (mailimf_address_list_parse(field.p, field.n, &at, &l) !=
	    MAILIMF_NO_ERROR)
		return STR("?");
	for (i = clist_begin(l->ad_list); i != NULL; i = clist_next(i)) {
		struct mailimf_address *x = clist_content(i);
		struct mailimf_mailbox_list *g;

		if (x->ad_type == MAILIMF_ADDRESS_MAILBOX) {
			put_mailbox(&b, x->ad_data.ad_mailbox);
			continue;
		}
		g = x->ad_data.ad_group->grp_mb_list;
		if (g == NULL)
			continue;
		for (k = clist_begin(g->mb_list); k != NULL; k = clist_next(k))
			put_mailbox(&b, clist_content(k));
	}
	mailimf_address_list_free(l);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

TEST(same_as_etpan, "libetpan reads well-formed fields the same way")
{
	static const char *const names[] = {
	    "",		 "Alice ",	     "Alice Cook ",
	    "\"A, B\" ", "\"A \\\"q\\\"\" ", "=?utf-8?Q?=C3=A4?= ",
	    "A\r\n B "};
	static const char *const specs[] = {"a@b", "a.b-c+d@e.example",
					    "x_y$z&1=2@[192.0.2.1]"};
	static const char *const seps[] = {", ", ",\r\n ", " (c), "};
	size_t i, j, k, done = 0;

	for (i = 0; i < 7 * 3; i++)
		for (j = 0; j < 7 * 3; j++)
			for (k = 0; k < 3; k++) {
				struct str f = arena_fmt(
				    a, "%s<%s>%sG: %s<%s>, x@y;", names[i % 7],
				    specs[i / 7], seps[k], names[j % 7],
				    specs[j / 7]);

				CHECK(!str_is(oracle(f), "?"));
				CHECK(str_eq(shown(f), oracle(f)));
				done++;
			}
	CHECK_INT(done, 1323);
}

/* --- one address, validity, comparison ------------------------------------ */

static const char *one(const char *text, struct addr *x)
{
	static char msg[ERR_MSG_MAX];
	struct coi_err e = {0};

	if (addr_one(a, str_of(text), x, &e) == 0)
		return NULL;
	CHECK_INT(e.code, COI_E_DATA);
	memcpy(msg, e.msg, sizeof(msg));
	return msg;
}

#define ONE_BAD(text, word)                                       \
	do {                                                      \
		const char *why_ = one(text, &x);                 \
		CHECK(why_ != NULL);                              \
		if (why_ != NULL && strstr(why_, word) == NULL) { \
			test_bad++;                               \
			printf("# %s: %s\n", text, why_);         \
		}                                                 \
	} while (0)

TEST(one_good, "one address as a user types it")
{
	struct addr x;

	CHECK(one("a@b", &x) == NULL);
	CHECK_STR(x.email, "a@b");
	CHECK(x.name.p == NULL);
	CHECK(one("  Alice Cook <alice@example.org> ", &x) == NULL);
	CHECK_STR(x.name, "Alice Cook");
	CHECK_STR(x.email, "alice@example.org");
	CHECK(one("\"a b\"@c", &x) == NULL);
	CHECK(one("Jörg <jörg@bücher.example>", &x) == NULL);
	CHECK_STR(x.email, "jörg@bücher.example");
	CHECK(one("<a@b>", &x) == NULL);
}

TEST(one_bad, "what is not exactly one address is refused with the reason")
{
	struct addr x;

	ONE_BAD("", "empty");
	ONE_BAD("alice", "no \"@\"");
	ONE_BAD("a@b, c@d", "more than one");
	ONE_BAD("a@b c@d", "more than one");
	ONE_BAD("a@b;", "name@domain");
	ONE_BAD("john doe@example.org", "name@domain");
	ONE_BAD("<a@b", "name@domain");
	ONE_BAD("<a@b> x", "name@domain");
	ONE_BAD("mailto:a@b", "name@domain");
	ONE_BAD("G: a@b;", "name@domain");
	ONE_BAD("a@b\r\nBcc: c@d", "control");
	ONE_BAD("a\x01@b", "control");
	ONE_BAD("\xff@b", "UTF-8");
	ONE_BAD("a..b@c", "dot");
	ONE_BAD("a@b..c", "label");
	ONE_BAD("a@-b", "label");
	ONE_BAD("a@b_c", "domain");
	ONE_BAD("a@b@c", "would need quotes");
	ONE_BAD("a@xn--a-\xf0\x9f\x98\x80.", "domain");
}

TEST(valid, "what may go on the wire")
{
	struct buf b = {0};
	size_t i;

	CHECK(addr_valid(STR("a@b")));
	CHECK(addr_valid(STR("!#$%&'*+-/=?^_`{|}~@b.c")));
	CHECK(addr_valid(STR("\"a\\\"b c\"@d")));
	CHECK(addr_valid(STR("a@[192.0.2.1]")));
	CHECK(addr_valid(STR("a@[IPv6:2001:db8::1]")));
	CHECK(!addr_valid(STR("")));
	CHECK(!addr_valid(STR("@")));
	CHECK(!addr_valid(STR("a b@c")));
	CHECK(!addr_valid(STR("a@b c")));
	CHECK(!addr_valid(STR("a@b>")));
	CHECK(!addr_valid(STR("\"a\"b\"@c")));
	CHECK(!addr_valid(STR("\"a\\\"@c")));
	CHECK(!addr_valid(STR("\"a\nb\"@c")));
	CHECK(!addr_valid(STR("a@b\r\n")));
	CHECK(!addr_valid(STR("a@[x y]")));
	CHECK(!addr_valid(STR("a@[]")));
	CHECK(!addr_valid(STR("a@b.")));
	CHECK(!addr_valid(STR("a\xc2\x85@b")));
	for (i = 0; i < 64; i++)
		buf_c(&b, 'l');
	buf_z(&b, "@d.example");
	CHECK(addr_valid(buf_view(&b)));
	CHECK(!addr_valid(arena_fmt(a, "l%.*s", STR_ARG(buf_view(&b)))));
	buf_clear(&b);
	buf_z(&b, "a@");
	for (i = 0; i < 63; i++)
		buf_z(&b, "abc.");
	CHECK(!addr_valid(arena_fmt(a, "%.*sde", STR_ARG(buf_view(&b)))));
	buf_free(&b);
	CHECK(addr_needs_utf8(STR("jörg@b")));
	CHECK(!addr_needs_utf8(STR("j@bücher.de")));
}

TEST(same, "the same mailbox")
{
	CHECK(addr_same(STR("A@B"), STR("a@b")));
	CHECK(addr_same(STR("\"John.Doe\"@x"), STR("john.doe@X")));
	CHECK(addr_same(STR("a@bücher.de"), STR("a@xn--bcher-kva.DE")));
	CHECK(addr_same(STR("a@BÜCHER.de"), STR("a@bücher.de")));
	CHECK(!addr_same(STR("a@b"), STR("a@c")));
	CHECK(!addr_same(STR("a+x@b"), STR("a@b")));
	CHECK(!addr_same(STR("a@b"), STR("a")));
	CHECK(!addr_same(STR("a@"), STR("a")));
	CHECK(!addr_same(STR("jörg@b"), STR("jÖrg@b")));
	CHECK_STR(addr_domain(STR("\"x@y\"@z")), "z");
	CHECK(addr_domain(STR("x")).p == NULL);
}

TEST(ascii, "domains become A-labels, IDNA2008, nontransitional")
{
	CHECK_STR(addr_ascii(a, STR("a@b")), "a@b");
	CHECK_STR(addr_ascii(a, STR("jörg@bücher.example")),
		  "jörg@xn--bcher-kva.example");
	CHECK_STR(addr_ascii(a, STR("a@straße.de")), "a@xn--strae-oqa.de");
	CHECK_STR(addr_ascii(a, STR("a@BÜCHER.de")), "a@xn--bcher-kva.de");
	CHECK(addr_ascii(a, STR("a@b\xc3\xbc c.de")).p == NULL);
	CHECK(addr_ascii(a, STR("a@\xff")).p == NULL);
}

/* --- writing -------------------------------------------------------------- */

static struct str written(const char *name, struct str email)
{
	struct addr x = {str_of(name), email};
	struct buf b = {0};
	struct str s;

	addr_write(&b, &x);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

TEST(write_name, "names plain, quoted or encoded")
{
	CHECK_STR(written(NULL, STR("a@b")), "a@b");
	CHECK_STR(written("Alice Cook", STR("a@b")), "Alice Cook <a@b>");
	CHECK_STR(written("Cook, A.", STR("a@b")), "\"Cook, A.\" <a@b>");
	CHECK_STR(written("a \"b\" \\", STR("a@b")),
		  "\"a \\\"b\\\" \\\\\" <a@b>");
	CHECK_STR(written("Jörg", STR("a@b")), "=?utf-8?B?SsO2cmc=?= <a@b>");
	CHECK_STR(written("  ", STR("a@b")), "a@b");
	CHECK_STR(written("=?utf-8?Q?x?=", STR("a@b")),
		  "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <a@b>");
	CHECK_STR(written(NULL, STR("a@bücher.de")), "a@xn--bcher-kva.de");
}

TEST(write_injection, "neither name nor address can begin something else")
{
	CHECK_STR(written("x\r\nBcc: y", STR("a@b")), "\"x  Bcc: y\" <a@b>");
	CHECK_STR(written("x\r\n\r\nä", STR("a@b")),
		  "=?utf-8?Q?x____=C3=A4?= <a@b>");
	CHECK_STR(written("x", STR("a@b>, <c@d\r\nBcc: e")), "x <a@bc@dBcce>");
	CHECK_STR(written("x", STR("a\0@b")), "x <a@b>");
}

TEST(write_field, "a field is folded and reads back as it was")
{
	static const char *const names[] = {
	    "",
	    "Alice",
	    "Müller, Jörg",
	    "a \"q\" b",
	    "日本語の名前はここにある",
	    "A name of more than sixty octets, which is too long to be quoted "
	    "on one line and must be cut",
	    "日本語の名前はここにある日本語の名前はここにある日本語の名前はここ"
	    "日本語の名前はここにある日本語の名前はここにある日本語の名前はこ"
	    "こ"};
	struct addr_list l = {0}, back = {0};
	struct str s, n, v, line, rest;
	struct buf b = {0};
	size_t i;

	addr_write_field(&b, "To", &l);
	CHECK_INT(b.n, 0);
	for (i = 0; i < 70; i++)
		addr_add(
		    a, &l,
		    (struct addr){
			str_of(names[i % 7]),
			arena_fmt(a, "user%zu@mail%zu.example.org", i, i / 7)});
	addr_write_field(&b, "To", &l);
	s = rest = buf_view(&b);
	CHECK(str_starts(s, "To: user0@"));
	while (str_line(&rest, &line))
		CHECK(line.n <= 78);
	CHECK(hdr_next(&s, &n, &v));
	CHECK_INT(s.n, 0);
	CHECK_INT(addr_parse(a, v, &back), 0);
	CHECK_INT(back.n, 70);
	for (i = 0; i < back.n; i++) {
		CHECK(str_eq(back.v[i].name, l.v[i].name));
		CHECK(str_eq(back.v[i].email, l.v[i].email));
	}
	buf_free(&b);
}

TEST_MAIN
