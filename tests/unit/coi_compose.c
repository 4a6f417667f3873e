#include "coi/compose.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/limits.h"
#include "core/sys.h"
#include "fmt/date.h"
#include "fmt/enc.h"
#include "fmt/flowed.h"
#include "fmt/hdr.h"
#include "fmt/msgid.h"
#include "test.h"

static struct arena *arena;
static struct coi_err err;
static struct message m;
static struct compose_opts opts;
static struct buf out;	/* the message on the wire */
static struct buf head; /* its header block */
static char dir[64];

static struct addr addr(const char *name, const char *email)
{
	return (struct addr){str_of(name), str_of(email)};
}

static void begin(void)
{
	if (dir[0] == '\0') {
		snprintf(dir, sizeof(dir), "/tmp/coi-compose-XXXXXX");
		CHECK(mkdtemp(dir) != NULL);
	}
	arena_free(arena);
	arena = arena_new();
	err_clear(&err);
	sys_seed("1@1575471097");
	opts = (struct compose_opts){0};
	message_init(&m);
	m.from = addr("Me Myself", "me@example.com");
	addr_add(arena, &m.to, addr("You", "you@recipientdomain.com"));
}

/* Reads it all in steps of `step`. */
static bool read_all(struct wire *w, size_t step)
{
	char *p = mem_alloc(step);
	ssize_t k;

	buf_clear(&out);
	while ((k = wire_read(w, p, step, &err)) > 0)
		buf_add(&out, p, (size_t)k);
	free(p);
	return k == 0;
}

static bool make(void)
{
	struct wire *w = compose(arena, &m, &opts, &err);
	struct str s;
	bool ok;

	buf_clear(&out);
	buf_clear(&head);
	if (w == NULL)
		return false;
	ok = read_all(w, 65536);
	s = buf_view(&out);
	if (ok) {
		CHECK_INT(wire_size(w), s.n);
		CHECK(str_ends(s, "\r\n"));
		CHECK(!wire_8bit(w));
	}
	s.n = hdr_end(s);
	buf_str(&head, s);
	wire_free(w);
	return ok;
}

static struct str field(const char *name)
{
	return hdr_get(buf_view(&head), name);
}

static size_t count(struct str s, const char *z)
{
	size_t n = 0;
	ptrdiff_t i;

	while ((i = str_find(s, str_of(z))) >= 0) {
		s = str_sub(s, (size_t)i + strlen(z), s.n);
		n++;
	}
	return n;
}

static bool has(const char *z)
{
	return count(buf_view(&out), z) > 0;
}

static bool before(const char *a, const char *b)
{
	ptrdiff_t i = str_find(buf_view(&out), str_of(a));
	ptrdiff_t k = str_find(buf_view(&out), str_of(b));

	return i >= 0 && k >= 0 && i < k;
}

static struct str body(void)
{
	return str_sub(buf_view(&out), head.n, out.n);
}

/* The k-th leaf (from 0): its header and what it decodes to. */
static struct str leaf_head;
static struct buf leaf_raw;
static bool leaf(size_t k)
{
	struct hdr_value ct;
	struct enc_dec d = {0};
	struct str s = buf_view(&out), part;
	size_t at = 0, i, n = 0;

	for (;; n++) {
		/* Leaves only: skip the headers of a multipart. */
		for (;;) {
			leaf_head = str_sub(s, at, s.n);
			leaf_head.n = hdr_end(leaf_head);
			hdr_value(arena, hdr_get(leaf_head, "Content-Type"),
				  &ct);
			if (!str_starts(ct.value, "multipart/"))
				break;
			at += leaf_head.n;
			i = (size_t)str_find(str_sub(s, at, s.n), STR("\r\n"));
			at += i + 2; /* the first boundary line */
		}
		at += leaf_head.n;
		part = str_sub(s, at, s.n);
		if (leaf_head.p != s.p) {
			ptrdiff_t e = str_find(part, STR("\r\n--=_"));

			if (e < 0)
				return false;
			part.n = (size_t)e;
		}
		if (n == k)
			break;
		/* Over the boundary lines behind it. */
		at += part.n + 2;
		for (;;) {
			struct str line = str_sub(s, at, s.n);

			if (!str_starts(line, "--=_"))
				break;
			i = (size_t)str_find(line, STR("\r\n"));
			at += i + 2;
			if (str_ends(str_sub(line, 0, i), "--") && at >= s.n)
				return false;
		}
		if (at >= s.n)
			return false;
	}
	d.enc = enc_of(hdr_get(leaf_head, "Content-Transfer-Encoding"));
	buf_clear(&leaf_raw);
	enc_decode(&d, part, true, &leaf_raw);
	CHECK(!d.bad);
	return true;
}

static struct str leaf_field(const char *name)
{
	return hdr_unfold(arena, hdr_get(leaf_head, name));
}

