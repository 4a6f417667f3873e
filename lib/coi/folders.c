#include "coi/folders.h"

#include "core/sys.h"

static bool same_chats(struct str have, struct str root, char delim)
{
	static const struct str leaf = {"Chats", 5};
	struct str left;

	if (delim == 0 || have.n != root.n + 1 + leaf.n)
		return false;
	left = str_sub(have, 0, root.n);
	return str_ieq(left, root) && have.p[root.n] == delim &&
	       str_ieq(str_sub(have, root.n + 1, leaf.n), leaf);
}

int folders_root(struct imap *im, struct arena *a, struct str *root,
		 struct coi_err *e)
{
	struct imap_namespace ns = {0};
	struct buf meta = {0};
	bool given = false;

	if (imap_has(im, "COI") && imap_getmetadata(im, STR(""), COI_ENTRY_ROOT,
						    &meta, &given, e) < 0) {
		buf_free(&meta);
		return -1;
	}
	if (given && meta.n > 0) {
		*root = arena_str(a, buf_view(&meta));
	} else {
		if (imap_has(im, "NAMESPACE") &&
		    imap_namespace(im, a, &ns, e) < 0)
			return -1;
		*root = arena_fmt(a, "%.*sCOI", STR_ARG(ns.prefix));
	}
	buf_free(&meta);
	return 0;
}

#define LOOK_AGAIN 86400 /* seconds: a folder under an unusual name */

/* Asks for all mailboxes and remembers the outcome: the chats folder, or the
 * name it would have. */
static int look(struct imap *im, struct store *st, struct arena *a,
		struct folders *f, struct coi_err *e)
{
	struct imap_list l;
	struct str root, guess = STR("");
	char delim = '\0';
	size_t i;

	if (folders_root(im, a, &root, e) < 0 ||
	    imap_list(im, a, NULL, 0, false, &l, e) < 0)
		return -1;
	f->chats = STR_NONE;
	for (i = 0; i < l.n; i++) {
		if (l.v[i].delim != 0)
			delim = l.v[i].delim;
		if (!(l.v[i].attrs & (IMAP_NOSELECT | IMAP_NONEXISTENT)) &&
		    same_chats(l.v[i].name, root, l.v[i].delim))
			f->chats = l.v[i].name;
	}
	if (st == NULL)
		return 0;
	/* Only INBOX is there, and it may not say. */
	if (delim == '\0' && imap_delimiter(im, &delim, e) < 0)
		return -1;
	if (delim != '\0')
		guess = arena_fmt(a, "%.*s%cChats", STR_ARG(root), delim);
	if (store_set(st, "root", root, e) < 0 ||
	    store_set(st, "chats-guess", guess, e) < 0 ||
	    store_set(st, "looked", arena_fmt(a, "%lld", (long long)sys_now()),
		      e) < 0)
		return -1;
	return store_set(st, "chats", f->chats.p == NULL ? STR("") : f->chats,
			 e);
}

/* What the last run knew. */
struct known {
	struct str root, guess;
	bool stale;
};

static int recall(struct store *st, struct arena *a, struct folders *f,
		  struct known *k, struct coi_err *e)
{
	struct str looked;
	uint64_t t = 0;

	if (st == NULL)
		return 0;
	if (store_get(st, a, "chats", &f->chats, e) < 0 ||
	    store_get(st, a, "chats-guess", &k->guess, e) < 0 ||
	    store_get(st, a, "root", &k->root, e) < 0 ||
	    store_get(st, a, "looked", &looked, e) < 0)
		return -1;
	k->stale = !str_u64(looked, INT64_MAX, &t) ||
		   sys_now() - (int64_t)t > LOOK_AGAIN;
	return 0;
}

