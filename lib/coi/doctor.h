/* Does the account work, and what is wrong if it does not? */
#ifndef COI_DOCTOR_H
#define COI_DOCTOR_H

#include "coi/account.h"

enum doctor_result { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_SKIP };

struct doctor_step {
	const char *name; /* "imap-login" */
	enum doctor_result result;
	struct str text, fix; /* fix may be absent */
	/* of a failure: */
	enum coi_code code;
	struct str host, reply; /* absent where there is none */
};

struct doctor;
/* say() is called as each step is known; strings only for the call. */
struct doctor *doctor_new(void (*say)(void *ctx, const struct doctor_step *s),
			  void *ctx);
void doctor_free(struct doctor *d); /* NULL is legal */
/* Reports a failure as a step, and clears it. */
void doctor_failed(struct doctor *d, const char *name, struct coi_err *e);
/*
 * All steps: secret, state, IMAP and what it offers, folders, Sent, COI, SMTP,
 * clock.  What fails does not end it; only a signal does: -1,
 * COI_E_CANCELLED.  Reads only: nothing is made, no mailbox is selected, no
 * mail is sent.
 */
int doctor_run(struct doctor *d, struct account *ac,
	       const struct account_net *net, struct coi_err *e);
/* The first failure; COI_OK if there was none. */
enum coi_code doctor_first(const struct doctor *d);

/* A line for people, or a JSON object and a line end. */
void doctor_print(struct buf *out, const struct doctor_step *s, bool json);

#endif