static const char *file_path(const char *name)
{
	return arena_fmt(arena, "%s/%s", dir, name).p;
}

static void file_make(const char *name, struct str content)
{
	int fd = open(file_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(file_write_fd(fd, content.p, content.n, &err) == 0);
	close(fd);
}

static struct blob *attach(const char *name, struct str content)
{
	struct blob *b = message_attach(arena, &m);

	file_make(name, content);
	b->path = str_of(file_path(name));
	return b;
}

#define JPEG STR("\xff\xd8\xff\xe0\x00\x10JFIF\x00 and so on\r\n.\r\n")

/* --- headers ---------------------------------------------------------------
 */

TEST(plain, "CLI-028, 031..033, 037, 062, 067: a text, octet for octet")
{
	begin();
	m.text = STR("Hello World");
	CHECK(make());
	CHECK(str_starts(buf_view(&out),
			 "Date: Wed, 4 Dec 2019 14:51:37 +0000\r\n"
			 "From: Me Myself <me@example.com>\r\n"
			 "To: You <you@recipientdomain.com>\r\n"
			 "Message-ID: <chat$"));
	CHECK(str_ends(buf_view(&out),
		       "@example.com>\r\n"
		       "Chat-Version: 1.0\r\n"
		       "MIME-Version: 1.0\r\n"
		       "Content-Type: text/plain; charset=UTF-8; "
		       "format=\"flowed\"\r\n"
		       "Content-Transfer-Encoding: 7bit\r\n"
		       "\r\n"
		       "Hello World\r\n"));
	CHECK_INT(m.sent_at, 1575471097);
	CHECK(msgid_valid(m.id) && msgid_is_chat(m.id));
}

TEST(order, "CLI-016, 027: every header once, in order")
{
	static const char *const names[] = {"Date: ",
					    "From: ",
					    "To: ",
					    "Cc: ",
					    "Reply-To: ",
					    "Subject: ",
					    "Message-ID: ",
					    "In-Reply-To: ",
					    "References: ",
					    "Chat-Version: 1.0\r\n",
					    "Disposition-Notification-To: ",
					    "X-Ticket: 42\r\n",
					    "MIME-Version: 1.0\r\n",
					    "Content-Type: ",
					    "Content-Transfer-Encoding: "};
	struct raw_header h = {STR("X-Ticket"), STR("42")};
	size_t i;

	begin();
	addr_add(arena, &m.cc, addr(NULL, "c@example.org"));
	addr_add(arena, &m.bcc, addr(NULL, "hidden@example.org"));
	addr_add(arena, &m.reply_to, addr(NULL, "r@example.org"));
	m.subject = STR("Chat: Hello");
	m.in_reply_to = STR("chat$1@example.org");
	m.receipt_requested = true;
	m.headers = &h;
	m.nheaders = 1;
	m.text = STR("x");
	CHECK(make());
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct buf line = {0};

		buf_fmt(&line, "\r\n%s", names[i]);
		CHECK_INT(i == 0 ? str_starts(buf_view(&out), names[0])
				 : count(buf_view(&out), buf_cstr(&line)),
			  1);
		if (i > 0)
			CHECK(before(names[i - 1], names[i]));
		buf_free(&line);
	}
	CHECK(!has("hidden"));
	CHECK(!has("\r\nBcc"));
	CHECK(!has("\r\nSender"));
}

TEST(sender, "CLI-030: one From, and it must be a good one")
{
	begin();
	m.text = STR("x");
	m.from = (struct addr){STR_NONE, STR_NONE};
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	m.text = STR("x");
	m.from = addr(NULL, "a@b.c, d@e.f");
	CHECK(!make());
	begin();
	m.text = STR("x");
	m.from = addr("A\r\nBcc: x@y.z", "a@b.c");
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	m.text = STR("x");
	m.from = addr("Doe, \"J\" <x@y.z>", "a@b.c");
	CHECK(make());
	CHECK_INT(count(buf_view(&head), "\r\nFrom: "), 1);
	{
		struct addr_list l = {0};

		addr_parse(arena, field("From"), &l);
		CHECK_INT(l.n, 1);
		CHECK_STR(l.v[0].email, "a@b.c");
		CHECK_STR(l.v[0].name, "Doe, \"J\" <x@y.z>");
	}
}

TEST(date, "CLI-031: the date is read back, --keep keeps it")
{
	int64_t t = 0;

	begin();
	m.text = STR("x");
	m.sent_at = 1000000000;
	CHECK(make());
	CHECK(date_parse(field("Date"), &t));
	CHECK_INT(t, 1575471097);
	begin();
	m.text = STR("x");
	m.sent_at = 1000000000;
	opts.keep = true;
	CHECK(make());
	CHECK_STR(field("Date"), "Sun, 9 Sep 2001 01:46:40 +0000");
}

