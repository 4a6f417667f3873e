/* The autoconfig document: what is taken from it, and what is refused. */
#include "core/limits.h"
#include "find/autoconfig.h"
#include "find/priv.h"
#include "test.h"

static struct arena *arena;

static struct autoconfig parse(const char *xml, struct coi_err *e)
{
	struct autoconfig c;

	if (arena == NULL)
		arena = arena_new();
	err_clear(e);
	if (autoconfig_parse(arena, str_of(xml), &c, e) < 0)
		c.n = 0;
	return c;
}

static struct autoconfig good(const char *inner)
{
	struct coi_err e = {0};
	struct buf b = {0};
	struct autoconfig c;

	buf_fmt(&b,
		"<?xml version='1.0'?>\n<clientConfig version='1.1'>"
		"<emailProvider id='x'><domain>x</domain>%s</emailProvider>"
		"</clientConfig>",
		inner);
	c = parse(buf_cstr(&b), &e);
	CHECK_INT(e.code, COI_OK);
	if (e.code != COI_OK)
		printf("# %s\n", e.msg);
	buf_free(&b);
	return c;
}

static void bad(const char *xml, const char *why)
{
	struct coi_err e = {0};

	CHECK_INT(parse(xml, &e).n, 0);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	CHECK(strstr(e.msg, why) != NULL);
	if (strstr(e.msg, why) == NULL)
		printf("# \"%s\" is not in: %s\n", why, e.msg);
}

#define SERVER(kind, type, inner) \
	"<" kind "Server type='" type "'>" inner "</" kind "Server>"

TEST(servers, "servers of IMAP and SMTP, in order; others are left out")
{
	struct autoconfig c = good(
	    SERVER("incoming", "pop3", "<hostname>p</hostname>")
		SERVER("incoming", "imap",
		       "<hostname> i.x\n</hostname><port>993</port>"
		       "<socketType>SSL</socketType><username>u</username>"
		       "<authentication>OAuth2</authentication>"
		       "<authentication>password-cleartext</authentication>")
		    SERVER("incoming", "exchange", "<hostname>e</hostname>")
			SERVER("outgoing", "smtp",
			       "<hostname>s.x</hostname><port>587</port>"
			       "<socketType>starttls</socketType>"
			       "<authentication>NTLM</authentication>")
			    SERVER("outgoing", "imap", "<port>1</port>")
				SERVER("incoming", "imap", ""));

	CHECK_INT(c.n, 3);
	if (c.n != 3)
		return;
	CHECK(!c.v[0].smtp && c.v[1].smtp && !c.v[2].smtp);
	CHECK_STR(c.v[0].host, "i.x");
	CHECK_INT(c.v[0].port, 993);
	CHECK_INT(c.v[0].socket, AUTO_SSL);
	CHECK_STR(c.v[0].user, "u");
	CHECK_INT(c.v[0].login, AUTO_OAUTH2 | AUTO_PASSWORD);
	CHECK_INT(c.v[1].socket, AUTO_STARTTLS);
	CHECK_INT(c.v[1].login, AUTO_ALIEN);
	CHECK(c.v[1].user.p == NULL);
	CHECK(c.v[2].host.p == NULL);
	CHECK_INT(c.v[2].port, 0);
	CHECK_INT(c.v[2].socket, AUTO_OTHER);
	CHECK_INT(c.v[2].login, 0);
}

TEST(places, "elements count only where they belong")
{
	struct autoconfig c = good(
	    "<port>1</port><hostname>no</hostname>"
	    "<x><incomingServer type='imap'><port>2</port></incomingServer></x>"
	    "<incomingServer type='imap'><x><port>3</port></x>"
	    "<port>4<b>5</b>6</port><port>7</port>"
	    "<hostname><![CDATA[a]]>b&#99;&amp;<!-- d --></hostname>"
	    "</incomingServer>");

	CHECK_INT(c.n, 1);
	if (c.n == 1) {
		CHECK_INT(c.v[0].port, 46);
		CHECK_STR(c.v[0].host, "abc&");
	}
	c = good("<outgoingServer><port>1</port></outgoingServer>"
		 "<incomingServer type='IMAP'/>"
		 "<incomingserver type='imap'/>");
	CHECK_INT(c.n, 0);
}

