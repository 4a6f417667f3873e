/* The rules of the filter, and who is blocked. */
#include "coi/filter_priv.h"
#include "test.h"

/* facts: c chat, m from me, o to others, b blocked, s seen. */
static void rule(enum filter_mode mode, const char *facts, enum filter_to to,
		 bool mark)
{
	struct filter_facts f = {.chat = strchr(facts, 'c') != NULL,
				 .from_me = strchr(facts, 'm') != NULL,
				 .to_others = strchr(facts, 'o') != NULL,
				 .blocked = strchr(facts, 'b') != NULL,
				 .seen = strchr(facts, 's') != NULL};
	struct filter_deed d = filter_rule(mode, &f);

	if (d.to != to || d.mark_seen != mark ||
	    d.keyword != (f.chat && mode != FILTER_OFF)) {
		test_bad++;
		printf("# mode %d, facts \"%s\": to %d, mark %d, keyword %d\n",
		       mode, facts, d.to, d.mark_seen, d.keyword);
	}
}

TEST(rules, "the pseudo code of the standard (CLI-328..330), with mode seen")
{
	/* From others. */
	rule(FILTER_NONE, "", TO_STAY, false);
	rule(FILTER_NONE, "c", TO_STAY, false);
	rule(FILTER_NONE, "cs", TO_STAY, false);
	rule(FILTER_ACTIVE, "o", TO_STAY, false);
	rule(FILTER_ACTIVE, "co", TO_CHATS, false);
	rule(FILTER_ACTIVE, "cs", TO_CHATS, false);
	rule(FILTER_SEEN, "c", TO_WAIT, false);
	rule(FILTER_SEEN, "cs", TO_CHATS, false);
	rule(FILTER_SEEN, "s", TO_STAY, false);
	/* From me to others. */
	rule(FILTER_NONE, "mo", TO_SENT, true);
	rule(FILTER_NONE, "cmo", TO_SENT, true);
	rule(FILTER_ACTIVE, "mo", TO_SENT, true);
	rule(FILTER_ACTIVE, "cmo", TO_CHATS, true);
	rule(FILTER_SEEN, "mo", TO_SENT, true);
	rule(FILTER_SEEN, "cmo", TO_CHATS, true);
	/* From me to me. */
	rule(FILTER_ACTIVE, "m", TO_STAY, false);
	rule(FILTER_ACTIVE, "cm", TO_CHATS, false);
	rule(FILTER_SEEN, "cm", TO_WAIT, false);
	/* Blocked; nobody blocks himself. */
	rule(FILTER_NONE, "b", TO_BLOCKED, false);
	rule(FILTER_NONE, "cb", TO_BLOCKED, false);
	rule(FILTER_SEEN, "cbo", TO_BLOCKED, false);
	rule(FILTER_ACTIVE, "cbm", TO_CHATS, false);
	rule(FILTER_ACTIVE, "bmo", TO_SENT, true);
	rule(FILTER_OFF, "cbmos", TO_STAY, false);
}

TEST(modes, "none, active, seen, and nothing else")
{
	enum filter_mode m = FILTER_OFF;

	CHECK(filter_mode_parse(STR("none"), &m) && m == FILTER_NONE);
	CHECK(filter_mode_parse(STR("active"), &m) && m == FILTER_ACTIVE);
	CHECK(filter_mode_parse(STR("seen"), &m) && m == FILTER_SEEN);
	CHECK(!filter_mode_parse(STR("off"), &m));
	CHECK(!filter_mode_parse(STR("Active"), &m));
	CHECK(!filter_mode_parse(STR(""), &m));
	CHECK(m == FILTER_SEEN);
}

/* The standard's own example. */
#define JOHN "john.doe@coi-dev.org"
#define JOHN_HEX \
	"74b3c446c189580045a942b90b7461128bc334b3b67e9f63c0c06189248c9bb0"

static bool same(struct str value, struct str text)
{
	unsigned char x[FILTER_HASH], y[FILTER_HASH];

	return block_hash_read(value, x) && block_hash_of(text, y) &&
	       memcmp(x, y, FILTER_HASH) == 0;
}

