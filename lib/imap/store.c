/* STORE, COPY, MOVE (RFC 6851), UID EXPUNGE (RFC 4315). */
#include "imap/priv.h"

/* "UID VERB set rest" for the whole set, however long. */
static int each(struct imap *im, const char *verb, const struct imap_set *set,
		struct str rest, struct coi_err *e)
{
	struct buf b = {0};
	size_t i = 0;
	int rc = 0;

	while (rc == 0 && i < set->n) {
		buf_clear(&b);
		buf_fmt(&b, "UID %s ", verb);
		set_write(set, &i, IMAP_SET_TEXT, &b);
		if (rest.n > 0)
			buf_c(&b, ' ');
		buf_str(&b, rest);
		rc = imap_run(im, verb, buf_view(&b), e);
	}
	buf_free(&b);
	return rc;
}

int imap_store(struct imap *im, const struct imap_set *set, struct str op,
	       struct str flags, struct coi_err *e)
{
	struct buf b = {0};
	int rc = imap_begin(im, "store", e);

	buf_str(&b, op);
	buf_z(&b, " (");
	buf_str(&b, flags);
	buf_c(&b, ')');
	if (rc == 0)
		rc = each(im, "STORE", set, buf_view(&b), e);
	buf_free(&b);
	return imap_end(im, rc, e);
}

static int to_mailbox(struct imap *im, const char *verb,
		      const struct imap_set *set, struct str to,
		      struct coi_err *e)
{
	struct buf b = {0};
	int rc = imap_put_mailbox(im, &b, to, e);

	if (rc == 0)
		rc = each(im, verb, set, buf_view(&b), e);
	buf_free(&b);
	return rc;
}

int imap_copy(struct imap *im, const struct imap_set *set, struct str to,
	      struct coi_err *e)
{
	int rc = imap_begin(im, "copy", e);

	if (rc == 0)
		rc = to_mailbox(im, "COPY", set, to, e);
	return imap_end(im, rc, e);
}

static int need_uidplus(struct imap *im, struct coi_err *e)
{
	if (imap_has(im, "UIDPLUS"))
		return 0;
	err_set(e, COI_E_UNAVAILABLE,
		"the server cannot remove single messages (no UIDPLUS)");
	return -1;
}

int imap_move(struct imap *im, const struct imap_set *set, struct str to,
	      struct coi_err *e)
{
	int rc = imap_begin(im, "move", e);

	if (rc == 0 && imap_has(im, "MOVE")) {
		rc = to_mailbox(im, "MOVE", set, to, e);
		return imap_end(im, rc, e);
	}
	/* Nothing is deleted before its copy is known to be there, and
	 * nothing that somebody else marked. */
	if (rc == 0)
		rc = to_mailbox(im, "COPY", set, to, e);
	if (rc == 0)
		rc = each(im, "STORE", set, STR("+FLAGS.SILENT (\\Deleted)"),
			  e);
	if (rc == 0 && imap_has(im, "UIDPLUS"))
		rc = each(im, "EXPUNGE", set, STR_NONE, e);
	return imap_end(im, rc, e);
}

int imap_expunge(struct imap *im, const struct imap_set *set, struct coi_err *e)
{
	int rc = imap_begin(im, "expunge", e);

	if (rc == 0)
		rc = need_uidplus(im, e);
	if (rc == 0)
		rc = each(im, "EXPUNGE", set, STR_NONE, e);
	return imap_end(im, rc, e);
}
