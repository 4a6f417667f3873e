/*
 * IMAP4rev1 client engine (RFC 3501 and the extensions named below): one
 * connection, commands pipelined by a tag table, literals streamed.
 */
#ifndef IMAP_IMAP_H
#define IMAP_IMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"
#include "net/conn.h"
#include "net/sasl.h"

struct imap;

struct imap_opts {
	struct net_opts net;
	struct sasl_creds creds;
	bool compress; /* COMPRESS=DEFLATE where offered */
};

/*
 * Connects, reads the greeting (PREAUTH refused where TLS is required), does
 * STARTTLS, logs in (one flight with SASL-IR) and asks CAPABILITY again
 * (or takes it from the OK).  COI_E_AUTH: login refused, reply kept.
 */
struct imap *imap_open(const struct imap_opts *o, struct coi_err *e);
/* LOGOUT and close; does not wait longer than a second. NULL is legal. */
void imap_close(struct imap *im);
bool imap_has(const struct imap *im, const char *capability);
struct str imap_capabilities(const struct imap *im); /* blank-separated */
struct net_conn *imap_conn(struct imap *im);
/* How the login was done: "SCRAM-SHA-256", "LOGIN"; "" for PREAUTH. */
const char *imap_mechanism(const struct imap *im);
/* Identifies us (RFC 2971) without waiting for the answer; if offered. */
int imap_id(struct imap *im, const char *name, const char *version,
	    struct coi_err *e);

/* --- mailboxes ----------------------------------------------------------- */

enum imap_attr {
	IMAP_NOSELECT = 1,
	IMAP_NONEXISTENT = 2,
	IMAP_SUBSCRIBED = 4,
	IMAP_SENT = 8,
	IMAP_DRAFTS = 16,
	IMAP_JUNK = 32,
	IMAP_TRASH = 64,
	IMAP_ARCHIVE = 128,
	IMAP_ALL = 256,
	IMAP_FLAGGED = 512
};

struct imap_status {
	bool have;
	uint32_t uid_validity, uid_next, messages, unseen;
	uint64_t highest_modseq; /* 0: none */
};

struct imap_mailbox {
	struct str name; /* UTF-8; give this to the other calls */
	char delim;	 /* 0: flat */
	unsigned attrs;
	struct imap_status status;
};

struct imap_list {
	struct imap_mailbox *v;
	size_t n;
};

/*
 * All mailboxes (personal namespace and INBOX), special-use marks and, when
 * with_status, the STATUS of those whose name is in `status_of` (NULL: of all
 * selectable ones) in the same flight (LIST-STATUS, or pipelined STATUS).
 */
int imap_list(struct imap *im, struct arena *a, const struct str *status_of,
	      size_t nstatus, bool with_status, struct imap_list *out,
	      struct coi_err *e);
/* Pipelined STATUS of these; one that does not exist has have == false. */
int imap_status(struct imap *im, const struct str *names, size_t n,
		struct imap_status *out, struct coi_err *e);
/* STATUS of names[] and GETMETADATA of one server entry in ONE flight:
 * what a run with nothing new costs.  meta may be NULL. */
int imap_poll(struct imap *im, const struct str *names, size_t n,
	      struct imap_status *out, const char *entry, struct buf *meta,
	      bool *meta_given, struct coi_err *e);

struct imap_namespace {
	struct str prefix; /* personal, "" or "INBOX." */
	char delim;
};
int imap_namespace(struct imap *im, struct arena *a, struct imap_namespace *out,
		   struct coi_err *e);
/* What stands between the names of mailboxes (LIST "" ""); 0: flat. */
int imap_delimiter(struct imap *im, char *delim, struct coi_err *e);
int imap_create(struct imap *im, struct str mailbox, struct coi_err *e);
int imap_subscribe(struct imap *im, struct str mailbox, struct coi_err *e);

struct imap_selected {
	uint32_t uid_validity, uid_next, exists;
	uint64_t highest_modseq;
	bool read_only, perm_any_flag; /* \* in PERMANENTFLAGS */
	bool perm_chat;		       /* $Chat can be kept there */
};
/* SELECT or EXAMINE (read_only); with CONDSTORE where offered. No such
 * mailbox: COI_E_NOINPUT. */
int imap_select(struct imap *im, struct str mailbox, bool read_only,
		struct imap_selected *out, struct coi_err *e);
/* imap_poll(), and in the same flight a mailbox is selected. */
struct imap_opening {
	struct str mailbox;
	bool read_only;
	struct imap_selected *out;
};
int imap_poll_open(struct imap *im, const struct imap_opening *o,
		   const struct str *names, size_t n, struct imap_status *out,
		   const char *entry, struct buf *meta, bool *meta_given,
		   struct coi_err *e);
