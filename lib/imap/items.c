/* The FETCH response (RFC 3501 7.4.2): bodies stream, unknown items pass. */
#include <stdlib.h>

#include "core/limits.h"
#include "fmt/date.h"
#include "imap/priv.h"

void items_begin(struct imap_items *f)
{
	f->m = (struct imap_msg){0};
	f->at = IN_OPEN;
	f->depth = 0;
	f->unkept = false;
	f->more = false;
	f->item = ITEM_OTHER;
}

void items_free(struct imap_items *f)
{
	buf_free(&f->section);
	buf_free(&f->structure);
	buf_free(&f->flags);
	free(f->flagv);
}

static int broken(struct imap *im, const struct imap_cur *c, struct str line,
		  struct coi_err *e)
{
	/* Quote from a little before the place. */
	size_t at = (size_t)(c->p - line.p);

	return imap_violation(im, "a FETCH response that is broken",
			      str_sub(line, at > 40 ? at - 40 : 0, 120), e);
}

/* BODY[HEADER.FIELDS (FROM)]<0>: section is what stands in the brackets. */
static bool name(struct imap_items *f, struct imap_cur *c)
{
	const char *start = c->p, *open = NULL, *close = NULL;
	struct str s;
	bool quote = false;

	for (; c->p < c->end; c->p++) {
		char ch = *c->p;

		if (open != NULL && close == NULL) {
			if (quote && ch == '\\' && c->p + 1 < c->end)
				c->p++;
			else if (ch == '"')
				quote = !quote;
			else if (ch == ']' && !quote)
				close = c->p;
		} else if (ch == '[' && open == NULL) {
			open = c->p;
		} else if (ch == ' ' || ch == '(' || ch == ')' || ch == '"') {
			break;
		}
	}
	if (c->p == start || (open != NULL && close == NULL))
		return false;
	s = (struct str){start, (size_t)((open ? open : c->p) - start)};
	f->item = ITEM_OTHER;
	if (open != NULL) {
		if (str_iis(s, "BODY") || str_iis(s, "BINARY")) {
			f->item = ITEM_BODY;
			buf_clear(&f->section);
			buf_add(&f->section, open + 1,
				(size_t)(close - open - 1));
		}
	} else if (str_iis(s, "UID")) {
		f->item = ITEM_UID;
	} else if (str_iis(s, "FLAGS")) {
		f->item = ITEM_FLAGS;
	} else if (str_iis(s, "MODSEQ")) {
		f->item = ITEM_MODSEQ;
	} else if (str_iis(s, "INTERNALDATE")) {
		f->item = ITEM_DATE;
	} else if (str_iis(s, "RFC822.SIZE")) {
		f->item = ITEM_SIZE;
	} else if (str_iis(s, "BODYSTRUCTURE") || str_iis(s, "BODY")) {
		f->item = ITEM_STRUCTURE;
		f->unkept = false;
		buf_clear(&f->structure);
		f->m.bodystructure = STR_NONE;
	}
	f->more |= f->item != ITEM_UID && f->item != ITEM_FLAGS &&
		   f->item != ITEM_MODSEQ;
	return true;
}

/* Keywords hold about anything on some servers. */
static bool flag(struct imap_cur *c, struct str *s)
{
	const char *q = c->p;

	while (q < c->end && *q != ' ' && *q != '(' && *q != ')')
		q++;
	*s = (struct str){c->p, (size_t)(q - c->p)};
	c->p = q;
	return s->n > 0;
}

static bool flags(struct imap_items *f, struct imap_cur *c)
{
	struct str s;
	size_t i, at;

	f->m.have_flags = false;
	f->m.nflags = 0;
	buf_clear(&f->flags);
	if (!cur_ch(c, '('))
		return false;
	for (;;) {
		while (cur_ch(c, ' '))
			;
		if (cur_ch(c, ')'))
			break;
		if (!flag(c, &s))
			return false;
		buf_str(&f->flags, s);
		f->flagv = mem_more(f->flagv, f->m.nflags, &f->flagcap,
				    sizeof(*f->flagv));
		f->flagv[f->m.nflags++].n = s.n;
	}
	for (i = at = 0; i < f->m.nflags; at += f->flagv[i++].n)
		f->flagv[i].p = f->flags.p + at;
	f->m.flags = f->flagv;
	f->m.have_flags = true;
	return true;
}

