/* coi-watch: what is new as it arrives, one JSON object a line. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "coi/watch.h"
#include "core/sys.h"
#include "core/task.h"
#include "fetching.h"
#include "filtering.h"
#include "schema.h"
#include "store/store.h"
#include "watch_exec.h"
#include "watch_given.h"
#include "watch_out.h"
#include "watch_system.h"

static const char *const usage[] = {
    "coi-watch [-a ACCOUNT]... [-b MAILBOX]... [--once | --run-for TIME] "
    "[--json]",
    "coi-watch [-a ACCOUNT]... [-b MAILBOX]... --exec CMD [--reply]", NULL};

static const struct cli_opt opts[] = {
    {'a', "account", "NAME", "an account to watch; may be repeated",
     CLI_REPEAT},
    FETCHING_WHERE,
    {0, "consumer", "NAME", "whose cursor to use (default)", 0},
    {0, "start", "WHEN", "first run: now, all or a date (now)", 0},
    {0, "no-commit", NULL, "lines come back until coi-fetch --ack", 0},
    FETCHING_PRINT,
    FILTERING,
    WATCH_EXEC_OPTS,
    {0, "once", NULL, "end after the first message", 0},
    {0, "run-for", "TIME", "end after that time", 0},
    {0, "latency", "WHICH", "low: ask often while a conversation is on", 0},
    {0, "events", "WHICH", "event lines: none, state or all (state)", 0},
    {0, "heartbeat", "TIME", "an event line that often", 0},
    {0, "idle", "TIME", "renew IDLE and look at all that often (4m)", 0},
    {0, "poll", "TIME", "ask that often where IDLE is not to be had (30s)", 0},
    {0, "retry", "TIME", "longest wait before another connection (5m)", 0},
    {0, "json-schema", "[NAME]", "print the schema: event, message, error", 0},
    {0, NULL, NULL, NULL, 0}};

static const char *const examples[] = {
    "coi-watch",
    "coi-watch --json | jq -r --unbuffered 'select(.kind) | .text'",
    "coi-watch -a work -a home --run-for 1h", NULL};

#define BEATS_MAX 16384 /* octets */
#define LAST_MS 20	/* where nobody tells that all is over */

struct watching {
	struct cli *c;
	struct watch *w;
	struct watch_out *out;
	struct watch_exec *exec; /* or NULL */
	struct watch_system *sys;
	struct task *control, *writer;
	const char **names; /* of -a, or one NULL */
	size_t nnames, tried;
	bool *was_tried;
	struct watch_given given;
	int64_t beat_at, end_at;
	bool over, told_ready, stopping;
};

/* --- what the watch calls ---------------------------------------------------
 */

static int print_line(void *ctx, const struct message *m, struct coi_err *e)
{
	struct watching *x = ctx;

	if (x->exec == NULL)
		watch_out_line(x->out, m);
	return 0;
}

static int handed(void *ctx, const struct message *m, struct coi_err *e)
{
	struct watching *x = ctx;

	return watch_exec_handed(x->exec, m, e);
}

static int checked(void *ctx, struct account *ac, struct coi_err *e)
{
	struct watching *x = ctx;

	return watch_exec_checked(x->exec, ac, e);
}

static bool room(void *ctx, struct account *ac)
{
	struct watching *x = ctx;

	return watch_exec_room(x->exec, ac);
}

static int flush(void *ctx, struct coi_err *e)
{
	struct watching *x = ctx;
	int rc = watch_out_flush(x->out, e);

	if (watch_system_busy(x->sys))
		task_wake(x->control);
	return rc;
}

static void warn(void *ctx, const char *text)
{
	struct watching *x = ctx;

	cli_warn(x->c, "%s", text);
}

static void on_ended(void *ctx)
{
	struct watching *x = ctx;

	task_wake(x->control);
}

/* What a log should show: the beginning and the end of a trouble. */
static void log_event(struct watching *x, const struct watch_event *ev)
{
	const struct coi_err *why = ev->why;
	struct coi_err e;

	if (ev->kind == WATCH_STOPPED) {
		e = *why;
		err_ctx(&e, "account \"%s\"", ev->account);
		cli_report(x->c, &e);
	} else if (ev->kind == WATCH_RECONNECTED) {
		cli_warn(x->c, "account \"%s\": connected again", ev->account);
	} else if (ev->kind == WATCH_LOST &&
		   (ev->attempt == 1 || cli_verbose(x->c) > 0)) {
		cli_warn(x->c,
			 "account \"%s\": %s%s%s%s; trying again (%u) in %d s",
			 ev->account, why->msg,
			 why->reply[0] != '\0' ? " (the server said: " : "",
			 why->reply, why->reply[0] != '\0' ? ")" : "",
			 ev->attempt, (ev->retry_ms + 999) / 1000);
	} else if (ev->kind == WATCH_CALM && cli_verbose(x->c) > 0) {
		cli_warn(x->c, "account \"%s\": calm after %llu probes",
			 ev->account, (unsigned long long)ev->probes);
	}
}

