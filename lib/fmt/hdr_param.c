/* Structured values and their parameters (RFC 2045 5.1, RFC 2231). */
#include "core/limits.h"
#include "fmt/comment.h"
#include "fmt/hdr.h"
#include "fmt/text.h"

#define LINE_MAX_COL 76
#define SECTION_MAX 999

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --- reading ------------------------------------------------------------- */

/* One `name=value` as it stands in the field. */
struct seg {
	struct str name;  /* lower case, marks cut off */
	struct str value; /* quotes removed */
	int section;	  /* name*3: 3; without a number: -1 */
	bool extended;	  /* %XX escapes, name* or name*3* */
	bool taken;
};

struct cursor {
	struct arena *a;
	const char *p, *end;
	bool no_comment; /* a comment that never ends was met */
};

/* As comment_end(); one that does not end makes all that follow text. */
static const char *comment(struct cursor *c, const char *p)
{
	const char *q = c->no_comment ? NULL : comment_end(p, c->end);

	c->no_comment = q == NULL;
	return q;
}

static void skip_blank(struct cursor *c)
{
	const char *q;

	for (; c->p < c->end; c->p = q) {
		q = c->p + 1;
		if (*c->p == '(')
			q = comment(c, c->p);
		else if (!blank(*c->p))
			q = NULL;
		if (q == NULL)
			return;
	}
}

/* c->p stands behind the opening quote. */
static struct str quoted(struct cursor *c)
{
	const char *from = c->p, *q;
	size_t n = 0;
	char *out;

	for (q = from; q < c->end && *q != '"' && *q != '\\'; q++)
		;
	if (q == c->end || *q == '"') {
		c->p = q == c->end ? q : q + 1;
		return (struct str){from, (size_t)(q - from)};
	}
	for (; q < c->end && *q != '"'; q++)
		if (*q == '\\' && q + 1 < c->end)
			q++;
	out = arena_alloc(c->a, (size_t)(q - from) + 1);
	for (; from < q; from++) {
		if (*from == '\\' && from + 1 < q)
			from++;
		out[n++] = *from;
	}
	c->p = q == c->end ? q : q + 1;
	return (struct str){out, n};
}

/* Up to ";": blanks belong to it, a comment at its end does not. */
static struct str unquoted(struct cursor *c)
{
	const char *from = c->p, *stop = from, *q, *end = NULL;

	while (stop < c->end && *stop != ';')
		stop++;
	for (q = from; q < stop; q++) {
		if (*q != '(' || q == from || !blank(q[-1]))
			continue;
		c->p = q;
		skip_blank(c);
		if (c->p == c->end || *c->p == ';') {
			end = q;
			break;
		}
		/* "a (1).txt": not a comment; nor is what followed it. */
		q = c->p > q ? c->p - 1 : q;
	}
	if (end == NULL)
		c->p = end = stop;
	return str_trim((struct str){from, (size_t)(end - from)});
}

/* Splits "name*3*" into its marks; false when it is not of that form. */
static void marks(struct seg *g)
{
	struct str n = g->name;
	ptrdiff_t i;
	uint64_t v;

	g->section = -1;
	g->extended = false;
	if (n.n > 1 && n.p[n.n - 1] == '*') {
		g->extended = true;
		n.n--;
	}
	i = str_chr(n, '*');
	if (i > 0 && str_u64(str_sub(n, (size_t)i + 1, n.n), SECTION_MAX, &v)) {
		g->section = (int)v;
		n.n = (size_t)i;
	} else if (i >= 0) {
		g->extended = false;
		return;
	}
	g->name = n;
}

static bool next_seg(struct cursor *c, struct seg *g)
{
	const char *from;

	for (;;) {
		skip_blank(c);
		if (c->p == c->end)
			return false;
		if (*c->p != ';')
			break;
		c->p++;
	}
	from = c->p;
	while (c->p < c->end && *c->p != '=' && *c->p != ';' && !blank(*c->p) &&
	       *c->p != '"')
		c->p++;
	g->name = (struct str){from, (size_t)(c->p - from)};
	skip_blank(c);
	*g = (struct seg){.name = arena_lower(c->a, g->name), .value = STR("")};
	if (c->p < c->end && *c->p == '=') {
		c->p++;
		skip_blank(c);
		if (c->p < c->end && *c->p == '"') {
			c->p++;
			g->value = quoted(c);
		} else {
			g->value = unquoted(c);
		}
	} else if (g->name.n == 0) {
		c->p++; /* a stray quote or parenthesis */
	}
	marks(g);
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 &&
		    hex(s.p[i + 2]) >= 0) {
			buf_c(b,
			      (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
			i += 2;
		} else {
			buf_c(b, s.p[i]);
		}
	}
}