TEST(ids, "CLI-032: new ids differ; --keep and a retry reuse theirs")
{
	struct str first;

	begin();
	sys_seed(NULL);
	m.text = STR("x");
	m.id = STR("chat$foreign@example.net");
	CHECK(make());
	first = m.id;
	CHECK(!str_is(first, "chat$foreign@example.net"));
	CHECK(str_ends(first, "@example.com"));
	CHECK(make());
	CHECK(!str_eq(first, m.id));
	opts.id = STR("chat$again@example.com");
	CHECK(make());
	CHECK_STR(field("Message-ID"), "<chat$again@example.com>");
	opts.id = STR_NONE;
	opts.keep = true;
	m.id = STR("chat$foreign@example.net");
	CHECK(make());
	CHECK_STR(field("Message-ID"), "<chat$foreign@example.net>");
	m.id = STR("a b@c\r\nX: y");
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	m.text = STR("x");
	m.group_id = STR("4321dcba1234");
	CHECK(make());
	CHECK(str_starts(m.id, "chat$group.4321dcba1234."));
	begin();
	m.text = STR("x");
	m.from = addr(NULL, "me@b\xc3\xbc"
			    "cher.example");
	CHECK(make());
	CHECK(str_ends(m.id, "@xn--bcher-kva.example"));
	CHECK_STR(field("From"), "me@xn--bcher-kva.example");
}

TEST(threads, "CLI-034, 036: References is root and last, no more")
{
	struct str refs[] = {STR("root@a.b"), STR("mid@a.b"), STR("end@a.b")};

	begin();
	m.text = STR("x");
	CHECK(make());
	CHECK(field("References").p == NULL);
	CHECK(field("In-Reply-To").p == NULL);
	begin();
	m.text = STR("x");
	m.in_reply_to = STR("one@a.b");
	CHECK(make());
	CHECK_STR(field("References"), "<one@a.b>");
	CHECK_STR(field("In-Reply-To"), "<one@a.b>");
	begin();
	m.text = STR("x");
	m.references = (struct ids){refs, 3};
	m.in_reply_to = STR("last@a.b");
	CHECK(make());
	CHECK_STR(hdr_unfold(arena, field("References")),
		  "<root@a.b> <last@a.b>");
	CHECK_INT(m.references.n, 2);
	/* Composed again, it stays the same. */
	CHECK(make());
	CHECK_STR(hdr_unfold(arena, field("References")),
		  "<root@a.b> <last@a.b>");
	begin();
	m.text = STR("x");
	m.references = (struct ids){refs, 3};
	CHECK(make());
	CHECK_STR(hdr_unfold(arena, field("References")),
		  "<root@a.b> <end@a.b>");
	begin();
	m.text = STR("x");
	opts.keep = true;
	m.references = (struct ids){refs, 3};
	CHECK(make());
	CHECK_STR(hdr_unfold(arena, field("References")),
		  "<root@a.b> <mid@a.b> <end@a.b>");
	begin();
	m.text = STR("x");
	refs[1] = STR("x@y\r\nBcc: q@r.s");
	m.references = (struct ids){refs, 3};
	CHECK(!make());
}

TEST(group_threads, "a thread of a group begins in the group")
{
	begin();
	m.text = STR("x");
	m.group_id = STR("4321dcba1234");
	m.in_reply_to = STR("mail@a.b");
	CHECK(make());
	CHECK(field("References").p == NULL);
	CHECK_STR(field("In-Reply-To"), "<mail@a.b>");
	m.in_reply_to = STR("chat$group.4321dcba1234.r@a.b");
	CHECK(make());
	CHECK_STR(field("References"), "<chat$group.4321dcba1234.r@a.b>");
}

TEST(subject, "CLI-061: no subject in 1:1, the group's name in a group")
{
	begin();
	m.text = STR("x");
	CHECK(make());
	CHECK(field("Subject").p == NULL);
	m.subject = STR("Gr\xc3\xbc\xc3\x9f"
			"e");
	CHECK(make());
	CHECK_STR(hdr_text(arena, field("Subject")), "Gr\xc3\xbc\xc3\x9f"
						     "e");
	CHECK(utf8_valid(field("Subject")) && !has("\xc3"));
	m.group_id = STR("4321dcba1234");
	m.group_name = STR("My Crew");
	CHECK(make());
	CHECK_STR(field("Subject"), "My Crew");
	m.group_name = STR("My\nCrew");
	CHECK(!make());
}

