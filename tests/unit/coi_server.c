/* COI on the server: settings and folders, from what a server says. */
#include "coi/server.h"
#include "imap_mem.h"
#include "test.h"

#define CFG "/private/vendor/vendor.dovecot/coi/config"
#define ROOT "* METADATA \"\" (" CFG "/mailbox-root \"COI\")\r\n"
#define LISTED "* LIST () \"/\" INBOX\r\na2 OK\r\n"
#define DELIM "* LIST () \"/\" \"\"\r\na3 OK\r\n"

static struct mem m;
static struct arena *a;
static struct coi_err e;

static int read_server(const char *in, const char *caps, struct server_coi *s)
{
	struct imap *im = mem_ready(&m, str_of(in), 0, caps);
	int rc;

	arena_free(a);
	a = arena_new();
	err_clear(&e);
	rc = server_read(im, a, s, &e);
	mem_close(im, &m);
	return rc;
}

TEST(enabled, "SRV-085: enabled is \"yes\" and nothing else")
{
	static const struct {
		const char *said;
		bool on;
	} t[] = {{"", false},
		 {"* METADATA \"\" (" CFG "/enabled NIL)\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabled \"\")\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabled \"YES\")\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabled \"true\")\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabled \"yes \")\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabled {4}\r\nyes\n)\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabledx \"yes\")\r\n", false},
		 {"* METADATA \"\" (" CFG "/enabled yes)\r\n", true},
		 {"* METADATA \"\" (" CFG "/enabled {3}\r\nyes)\r\n", true},
		 {"* METADATA \"\" (" CFG "/ENABLED \"yes\")\r\n", true}};
	struct server_coi s;
	struct buf in = {0};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_clear(&in);
		buf_fmt(&in, "%s%sa1 OK\r\n%s%s", t[i].said, ROOT, LISTED,
			DELIM);
		CHECK_INT(read_server(buf_cstr(&in), "COI LIST-EXTENDED", &s),
			  0);
		CHECK_INT(s.enabled, t[i].on);
	}
	buf_free(&in);
	arena_free(a);
	a = NULL;
}

TEST(keys, "SRV-020, 084: what is not set is absent; other keys are listed")
{
	struct server_coi s;

	CHECK_INT(read_server("* METADATA \"\" (" CFG "/future \"1\" " CFG
			      "/gone NIL " CFG
			      "/message-filter \"seen\")\r\n" ROOT
			      "a1 OK\r\n" LISTED DELIM,
			      "COI WEBPUSH LIST-EXTENDED", &s),
		  0);
	CHECK(s.offered && s.webpush && s.root_told && !s.enabled);
	CHECK(s.enabled_value.p == NULL);
	CHECK_STR(s.filter, "seen");
	CHECK_INT(s.nothers, 1);
	CHECK_STR(s.others[0], "future");
	arena_free(a);
	a = NULL;
}

TEST(no_depth, "a server that does not know DEPTH is asked entry by entry")
{
	struct server_coi s;

	CHECK_INT(
	    read_server("a1 BAD Entry name must begin with slash\r\n"
			"* METADATA \"\" (" CFG "/mailbox-root \"C\")\r\n"
			"a2 OK\r\n* METADATA \"\" (" CFG "/enabled yes)\r\n"
			"a3 OK\r\na4 OK\r\n* LIST () \"/\" C\r\n"
			"* LIST (\\Subscribed) \"/\" C/Chats\r\na5 OK\r\n",
			"COI LIST-EXTENDED", &s),
	    0);
	CHECK(s.enabled && s.filter.p == NULL);
	CHECK_STR(s.place.root, "C");
	CHECK(s.place.v[0].exists && s.place.v[0].subscribed);
	CHECK(!s.place.v[1].exists);
	arena_free(a);
	a = NULL;
}

TEST(without, "without COI the folders are looked for, no METADATA is asked")
{
	struct server_coi s;

	CHECK_INT(
	    read_server("* LIST () \"/\" INBOX\r\n* LIST () \"/\" "
			"coi/chats\r\n* LIST () \"/\" Blocked\r\na1 OK\r\n"
			"* LIST () \"/\" \"\"\r\na2 OK\r\n",
			"LIST-EXTENDED METADATA", &s),
	    0);
	CHECK(!s.offered && !s.enabled && !s.root_told);
	/* The case does not count where no server sorts mail in. */
	CHECK_STR(s.place.v[0].name, "coi/chats");
	CHECK(s.place.v[0].exists && !s.place.v[0].subscribed);
	CHECK(!s.place.v[1].exists && s.place.v[2].exists);
	CHECK_STR(s.place.v[1].name, "COI/Contacts");
	arena_free(a);
	a = NULL;
}

/* root: as METADATA has it; list: what LIST says; delim: LIST "" "". */
static int place(const char *root, const char *list, const char *delim,
		 struct server_coi *s)
{
	struct buf in = {0};
	int rc;

