/* The address reader: one pass, no recursion, nothing refused as a whole. */
#include "fmt/addr.h"

#include "core/limits.h"
#include "fmt/comment.h"
#include "fmt/hdr.h"

#define LITERAL_MAX 256 /* octets of a domain literal */

void addr_add(struct arena *a, struct addr_list *l, struct addr x)
{
	if (l->n >= l->cap) {
		struct addr *v;

		l->cap = l->n < 4 ? 4 : l->n * 2;
		v = arena_alloc(a, l->cap * sizeof(*v));
		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
	}
	l->v[l->n++] = x;
}

struct reader {
	struct arena *a;
	struct addr_list *out;
	const char *p, *end;
	const char *last_gt; /* nothing behind it closes a "<" */
	size_t skipped;
	bool no_comment; /* a comment that never ends was met: "(" is text */
	bool no_quote;	 /* likewise */
	bool loose;	 /* something was guessed: addr_one() refuses that */
};

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What ends a stretch of ordinary characters. */
static const bool special[256] = {
    [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true, ['('] = true,
    ['"'] = true, ['<'] = true,	 ['>'] = true,	['['] = true,  [':'] = true,
    [';'] = true, [','] = true,	 ['@'] = true};

static const char *ordinary(const char *p, const char *end)
{
	while (p < end && !special[(unsigned char)*p])
		p++;
	return p;
}

/* Behind the comment that begins at p, NULL if it is none. */
static const char *comment(struct reader *r, const char *p)
{
	const char *q = r->no_comment ? NULL : comment_end(p, r->end);

	if (q == NULL && !r->no_comment)
		r->no_comment = r->loose = true;
	return q;
}

/* Behind the quoted string that begins at p, NULL if it is none. */
static const char *quoted(struct reader *r, const char *p)
{
	if (r->no_quote)
		return NULL;
	for (p++; p < r->end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	r->no_quote = r->loose = true;
	return NULL;
}

/* Behind the [literal] that begins at p, NULL if it is none. */
static const char *literal(struct reader *r, const char *p)
{
	const char *end = r->end - p > LITERAL_MAX ? p + LITERAL_MAX : r->end;

	for (p++; p < end && !blank(*p) && *p != ',' && *p != '<'; p++)
		if (*p == ']')
			return p + 1;
	return NULL;
}

/*
 * Behind the comment, quoted string or other unit at p; *kind is '(' or '"' or
 * the character itself.
 */
static const char *unit(struct reader *r, const char *p, char *kind)
{
	const char *q = NULL;

	*kind = *p;
	if (*p == '(')
		q = comment(r, p);
	else if (*p == '"')
		q = quoted(r, p);
	else
		return p + 1;
	if (q != NULL)
		return q;
	*kind = ' '; /* a lone quote or parenthesis separates */
	return p + 1;
}

/* The phrase as text: quotes and comments gone, runs of blanks made one. */
static struct str phrase(struct reader *r, const char *from, const char *to)
{
	struct str s = str_trim((struct str){from, (size_t)(to - from)});
	const char *q;
	bool gap = false, simple = true;
	size_t i, n = 0;
	char kind, *p;

	if (s.n > 1 && s.p[0] == '"' && s.p[s.n - 1] == '"' &&
	    memchr(s.p + 1, '"', s.n - 2) == NULL &&
	    memchr(s.p, '\\', s.n) == NULL)
		return hdr_text(r->a, str_trim(str_sub(s, 1, s.n - 2)));
	for (i = 0; i < s.n && simple; i++)
		simple = s.p[i] != '"' && s.p[i] != '(' && s.p[i] != '\\' &&
			 (!blank(s.p[i]) ||
			  (s.p[i] == ' ' && s.p[i + 1] != ' '));
	if (simple)
		return hdr_text(r->a, s);
	p = arena_alloc(r->a, s.n + 1);
	for (q = s.p, to = s.p + s.n; q < to; q = from) {
		from = unit(r, q, &kind);
		if (from > to) { /* "(" or a quote that closes elsewhere */
			from = q + 1;
			kind = ' ';
		}
		if (kind == '(' || blank(kind)) {
			gap = n > 0;
			continue;
		}
		if (gap)
			p[n++] = ' ';
		gap = false;
		if (kind != '"') {
			p[n++] = *q;
			continue;
		}
		for (q++; q < from - 1; q++) {
			if (*q == '\\' && q + 1 < from - 1)
				q++;
			p[n++] = *q;
		}
	}
	return str_trim(hdr_text(r->a, (struct str){p, n}));
}

/* What may stand between the words of one address: blanks and comments. */
static const char *skip(struct reader *r, const char *p, const char *end)
{
	const char *q;

	while (p < end) {
		if (blank(*p)) {
			p++;
		} else if (*p == '(' && (q = comment(r, p)) != NULL) {
			p = q;
		} else {
			break;
		}
	}
	return p;
}

/*
 * The next run of words joined by dots and "@" in [p, end), with blanks and
 * comments inside it taken out.  *from is where it begins; returns what is
 * behind it, NULL if there is none left.
 */
static const char *run(struct reader *r, const char *p, const char *end,
		       const char **from, struct str *s, bool *at)
{
	const char *q, *stop;
	bool clean = true;
	struct buf b = {0};
	char kind;

	p = skip(r, p, end);
	if (p >= end)
		return NULL;
	*from = stop = p;
	*at = false;
	for (;;) {
		while (p < end && !blank(*p) && *p != ':' && *p != ',' &&
		       *p != '>' && *p != '<') {
			q = ordinary(p, end);
			if (q > p) {
				if (!clean)
					buf_add(&b, p, (size_t)(q - p));
				p = stop = q;
				continue;
			}
			q = NULL;
			if (*p == '(' && comment(r, p) != NULL)
				break;
			if (*p == '[' && p > *from && p[-1] == '@')
				q = literal(r, p);
			if (q == NULL)
				q = unit(r, p, &kind);
			else
				kind = '[';
			if (kind == ' ') /* a lone quote or parenthesis */
				break;
			if (q > end)
				q = end;
			if (kind == '@')
				*at = true;
			if (!clean)
				buf_add(&b, p, (size_t)(q - p));
			p = stop = q;
		}
		/* Blanks are part of it only beside a dot or an "@". */
		q = skip(r, p, end);
		if (q == p || q >= end || stop == *from)
			break;
		if (*q != '.' && *q != '@' && stop[-1] != '.' &&
		    stop[-1] != '@')
			break;
		if (*q == ':' || *q == ',' || *q == '>' || *q == '<')
			break;
		if (clean)
			buf_add(&b, *from, (size_t)(stop - *from));
		clean = false;
		p = q;
	}
	*s = (struct str){*from, (size_t)(stop - *from)};
	if (!clean)
		*s = buf_view(&b);
	if (*at && (s->p[0] == '@' || s->p[s->n - 1] == '@'))
		*at = false;
	if (*at && (!clean || !utf8_valid(*s))) {
		struct buf u = {0};

		hdr_utf8(&u, *s);
		*s = arena_str(r->a, buf_view(&u));
		buf_free(&u);
	}
	buf_free(&b);
	return stop == *from ? stop + 1 : stop;
}

static void emit(struct reader *r, struct str name, struct str email)
{
	if (r->out->n >= LIMIT_ADDRESSES) {
		r->skipped++;
		return;
	}
	if (name.n == 0)
		name = STR_NONE;
	addr_add(r->a, r->out, (struct addr){name, email});
}

/* All addresses in [p, end); `name` goes to the first; none: skipped. */
static void specs(struct reader *r, const char *p, const char *end,
		  struct str name, bool angle)
{
	const char *start = p, *from, *next;
	size_t found = 0, runs = 0;
	struct str s;
	bool at;

	while ((next = run(r, p, end, &from, &s, &at)) != NULL) {
		runs++;
		if (at) {
			if (found++ == 0 && !angle && from > start)
				name = phrase(r, start, from);
			emit(r, found == 1 ? name : STR_NONE, s);
			if (angle)
				break;
		}
		p = next;
	}
	if (found == 0 && (runs > 0 || angle))
		r->skipped++;
	if (runs > 1)
		r->loose = true;
}

/* r->p is behind "<".  Reads up to ">", or to what shows that it is missing. */
static void angle(struct reader *r, struct str name)
{
	const char *from, *p;
	bool route;
	char kind;

	while (r->p < r->end && (blank(*r->p) || *r->p == '<')) {
		r->loose = r->loose || *r->p == '<';
		r->p++;
	}
	from = p = r->p;
	/* "<@a,@b:c@d>": the commas are part of the route. */
	route = r->last_gt != NULL && p < r->last_gt && *p == '@';
	while (p < r->end && *p != '>' && *p != '<') {
		if (!route && (*p == ',' || *p == ';'))
			break;
		p = unit(r, p, &kind);
	}
	r->loose = r->loose || route || p == r->end || *p != '>';
	for (r->p = p; r->p < r->end && *r->p == '>'; r->p++)
		r->loose = r->loose || r->p > p;
	specs(r, from, p, name, true);
}

static void item(struct reader *r)
{
	const char *from = r->p, *p = r->p, *q;
	bool at = false;
	char kind;

	while ((p = ordinary(p, r->end)) < r->end) {
		q = NULL;
		if (*p == '[' && p > from && p[-1] == '@')
			q = literal(r, p);
		if (q != NULL) {
			p = q;
			continue;
		}
		q = unit(r, p, &kind);
		if (kind == ',' || kind == ';' || kind == '<' || kind == ':')
			break;
		at = at || kind == '@';
		p = q;
	}
	kind = p < r->end ? *p : ',';
	if (kind == ':') {
		r->p = p + 1;
		r->loose = true;
		if (at)
			specs(r, from, p, STR_NONE, false);
		return; /* else the name of a group, or "mailto:" */
	}
	if (kind == '<') {
		r->p = p + 1;
		angle(r, phrase(r, from, p));
		return;
	}
	specs(r, from, p, STR_NONE, false);
	r->p = p;
}

static void read_all(struct reader *r, struct str field)
{
	r->p = field.p;
	r->end = field.p + field.n;
	r->last_gt = field.n == 0 ? NULL : memrchr(field.p, '>', field.n);
	while (r->p < r->end) {
		if (*r->p == ',' || *r->p == ';') {
			r->loose = true;
			r->p++;
		} else {
			item(r);
		}
	}
}

size_t addr_parse(struct arena *a, struct str field, struct addr_list *out)
{
	struct reader r = {.a = a, .out = out};

	read_all(&r, field);
	return r.skipped;
}

int addr_one(struct arena *a, struct str text, struct addr *out,
	     struct coi_err *e)
{
	struct addr_list l = {0};
	struct reader r = {.a = a, .out = &l};
	const char *why = NULL;

	text = str_trim(text);
	if (!hdr_safe(text) || !utf8_valid(text))
		return err_set(e, COI_E_DATA,
			       "address with control characters or invalid "
			       "UTF-8");
	read_all(&r, text);
	if (text.n == 0)
		why = "empty";
	else if (l.n > 1)
		why = "more than one address";
	else if (l.n == 0)
		why = "no \"@\" with a name and a domain around it";
	else if (r.loose || r.skipped > 0)
		why = "write it as name@domain or \"Name <name@domain>\"";
	else
		why = addr_why(l.v[0].email);
	if (why != NULL)
		return err_set(e, COI_E_DATA, "address \"%.*s\": %s",
			       STR_ARG(text), why);
	*out = l.v[0];
	return 0;
}
