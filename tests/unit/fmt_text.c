#include "fmt/text.h"

#include "core/mem.h"
#include "fmt/html_entity.h"
#include "test.h"

/* --- character sets
 * ----------------------------------------------------------- */

static void utf8(const char *charset, struct str in, const char *want,
		 bool known)
{
	struct buf b = {0};

	CHECK_INT(text_to_utf8(&b, str_of(charset), in), known);
	CHECK_STR(buf_view(&b), want);
	CHECK(utf8_valid(buf_view(&b)));
	buf_free(&b);
}

TEST(charsets, "character sets of real mail become UTF-8")
{
	utf8("utf-8", STR("Gr\xc3\xbc\xc3\x9f"), "Gr\xc3\xbc\xc3\x9f", true);
	utf8("\"UTF8\"", STR("\xc3\xbc"), "\xc3\xbc", true);
	utf8("iso-8859-1", STR("Gr\xfc\xdf \x93x\x94"),
	     "Gr\xc3\xbc\xc3\x9f \xe2\x80\x9cx\xe2\x80\x9d", true);
	utf8("ISO-8859-15", STR("\xa4"), "\xe2\x82\xac", true);
	utf8("windows-1251", STR("\xcf\xf0"), "\xd0\x9f\xd1\x80", true);
	utf8("koi8-r", STR("\xf0\xd2"), "\xd0\x9f\xd1\x80", true);
	utf8("gb2312", STR("\xc4\xe3"), "\xe4\xbd\xa0", true);
	utf8("x-gbk", STR("\xc4\xe3"), "\xe4\xbd\xa0", true);
	utf8("big5", STR("\xa7\x41"), "\xe4\xbd\xa0", true);
	utf8("Shift_JIS", STR("\x82\xa0\x87\x40"), "\xe3\x81\x82\xe2\x91\xa0",
	     true);
	utf8("iso-2022-jp", STR("\x1b$B$\"\x1b(B."), "\xe3\x81\x82.", true);
	utf8("ks_c_5601-1987", STR("\xb0\xa1"), "\xea\xb0\x80", true);
	utf8("utf-16", STR("\xff\xfeH\0i\0"), "Hi", true);
	utf8("utf-7", STR("Hi+AOk-"), "Hi\xc3\xa9", true);
	utf8("us-ascii", STR("plain"), "plain", true);
	utf8("", STR("plain \xc3\xa9"), "plain \xc3\xa9", true);
}

TEST(charset_bad, "what cannot be converted is marked, nothing is dropped")
{
	utf8("utf-8", STR("a\xff\x62"), "a\xef\xbf\xbd\x62", true);
	utf8("utf-8", STR("cut \xc3"), "cut \xef\xbf\xbd", true);
	utf8("gb2312", STR("a\xff\x62"), "a\xef\xbf\xbd\x62", true);
	utf8("shift_jis", STR("cut \x82"), "cut \xef\xbf\xbd", true);
	utf8("iso-8859-7", STR("\xae\xe1"), "\xef\xbf\xbd\xce\xb1", true);
	utf8("x-nothing", STR("\xc3\xa9"), "\xc3\xa9", false);
	utf8("x-nothing", STR("\xe9"), "\xc3\xa9", false);
	utf8("us-ascii", STR("\xe9"), "\xc3\xa9", false);
	utf8("../../etc/x", STR("\xe9"), "\xc3\xa9", false);
	utf8("CHAR", STR("\xe9"), "\xc3\xa9", false);
	utf8("utf-16//TRANSLIT", STR("a"), "a", false);
	utf8("gb2312", STR(""), "", true);
	utf8("gb2312", STR_NONE, "", true);
}

TEST(charset_long, "a text of any length is converted as a whole")
{
	struct buf in = {0}, want = {0}, b = {0};
	int i;

	for (i = 0; i < 50000; i++) {
		buf_z(&in, i % 3 ? "\xe4" : "x");
		buf_z(&want, i % 3 ? "\xd0\xb4" : "x");
	}
	CHECK(text_to_utf8(&b, STR("windows-1251"), buf_view(&in)));
	CHECK(str_eq(buf_view(&b), buf_view(&want)));
	buf_free(&in);
	buf_free(&want);
	buf_free(&b);
}

/* --- HTML
 * ------------------------------------------------------------------------ */