/* A service is up when each account was tried: some may never come. */
static void tried(struct watching *x, const char *account)
{
	size_t i;

	for (i = 0; i < x->nnames; i++)
		if ((x->names[i] == NULL ||
		     strcmp(x->names[i], account) == 0) &&
		    !x->was_tried[i]) {
			x->was_tried[i] = true;
			x->tried++;
		}
}

static void on_event(void *ctx, const struct watch_event *ev)
{
	struct watching *x = ctx;
	bool change = ev->kind == WATCH_FLAGS || ev->kind == WATCH_EXPUNGED;

	if (!change) {
		log_event(x, ev);
		tried(x, ev->account);
	}
	if (x->given.events == EVENTS_ALL ||
	    (x->given.events == EVENTS_STATE && !change))
		watch_out_event(x->out, ev);
	task_wake(x->control);
	task_wake(x->writer);
}

static void on_moved(void *ctx, const char *account,
		     const struct filter_moved *m)
{
	struct watching *x = ctx;

	if (x->given.events != EVENTS_NONE)
		watch_out_moved(x->out, m, account);
	task_wake(x->writer);
}

/* --- the control: signals, clock, the end ------------------------------------
 */

static void stop(struct watching *x)
{
	if (x->stopping)
		return;
	x->stopping = true;
	watch_system_say(x->sys, "STOPPING=1");
	watch_out_give_up(x->out, sys_mono_ms() + 3500);
	if (x->exec != NULL)
		watch_exec_stop(x->exec);
	watch_stop(x->w);
}

static void reload(struct watching *x)
{
	size_t i;

	watch_system_reloading(x->sys);
	for (i = 0; i < x->nnames; i++) {
		struct coi_err e = {0};
		struct account *ac = cli_account_of(x->c, x->names[i], true,
						    &e);

		if (ac == NULL ||
		    (x->exec != NULL && watch_exec_know(x->exec, ac, &e) < 0)) {
			cli_report(x->c, &e);
			account_free(ac);
		} else if (watch_reload(x->w, ac, &e) < 0) {
			cli_report(x->c, &e);
		}
	}
	watch_system_say(x->sys, "READY=1");
}

static void status(struct watching *x)
{
	struct watch_stats s = watch_stats(x->w);

	watch_system_state(
	    x->sys, "%sSTATUS=%u of %u accounts connected, %llu messages",
	    !x->told_ready && x->tried == x->nnames ? "READY=1\n" : "",
	    s.connected, s.accounts, (unsigned long long)s.printed);
	x->told_ready = x->tried == x->nnames;
}

static void beat(struct watching *x)
{
	struct watch_stats s = watch_stats(x->w);

	x->beat_at = sys_mono_ms() + x->given.heartbeat * 1000;
	/* A reader that does not read finds no pile of them. */
	if (watch_out_waits(x->out) < BEATS_MAX)
		watch_out_heartbeat(x->out, &s);
	task_wake(x->writer);
	if (cli_verbose(x->c) > 0)
		cli_warn(x->c,
			 "%u of %u accounts connected, %llu messages, "
			 "%llu probes",
			 s.connected, s.accounts, (unsigned long long)s.printed,
			 (unsigned long long)s.probes);
}

/* A SIGHUP may begin anew while the last lines and handlers are waited for. */
static bool ended(const struct watching *x)
{
	return watch_running(x->w) == 0;
}

static int until(const struct watching *x)
{
	int64_t t = INT64_MAX, now = sys_mono_ms(),
		sys = watch_system_next(x->sys);

	if (x->given.heartbeat != 0 && x->beat_at < t)
		t = x->beat_at;
	if (x->end_at != 0 && !x->stopping && x->end_at < t)
		t = x->end_at;
	if (sys != 0 && sys < t)
		t = sys;
	if (ended(x) && now + LAST_MS < t)
		t = now + LAST_MS;
	if (t == INT64_MAX)
		return -1;
	t -= now;
	return t < 0 ? 0 : t > INT_MAX ? INT_MAX : (int)t;
}

static void turn(struct watching *x)
{
	struct pollfd p[SYSTEM_FDS + 1];
	size_t n = watch_system_poll(x->sys, p);
	unsigned todo;
	int64_t now;

	/* No events: a reader that leaves is told all the same. */
	p[n] = (struct pollfd){.fd = x->stopping ? -1 : 1};
	task_poll(p, n + 1, until(x));
	now = sys_mono_ms();
	todo = watch_system_take(x->sys, p, n);
	if ((todo & SYSTEM_STOP) != 0)
		stop(x);
	if (x->end_at != 0 && now >= x->end_at && !x->stopping) {
		cli_stop();
		stop(x);
	}
	if (p[n].revents != 0 && watch_out_unread(x->out))
		stop(x);
	if ((todo & SYSTEM_RELOAD) != 0 && !x->stopping)
		reload(x);
	if ((todo & SYSTEM_LOOK) != 0)
		watch_look(x->w);
	if (x->given.heartbeat != 0 && now >= x->beat_at)
		beat(x);
	watch_system_alive(x->sys);
	status(x);
}

