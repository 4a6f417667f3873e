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

/* The \Sent mailbox of the server (special-use, else a usual name), or
 * absent.  `configured`: "auto", or the name to take. */
int folders_sent(struct imap *im, struct store *st, struct arena *a,
		 const char *configured, struct str *sent, struct coi_err *e);

#endif
