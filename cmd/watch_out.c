#include "watch_out.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/sys.h"
#include "core/task.h"
#include "fmt/json.h"
#include "view.h"

struct watch_out {
	bool readable, color, regular;
	struct buf pend, going;
	uint64_t added, written; /* octets, in all */
	bool busy;
	int64_t give_up;
	enum coi_code failed;
};

struct watch_out *watch_out_new(bool readable, bool color)
{
	struct watch_out *o = mem_alloc(sizeof(*o));
	struct stat st;

	*o = (struct watch_out){
	    .readable = readable, .color = color, .give_up = INT64_MAX};
	o->regular = fstat(1, &st) == 0 && S_ISREG(st.st_mode);
	return o;
}

void watch_out_free(struct watch_out *o)
{
	if (o == NULL)
		return;
	buf_free(&o->pend);
	buf_free(&o->going);
	free(o);
}

void watch_out_give_up(struct watch_out *o, int64_t at)
{
	o->give_up = at;
}

enum coi_code watch_out_code(const struct watch_out *o)
{
	return o->failed;
}

uint64_t watch_out_waits(const struct watch_out *o)
{
	return o->failed == COI_OK ? o->added - o->written : 0;
}

/* --- lines ------------------------------------------------------------------
 */

void watch_out_line(struct watch_out *o, const struct message *m)
{
	size_t before = o->pend.n;

	if (o->readable)
		view_message(&o->pend, m, o->color);
	else
		message_json(&o->pend, m);
	o->added += o->pend.n - before;
}

static const char *const words[] = {[WATCH_READY] = "ready",
				    [WATCH_LOST] = "lost",
				    [WATCH_RECONNECTED] = "reconnected",
				    [WATCH_STOPPED] = "stopped",
				    [WATCH_CALM] = "calm",
				    [WATCH_FLAGS] = "flags",
				    [WATCH_EXPUNGED] = "expunged"};

static void put_imap(struct json *j, const struct watch_event *ev)
{
	size_t i;

	json_key(j, "imap");
	json_open(j, '{');
	json_kstr(j, "mailbox", ev->mailbox);
	json_kint(j, "uid", ev->uid);
	json_kint(j, "uidValidity", ev->uid_validity);
	if (ev->kind == WATCH_FLAGS) {
		json_key(j, "flags");
		json_open(j, '[');
		for (i = 0; i < ev->nflags; i++)
			json_str(j, ev->flags[i]);
		json_close(j, ']');
	}
	json_close(j, '}');
}

static void put_why(struct json *j, const struct coi_err *why)
{
	struct buf b = {0};

	if (why->ctx[0] != '\0')
		buf_fmt(&b, "%s: ", why->ctx);
	buf_z(&b, why->msg);
	json_kstr(j, "reason", buf_view(&b));
	if (why->reply[0] != '\0')
		json_kstr(j, "reply", str_of(why->reply));
	buf_free(&b);
}

static void event_json(struct buf *b, const struct watch_event *ev)
{
	struct json j;

	json_begin(&j, b);
	json_open(&j, '{');
	json_kstr(&j, "event", str_of(words[ev->kind]));
	json_kstr(&j, "account", str_of(ev->account));
	switch (ev->kind) {
	case WATCH_READY:
		json_kstr(&j, "mailbox", ev->mailbox);
		json_kstr(&j, "by", str_of(ev->by));
		break;
	case WATCH_LOST:
		put_why(&j, ev->why);
		json_kint(&j, "attempt", ev->attempt);
		json_kint(&j, "retryMs", ev->retry_ms);
		break;
	case WATCH_RECONNECTED:
		json_kint(&j, "attempt", ev->attempt);
		break;
	case WATCH_STOPPED:
		put_why(&j, ev->why);
		json_kint(&j, "status", err_status(ev->why->code));
		break;
	case WATCH_CALM:
		json_kint(&j, "probes", (int64_t)ev->probes);
		break;
	case WATCH_FLAGS:
	case WATCH_EXPUNGED:
		put_imap(&j, ev);
		break;
	}
	json_close(&j, '}');
	buf_c(b, '\n');
}

static void event_text(struct watch_out *o, const struct watch_event *ev)
{
	struct buf *b = &o->pend;

	if (o->color)
		buf_z(b, "\033[2m");
	buf_fmt(b, "-- %s: %s", ev->account, words[ev->kind]);
	if (ev->mailbox.n > 0) {
		buf_c(b, ' ');
		buf_clean(b, ev->mailbox);
	}
	if (ev->why != NULL)
		buf_fmt(b, ": %s", ev->why->msg);
	if (ev->kind == WATCH_LOST)
		buf_fmt(b, "; next try in %d s", (ev->retry_ms + 999) / 1000);
	if (ev->uid != 0)
		buf_fmt(b, " %lu", (unsigned long)ev->uid);
	if (o->color)
		buf_z(b, "\033[0m");
	buf_c(b, '\n');
}

