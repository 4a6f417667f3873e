/* Tokens of a response (RFC 3501 9), without recursion, in linear time. */
#include "core/limits.h"
#include "imap/priv.h"

bool cur_end(struct imap_cur *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
	return c->p == c->end;
}

bool cur_sp(struct imap_cur *c)
{
	if (!cur_ch(c, ' '))
		return false;
	while (cur_ch(c, ' '))
		;
	return true;
}

bool cur_peek(const struct imap_cur *c, char ch)
{
	return c->p < c->end && *c->p == ch;
}

bool cur_ch(struct imap_cur *c, char ch)
{
	if (!cur_peek(c, ch))
		return false;
	c->p++;
	return true;
}

bool cur_atom(struct imap_cur *c, struct str *s)
{
	const char *q = c->p;

	while (q < c->end && *q != ' ' && *q != '(' && *q != ')' && *q != '"' &&
	       *q != '{' && *q != '\r' && *q != '\n')
		q++;
	*s = (struct str){c->p, (size_t)(q - c->p)};
	c->p = q;
	return s->n > 0;
}

size_t imap_quoted_end(const char *p, size_t n, bool *escapes)
{
	size_t i;

	*escapes = false;
	for (i = 1; i < n; i++) {
		if (p[i] == '"')
			return i + 1;
		if (p[i] == '\\') {
			*escapes = true;
			i++;
		}
	}
	return 0;
}

void imap_unquote(struct str inner, char *out, size_t *n)
{
	size_t i, k = 0;

	for (i = 0; i < inner.n; i++) {
		if (inner.p[i] == '\\' && i + 1 < inner.n)
			i++;
		out[k++] = inner.p[i];
	}
	*n = k;
}

static bool quoted(struct imap_cur *c, struct str *s)
{
	bool escapes;
	size_t k = imap_quoted_end(c->p, (size_t)(c->end - c->p), &escapes);
	char *out;

	if (k == 0)
		return false;
	*s = (struct str){c->p + 1, k - 2};
	c->p += k;
	if (escapes) {
		out = arena_alloc(c->a, s->n + 1);
		imap_unquote(*s, out, &s->n);
		s->p = out;
	}
	return true;
}

/* {n}CRLF and n octets, as the reader keeps them. */
static bool literal(struct imap_cur *c, struct str *s)
{
	const char *q;
	uint64_t n;

	cur_ch(c, '~');
	if (!cur_ch(c, '{'))
		return false;
	for (q = c->p; q < c->end && *q >= '0' && *q <= '9';)
		q++;
	if (!str_u64((struct str){c->p, (size_t)(q - c->p)}, SIZE_MAX / 2, &n))
		return false;
	c->p = q;
	cur_ch(c, '+');
	if (!cur_ch(c, '}') || !cur_ch(c, '\r') || !cur_ch(c, '\n') ||
	    n > (uint64_t)(c->end - c->p))
		return false;
	*s = (struct str){c->p, (size_t)n};
	c->p += n;
	return true;
}

static bool at_literal(const struct imap_cur *c)
{
	return cur_peek(c, '{') ||
	       (c->end - c->p > 1 && c->p[0] == '~' && c->p[1] == '{');
}

bool cur_astring(struct imap_cur *c, struct str *s)
{
	if (cur_peek(c, '"'))
		return quoted(c, s);
	return at_literal(c) ? literal(c, s) : cur_atom(c, s);
}

bool cur_nstring(struct imap_cur *c, struct str *s)
{
	bool word = !cur_peek(c, '"') && !at_literal(c);

	if (!cur_astring(c, s))
		return false;
	if (word && str_iis(*s, "NIL"))
		*s = STR_NONE;
	return true;
}

bool cur_u64(struct imap_cur *c, uint64_t max, uint64_t *v)
{
	const char *q = c->p;

	while (q < c->end && *q >= '0' && *q <= '9')
		q++;
	if (!str_u64((struct str){c->p, (size_t)(q - c->p)}, max, v))
		return false;
	c->p = q;
	return true;
}

bool cur_u32(struct imap_cur *c, uint32_t *v)
{
	uint64_t n;

	if (!cur_u64(c, UINT32_MAX, &n))
		return false;
	*v = (uint32_t)n;
	return true;
}

bool cur_skip(struct imap_cur *c)
{
	unsigned depth = 0;
	struct str s;

	do {
		while (depth > 0 && cur_ch(c, ' '))
			;
		if (cur_ch(c, '(')) {
			if (++depth > LIMIT_IMAP_NESTING)
				return false;
		} else if (depth > 0 && cur_ch(c, ')')) {
			depth--;
		} else if (cur_peek(c, '"')) {
			bool escapes;
			size_t k = imap_quoted_end(
			    c->p, (size_t)(c->end - c->p), &escapes);

			if (k == 0)
				return false;
			c->p += k;
		} else if (!cur_astring(c, &s)) {
			return false;
		}
	} while (depth > 0);
	return true;
}

int imap_literal_tail(struct str line, size_t *before, uint64_t *n)
{
	size_t i = line.n, end;

	if (i < 3 || line.p[i - 1] != '}')
		return 0;
	i--;
	if (line.p[i - 1] == '+')
		i--;
	end = i;
	while (i > 0 && line.p[i - 1] >= '0' && line.p[i - 1] <= '9')
		i--;
	if (i == end || i == 0 || line.p[i - 1] != '{')
		return 0;
	if (!str_u64(str_sub(line, i, end - i), LIMIT_IMAP_LITERAL, n))
		return -1;
	i--;
	if (i > 0 && line.p[i - 1] == '~')
		i--;
	*before = i;
	return 1;
}