/* An event said no: what is under way passes unseen. */
static int refused(struct imap *im)
{
	im->spoiled = true;
	return -1;
}

static int body_event(struct imap *im, struct str text, bool whole,
		      uint64_t octets, struct coi_err *e)
{
	const struct imap_fetch_events *ev = im->want.fetch;
	void *ctx = im->want.fetch_ctx;

	if (ev == NULL)
		return 0;
	if (ev->body_begin(ctx, &im->items.m, buf_view(&im->items.section),
			   octets, e) < 0)
		return refused(im);
	if (!whole)
		return 0;
	if ((text.n > 0 && ev->body(ctx, text, e) < 0) ||
	    ev->body_end(ctx, e) < 0)
		return refused(im);
	return 0;
}

/* NIL or a quoted string where a literal is usual. */
static int short_body(struct imap *im, struct imap_cur *c, struct str line,
		      struct coi_err *e)
{
	bool string = cur_peek(c, '"');
	struct str s;

	if (!cur_nstring(c, &s) || (s.p != NULL && !string))
		return broken(im, c, line, e);
	return body_event(im, s, true, s.n, e);
}

static bool word(struct imap_cur *c)
{
	struct str s;
	size_t k;
	bool escapes;

	if (!cur_peek(c, '"'))
		return cur_atom(c, &s);
	k = imap_quoted_end(c->p, (size_t)(c->end - c->p), &escapes);
	c->p += k;
	return k > 0;
}

/* Its size and depth are the sender's choice: what goes too far is a message
 * without a structure, not the end of the connection. */
static void keep(struct imap_items *f, struct str s)
{
	if (f->structure.n + s.n > LIMIT_IMAP_LITERAL_MEM)
		f->unkept = true;
	if (!f->unkept)
		buf_str(&f->structure, s);
}

/*
 * What nobody knows, and BODYSTRUCTURE, which is kept as it is.  1: the value
 * ends here, 0: the line does, -1: it is broken.
 */
static int opaque(struct imap_items *f, struct imap_cur *c)
{
	const char *start = c->p;
	int rc = 0;

	while (rc == 0 && c->p < c->end) {
		if (*c->p == ' ' && f->depth > 0) {
			c->p++;
		} else if (*c->p == '(') {
			c->p++;
			if (++f->depth > LIMIT_IMAP_NESTING &&
			    f->item != ITEM_STRUCTURE)
				return -1;
		} else if (*c->p == ')' && f->depth > 0) {
			c->p++;
			rc = --f->depth == 0;
		} else if (!word(c)) {
			return -1;
		} else {
			rc = f->depth == 0;
		}
	}
	if (f->item == ITEM_STRUCTURE)
		keep(f, (struct str){start, (size_t)(c->p - start)});
	return rc;
}

static bool number_item(struct imap_items *f, struct imap_cur *c)
{
	uint64_t v;
	struct str s;

	switch (f->item) {
	case ITEM_UID:
		return cur_u32(c, &f->m.uid) && f->m.uid != 0;
	case ITEM_MODSEQ:
		return cur_ch(c, '(') && cur_u64(c, UINT64_MAX, &f->m.modseq) &&
		       cur_ch(c, ')');
	case ITEM_SIZE:
		if (!cur_u64(c, UINT64_MAX, &v))
			return false;
		f->m.size = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
		f->m.have_size = true;
		return true;
	default:
		if (!cur_nstring(c, &s))
			return false;
		f->m.have_date = date_parse_imap(s, &f->m.internal_date);
		return true;
	}
}

static void structure_ready(struct imap_items *f)
{
	f->m.bodystructure = buf_view(&f->structure);
	if (f->unkept || f->structure.n == 0 || f->structure.p[0] != '(')
		f->m.bodystructure = STR_NONE;
}

