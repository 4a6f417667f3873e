#include "core/sys.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/mem.h"

static bool seeded;
static uint64_t state;
static int64_t fixed_now;

void sys_seed(const char *seed)
{
	char *end = NULL;

	seeded = seed != NULL && *seed != '\0';
	if (!seeded)
		return;
	state = strtoull(seed, &end, 10);
	fixed_now = *end == '@' ? strtoll(end + 1, NULL, 10) : 0;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts = {0};

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t sys_now_ms(void)
{
	if (seeded && fixed_now != 0)
		return fixed_now * 1000;
	return clock_ms(CLOCK_REALTIME);
}

int64_t sys_now(void)
{
	return sys_now_ms() / 1000;
}

int64_t sys_mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* splitmix64: only ever used where a test asked for it. */
static uint64_t next(void)
{
	uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void sys_random(void *p, size_t n)
{
	unsigned char *q = p;
	ssize_t k;

	if (seeded) {
		for (; n > 0; n--)
			*q++ = (unsigned char)(next() >> 32);
		return;
	}
	while (n > 0) {
		k = getrandom(q, n, 0);
		if (k < 0)
			continue;
		q += k;
		n -= (size_t)k;
	}
}

static char kill_name[64];
static unsigned long kill_count;

void sys_kill_at(const char *spec)
{
	const char *colon;
	size_t n;

	kill_name[0] = '\0';
	if (spec == NULL)
		return;
	colon = strchr(spec, ':');
	n = colon == NULL ? strlen(spec) : (size_t)(colon - spec);
	if (n >= sizeof(kill_name))
		return;
	memcpy(kill_name, spec, n);
	kill_name[n] = '\0';
	kill_count = colon == NULL ? 1 : strtoul(colon + 1, NULL, 10);
}

void sys_point(const char *name)
{
	if (kill_name[0] != '\0' && strcmp(name, kill_name) == 0 &&
	    --kill_count == 0)
		raise(SIGKILL);
}