/* Joins the segments of one name, in order of their numbers. */
static struct str join(struct arena *a, struct seg **v, size_t n)
{
	struct buf raw = {0}, out = {0};
	struct str charset = STR_NONE, s;
	bool ext = false;
	size_t i, k;
	struct seg *t;

	for (i = 1; i < n; i++)
		for (k = i; k > 0 && v[k]->section < v[k - 1]->section; k--) {
			t = v[k];
			v[k] = v[k - 1];
			v[k - 1] = t;
		}
	for (i = 0; i < n; i++) {
		if (i > 0 && v[i]->section == v[i - 1]->section)
			continue;
		s = v[i]->value;
		if (v[i]->extended && i == 0) {
			struct str rest = s;
			struct str set = str_split(&rest, '\'');

			if (str_chr(rest, '\'') >= 0) {
				charset = set;
				str_split(&rest, '\'');
				s = rest;
			}
		}
		ext = ext || v[i]->extended;
		if (v[i]->extended)
			unescape(&raw, s);
		else
			buf_str(&raw, s);
	}
	if (charset.n > 0)
		text_to_utf8(&out, charset, buf_view(&raw));
	else
		hdr_utf8(&out, buf_view(&raw));
	s = arena_str(a, buf_view(&out));
	buf_free(&raw);
	buf_free(&out);
	return ext ? s : hdr_text(a, s);
}

static void params(struct cursor *c, struct hdr_value *out)
{
	struct seg seg[LIMIT_PARAMS], *same[LIMIT_PARAMS];
	size_t n = 0, i, k, m;

	while (n < LIMIT_PARAMS && next_seg(c, &seg[n]))
		n += seg[n].name.n > 0;
	if (n == 0)
		return;
	out->v = arena_alloc(c->a, n * sizeof(*out->v));
	for (i = 0; i < n; i++) {
		struct hdr_param *p = &out->v[out->n];
		struct seg *first = NULL;

		if (seg[i].taken)
			continue;
		/* The extended form, else the pieces, else the plain one. */
		for (k = i, m = 0; k < n; k++) {
			struct seg *g = &seg[k];

			if (g->taken || !str_eq(g->name, seg[i].name))
				continue;
			g->taken = true;
			if (g->section < 0 && !g->extended) {
				if (first == NULL)
					first = g;
			} else if (m == 0 ||
				   (same[0]->section >= 0 && g->section >= 0)) {
				same[m++] = g;
			}
		}
		p->name = seg[i].name;
		if (m > 0)
			p->value = join(c->a, same, m);
		else if (str_is(p->name, "boundary"))
			p->value = first->value; /* compared as octets */
		else
			p->value = hdr_text(c->a, first->value);
		out->n++;
	}
}

/* The part in front of the first ";". */
static struct str head(struct cursor *c)
{
	const char *from = c->p, *q = from, *cut;
	struct str s;
	size_t n = 0;
	char *p;

	while (q < c->end && *q != ';' && *q != '(' && !blank(*q))
		q++;
	if (q == c->end || *q == ';') { /* as nearly every one is */
		c->p = q;
		return arena_lower(c->a,
				   (struct str){from, (size_t)(q - from)});
	}
	s.p = p = arena_alloc(c->a, (size_t)(c->end - from) + 1);
	while (c->p < c->end && *c->p != ';') {
		bool gap = blank(*c->p) || *c->p == '(';

		q = c->p;
		skip_blank(c);
		if (c->p == c->end || *c->p == ';')
			break;
		if (gap && c->p > q && n > 0 && p[n - 1] != '/' &&
		    *c->p != '/') {
			/* "text/plain charset=x": the ";" was forgotten. */
			for (cut = c->p;
			     cut < c->end && *cut != ';' && *cut != '=' &&
			     *cut != '(' && !blank(*cut);
			     cut++)
				;
			if (cut < c->end && *cut == '=')
				break;
			p[n++] = ' ';
		}
		while (c->p < c->end && *c->p != ';' && !blank(*c->p)) {
			if (*c->p == '(' && !c->no_comment)
				break;
			p[n++] = *c->p++;
		}
	}
	s.n = n;
	return arena_lower(c->a, s);
}

