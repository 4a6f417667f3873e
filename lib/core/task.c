#include "core/task.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/switch.h"

#if defined(__SANITIZE_ADDRESS__)
#define TASK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TASK_ASAN 1
#endif
#endif
#ifdef TASK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __has_include
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef VALGRIND_STACK_REGISTER
#define VALGRIND_STACK_REGISTER(lo, hi) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

/* Address space, not memory: only what is touched counts. */
#ifdef TASK_ASAN
#define STACK ((size_t)8 * 1024 * 1024)
#else
#define STACK ((size_t)1024 * 1024)
#endif
#define SPARE_MAX 16 /* stacks kept for the next tasks */
#define TRIM_NS INT64_C(2000000000)
#define MS INT64_C(1000000)
#define TURN_NS (20 * MS)
#define NEVER INT64_MAX

enum state { READY, WAITING, ENDED };

struct task {
	struct task *prev, *next; /* all tasks */
	struct task *then;	  /* the ready ones */
	enum state state;
	void (*fn)(void *arg);
	void *arg;

	struct switch_at at;
	char *stack; /* its lowest page is the guard */
	unsigned vg_id;
	void *fake; /* AddressSanitizer's */

	struct pollfd *p;
	nfds_t n;
	int64_t due, trim; /* ns */
	char *depth;	   /* of the stack while it waits */
	bool deaf, woken;
	int result, num;
};

struct union_poll {
	struct pollfd *p;
	size_t n, cap;
	int *slot; /* by descriptor: its place in p plus one */
	size_t nslot;
};

static struct {
	struct task *all, *last, *running;
	struct task *ready, **ready_tail;
	int64_t since; /* ns, of its turn */
	struct switch_at home;
	const void *home_lo; /* AddressSanitizer's */
	size_t home_size;
	char *spare[SPARE_MAX];
	int nspare;
	struct union_poll u;
} sched = {.ready_tail = &sched.ready};

static int64_t now_ns(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static size_t page_size(void)
{
	static size_t size;

	if (size == 0)
		size = (size_t)sysconf(_SC_PAGESIZE);
	return size;
}

/* --- stacks ----------------------------------------------------------------
 */

static char *stack_new(void)
{
	char *p;

	if (sched.nspare > 0)
		return sched.spare[--sched.nspare];
	p = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1,
		 0);
	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p, page_size(), PROT_NONE) < 0) {
		munmap(p, STACK);
		return NULL;
	}
	return p;
}

static void stack_free(char *p)
{
#ifdef TASK_ASAN
	__asan_unpoison_memory_region(p, STACK);
#endif
	if (sched.nspare < SPARE_MAX)
		sched.spare[sched.nspare++] = p;
	else
		munmap(p, STACK);
}

static void stacks_drop(void)
{
	while (sched.nspare > 0)
		munmap(sched.spare[--sched.nspare], STACK);
}

/* What lies below the frames of a task that waits is given back. */
static void stack_trim(struct task *t)
{
#ifndef TASK_ASAN
	size_t page = page_size();
	uintptr_t lo = (uintptr_t)t->stack + page;
	uintptr_t hi = (uintptr_t)t->depth / page * page;

	hi -= 2 * page; /* the switch itself, and then some */
	if (hi > lo)
		(void)madvise((void *)lo, hi - lo, MADV_DONTNEED);
#endif
	t->trim = NEVER;
}

/* --- switching -------------------------------------------------------------
 */

static void make_ready(struct task *t)
{
	t->state = READY;
	t->then = NULL;
	*sched.ready_tail = t;
	sched.ready_tail = &t->then;
}

static void to_home(struct task *t)
{
#ifdef TASK_ASAN
	__sanitizer_start_switch_fiber(t->state == ENDED ? NULL : &t->fake,
				       sched.home_lo, sched.home_size);
#endif
	switch_to(&t->at, &sched.home);
#ifdef TASK_ASAN
	__sanitizer_finish_switch_fiber(t->fake, &sched.home_lo,
					&sched.home_size);
#endif
}

static void begin(void)
{
	struct task *t = sched.running;

#ifdef TASK_ASAN
	__sanitizer_finish_switch_fiber(NULL, &sched.home_lo, &sched.home_size);
#endif
	t->fn(t->arg);
	t->state = ENDED;
	to_home(t);
	__builtin_trap(); /* nobody comes back here */
}

static void task_free(struct task *t)
{
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		sched.all = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
	else
		sched.last = t->prev;
	VALGRIND_STACK_DEREGISTER(t->vg_id);
	stack_free(t->stack);
	free(t);
}

static void run(struct task *t)
{
#ifdef TASK_ASAN
	void *fake = NULL;
#endif

	sched.running = t;
	sched.since = now_ns();
#ifdef TASK_ASAN
	__sanitizer_start_switch_fiber(&fake, t->stack, STACK);
#endif
	switch_to(&sched.home, &t->at);
#ifdef TASK_ASAN
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
	sched.running = NULL;
	if (t->state == ENDED)
		task_free(t);
}

struct task *task_start(void (*fn)(void *arg), void *arg)
{
	char *stack = stack_new();
	size_t page = page_size();
	struct task *t;

