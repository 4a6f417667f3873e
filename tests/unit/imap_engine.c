/* Commands against a server that is a text, and the login against sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sys.h"
#include "test.h"

#include "imap_mem.h"

#define ALL                                                                 \
	"IMAP4rev1 LITERAL+ UIDPLUS MOVE ESEARCH CONDSTORE QRESYNC ENABLE " \
	"LIST-EXTENDED LIST-STATUS SPECIAL-USE NAMESPACE METADATA ID"

static struct mem m;
static struct coi_err e;

static struct imap *ready(const char *in, const char *caps)
{
	err_clear(&e);
	return mem_ready(&m, str_of(in), 3, caps);
}

/* What we said, without the goodbye. */
static void said(const char *want)
{
	CHECK_STR(buf_view(&m.out), want);
}

/* --- list, status, poll ------------------------------------------------------
 */

static void show_list(const struct imap_list *l, struct buf *b)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		const struct imap_mailbox *x = &l->v[i];

		buf_fmt(b, "%.*s%c%x", STR_ARG(x->name),
			x->delim ? x->delim : '-', x->attrs);
		if (x->status.have)
			buf_fmt(b, "(%u %u %u %u %llu)", x->status.uid_validity,
				x->status.uid_next, x->status.messages,
				x->status.unseen,
				(unsigned long long)x->status.highest_modseq);
		buf_c(b, '\n');
	}
}

static void list(struct str in, const char *caps, const struct str *of,
		 size_t n, const char *out, const char *want)
{
	struct imap *im = mem_ready(&m, in, 3, caps);
	struct arena *a = arena_new();
	struct imap_list l;
	struct buf b = {0};

	CHECK_INT(imap_list(im, a, of, n, true, &l, &e), 0);
	CHECK_STR(str_of(e.msg), "");
	show_list(&l, &b);
	CHECK_STR(buf_view(&b), want);
	said(out);
	buf_free(&b);
	arena_free(a);
	mem_close(im, &m);
}

TEST(list_extended, "LIST: one command with everything where offered")
{
	list(
	    STR("* NAMESPACE ((\"\" \"/\")) ((\"~\" \"/\")) ((\"#news.\" \".\" "
		"\"X\" "
		"(\"a\")))\r\na1 OK\r\n"
		"* 3 EXISTS\r\n"
		"* LIST (\\Subscribed \\HasNoChildren) \"/\" inbox\r\n"
		"* STATUS INBOX (MESSAGES 5 UIDNEXT 9 UIDVALIDITY 7 UNSEEN 1 "
		"X (a (b)) SIZE 99999999999 HIGHESTMODSEQ "
		"18446744073709551615)\r\n"
		"* LIST (\\Sent) \"/\" \"Entw&APw-rfe\" (\"CHILDINFO\" "
		"(\"A\"))\r\n"
		"* LIST (\\Noselect) NIL {3}\r\na\"b\r\n"
		"* LIST () \".\" #news.x\r\n* LIST () \"/\" ~bob\r\n"
		"* LIST () \"/\" {4}\r\na\r\nb\r\n"
		"* LIST () \"/\" {3}\r\na\0b\r\n"
		"* LIST (\\Trash) \"/\" INBOX\r\n"
		"a2 OK done\r\n"),
	    ALL, NULL, 0,
	    "a1 NAMESPACE\r\na2 LIST \"\" \"*\" RETURN (SUBSCRIBED SPECIAL-USE "
	    "STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ))\r\n",
	    "inbox/44(7 9 5 1 18446744073709551615)\nEntwürfe/8\na\"b-1\n");
}

TEST(list_plain, "LIST: LSUB and a flight of STATUS on an old server")
{
	list(STR("* LIST () \".\" INBOX\r\n* LIST (\\Noselect) \".\" "
		 "INBOX.COI\r\n"
		 "* LIST () \".\" gone\r\na1 OK\r\n"
		 "* LSUB () \".\" INBOX\r\n* LSUB () \".\" deleted\r\na2 OK\r\n"
		 "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 UNSEEN "
		 "0)\r\n"
		 "a3 OK\r\na4 NO no such mailbox\r\n"),
	     "IMAP4rev1", NULL, 0,
	     "a1 LIST \"\" \"*\"\r\na2 LSUB \"\" \"*\"\r\n"
	     "a3 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)\r\n"
	     "a4 STATUS \"gone\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)\r\n",
	     "INBOX.4(3 2 1 0 0)\nINBOX.COI.1\ngone.0\n");
}

TEST(list_some, "LIST: the status of some goes in the same flight")
{
	const struct str of[] = {STR("INBOX"), STR("x&y")};

	list(STR("* LIST () \"/\" x&-y\r\n* LIST () \"/\" INBOX\r\n"
		 "* LIST () \"/\" z\r\na1 OK\r\na2 NO no\r\n"
		 "* STATUS \"x&-y\" (UIDNEXT 4 UIDVALIDITY 1)\r\na3 OK\r\n"),
	     "IMAP4rev1 LIST-EXTENDED", of, 2,
	     "a1 LIST \"\" \"*\" RETURN (SUBSCRIBED)\r\n"
	     "a2 STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)\r\n"
	     "a3 STATUS \"x&-y\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)\r\n",
	     "x&y/0(1 4 0 0 0)\nINBOX/0\nz/0\n");
}

