/*
 * Tasks: many pieces of straight-line code, each with a stack of its own, that
 * wait in one poll(2).  Nothing runs at the same time; control passes to
 * another task only in task_poll() and what calls it.
 */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include <poll.h>
#include <stdbool.h>

struct task;

/* Runs fn(arg) as a task at the next wait of this one, or by task_loop().
 * The task is freed when fn returns.  NULL: no memory for a stack. */
struct task *task_start(void (*fn)(void *arg), void *arg);
/* The task that runs, or NULL outside of any. */
struct task *task_self(void);
/*
 * As poll(2), while the other tasks run.  Outside of a task it is poll(2).
 * task_wake() ends it early with 0 and all revents 0, as if the time were
 * over; a wake that comes while the task does not wait ends its next wait.
 */
int task_poll(struct pollfd *p, nfds_t n, int ms);
/* As task_poll(), but a wake is kept for the next task_poll(): for what must
 * come to its end first, such as a command and its answer. */
int task_poll_deaf(struct pollfd *p, nfds_t n, int ms);
void task_sleep(int ms); /* negative: until it is woken; 0: others first */
void task_wake(struct task *t);
/* Where a task that has all it needs would go on and on: after 20 ms the others
 * have a turn. */
void task_turn(void);
/* Runs all tasks until none is left.  Not to be called inside of a task. */
void task_loop(void);

#endif