/* With QRESYNC (enabled on first use): vanished() per UID range. */
int imap_select_qresync(struct imap *im, struct str mailbox, bool read_only,
			uint32_t uid_validity, uint64_t modseq,
			void (*vanished)(void *ctx, uint32_t lo, uint32_t hi),
			void *ctx, struct imap_selected *out,
			struct coi_err *e);

/* From here on what leaves is told by UID, and flags with theirs (QRESYNC
 * where offered); nothing is waited for. */
int imap_enable_uids(struct imap *im, struct coi_err *e);

/* --- messages ------------------------------------------------------------ */

/* UIDs as inclusive ranges, ascending. */
struct imap_set {
	struct imap_range {
		uint32_t lo, hi;
	} * v;
	size_t n, cap;
};
void imap_set_add(struct imap_set *s, uint32_t lo, uint32_t hi);
bool imap_set_has(const struct imap_set *s, uint32_t uid);
uint64_t imap_set_count(const struct imap_set *s);
/* Adds to *out what is in both; what is in a and not in b. */
void imap_set_both(const struct imap_set *a, const struct imap_set *b,
		   struct imap_set *out);
void imap_set_less(const struct imap_set *a, const struct imap_set *b,
		   struct imap_set *out);
void imap_set_free(struct imap_set *s);
bool imap_set_parse(struct str text, struct imap_set *s); /* "1:3,7", no "*" */

/*
 * UID SEARCH with these criteria (ESEARCH where offered).  Criteria are
 * written by the caller in IMAP syntax; use imap_quote() for strings.  An 8-bit
 * string makes it CHARSET UTF-8.
 */
int imap_search(struct imap *im, struct str criteria, struct imap_set *out,
		struct coi_err *e);
/* Appends s as quoted string (or a non-sync literal when it must be one). */
void imap_quote(struct buf *b, struct str s);

struct imap_msg {
	uint32_t uid;	 /* 0: not seen (yet) */
	uint64_t modseq; /* 0: not seen */
	bool have_flags, have_date, have_size;
	struct str *flags; /* valid until the message's end() returns */
	size_t nflags;
	int64_t internal_date; /* seconds since 1970 */
	uint32_t size;
	struct str bodystructure; /* raw, balanced text; or STR_NONE */
};

struct imap_fetch_events {
	/* A BODY[section] begins: `section` as the server named it ("",
	 * "HEADER", "1.2", ...), its octets, what is known so far. */
	int (*body_begin)(void *ctx, const struct imap_msg *m,
			  struct str section, uint64_t octets,
			  struct coi_err *e);
	int (*body)(void *ctx, struct str chunk, struct coi_err *e);
	int (*body_end)(void *ctx, struct coi_err *e);
	/* The FETCH response is complete.  Called also for UIDs not asked for:
	 * the caller knows its set.  One that holds no more than flags where
	 * more was asked for goes to imap_listen() instead. */
	int (*end)(void *ctx, const struct imap_msg *m, struct coi_err *e);
	/* Everything that has arrived was handled and the engine is about to
	 * wait: a good moment to flush output.  May be NULL. */
	int (*idle)(void *ctx, struct coi_err *e);
};

/*
 * UID FETCH set (items), streaming.  NIL bodies: begin with 0 octets, end.
 * `items` in IMAP syntax without parentheses ("UID FLAGS BODY.PEEK[]").
 * A negative return of an event ends it with that error; the connection is
 * then unusable but for imap_close().
 */
int imap_fetch(struct imap *im, const struct imap_set *set, struct str items,
	       const struct imap_fetch_events *ev, void *ctx,
	       struct coi_err *e);

int imap_store(struct imap *im, const struct imap_set *set, struct str op,
	       struct str flags, struct coi_err *e); /* "+FLAGS.SILENT" */
/* MOVE, else COPY + \Deleted + UID EXPUNGE.  With neither MOVE nor UIDPLUS the
 * originals stay, marked \Deleted: EXPUNGE would take others' mail along. */
int imap_move(struct imap *im, const struct imap_set *set, struct str to,
	      struct coi_err *e);
int imap_copy(struct imap *im, const struct imap_set *set, struct str to,
	      struct coi_err *e);
int imap_expunge(struct imap *im, const struct imap_set *set,
		 struct coi_err *e); /* UID EXPUNGE; UIDPLUS needed: 69 */

/*
 * APPEND of `size` octets that read() delivers (returns octets, 0 at the end,
 * -1 with error set).  LITERAL+/- where it fits, else waits for "+".  *uid and
 * *uid_validity from APPENDUID, 0 without UIDPLUS.  No such mailbox:
 * COI_E_NOINPUT ([TRYCREATE]).
 */
int imap_append(struct imap *im, struct str mailbox, struct str flags,
		int64_t internal_date, uint64_t size,
		ssize_t (*read)(void *ctx, char *p, size_t n,
				struct coi_err *e),
		void *ctx, uint32_t *uid_validity, uint32_t *uid,
		struct coi_err *e);

