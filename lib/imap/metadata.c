/* METADATA (RFC 5464): one entry a command, read back by name or as a tree. */
#include "core/limits.h"
#include "imap/priv.h"

#define ENTRIES_MAX 1000

static bool keep(struct imap *im, struct str entry, struct str value)
{
	struct imap_sinks *w = &im->want;
	size_t under = strlen(w->meta_entry), i;

	if (!str_istarts(entry, w->meta_entry) ||
	    (entry.n > under && entry.p[under] != '/'))
		return true;
	/* The last word on an entry counts; names differ in case. */
	for (i = 0; i < w->nmeta; i++)
		if (str_ieq(w->metav[i].entry, entry))
			break;
	w->meta_octets += entry.n + value.n;
	if (i == ENTRIES_MAX || w->meta_octets > LIMIT_IMAP_LITERAL_MEM)
		return false;
	if (i == w->nmeta) {
		w->metav = arena_more(w->meta_arena, w->metav, i, &w->metacap,
				      sizeof(*w->metav));
		w->nmeta++;
	}
	w->metav[i].entry = arena_str(w->meta_arena, entry);
	w->metav[i].value = value.p == NULL ? STR_NONE
					    : arena_str(w->meta_arena, value);
	return true;
}

static bool of_mailbox(struct imap *im, struct str wire)
{
	struct str name;

	if (wire.n == 0 || im->want.meta_mailbox.n == 0)
		return wire.n == im->want.meta_mailbox.n;
	name = imap_take_mailbox(im, im->scratch, wire);
	return imap_same_mailbox(name, im->want.meta_mailbox);
}

bool metadata_take(struct imap *im, struct imap_cur *c)
{
	struct imap_sinks *w = &im->want;
	struct str mailbox, entry, value;

	if (w->meta_entry == NULL) {
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
		if (!of_mailbox(im, mailbox))
			continue;
		if (w->meta_arena != NULL && !keep(im, entry, value))
			return false;
		/* The real COI server answers in lower case. */
		if (w->meta_arena != NULL || !str_iis(entry, w->meta_entry))
			continue;
		*w->meta_given = value.p != NULL;
		if (w->meta != NULL) {
			buf_clear(w->meta);
			buf_str(w->meta, value);
		}
	}
}

/* A COI server need not list METADATA. */
bool metadata_offered(const struct imap *im, struct str mailbox)
{
	return imap_has(im, "METADATA") ||
	       (mailbox.n == 0 &&
		(imap_has(im, "METADATA-SERVER") || imap_has(im, "COI") ||
		 imap_has(im, "WEBPUSH")));
}

static int need(const struct imap *im, struct str mailbox, struct coi_err *e)
{
	if (metadata_offered(im, mailbox))
		return 0;
	return err_set(e, COI_E_UNAVAILABLE, "the server offers no METADATA");
}

/* --- refusals ---------------------------------------------------------------
 */

static const struct {
	const char *code, *what; /* what: the word behind [METADATA */
	enum coi_code is;
	const char *msg, *hint;
} refusals[] = {
    {"METADATA", "MAXSIZE", COI_E_DATA, "the value is too large for the server",
     NULL},
    {"METADATA", "TOOMANY", COI_E_UNAVAILABLE,
     "the server keeps no more entries for this account",
     "remove entries that are not needed any more"},
    {"METADATA", "NOPRIVATE", COI_E_UNAVAILABLE,
     "the server keeps no private entries", NULL},
    {"CANNOT", NULL, COI_E_UNAVAILABLE,
     "the server does not take this value, or lets nobody change it", NULL},
    {"LIMIT", NULL, COI_E_UNAVAILABLE, "a limit of the server is reached",
     "remove what is not needed any more"},
    {"UNAVAILABLE", NULL, COI_E_TEMP, "the server cannot do it now", NULL},
    {"NOPERM", NULL, COI_E_AUTH, "this user may not change it",
     "ask who runs the server"},
    {"SERVERBUG", NULL, COI_E_UNAVAILABLE, "the server failed inside",
     "tell who runs the server"},
};
#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* "[METADATA MAXSIZE 1024] words": the first three words. */
static void words(struct str said, struct str w[3])
{
	struct str rest = STR(""), code;
	size_t i;

	if (str_starts(said, "[")) {
		said = str_sub(said, 1, said.n);
		code = str_split(&said, ']');
		rest = code;
	}
	for (i = 0; i < 3; i++)
		w[i] = str_split(&rest, ' ');
}

