/*
 * COI on the server: what its METADATA entries say, and changing them (server
 * specification, "Configuration").
 */
#ifndef COI_SERVER_H
#define COI_SERVER_H

#include "coi/account.h"
#include "coi/folders.h"

struct server_coi {
	bool offered; /* COI among the capabilities, asked after the login */
	bool webpush; /* WEBPUSH */
	bool enabled; /* the value is exactly "yes" */
	struct str enabled_value, filter; /* as stored; absent: not set */
	bool root_told;			  /* mailbox-root is there */
	struct str *others;		  /* keys that are not known */
	size_t nothers;
	struct folders_place place;
	bool changed; /* by the call that filled this */
};

/*
 * Settings and folders; on a server without COI the folders only (offered ==
 * false).  Strings in the arena.
 */
int server_read(struct imap *im, struct arena *a, struct server_coi *s,
		struct coi_err *e);

/*
 * Each sets one entry, reads it back over a new connection (the old session
 * may go on with the old value for an hour) and makes the folders that the
 * server left out.  What is so already is not written again; `s` tells
 * whether it was.  COI_E_UNAVAILABLE without COI.  After a failure
 * `s` is what the server has now, if s->offered.
 */
int server_enable(struct account *ac, const struct account_net *n,
		  struct arena *a, bool on, struct server_coi *s,
		  struct coi_err *e);
/* mode: "none", "active" or "seen"; never NIL, which kills a real server. */
int server_filter(struct account *ac, const struct account_net *n,
		  struct arena *a, const char *mode, struct server_coi *s,
		  struct coi_err *e);

#endif
