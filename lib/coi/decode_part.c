#include <unistd.h>

#include "coi/decode_priv.h"
#include "core/file.h"
#include "core/limits.h"
#include "fmt/flowed.h"
#include "fmt/msgid.h"
#include "fmt/text.h"

/* A part in memory is decoded in pieces of this size all the same. */
#define PIECE 65536u

/* --- what a part is ------------------------------------------------------- */

static bool type_is(const struct mime_part *p, const char *type)
{
	return str_is(p->type.value, type);
}

static bool inside(const struct mime_part *p, const char *type)
{
	for (p = p->parent; p != NULL; p = p->parent)
		if (type_is(p, type))
			return true;
	return false;
}

static struct str chat_content(struct decoder *d, const struct mime_part *p)
{
	struct hdr_value v;
	struct str raw;

	/* The header of the message was read already. */
	if (p->parent == NULL)
		return d->m->chat_content;
	raw = hdr_get(p->header, "Chat-Content");
	if (raw.p == NULL)
		return STR_NONE;
	hdr_value(d->a, raw, &v);
	return v.value;
}

/* Folders in a name are the sender's: they say nothing here, and a script
 * that writes to the name must not be led astray. */
static struct str part_name(struct decoder *d, const struct mime_part *p)
{
	struct str s = hdr_param(&p->disposition, "filename");
	size_t i;

	if (s.p == NULL)
		s = hdr_param(&p->type, "name");
	for (i = s.n; i > 0; i--)
		if (s.p[i - 1] == '/' || s.p[i - 1] == '\\')
			break;
	s = str_trim(str_sub(s, i, s.n));
	if (s.n == 0 || str_is(s, "..") || str_is(s, "."))
		return STR_NONE;
	for (i = 0; i < s.n && (unsigned char)s.p[i] >= ' '; i++)
		;
	if (i == s.n)
		return s;
	buf_clear(&d->utf8);
	buf_clean(&d->utf8, s);
	return arena_str(d->a, str_trim(buf_view(&d->utf8)));
}

/* A container that is to be ignored is marked by its `user`. */
static char ignored;

static bool ignore(struct decoder *d, const struct mime_part *p)
{
	if (d->o->full)
		return false;
	return (p->parent != NULL && p->parent->user == &ignored) ||
	       str_iis(chat_content(d, p), "ignore");
}

static bool unreadable(struct decoder *d)
{
	d->m->encrypted = 1;
	d->unreadable = true;
	return true;
}

/* S/MIME: of the kinds that RFC 8551 3.2.2 names only two hide their text; one
 * that does not say its kind most likely does. */
static bool smime_hides(const struct mime_part *p)
{
	struct str s = hdr_param(&p->type, "smime-type");

	if (!type_is(p, "application/pkcs7-mime") &&
	    !type_is(p, "application/x-pkcs7-mime"))
		return false;
	return s.n == 0 || str_iis(s, "enveloped-data") ||
	       str_iis(s, "authEnveloped-data");
}

static enum role role_of(struct decoder *d, const struct mime_part *p)
{
	bool text = str_starts(p->type.value, "text/") &&
		    !str_is(p->disposition.value, "attachment") &&
		    part_name(d, p).p == NULL;

	if (inside(p, "multipart/encrypted") ||
	    type_is(p, "application/pgp-signature") ||
	    type_is(p, "application/pkcs7-signature") ||
	    type_is(p, "application/x-pkcs7-signature") ||
	    (smime_hides(p) && unreadable(d)))
		return ROLE_SKIP;
	if (ignore(d, p))
		return ROLE_SKIP;
	if (str_iis(chat_content(d, p), "preview"))
		return ROLE_PREVIEW;
	if (text && type_is(p, "text/plain"))
		return ROLE_TEXT;
	if (text && type_is(p, "text/html") && d->html.n == 0)
		return ROLE_HTML;
	if (text && type_is(p, "text/markdown") && d->markdown.n == 0)
		return ROLE_MARKDOWN;
	return ROLE_ATTACHMENT;
}

static bool is_blob(const struct part *x)
{
	return x->role == ROLE_PREVIEW || x->role == ROLE_ATTACHMENT;
}

/* --- attachments ---------------------------------------------------------- */

static const char *fallback_name(const struct mime_part *p)
{
	static const char *const t[][2] = {
	    {"image/jpeg", "image.jpg"},      {"image/png", "image.png"},
	    {"image/gif", "image.gif"},	      {"image/webp", "image.webp"},
	    {"audio/webm", "audio.webm"},     {"video/webm", "video.webm"},
	    {"text/plain", "text.txt"},	      {"text/html", "text.html"},
	    {"message/rfc822", "message.eml"}};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (type_is(p, t[i][0]))
			return t[i][1];
	return "attachment";
}

