/* What coi-send prints: results, the outbox, with -n the messages. */
#ifndef CMD_SEND_OUT_H
#define CMD_SEND_OUT_H

#include "cli.h"
#include "coi/send.h"

struct sending {
	struct cli *c;
	struct account *ac;
	struct account_net net;
	struct store *st;
	struct sender *sender;
	struct send_opts o;
	bool seen[SEND_UNKNOWN + 1];  /* outcomes so far */
	unsigned ndry;		      /* -n: messages so far */
	struct buf first, first_from; /* until a second makes it an mbox */
	int64_t first_date;
};

/* For send_opts.result; ctx: the struct sending. */
int send_out_result(void *ctx, const struct send_result *r, struct coi_err *e);
/* The exit status of these outcomes. */
int send_out_status(const bool seen[SEND_UNKNOWN + 1]);
/* -n: one message; after the last one. */
int send_out_dry(struct sending *x, struct message *m, struct coi_err *e);
int send_out_dry_end(struct sending *x, struct coi_err *e);
/* --queue-list */
int send_out_queue(struct sending *x, struct coi_err *e);

#endif
