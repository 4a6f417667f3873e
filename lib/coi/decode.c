#include "coi/decode.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "coi/decode_priv.h"
#include "fmt/msgid.h"
#include "fmt/text.h"

static const struct mime_events events = {decode_part_begin, decode_part_body,
					  decode_part_end};

struct decoder *decoder_new(const struct decode_opts *o)
{
	struct decoder *d = mem_alloc(sizeof(*d));

	d->o = o;
	return d;
}

void decoder_free(struct decoder *d)
{
	if (d == NULL)
		return;
	buf_free(&d->raw);
	buf_free(&d->text);
	buf_free(&d->html);
	buf_free(&d->markdown);
	buf_free(&d->utf8);
	buf_free(&d->joined);
	buf_free(&d->shape);
	if (d->md != NULL)
		EVP_MD_CTX_free(d->md);
	free(d);
}

void decoder_begin(struct decoder *d, struct arena *a, struct message *m)
{
	message_init(m);
	d->a = a;
	d->m = m;
	d->mime = mime_new(a, &events, d);
	buf_clear(&d->raw);
	buf_clear(&d->text);
	buf_clear(&d->html);
	buf_clear(&d->markdown);
	buf_clear(&d->shape);
	d->preview = NULL;
	d->have_text = d->unreadable = d->absent = d->by_parts = false;
	d->list_id = d->original_id = STR_NONE;
	d->delta_group = d->delta_name = STR_NONE;
	d->saved = NULL;
	d->nsaved = d->saved_cap = 0;
}

int decoder_feed(struct decoder *d, struct str in, struct coi_err *e)
{
	return mime_feed(d->mime, in, e);
}

int decoder_whole(struct decoder *d, struct str in, struct coi_err *e)
{
	return mime_feed_whole(d->mime, in, e);
}

int decoder_message_header(struct decoder *d, struct str header,
			   struct coi_err *e)
{
	decode_head(d, header);
	d->by_parts = true;
	return 0;
}

int decoder_part_begin(struct decoder *d, struct str section,
		       struct mime_part *parent, struct str header,
		       int64_t octets, struct mime_part **out,
		       struct coi_err *e)
{
	struct mime_part *p = arena_alloc(d->a, sizeof(*p));
	struct str type = hdr_get(header, "Content-Type");
	struct str disp = hdr_get(header, "Content-Disposition");
	struct str enc = hdr_get(header, "Content-Transfer-Encoding");
	static struct mime_part outer;
	int rc;

	p->parent = parent != NULL ? parent : &outer;
	p->header = header;
	hdr_value(d->a, type.p == NULL ? STR("text/plain") : type, &p->type);
	if (disp.p != NULL)
		hdr_value(d->a, disp, &p->disposition);
	p->enc = enc_of(str_trim(enc));
	p->section = arena_str(d->a, section);
	p->multipart = str_starts(p->type.value, "multipart/");
	d->absent = octets >= 0;
	rc = decode_part_begin(d, p, e);
	if (rc == 0 && octets >= 0 && !p->multipart) {
		struct part *x = p->user;

		x->octets = (uint64_t)octets;
		if ((x->role == ROLE_PREVIEW || x->role == ROLE_ATTACHMENT) &&
		    decode_blob(d, x)->size < 0)
			decode_blob(d, x)->size = p->enc == ENC_BASE64
						      ? octets / 78 * 57
						      : octets;
	}
	d->absent = false;
	*out = p;
	return rc;
}

int decoder_part_body(struct decoder *d, struct mime_part *p, struct str raw,
		      struct coi_err *e)
{
	return decode_part_body(d, p, raw, e);
}

int decoder_part_end(struct decoder *d, struct mime_part *p, struct coi_err *e)
{
	return decode_part_end(d, p, e);
}

/* Nothing but what stands behind "-- ". */
static bool only_signature(struct str text)
{
	struct str line;

	while (str_line(&text, &line))
		if (str_trim(line).n > 0)
			return str_is(line, "-- ");
	return false;
}