static int open_saved(struct decoder *d, struct part *x, struct coi_err *e)
{
	struct buf safe = {0}, used = {0};

	file_safe_name(part_name(d, x->p), fallback_name(x->p), &safe);
	x->fd = file_create_new(d->o->save_fd, buf_cstr(&safe), &used, e);
	if (x->fd >= 0) {
		decode_blob(d, x)->path = arena_fmt(
		    d->a, "%s/%.*s", d->o->save_dir, STR_ARG(buf_view(&used)));
		d->saved = arena_more(d->a, d->saved, d->nsaved, &d->saved_cap,
				      sizeof(*d->saved));
		d->saved[d->nsaved++] = arena_str(d->a, buf_view(&used));
	}
	buf_free(&safe);
	buf_free(&used);
	return x->fd < 0 ? -1 : 0;
}

static int64_t hinted_size(const struct mime_part *p)
{
	uint64_t v;

	return str_u64(hdr_param(&p->disposition, "size"), INT64_MAX, &v)
		   ? (int64_t)v
		   : -1;
}

static struct str content_id(struct decoder *d, const struct mime_part *p)
{
	struct str raw = hdr_get(p->header, "Content-ID"), id;

	return msgid_next(&raw, &id) ? arena_str(d->a, id) : STR_NONE;
}

static int begin_blob(struct decoder *d, struct part *x, struct coi_err *e)
{
	struct message *m = d->m;
	struct mime_part *p = x->p;
	struct blob *b;

	x->index = SIZE_MAX;
	if (x->role == ROLE_PREVIEW) {
		/* One that no part followed is shown by itself. */
		if (d->preview != NULL)
			*message_attach(d->a, m) = *d->preview;
		b = d->preview = x->blob = arena_alloc(d->a, sizeof(*b));
	} else {
		b = message_attach(d->a, m);
		x->index = m->nattachments - 1;
		b->preview = d->preview;
		d->preview = NULL;
	}
	b->type = p->type.value;
	b->name = part_name(d, p);
	if (p->disposition.value.n > 0)
		b->disposition = p->disposition.value;
	b->cid = content_id(d, p);
	b->size = hinted_size(p);
	if (d->o->save_dir != NULL && !x->absent)
		return open_saved(d, x, e);
	/* Offline there is no IMAP part to fetch, but the number still tells
	 * which part of the file it was. */
	if (!d->o->inline_data || x->absent)
		b->section = p->section;
	return 0;
}

/* The attachments array may have moved since the part began. */
struct blob *decode_blob(struct decoder *d, struct part *x)
{
	return x->index == SIZE_MAX ? x->blob : &d->m->attachments[x->index];
}

static void too_large(struct decoder *d, struct part *x)
{
	struct blob *b = decode_blob(d, x);

	x->dropped = true;
	b->section = x->p->section;
	b->path = STR_NONE;
	if (x->fd >= 0) {
		close(x->fd);
		x->fd = -1;
		d->nsaved--;
		unlinkat(d->o->save_fd, arena_cstr(d->a, d->saved[d->nsaved]),
			 0);
	}
}

/* What was decoded is counted, then written, kept or forgotten. */
static int blob_octets(struct decoder *d, struct part *x, size_t before,
		       struct coi_err *e)
{
	x->size += d->raw.n - before;
	if (!x->dropped && d->o->max_size >= 0 &&
	    x->size > (uint64_t)d->o->max_size &&
	    (x->fd >= 0 || d->o->inline_data))
		too_large(d, x);
	if (x->fd >= 0 && file_write_fd(x->fd, d->raw.p, d->raw.n, e) < 0) {
		err_ctx(e, "%s", d->o->save_dir);
		return -1;
	}
	if (x->fd >= 0 || x->dropped || !d->o->inline_data)
		buf_clear(&d->raw);
	return 0;
}

static int end_blob(struct decoder *d, struct part *x, struct coi_err *e)
{
	struct blob *b = decode_blob(d, x);
	size_t before = d->raw.n;
	int rc;

	if (x->absent)
		return 0;
	enc_decode(&x->dec, STR_NONE, true, &d->raw);
	rc = blob_octets(d, x, before, e);
	b->size = (int64_t)x->size;
	if (x->fd >= 0) {
		if (close(x->fd) < 0 && rc == 0)
			rc = err_set(e, COI_E_IO, "cannot write %s",
				     d->o->save_dir);
		x->fd = -1;
	} else if (d->o->inline_data && !x->dropped) {
		b->data = arena_str(d->a, buf_view(&d->raw));
	}
	return rc;
}

/* --- texts ---------------------------------------------------------------- */