TEST(coding, "other encodings that XML knows; unknown ones are refused")
{
	struct coi_err e = {0};
	struct autoconfig c = parse(
	    "<?xml version='1.0' encoding='ISO-8859-1'?><clientConfig>"
	    "<emailProvider><incomingServer type='imap'><username>\xfc"
	    "</username></incomingServer></emailProvider></clientConfig>",
	    &e);

	CHECK_INT(c.n, 1);
	if (c.n == 1)
		CHECK_STR(c.v[0].user, "\xc3\xbc");
	bad("<?xml version='1.0' encoding='KOI8-R'?><clientConfig/>", "no XML");
	bad("<clientConfig>\xff</clientConfig>", "no XML");
}

TEST(refused, "no DTD, no entity, no other document")
{
	bad("", "no XML");
	bad("<clientConfig>", "no XML");
	bad("<clientConfig/><x/>", "no XML");
	bad("<html/>", "no <clientConfig>");
	bad("<!DOCTYPE clientConfig><clientConfig/>", "DTD");
	bad("<!DOCTYPE c [<!ENTITY a 'aa'>]><clientConfig>&a;</clientConfig>",
	    "DTD");
	bad("<!DOCTYPE c SYSTEM 'http://127.0.0.1/x'><clientConfig/>", "DTD");
	bad("<clientConfig>&a;</clientConfig>", "no XML");
	bad("<clientConfig a='1' a='2'/>", "no XML");
}

/* `n` times `open` in front, and as often `end` behind. */
static void many(struct buf *b, const char *head, const char *item, size_t n,
		 const char *tail)
{
	buf_clear(b);
	buf_z(b, head);
	while (n-- > 0)
		buf_z(b, item);
	buf_z(b, tail);
}

TEST(limits, "depth, size, values and servers are bounded")
{
	static const char head[] = "<clientConfig><emailProvider>";
	static const char tail[] = "</emailProvider></clientConfig>";
	struct coi_err e = {0};
	struct buf b = {0};

	many(&b, "<clientConfig>", "<a>", 100000 / 3, "");
	bad(buf_cstr(&b), "nested too deeply");
	many(&b, "<clientConfig>", "x", LIMIT_AUTOCONFIG, "</clientConfig>");
	bad(buf_cstr(&b), "too long");
	many(&b, "<clientConfig>", "x", LIMIT_AUTOCONFIG - 100,
	     "</clientConfig>");
	CHECK_INT(parse(buf_cstr(&b), &e).n, 0);
	CHECK_INT(e.code, COI_OK);
	many(&b, head, SERVER("incoming", "imap", ""), LIMIT_AUTOCONFIG_SERVERS,
	     tail);
	CHECK_INT(parse(buf_cstr(&b), &e).n, LIMIT_AUTOCONFIG_SERVERS);
	many(&b, head, SERVER("incoming", "imap", ""),
	     LIMIT_AUTOCONFIG_SERVERS + 1, tail);
	bad(buf_cstr(&b), "too many servers");
	many(&b,
	     "<clientConfig><emailProvider><incomingServer type='imap'>"
	     "<hostname>",
	     "x", LIMIT_AUTOCONFIG_TEXT + 1, "</hostname></incomingServer>");
	buf_z(&b, tail);
	bad(buf_cstr(&b), "a value that is too long");
	buf_free(&b);
}

