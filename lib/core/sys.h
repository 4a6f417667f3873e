/* Clock and random bytes; both can be fixed through one seed for tests. */
#ifndef CORE_SYS_H
#define CORE_SYS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Makes clock and random bytes a function of `seed`: "NUMBER" or
 * "NUMBER@UNIXTIME".  For tests; NULL returns to the real ones.
 */
void sys_seed(const char *seed);

int64_t sys_now(void);	   /* seconds since 1970, UTC */
int64_t sys_now_ms(void);  /* milliseconds since 1970, UTC */
int64_t sys_mono_ms(void); /* monotonic milliseconds; never seeded */
void sys_random(void *p, size_t n);

/*
 * A named point where tests kill the process: with COI_KILL_AT=name[:n] given
 * to sys_kill_at(), the n-th passing of that point raises SIGKILL.
 */
void sys_kill_at(const char *spec);
void sys_point(const char *name);

#endif
