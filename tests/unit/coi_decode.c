#include "coi/decode.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/limits.h"
#include "test.h"

#define HEAD                                \
	"From: Mira <mira@harbor.test>\r\n" \
	"To: jonas@inland.test\r\n"         \
	"Date: Wed, 4 Nov 2026 18:20:05 +0100\r\n"

struct world {
	struct decode_opts o;
	struct decoder *d;
	struct arena *a;
	struct message m;
	struct buf json;
};

static void start(struct world *w)
{
	*w = (struct world){
	    .o = {.save_fd = -1, .max_size = -1, .identity = true}};
	w->d = decoder_new(&w->o);
	w->a = arena_new();
}

static void stop(struct world *w)
{
	decoder_free(w->d);
	arena_free(w->a);
	buf_free(&w->json);
}

/* step 0: as a whole. */
static void decode(struct world *w, struct str in, size_t step)
{
	struct coi_err e = {0};
	size_t i;

	arena_reset(w->a);
	decoder_begin(w->d, w->a, &w->m);
	if (step == 0)
		CHECK_INT(decoder_whole(w->d, in, &e), 0);
	for (i = 0; step > 0 && i < in.n; i += step)
		CHECK_INT(decoder_feed(w->d, str_sub(in, i, step), &e), 0);
	CHECK_INT(decoder_end(w->d, &e), 0);
	buf_clear(&w->json);
	message_json(&w->json, &w->m);
}

static bool warned(const struct world *w, const char *words)
{
	size_t i;

	for (i = 0; i < w->m.meta.nwarnings; i++)
		if (str_find(w->m.meta.warnings[i], str_of(words)) >= 0)
			return true;
	return false;
}

static const char mixed[] = HEAD
    "Message-ID: <chat$a.b@harbor.test>\r\n"
    "References: <chat$r@harbor.test>\r\n"
    "Chat-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "--b\r\n"
    "Content-Type: multipart/alternative; boundary=i\r\n"
    "\r\n"
    "--i\r\n"
    "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
    "\r\n"
    "two \r\n"
    "words\r\n"
    "--i\r\n"
    "Content-Type: text/html\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "<p>two=20words</p>\r\n"
    "--i--\r\n"
    "--b\r\n"
    "Content-Type: image/png; name=p.png\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Chat-Content: preview\r\n"
    "\r\n"
    "aGVsbG8=\r\n"
    "--b\r\n"
    "Content-Type: video/webm; name=v.webm\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "aGVsbG8g\r\n"
    "d29ybGQ=\r\n"
    "--b--\r\n";

TEST(pieces, "pieces of every size: same record, same identity")
{
	struct world w, p;
	size_t step;

	start(&w);
	start(&p);
	decode(&w, STR(mixed), 0);
	CHECK_STR(w.m.text, "two words");
	CHECK_STR(w.m.html, "<p>two words</p>");
	CHECK_INT(w.m.nattachments, 1);
	CHECK_INT(w.m.attachments[0].size, 11);
	CHECK(w.m.attachments[0].preview != NULL &&
	      w.m.attachments[0].preview->size == 5);
	CHECK_INT(w.m.meta.nwarnings, 0);
	for (step = 1; step < sizeof(mixed); step++) {
		decode(&p, STR(mixed), step);
		CHECK(str_eq(buf_view(&w.json), buf_view(&p.json)));
		CHECK(str_eq(decoder_identity(w.d), decoder_identity(p.d)));
	}
	stop(&w);
	stop(&p);
}

