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

static int bind(sqlite3_stmt *st, int at, const struct thread *t)
{
	sqlite3_bind_int64(st, at++, t->id);
	sql_text(st, at++, t->root);
	sql_text(st, at++, t->conversation);
	sqlite3_bind_int(st, at++, t->plain);
	return at;
}

/* A thread that goes on is kept for another while. */
static int renew(struct store *s, const struct thread *t, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_THREAD_DAY, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, store_day());
	sqlite3_bind_int64(st, 2, t->id);
	return sql_step(s, st, e);
}

/* One, or MANY of them. */
static int put(struct store *s, const struct thread *const *t, size_t n,
	       struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, n == 1 ? Q_THREAD_ADD : Q_THREAD_ADD_MANY, e);
	size_t i;
	int at = 2;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, store_day());
	for (i = 0; i < n; i++)
		at = bind(st, at, t[i]);
	if (sql_step(s, st, e) < 0)
		return -1;
	if (sqlite3_changes(s->db) == (int)n)
		return 0;
	for (i = 0; i < n; i++)
		if (renew(s, t[i], e) < 0)
			return -1;
	return 0;
}

/* Of two with one id the first stays first: they are of one array. */
static int by_id(const void *a, const void *b)
{
	const struct thread *x = *(const struct thread *const *)a;
	const struct thread *y = *(const struct thread *const *)b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* In the order of the table: neighbours share a page. */
static int put_all(struct store *s, const struct thread *t, size_t n,
		   struct coi_err *e)
{
	const struct thread **v;
	size_t i, k;
	int rc = 0;

	if (n == 0)
		return 0;
	v = mem_array(n, sizeof(*v));
	for (i = 0; i < n; i++)
		v[i] = &t[i];
	qsort(v, n, sizeof(*v), by_id);
	for (i = 0; rc == 0 && i < n; i += k) {
		k = n - i >= MANY ? MANY : 1;
		rc = put(s, v + i, k, e);
	}
	free(v);
	return rc;
}

int thread_flush(struct store *s, struct coi_err *e)
{
	struct pending *p = s->pending;

	return p == NULL ? 0 : put_all(s, p->v, p->n, e);
}

int thread_put_all(struct store *s, const struct store_seen *v, size_t n,
		   struct coi_err *e)
{
	struct thread *t = mem_array(n, sizeof(*t));
	size_t i, k = 0;
	int rc;

	for (i = 0; i < n; i++)
		if (v[i].root.p != NULL && v[i].id.n > 0)
			t[k++] = (struct thread){hash_id(s, v[i].id), v[i].root,
						 v[i].conversation,
						 !msgid_is_chat(v[i].id)};
	rc = put_all(s, t, k, e);
	free(t);
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

int store_thread_find(struct store *s, struct arena *a, struct str id,
		      const struct str *refs, size_t n,
		      struct str *conversation, bool *found, struct coi_err *e)
{
	struct str root;

	*found = false;
	if (id.p != NULL &&
	    store_thread_get(s, a, id, &root, conversation, found, e) < 0)
		return -1;
	for (; !*found && n > 0; n--)
		if (store_thread_get(s, a, refs[n - 1], &root, conversation,
				     found, e) < 0)
			return -1;
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
