#include <stdlib.h>

#include "coi/fetch_priv.h"
#include "core/limits.h"
#include "core/sys.h"
#include "fmt/msgid.h"
#include "imap/structure.h"

#define COLLECT (256u * 1024u) /* smaller messages are decoded in one piece */
#define COMMIT_MS 500

/* --- one message is complete ---------------------------------------------- */

static void imap_part_of(struct reading *r, const struct imap_msg *m)
{
	struct message *x = &r->msg;
	size_t i;

	x->imap.given = true;
	x->imap.mailbox = r->mailbox;
	x->imap.uid = m->uid;
	x->imap.uid_validity = r->uid_validity;
	x->imap.mod_seq = m->modseq;
	x->imap.have_flags = m->have_flags;
	x->imap.nflags = m->nflags;
	x->imap.flags = arena_alloc(r->arena,
				    (m->nflags + 1) * sizeof(*x->imap.flags));
	for (i = 0; i < m->nflags; i++)
		x->imap.flags[i] = arena_str(r->arena, m->flags[i]);
	x->imap.received_at = m->have_date ? m->internal_date : INT64_MIN;
	x->imap.size = m->have_size ? (int64_t)m->size : -1;
}

/* A reply to a message whose conversation we know, whatever client wrote it. */
static int thread_known(struct reading *r, struct coi_err *e)
{
	struct message *m = &r->msg;
	struct str root, conv;
	bool found = false;
	size_t i;

	if (m->meta.chat || r->st == NULL)
		return 0;
	if (m->in_reply_to.p != NULL &&
	    store_thread_get(r->st, r->arena, m->in_reply_to, &root, &conv,
			     &found, e) < 0)
		return -1;
	for (i = m->references.n; !found && i > 0; i--)
		if (store_thread_get(r->st, r->arena, m->references.v[i - 1],
				     &root, &conv, &found, e) < 0)
			return -1;
	if (!found)
		return 0;
	m->meta.chat = true;
	m->meta.by_thread = true;
	if (str_starts(conv, "group:")) {
		m->meta.conversation = conv;
		m->group_id = str_sub(conv, 6, conv.n);
	}
	return 0;
}

static int is_own(struct reading *r, bool *own, struct coi_err *e)
{
	bool sent = false;

	*own = r->msg.meta.from_me;
	if (*own || r->st == NULL || r->msg.id.p == NULL)
		return 0;
	if (store_sent_has(r->st, r->msg.id, &sent, e) < 0)
		return -1;
	/* Anybody can put an id of ours on his mail: it hides nothing. */
	if (sent)
		message_warn(r->arena, &r->msg,
			     "Message-ID is that of a message of ours");
	return 0;
}

/* Something for a script to answer and acknowledge by. */
static void make_id(struct reading *r)
{
	struct str h = decoder_identity(r->dec);
	struct buf b = {0};
	size_t i;

	if (r->msg.id.p != NULL || r->o->consumer == NULL)
		return;
	for (i = 0; i < 16; i++)
		buf_fmt(&b, "%02x", (unsigned char)h.p[i]);
	r->msg.id = arena_fmt(r->arena, "%.*s@no-message-id.invalid",
			      STR_ARG(buf_view(&b)));
	message_warn(r->arena, &r->msg, "no Message-ID: this id is made up");
	buf_free(&b);
}

/* Was it printed since the last commit?  The database does not know yet. */
static bool marked(struct reading *r, uint64_t key, bool add)
{
	uint64_t *slot;
	size_t i;

	key |= 1; /* 0 is an empty slot */
	for (i = key >> 32;; i++) {
		slot = &r->marks[i & (MARKS - 1)];
		if (*slot == key)
			return true;
		if (*slot == 0)
			break;
	}
	if (add)
		*slot = key;
	return false;
}

static uint64_t identity_key(const struct reading *r)
{
	uint64_t key;

	memcpy(&key, decoder_identity(r->dec).p, sizeof(key));
	return key;
}