TEST(recipients, "CLI-037: To lists them; Bcc alone shows nobody")
{
	begin();
	m.text = STR("x");
	addr_add(arena, &m.to, addr(NULL, "b@example.org"));
	CHECK(make());
	CHECK_STR(hdr_unfold(arena, field("To")),
		  "You <you@recipientdomain.com>, b@example.org");
	begin();
	m.text = STR("x");
	m.to.n = 0;
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	m.text = STR("x");
	m.to.n = 0;
	addr_add(arena, &m.bcc, addr(NULL, "secret@example.org"));
	CHECK(make());
	CHECK(!has("secret"));
	CHECK_STR(field("To"), "undisclosed-recipients:;");
	addr_add(arena, &m.bcc, addr(NULL, "bad address@example.org"));
	CHECK(!make());
	begin();
	m.text = STR("x");
	addr_add(arena, &m.to, addr("x\r\ny", "b@example.org"));
	CHECK(!make());
}

TEST(utf8, "SMTPUTF8 only for a local part that needs it")
{
	struct wire *w;

	begin();
	m.text = STR("\xc3\xbc");
	m.subject = STR("\xc3\xbc");
	addr_add(arena, &m.to,
		 addr("\xc3\xbc", "b@b\xc3\xbc"
				  "cher.example"));
	w = compose(arena, &m, &opts, &err);
	CHECK(w != NULL && !wire_utf8(w));
	CHECK(w != NULL && read_all(w, 1000));
	CHECK(has("b@xn--bcher-kva.example"));
	wire_free(w);
	addr_add(arena, &m.bcc, addr(NULL, "b\xc3\xbc@example.org"));
	w = compose(arena, &m, &opts, &err);
	CHECK(w != NULL && wire_utf8(w));
	wire_free(w);
}

TEST(receipt, "CLI-039, 040: the receipt goes to the address of From")
{
	begin();
	m.text = STR("x");
	CHECK(make());
	CHECK(field("Disposition-Notification-To").p == NULL);
	m.receipt_requested = true;
	CHECK(make());
	CHECK(str_eq(field("Disposition-Notification-To"), field("From")));
	CHECK(str_eq(field("Chat-Disposition-Notification-To"), field("From")));
}

TEST(demand, "encryption that is demanded is never forgotten")
{
	begin();
	m.text = STR("x");
	m.encrypted = 1;
	CHECK(!make());
	CHECK_INT(err.code, COI_E_NOKEY);
	begin();
	m.text = STR("x");
	m.encrypted = 0;
	CHECK(make());
	m.is_signed = 1;
	CHECK(!make());
}

TEST(extra, "a header of the user cannot replace one of ours")
{
	struct raw_header h = {STR("Bcc"), STR("a@b.c")};

	begin();
	m.text = STR("x");
	m.headers = &h;
	m.nheaders = 1;
	CHECK(!make());
	h = (struct raw_header){STR("X-A"), STR("1\r\nBcc: a@b.c")};
	err_clear(&err);
	CHECK(!make());
	h = (struct raw_header){STR("X: A"), STR("1")};
	err_clear(&err);
	CHECK(!make());
}

/* --- text -------------------------------------------------------------------
 */

static void text_back(const char *text)
{
	struct buf lf = {0};

	begin();
	m.text = str_of(text);
	CHECK(make());
	CHECK(leaf(0));
	flowed_decode(&lf, buf_view(&leaf_raw), false);
	while (lf.n > 0 && lf.p[lf.n - 1] == '\n')
		lf.n--;
	CHECK_STR(buf_view(&lf), text);
	buf_free(&lf);
}

TEST(flowed, "CLI-066, 067: texts of every shape come back, in UTF-8")
{
	struct buf b = {0};
	struct str rest, line;
	size_t i;

	text_back("gr\xc3\xbc\xc3\x9f"
		  "e");
	CHECK(has("charset=UTF-8"));
	text_back("many gr\xc3\xbc\xc3\x9f"
		  "e from all of us");
	CHECK(has("quoted-printable"));
	CHECK(has("gr=C3=BC=C3=9Fe"));
	text_back("From here\n>quoted\n leading\n\nlast");
	text_back(".\n..\n.x");
	text_back("tab\there \x1b[1m");
	text_back("-- \nsig");
	text_back("\xf0\x9f\x91\x8d\xf0\x9f\x91\x8d\xe4\xb8\xad\xe6\x96\x87");
	CHECK(has("base64"));
	for (i = 0; i < 60; i++)
		buf_z(&b, i == 0 ? "word" : " word");
	text_back(buf_cstr(&b));
	CHECK(has("7bit"));
	rest = buf_view(&out);
	while (str_line(&rest, &line))
		CHECK(line.n <= 78);
	buf_clear(&b);
	for (i = 0; i < 2000; i++)
		buf_c(&b, 'x');
	text_back(buf_cstr(&b));
	rest = buf_view(&out);
	while (str_line(&rest, &line))
		CHECK(line.n <= 78);
	buf_free(&b);
}