	if (stack == NULL)
		return NULL;
	t = mem_alloc(sizeof(*t));
	t->fn = fn;
	t->arg = arg;
	t->stack = stack;
	t->vg_id = VALGRIND_STACK_REGISTER(stack + page, stack + STACK);
	switch_make(&t->at, stack + page, STACK - page, begin);
	t->prev = sched.last;
	if (t->prev != NULL)
		t->prev->next = t;
	else
		sched.all = t;
	sched.last = t;
	make_ready(t);
	return t;
}

struct task *task_self(void)
{
	return sched.running;
}

/* --- waiting ---------------------------------------------------------------
 */

static int wait_for(struct pollfd *p, nfds_t n, int ms, bool deaf)
{
	struct task *t = sched.running;
	nfds_t i;

	if (t == NULL)
		return poll(p, n, ms);
	for (i = 0; i < n; i++)
		p[i].revents = 0;
	t->p = p;
	t->n = n;
	t->deaf = deaf;
	t->result = 0;
	t->depth = __builtin_frame_address(0);
	if (t->woken && !deaf) {
		t->woken = false;
		make_ready(t);
	} else {
		int64_t now = now_ns();

		t->state = WAITING;
		t->due = ms < 0 ? NEVER : now + ms * MS;
		t->trim = now + TRIM_NS;
	}
	to_home(t);
	if (t->result < 0)
		errno = t->num;
	return t->result;
}

int task_poll(struct pollfd *p, nfds_t n, int ms)
{
	return wait_for(p, n, ms, false);
}

int task_poll_deaf(struct pollfd *p, nfds_t n, int ms)
{
	return wait_for(p, n, ms, true);
}

void task_sleep(int ms)
{
	(void)task_poll(NULL, 0, ms);
}

void task_wake(struct task *t)
{
	if (t->state == WAITING && !t->deaf)
		make_ready(t);
	else
		t->woken = true;
}

void task_turn(void)
{
	if (sched.running != NULL && now_ns() - sched.since > TURN_NS)
		(void)task_poll_deaf(NULL, 0, 0);
}

/* Each descriptor once, however many tasks wait for it. */
static void gather_one(struct union_poll *u, const struct pollfd *p)
{
	size_t fd = (size_t)p->fd;

	if (fd >= u->nslot) {
		size_t n = fd + 64;

		u->slot = mem_grow(u->slot, n * sizeof(*u->slot));
		memset(u->slot + u->nslot, 0,
		       (n - u->nslot) * sizeof(*u->slot));
		u->nslot = n;
	}
	if (u->slot[fd] == 0) {
		u->p = mem_more(u->p, u->n, &u->cap, sizeof(*u->p));
		u->p[u->n++] = (struct pollfd){.fd = p->fd};
		u->slot[fd] = (int)u->n;
	}
	u->p[u->slot[fd] - 1].events |= p->events;
}

/* Returns how long to wait: milliseconds, rounded up. */
static int gather(struct union_poll *u)
{
	int64_t due = NEVER, now;
	struct task *t;
	nfds_t i;

	u->n = 0;
	for (t = sched.all; t != NULL; t = t->next) {
		if (t->state != WAITING)
			continue;
		if (t->due < due)
			due = t->due;
		if (t->trim < due)
			due = t->trim;
		for (i = 0; i < t->n; i++)
			if (t->p[i].fd >= 0)
				gather_one(u, &t->p[i]);
	}
	if (sched.ready != NULL)
		return 0;
	if (due == NEVER)
		return -1;
	now = now_ns();
	if (due <= now)
		return 0;
	due = (due - now + MS - 1) / MS;
	return due > INT_MAX ? INT_MAX : (int)due;
}

static void give_one(const struct union_poll *u, struct task *t, int failed)
{
	nfds_t i;

	if (failed != 0 && t->n > 0) {
		t->result = -1;
		t->num = failed;
	}
	for (i = 0; i < t->n && failed == 0; i++) {
		struct pollfd *p = &t->p[i];

		if (p->fd < 0)
			continue;
		p->revents = u->p[u->slot[p->fd] - 1].revents &
			     (short)(p->events | POLLERR | POLLHUP | POLLNVAL);
		t->result += p->revents != 0;
	}
}

/* What poll(2) said, to those it was for. */
static void give(struct union_poll *u, int failed)
{
	int64_t now = now_ns();
	struct task *t;
	size_t i;

	for (t = sched.all; t != NULL; t = t->next) {
		if (t->state != WAITING)
			continue;
		give_one(u, t, failed);
		if (t->result != 0 || t->due <= now)
			make_ready(t);
		else if (t->trim <= now)
			stack_trim(t);
	}
	for (i = 0; i < u->n; i++)
		u->slot[u->p[i].fd] = 0;
}

static void look(void)
{
	int ms = gather(&sched.u), failed = 0;

	if (poll(sched.u.p, sched.u.n, ms) < 0) {
		failed = errno == EINTR ? 0 : errno;
		for (size_t i = 0; i < sched.u.n; i++)
			sched.u.p[i].revents = 0;
	}
	give(&sched.u, failed);
}

void task_loop(void)
{
	struct task *t, *next;

	while (sched.all != NULL) {
		/* Who becomes ready now has its turn after the next look. */
		t = sched.ready;
		sched.ready = NULL;
		sched.ready_tail = &sched.ready;
		for (; t != NULL; t = next) {
			next = t->then;
			run(t);
		}
		if (sched.all != NULL)
			look();
	}
	free(sched.u.p);
	free(sched.u.slot);
	sched.u = (struct union_poll){0};
	stacks_drop();
}
