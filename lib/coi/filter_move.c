/* Marking and moving: nothing leaves INBOX before it is where it belongs. */
#include <stdlib.h>

#include "coi/filter_priv.h"
#include "core/sys.h"

#define AT_ONCE 200 /* messages of one MOVE */
#define TRIES 20    /* others remove what is being copied */

int filter_select(struct filter *f, struct imap *im, struct str mailbox,
		  struct coi_err *e)
{
	struct imap_selected sel;

	if (str_eq(f->selected, mailbox))
		return 0;
	f->selected = STR_NONE;
	if (imap_select(im, mailbox, false, &sel, e) < 0)
		return -1;
	if (sel.read_only) {
		err_set(e, COI_E_UNAVAILABLE, "%.*s cannot be changed",
			STR_ARG(mailbox));
		err_hint(e, "ask for the right to write there");
		return -1;
	}
	if (str_is(mailbox, "INBOX")) {
		f->keyword_ok = sel.perm_chat && !f->keyword_refused;
		if (sel.uid_validity != f->uid_validity)
			return err_set(e, COI_E_TEMP,
				       "INBOX was renumbered meanwhile");
	}
	f->selected = mailbox;
	return 0;
}

int filter_places(struct filter *f, struct imap *im, struct coi_err *e)
{
	f->have_place = false;
	arena_reset(f->places);
	f->selected = STR_NONE;
	if (folders_place(im, f->places, STR_NONE, &f->place, e) < 0 ||
	    folders_sent(im, f->o.store, f->places, f->o.account->sent_folder,
			 &f->sent, e) < 0)
		return -1;
	/* From INBOX into INBOX a message would go round for ever. */
	if (str_is(f->sent, "none") || str_iis(f->sent, "INBOX"))
		f->sent = STR_NONE;
	f->have_place = true;
	return 0;
}

/* Making Chats is a switch where a server speaks COI. */
static int make(struct filter *f, struct imap *im, enum folder_role role,
		struct coi_err *e)
{
	if (role == FOLDER_CHATS && imap_has(im, "COI")) {
		err_set(e, COI_E_CONFIG,
			"this server can filter by itself, and has no folder "
			"for chats yet");
		err_hint(e, "\"coi-config enable\" makes it do so");
		return -1;
	}
	return folders_make(im, f->places, &f->place, role, e);
}

static struct folder *folder_of(struct filter *f, enum filter_to to)
{
	return &f->place.v[to == TO_CHATS ? 0 : 2];
}

/* The name of the mailbox, made if missing; absent: there is none. */
static int target(struct filter *f, struct imap *im, enum filter_to to,
		  struct str *name, struct coi_err *e)
{
	struct str selected = f->selected;
	struct folder *x = folder_of(f, to);

	if (!f->have_place) {
		if (filter_places(f, im, e) < 0)
			return -1;
		f->selected = selected; /* INBOX still */
	}
	*name = f->sent;
	if (to == TO_SENT)
		return 0;
	if (!x->exists && make(f, im, x->role, e) < 0)
		return -1;
	*name = x->name;
	return 0;
}

/* --- moving ------------------------------------------------------------------
 */

/* Those of the set that are in the mailbox still. */
static int left(struct imap *im, struct imap_set *set, struct coi_err *e)
{
	struct imap_set have = {0}, both = {0};
	struct buf b = {0};
	size_t i;
	int rc;

	buf_z(&b, "UID ");
	for (i = 0; i < set->n; i++)
		buf_fmt(&b, "%s%u:%u", i > 0 ? "," : "", set->v[i].lo,
			set->v[i].hi);
	rc = imap_search(im, buf_view(&b), &have, e);
	if (rc == 0) {
		imap_set_both(set, &have, &both);
		imap_set_free(set);
		*set = both;
	}
	imap_set_free(&have);
	buf_free(&b);
	return rc;
}

static int move_set(struct filter *f, struct imap *im, enum filter_to to,
		    struct str *name, struct imap_set *set, struct coi_err *e)
{
	struct coi_err le = {0};
	bool made = false;
	int tries;

