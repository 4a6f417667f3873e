/* LIST, SPECIAL-USE (RFC 6154), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC
 * 5819), NAMESPACE (RFC 2342). */
#include <stdlib.h>

#include "core/limits.h"
#include "imap/priv.h"

static unsigned attr(struct str s)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {
	    {"\\Noselect", IMAP_NOSELECT},
	    {"\\NonExistent", IMAP_NONEXISTENT | IMAP_NOSELECT},
	    /* NOTIFY: we may not see it any more. */
	    {"\\NoAccess", IMAP_NONEXISTENT | IMAP_NOSELECT},
	    {"\\Subscribed", IMAP_SUBSCRIBED},
	    {"\\Sent", IMAP_SENT},
	    {"\\Drafts", IMAP_DRAFTS},
	    {"\\Junk", IMAP_JUNK},
	    {"\\Trash", IMAP_TRASH},
	    {"\\Archive", IMAP_ARCHIVE},
	    {"\\All", IMAP_ALL},
	    {"\\Flagged", IMAP_FLAGGED},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_iis(s, words[i].word))
			return words[i].bit;
	return 0;
}

static bool delimiter(struct imap_cur *c, char *out)
{
	struct str s;

	if (!cur_nstring(c, &s))
		return false;
	*out = s.n == 1 ? s.p[0] : '\0';
	return s.p == NULL || s.n <= 1;
}

static bool take(struct imap *im, struct imap_cur *c, unsigned more)
{
	struct imap_sinks *w = &im->want;
	struct imap_mailbox m = {.attrs = more};
	struct str s;

	bool news = !w->listing && more == 0 && im->news->mailbox != NULL;

	if (!w->listing && !news) {
		c->p = c->end;
		return true;
	}
	if (!cur_ch(c, '('))
		return false;
	for (;;) {
		while (cur_ch(c, ' '))
			;
		if (cur_ch(c, ')'))
			break;
		if (!cur_atom(c, &s))
			return false;
		m.attrs |= attr(s);
	}
	if (!cur_sp(c) || !delimiter(c, &m.delim) || !cur_sp(c) ||
	    !cur_astring(c, &s))
		return false;
	/* Extended data: ("CHILDINFO" (...)) */
	if (!cur_end(c) && (!cur_skip(c) || !cur_end(c)))
		return false;
	if (w->root_delim != NULL) {
		if (s.n == 0)
			*w->root_delim = m.delim;
		return true;
	}
	if (news) {
		m.name = imap_read_mailbox(im->scratch, s);
		if (m.name.n > 0)
			im->news->mailbox(im->news_ctx, &m);
		return true;
	}
	m.name = imap_take_mailbox(im, w->arena, s);
	if (m.name.n == 0)
		return true;
	if (w->nlist >= 2 * LIMIT_IMAP_LIST)
		return false;
	w->list = arena_more(w->arena, w->list, w->nlist, &w->listcap,
			     sizeof(*w->list));
	w->list[w->nlist++] = m;
	return true;
}

bool list_take(struct imap *im, struct imap_cur *c)
{
	return take(im, c, 0);
}

/* Names of LSUB need not exist, so they only mark. */
#define FROM_LSUB (1u << 30)

bool lsub_take(struct imap *im, struct imap_cur *c)
{
	return take(im, c, FROM_LSUB);
}

/* --- namespaces ------------------------------------------------------------
 */

static bool descriptions(struct imap *im, struct imap_cur *c, bool personal)
{
	struct str prefix;
	bool first = personal;
	char delim;

	if (!cur_peek(c, '('))
		return cur_nstring(c, &prefix) && prefix.p == NULL;
	c->p++;
	while (!cur_ch(c, ')')) {
		cur_end(c);
		if (!cur_ch(c, '(') || !cur_astring(c, &prefix) || !cur_sp(c) ||
		    !delimiter(c, &delim))
			return false;
		while (!cur_ch(c, ')'))
			if (!cur_sp(c) || !cur_skip(c))
				return false;
		prefix = imap_take_mailbox(im, im->names, prefix);
		if (prefix.p == NULL)
			continue;
		if (first) {
			im->ns.prefix = prefix;
			im->ns.delim = delim;
			first = false;
		} else if (!personal && prefix.n > 0 &&
			   im->others.n < LIMIT_IMAP_LITERAL_MEM) {
			buf_str(&im->others, prefix);
			buf_c(&im->others, '\n');
		}
		cur_end(c);
	}
	return true;
}