	buf_fmt(&in, "* METADATA \"\" (" CFG "/mailbox-root {%zu}\r\n%s)\r\n",
		strlen(root), root);
	buf_fmt(&in, "a1 OK\r\n%sa2 OK\r\n* LIST () %s \"\"\r\na3 OK\r\n", list,
		delim);
	rc = read_server(buf_cstr(&in), "COI LIST-EXTENDED", s);
	buf_free(&in);
	return rc;
}

TEST(names, "SRV-082, 087: names from root and separator, whatever they are")
{
	struct server_coi s;

	CHECK_INT(place("INBOX.Chat",
			"* LIST () \".\" INBOX\r\n"
			"* LIST (\\Subscribed) \".\" INBOX.Chat.Chats\r\n"
			"* LIST () \"/\" COI/Chats\r\n",
			"\".\"", &s),
		  0);
	CHECK_STR(s.place.v[0].name, "INBOX.Chat.Chats");
	CHECK(s.place.v[0].exists && s.place.v[0].subscribed);
	CHECK_STR(s.place.v[1].name, "INBOX.Chat.Contacts");

	/* UTF-8 there, modified UTF-7 here */
	CHECK_INT(place("Unterhaltung-\xc3\xa4",
			"* LIST () \"/\" \"Unterhaltung-&AOQ-/Chats\"\r\n",
			"NIL", &s),
		  0);
	CHECK_STR(s.place.v[0].name, "Unterhaltung-\xc3\xa4/Chats");
	CHECK(s.place.v[0].exists);

	/* INBOX says NIL, the server says "/"; a separator too many */
	CHECK_INT(place("COI/", "* LIST () NIL INBOX\r\n", "\"/\"", &s), 0);
	CHECK_STR(s.place.root, "COI");
	CHECK_STR(s.place.v[0].name, "COI/Chats");
	CHECK(!s.place.v[0].exists);

	/* another case is another folder, \Noselect is none */
	CHECK_INT(place("COI",
			"* LIST () \"/\" coi/chats\r\n"
			"* LIST (\\Noselect) \"/\" COI/Contacts\r\n",
			"\"/\"", &s),
		  0);
	CHECK(!s.place.v[0].exists && !s.place.v[1].exists);

	/* flat */
	CHECK_INT(place("COI", "* LIST () NIL INBOX\r\n", "NIL", &s), 0);
	CHECK_INT(s.place.delim, 0);
	CHECK_INT(s.place.v[0].name.n, 0);
	arena_free(a);
	a = NULL;
}

TEST(bad_root, "SRV-082: a root that can be no mailbox name is an error")
{
	static const char *const bad[] = {"CO\xff", "a\r\nb", "a\nb", ""};
	struct server_coi s;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_INT(
		    place(bad[i], "* LIST () \"/\" INBOX\r\n", "\"/\"", &s),
		    -1);
		CHECK_INT(e.code, COI_E_PROTOCOL);
	}
	arena_free(a);
	a = NULL;
}

TEST(making, "SRV-213: makes and subscribes what is missing, nothing else")
{
	struct folders_place p;
	struct imap *im;

	a = arena_new();
	err_clear(&e);
	im = mem_ready(
	    &m,
	    STR("* LIST () \".\" INBOX\r\n* LIST () \".\" INBOX.COI.Chats\r\n"
		"a1 OK\r\na2 OK\r\na3 NO [NOPERM] no\r\n"
		"* LIST () \".\" INBOX.COI.Chats\r\n"
		"* LIST () \".\" INBOX.COI.Contacts\r\na4 OK\r\n"
		"a5 NO [CANNOT] never\r\n* LIST () \".\" INBOX\r\na6 OK\r\n"
		"* LIST () \".\" \"\"\r\na7 OK\r\n"),
	    0, "LIST-EXTENDED");
	CHECK_INT(folders_place(im, a, STR("INBOX.COI"), &p, &e), 0);
	/* Refused, and there all the same: somebody else was quicker. */
	CHECK_INT(folders_make(im, a, &p, FOLDER_CHATS | FOLDER_CONTACTS, &e),
		  0);
	CHECK(p.v[0].now_subscribed && !p.v[0].made);
	CHECK(p.v[1].exists && !p.v[1].made);
	CHECK_INT(folders_make(im, a, &p, FOLDER_BLOCKED, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(buf_view(&m.out), "a1 LIST \"\" \"*\" RETURN (SUBSCRIBED)\r\n"
				    "a2 SUBSCRIBE \"INBOX.COI.Chats\"\r\n"
				    "a3 CREATE \"INBOX.COI.Contacts\"\r\n"
				    "a4 LIST \"\" \"*\" RETURN (SUBSCRIBED)\r\n"
				    "a5 CREATE \"Blocked\"\r\n"
				    "a6 LIST \"\" \"*\" RETURN (SUBSCRIBED)\r\n"
				    "a7 LIST \"\" \"\"\r\n");
	mem_close(im, &m);
	/* Flat: not even tried. */
	err_clear(&e);
	im = mem_ready(&m, STR(""), 0, "");
	p.delim = '\0';
	CHECK_INT(folders_make(im, a, &p, FOLDER_CHATS, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(buf_view(&m.out), "");
	mem_close(im, &m);
	arena_free(a);
	a = NULL;
}

TEST_MAIN
