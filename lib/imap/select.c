/* SELECT and EXAMINE, CONDSTORE and QRESYNC (RFC 7162), CREATE, SUBSCRIBE. */
#include "imap/priv.h"

void select_exists(struct imap *im, uint32_t n)
{
	if (im->want.select != NULL)
		im->want.select->exists = n;
}

/* `list`: "(\Seen $Chat" */
static bool has_flag(struct str list, const char *flag)
{
	struct str one;

	if (str_starts(list, "("))
		list = str_sub(list, 1, list.n);
	while (list.n > 0) {
		one = str_split(&list, ' ');
		if (str_iis(one, flag))
			return true;
	}
	return false;
}

void select_code(struct imap *im, struct str name, struct imap_cur *c)
{
	struct imap_selected *s = im->want.select;
	struct str rest = {c->p, (size_t)(c->end - c->p)};
	ptrdiff_t end;

	uint32_t validity = 0;

	if (s == NULL) {
		if (im->news->renumbered != NULL &&
		    str_iis(name, "UIDVALIDITY") && cur_u32(c, &validity))
			im->news->renumbered(im->news_ctx, validity);
		return;
	}
	if (str_iis(name, "UIDVALIDITY")) {
		cur_u32(c, &s->uid_validity);
	} else if (str_iis(name, "UIDNEXT")) {
		cur_u32(c, &s->uid_next);
	} else if (str_iis(name, "HIGHESTMODSEQ")) {
		cur_u64(c, UINT64_MAX, &s->highest_modseq);
	} else if (str_iis(name, "READ-ONLY")) {
		s->read_only = true;
	} else if (str_iis(name, "READ-WRITE")) {
		s->read_only = false;
	} else if (str_iis(name, "PERMANENTFLAGS")) {
		end = str_chr(rest, ')');
		rest = str_sub(rest, 0, end >= 0 ? (size_t)end : 0);
		s->perm_any_flag = str_find(rest, STR("\\*")) >= 0;
		s->perm_chat = s->perm_any_flag || has_flag(rest, "$Chat");
	} else if (str_iis(name, "CLOSED")) {
		/* All before it was about the mailbox we leave. */
		*s = (struct imap_selected){0};
	}
}

/* Dovecot says only "NO Mailbox doesn't exist", without a code. */
static int refused(struct imap *im, uint32_t tag, enum imap_result res,
		   struct coi_err *e)
{
	struct coi_err le = {0};

	imap_refused(im, tag, &le);
	if (res == RES_NO && le.reply[0] != '[')
		le.code = COI_E_NOINPUT;
	if (e != NULL && e->code == COI_OK)
		*e = le;
	return -1;
}

static int send_with(struct imap *im, struct str mailbox, bool read_only,
		     const char *params, struct imap_selected *out,
		     uint32_t *tag, struct coi_err *e)
{
	const char *what = read_only ? "EXAMINE" : "SELECT";
	struct buf b = {0};
	int rc;

	*out = (struct imap_selected){0};
	im->want.select = out;
	buf_fmt(&b, "%s ", what);
	rc = imap_put_mailbox(im, &b, mailbox, e);
	buf_z(&b, params);
	if (rc == 0)
		rc = imap_send(im, what, buf_view(&b), tag, e);
	buf_free(&b);
	return rc;
}

int select_settle(struct imap *im, uint32_t tag, struct str mailbox,
		  bool read_only, struct imap_selected *out, struct coi_err *e)
{
	enum imap_result res;
	int rc = imap_await(im, tag, &res, e);

	if (rc == 0 && res != RES_OK)
		rc = refused(im, tag, res, e);
	if (rc == 0 && out->uid_validity == 0)
		rc = err_set(e, COI_E_PROTOCOL,
			     "the server gave no UIDVALIDITY");
	if (rc < 0)
		err_ctx(e, "mailbox \"%.*s\"",
			STR_ARG(str_sub(mailbox, 0, 150)));
	out->read_only |= read_only;
	return rc;
}

