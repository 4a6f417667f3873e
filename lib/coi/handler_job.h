/* One message: tried, answered, acknowledged, or given up. */
#ifndef COI_HANDLER_JOB_H
#define COI_HANDLER_JOB_H

#include "coi/handler_priv.h"

enum { JOB_OVER = -1, JOB_STOPPED = -2 };

/* JOB_OVER: done with it; JOB_STOPPED: we are to end; else after how many ms
 * it is to be tried again.  `failures`: so many times in a row it was. */
int job_do(struct handler *h, struct job *j, unsigned failures);
/* It was done a moment ago: acknowledged again. */
int job_forget(const struct job *j, struct coi_err *e);

#endif
