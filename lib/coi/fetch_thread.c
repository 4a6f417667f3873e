/* Threads of mail that no rule names: which answer what we know? */
#include "coi/fetch_priv.h"
#include "core/limits.h"
#include "fmt/msgid.h"

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
