#include "imap/priv.h"
#include "test.h"

static void check(const char *utf8, const char *wire)
{
	struct buf b = {0};

	imap_utf7_encode(&b, str_of(utf8));
	CHECK_STR(buf_view(&b), wire);
	buf_clear(&b);
	imap_utf7_decode(&b, str_of(wire));
	CHECK_STR(buf_view(&b), utf8);
	buf_free(&b);
}

TEST(both_ways, "names go to modified UTF-7 and back")
{
	check("", "");
	check("INBOX", "INBOX");
	check("Tom & Jerry", "Tom &- Jerry");
	check("&", "&-");
	check("&&", "&-&-");
	check("Entwürfe", "Entw&APw-rfe");
	check("Gesendete Gegenstände", "Gesendete Gegenst&AOQ-nde");
	check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
	check("äöü", "&AOQA9gD8-");
	check("äö", "&AOQA9g-");
	check("ä&ö", "&AOQ-&-&APY-");
	check("😀", "&2D3eAA-");
	check("x😀y", "x&2D3eAA-y");
}

TEST(controls, "control characters and invalid UTF-8 never reach the wire")
{
	struct buf b = {0};

	imap_utf7_encode(&b, (struct str){"a\0b\r\n\x7f\xff", 7});
	CHECK(utf8_valid(buf_view(&b)));
	for (size_t i = 0; i < b.n; i++)
		CHECK(b.p[i] >= 0x20 && b.p[i] < 0x7f);
	buf_free(&b);
}

TEST(broken, "broken names are taken as they are")
{
	static const char *const names[] = {
	    "a&b",     "&",	   "&AOQ",   "&AO-",   "&!!!-",
	    "x&AAo-y", "&2D0-",	   "&3gA-",  "&AOR-",  "&AOQAAAA-",
	    "&AAA-",   "&2D3YPQ-", "&AOQ=-", "&AOQ/-", "Entwürfe"};
	struct buf b = {0};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_clear(&b);
		imap_utf7_decode(&b, str_of(names[i]));
		CHECK_STR(buf_view(&b), names[i]);
	}
	buf_clear(&b);
	imap_utf7_decode(&b, STR("caf\xe9"));
	CHECK_STR(buf_view(&b), "caf\xef\xbf\xbd");
	buf_free(&b);
}

TEST(same, "INBOX is one mailbox in any case, others are not")
{
	CHECK(imap_same_mailbox(STR("inbox"), STR("INBOX")));
	CHECK(imap_same_mailbox(STR("InBox"), STR("iNbOx")));
	CHECK(!imap_same_mailbox(STR("sent"), STR("Sent")));
	CHECK(!imap_same_mailbox(STR("INBOX/a"), STR("inbox/a")));
	CHECK(!imap_same_mailbox(STR("INBO"), STR("INBOX")));
	CHECK(imap_same_mailbox(STR(""), STR("")));
}

TEST_MAIN