static void html_at(int line, const char *in, size_t n, const char *want)
{
	struct buf b = {0};
	size_t i;

	text_from_html(&b, (struct str){in, n});
	if (!str_is(buf_view(&b), want)) {
		test_bad++;
		printf("# line %d: got \"%.*s\", want \"%s\"\n", line,
		       STR_ARG(buf_view(&b)), want);
	}
	/* Cut anywhere: a copy of its own shows a read behind the end. */
	for (i = 0; i < n; i++) {
		char *p = mem_dup((struct str){in, i});

		p = mem_grow(p, i == 0 ? 1 : i);
		buf_clear(&b);
		text_from_html(&b, (struct str){p, i});
		free(p);
	}
	buf_free(&b);
}

#define HTML(in, want) html_at(__LINE__, in, sizeof(in) - 1, want)

TEST(html_text, "HTML: blanks collapse, blocks and <br> end lines")
{
	HTML("", "");
	HTML("Hello\n  <b>big</b>   world", "Hello big world");
	HTML("<p>One</p><p>Two</p>", "One\n\nTwo");
	HTML("<div>A</div><div><br></div><div>B</div>", "A\n\nB");
	HTML("<div>A<br></div>B", "A\nB");
	HTML("A<br>B<br/>\n C<br><br>D", "A\nB\nC\n\nD");
	HTML("<p>A</p>\n<p>&nbsp;</p>\n<p>B</p>", "A\n\n\nB");
	HTML("<h1>Title</h1>text", "Title\n\ntext");
	HTML("a<b > b</b >c", "a bc");
	HTML("x<hr>y", "x\n----------\ny");
	HTML("<pre>\na  b\n\tc\n</pre>end", "a  b\n\tc\n\nend");
	HTML("a&nbsp;&nbsp;b \xc2\xa0 c", "a  b   c");
}

TEST(html_blocks, "HTML: lists, quotes, tables, links")
{
	HTML("<ul><li>a<li>b</ul>c", "* a\n* b\n\nc");
	HTML("<ol start=3><li>a</li><li value=7>b</li><li>c</li></ol>",
	     "3. a\n7. b\n8. c");
	HTML("<ul><li>a<ul><li>b<br>c</li></ul></li><li>d</li></ul>",
	     "* a\n  * b\n    c\n* d");
	HTML("Hi<blockquote>a<br><br>b<blockquote>c</blockquote></blockquote>"
	     "Bye",
	     "Hi\n\n> a\n>\n> b\n>\n> > c\n\nBye");
	HTML("<table><tr><td>a<td> b </td></tr><tr><th></th><td>c</table>d",
	     "a\tb\nc\n\nd");
	HTML("See <a href=\"https://example.org/x?a=1&amp;b=2\">this</a>.",
	     "See this <https://example.org/x?a=1&b=2>.");
	HTML("<a href='http://example.org/'>example.org</a>", "example.org");
	HTML("<a href=mailto:a@b.c>A@b.c</a>, <a href=mailto:a@b.c>Al</a>",
	     "A@b.c, Al <mailto:a@b.c>");
	HTML("<a href='#x'>top</a><a name=y>here</a>", "tophere");
	HTML("<a href='javascript:x()'>j</a>", "j");
	HTML("<a href='http://e.org'><img alt=''></a>", "<http://e.org>");
	HTML("<ul><li><a href='http://e.org'>http://e.org</a></ul>",
	     "* http://e.org");
	HTML("<a href='http://e.org'><div>x</div></a>y", "x <http://e.org>\ny");
	HTML("I <img alt='&hearts; you' src=x>!", "I \xe2\x99\xa5 you!");
}

TEST(html_hidden, "HTML: what the reader does not see is dropped")
{
	HTML("<html><head><title>T</title><style>p {a:b}</style></head><body>x",
	     "x");
	HTML("a<script>if (a<b) document.write('<p>no')</script>b", "ab");
	HTML("a<!-- no > <b> -->b<!-->c<!--->d", "abcd");
	HTML("<!--[if mso]><p>no</p><![endif]-->yes<![if !mso]>!<![endif]>",
	     "yes!");
	HTML("<!DOCTYPE html><?xml version='1.0'?>x", "x");
	HTML("<div style=\"color:red; DISPLAY : none\">no<div>no</div>no</div>"
	     "yes",
	     "yes");
	HTML("<span hidden>no</span>yes<img hidden alt=no>", "yes");
	HTML("<p style='display:none'>no<p>yes", "yes");
	HTML("<svg><text>no</text></svg>yes<iframe>no</iframe>", "yes");
	HTML("a\x01\0b", "ab");
}