TEST(hashes, "COI-From-Hash: hex, base64, and what is neither")
{
	unsigned char x[FILTER_HASH];
	struct str s = STR("dLPERsGJWABFqUK5C3RhEovDNLO2fp9jwMBhiSSMm7A");
	unsigned char y[FILTER_HASH];

	CHECK(block_hash_of(STR(JOHN), x));
	CHECK(x[0] == 0x74 && x[1] == 0xb3 && x[30] == 0x9b && x[31] == 0xb0);
	CHECK(same(s, STR(JOHN)));
	CHECK(same(STR(" dLPERsGJWABFqUK5C3RhEovDNLO2fp9jwMBhiSSMm7A=\r\n"),
		   STR(JOHN)));
	CHECK(same(STR(JOHN_HEX), STR(JOHN)));
	CHECK(!block_hash_read(STR(""), y));
	CHECK(!block_hash_read(STR("74b3c446"), y));
	CHECK(!block_hash_read(str_sub(STR(JOHN_HEX), 1, 63), y));
	CHECK(!block_hash_read(STR("g4b3c446c18958005b16a53b2bc5e11286ffe5ef2f"
				   "9e0a3cd0f54b86e5359bb0"),
			       y));
	CHECK(!block_hash_read(STR("?LPERsGJWABFqUK5C3RhEovDNLO2fp9jwMBhiSSMm7"
				   "A"),
			       y));
}

/* A contact message: who, when, is it blocked? */
static void add(struct contacts *c, uint32_t uid, const char *who,
		const char *date, const char *more)
{
	unsigned char h[FILTER_HASH];
	struct buf b = {0};
	size_t i;

	CHECK(block_hash_of(str_of(who), h));
	if (date != NULL)
		buf_fmt(&b, "Date: %s\r\n", date);
	buf_z(&b, "COI-From-Hash: ");
	for (i = 0; i < FILTER_HASH; i++)
		buf_fmt(&b, "%02X", h[i]);
	buf_fmt(&b, "\r\n%s\r\n", more);
	contacts_add(c, uid, buf_view(&b));
	buf_free(&b);
}

TEST(contacts, "the newest message of an address decides (CLI-163, 164)")
{
	struct contacts *c = contacts_new();
	struct blocked b = {0};

	add(c, 1, "a@x", "Mon, 2 Nov 2026 10:00:00 +0000",
	    "COI-Blocked: yes\r\n");
	add(c, 2, "b@x", "Mon, 2 Nov 2026 10:00:00 +0000", "");
	/* Unblocked later, though it came first. */
	add(c, 3, "c@x", "Tue, 3 Nov 2026 10:00:00 +0000", "");
	add(c, 4, "c@x", "Mon, 2 Nov 2026 10:00:00 +0000",
	    "COI-Blocked: yes\r\n");
	/* The value says nothing. */
	add(c, 5, "d@x", "Mon, 2 Nov 2026 10:00:00 +0000",
	    "COI-Blocked: no\r\n");
	/* Without dates the later one. */
	add(c, 7, "e@x", NULL, "COI-Blocked:\r\n");
	add(c, 6, "e@x", NULL, "");
	/* Not even a hash. */
	contacts_add(c, 8, STR("COI-Blocked: yes\r\n\r\n"));
	contacts_add(c, 9, STR("COI-Blocked: yes\r\nCOI-From-Hash: x\r\n\r\n"));
	contacts_blocked(c, &b);
	CHECK_INT(b.n, 3);
	CHECK(blocked_has(&b, STR("A@X")));
	CHECK(!blocked_has(&b, STR("b@x")));
	CHECK(!blocked_has(&b, STR("c@x")));
	CHECK(blocked_has(&b, STR("d@x")));
	CHECK(blocked_has(&b, STR("e@x")));
	CHECK(!blocked_has(&b, STR("")));
	CHECK(!blocked_has(&b, STR_NONE));
	/* Twice the same answer. */
	contacts_blocked(c, &b);
	CHECK_INT(b.n, 3);
	blocked_free(&b);
	contacts_free(c);
}

TEST(nobody, "no contacts, nobody blocked")
{
	struct contacts *c = contacts_new();
	struct blocked b = {0};

	contacts_blocked(c, &b);
	CHECK_INT(b.n, 0);
	CHECK(!blocked_has(&b, STR("a@x")));
	blocked_free(&b);
	contacts_free(c);
	contacts_free(NULL);
}

TEST(event, "the event line of a move")
{
	struct filter_moved m = {.from = STR("INBOX"),
				 .uid_validity = 7,
				 .uid = 3,
				 .id = STR("a\"b@x"),
				 .to = STR("COI/Chats")};
	struct buf b = {0};

	filter_moved_json(&b, &m, "work");
	CHECK_STR(buf_view(&b),
		  "{\"event\":\"moved\",\"account\":\"work\",\"imap\":{"
		  "\"mailbox\":\"INBOX\",\"uid\":3,\"uidValidity\":7},"
		  "\"id\":\"a\\\"b@x\",\"to\":\"COI/Chats\"}\n");
	buf_clear(&b);
	m.id = STR_NONE;
	filter_moved_json(&b, &m, NULL);
	CHECK_STR(buf_view(&b),
		  "{\"event\":\"moved\",\"imap\":{\"mailbox\":\"INBOX\","
		  "\"uid\":3,\"uidValidity\":7},\"to\":\"COI/Chats\"}\n");
	buf_free(&b);
}

TEST_MAIN
