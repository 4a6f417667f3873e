#include "core/mem.h"
#include "core/sys.h"
#include "fmt/msgid.h"

#include "test.h"

static struct str shown(struct buf *b, struct str in)
{
	struct str id;

	buf_clear(b);
	while (msgid_next(&in, &id)) {
		buf_str(b, id);
		buf_c(b, '|');
	}
	return buf_view(b);
}

#define READS(in, want) CHECK_STR(shown(&b, STR(in)), want)

TEST(next, "ids of References and of what goes for it")
{
	struct buf b = {0};

	READS("<a@b>", "a@b|");
	READS("<a@b> <c@d>\r\n\t<e@f>", "a@b|c@d|e@f|");
	READS("<a@b><c@d>,<e@f>", "a@b|c@d|e@f|");
	READS("(x <no@no> (y)) <a@b> (z)", "a@b|");
	READS("<chat$group.g-1.x_y@d.example>",
	      "chat$group.g-1.x_y@d.example|");
	READS("", "");
	READS(" \r\n ", "");
	READS("<>", "");
	READS("< a@b >", "a@b|");
	READS("<a,b;c@d>", "a,b;c@d|");
	READS("<noat> <a@b>", "noat|a@b|");
	buf_free(&b);
}

TEST(next_broken, "missing brackets are tolerated (client-notes B17)")
{
	struct buf b = {0};

	READS("<chat$S2571BC.287888@sample.com",
	      "chat$S2571BC.287888@sample.com|");
	READS("<a@b <c@d>", "a@b|c@d|");
	READS("a@b> c@d", "a@b|c@d|");
	READS("a@b", "a@b|");
	READS("Your message of \"Mon, 1 Jan\" <a@b>", "a@b|");
	READS("Message from x@y of today <a@b>", "x@y|a@b|");
	READS("((((((( <a@b>", "a@b|");
	READS("<a@b\0c>", "a@b|");
	buf_free(&b);
}

TEST(next_linear, "a megabyte of brackets takes no time")
{
	static const char *const v[] = {"<",   ">",  "(",  "(a@b ", "<a@b",
					"<a ", "\"", "< ", "()"};
	struct buf b = {0}, out = {0};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_clear(&b);
		while (b.n < (1u << 20))
			buf_z(&b, v[i]);
		CHECK(shown(&out, buf_view(&b)).n <= 2 * b.n);
	}
	buf_free(&b);
	buf_free(&out);
}

TEST(fresh, "new ids: chat$, 22 random characters, the mail domain (CLI-032)")
{
	struct buf b = {0};
	struct str s, local;
	size_t i;

	msgid_new(&b, STR_NONE, STR("mail.example"));
	s = buf_view(&b);
	CHECK(str_starts(s, "chat$"));
	CHECK(str_ends(s, "@mail.example"));
	CHECK_INT(s.n, 5 + 22 + 1 + 12);
	local = str_sub(s, 5, 22);
	for (i = 0; i < local.n; i++)
		CHECK(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
			     "xyz0123456789-_",
			     local.p[i]) != NULL);
	CHECK(msgid_valid(s));
	CHECK(msgid_is_chat(s));
	CHECK(msgid_group(s).p == NULL);
	buf_free(&b);
}

TEST(base64url, "the unique part is the random octets in base64url")
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char raw[16], got[16] = {0};
	struct buf b = {0};
	size_t i, bit;

	sys_seed("7");
	sys_random(raw, sizeof(raw));
	sys_seed("7");
	msgid_new(&b, STR_NONE, STR("d"));
	sys_seed(NULL);
	CHECK_INT(b.n, 5 + 22 + 2);
	for (i = 0; i < 22 && b.n == 29; i++) {
		size_t v = (size_t)(strchr(digits, b.p[5 + i]) - digits);

		for (bit = 0; bit < 6; bit++)
			if (i * 6 + bit < 128 && (v >> (5 - bit) & 1) != 0)
				got[(i * 6 + bit) / 8] |=
				    (unsigned char)(0x80 >> (i * 6 + bit) % 8);
	}
	CHECK(memcmp(raw, got, sizeof(raw)) == 0);
	buf_free(&b);
}

