#include "fmt/html_page.h"

#define ENDS_MAX 3u /* two blank lines say all that twenty do */

static void quote_marks(struct page *p, unsigned n)
{
	while (n-- > 0)
		buf_z(p->out, n > 0 ? "> " : ">");
}

static void line_start(struct page *p)
{
	unsigned i, k;

	for (i = 0; i < p->n; i++) {
		struct page_level *l = &p->v[i];

		if (l->kind == PAGE_QUOTE)
			buf_z(p->out, "> ");
		if (l->kind != PAGE_ITEM)
			continue;
		if (l->marked) {
			for (k = 0; k < l->width; k++)
				buf_c(p->out, ' ');
			continue;
		}
		l->marked = true;
		if (l->num == 0) {
			buf_z(p->out, "* ");
			l->width = 2;
		} else {
			size_t before = p->out->n;

			buf_fmt(p->out, "%lu. ", l->num);
			l->width = (unsigned)(p->out->n - before);
		}
	}
}

void page_text(struct page *p, const char *s, size_t n)
{
	unsigned i;

	if (n == 0)
		return;
	if (p->ends > ENDS_MAX)
		p->ends = ENDS_MAX;
	for (i = 0; i < p->ends; i++) {
		if (i > 0)
			quote_marks(p, p->common);
		buf_c(p->out, '\n');
	}
	if (p->ends > 0 || !p->started) {
		p->cell = false;
		line_start(p);
	}
	if (p->cell)
		buf_c(p->out, '\t');
	else
		for (; p->spaces > 0; p->spaces--)
			buf_c(p->out, ' ');
	if (p->fresh)
		p->fresh_at = p->out->n;
	p->fresh = false;
	buf_add(p->out, s, n);
	p->spaces = 0;
	p->ends = 0;
	p->cell = false;
	p->soft = false;
	p->started = true;
	p->open = true;
	p->common = p->quotes;
}

void page_blank(struct page *p)
{
	if (!p->open || p->soft)
		return;
	p->spaces++;
	p->soft = true;
}

void page_hard(struct page *p)
{
	p->spaces++;
	p->soft = false;
	p->open = true;
}

static void end_line(struct page *p)
{
	if (p->started)
		p->ends++;
	p->open = false;
	p->spaces = 0;
	p->soft = false;
	p->cell = false;
}

void page_break(struct page *p)
{
	end_line(p);
}

void page_block(struct page *p, bool margin)
{
	if (p->open)
		end_line(p);
	if (margin && p->started && p->ends < 2)
		p->ends = 2;
	p->cell = false;
}

void page_cell(struct page *p)
{
	p->cell = p->open;
}

void page_push(struct page *p, struct page_level level)
{
	if (p->n == PAGE_LEVELS) {
		p->over++;
		return;
	}
	p->v[p->n++] = level;
	if (level.kind == PAGE_QUOTE)
		p->quotes++;
}

void page_pop(struct page *p, enum page_level_kind kind)
{
	unsigned i = p->n;

	if (p->over > 0) {
		p->over--;
		return;
	}
	while (i > 0 && p->v[i - 1].kind != kind) {
		/* </li> does not end the list that it stands in. */
		if (kind == PAGE_ITEM && p->v[i - 1].kind == PAGE_LIST)
			return;
		i--;
	}
	if (i == 0)
		return;
	while (p->n >= i)
		if (p->v[--p->n].kind == PAGE_QUOTE)
			p->quotes--;
	if (p->common > p->quotes)
		p->common = p->quotes;
}

void page_item(struct page *p, unsigned long value)
{
	struct page_level item = {.kind = PAGE_ITEM};
	unsigned i;

	if (p->over == 0)
		page_pop(p, PAGE_ITEM);
	for (i = p->n; i > 0; i--) {
		struct page_level *l = &p->v[i - 1];

		if (l->kind != PAGE_LIST)
			continue;
		if (l->ordered) {
			item.num = value > 0 ? value : l->num;
			l->num = item.num + 1;
		}
		break;
	}
	page_push(p, item);
}
