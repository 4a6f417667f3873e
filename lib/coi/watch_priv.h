/* What the files of watch share: accounts, their mailboxes and connections. */
#ifndef COI_WATCH_PRIV_H
#define COI_WATCH_PRIV_H

#include "coi/folders.h"
#include "coi/watch.h"
#include "core/task.h"

#define LINES_MAX 16 /* connections of an account */
#define BOXES_MAX 64
#define STORES_MAX 8 /* databases that are open and that nobody uses */

/* A mailbox that is wanted. */
struct wbox {
	struct fetch_box box;
	struct line *line; /* the connection that has it selected, or NULL */
	bool gone;	   /* there is none of that name */
	bool news;	   /* something came, by STATUS */
	bool told;	   /* the server tells what comes into it */
	bool ready;	   /* said once */
};

/* A connection. */
struct line {
	struct watching *a;
	struct imap *im;
	struct wbox *sel;
	bool idle;    /* is in IDLE */
	bool notify;  /* NOTIFY is on: all wanted mailboxes are told */
	bool broken;  /* an overflow or a new UIDVALIDITY: start anew */
	bool changed; /* flags of the selected mailbox did */
	bool news;    /* EXISTS was said */
	bool left;    /* EXPUNGE or VANISHED was said */
	bool unsure;  /* and how many are new is not known */
	uint32_t exists, fresh;
	int64_t renew_at;
	int64_t noop_at; /* NOTIFY: what a push may have hidden; 0: not */
};

struct watching {
	struct watch *w;
	struct watching *next;
	struct account *ac, *next_ac; /* next_ac: takes its place */
	struct account **old;	      /* handlers may still point to them */
	size_t nold, old_cap;
	struct task *task;
	struct arena *arena; /* names of the mailboxes */
	struct decode_opts decode;
	struct fetch_opts fetch;
	struct fetch_result result;

	struct filter *filter; /* NULL: not asked for, or not needed */
	int64_t filter_at;     /* another look at what was acknowledged */
	int filter_ms;
	bool filter_said;
	struct store *st;
	int lease;	      /* of the consumer; -1: not yet */
	int64_t st_used, run; /* run: of store_run(); 0: none yet */
	bool waits;	      /* the database is not in use */

	struct wbox *boxes[BOXES_MAX];
	size_t nboxes;
	struct line lines[LINES_MAX];
	size_t nlines;
	int64_t room_at;	  /* a handler had no room: ask it */
	int64_t poll_at, more_at; /* STATUS; another try for more lines */
	int64_t selected_at;	  /* all that are selected, the last time */

	bool ever, connected, look, done;
	bool again;  /* the session ends, another begins */
	bool asking; /* STATUS: what is said is an answer */
	unsigned attempt, refusals;
	int64_t since; /* of the connection */
	struct watch_heat heat;
	int64_t probe_at;
};

struct watch {
	struct watch_opts o;
	struct watching *all;
	unsigned running, failed, open; /* open: databases */
	bool stopping;
	struct watch_stats stats;
	struct coi_err error;
};

/* watch.c */
void watching_say(struct watching *a, enum watch_kind kind,
		  struct watch_event ev);
/* Handlers may have been given it already: then it goes with the watch. */
void watching_retire(struct watching *a, struct account *ac);

/* watch_account.c: the task. */
void watching_run(void *arg);
/* Opens the database if it is closed; with many accounts another one that is
 * not in use is closed for it. */
int watching_store(struct watching *a, struct coi_err *e);
/* Tells who wants to know that the account is looked after. */
int watching_checked(struct watching *a, struct coi_err *e);
void watching_store_close(struct watching *a);
/* True when the task is to end or to begin anew. */
bool watching_leaves(const struct watching *a);

/* watch_read.c: what is new. */
/* Asks which mailboxes there are and reads all that is new in them. */
int watching_catch_up(struct watching *a, struct coi_err *e);
/* Asks STATUS of all; reads what nobody announced. */
int watching_check(struct watching *a, struct coi_err *e);
/* What was announced on this line and in mailboxes of nobody. */
int watching_news(struct watching *a, struct line *l, struct coi_err *e);
bool watching_has_news(const struct watching *a, const struct line *l);
/* -1: what is said of a mailbox is not so any more; it begins anew with a
 * connection of its own. */
int watching_other(const struct wbox *b, const char *what, struct coi_err *e);

/* watch_filter.c: sorting INBOX for a server that does not. */
int filtering_new(struct watching *a, struct coi_err *e);
void filtering_end(struct watching *a);
/* After INBOX was read, its flags changed, or lines were acknowledged. */
int filtering_apply(struct watching *a, struct coi_err *e);

/* watch_line.c: connections and what they say. */
int line_open(struct line *l, struct watching *a, struct coi_err *e);
void line_close(struct line *l);
/* The line moved in memory. */
void line_listens(struct line *l);
void line_unselect(struct line *l);
int line_select(struct line *l, struct wbox *b, struct coi_err *e);
/* One line for every mailbox, as far as the server and the budget go. */
int lines_spread(struct watching *a, struct coi_err *e);
/* Another try for what lines_spread() had no room for. */
int lines_more(struct watching *a, struct coi_err *e);
int line_idle(struct line *l, struct coi_err *e);
/* Says, once, that what this line looks after is being watched. */
void line_ready(struct line *l);
int line_wake(struct line *l, struct coi_err *e);

/* watch_wait.c: until the connection is lost or the task is to end. */
int watching_wait(struct watching *a, struct coi_err *e);

#endif
