/* Where chats lie: INBOX and the chats folder of this server. */
#ifndef COI_FOLDERS_H
#define COI_FOLDERS_H

#include "core/err.h"
#include "imap/imap.h"
#include "store/store.h"

/* The metadata entry that names the root of COI's folders. */
#define COI_ENTRY "/private/vendor/vendor.dovecot/coi/config/"
#define COI_ENTRY_ROOT COI_ENTRY "mailbox-root"

struct folders {
	struct str inbox; /* "INBOX" */
	struct str chats; /* absent: there is none on this server */
	struct imap_status inbox_status, chats_status;
};

/*
 * Finds both and asks their STATUS: one round trip when the state database
 * knows the chats folder from last time (store may be NULL).  Strings in the
 * arena.
 */
int folders_find(struct imap *im, struct store *st, struct arena *a,
		 struct folders *f, struct coi_err *e);
/*
 * The same, with INBOX selected instead of asked for its STATUS: where
 * something is new that saves a round trip, and the server looks through the
 * mailbox once, not twice.
 */
int folders_open(struct imap *im, struct store *st, struct arena *a,
		 bool read_only, struct imap_selected *inbox, struct folders *f,
		 struct coi_err *e);

/*
 * The root of COI's folders: mailbox-root where the server speaks COI, else
 * "COI" in the personal namespace.
 */
int folders_root(struct imap *im, struct arena *a, struct str *root,
		 struct coi_err *e);

/* --- the folders of the standard, there or not -----------------------------
 */

enum folder_role { FOLDER_CHATS = 1, FOLDER_CONTACTS = 2, FOLDER_BLOCKED = 4 };

struct folder {
	enum folder_role role;
	struct str name;
	bool exists, subscribed;
	bool made, now_subscribed; /* by folders_make() */
};

struct folders_place {
	struct str root;
	char delim;	    /* what LIST says; 0: no folders inside folders */
	struct folder v[3]; /* Chats, Contacts, Blocked; no names when flat */
};

/* "chats", "contacts", "blocked" */
const char *folder_word(enum folder_role r);

/*
 * What there is.  root: as mailbox-root says (UTF-8), absent: folders_root().
 * A root that cannot be the name of a mailbox: COI_E_PROTOCOL.
 */
int folders_place(struct imap *im, struct arena *a, struct str root,
		  struct folders_place *p, struct coi_err *e);
/*
 * Makes those of `roles` that are missing and subscribes to Chats; nothing is
 * ever renamed or deleted.  Not to be called for Chats where a server speaks
 * COI and it is disabled: making the folder would enable it.  A flat server:
 * COI_E_UNAVAILABLE, also when `roles` is 0.
 */
int folders_make(struct imap *im, struct arena *a, struct folders_place *p,
		 unsigned roles, struct coi_err *e);

/* The \Sent mailbox of the server (special-use, else a usual name), or
 * absent.  `configured`: "auto", or the name to take. */
int folders_sent(struct imap *im, struct store *st, struct arena *a,
		 const char *configured, struct str *sent, struct coi_err *e);
/* It is not there any more: the next one is looked for anew. */
int folders_sent_forget(struct store *st, struct coi_err *e);

#endif