TEST(odd_names, "a name that is no modified UTF-7 is asked for as it came")
{
	list(STR("* LIST () \"/\" a&b\r\n* LIST () \"/\" \"caf\xe9\"\r\na1 "
		 "OK\r\n"
		 "a2 OK\r\n* STATUS a&b (UIDNEXT 4)\r\na3 OK\r\n"
		 "* STATUS \"caf\xe9\" (UIDNEXT 5)\r\na4 OK\r\n"),
	     "IMAP4rev1 LITERAL+", NULL, 0,
	     "a1 LIST \"\" \"*\"\r\na2 LSUB \"\" \"*\"\r\n"
	     "a3 STATUS \"a&b\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)\r\n"
	     "a4 STATUS {4+}\r\ncaf\xe9 (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"
	     "\r\n",
	     "a&b/0(0 4 0 0 0)\ncaf\xef\xbf\xbd/0(0 5 0 0 0)\n");
}

TEST(poll, "poll: all in one flight, also when answers come out of order")
{
	struct imap *im = ready(
	    "a2 NO [NONEXISTENT] none\r\n* STATUS {1}\r\nz (UIDNEXT 3)\r\n"
	    "* STATUS other (UIDNEXT 8)\r\n* STATUS z (UIDNEXT 4)\r\na3 OK\r\n"
	    "* METADATA \"\" (/PRIVATE/X {3}\r\na)\n /private/y NIL)\r\na1 "
	    "OK\r\n"
	    "a4 OK\r\n* STATUS INBOX (UIDNEXT 5)\r\n",
	    ALL);
	const struct str names[] = {STR("inbox"), STR("nope"), STR("z")};
	struct imap_status st[3];
	struct buf meta = {0};
	bool given = false;

	CHECK_INT(imap_poll(im, names, 3, st, "/private/x", &meta, &given, &e),
		  0);
	CHECK(!st[0].have && !st[1].have && st[2].have);
	CHECK_INT(st[2].uid_next, 4);
	CHECK(given);
	CHECK_STR(buf_view(&meta), "a)\n");
	CHECK(str_find(buf_view(&m.out), STR("GETMETADATA \"\" "
					     "(\"/private/x\")\r\n")) > 0);
	buf_free(&meta);
	mem_close(im, &m);
}

TEST(poll_open, "poll: a mailbox is opened in the same flight")
{
	struct imap *im = ready("* STATUS x (UIDNEXT 8)\r\na1 OK\r\n"
				"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n"
				"* OK [UIDNEXT 9] n\r\na2 OK\r\n",
				"IMAP4rev1 CONDSTORE");
	struct imap_selected sel;
	const struct imap_opening o = {STR("INBOX"), true, &sel};
	const struct str name = STR("x");
	struct imap_status st;

	CHECK_INT(imap_poll_open(im, &o, &name, 1, &st, NULL, NULL, NULL, &e),
		  0);
	CHECK(st.have && st.uid_next == 8);
	CHECK_INT(sel.uid_validity, 7);
	CHECK_INT(sel.uid_next, 9);
	CHECK_INT(sel.exists, 3);
	CHECK_STR(buf_view(&m.out),
		  "a1 STATUS \"x\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN "
		  "HIGHESTMODSEQ)\r\na2 EXAMINE \"INBOX\" (CONDSTORE)\r\n");
	mem_close(im, &m);
}

TEST(poll_open_refused, "poll: a mailbox that is not there is an error")
{
	struct imap *im = ready("a1 NO none\r\n", "IMAP4rev1");
	struct imap_selected sel;
	const struct imap_opening o = {STR("INBOX"), true, &sel};

	CHECK_INT(imap_poll_open(im, &o, NULL, 0, NULL, NULL, NULL, NULL, &e),
		  -1);
	CHECK_INT(e.code, COI_E_NOINPUT);
	CHECK_STR(str_of(e.stage), "select");
	mem_close(im, &m);
}

TEST(status_in_use, "STATUS: not now is an error, not there is an answer")
{
	struct imap *im = ready("a1 NO [INUSE] later\r\n", "IMAP4rev1");
	const struct str name = STR("x");
	struct imap_status st;

	CHECK_INT(imap_status(im, &name, 1, &st, &e), -1);
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK_STR(str_of(e.reply), "[INUSE] later");
	CHECK_STR(str_of(e.stage), "status");
	mem_close(im, &m);
}

/* --- refusals
 * ----------------------------------------------------------------- */

static void refuse(const char *answer, enum coi_code code, const char *reply)
{
	struct imap *im = ready(answer, "IMAP4rev1");

	CHECK_INT(imap_subscribe(im, STR("x"), &e), -1);
	CHECK_INT(e.code, code);
	CHECK_STR(str_of(e.reply), reply);
	CHECK(e.host[0] != '\0');
	CHECK(e.stage[0] != '\0');
	mem_close(im, &m);
}

TEST(refusals, "NO and BAD become errors with the server's own words")
{
	refuse("a1 NO no\r\n", COI_E_UNAVAILABLE, "no");
	refuse("a1 NO\r\n", COI_E_UNAVAILABLE, "");
	refuse("a1 BAD syntax\r\n", COI_E_PROTOCOL, "syntax");
	refuse("a1 NO [AUTHENTICATIONFAILED] x\r\n", COI_E_AUTH,
	       "[AUTHENTICATIONFAILED] x");
	refuse("a1 NO [noperm] x\r\n", COI_E_AUTH, "[noperm] x");
	refuse("a1 NO [UNAVAILABLE] x\r\n", COI_E_TEMP, "[UNAVAILABLE] x");
	refuse("a1 NO [INUSE] x\r\n", COI_E_TEMP, "[INUSE] x");
	refuse("a1 NO [LIMIT] x\r\n", COI_E_TEMP, "[LIMIT] x");
	refuse("a1 NO [OVERQUOTA] x\r\n", COI_E_TEMP, "[OVERQUOTA] x");
	refuse("a1 NO [NONEXISTENT] x\r\n", COI_E_NOINPUT, "[NONEXISTENT] x");
	refuse("a1 NO [CANNOT] x\r\n", COI_E_UNAVAILABLE, "[CANNOT] x");
	refuse("a1 NO [X-NEW (a)] \x1b[2Jx\r\n", COI_E_UNAVAILABLE,
	       "[X-NEW (a)]  [2Jx");
	refuse("* BYE [UNAVAILABLE] shutting down\r\n", COI_E_TEMP,
	       "[UNAVAILABLE] shutting down");
	refuse("", COI_E_UNAVAILABLE, "");
	refuse("a1 MAYBE x\r\n", COI_E_PROTOCOL, "a1 MAYBE x");
	refuse("a2 OK x\r\n", COI_E_PROTOCOL, "a2 OK x");
	refuse("b1 OK x\r\n", COI_E_PROTOCOL, "b1 OK x");
	refuse("a1 OK x", COI_E_UNAVAILABLE, "");
}

