#include "fmt/html_tag.h"

#include <string.h>

/* Sorted. */
static const struct {
	const char *name;
	enum tag_kind kind;
} tags[] = {
    {"a", TAG_LINK},	       {"address", TAG_BLOCK},
    {"area", TAG_VOID},	       {"article", TAG_BLOCK},
    {"aside", TAG_BLOCK},      {"base", TAG_VOID},
    {"blockquote", TAG_QUOTE}, {"body", TAG_BLOCK},
    {"br", TAG_BREAK},	       {"caption", TAG_BLOCK},
    {"center", TAG_BLOCK},     {"col", TAG_VOID},
    {"dd", TAG_BLOCK},	       {"details", TAG_BLOCK},
    {"dir", TAG_LIST},	       {"div", TAG_BLOCK},
    {"dl", TAG_PARAGRAPH},     {"dt", TAG_BLOCK},
    {"embed", TAG_VOID},       {"fieldset", TAG_BLOCK},
    {"figcaption", TAG_BLOCK}, {"figure", TAG_BLOCK},
    {"footer", TAG_BLOCK},     {"form", TAG_BLOCK},
    {"h1", TAG_PARAGRAPH},     {"h2", TAG_PARAGRAPH},
    {"h3", TAG_PARAGRAPH},     {"h4", TAG_PARAGRAPH},
    {"h5", TAG_PARAGRAPH},     {"h6", TAG_PARAGRAPH},
    {"header", TAG_BLOCK},     {"hr", TAG_RULE},
    {"html", TAG_BLOCK},       {"iframe", TAG_RAW},
    {"img", TAG_IMAGE},	       {"input", TAG_VOID},
    {"legend", TAG_BLOCK},     {"li", TAG_ITEM},
    {"link", TAG_VOID},	       {"main", TAG_BLOCK},
    {"menu", TAG_LIST},	       {"meta", TAG_VOID},
    {"nav", TAG_BLOCK},	       {"noembed", TAG_RAW},
    {"noframes", TAG_RAW},     {"ol", TAG_LIST},
    {"option", TAG_BLOCK},     {"p", TAG_PARAGRAPH},
    {"param", TAG_VOID},       {"pre", TAG_PRE},
    {"script", TAG_RAW},       {"section", TAG_BLOCK},
    {"select", TAG_BLOCK},     {"source", TAG_VOID},
    {"style", TAG_RAW},	       {"summary", TAG_BLOCK},
    {"svg", TAG_SKIP},	       {"table", TAG_PARAGRAPH},
    {"tbody", TAG_BLOCK},      {"td", TAG_CELL},
    {"template", TAG_SKIP},    {"textarea", TAG_BLOCK},
    {"tfoot", TAG_BLOCK},      {"th", TAG_CELL},
    {"thead", TAG_BLOCK},      {"title", TAG_SKIP},
    {"tr", TAG_BLOCK},	       {"track", TAG_VOID},
    {"ul", TAG_LIST},	       {"wbr", TAG_VOID},
};

static enum tag_kind kind_of(const char *name)
{
	size_t lo = 0, hi = sizeof(tags) / sizeof(tags[0]);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = strcmp(name, tags[mid].name);

		if (d == 0)
			return tags[mid].kind;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return TAG_INLINE;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* "display: none" or "visibility: hidden" in a style. */
static bool style_hides(struct str s)
{
	static const char *const rules[][2] = {{"display", "none"},
					       {"visibility", "hidden"}};
	size_t i;

	for (i = 0; i < 2; i++) {
		struct str rest = s;
		struct str key = str_of(rules[i][0]);
		ptrdiff_t at;

		while ((at = str_ifind(rest, key)) >= 0) {
			rest = str_sub(rest, (size_t)at + key.n, rest.n);
			rest = str_trim(rest);
			if (rest.n == 0 || rest.p[0] != ':')
				continue;
			rest = str_trim(str_sub(rest, 1, rest.n));
			if (str_istarts(rest, rules[i][1]))
				return true;
		}
	}
	return false;
}

static void attribute(struct tag *t, struct str name, struct str value)
{
	uint64_t v;

	switch (name.n) {
	case 3:
		if (str_iis(name, "alt"))
			t->alt = value;
		break;
	case 4:
		if (str_iis(name, "href"))
			t->href = value;
		break;
	case 5:
		if (str_iis(name, "style"))
			t->hidden |= style_hides(value);
		else if ((str_iis(name, "start") || str_iis(name, "value")) &&
			 str_u64(str_trim(value), 999999999, &v))
			t->number = (unsigned long)v;
		break;
	case 6:
		if (str_iis(name, "hidden"))
			t->hidden = true;
		break;
	}
}

/* From behind the tag's name to its ">"; NULL: the input ended before that. */
static const char *attributes(const char *p, const char *end, bool lax,
			      struct tag *t)
{
	while (p < end) {
		struct str name = {p, 0}, value = STR("");
		const char *q;

		if (blank(*p) || *p == '/') {
			p++;
			continue;
		}
		if (*p == '>')
			return p + 1;
		name.p = p++;
		while (p < end && !blank(*p) && *p != '/' && *p != '>' &&
		       *p != '=')
			p++;
		name.n = (size_t)(p - name.p);
		q = p;
		while (q < end && blank(*q))
			q++;
		if (q < end && *q == '=') {
			p = q + 1;
			while (p < end && blank(*p))
				p++;
			if (p == end)
				return NULL;
			value.p = p;
			if (*p == '"' || *p == '\'') {
				value.p++;
				q = memchr(p + 1, *p, (size_t)(end - p - 1));
				if (q == NULL && !lax)
					return NULL;
				if (q == NULL) /* up to the ">" */
					q = end - 1;
				value.n = (size_t)(q - value.p);
				p = *q == '>' ? q : q + 1;
			} else {
				while (p < end && !blank(*p) && *p != '>')
					p++;
				value.n = (size_t)(p - value.p);
			}
		}
		attribute(t, name, value);
	}
	return NULL;
}

const char *tag_read(const char *p, const char *end, struct tag_memory *mem,
		     struct tag *t)
{
	const char *next = NULL, *gt;
	size_t n = 0;

	*t = (struct tag){.end = p[1] == '/'};
	p += t->end ? 2 : 1;
	while (p + n < end && !blank(p[n]) && p[n] != '/' && p[n] != '>') {
		char c = p[n];

		if (n < sizeof(t->name) - 1)
			t->name[n] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20
								 : c);
		n++;
	}
	if (n >= sizeof(t->name))
		t->name[0] = 0;
	t->kind = kind_of(t->name);
	if (!mem->quotes_broken) {
		next = attributes(p + n, end, false, t);
		mem->quotes_broken = next == NULL;
	}
	if (next == NULL && !mem->no_gt) {
		/* A quote without its end: the tag ends at the next ">". */
		gt = memchr(p, '>', (size_t)(end - p));
		mem->no_gt = gt == NULL;
		t->href = t->alt = STR_NONE;
		if (gt != NULL)
			next = attributes(p + n < gt ? p + n : gt, gt + 1, true,
					  t);
		if (gt != NULL && next == NULL)
			next = gt + 1;
	}
	return next;
}
