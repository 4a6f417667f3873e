/* IDLE, NOTIFY, and what a server tells unasked, cut at every octet. */
#include <sys/socket.h>
#include <unistd.h>

#include "core/sys.h"
#include "core/task.h"
#include "test.h"

#include "imap_mem.h"

#define CAPS "IMAP4rev1 IDLE NOTIFY ESEARCH CONDSTORE QRESYNC ENABLE LITERAL+"

static struct mem m;
static struct coi_err e;

/* --- news as text ----------------------------------------------------------
 */

static void on_exists(void *ctx, uint32_t n)
{
	buf_fmt(&m.log, "exists %u\n", n);
}

static void on_expunge(void *ctx, uint32_t number)
{
	buf_fmt(&m.log, "expunge %u\n", number);
}

static void on_vanished(void *ctx, uint32_t lo, uint32_t hi)
{
	buf_fmt(&m.log, "vanished %u:%u\n", lo, hi);
}

static void on_flags(void *ctx, uint32_t number, const struct imap_msg *msg)
{
	buf_fmt(&m.log, "flags %u: ", number);
	ev_end(&m, msg, NULL);
}

static void on_status(void *ctx, struct str mailbox,
		      const struct imap_status *st)
{
	buf_fmt(&m.log, "status %.*s %u %u %u %u %llu\n", STR_ARG(mailbox),
		st->uid_validity, st->uid_next, st->messages, st->unseen,
		(unsigned long long)st->highest_modseq);
}

static void on_mailbox(void *ctx, const struct imap_mailbox *x)
{
	buf_fmt(&m.log, "mailbox %.*s %x\n", STR_ARG(x->name), x->attrs);
}

static void on_overflow(void *ctx)
{
	buf_z(&m.log, "overflow\n");
}

static void on_renumbered(void *ctx, uint32_t uid_validity)
{
	buf_fmt(&m.log, "renumbered %u\n", uid_validity);
}

static const struct imap_news news = {
    .exists = on_exists,
    .expunge = on_expunge,
    .vanished = on_vanished,
    .flags = on_flags,
    .status = on_status,
    .mailbox = on_mailbox,
    .overflow = on_overflow,
    .renumbered = on_renumbered,
};

static struct imap *ready(struct str in, size_t step, const char *caps)
{
	struct imap *im;

	err_clear(&e);
	im = mem_ready(&m, in, step, caps);
	imap_listen(im, &news, &m);
	return im;
}

/* The step that cuts the text in two at every place, then all at once. */
#define EACH_STEP(in) \
	for (size_t step = 0; step <= (in).n && test_bad == 0; step++)

/* --- what is told ----------------------------------------------------------
 */

static const struct str all_news = STR(
    "* 5 EXISTS\r\n* 0 RECENT\r\n* 3 EXPUNGE\r\n"
    "* VANISHED 5:7,12\r\n* VANISHED (EARLIER) 41,9:8\r\n"
    "* 2 FETCH (FLAGS (\\Seen $Chat))\r\n"
    "* 4 FETCH (UID 9 MODSEQ (77) FLAGS ())\r\n"
    "* STATUS {6}\r\nCOI/&- (MESSAGES 7 UIDNEXT 9)\r\n"
    "* STATUS \"INBOX\" (UNSEEN 1 UIDVALIDITY 8 HIGHESTMODSEQ 99)\r\n"
    "* LIST (\\NonExistent) \"/\" \"COI/&AOQ-\"\r\n"
    "* LIST (\\NoAccess) \"/\" b\r\n"
    "* LIST (\\Subscribed) \"/\" new (\"OLDNAME\" (\"old\"))\r\n"
    "* LSUB () \"/\" not-this\r\n"
    "* OK [NOTIFICATIONOVERFLOW] enough\r\n"
    "* OK [UIDVALIDITY 77] changed\r\n* OK [ALERT] {5}\r\n* NEWWORD (x) "
    "{2}\r\nab\r\n"
    "a1 OK done\r\n");

static const char all_told[] =
    "exists 5\nexpunge 3\nvanished 5:7\nvanished 12:12\nvanished 41:41\n"
    "vanished 8:9\nflags 2: uid 0 flags \\Seen $Chat\n"
    "flags 4: uid 9 mod 77 flags\nstatus COI/& 0 9 7 0 0\n"
    "status INBOX 8 0 0 1 99\nmailbox COI/ä 3\nmailbox b 3\n"
    "mailbox new 4\noverflow\nrenumbered 77\n";