TEST(fresh_group, "group ids: chat$group.GROUP.UNIQUE@domain (CLI-206)")
{
	struct buf b = {0};

	msgid_new(&b, STR("aB3-_"), STR("d.example"));
	CHECK(str_starts(buf_view(&b), "chat$group.aB3-_."));
	CHECK_STR(msgid_group(buf_view(&b)), "aB3-_");
	CHECK_INT(b.n, 17 + 22 + 10);
	buf_clear(&b);
	/* Whatever is asked for, an id stays an id. */
	msgid_new(&b, STR("a.b>\r\n"), STR("d\r\n\0Bcc: x"));
	CHECK(msgid_valid(buf_view(&b)));
	CHECK_STR(msgid_group(buf_view(&b)), "ab");
	buf_clear(&b);
	msgid_new(&b, STR_NONE, STR_NONE);
	CHECK(msgid_valid(buf_view(&b)));
	buf_free(&b);
}

static int cmp(const void *x, const void *y)
{
	return memcmp(x, y, 22);
}

TEST(distinct, "a hundred thousand ids are distinct (CLI-032)")
{
	enum { N = 100000 };
	char *v = mem_array(N, 22);
	struct buf b = {0};
	size_t i, same = 0;

	for (i = 0; i < N; i++) {
		buf_clear(&b);
		msgid_new(&b, STR_NONE, STR("d"));
		memcpy(v + i * 22, b.p + 5, 22);
	}
	qsort(v, N, 22, cmp);
	for (i = 1; i < N; i++)
		same += memcmp(v + i * 22 - 22, v + i * 22, 22) == 0;
	CHECK_INT(same, 0);
	free(v);
	buf_free(&b);
}

TEST(valid, "ids that can be written and found again")
{
	CHECK(msgid_valid(STR("a@b")));
	CHECK(msgid_valid(STR("a&b$c@[1.2.3.4]")));
	CHECK(msgid_valid(STR("a:b@c@d")));
	CHECK(!msgid_valid(STR("a")));
	CHECK(!msgid_valid(STR("@b")));
	CHECK(!msgid_valid(STR("a@")));
	CHECK(!msgid_valid(STR("<a@b>")));
	CHECK(!msgid_valid(STR("a b@c")));
	CHECK(!msgid_valid(STR("a@b\r\n")));
	CHECK(!msgid_valid(STR("a\0@b")));
	CHECK(!msgid_valid(STR("\xff@b")));
	CHECK(!msgid_valid(STR("")));
	CHECK(!msgid_valid(STR_NONE));
}

TEST(chat, "which ids are chat, and of which group (CLI-207)")
{
	CHECK(msgid_is_chat(STR("chat$x@y")));
	CHECK(msgid_is_chat(STR("coi$x@y")));
	CHECK(msgid_is_chat(STR(" <chat$x@y>")));
	CHECK(!msgid_is_chat(STR("chatx@y")));
	CHECK(!msgid_is_chat(STR("xchat$x@y")));
	CHECK(!msgid_is_chat(STR("")));
	CHECK_STR(msgid_group(STR("chat$group.4321dcba1234.a.b.c@d")),
		  "4321dcba1234");
	CHECK_STR(msgid_group(STR("coi$group.x.y@d")), "x");
	CHECK(msgid_group(STR("chat$group.@d")).p == NULL);
	CHECK(msgid_group(STR("chat$group..x@d")).p == NULL);
	CHECK(msgid_group(STR("chat$group.abc@d.example")).p == NULL);
	CHECK(msgid_group(STR("chat$group.a+b.x@d")).p == NULL);
	CHECK(msgid_group(STR("chat$groupie.x@d")).p == NULL);
	CHECK(msgid_group(STR("chat$x.group.y@d")).p == NULL);
}

TEST(field, "a field of ids, one a line; nothing that is none")
{
	struct str v[] = {STR("a@b"), STR("c\r\nd@e"), STR("x> <y@z"),
			  STR("f:g@h@i")};
	struct buf b = {0};

	msgid_write_field(&b, "References", v, 4);
	CHECK_STR(buf_view(&b), "References: <a@b>\r\n <f:g@h@i>\r\n");
	buf_clear(&b);
	msgid_write_field(&b, "References", v + 1, 2);
	CHECK_INT(b.n, 0);
	buf_free(&b);
}

TEST_MAIN