static int refused(struct imap *im, uint32_t tag, struct coi_err *e)
{
	const struct imap_pending *p = &im->pend[tag - im->base];
	struct str w[3], said = str_of(p->said == NULL ? "" : p->said);
	uint64_t max;
	size_t i;

	words(said, w);
	for (i = 0; i < REFUSALS; i++)
		if (str_iis(w[0], refusals[i].code) &&
		    (refusals[i].what == NULL ||
		     str_iis(w[1], refusals[i].what)))
			break;
	if (i == REFUSALS || p->res != RES_NO)
		return imap_refused(im, tag, e);
	if (refusals[i].is == COI_E_DATA && str_u64(w[2], UINT64_MAX, &max))
		err_set(e, refusals[i].is, "%s, which takes %llu octets",
			refusals[i].msg, (unsigned long long)max);
	else
		err_set(e, refusals[i].is, "%s", refusals[i].msg);
	err_reply(e, said.p, said.n);
	if (refusals[i].hint != NULL)
		err_hint(e, "%s", refusals[i].hint);
	return -1;
}

static int done(struct imap *im, uint32_t tag, struct coi_err *e)
{
	enum imap_result res;

	if (imap_await(im, tag, &res, e) < 0)
		return -1;
	return res == RES_OK ? 0 : refused(im, tag, e);
}

/* --- commands ---------------------------------------------------------------
 */

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

/* Options stand in front: behind the mailbox, as in the examples of RFC 5464,
 * they are names of entries to real servers. */
static int get_send(struct imap *im, const char *options, struct str mailbox,
		    const char *entry, uint32_t *tag, struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	buf_fmt(&b, "GETMETADATA %s", options);
	rc = mailbox_and_entry(im, &b, mailbox, entry, e);
	buf_c(&b, ')');
	if (rc == 0)
		rc = imap_send(im, "GETMETADATA", buf_view(&b), tag, e);
	buf_free(&b);
	return rc;
}

int metadata_send(struct imap *im, struct str mailbox, const char *entry,
		  uint32_t *tag, struct coi_err *e)
{
	return get_send(im, "", mailbox, entry, tag, e);
}

int imap_getmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct buf *out, bool *given, struct coi_err *e)
{
	bool dummy;
	uint32_t tag;
	int rc = imap_begin(im, "metadata", e);

	if (rc == 0)
		rc = need(im, mailbox, e);
	im->want.meta_mailbox = mailbox;
	im->want.meta_entry = entry;
	im->want.meta = out;
	im->want.meta_given = given != NULL ? given : &dummy;
	*im->want.meta_given = false;
	if (rc == 0)
		rc = metadata_send(im, mailbox, entry, &tag, e);
	if (rc == 0)
		rc = done(im, tag, e);
	return imap_end(im, rc, e);
}

int imap_metadata_tree(struct imap *im, struct arena *a, struct str mailbox,
		       const char *entry, struct imap_meta **v, size_t *n,
		       struct coi_err *e)
{
	uint32_t tag;
	int rc = imap_begin(im, "metadata", e);

	*v = NULL;
	*n = 0;
	if (rc == 0)
		rc = need(im, mailbox, e);
	im->want.meta_mailbox = mailbox;
	im->want.meta_entry = entry;
	im->want.meta_arena = a;
	if (rc == 0)
		rc = get_send(im, "(DEPTH 1) ", mailbox, entry, &tag, e);
	if (rc == 0)
		rc = done(im, tag, e);
	if (rc == 0) {
		*v = im->want.metav;
		*n = im->want.nmeta;
	}
	return imap_end(im, rc, e);
}

int imap_setmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct str value, struct coi_err *e)
{
	struct buf b = {0};
	uint32_t tag;
	int rc = imap_begin(im, "metadata", e);

	if (rc == 0)
		rc = need(im, mailbox, e);
	buf_z(&b, "SETMETADATA ");
	if (rc == 0)
		rc = mailbox_and_entry(im, &b, mailbox, entry, e);
	buf_c(&b, ' ');
	if (value.p == NULL)
		buf_z(&b, "NIL");
	else
		imap_quote(&b, value);
	buf_c(&b, ')');
	if (rc == 0)
		rc = imap_send(im, "SETMETADATA", buf_view(&b), &tag, e);
	if (rc == 0)
		rc = done(im, tag, e);
	buf_free(&b);
	return imap_end(im, rc, e);
}
