/*
 * For LD_PRELOAD: clocks that jump.  The file $CLOCK_JUMP holds two numbers,
 * seconds: by how much the wall clock is off, and for how long the machine was
 * suspended (CLOCK_BOOTTIME goes on then, CLOCK_MONOTONIC does not).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ts)
{
	const char *name = getenv("CLOCK_JUMP");
	long wall = 0, asleep = 0;
	FILE *f;
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (rc < 0 || name == NULL ||
	    (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME))
		return rc;
	f = fopen(name, "re");
	if (f == NULL)
		return rc;
	if (fscanf(f, "%ld %ld", &wall, &asleep) == 2)
		ts->tv_sec += id == CLOCK_REALTIME ? wall : asleep;
	fclose(f);
	return rc;
}
