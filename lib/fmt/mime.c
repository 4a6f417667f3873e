#include "fmt/mime_tree.h"

#include <string.h>

#include "core/limits.h"

struct mime *mime_new(struct arena *a, const struct mime_events *ev, void *ctx)
{
	struct mime *m = arena_alloc(a, sizeof(*m));

	m->arena = a;
	m->ev = ev;
	m->ctx = ctx;
	return m;
}

bool mime_unclosed(const struct mime *m)
{
	return m->unclosed;
}

const char *mime_warning(const struct mime *m)
{
	return m->warning;
}

/* --- bodies ----------------------------------------------------------------
 */

static void hold(struct mime *m, const char *p, size_t n, size_t eol)
{
	memcpy(m->held, p, n);
	m->nheld = n;
	m->eol = eol;
}

/* Gives the held octets but for a line end behind them, which stays. */
static int unhold(struct mime *m, struct coi_err *e)
{
	size_t n = m->nheld, eol = 0, keep = 0;
	int r;

	if (n > m->eol && m->held[n - 1] == '\n')
		eol = n - 1 > m->eol && m->held[n - 2] == '\r' ? 2 : 1;
	keep = n > m->eol && m->held[n - 1] == '\r' ? 1 : eol;
	r = tree_give(m, m->held, n - keep, e);
	memmove(m->held, m->held + n - keep, keep);
	m->nheld = keep;
	m->eol = eol;
	m->bol = eol > 0;
	return r;
}

/* Octets that continue what is held, until that is decided. */
static int held_octets(struct mime *m, const char **pp, const char *end,
		       struct coi_err *e)
{
	const char *p = *pp;
	int r = 0;

	while (r == 0 && p < end && m->nheld > 0 && m->where == IN_BODY) {
		const char *line = m->held + m->eol;
		bool closes = false;
		size_t n, b;

		if (!m->bol && *p != '\n') { /* only a CR */
			m->nheld = 0;
			r = tree_give(m, "\r", 1, e);
			break;
		}
		if (!m->bol) {
			m->held[m->nheld++] = *p++;
			m->eol = m->nheld;
			m->bol = true;
			continue;
		}
		m->held[m->nheld++] = *p++;
		n = m->nheld - m->eol;
		if (n <= 2 && line[n - 1] == '-')
			continue;
		if (n > 2 && line[n - 1] != '\n' && n < BOUNDARY_LINE_MAX)
			continue;
		b = n > 2 && line[n - 1] == '\n'
			? tree_boundary(m, line, n, &closes)
			: 0;
		r = b > 0 ? tree_at_boundary(m, b, closes, e) : unhold(m, e);
	}
	*pp = p;
	return r;
}

enum verdict { NO, YES, MORE };

/* Is the line at p, which begins in this piece, a boundary? */
static enum verdict look(const struct mime *m, const char *p, const char *end,
			 const char **next, size_t *which, bool *closes)
{
	size_t n = (size_t)(end - p);
	const char *nl;

	if (n > 0 && p[0] != '-')
		return NO;
	if (n > 1 && p[1] != '-')
		return NO;
	nl = n > 2 ? memchr(p, '\n',
			    n < BOUNDARY_LINE_MAX ? n : BOUNDARY_LINE_MAX)
		   : NULL;
	if (nl == NULL)
		return n < BOUNDARY_LINE_MAX ? MORE : NO;
	*next = nl + 1;
	*which = tree_boundary(m, p, (size_t)(nl + 1 - p), closes);
	return *which > 0 ? YES : NO;
}

static int body(struct mime *m, const char **pp, const char *end,
		struct coi_err *e)
{
	const char *p = *pp, *q = p, *text = p, *next = NULL;
	size_t which = 0;
	bool closes = false;
	int r = 0;

	*pp = end;
	if (m->nopen == 0 || m->opaque)
		return tree_give(m, p, (size_t)(end - p), e);
	if (m->nheld > 0) {
		*pp = p;
		return held_octets(m, pp, end, e);
	}
	for (;;) {
		enum verdict v;

		if (!m->bol) {
			q = memchr(q, '\n', (size_t)(end - q));
			if (q == NULL)
				break;
			text = q > p && q[-1] == '\r' ? q - 1 : q;
			q++;
		}
		v = look(m, q, end, &next, &which, &closes);
		if (v == YES) {
			r = tree_give(m, p, (size_t)(text - p), e);
			*pp = next;
			return r < 0 ? r
				     : tree_at_boundary(m, which, closes, e);
		}
		if (v == MORE) {
			r = tree_give(m, p, (size_t)(text - p), e);
			hold(m, text, (size_t)(end - text), (size_t)(q - text));
			m->bol = true;
			return r;
		}
		m->bol = false;
	}
	text = end > p && end[-1] == '\r' ? end - 1 : end;
	r = tree_give(m, p, (size_t)(text - p), e);
	hold(m, text, (size_t)(end - text), 0);
	return r;
}

/* --- header blocks ---------------------------------------------------------
 */

/* "Name: value"; a part may begin with its text, the empty line forgotten. */
static bool is_field(const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);

	if (colon == NULL)
		return false;
	while (colon > p && (colon[-1] == ' ' || colon[-1] == '\t'))
		colon--;
	n = (size_t)(colon - p);
	while (n > 0 && p[n - 1] > ' ' && p[n - 1] <= '~')
		n--;
	return colon > p && n == 0;
}

/*
 * One line of a header block that begins at `block`; `line` and `end` are
 * offsets.  Sets *body to the offset where the body begins.  1: the block is
 * complete (or a boundary ended it: *body is behind that).
 */
