/* UID SEARCH, ESEARCH (RFC 4731). */
#include "imap/priv.h"

int imap_search(struct imap *im, struct str criteria, struct imap_set *out,
		struct coi_err *e)
{
	struct buf b = {0};
	uint32_t tag;
	int rc = imap_begin(im, "search", e);

	if (rc < 0)
		goto out;
	buf_z(&b, "UID SEARCH ");
	if (imap_has(im, "ESEARCH"))
		buf_z(&b, "RETURN (ALL) ");
	if (!str_ascii(criteria))
		buf_z(&b, "CHARSET UTF-8 ");
	buf_str(&b, criteria);
	im->want.search = out;
	im->want.search_tag = im->next;
	rc = imap_send(im, "SEARCH", buf_view(&b), &tag, e);
	if (rc == 0)
		rc = imap_done(im, tag, e);
	if (rc == 0 && !im->want.searched)
		rc = err_set(e, COI_E_PROTOCOL,
			     "the server said OK to SEARCH without an answer");
	set_normalise(out);
out:
	buf_free(&b);
	return imap_end(im, rc, e);
}