/* 1: the value is complete, 0: a literal goes on with it, -1. */
static int value(struct imap *im, struct imap_cur *c, struct str line,
		 struct coi_err *e)
{
	struct imap_items *f = &im->items;
	bool ok;
	int rc;

	switch (f->item) {
	case ITEM_BODY:
		if (c->p == c->end)
			return 0;
		return short_body(im, c, line, e) < 0 ? -1 : 1;
	case ITEM_OTHER:
	case ITEM_STRUCTURE:
		rc = opaque(f, c);
		if (rc > 0 && f->item == ITEM_STRUCTURE)
			structure_ready(f);
		return rc < 0 ? broken(im, c, line, e) : rc;
	case ITEM_FLAGS:
		ok = flags(f, c);
		break;
	default:
		ok = number_item(f, c);
		break;
	}
	return ok ? 1 : broken(im, c, line, e);
}

static int literal_begin(struct imap *im, uint64_t n, struct coi_err *e)
{
	struct imap_items *f = &im->items;

	if (f->item == ITEM_BODY)
		return body_event(im, STR_NONE, false, n, e);
	if (f->item == ITEM_STRUCTURE && !f->unkept)
		buf_fmt(&f->structure, "{%llu}\r\n", (unsigned long long)n);
	return 0;
}

/* Flags that nobody asked for, as far as can be told. */
static bool is_news(const struct imap *im)
{
	const struct imap_items *f = &im->items;

	if (f->more || (!f->m.have_flags && f->m.modseq == 0))
		return false;
	return im->want.fetch == NULL || im->want.fetch_more || f->m.uid == 0;
}

static int complete(struct imap *im, struct coi_err *e)
{
	const struct imap_fetch_events *ev = im->want.fetch;

	if (is_news(im)) {
		if (im->news->flags != NULL)
			im->news->flags(im->news_ctx, im->number, &im->items.m);
		return 1;
	}
	if (ev != NULL && ev->end(im->want.fetch_ctx, &im->items.m, e) < 0)
		return refused(im);
	return 1;
}

int items_line(struct imap *im, struct str line, bool literal, uint64_t n,
	       struct coi_err *e)
{
	struct imap_items *f = &im->items;
	struct imap_cur c = {line.p, line.p + line.n, im->scratch};
	int rc;

	if (f->at == IN_OPEN) {
		cur_end(&c);
		if (!cur_ch(&c, '('))
			return broken(im, &c, line, e);
		f->at = IN_NAMES;
	}
	for (;;) {
		if (f->at == IN_VALUE) {
			rc = value(im, &c, line, e);
			if (rc < 0)
				return -1;
			if (rc == 0) {
				if (!literal)
					return broken(im, &c, line, e);
				return literal_begin(im, n, e);
			}
			f->at = IN_NAMES;
		}
		cur_end(&c);
		if (f->at == IN_END) {
			if (literal || c.p != c.end)
				return broken(im, &c, line, e);
			return complete(im, e);
		}
		if (cur_ch(&c, ')')) {
			f->at = IN_END;
			continue;
		}
		if (!name(f, &c))
			return broken(im, &c, line, e);
		cur_end(&c);
		f->at = IN_VALUE;
	}
}

int items_octets(struct imap *im, struct str chunk, struct coi_err *e)
{
	struct imap_items *f = &im->items;

	if (f->item == ITEM_STRUCTURE)
		keep(f, chunk);
	if (f->item == ITEM_BODY && im->want.fetch != NULL &&
	    im->want.fetch->body(im->want.fetch_ctx, chunk, e) < 0)
		return refused(im);
	return 0;
}

int items_literal_end(struct imap *im, struct coi_err *e)
{
	struct imap_items *f = &im->items;

	if (f->item == ITEM_BODY) {
		f->at = IN_NAMES;
		if (im->want.fetch != NULL &&
		    im->want.fetch->body_end(im->want.fetch_ctx, e) < 0)
			return refused(im);
		return 0;
	}
	if (f->depth == 0) {
		f->at = IN_NAMES;
		if (f->item == ITEM_STRUCTURE)
			structure_ready(f);
	}
	return 0;
}