TEST(told, "all that is told unasked arrives, however it is cut")
{
	EACH_STEP(all_news)
	{
		struct imap *im = ready(all_news, step, CAPS);

		CHECK_INT(imap_noop(im, &e), 0);
		CHECK_STR(buf_view(&m.log), all_told);
		CHECK_STR(buf_view(&m.out), "a1 NOOP\r\n");
		mem_close(im, &m);
	}
}

TEST(told_waiting, "the same outside of a command, as NOTIFY tells it")
{
	EACH_STEP(all_news)
	{
		struct str in = str_sub(all_news, 0,
					all_news.n - strlen("a1 OK done\r\n"));
		struct imap *im = ready(in, step, CAPS);

		m.pause = in.n;
		CHECK_INT(imap_idle_wait(im, 1, &e), 1);
		CHECK_STR(buf_view(&m.log), all_told);
		CHECK_INT(imap_idle_wait(im, 1, &e), 0);
		CHECK_STR(buf_view(&m.out), "");
		mem_close(im, &m);
	}
}

TEST(unheard, "nobody listens: it passes")
{
	static const struct imap_news none;
	struct imap *im = ready(all_news, 1, CAPS);

	imap_listen(im, &none, NULL);
	CHECK_INT(imap_noop(im, &e), 0);
	mem_close(im, &m);
	im = ready(all_news, 1, CAPS);
	imap_listen(im, NULL, NULL);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&m.log), "");
	mem_close(im, &m);
}

TEST(broken, "broken news end the connection")
{
	static const struct str v[] = {
	    STR("* STATUS INBOX (MESSAGES x)\r\na1 OK\r\n"),
	    STR("* STATUS INBOX\r\na1 OK\r\n"),
	    STR("* LIST x\r\na1 OK\r\n"),
	    STR("* VANISHED 0\r\na1 OK\r\n"),
	    STR("* 5\r\na1 OK\r\n"),
	    STR("* 3 FETCH (FLAGS\r\na1 OK\r\n"),
	};
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct imap *im = ready(v[i], 0, CAPS);

		CHECK_INT(imap_noop(im, &e), -1);
		CHECK_INT(e.code, COI_E_PROTOCOL);
		err_clear(&e);
		CHECK_INT(imap_idle_wait(im, -1, &e), -1);
		mem_close(im, &m);
	}
}

/* --- news between answers --------------------------------------------------
 */

TEST(fetch, "flags that others set are no answer to FETCH")
{
	struct str in = STR("* 1 FETCH (FLAGS (\\Seen) UID 7)\r\n"
			    "* 9 EXISTS\r\n"
			    "* 2 FETCH (UID 8 FLAGS (a) BODY[] {2}\r\nhi)\r\n"
			    "* 2 FETCH (UID 8 MODSEQ (5) FLAGS (b))\r\n"
			    "* 1 FETCH (FLAGS ())\r\n"
			    "a1 OK\r\n");
	struct imap_set set = {0};

	imap_set_add(&set, 7, 8);
	EACH_STEP(in)
	{
		struct imap *im = ready(in, step, CAPS);
		struct buf want = {0};

		CHECK_INT(imap_fetch(im, &set, STR("UID FLAGS BODY.PEEK[]"),
				     &mem_events, &m, &e),
			  0);
		CHECK_STR(buf_view(&m.log),
			  "flags 1: uid 7 flags \\Seen\nexists 9\n"
			  "8[]2:hi;uid 8 flags a\n"
			  "flags 2: uid 8 mod 5 flags b\nflags 1: uid 0 "
			  "flags\n");
		buf_free(&want);
		mem_close(im, &m);
	}
	imap_set_free(&set);
}

TEST(fetch_flags, "where flags were asked for they are the answer")
{
	struct str in = STR("* 1 FETCH (FLAGS (\\Seen) UID 7)\r\n"
			    "* 5 FETCH (FLAGS (x))\r\n"
			    "a1 OK\r\n");
	struct imap_set set = {0};
	struct imap *im = ready(in, 1, CAPS);

	imap_set_add(&set, 7, 8);
	CHECK_INT(imap_fetch(im, &set, STR("UID FLAGS"), &mem_events, &m, &e),
		  0);
	CHECK_STR(buf_view(&m.log),
		  "uid 7 flags \\Seen\nflags 5: uid 0 flags x\n");
	imap_set_free(&set);
	mem_close(im, &m);
}

