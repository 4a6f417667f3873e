#include "coi/account_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/shell.h"
#include "core/sys.h"
#include "core/task.h"

struct run {
	pid_t pid;
	int out, err; /* -1: at its end */
	struct buf text, errors;
	int status;
	bool ended;
};

#define ERRORS_MAX 2048

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int start(struct run *r, const char *command, char *const *env,
		 struct coi_err *e)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, none, rc = -1;

	none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (none < 0 || pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		err_errno(e, COI_E_OS, errno, "cannot make a pipe");
	else
		rc = shell_spawn(command, env, none, out[1], err[1], &r->pid,
				 e);
	shut(&none);
	shut(&out[1]);
	shut(&err[1]);
	r->out = out[0];
	r->err = err[0];
	if (rc < 0) {
		shut(&r->out);
		shut(&r->err);
		return -1;
	}
	fcntl(r->out, F_SETFL, O_NONBLOCK);
	fcntl(r->err, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Takes what is there; what is over max is dropped and told. */
static bool drain(int *fd, struct buf *b, size_t max)
{
	char p[1024];
	bool over = false;
	ssize_t k;

	while (*fd >= 0) {
		k = read(*fd, p, sizeof(p));
		if (k > 0) {
			size_t room = max - b->n;

			over |= (size_t)k > room;
			buf_add(b, p, (size_t)k < room ? (size_t)k : room);
			if (over)
				break; /* others get a turn */
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k == 0 || errno != EAGAIN)
			shut(fd);
		break;
	}
	secret_wipe(p, sizeof(p));
	return over;
}

static void reap(struct run *r, int flags)
{
	pid_t k;

	if (r->ended)
		return;
	do
		k = waitpid(r->pid, &r->status, flags);
	while (k < 0 && errno == EINTR);
	r->ended = k == r->pid || k < 0;
}

/*
 * Until the command has ended: an agent that it started may keep the pipes
 * open for ever, so their ends alone do not count.
 */
static int follow(struct run *r, const char *what, int cancel_fd, int limit_ms,
		  struct coi_err *e)
{
	int64_t end = sys_mono_ms() + limit_ms;
	bool over = false;

	for (;;) {
		struct pollfd p[] = {{r->out, POLLIN, 0},
				     {r->err, POLLIN, 0},
				     {cancel_fd, POLLIN, 0}};
		int64_t left = end - sys_mono_ms();
		/* Nothing tells the end but asking, once the pipes are shut. */
		int nap = r->out < 0 && r->err < 0 ? 2 : 50;

		reap(r, WNOHANG);
		over |= drain(&r->out, &r->text, LIMIT_SECRET);
		drain(&r->err, &r->errors, ERRORS_MAX);
		if (over)
			return err_set(e, COI_E_CONFIG,
				       "%s gives more than %u octets", what,
				       LIMIT_SECRET);
		if (r->ended)
			return 0;
		if (left <= 0) {
			err_set(e, COI_E_AUTH, "%s did not end in %d s", what,
				limit_ms / 1000);
			err_hint(e, "it runs without a terminal and must not "
				    "ask; run it by hand to see");
			return -1;
		}
		if (task_poll_deaf(p, 3, left < nap ? (int)left : nap) > 0 &&
		    p[2].revents != 0)
			return err_set(e, COI_E_CANCELLED, "stopped");
	}
}

/* It ended; was it with success? */
static int judge(struct run *r, const char *what, struct coi_err *e)
{
	struct str rest = buf_view(&r->errors), line = STR_NONE;
	int code = WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1;
	struct buf b = {0};

	if (code == 0)
		return 0;
	while (str_line(&rest, &line) && str_trim(line).n == 0)
		;
	if (code >= 0)
		buf_fmt(&b, "%s failed with status %d", what, code);
	else
		buf_fmt(&b, "%s was ended by signal %d", what,
			WTERMSIG(r->status));
	line = str_trim(line);
	if (line.n > 0)
		buf_fmt(&b, ": %.*s", STR_ARG(str_sub(line, 0, 200)));
	/* 126, 127: it cannot be run at all. */
	err_set(e, code == 126 || code == 127 ? COI_E_CONFIG : COI_E_AUTH, "%s",
		buf_cstr(&b));
	err_hint(e, "run the command by hand; it gets no terminal here");
	buf_free(&b);
	return -1;
}

struct secret *secret_run(const char *what, const char *command,
			  char *const *env, int cancel_fd, int limit_ms,
			  struct coi_err *e)
{
	struct run r = {.pid = -1, .out = -1, .err = -1};
	struct secret *s = NULL;

	/* Room at once: growing would leave copies behind. */
	buf_room(&r.text, LIMIT_SECRET + 1);
	if (start(&r, command, env, e) == 0 &&
	    follow(&r, what, cancel_fd, limit_ms, e) == 0 &&
	    judge(&r, what, e) == 0)
		s = secret_line(what, buf_view(&r.text), e);
	if (r.pid > 0 && !r.ended) {
		kill(-r.pid, SIGKILL);
		reap(&r, 0);
	}
	shut(&r.out);
	shut(&r.err);
	buf_wipe(&r.text);
	buf_free(&r.errors);
	return s;
}
