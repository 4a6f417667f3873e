/* What the files of handler share: accounts, conversations, messages. */
#ifndef COI_HANDLER_PRIV_H
#define COI_HANDLER_PRIV_H

#include "coi/handler.h"
#include "coi/send.h"
#include "core/task.h"

#define WAIT_MAX 256			    /* messages that wait to run */
#define WAIT_OCTETS (32u * 1024u * 1024u)   /* of their records */
#define CONV_MAX 64			    /* of one conversation */
#define CONV_HOLD_MS 3000		    /* others wait for such a one */
#define CONV_MOST 1024			    /* of it, when they have waited */
#define CONV_OCTETS (16u * 1024u * 1024u)   /* of their records */
#define JOBS_MAX 4096			    /* all that is in memory */
#define JOBS_OCTETS (96u * 1024u * 1024u)   /* of their records */
#define ANSWERS_MAX 64u			    /* of one message */
#define ANSWER_OCTETS (32u * 1024u * 1024u) /* all that is printed */
#define OUTPUT_OCTETS (256u * 1024u)	    /* handed on of one run */
#define RECENT_MAX 512
#define BACKOFF_MAX 300000 /* ms */

struct quiet;
struct held; /* answers that were put off */

/* An account. */
struct source {
	struct handler *h;
	struct source *next;
	struct account *account;
	const struct account_net *net;
	char *consumer;
	struct store *store; /* open while anything is to do */
	unsigned users;	     /* of the store */
	size_t njobs;
	bool overflow; /* not taken, and nothing says of which conversations */
	/* Those that were done last: a reader that looked before comes late. */
	unsigned char (*recent)[32];
	size_t nrecent;

	/* handler_post.c */
	struct task *post;
	bool posting;	 /* a connection is in use */
	bool post_now;	 /* something new is in the outbox */
	int64_t post_at; /* when to try again; 0: nothing waits */
	unsigned post_failed;
	bool told; /* what an earlier run left in doubt */
	struct held *held;
	size_t nheld, held_cap;
};

/* A message. */
struct job {
	struct job *next;
	struct source *src;
	int64_t dead_row; /* it was put back; 0: it comes from the mailbox */
	char *id, *mailbox, *from, *group, *kind, *conversation;
	uint32_t uid_validity, uid;
	unsigned char identity[32];
	bool automatic;
	bool allowed; /* by the loop guard */
	unsigned tries;
	struct buf line;
};

enum conv_state { CONV_READY, CONV_RUNNING, CONV_WAITING, CONV_EMPTY };

/* The messages of one conversation, in order; freed with the last one, but for
 * one that is full (CONV_EMPTY): no later message may overtake what it could
 * not take. */
struct conv {
	struct conv *next;
	struct conv *ready; /* the next that is ready */
	struct source *src;
	char *key;
	struct job *first, **tail;
	size_t n, octets;
	enum conv_state state;
	int64_t until;	   /* CONV_WAITING */
	unsigned failures; /* in a row */
	int held_ms;	   /* others waited for it */
	bool full; /* messages were not taken: none until queue_missed() */
};

struct handler {
	struct handler_opts o;
	struct source *sources;
	struct conv *convs;
	struct conv *ready, **ready_tail;
	unsigned workers, tasks;
	struct task *timer;
	int64_t timer_at;
	struct run *runs;    /* processes */
	struct quiet *quiet; /* conversations whose silence was told */
	size_t nquiet, quiet_cap;
	bool stopping;
	int64_t kill_at; /* while stopping */
	struct handler_stats stats;
};

void handler_warn(struct handler *h, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void job_free(struct job *j); /* handler.c */

/* handler_queue.c */
struct conv *conv_of(struct handler *h, const struct source *s,
		     const char *key);
void queue_add(struct handler *h, struct job *j);
/* Starts a worker where one is wanted. */
void queue_pump(struct handler *h);
void queue_clear(struct handler *h);
/* Were messages not taken that can be now?  Asked once: they are to come. */
bool queue_missed(struct handler *h, struct source *s);
/* How much waits to run, of no conversation more than its share, and how much
 * there is in all. */
struct load {
	size_t ready, ready_octets, all, all_octets;
};
struct load load_of(const struct handler *h);

/* Seconds grow from step to step, with jitter. */
int handler_backoff(int first_ms, unsigned failures);

/* The database of the account, opened when it is not; NULL: it cannot be. */
struct store *source_store(struct source *s, struct coi_err *e);
/* Nobody needs it at the moment. */
void source_rest(struct source *s);

/* handler_env.c: NULL-ended; env_free(). */
char **env_make(const struct handler *h, const struct job *j);
void env_free(char **v);

/* handler_run.c: one process. */
enum verdict { RUN_DONE, RUN_LATER, RUN_NEVER, RUN_FAILED, RUN_STOPPED };

struct run {
	struct run *next;
	struct task *task;
	struct buf out; /* what it printed, with --reply */
	char why[256];	/* how it failed */
};

enum verdict run_job(struct handler *h, const struct job *j, struct run *r);
void run_free(struct run *r);

/* handler_reply.c */
struct answers {
	struct arena *arena;
	struct message **v;
	size_t n;
};
/* What was printed, read as answers to the message; COI_E_DATA. */
int answers_read(struct answers *a, const struct job *j, struct str out,
		 struct coi_err *e);
/* Puts them into the outbox, within the caller's group of the store; those
 * that are there from an earlier run are left. */
int answers_keep(struct answers *a, const struct job *j, struct store *st,
		 size_t *kept, struct coi_err *e);
void answers_free(struct answers *a);
/* COI_E_CONFIG or COI_E_NOKEY: this account cannot send. */
int answers_possible(const struct account *ac, struct coi_err *e);

/* handler_post.c: the outbox of an account, in a task of its own. */
void post_wake(struct source *s);
bool post_idle(const struct source *s);
void post_free(struct source *s);

#endif
