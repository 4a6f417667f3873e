#include "watch_exec.h"

#include <stdlib.h>
#include <unistd.h>

#include "coi/handler.h"
#include "core/file.h"

#define GRACE_MS 3000 /* of the 5 s in which we end */

struct watch_exec {
	struct cli *c;
	struct handler *h;
	const char *consumer;
	struct account_net net;
	struct account **known;
	size_t n, cap;
	bool terminal;
};

extern char **environ;

static void on_warn(void *ctx, const char *text)
{
	struct watch_exec *x = ctx;

	cli_warn(x->c, "%s", text);
}

/* Of a handler: for the log as it is, for a terminal made harmless. */
static void on_output(void *ctx, struct str s)
{
	struct watch_exec *x = ctx;
	struct coi_err ignored = {0};
	struct buf b = {0};
	struct str line;

	if (!x->terminal) {
		file_write_fd(2, s.p, s.n, &ignored);
		return;
	}
	while (s.n > 0) {
		ptrdiff_t lf = str_chr(s, '\n');

		line = str_sub(s, 0, lf < 0 ? s.n : (size_t)lf);
		s = str_sub(s, line.n + (lf >= 0), s.n);
		buf_clean(&b, line);
		if (lf >= 0)
			buf_c(&b, '\n');
	}
	file_write_fd(2, b.p, b.n, &ignored);
	buf_free(&b);
}

static int read_options(struct cli *c, struct handler_opts *o,
			struct coi_err *e)
{
	int64_t jobs = 4, tries = 5, most = 3, limit = 60;

	if (cli_number(c, "jobs", 1, 256, &jobs, e) < 0 ||
	    cli_number(c, "tries", 1, 1000, &tries, e) < 0 ||
	    cli_number(c, "max-auto", 0, 1000000, &most, e) < 0 ||
	    cli_duration(c, "exec-timeout", &limit, e) < 0)
		return -1;
	if (limit < 1 || limit > 86400)
		return cli_usage(c, e, "--exec-timeout must be from 1s to 1d");
	o->command = cli_value(c, "exec");
	if (str_trim(str_of(o->command)).n == 0)
		return cli_usage(c, e, "--exec: no command");
	o->jobs = (unsigned)jobs;
	o->tries = (unsigned)tries;
	o->max_auto = (unsigned)most;
	o->timeout_ms = (int)limit * 1000;
	o->reply = cli_has(c, "reply");
	o->environ_base = environ;
	return 0;
}

int watch_exec_new(struct cli *c, const char *consumer, struct watch_exec **x,
		   struct coi_err *e)
{
	static const char *const with[] = {"reply", "jobs",	"exec-timeout",
					   "tries", "max-auto", NULL};
	struct handler_opts o = {
	    .stopped = cli_stopped, .warn = on_warn, .output = on_output};
	size_t i;

	*x = NULL;
	if (!cli_has(c, "exec")) {
		for (i = 0; with[i] != NULL; i++)
			if (cli_has(c, with[i]))
				return cli_usage(c, e,
						 "--%s has no effect without "
						 "--exec",
						 with[i]);
		return 0;
	}
	if (cli_has(c, "no-commit"))
		return cli_usage(c, e,
				 "--no-commit and --exec exclude each other: "
				 "a message is acknowledged by its handler");
	*x = mem_alloc(sizeof(**x));
	o.ctx = *x;
	(*x)->c = c;
	(*x)->consumer = consumer;
	(*x)->net = cli_net(c);
	(*x)->terminal = isatty(2);
	if (read_options(c, &o, e) == 0)
		(*x)->h = handler_new(&o, e);
	if ((*x)->h != NULL)
		return 0;
	free(*x);
	*x = NULL;
	return -1;
}

void watch_exec_free(struct watch_exec *x)
{
	if (x == NULL)
		return;
	handler_free(x->h, 0);
	free(x->known);
	free(x);
}

int watch_exec_know(struct watch_exec *x, struct account *ac, struct coi_err *e)
{
	size_t i;

	if (handler_check(x->h, ac, e) < 0)
		return -1;
	for (i = 0; i < x->n; i++)
		if (strcmp(x->known[i]->section, ac->section) == 0)
			break;
	if (i == x->n) {
		x->known = mem_more(x->known, x->n, &x->cap, sizeof(*x->known));
		x->n++;
	}
	x->known[i] = ac;
	return 0;
}

static struct handler_account from(struct watch_exec *x, struct account *ac)
{
	return (struct handler_account){ac, &x->net, x->consumer};
}

int watch_exec_handed(struct watch_exec *x, const struct message *m,
		      struct coi_err *e)
{
	struct handler_account f = from(x, NULL);
	struct buf line = {0};
	size_t i;
	int rc;

	for (i = 0; i < x->n; i++)
		if (str_is(m->meta.account, x->known[i]->section))
			f.account = x->known[i];
	if (f.account == NULL)
		return err_set(e, COI_E_INTERNAL, "a message of no account");
	message_json(&line, m);
	rc = handler_take(x->h, &f, m, buf_view(&line), e);
	buf_free(&line);
	return rc;
}

int watch_exec_checked(struct watch_exec *x, struct account *ac,
		       struct coi_err *e)
{
	struct handler_account f = from(x, ac);

	return handler_look(x->h, &f, e);
}

bool watch_exec_room(struct watch_exec *x, struct account *ac)
{
	struct handler_account f = from(x, ac);

	return handler_missed(x->h, &f);
}

void watch_exec_stop(struct watch_exec *x)
{
	handler_stop(x->h, GRACE_MS);
}

bool watch_exec_idle(struct watch_exec *x)
{
	return handler_idle(x->h, false, 0);
}

bool watch_exec_end(struct watch_exec *x)
{
	struct handler_stats s;

	handler_end(x->h, GRACE_MS);
	s = handler_stats(x->h);
	if (cli_verbose(x->c) > 0)
		cli_warn(
		    x->c,
		    "%llu handled, %llu failures, %llu dead letters, "
		    "%llu answers sent, %llu automatic ones left out",
		    (unsigned long long)s.done, (unsigned long long)s.failures,
		    (unsigned long long)s.dead, (unsigned long long)s.answers,
		    (unsigned long long)s.silenced);
	return s.waiting + s.running == 0;
}
