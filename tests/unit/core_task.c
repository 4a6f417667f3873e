#include "core/task.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/sys.h"
#include "test.h"

static char trail[4096];
static size_t ntrail;

static void step(char c)
{
	if (ntrail < sizeof(trail) - 1)
		trail[ntrail++] = c;
	trail[ntrail] = '\0';
}

static void clear(void)
{
	ntrail = 0;
	trail[0] = '\0';
}

static void three(void *arg)
{
	const char *name = arg;
	int i;

	for (i = 0; i < 3; i++) {
		step(name[i]);
		task_sleep(0);
	}
}

TEST(turns, "tasks take turns")
{
	clear();
	CHECK(task_self() == NULL);
	CHECK(task_start(three, (void *)"abc") != NULL);
	CHECK(task_start(three, (void *)"123") != NULL);
	task_loop();
	CHECK_STR(str_of(trail), "a1b2c3");
	CHECK(task_self() == NULL);
}

TEST(nothing, "a loop without tasks ends at once")
{
	task_loop();
	CHECK(task_self() == NULL);
}

static int64_t nap_start;

static void nap(void *arg)
{
	const int *ms = arg;

	task_sleep(*ms);
	/* The clock is cut to milliseconds, at both ends. */
	CHECK(sys_mono_ms() - nap_start >= *ms - 1);
	step((char)('0' + *ms / 20));
}

TEST(order, "all sleep at the same time, and none wakes too early")
{
	int ms[] = {100, 20, 60, 1000, 80};
	size_t i;

	clear();
	nap_start = sys_mono_ms();
	for (i = 0; i < 5; i++)
		(void)task_start(nap, &ms[i]);
	task_loop();
	CHECK_INT(ntrail, 5);
	CHECK(trail[4] == '0' + 50);
}

struct pipes {
	int fd[2];
	int got;
	short revents;
};

static void reader(void *arg)
{
	struct pipes *x = arg;
	struct pollfd p[] = {{-1, POLLIN, 0x7f}, {x->fd[0], POLLIN, 0x7f}};
	char c;

	x->got = task_poll(p, 2, -1);
	CHECK_INT(p[0].revents, 0);
	x->revents = p[1].revents;
	if (read(x->fd[0], &c, 1) == 1)
		step(c);
}

static void writer(void *arg)
{
	struct pipes *x = arg;

	step('w');
	task_sleep(10);
	CHECK_INT(write(x->fd[1], "r", 1), 1);
}

TEST(pipe_wait, "a descriptor that becomes ready ends a wait without end")
{
	struct pipes x = {.got = -2};

	CHECK_INT(pipe(x.fd), 0);
	clear();
	(void)task_start(reader, &x);
	(void)task_start(writer, &x);
	task_loop();
	CHECK_STR(str_of(trail), "wr");
	CHECK_INT(x.got, 1);
	CHECK_INT(x.revents, POLLIN);
	close(x.fd[0]);
	close(x.fd[1]);
}

static int shared_fd;
static short asked[] = {POLLIN, POLLOUT, POLLIN};
static int answers[3];

static void on_shared(void *arg)
{
	short *events = arg;
	struct pollfd p = {.fd = shared_fd, .events = *events};

	answers[events - asked] = task_poll(&p, 1, 30);
	CHECK((p.revents & ~(*events | POLLERR | POLLHUP | POLLNVAL)) == 0);
}

TEST(shared, "tasks that wait for one descriptor get what they asked for")
{
	int fd[2], i;

	CHECK_INT(pipe(fd), 0);
	shared_fd = fd[1]; /* writable, never readable */
	for (i = 0; i < 3; i++)
		(void)task_start(on_shared, &asked[i]);
	task_loop();
	CHECK_INT(answers[0], 0);
	CHECK_INT(answers[1], 1);
	CHECK_INT(answers[2], 0);
	close(fd[0]);
	close(fd[1]);
}

static void on_closed(void *arg)
{
	int *fd = arg;
	struct pollfd p = {.fd = *fd, .events = POLLIN};

	CHECK_INT(task_poll(&p, 1, 1000), 1);
	CHECK_INT(p.revents, POLLNVAL);
	step('x');
}

TEST(closed, "a closed descriptor is told to who waits for it, only")
{
	int fd[2], ms = 20;

	CHECK_INT(pipe(fd), 0);
	close(fd[0]);
	close(fd[1]);
	clear();
	(void)task_start(on_closed, &fd[0]);
	(void)task_start(nap, &ms);
	task_loop();
	CHECK_STR(str_of(trail), "x1");
}

static struct task *sleeper_task;

static void sleeper(void *arg)
{
	int *n = arg;
	struct pollfd p = {.fd = -1, .events = POLLIN, .revents = 1};

	CHECK(task_self() == sleeper_task);
	CHECK_INT(task_poll(&p, 1, -1), 0);
	CHECK_INT(p.revents, 0);
	++*n;
	/* Told twice while it did not wait: once ahead. */
	task_sleep(-1);
	++*n;
	CHECK_INT(task_poll_deaf(NULL, 0, 10), 0);
	task_sleep(-1);
	++*n;
}

