/* The filter for chats among the Sieve scripts of a server: put in beside what
 * the user has there, and taken out again. */
#ifndef COI_SIEVE_SETUP_H
#define COI_SIEVE_SETUP_H

#include "sieve/chat.h"
#include "sieve/sieve.h"

enum sieve_effect {
	SIEVE_ABSENT,	/* removed */
	SIEVE_ALONE,	/* our script is the active one */
	SIEVE_INCLUDED, /* our second script includes it and the user's */
	SIEVE_IN_USERS, /* the user's active script includes it */
	SIEVE_STORED	/* without effect: the user's active script does not */
};

struct sieve_setup {
	enum sieve_effect effect;
	bool changed;	   /* something was stored, activated or deleted */
	bool can_include;  /* the server offers include */
	struct str active; /* name of the active script; absent: none */
	struct str users;  /* of the user's own that runs; absent: none */
	/* A script that ran though the server named none as active, until ours
	 * was activated: it came to light under this name and is active
	 * again.  (Pigeonhole: a file put there by hand.)  Absent. */
	struct str found;
	struct str warning; /* what the server said about ours; absent */
};

/*
 * Stores the script as SIEVE_CHAT and sees to it that it runs, but only where
 * no script of the user is active, or with `include`: then SIEVE_MAIN includes
 * both and becomes the active one; the user's script is not written to.  Does
 * nothing where all is so.  COI_E_CONFIG: a script of that name is
 * there that is not ours.  COI_E_UNAVAILABLE: the server cannot.
 */
int sieve_setup_install(struct sieve *s, struct arena *a,
			const struct sieve_chat *chat, bool include,
			struct sieve_setup *out, struct coi_err *e);
/*
 * Deletes what install stored; the user's script is active again when it was
 * through SIEVE_MAIN.  COI_E_CONFIG: the user's active script includes ours.
 */
int sieve_setup_remove(struct sieve *s, struct arena *a,
		       struct sieve_setup *out, struct coi_err *e);

#endif
