#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "coi/folders.h"
#include "coi/send_priv.h"
#include "core/sys.h"

/* Some servers keep a copy of what they submit: look before adding one. */
static int has_copy(struct imap *im, struct str id, bool *has,
		    struct coi_err *e)
{
	struct imap_set found = {0};
	struct buf b = {0};
	int rc;

	buf_z(&b, "HEADER Message-ID ");
	imap_quote(&b, id);
	rc = imap_search(im, buf_view(&b), &found, e);
	*has = found.n > 0;
	imap_set_free(&found);
	buf_free(&b);
	return rc;
}

static int append(struct sender *s, struct imap *im, struct arena *a,
		  struct str sent, const struct store_out *row,
		  struct coi_err *e)
{
	struct octets o = {.fd = -1};
	uint32_t validity = 0, uid = 0;
	uint64_t size = 0;
	int rc;

	rc = spool_open(a, s->ac, row, &o, &size, e);
	if (rc == 0)
		rc = imap_append(im, sent, STR("\\Seen"), row->created, size,
				 octets_read, &o, &validity, &uid, e);
	octets_close(&o);
	return rc;
}

/* Found once and remembered, it may have got another name since. */
static int open_sent(struct sender *s, struct imap *im, struct arena *a,
		     struct str *sent, struct coi_err *e)
{
	struct imap_selected sel;
	struct coi_err le = {0};
	struct str was;

	if (folders_sent(im, s->st, a, s->ac->sent_folder, sent, e) < 0)
		return -1;
	if (sent->n == 0) {
		err_set(e, COI_E_UNAVAILABLE, "no Sent mailbox on the server");
		err_hint(e, "set `sent-folder` to its name or to none");
		return -1;
	}
	if (imap_select(im, *sent, true, &sel, &le) == 0)
		return 0;
	was = *sent;
	if (le.code == COI_E_NOINPUT &&
	    (folders_sent_forget(s->st, e) < 0 ||
	     folders_sent(im, s->st, a, s->ac->sent_folder, sent, e) < 0))
		return -1;
	if (sent->n > 0 && !str_eq(*sent, was))
		return imap_select(im, *sent, true, &sel, e);
	*e = le;
	if (le.code == COI_E_NOINPUT)
		err_hint(e, "set `sent-folder` to its name or to none");
	return -1;
}

static int copy_rows(struct sender *s, struct imap *im, struct arena *a,
		     struct store_out *v, size_t n, struct coi_err *e)
{
	struct str sent;
	struct coi_err first = {0};
	unsigned failures = 0;
	bool has;
	size_t i;
	int rc;

	if (open_sent(s, im, a, &sent, e) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		if (v[i].sent_copy != 0)
			continue;
		has = false;
		rc = has_copy(im, v[i].id, &has, e);
		if (rc == 0 && !has)
			rc = append(s, im, a, sent, &v[i], e);
		sys_point("copy.appended");
		if (rc == 0)
			rc = store_out_sent_copy(s->st, v[i].row, 1, e);
		if (rc == 0) {
			spool_remove(a, s->ac, v[i].id);
			continue;
		}
		/* One that is too large, or whose octets are gone, keeps no
		 * other from its copy; a dead link is seen at the next. */
		if (first.code == COI_OK)
			first = *e;
		err_clear(e);
		if (++failures > 3)
			break;
	}
	*e = first;
	return failures > 0 ? -1 : 0;
}

/* Two that search and then append would make two copies: one at a time.  Who
 * finds it taken leaves his rows to the holder, who looks once more. */
static int lock_copies(struct sender *s, struct arena *a)
{
	const char *path = arena_fmt(a, "%s.copies.lock", s->ac->state_path).p;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void copy_all(struct sender *s, struct arena *a, struct coi_err *e)
{
	struct store_out *v = NULL;
	struct imap *im = NULL;
	size_t n = 0;

	while (store_out_copies(s->st, a, &v, &n, e) == 0 && n > 0) {
		if (im == NULL)
			im = account_imap(s->ac, s->net, e);
		if (im == NULL || copy_rows(s, im, a, v, n, e) < 0)
			break;
	}
	imap_close(im);
}

int sender_copies(struct sender *s, struct coi_err *e)
{
	struct coi_err why = {0};
	struct arena *a;
	struct buf b = {0};
	int lock;

	if (!s->copies)
		return 0;
	s->copies = false;
	a = arena_new();
	lock = lock_copies(s, a);
	if (lock >= 0) {
		copy_all(s, a, &why);
		close(lock);
	}
	if (why.code != COI_OK && why.code != COI_E_CANCELLED &&
	    s->o->warn != NULL) {
		/* The message is out; its copy follows with the next one. */
		buf_fmt(&b, "no copy in Sent yet: %s%s%s", why.msg,
			why.hint[0] != '\0' ? "; " : "", why.hint);
		s->o->warn(s->o->ctx, buf_cstr(&b), false);
		buf_free(&b);
	}
	arena_free(a);
	return 0;
}
