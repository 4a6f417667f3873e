/* An IMAP server that has said everything already, and events as text. */
#ifndef UNIT_IMAP_MEM_H
#define UNIT_IMAP_MEM_H

#include <stdio.h>

#include "imap/priv.h"

#define UNUSED __attribute__((unused))

struct mem {
	struct str in;
	size_t at, shown, step; /* step octets arrive at a time */
	size_t pause;		/* here it says nothing unasked; 0: nowhere */
	struct buf out;		/* what we said */
	struct buf log;		/* events */
	size_t calls;
	int fail_at; /* the n-th event says no */
	int events;
	int idles;
};

static UNUSED struct str mem_avail(void *ctx)
{
	struct mem *m = ctx;

	return str_sub(m->in, m->at, m->shown - m->at);
}

static UNUSED void mem_consume(void *ctx, size_t n)
{
	struct mem *m = ctx;

	if (n > m->shown - m->at)
		__builtin_trap();
	m->at += n;
}

static UNUSED int mem_fill(void *ctx, size_t max, struct coi_err *e)
{
	struct mem *m = ctx;
	size_t left = m->in.n - m->shown;

	m->calls++;
	if (left == 0)
		return err_set(e, COI_E_UNAVAILABLE,
			       "connection closed by the server");
	if (m->shown - m->at >= max)
		return err_set(e, COI_E_PROTOCOL, "buffer full");
	if (m->pause > m->shown && left > m->pause - m->shown)
		left = m->pause - m->shown;
	m->shown += left < m->step ? left : m->step;
	return 0;
}

static UNUSED int mem_idle(void *ctx, int64_t until, struct coi_err *e)
{
	struct mem *m = ctx;

	(void)until;
	(void)e;
	return m->pause == 0 || m->shown != m->pause;
}

static UNUSED bool mem_waits(void *ctx)
{
	(void)ctx;
	return true;
}

static UNUSED int mem_put(void *ctx, struct str s, bool secret,
			  struct coi_err *e)
{
	struct mem *m = ctx;

	(void)e;
	if (secret)
		buf_fmt(&m->out, "<%zu secret>", s.n);
	else
		buf_str(&m->out, s);
	return 0;
}

static UNUSED int mem_flush(void *ctx, struct coi_err *e)
{
	(void)ctx;
	(void)e;
	return 0;
}

static UNUSED void mem_deadline(void *ctx, int ms)
{
	(void)ctx;
	(void)ms;
}

static const UNUSED struct imap_io mem_io = {
    mem_avail, mem_consume, mem_fill,	  mem_waits,
    mem_put,   mem_flush,   mem_deadline, mem_idle};

static UNUSED struct imap *mem_open(struct mem *m, struct str in, size_t step)
{
	*m = (struct mem){.in = in, .step = step == 0 ? in.n + 1 : step};
	return imap_new_on(&mem_io, m);
}

/* Greeted, logged in and able to do this. */
static UNUSED struct imap *mem_ready(struct mem *m, struct str in, size_t step,
				     const char *caps)
{
	struct imap *im = mem_open(m, in, step);

	im->greeted = im->secure = im->caps_known = true;
	buf_z(&im->caps, caps);
	return im;
}

static UNUSED void mem_close(struct imap *im, struct mem *m)
{
	imap_close(im);
	buf_free(&m->out);
	buf_free(&m->log);
}

/* --- events as text --------------------------------------------------------
 */

static UNUSED int ev_say(struct mem *m, struct coi_err *e)
{
	if (++m->events == m->fail_at)
		return err_set(e, COI_E_PIPE, "no more");
	return 0;
}

static UNUSED int ev_begin(void *ctx, const struct imap_msg *msg,
			   struct str section, uint64_t octets,
			   struct coi_err *e)
{
	struct mem *m = ctx;

	buf_fmt(&m->log, "%u[%.*s]%llu:", msg->uid, STR_ARG(section),
		(unsigned long long)octets);
	return ev_say(m, e);
}

static UNUSED int ev_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct mem *m = ctx;

	(void)e;
	buf_str(&m->log, chunk);
	return 0;
}

static UNUSED int ev_body_end(void *ctx, struct coi_err *e)
{
	struct mem *m = ctx;

	buf_c(&m->log, ';');
	return ev_say(m, e);
}

static UNUSED int ev_end(void *ctx, const struct imap_msg *msg,
			 struct coi_err *e)
{
	struct mem *m = ctx;
	size_t i;

	buf_fmt(&m->log, "uid %u", msg->uid);
	if (msg->modseq != 0)
		buf_fmt(&m->log, " mod %llu", (unsigned long long)msg->modseq);
	if (msg->have_flags)
		buf_z(&m->log, " flags");
	for (i = 0; i < msg->nflags; i++)
		buf_fmt(&m->log, " %.*s", STR_ARG(msg->flags[i]));
	if (msg->have_date)
		buf_fmt(&m->log, " date %lld", (long long)msg->internal_date);
	if (msg->have_size)
		buf_fmt(&m->log, " size %u", msg->size);
	if (msg->bodystructure.p != NULL)
		buf_fmt(&m->log, " bs %.*s", STR_ARG(msg->bodystructure));
	buf_c(&m->log, '\n');
	return ev_say(m, e);
}

static UNUSED int ev_idle(void *ctx, struct coi_err *e)
{
	struct mem *m = ctx;

	(void)e;
	m->idles++;
	return 0;
}

static const UNUSED struct imap_fetch_events mem_events = {
    ev_begin, ev_body, ev_body_end, ev_end, ev_idle};

#endif
