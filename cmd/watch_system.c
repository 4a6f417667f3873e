#include "watch_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "core/mem.h"
#include "core/notify.h"
#include "core/shell.h"
#include "core/sys.h"

#define FILES_MAX 65536
#define SETTLE_MS 1000 /* a network that changes does so more than once */
#define QUIET_MS 3000  /* then memory that nobody needs is given back */
#define SLEPT_MS 2000  /* so long the machine was suspended, at least */

struct watch_system {
	int signals[2];
	int clock, beat, net; /* -1: not to be had */
	int64_t asleep;	      /* CLOCK_BOOTTIME less CLOCK_MONOTONIC */
	int64_t changed_at, trim_at;
	struct notify *manager;
	struct buf state; /* as it was told */
	int64_t life_ms, life_at;
};

/* --- signals ----------------------------------------------------------------
 */

static volatile sig_atomic_t signal_fd = -1;

static void on_signal(int sig)
{
	unsigned char octet = (unsigned char)sig;
	int saved = errno;

	if (signal_fd >= 0 && write((int)signal_fd, &octet, 1) < 0)
		errno = saved; /* full: enough are waiting */
	errno = saved;
}

static int catch_signals(struct watch_system *s, struct coi_err *e)
{
	struct sigaction sa = {.sa_handler = on_signal};

	if (pipe2(s->signals, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(e, COI_E_OS, errno, "pipe");
	signal_fd = s->signals[1];
	sigemptyset(&sa.sa_mask);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	cli_stop_to(s->signals[1]);
	return 0;
}

static unsigned take_signals(struct watch_system *s)
{
	unsigned char v[64];
	unsigned todo = 0;
	ssize_t i, n;

	while ((n = read(s->signals[0], v, sizeof(v))) > 0)
		for (i = 0; i < n; i++)
			todo |= v[i] == SIGUSR1	 ? SYSTEM_LOOK
				: v[i] == SIGHUP ? SYSTEM_RELOAD
						 : SYSTEM_STOP;
	return todo;
}

/* --- clock and network ------------------------------------------------------
 */

static int64_t asleep_ms(void)
{
	struct timespec boot = {0}, mono = {0};

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (int64_t)(boot.tv_sec - mono.tv_sec) * 1000 +
	       (boot.tv_nsec - mono.tv_nsec) / 1000000;
}

/* Ends a poll(2) when the clock is set, and after a suspension. */
static int clock_new(void)
{
	struct itimerspec far = {.it_value.tv_sec = INT32_MAX};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		(void)timerfd_settime(
		    fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
		    NULL);
	return fd;
}

/* A minute that goes on while the machine sleeps. */
static int beat_new(void)
{
	struct itimerspec minute = {.it_interval.tv_sec = 60,
				    .it_value.tv_sec = 60};
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		(void)timerfd_settime(fd, 0, &minute, NULL);
	return fd;
}

static int net_new(void)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_IPV4_IFADDR |
					      RTMGRP_IPV6_IFADDR};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool drain(int fd)
{
	char v[8192];
	bool any = false;
	ssize_t n;

	do {
		n = read(fd, v, sizeof(v));
		any |= n > 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	} while (n > 0);
	return any;
}

/* --- all of it --------------------------------------------------------------
 */

static void more_files(void)
{
	struct rlimit r;

	shell_keep_limit();
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max < FILES_MAX ? r.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

/*
 * Buffers of what was read go back to the system at once; with the thresholds
 * that glibc finds by itself they would stay as holes between what is kept.
 */
static void lean(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
}

bool watch_system_busy(struct watch_system *s)
{
	bool first = s->trim_at == 0;

	s->trim_at = sys_mono_ms() + QUIET_MS;
	return first;
}

static void trim(struct watch_system *s)
{
	if (s->trim_at == 0 || sys_mono_ms() < s->trim_at)
		return;
	s->trim_at = 0;
	malloc_trim(0);
}

static void life(struct watch_system *s)
{
	const char *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");
	uint64_t n = 0, p = 0;

	if (s->manager == NULL || usec == NULL ||
	    !str_u64(str_of(usec), INT64_MAX, &n) || n < 2000)
		return;
	if (pid != NULL &&
	    (!str_u64(str_of(pid), INT32_MAX, &p) || (pid_t)p != getpid()))
		return;
	s->life_ms = (int64_t)(n / 2000);
	s->life_at = sys_mono_ms();
}

struct watch_system *watch_system_new(struct coi_err *e)
{
	struct watch_system *s = mem_alloc(sizeof(*s));

	*s = (struct watch_system){.signals = {-1, -1}};
	lean();
	more_files();
	s->clock = clock_new();
	s->beat = beat_new();
	s->net = net_new();
	s->asleep = asleep_ms();
	s->manager = notify_new(getenv("NOTIFY_SOCKET"));
	life(s);
	/* Neither handlers nor password commands speak for us. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (catch_signals(s, e) == 0)
		return s;
	watch_system_free(s);
	return NULL;
}

void watch_system_free(struct watch_system *s)
{
	int fds[5];
	size_t i;

	if (s == NULL)
		return;
	cli_stop_to(-1);
	signal_fd = -1;
	notify_free(s->manager);
	buf_free(&s->state);
	fds[0] = s->signals[0];
	fds[1] = s->signals[1];
	fds[2] = s->clock;
	fds[3] = s->beat;
	fds[4] = s->net;
	for (i = 0; i < 5; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(s);
}

size_t watch_system_poll(struct watch_system *s, struct pollfd p[SYSTEM_FDS])
{
	p[0] = (struct pollfd){.fd = s->signals[0], .events = POLLIN};
	p[1] = (struct pollfd){.fd = s->clock, .events = POLLIN};
	p[2] = (struct pollfd){.fd = s->beat, .events = POLLIN};
	p[3] = (struct pollfd){.fd = s->net, .events = POLLIN};
	return 4;
}

unsigned watch_system_take(struct watch_system *s,
			   const struct pollfd p[SYSTEM_FDS], size_t n)
{
	unsigned todo = 0;
	int64_t asleep = asleep_ms();

	if (p[0].revents != 0)
		todo |= take_signals(s);
	if (p[1].revents != 0 && drain(s->clock)) {
		close(s->clock);
		s->clock = clock_new();
		todo |= SYSTEM_LOOK;
	}
	if (p[2].revents != 0)
		drain(s->beat);
	if (asleep - s->asleep > SLEPT_MS)
		todo |= SYSTEM_LOOK;
	s->asleep = asleep;
	if (p[3].revents != 0 && drain(s->net))
		s->changed_at = sys_mono_ms() + SETTLE_MS;
	if (s->changed_at != 0 && sys_mono_ms() >= s->changed_at) {
		s->changed_at = 0;
		todo |= SYSTEM_LOOK;
	}
	return todo;
}

int64_t watch_system_next(const struct watch_system *s)
{
	int64_t at[] = {s->life_at, s->changed_at, s->trim_at}, t = 0;
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		if (at[i] != 0 && (t == 0 || at[i] < t))
			t = at[i];
	return t;
}

void watch_system_alive(struct watch_system *s)
{
	int64_t now = sys_mono_ms();

	trim(s);
	if (s->life_ms == 0 || now < s->life_at)
		return;
	s->life_at = now + s->life_ms;
	notify_say(s->manager, "WATCHDOG=1");
}

void watch_system_say(struct watch_system *s, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	if (s->manager == NULL)
		return;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	notify_say(s->manager, buf_cstr(&b));
	buf_free(&b);
}

void watch_system_state(struct watch_system *s, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	if (s->manager == NULL)
		return;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	if (!str_eq(buf_view(&b), buf_view(&s->state)))
		notify_say(s->manager, buf_cstr(&b));
	buf_free(&s->state);
	s->state = b;
}

void watch_system_reloading(struct watch_system *s)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	watch_system_say(s, "RELOADING=1\nMONOTONIC_USEC=%lld",
			 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}