	for (tries = 0; set->n > 0; tries++) {
		err_clear(&le);
		if (imap_move(im, set, *name, &le) == 0) {
			sys_point("filter.moved");
			return 0;
		}
		if (str_starts(str_of(le.reply), "[EXPUNGEISSUED") &&
		    tries < TRIES) {
			/* Somebody else is at it. */
			if (left(im, set, e) < 0)
				return -1;
		} else if (le.code == COI_E_NOINPUT && to != TO_SENT && !made) {
			made = true;
			f->have_place = false;
			if (target(f, im, to, name, e) < 0)
				return -1;
		} else {
			if (e->code == COI_OK)
				*e = le;
			return -1;
		}
	}
	return 0;
}

static void set_of(struct item *const *v, size_t n, struct imap_set *set)
{
	size_t i;

	for (i = 0; i < n; i++)
		imap_set_add(set, v[i]->uid, v[i]->uid);
}

static void tell(struct filter *f, const struct item *x, struct str to)
{
	struct filter_moved m = {.from = STR("INBOX"),
				 .uid_validity = f->uid_validity,
				 .uid = x->uid,
				 .id = x->id,
				 .to = to};

	f->moved++;
	if (f->o.moved != NULL)
		f->o.moved(f->o.ctx, &m);
}

/*
 * An own message of which the mailbox has another copy (the one that the
 * sending program put there) stays in INBOX.  The very same octets are what a
 * killed run left behind: that one goes on.
 */
static int kept(struct filter *f, struct imap *im, struct item *x,
		struct str to, bool *stays, struct coi_err *e)
{
	struct imap_set found = {0}, one = {0};
	struct copy *there = NULL, *here = NULL;
	size_t nthere = 0, nhere = 0, i;
	int rc;

	*stays = false;
	if (filter_select(f, im, to, e) < 0)
		return -1;
	rc = copies_find(im, &x, 1, &found, e);
	if (rc < 0 || found.n == 0)
		goto out;
	*stays = true;
	imap_set_add(&one, x->uid, x->uid);
	rc = copies_sums(im, &found, &there, &nthere, e);
	if (rc == 0)
		rc = filter_select(f, im, STR("INBOX"), e);
	if (rc == 0)
		rc = copies_sums(im, &one, &here, &nhere, e);
	for (i = 0; rc == 0 && nhere > 0 && i < nthere; i++)
		if (memcmp(there[i].sum, here[0].sum, sizeof(here[0].sum)) == 0)
			*stays = false;
out:
	free(there);
	free(here);
	imap_set_free(&found);
	imap_set_free(&one);
	return rc;
}

static void warn_no_sent(struct filter *f, struct str name)
{
	struct buf b = {0};

	if (f->o.warn == NULL)
		return;
	buf_z(&b, "there is no mailbox \"");
	buf_clean(&b, str_sub(name, 0, 200));
	buf_z(&b, "\": own mail stays in INBOX; see sent-folder in "
		  "coi-config(5)");
	f->o.warn(f->o.ctx, buf_cstr(&b));
	buf_free(&b);
}

/*
 * Selects the target, looked for anew if it went away since it was found.
 * Without a Sent mailbox own mail stays: *name is absent then.
 */
static int reach(struct filter *f, struct imap *im, enum filter_to to,
		 struct str *name, struct coi_err *e)
{
	struct coi_err le = {0};
	int tries;

	for (tries = 0; name->p != NULL; tries++) {
		err_clear(&le);
		if (filter_select(f, im, *name, &le) == 0)
			return 0;
		if (le.code != COI_E_NOINPUT || (tries > 0 && to != TO_SENT)) {
			*e = le;
			return -1;
		}
		if (tries > 0) {
			warn_no_sent(f, *name);
			*name = STR_NONE;
			return 0;
		}
		if (to == TO_SENT && folders_sent_forget(f->o.store, e) < 0)
			return -1;
		f->have_place = false;
		if (target(f, im, to, name, e) < 0)
			return -1;
	}
	return 0;
}

static bool is_own(const struct item *x)
{
	return x->facts.from_me && x->facts.to_others;
}

/* Refused, and neither for the moment nor for whatever we ask. */
static bool is_refusal(const struct coi_err *e)
{
	return e->reply[0] != '\0' && e->code == COI_E_UNAVAILABLE;
}

