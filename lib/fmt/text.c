#include "fmt/text.h"

#include <cmark.h>

void text_lf(struct buf *b, struct str text)
{
	const char *p = text.p, *end = p + text.n;
	size_t from = b->n, last, i;

	if (text.n == 0)
		return;
	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));

		if (cr == NULL)
			cr = end;
		buf_add(b, p, (size_t)(cr - p));
		p = cr;
		if (p == end)
			break;
		buf_c(b, '\n');
		p += end - p > 1 && p[1] == '\n' ? 2 : 1;
	}
	/* Behind the last line that shows something. */
	last = b->n;
	for (i = b->n; i > from; i--) {
		char c = b->p[i - 1];

		if (c == '\n')
			last = i - 1;
		else if (c != ' ' && c != '\t')
			break;
	}
	if (i == from)
		last = from;
	b->n = last;
}

/* What cmark would leave out as unsafe is what the user typed: show it. */
static void show_html(cmark_node *root)
{
	cmark_iter *it = cmark_iter_new(root);
	cmark_event_type ev;

	while ((ev = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
		cmark_node *n = cmark_iter_get_node(it), *text, *put;
		cmark_node_type t = cmark_node_get_type(n);

		if (ev != CMARK_EVENT_ENTER ||
		    (t != CMARK_NODE_HTML_INLINE && t != CMARK_NODE_HTML_BLOCK))
			continue;
		text = put = cmark_node_new(CMARK_NODE_TEXT);
		cmark_node_set_literal(text, cmark_node_get_literal(n));
		if (t == CMARK_NODE_HTML_BLOCK) {
			put = cmark_node_new(CMARK_NODE_PARAGRAPH);
			cmark_node_append_child(put, text);
		}
		cmark_node_replace(n, put);
		cmark_node_free(n);
	}
	cmark_iter_free(it);
}

void text_markdown_html(struct buf *b, struct str markdown)
{
	int options = CMARK_OPT_SAFE | CMARK_OPT_VALIDATE_UTF8;
	cmark_node *root;
	char *html;

	if (markdown.n == 0)
		return;
	root = cmark_parse_document(markdown.p, markdown.n, options);
	show_html(root);
	html = cmark_render_html(root, options);
	buf_z(b, html);
	free(html);
	cmark_node_free(root);
}
