/* STATUS, and the poll that a run with nothing new consists of. */
#include <stdlib.h>

#include "core/limits.h"
#include "imap/priv.h"

static bool number(struct imap_cur *c, struct str name, struct imap_status *s)
{
	if (str_iis(name, "UIDVALIDITY"))
		return cur_u32(c, &s->uid_validity);
	if (str_iis(name, "UIDNEXT"))
		return cur_u32(c, &s->uid_next);
	if (str_iis(name, "MESSAGES"))
		return cur_u32(c, &s->messages);
	if (str_iis(name, "UNSEEN"))
		return cur_u32(c, &s->unseen);
	if (str_iis(name, "HIGHESTMODSEQ"))
		return cur_u64(c, UINT64_MAX, &s->highest_modseq);
	return cur_skip(c);
}

bool status_take(struct imap *im, struct imap_cur *c)
{
	struct imap_sinks *w = &im->want;
	struct imap_seen_status x = {.st.have = true, .order = w->nstatus};
	struct str wire, name;

	if (!w->want_status) {
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
		if (!cur_atom(c, &name) || !cur_sp(c) ||
		    !number(c, name, &x.st))
			return false;
	}
	if (!cur_end(c))
		return false;
	x.name = imap_take_mailbox(im, w->arena, wire);
	if (x.name.p == NULL)
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
	if (im->want.nstatus > 0)
		qsort(im->want.status, im->want.nstatus,
		      sizeof(*im->want.status), cmp);
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

int imap_poll(struct imap *im, const struct str *names, size_t n,
	      struct imap_status *out, const char *entry, struct buf *meta,
	      bool *meta_given, struct coi_err *e)
{
	uint32_t *tags = mem_array(n + 1, sizeof(*tags));
	bool dummy, ask = entry != NULL && (imap_has(im, "METADATA") ||
					    imap_has(im, "METADATA-SERVER"));
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
	for (i = 0; i < n && rc == 0; i++)
		rc = settle(im, tags[i], names[i], e);
	if (rc == 0 && ask)
		rc = settle(im, tags[n], STR(""), e);
	status_join(im);
	for (i = 0; i < n; i++)
		status_find(im, names[i], &out[i]);
	arena_free(im->want.arena);
	free(tags);
	return imap_end(im, rc, e);
}

int imap_status(struct imap *im, const struct str *names, size_t n,
		struct imap_status *out, struct coi_err *e)
{
	return imap_poll(im, names, n, out, NULL, NULL, NULL, e);
}
