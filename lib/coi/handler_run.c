/* One run of a handler: a process group, its output, its time. */
#include "coi/handler_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/shell.h"
#include "core/sys.h"

#define TERM_MS 2000	/* between SIGTERM and SIGKILL */
#define STOP_MS 300	/* the same when we are to end */
#define GIVE_UP_MS 2000 /* after SIGKILL */
#define LINGER_MS 100	/* for output after the end */
#define LINE_MAX_KEPT 160

struct proc {
	struct handler *h;
	struct run *r;
	pid_t pid;
	int pidfd;    /* readable when it ended; -1: the system has none */
	int out, log; /* -1: at its end */
	siginfo_t how;
	bool ended;
	size_t passed; /* octets handed on */
	struct buf line, last;
	int64_t end, linger;
	int64_t kill_at; /* 0: no SIGTERM yet */
	bool killed, gone, stopped;
	const char *broke; /* why it was ended */
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A file in memory: nothing to feed, and nobody minds if it is not read. */
static int input(struct str line, struct coi_err *e)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	if (fd < 0)
		return err_errno(e, COI_E_OS, errno, "no memory for a message");
	if (file_write_fd(fd, line.p, line.n, e) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return err_set(e, COI_E_OS, "no memory for a message");
	}
	return fd;
}

static int start(struct proc *p, const struct job *j, struct coi_err *e)
{
	bool reply = p->h->o.reply;
	int out[2] = {-1, -1}, log[2] = {-1, -1}, in = -1, rc = -1;
	char **env = NULL;

	if ((reply && pipe2(out, O_CLOEXEC) < 0) || pipe2(log, O_CLOEXEC) < 0) {
		err_errno(e, COI_E_OS, errno, "cannot make a pipe");
		goto done;
	}
	in = input(buf_view(&j->line), e);
	if (in < 0)
		goto done;
	env = env_make(p->h, j);
	rc = shell_spawn(p->h->o.command, env, in, reply ? out[1] : log[1],
			 log[1], &p->pid, e);
	if (rc < 0)
		goto done;
	p->out = out[0];
	p->log = log[0];
	out[0] = log[0] = -1;
	if (p->out >= 0)
		fcntl(p->out, F_SETFL, O_NONBLOCK);
	fcntl(p->log, F_SETFL, O_NONBLOCK);
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
done:
	env_free(env);
	shut(&in);
	shut(&out[0]);
	shut(&out[1]);
	shut(&log[0]);
	shut(&log[1]);
	return rc;
}

/* --- what it prints --------------------------------------------------------
 */

/* The last line of it that is not empty says most. */
static void note_lines(struct proc *p, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != '\n') {
			if (p->line.n < LINE_MAX_KEPT)
				buf_c(&p->line, s.p[i]);
			continue;
		}
		if (str_trim(buf_view(&p->line)).n > 0) {
			struct buf old = p->last;

			p->last = p->line;
			p->line = old;
		}
		buf_clear(&p->line);
	}
}

static void take_log(struct proc *p, struct str s)
{
	struct handler *h = p->h;
	size_t room = OUTPUT_OCTETS - p->passed;

	note_lines(p, s);
	if (room == 0 || h->o.output == NULL)
		return;
	h->o.output(h->o.ctx, str_sub(s, 0, room));
	p->passed += s.n < room ? s.n : room;
	if (p->passed == OUTPUT_OCTETS)
		handler_warn(h,
			     "a handler prints more than %u kB; the rest is "
			     "dropped",
			     OUTPUT_OCTETS / 1024);
}

static void take_out(struct proc *p, struct str s)
{
	if (p->r->out.n + s.n > ANSWER_OCTETS)
		p->broke = "printed more than 32 MB";
	else
		buf_str(&p->r->out, s);
}

/* Some of it, so that others get a turn; true when more is there. */
static bool drain(struct proc *p, int *fd,
		  void (*take)(struct proc *p, struct str s))
{
	char piece[16384];
	unsigned turns;
	ssize_t k;

	for (turns = 0; *fd >= 0 && turns < 16;) {
		k = read(*fd, piece, sizeof(piece));
		if (k > 0) {
			take(p, (struct str){piece, (size_t)k});
			turns++;
			continue;
		}
		if (k < 0 && errno == EINTR)
			continue;
		if (k == 0 || errno != EAGAIN)
			shut(fd);
		return false;
	}
	return *fd >= 0;
}

/* --- its end ---------------------------------------------------------------
 */

/* Not taken away yet: as long as it is there its group is ours. */
static void look(struct proc *p)
{
	siginfo_t si = {0};

	if (p->ended)
		return;
	if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0) {
		p->ended = errno != EINTR;
		return;
	}
	if (si.si_pid != p->pid)
		return;
	p->how = si;
	p->ended = true;
	p->linger = sys_mono_ms() + LINGER_MS;
}

