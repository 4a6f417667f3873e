/* METADATA (RFC 5464): one entry a command, values as literals. */
#include "core/limits.h"
#include "imap/priv.h"

bool metadata_take(struct imap *im, struct imap_cur *c)
{
	struct str mailbox, entry, value;

	if (im->want.meta_entry == NULL) {
		c->p = c->end;
		return true;
	}
	if (!cur_astring(c, &mailbox) || !cur_sp(c))
		return false;
	/* Without parentheses it names entries that changed. */
	if (!cur_ch(c, '('))
		return true;
	for (;;) {
		while (cur_ch(c, ' '))
			;
		if (cur_ch(c, ')'))
			return cur_end(c);
		if (!cur_astring(c, &entry) || !cur_sp(c) ||
		    !cur_nstring(c, &value))
			return false;
		/* The real COI server answers in lower case. */
		if (!str_iis(entry, im->want.meta_entry))
			continue;
		*im->want.meta_given = value.p != NULL;
		if (im->want.meta != NULL) {
			buf_clear(im->want.meta);
			buf_str(im->want.meta, value);
		}
	}
}

static bool offered(const struct imap *im, struct str mailbox)
{
	return imap_has(im, "METADATA") ||
	       (mailbox.n == 0 && imap_has(im, "METADATA-SERVER"));
}

static int need(const struct imap *im, struct str mailbox, struct coi_err *e)
{
	if (offered(im, mailbox))
		return 0;
	return err_set(e, COI_E_UNAVAILABLE, "the server offers no METADATA");
}

static int mailbox_and_entry(struct imap *im, struct buf *b, struct str mailbox,
			     const char *entry, struct coi_err *e)
{
	if (mailbox.n == 0)
		buf_z(b, "\"\"");
	else if (imap_put_mailbox(im, b, mailbox, e) < 0)
		return -1;
	if (strpbrk(entry, "\r\n") != NULL)
		return err_set(e, COI_E_DATA,
			       "a line end in the name of a METADATA entry");
	buf_z(b, " (");
	imap_quote(b, str_of(entry));
	return 0;
}

int metadata_send(struct imap *im, struct str mailbox, const char *entry,
		  uint32_t *tag, struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	buf_z(&b, "GETMETADATA ");
	rc = mailbox_and_entry(im, &b, mailbox, entry, e);
	buf_c(&b, ')');
	if (rc == 0)
		rc = imap_send(im, "GETMETADATA", buf_view(&b), tag, e);
	buf_free(&b);
	return rc;
}

int imap_getmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct buf *out, bool *given, struct coi_err *e)
{
	bool dummy;
	uint32_t tag;
	int rc = imap_begin(im, "metadata", e);

	if (rc == 0)
		rc = need(im, mailbox, e);
	im->want.meta_entry = entry;
	im->want.meta = out;
	im->want.meta_given = given != NULL ? given : &dummy;
	*im->want.meta_given = false;
	if (rc == 0)
		rc = metadata_send(im, mailbox, entry, &tag, e);
	if (rc == 0)
		rc = imap_done(im, tag, e);
	return imap_end(im, rc, e);
}

int imap_setmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct str value, struct coi_err *e)
{
	struct buf b = {0};
	int rc = imap_begin(im, "metadata", e);

	if (rc == 0)
		rc = need(im, mailbox, e);
	buf_z(&b, "SETMETADATA ");
	if (rc == 0)
		rc = mailbox_and_entry(im, &b, mailbox, entry, e);
	buf_c(&b, ' ');
	if (value.p == NULL) {
		buf_z(&b, "NIL");
	} else {
		buf_fmt(&b, "{%zu+}\r\n", value.n);
		buf_str(&b, value);
	}
	buf_c(&b, ')');
	if (rc == 0)
		rc = imap_run(im, "SETMETADATA", buf_view(&b), e);
	buf_free(&b);
	return imap_end(im, rc, e);
}
