/* $Chat and \Seen of what is sorted. */
#include "coi/filter_priv.h"
#include "core/sys.h"

static int keyword(struct filter *f, struct imap *im,
		   const struct imap_set *set, struct coi_err *e)
{
	struct coi_err le = {0};

	if (!f->keyword_ok || set->n == 0 ||
	    imap_store(im, set, STR("+FLAGS.SILENT"), STR("$Chat"), &le) == 0)
		return 0;
	if (le.reply[0] == '\0' || le.code == COI_E_PROTOCOL) {
		if (e->code == COI_OK)
			*e = le;
		return -1;
	}
	/* A dead line shows itself with the next command. */
	f->keyword_ok = false;
	f->keyword_refused = true;
	if (f->o.warn != NULL) {
		struct buf b = {0};

		buf_fmt(&b, "the server does not keep $Chat: %s", le.reply);
		f->o.warn(f->o.ctx, buf_cstr(&b));
		buf_free(&b);
	}
	return 0;
}

int filter_mark(struct filter *f, struct imap *im, const struct items *l,
		struct coi_err *e)
{
	struct imap_set chat = {0}, seen = {0};
	size_t i;
	int rc;

	for (i = 0; i < l->n; i++) {
		const struct item *x = &l->v[i];

		if (x->deed.keyword && !x->has_keyword)
			imap_set_add(&chat, x->uid, x->uid);
		if (x->deed.mark_seen && !x->facts.seen)
			imap_set_add(&seen, x->uid, x->uid);
	}
	rc = keyword(f, im, &chat, e);
	if (rc == 0 && seen.n > 0)
		rc = imap_store(im, &seen, STR("+FLAGS.SILENT"), STR("\\Seen"),
				e);
	sys_point("filter.marked");
	imap_set_free(&chat);
	imap_set_free(&seen);
	return rc;
}