TEST(html_broken, "HTML: broken markup loses no text")
{
	HTML("1 < 2 & 3 > 2 <3 <- x", "1 < 2 & 3 > 2 <3 <- x");
	HTML("text <b", "text <b");
	HTML("<a href=\"http://x>link</a> text", "link <http://x> text");
	HTML("<div hidden>shown, for it has no end", "shown, for it has no "
						     "end");
	HTML("a<!-- no end <b>b</b>", "ab");
	HTML("</p></div></ul></blockquote></a>x</>y</ z>", "xy");
	HTML("<li>a<li>b", "* a\n* b");
	HTML("<verylongtagnamethatnobodyknows hidden>x", "x");
	HTML("<o:p>x</o:p>", "x");
}

TEST(html_entities, "HTML: entities by name and number")
{
	HTML("&lt;b&gt; &amp;amp; &quot;&apos;&#39;", "<b> &amp; \"''");
	HTML("&auml;&Auml;&eacute;&euro;&hellip;&rarr;&#8364;&#x20AC;",
	     "\xc3\xa4\xc3\x84\xc3\xa9\xe2\x82\xac\xe2\x80\xa6\xe2\x86\x92"
	     "\xe2\x82\xac\xe2\x82\xac");
	HTML("&copy 2026 &ampx &nothing; &; &#; &#x; &euro",
	     "\xc2\xa9 2026 &ampx &nothing; &; &#; &#x; &euro");
	HTML("&#0;&#xd800;&#99999999999;&#128;",
	     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac");
	CHECK_INT(html_entity(STR("AElig")), 0xc6);
	CHECK_INT(html_entity(STR("zwnj")), 0x200c);
	CHECK_INT(html_entity(STR("zw")), 0);
	CHECK_INT(html_entity(STR("zzz")), 0);
}

TEST(html_deep, "HTML: a million nested elements are no problem")
{
	struct buf in = {0}, b = {0};
	int i;

	for (i = 0; i < 200000; i++)
		buf_z(&in, "<blockquote><ul><li><div hidden=''></div><a "
			   "href=x>");
	buf_z(&in, "deep");
	text_from_html(&b, buf_view(&in));
	CHECK(str_find(buf_view(&b), STR("deep")) >= 0);
	buf_clear(&b);
	buf_clear(&in);
	/* Each of these looks for an end that is not there. */
	for (i = 0; i < 200000; i++)
		buf_z(&in, i % 2 ? "<a b=\"" : "<!--");
	text_from_html(&b, buf_view(&in));
	buf_clear(&in);
	for (i = 0; i < 200000; i++)
		buf_z(&in, "<script><p hidden>");
	text_from_html(&b, buf_view(&in));
	buf_free(&in);
	buf_free(&b);
}

/* --- own words
 * --------------------------------------------------------------------- */

static void own_at(int line, const char *in, const char *want, bool cut)
{
	struct buf b = {0};
	bool was = text_cut(str_of(in), &b);

	if (!str_is(buf_view(&b), want) || was != cut) {
		test_bad++;
		printf("# line %d: got %d \"%.*s\", want %d \"%s\"\n", line,
		       was, STR_ARG(buf_view(&b)), cut, want);
	}
	buf_free(&b);
}

#define CUTS(in, want) own_at(__LINE__, in, want, true)
#define KEEPS(in, want) own_at(__LINE__, in, want, false)

TEST(cut_quotes, "quotes above, below and between are cut")
{
	CUTS("Yes!\n\nOn Wed, 25 Nov 2026 at 10:00, John Doe <j@example.org> "
	     "wrote:\n> Coming?\n>\n> John\n",
	     "Yes!");
	CUTS("John Doe wrote:\n> Coming?\n\nYes!\n", "Yes!");
	CUTS("> quoted\n\nanswer", "answer");
	CUTS("Hi,\n\n> one?\n\nyes\n\n> two?\n> or three?\nno\n\nBye\n",
	     "Hi,\n\nyes\n\nno\n\nBye");
	CUTS("a\r\n\r\n> q\r\n", "a");
	CUTS("a\n>> deep\n> q\n\n> q2\n", "a");
	KEEPS("nothing quoted\n\n\nhere\n\n", "nothing quoted\n\n\nhere");
	KEEPS("> all\n> of it\n", "> all\n> of it");
	KEEPS("John wrote:\n> all\n-- \nme\n", "John wrote:\n> all\n-- \nme");
	KEEPS("From the start\n>From me\n", "From the start\n>From me");
	KEEPS("", "");
	KEEPS("He wrote:\nnothing\n", "He wrote:\nnothing");
	CUTS("What he wrote is here.\n> x\n", "What he wrote is here.");
	CUTS("My list of 3 things:\n> x\n", "My list of 3 things:");
}

TEST(cut_languages, "attribution lines of many languages")
{
	static const char *const lines[] = {
	    "On Nov 25, 2026, at 10:00 AM, John Doe <j@example.org> wrote:",
	    "On Wed, Nov 25, 2026 at 10:00 AM John Doe\n<j@example.org> wrote:",
	    "On Wed, Nov 25, 2026 at 10:00 AM John Doe <j@example.org>\nwrote:",
	    "On 25/11/2026 10:00, a very long name with many words in it of\n"
	    "some department\n<j@example.org> wrote:",
	    "John Doe <j@example.org> writes:",
	    "Am 25.11.26 um 10:00 schrieb John Doe:",
	    "Am Mi., 25. Nov. 2026 um 10:00 Uhr schrieb John Doe <\n"
	    "j@example.org>:",
	    "John Doe hat am 25.11.2026 10:00 geschrieben:",
	    "Le mer. 25 nov. 2026 à 10:00, John Doe <j@example.org> a écrit :",
	    "Le 25/11/2026 à 10:00, John Doe a écrit\xc2\xa0:",
	    "El mié, 25 nov 2026 a las 10:00, John (<j@example.org>) "
	    "escribió:",
	    "Il giorno mer 25 nov 2026 alle ore 10:00 John <j@example.org>\n"
	    "ha scritto:",
	    "Il 25/11/2026 10:00, John Doe ha scritto:",
	    "Op wo 25 nov. 2026 om 10:00 schreef John Doe <j@example.org>:",
	    "Em qua., 25 de nov. de 2026 às 10:00, John <j@example.org>\n"
	    "escreveu:",
	    "Den ons 25 nov. 2026 kl 10:00 skrev John Doe <j@example.org>:",
	    "Den 25-11-2026 kl. 10:00 skrev John Doe:",
	    "ons. 25. nov. 2026 kl. 10:00 skrev John Doe <j@example.org>:",
	    "W dniu 25.11.2026 o 10:00, John Doe pisze:",
	    "śr., 25 lis 2026 o 10:00 John Doe <j@example.org> napisał(a):",
	    "ср, 25 нояб. 2026 г. в 10:00, Иван <j@example.org>:",
	    "25.11.2026 10:00, Иван Петров пишет:",
	    "25 ноября 2026 г. 10:00 Иван написал:",
	    "在 2026年11月25日 10:00，John 写道：",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct buf in = {0};

		buf_fmt(&in, "Answer.\n\n%s\n\n> quoted\n> more\n", lines[i]);
		CUTS(buf_cstr(&in), "Answer.");
		buf_clear(&in);
		buf_fmt(&in, "%s\n> quoted\n\nAnswer.\n", lines[i]);
		CUTS(buf_cstr(&in), "Answer.");
		buf_free(&in);
	}
}

TEST(cut_own_lines, "own lines above a quote are no attribution")
{
	CUTS("On Monday 5 I come.\nJohn wrote:\n> x\n", "On Monday 5 I come.");
	CUTS("See page 3.\n> x\n", "See page 3.");
	CUTS("I answer below\n> x\ny\n", "I answer below\n\ny");
}

TEST(cut_outlook, "Outlook's separators and header blocks")
{
	CUTS("Fine.\n\n-----Original Message-----\nFrom: John\nSent: "
	     "Monday\n\nold\n",
	     "Fine.");
	CUTS("Gut.\n\n-----Ursprüngliche Nachricht-----\nVon: J\n\nalt",
	     "Gut.");
	CUTS("Bien.\n\n-----Message d'origine-----\nDe : J\n\nvieux", "Bien.");
	CUTS("Fine.\n\n________________________________\nFrom: John Doe\nSent: "
	     "Monday, 23 November 2026 10:00\nTo: Me\nSubject: x\n\nold\n",
	     "Fine.");
	CUTS("Gut.\n\nVon: John <j@example.org>\nGesendet: Montag\nAn: "
	     "Me\nBetreff: x\n\nalt\n",
	     "Gut.");
	CUTS("Ok\n\n*From:* John\n*Date:* Monday\n*To:* Me <a@b>, some\nmore "
	     "people\n*Subject:* x\n\nold",
	     "Ok");
	CUTS("Ok\n\nDe : J\nEnvoyé : lundi\nÀ : M\nObjet : x\n\nv", "Ok");
	KEEPS("From: the top\nTo: the bottom\nall is written by me",
	      "From: the top\nTo: the bottom\nall is written by me");
	KEEPS("Look:\n\nFrom: J\nSent: Monday\nTo: M\nSubject: x\n\nforwarded",
	      "Look:\n\nFrom: J\nSent: Monday\nTo: M\nSubject: x\n\nforwarded");
	KEEPS("FYI\n\n-------- Forwarded Message --------\nFrom: J\nTo: M\n"
	      "Date: Monday\nSubject: x\n\nforwarded",
	      "FYI\n\n-------- Forwarded Message --------\nFrom: J\nTo: M\n"
	      "Date: Monday\nSubject: x\n\nforwarded");
}

TEST(cut_signature, "the signature needs a whole line \"-- \"")
{
	CUTS("Hi\n-- \nJohn\n", "Hi");
	CUTS("Hi\r\n\r\n-- \r\nJohn\r\n", "Hi");
	CUTS("Hi\n\n-- \nJohn\n\nOn 1.1.26, J wrote:\n> x\n", "Hi");
	KEEPS("Hi\n--\nJohn", "Hi\n--\nJohn");
	KEEPS("Hi\n-- John", "Hi\n-- John");
	KEEPS("-- \nonly a signature", "-- \nonly a signature");
}

TEST(html_then_cut, "an HTML answer with a quoted block is cut as text")
{
	struct buf t = {0}, own = {0};

	text_from_html(&t, STR("<div>Yes!</div><div class=gmail_quote><div>On "
			       "Wed, Nov 25, 2026 at 10:00 AM J &lt;<a "
			       "href=\"mailto:j@e.org\">j@e.org</a>&gt; wrote:"
			       "<br></div><blockquote><div>Coming?</div><div>"
			       "<br></div>J</blockquote></div>"));
	CHECK(text_cut(buf_view(&t), &own));
	CHECK_STR(buf_view(&own), "Yes!");
	buf_free(&t);
	buf_free(&own);
}

/* --- the rest
 * --------------------------------------------------------------------- */

static void lf(const char *in, const char *want)
{
	struct buf b = {0};

	text_lf(&b, str_of(in));
	CHECK_STR(buf_view(&b), want);
	buf_free(&b);
}

TEST(lines, "line ends become LF, blank lines at the end go")
{
	lf("a\r\nb\rc\nd", "a\nb\nc\nd");
	lf("a\r\n\r\n \t\r\n", "a");
	lf("\r\n\r\n", "");
	lf("\n\na \n", "\n\na ");
	lf("a\r\r\n", "a");
	lf("", "");
}

TEST(markdown, "Markdown becomes HTML, raw HTML and scripts stay text")
{
	struct buf b = {0};

	text_markdown_html(&b, STR("hello **COI** world!"));
	CHECK_STR(buf_view(&b), "<p>hello <strong>COI</strong> world!</p>\n");
	buf_clear(&b);
	text_markdown_html(&b, STR("a <b onclick='x'>b</b>\n\n<script>x\n"
				   "</script>\n\n[l](javascript:x)"));
	CHECK(str_find(buf_view(&b), STR("<script")) < 0);
	CHECK(str_find(buf_view(&b), STR("<b ")) < 0);
	CHECK(str_find(buf_view(&b), STR("javascript")) < 0);
	CHECK(str_find(buf_view(&b), STR("&lt;script&gt;")) >= 0);
	CHECK(str_find(buf_view(&b), STR("&lt;b onclick")) >= 0);
	buf_clear(&b);
	text_markdown_html(&b, STR(""));
	CHECK_STR(buf_view(&b), "");
	buf_free(&b);
}

TEST_MAIN