/* INBOX is opened, or asked for its STATUS. */
static int find(struct imap *im, struct store *st, struct arena *a,
		const struct imap_opening *open, struct folders *f,
		struct coi_err *e)
{
	struct imap_status s[2] = {{0}, {0}};
	struct known k = {.stale = true};
	struct buf meta = {0};
	struct str names[2];
	const char *entry = imap_has(im, "COI") ? COI_ENTRY_ROOT : NULL;
	bool given = false, again;
	size_t n;
	int rc;

	*f = (struct folders){.inbox = STR("INBOX")};
	if (recall(st, a, f, &k, e) < 0)
		return -1;
	names[0] = f->inbox;
	names[1] = f->chats.n > 0 ? f->chats : k.guess;
	n = names[1].n > 0 ? 2 : 1;
	if (open == NULL)
		rc = imap_poll(im, names, n, s, entry, &meta, &given, e);
	else
		rc = imap_poll_open(im, open, names + 1, n - 1, s + 1, entry,
				    &meta, &given, e);
	if (rc == 0 && f->chats.n == 0 && s[1].have) {
		f->chats = names[1]; /* made since */
		rc = store_set(st, "chats", f->chats, e);
	}
	again = f->chats.n > 0 ? !s[1].have : k.stale;
	if (given && !str_eq(buf_view(&meta), k.root))
		again = true;
	if (rc == 0 && again) {
		rc = look(im, st, a, f, e);
		s[1].have = false;
		if (rc == 0 && f->chats.n > 0)
			rc = imap_status(im, &f->chats, 1, &s[1], e);
	}
	buf_free(&meta);
	f->inbox_status = s[0];
	f->chats_status = s[1];
	return rc;
}

int folders_find(struct imap *im, struct store *st, struct arena *a,
		 struct folders *f, struct coi_err *e)
{
	return find(im, st, a, NULL, f, e);
}

int folders_open(struct imap *im, struct store *st, struct arena *a,
		 bool read_only, struct imap_selected *inbox, struct folders *f,
		 struct coi_err *e)
{
	struct imap_opening o = {STR("INBOX"), read_only, inbox};

	if (find(im, st, a, &o, f, e) < 0)
		return -1;
	f->inbox_status = (struct imap_status){
	    .have = true,
	    .uid_validity = inbox->uid_validity,
	    .uid_next = inbox->uid_next,
	    .messages = inbox->exists,
	    .highest_modseq = inbox->highest_modseq};
	return 0;
}

int folders_sent(struct imap *im, struct store *st, struct arena *a,
		 const char *configured, struct str *sent, struct coi_err *e)
{
	static const char *const usual[] = {
	    "Sent",	"Sent Items",	  "Sent Mail", "Sent Messages",
	    "Gesendet", "Envoy\xc3\xa9s", "Enviados"};
	struct imap_list l;
	size_t i, k;

	*sent = STR_NONE;
	if (strcmp(configured, "auto") != 0) {
		*sent = str_of(configured);
		return 0;
	}
	if (st != NULL && store_get(st, a, "sent", sent, e) < 0)
		return -1;
	if (sent->n > 0)
		return 0;
	if (imap_list(im, a, NULL, 0, false, &l, e) < 0)
		return -1;
	for (i = 0; i < l.n; i++)
		if (l.v[i].attrs & IMAP_SENT)
			*sent = l.v[i].name;
	for (k = 0; sent->n == 0 && k < sizeof(usual) / sizeof(usual[0]); k++)
		for (i = 0; i < l.n; i++) {
			struct str n = l.v[i].name;
			size_t u = strlen(usual[k]);

			/* With or without a namespace prefix. */
			if (n.n > u && n.p[n.n - u - 1] == l.v[i].delim)
				n = str_sub(n, n.n - u, u);
			if (str_iis(n, usual[k]))
				*sent = l.v[i].name;
		}
	if (sent->n > 0 && st != NULL)
		return store_set(st, "sent", *sent, e);
	return 0;
}

int folders_sent_forget(struct store *st, struct coi_err *e)
{
	return store_set(st, "sent", STR(""), e);
}
