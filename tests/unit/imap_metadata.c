/* METADATA (RFC 5464): what is sent, what may come, what refusals mean. */
#include "imap_mem.h"
#include "test.h"

#define CFG "/private/vendor/vendor.dovecot/coi/config"

static struct mem m;

/* "/mailbox-root=COI /enabled:NIL ", in the order in which they came. */
static void tree_log(const struct imap_meta *v, size_t n, struct buf *out)
{
	size_t i;

	buf_clear(out);
	for (i = 0; i < n; i++)
		buf_fmt(
		    out, "%.*s%s%.*s ",
		    STR_ARG(str_sub(v[i].entry, sizeof(CFG) - 1, v[i].entry.n)),
		    v[i].value.p == NULL ? ":NIL" : "=", STR_ARG(v[i].value));
}

TEST(tree, "SRV-015, 020, 024: DEPTH in front; values in every form and order")
{
	static const struct {
		const char *in, *want;
	} t[] = {
	    {"* METADATA \"\" (" CFG "/mailbox-root {3}\r\nCOI " CFG
	     "/enabled yes " CFG "/message-filter \"active\")\r\na1 OK\r\n",
	     "/mailbox-root=COI /enabled=yes /message-filter=active "},
	    /* in several answers, with other data between */
	    {"* METADATA \"\" (" CFG "/enabled \"yes\")\r\n* 3 EXISTS\r\n"
	     "* 1 FETCH (FLAGS (\\Seen))\r\n* OK [ALERT] full\r\n"
	     "* METADATA \"\" (" CFG "/mailbox-root ~{3}\r\nCOI)\r\na1 OK\r\n",
	     "/enabled=yes /mailbox-root=COI "},
	    /* no value: NIL, nothing, an empty one */
	    {"* METADATA \"\" (" CFG "/enabled NIL)\r\na1 OK\r\n",
	     "/enabled:NIL "},
	    {"a1 OK\r\n", ""},
	    {"* METADATA \"\" ()\r\na1 OK\r\n", ""},
	    {"* METADATA \"\" (" CFG "/enabled {0}\r\n)\r\na1 OK\r\n",
	     "/enabled= "},
	    {"* METADATA \"\" (" CFG "/enabled \"NIL\")\r\na1 OK\r\n",
	     "/enabled=NIL "},
	    /* CRLF and parentheses inside; names in another case */
	    {"* METADATA \"\" (/PRIVATE/VENDOR/Vendor.Dovecot/coi/Config/A "
	     "{7}\r\n)\r\n)(\r\n " CFG "/b \"\\\"\\\\\")\r\na1 OK\r\n",
	     "/A=)\r\n)(\r\n /b=\"\\ "},
	    /* the last one of two */
	    {"* METADATA \"\" (" CFG "/a \"1\" " CFG "/A \"2\")\r\na1 OK\r\n",
	     "/A=2 "},
	    /* not what was asked: of a mailbox, of another root */
	    {"* METADATA INBOX (" CFG "/enabled \"yes\")\r\n"
	     "* METADATA \"\" (" CFG "uration/enabled \"yes\")\r\n"
	     "* METADATA \"\" (/private/comment \"x\")\r\n"
	     "* METADATA \"\" " CFG "/enabled\r\na1 OK\r\n",
	     ""},
	};
	struct buf log = {0};
	struct imap_meta *v;
	size_t i, k, n;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (k = 0; k < 9; k++) {
			struct imap *im = mem_ready(&m, str_of(t[i].in), k,
						    "COI LITERAL+");
			struct arena *a = arena_new();
			struct coi_err e = {0};

			CHECK_INT(
			    imap_metadata_tree(im, a, STR(""), CFG, &v, &n, &e),
			    0);
			tree_log(v, n, &log);
			CHECK_STR(buf_view(&log), t[i].want);
			CHECK_STR(buf_view(&m.out),
				  "a1 GETMETADATA (DEPTH 1) \"\" (\"" CFG
				  "\")\r\n");
			mem_close(im, &m);
			arena_free(a);
		}
	buf_free(&log);
}

TEST(endless, "METADATA without end is refused, not kept")
{
	struct imap_meta *v;
	struct coi_err e = {0};
	struct arena *a = arena_new();
	struct buf in = {0};
	struct imap *im;
	size_t n;
	int i;

	for (i = 0; i < 1100; i++)
		buf_fmt(&in, "* METADATA \"\" (" CFG "/k%d \"x\")\r\n", i);
	im = mem_ready(&m, buf_view(&in), 0, "COI");
	CHECK_INT(imap_metadata_tree(im, a, STR(""), CFG, &v, &n, &e), -1);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	mem_close(im, &m);

	buf_clear(&in);
	for (i = 0; i < 40; i++) {
		buf_fmt(&in, "* METADATA \"\" (" CFG "/a {30000}\r\n");
		memset(buf_room(&in, 30000), 'x', 30000);
		in.n += 30000;
		buf_z(&in, ")\r\n");
	}
	err_clear(&e);
	im = mem_ready(&m, buf_view(&in), 0, "COI");
	CHECK_INT(imap_metadata_tree(im, a, STR(""), CFG, &v, &n, &e), -1);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	mem_close(im, &m);
	buf_free(&in);
	arena_free(a);
}