/* FNV-1a: an accident here costs a needless warning, nothing else. */
static uint64_t id_key(struct str id)
{
	uint64_t h = UINT64_C(14695981039346656037);
	size_t i;

	for (i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * UINT64_C(1099511628211);
	return h;
}

/* The same message: seen; another one under its id: reused. */
static int look_up(struct reading *r, bool *seen, bool *reused,
		   struct coi_err *e)
{
	const struct message *m = &r->msg;

	if (r->o->consumer == NULL)
		return 0;
	*seen = marked(r, identity_key(r), false);
	if (*seen)
		return 0;
	if (store_seen(r->st, r->o->consumer, m->id, decoder_identity(r->dec),
		       seen, reused, e) < 0)
		return -1;
	if (m->id.p != NULL && marked(r, id_key(m->id), false))
		*reused = true;
	return 0;
}

static void remember(struct reading *r, uint32_t uid)
{
	struct message *m = &r->msg;
	struct store_seen *s;

	r->batch = mem_more(r->batch, r->nbatch, &r->batch_cap,
			    sizeof(*r->batch));
	s = &r->batch[r->nbatch++];
	*s = (struct store_seen){.uid = uid};
	if (m->id.p != NULL)
		s->id = arena_str(r->batch_arena, m->id);
	s->identity = arena_str(r->batch_arena, decoder_identity(r->dec));
	marked(r, identity_key(r), true);
	if (m->id.p != NULL)
		marked(r, id_key(m->id), true);
	if (m->meta.chat && m->id.p != NULL) {
		struct str root = message_root(m);

		s->root = str_eq(root, m->id) ? s->id
					      : arena_str(r->batch_arena, root);
		if (m->meta.conversation.p != NULL)
			s->conversation = arena_str(r->batch_arena,
						    m->meta.conversation);
	}
}

int reading_take(struct reading *r, const struct imap_msg *m, struct coi_err *e)
{
	struct message *x = &r->msg;
	bool own = false, seen = false, reused = false;

	if (!imap_set_has(&r->asked, m->uid) ||
	    imap_set_has(&r->done, m->uid)) {
		decoder_drop(r->dec);
		return 0;
	}
	imap_part_of(r, m);
	make_id(r);
	/* Who sent one of these recorded it before, so one look at the state
	 * serves for all that came in one piece. */
	if (r->st != NULL && store_read(r->st, e) < 0)
		return -1;
	if (thread_known(r, e) < 0 || is_own(r, &own, e) < 0)
		return -1;
	if (look_up(r, &seen, &reused, e) < 0)
		return -1;
	if (reused)
		message_warn(r->arena, x,
			     "Message-ID was used before by another message");
	imap_set_add(&r->done, m->uid, m->uid);
	if (m->have_date && m->internal_date < r->not_before) {
		decoder_drop(r->dec);
		return 0;
	}
	if (seen)
		r->r->duplicates++;
	else if (own && !r->o->own)
		r->r->own++;
	else if (x->meta.chat || r->o->all_mail) {
		if (r->o->line(r->o->ctx, x, e) < 0) {
			r->out_failed = true;
			return -1;
		}
		sys_point("fetch.line");
		r->r->printed++;
		imap_set_add(&r->printed, m->uid, m->uid);
		if (r->o->consumer != NULL)
			remember(r, m->uid);
		if (r->o->limit >= 0 && r->r->printed >= (uint64_t)r->o->limit)
			r->full = true;
		return 0;
	}
	decoder_drop(r->dec); /* not printed: files saved for it go */
	return 0;
}

int reading_commit(struct reading *r, uint32_t cursor, struct coi_err *e)
{
	struct store_cursor c = {r->uid_validity, cursor, 0};
	int rc;

	if (r->st != NULL)
		store_read_end(r->st);
	if (r->out_failed || r->o->flush(r->o->ctx, e) < 0) {
		r->out_failed = true;
		return -1;
	}
	r->last_commit = sys_mono_ms();
	if (r->o->consumer == NULL)
		return 0;
	sys_point("fetch.flushed");
	if (r->o->no_commit && r->nbatch > 0)
		rc = store_handout(r->st, r->o->consumer, r->mailbox, &c,
				   r->batch, r->nbatch, e);
	else if (r->o->no_commit)
		rc = 0;
	else
		rc = store_commit(r->st, r->o->consumer, r->mailbox, &c,
				  r->batch, r->nbatch, e);
	sys_point("fetch.committed");
	if (r->nbatch > 0)
		memset(r->marks, 0, MARKS * sizeof(*r->marks));
	r->nbatch = 0;
	arena_reset(r->batch_arena);
	return rc;
}

int reading_end(struct reading *r, uint32_t cursor, struct coi_err *e)
{
	struct store_cursor c = {r->uid_validity, cursor, 0};

	if (reading_commit(r, cursor, e) < 0)
		return -1;
	if (r->o->consumer == NULL || !r->o->no_commit || r->full)
		return 0;
	return store_handout_done(r->st, r->o->consumer, r->mailbox, &c, e);
}

/* Answers come in any order, or not at all. */
uint32_t reading_safe(const struct reading *r)
{
	uint32_t uid = r->floor;
	size_t i, k = 0;

	for (i = 0; i < r->asked.n; i++) {
		uint32_t lo = r->asked.v[i].lo, hi = r->asked.v[i].hi;

		while (k < r->done.n && r->done.v[k].hi < lo)
			k++;
		if (k == r->done.n || r->done.v[k].lo > lo)
			break;
		uid = r->done.v[k].hi < hi ? r->done.v[k].hi : hi;
		if (uid < hi)
			break;
	}
	return uid > r->floor ? uid : r->floor;
}

static int commit_some(struct reading *r, struct coi_err *e)
{
	return reading_commit(r, reading_safe(r), e);
}

/* --- whole messages ------------------------------------------------------- */

static void start(struct reading *r)
{
	if (r->got)
		decoder_drop(r->dec); /* two bodies for one message */
	arena_reset(r->arena);
	decoder_begin(r->dec, r->arena, &r->msg);
	r->begun = true;
	r->got = false;
	r->mem_n = 0;
}

static int on_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct reading *r = ctx;

	if (section.n != 0)
		return 0;
	start(r);
	r->whole = octets <= COLLECT;
	if (r->whole && octets > r->mem_size) {
		r->mem = mem_grow(r->mem, COLLECT);
		r->mem_size = COLLECT;
	}
	return 0;
}