/* Signals and the clock count to the last line and the last handler. */
static bool over(const struct watching *x)
{
	return ended(x) && watch_out_waits(x->out) == 0 &&
	       (x->exec == NULL || x->stopping || watch_exec_idle(x->exec));
}

static void control(void *arg)
{
	struct watching *x = arg;

	while (!over(x))
		turn(x);
	/* Handlers end before their accounts go. */
	if (x->exec != NULL) {
		bool all = watch_exec_end(x->exec) && !watch_untaken(x->w);

		if (!all && (x->given.once || !x->stopping))
			cli_status(x->c, 75);
	}
	x->over = true;
	task_wake(x->writer);
}

/* Of what no account waits for: a reader may take its time. */
static void writer(void *arg)
{
	struct watching *x = arg;
	struct coi_err e = {0};

	while (!x->over) {
		if (watch_out_flush(x->out, &e) < 0)
			stop(x);
		task_sleep(-1);
	}
}

/* --- setting it up -----------------------------------------------------------
 */

static int add_accounts(struct watching *x, struct coi_err *e)
{
	size_t i, k;

	x->nnames = cli_values(x->c, "account", &x->names);
	for (i = 0; i < x->nnames; i++)
		for (k = 0; k < i; k++)
			if (strcmp(x->names[i], x->names[k]) == 0)
				return cli_usage(x->c, e,
						 "--account %s is given twice",
						 x->names[i]);
	if (x->nnames == 0) {
		free(x->names);
		x->names = mem_array(2, sizeof(*x->names));
		x->nnames = 1;
	}
	x->was_tried = mem_array(x->nnames, sizeof(*x->was_tried));
	for (i = 0; i < x->nnames; i++) {
		struct account *ac = cli_account_of(x->c, x->names[i], true, e);

		if (ac == NULL)
			return -1;
		if (x->exec != NULL && watch_exec_know(x->exec, ac, e) < 0) {
			account_free(ac);
			return -1;
		}
		if (watch_add(x->w, ac, e) < 0)
			return -1;
	}
	return 0;
}

/* The status, once all have ended. */
static void outcome(struct watching *x)
{
	const struct coi_err *why = watch_error(x->w);
	enum coi_code out = watch_out_code(x->out);

	if (out == COI_E_IO)
		cli_status(x->c, err_status(out));
	else if (watch_failed(x->w) > 0 && x->stopping)
		cli_status(x->c, 1);
	else if (watch_failed(x->w) > 0)
		cli_status(x->c, err_status(why->code));
}

static int run(struct cli *c, struct coi_err *e)
{
	struct watching x = {.c = c};
	struct watch_opts o = {.fetch = {.since = INT64_MIN,
					 .limit = -1,
					 .stopped = cli_stopped,
					 .line = print_line,
					 .flush = flush,
					 .warn = warn},
			       .decode = {.save_fd = -1},
			       .idle_ms = 240000,
			       .poll_ms = 30000,
			       .retry_ms = 300000,
			       .event = on_event,
			       .moved = on_moved,
			       .ended = on_ended};
	const char **boxes = NULL;
	bool readable;
	int rc = -1;

	if (cli_has(c, "json-schema"))
		return schema_print(c, "event", e);
	store_stopped(cli_stopped);
	o.fetch.ctx = o.ctx = &x;
	o.fetch.nmailboxes = cli_values(c, "mailbox", &boxes);
	o.fetch.mailboxes = boxes;
	if (watch_given_read(c, &x.given, &o, e) < 0 ||
	    watch_exec_new(c, o.fetch.consumer, &x.exec, e) < 0)
		goto out;
	x.beat_at = sys_mono_ms() + x.given.heartbeat * 1000;
	if (x.given.run_for > 0)
		x.end_at = sys_mono_ms() + x.given.run_for * 1000;
	if (x.exec != NULL) {
		o.fetch.no_commit = true;
		o.fetch.handed = handed;
		o.checked = checked;
		o.room = room;
	}
	readable = isatty(1) && !cli_json(c);
	x.out = watch_out_new(readable, readable && getenv("NO_COLOR") == NULL);
	x.sys = watch_system_new(e);
	if (x.sys == NULL)
		goto out;
	x.w = watch_new(&o);
	if (add_accounts(&x, e) < 0)
		goto out;
	x.control = task_start(control, &x);
	x.writer = task_start(writer, &x);
	if (x.control == NULL || x.writer == NULL) {
		err_set(e, COI_E_OS, "no memory for another task");
		goto out;
	}
	task_loop();
	rc = watch_out_flush(x.out, e);
	if (rc < 0 && (e->code == COI_E_PIPE || e->code == COI_E_CANCELLED)) {
		err_clear(e);
		rc = 0;
	}
	outcome(&x);
out:
	watch_exec_free(x.exec);
	watch_free(x.w);
	watch_system_free(x.sys);
	watch_out_free(x.out);
	fetching_end(&o.decode);
	free(boxes);
	free(x.names);
	free(x.was_tried);
	return rc;
}

static const struct cli_tool tool = {
    .name = "coi-watch",
    .summary = "Print what is new as it arrives, one JSON object a line.",
    .usage = usage,
    .opts = opts,
    .examples = examples,
    .run = run};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