static void hurry(struct proc *p, int64_t now)
{
	struct handler *h = p->h;

	if (p->kill_at == 0) {
		bool stop = h->stopping && now >= h->kill_at;

		if (p->ended || (p->broke == NULL && now < p->end && !stop))
			return;
		p->stopped = p->broke == NULL && now < p->end;
		if (p->broke == NULL)
			p->broke = p->stopped ? "stopped"
					      : "did not end in time";
		kill(-p->pid, SIGTERM);
		p->kill_at = now + (stop ? STOP_MS : TERM_MS);
	} else if (!p->killed && now >= p->kill_at) {
		kill(-p->pid, SIGKILL);
		p->killed = true;
	} else if (p->killed && now >= p->kill_at + GIVE_UP_MS) {
		p->gone = true; /* the system cannot end it */
	}
}

static bool over(const struct proc *p, int64_t now)
{
	if (!p->ended)
		return p->gone;
	if (p->out < 0 && p->log < 0)
		return true;
	/* It was told to end: its children get their time, too. */
	if (p->kill_at != 0)
		return p->killed;
	/* Who stays behind and keeps the output open holds up nobody. */
	return p->out < 0 || now >= p->linger;
}

static int nap(const struct proc *p, int64_t now)
{
	int64_t until = p->end;

	if (p->kill_at != 0)
		until = p->killed ? p->kill_at + GIVE_UP_MS : p->kill_at;
	else if (p->ended)
		until = p->linger;
	else if (p->h->stopping && p->h->kill_at < until)
		until = p->h->kill_at;
	if (p->pidfd < 0 && !p->ended && until > now + 10)
		return 10;
	return until <= now	     ? 0
	       : until - now > 60000 ? 60000
				     : (int)(until - now);
}

static void follow(struct proc *p)
{
	for (;;) {
		struct pollfd f[] = {{p->ended ? -1 : p->pidfd, POLLIN, 0},
				     {p->out, POLLIN, 0},
				     {p->log, POLLIN, 0}};
		int64_t now;
		bool more;

		look(p);
		more = drain(p, &p->out, take_out);
		more |= drain(p, &p->log, take_log);
		now = sys_mono_ms();
		hurry(p, now);
		if (p->broke != NULL)
			shut(&p->out);
		if (over(p, now) && !(more && !p->killed && p->kill_at == 0))
			return;
		f[1].fd = p->out;
		f[2].fd = p->log;
		task_poll(f, 3, more ? 0 : nap(p, now));
	}
}

static void reap(struct proc *p)
{
	if (p->kill_at != 0)
		kill(-p->pid, SIGKILL);
	while (p->ended && waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static enum verdict judge(struct proc *p)
{
	struct str said = str_trim(
	    buf_view(p->line.n > 0 ? &p->line : &p->last));
	struct buf b = {0};
	enum verdict v = RUN_FAILED;

	if (p->broke != NULL) {
		buf_z(&b, p->broke);
		v = p->stopped ? RUN_STOPPED : RUN_FAILED;
	} else if (p->how.si_code == CLD_EXITED) {
		int code = p->how.si_status;

		if (code == 0)
			return RUN_DONE;
		buf_fmt(&b, "exit status %d", code);
		/* 126, 127: it cannot be run, whatever the message. */
		v = code == 65				       ? RUN_NEVER
		    : code == 75 || code == 126 || code == 127 ? RUN_LATER
							       : RUN_FAILED;
	} else {
		buf_fmt(&b, "ended by signal %d", p->how.si_status);
	}
	if (said.n > 0) {
		buf_z(&b, ": ");
		buf_clean(&b, said);
	}
	snprintf(p->r->why, sizeof(p->r->why), "%s", buf_cstr(&b));
	buf_free(&b);
	return v;
}

enum verdict run_job(struct handler *h, const struct job *j, struct run *r)
{
	struct proc p = {
	    .h = h, .r = r, .pid = -1, .pidfd = -1, .out = -1, .log = -1};
	struct run **at;
	struct coi_err e = {0};
	enum verdict v;

	r->task = task_self();
	if (start(&p, j, &e) < 0) {
		snprintf(r->why, sizeof(r->why), "%.250s", e.msg);
		return RUN_LATER;
	}
	sys_point("handler.started");
	r->next = h->runs;
	h->runs = r;
	h->stats.running++;
	p.end = sys_mono_ms() + h->o.timeout_ms;
	follow(&p);
	for (at = &h->runs; *at != r; at = &(*at)->next)
		;
	*at = r->next;
	h->stats.running--;
	reap(&p);
	sys_point("handler.ended");
	v = judge(&p);
	shut(&p.pidfd);
	shut(&p.out);
	shut(&p.log);
	buf_free(&p.line);
	buf_free(&p.last);
	return v;
}

void run_free(struct run *r)
{
	buf_free(&r->out);
}