TEST(offered, "SRV-017: COI or WEBPUSH is enough for the server's entries")
{
	static const struct {
		const char *caps, *mailbox;
		int rc;
	} t[] = {
	    {"IMAP4rev1 COI", "", 0},
	    {"IMAP4rev1 WEBPUSH", "", 0},
	    {"METADATA-SERVER", "", 0},
	    {"METADATA", "INBOX", 0},
	    {"IMAP4rev1", "", -1},
	    {"COI", "INBOX", -1},
	    {"METADATA-SERVER", "INBOX", -1},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct imap *im = mem_ready(&m, STR("a1 OK\r\n"), 0, t[i].caps);
		struct coi_err e = {0};

		CHECK_INT(imap_getmetadata(im, str_of(t[i].mailbox), "/x", NULL,
					   NULL, &e),
			  t[i].rc);
		CHECK_INT(m.out.n > 0, t[i].rc == 0);
		mem_close(im, &m);
	}
}

TEST(refusals, "SRV-023, 026: a quoted value; what a refusal means")
{
	static const struct {
		const char *said;
		enum coi_code code;
		const char *msg;
	} t[] = {
	    {"NO [METADATA MAXSIZE 1024] big", COI_E_DATA,
	     "the value is too large for the server, which takes 1024 octets"},
	    {"NO [METADATA MAXSIZE] big", COI_E_DATA,
	     "the value is too large for the server"},
	    {"NO [METADATA TOOMANY] x", COI_E_UNAVAILABLE,
	     "the server keeps no more entries for this account"},
	    {"NO [metadata noprivate] x", COI_E_UNAVAILABLE,
	     "the server keeps no private entries"},
	    {"NO [CANNOT] Invalid enabled value", COI_E_UNAVAILABLE,
	     "the server does not take this value, or lets nobody change it"},
	    {"NO [LIMIT] Too many", COI_E_UNAVAILABLE,
	     "a limit of the server is reached"},
	    {"NO [UNAVAILABLE] Failed", COI_E_TEMP,
	     "the server cannot do it now"},
	    {"NO [NOPERM] x", COI_E_AUTH, "this user may not change it"},
	    {"NO [SERVERBUG] x", COI_E_UNAVAILABLE, "the server failed inside"},
	    {"NO [METADATA WHATEVER] x", COI_E_UNAVAILABLE,
	     "the server refused SETMETADATA"},
	    {"NO [STRANGE \x1b[31m] \x01no", COI_E_UNAVAILABLE,
	     "the server refused SETMETADATA"},
	    {"NO", COI_E_UNAVAILABLE, "the server refused SETMETADATA"},
	    {"NO [METADATA", COI_E_UNAVAILABLE,
	     "the server refused SETMETADATA"},
	    {"NO [METADATA MAXSIZE 99999999999999999999999] x", COI_E_DATA,
	     "the value is too large for the server"},
	    {"BAD [METADATA TOOMANY] x", COI_E_PROTOCOL,
	     "the server does not understand SETMETADATA"},
	};
	struct buf in = {0}, said = {0};
	size_t i, k;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct coi_err e = {0};
		struct imap *im;

		buf_clear(&in);
		buf_fmt(&in, "a1 %s\r\n", t[i].said);
		im = mem_ready(&m, buf_view(&in), 0, "METADATA");
		CHECK_INT(imap_setmetadata(im, STR(""), "/x", STR("a\"\\"), &e),
			  -1);
		CHECK_STR(buf_view(&m.out),
			  "a1 SETMETADATA \"\" (\"/x\" \"a\\\"\\\\\")\r\n");
		CHECK_INT(e.code, t[i].code);
		CHECK_STR(str_of(e.msg), t[i].msg);
		/* The server's words, without what a terminal would obey. */
		for (k = 0; e.reply[k] != '\0'; k++)
			CHECK((unsigned char)e.reply[k] >= ' ');
		buf_clear(&said);
		buf_clean(&said,
			  str_trim(str_sub(str_of(t[i].said),
					   t[i].said[0] == 'B' ? 3 : 2, 200)));
		CHECK_STR(str_of(e.reply), buf_cstr(&said));
		mem_close(im, &m);
	}
	buf_free(&in);
	buf_free(&said);
}

TEST(delimiter, "LIST \"\" \"\": what stands between names, or nothing")
{
	static const struct {
		const char *in;
		char delim;
	} t[] = {
	    {"* LIST (\\Noselect) \".\" \"\"\r\na1 OK\r\n", '.'},
	    {"* LIST (\\Noselect) \"\\\\\" \"\"\r\na1 OK\r\n", '\\'},
	    {"* LIST (\\Noselect) NIL \"\"\r\na1 OK\r\n", '\0'},
	    {"* LIST () \"/\" INBOX\r\na1 OK\r\n", '\0'},
	    {"a1 OK\r\n", '\0'},
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct imap *im = mem_ready(&m, str_of(t[i].in), 1, "");
		struct coi_err e = {0};
		char delim = 'x';

		CHECK_INT(imap_delimiter(im, &delim, &e), 0);
		CHECK_INT(delim, t[i].delim);
		CHECK_STR(buf_view(&m.out), "a1 LIST \"\" \"\"\r\n");
		mem_close(im, &m);
	}
}

TEST_MAIN