bool namespace_take(struct imap *im, struct imap_cur *c)
{
	if (im->ns_known) {
		c->p = c->end;
		return true;
	}
	buf_clear(&im->others);
	im->ns = (struct imap_namespace){.prefix = STR("")};
	im->ns_known = true;
	return descriptions(im, c, true) && cur_sp(c) &&
	       descriptions(im, c, false) && cur_sp(c) &&
	       descriptions(im, c, false);
}

int namespace_send(struct imap *im, uint32_t *tag, struct coi_err *e)
{
	*tag = 0;
	if (im->ns_known || !imap_has(im, "NAMESPACE"))
		return 0;
	return imap_send(im, "NAMESPACE", STR("NAMESPACE"), tag, e);
}

static bool personal(const struct imap *im, struct str name)
{
	struct str rest = buf_view(&im->others), prefix;

	if (str_iis(name, "INBOX"))
		return true;
	while (rest.n > 0) {
		prefix = str_split(&rest, '\n');
		if (name.n >= prefix.n &&
		    memcmp(name.p, prefix.p, prefix.n) == 0)
			return false;
		/* "shared" itself, above "shared/x" */
		if (name.n + 1 == prefix.n &&
		    memcmp(name.p, prefix.p, name.n) == 0)
			return false;
	}
	return true;
}

int imap_namespace(struct imap *im, struct arena *a, struct imap_namespace *out,
		   struct coi_err *e)
{
	uint32_t tag;
	int rc = imap_begin(im, "namespace", e);

	*out = (struct imap_namespace){.prefix = STR("")};
	if (rc == 0)
		rc = namespace_send(im, &tag, e);
	if (rc == 0 && tag != 0)
		rc = imap_done(im, tag, e);
	if (rc == 0 && im->ns_known) {
		out->prefix = arena_str(a, im->ns.prefix);
		out->delim = im->ns.delim;
	}
	return imap_end(im, rc, e);
}

int imap_delimiter(struct imap *im, char *delim, struct coi_err *e)
{
	int rc = imap_begin(im, "list", e);

	*delim = '\0';
	im->want.listing = true;
	im->want.root_delim = delim;
	if (rc == 0)
		rc = imap_run(im, "LIST", STR("LIST \"\" \"\""), e);
	return imap_end(im, rc, e);
}

/* --- the list ---------------------------------------------------------------
 */

struct entry {
	struct imap_mailbox *m;
	size_t order;
};

static int cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int r = imap_name_cmp(x->m->name, y->m->name);

	return r != 0 ? r : (x->order > y->order) - (x->order < y->order);
}

static void join(struct imap_mailbox *a, const struct imap_mailbox *b)
{
	if (b->attrs & FROM_LSUB) {
		a->attrs |= b->attrs & IMAP_NOSELECT ? 0 : IMAP_SUBSCRIBED;
	} else if (a->attrs & FROM_LSUB) {
		a->attrs = b->attrs |
			   (a->attrs & IMAP_NOSELECT ? 0 : IMAP_SUBSCRIBED);
		a->delim = b->delim;
	} else {
		a->attrs |= b->attrs;
	}
}

/* One entry a mailbox, in the server's order, marks joined. */
static void tidy(struct imap *im, struct imap_list *out)
{
	struct imap_sinks *w = &im->want;
	struct entry *v = mem_array(w->nlist + 1, sizeof(*v));
	struct imap_mailbox *first = NULL;
	size_t i;

	for (i = 0; i < w->nlist; i++)
		v[i] = (struct entry){&w->list[i], i};
	if (w->nlist > 0)
		qsort(v, w->nlist, sizeof(*v), cmp);
	for (i = 0; i < w->nlist; i++) {
		if (first == NULL ||
		    imap_name_cmp(first->name, v[i].m->name) != 0) {
			first = v[i].m;
			continue;
		}
		join(first, v[i].m);
		v[i].m->name = STR_NONE;
	}
	free(v);
	*out = (struct imap_list){.v = w->list};
	for (i = 0; i < w->nlist; i++)
		if (w->list[i].name.p != NULL &&
		    !(w->list[i].attrs & FROM_LSUB) &&
		    personal(im, w->list[i].name))
			out->v[out->n++] = w->list[i];
}

