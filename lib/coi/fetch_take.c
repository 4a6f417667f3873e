/* A message is complete: is it wanted, was it seen?  Lines and commits. */
#include <stdlib.h>

#include "coi/fetch_priv.h"
#include "core/sys.h"

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
	if (r->o->account != NULL)
		x->meta.account = str_of(r->o->account);
}

/* A reply to a message whose conversation we know, whatever client wrote it. */
static int thread_known(struct reading *r, struct coi_err *e)
{
	struct message *m = &r->msg;
	struct str conv;
	bool found;

	if (m->meta.chat || r->st == NULL)
		return 0;
	if (store_thread_find(r->st, r->arena, m->in_reply_to, m->references.v,
			      m->references.n, &conv, &found, e) < 0)
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

/* --- printed since the last commit: the database does not know yet -------- */

/* Where the key stands, or the empty slot (0) where it would. */
static uint64_t *slot_of(uint64_t *v, size_t cap, uint64_t key)
{
	size_t i = (size_t)(key >> 32);

	while (v[i & (cap - 1)] != 0 && v[i & (cap - 1)] != key)
		i++;
	return &v[i & (cap - 1)];
}

static bool marked(const struct reading *r, uint64_t key)
{
	return r->nmarks > 0 && *slot_of(r->marks, r->marks_cap, key | 1) != 0;
}

static void mark(struct reading *r, uint64_t key)
{
	size_t cap = r->marks_cap, i;
	uint64_t *slot, *v;

	if (4 * (r->nmarks + 1) > 3 * cap) {
		cap = cap == 0 ? 64 : 2 * cap;
		v = mem_array(cap, sizeof(*v));
		for (i = 0; i < r->marks_cap; i++)
			if (r->marks[i] != 0)
				*slot_of(v, cap, r->marks[i]) = r->marks[i];
		free(r->marks);
		r->marks = v;
		r->marks_cap = cap;
	}
	slot = slot_of(r->marks, cap, key | 1);
	r->nmarks += *slot == 0;
	*slot = key | 1;
}

static void forget_marks(struct reading *r)
{
	if (r->nmarks > 0)
		memset(r->marks, 0, r->marks_cap * sizeof(*r->marks));
	r->nmarks = 0;
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

/* The same message: seen; another one under its id (`key`): reused. */
static int look_up(struct reading *r, uint64_t key, bool *seen, bool *reused,
		   struct coi_err *e)
{
	const struct message *m = &r->msg;

	if (r->o->consumer == NULL)
		return 0;
	*seen = marked(r, identity_key(r));
	if (*seen)
		return 0;
	if (store_seen(r->st, r->o->consumer, m->id, decoder_identity(r->dec),
		       seen, reused, e) < 0)
		return -1;
	if (m->id.p != NULL && marked(r, key))
		*reused = true;
	return 0;
}

static struct str moved(char **to, struct str s)
{
	if (s.p == NULL)
		return s;
	memcpy(*to, s.p, s.n);
	s.p = *to;
	*to += s.n;
	return s;
}

static void remember(struct reading *r, uint32_t uid, uint64_t key)
{
	const struct message *m = &r->msg;
	struct str root = STR_NONE, conversation = STR_NONE;
	struct str identity = decoder_identity(r->dec);
	struct store_seen *s;
	char *p;

	if (m->meta.chat && m->id.p != NULL) {
		root = message_root(m);
		conversation = m->meta.conversation;
	}
	r->batch = mem_more(r->batch, r->nbatch, &r->batch_cap,
			    sizeof(*r->batch));
	s = &r->batch[r->nbatch++];
	p = arena_alloc(r->batch_arena,
			m->id.n + identity.n + root.n + conversation.n);
	*s = (struct store_seen){.uid = uid};
	s->id = moved(&p, m->id);
	s->identity = moved(&p, identity);
	s->root = str_eq(root, m->id) ? s->id : moved(&p, root);
	s->conversation = moved(&p, conversation);
	mark(r, identity_key(r));
	if (m->id.p != NULL)
		mark(r, key);
}

/* To a handler, as soon as it is sure that it comes again. */
static int hand(struct reading *r, struct coi_err *e)
{
	int rc;

	if (reading_commit_some(r, e) < 0)
		return -1;
	rc = r->o->handed(r->o->ctx, &r->msg, e);
	if (rc > 0 && r->box != NULL)
		r->box->untaken = true;
	return rc < 0 ? -1 : 0;
}

int reading_take(struct reading *r, const struct imap_msg *m, struct coi_err *e)
{
	struct message *x = &r->msg;
	bool own = false, seen = false, reused = false;
	uint64_t key;

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
	key = id_key(x->id);
	if (look_up(r, key, &seen, &reused, e) < 0)
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
			remember(r, m->uid, key);
		if (r->o->limit >= 0 && r->r->printed >= (uint64_t)r->o->limit)
			r->full = true;
		return r->o->handed == NULL ? 0 : hand(r, e);
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
	if (rc == 0 && r->box != NULL) {
		if (r->box->uid_validity != r->uid_validity)
			r->box->next = 0;
		r->box->uid_validity = r->uid_validity;
		if (r->box->next < cursor + 1)
			r->box->next = cursor + 1;
	}
	forget_marks(r);
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

int reading_commit_some(struct reading *r, struct coi_err *e)
{
	return reading_commit(r, reading_safe(r), e);
}