TEST(selecting, "what SELECT says of its mailbox is no news")
{
	struct imap_selected sel;
	struct imap *im = ready(STR("* 5 EXISTS\r\n* OK [UIDVALIDITY 3] x\r\n"
				    "* OK [UIDNEXT 9] x\r\na1 OK\r\n"),
				1, CAPS);

	CHECK_INT(imap_select(im, STR("INBOX"), true, &sel, &e), 0);
	CHECK_INT(sel.exists, 5);
	CHECK_STR(buf_view(&m.log), "");
	mem_close(im, &m);
}

TEST(status, "a STATUS told unasked does not take from the one asked for")
{
	struct str names[] = {STR("a"), STR("b")};
	struct imap_status st[2];
	struct imap *im = ready(
	    STR("* STATUS a (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3 UNSEEN 1 "
		"HIGHESTMODSEQ 50)\r\n"
		"* STATUS a (MESSAGES 2 UIDNEXT 4)\r\n"
		"* STATUS b (UIDNEXT 4)\r\na1 OK\r\n"
		"* STATUS b (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 9 UNSEEN "
		"0)\r\na2 OK\r\n"),
	    1, CAPS);

	CHECK_INT(imap_status(im, names, 2, st, &e), 0);
	CHECK_INT(st[0].uid_validity, 3);
	CHECK_INT(st[0].uid_next, 4);
	CHECK_INT(st[0].messages, 2);
	CHECK_INT(st[0].unseen, 1);
	CHECK_INT(st[0].highest_modseq, 50);
	CHECK_INT(st[1].uid_validity, 9);
	CHECK_INT(st[1].uid_next, 1);
	CHECK_STR(buf_view(&m.log), "status a 3 2 1 1 50\nstatus a 0 4 2 0 0\n"
				    "status b 0 4 0 0 0\nstatus b 9 1 0 0 0\n");
	mem_close(im, &m);
}

TEST(status_new, "a mailbox made anew has nothing of the old one")
{
	struct str names[] = {STR("a")};
	struct imap_status st;
	struct imap *im = ready(
	    STR("* STATUS a (MESSAGES 1 UIDNEXT 200 UIDVALIDITY 3)\r\n"
		"* STATUS a (UIDVALIDITY 4)\r\na1 OK\r\n"),
	    1, CAPS);

	CHECK_INT(imap_status(im, names, 1, &st, &e), 0);
	CHECK_INT(st.uid_validity, 4);
	CHECK_INT(st.uid_next, 0);
	mem_close(im, &m);
}

/* --- IDLE ------------------------------------------------------------------
 */

static void idle(struct str in, int rc, const char *log)
{
	EACH_STEP(in)
	{
		struct imap *im = ready(in, step, CAPS);

		m.pause = in.n;
		CHECK_INT(imap_idle(im, &e), 0);
		CHECK_STR(buf_view(&m.out), "a1 IDLE\r\n");
		CHECK_INT(imap_idle_wait(im, 1, &e), rc);
		CHECK_STR(buf_view(&m.log), log);
		mem_close(im, &m);
	}
}

TEST(idle_news, "IDLE: before the \"+\", at once with it, and behind it")
{
	idle(STR("+ idling\r\n"), 0, "");
	idle(STR("* 4 EXISTS\r\n+ idling\r\n"), 1, "exists 4\n");
	idle(STR("+\r\n* 4 EXISTS\r\n"), 1, "exists 4\n");
	idle(STR("* 4 EXISTS\r\n"), 1, "exists 4\n");
	idle(STR("+ idling\r\n* OK Still here\r\n"), 1, "");
	/* Half a response is none. */
	idle(STR("+ idling\r\n* 4 EXI"), 0, "");
	idle(STR("+ idling\r\n* 4 EXISTS\r\n* STATUS {9}\r\nab"), 1,
	     "exists 4\n");
}