/* Sends what lists; *with_status: the answers will hold STATUS. */
static int send_list(struct imap *im, bool want_status, bool *with_status,
		     uint32_t *tags, struct coi_err *e)
{
	bool extended = imap_has(im, "LIST-EXTENDED");
	struct buf b = {0};
	int rc;

	*with_status = want_status && extended && imap_has(im, "LIST-STATUS");
	buf_z(&b, "LIST \"\" \"*\"");
	if (extended) {
		buf_z(&b, " RETURN (SUBSCRIBED");
		if (imap_has(im, "SPECIAL-USE"))
			buf_z(&b, " SPECIAL-USE");
		if (*with_status) {
			buf_z(&b, " STATUS ");
			status_items(im, &b);
		}
		buf_c(&b, ')');
	}
	rc = namespace_send(im, &tags[0], e);
	if (rc == 0)
		rc = imap_send(im, "LIST", buf_view(&b), &tags[1], e);
	if (rc == 0 && !extended)
		rc = imap_send(im, "LSUB", STR("LSUB \"\" \"*\""), &tags[2], e);
	buf_free(&b);
	return rc;
}

/* STATUS of one mailbox fails for many reasons; the list is still good. */
static int statuses(struct imap *im, const uint32_t *tags, size_t n,
		    struct coi_err *e)
{
	enum imap_result res;
	size_t i;

	for (i = 0; i < n; i++)
		if (tags[i] != 0 && imap_await(im, tags[i], &res, e) < 0)
			return -1;
	return 0;
}

static int ask_each(struct imap *im, const struct imap_list *list,
		    struct coi_err *e)
{
	uint32_t *tags = mem_array(list->n + 1, sizeof(*tags));
	size_t i;
	int rc = 0;

	for (i = 0; i < list->n && rc == 0; i++)
		if (!(list->v[i].attrs & IMAP_NOSELECT))
			rc = status_send(im, list->v[i].name, &tags[i], e);
	if (rc == 0)
		rc = statuses(im, tags, list->n, e);
	free(tags);
	return rc;
}

int imap_list(struct imap *im, struct arena *a, const struct str *status_of,
	      size_t nstatus, bool with_status, struct imap_list *out,
	      struct coi_err *e)
{
	uint32_t *tags = mem_array(nstatus + 4, sizeof(*tags));
	uint32_t ltags[3] = {0};
	bool all = with_status && status_of == NULL, came = false;
	enum imap_result res;
	size_t i;
	int rc = imap_begin(im, "list", e);

	*out = (struct imap_list){0};
	if (rc < 0)
		goto out;
	im->want.arena = a;
	im->want.listing = true;
	im->want.want_status = with_status;
	rc = send_list(im, all, &came, ltags, e);
	for (i = 0; with_status && !all && i < nstatus && rc == 0; i++)
		rc = status_send(im, status_of[i], &tags[i], e);
	if (rc == 0 && ltags[0] != 0)
		rc = imap_await(im, ltags[0], &res, e);
	if (rc == 0)
		rc = imap_done(im, ltags[1], e);
	if (rc == 0 && ltags[2] != 0)
		rc = imap_await(im, ltags[2], &res, e);
	if (rc == 0 && with_status && !all)
		rc = statuses(im, tags, nstatus, e);
	if (rc < 0)
		goto out;
	tidy(im, out);
	im->want.listing = false;
	if (all && !came)
		rc = ask_each(im, out, e);
	status_join(im);
	for (i = 0; i < out->n; i++)
		status_find(im, out->v[i].name, &out->v[i].status);
out:
	free(tags);
	return imap_end(im, rc, e);
}
