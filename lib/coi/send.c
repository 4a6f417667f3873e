#include "coi/send.h"

#include <stdlib.h>

#include "coi/send_priv.h"
#include "core/sys.h"

#define BATCH_OCTETS (8u * 1024u * 1024u)
#define EXPIRE (5 * 86400)

struct sender *sender_new(struct account *ac, const struct account_net *net,
			  struct store *st, const struct send_opts *o)
{
	struct sender *s = mem_alloc(sizeof(*s));

	s->ac = ac;
	s->net = net;
	s->st = st;
	s->o = o;
	s->arena = arena_new();
	return s;
}

void sender_clear(struct sender *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		octets_close(&s->batch[i]->octets);
	s->n = 0;
	s->octets = 0;
	s->results = 0;
	arena_reset(s->arena);
}

void sender_free(struct sender *s)
{
	if (s == NULL)
		return;
	sender_clear(s);
	smtp_close(s->smtp);
	arena_free(s->arena);
	free(s->batch);
	free(s);
}

/* --- what a message leaves open ------------------------------------------ */

static struct str default_conversation(struct account *ac, struct arena *a,
				       const struct message *m)
{
	size_t i;

	if (m->group_id.p != NULL)
		return arena_fmt(a, "group:%.*s", STR_ARG(m->group_id));
	for (i = 0; i < m->to.n; i++)
		if (!account_is_me(ac, m->to.v[i].email))
			return arena_fmt(a, "mail:%.*s",
					 STR_ARG(m->to.v[i].email));
	return STR_NONE;
}

static int fill_references(struct store *st, struct arena *a, struct message *m,
			   struct coi_err *e)
{
	struct str root = STR_NONE, conv;
	bool found = false;

	if (m->in_reply_to.p == NULL || m->references.n > 0)
		return 0;
	if (st != NULL && store_thread_get(st, a, m->in_reply_to, &root, &conv,
					   &found, e) < 0)
		return -1;
	m->references.v = arena_alloc(a, 2 * sizeof(struct str));
	if (found && root.n > 0 && !str_eq(root, m->in_reply_to))
		m->references.v[m->references.n++] = root;
	m->references.v[m->references.n++] = m->in_reply_to;
	return 0;
}

int send_complete(struct account *ac, struct store *st, struct arena *a,
		  struct message *m, bool keep, struct coi_err *e)
{
	if (m->from.email.p == NULL || !keep) {
		/* An alias of ours is kept; anything else is not ours to use.
		 */
		if (m->from.email.p == NULL ||
		    !account_is_me(ac, m->from.email))
			m->from = ac->me;
		else if (m->from.name.p == NULL)
			m->from.name = ac->me.name;
	} else if (keep && st != NULL && !account_is_me(ac, m->from.email)) {
		return err_set(e, COI_E_DATA,
			       "from %.*s is not an address of this account",
			       STR_ARG(m->from.email));
	}
	if (m->from.email.p == NULL) {
		err_set(e, COI_E_CONFIG,
			"no sender: the account has no address");
		err_hint(e, "set `address` in the configuration, or choose an "
			    "account with -a NAME");
		return -1;
	}
	return fill_references(st, a, m, e);
}

/* --- composing and recording --------------------------------------------- */

static void add_rcpts(struct item *it, struct arena *a,
		      const struct addr_list *l)
{
	size_t i, k;

	for (i = 0; i < l->n; i++) {
		struct str email = addr_ascii(a, l->v[i].email);
		bool dup = false;

		for (k = 0; k < it->out.nrcpts && !dup; k++)
			dup = addr_same(it->out.rcpts[k], email);
		if (!dup)
			it->out.rcpts[it->out.nrcpts++] = arena_str(a, email);
	}
}

static enum send_outcome outcome_of_row(enum store_state st)
{
	switch (st) {
	case STORE_ACCEPTED:
		return SEND_ACCEPTED;
	case STORE_UNKNOWN:
		return SEND_UNKNOWN;
	case STORE_REFUSED:
	case STORE_EXPIRED:
		return SEND_REFUSED;
	case STORE_QUEUED:
		return SEND_QUEUED;
	case STORE_SUBMITTING:
		break;
	}
	return SEND_DEFERRED;
}

void sender_set_rcpts(struct sender *s, struct item *it,
		      enum send_outcome state)
{
	size_t i;

	it->outcome = state;
	it->rcpts = arena_alloc(s->arena,
				(it->out.nrcpts + 1) * sizeof(*it->rcpts));
	for (i = 0; i < it->out.nrcpts; i++)
		it->rcpts[i] = (struct send_rcpt){.email = it->out.rcpts[i],
						  .state = state};
}

/* The key is known.  What waits goes out now as it was recorded (its sender
 * may have been killed before anything could leave), of all else the result
 * is told. */
