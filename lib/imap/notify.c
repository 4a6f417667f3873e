/*
 * NOTIFY (RFC 5465).  Dovecot tells nothing of the selected mailbox, not even
 * in IDLE, when it is not named; a second NOTIFY SET loses the others; and here
 * alone it takes and writes names in UTF-8: "Entw&APw-rfe" is watched by the
 * name of "Entwürfe" only.  So both go; a mailbox that is not there is ignored.
 */
#include "imap/priv.h"

#define NEW_AND_GONE "MessageNew MessageExpunge"

struct form {
	bool flags;
	bool utf8; /* names a second time, where that is another spelling */
};

static int put_name(struct imap *im, struct buf *b, struct str name, bool utf8,
		    struct coi_err *e)
{
	size_t at = b->n;
	struct buf again = {0};

	if (imap_put_mailbox(im, b, name, e) < 0)
		return -1;
	imap_quote(&again, name);
	if (utf8 && !str_eq(buf_view(&again), str_sub(buf_view(b), at, b->n))) {
		buf_c(b, ' ');
		buf_str(b, buf_view(&again));
	}
	buf_free(&again);
	return 0;
}

static int command(struct imap *im, const struct str *names, size_t n,
		   const struct form *f, struct buf *b, struct coi_err *e)
{
	size_t i;
	int rc = 0;

	buf_z(b, "NOTIFY SET ");
	if (n > 0)
		buf_z(b, "STATUS ");
	buf_fmt(b, "(selected (" NEW_AND_GONE "%s))",
		f->flags ? " FlagChange" : "");
	for (i = 0; i < n && rc == 0; i++) {
		buf_z(b, i == 0 ? " (mailboxes (" : " ");
		rc = put_name(im, b, names[i], f->utf8, e);
	}
	if (n > 0)
		buf_z(b, ") (" NEW_AND_GONE "))");
	return rc;
}

static int set(struct imap *im, const struct str *names, size_t n,
	       const struct form *f, uint32_t *tag, enum imap_result *res,
	       struct coi_err *e)
{
	struct buf b = {0};
	int rc = command(im, names, n, f, &b, e);

	if (rc == 0)
		rc = imap_send(im, "NOTIFY", buf_view(&b), tag, e);
	if (rc == 0)
		rc = imap_await(im, *tag, res, e);
	buf_free(&b);
	return rc;
}

/* Whatever it says, there is another way: IDLE. */
static int refused(struct imap *im, uint32_t tag, struct coi_err *e)
{
	struct coi_err le = {0};

	imap_refused(im, tag, &le);
	le.code = COI_E_UNAVAILABLE;
	if (e != NULL && e->code == COI_OK)
		*e = le;
	return -1;
}

int imap_notify(struct imap *im, const struct str *names, size_t n, bool flags,
		struct coi_err *e)
{
	struct form f = {.flags = flags, .utf8 = true};
	enum imap_result res = RES_OK;
	uint32_t tag = 0;
	int rc = imap_begin(im, "notify", e);

	if (rc == 0 && !imap_has(im, "NOTIFY"))
		rc = err_set(e, COI_E_UNAVAILABLE,
			     "the server offers no NOTIFY");
	else if (rc == 0 && im->notified)
		rc = err_set(e, COI_E_UNAVAILABLE,
			     "NOTIFY can be set once on a connection");
	while (rc == 0) {
		rc = set(im, names, n, &f, &tag, &res, e);
		if (rc < 0 || res == RES_OK)
			break;
		if (f.flags && imap_said_code(im, tag, "BADEVENT"))
			f.flags = false;
		else if (f.utf8 && n > 0)
			f.utf8 = false;
		else
			break;
	}
	if (rc == 0 && res != RES_OK)
		rc = refused(im, tag, e);
	im->notified |= rc == 0;
	return imap_end(im, rc, e);
}