static int select_with(struct imap *im, struct str mailbox, bool read_only,
		       const char *params, struct imap_selected *out,
		       struct coi_err *e)
{
	uint32_t tag = 0;

	if (send_with(im, mailbox, read_only, params, out, &tag, e) < 0)
		return -1;
	return select_settle(im, tag, mailbox, read_only, out, e);
}

static const char *condstore(const struct imap *im)
{
	return imap_has(im, "CONDSTORE") || imap_has(im, "QRESYNC")
		   ? " (CONDSTORE)"
		   : "";
}

int select_send(struct imap *im, struct str mailbox, bool read_only,
		struct imap_selected *out, uint32_t *tag, struct coi_err *e)
{
	return send_with(im, mailbox, read_only, condstore(im), out, tag, e);
}

int imap_select(struct imap *im, struct str mailbox, bool read_only,
		struct imap_selected *out, struct coi_err *e)
{
	int rc = imap_begin(im, "select", e);

	if (rc == 0)
		rc = select_with(im, mailbox, read_only, condstore(im), out, e);
	return imap_end(im, rc, e);
}

static int enable(struct imap *im, struct coi_err *e)
{
	uint32_t tag;

	if (im->qresync_on)
		return 0;
	if (imap_send(im, "ENABLE", STR("ENABLE QRESYNC"), &tag, e) < 0)
		return -1;
	imap_ignore(im, tag);
	im->qresync_on = true;
	return 0;
}

int imap_enable_uids(struct imap *im, struct coi_err *e)
{
	int rc = 0;

	if (imap_has(im, "QRESYNC")) {
		rc = imap_begin(im, "select", e);
		if (rc == 0)
			rc = enable(im, e);
		rc = imap_end(im, rc, e);
	}
	return rc;
}

int imap_select_qresync(struct imap *im, struct str mailbox, bool read_only,
			uint32_t uid_validity, uint64_t modseq,
			void (*vanished)(void *ctx, uint32_t lo, uint32_t hi),
			void *ctx, struct imap_selected *out, struct coi_err *e)
{
	struct buf params = {0};
	int rc = -1;

	if (!imap_has(im, "QRESYNC") || uid_validity == 0 || modseq == 0)
		return imap_select(im, mailbox, read_only, out, e);
	if (imap_begin(im, "select", e) < 0)
		goto out;
	if (enable(im, e) < 0)
		goto out;
	im->want.vanished = vanished;
	im->want.vanished_ctx = ctx;
	buf_fmt(&params, " (QRESYNC (%u %llu))", uid_validity,
		(unsigned long long)modseq);
	rc = select_with(im, mailbox, read_only, buf_cstr(&params), out, e);
out:
	buf_free(&params);
	return imap_end(im, rc, e);
}

static int on_mailbox(struct imap *im, const char *what, struct str mailbox,
		      const char *done, struct coi_err *e)
{
	struct buf b = {0};
	enum imap_result res;
	uint32_t tag;
	int rc = imap_begin(im, "mailbox", e);

	buf_fmt(&b, "%s ", what);
	if (rc == 0)
		rc = imap_put_mailbox(im, &b, mailbox, e);
	if (rc == 0)
		rc = imap_send(im, what, buf_view(&b), &tag, e);
	if (rc == 0)
		rc = imap_await(im, tag, &res, e);
	if (rc == 0 && res != RES_OK &&
	    (done == NULL || !imap_said_code(im, tag, done))) {
		rc = imap_refused(im, tag, e);
		err_ctx(e, "mailbox \"%.*s\"",
			STR_ARG(str_sub(mailbox, 0, 150)));
	}
	buf_free(&b);
	return imap_end(im, rc, e);
}

int imap_create(struct imap *im, struct str mailbox, struct coi_err *e)
{
	/* Somebody was quicker: what was wanted is there. */
	return on_mailbox(im, "CREATE", mailbox, "ALREADYEXISTS", e);
}

int imap_subscribe(struct imap *im, struct str mailbox, struct coi_err *e)
{
	return on_mailbox(im, "SUBSCRIBE", mailbox, NULL, e);
}
