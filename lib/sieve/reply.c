#include "sieve/reply.h"

#include "core/limits.h"

#define DEEP 16

enum {
	BETWEEN,
	ATOM,
	QUOTED,
	ESCAPED,
	SIZE_FIRST,
	SIZE,	   /* {123 */
	SIZE_PLUS, /* {123+ */
	SIZE_END,  /* {123} */
	SIZE_CR,
	LITERAL,
	AFTER, /* a string: a blank, a parenthesis or the end */
	LINE_CR
};

void sieve_line_reset(struct sieve_line *l)
{
	struct buf text = l->text;

	text.n = 0;
	*l = (struct sieve_line){.text = text};
}

void sieve_line_free(struct sieve_line *l)
{
	buf_free(&l->text);
	*l = (struct sieve_line){.n = 0};
}

static int fault(struct sieve_line *l, const char *why)
{
	l->fault = why;
	return -1;
}

static void word(struct sieve_line *l, bool string)
{
	if (l->n == SIEVE_WORDS) {
		l->many = true;
		l->text.n = l->at;
		return;
	}
	l->v[l->n++] = (struct sieve_word){.string = string,
					   .at = l->at,
					   .n = l->text.n - l->at,
					   .deep = l->deep};
}

static bool atom_char(unsigned char c)
{
	return c > ' ' && c != 0x7f && c != '"' && c != '(' && c != ')' &&
	       c != '{' && c != '}';
}

/* What may stand between words: 1 at the end of the line. */
static int between(struct sieve_line *l, char c)
{
	l->at = l->text.n;
	switch (c) {
	case ' ':
		l->state = BETWEEN;
		return 0;
	case '\r':
		l->state = LINE_CR;
		return 0;
	case '\n':
		if (l->deep > 0)
			return fault(l, "a line with an open parenthesis");
		return 1;
	case '(':
		if (++l->deep > DEEP)
			return fault(l, "too many parentheses");
		l->state = BETWEEN;
		return 0;
	case ')':
		if (l->deep == 0)
			return fault(l, "a line with a stray parenthesis");
		l->deep--;
		l->state = AFTER;
		return 0;
	}
	if (l->state == AFTER)
		return fault(l, "two words without a blank between");
	if (c == '"') {
		l->state = QUOTED;
	} else if (c == '{') {
		l->left = 0;
		l->state = SIZE_FIRST;
	} else if (atom_char((unsigned char)c)) {
		buf_c(&l->text, c);
		l->state = ATOM;
	} else {
		return fault(l, "an octet that has no place there");
	}
	return 0;
}

static int size_digit(struct sieve_line *l, char c)
{
	if (c >= '0' && c <= '9') {
		l->left = l->left * 10 + (uint64_t)(c - '0');
		if (l->left > LIMIT_SIEVE_SCRIPT)
			return fault(l, "a literal that is too long");
		l->state = SIZE;
		return 0;
	}
	if (l->state == SIZE_FIRST)
		return fault(l, "a literal without a size");
	if (c == '+')
		l->state = SIZE_PLUS;
	else if (c == '}')
		l->state = SIZE_END;
	else
		return fault(l, "a literal without a size");
	return 0;
}

static int begin_literal(struct sieve_line *l)
{
	/* one line's literals together, too */
	if (l->text.n + l->left > LIMIT_SIEVE_SCRIPT + LIMIT_SIEVE_LINE)
		return fault(l, "a line that is too long");
	l->state = LITERAL;
	if (l->left == 0) {
		word(l, true);
		l->state = AFTER;
	}
	return 0;
}

static int feed_char(struct sieve_line *l, char c)
{
	switch (l->state) {
	case ATOM:
		if (atom_char((unsigned char)c)) {
			buf_c(&l->text, c);
			return 0;
		}
		word(l, false);
		if (c == '"' || c == '{')
			return fault(l, "two words without a blank between");
		l->state = AFTER;
		return between(l, c);
	case QUOTED:
		if (c == '"') {
			word(l, true);
			l->state = AFTER;
		} else if (c == '\\') {
			l->state = ESCAPED;
		} else if (c == '\r' || c == '\n' || c == '\0') {
			return fault(l, "a string with a line end in it");
		} else {
			buf_c(&l->text, c);
		}
		return 0;
	case ESCAPED:
		if (c == '\r' || c == '\n' || c == '\0')
			return fault(l, "a string with a line end in it");
		buf_c(&l->text, c);
		l->state = QUOTED;
		return 0;
	case SIZE_FIRST:
	case SIZE:
		return size_digit(l, c);
	case SIZE_PLUS:
		l->state = SIZE_END;
		return c == '}' ? 0 : fault(l, "a literal without a size");
	case SIZE_END:
	case SIZE_CR:
		if (c == '\n')
			return begin_literal(l);
		if (c != '\r' || l->state == SIZE_CR)
			return fault(l, "a literal without a line end");
		l->state = SIZE_CR;
		return 0;
	case LINE_CR:
		if (c != '\n')
			return fault(l, "a carriage return inside a line");
		return between(l, c);
	default:
		return between(l, c);
	}
}

int sieve_line_feed(struct sieve_line *l, struct str in, size_t *used)
{
	size_t i = 0, n;
	int rc = 0;

	while (i < in.n && rc == 0) {
		if (l->state == LITERAL) {
			n = in.n - i < l->left ? in.n - i : (size_t)l->left;
			buf_add(&l->text, in.p + i, n);
			i += n;
			l->left -= n;
			if (l->left == 0) {
				word(l, true);
				l->state = AFTER;
			}
			continue;
		}
		if (++l->octets > LIMIT_SIEVE_LINE)
			rc = fault(l, "a line that is too long");
		else
			rc = feed_char(l, in.p[i++]);
	}
	*used = i;
	return rc;
}

struct str sieve_line_word(const struct sieve_line *l, size_t i)
{
	if (i >= l->n)
		return STR_NONE;
	return l->v[i].n == 0
		   ? STR("")
		   : str_sub(buf_view(&l->text), l->v[i].at, l->v[i].n);
}

enum sieve_status sieve_line_status(const struct sieve_line *l)
{
	struct str w = sieve_line_word(l, 0);

	if (l->n == 0 || l->v[0].string || l->v[0].deep > 0)
		return SIEVE_DATA;
	return str_iis(w, "OK")	   ? SIEVE_OK
	       : str_iis(w, "NO")  ? SIEVE_NO
	       : str_iis(w, "BYE") ? SIEVE_BYE
				   : SIEVE_DATA;
}

struct str sieve_line_code(const struct sieve_line *l)
{
	return l->n > 1 && l->v[1].deep == 1 && !l->v[1].string
		   ? sieve_line_word(l, 1)
		   : STR_NONE;
}

struct str sieve_line_argument(const struct sieve_line *l)
{
	return sieve_line_code(l).p != NULL && l->n > 2 && l->v[2].deep == 1 &&
		       l->v[2].string
		   ? sieve_line_word(l, 2)
		   : STR_NONE;
}

struct str sieve_line_words(const struct sieve_line *l)
{
	size_t i;

	for (i = 1; i < l->n; i++)
		if (l->v[i].deep == 0 && l->v[i].string)
			return sieve_line_word(l, i);
	return STR_NONE;
}