static int resume(struct sender *s, struct item *it,
		  const struct store_out *old, struct coi_err *e)
{
	static const char busy[] = "another process is sending this message "
				   "now; its outcome is known later";

	it->out = *old;
	if (old->state != STORE_QUEUED) {
		size_t i;

		it->settled = true;
		sender_set_rcpts(s, it, outcome_of_row(old->state));
		/* The first time some did not get it. */
		if (old->state == STORE_ACCEPTED && old->last_error.n > 0) {
			sender_set_rcpts(s, it, SEND_REFUSED);
			it->outcome = SEND_PARTIAL;
		}
		for (i = 0; i < it->out.nrcpts; i++)
			it->rcpts[i].reply = old->state == STORE_SUBMITTING
						 ? str_of(busy)
						 : old->last_error;
		if (old->state == STORE_SUBMITTING && s->o->warn != NULL)
			s->o->warn(s->o->ctx, busy, false);
		return 0;
	}
	octets_close(&it->octets);
	it->kept = true;
	return spool_open(s->arena, s->ac, old, &it->octets, &it->size, e);
}

/* Puts it into the database before anything can leave. */
int sender_record(struct sender *s, struct item *it, struct coi_err *e)
{
	struct store_out old = {0};
	struct buf b = {0};
	bool exists = false;
	int rc = 0;

	if (it->size > SPOOL_ABOVE) {
		spool_sweep(s);
		rc = spool_write(s->arena, s->ac, it->out.id, &it->octets, e);
	} else {
		ssize_t k;

		buf_room(&b, it->size + 1);
		while ((k = octets_read(&it->octets, b.p + b.n,
					it->size + 1 - b.n, e)) > 0)
			b.n += (size_t)k;
		rc = k < 0 ? -1 : 0;
		it->out.wire = arena_str(s->arena, buf_view(&b));
		/* Small: read once, kept in memory from here on. */
		octets_close(&it->octets);
		it->octets.mem = it->out.wire;
	}
	buf_free(&b);
	if (rc < 0 ||
	    store_out_add(s->st, s->arena, &it->out, &old, &exists, e) < 0)
		return -1;
	if (exists) {
		if (it->size > SPOOL_ABOVE && !str_eq(old.id, it->out.id))
			spool_remove(s->arena, s->ac, it->out.id);
		return resume(s, it, &old, e);
	}
	if (it->root.p != NULL)
		return store_thread_add(s->st, it->out.id, it->root,
					it->conversation, e);
	return 0;
}

struct item *sender_new_item(struct sender *s)
{
	struct item *it = arena_alloc(s->arena, sizeof(*it));

	it->sender = s;
	it->octets.fd = -1;
	s->batch = mem_more(s->batch, s->n, &s->cap, sizeof(*s->batch));
	s->batch[s->n++] = it;
	return it;
}

int sender_add(struct sender *s, struct message *m, const char *key,
	       int64_t input, struct str source, struct coi_err *e)
{
	struct item *it;
	struct buf hex = {0};
	size_t n;

	if (!s->o->collect &&
	    (s->n >= SENDER_BATCH || s->octets >= BATCH_OCTETS))
		if (sender_batch(s, e) < 0)
			return -1;
	if (send_complete(s->ac, s->st, s->arena, m, s->o->compose.keep, e) < 0)
		return -1;
	it = sender_new_item(s);
	it->input = input;
	it->source = source.p == NULL ? STR_NONE : arena_str(s->arena, source);
	it->octets.wire = compose(s->arena, m, &s->o->compose, e);
	if (it->octets.wire == NULL)
		goto fail;
	if (key != NULL) {
		compose_digest(m, &hex, e);
		it->out.digest = arena_str(s->arena, buf_view(&hex));
		it->out.key = arena_str(s->arena, str_of(key));
		buf_free(&hex);
		if (e->code != COI_OK)
			goto fail;
	}
	it->size = wire_size(it->octets.wire);
	s->octets += it->size;
	n = m->to.n + m->cc.n + m->bcc.n;
	it->out.rcpts = arena_alloc(s->arena, n * sizeof(struct str));
	add_rcpts(it, s->arena, &m->to);
	add_rcpts(it, s->arena, &m->cc);
	add_rcpts(it, s->arena, &m->bcc);
	it->out.id = arena_str(s->arena, m->id);
	it->out.from = arena_str(s->arena, addr_ascii(s->arena, m->from.email));
	it->out.created = sys_now();
	it->out.expires = it->out.created +
			  (s->o->expire > 0 ? s->o->expire : EXPIRE);
	it->out.utf8 = wire_utf8(it->octets.wire);
	it->out.eight_bit = wire_8bit(it->octets.wire);
	it->out.state = s->o->queue ? STORE_QUEUED : STORE_SUBMITTING;
	it->out.sent_copy = s->ac->imap_host != NULL &&
				    strcmp(s->ac->sent_folder, "none") != 0
				? 0
				: 2;
	it->root = arena_str(s->arena,
			     m->references.n > 0 ? m->references.v[0] : m->id);
	it->conversation = default_conversation(s->ac, s->arena, m);
	return 0;
fail:
	octets_close(&it->octets);
	s->n--;
	return -1;
}

int sender_keep(struct sender *s, struct coi_err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < s->n; i++)
		rc = sender_record(s, s->batch[i], e);
	sender_clear(s);
	return rc;
}
