#include "fmt/mime_tree.h"

#include <string.h>

#include "core/limits.h"

#define PREAMBLE_MAX (1024u * 1024u)

static void warn(struct mime *m, const char *text)
{
	if (m->warning == NULL)
		m->warning = text;
}

/* --- parts -----------------------------------------------------------------
 */

static void read_fields(struct mime *m, struct mime_part *p)
{
	struct str rest = p->header, name, value;
	struct str type = STR_NONE, disp = STR_NONE, cte = STR_NONE;

	while (hdr_next_of(&rest, 'c', &name, &value)) {
		if (type.p == NULL && str_iis(name, "Content-Type"))
			type = value;
		else if (disp.p == NULL && str_iis(name, "Content-Disposition"))
			disp = value;
		else if (cte.p == NULL &&
			 str_iis(name, "Content-Transfer-Encoding"))
			cte = value;
	}
	p->enc = enc_of(cte);
	if (type.p != NULL)
		hdr_value(m->arena, type, &p->type);
	if (disp.p != NULL)
		hdr_value(m->arena, disp, &p->disposition);
}

static struct str section(struct mime *m, const struct mime_part *p)
{
	char digits[12], *d = digits + sizeof(digits), *s;
	unsigned v = p->index + 1;
	size_t n, up = p->parent->section.n;

	do
		*--d = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	n = (size_t)(digits + sizeof(digits) - d);
	s = arena_alloc(m->arena, up + 1 + n + 1);
	if (up > 0) {
		memcpy(s, p->parent->section.p, up);
		s[up++] = '.';
	}
	memcpy(s + up, d, n);
	return (struct str){s, up + n};
}

static bool digest_child(const struct mime_part *p)
{
	return p->parent != NULL &&
	       str_is(p->parent->type.value, "multipart/digest");
}

static void set_type(struct mime_part *p, struct str value)
{
	p->type = (struct hdr_value){.value = value};
}

/* The boundary when this part is a multipart that can be split. */
static struct str container(struct mime *m, struct mime_part *p)
{
	struct str b;

	if (!str_starts(p->type.value, "multipart/"))
		return STR_NONE;
	b = hdr_param(&p->type, "boundary");
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	if (b.n == 0) {
		warn(m, "a multipart without a boundary was taken as text");
		set_type(p, STR("text/plain"));
		return STR_NONE;
	}
	if (b.n > BOUNDARY_MAX || m->nopen >= LIMIT_MIME_NESTING) {
		warn(m, "parts nested too deep or with an unusable boundary "
			"were not opened");
		set_type(p, STR("application/octet-stream"));
		return STR_NONE;
	}
	return b;
}

static struct mime_part *new_part(struct mime *m)
{
	struct mime_part *p = arena_alloc(m->arena, sizeof(*p));
	struct open *up = m->nopen > 0 ? &m->open[m->nopen - 1] : NULL;

	m->nparts++;
	p->depth = (unsigned)m->nopen;
	if (up != NULL) {
		p->parent = up->part;
		p->index = up->children++;
		p->section = section(m, p);
	}
	return p;
}

static int fail(struct mime *m, int r)
{
	m->failed = true;
	return r;
}

static int announce(struct mime *m, struct mime_part *p, struct coi_err *e)
{
	int r = m->ev->begin != NULL ? m->ev->begin(m->ctx, p, e) : 0;

	return r < 0 ? fail(m, r) : 0;
}

static int finish(struct mime *m, struct mime_part *p, struct coi_err *e)
{
	int r = m->ev->end != NULL ? m->ev->end(m->ctx, p, e) : 0;

	return r < 0 ? fail(m, r) : 0;
}

/* The header block is complete: the part begins. */
int tree_begin(struct mime *m, struct str header, bool cut, struct coi_err *e)
{
	struct mime_part *p = new_part(m);
	struct str boundary = STR_NONE;

	p->header = header.n > 0 ? header : STR("");
	read_fields(m, p);
	if (str_chr(p->type.value, '/') <= 0)
		p->type.value = digest_child(p) ? STR("message/rfc822")
						: STR("text/plain");
	if (cut) {
		warn(m, "a header block is too long");
		set_type(p, STR("application/octet-stream"));
	} else {
		boundary = container(m, p);
	}
	p->multipart = boundary.n > 0;
	if (p->parent == NULL)
		p->section = p->multipart ? STR("") : STR("1");
	m->where = IN_BODY;
	m->bol = true;
	m->leaf = p->multipart ? NULL : p;
	if (p->multipart) {
		m->open = arena_more(m->arena, m->open, m->nopen, &m->copen,
				     sizeof(*m->open));
		m->open[m->nopen++] = (struct open){.part = p,
						    .boundary = boundary};
	}
	return announce(m, p, e);
}

