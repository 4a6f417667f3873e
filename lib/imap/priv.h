/* What the files of lib/imap share: reader, tag table, sinks of a command. */
#ifndef IMAP_PRIV_H
#define IMAP_PRIV_H

#include "imap/imap.h"

/* --- parse.c: a cursor over one response --------------------------------- */

/* Literals stand in the text as {n}CRLF and their octets. */
struct imap_cur {
	const char *p, *end;
	struct arena *a; /* for strings that had to be unescaped */
};

bool cur_end(struct imap_cur *c); /* nothing but blanks is left */
bool cur_sp(struct imap_cur *c);  /* one blank or more */
bool cur_ch(struct imap_cur *c, char ch);
bool cur_peek(const struct imap_cur *c, char ch);
bool cur_atom(struct imap_cur *c, struct str *s);
bool cur_astring(struct imap_cur *c, struct str *s);
bool cur_nstring(struct imap_cur *c, struct str *s); /* NIL: STR_NONE */
bool cur_u64(struct imap_cur *c, uint64_t max, uint64_t *v);
bool cur_u32(struct imap_cur *c, uint32_t *v);
/* A value of any kind with all that is in its parentheses. */
bool cur_skip(struct imap_cur *c);
/* Index behind the quote that ends the string at p (p[0] == '"'), or 0. */
size_t imap_quoted_end(const char *p, size_t n, bool *escapes);
void imap_unquote(struct str inner, char *out, size_t *n);
/*
 * 1 when the line ends with {n}, {n+} or ~{n}: its value and the length of
 * what stands before; 0 when not, -1 when n is beyond LIMIT_IMAP_LITERAL.
 */
int imap_literal_tail(struct str line, size_t *before, uint64_t *n);

/* --- where octets come from ---------------------------------------------- */

struct imap_io {
	struct str (*avail)(void *ctx);
	void (*consume)(void *ctx, size_t n);
	int (*fill)(void *ctx, size_t max, struct coi_err *e);
	bool (*waits)(void *ctx); /* fill() would wait */
	int (*put)(void *ctx, struct str s, bool secret, struct coi_err *e);
	int (*flush)(void *ctx, struct coi_err *e);
	void (*deadline)(void *ctx, int ms);
	/* As net_idle(). */
	int (*idle)(void *ctx, int64_t until, struct coi_err *e);
};

/* --- the FETCH response in the making (items.c) -------------------------- */

enum imap_item {
	ITEM_OTHER,
	ITEM_UID,
	ITEM_FLAGS,
	ITEM_MODSEQ,
	ITEM_DATE,
	ITEM_SIZE,
	ITEM_STRUCTURE,
	ITEM_BODY
};

struct imap_items {
	enum { IN_OPEN, IN_NAMES, IN_VALUE, IN_END } at;
	enum imap_item item;
	unsigned depth;
	bool unkept; /* the structure is beyond all limits */
	bool more;   /* than UID, FLAGS and MODSEQ */
	struct imap_msg m;
	struct buf section, structure, flags;
	struct str *flagv;
	size_t flagcap;
};

/* --- tags ----------------------------------------------------------------- */

enum imap_result { RES_PENDING, RES_OK, RES_NO, RES_BAD };

struct imap_pending {
	enum imap_result res;
	bool ignored;	  /* nobody waits for it */
	const char *what; /* "SELECT" */
	char *said;	  /* with NO and BAD: code and words */
};

/* --- what a running command wants from untagged data ---------------------- */

struct imap_seen_status {
	struct str name;
	struct imap_status st;
	unsigned told; /* STATUS_* */
	size_t order;
};

struct imap_sinks {
	const struct imap_fetch_events *fetch;
	void *fetch_ctx;
	bool fetch_more; /* than UID, FLAGS and MODSEQ was asked for */

	struct imap_set *search; /* in any order: set_normalise() */
	uint32_t search_tag;
	bool searched; /* an answer came */

	void (*vanished)(void *ctx, uint32_t lo, uint32_t hi);
	void *vanished_ctx;

	struct imap_selected *select;

	struct arena *arena; /* of list and status */
	struct imap_mailbox *list;
	size_t nlist, listcap;
	bool listing, lsub;
	struct imap_seen_status *status;
	size_t nstatus, statuscap;
	bool want_status;

	struct imap_namespace *ns;

	struct str meta_mailbox;
	const char *meta_entry;
	struct buf *meta;
	bool *meta_given;
	struct arena *meta_arena; /* all below meta_entry */
	struct imap_meta *metav;
	size_t nmeta, metacap, meta_octets;

	char *root_delim; /* of LIST "" "" */

	uint32_t *append_validity, *append_uid;
};

/* A name that modified UTF-7 does not lead back to what the server said. */
struct imap_odd {
	struct str name, wire;
};