TEST(dead, "after broken syntax the connection is not used again")
{
	struct imap *im = ready(
	    "* STATUS \"x (UIDNEXT 1)\r\na1 OK\r\na2 OK\r\n", "IMAP4rev1");
	const struct str name = STR("x");
	struct imap_status st;

	CHECK_INT(imap_status(im, &name, 1, &st, &e), -1);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	err_clear(&e);
	CHECK_INT(imap_subscribe(im, STR("x"), &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK(str_find(buf_view(&m.out), STR("a2")) < 0);
	mem_close(im, &m);
}

TEST(exists_only, "CREATE: already there is as good as done")
{
	struct imap *im = ready(
	    "a1 NO [ALREADYEXISTS] x\r\na2 NO [CANNOT] x\r\n", "IMAP4rev1");

	CHECK_INT(imap_create(im, STR("Ä"), &e), 0);
	CHECK_INT(imap_create(im, STR("y"), &e), -1);
	said("a1 CREATE \"&AMQ-\"\r\na2 CREATE \"y\"\r\n");
	mem_close(im, &m);
}

TEST(injection, "CR, LF and NUL in an argument: refused, nothing is sent")
{
	static const struct str bad[] = {
	    {"a\r\nx DELETE b", 13}, {"a\nb", 3}, {"a\0b", 3}, {"a\rb", 3}};
	struct imap_selected sel;
	struct imap_set set = {0};
	size_t i;

	imap_set_add(&set, 1, 1);
	for (i = 0; i < 4; i++) {
		struct imap *im = ready("", ALL);
		uint32_t v, u;

#define REFUSED(call)                          \
	do {                                   \
		CHECK_INT(call, -1);           \
		CHECK_INT(e.code, COI_E_DATA); \
		err_clear(&e);                 \
	} while (0)
		REFUSED(imap_select(im, bad[i], true, &sel, &e));
		REFUSED(imap_create(im, bad[i], &e));
		REFUSED(imap_move(im, &set, bad[i], &e));
		REFUSED(imap_store(im, &set, STR("+FLAGS"), bad[i], &e));
		REFUSED(imap_store(im, &set, bad[i], STR("x"), &e));
		REFUSED(imap_search(im, bad[i], &set, &e));
		REFUSED(imap_fetch(im, &set, bad[i], &mem_events, &m, &e));
		REFUSED(imap_append(im, bad[i], STR(""), 0, 0, NULL, NULL, &v,
				    &u, &e));
		REFUSED(imap_append(im, STR("x"), bad[i], 0, 0, NULL, NULL, &v,
				    &u, &e));
		if (strlen(bad[i].p) > 1)
			REFUSED(imap_setmetadata(im, STR(""), bad[i].p,
						 STR("x"), &e));
		said("");
		mem_close(im, &m);
	}
	{
		struct imap *im = ready("", ALL);

		REFUSED(imap_setmetadata(im, STR(""), "/private/x",
					 (struct str){"a\0b", 3}, &e));
		/* a literal that is not as long as it says */
		REFUSED(imap_search(im, STR("TEXT {9+}\r\nabc"), &set, &e));
		said("");
		mem_close(im, &m);
	}
	imap_set_free(&set);
}

/* --- select
 * ------------------------------------------------------------------- */

TEST(select_one, "SELECT: what it says, numbers beyond 32 bit in MODSEQ only")
{
	struct imap *im = ready(
	    "* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n"
	    "* 5 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 4294967295] x\r\n"
	    "* OK [UIDNEXT 12] x\r\n* OK [HIGHESTMODSEQ 9007199254740993]\r\n"
	    "* OK [UNSEEN 2] x\r\n* 6 EXISTS\r\na1 OK [READ-WRITE] ok\r\n"
	    "* 1 EXISTS\r\n* OK [CLOSED] x\r\n* OK [PERMANENTFLAGS (] x\r\n"
	    "* OK [UIDVALIDITY 3] x\r\na2 OK [READ-ONLY] x\r\n"
	    "a3 OK [READ-WRITE] no validity\r\n"
	    "a4 NO Mailbox doesn't exist: y\r\n"
	    "a5 NO [INUSE] y\r\n",
	    ALL);
	struct imap_selected s;

	CHECK_INT(imap_select(im, STR("Entwürfe"), false, &s, &e), 0);
	CHECK_INT(s.uid_validity, 4294967295u);
	CHECK_INT(s.uid_next, 12);
	CHECK_INT(s.exists, 6);
	CHECK_INT(s.highest_modseq, 9007199254740993);
	CHECK(s.perm_any_flag && !s.read_only);
	CHECK_INT(imap_select(im, STR("x"), false, &s, &e), 0);
	CHECK(s.read_only && !s.perm_any_flag);
	CHECK_INT(s.exists, 0);
	CHECK_INT(imap_select(im, STR("x"), false, &s, &e), -1);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	err_clear(&e);
	CHECK_INT(imap_select(im, STR("y"), true, &s, &e), -1);
	CHECK_INT(e.code, COI_E_NOINPUT);
	err_clear(&e);
	CHECK_INT(imap_select(im, STR("y"), true, &s, &e), -1);
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK(str_starts(buf_view(&m.out),
			 "a1 SELECT \"Entw&APw-rfe\" (CONDSTORE)\r\n"));
	mem_close(im, &m);
}

static void on_vanished(void *ctx, uint32_t lo, uint32_t hi)
{
	buf_fmt(ctx, "%u:%u ", lo, hi);
}

TEST(qresync, "QRESYNC: enabled once, what vanished is told as ranges")
{
	struct imap *im = ready(
	    "* ENABLED QRESYNC\r\na1 OK\r\n* OK [UIDVALIDITY 7] x\r\n"
	    "* VANISHED (EARLIER) 1:4294967295,5\r\n"
	    "* 1 FETCH (UID 9 FLAGS () MODSEQ (4))\r\na2 OK\r\n"
	    "* OK [UIDVALIDITY 7] x\r\na3 OK\r\n* OK [UIDVALIDITY 7]\r\na4 "
	    "OK\r\n",
	    ALL);
	struct imap_selected s;
	struct buf b = {0};
	int i;

	for (i = 0; i < 2; i++)
		CHECK_INT(imap_select_qresync(im, STR("x"), true, 7, 99,
					      on_vanished, &b, &s, &e),
			  0);
	CHECK_STR(buf_view(&b), "1:4294967295 5:5 ");
	CHECK_INT(imap_select_qresync(im, STR("x"), true, 7, 0, on_vanished, &b,
				      &s, &e),
		  0);
	said("a1 ENABLE QRESYNC\r\na2 EXAMINE \"x\" (QRESYNC (7 99))\r\n"
	     "a3 EXAMINE \"x\" (QRESYNC (7 99))\r\na4 EXAMINE \"x\" (CONDSTORE)"
	     "\r\n");
	buf_free(&b);
	mem_close(im, &m);
}

/* --- search, fetch
 * ------------------------------------------------------------ */

TEST(search, "SEARCH: ESEARCH where offered, 8 bit with CHARSET")
{
	struct imap *im = ready(
	    "* ESEARCH (TAG \"a1\") UID ALL 1:3\r\na1 OK\r\n"
	    "+ go on\r\n* 4 EXISTS\r\n* SEARCH 7 5\r\n"
	    "a2 OK\r\na3 OK nothing\r\n",
	    "IMAP4rev1 ESEARCH LITERAL+");
	struct imap_set s = {0};
	struct buf b = {0};

	CHECK_INT(imap_search(im, STR("UNSEEN"), &s, &e), 0);
	CHECK_INT(imap_set_count(&s), 3);
	imap_set_free(&s);
	buf_clear(&im->caps);
	buf_z(&b, "SUBJECT ");
	imap_quote(&b, STR("ä"));
	buf_z(&b, " SEEN");
	CHECK_INT(imap_search(im, buf_view(&b), &s, &e), 0);
	CHECK_INT(imap_set_count(&s), 2);
	CHECK_INT(imap_search(im, STR("ALL"), &s, &e), -1);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	said("a1 UID SEARCH RETURN (ALL) UNSEEN\r\n"
	     "a2 UID SEARCH CHARSET UTF-8 SUBJECT {2}\r\nä SEEN\r\n"
	     "a3 UID SEARCH ALL\r\n");
	buf_free(&b);
	imap_set_free(&s);
	mem_close(im, &m);
}

TEST(literals, "literals of ours: waited for, as the server wants them")
{
	static const struct {
		const char *caps, *in, *out;
		int rc;
	} t[] = {
	    {"METADATA LITERAL+", "a1 OK\r\n",
	     "a1 SETMETADATA \"\" (\"/x\" {3+}\r\nh\ni)\r\n", 0},
	    {"METADATA LITERAL-", "a1 OK\r\n",
	     "a1 SETMETADATA \"\" (\"/x\" {3+}\r\nh\ni)\r\n", 0},
	    {"METADATA", "* 1 EXISTS\r\n+ \r\n* 2 EXISTS\r\na1 OK\r\n",
	     "a1 SETMETADATA \"\" (\"/x\" {3}\r\nh\ni)\r\n", 0},
	    {"METADATA", "* 1 EXISTS\r\na1 NO [CANNOT] never\r\n",
	     "a1 SETMETADATA \"\" (\"/x\" {3}\r\n", -1},
	    {"METADATA", "a1 OK strange\r\n",
	     "a1 SETMETADATA \"\" (\"/x\" {3}\r\n", -1},
	    {"METADATA", "* BYE\r\n", "a1 SETMETADATA \"\" (\"/x\" {3}\r\n",
	     -1},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct imap *im = ready(t[i].in, t[i].caps);

		CHECK_INT(imap_setmetadata(im, STR(""), "/x", STR("h\ni"), &e),
			  t[i].rc);
		said(t[i].out);
		mem_close(im, &m);
	}
}

TEST(fetching, "FETCH: one command, events, foreign answers, idle before waits")
{
	struct imap *im = ready(
	    "* 1 FETCH (UID 1 BODY[] {2}\r\nhi)\r\n* 9 FETCH (FLAGS (x))\r\n"
	    "* 3 EXPUNGE\r\n* 2 FETCH (UID 77 BODY[] {1}\r\na)\r\na1 OK\r\n",
	    ALL);
	struct imap_set s = {0};

	imap_set_add(&s, 1, 2);
	imap_set_add(&s, 4, 4);
	CHECK_INT(
	    imap_fetch(im, &s, STR("UID BODY.PEEK[]"), &mem_events, &m, &e), 0);
	CHECK_STR(buf_view(&m.log), "1[]2:hi;uid 1\n77[]1:a;uid 77\n");
	CHECK(m.idles > 0);
	said("a1 UID FETCH 1:2,4 (UID BODY.PEEK[])\r\n");
	imap_set_free(&s);
	mem_close(im, &m);
}

TEST(fetch_long, "FETCH: a long set goes in pieces, four in flight")
{
	struct buf in = {0};
	struct imap_set s = {0};
	struct imap *im;
	size_t i, k;

	for (i = 1; i <= 20000; i++)
		imap_set_add(&s, (uint32_t)(i * 2), (uint32_t)(i * 2));
	for (i = 1; i < 30; i++)
		buf_fmt(&in, "* %zu FETCH (UID %zu)\r\na%zu OK\r\n", i, i, i);
	im = ready(buf_cstr(&in), ALL);
	CHECK_INT(imap_fetch(im, &s, STR("UID"), &mem_events, &m, &e), 0);
	for (i = k = 0; i + 9 < m.out.n; i++)
		if (memcmp(m.out.p + i, "UID FETCH", 9) == 0)
			k++;
	CHECK(k > 10 && k < 30);
	CHECK_INT(m.events, k);
	mem_close(im, &m);
	buf_free(&in);
	imap_set_free(&s);
}

TEST(fetch_stops, "FETCH: an event that says no ends it; goodbye still works")
{
	struct imap_set s = {0};
	int at;

	imap_set_add(&s, 1, 9);
	for (at = 1; at <= 6; at++) {
		struct imap *im = ready(
		    "* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n* 2 FETCH (UID 2 "
		    "BODY[] \"xy\")\r\na1 OK\r\n* BYE\r\na2 OK\r\n",
		    ALL);

		m.fail_at = at;
		CHECK_INT(imap_fetch(im, &s, STR("UID BODY.PEEK[]"),
				     &mem_events, &m, &e),
			  -1);
		CHECK_INT(e.code, COI_E_PIPE);
		err_clear(&e);
		CHECK_INT(imap_subscribe(im, STR("x"), &e), -1);
		CHECK_INT(m.events, at);
		imap_close(im);
		CHECK(str_ends(buf_view(&m.out), "a2 LOGOUT\r\n"));
		CHECK_INT(m.at, m.in.n);
		CHECK_INT(m.events, at);
		buf_free(&m.out);
		buf_free(&m.log);
	}
	imap_set_free(&s);
}

TEST(fetch_cut, "FETCH: a literal cut off is an error, its end never told")
{
	struct imap *im = ready("* 1 FETCH (UID 1 BODY[] {500}\r\nhello", ALL);
	struct imap_set s = {0};

	imap_set_add(&s, 1, 1);
	CHECK_INT(imap_fetch(im, &s, STR("BODY[]"), &mem_events, &m, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(buf_view(&m.log), "1[]500:hello");
	CHECK_STR(str_of(e.stage), "fetch");
	imap_set_free(&s);
	mem_close(im, &m);
}

/* --- store, move, append, metadata
 * --------------------------------------------- */

TEST(storing, "STORE: EXPUNGE as the answer is fine")
{
	struct imap *im = ready("* 25 EXPUNGE\r\n* 12 RECENT\r\na1 OK\r\n",
				ALL);
	struct imap_set s = {0};

	imap_set_add(&s, 3, 5);
	CHECK_INT(
	    imap_store(im, &s, STR("+FLAGS.SILENT"), STR("\\Seen $Chat"), &e),
	    0);
	said("a1 UID STORE 3:5 +FLAGS.SILENT (\\Seen $Chat)\r\n");
	imap_set_free(&s);
	mem_close(im, &m);
}

TEST(moving, "MOVE, or COPY before anything is deleted, or not at all")
{
	struct imap_set s = {0};
	struct imap *im;

	imap_set_add(&s, 3, 3);
	im = ready("* OK [COPYUID 1 3 4] x\r\n* 3 EXPUNGE\r\na1 OK\r\n", ALL);
	CHECK_INT(imap_move(im, &s, STR("T"), &e), 0);
	said("a1 UID MOVE 3 \"T\"\r\n");
	mem_close(im, &m);
	im = ready("a1 OK\r\na2 OK\r\na3 OK\r\n", "UIDPLUS");
	CHECK_INT(imap_move(im, &s, STR("T"), &e), 0);
	said("a1 UID COPY 3 \"T\"\r\na2 UID STORE 3 +FLAGS.SILENT "
	     "(\\Deleted)\r\na3 UID EXPUNGE 3\r\n");
	mem_close(im, &m);
	im = ready("a1 NO [TRYCREATE] no\r\n", "UIDPLUS");
	CHECK_INT(imap_move(im, &s, STR("T"), &e), -1);
	CHECK_INT(e.code, COI_E_NOINPUT);
	said("a1 UID COPY 3 \"T\"\r\n");
	mem_close(im, &m);
	/* Without UIDPLUS the original stays, marked: never a bare EXPUNGE. */
	im = ready("a1 OK\r\na2 OK\r\n", "IMAP4rev1");
	CHECK_INT(imap_move(im, &s, STR("T"), &e), 0);
	said("a1 UID COPY 3 \"T\"\r\na2 UID STORE 3 +FLAGS.SILENT "
	     "(\\Deleted)\r\n");
	mem_close(im, &m);
	im = ready("a1 NO no\r\n", "IMAP4rev1");
	CHECK_INT(imap_move(im, &s, STR("T"), &e), -1);
	said("a1 UID COPY 3 \"T\"\r\n");
	mem_close(im, &m);
	imap_set_free(&s);
}

static void permanent(const char *flags, bool any, bool chat)
{
	struct imap_selected sel;
	struct buf b = {0};
	struct imap *im;

	buf_fmt(&b,
		"* OK [UIDVALIDITY 1] x\r\n* OK [PERMANENTFLAGS %s] x\r\n"
		"a1 OK\r\n",
		flags);
	im = ready(buf_cstr(&b), "IMAP4rev1");
	CHECK_INT(imap_select(im, STR("I"), false, &sel, &e), 0);
	CHECK_INT(sel.perm_any_flag, any);
	CHECK_INT(sel.perm_chat, chat);
	mem_close(im, &m);
	buf_free(&b);
}

TEST(permanent_flags, "may $Chat be set?")
{
	permanent("(\\Seen \\*)", true, true);
	permanent("(\\Seen $Chat \\Deleted)", false, true);
	permanent("($chat)", false, true);
	permanent("(\\Seen $Chatty x$Chat)", false, false);
	permanent("()", false, false);
}

static ssize_t rd(void *ctx, char *p, size_t n, struct coi_err *err)
{
	struct str *s = ctx;
	size_t k = s->n < n ? s->n : n;

	if (s->p == NULL)
		return err_set(err, COI_E_IO, "disk on fire");
	if (k > 3)
		k = 3;
	if (k > 0)
		memcpy(p, s->p, k);
	*s = str_sub(*s, k, s->n);
	return (ssize_t)k;
}

static void append(const char *caps, const char *in, const char *out, int rc,
		   enum coi_code code, uint32_t want_uid)
{
	struct imap *im = ready(in, caps);
	struct str msg = STR("A: b\r\n\r\n");
	uint32_t v = 9, u = 9;

	CHECK_INT(imap_append(im, STR("S"), STR("\\Seen"), 1700000000, msg.n,
			      rd, &msg, &v, &u, &e),
		  rc);
	CHECK_INT(e.code, code);
	CHECK_INT(u, want_uid);
	said(out);
	mem_close(im, &m);
}

TEST(appending, "APPEND: streamed, UID learnt, refused before or after")
{
#define HEAD "a1 APPEND \"S\" (\\Seen) \"14-Nov-2023 22:13:20 +0000\" "
	append("LITERAL+", "a1 OK [APPENDUID 5 7] done\r\n",
	       HEAD "{8+}\r\nA: b\r\n\r\n\r\n", 0, COI_OK, 7);
	append("x", "* 4 EXISTS\r\n+ go\r\na1 OK done\r\n",
	       HEAD "{8}\r\nA: b\r\n\r\n\r\n", 0, COI_OK, 0);
	append("x", "* 4 EXISTS\r\na1 NO [TRYCREATE] none\r\n", HEAD "{8}\r\n",
	       -1, COI_E_NOINPUT, 0);
	append("LITERAL+", "a1 NO [OVERQUOTA] full\r\n",
	       HEAD "{8+}\r\nA: b\r\n\r\n\r\n", -1, COI_E_TEMP, 0);
	append("x", "a1 OK [APPENDUID 5 7] it was not sent\r\n", HEAD "{8}\r\n",
	       -1, COI_E_PROTOCOL, 7);
	append("x", "* BYE bye\r\n", HEAD "{8}\r\n", -1, COI_E_TEMP, 0);
}

TEST(append_short, "APPEND: input that ends early or fails ends the connection")
{
	struct str msg = STR("abc");
	struct imap *im = ready("", "LITERAL+");

	CHECK_INT(
	    imap_append(im, STR("S"), STR(""), 0, 8, rd, &msg, NULL, NULL, &e),
	    -1);
	CHECK_INT(e.code, COI_E_IO);
	said("a1 APPEND \"S\" {8+}\r\nabc");
	mem_close(im, &m);
	CHECK(str_find(buf_view(&m.out), STR("LOGOUT")) < 0);
	im = ready("", "LITERAL+");
	msg = STR_NONE;
	CHECK_INT(
	    imap_append(im, STR("S"), STR(""), 0, 8, rd, &msg, NULL, NULL, &e),
	    -1);
	CHECK_STR(str_of(e.msg), "disk on fire");
	mem_close(im, &m);
}

TEST(metadata, "METADATA: values of every form, NIL, and absent")
{
	static const struct {
		const char *in, *value;
		bool given;
	} t[] = {
	    {"* METADATA \"\" (/private/x {3}\r\nCOI)\r\na1 OK\r\n", "COI",
	     true},
	    {"* METADATA \"\" (/Private/X \"a\\\"b\")\r\na1 OK\r\n", "a\"b",
	     true},
	    {"* METADATA \"\" (/private/x ~{2}\r\n)))\r\na1 OK\r\n", "))",
	     true},
	    {"* METADATA \"\" (/private/x NIL)\r\na1 OK\r\n", "", false},
	    {"* METADATA \"\" (/private/x \"\")\r\na1 OK\r\n", "", true},
	    {"* METADATA \"\" /private/x\r\na1 OK\r\n", "", false},
	    {"* METADATA \"\" ()\r\na1 OK\r\n", "", false},
	    {"a1 OK\r\n", "", false},
	};
	struct buf b = {0};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct imap *im = ready(t[i].in, "METADATA");
		bool given = !t[i].given;

		CHECK_INT(
		    imap_getmetadata(im, STR(""), "/private/x", &b, &given, &e),
		    0);
		CHECK(given == t[i].given);
		CHECK_STR(buf_view(&b), t[i].value);
		buf_clear(&b);
		mem_close(im, &m);
	}
	{
		struct imap *im = ready("a1 OK\r\na2 OK\r\n",
					"METADATA LITERAL+");

		CHECK_INT(imap_setmetadata(im, STR("Ä"), "/x", STR_NONE, &e),
			  0);
		CHECK_INT(imap_setmetadata(im, STR(""), "/x", STR(""), &e), 0);
		said("a1 SETMETADATA \"&AMQ-\" (\"/x\" NIL)\r\n"
		     "a2 SETMETADATA \"\" (\"/x\" \"\")\r\n");
		mem_close(im, &m);
		im = ready("", "IMAP4rev1");
		CHECK_INT(imap_setmetadata(im, STR(""), "/x", STR(""), &e), -1);
		CHECK_INT(e.code, COI_E_UNAVAILABLE);
		said("");
		mem_close(im, &m);
	}
	buf_free(&b);
}

TEST(identify, "ID: its answer is not waited for, nor in the way")
{
	struct imap *im = ready("* ID (\"name\" NIL)\r\na1 BAD no\r\na2 OK\r\n",
				"ID");

	CHECK_INT(imap_id(im, "co\"i", "1", &e), 0);
	CHECK_INT(m.calls, 0);
	CHECK_INT(imap_subscribe(im, STR("x"), &e), 0);
	said("a1 ID (\"name\" \"co\\\"i\" \"version\" \"1\")\r\na2 SUBSCRIBE "
	     "\"x\"\r\n");
	mem_close(im, &m);
}

static int each_call(struct imap *im, int which, struct imap_set *set)
{
	const struct str name = STR("x");
	struct arena *a = arena_new();
	struct str msg = STR("abc");
	struct imap_selected sel;
	struct imap_namespace ns;
	struct imap_status st;
	struct imap_set found = {0};
	struct imap_list l;
	int rc = -2;

	switch (which) {
	case 0:
		rc = imap_list(im, a, NULL, 0, true, &l, &e);
		break;
	case 1:
		rc = imap_poll(im, &name, 1, &st, "/x", NULL, NULL, &e);
		break;
	case 2:
		rc = imap_namespace(im, a, &ns, &e);
		break;
	case 3:
		rc = imap_create(im, name, &e);
		break;
	case 4:
		rc = imap_select(im, name, true, &sel, &e);
		break;
	case 5:
		rc = imap_select_qresync(im, name, true, 1, 1, NULL, NULL, &sel,
					 &e);
		break;
	case 6:
		rc = imap_search(im, STR("ALL"), &found, &e);
		break;
	case 7:
		rc = imap_fetch(im, set, STR("UID"), &mem_events, &m, &e);
		break;
	case 8:
		rc = imap_store(im, set, STR("+FLAGS"), STR("x"), &e);
		break;
	case 9:
		rc = imap_move(im, set, name, &e);
		break;
	case 10:
		rc = imap_append(im, name, STR(""), 0, 3, rd, &msg, NULL, NULL,
				 &e);
		break;
	case 11:
		rc = imap_getmetadata(im, name, "/x", NULL, NULL, &e);
		break;
	case 12:
		rc = imap_setmetadata(im, name, "/x", STR("y"), &e);
		break;
	}
	imap_set_free(&found);
	arena_free(a);
	return rc;
}

TEST(bye_anywhere, "BYE in any command is an error with its words, no more")
{
	struct imap_set set = {0};
	int i;

	imap_set_add(&set, 1, 2);
	for (i = 0; i <= 12; i++) {
		struct imap *im = ready("* 1 EXISTS\r\n* BYE too idle\r\n",
					ALL);

		CHECK_INT(each_call(im, i, &set), -1);
		CHECK_INT(e.code, COI_E_TEMP);
		CHECK_STR(str_of(e.reply), "too idle");
		CHECK(e.stage[0] != '\0' && e.host[0] != '\0');
		err_clear(&e);
		CHECK_INT(each_call(im, i, &set), -1);
		imap_close(im);
		CHECK(str_find(buf_view(&m.out), STR("LOGOUT")) < 0);
		buf_free(&m.out);
		im = ready("* 1 EXISTS\r\n* 1 FET", ALL);
		CHECK_INT(each_call(im, i, &set), -1);
		CHECK_INT(e.code, COI_E_UNAVAILABLE);
		mem_close(im, &m);
	}
	imap_set_free(&set);
}

/* --- over sockets: greeting, TLS, login, goodbye
 * --------------------------------- */

static uint16_t port;
static pid_t server;

/* Sends each string when a line has come for the one before. */
static void serve(const char *const *lines, int pause_ms)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	int lfd = socket(AF_INET, SOCK_STREAM, 0), fd;
	char c;
	size_t k;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(lfd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(lfd, 1) != 0 ||
	    getsockname(lfd, (struct sockaddr *)&sa, &len) != 0)
		abort();
	port = ntohs(sa.sin_port);
	fflush(stdout);
	server = fork();
	if (server != 0) {
		close(lfd);
		return;
	}
	alarm(20);
	fd = accept(lfd, NULL, NULL);
	for (; *lines != NULL; lines++) {
		for (k = 0; (*lines)[k] != '\0'; k++) {
			if (pause_ms > 0) {
				send(fd, *lines + k, 1, MSG_NOSIGNAL);
				usleep((useconds_t)pause_ms * 1000);
			}
		}
		if (pause_ms == 0)
			send(fd, *lines, k, MSG_NOSIGNAL);
		while (read(fd, &c, 1) == 1 && c != '\n')
			;
	}
	/* silent from here, but open */
	while (read(fd, &c, 1) == 1)
		;
	_exit(0);
}

static struct imap *dial(enum net_tls tls, int io_ms)
{
	struct imap_opts o = {0};
	struct secret *s = secret_new(STR("pa\"ss"));
	struct imap *im;

	o.net.host = "127.0.0.1";
	o.net.port = port;
	o.net.tls = tls;
	o.net.io_ms = io_ms;
	o.net.trace_fd = -1;
	o.net.cancel_fd = -1;
	o.net.label = "imap";
	o.creds.user = "me";
	o.creds.password = s;
	o.creds.service = "imap";
	err_clear(&e);
	im = imap_open(&o, &e);
	secret_free(s);
	return im;
}

static void over(void)
{
	kill(server, 9);
	waitpid(server, NULL, 0);
}

static void greet(const char *greeting, enum net_tls tls, enum coi_code code,
		  const char *stage, const char *msg)
{
	const char *lines[] = {greeting, "a1 OK\r\n", NULL};
	struct imap *im;

	serve(lines, 0);
	im = dial(tls, 700);
	CHECK(im == NULL);
	CHECK_INT(e.code, code);
	CHECK_STR(str_of(e.stage), stage);
	CHECK(str_find(str_of(e.msg), str_of(msg)) >= 0);
	over();
}

TEST(greetings, "greetings: what is no IMAP, PREAUTH, injected go-aheads")
{
	greet("* BYE too many\r\n", NET_TLS_OFF, COI_E_TEMP, "greeting",
	      "ends the connection");
	greet("220 smtp\r\n", NET_TLS_OFF, COI_E_PROTOCOL, "greeting",
	      "strange greeting");
	greet("* CAPABILITY x\r\n", NET_TLS_OFF, COI_E_PROTOCOL, "greeting",
	      "strange greeting");
	greet("+ x\r\n", NET_TLS_OFF, COI_E_PROTOCOL, "greeting",
	      "strange greeting");
	greet("", NET_TLS_OFF, COI_E_TEMP, "greeting", "no answer");
	greet("* PREAUTH [CAPABILITY STARTTLS] hi\r\n", NET_TLS_STARTTLS,
	      COI_E_TLS, "tls", "PREAUTH");
	greet("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", NET_TLS_STARTTLS,
	      COI_E_TLS, "tls", "no STARTTLS");
	greet("* OK [CAPABILITY STARTTLS] hi\r\na1 OK go\r\n* OK injected\r\n",
	      NET_TLS_STARTTLS, COI_E_PROTOCOL, "tls", "STARTTLS");
	greet("* OK [CAPABILITY X LOGINDISABLED] hi\r\n", NET_TLS_OFF,
	      COI_E_AUTH, "login", "offers nothing");
	greet("* OK [BADCHARSET (\"x\")] [CAPABILITY]\r\n* BYE\r\n",
	      NET_TLS_OFF, COI_E_TEMP, "login", "ends the connection");
}

TEST(login_plain, "login: capabilities of the time before it are not kept")
{
	const char *lines[] = {
	    "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN COI] hi\r\n",
	    "* CAPABILITY IMAP4rev1 METADATA\r\n* 1 EXISTS\r\na1 OK in\r\n",
	    "* BYE\r\na2 OK\r\n", NULL};
	struct imap *im;

	serve(lines, 0);
	im = dial(NET_TLS_OFF, 2000);
	CHECK(im != NULL);
	if (im != NULL) {
		CHECK_STR(imap_capabilities(im), "IMAP4rev1 METADATA");
		CHECK(imap_has(im, "metadata") && !imap_has(im, "COI"));
	}
	imap_close(im);
	over();
}

TEST(login_old, "login: LOGIN where nothing else is offered, then CAPABILITY")
{
	const char *lines[] = {
	    "* OK hi\r\n",	  "* CAPABILITY IMAP4rev1\r\na1 OK\r\n",
	    "a2 OK in\r\n",	  "* CAPABILITY IMAP4rev1 ID\r\na3 OK\r\n",
	    "* BYE\r\na4 OK\r\n", NULL};
	struct imap *im;

	serve(lines, 0);
	im = dial(NET_TLS_OFF, 2000);
	CHECK(im != NULL);
	if (im != NULL)
		CHECK(imap_has(im, "ID"));
	imap_close(im);
	over();
}

static void deny(const char *answer, enum coi_code code)
{
	const char *lines[] = {"* OK [CAPABILITY SASL-IR AUTH=PLAIN] hi\r\n",
			       answer, "* BYE\r\na2 OK\r\n", NULL};

	serve(lines, 0);
	CHECK(dial(NET_TLS_OFF, 700) == NULL);
	CHECK_INT(e.code, code);
	CHECK_STR(str_of(e.stage), "login");
	CHECK(str_find(str_of(e.msg), STR("pa\"ss")) < 0);
	over();
}

TEST(login_denied, "login: refused, not now, and what is neither")
{
	deny("a1 NO wrong\r\n", COI_E_AUTH);
	deny("a1 NO [AUTHENTICATIONFAILED] wrong\r\n", COI_E_AUTH);
	deny("a1 NO [UNAVAILABLE] later\r\n", COI_E_TEMP);
	deny("a1 BAD what\r\n", COI_E_PROTOCOL);
	deny("* BYE\r\n", COI_E_TEMP);
	deny("+ \r\n", COI_E_PROTOCOL);
	deny("", COI_E_TEMP);
}

TEST(trickle, "one octet now and then does not outlast the deadline")
{
	const char *lines[] = {
	    "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] and so on and on "
	    "and on and on and on and on and on and on and on and on\r\n",
	    NULL};
	int64_t start = sys_mono_ms();

	serve(lines, 100);
	CHECK(dial(NET_TLS_OFF, 1000) == NULL);
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK(sys_mono_ms() - start < 3000);
	over();
}

TEST(goodbye, "a silent server delays the goodbye by a second at most")
{
	const char *lines[] = {"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n", NULL};
	struct imap *im;
	int64_t start;

	serve(lines, 0);
	im = dial(NET_TLS_OFF, 20000);
	CHECK(im != NULL);
	start = sys_mono_ms();
	imap_close(im);
	CHECK(sys_mono_ms() - start >= 900);
	CHECK(sys_mono_ms() - start < 2000);
	over();
}

TEST_MAIN