TEST(line_ends, "no line end but CRLF, no octet above 127 on the wire")
{
	size_t i;

	begin();
	m.text = STR("a\r\nb\rc\nd \xe2\x82\xac");
	m.html = STR("<p>\xe2\x82\xac\r<br>\n</p>\r\n");
	CHECK(make());
	for (i = 0; i < out.n; i++) {
		CHECK((unsigned char)out.p[i] < 0x80 && out.p[i] != '\0');
		if (out.p[i] == '\n')
			CHECK(i > 0 && out.p[i - 1] == '\r');
		if (out.p[i] == '\r')
			CHECK(i + 1 < out.n && out.p[i + 1] == '\n');
	}
}

TEST(bad_text, "what is no text is refused, not mangled")
{
	begin();
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	m.text = STR("a\0b");
	CHECK(!make());
	begin();
	m.text = STR("a\xff");
	CHECK(!make());
	CHECK(strstr(err.msg, "UTF-8") != NULL);
	begin();
	m.html = STR("a\xff");
	CHECK(!make());
	begin();
	m.text.n = LIMIT_TEXT + 1;
	m.text.p = mem_alloc(m.text.n);
	CHECK(!make());
	free((char *)m.text.p);
}

TEST(markdown, "CLI-063, 072, 073: plain, markdown, html")
{
	begin();
	m.text = STR("hello **COI** world!");
	opts.markdown = true;
	CHECK(make());
	CHECK(str_starts(field("Content-Type"), "multipart/alternative;"));
	CHECK(leaf(0));
	CHECK(str_starts(leaf_field("Content-Type"), "text/plain;"));
	CHECK_STR(buf_view(&leaf_raw), "hello **COI** world!");
	CHECK(leaf(1));
	CHECK(str_starts(leaf_field("Content-Type"), "text/markdown;"));
	CHECK_STR(buf_view(&leaf_raw), "hello **COI** world!");
	CHECK(leaf(2));
	CHECK(str_starts(leaf_field("Content-Type"), "text/html;"));
	CHECK(count(buf_view(&leaf_raw), "<strong>COI</strong>") == 1);
	CHECK(!leaf(3));
	begin();
	m.markdown = STR("*x*");
	CHECK(make());
	CHECK(leaf(2) && count(buf_view(&leaf_raw), "<em>x</em>") == 1);
}

TEST(html, "CLI-018: html goes with a plain form, and comes back verbatim")
{
	begin();
	m.html = STR("<p>hello <b>COI</b> world! </p> ");
	CHECK(make());
	CHECK(str_starts(field("Content-Type"), "multipart/alternative;"));
	CHECK(leaf(0));
	CHECK(str_starts(leaf_field("Content-Type"), "text/plain;"));
	CHECK_STR(str_trim(buf_view(&leaf_raw)), "hello COI world!");
	CHECK(leaf(1));
	CHECK_STR(buf_view(&leaf_raw), "<p>hello <b>COI</b> world! </p> ");
	CHECK(!leaf(2));
}

/* --- files ------------------------------------------------------------------
 */

TEST(one_file, "CLI-041..043, 085..089, 093: a file is the whole body")
{
	begin();
	attach("earth.jpg", JPEG);
	CHECK(make());
	CHECK_STR(field("Content-Type"), "image/jpeg");
	CHECK_STR(field("Content-Transfer-Encoding"), "base64");
	CHECK_STR(hdr_unfold(arena, field("Content-Disposition")),
		  "inline; filename=\"earth.jpg\"; size=26");
	CHECK_INT(JPEG.n, 26);
	CHECK(!has("multipart"));
	CHECK(leaf(0));
	CHECK(str_eq(buf_view(&leaf_raw), JPEG));
}

TEST(files, "CLI-064, 084, 090: text and three files are mixed, in order")
{
	begin();
	m.text = STR("look");
	attach("a.jpg", JPEG);
	attach("b.txt", STR("gr\xc3\xbc\xc3\x9f"
			    "e\n.\r\nFrom x \n\n"));
	attach("empty.bin", STR(""));
	CHECK(make());
	CHECK(str_starts(field("Content-Type"), "multipart/mixed;"));
	CHECK(leaf(0));
	CHECK_STR(buf_view(&leaf_raw), "look");
	CHECK(leaf(1));
	CHECK(str_eq(buf_view(&leaf_raw), JPEG));
	CHECK(leaf(2));
	CHECK_STR(buf_view(&leaf_raw), "gr\xc3\xbc\xc3\x9f"
				       "e\n.\r\nFrom x \n\n");
	CHECK_STR(leaf_field("Content-Type"), "text/plain; charset=UTF-8");
	CHECK_STR(leaf_field("Content-Transfer-Encoding"), "base64");
	CHECK_STR(leaf_field("Content-Disposition"),
		  "inline; filename=\"b.txt\"; size=20");
	CHECK(has("filename=\"empty.bin\"; size=0\r\n\r\n--"));
	/* Without text two files are mixed all the same. */
	begin();
	attach("a.jpg", JPEG);
	attach("c.jpg", JPEG);
	CHECK(make());
	CHECK(leaf(1) && str_eq(buf_view(&leaf_raw), JPEG));
	CHECK(!leaf(2));
}