void watch_out_event(struct watch_out *o, const struct watch_event *ev)
{
	size_t before = o->pend.n;

	if (o->readable)
		event_text(o, ev);
	else
		event_json(&o->pend, ev);
	o->added += o->pend.n - before;
}

void watch_out_moved(struct watch_out *o, const struct filter_moved *m,
		     const char *account)
{
	size_t before = o->pend.n;

	if (o->readable) {
		buf_fmt(&o->pend, "-- %s: a message moved to ", account);
		buf_clean(&o->pend, m->to);
		buf_c(&o->pend, '\n');
	} else {
		filter_moved_json(&o->pend, m, account);
	}
	o->added += o->pend.n - before;
}

void watch_out_heartbeat(struct watch_out *o, const struct watch_stats *s)
{
	size_t before = o->pend.n;
	struct json j;

	if (o->readable) {
		buf_fmt(&o->pend, "-- %u of %u accounts connected\n",
			s->connected, s->accounts);
	} else {
		json_begin(&j, &o->pend);
		json_open(&j, '{');
		json_kstr(&j, "event", STR("heartbeat"));
		json_kdate(&j, "at", sys_now());
		json_kint(&j, "accounts", s->accounts);
		json_kint(&j, "connected", s->connected);
		json_kint(&j, "messages", (int64_t)s->printed);
		json_kint(&j, "reconnects", (int64_t)s->reconnects);
		json_kint(&j, "probes", (int64_t)s->probes);
		json_close(&j, '}');
		buf_c(&o->pend, '\n');
	}
	o->added += o->pend.n - before;
}

/* --- writing ----------------------------------------------------------------
 */

static int fail(struct watch_out *o, enum coi_code code, struct coi_err *e)
{
	o->failed = code;
	if (code == COI_E_PIPE)
		return err_set(e, code, "the reader went away");
	if (code == COI_E_CANCELLED)
		return err_set(e, code, "the reader does not read");
	e->lasting = true; /* what is lost there is lost for all accounts */
	return err_set(e, code, "cannot write to standard output");
}

/* Room for a piece that a pipe takes without waiting. */
static int wait_room(struct watch_out *o, struct coi_err *e)
{
	struct pollfd p = {.fd = 1, .events = POLLOUT};

	for (;;) {
		if (poll(&p, 1, 0) != 0)
			return 0;
		if (sys_mono_ms() >= o->give_up)
			return fail(o, COI_E_CANCELLED, e);
		if (task_poll_deaf(&p, 1, 200) != 0)
			return 0;
	}
}

static int write_going(struct watch_out *o, struct coi_err *e)
{
	size_t at = 0, n;
	ssize_t k;

	sys_point("out.before");
	while (at < o->going.n) {
		n = o->going.n - at;
		if (!o->regular && n > PIPE_BUF)
			n = PIPE_BUF;
		if (!o->regular && wait_room(o, e) < 0)
			return -1;
		k = write(1, o->going.p + at, n);
		if (k < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (k < 0 && errno == EPIPE)
			return fail(o, COI_E_PIPE, e);
		if (k < 0) {
			err_errno(e, COI_E_IO, errno, "standard output");
			return fail(o, COI_E_IO, e);
		}
		at += (size_t)k;
		o->written += (size_t)k;
	}
	sys_point("out.after");
	return 0;
}

int watch_out_flush(struct watch_out *o, struct coi_err *e)
{
	uint64_t goal = o->added;
	int rc = 0;

	while (rc == 0 && o->written < goal) {
		struct buf b;

		if (o->failed != COI_OK)
			return fail(o, o->failed, e);
		if (o->busy) {
			task_poll_deaf(NULL, 0, 5);
			continue;
		}
		o->busy = true;
		b = o->going;
		o->going = o->pend;
		o->pend = b;
		rc = write_going(o, e);
		buf_clear(&o->going);
		o->busy = false;
	}
	return rc;
}

bool watch_out_unread(struct watch_out *o)
{
	struct pollfd p = {.fd = 1};

	/* A pipe without a reader says POLLERR, a socket POLLHUP. */
	return !o->regular && o->failed == COI_OK && poll(&p, 1, 0) > 0 &&
	       (p.revents & (POLLERR | POLLHUP)) != 0;
}