/* As fetching by BODYSTRUCTURE does: leaves with headers of their own. */
TEST(parts, "part by part: the same record and identity as the whole")
{
	static const struct {
		const char *section, *header, *body;
		int parent; /* -1: the root */
	} v[] = {
	    {"", "Content-Type: multipart/mixed\r\n\r\n", NULL, -1},
	    {"1", "Content-Type: multipart/alternative\r\n\r\n", NULL, 0},
	    {"1.1",
	     "Content-Type: text/plain; charset=utf-8; format=flowed\r\n\r\n",
	     "two \r\nwords", 1},
	    {"1.2",
	     "Content-Type: text/html\r\n"
	     "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	     "<p>two=20words</p>", 1},
	    {"2",
	     "Content-Type: image/png; name=p.png\r\n"
	     "Content-Transfer-Encoding: base64\r\n"
	     "Chat-Content: preview\r\n\r\n",
	     "aGVsbG8=", 0},
	    {"3",
	     "Content-Type: video/webm; name=v.webm\r\n"
	     "Content-Transfer-Encoding: base64\r\n\r\n",
	     "aGVsbG8g\r\nd29ybGQ=", 0},
	};
	const size_t n = sizeof(v) / sizeof(v[0]);
	struct mime_part *p[sizeof(v) / sizeof(v[0])];
	struct coi_err e = {0};
	struct world w, x;
	bool fetched;
	size_t i;

	start(&w);
	start(&x);
	decode(&w, STR(mixed), 0);
	for (fetched = true;; fetched = false) {
		arena_reset(x.a);
		decoder_begin(x.d, x.a, &x.m);
		CHECK_INT(decoder_message_header(x.d, STR(mixed), &e), 0);
		for (i = 0; i < n; i++) {
			/* In the second round the film stays where it is. */
			bool body = v[i].body != NULL && (fetched || i < n - 1);

			CHECK_INT(decoder_part_begin(
				      x.d, str_of(v[i].section),
				      v[i].parent < 0 ? NULL : p[v[i].parent],
				      str_of(v[i].header),
				      body || v[i].body == NULL
					  ? -1
					  : (int64_t)strlen(v[i].body),
				      &p[i], &e),
				  0);
			if (body)
				CHECK_INT(decoder_part_body(
					      x.d, p[i], str_of(v[i].body), &e),
					  0);
			if (v[i].body != NULL)
				CHECK_INT(decoder_part_end(x.d, p[i], &e), 0);
		}
		CHECK_INT(decoder_end(x.d, &e), 0);
		CHECK(str_eq(decoder_identity(w.d), decoder_identity(x.d)));
		if (!fetched)
			break;
		message_json(&x.json, &x.m);
		CHECK(str_eq(buf_view(&w.json), buf_view(&x.json)));
	}
	CHECK_STR(x.m.attachments[0].section, "3");
	CHECK_INT(x.m.attachments[0].preview->size, 5);
	stop(&w);
	stop(&x);
}

TEST(identity, "another body under the same id has another identity")
{
	unsigned char first[32];
	struct buf b = {0};
	struct world w;

	start(&w);
	decode(&w, STR(mixed), 0);
	memcpy(first, decoder_identity(w.d).p, 32);
	buf_str(&b, STR(mixed));
	memcpy(b.p + str_find(buf_view(&b), STR("words\r\n--i")), "sword", 5);
	decode(&w, buf_view(&b), 0);
	CHECK_STR(w.m.id, "chat$a.b@harbor.test");
	CHECK_STR(w.m.text, "two sword");
	CHECK(memcmp(first, decoder_identity(w.d).p, 32) != 0);
	buf_free(&b);
	stop(&w);
}

TEST(again, "nothing of a message stays for the next one")
{
	struct coi_err e = {0};
	struct world w, x;

	start(&w);
	start(&x);
	decode(&w, STR(mixed), 0);
	/* One that was begun and given up, in the middle of its preview. */
	decoder_begin(w.d, w.a, &w.m);
	decoder_feed(w.d, str_sub(STR(mixed), 0, 700), &e);
	decoder_drop(w.d);
	decode(&w, STR(HEAD "\r\nplain\r\n"), 0);
	decode(&x, STR(HEAD "\r\nplain\r\n"), 0);
	CHECK(str_eq(buf_view(&w.json), buf_view(&x.json)));
	CHECK(str_eq(decoder_identity(w.d), decoder_identity(x.d)));
	stop(&w);
	stop(&x);
}

TEST(nothing, "no octet at all is a record with a warning")
{
	struct world w;

	start(&w);
	decode(&w, STR(""), 0);
	CHECK(warned(&w, "no From"));
	CHECK(w.m.id.p == NULL && w.m.sent_at == INT64_MIN && !w.m.meta.chat);
	decode(&w, STR(""), 1);
	CHECK(warned(&w, "no From"));
	stop(&w);
}

/* --- limits ------------------------------------------------------------- */

static void many(struct buf *b, const char *s, size_t n)
{
	while (n-- > 0)
		buf_z(b, s);
}

TEST(limit_text, "text is cut at its limit, over all parts together")
{
	struct buf b = {0};
	struct world w;
	int i;

	start(&w);
	buf_z(&b, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (i = 0; i < 3; i++) {
		buf_z(&b, "--b\r\n\r\n");
		many(&b, "0123456789abcdef0123456789abcde\n",
		     LIMIT_TEXT / 32 / 2);
	}
	buf_z(&b, "--b--\r\n");
	decode(&w, buf_view(&b), 0);
	CHECK(w.m.text.n > LIMIT_TEXT / 2 && w.m.text.n <= LIMIT_TEXT + 16);
	CHECK(warned(&w, "text cut after"));
	decode(&w, buf_view(&b), 4099);
	CHECK(w.m.text.n <= LIMIT_TEXT + 16);
	CHECK(warned(&w, "text cut after"));
	buf_free(&b);
	stop(&w);
}

TEST(limit_fields, "of too many references the first and the last are kept")
{
	struct buf b = {0};
	struct world w;
	unsigned i;

	start(&w);
	buf_z(&b, HEAD "References:");
	for (i = 0; i < LIMIT_REFERENCES + 50; i++)
		buf_fmt(&b, "\r\n <%s%u@harbor.test>", i == 0 ? "chat$" : "",
			i);
	buf_z(&b, "\r\n");
	for (i = 0; i < LIMIT_HEADER_FIELDS; i++)
		buf_z(&b, "X: y\r\n");
	buf_z(&b, "Subject: behind the limit\r\n\r\ntext\r\n");
	decode(&w, buf_view(&b), 0);
	CHECK_INT(w.m.references.n, LIMIT_REFERENCES);
	CHECK_STR(w.m.references.v[0], "chat$0@harbor.test");
	CHECK_STR(w.m.references.v[LIMIT_REFERENCES - 1], "249@harbor.test");
	CHECK(w.m.meta.by_references);
	CHECK(warned(&w, "header fields"));
	CHECK(w.m.subject.p == NULL);
	CHECK_STR(w.m.text, "text");
	buf_free(&b);
	stop(&w);
}

TEST(limit_addresses, "of too many addresses some are left out, and it is told")
{
	struct buf b = {0};
	struct world w;

	start(&w);
	buf_z(&b, "From: a@b.test\r\nTo: x@y.test");
	many(&b, ", c@d.test", LIMIT_ADDRESSES);
	buf_z(&b, "\r\n\r\n");
	decode(&w, buf_view(&b), 0);
	CHECK_INT(w.m.to.n, LIMIT_ADDRESSES);
	CHECK(warned(&w, "addresses"));
	buf_free(&b);
	stop(&w);
}

/* Seconds of processor time. */
static double took(struct world *w, struct str in)
{
	clock_t t = clock();

	decode(w, in, 0);
	return (double)(clock() - t) / CLOCKS_PER_SEC;
}

TEST(hostile, "many parts, deep nesting, long lines: linear time")
{
	const char *slow = getenv("TEST_SLOW");
	double limit = 1.0 * (slow != NULL ? atof(slow) : 1);
	struct buf b = {0};
	struct world w;
	int i;

	start(&w);
	buf_z(&b, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	many(&b,
	     "--b\r\nChat-Content: preview\r\nContent-Type: a/b\r\n\r\nx\r\n",
	     60000);
	CHECK(took(&w, buf_view(&b)) < limit);
	CHECK(warned(&w, "too many parts"));
	CHECK(w.m.nattachments <= LIMIT_MIME_PARTS);
	buf_clear(&b);
	buf_z(&b, HEAD);
	for (i = 0; i < 500; i++)
		buf_fmt(&b,
			"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
			"--b%d\r\n",
			i, i);
	buf_z(&b, "\r\nin the middle\r\n");
	CHECK(took(&w, buf_view(&b)) < limit);
	CHECK(warned(&w, "nested too deep"));
	buf_clear(&b);
	buf_z(&b, HEAD "\r\n");
	many(&b, "> ", 1000000);
	many(&b, "\n>", 500000);
	CHECK(took(&w, buf_view(&b)) < limit);
	buf_clear(&b);
	buf_z(&b, HEAD "Content-Type: text/html\r\n\r\n");
	many(&b, "<div>", 400000);
	many(&b, "<", 400000);
	CHECK(took(&w, buf_view(&b)) < limit);
	buf_clear(&b);
	buf_z(&b, "References: ");
	many(&b, "<(\"@", 50000);
	buf_z(&b, "\r\nTo: ");
	many(&b, "(\"<,;:@", 30000);
	buf_z(&b, "\r\n\r\n");
	CHECK(took(&w, buf_view(&b)) < limit);
	buf_free(&b);
	stop(&w);
}

/* --- saved files -------------------------------------------------------- */

static size_t files_in(int fd)
{
	DIR *d = fdopendir(dup(fd));
	struct dirent *de;
	size_t n = 0;

	if (d == NULL)
		return SIZE_MAX;
	rewinddir(d);
	while ((de = readdir(d)) != NULL)
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

TEST(saved, "files of a message that is given up are removed")
{
	char dir[] = "/tmp/coi-u.XXXXXX";
	struct coi_err e = {0};
	struct buf got = {0};
	struct stat st;
	struct world w;
	size_t i;

	CHECK(mkdtemp(dir) != NULL);
	start(&w);
	w.o.save_dir = dir;
	w.o.save_fd = open(dir, O_RDONLY | O_DIRECTORY);
	decoder_begin(w.d, w.a, &w.m);
	CHECK_INT(
	    decoder_feed(w.d, str_sub(STR(mixed), 0, sizeof(mixed) - 12), &e),
	    0);
	CHECK_INT(files_in(w.o.save_fd), 2);
	decoder_drop(w.d);
	CHECK_INT(files_in(w.o.save_fd), 0);
	decode(&w, STR(mixed), 7);
	CHECK_INT(files_in(w.o.save_fd), 2);
	CHECK_INT(
	    file_read(arena_cstr(w.a, w.m.attachments[0].path), 100, &got, &e),
	    0);
	CHECK_STR(buf_view(&got), "hello world");
	CHECK(w.m.attachments[0].section.p == NULL);
	CHECK(fstatat(w.o.save_fd, "v.webm", &st, 0) == 0 &&
	      (st.st_mode & 077) == 0);
	/* Too large: the file goes, the preview stays. */
	w.o.max_size = 8;
	decode(&w, STR(mixed), 0);
	CHECK_INT(files_in(w.o.save_fd), 3);
	CHECK(w.m.attachments[0].path.p == NULL);
	CHECK_INT(w.m.attachments[0].size, 11);
	CHECK_STR(w.m.attachments[0].section, "3");
	decoder_drop(w.d);
	CHECK_INT(files_in(w.o.save_fd), 2);
	for (i = 0; i < 2; i++)
		unlinkat(w.o.save_fd, i == 0 ? "p.png" : "v.webm", 0);
	close(w.o.save_fd);
	CHECK_INT(rmdir(dir), 0);
	buf_free(&got);
	stop(&w);
}

/* --- whose and which conversation ---------------------------------------- */

static bool me(const void *ctx, struct str email)
{
	return str_iis(email, ctx);
}

TEST(mine, "own mail is told, and its conversation is the other's")
{
	struct world w;

	start(&w);
	w.o.is_me = me;
	w.o.is_me_ctx = "mira@harbor.test";
	decode(&w,
	       STR("From: Mira@Harbor.test\r\n"
		   "To: MIRA@harbor.test, Jonas@Inland.test\r\n\r\n"),
	       0);
	CHECK(w.m.meta.from_me);
	CHECK_STR(w.m.meta.conversation, "mail:jonas@inland.test");
	decode(&w,
	       STR("From: Jonas@Inland.test\r\nTo: mira@harbor.test\r\n\r\n"),
	       0);
	CHECK(!w.m.meta.from_me);
	CHECK_STR(w.m.meta.conversation, "mail:jonas@inland.test");
	stop(&w);
}

TEST(groups, "the id of a group: its own, the thread's, Delta Chat's")
{
	static const struct {
		const char *header, *id, *name, *subject;
	} v[] = {
	    {"Message-ID: <chat$group.abc.x.y@z.test>\r\nSubject: Crew\r\n"
	     "Chat-Version: 1.0\r\n",
	     "abc", "Crew", NULL},
	    {"Message-ID: <m@z.test>\r\nSubject: Re: AW: [ext] Crew\r\n"
	     "References: <chat$group.abc.x@z.test> <chat$group.no.x@z.test>"
	     "\r\n",
	     "abc", "Crew", "Re: AW: [ext] Crew"},
	    {"Message-ID: <m@z.test>\r\nSubject: x\r\n"
	     "References: <a@z.test> <chat$group.no.x@z.test>\r\n",
	     NULL, NULL, "x"},
	    {"Message-ID: <m@z.test>\r\nSubject: Re: Crew\r\n"
	     "In-Reply-To: <chat$group.abc.x@z.test>\r\n",
	     "abc", "Crew", "Re: Crew"},
	    {"Message-ID: <m@z.test>\r\nSubject: Re: old\r\n"
	     "Chat-Version: 1.0\r\nChat-Group-ID: Kx_-9\r\n"
	     "Chat-Group-Name: =?utf-8?Q?N=C3=A4mchen?=\r\n",
	     "Kx_-9", "N\xc3\xa4mchen", "Re: old"},
	    {"Message-ID: <m@z.test>\r\nSubject: no chat\r\n"
	     "Chat-Group-ID: Kx_-9\r\n",
	     NULL, NULL, "no chat"},
	    {"Message-ID: <m@z.test>\r\nChat-Version: 1.0\r\n"
	     "Chat-Group-ID: a/b\r\n",
	     NULL, NULL, NULL},
	};
	struct buf b = {0};
	struct world w;
	size_t i;

	start(&w);
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		buf_clear(&b);
		buf_fmt(&b, HEAD "%s\r\nhi\r\n", v[i].header);
		decode(&w, buf_view(&b), 0);
		CHECK(str_eq(w.m.group_id, str_of(v[i].id)));
		CHECK(str_eq(w.m.group_name, str_of(v[i].name)));
		CHECK(str_eq(w.m.subject, str_of(v[i].subject)));
	}
	buf_free(&b);
	stop(&w);
}

TEST_MAIN
