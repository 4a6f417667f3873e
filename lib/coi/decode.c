#include "coi/decode.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "coi/decode_priv.h"
#include "core/file.h"
#include "core/limits.h"
#include "fmt/date.h"
#include "fmt/flowed.h"
#include "fmt/msgid.h"
#include "fmt/text.h"

/* --- header of the message ------------------------------------------------ */

static struct str first_id(struct str raw)
{
	struct str rest = raw, id;

	return raw.p != NULL && msgid_next(&rest, &id) ? id : STR_NONE;
}

static void add_ids(struct decoder *d, struct str raw)
{
	struct message *m = d->m;
	struct str rest = raw, id;
	size_t cap = 0, n = 0;
	struct str *v = NULL;

	while (n < LIMIT_REFERENCES && msgid_next(&rest, &id)) {
		v = arena_more(d->a, v, n, &cap, sizeof(*v));
		v[n++] = arena_str(d->a, id);
	}
	m->references.v = v;
	m->references.n = n;
}

static struct str text_of(struct decoder *d, struct str raw)
{
	return arena_str(d->a, hdr_text(d->a, raw));
}

static void addresses(struct decoder *d, struct str raw, struct addr_list *l)
{
	addr_parse(d->a, raw, l);
	if (l->n > LIMIT_ADDRESSES) {
		l->n = LIMIT_ADDRESSES;
		message_warn(d->a, d->m, "more than %u addresses",
			     LIMIT_ADDRESSES);
	}
}

static void extra_header(struct decoder *d, struct str name, struct str value)
{
	struct message *m = d->m;

	m->headers = arena_more(d->a, m->headers, m->nheaders, &m->headers_cap,
				sizeof(*m->headers));
	m->headers[m->nheaders++] = (struct raw_header){arena_str(d->a, name),
							text_of(d, value)};
}

enum field {
	F_DATE,
	F_FROM,
	F_TO,
	F_CC,
	F_REPLY_TO,
	F_SUBJECT,
	F_ID,
	F_IRT,
	F_REFS,
	F_VERSION,
	F_CONTENT,
	F_DNT,
	F_CDNT,
	F_LIST_ID,
	F_XMS_ID,
	F_OTHER
};

static const struct {
	const char *name;
	enum field field;
} fields[] = {{"date", F_DATE},
	      {"from", F_FROM},
	      {"to", F_TO},
	      {"cc", F_CC},
	      {"reply-to", F_REPLY_TO},
	      {"subject", F_SUBJECT},
	      {"message-id", F_ID},
	      {"in-reply-to", F_IRT},
	      {"references", F_REFS},
	      {"chat-version", F_VERSION},
	      {"chat-content", F_CONTENT},
	      {"disposition-notification-to", F_DNT},
	      {"chat-disposition-notification-to", F_CDNT},
	      {"list-id", F_LIST_ID},
	      {"x-microsoft-original-message-id", F_XMS_ID}};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static enum field field_of(struct str name)
{
	size_t i;

	for (i = 0; i < NFIELDS; i++)
		if (str_iis(name, fields[i].name))
			return fields[i].field;
	return F_OTHER;
}

static bool mapped_elsewhere(struct str name)
{
	return str_istarts(name, "content-") || str_istarts(name, "chat-") ||
	       str_istarts(name, "coi-") || str_iis(name, "mime-version") ||
	       str_iis(name, "bcc");
}

static void list_id(struct decoder *d, struct str raw)
{
	struct str s = text_of(d, raw);
	ptrdiff_t lt = str_chr(s, '<');

	if (lt >= 0) {
		s = str_sub(s, (size_t)lt + 1, s.n);
		s = str_split(&s, '>');
	}
	d->list_id = str_trim(s);
}

static void chat_version(struct decoder *d, struct str raw)
{
	struct str s = hdr_unfold(d->a, raw);

	d->m->meta.chat_version = arena_str(d->a, str_trim(str_split(&s, ';')));
	d->m->meta.by_version = true;
}

