#include "fmt/html_entity.h"
#include "fmt/html_page.h"
#include "fmt/html_tag.h"
#include "fmt/text.h"

struct html {
	const char *p, *end;
	struct page page;
	struct tag_memory mem;
	bool no_comment_end;
	bool pre_begins; /* the first line end in <pre> is none */
	unsigned pre;
	/* An element that is not shown, and where it began. */
	char hide[12];
	unsigned hide_depth;
	const char *hide_from;
	bool show_all; /* one such element had no end */
	/* The link that is open. */
	struct buf url;
	bool link;
	struct buf one; /* scratch for a character */
};

static bool letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* --- entities --------------------------------------------------------------
 */

static uint32_t numeric(const char **pp, const char *end)
{
	/* Numbers of the C1 range mean windows-1252, as in browsers. */
	static const uint16_t c1[32] = {
	    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
	    0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
	    0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	    0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
	const char *p = *pp, *from;
	uint32_t v = 0;
	bool hex = p < end && (*p == 'x' || *p == 'X');

	p += hex;
	for (from = p; p < end; p++) {
		uint32_t d;

		if (digit(*p))
			d = (uint32_t)(*p - '0');
		else if (hex && letter(*p) && (*p | 0x20) <= 'f')
			d = (uint32_t)((*p | 0x20) - 'a' + 10);
		else
			break;
		if (v < 0x110000)
			v = v * (hex ? 16 : 10) + d;
	}
	if (p == from)
		return 0;
	*pp = p;
	if (v >= 0x80 && v < 0xa0)
		return c1[v - 0x80];
	if (v == 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0xfffd;
	return v;
}

/*
 * The character of the reference at p ("&..."), and what is behind it; 0: it
 * is none.  Without ";" only the names that old programs write so.
 */
static uint32_t entity(const char *p, const char *end, bool strict,
		       const char **next)
{
	const char *q = p + 1;
	uint32_t cp;

	if (q < end && *q == '#') {
		q++;
		cp = numeric(&q, end);
	} else {
		while (q < end && q - p < 32 && (letter(*q) || digit(*q)))
			q++;
		if (q == p + 1)
			return 0;
		cp = html_entity((struct str){p + 1, (size_t)(q - p - 1)});
		if ((q == end || *q != ';') && (strict || cp >= 0x100))
			return 0;
	}
	*next = q < end && *q == ';' ? q + 1 : q;
	return cp;
}

static void decode(struct buf *b, struct str raw, bool url)
{
	const char *p = raw.p, *end = p + raw.n, *next;

	while (p < end) {
		uint32_t cp = *p == '&' ? entity(p, end, true, &next) : 0;
		bool control = cp == 0 ? (unsigned char)*p <= ' ' : cp <= ' ';

		if (control && !url)
			buf_c(b, ' ');
		else if (!control && cp != 0)
			buf_cp(b, cp);
		else if (!control)
			buf_c(b, *p);
		p = cp != 0 ? next : p + 1;
	}
}

static void character(struct html *h, uint32_t cp)
{
	if (cp == 0xa0) {
		page_hard(&h->page);
	} else if (cp == ' ' || (cp >= 9 && cp <= 13)) {
		page_blank(&h->page);
	} else if (cp == 0xad || cp == 0x34f || cp == 0x200b || cp == 0xfeff) {
		return; /* invisible fill of newsletters */
	} else if (cp < ' ' || cp == 0x7f) {
		return;
	} else {
		buf_clear(&h->one);
		buf_cp(&h->one, cp);
		page_text(&h->page, h->one.p, h->one.n);
	}
}

/* --- links -----------------------------------------------------------------
 */

static struct str bare(struct str url)
{
	static const char *const schemes[] = {"http://", "https://",
					      "mailto:", "tel:"};
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (str_istarts(url, schemes[i]))
			url = str_sub(url, strlen(schemes[i]), url.n);
	if (str_istarts(url, "www."))
		url = str_sub(url, 4, url.n);
	while (str_ends(url, "/"))
		url.n--;
	return url;
}

static void link_end(struct html *h)
{
	struct buf *out = h->page.out;
	struct str url = buf_view(&h->url), text = STR("");

	if (!h->link)
		return;
	h->link = false;
	if (url.n == 0 || url.p[0] == '#' || str_istarts(url, "javascript:") ||
	    str_istarts(url, "data:") || str_istarts(url, "cid:"))
		return;
	if (!h->page.fresh)
		text = (struct str){out->p + h->page.fresh_at,
				    out->n - h->page.fresh_at};
	if (str_ieq(bare(text), bare(url)))
		return;
	if (h->page.fresh) {
		page_text(&h->page, "<", 1);
		buf_str(out, url);
	} else {
		/* Behind the text, even if a block ended there. */
		buf_z(out, " <");
		buf_str(out, url);
	}
	buf_c(out, '>');
}

static void link_begin(struct html *h, const struct tag *t)
{
	link_end(h);
	buf_clear(&h->url);
	if (t->href.n == 0)
		return;
	decode(&h->url, t->href, true);
	h->link = true;
	h->page.fresh = true;
}

/* --- tags ------------------------------------------------------------------
 */

static void image(struct html *h, const struct tag *t)
{
	struct buf alt = {0};
	struct str rest, word;

	if (t->alt.n == 0 || t->hidden)
		return;
	decode(&alt, t->alt, false);
	rest = buf_view(&alt);
	while (rest.n > 0) {
		word = str_split(&rest, ' ');
		page_text(&h->page, word.p, word.n);
		if (rest.n > 0)
			page_blank(&h->page);
	}
	buf_free(&alt);
}

static void list_tag(struct html *h, const struct tag *t)
{
	struct page_level l = {.kind = PAGE_LIST};
	bool top = true;
	unsigned i;

	for (i = 0; i < h->page.n; i++)
		top &= h->page.v[i].kind != PAGE_LIST;
	if (t->end) {
		page_pop(&h->page, PAGE_LIST);
		for (top = true, i = 0; i < h->page.n; i++)
			top &= h->page.v[i].kind != PAGE_LIST;
		page_block(&h->page, top);
		return;
	}
	page_block(&h->page, top);
	l.ordered = t->name[0] == 'o';
	l.num = t->number > 0 ? t->number : 1;
	page_push(&h->page, l);
}

static void show_tag(struct html *h, const struct tag *t)
{
	struct page *p = &h->page;

	switch (t->kind) {
	case TAG_BLOCK:
		page_block(p, false);
		break;
	case TAG_PARAGRAPH:
		page_block(p, true);
		break;
	case TAG_BREAK:
		page_break(p);
		break;
	case TAG_RULE:
		page_block(p, false);
		page_text(p, "----------", 10);
		page_block(p, false);
		break;
	case TAG_LIST:
		list_tag(h, t);
		break;
	case TAG_ITEM:
		page_block(p, false);
		if (t->end)
			page_pop(p, PAGE_ITEM);
		else
			page_item(p, t->number);
		break;
	case TAG_QUOTE:
		page_block(p, true);
		if (t->end)
			page_pop(p, PAGE_QUOTE);
		else
			page_push(p, (struct page_level){.kind = PAGE_QUOTE});
		break;
	case TAG_PRE:
		page_block(p, true);
		if (!t->end)
			h->pre++;
		else if (h->pre > 0)
			h->pre--;
		h->pre_begins = !t->end;
		break;
	case TAG_LINK:
		if (t->end)
			link_end(h);
		else
			link_begin(h, t);
		break;
	case TAG_IMAGE:
		image(h, t);
		break;
	case TAG_CELL:
		if (!t->end)
			page_cell(p);
		break;
	default:
		break;
	}
}

/* Behind </name of an element whose content is no HTML. */
static const char *raw_end(const char *p, const char *end, const char *name)
{
	size_t n = strlen(name);

	while ((p = memchr(p, '<', (size_t)(end - p))) != NULL) {
		if ((size_t)(end - p) >= n + 2 && p[1] == '/' &&
		    str_ieq((struct str){p + 2, n}, (struct str){name, n}) &&
		    ((size_t)(end - p) == n + 2 || blank(p[n + 2]) ||
		     p[n + 2] == '>' || p[n + 2] == '/')) {
			p = memchr(p, '>', (size_t)(end - p));
			return p != NULL ? p + 1 : end;
		}
		p++;
	}
	return end;
}

static bool is_block(enum tag_kind k)
{
	return k == TAG_BLOCK || k == TAG_PARAGRAPH || k == TAG_LIST ||
	       k == TAG_ITEM || k == TAG_QUOTE || k == TAG_PRE ||
	       k == TAG_CELL || k == TAG_RULE;
}

static bool can_hide(const struct tag *t)
{
	return t->name[0] != 0 && !t->end && t->kind != TAG_VOID &&
	       t->kind != TAG_BREAK && t->kind != TAG_RULE &&
	       t->kind != TAG_IMAGE && strcmp(t->name, "body") != 0 &&
	       strcmp(t->name, "html") != 0;
}

static void on_tag(struct html *h, const struct tag *t)
{
	if (t->kind == TAG_RAW) {
		if (!t->end)
			h->p = raw_end(h->p, h->end, t->name);
		return;
	}
	if (h->hide_depth > 0) {
		bool same = strcmp(t->name, h->hide) == 0;

		/* A paragraph ends where another block begins or ends. */
		if (strcmp(h->hide, "p") == 0 && is_block(t->kind)) {
			h->hide_depth = 0;
			show_tag(h, t);
		} else if (same && t->end) {
			h->hide_depth--;
		} else if (same) {
			h->hide_depth++;
		}
		return;
	}
	if ((t->hidden || t->kind == TAG_SKIP) && can_hide(t) && !h->show_all) {
		memcpy(h->hide, t->name, sizeof(h->hide));
		h->hide_depth = 1;
		h->hide_from = h->p;
		return;
	}
	show_tag(h, t);
}

/* "<!...>", "<?...>" and "</" without a name. */
static const char *declaration(struct html *h)
{
	const char *p = h->p, *q;

	if (h->end - p >= 4 && memcmp(p, "<!--", 4) == 0 &&
	    !h->no_comment_end) {
		q = memmem(p + 2, (size_t)(h->end - p - 2), "-->", 3);
		if (q != NULL)
			return q + 3;
		h->no_comment_end = true;
	}
	if (h->mem.no_gt)
		return NULL;
	q = memchr(p, '>', (size_t)(h->end - p));
	h->mem.no_gt = q == NULL;
	return q != NULL ? q + 1 : NULL;
}

static void markup(struct html *h)
{
	const char *next = NULL;
	struct tag t;
	char c = h->end - h->p > 1 ? h->p[1] : ' ';
	bool is_tag = letter(c) ||
		      (c == '/' && h->end - h->p > 2 && letter(h->p[2]));

	if (is_tag)
		next = tag_read(h->p, h->end, &h->mem, &t);
	else if (c == '!' || c == '?' || c == '/')
		next = declaration(h);
	if (next == NULL) {
		if (h->hide_depth == 0)
			page_text(&h->page, "<", 1);
		h->p++;
		return;
	}
	h->p = next;
	if (is_tag)
		on_tag(h, &t);
}

/* --- text ------------------------------------------------------------------
 */

static void pre_blank(struct html *h)
{
	char c = *h->p++;

	if (c == '\r' && h->p < h->end && *h->p == '\n')
		c = *h->p++;
	if (c == '\n' || c == '\r') {
		if (!h->pre_begins)
			page_break(&h->page);
	} else if (c == '\t') {
		page_text(&h->page, "\t", 1);
	} else {
		page_hard(&h->page);
	}
	h->pre_begins = false;
}

static bool plain(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;

	return c > ' ' && c != '<' && c != '&' && c != 0x7f &&
	       !(c == 0xc2 && end - p > 1 && (unsigned char)p[1] == 0xa0);
}

static void text(struct html *h)
{
	const char *p = h->p, *next = NULL;
	uint32_t cp;

	while (p < h->end && plain(p, h->end))
		p++;
	if (p > h->p) {
		page_text(&h->page, h->p, (size_t)(p - h->p));
		h->pre_begins = false;
		h->p = p;
		return;
	}
	if (blank(*p) && h->pre > 0) {
		pre_blank(h);
		return;
	}
	if (*p == '&') {
		cp = entity(p, h->end, false, &next);
		if (cp != 0) {
			character(h, cp);
			h->p = next;
			return;
		}
		page_text(&h->page, "&", 1);
	} else if (blank(*p)) {
		page_blank(&h->page);
	} else if ((unsigned char)*p == 0xc2) {
		page_hard(&h->page);
		h->p++;
	}
	h->p++; /* controls are dropped */
}

void text_from_html(struct buf *b, struct str html)
{
	struct html h = {.p = html.p,
			 .end = html.n > 0 ? html.p + html.n : NULL};
	size_t from = b->n;

	if (html.n == 0)
		return;
	h.page.out = b;
	for (;;) {
		if (h.p == h.end && h.hide_depth > 0) {
			/* Without an end it would hide all: show all. */
			h.p = h.hide_from;
			h.hide_depth = 0;
			h.show_all = true;
		}
		if (h.p == h.end)
			break;
		if (*h.p == '<') {
			markup(&h);
		} else if (h.hide_depth > 0) {
			h.p = memchr(h.p, '<', (size_t)(h.end - h.p));
			if (h.p == NULL)
				h.p = h.end;
		} else {
			text(&h);
		}
	}
	link_end(&h);
	buf_free(&h.url);
	buf_free(&h.one);
	while (b->n > from && (b->p[b->n - 1] == '\n' || b->p[b->n - 1] == ' '))
		b->n--;
}
