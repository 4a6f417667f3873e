#include <unistd.h>

#include "coi/compose_in.h"
#include "core/limits.h"
#include "core/sys.h"
#include "fmt/enc.h"
#include "fmt/flowed.h"
#include "fmt/hdr.h"
#include "fmt/text.h"

/*
 * Every writer of a body leaves the CRLF behind it that a boundary line needs
 * in front (RFC 2046 5.1.1: it belongs to the boundary), so that a text comes
 * back without an added line end.
 */

#define BOUNDARY 34

/* Unpredictable: no text can be made to hold it. */
static void boundary_new(char z[BOUNDARY + 1])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char raw[16];
	size_t i;

	sys_random(raw, sizeof(raw));
	z[0] = '=';
	z[1] = '_'; /* in no base64, in no quoted-printable */
	for (i = 0; i < sizeof(raw); i++) {
		z[2 + 2 * i] = hex[raw[i] >> 4];
		z[3 + 2 * i] = hex[raw[i] & 15];
	}
	z[BOUNDARY] = '\0';
}

static void multipart(struct buf *b, const char *subtype, char z[BOUNDARY + 1])
{
	boundary_new(z);
	buf_fmt(b,
		"Content-Type: multipart/%s;\r\n"
		" boundary=\"%s\"\r\n\r\n",
		subtype, z);
}

/* CRLF and CR become `eol`; a line end is added to no text. */
static void line_ends(struct buf *b, struct str s, const char *eol)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		size_t k = i;

		while (k < s.n && s.p[k] != '\n' && s.p[k] != '\r')
			k++;
		buf_add(b, s.p + i, k - i);
		i = k;
		if (k == s.n)
			break;
		buf_z(b, eol);
		if (s.p[k] == '\r' && k + 1 < s.n && s.p[k + 1] == '\n')
			i++;
	}
}

/* True when CRLF text can go as it is and will come through untouched. */
static bool is_7bit(struct str wire, bool blanks_safe)
{
	size_t i, line = 0;

	for (i = 0; i < wire.n; i++) {
		unsigned char c = (unsigned char)wire.p[i];

		if (c == '\r')
			continue;
		if (c == '\n') {
			if (!blanks_safe && i >= 2 &&
			    (wire.p[i - 2] == ' ' || wire.p[i - 2] == '\t'))
				return false;
			line = 0;
			continue;
		}
		if ((c < ' ' && c != '\t') || c > '~' || ++line > 998)
			return false;
	}
	return true;
}

static uint64_t b64_len(size_t n)
{
	uint64_t chars = ((uint64_t)n + 2) / 3 * 4;

	return chars + (chars + 75) / 76 * 2;
}