static void waker(void *arg)
{
	int *n = arg;

	CHECK_INT(*n, 0);
	task_wake(sleeper_task);
	task_wake(sleeper_task);
	task_sleep(5); /* the sleeper is in its deaf wait now */
	CHECK_INT(*n, 2);
	task_wake(sleeper_task);
	CHECK_INT(*n, 2);
}

TEST(wakes, "a wake ends a wait, is kept for the next, and not for a deaf one")
{
	int n = 0;

	sleeper_task = task_start(sleeper, &n);
	(void)task_start(waker, &n);
	task_loop();
	CHECK_INT(n, 3);
}

static void self_waker(void *arg)
{
	int *n = arg;

	task_wake(task_self());
	task_sleep(-1);
	++*n;
}

TEST(wake_self, "a task may wake itself ahead")
{
	int n = 0;

	(void)task_start(self_waker, &n);
	task_loop();
	CHECK_INT(n, 1);
}

static bool busy_over;

static void busy(void *arg)
{
	int64_t end = sys_mono_ms() + 300;

	while (sys_mono_ms() < end)
		task_turn();
	busy_over = true;
}

static void patient(void *arg)
{
	task_sleep(10);
	step(busy_over ? 'n' : 'y');
}

TEST(turn, "a busy task gives the others a turn")
{
	clear();
	task_turn(); /* outside of a task: nothing */
	(void)task_start(busy, NULL);
	(void)task_start(patient, NULL);
	task_loop();
	CHECK_STR(str_of(trail), "y");
}

TEST(outside, "outside of a task it is poll(2)")
{
	struct pipes x = {.got = -2};
	struct pollfd p;
	int64_t start = sys_mono_ms();

	CHECK_INT(pipe(x.fd), 0);
	p = (struct pollfd){.fd = x.fd[0], .events = POLLIN};
	CHECK_INT(task_poll(&p, 1, 20), 0);
	CHECK(sys_mono_ms() - start >= 19);
	CHECK_INT(write(x.fd[1], "r", 1), 1);
	CHECK_INT(task_poll(&p, 1, -1), 1);
	CHECK_INT(task_poll_deaf(&p, 1, -1), 1);
	close(x.fd[0]);
	close(x.fd[1]);
}

static void keeps_errno(void *arg)
{
	double *sum = arg, x = *sum;
	int i;

	for (i = 0; i < 50; i++) {
		errno = i + 100;
		x += 0.5;
		task_sleep(0);
	}
	*sum = x;
}

TEST(registers, "what a task computes survives the others")
{
	double v[20];
	int i;

	for (i = 0; i < 20; i++) {
		v[i] = i;
		(void)task_start(keeps_errno, &v[i]);
	}
	task_loop();
	for (i = 0; i < 20; i++)
		CHECK(v[i] == i + 25.0);
}

static void child(void *arg)
{
	int *left = arg;

	if (--*left > 0)
		CHECK(task_start(child, left) != NULL);
	task_sleep(0);
	step('.');
}

TEST(chain, "tasks start tasks")
{
	int left = 500;

	clear();
	(void)task_start(child, &left);
	task_loop();
	CHECK_INT(left, 0);
	CHECK_INT(ntrail, 500);
}

/* Uses `deep` octets of stack, then waits with little. */
static size_t dig(size_t deep)
{
	volatile char block[4096];
	size_t i;

	for (i = 0; i < sizeof(block); i += 64)
		block[i] = (char)deep;
	if (deep <= sizeof(block))
		return (size_t)block[0];
	return dig(deep - sizeof(block)) + (size_t)block[64];
}

static void digger(void *arg)
{
	const int *ms = arg;

	CHECK(dig((size_t)400 * 1024) != 1);
	task_sleep(*ms);
}

TEST(deep, "400 KiB of stack can be used")
{
	int ms = 0, i;

	for (i = 0; i < 3; i++)
		(void)task_start(digger, &ms);
	task_loop();
}

static long resident_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long size, resident = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Checking tools have memory of their own for each stack. */
static bool memory_counts(void)
{
#ifdef __has_feature
#if __has_feature(address_sanitizer)
	return false;
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
	return false;
#endif
	return getenv("TEST_SLOW") == NULL;
}

static void watcher(void *arg)
{
	task_sleep(2500);
	*(long *)arg = resident_kb();
}

TEST(small, "200 tasks that wait cost little memory, however deep they were")
{
	long before = resident_kb(), during = 0;
	int i, ms = 2600;

	for (i = 0; i < 200; i++)
		CHECK(task_start(digger, &ms) != NULL);
	(void)task_start(watcher, &during);
	task_loop();
	if (memory_counts())
		CHECK(during - before < 200 * 20);
}

TEST(flat, "2000 tasks in turn leave nothing behind")
{
	long before = 0;
	int i, round;

	for (round = 0; round < 20; round++) {
		clear();
		for (i = 0; i < 100; i++)
			(void)task_start(three, (void *)"abc");
		task_loop();
		CHECK_INT(ntrail, 300);
		if (round == 0)
			before = resident_kb();
	}
	if (memory_counts())
		CHECK(resident_kb() < before + 256);
}

TEST_MAIN
