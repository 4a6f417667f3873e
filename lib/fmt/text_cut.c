#include "core/mem.h"
#include "fmt/text.h"
#include "fmt/text_words.h"

enum line_kind { OWN, BLANK, QUOTE, DROP };

struct line {
	uint32_t at, n;
	enum line_kind kind;
};

struct lines {
	struct line *v;
	size_t n, cap;
	struct str text;
};

static struct str view(const struct lines *l, size_t i)
{
	return str_sub(l->text, l->v[i].at, l->v[i].n);
}

static void read_lines(struct lines *l)
{
	struct str rest = l->text, s;

	while (str_line(&rest, &s)) {
		struct line *x;

		l->v = mem_more(l->v, l->n, &l->cap, sizeof(*l->v));
		x = &l->v[l->n++];
		x->at = (uint32_t)(s.p - l->text.p);
		x->n = (uint32_t)s.n;
		x->kind = str_trim(s).n == 0 ? BLANK
			  : s.p[0] == '>'    ? QUOTE
					     : OWN;
	}
}

/* ">From " alone is what mbox files make of a "From " that is text. */
static void mbox_lines(struct lines *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].kind == QUOTE && str_starts(view(l, i), ">From ") &&
		    (i == 0 || l->v[i - 1].kind != QUOTE) &&
		    (i + 1 == l->n || l->v[i + 1].kind != QUOTE))
			l->v[i].kind = OWN;
}

/* --- Outlook: a rule or separator, then a header block ----------------------
 */

/* Line i begins "From: ... Sent: ... To: ... Subject: ...". */
static size_t header_block(const struct lines *l, size_t i)
{
	unsigned seen = 0, kinds = 0;
	size_t k, misses = 0;

	if (words_header(view(l, i)) != WORDS_FROM)
		return 0;
	for (k = i; k < l->n && k < i + 12 && misses < 2; k++) {
		int h = words_header(view(l, k));

		if (l->v[k].kind == BLANK)
			break;
		if (h == WORDS_NONE) {
			misses++; /* a long To: that was wrapped */
			continue;
		}
		misses = 0;
		if ((seen & 1u << h) == 0)
			kinds++;
		seen |= 1u << h;
	}
	return kinds;
}

static bool rule(struct str s)
{
	size_t i;

	s = str_trim(s);
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '_' && s.p[i] != '-')
			return false;
	return s.n >= 5;
}

/* The line where a quoted original begins that runs to the end, or l->n. */
static size_t original(const struct lines *l)
{
	size_t i, above = 0;
	bool any =
	    false; /* a line that is not blank stands above, at `above` */

	for (i = 0; i < l->n; i++) {
		struct str s = view(l, i);
		bool ruled = any && rule(view(l, above));
		size_t kinds;

		if (l->v[i].kind != OWN) {
			if (l->v[i].kind == QUOTE)
				any = true, above = i;
			continue;
		}
		if (words_separator(s))
			return i;
		kinds = header_block(l, i);
		if (kinds >= 2 && ruled)
			return above;
		/* Behind "---- Forwarded message ----" or "Look:" it is not
		 * what is answered but what is sent on. */
		if (kinds >= 3 && i > 0 && l->v[i - 1].kind == BLANK && any &&
		    !words_forwards(view(l, above)))
			return i;
		any = true;
		above = i;
	}
	return l->n;
}

/* --- attribution lines ------------------------------------------------------
 */

static struct str join(struct buf *b, const struct lines *l, size_t from,
		       size_t to)
{
	size_t i;

	buf_clear(b);
	for (i = from; i <= to; i++) {
		if (i > from)
			buf_c(b, ' ');
		buf_str(b, str_trim(view(l, i)));
	}
	return buf_view(b);
}

/* Lines above a quote (which begins at `quote`) that introduce it. */
static void attribution(struct lines *l, size_t quote, struct buf *b)
{
	size_t last = quote, n, found = 0;

	while (last > 0 && quote - last < 2 && l->v[last - 1].kind == BLANK)
		last--;
	if (last == 0 || l->v[last - 1].kind != OWN)
		return;
	last--;
	if (l->v[last].n > 300)
		return;
	if (words_attribution(view(l, last), false))
		found = 1;
	/* "On ..., John Doe\n<john@example.org> wrote:" */
	for (n = 2; n <= 3 && n <= last + 1; n++) {
		struct str top = view(l, last + 1 - n);

		if (l->v[last + 1 - n].kind != OWN || top.n > 300)
			break;
		top = str_trim(top);
		if (strchr(".!?", top.p[top.n - 1]) != NULL)
			break;
		if (words_opener(top) &&
		    words_attribution(join(b, l, last + 1 - n, last), true))
			found = n;
		if (found == n)
			break;
	}
	while (found > 0) {
		l->v[last].kind = DROP;
		if (last > 0)
			last--;
		found--;
	}
}

/* --- the whole ---------------------------------------------------------------
 */

static void write_own(const struct lines *l, size_t end, struct buf *own)
{
	size_t i, blanks = 0;
	bool first = true, cut = false;

	for (i = 0; i < end; i++) {
		struct str s = view(l, i);

		switch (l->v[i].kind) {
		case BLANK:
			blanks++;
			break;
		case OWN:
			/* One blank line where something was cut. */
			if (cut)
				blanks = 1;
			if (!first)
				for (blanks++; blanks > 0; blanks--)
					buf_c(own, '\n');
			buf_str(own, s);
			first = cut = false;
			blanks = 0;
			break;
		default:
			cut = true;
		}
	}
}

bool text_cut(struct str text, struct buf *own)
{
	struct lines l = {.text = text};
	struct buf joined = {0};
	size_t i, end, kept = 0;
	bool cut = false;

	if (text.n == 0)
		return false;
	if (text.n > UINT32_MAX) {
		text_lf(own, text);
		return false;
	}
	read_lines(&l);
	mbox_lines(&l);
	end = original(&l);
	for (i = 0; i < end; i++)
		if (l.v[i].kind == OWN && str_is(view(&l, i), "-- "))
			break;
	end = i < end ? i : end;
	for (i = 0; i < end; i++)
		if (l.v[i].kind == QUOTE &&
		    (i == 0 || l.v[i - 1].kind != QUOTE))
			attribution(&l, i, &joined);
	/* "On ... wrote:" above a separator. */
	for (i = end; i > 0 && l.v[i - 1].kind == BLANK; i--)
		;
	if (end < l.n && !str_is(view(&l, end), "-- "))
		attribution(&l, i, &joined);
	for (i = 0; i < end; i++) {
		kept += l.v[i].kind == OWN;
		cut |= l.v[i].kind == QUOTE || l.v[i].kind == DROP;
	}
	cut |= end < l.n;
	if (kept == 0)
		cut = false;
	if (cut)
		write_own(&l, end, own);
	else
		text_lf(own, text);
	free(l.v);
	buf_free(&joined);
	return cut;
}
