/* A large message by its structure: what nobody asked for stays there. */
#include <stdlib.h>

#include "coi/fetch_priv.h"
#include "core/limits.h"
#include "imap/structure.h"

struct large {
	struct reading *r;
	struct buf header, structure;
	uint64_t header_octets; /* all of them */
	bool in_header;
	struct imap_msg meta;
	bool have_meta;

	struct imap_part *v;
	size_t n;
	struct mime_part **parts;
	struct buf *mime; /* header block of each part */
	size_t current;	  /* whose body is coming; n: none */
	bool in_mime;
};

#define COMMAND_MAX 8000 /* octets of items that every server takes */

static int lg_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct large *g = ctx;

	g->in_header = str_iis(section, "HEADER");
	if (g->in_header)
		buf_clear(&g->header);
	g->header_octets = octets;
	return 0;
}

static int lg_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct large *g = ctx;

	if (!g->in_header)
		return 0;
	if (g->header.n + chunk.n > LIMIT_HEADER_BLOCK)
		chunk.n = LIMIT_HEADER_BLOCK - g->header.n;
	buf_str(&g->header, chunk);
	return 0;
}

static int lg_body_end(void *ctx, struct coi_err *e)
{
	return 0;
}

static int lg_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	struct large *g = ctx;
	size_t i;

	if (m->bodystructure.p == NULL || g->have_meta)
		return 0;
	g->meta = *m;
	g->have_meta = true;
	g->meta.flags = arena_alloc(g->r->arena,
				    (m->nflags + 1) * sizeof(*m->flags));
	for (i = 0; i < m->nflags; i++)
		g->meta.flags[i] = arena_str(g->r->arena, m->flags[i]);
	buf_str(&g->structure, m->bodystructure);
	return 0;
}

static const struct imap_fetch_events head_events = {lg_begin, lg_body,
						     lg_body_end, lg_end, NULL};

/* Which parts are worth their octets? */
static bool wanted(const struct reading *r, const struct imap_part *p)
{
	const struct decode_opts *d = r->o->decode;
	uint64_t size = p->octets;

	if (p->multipart)
		return false;
	if (str_starts(p->type, "text/") && size <= LIMIT_TEXT)
		return true;
	if (d->save_dir == NULL && !d->inline_data)
		return false;
	if (str_is(p->encoding, "base64"))
		size = size / 78 * 57;
	return d->max_size < 0 || size <= (uint64_t)d->max_size;
}

static size_t part_of(struct large *g, struct str section)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (str_eq(g->v[i].section, section))
			return i;
	return g->n;
}

static int pt_open(struct large *g, size_t i, struct coi_err *e)
{
	struct imap_part *p = &g->v[i];
	struct mime_part *up = p->parent < 0 ? NULL : g->parts[p->parent];
	struct str header = arena_str(g->r->arena, buf_view(&g->mime[i]));

	if (g->n == 1)
		header = arena_str(g->r->arena, buf_view(&g->header));
	return decoder_part_begin(g->r->dec, p->section, up, header,
				  wanted(g->r, p) ? -1 : (int64_t)p->octets,
				  &g->parts[i], e);
}

/* Parts that stay on the server have their place among the others: a preview
 * belongs to what follows it. */
static int pass(struct large *g, size_t end, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < end; i++)
		if (g->parts[i] == NULL && !wanted(g->r, &g->v[i]) &&
		    (pt_open(g, i, e) < 0 ||
		     decoder_part_end(g->r->dec, g->parts[i], e) < 0))
			return -1;
	return 0;
}

static int pt_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct large *g = ctx;

	g->in_mime = section.n > 5 &&
		     str_iis(str_sub(section, section.n - 5, 5), ".MIME");
	g->current = part_of(g, g->in_mime ? str_sub(section, 0, section.n - 5)
					   : section);
	if (g->current == g->n || g->in_mime)
		return 0;
	if (g->parts[g->current] != NULL) {
		g->current = g->n; /* answered twice */
		return 0;
	}
	return pass(g, g->current, e) < 0 ? -1 : pt_open(g, g->current, e);
}

static int pt_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct large *g = ctx;

	if (g->current == g->n)
		return 0;
	if (!g->in_mime)
		return decoder_part_body(g->r->dec, g->parts[g->current], chunk,
					 e);
	if (g->mime[g->current].n + chunk.n <= LIMIT_HEADER_BLOCK)
		buf_str(&g->mime[g->current], chunk);
	return 0;
}

static int pt_body_end(void *ctx, struct coi_err *e)
{
	struct large *g = ctx;
	size_t i = g->current;

	g->current = g->n;
	if (i == g->n || g->in_mime)
		return 0;
	return decoder_part_end(g->r->dec, g->parts[i], e);
}

static int pt_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	return 0;
}

static const struct imap_fetch_events part_events = {pt_begin, pt_body,
						     pt_body_end, pt_end, NULL};