TEST(nested, "formatted text and a file: alternative inside mixed")
{
	begin();
	m.text = STR("x");
	m.html = STR("<p>x</p>");
	attach("a.jpg", JPEG);
	CHECK(make());
	CHECK(str_starts(field("Content-Type"), "multipart/mixed;"));
	CHECK(before("multipart/mixed", "multipart/alternative"));
	CHECK(leaf(1) && str_starts(leaf_field("Content-Type"), "text/html"));
	CHECK(leaf(2) && str_eq(buf_view(&leaf_raw), JPEG));
	CHECK(!leaf(3));
}

TEST(preview, "CLI-094, 097..099: the preview is marked and comes first")
{
	struct blob pre = {.size = -1}, *b;

	begin();
	pre.data = STR("\xff\xd8\xff\xe0 small");
	pre.type = STR("image/jpeg");
	b = attach("bunny.webm", STR("\x1a\x45\xdf\xa3 webm V_VP9"));
	b->preview = &pre;
	b->cid = STR("big@example.com");
	CHECK(make());
	CHECK(str_starts(field("Content-Type"), "multipart/mixed;"));
	CHECK(leaf(0));
	CHECK_STR(leaf_field("Chat-Content"), "preview");
	CHECK_STR(leaf_field("Content-Type"), "image/jpeg");
	CHECK_STR(leaf_field("Content-Disposition"),
		  "inline; filename=\"preview.jpg\"; size=10");
	CHECK(str_eq(buf_view(&leaf_raw), pre.data));
	CHECK(leaf(1));
	CHECK(leaf_field("Chat-Content").p == NULL);
	CHECK_STR(leaf_field("Content-Type"), "video/webm");
	CHECK_STR(leaf_field("Content-ID"), "<big@example.com>");
	CHECK(!leaf(2));
}

TEST(big_file, "CLI-089: any size, any step: the octets and the size agree")
{
	static const size_t sizes[] = {0,   1,	   2,	  56,	 57,	58,
				       114, 58367, 58368, 58369, 200000};
	static const size_t steps[] = {1, 7, 78, 4096, 1000000};
	struct buf raw = {0}, all = {0};
	size_t i, k;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct wire *w;

		begin();
		buf_clear(&raw);
		for (k = 0; k < sizes[i]; k++)
			buf_c(&raw, (char)(k * 31 + k / 251));
		attach("f.bin", buf_view(&raw));
		w = compose(arena, &m, &opts, &err);
		CHECK(w != NULL);
		buf_clear(&all);
		for (k = 0; w != NULL && k < 5; k++) {
			wire_rewind(w);
			CHECK(read_all(w, steps[k]));
			CHECK_INT(out.n, wire_size(w));
			if (k == 0)
				buf_str(&all, buf_view(&out));
			CHECK(str_eq(buf_view(&all), buf_view(&out)));
		}
		wire_free(w);
		buf_clear(&head);
		CHECK(leaf(0));
		CHECK(str_eq(buf_view(&leaf_raw), buf_view(&raw)));
	}
	buf_free(&raw);
	buf_free(&all);
}

TEST(changed, "a file that changes while it is sent is never sent in part")
{
	static const char *const now[] = {"0123456789", "0123", "",
					  "0123456789 more", "9876543210"};
	struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
	struct wire *w;
	size_t i;

	for (i = 0; i < 5; i++) {
		begin();
		attach("live.bin", STR("0123456789"));
		CHECK(utimensat(AT_FDCWD, file_path("live.bin"), old, 0) == 0);
		w = compose(arena, &m, &opts, &err);
		CHECK(w != NULL);
		file_make("live.bin", str_of(now[i]));
		if (i == 0)
			CHECK(utimensat(AT_FDCWD, file_path("live.bin"), old,
					0) == 0);
		CHECK(w != NULL && read_all(w, 65536) == (i == 0));
		CHECK_INT(err.code, i == 0 ? COI_OK : COI_E_DATA);
		wire_free(w);
	}
	begin();
	attach("live.bin", STR(""));
	w = compose(arena, &m, &opts, &err);
	file_make("live.bin", STR("grown"));
	CHECK(w != NULL && !read_all(w, 65536));
	wire_free(w);
}