static void warn_refused(struct filter *f, size_t n, struct str to,
			 const struct coi_err *why)
{
	struct buf b = {0};

	if (f->o.warn == NULL)
		return;
	buf_fmt(&b, "%zu %s INBOX, the server does not move %s to ", n,
		n == 1 ? "message stays in" : "messages stay in",
		n == 1 ? "it" : "them");
	buf_clean(&b, to);
	buf_fmt(&b, ": %s", why->reply);
	f->o.warn(f->o.ctx, buf_cstr(&b));
	buf_free(&b);
}

/*
 * A NO to all of them may be for one: each by itself then.  One that is
 * refused while others are moved stays in INBOX; it would hold them up for
 * ever.  `set`: those that were moved.
 */
static int move_each(struct filter *f, struct imap *im, enum filter_to to,
		     struct str *name, struct item *const *v, size_t n,
		     struct imap_set *set, struct coi_err *e)
{
	struct imap_set one = {0};
	struct coi_err why = *e, le;
	size_t i, refused = 0;
	int rc = 0;

	err_clear(e);
	imap_set_free(set);
	for (i = 0; rc == 0 && i < n && (set->n > 0 || refused < TRIES); i++) {
		err_clear(&le);
		set_of(v + i, 1, &one);
		if (move_set(f, im, to, name, &one, &le) == 0) {
			if (one.n > 0)
				set_of(v + i, 1, set);
		} else if (is_refusal(&le)) {
			refused++;
			why = le;
		} else {
			*e = le;
			rc = -1;
		}
		imap_set_free(&one);
	}
	if (rc == 0 && refused > 0 && set->n > 0) {
		warn_refused(f, refused, *name, &why);
	} else if (rc == 0 && refused > 0) {
		*e = why;
		rc = -1;
	}
	return rc;
}

static int move_to(struct filter *f, struct imap *im, enum filter_to to,
		   struct item **v, size_t n, struct coi_err *e)
{
	struct imap_set set = {0};
	struct str name;
	size_t i, k = 0;
	bool stays, own = false;
	int rc = 0;

	if (n == 0)
		return 0;
	for (i = 0; i < n; i++)
		own |= is_own(v[i]);
	if (target(f, im, to, &name, e) < 0 ||
	    (own && reach(f, im, to, &name, e) < 0))
		return -1;
	if (name.p == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		stays = false;
		if (is_own(v[i]) && kept(f, im, v[i], name, &stays, e) < 0)
			return -1;
		if (!stays)
			v[k++] = v[i];
	}
	for (i = 0; rc == 0 && i < k; i += AT_ONCE) {
		size_t some = k - i < AT_ONCE ? k - i : AT_ONCE, t;

		set_of(v + i, some, &set);
		rc = filter_select(f, im, STR("INBOX"), e);
		if (rc == 0)
			rc = move_set(f, im, to, &name, &set, e);
		if (rc < 0 && some > 1 && is_refusal(e))
			rc = move_each(f, im, to, &name, v + i, some, &set, e);
		for (t = 0; rc == 0 && t < some; t++)
			if (imap_set_has(&set, v[i + t]->uid))
				tell(f, v[i + t], name);
		if (rc == 0)
			rc = filter_select(f, im, name, e);
		if (rc == 0)
			rc = copies_thin(im, v + i, some, &set, e);
		imap_set_free(&set);
		sys_point("filter.thinned");
	}
	return rc;
}

int filter_do(struct filter *f, struct imap *im, struct items *l,
	      struct coi_err *e)
{
	static const enum filter_to order[] = {TO_BLOCKED, TO_CHATS, TO_SENT};
	struct item **v = arena_alloc(f->arena,
				      (l->n + 1) * sizeof(struct item *));
	size_t i, k, n;
	int rc = filter_mark(f, im, l, e);

	for (k = 0; rc == 0 && k < sizeof(order) / sizeof(order[0]); k++) {
		for (i = n = 0; i < l->n; i++)
			if (l->v[i].deed.to == order[k])
				v[n++] = &l->v[i];
		rc = move_to(f, im, order[k], v, n, e);
	}
	return rc;
}