static int on_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct reading *r = ctx;

	if (!r->begun)
		return 0;
	if (!r->whole) {
		if (decoder_feed(r->dec, chunk, e) == 0)
			return 0;
		decoder_drop(r->dec);
		return -1;
	}
	if (chunk.n > r->mem_size - r->mem_n)
		return err_set(e, COI_E_PROTOCOL, "literal longer than said");
	memcpy(r->mem + r->mem_n, chunk.p, chunk.n);
	r->mem_n += chunk.n;
	return 0;
}

static int on_body_end(void *ctx, struct coi_err *e)
{
	struct reading *r = ctx;

	if (!r->begun)
		return 0;
	r->begun = false;
	if (r->whole &&
	    decoder_whole(r->dec, (struct str){r->mem, r->mem_n}, e) < 0) {
		decoder_drop(r->dec);
		return -1;
	}
	r->got = true;
	return decoder_end(r->dec, e);
}

static int stop_now(struct reading *r, struct coi_err *e)
{
	if (r->o->stopped != NULL && r->o->stopped()) {
		if (commit_some(r, e) < 0)
			return -1;
		return err_set(e, COI_E_CANCELLED, "stopped");
	}
	return 0;
}

static int on_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	struct reading *r = ctx;

	if (!r->got)
		return 0; /* flags somebody else changed */
	r->got = false;
	if (m->uid == 0)
		return err_set(e, COI_E_PROTOCOL,
			       "the server sent a message without its UID");
	if (r->full) {
		decoder_drop(r->dec);
		return 0;
	}
	if (reading_take(r, m, e) < 0)
		return -1;
	if (r->nbatch >= BATCH_LINES && commit_some(r, e) < 0)
		return -1;
	return stop_now(r, e);
}

