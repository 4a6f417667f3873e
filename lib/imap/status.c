/* STATUS, and the poll that a run with nothing new consists of. */
#include <stdlib.h>

#include "core/limits.h"
#include "imap/priv.h"

enum { VALIDITY = 1, NEXT = 2, MESSAGES = 4, UNSEEN = 8, MODSEQ = 16 };

static bool number(struct imap_cur *c, struct str name,
		   struct imap_seen_status *x)
{
	struct imap_status *s = &x->st;

	if (str_iis(name, "UIDVALIDITY")) {
		x->told |= VALIDITY;
		return cur_u32(c, &s->uid_validity);
	}
	if (str_iis(name, "UIDNEXT")) {
		x->told |= NEXT;
		return cur_u32(c, &s->uid_next);
	}
	if (str_iis(name, "MESSAGES")) {
		x->told |= MESSAGES;
		return cur_u32(c, &s->messages);
	}
	if (str_iis(name, "UNSEEN")) {
		x->told |= UNSEEN;
		return cur_u32(c, &s->unseen);
	}
	if (str_iis(name, "HIGHESTMODSEQ")) {
		x->told |= MODSEQ;
		return cur_u64(c, UINT64_MAX, &s->highest_modseq);
	}
	return cur_skip(c);
}

/* NOTIFY tells less than STATUS does: the rest is as it was before. */
static void merge(struct imap_seen_status *x,
		  const struct imap_seen_status *old)
{
	unsigned more = old->told & ~x->told;

	if (x->told & old->told & VALIDITY &&
	    x->st.uid_validity != old->st.uid_validity)
		return; /* another mailbox by the same name */
	if (more & VALIDITY)
		x->st.uid_validity = old->st.uid_validity;
	if (more & NEXT)
		x->st.uid_next = old->st.uid_next;
	if (more & MESSAGES)
		x->st.messages = old->st.messages;
	if (more & UNSEEN)
		x->st.unseen = old->st.unseen;
	if (more & MODSEQ)
		x->st.highest_modseq = old->st.highest_modseq;
	x->told |= more;
}

bool status_take(struct imap *im, struct imap_cur *c)
{
	struct imap_sinks *w = &im->want;
	struct imap_seen_status x = {.st.have = true, .order = w->nstatus};
	struct str wire, name;

	if (!w->want_status && im->news->status == NULL) {
		c->p = c->end;
		return true;
	}
	if (!cur_astring(c, &wire) || !cur_sp(c) || !cur_ch(c, '('))
		return false;
	for (;;) {
		while (cur_ch(c, ' '))
			;
		if (cur_ch(c, ')'))
			break;
		if (!cur_atom(c, &name) || !cur_sp(c) || !number(c, name, &x))
			return false;
	}
	if (!cur_end(c))
		return false;
	/* Dovecot's NOTIFY writes plain UTF-8: nothing to learn from. */
	x.name = imap_read_mailbox(w->want_status ? w->arena : im->scratch,
				   wire);
	if (x.name.p == NULL)
		return true;
	/* The answer to STATUS cannot be told from news. */
	if (im->news->status != NULL)
		im->news->status(im->news_ctx, x.name, &x.st);
	if (!w->want_status)
		return true;
	if (w->nstatus >= 2 * LIMIT_IMAP_LIST)
		return false;
	w->status = mem_more(w->status, w->nstatus, &w->statuscap,
			     sizeof(*w->status));
	w->status[w->nstatus++] = x;
	return true;
}

