#include "test.h"

#include "sieve/chat.h"

static void write_chat(struct buf *b, bool active, const char *folder,
		       bool create)
{
	struct sieve_chat c = {
	    .active = active, .folder = str_of(folder), .create = create};

	buf_clear(b);
	sieve_chat_write(&c, b);
}

static bool has(const struct buf *b, const char *z)
{
	return str_find(buf_view(b), str_of(z)) >= 0;
}

TEST(writes, "none marks, active files; only what the server has is required")
{
	struct buf b = {0};

	write_chat(&b, false, NULL, false);
	CHECK(has(&b, "require \"imap4flags\";\n"));
	CHECK(has(&b, "addflag \"$Chat\";"));
	CHECK(!has(&b, "fileinto"));
	CHECK(!has(&b, "stop"));
	CHECK(sieve_chat_ours(buf_view(&b)));

	write_chat(&b, true, "INBOX.COI.Chats", true);
	CHECK(has(&b, "require [\"fileinto\", \"imap4flags\", \"mailbox\"];"));
	CHECK(has(&b, "fileinto :flags \"$Chat\" :create "
		      "\"INBOX.COI.Chats\";\n\tstop;"));

	write_chat(&b, true, "a\"b\\c", false);
	CHECK(has(&b, "require [\"fileinto\", \"imap4flags\"];"));
	CHECK(has(&b, "fileinto :flags \"$Chat\" \"a\\\"b\\\\c\";"));
	CHECK(!has(&b, "create"));
	CHECK(sieve_chat_ours(buf_view(&b)));
	CHECK(!sieve_main_ours(buf_view(&b)));
	CHECK(!sieve_chat_ours(STR("keep;\n# coi-chat 1: \n")));
	buf_free(&b);
}

static void check_edited(struct buf *b)
{
	struct buf wire = {0};

	CHECK(!sieve_chat_edited(buf_view(b)));
	sieve_crlf(buf_view(b), &wire);
	CHECK(!sieve_chat_edited(buf_view(&wire)));
	buf_free(&wire);
	buf_z(b, "keep;\n");
	CHECK(sieve_chat_edited(buf_view(b)));
}

TEST(edited, "a rule that somebody added is seen, whatever was written")
{
	static const char *const folders[] = {"COI/Chats", "a\"b\\c",
					      ":create \"", "\";", "\xc3\xbc"};
	struct buf b = {0};
	size_t i;

	write_chat(&b, false, NULL, false);
	check_edited(&b);
	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		write_chat(&b, true, folders[i], i % 2 == 0);
		check_edited(&b);
	}
	CHECK(sieve_chat_edited(STR("# coi-chat 1: x\n")));
	CHECK(sieve_chat_edited(
	    STR("# coi-chat 1: x\n\tfileinto :flags \"$Chat\" \"")));
	/* Who knows what another version wrote? */
	CHECK(!sieve_chat_edited(STR("# coi-chat 2: x\nkeep;\n")));
	buf_free(&b);
}

static const char *const names[] = {"mine",  "with blank", "a\"b",    "a\\",
				    "\\\";", "\xc3\xbc",   "coi-chat"};

TEST(main_script, "the script that includes both gives the user's name back")
{
	struct arena *a = arena_new();
	struct buf b = {0}, wire = {0};
	struct str users;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_clear(&b);
		buf_clear(&wire);
		sieve_main_write(str_of(names[i]), &b);
		CHECK(sieve_main_ours(buf_view(&b)));
		CHECK(!sieve_chat_ours(buf_view(&b)));
		CHECK(sieve_main_users(buf_view(&b), a, &users));
		CHECK_STR(users, names[i]);
		CHECK(sieve_includes(buf_view(&b), names[i]));
		CHECK(sieve_includes(buf_view(&b), SIEVE_CHAT));
		sieve_crlf(buf_view(&b), &wire);
		CHECK(sieve_same(buf_view(&b), buf_view(&wire)));
		CHECK(sieve_main_users(buf_view(&wire), a, &users));
		buf_z(&b, "keep;\n");
		CHECK(!sieve_main_users(buf_view(&b), a, &users));
	}
	CHECK(!sieve_main_users(STR("keep;"), a, &users));
	CHECK(!sieve_main_users(STR(""), a, &users));
	CHECK(!sieve_main_users(STR("# coi-chat-main 1: x\n"), a, &users));
	CHECK(!sieve_main_users(
	    STR("# coi-chat-main 1: \ninclude :personal :optional \""), a,
	    &users));
	buf_free(&b);
	buf_free(&wire);
	arena_free(a);
}

static const struct {
	const char *script;
	bool included;
} includes[] = {
    {"require \"include\"; include :personal \"coi-chat\";", true},
    {"include \"coi-chat\";", true},
    {"INCLUDE :Personal :once :optional \"coi-chat\";", true},
    {"if true { include :once\r\n# a comment\r\n\"coi-chat\"; }", true},
    {"include /* \" */ :personal /* x */ \"coi-chat\";", true},
    {"keep; include \"a\"; include \"coi-chat\"", true},
    {"fileinto text:\r\n..\r\n\"\r\n.\r\n; include \"coi-chat\";", true},
    {"include \"coi\\-chat\";", true},
    {"include include \"coi-chat\";", true},
    {"", false},
    {"include", false},
    {"include :personal", false},
    {"include :global \"coi-chat\";", false},
    {"include \"coi-chat-main\";", false},
    {"include \"Coi-Chat\";", false},
    {"# include \"coi-chat\";", false},
    {"/* include \"coi-chat\"; */", false},
    {"/* include \"coi-chat\";", false},
    {"\"include\" \"coi-chat\"", false},
    {"fileinto \"include \\\"coi-chat\\\"\";", false},
    {"fileinto \"x\"; # include\n\"coi-chat\"", false},
    {"vacation text:\r\ninclude \"coi-chat\";\r\n.\r\n;", false},
    {"vacation text: # c\r\ninclude \"coi-chat\";", false},
    {"xinclude \"coi-chat\";", false},
    {":include \"coi-chat\";", false},
    {"include \"coi-chat", true}, /* broken, and not for us to say so */
    {"\"", false},
    {"\"\\", false},
    {"/*", false},
    {"text:", false},
    {":", false},
};

TEST(scan, "what a script includes, past comments and texts")
{
	size_t i;

	for (i = 0; i < sizeof(includes) / sizeof(includes[0]); i++) {
		bool got = sieve_includes(str_of(includes[i].script),
					  "coi-chat");

		if (got != includes[i].included)
			printf("# %s\n", includes[i].script);
		CHECK(got == includes[i].included);
	}
}

TEST(same, "line ends and blanks at the end make no difference, octets do")
{
	CHECK(sieve_same(STR("a\nb\n"), STR("a\r\nb")));
	CHECK(sieve_same(STR(""), STR("\r\n")));
	CHECK(!sieve_same(STR("a\nb"), STR("a\nc")));
	CHECK(!sieve_same(STR("a\nb"), STR("a")));
	CHECK(!sieve_same(STR("a"), STR("")));
}

TEST_MAIN
