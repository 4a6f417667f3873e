#include "imap/structure.h"

#include "core/limits.h"

struct scan {
	struct arena *a;
	const char *p, *end;
};

static void blanks(struct scan *s)
{
	while (s->p < s->end &&
	       (*s->p == ' ' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

/* {n}CRLF octets: the view, or false. */
static bool literal(struct scan *s, struct str *out)
{
	const char *q = memchr(s->p, '}', (size_t)(s->end - s->p));
	struct str digits;
	uint64_t n;

	if (q == NULL)
		return false;
	digits = (struct str){s->p + 1, (size_t)(q - s->p - 1)};
	if (digits.n > 0 && digits.p[digits.n - 1] == '+')
		digits.n--;
	if (!str_u64(digits, LIMIT_IMAP_LITERAL, &n))
		return false;
	s->p = q + 1;
	if (s->p < s->end && *s->p == '\r')
		s->p++;
	if (s->p >= s->end || *s->p != '\n')
		return false;
	s->p++;
	if (n > (uint64_t)(s->end - s->p))
		return false;
	*out = (struct str){s->p, (size_t)n};
	s->p += n;
	return true;
}

/* An atom, number, string, literal or NIL (absent). */
static bool word(struct scan *s, struct str *out)
{
	struct buf b = {0};
	const char *q;

	blanks(s);
	*out = STR_NONE;
	if (s->p >= s->end)
		return false;
	if (*s->p == '{')
		return literal(s, out);
	if (*s->p != '"') {
		for (q = s->p; q < s->end && *q != ' ' && *q != '(' &&
			       *q != ')' && *q != '"';)
			q++;
		if (q == s->p)
			return false;
		*out = (struct str){s->p, (size_t)(q - s->p)};
		s->p = q;
		if (str_iis(*out, "NIL"))
			*out = STR_NONE;
		return true;
	}
	for (q = s->p + 1; q < s->end && *q != '"'; q++) {
		if (*q == '\\' && q + 1 < s->end)
			q++;
		buf_c(&b, *q);
	}
	*out = arena_str(s->a, buf_view(&b));
	buf_free(&b);
	if (q >= s->end)
		return false;
	s->p = q + 1;
	return true;
}

/* Whatever stands here, with all that is in its parentheses. */
static bool skip(struct scan *s)
{
	unsigned depth = 0;
	struct str w;

	do {
		blanks(s);
		if (s->p >= s->end)
			return false;
		if (*s->p == '(') {
			if (++depth > LIMIT_IMAP_NESTING)
				return false;
			s->p++;
		} else if (*s->p == ')') {
			if (depth == 0)
				return false;
			depth--;
			s->p++;
		} else if (!word(s, &w)) {
			return false;
		}
	} while (depth > 0);
	return true;
}

static bool close_paren(struct scan *s)
{
	for (;;) {
		blanks(s);
		if (s->p >= s->end)
			return false;
		if (*s->p == ')') {
			s->p++;
			return true;
		}
		if (!skip(s))
			return false;
	}
}

/* A NIL subtype leaves the type alone. */
static struct str media_type(struct arena *a, struct str type, struct str sub)
{
	if (sub.p == NULL)
		return arena_lower(a, arena_str(a, type));
	return arena_lower(
	    a, arena_fmt(a, "%.*s/%.*s", STR_ARG(type), STR_ARG(sub)));
}

static bool leaf(struct scan *s, struct imap_part *x)
{
	struct str type, sub, w;
	uint64_t n;

	if (!word(s, &type) || !word(s, &sub) || !skip(s) || !skip(s) ||
	    !skip(s) || !word(s, &x->encoding) || !word(s, &w))
		return false;
	if (w.p != NULL && str_u64(w, UINT64_MAX, &n))
		x->octets = n;
	x->type = media_type(s->a, type, sub.p == NULL ? STR("x") : sub);
	x->encoding = arena_lower(s->a, arena_str(s->a, x->encoding));
	return close_paren(s);
}

int imap_structure(struct arena *a, struct str raw, struct imap_part **v,
		   size_t *n, struct coi_err *e)
{
	struct scan s = {a, raw.p, raw.p + raw.n};
	struct {
		size_t index;
		unsigned children;
	} stack[LIMIT_MIME_NESTING];
	unsigned depth = 0;
	size_t cap = 0;

	*v = NULL;
	*n = 0;
	do {
		struct imap_part x = {.parent = -1};
		struct str sub;

		blanks(&s);
		if (s.p >= s.end || *n >= LIMIT_MIME_PARTS)
			goto bad;
		if (*s.p != '(') {
			/* The parts of this multipart are over: its subtype. */
			if (depth == 0 || !word(&s, &sub) || !close_paren(&s))
				goto bad;
			depth--;
			(*v)[stack[depth].index].type = media_type(
			    a, STR("multipart"), sub);
			continue;
		}
		s.p++;
		if (depth > 0) {
			struct str up = (*v)[stack[depth - 1].index].section;
			unsigned k = ++stack[depth - 1].children;

			x.parent = (ptrdiff_t)stack[depth - 1].index;
			x.section = up.n == 0 ? arena_fmt(a, "%u", k)
					      : arena_fmt(a, "%.*s.%u",
							  STR_ARG(up), k);
		}
		blanks(&s);
		x.multipart = s.p < s.end && *s.p == '(';
		if (depth == 0)
			x.section = x.multipart ? STR("") : STR("1");
		if (x.multipart && depth >= LIMIT_MIME_NESTING)
			goto bad;
		if (!x.multipart && !leaf(&s, &x))
			goto bad;
		*v = arena_more(a, *v, *n, &cap, sizeof(**v));
		(*v)[*n] = x;
		if (x.multipart) {
			stack[depth].index = *n;
			stack[depth].children = 0;
			depth++;
		}
		(*n)++;
	} while (depth > 0);
	return 0;
bad:
	return err_set(e, COI_E_PROTOCOL, "unreadable BODYSTRUCTURE");
}
