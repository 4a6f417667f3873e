#include "store/priv.h"

#include <stdlib.h>

#include "core/sys.h"

int64_t store_day(void)
{
	return sys_now() / 86400;
}

int consumer_check(const char *consumer, struct coi_err *e)
{
	size_t n = consumer == NULL ? 0 : strlen(consumer);

	if (n >= 1 && n <= 64 &&
	    strspn(consumer, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			     "wxyz0123456789._-") == n)
		return 0;
	err_set(e, COI_E_USAGE, "\"%.80s\" is no name of a consumer",
		n == 0 ? "" : consumer);
	err_hint(e, "1 to 64 letters, digits and . _ -");
	return -1;
}

int consumer_find(struct store *s, const char *consumer, bool add, int64_t *id,
		  struct coi_err *e)
{
	sqlite3_stmt *st;
	int rc;

	*id = 0;
	if (s->consumer != NULL && strcmp(s->consumer, consumer) == 0) {
		*id = s->consumer_id;
		return 0;
	}
	if (consumer_check(consumer, e) < 0 ||
	    (st = sql(s, Q_CONSUMER_GET, e)) == NULL)
		return -1;
	sql_text(st, 1, str_of(consumer));
	rc = sql_step(s, st, e);
	if (rc < 0)
		return -1;
	if (rc == 1) {
		*id = sqlite3_column_int64(st, 0);
		sqlite3_reset(st);
		free(s->consumer);
		s->consumer = mem_dup(str_of(consumer));
		s->consumer_id = *id;
		return 0;
	}
	if (!add)
		return 0;
	if ((st = sql(s, Q_CONSUMER_ADD, e)) == NULL)
		return -1;
	sql_text(st, 1, str_of(consumer));
	if (sql_step(s, st, e) < 0)
		return -1;
	/* Not remembered: the transaction may still be rolled back. */
	*id = sqlite3_last_insert_rowid(s->db);
	return 0;
}

struct str mailbox_name(struct str mailbox)
{
	return str_iis(mailbox, "INBOX") ? STR("INBOX") : mailbox;
}

int cursor_row(struct store *s, int64_t consumer, struct str mailbox,
	       struct cursor_row *r, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_CURSOR_GET, e);
	int rc;

	*r = (struct cursor_row){0};
	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sql_text(st, 2, mailbox_name(mailbox));
	rc = sql_step(s, st, e);
	if (rc <= 0)
		return rc;
	r->row = sqlite3_column_int64(st, 0);
	r->validity = (uint32_t)sqlite3_column_int64(st, 1);
	r->uid = (uint32_t)sqlite3_column_int64(st, 2);
	r->modseq = (uint64_t)sqlite3_column_int64(st, 3);
	sqlite3_reset(st);
	return 0;
}

int cursor_add(struct store *s, int64_t consumer, struct str mailbox,
	       struct cursor_row *r, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_CURSOR_ADD, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sql_text(st, 2, mailbox_name(mailbox));
	sqlite3_bind_int64(st, 3, r->validity);
	sqlite3_bind_int64(st, 4, r->uid);
	sqlite3_bind_int64(st, 5, (int64_t)r->modseq);
	if (sql_step(s, st, e) < 0)
		return -1;
	r->row = sqlite3_last_insert_rowid(s->db);
	return 0;
}

int cursor_put(struct store *s, const struct cursor_row *r, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_CURSOR_SET, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, r->row);
	sqlite3_bind_int64(st, 2, r->validity);
	sqlite3_bind_int64(st, 3, r->uid);
	sqlite3_bind_int64(st, 4, (int64_t)r->modseq);
	return sql_step(s, st, e);
}

int cursor_settle(struct store *s, int64_t consumer, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_CURSOR_SETTLE, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	return sql_step(s, st, e);
}

int store_cursor_get(struct store *s, const char *consumer, struct str mailbox,
		     struct store_cursor *c, struct coi_err *e)
{
	struct cursor_row r = {0};
	int64_t id;

	*c = (struct store_cursor){0};
	if (consumer_find(s, consumer, false, &id, e) < 0)
		return -1;
	if (id != 0 && cursor_row(s, id, mailbox, &r, e) < 0)
		return -1;
	*c = (struct store_cursor){r.validity, r.uid, r.modseq};
	return 0;
}

/* --- what was seen -------------------------------------------------------- */

static int bind_seen(sqlite3_stmt *st, int at, int64_t id,
		     const unsigned char *ident)
{
	sqlite3_bind_int64(st, at++, id);
	sql_blob(st, at++, (struct str){(const char *)ident, STORE_IDENT});
	return at;
}

int seen_add(struct store *s, int64_t consumer, int64_t id,
	     const unsigned char *ident, int64_t day, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_SEEN_ADD, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, day);
	sqlite3_bind_int64(st, 2, consumer);
	bind_seen(st, 3, id, ident);
	return sql_step(s, st, e);
}

struct seen_key {
	int64_t id;
	unsigned char ident[STORE_IDENT];
};

static int by_key(const void *a, const void *b)
{
	const struct seen_key *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return memcmp(x->ident, y->ident, STORE_IDENT);
}