/* The header block of the message itself: the first of each field counts. */
static void message_header(struct decoder *d, struct str block)
{
	struct message *m = d->m;
	bool had[NFIELDS + 1] = {false};
	struct str name, value;
	struct addr_list from = {0};
	unsigned n = 0;

	while (hdr_next(&block, &name, &value)) {
		enum field f = field_of(name);

		if (++n > LIMIT_HEADER_FIELDS) {
			message_warn(d->a, m, "more than %u header fields",
				     LIMIT_HEADER_FIELDS);
			break;
		}
		if (f == F_OTHER) {
			if (d->o->headers && !mapped_elsewhere(name))
				extra_header(d, name, value);
			continue;
		}
		if (had[f])
			continue;
		had[f] = true;
		switch (f) {
		case F_DATE:
			if (!date_parse(value, &m->sent_at))
				message_warn(d->a, m, "unreadable Date");
			break;
		case F_FROM:
			addresses(d, value, &from);
			if (from.n > 0)
				m->from = from.v[0];
			if (from.n > 1)
				message_warn(d->a, m,
					     "From holds %zu addresses",
					     from.n);
			break;
		case F_TO:
			addresses(d, value, &m->to);
			break;
		case F_CC:
			addresses(d, value, &m->cc);
			break;
		case F_REPLY_TO:
			addresses(d, value, &m->reply_to);
			break;
		case F_SUBJECT:
			m->subject = text_of(d, value);
			break;
		case F_ID:
			m->id = arena_str(d->a, first_id(value));
			break;
		case F_XMS_ID:
			d->original_id = arena_str(d->a, first_id(value));
			break;
		case F_IRT:
			m->in_reply_to = arena_str(d->a, first_id(value));
			break;
		case F_REFS:
			add_ids(d, value);
			break;
		case F_VERSION:
			chat_version(d, value);
			break;
		case F_CONTENT: {
			struct hdr_value v;

			hdr_value(d->a, value, &v);
			m->chat_content = arena_str(d->a, v.value);
			break;
		}
		case F_DNT:
		case F_CDNT:
			m->receipt_requested = true;
			break;
		case F_LIST_ID:
			list_id(d, value);
			break;
		case F_OTHER:
			break;
		}
	}
	if (m->in_reply_to.n == 0)
		m->in_reply_to = STR_NONE;
	if (m->id.n == 0)
		m->id = STR_NONE;
	/* Exchange puts an id of its own; the first one is kept beside it. */
	if (d->original_id.n > 0)
		m->id = d->original_id;
	if (m->from.email.p == NULL)
		message_warn(d->a, m, "no From address");
}

/* --- parts ---------------------------------------------------------------- */

static bool type_is(const struct mime_part *p, const char *type)
{
	return str_is(p->type.value, type);
}

static bool chat_content_is(struct decoder *d, const struct mime_part *p,
			    const char *word)
{
	struct str raw = hdr_get(p->header, "Chat-Content");
	struct hdr_value v;

	if (raw.p == NULL)
		return false;
	hdr_value(d->a, raw, &v);
	return str_is(v.value, word);
}

static bool inside(const struct mime_part *p, const char *type)
{
	for (p = p->parent; p != NULL; p = p->parent)
		if (type_is(p, type))
			return true;
	return false;
}

static struct str part_name(const struct mime_part *p)
{
	struct str s = hdr_param(&p->disposition, "filename");

	return s.p != NULL ? s : hdr_param(&p->type, "name");
}

static enum role role_of(struct decoder *d, const struct mime_part *p)
{
	bool attached = str_is(p->disposition.value, "attachment") ||
			part_name(p).p != NULL;