TEST(no_file, "a missing file, a folder, a device, a section")
{
	struct blob *b;

	begin();
	message_attach(arena, &m)->path = STR("/nonexistent/file.jpg");
	CHECK(!make());
	CHECK_INT(err.code, COI_E_NOINPUT);
	CHECK(strstr(err.msg, "/nonexistent/file.jpg") != NULL);
	begin();
	message_attach(arena, &m)->path = str_of(dir);
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	message_attach(arena, &m)->path = STR("/dev/zero");
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	begin();
	message_attach(arena, &m)->section = STR("2");
	CHECK(!make());
	CHECK_INT(err.code, COI_E_DATA);
	CHECK(strstr(err.hint, "--save") != NULL);
	begin();
	b = attach("a.jpg", JPEG);
	b->type = STR("image/jpeg\r\nBcc: a@b.c");
	CHECK(!make());
	b->type = STR_NONE;
	b->cid = STR("x>\r\nBcc: a@b.c");
	err_clear(&err);
	CHECK(!make());
	b->cid = STR_NONE;
	b->disposition = STR("in line");
	err_clear(&err);
	CHECK(!make());
}

TEST(names, "file names: no folders, no controls, RFC 2231 where needed")
{
	struct blob *b;
	struct hdr_value v;

	begin();
	b = attach("x", JPEG);
	b->name = STR("../../etc/pass\r\nwd");
	CHECK(make());
	hdr_value(arena, field("Content-Disposition"), &v);
	CHECK_STR(hdr_param(&v, "filename"), "pass  wd");
	b->name = STR("Gr\xc3\xbc\xc3\x9f"
		      "e \"1\".jpg");
	CHECK(make());
	hdr_value(arena, field("Content-Disposition"), &v);
	CHECK_STR(hdr_param(&v, "filename"), "Gr\xc3\xbc\xc3\x9f"
					     "e \"1\".jpg");
	CHECK_STR(hdr_param(&v, "size"), "26");
	CHECK(has("filename*"));
	b->name = STR("C:\\Users\\me\\a.jpg");
	CHECK(make());
	hdr_value(arena, field("Content-Disposition"), &v);
	CHECK_STR(hdr_param(&v, "filename"), "a.jpg");
	b->disposition = STR("attachment");
	CHECK(make());
	hdr_value(arena, field("Content-Disposition"), &v);
	CHECK_STR(v.value, "attachment");
}

TEST(pipe_input, "a pipe is read once and is an attachment like any other")
{
	int fds[2];
	struct buf hex = {0};

	begin();
	CHECK(pipe(fds) == 0);
	CHECK(write(fds[1], "GIF89a...", 9) == 9);
	close(fds[1]);
	message_attach(arena, &m)->path = arena_fmt(arena, "/dev/fd/%d",
						    fds[0]);
	compose_digest(&m, &hex, &err);
	CHECK_INT(err.code, COI_E_DATA);
	CHECK_INT(hex.n, 0);
	err_clear(&err);
	CHECK(make());
	CHECK_STR(field("Content-Type"), "image/gif");
	CHECK(leaf(0));
	CHECK_STR(buf_view(&leaf_raw), "GIF89a...");
	CHECK(make()); /* and can be composed again */
	CHECK(leaf(0));
	CHECK_STR(buf_view(&leaf_raw), "GIF89a...");
	close(fds[0]);
	buf_free(&hex);
}

static struct str boundary(void)
{
	struct hdr_value v;

	hdr_value(arena, field("Content-Type"), &v);
	return hdr_param(&v, "boundary");
}

TEST(forged, "a text that holds an earlier boundary stays text")
{
	struct buf text = {0}, line = {0};
	struct str old;

	begin();
	sys_seed(NULL);
	m.text = STR("x");
	m.html = STR("<p>");
	CHECK(make());
	old = boundary();
	CHECK(old.n > 30 && old.n <= 70);
	buf_fmt(&text, "--%.*s\n\nContent-Type: x", STR_ARG(old));
	m.text = buf_view(&text);
	CHECK(make());
	CHECK(!str_eq(old, boundary()));
	buf_fmt(&line, "--%.*s\r\n", STR_ARG(boundary()));
	CHECK_INT(count(body(), buf_cstr(&line)), 2);
	buf_free(&text);
	buf_free(&line);
}

/* --- types ------------------------------------------------------------------
 */