static int header_line(struct mime *m, const char *block, size_t line,
		       size_t end, bool complete, size_t *body_at,
		       struct coi_err *e)
{
	const char *p = block + line;
	size_t n = end - line, which;
	bool closes = false;
	int r;

	*body_at = line;
	if (end > LIMIT_HEADER_BLOCK) {
		r = tree_begin(m, (struct str){block, line}, true, e);
		return r < 0 ? r : 1;
	}
	if (!complete)
		return 0;
	if (n > 0 && (p[0] == '\n' || (p[0] == '\r' && n == 2))) {
		*body_at = end;
		r = tree_begin(m, (struct str){block, line}, false, e);
		return r < 0 ? r : 1;
	}
	which = n <= BOUNDARY_LINE_MAX ? tree_boundary(m, p, n, &closes) : 0;
	if (which > 0) {
		*body_at = end;
		r = tree_begin(m, (struct str){block, line}, false, e);
		if (r == 0)
			r = tree_at_boundary(m, which, closes, e);
		return r < 0 ? r : 1;
	}
	if (line == 0 && m->nopen > 0 && !is_field(p, n)) {
		r = tree_begin(m, (struct str){block, 0}, false, e);
		return r < 0 ? r : 1;
	}
	return 0;
}

static int header_whole(struct mime *m, const char **pp, const char *end,
			struct coi_err *e)
{
	const char *block = *pp, *p = block;
	size_t at = 0;
	int r = 0;

	while (r == 0 && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		nl = nl != NULL ? nl + 1 : end;
		/* Most lines: a field or a fold of one. */
		if (*p != '\r' && *p != '\n' && *p != '-' && p != block &&
		    nl - block <= LIMIT_HEADER_BLOCK) {
			p = nl;
			continue;
		}
		r = header_line(m, block, (size_t)(p - block),
				(size_t)(nl - block), true, &at, e);
		p = nl;
	}
	if (r == 0) {
		*pp = end;
		return tree_begin(m, (struct str){block, (size_t)(end - block)},
				  false, e);
	}
	*pp = block + at;
	return r < 0 ? r : 0;
}

static int feed(struct mime *m, const char *p, const char *end,
		struct coi_err *e);

/* What was collected as header but is body. */
static int give_back(struct mime *m, size_t at, struct coi_err *e)
{
	return at < m->nhdr ? feed(m, m->hdr + at, m->hdr + m->nhdr, e) : 0;
}

static int header_piece(struct mime *m, const char **pp, const char *end,
			struct coi_err *e)
{
	const char *p = *pp;
	size_t at = 0;
	int r = 0;

	while (r == 0 && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl != NULL ? nl + 1 : end) - p);

		if (n > LIMIT_HEADER_BLOCK + 1 - m->nhdr) {
			n = LIMIT_HEADER_BLOCK + 1 - m->nhdr;
			nl = NULL;
		}
		m->hdr = arena_more(m->arena, m->hdr, m->nhdr + n, &m->chdr, 1);
		memcpy(m->hdr + m->nhdr, p, n);
		m->nhdr += n;
		p += n;
		r = header_line(m, m->hdr, m->hdr_line, m->nhdr, nl != NULL,
				&at, e);
		if (r == 0 && nl != NULL)
			m->hdr_line = m->nhdr;
	}
	*pp = p;
	if (r > 0 && m->where == IN_BODY)
		r = give_back(m, at, e);
	return r < 0 ? r : 0;
}

static int feed(struct mime *m, const char *p, const char *end,
		struct coi_err *e)
{
	int r = 0;

	while (r == 0 && p < end) {
		if (m->where == IN_BODY)
			r = body(m, &p, end, e);
		else if (m->whole)
			r = header_whole(m, &p, end, e);
		else
			r = header_piece(m, &p, end, e);
	}
	return r;
}

/* --- the caller's side -----------------------------------------------------
 */

int mime_feed(struct mime *m, struct str in, struct coi_err *e)
{
	if (m->failed || m->ended)
		return -1;
	if (in.n == 0)
		return 0;
	return feed(m, in.p, in.p + in.n, e);
}

int mime_feed_whole(struct mime *m, struct str msg, struct coi_err *e)
{
	m->whole = true;
	return mime_feed(m, msg, e);
}

/* The octets that waited for more. */
static int last_line(struct mime *m, struct coi_err *e)
{
	bool closes = false;
	size_t which = 0, at = 0;
	int r = 0;

	if (m->where == IN_HEADER && m->nhdr > m->hdr_line) {
		r = header_line(m, m->hdr, m->hdr_line, m->nhdr, true, &at, e);
		if (r > 0 && m->where == IN_BODY)
			r = give_back(m, at, e);
	}
	if (r >= 0 && m->where == IN_BODY && m->nheld > 0) {
		if (m->bol)
			which = tree_boundary(m, m->held + m->eol,
					      m->nheld - m->eol, &closes);
		r = which > 0 ? tree_at_boundary(m, which, closes, e)
			      : tree_give(m, m->held, m->nheld, e);
		m->nheld = 0;
	}
	if (r >= 0 && m->where == IN_HEADER)
		r = tree_begin(m, (struct str){m->hdr, m->nhdr}, false, e);
	return r < 0 ? r : 0;
}

int mime_end(struct mime *m, struct coi_err *e)
{
	int r;

	if (m->failed || m->ended)
		return -1;
	r = last_line(m, e);
	m->unclosed = m->nopen > 0 && m->open[0].children > 0;
	if (r == 0)
		r = tree_close(m, 0, false, e);
	m->ended = true;
	return r;
}