	if (inside(p, "multipart/encrypted") ||
	    type_is(p, "application/pgp-signature") ||
	    type_is(p, "application/pkcs7-signature") ||
	    type_is(p, "application/x-pkcs7-signature"))
		return ROLE_SKIP;
	if (type_is(p, "application/pkcs7-mime") ||
	    type_is(p, "application/x-pkcs7-mime")) {
		struct str s = hdr_param(&p->type, "smime-type");

		if (!str_is(s, "signed-data")) {
			d->m->encrypted = 1;
			d->unreadable = true;
			return ROLE_SKIP;
		}
	}
	if (!d->o->full && chat_content_is(d, p, "ignore"))
		return ROLE_SKIP;
	if (chat_content_is(d, p, "preview"))
		return ROLE_PREVIEW;
	if (!attached && type_is(p, "text/plain"))
		return ROLE_TEXT;
	if (!attached && type_is(p, "text/html") && d->html.n == 0)
		return ROLE_HTML;
	if (!attached && type_is(p, "text/markdown") && d->markdown.n == 0)
		return ROLE_MARKDOWN;
	return ROLE_ATTACHMENT;
}

static const char *fallback_name(const struct mime_part *p)
{
	static const char *const t[][2] = {
	    {"image/jpeg", "image.jpg"},      {"image/png", "image.png"},
	    {"image/gif", "image.gif"},	      {"image/webp", "image.webp"},
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
	struct str path;

	file_safe_name(part_name(x->p), fallback_name(x->p), &safe);
	x->fd = file_create_new(d->o->save_fd, buf_cstr(&safe), &used, e);
	if (x->fd >= 0) {
		path = arena_fmt(d->a, "%s/%.*s", d->o->save_dir,
				 STR_ARG(buf_view(&used)));
		x->blob->path = path;
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

static int begin_blob(struct decoder *d, struct part *x, struct coi_err *e)
{
	struct message *m = d->m;
	struct mime_part *p = x->p;
	struct blob *b;
	struct str cid;

	if (x->role == ROLE_PREVIEW) {
		b = arena_alloc(d->a, sizeof(*b));
		d->preview = b;
	} else {
		b = message_attach(d->a, m);
		d->last_index = m->nattachments - 1;
		b->preview = d->preview;
		d->preview = NULL;
	}
	b->type = p->type.value;
	b->name = part_name(p);
	b->disposition = p->disposition.value.n > 0 ? p->disposition.value
						    : STR_NONE;
	cid = hdr_get(p->header, "Content-ID");
	b->cid = cid.p == NULL ? STR_NONE : first_id(cid);
	if (b->cid.p != NULL)
		b->cid = arena_str(d->a, b->cid);
	b->size = hinted_size(p);
	x->blob = b;
	x->index = x->role == ROLE_PREVIEW ? SIZE_MAX : d->last_index;
	if (x->absent || !(d->o->save_dir != NULL || d->o->inline_data)) {
		/* Offline, without --save, there is no IMAP part to name, but
		 * the number still tells which part it was. */
		b->section = p->section;
		return 0;
	}
	if (d->o->save_dir != NULL)
		return open_saved(d, x, e);
	return 0;
}

/* The attachments array may have moved since the part began. */
static struct blob *blob_of(struct decoder *d, struct part *x)
{
	return x->index == SIZE_MAX ? x->blob : &d->m->attachments[x->index];
}

static int part_begin(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct decoder *d = ctx;
	struct part *x;

	if (p->parent == NULL)
		message_header(d, p->header);
	if (p->multipart) {
		if (type_is(p, "multipart/encrypted")) {
			d->m->encrypted = 1;
			d->unreadable = true;
		} else if (type_is(p, "multipart/signed")) {
			d->m->is_signed = 1;
		}
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
	if (x->role == ROLE_PREVIEW || x->role == ROLE_ATTACHMENT)
		return begin_blob(d, x, e);
	return 0;
}

static int too_large(struct decoder *d, struct part *x)
{
	struct blob *b = blob_of(d, x);

	x->dropped = true;
	buf_clear(&d->raw);
	b->section = x->p->section;
	b->path = STR_NONE;
	if (x->fd >= 0) {
		close(x->fd);
		x->fd = -1;
		d->nsaved--;
		unlinkat(d->o->save_fd, arena_cstr(d->a, d->saved[d->nsaved]),
			 0);
	}
	return 0;
}

static int blob_body(struct decoder *d, struct part *x, struct coi_err *e)
{
	if (x->fd < 0)
		return 0;
	if (file_write_fd(x->fd, d->raw.p, d->raw.n, e) < 0) {
		err_ctx(e, "%s", d->o->save_dir);
		return -1;
	}
	buf_clear(&d->raw);
	return 0;
}

static int part_body(void *ctx, struct mime_part *p, struct str raw,
		     struct coi_err *e)
{
	struct decoder *d = ctx;
	struct part *x = p->user;
	bool blob = x->role == ROLE_PREVIEW || x->role == ROLE_ATTACHMENT;
	size_t before;

	x->octets += raw.n;
	if (x->role == ROLE_SKIP || x->dropped)
		return 0;
	if (blob && x->fd < 0 && !d->o->inline_data) {
		/* Only its size is wanted: decode into a small scratch. */
		buf_clear(&d->raw);
		enc_decode(&x->dec, raw, false, &d->raw);
		x->size += d->raw.n;
		buf_clear(&d->raw);
		return 0;
	}
	before = d->raw.n;
	enc_decode(&x->dec, raw, false, &d->raw);
	x->size += d->raw.n - before;
	if (!blob) {
		if (d->raw.n > LIMIT_TEXT) {
			d->raw.n = LIMIT_TEXT;
			x->dropped = true;
			message_warn(d->a, d->m, "text cut after %u octets",
				     LIMIT_TEXT);
		}
		return 0;
	}
	if (d->o->max_size >= 0 && x->size > (uint64_t)d->o->max_size)
		return too_large(d, x);
	return blob_body(d, x, e);
}

static struct str charset_of(const struct mime_part *p)
{
	return hdr_param(&p->type, "charset");
}

static void end_text(struct decoder *d, struct part *x)
{
	struct buf utf8 = {0}, *dst = &d->text;
	struct str fmt = hdr_param(&x->p->type, "format");
	bool ok;

	ok = text_to_utf8(&utf8, charset_of(x->p), buf_view(&d->raw));
	if (!ok)
		message_warn(d->a, d->m, "unknown character set \"%.*s\"",
			     STR_ARG(charset_of(x->p)));
	if (x->role == ROLE_HTML)
		dst = &d->html;
	else if (x->role == ROLE_MARKDOWN)
		dst = &d->markdown;
	/* A second text of the same mail is the continuation of the first. */
	if (dst->n > 0)
		buf_z(dst, "\n\n");
	if (x->role == ROLE_TEXT && str_iis(fmt, "flowed")) {
		struct buf joined = {0};

		flowed_decode(&joined, buf_view(&utf8),
			      str_iis(hdr_param(&x->p->type, "delsp"), "yes"));
		text_lf(dst, buf_view(&joined));
		buf_free(&joined);
	} else {
		text_lf(dst, buf_view(&utf8));
	}
	if (x->role == ROLE_TEXT)
		d->have_text = true;
	buf_free(&utf8);
}

static int end_blob(struct decoder *d, struct part *x, struct coi_err *e)
{
	struct blob *b = blob_of(d, x);
	int rc = 0;

	if (!x->absent && !x->dropped)
		b->size = (int64_t)x->size;
	if (x->fd >= 0) {
		rc = blob_body(d, x, e);
		if (close(x->fd) < 0 && rc == 0)
			rc = err_set(e, COI_E_IO, "cannot write %s",
				     d->o->save_dir);
		x->fd = -1;
	} else if (d->o->inline_data && !x->absent && !x->dropped) {
		b->data = arena_str(d->a, buf_view(&d->raw));
	}
	return rc;
}

static void note_shape(struct decoder *d, const struct part *x)
{
	if (!d->o->identity)
		return;
	buf_str(&d->shape, x->p->type.value);
	buf_fmt(&d->shape, ":%llu;", (unsigned long long)x->octets);
}

static int part_end(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct decoder *d = ctx;
	struct part *x = p->user;
	size_t before = d->raw.n;
	int rc = 0;

	if (p->multipart)
		return 0;
	note_shape(d, x);
	if (x->role != ROLE_SKIP && !x->dropped && !x->absent) {
		enc_decode(&x->dec, STR_NONE, true, &d->raw);
		if (d->raw.n > before)
			x->size += d->raw.n - before;
		if (x->dec.bad)
			message_warn(d->a, d->m, "part %.*s is damaged",
				     STR_ARG(p->section));
	}
	if (x->role == ROLE_TEXT || x->role == ROLE_HTML ||
	    x->role == ROLE_MARKDOWN) {
		if (x->absent)
			message_warn(d->a, d->m,
				     "text of part %.*s is too large to fetch",
				     STR_ARG(p->section));
		else
			end_text(d, x);
	} else if (x->role != ROLE_SKIP) {
		rc = end_blob(d, x, e);
	}
	buf_clear(&d->raw);
	return rc;
}

/* --- the whole ------------------------------------------------------------ */

static const struct mime_events events = {part_begin, part_body, part_end};

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
	message_header(d, header);
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
	rc = part_begin(d, p, e);
	if (rc == 0 && octets >= 0 && !p->multipart) {
		struct part *x = p->user;

		x->octets = (uint64_t)octets;
		if (x->blob != NULL && blob_of(d, x)->size < 0)
			blob_of(d, x)->size = p->enc == ENC_BASE64
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
	return part_body(d, p, raw, e);
}

int decoder_part_end(struct decoder *d, struct mime_part *p, struct coi_err *e)
{
	return part_end(d, p, e);
}

static void finish_text(struct decoder *d)
{
	struct message *m = d->m;
	struct buf own = {0};
	struct str text;
	bool coi = m->meta.by_version && msgid_is_chat(m->id);

	if (d->html.n > 0)
		m->html = arena_str(d->a, buf_view(&d->html));
	if (d->markdown.n > 0)
		m->markdown = arena_str(d->a, buf_view(&d->markdown));
	if (!d->have_text && d->html.n > 0) {
		text_from_html(&d->text, buf_view(&d->html));
		d->have_text = true;
	}
	if (!d->have_text)
		return;
	text = buf_view(&d->text);
	/* A COI client sends the user's own words: a line that looks like a
	 * quote was typed. */
	if (!coi && text_cut(text, &own)) {
		m->text = arena_str(d->a, buf_view(&own));
		if (d->o->full)
			m->full_text = arena_str(d->a, text);
	} else {
		m->text = arena_str(d->a, text);
	}
	if (m->text.n == 0 && m->nattachments > 0)
		m->text = STR_NONE;
	buf_free(&own);
}

static void hash_identity(struct decoder *d)
{
	struct message *m = d->m;
	struct buf h = {0};
	unsigned n = 0;

	buf_str(&h, m->id);
	buf_c(&h, '\0');
	buf_str(&h, m->from.email);
	buf_fmt(&h, "%c%lld%c", 0, (long long)m->sent_at, 0);
	buf_str(&h, buf_view(&d->shape));
	if (d->md == NULL)
		d->md = EVP_MD_CTX_new();
	EVP_DigestInit_ex(d->md, EVP_sha256(), NULL);
	EVP_DigestUpdate(d->md, h.p, h.n);
	EVP_DigestUpdate(d->md, d->text.p == NULL ? "" : d->text.p, d->text.n);
	EVP_DigestFinal_ex(d->md, d->identity, &n);
	buf_free(&h);
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