enum imap_mode { MODE_KEEP, MODE_STATUS, MODE_SKIP, MODE_FETCH, MODE_NUMBERS };
enum imap_numbers { NUM_SEARCH, NUM_ESEARCH, NUM_VANISHED };

struct imap {
	struct imap_opts o;
	struct imap_io io;
	void *io_ctx;
	struct net_conn *c; /* NULL in tests that feed octets */
	const char *stage;

	/* reader.c */
	size_t scanned; /* so much of what waits has no LF */
	bool inside;	/* a response has begun */
	enum imap_mode mode;
	bool in_literal;
	uint64_t left; /* octets of the literal still to come */
	unsigned nlit; /* literals of this response */
	size_t passed; /* octets of it that were too many and dropped */
	struct buf kept;
	enum imap_numbers numbers;
	bool num_begun, num_off, num_in_set, num_value;
	struct imap_items items;
	uint32_t responses; /* untagged ones of this command */

	/* engine.c */
	struct imap_pending *pend; /* tag t is pend[t - base] */
	uint32_t base, next;
	size_t pendcap;
	bool plus; /* a continuation request came */
	struct buf plus_text;
	bool dead;    /* link or syntax broken */
	bool spoiled; /* answers are under way that nobody wants */
	bool leaving, bye;
	int64_t leave_by;
	uint32_t renewals;
	size_t since; /* octets since the deadline was renewed */

	const struct imap_news *news; /* of nothing when nobody listens */
	void *news_ctx;
	bool idling; /* DONE may go when im->plus is set */
	uint32_t idle_tag;
	int64_t idle_since;
	size_t answers;	 /* responses with a tag or "+" */
	uint32_t number; /* "* n FETCH" */
	bool notified;

	bool greeted, preauth, secure;
	char mech[24]; /* how the login was done */
	bool caps_known;
	struct buf caps;
	bool qresync_on;
	bool ns_known;
	struct imap_namespace ns;
	struct buf others; /* prefixes that are not personal, LF behind each */

	struct imap_sinks want;
	struct arena *scratch; /* of one response */
	struct arena *names;   /* of odd[] and ns */
	struct imap_odd *odd;
	size_t nodd, oddcap;
};

/* --- reader.c ------------------------------------------------------------- */

/*
 * Takes octets: 1 a response is complete, 0 it needs more, -1 it is broken.
 * What was not used must stand at the beginning of the next view.
 */
int imap_feed(struct imap *im, struct str view, size_t *used,
	      struct coi_err *e);
/* COI_E_PROTOCOL quoting what the server said; -1. */
int imap_violation(struct imap *im, const char *what, struct str said,
		   struct coi_err *e);

/* --- items.c -------------------------------------------------------------- */

void items_begin(struct imap_items *f);
void items_free(struct imap_items *f);
/* A line of the response; `literal`: n octets follow it. 1: complete. */
int items_line(struct imap *im, struct str line, bool literal, uint64_t n,
	       struct coi_err *e);
int items_octets(struct imap *im, struct str chunk, struct coi_err *e);
int items_literal_end(struct imap *im, struct coi_err *e);

/* --- numbers.c: SEARCH, ESEARCH, VANISHED, however long ------------------- */

bool numbers_word(struct str word, enum imap_numbers *kind);
/* A part that ends between two numbers; `args`: behind the word. */
bool numbers_feed(struct imap *im, struct str args);

/* --- engine.c ------------------------------------------------------------- */

struct imap *imap_new(const struct imap_opts *o);
/* Octets from elsewhere: for tests. */
struct imap *imap_new_on(const struct imap_io *io, void *ctx);
void imap_free(struct imap *im);

/* Begins a public call: 0, or -1 when the connection cannot be used. */
int imap_begin(struct imap *im, const char *stage, struct coi_err *e);
/* Ends it: sinks gone; adds stage and host to an error.  Returns rc. */
int imap_end(struct imap *im, int rc, struct coi_err *e);

/* Handles one response, waiting for it. */
int imap_read(struct imap *im, struct coi_err *e);
/* The same with what is there: 1, or 0 when that is no whole response. */
int imap_take(struct imap *im, struct coi_err *e);
int imap_fill(struct imap *im, struct coi_err *e);
/*
 * Writes one command; text without tag and CRLF.  Strings in it that stand
 * as {n+}CRLF are sent as synchronising literals where the server wants
 * that.  CR, LF and NUL anywhere else: COI_E_DATA, nothing sent.
 */
int imap_send(struct imap *im, const char *what, struct str text, uint32_t *tag,
	      struct coi_err *e);
