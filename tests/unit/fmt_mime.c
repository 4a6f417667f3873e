#include "fmt/mime.h"

#include "core/limits.h"
#include "test.h"

/* --- what the reader sees, as one line of text ------------------------------
 */

struct seen {
	struct buf out;
	size_t pieces;
	size_t stop_at; /* begin number that fails; 0: none */
	size_t begun;
};

static int on_begin(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct seen *s = ctx;

	if (++s->begun == s->stop_at)
		return err_set(e, COI_E_IO, "disk full");
	buf_fmt(&s->out, "%.*s:%.*s%c", STR_ARG(p->section),
		STR_ARG(p->type.value), p->multipart ? '{' : '(');
	return 0;
}

static int on_body(void *ctx, struct mime_part *p, struct str raw,
		   struct coi_err *e)
{
	struct seen *s = ctx;

	CHECK(!p->multipart && raw.n > 0);
	s->pieces++;
	buf_str(&s->out, raw);
	return 0;
}

static int on_end(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct seen *s = ctx;

	buf_c(&s->out, p->multipart ? '}' : ')');
	return 0;
}

static const struct mime_events events = {on_begin, on_body, on_end};

/* step 0: as a whole; else a first piece of `cut`, then `step` at a time. */
static const char *walk(struct arena *a, struct seen *s, struct str msg,
			size_t cut, size_t step)
{
	struct coi_err e = {0};
	struct mime *m = mime_new(a, &events, s);
	size_t i;

	buf_clear(&s->out);
	s->begun = 0;
	if (step == 0) {
		CHECK_INT(mime_feed_whole(m, msg, &e), 0);
	} else {
		/* Pieces of their own, so that a stale view is seen. */
		for (i = 0; i < msg.n;) {
			size_t n = i == 0 && cut > 0 ? cut : step;
			struct buf piece = {0};

			buf_str(&piece, str_sub(msg, i, n));
			CHECK_INT(mime_feed(m, buf_view(&piece), &e), 0);
			buf_free(&piece);
			i += n;
		}
	}
	CHECK_INT(mime_end(m, &e), 0);
	CHECK_INT(e.code, COI_OK);
	return mime_warning(m);
}

static void check_at(int line, const char *msg, size_t n, const char *want,
		     bool warns)
{
	struct arena *a = arena_new();
	struct seen s = {0};
	struct str in = {msg, n};
	const char *w = walk(a, &s, in, 0, 0);
	size_t i;

	if (!str_is(buf_view(&s.out), want) || (w != NULL) != warns) {
		test_bad++;
		printf("# line %d: got \"%.*s\", want \"%s\", %s\n", line,
		       STR_ARG(buf_view(&s.out)), want,
		       w != NULL ? w : "no warning");
	}
	for (i = 0; i <= in.n + 1; i++) {
		/* Splits in two, and into pieces of i. */
		if (i > 0 && i < in.n) {
			w = walk(a, &s, in, i, in.n);
			CHECK_STR(buf_view(&s.out), want);
			CHECK_INT(w != NULL, warns);
		}
		arena_reset(a);
		w = walk(a, &s, in, 0, i + 1);
		CHECK_STR(buf_view(&s.out), want);
		CHECK_INT(w != NULL, warns);
		arena_reset(a);
	}
	arena_free(a);
	buf_free(&s.out);
}

#define SEES(msg, want) check_at(__LINE__, msg, sizeof(msg) - 1, want, false)
#define WARNS(msg, want) check_at(__LINE__, msg, sizeof(msg) - 1, want, true)

#define MIXED(b) "Content-Type: multipart/mixed; boundary=" b "\r\n\r\n"

TEST(single, "a message of one part is section 1, its body as it stands")
{
	SEES("From: a@b\r\n\r\nHello\r\n--no\r\n",
	     "1:text/plain(Hello\r\n--no\r\n)");
	SEES("Subject: x\n\nHello\n", "1:text/plain(Hello\n)");
	SEES("Subject: no body", "1:text/plain()");
	SEES("Subject: no body\r\n\r\n", "1:text/plain()");
	SEES("", "1:text/plain()");
	SEES("\r\nonly text", "1:text/plain(only text)");
	SEES("Content-Type: IMAGE/Png; name=x\r\n\r\nx", "1:image/png(x)");
	SEES("Content-Type: text\r\n\r\nx", "1:text/plain(x)");
	SEES("Content-Type: message/rfc822\r\n\r\nContent-Type: "
	     "multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
	     "1:message/rfc822(Content-Type: multipart/mixed; "
	     "boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n)");
}

