/* What waits in the state database: sent again, or forgotten. */
#include "coi/send_priv.h"
#include "core/sys.h"

static int add_row(struct sender *s, const struct store_out *row,
		   struct coi_err *e)
{
	struct item *it = sender_new_item(s);

	it->out = *row;
	it->kept = true;
	if (row->expires != 0 && row->expires < sys_now() &&
	    row->state == STORE_QUEUED) {
		sender_set_rcpts(s, it, SEND_REFUSED);
		it->rcpts[0].reply = STR("expired in the queue");
		it->settled = true;
		spool_remove(s->arena, s->ac, row->id);
		return store_out_result(s->st, row->row, STORE_EXPIRED,
					STR("expired in the queue"), NULL, 0,
					e);
	}
	if (spool_open(s->arena, s->ac, row, &it->octets, &it->size, e) < 0)
		return -1;
	if (row->state == STORE_UNKNOWN) {
		int k = store_out_retry(s->st, row->row, e);

		if (k != 0) {
			octets_close(&it->octets);
			s->n--;
			return k < 0 ? -1 : 0;
		}
		it->out.state = STORE_QUEUED;
	}
	return 0;
}

int sender_drop(struct sender *s, struct str id, struct coi_err *e)
{
	if (store_out_drop(s->st, id, e) < 0)
		return -1;
	spool_remove(s->arena, s->ac, id);
	return 0;
}

int sender_outbox(struct sender *s, bool unknown, struct str id,
		  struct coi_err *e)
{
	struct arena *a = arena_new();
	struct store_out *v = NULL;
	struct coi_err first = {0};
	size_t n = 0, i, before;
	bool any = false;
	int rc;

	s->copies = true; /* also those that an earlier run could not make */
	rc = store_out_list(s->st, a, unknown ? STORE_UNKNOWN : STORE_QUEUED,
			    true, &v, &n, e);
	for (i = 0; rc == 0 && i < n; i++) {
		if (id.p != NULL && !str_eq(v[i].id, id))
			continue;
		if (s->o->hold != NULL && s->o->hold(s->o->ctx, &v[i]))
			continue;
		any = true;
		before = s->n;
		rc = add_row(s, &v[i], e);
		if (rc < 0 &&
		    (e->code == COI_E_IO || e->code == COI_E_NOINPUT)) {
			/* One that cannot be read holds up no other. */
			if (first.code == COI_OK)
				first = *e;
			err_clear(e);
			s->n = before;
			rc = 0;
		}
		if (rc == 0 && s->n >= SENDER_BATCH)
			rc = sender_batch(s, e);
	}
	if (rc == 0 && id.p != NULL && !any)
		rc = err_set(e, COI_E_NOINPUT,
			     "no message %.*s of unknown outcome", STR_ARG(id));
	if (rc == 0)
		rc = sender_flush(s, e);
	if (rc == 0 && first.code != COI_OK) {
		*e = first;
		rc = -1;
	}
	sender_clear(s);
	arena_free(a);
	return rc;
}
