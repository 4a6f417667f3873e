/*
 * Chat filtering done by the client, where the server does not do it itself
 * (client specification, "Filter COI Messages", "Blocking Contacts").
 *
 * What of INBOX is touched: only what arrived since the filter was used first
 * and what the consumer has committed.  How far that was done is kept in the
 * state database after it was done, so a kill at any point repeats steps that
 * do no harm when repeated.
 */
#ifndef COI_FILTER_H
#define COI_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "coi/account.h"
#include "imap/imap.h"
#include "store/store.h"

/*
 * NONE sets $Chat only.  ACTIVE moves chats to the chats folder, SEEN does so
 * once they are \Seen.  In every mode: own messages to others are marked as
 * read and leave INBOX (to the chats folder, else to Sent), and mail of
 * blocked senders goes to Blocked.
 */
enum filter_mode { FILTER_OFF, FILTER_NONE, FILTER_ACTIVE, FILTER_SEEN };

/* "none", "active", "seen". */
bool filter_mode_parse(struct str word, enum filter_mode *m);

struct filter_moved {
	struct str from; /* "INBOX" */
	uint32_t uid_validity, uid;
	struct str id; /* Message-ID without <>, or absent */
	struct str to;
};

struct filter_opts {
	struct store *store;
	const struct account *account;
	const char *consumer; /* its cursor says what was committed */
	enum filter_mode mode;
	/* Where a first run begins: INT64_MIN all mail, INT64_MAX what comes
	 * from now on, else what arrived since (unix).  A consumer that has a
	 * cursor already begins there instead. */
	int64_t start;
	/* A message has left INBOX.  May be NULL. */
	void (*moved)(void *ctx, const struct filter_moved *m);
	/* Something that the user should know and that stops nothing. */
	void (*warn)(void *ctx, const char *text);
	void *ctx;
};

struct filter;

/*
 * Before INBOX is read for the first time over this connection.  Options are
 * copied, what they point to is borrowed.  NULL with COI_E_UNAVAILABLE when
 * the server filters itself (COI listed and enabled): two would disturb each
 * other.
 */
struct filter *filter_new(const struct filter_opts *o, struct imap *im,
			  struct coi_err *e);
void filter_free(struct filter *f); /* NULL is legal */

/*
 * Does what is to be done with messages up to the consumer's cursor, and in
 * mode `seen` with chats that were read since.  Without any news: no round
 * trip (mode `seen`: one SEARCH while chats wait).  Selects what it needs:
 * what is selected on `im` afterwards is not said.  *moved: how many left
 * INBOX.  An error leaves the rest for the next call; COI_E_UNAVAILABLE with
 * filter_asleep(): the server filters itself by now.
 */
int filter_apply(struct filter *f, struct imap *im, uint64_t *moved,
		 struct coi_err *e);
bool filter_asleep(const struct filter *f);

/* {"event":"moved",...} and LF; account NULL: not named. */
void filter_moved_json(struct buf *out, const struct filter_moved *m,
		       const char *account);

#endif