void hdr_value(struct arena *a, struct str raw, struct hdr_value *out)
{
	struct str s = str_trim(hdr_unfold(a, raw));
	struct cursor c = {.a = a};

	*out = (struct hdr_value){.value = STR("")};
	if (s.n == 0)
		return;
	c.p = s.p;
	c.end = s.p + s.n;
	skip_blank(&c);
	out->value = head(&c);
	params(&c, out);
}

struct str hdr_param(const struct hdr_value *v, const char *name)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		if (str_iis(v->v[i].name, name))
			return v->v[i].value;
	return STR_NONE;
}

/* --- writing ------------------------------------------------------------- */

static bool attr_char(char c)
{
	return c > ' ' && c < 127 && strchr("*'%()<>@,;:\\\"/[]?=", c) == NULL;
}

static size_t column(const struct buf *b)
{
	const char *q = b->n == 0 ? NULL : memrchr(b->p, '\n', b->n);

	return q == NULL ? b->n : (size_t)(b->p + b->n - q) - 1;
}

/* Appends one segment of the value; `to` is behind it. */
static void put(struct buf *b, struct str s, bool ext)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!ext) {
			if (c == '"' || c == '\\')
				buf_c(b, '\\');
			buf_c(b, s.p[i]);
		} else if (attr_char(s.p[i])) {
			buf_c(b, s.p[i]);
		} else {
			buf_c(b, '%');
			buf_c(b, digits[c >> 4]);
			buf_c(b, digits[c & 15]);
		}
	}
}

static size_t cost(struct str s, bool ext)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		if (ext)
			n += attr_char(s.p[i]) ? 1 : 3;
		else
			n += s.p[i] == '"' || s.p[i] == '\\' ? 2 : 1;
	return n;
}

static void pieces(struct buf *b, const char *name, struct str s, bool ext)
{
	unsigned k;

	for (k = 0; k <= SECTION_MAX && s.n > 0; k++) {
		size_t n = 0, col, step;
		uint32_t cp;

		buf_fmt(b, ";\r\n %s*%u%s", name, k, ext ? "*=" : "=\"");
		if (ext && k == 0)
			buf_z(b, "utf-8''");
		col = column(b) + 2; /* the quote and the ";" */
		while (n < s.n) {
			struct str ch = {s.p + n, 1};

			step = utf8_decode(ch.p, s.n - n, &cp);
			ch.n = step == 0 ? 1 : step;
			if (n > 0 && col + cost(ch, ext) > LINE_MAX_COL)
				break;
			col += cost(ch, ext);
			n += ch.n;
		}
		put(b, str_sub(s, 0, n), ext);
		if (!ext)
			buf_c(b, '"');
		s = str_sub(s, n, s.n);
	}
}

void hdr_write_param(struct buf *b, const char *name, struct str value)
{
	struct buf t = {0};
	struct str s;
	bool ext = false;
	size_t i, width;

	buf_utf8(&t, value);
	s = buf_view(&t);
	for (i = 0; i < s.n && !ext; i++)
		ext = s.p[i] < ' ' || s.p[i] >= 127;
	/* Many readers decode encoded words here: this is none. */
	if (!ext && str_find(s, STR("=?")) >= 0)
		ext = true;
	width = strlen(name) + 4 + (ext ? 7 : 0) + cost(s, ext);
	/* Readers that know no continuations must still see the boundary. */
	if (width + 1 > LINE_MAX_COL &&
	    !(str_iis(str_of(name), "boundary") && !ext)) {
		pieces(b, name, s, ext);
	} else {
		buf_z(b,
		      column(b) + 2 + width > LINE_MAX_COL ? ";\r\n " : "; ");
		buf_z(b, name);
		buf_z(b, ext ? "*=utf-8''" : "=\"");
		put(b, s, ext);
		if (!ext)
			buf_c(b, '"');
	}
	buf_free(&t);
}