/* --- waiting for news (RFC 2177, RFC 5465) ---------------------------------
 */

/*
 * What the server tells unasked, during any command, from imap_listen() on.
 * Any event may be NULL.  They run while a response is read: note the news,
 * and give no command in them.
 */
struct imap_news {
	/* The selected mailbox holds n messages now. */
	void (*exists)(void *ctx, uint32_t n);
	/* A message left: by sequence number, or its UIDs (QRESYNC). */
	void (*expunge)(void *ctx, uint32_t number);
	void (*vanished)(void *ctx, uint32_t lo, uint32_t hi);
	/* A FETCH that no command asked for: flags; m->uid may be 0. */
	void (*flags)(void *ctx, uint32_t number, const struct imap_msg *m);
	/* STATUS of another mailbox (NOTIFY), or what a STATUS command is
	 * answered: what was not told is 0. */
	void (*status)(void *ctx, struct str mailbox,
		       const struct imap_status *st);
	/* LIST for a mailbox made, renamed or gone (NOTIFY); no access: as
	 * gone, IMAP_NONEXISTENT. */
	void (*mailbox)(void *ctx, const struct imap_mailbox *m);
	/* [NOTIFICATIONOVERFLOW]: NOTIFY is off from here. */
	void (*overflow)(void *ctx);
	/* [UIDVALIDITY n] outside of SELECT: the selected mailbox is another
	 * one from here, or still the same. */
	void (*renumbered)(void *ctx, uint32_t uid_validity);
};
void imap_listen(struct imap *im, const struct imap_news *ev, void *ctx);

/*
 * IDLE begins: written, not waited for.  Until imap_idle_stop() only
 * imap_idle_wait() may be called.  COI_E_UNAVAILABLE: not offered.
 */
int imap_idle(struct imap *im, struct coi_err *e);
/*
 * Takes what has come and waits for more until `until` (sys_mono_ms(); -1: no
 * end): 1 at least one response was handled (all that had arrived was), 0 the
 * time is over or the task was woken, -1 the link or the server broke (BYE:
 * COI_E_TEMP with its words; an IDLE refused with NO or BAD: its error, and
 * the connection is good without IDLE).  io_ms does not count here.  IDLE that
 * the server ends on its own is begun anew; one that lasted less than a second:
 * COI_E_UNAVAILABLE.  Also good outside of IDLE, for NOTIFY.
 */
int imap_idle_wait(struct imap *im, int64_t until, struct coi_err *e);
/*
 * Puts DONE in front of the next command, in one segment with it; the end of
 * IDLE is read with the answer of that command.  A "+" that has not come yet is
 * waited for (io_ms): DONE before it is no DONE.  Without IDLE, nothing.
 */
int imap_idle_stop(struct imap *im, struct coi_err *e);
int imap_noop(struct imap *im, struct coi_err *e);
/*
 * NOTIFY SET naming the selected mailbox and `names` (others, existing):
 * MessageNew and MessageExpunge, FlagChange of the selected one if asked and
 * known.  The STATUS of each of `names` comes with the answer, so that nothing
 * falls between the last look and the first news; one without is not watched.
 * Once a connection (a second one loses mailboxes on a real server).
 * COI_E_UNAVAILABLE: not offered, refused, [BADEVENT], or the second.
 */
int imap_notify(struct imap *im, const struct str *names, size_t n, bool flags,
		struct coi_err *e);

/* --- METADATA (RFC 5464) -------------------------------------------------- */

/*
 * Value of one entry; *given false for NIL.  mailbox "" is the server.
 * COI_E_UNAVAILABLE without METADATA; for the server's own, COI or WEBPUSH
 * among the capabilities is enough.
 */
int imap_getmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct buf *out, bool *given, struct coi_err *e);
struct imap_meta {
	struct str entry; /* as the server wrote it: compare without case */
	struct str value; /* absent: NIL */
};
/* The entry and those one level below (DEPTH 1), each once; none may come at
 * all.  In the arena; more than 1 MiB of them: COI_E_PROTOCOL. */
int imap_metadata_tree(struct imap *im, struct arena *a, struct str mailbox,
		       const char *entry, struct imap_meta **v, size_t *n,
		       struct coi_err *e);
/*
 * Sets one entry; an absent value (NIL) removes it.  A refusal by the server
 * says what it means: COI_E_DATA too large, COI_E_UNAVAILABLE not taken or
 * too many, COI_E_AUTH not permitted, COI_E_TEMP later.
 */
int imap_setmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct str value, struct coi_err *e);

/* --- names --------------------------------------------------------------- */

/* Modified UTF-7 (RFC 3501 5.1.3); decoding takes broken names as they are. */
void imap_utf7_encode(struct buf *b, struct str utf8);
void imap_utf7_decode(struct buf *b, struct str wire);
/* Same mailbox: INBOX in any case, else octets. */
bool imap_same_mailbox(struct str a, struct str b);

#endif
