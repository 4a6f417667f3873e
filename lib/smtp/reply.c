#include "smtp/reply.h"

#include "core/limits.h"

void smtp_reply_reset(struct smtp_reply *r)
{
	struct buf text = r->text;

	text.n = 0;
	*r = (struct smtp_reply){.text = text};
}

void smtp_reply_free(struct smtp_reply *r)
{
	buf_free(&r->text);
}

static int fault(struct smtp_reply *r, const char *why)
{
	r->fault = why;
	return -1;
}

static int end_of_line(struct smtp_reply *r)
{
	r->cr = false;
	if (r->column < 3)
		return fault(r, "a line without a reply code");
	if (r->lines > 0 && r->line_code != r->code)
		return fault(r, "different codes in one reply");
	r->code = r->line_code;
	if (++r->lines > LIMIT_SMTP_LINES)
		return fault(r, "a reply of too many lines");
	buf_c(&r->text, '\n');
	if (r->text.n > LIMIT_SMTP_TEXT)
		return fault(r, "a reply that is too long");
	r->column = 0;
	r->line_code = 0;
	return r->more ? 0 : 1;
}

static int code_digit(struct smtp_reply *r, char c)
{
	if (c < '0' || c > '9')
		return fault(r, "a line without a reply code");
	if (r->column == 0 && (c < '2' || c > '5'))
		return fault(r, "a reply code out of range");
	r->line_code = r->line_code * 10 + (c - '0');
	r->column++;
	return 0;
}

/* Octets of the text up to the line's end; a CR right before LF is dropped. */
static int take_text(struct smtp_reply *r, const char *p, size_t n)
{
	if (n == 0)
		return 0;
	if (r->cr)
		buf_c(&r->text, '\r');
	r->cr = p[n - 1] == '\r';
	buf_add(&r->text, p, n - (r->cr ? 1 : 0));
	r->column += (unsigned)n;
	if (r->column > LIMIT_SMTP_LINE)
		return fault(r, "a line that is too long");
	return 0;
}

int smtp_reply_feed(struct smtp_reply *r, struct str in, size_t *used)
{
	const char *p = in.p, *end = in.p + in.n, *lf;
	int rc = 0;

	*used = 0;
	if (in.n == 0)
		return 0;
	while (p < end && rc == 0) {
		if (*p == '\n') {
			p++;
			rc = end_of_line(r);
		} else if (r->column < 3) {
			rc = code_digit(r, *p++);
		} else if (r->column == 3) {
			if (*p != ' ' && *p != '-' && *p != '\r') {
				rc = fault(r, "a line without a reply code");
				break;
			}
			r->more = *p == '-';
			r->cr = *p == '\r';
			r->column++;
			p++;
		} else {
			size_t n = (size_t)(end - p), room;

			/* No further than the limit: an endless line without
			 * LF ends the same wherever it is cut. */
			room = LIMIT_SMTP_LINE + 1 - r->column;
			if (n > room)
				n = room;
			lf = memchr(p, '\n', n);
			if (lf != NULL)
				n = (size_t)(lf - p);
			rc = take_text(r, p, n);
			p += n;
		}
	}
	*used = (size_t)(p - in.p);
	return rc;
}

/* The length of "D.DDD.DDD" at the start of s, 0 if there is none. */
static size_t enhanced_len(struct str s, int code)
{
	size_t i = 0, from;
	int part;

	if (s.n < 5 || s.p[0] != '0' + code / 100 ||
	    (s.p[0] != '2' && s.p[0] != '4' && s.p[0] != '5'))
		return 0;
	i = 1;
	for (part = 0; part < 2; part++) {
		if (i >= s.n || s.p[i] != '.')
			return 0;
		from = ++i;
		while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
			i++;
		if (i == from || i - from > 3)
			return 0;
	}
	return i == s.n || s.p[i] == ' ' || s.p[i] == '\n' ? i : 0;
}

struct str smtp_reply_enhanced(const struct smtp_reply *r)
{
	size_t n = enhanced_len(buf_view(&r->text), r->code);

	return n > 0 ? str_sub(buf_view(&r->text), 0, n) : STR_NONE;
}

void smtp_reply_words(const struct smtp_reply *r, struct buf *out)
{
	struct str rest = buf_view(&r->text), line;
	size_t k, start = out->n;

	while (str_line(&rest, &line)) {
		k = enhanced_len(line, r->code);
		line = str_trim(str_sub(line, k, line.n - k));
		if (line.n == 0)
			continue;
		if (out->n > start)
			buf_c(out, ' ');
		buf_clean(out, line);
	}
}