/* Every cut of a good document is refused, without a crash. */
TEST(cut, "a document that ends anywhere")
{
	static const char xml[] =
	    "<?xml version='1.0'?><clientConfig><emailProvider>"
	    "<incomingServer type='imap'><hostname>&#105;</hostname>"
	    "</incomingServer></emailProvider></clientConfig>";
	struct coi_err e = {0};
	struct autoconfig c;
	size_t i;

	for (i = 0; i < sizeof(xml) - 1; i++) {
		err_clear(&e);
		CHECK(autoconfig_parse(arena, (struct str){xml, i}, &c, &e) <
		      0);
		CHECK_INT(e.code, COI_E_PROTOCOL);
	}
}

static struct str fill(const char *raw)
{
	return autoconfig_fill(arena, str_of(raw), STR("a.b@x.test"));
}

TEST(filled, "placeholders; what is left of them cannot be used")
{
	CHECK_STR(fill("%EMAILADDRESS%"), "a.b@x.test");
	CHECK_STR(fill("imap.%EMAILDOMAIN%"), "imap.x.test");
	CHECK_STR(fill("%EMAILDOMAIN%\\%EMAILLOCALPART%!"), "x.test\\a.b!");
	CHECK_STR(fill("plain"), "plain");
	CHECK(fill("%REALNAME%").p == NULL);
	CHECK(fill("50%").p == NULL);
	CHECK(fill("%EMAILADDRESS").p == NULL);
	CHECK(fill("a\nb").p == NULL);
	CHECK(fill("a\x7f").p == NULL);
	CHECK(fill("a\xc2\x9b").p == NULL);
	CHECK(fill("a\xe2\x80\xae").p == NULL);
	/* Filled in once, not again. */
	CHECK_STR(autoconfig_fill(arena, STR("%EMAILLOCALPART%"),
				  STR("%EMAILDOMAIN%@x.test")),
		  "%EMAILDOMAIN%");
	CHECK_STR(autoconfig_fill(arena, STR("%EMAILLOCALPART%"),
				  STR("\"a@b\"@x.test")),
		  "\"a@b\"");
}

TEST(names, "host names, and those inside of a domain")
{
	static const char *const hosts[] = {
	    "a", "a.b", "xn--mller-kva.test", "a_b.test", "1.2.3.4a", "0x.b"};
	static const char *const others[] = {
	    "",	     ".",	  "a..b",    ".a",
	    "a.",    "-a.b",	  "a-.b",    "a b",
	    "a/b",   "a:1",	  "a@b",     "1.2.3.4",
	    "[::1]", "::1",	  "a\\000b", "\xc3\xbc.test",
	    "a\nb",  "2130706433"};
	char label[80] = "";
	size_t i;

	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		CHECK(find_is_host(str_of(hosts[i])));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		CHECK(!find_is_host(str_of(others[i])));
		if (find_is_host(str_of(others[i])))
			printf("# %s\n", others[i]);
	}
	CHECK(!find_is_host(((struct str){"a\0b", 3})));
	memset(label, 'a', 63);
	CHECK(find_is_host(str_of(label)));
	label[63] = 'a';
	CHECK(!find_is_host(str_of(label)));
	CHECK(find_is_inside(STR("x.test"), STR("x.test")));
	CHECK(find_is_inside(STR("A.X.Test"), STR("x.test")));
	CHECK(!find_is_inside(STR("ax.test"), STR("x.test")));
	CHECK(!find_is_inside(STR("x.test.a"), STR("x.test")));
	CHECK(!find_is_inside(STR("test"), STR("x.test")));
	CHECK(!find_is_inside(STR(".x.test"), STR("x.test")));
	CHECK(!find_is_inside(STR("x.test"), STR("test")));
	CHECK(find_is_inside(STR("test"), STR("test")));
}

TEST(escaped, "an address in a URL")
{
	struct buf b = {0};

	find_escape(&b, STR("a+b~c@x.test&\xc3\xbc\0%\"<"));
	CHECK_STR(buf_view(&b), "a%2Bb~c%40x.test%26%C3%BC%00%25%22%3C");
	buf_free(&b);
	arena_free(arena);
}

TEST_MAIN
