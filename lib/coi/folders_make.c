/* The folders of the standard: which are there, and making the others. */
#include "coi/folders.h"

#define NFOLDERS 3

static const struct {
	enum folder_role role;
	const char *word, *leaf;
} roles[NFOLDERS] = {{FOLDER_CHATS, "chats", "Chats"},
		     {FOLDER_CONTACTS, "contacts", "Contacts"},
		     {FOLDER_BLOCKED, "blocked", "Blocked"}};

const char *folder_word(enum folder_role r)
{
	size_t i;

	for (i = 0; i < NFOLDERS; i++)
		if (roles[i].role == r)
			return roles[i].word;
	return "";
}

static int check_root(struct str *root, char delim, struct coi_err *e)
{
	if (!utf8_valid(*root) || str_chr(*root, '\0') >= 0 ||
	    str_chr(*root, '\r') >= 0 || str_chr(*root, '\n') >= 0) {
		err_set(e, COI_E_PROTOCOL,
			"mailbox-root of the server cannot be the name of a "
			"mailbox");
		err_hint(e, "tell who runs the server");
		return -1;
	}
	while (delim != '\0' && root->n > 1 && root->p[root->n - 1] == delim)
		root->n--;
	if (root->n > 0)
		return 0;
	return err_set(e, COI_E_PROTOCOL,
		       "mailbox-root of the server is empty");
}

static bool at_or_below(struct str name, struct str root, char delim)
{
	return name.n >= root.n && memcmp(name.p, root.p, root.n) == 0 &&
	       (name.n == root.n || name.p[root.n] == delim);
}

/* That of the root, else of the namespace, else of the whole server: INBOX
 * may have none where others have one. */
static int separator(struct imap *im, struct arena *a,
		     const struct imap_list *l, struct str root, char *delim,
		     struct coi_err *e)
{
	struct imap_namespace ns = {0};
	size_t i;

	*delim = '\0';
	for (i = 0; i < l->n && *delim == '\0'; i++)
		if (at_or_below(l->v[i].name, root, l->v[i].delim))
			*delim = l->v[i].delim;
	if (*delim == '\0' && imap_has(im, "NAMESPACE")) {
		if (imap_namespace(im, a, &ns, e) < 0)
			return -1;
		*delim = ns.delim;
	}
	return *delim != '\0' ? 0 : imap_delimiter(im, delim, e);
}

/* As it is written; where no server sorts mail in, in any case. */
static void look(const struct imap_list *l, struct folder *f, bool exactly)
{
	const struct imap_mailbox *m = NULL;
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].attrs & (IMAP_NOSELECT | IMAP_NONEXISTENT))
			continue;
		if (str_eq(l->v[i].name, f->name))
			m = &l->v[i];
		else if (m == NULL && !exactly &&
			 str_ieq(l->v[i].name, f->name))
			m = &l->v[i];
	}
	f->exists = m != NULL;
	f->subscribed = m != NULL && (m->attrs & IMAP_SUBSCRIBED);
	if (m != NULL)
		f->name = m->name;
}

int folders_place(struct imap *im, struct arena *a, struct str root,
		  struct folders_place *p, struct coi_err *e)
{
	struct imap_namespace ns = {.prefix = STR("")};
	struct imap_list l;
	size_t i;

	*p = (struct folders_place){.delim = '\0'};
	if (root.p == NULL && folders_root(im, a, &root, e) < 0)
		return -1;
	if (imap_list(im, a, NULL, 0, false, &l, e) < 0 ||
	    separator(im, a, &l, root, &p->delim, e) < 0 ||
	    check_root(&root, p->delim, e) < 0)
		return -1;
	p->root = root;
	if (imap_has(im, "NAMESPACE") && imap_namespace(im, a, &ns, e) < 0)
		return -1;
	for (i = 0; i < NFOLDERS; i++) {
		struct folder *f = &p->v[i];

		f->role = roles[i].role;
		if (f->role == FOLDER_BLOCKED)
			f->name = arena_fmt(a, "%.*s%s", STR_ARG(ns.prefix),
					    roles[i].leaf);
		else if (p->delim != '\0')
			f->name = arena_fmt(a, "%.*s%c%s", STR_ARG(root),
					    p->delim, roles[i].leaf);
		if (f->name.n > 0)
			look(&l, f, imap_has(im, "COI"));
	}
	return 0;
}

/* A server may say NO and have made it, or somebody else has. */
static int make(struct imap *im, struct arena *a, struct folders_place *p,
		struct folder *f, struct coi_err *e)
{
	struct folders_place now;
	struct coi_err le = {0}, again = {0};
	size_t i = (size_t)(f - p->v);

	if (imap_create(im, f->name, &le) == 0) {
		f->exists = f->made = true;
		return 0;
	}
	if (folders_place(im, a, p->root, &now, &again) == 0 &&
	    now.v[i].exists) {
		*f = now.v[i];
		return 0;
	}
	if (le.code == COI_E_AUTH)
		err_hint(&le, "this user may not make folders there");
	else
		err_hint(&le, "make it with another mail program, if that can");
	if (e->code == COI_OK)
		*e = le;
	return -1;
}

int folders_make(struct imap *im, struct arena *a, struct folders_place *p,
		 unsigned wanted, struct coi_err *e)
{
	size_t i;

	if (p->delim == '\0') {
		err_set(e, COI_E_UNAVAILABLE,
			"the server has no folders inside folders");
		err_hint(e, "chats stay in INBOX there");
		return -1;
	}
	for (i = 0; i < NFOLDERS; i++) {
		struct folder *f = &p->v[i];

		if (!(wanted & f->role))
			continue;
		if (!f->exists && make(im, a, p, f, e) < 0)
			return -1;
		if (f->role != FOLDER_CHATS || f->subscribed)
			continue;
		if (imap_subscribe(im, f->name, e) < 0)
			return -1;
		f->subscribed = f->now_subscribed = true;
	}
	return 0;
}