/* In the order of the table: neighbours share a page. */
static int seen_add_all(struct store *s, int64_t consumer,
			const struct store_seen *v, size_t n, struct coi_err *e)
{
	struct seen_key *k = mem_array(n, sizeof(*k));
	int64_t day = store_day();
	size_t i;
	int rc = 0;

	for (i = 0; i < n; i++) {
		k[i].id = hash_id(s, v[i].id);
		hash_ident(s, v[i].id, v[i].identity, k[i].ident);
	}
	qsort(k, n, sizeof(*k), by_key);
	for (i = 0; rc == 0 && n - i >= MANY;) {
		sqlite3_stmt *st = sql(s, Q_SEEN_ADD_MANY, e);
		size_t end = i + MANY;
		int at = 3;

		if (st == NULL) {
			rc = -1;
			break;
		}
		sqlite3_bind_int64(st, 1, day);
		sqlite3_bind_int64(st, 2, consumer);
		for (; i < end; i++)
			at = bind_seen(st, at, k[i].id, k[i].ident);
		rc = sql_step(s, st, e);
	}
	for (; i < n && rc == 0; i++)
		rc = seen_add(s, consumer, k[i].id, k[i].ident, day, e);
	free(k);
	return rc;
}

static uint64_t modseq_fits(uint64_t modseq)
{
	/* RFC 7162: 63 bits; so is an integer of SQLite. */
	return modseq > INT64_MAX ? INT64_MAX : modseq;
}

/* *moved: whether r is not what the database has. */
static void advance(struct cursor_row *r, const struct store_cursor *c,
		    bool *moved)
{
	struct cursor_row was = *r;
	uint64_t modseq = modseq_fits(c->modseq);

	if (r->validity != c->uid_validity) {
		r->validity = c->uid_validity;
		r->uid = c->uid;
		r->modseq = modseq;
	} else {
		if (c->uid > r->uid)
			r->uid = c->uid;
		if (modseq > r->modseq)
			r->modseq = modseq;
	}
	*moved = r->row == 0 || r->validity != was.validity ||
		 r->uid != was.uid || r->modseq != was.modseq;
}

/* Most runs find nothing new; they need no write and no wait. */
static int is_noop(struct store *s, const char *consumer, struct str mailbox,
		   const struct store_cursor *c, bool *noop, struct coi_err *e)
{
	struct cursor_row r;
	int64_t id;
	bool moved;

	*noop = false;
	if (consumer_find(s, consumer, false, &id, e) < 0)
		return -1;
	if (id == 0)
		return 0;
	if (cursor_row(s, id, mailbox, &r, e) < 0)
		return -1;
	if (r.row == 0)
		return 0;
	advance(&r, c, &moved);
	*noop = !moved;
	return 0;
}

int store_commit(struct store *s, const char *consumer, struct str mailbox,
		 const struct store_cursor *c, const struct store_seen *v,
		 size_t n, struct coi_err *e)
{
	struct cursor_row r;
	int64_t id;
	bool moved, noop;

	if (n == 0) {
		if (is_noop(s, consumer, mailbox, c, &noop, e) < 0)
			return -1;
		if (noop)
			return 0;
	}
	if (consumer_check(consumer, e) < 0 || tx_begin(s, SYNC_DISK, e) < 0)
		return -1;
	if (consumer_find(s, consumer, true, &id, e) < 0 ||
	    cursor_row(s, id, mailbox, &r, e) < 0)
		goto fail;
	advance(&r, c, &moved);
	if (r.row == 0) {
		if (cursor_add(s, id, mailbox, &r, e) < 0)
			goto fail;
	} else if (moved && cursor_put(s, &r, e) < 0) {
		goto fail;
	}
	if (seen_add_all(s, id, v, n, e) < 0 ||
	    thread_put_all(s, v, n, e) < 0 ||
	    handout_commit(s, id, &r, v, n, e) < 0)
		goto fail;
	return tx_commit(s, "store.commit", e);
fail:
	tx_rollback(s);
	return -1;
}

static int exists(struct store *s, enum query q, int64_t consumer, int64_t id,
		  const unsigned char *ident, bool *yes, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, q, e);
	int rc;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	sqlite3_bind_int64(st, 2, id);
	if (ident != NULL)
		sql_blob(st, 3, (struct str){(const char *)ident, STORE_IDENT});
	rc = sql_step(s, st, e);
	*yes = rc == 1;
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

static void look_for(struct store *s, const char *consumer)
{
	if (strcmp(s->look.consumer, consumer) == 0)
		return;
	s->look.nobody = false;
	s->look.handout = ASK;
	snprintf(s->look.consumer, sizeof(s->look.consumer), "%s", consumer);
}

int handout_any(struct store *s, int64_t consumer, bool *any, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_HAND_ANY, e);
	int rc;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, consumer);
	rc = sql_step(s, st, e);
	*any = rc == 1;
	sqlite3_reset(st);
	return rc < 0 ? -1 : 0;
}

int store_seen(struct store *s, const char *consumer, struct str id,
	       struct str identity, bool *seen, bool *id_reused,
	       struct coi_err *e)
{
	unsigned char ident[STORE_IDENT];
	bool any = false;
	int64_t c, h;

	*seen = *id_reused = false;
	look_for(s, consumer);
	if (s->look.nobody)
		return 0;
	if (consumer_find(s, consumer, false, &c, e) < 0)
		return -1;
	if (c == 0) {
		s->look.nobody = s->reading;
		return 0;
	}
	h = hash_id(s, id);
	hash_ident(s, id, identity, ident);
	/* Of most messages nothing is known: that is one question. */
	if (exists(s, Q_SEEN_ID, c, h, NULL, &any, e) < 0 ||
	    (any && exists(s, Q_SEEN_GET, c, h, ident, seen, e) < 0))
		return -1;
	/* Messages without an id have none that could be used again. */
	if (*seen || id.n == 0)
		return 0;
	*id_reused = any;
	if (any || s->look.handout == NONE)
		return 0;
	if (s->reading && s->look.handout == ASK) {
		if (handout_any(s, c, &any, e) < 0)
			return -1;
		s->look.handout = any ? SOME : NONE;
		if (!any)
			return 0;
	}
	return exists(s, Q_HAND_REUSED, c, h, ident, id_reused, e);
}