TEST(two, "parts: preamble and epilogue dropped, line end not in the body")
{
	SEES(MIXED("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
			"text/html\r\n\r\n<p>\r\n\r\n--b--\r\nepilogue\r\n",
	     ":multipart/mixed{1:text/plain(one)2:text/html(<p>\r\n)}");
	SEES(MIXED("b") "--b\n\none\n--b\n\ntwo\n--b--\n",
	     ":multipart/mixed{1:text/plain(one)2:text/plain(two)}");
	SEES(MIXED("b") "--b \t\r\n\r\none\r\n--b  \r\n\r\ntwo\r\n--b-- \r\n",
	     ":multipart/mixed{1:text/plain(one)2:text/plain(two)}");
	SEES("Content-Type: multipart/mixed; boundary=\"a b\"\r\n\r\n--a "
	     "b\r\n\r\none\r\n--a b--",
	     ":multipart/mixed{1:text/plain(one)}");
	/* A line end of its own belongs to the body. */
	SEES(MIXED("b") "--b\r\n\r\n\r\n\r\r\n\r\n--b--\r\n",
	     ":multipart/mixed{1:text/plain(\r\n\r\r\n)}");
}

TEST(prefix, "a boundary that begins with another one is another one")
{
	SEES(MIXED("ab") "--ab\r\nContent-Type: multipart/alternative; "
			 "boundary=abc\r\n\r\n--abc\r\n\r\none\r\n--abc\r\n"
			 "Content-Type: text/html\r\n\r\ntwo\r\n--abc--\r\n"
			 "--ab\r\n\r\nthree\r\n--ab--\r\n",
	     ":multipart/mixed{1:multipart/alternative{1.1:text/plain(one)"
	     "1.2:text/html(two)}2:text/plain(three)}");
	SEES(MIXED("abc") "--abc\r\nContent-Type: multipart/alternative; "
			  "boundary=ab\r\n\r\n--ab\r\n\r\none\r\n--ab--\r\n"
			  "--abc\r\n\r\nthree\r\n--abc--\r\n",
	     ":multipart/mixed{1:multipart/alternative{1.1:text/plain(one)}"
	     "2:text/plain(three)}");
	SEES(MIXED("b") "--b\r\n\r\n--bx\r\n--b-\r\n---b\r\n--\r\n-\r\n--b--x"
			"\r\n--b--\r\n",
	     ":multipart/mixed{1:text/plain(--bx\r\n--b-\r\n---b\r\n--\r\n"
	     "-\r\n--b--x)}");
}

TEST(missing, "missing close boundaries: an outer boundary or the end closes")
{
	SEES(MIXED("b") "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n",
	     ":multipart/mixed{1:text/plain(one)2:text/plain(two\r\n)}");
	SEES(MIXED("o") "--o\r\nContent-Type: multipart/related; "
			"boundary=i\r\n\r\n--i\r\n\r\none\r\n--o\r\n\r\ntwo\r\n"
			"--o--\r\n",
	     ":multipart/mixed{1:multipart/related{1.1:text/plain(one)}"
	     "2:text/plain(two)}");
	SEES(MIXED("o") "--o\r\nContent-Type: multipart/related; "
			"boundary=i\r\n\r\n--i\r\n\r\none\r\n--o--\r\n\r\ntail",
	     ":multipart/mixed{1:multipart/related{1.1:text/plain(one)}}");
	SEES(MIXED("b") "--b\r\n\r\ncut here\r\n--", ":multipart/mixed{1:text/"
						     "plain(cut here\r\n--)}");
	SEES(MIXED("b") "--b\r\n\r\ncut\r\n--b",
	     ":multipart/mixed{1:text/plain(cut)2:text/plain()}");
	SEES(MIXED("b") "--b", ":multipart/mixed{1:text/plain()}");
	SEES(MIXED("b") "--b\r\nContent-Type: text/html",
	     ":multipart/mixed{1:text/html()}");
}

TEST(empty, "empty parts, parts without an empty line")
{
	SEES(MIXED("b") "--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n",
	     ":multipart/mixed{1:text/plain()2:text/plain()3:text/plain()}");
	SEES(MIXED("b") "--b\r\nContent-Type: text/html\r\n--b--\r\n",
	     ":multipart/mixed{1:text/html()}");
	SEES(MIXED("b") "--b--\r\nx", ":multipart/mixed{}");
	SEES(MIXED("b") "", ":multipart/mixed{}");
	SEES(MIXED("b") "--b\r\nforgot the empty line\r\nX: y\r\n\r\nz\r\n"
			"--b--\r\n",
	     ":multipart/mixed{1:text/plain(forgot the empty line\r\nX: "
	     "y\r\n\r\nz)}");
	SEES(MIXED("b") "--b\r\nno line end", ":multipart/mixed{1:text/plain("
					      "no line end)}");
}

TEST(types, "digest, multipart without boundary, boundary never found")
{
	SEES("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
	     "Subject: x\r\n\r\ny\r\n--b\r\nContent-Type: text/plain\r\n\r\nz"
	     "\r\n--b--\r\n",
	     ":multipart/digest{1:message/rfc822(Subject: x\r\n\r\ny)"
	     "2:text/plain(z)}");
	WARNS("Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n",
	      "1:text/plain(--b\r\n\r\nx\r\n)");
	WARNS("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\nx",
	      "1:text/plain(--\r\nx)");
	WARNS(MIXED("b") "--wrong\r\n\r\nHello\r\n--wrong--\r\n",
	      ":multipart/mixed{1:text/plain(--wrong\r\n\r\nHello\r\n--wrong--"
	      "\r\n)}");
	WARNS(MIXED("o") "--o\r\nContent-Type: multipart/related; "
			 "boundary=i\r\n\r\nHello\r\n--o--\r\n",
	      ":multipart/mixed{1:multipart/related{1.1:text/plain(Hello)}}");
}

static struct mime_part *last;

static int keep_last(void *ctx, struct mime_part *p, struct coi_err *e)
{
	last = p;
	return 0;
}

TEST(part, "a part knows its parent, header, encoding and parameters")
{
	static const char msg[] = MIXED(
	    "b") "--b\r\n\r\n--b\r\nContent-transfer-encoding: BASE64\r\n"
		 "content-type: image/jpeg;\r\n name=\"a.jpg\"\r\n"
		 "Content-Disposition: attachment; filename=b.jpg\r\n"
		 "\r\nTQ==\r\n--b--\r\n";
	static const struct mime_events ev = {.begin = keep_last};
	struct arena *a = arena_new();
	struct coi_err e = {0};
	int whole;

	for (whole = 0; whole < 2; whole++) {
		struct mime *m = mime_new(a, &ev, NULL);

		last = NULL;
		CHECK_INT(whole ? mime_feed_whole(m, STR(msg), &e)
				: mime_feed(m, STR(msg), &e),
			  0);
		CHECK_INT(mime_end(m, &e), 0);
		CHECK(last != NULL && last->parent != NULL);
		CHECK_INT(last->enc, ENC_BASE64);
		CHECK_INT(last->index, 1);
		CHECK_INT(last->depth, 1);
		CHECK_STR(last->section, "2");
		CHECK_STR(hdr_param(&last->type, "name"), "a.jpg");
		CHECK_STR(last->disposition.value, "attachment");
		CHECK_STR(hdr_param(&last->disposition, "filename"), "b.jpg");
		CHECK(str_starts(last->header, "Content-transfer") &&
		      str_ends(last->header, "b.jpg\r\n"));
		CHECK(last->parent->multipart && last->parent->parent == NULL);
		CHECK_STR(last->parent->section, "");
	}
	arena_free(a);
}

TEST(stop, "an error of the caller ends the reading and comes back")
{
	struct arena *a = arena_new();
	struct seen s = {.stop_at = 2};
	struct coi_err e = {0};
	struct mime *m = mime_new(a, &events, &s);

	CHECK(mime_feed(m, STR(MIXED("b") "--b\r\n\r\nx\r\n--b--\r\n"), &e) <
	      0);
	CHECK_INT(e.code, COI_E_IO);
	CHECK(mime_feed(m, STR("more"), &e) < 0);
	CHECK(mime_end(m, &e) < 0);
	CHECK_INT(s.begun, 2);
	arena_free(a);
	buf_free(&s.out);
}

/* --- limits ------------------------------------------------------------------
 */

static void both_ways(struct str msg, struct seen *s, bool warns)
{
	struct arena *a = arena_new();
	struct buf first = {0};

	CHECK_INT(walk(a, s, msg, 0, 0) != NULL, warns);
	buf_str(&first, buf_view(&s->out));
	CHECK_INT(walk(a, s, msg, 0, 997) != NULL, warns);
	CHECK(str_eq(buf_view(&first), buf_view(&s->out)));
	CHECK_INT(walk(a, s, msg, 0, 1) != NULL, warns);
	CHECK(str_eq(buf_view(&first), buf_view(&s->out)));
	buf_free(&first);
	arena_free(a);
}

TEST(parts_limit, "after the last allowed part the rest is one opaque part")
{
	struct buf b = {0};
	struct seen s = {0};
	size_t i;

	buf_z(&b, MIXED("b"));
	for (i = 0; i < LIMIT_MIME_PARTS + 50; i++)
		buf_fmt(&b, "--b\r\n\r\n%zu\r\n", i);
	buf_z(&b, "--b--\r\nend");
	both_ways(buf_view(&b), &s, true);
	CHECK_INT(s.begun, LIMIT_MIME_PARTS + 1);
	CHECK(str_find(buf_view(&s.out),
		       STR("1000:application/octet-stream(")) > 0);
	CHECK(str_ends(buf_view(&s.out), "\r\n--b--\r\nend)}"));
	buf_free(&b);
	buf_free(&s.out);
}

TEST(nesting_limit, "multiparts nested deeper than the limit stay closed")
{
	struct buf b = {0};
	struct seen s = {0};
	size_t i;

	buf_z(&b, MIXED("b0"));
	for (i = 1; i < 5000; i++)
		buf_fmt(&b, "--b%zu\r\n" MIXED("b%zu"), i - 1, i);
	buf_z(&b, "--b4999\r\n\r\ndeep\r\n--b0\r\n\r\nflat\r\n--b0--\r\n");
	both_ways(buf_view(&b), &s, true);
	CHECK_INT(s.begun, LIMIT_MIME_NESTING + 2);
	CHECK(str_find(buf_view(&s.out), STR("deep)")) > 0);
	CHECK(str_ends(buf_view(&s.out), "}2:text/plain(flat)}"));
	buf_free(&b);
	buf_free(&s.out);
}

TEST(header_limit, "a header block beyond the limit: the rest is opaque")
{
	struct buf b = {0};
	struct seen s = {0};
	size_t i;

	for (i = 0; b.n < LIMIT_HEADER_BLOCK + 1000; i++)
		buf_fmt(&b, "X-%zu: y\r\n", i);
	buf_z(&b, "\r\nbody");
	both_ways(buf_view(&b), &s, true);
	CHECK(str_starts(buf_view(&s.out), "1:application/octet-stream(X-"));
	CHECK(str_ends(buf_view(&s.out), "\r\n\r\nbody)"));
	buf_clear(&b);
	while (b.n < 2 * LIMIT_HEADER_BLOCK)
		buf_c(&b, 'x');
	both_ways(buf_view(&b), &s, true);
	CHECK_INT(s.out.n, b.n + strlen("1:application/octet-stream()"));
	buf_free(&b);
	buf_free(&s.out);
}

TEST(padding_limit, "a boundary line with endless blanks is none")
{
	struct buf b = {0};
	struct seen s = {0};
	size_t n;

	for (n = 490; n < 530; n++) {
		size_t i;

		buf_clear(&b);
		buf_z(&b, MIXED("b") "--b\r\n\r\nx\r\n--b");
		for (i = 0; i < n; i++)
			buf_c(&b, ' ');
		buf_z(&b, "\r\n\r\ny\r\n--b--\r\n");
		both_ways(buf_view(&b), &s, false);
		CHECK_INT(s.begun, n + 5 <= 512 ? 3 : 2);
	}
	buf_free(&b);
	buf_free(&s.out);
}

TEST_MAIN
