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
int imap_create(struct imap *im, struct str mailbox, struct coi_err *e);
int imap_subscribe(struct imap *im, struct str mailbox, struct coi_err *e);

struct imap_selected {
	uint32_t uid_validity, uid_next, exists;
	uint64_t highest_modseq;
	bool read_only, perm_any_flag; /* \* in PERMANENTFLAGS */
};
/* SELECT or EXAMINE (read_only); with CONDSTORE where offered. No such
 * mailbox: COI_E_NOINPUT. */
int imap_select(struct imap *im, struct str mailbox, bool read_only,
		struct imap_selected *out, struct coi_err *e);
/* With QRESYNC (enabled on first use): vanished() per UID range. */
int imap_select_qresync(struct imap *im, struct str mailbox, bool read_only,
			uint32_t uid_validity, uint64_t modseq,
			void (*vanished)(void *ctx, uint32_t lo, uint32_t hi),
			void *ctx, struct imap_selected *out,
			struct coi_err *e);

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
	/* The FETCH response is complete.  Called for every one, also for UIDs
	 * not asked for: the caller knows its set. */
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
int imap_move(struct imap *im, const struct imap_set *set, struct str to,
	      struct coi_err *e); /* MOVE, else COPY + \Deleted + UID EXPUNGE */
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

/* --- METADATA (RFC 5464) -------------------------------------------------- */

/* Value of one entry; *given false for NIL.  mailbox "" is the server. */
int imap_getmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct buf *out, bool *given, struct coi_err *e);
int imap_setmetadata(struct imap *im, struct str mailbox, const char *entry,
		     struct str value, struct coi_err *e);

/* --- names --------------------------------------------------------------- */

/* Modified UTF-7 (RFC 3501 5.1.3); decoding takes broken names as they are. */
void imap_utf7_encode(struct buf *b, struct str utf8);
void imap_utf7_decode(struct buf *b, struct str wire);
/* Same mailbox: INBOX in any case, else octets. */
bool imap_same_mailbox(struct str a, struct str b);

#endif