/* Parts of a command by hand. */
uint32_t imap_tag_new(struct imap *im, const char *what, struct buf *b);
int imap_put(struct imap *im, struct str s, struct coi_err *e);
int imap_put_secret(struct imap *im, struct str s, struct coi_err *e);
int imap_flush(struct imap *im, struct coi_err *e);
/* Waits for "+" (1) or the end of the command (0); -1. */
int imap_wait_plus(struct imap *im, uint32_t tag, struct coi_err *e);
/* The same in front of a literal; OK at its end is COI_E_PROTOCOL. */
int imap_wait_literal(struct imap *im, uint32_t tag, struct coi_err *e);
bool imap_literal_ok(const struct imap *im, uint64_t n);
/* Flushes, reads to the end of that command. */
int imap_await(struct imap *im, uint32_t tag, enum imap_result *res,
	       struct coi_err *e);
enum imap_result imap_state(const struct imap *im, uint32_t tag);
void imap_settle(struct imap *im, uint32_t tag, enum imap_result res,
		 struct str text);
void imap_ignore(struct imap *im, uint32_t tag);
/* As imap_await, and NO and BAD are errors. */
int imap_done(struct imap *im, uint32_t tag, struct coi_err *e);
int imap_run(struct imap *im, const char *what, struct str text,
	     struct coi_err *e);
/* The error for what a refused command was told. */
int imap_refused(struct imap *im, uint32_t tag, struct coi_err *e);
/* What the response code at the beginning of `said` means. */
enum coi_code imap_code_of(enum imap_result res, struct str said);
bool imap_said_code(const struct imap *im, uint32_t tag, const char *code);

/* --- respond.c ------------------------------------------------------------ */

/* A whole response but FETCH and number lists. */
int imap_respond(struct imap *im, struct str text, struct coi_err *e);
bool imap_known_untagged(struct str word);

/* Parsers of the extensions: false is broken syntax. */
bool caps_take(struct imap *im, struct imap_cur *c);
bool list_take(struct imap *im, struct imap_cur *c);
bool lsub_take(struct imap *im, struct imap_cur *c);
bool status_take(struct imap *im, struct imap_cur *c);
bool namespace_take(struct imap *im, struct imap_cur *c);
bool metadata_take(struct imap *im, struct imap_cur *c);
void select_code(struct imap *im, struct str name, struct imap_cur *c);
void select_exists(struct imap *im, uint32_t n);
void append_code(struct imap *im, struct str name, struct imap_cur *c);

/* --- idle.c, notify.c ------------------------------------------------------
 */

/* DONE in front of LOGOUT; false when it cannot be sent. */
bool idle_leave(struct imap *im, struct coi_err *e);

/* --- names and sets ------------------------------------------------------- */

/* Appends a mailbox argument; COI_E_DATA for what no name may hold. */
int imap_put_mailbox(struct imap *im, struct buf *b, struct str name,
		     struct coi_err *e);
/* A name from the server as UTF-8; absent when it cannot be used at all. */
struct str imap_read_mailbox(struct arena *a, struct str wire);
/* The same of a LIST: how the server writes it is how we do from here. */
struct str imap_take_mailbox(struct imap *im, struct arena *a, struct str wire);
int imap_name_cmp(struct str a, struct str b);

void set_raw(struct imap_set *s, uint32_t lo, uint32_t hi); /* in any order */
void set_normalise(struct imap_set *s);
/* Writes ranges from *i on, to about `max` octets; moves *i. */
void set_write(const struct imap_set *s, size_t *i, size_t max, struct buf *b);
/* One "n" or "lo:hi"; false for zero and what is no number. */
bool set_range(struct imap_cur *c, uint32_t *lo, uint32_t *hi);

#define IMAP_SET_TEXT 8000 /* RFC 7162 4: a line that servers take */

/* --- pieces of commands --------------------------------------------------- */

void status_items(const struct imap *im, struct buf *b);
int status_send(struct imap *im, struct str name, uint32_t *tag,
		struct coi_err *e);
int select_send(struct imap *im, struct str mailbox, bool read_only,
		struct imap_selected *out, uint32_t *tag, struct coi_err *e);
int select_settle(struct imap *im, uint32_t tag, struct str mailbox,
		  bool read_only, struct imap_selected *out, struct coi_err *e);
/* The answers for names[], the last one for each. */
void status_join(struct imap *im);
bool status_find(struct imap *im, struct str name, struct imap_status *out);
int namespace_send(struct imap *im, uint32_t *tag, struct coi_err *e);
int metadata_send(struct imap *im, struct str mailbox, const char *entry,
		  uint32_t *tag, struct coi_err *e);
bool metadata_offered(const struct imap *im, struct str mailbox);
int caps_ask(struct imap *im, struct coi_err *e);
int caps_after_login(struct imap *im, struct coi_err *e);
void caps_forget(struct imap *im);
int login(struct imap *im, struct coi_err *e);
/* All from the greeting on. */
int imap_hello(struct imap *im, struct coi_err *e);

#endif