static int cmp(const void *a, const void *b)
{
	const struct imap_seen_status *x = a, *y = b;
	int r = imap_name_cmp(x->name, y->name);

	return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

void status_join(struct imap *im)
{
	struct imap_seen_status *v = im->want.status;
	size_t i, n = im->want.nstatus;

	if (n > 0)
		qsort(v, n, sizeof(*v), cmp);
	for (i = 1; i < n; i++)
		if (imap_name_cmp(v[i - 1].name, v[i].name) == 0)
			merge(&v[i], &v[i - 1]);
}

bool status_find(struct imap *im, struct str name, struct imap_status *out)
{
	const struct imap_seen_status *v = im->want.status;
	size_t lo = 0, hi = im->want.nstatus, mid;

	/* The last of the same name. */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (imap_name_cmp(v[mid].name, name) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || imap_name_cmp(v[lo - 1].name, name) != 0) {
		*out = (struct imap_status){0};
		return false;
	}
	*out = v[lo - 1].st;
	return true;
}

void status_items(const struct imap *im, struct buf *b)
{
	buf_z(b, "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN");
	if (imap_has(im, "CONDSTORE") || imap_has(im, "QRESYNC"))
		buf_z(b, " HIGHESTMODSEQ");
	buf_c(b, ')');
}

int status_send(struct imap *im, struct str name, uint32_t *tag,
		struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	buf_z(&b, "STATUS ");
	rc = imap_put_mailbox(im, &b, name, e);
	buf_c(&b, ' ');
	status_items(im, &b);
	if (rc == 0)
		rc = imap_send(im, "STATUS", buf_view(&b), tag, e);
	buf_free(&b);
	return rc;
}

/* A mailbox that is not there is an answer; one in use is not. */
static int settle(struct imap *im, uint32_t tag, struct str name,
		  struct coi_err *e)
{
	enum imap_result res;
	struct coi_err le = {0};

	if (imap_await(im, tag, &res, e) < 0)
		return -1;
	if (res == RES_OK)
		return 0;
	imap_refused(im, tag, &le);
	if (res == RES_NO && le.code != COI_E_TEMP)
		return 0;
	err_ctx(&le, "mailbox \"%.*s\"", STR_ARG(str_sub(name, 0, 150)));
	if (e != NULL && e->code == COI_OK)
		*e = le;
	return -1;
}

static int poll_and(struct imap *im, const struct imap_opening *o,
		    const struct str *names, size_t n, struct imap_status *out,
		    const char *entry, struct buf *meta, bool *meta_given,
		    struct coi_err *e)
{
	uint32_t *tags = mem_array(n + 1, sizeof(*tags));
	bool dummy, ask = entry != NULL && metadata_offered(im, STR(""));
	uint32_t opening = 0;
	size_t i;
	int rc = imap_begin(im, "status", e);

	im->want.arena = arena_new();
	im->want.want_status = true;
	im->want.meta_given = meta_given != NULL ? meta_given : &dummy;
	*im->want.meta_given = false;
	if (entry != NULL) {
		im->want.meta_entry = entry;
		im->want.meta = meta;
	}
	for (i = 0; i < n && rc == 0; i++)
		rc = status_send(im, names[i], &tags[i], e);
	if (rc == 0 && ask)
		rc = metadata_send(im, STR(""), entry, &tags[n], e);
	if (rc == 0 && o != NULL)
		rc = select_send(im, o->mailbox, o->read_only, o->out, &opening,
				 e);
	for (i = 0; i < n && rc == 0; i++)
		rc = settle(im, tags[i], names[i], e);
	if (rc == 0 && ask)
		rc = settle(im, tags[n], STR(""), e);
	if (rc == 0 && o != NULL) {
		im->stage = "select";
		rc = select_settle(im, opening, o->mailbox, o->read_only,
				   o->out, e);
	}
	status_join(im);
	for (i = 0; i < n; i++)
		status_find(im, names[i], &out[i]);
	arena_free(im->want.arena);
	free(tags);
	return imap_end(im, rc, e);
}

int imap_poll(struct imap *im, const struct str *names, size_t n,
	      struct imap_status *out, const char *entry, struct buf *meta,
	      bool *meta_given, struct coi_err *e)
{
	return poll_and(im, NULL, names, n, out, entry, meta, meta_given, e);
}

int imap_poll_open(struct imap *im, const struct imap_opening *o,
		   const struct str *names, size_t n, struct imap_status *out,
		   const char *entry, struct buf *meta, bool *meta_given,
		   struct coi_err *e)
{
	return poll_and(im, o, names, n, out, entry, meta, meta_given, e);
}

int imap_status(struct imap *im, const struct str *names, size_t n,
		struct imap_status *out, struct coi_err *e)
{
	return imap_poll(im, names, n, out, NULL, NULL, NULL, e);
}
