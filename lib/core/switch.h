/* One thread of control with several stacks: what core/task.h stands on. */
#ifndef CORE_SWITCH_H
#define CORE_SWITCH_H

#include <stddef.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#define SWITCH_UCONTEXT 1
#endif
#ifdef SWITCH_UCONTEXT
#include <ucontext.h>
#endif

/* Where a stack was left. */
struct switch_at {
#ifdef SWITCH_UCONTEXT
	ucontext_t uc;
#else
	void *sp;
#endif
};

/* A stack of n octets at lo, 16-aligned, that begins in fn(). */
void switch_make(struct switch_at *at, void *lo, size_t n, void (*fn)(void));
/* Leaves the stack in use to *from and goes on at *to. */
void switch_to(struct switch_at *from, const struct switch_at *to);

#endif