TEST(idle_refused, "IDLE refused: its words, and the connection is good")
{
	struct str v[] = {STR("a1 NO [UNAVAILABLE] later\r\na2 OK\r\n"),
			  STR("a1 BAD what\r\na2 OK\r\n"),
			  STR("a1 NO never\r\na2 OK\r\n")};
	enum coi_code code[] = {COI_E_TEMP, COI_E_PROTOCOL, COI_E_UNAVAILABLE};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct imap *im = ready(v[i], 1, CAPS);

		m.pause = v[i].n - strlen("a2 OK\r\n");
		CHECK_INT(imap_idle(im, &e), 0);
		CHECK_INT(imap_idle_wait(im, 1, &e), -1);
		CHECK_INT(e.code, code[i]);
		CHECK_STR(str_of(e.stage), "idle");
		err_clear(&e);
		CHECK_INT(imap_idle_stop(im, &e), 0);
		CHECK_INT(imap_noop(im, &e), 0);
		CHECK_STR(buf_view(&m.out), "a1 IDLE\r\na2 NOOP\r\n");
		mem_close(im, &m);
	}
}

TEST(idle_not_offered, "IDLE not offered is not tried")
{
	struct imap *im = ready(STR("a1 OK\r\n"), 1, "IMAP4rev1");

	CHECK_INT(imap_idle(im, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	err_clear(&e);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&m.out), "a1 NOOP\r\n");
	mem_close(im, &m);
}

TEST(idle_bye, "BYE in IDLE: its words, after the news before it")
{
	struct str in = STR("+ idling\r\n* 7 EXISTS\r\n"
			    "* BYE [UNAVAILABLE] Server shutting down.\r\n");

	EACH_STEP(in)
	{
		struct imap *im = ready(in, step, CAPS);

		m.pause = in.n;
		CHECK_INT(imap_idle(im, &e), 0);
		CHECK_INT(imap_idle_wait(im, -1, &e), -1);
		CHECK_INT(e.code, COI_E_TEMP);
		CHECK_STR(str_of(e.reply),
			  "[UNAVAILABLE] Server shutting down.");
		CHECK_STR(buf_view(&m.log), "exists 7\n");
		mem_close(im, &m);
	}
}

