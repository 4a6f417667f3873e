/* What the files of the doctor share. */
#ifndef COI_DOCTOR_PRIV_H
#define COI_DOCTOR_PRIV_H

#include "coi/doctor.h"

struct doctor {
	void (*say)(void *ctx, const struct doctor_step *s);
	void *ctx;
	struct arena *a;
	struct account *ac;
	const struct account_net *net;
	enum coi_code first;
	bool cancelled;
	bool no_secret;	     /* it could not be had: no login is tried */
	int64_t server_time; /* by a server's clock; 0: none told it */
};

/* Each takes text by format; fix may be NULL. */
void doctor_ok(struct doctor *d, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void doctor_warn(struct doctor *d, const char *name, const char *fix,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void doctor_skip(struct doctor *d, const char *name, const char *why);

/* doctor_here.c: this machine */
void doctor_secret(struct doctor *d);
void doctor_state(struct doctor *d);
void doctor_clock(struct doctor *d);

/* doctor_net.c: from the name to the login */
struct imap *doctor_imap(struct doctor *d);
struct smtp *doctor_smtp(struct doctor *d);

/* doctor_mail.c: what the servers offer */
void doctor_look_imap(struct doctor *d, struct imap *im);
void doctor_look_smtp(struct doctor *d, struct smtp *s);

#endif