TEST(types, "CLI-078..083: the type is told by the octets, else the name")
{
#define T(name, h, want)                                                     \
	CHECK_STR(compose_type(arena, name, (struct str){h, sizeof(h) - 1}), \
		  want)
	begin();
	T("x.txt", "\xff\xd8\xff\xe0", "image/jpeg");
	T("x", "\x89PNG\r\n\x1a\n\0", "image/png");
	T("x", "GIF89a", "image/gif");
	T("x", "RIFF\x10\0\0\0WEBPVP8 ", "image/webp");
	T("x", "RIFF\x10\0\0\0WAVEfmt ", "audio/wav");
	T("x", "\x1a\x45\xdf\xa3\x01\x42\x82\x84webm..V_VP8..A_OPUS",
	  "video/webm");
	T("x", "\x1a\x45\xdf\xa3\x01\x42\x82\x84webm..A_OPUS", "audio/webm");
	T("x.weba", "\x1a\x45\xdf\xa3\x01\x42\x82\x84webm", "audio/webm");
	T("x", "\x1a\x45\xdf\xa3\x01\x42\x82\x88matroska", "video/x-matroska");
	T("x",
	  "\0\0\0\x20"
	  "ftypisom",
	  "video/mp4");
	T("x",
	  "\0\0\0\x20"
	  "ftypM4A ",
	  "audio/mp4");
	T("x",
	  "\0\0\0\x20"
	  "ftypheic",
	  "image/heic");
	T("x", "\xff\xf1\x50\x80", "audio/aac");
	T("x", "\xff\xfb\x90\x44", "audio/mpeg");
	T("x", "ID3\x04", "audio/mpeg");
	T("x", "OggS\0\2", "audio/ogg");
	T("x", "%PDF-1.7", "application/pdf");
	T("x", "PK\3\4..", "application/zip");
	T("x.odt", "PK\3\4..", "application/vnd.oasis.opendocument.text");
	T("x", "\x1f\x8b\x08", "application/gzip");
	T("x", "plain \xc3\xbc\n", "text/plain");
	T("x", "cut \xe2\x82", "text/plain");
	T("x.JSON", "{}", "application/json");
	T("x.md", "# x", "text/markdown");
	T("x.jpg", "not a picture", "text/plain");
	T("x", "\xff\xfe\x00\x01", "application/octet-stream");
	T("x.txt", "latin \xfc\xfc\xfc\xfc\xfc", "text/plain");
	T("x.bin", "", "application/octet-stream");
	T("/a.d/x", "", "application/octet-stream");
#undef T
}

TEST(message_type, "a mail as a file is not base64 in message/rfc822")
{
	struct blob *b;

	begin();
	b = attach("a.eml", STR("From: x\r\n\r\ny"));
	b->type = STR("message/rfc822");
	CHECK(make());
	CHECK_STR(field("Content-Type"), "application/octet-stream");
}

/* --- digest ------------------------------------------------------------------
 */

static struct str digest(void)
{
	struct buf hex = {0};
	struct str s;

	compose_digest(&m, &hex, &err);
	s = arena_str(arena, buf_view(&hex));
	buf_free(&hex);
	return s;
}

TEST(digests, "same content, same digest, before and after composing")
{
	struct str a, b;
	struct str refs[] = {STR("r@a.b"), STR("m@a.b"), STR("e@a.b")};

	begin();
	m.text = STR("x");
	m.in_reply_to = STR("l@a.b");
	m.references = (struct ids){refs, 3};
	attach("a.jpg", JPEG);
	a = digest();
	CHECK_INT(a.n, 64);
	CHECK(make());
	b = digest();
	CHECK(str_eq(a, b));
	CHECK(make());
	CHECK(str_eq(a, digest()));
	m.id = STR("other@x.y");
	m.sent_at = 5;
	m.from.name = STR("Other");
	m.references.n = 0;
	CHECK(str_eq(a, digest()));
#define DIFFERS(stmt)                        \
	do {                                 \
		struct message keep_ = m;    \
		stmt;                        \
		CHECK(digest().n == 64);     \
		CHECK(!str_eq(a, digest())); \
		m = keep_;                   \
	} while (0)
	DIFFERS(m.text = STR("y"));
	DIFFERS(m.html = STR("x"));
	DIFFERS(m.markdown = STR("x"));
	DIFFERS(m.subject = STR("x"));
	DIFFERS(m.from.email = STR("a@b.c"));
	DIFFERS(m.to.n = 0);
	DIFFERS(m.cc = m.to);
	DIFFERS(m.bcc = m.to);
	DIFFERS(m.reply_to = m.to);
	DIFFERS(m.in_reply_to = STR("z@a.b"));
	DIFFERS(m.group_id = STR("4321dcba1234"));
	DIFFERS(m.receipt_requested = true);
	DIFFERS(m.encrypted = 1);
	DIFFERS(m.nattachments = 0);
	DIFFERS((m.headers = &(struct raw_header){STR("X"), STR("y")},
		 m.nheaders = 1));
#undef DIFFERS
	CHECK(str_eq(a, digest()));
	file_make("a.jpg", STR("other octets"));
	CHECK(!str_eq(a, digest()));
	CHECK(unlink(file_path("a.jpg")) == 0);
	CHECK_INT(digest().n, 0);
	CHECK_INT(err.code, COI_E_NOINPUT);
}

TEST(clean, "nothing is left behind")
{
	static const char *const names[] = {
	    "earth.jpg", "a.jpg",      "b.txt",	   "c.jpg", "empty.bin",
	    "f.bin",	 "bunny.webm", "live.bin", "x",	    "a.eml"};
	size_t i;

	begin();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(file_path(names[i]));
	CHECK(rmdir(dir) == 0);
	arena_free(arena);
	arena = NULL;
	buf_free(&out);
	buf_free(&head);
	buf_free(&leaf_raw);
}

TEST_MAIN