/* What follows is not looked into any more. */
static int begin_opaque(struct mime *m, struct coi_err *e)
{
	struct mime_part *p = new_part(m);

	warn(m, "too many parts: the rest was not opened");
	set_type(p, STR("application/octet-stream"));
	p->header = STR("");
	m->opaque = true;
	m->where = IN_BODY;
	m->bol = false;
	m->leaf = p;
	return announce(m, p, e);
}

int tree_give(struct mime *m, const char *p, size_t n, struct coi_err *e)
{
	struct open *o;
	int r;

	if (n == 0)
		return 0;
	if (m->leaf != NULL) {
		r = m->ev->body != NULL
			? m->ev->body(m->ctx, m->leaf, (struct str){p, n}, e)
			: 0;
		return r < 0 ? fail(m, r) : 0;
	}
	if (m->nopen == 0)
		return 0;
	o = &m->open[m->nopen - 1];
	if (o->children > 0)
		return 0;
	if (n > PREAMBLE_MAX - o->npreamble)
		n = PREAMBLE_MAX - o->npreamble;
	if (n == 0)
		return 0;
	o->preamble = arena_more(m->arena, o->preamble, o->npreamble + n,
				 &o->cpreamble, 1);
	memcpy(o->preamble + o->npreamble, p, n);
	o->npreamble += n;
	return 0;
}

/* A multipart without one boundary line: a wrong parameter, most likely.
 * Its text must not be lost. */
static int rescue(struct mime *m, struct coi_err *e)
{
	struct open *o = &m->open[m->nopen - 1];
	struct str text = {o->preamble, o->npreamble};
	struct mime_part *p;
	int r;

	if (str_trim(text).n == 0)
		return 0;
	warn(m, text.n < PREAMBLE_MAX
		    ? "a multipart without any boundary line: shown as text"
		    : "a multipart without any boundary line: its beginning "
		      "is shown as text");
	p = new_part(m);
	p->header = STR("");
	set_type(p, STR("text/plain"));
	r = announce(m, p, e);
	m->leaf = p;
	if (r == 0)
		r = tree_give(m, text.p, text.n, e);
	m->leaf = NULL;
	return r < 0 ? r : finish(m, p, e);
}

static int end_leaf(struct mime *m, struct coi_err *e)
{
	struct mime_part *p = m->leaf;

	m->leaf = NULL;
	return p != NULL ? finish(m, p, e) : 0;
}

/* Ends the multiparts above `keep` of the stack. */
int tree_close(struct mime *m, size_t keep, bool seen, struct coi_err *e)
{
	int r = end_leaf(m, e);

	while (r == 0 && m->nopen > keep) {
		struct open *o = &m->open[m->nopen - 1];

		if (o->children == 0 && !(seen && m->nopen == keep + 1))
			r = rescue(m, e);
		if (r == 0)
			r = finish(m, o->part, e);
		m->nopen--;
	}
	return r;
}

/* --- boundary lines --------------------------------------------------------
 */

/*
 * The multipart (index + 1) that this whole line is a boundary of, or 0.
 * The complete line must fit, so that "--abc" is none of "ab"; blanks behind
 * it are legal, and some gateways add them.
 */
size_t tree_boundary(const struct mime *m, const char *p, size_t n,
		     bool *closes)
{
	size_t i;

	if (n < 3 || p[0] != '-' || p[1] != '-')
		return 0;
	while (n > 2 && (p[n - 1] == '\n' || p[n - 1] == '\r' ||
			 p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	p += 2;
	n -= 2;
	for (i = m->nopen; i > 0; i--) {
		struct str b = m->open[i - 1].boundary;

		if (n != b.n && n != b.n + 2)
			continue;
		if (memcmp(p, b.p, b.n) != 0)
			continue;
		*closes = n == b.n + 2;
		if (*closes && (p[b.n] != '-' || p[b.n + 1] != '-'))
			continue;
		return i;
	}
	return 0;
}

int tree_at_boundary(struct mime *m, size_t which, bool closes,
		     struct coi_err *e)
{
	int r = tree_close(m, closes ? which - 1 : which, closes, e);

	m->nheld = 0;
	m->eol = 0;
	if (r < 0)
		return r;
	m->where = closes ? IN_BODY : IN_HEADER;
	m->bol = true;
	m->nhdr = 0;
	m->hdr = NULL;
	m->chdr = 0;
	m->hdr_line = 0;
	if (!closes && m->nparts >= LIMIT_MIME_PARTS)
		return begin_opaque(m, e);
	return 0;
}