static int ask(struct large *g, uint32_t uid, struct buf *want,
	       struct coi_err *e)
{
	struct imap_set set = {0};
	int rc = 0;

	imap_set_add(&set, uid, uid);
	g->current = g->n;
	if (want->n > 0)
		rc = imap_fetch(g->r->im, &set, buf_view(want), &part_events, g,
				e);
	buf_clear(want);
	imap_set_free(&set);
	return rc;
}

static int ask_all(struct large *g, uint32_t uid, bool mime, struct coi_err *e)
{
	struct buf b = {0};
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < g->n; i++) {
		if (g->v[i].multipart || (!mime && !wanted(g->r, &g->v[i])))
			continue;
		buf_fmt(&b, "%sBODY.PEEK[%.*s%s]", b.n ? " " : "",
			STR_ARG(g->v[i].section), mime ? ".MIME" : "");
		if (b.n >= COMMAND_MAX)
			rc = ask(g, uid, &b, e);
	}
	if (rc == 0)
		rc = ask(g, uid, &b, e);
	buf_free(&b);
	return rc;
}

/* Part headers first, then bodies in order: the header of a part decides what
 * its body is. */
static int fetch_parts(struct large *g, uint32_t uid, struct coi_err *e)
{
	size_t i;
	int rc = 0;

	if (g->n > 1)
		rc = ask_all(g, uid, true, e);
	for (i = 0; rc == 0 && i < g->n; i++)
		if (g->v[i].multipart)
			rc = decoder_part_begin(
			    g->r->dec, g->v[i].section,
			    g->v[i].parent < 0 ? NULL
					       : g->parts[g->v[i].parent],
			    arena_fmt(g->r->arena, "Content-Type: %.*s\r\n\r\n",
				      STR_ARG(g->v[i].type)),
			    -1, &g->parts[i], e);
	if (rc == 0)
		rc = ask_all(g, uid, false, e);
	if (rc == 0)
		rc = pass(g, g->n, e);
	for (i = 0; rc == 0 && i < g->n; i++)
		if (g->parts[i] == NULL)
			rc = err_set(e, COI_E_PROTOCOL,
				     "the server did not send part %.*s",
				     STR_ARG(g->v[i].section));
	return rc;
}

/* A multipart without a usable boundary: its text is in no part. */
static bool in_parts(const struct large *g)
{
	uint64_t octets = g->header_octets;
	size_t i;

	for (i = 0; i < g->n; i++)
		octets += g->v[i].octets;
	return !g->meta.have_size || octets >= g->meta.size / 2;
}

/* What its parts do not give, or not in a way that can be read, the message
 * as a whole does: nobody's mail may keep those behind it back. */
static int instead(struct reading *r, const struct imap_set *set,
		   struct coi_err *e)
{
	struct coi_err first = *e;

	if (e->code != COI_OK && e->code != COI_E_PROTOCOL &&
	    e->code != COI_E_UNAVAILABLE)
		return -1;
	err_clear(e);
	if (reading_whole(r, set, e) == 0)
		return 0;
	if (first.code != COI_OK && e->code == COI_E_UNAVAILABLE)
		*e = first;
	return -1;
}

int reading_large(struct reading *r, uint32_t uid, struct coi_err *e)
{
	struct large g = {.r = r};
	struct imap_set set = {0};
	struct buf want = {0};
	bool whole = false;
	size_t i;
	int rc;

	reading_start(r);
	r->begun = false;
	imap_set_add(&set, uid, uid);
	buf_str(&want, reading_items(r, "BODYSTRUCTURE BODY.PEEK[HEADER]"));
	rc = imap_fetch(r->im, &set, buf_view(&want), &head_events, &g, e);
	whole = rc == 0;
	if (rc < 0 || !g.have_meta)
		goto out; /* gone in between: the check at the end decides */
	rc = imap_structure(r->arena, buf_view(&g.structure), &g.v, &g.n, e);
	if (rc < 0 || !in_parts(&g))
		goto out;
	g.parts = arena_alloc(r->arena, g.n * sizeof(struct mime_part *));
	g.mime = mem_array(g.n, sizeof(*g.mime));
	rc = decoder_message_header(r->dec, buf_view(&g.header), e);
	if (rc == 0)
		rc = fetch_parts(&g, uid, e);
	whole = rc < 0;
	if (rc == 0)
		rc = decoder_end(r->dec, e);
	else
		decoder_drop(r->dec);
	if (rc == 0)
		rc = reading_take(r, &g.meta, e);
	for (i = 0; i < g.n; i++)
		buf_free(&g.mime[i]);
	free(g.mime);
	if (rc == 0)
		rc = reading_stop(r, e);
out:
	if (whole)
		rc = instead(r, &set, e);
	imap_set_free(&set);
	buf_free(&want);
	buf_free(&g.header);
	buf_free(&g.structure);
	return rc;
}