static int on_idle(void *ctx, struct coi_err *e)
{
	struct reading *r = ctx;
	bool late = sys_mono_ms() - r->last_commit >= COMMIT_MS;

	if (late && r->nbatch > 0)
		return commit_some(r, e);
	if (late && r->st != NULL)
		store_read_end(r->st);
	return r->o->flush(r->o->ctx, e);
}

static const struct imap_fetch_events whole_events = {
    on_begin, on_body, on_body_end, on_end, on_idle};

#define META_ITEMS "UID FLAGS INTERNALDATE RFC822.SIZE"

static struct str items(struct reading *r, const char *more)
{
	return arena_fmt(r->arena, META_ITEMS "%s %s",
			 imap_has(r->im, "CONDSTORE") ||
				 imap_has(r->im, "QRESYNC")
			     ? " MODSEQ"
			     : "",
			 more);
}

int reading_whole(struct reading *r, const struct imap_set *set,
		  struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	/* The arena is reset with each message: the items live outside. */
	buf_str(&b, items(r, "BODY.PEEK[]"));
	rc = imap_fetch(r->im, set, buf_view(&b), &whole_events, r, e);
	buf_free(&b);
	return rc;
}

/* --- threads of mail that no rule names ------------------------------------
 */

struct threads {
	struct reading *r;
	struct imap_set *found;
	struct buf header;
	bool got;
};

static int th_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct threads *t = ctx;

	buf_clear(&t->header);
	t->got = true;
	return 0;
}

static int th_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct threads *t = ctx;

	if (t->header.n + chunk.n <= LIMIT_HEADER_BLOCK)
		buf_str(&t->header, chunk);
	return 0;
}

static int th_body_end(void *ctx, struct coi_err *e)
{
	return 0;
}

static int th_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	struct threads *t = ctx;
	struct reading *r = t->r;
	struct str block = buf_view(&t->header), name, value, id, root, conv;
	bool found = false;

	if (!t->got)
		return 0;
	t->got = false;
	while (!found && hdr_next(&block, &name, &value))
		while (!found && msgid_next(&value, &id))
			if (store_thread_get(r->st, r->arena, id, &root, &conv,
					     &found, e) < 0)
				return -1;
	if (found)
		imap_set_add(t->found, m->uid, m->uid);
	arena_reset(r->arena);
	return 0;
}

int reading_threads(struct reading *r, const struct imap_set *rest,
		    struct imap_set *found, struct coi_err *e)
{
	static const struct imap_fetch_events ev = {th_begin, th_body,
						    th_body_end, th_end, NULL};
	struct threads t = {.r = r, .found = found};
	int rc = imap_fetch(r->im, rest,
			    STR("UID BODY.PEEK[HEADER.FIELDS "
				"(IN-REPLY-TO REFERENCES)]"),
			    &ev, &t, e);

	buf_free(&t.header);
	return rc;
}

/* --- a large message by its structure --------------------------------------
 */

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
	return pt_open(g, g->current, e);
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
	for (i = 0; rc == 0 && i < g->n; i++) {
		if (g->v[i].multipart)
			rc = decoder_part_begin(
			    g->r->dec, g->v[i].section,
			    g->v[i].parent < 0 ? NULL
					       : g->parts[g->v[i].parent],
			    arena_fmt(g->r->arena, "Content-Type: %.*s\r\n\r\n",
				      STR_ARG(g->v[i].type)),
			    -1, &g->parts[i], e);
		else if (!wanted(g->r, &g->v[i])) {
			rc = pt_open(g, i, e);
			if (rc == 0)
				rc = decoder_part_end(g->r->dec, g->parts[i],
						      e);
		}
	}
	if (rc == 0)
		rc = ask_all(g, uid, false, e);
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

	start(r);
	r->begun = false;
	imap_set_add(&set, uid, uid);
	buf_str(&want, items(r, "BODYSTRUCTURE BODY.PEEK[HEADER]"));
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
		rc = stop_now(r, e);
out:
	if (whole)
		rc = instead(r, &set, e);
	imap_set_free(&set);
	buf_free(&want);
	buf_free(&g.header);
	buf_free(&g.structure);
	return rc;
}