/* The rest of the header of a text part, the empty line, the text. */
static void put_encoded(struct buf *b, struct str wire, bool flowed)
{
	struct buf lf = {0}, qp = {0};

	if (is_7bit(wire, flowed)) {
		buf_z(b, "Content-Transfer-Encoding: 7bit\r\n\r\n");
		buf_str(b, wire);
		buf_z(b, "\r\n");
		return;
	}
	line_ends(&lf, wire, "\n");
	enc_qp(&qp, buf_view(&lf));
	if (qp.n <= b64_len(wire.n)) {
		buf_z(b, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		buf_str(b, buf_view(&qp));
		buf_z(b, "\r\n");
	} else {
		buf_z(b, "Content-Transfer-Encoding: base64\r\n\r\n");
		enc_b64_lines(b, wire);
	}
	buf_free(&lf);
	buf_free(&qp);
}

static void put_plain(struct buf *b, struct str text)
{
	struct buf lf = {0}, wire = {0};

	buf_z(b, "Content-Type: text/plain; charset=UTF-8; "
		 "format=\"flowed\"\r\n");
	line_ends(&lf, text, "\n");
	flowed_encode(&wire, buf_view(&lf));
	if (str_ends(buf_view(&wire), "\r\n"))
		wire.n -= 2;
	put_encoded(b, buf_view(&wire), true);
	buf_free(&lf);
	buf_free(&wire);
}

static void put_form(struct buf *b, const char *type, struct str text)
{
	struct buf wire = {0};

	buf_fmt(b, "Content-Type: %s\r\n", type);
	line_ends(&wire, text, "\r\n");
	put_encoded(b, buf_view(&wire), false);
	buf_free(&wire);
}

/* --- text --------------------------------------------------------------- */

struct forms {
	struct str plain, markdown, html;
	size_t n;
};

static int text_check(const char *what, struct str s, struct coi_err *e)
{
	if (s.n > LIMIT_TEXT) {
		err_set(e, COI_E_DATA, "the %s is longer than %u MB", what,
			LIMIT_TEXT / (1024 * 1024));
		err_hint(e, "send it as a file");
		return -1;
	}
	if (str_chr(s, '\0') >= 0) {
		err_set(e, COI_E_DATA, "the %s has a NUL character", what);
		err_hint(e, "send it as a file");
		return -1;
	}
	if (!utf8_valid(s)) {
		err_set(e, COI_E_DATA, "the %s is not valid UTF-8", what);
		err_hint(e, "convert it with iconv, or send it as a file");
		return -1;
	}
	return 0;
}

static struct str made(struct arena *a, void (*fn)(struct buf *, struct str),
		       struct str from)
{
	struct buf b = {0};
	struct str s;

	fn(&b, from);
	s = b.n == 0 ? STR_NONE : arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

static int forms_of(struct arena *a, const struct message *m,
		    const struct compose_opts *o, struct forms *f,
		    struct coi_err *e)
{
	if (text_check("text", m->text, e) < 0 ||
	    text_check("markdown", m->markdown, e) < 0 ||
	    text_check("html", m->html, e) < 0)
		return -1;
	*f = (struct forms){m->text, m->markdown, m->html, 0};
	if (o->markdown && f->markdown.n == 0)
		f->markdown = f->plain;
	if (f->markdown.n > 0 && f->html.n == 0)
		f->html = made(a, text_markdown_html, f->markdown);
	/* A part that every client can show (CLI-018). */
	if (f->plain.n == 0)
		f->plain = f->markdown;
	if (f->plain.n == 0 && f->html.n > 0)
		f->plain = made(a, text_from_html, f->html);
	f->n = (f->plain.n > 0) + (f->markdown.n > 0) + (f->html.n > 0);
	return 0;
}

/* Best form last, as RFC 2046 5.1.4 wants it; here html: see CLI-076. */
static void put_text(struct buf *b, const struct forms *f)
{
	char z[BOUNDARY + 1];

	if (f->n == 1 && f->plain.n > 0) {
		put_plain(b, f->plain);
		return;
	}
	multipart(b, "alternative", z);
	if (f->plain.n > 0) {
		buf_fmt(b, "--%s\r\n", z);
		put_plain(b, f->plain);
	}
	if (f->markdown.n > 0) {
		buf_fmt(b, "--%s\r\n", z);
		put_form(b, "text/markdown; charset=UTF-8; variant=CommonMark",
			 f->markdown);
	}
	if (f->html.n > 0) {
		buf_fmt(b, "--%s\r\n", z);
		put_form(b, "text/html; charset=UTF-8", f->html);
	}
	buf_fmt(b, "--%s--\r\n", z);
}

/* --- files -------------------------------------------------------------- */

static size_t column(const struct buf *b)
{
	size_t i = b->n;

	while (i > 0 && b->p[i - 1] != '\n')
		i--;
	return b->n - i;
}

static void put_file(struct wire *w, const struct part *p)
{
	struct buf *b = wire_buf(w);
	char size[32];
	int n;

	buf_fmt(b, "Content-Type: %.*s", STR_ARG(p->type));
	if (p->charset != NULL)
		buf_fmt(b, "; charset=%s", p->charset);
	buf_z(b, "\r\nContent-Transfer-Encoding: base64\r\n");
	buf_fmt(b, "Content-Disposition: %.*s", STR_ARG(p->disposition));
	hdr_write_param(b, "filename", p->name);
	n = snprintf(size, sizeof(size), "size=%llu",
		     p->fd >= 0 ? (unsigned long long)p->st.st_size
				: (unsigned long long)p->data.n);
	buf_c(b, ';');
	buf_z(b, column(b) + 1 + (size_t)n > 76 ? "\r\n " : " ");
	buf_z(b, size);
	buf_z(b, "\r\n");
	if (p->cid.p != NULL)
		buf_fmt(b, "Content-ID: <%.*s>\r\n", STR_ARG(p->cid));
	if (p->preview)
		buf_z(b, "Chat-Content: preview\r\n");
	buf_z(b, "\r\n");
	if (p->fd >= 0)
		wire_add_file(w, p->fd, &p->st, p->path);
	else
		wire_add_data(w, p->data);
}

static int add_blob(struct arena *a, struct wire *w, struct blob *blob,
		    bool preview, const char *z, struct coi_err *e)
{
	struct part p;

	if (part_open(a, blob, preview, &p, e) < 0)
		return -1;
	if (z != NULL)
		buf_fmt(wire_buf(w), "--%s\r\n", z);
	put_file(w, &p);
	return 0;
}

/* The preview stands right before what it shows (CLI-099). */
static int add_blobs(struct arena *a, struct wire *w, struct message *m,
		     const char *z, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < m->nattachments; i++) {
		struct blob *b = &m->attachments[i];

		if (b->preview != NULL &&
		    add_blob(a, w, b->preview, true, z, e) < 0)
			return -1;
		if (add_blob(a, w, b, false, z, e) < 0)
			return -1;
	}
	return 0;
}

int body_write(struct arena *a, struct message *m, const struct compose_opts *o,
	       struct wire *w, struct coi_err *e)
{
	struct buf *b = wire_buf(w);
	struct forms f;
	char z[BOUNDARY + 1];

	if (forms_of(a, m, o, &f, e) < 0)
		return -1;
	buf_z(b, "MIME-Version: 1.0\r\n");
	if (m->nattachments == 0) {
		if (f.n == 0) {
			err_set(e, COI_E_DATA,
				"nothing to send: no text and no file");
			return -1;
		}
		put_text(b, &f);
		return 0;
	}
	/* One file without text is the whole body (CLI-093). */
	if (f.n == 0 && m->nattachments == 1 &&
	    m->attachments[0].preview == NULL)
		return add_blob(a, w, &m->attachments[0], false, NULL, e);
	multipart(b, "mixed", z);
	if (f.n > 0) {
		buf_fmt(b, "--%s\r\n", z);
		put_text(b, &f);
	}
	if (add_blobs(a, w, m, z, e) < 0)
		return -1;
	buf_fmt(b, "--%s--\r\n", z);
	return 0;
}
