#include "store/priv.h"

#include <stdlib.h>

#include "fmt/msgid.h"

/*
 * Threads wait in memory and ride along with the next transaction: one is
 * added per message fetched, and a transaction of its own would cost more
 * than the fetching.  Lost in a crash, they come again with their message,
 * whose own commit was then not reached either.
 */
struct pending {
	struct arena *arena;
	struct thread {
		int64_t id;
		struct str root, conversation;
		bool plain;
	} * v;
	size_t n, cap;
	uint32_t *slot; /* index + 1 into v by id; power of two */
	size_t nslots;
};

#define PENDING_MAX 4096

static uint32_t *slot_of(struct pending *p, int64_t id)
{
	size_t i = (size_t)id & (p->nslots - 1);

	while (p->slot[i] != 0 && p->v[p->slot[i] - 1].id != id)
		i = (i + 1) & (p->nslots - 1);
	return &p->slot[i];
}

static int put(struct store *s, const struct thread *t, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_THREAD_ADD, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, t->id);
	sql_text(st, 2, t->root);
	sql_text(st, 3, t->conversation);
	sqlite3_bind_int64(st, 4, store_day());
	sqlite3_bind_int(st, 5, t->plain);
	return sql_step(s, st, e);
}

int thread_flush(struct store *s, struct coi_err *e)
{
	struct pending *p = s->pending;
	size_t i;
	int rc = 0;

	for (i = 0; p != NULL && i < p->n && rc == 0; i++)
		rc = put(s, &p->v[i], e);
	return rc;
}

int thread_put_all(struct store *s, const struct store_seen *v, size_t n,
		   struct coi_err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		struct thread t = {hash_id(s, v[i].id), v[i].root,
				   v[i].conversation, !msgid_is_chat(v[i].id)};

		if (v[i].root.p != NULL && v[i].id.n > 0)
			rc = put(s, &t, e);
	}
	return rc;
}

void thread_forget(struct store *s)
{
	if (s->pending == NULL)
		return;
	arena_free(s->pending->arena);
	free(s->pending->v);
	free(s->pending->slot);
	free(s->pending);
	s->pending = NULL;
}

int store_thread_add(struct store *s, struct str id, struct str root,
		     struct str conversation, struct coi_err *e)
{
	struct pending *p = s->pending;
	int64_t h = hash_id(s, id);
	uint32_t *slot;

	if (id.n == 0)
		return 0;
	if (p == NULL) {
		p = s->pending = mem_alloc(sizeof(*p));
		p->arena = arena_new();
		p->nslots = 2 * PENDING_MAX;
		p->slot = mem_array(p->nslots, sizeof(*p->slot));
	}
	slot = slot_of(p, h);
	if (*slot != 0)
		return 0;
	p->v = mem_more(p->v, p->n, &p->cap, sizeof(*p->v));
	p->v[p->n++] = (struct thread){
	    h, root.p == NULL ? root : arena_str(p->arena, root),
	    conversation.p == NULL ? conversation
				   : arena_str(p->arena, conversation),
	    !msgid_is_chat(id)};
	*slot = (uint32_t)p->n;
	/* A group ends soon and takes them along. */
	if (p->n < PENDING_MAX || (s->group && p->n < 7 * PENDING_MAX / 4))
		return 0;
	if (s->group) {
		if (thread_flush(s, e) < 0)
			return -1;
		thread_forget(s);
		return 0;
	}
	if (tx_begin(s, SYNC_KERNEL, e) < 0)
		return -1;
	return tx_commit(s, NULL, e);
}

int store_thread_get(struct store *s, struct arena *a, struct str id,
		     struct str *root, struct str *conversation, bool *found,
		     struct coi_err *e)
{
	int64_t h = hash_id(s, id);
	sqlite3_stmt *st;
	uint32_t *slot;
	int rc;

	*found = false;
	*root = *conversation = STR_NONE;
	if (id.n == 0)
		return 0;
	if ((st = sql(s, Q_THREAD_GET, e)) == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, h);
	rc = sql_step(s, st, e);
	if (rc < 0)
		return -1;
	if (rc == 1) {
		*root = sql_dup(a, st, 0);
		*conversation = sql_dup(a, st, 1);
		*found = true;
		sqlite3_reset(st);
		return 0;
	}
	if (s->pending == NULL || *(slot = slot_of(s->pending, h)) == 0)
		return 0;
	*found = true;
	if (s->pending->v[*slot - 1].root.p != NULL)
		*root = arena_str(a, s->pending->v[*slot - 1].root);
	if (s->pending->v[*slot - 1].conversation.p != NULL)
		*conversation = arena_str(
		    a, s->pending->v[*slot - 1].conversation);
	return 0;
}

int store_thread_foreign(struct store *s, bool *any, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_THREAD_PLAIN, e);
	size_t i;
	int rc;

	*any = false;
	if (st == NULL)
		return -1;
	rc = sql_step(s, st, e);
	sqlite3_reset(st);
	*any = rc == 1;
	for (i = 0; rc == 0 && s->pending != NULL && i < s->pending->n; i++)
		*any |= s->pending->v[i].plain;
	return rc < 0 ? -1 : 0;
}