TEST(idle_cut, "the connection is cut in IDLE")
{
	struct str in = STR("+ idling\r\n* 7 EXISTS\r\n");
	struct imap *im = ready(in, 1, CAPS);

	CHECK_INT(imap_idle(im, &e), 0);
	CHECK_INT(imap_idle_wait(im, -1, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(buf_view(&m.log), "exists 7\n");
	err_clear(&e);
	CHECK_INT(imap_idle_wait(im, -1, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	err_clear(&e);
	CHECK_INT(imap_idle_stop(im, &e), -1);
	mem_close(im, &m);
}

TEST(stop, "DONE goes with the next command, which reads the end of IDLE")
{
	struct str in = STR("+ idling\r\n* 4 EXISTS\r\n"
			    "* 5 EXISTS\r\na1 OK Idle completed.\r\n"
			    "* 5 FETCH (UID 12 BODY[] {2}\r\nhi)\r\na2 OK\r\n");
	struct imap_set set = {0};

	imap_set_add(&set, 12, 12);
	EACH_STEP(in)
	{
		struct imap *im = ready(in, step, CAPS);

		m.pause = strlen("+ idling\r\n* 4 EXISTS\r\n");
		CHECK_INT(imap_idle(im, &e), 0);
		CHECK_INT(imap_idle_wait(im, 1, &e), 1);
		CHECK_INT(imap_idle_stop(im, &e), 0);
		CHECK_INT(imap_fetch(im, &set, STR("UID BODY.PEEK[]"),
				     &mem_events, &m, &e),
			  0);
		CHECK_STR(buf_view(&m.out), "a1 IDLE\r\nDONE\r\n"
					    "a2 UID FETCH 12 (UID "
					    "BODY.PEEK[])\r\n");
		CHECK_STR(buf_view(&m.log),
			  "exists 4\nexists 5\n12[]2:hi;uid 12\n");
		mem_close(im, &m);
	}
	imap_set_free(&set);
}

TEST(stop_early, "DONE waits for the \"+\", and for none that never comes")
{
	struct imap *im = ready(STR("* 4 EXISTS\r\n+ idling\r\n"
				    "a1 OK\r\na2 OK\r\n"),
				1, CAPS);

	CHECK_INT(imap_idle(im, &e), 0);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_STR(buf_view(&m.log), "exists 4\n");
	CHECK_INT((long long)m.shown, strlen("* 4 EXISTS\r\n+ idling\r\n"));
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\nDONE\r\na2 NOOP\r\n");
	mem_close(im, &m);
	/* Refused instead: then DONE would be a strange command. */
	im = ready(STR("a1 NO\r\na2 OK\r\n"), 1, CAPS);
	CHECK_INT(imap_idle(im, &e), 0);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\na2 NOOP\r\n");
	mem_close(im, &m);
}

TEST(again, "IDLE behind IDLE: renewed in one flight")
{
	struct str in = STR("+ one\r\na1 OK\r\n* 4 EXISTS\r\n+ two\r\n"
			    "a2 NO strange, but over\r\na3 OK\r\n");
	struct imap *im = ready(in, 1, CAPS);

	m.pause = strlen("+ one\r\n");
	CHECK_INT(imap_idle(im, &e), 0);
	CHECK_INT(imap_idle_wait(im, 1, &e), 0);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_idle(im, &e), 0);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\nDONE\r\na2 IDLE\r\n");
	m.pause += strlen("a1 OK\r\n* 4 EXISTS\r\n+ two\r\n");
	CHECK_INT(imap_idle_wait(im, 1, &e), 1);
	CHECK_INT(imap_idle_wait(im, 1, &e), 0);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&m.log), "exists 4\n");
	mem_close(im, &m);
}

TEST(server_ends, "the server ends IDLE: begun anew, but not for ever")
{
	struct str in = STR("+ one\r\na1 OK timeout\r\n+ two\r\n"
			    "* 4 EXISTS\r\na2 OK\r\n");
	struct imap *im = ready(in, 1, CAPS);

	m.pause = in.n - strlen("a2 OK\r\n");
	CHECK_INT(imap_idle(im, &e), 0);
	im->idle_since -= 5000;
	CHECK_INT(imap_idle_wait(im, 1, &e), 1);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\na2 IDLE\r\n");
	CHECK_STR(buf_view(&m.log), "exists 4\n");
	m.pause = in.n;
	CHECK_INT(imap_idle_wait(im, 1, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\na2 IDLE\r\n");
	mem_close(im, &m);
}

TEST(guard, "a command in the middle of IDLE is not sent")
{
	struct imap *im = ready(STR("+\r\na1 OK\r\na2 OK\r\n"), 1, CAPS);

	CHECK_INT(imap_idle(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), -1);
	CHECK_INT(e.code, COI_E_INTERNAL);
	err_clear(&e);
	CHECK_INT(imap_idle(im, &e), -1);
	err_clear(&e);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\nDONE\r\na2 NOOP\r\n");
	mem_close(im, &m);
}

TEST(goodbye, "LOGOUT out of IDLE has DONE before it")
{
	struct buf out = {0};
	struct imap *im = ready(STR("+\r\na1 OK\r\n* BYE\r\na2 OK\r\n"), 1,
				CAPS);

	CHECK_INT(imap_idle(im, &e), 0);
	imap_close(im);
	out = m.out;
	CHECK_STR(buf_view(&out), "a1 IDLE\r\nDONE\r\na2 LOGOUT\r\n");
	buf_free(&out);
	/* Where it cannot be said, nothing is. */
	im = ready(STR("* 4 EXISTS\r\n"), 1, CAPS);
	CHECK_INT(imap_idle(im, &e), 0);
	imap_close(im);
	CHECK_STR(buf_view(&m.out), "a1 IDLE\r\n");
	buf_free(&m.out);
	buf_free(&m.log);
}

/* --- NOTIFY ----------------------------------------------------------------
 */

TEST(notify, "NOTIFY SET: one form, names as the wire has them, once")
{
	struct str names[] = {STR("COI"), STR("Entwürfe"), STR("a\"b & c")};
	struct imap *im = ready(
	    STR("* STATUS COI (MESSAGES 4 UIDNEXT 6)\r\na1 OK\r\n"), 1, CAPS);

	CHECK_INT(imap_notify(im, names, 3, true, &e), 0);
	CHECK_STR(buf_view(&m.out),
		  "a1 NOTIFY SET STATUS "
		  "(selected (MessageNew MessageExpunge FlagChange)) "
		  "(mailboxes (\"COI\" \"Entw&APw-rfe\" {9+}\r\nEntw\xc3\xbc"
		  "rfe \"a\\\"b &- c\" \"a\\\"b & c\") "
		  "(MessageNew MessageExpunge))\r\n");
	CHECK_STR(buf_view(&m.log), "status COI 0 6 4 0 0\n");
	CHECK_INT(imap_notify(im, names, 1, false, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	mem_close(im, &m);
}

TEST(notify_utf8, "a name that NOTIFY writes in UTF-8 is not learnt")
{
	struct str name = STR("Entwürfe");
	struct imap_status st;
	struct imap *im = ready(
	    STR("* STATUS {9}\r\nEntwürfe (MESSAGES 1 UIDNEXT 2)\r\n"
		"* STATUS a&b (MESSAGES 1 UIDNEXT 2)\r\n"
		"* LIST () \"/\" Entwürfe\r\na1 OK\r\n"
		"* STATUS {9}\r\nEntwürfe (MESSAGES 3 UIDNEXT 4)\r\n"
		"a2 OK\r\na3 OK\r\n"),
	    1, CAPS);

	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_INT(imap_status(im, &name, 1, &st, &e), 0);
	CHECK_INT(st.uid_next, 4);
	CHECK_INT(imap_create(im, STR("a&b"), &e), 0);
	CHECK_STR(buf_view(&m.log),
		  "status Entwürfe 0 2 1 0 0\nstatus a&b 0 2 1 0 0\n"
		  "mailbox Entwürfe 0\nstatus Entwürfe 0 4 3 0 0\n");
	CHECK_STR(buf_view(&m.out),
		  "a1 NOOP\r\na2 STATUS \"Entw&APw-rfe\" (MESSAGES UIDNEXT "
		  "UIDVALIDITY UNSEEN HIGHESTMODSEQ)\r\n"
		  "a3 CREATE \"a&-b\"\r\n");
	mem_close(im, &m);
}

TEST(notify_one, "NOTIFY of the selected mailbox alone")
{
	struct imap *im = ready(STR("a1 OK\r\n"), 1, CAPS);

	CHECK_INT(imap_notify(im, NULL, 0, false, &e), 0);
	CHECK_STR(buf_view(&m.out), "a1 NOTIFY SET (selected (MessageNew "
				    "MessageExpunge))\r\n");
	mem_close(im, &m);
}

TEST(notify_refused, "NOTIFY: less where flags are unknown, else another way")
{
	struct str names[] = {STR("x"), STR("a\r\nb")}, ae = STR("ä");
	struct imap *im = ready(
	    STR("a1 NO [BADEVENT (MessageNew)] no\r\na2 OK\r\n"), 1, CAPS);

	CHECK_INT(imap_notify(im, names, 1, true, &e), 0);
	CHECK(str_find(buf_view(&m.out),
		       STR("a2 NOTIFY SET STATUS (selected (MessageNew "
			   "MessageExpunge)) (mailboxes (\"x\") ")) > 0);
	mem_close(im, &m);
	/* A server that wants no name in UTF-8 gets none. */
	im = ready(STR("a1 BAD name\r\na2 OK\r\n"), 1, CAPS);
	CHECK_INT(imap_notify(im, &ae, 1, false, &e), 0);
	CHECK(str_find(buf_view(&m.out),
		       STR("a2 NOTIFY SET STATUS (selected (MessageNew "
			   "MessageExpunge)) (mailboxes (\"&AOQ-\") ")) > 0);
	mem_close(im, &m);
	im = ready(STR("a1 BAD what\r\na2 BAD what\r\na3 OK\r\n"), 1, CAPS);
	CHECK_INT(imap_notify(im, names, 1, true, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(str_of(e.reply), "what");
	err_clear(&e);
	CHECK_INT(imap_noop(im, &e), 0);
	mem_close(im, &m);
	im = ready(STR("a1 OK\r\n"), 1, "IMAP4rev1");
	CHECK_INT(imap_notify(im, names, 1, true, &e), -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	err_clear(&e);
	mem_close(im, &m);
	im = ready(STR("a1 OK\r\n"), 1, CAPS);
	CHECK_INT(imap_notify(im, names, 2, true, &e), -1);
	CHECK_INT(e.code, COI_E_DATA);
	CHECK_STR(buf_view(&m.out), "");
	mem_close(im, &m);
}

TEST_MAIN
