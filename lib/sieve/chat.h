/*
 * A Sieve script (RFC 5228) that finds chat messages on any server: what the
 * message filters `none` and `active` of COI do.
 */
#ifndef SIEVE_CHAT_H
#define SIEVE_CHAT_H

#include <stdbool.h>

#include "core/mem.h"

#define SIEVE_CHAT "coi-chat"	   /* the script's name on a server */
#define SIEVE_MAIN "coi-chat-main" /* includes it and the user's own */

struct sieve_chat {
	bool active;	   /* moves to the folder; else only marks */
	struct str folder; /* UTF-8, as the server names it */
	bool create;	   /* :create, the extension mailbox (RFC 5490) */
};

/* Appends it, lines end in LF.  The folder's name must hold no control. */
void sieve_chat_write(const struct sieve_chat *c, struct buf *out);
/* Appends a script that includes SIEVE_CHAT, then the user's. */
void sieve_main_write(struct str users, struct buf *out);

/* True for what sieve_chat_write() once wrote, in this version or another. */
bool sieve_chat_ours(struct str script);
bool sieve_main_ours(struct str script); /* as above; edited or not */
/* Ours, of this version, and no longer what was written. */
bool sieve_chat_edited(struct str script);
/* The user's script that this one of sieve_main_write() includes; false: it is
 * none, or was edited. */
bool sieve_main_users(struct str script, struct arena *a, struct str *users);

/* Whether the script includes the personal script `name` (RFC 6609), in
 * whatever place; comments and texts are not looked at. */
bool sieve_includes(struct str script, const char *name);
/* The same script but for line ends and blanks at its end. */
bool sieve_same(struct str a, struct str b);
/* Appends with CRLF for every line end, as scripts go over the wire. */
void sieve_crlf(struct str script, struct buf *out);

#endif