static struct buf *text_buf(struct decoder *d, const struct part *x)
{
	return x->role == ROLE_HTML	  ? &d->html
	       : x->role == ROLE_MARKDOWN ? &d->markdown
					  : &d->text;
}

/* LIMIT_TEXT is for all parts of the message together. */
static void text_limit(struct decoder *d, struct part *x)
{
	size_t have = text_buf(d, x)->n;
	size_t room = have < LIMIT_TEXT ? LIMIT_TEXT - have : 0;

	if (d->raw.n <= room)
		return;
	d->raw.n = room;
	x->dropped = true;
	message_warn(d->a, d->m, "text cut after %u octets", LIMIT_TEXT);
}

static void end_text(struct decoder *d, struct part *x)
{
	struct str set = hdr_param(&x->p->type, "charset");
	struct str delsp = hdr_param(&x->p->type, "delsp");
	struct buf *dst = text_buf(d, x);
	bool known;

	if (!x->dropped) {
		enc_decode(&x->dec, STR_NONE, true, &d->raw);
		text_limit(d, x);
	}
	buf_clear(&d->utf8);
	known = text_to_utf8(&d->utf8, set, buf_view(&d->raw));
	if (!known && set.n == 0)
		message_warn(d->a, d->m, "part %.*s names no character set",
			     STR_ARG(x->p->section));
	else if (!known)
		message_warn(d->a, d->m, "unknown character set \"%.*s\"",
			     STR_ARG(set));
	/* A second text of the same mail is the continuation of the first. */
	if (dst->n > 0)
		buf_z(dst, "\n\n");
	if (x->role == ROLE_TEXT &&
	    str_iis(hdr_param(&x->p->type, "format"), "flowed")) {
		buf_clear(&d->joined);
		flowed_decode(&d->joined, buf_view(&d->utf8),
			      str_iis(delsp, "yes"));
		text_lf(dst, buf_view(&d->joined));
	} else {
		text_lf(dst, buf_view(&d->utf8));
	}
	if (x->role == ROLE_TEXT)
		d->have_text = true;
}

/* --- events of the MIME reader -------------------------------------------- */

static void note_shape(struct decoder *d, const struct part *x)
{
	if (!d->o->identity)
		return;
	buf_str(&d->shape, x->p->type.value);
	buf_c(&d->shape, ':');
	buf_u64(&d->shape, x->octets);
	buf_c(&d->shape, ';');
}

int decode_part_begin(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct decoder *d = ctx;
	struct part *x;

	if (p->parent == NULL)
		decode_head(d, p->header);
	if (p->multipart) {
		if (type_is(p, "multipart/encrypted"))
			unreadable(d);
		else if (type_is(p, "multipart/signed"))
			d->m->is_signed = 1;
		if (ignore(d, p))
			p->user = &ignored;
		return 0;
	}
	x = arena_alloc(d->a, sizeof(*x));
	x->p = p;
	x->fd = -1;
	x->absent = d->absent;
	x->role = role_of(d, p);
	x->dec.enc = p->enc;
	p->user = x;
	buf_clear(&d->raw);
	return is_blob(x) ? begin_blob(d, x, e) : 0;
}

int decode_part_body(void *ctx, struct mime_part *p, struct str raw,
		     struct coi_err *e)
{
	struct decoder *d = ctx;
	struct part *x = p->user;

	x->octets += raw.n;
	if (x->role == ROLE_SKIP)
		return 0;
	while (raw.n > 0 && !(x->dropped && !is_blob(x))) {
		struct str piece = str_sub(raw, 0, PIECE);
		size_t before = d->raw.n;

		raw = str_sub(raw, piece.n, raw.n);
		enc_decode(&x->dec, piece, false, &d->raw);
		if (!is_blob(x))
			text_limit(d, x);
		else if (blob_octets(d, x, before, e) < 0)
			return -1;
	}
	return 0;
}

int decode_part_end(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct decoder *d = ctx;
	struct part *x = p->user;
	int rc = 0;

	if (p->multipart)
		return 0;
	note_shape(d, x);
	if (x->role == ROLE_SKIP)
		return 0;
	if (is_blob(x))
		rc = end_blob(d, x, e);
	else if (!x->absent)
		end_text(d, x);
	else
		message_warn(d->a, d->m,
			     "text of part %.*s is too large to fetch",
			     STR_ARG(p->section));
	if (x->dec.bad)
		message_warn(d->a, d->m, "part %.*s is damaged",
			     STR_ARG(p->section));
	else if (p->enc == ENC_UNKNOWN)
		message_warn(d->a, d->m,
			     "part %.*s has an unknown transfer encoding",
			     STR_ARG(p->section));
	buf_clear(&d->raw);
	return rc;
}