static void own_text(struct decoder *d, struct str text)
{
	struct message *m = d->m;

	buf_clear(&d->joined);
	if (m->nattachments > 0 && only_signature(text))
		m->text = STR_NONE;
	else if (text_cut(text, &d->joined))
		m->text = arena_str(d->a, buf_view(&d->joined));
	else {
		m->text = arena_str(d->a, text);
		return;
	}
	if (d->o->full)
		m->full_text = arena_str(d->a, text);
}

static void finish_text(struct decoder *d)
{
	struct message *m = d->m;

	if (d->html.n > 0)
		m->html = arena_str(d->a, buf_view(&d->html));
	if (d->markdown.n > 0)
		m->markdown = arena_str(d->a, buf_view(&d->markdown));
	/* Some programs send an empty plain text beside the real one. */
	if (d->html.n > 0 && d->text.n == 0) {
		text_from_html(&d->text, buf_view(&d->html));
		d->have_text = true;
	}
	if (!d->have_text)
		return;
	/* A COI client sends the user's own words: a line that looks like a
	 * quote was typed. */
	if (m->meta.by_version && msgid_is_chat(m->id))
		m->text = arena_str(d->a, buf_view(&d->text));
	else
		own_text(d, buf_view(&d->text));
	if (m->text.n == 0 && m->nattachments > 0)
		m->text = STR_NONE;
}

static void hash_identity(struct decoder *d)
{
	struct message *m = d->m;
	struct buf *h = &d->joined;
	int64_t at = m->sent_at;
	unsigned n = 0;

	buf_clear(h);
	buf_str(h, m->id);
	buf_c(h, '\0');
	buf_str(h, m->from.email);
	buf_c(h, '\0');
	if (at < 0)
		buf_c(h, '-');
	buf_u64(h, at < 0 ? -(uint64_t)at : (uint64_t)at);
	buf_c(h, '\0');
	buf_str(h, buf_view(&d->shape));
	/* Looking the algorithm up costs as much as using it. */
	if (d->md == NULL) {
		d->md = EVP_MD_CTX_new();
		EVP_DigestInit_ex(d->md, EVP_sha256(), NULL);
	} else {
		EVP_DigestInit_ex(d->md, NULL, NULL);
	}
	EVP_DigestUpdate(d->md, h->p, h->n);
	EVP_DigestUpdate(d->md, d->text.p == NULL ? "" : d->text.p, d->text.n);
	EVP_DigestFinal_ex(d->md, d->identity, &n);
}

int decoder_end(struct decoder *d, struct coi_err *e)
{
	struct message *m = d->m;
	const char *w;

	if (!d->by_parts && mime_end(d->mime, e) < 0) {
		decoder_drop(d);
		return -1;
	}
	d->by_parts = false;
	w = mime_warning(d->mime);
	if (w != NULL)
		message_warn(d->a, m, "%s", w);
	if (mime_unclosed(d->mime))
		message_warn(d->a, m,
			     "the last boundary is missing: the end of the "
			     "message may be missing too");
	if (d->unreadable)
		message_warn(d->a, m, "encrypted: cannot be read yet");
	if (d->preview != NULL)
		*message_attach(d->a, m) = *d->preview;
	finish_text(d);
	if (d->o->is_me != NULL && m->from.email.p != NULL)
		m->meta.from_me = d->o->is_me(d->o->is_me_ctx, m->from.email);
	m->meta.given = true;
	message_classify_with(d, m);
	if (d->o->identity)
		hash_identity(d);
	return 0;
}

void decoder_drop(struct decoder *d)
{
	size_t i;

	for (i = 0; i < d->nsaved; i++)
		unlinkat(d->o->save_fd, arena_cstr(d->a, d->saved[i]), 0);
	d->nsaved = 0;
	d->by_parts = false;
}

struct str decoder_identity(const struct decoder *d)
{
	return (struct str){(const char *)d->identity, 32};
}
