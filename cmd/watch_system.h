/*
 * What the system tells coi-watch (signals, a clock that jumps, a network that
 * changes) and what it tells the service manager.
 */
#ifndef CMD_WATCH_SYSTEM_H
#define CMD_WATCH_SYSTEM_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

struct watch_system;

struct watch_system *watch_system_new(struct coi_err *e);
void watch_system_free(struct watch_system *s);

enum { SYSTEM_STOP = 1, SYSTEM_LOOK = 2, SYSTEM_RELOAD = 4 };
#define SYSTEM_FDS 4

/* Fills p[] for poll(2); how many. */
size_t watch_system_poll(struct watch_system *s, struct pollfd p[SYSTEM_FDS]);
/* After poll(2): what is to be done, SYSTEM_*. */
unsigned watch_system_take(struct watch_system *s,
			   const struct pollfd p[SYSTEM_FDS], size_t n);
/* Milliseconds (sys_mono_ms()) of the next sign of life for the service
 * manager; 0: it wants none.  watch_system_alive() gives it when it is due. */
int64_t watch_system_next(const struct watch_system *s);
void watch_system_alive(struct watch_system *s);
/* Something was read: there will be memory to give back.  True when
 * watch_system_next() is another one by that. */
bool watch_system_busy(struct watch_system *s);
/* "READY=1" and the like. */
void watch_system_say(struct watch_system *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* How things stand: nothing is said when that was the last one said here. */
void watch_system_state(struct watch_system *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Around a reload. */
void watch_system_reloading(struct watch_system *s);

#endif
