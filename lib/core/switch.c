#include "core/switch.h"

#include <stdint.h>

#ifdef SWITCH_UCONTEXT

void switch_make(struct switch_at *at, void *lo, size_t n, void (*fn)(void))
{
	getcontext(&at->uc);
	at->uc.uc_stack.ss_sp = lo;
	at->uc.uc_stack.ss_size = n;
	at->uc.uc_link = NULL;
	makecontext(&at->uc, fn, 0);
}

void switch_to(struct switch_at *from, const struct switch_at *to)
{
	swapcontext(&from->uc, &to->uc);
}

#else

/*
 * Written by hand where we can: swapcontext(3) keeps a signal mask for each
 * stack, two system calls a switch, and AddressSanitizer warns about it.
 */
void switch_asm(void **from, void *to);

#if defined(__x86_64__)

#define SAVED 7 /* with the address to go on at */
#define SAVED_PC 6

__asm__(".text\n"
	".p2align 4\n"
	".globl switch_asm\n"
	".hidden switch_asm\n"
	".type switch_asm, @function\n"
	"switch_asm:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size switch_asm, .-switch_asm\n");

#else

#define SAVED 20
#define SAVED_PC 11

__asm__(".text\n"
	".p2align 4\n"
	".globl switch_asm\n"
	".hidden switch_asm\n"
	".type switch_asm, %function\n"
	"switch_asm:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	".size switch_asm, .-switch_asm\n");

#endif

/* Fresh memory is zero: registers, and the frame that ends a backtrace. */
void switch_make(struct switch_at *at, void *lo, size_t n, void (*fn)(void))
{
	uintptr_t *top = (uintptr_t *)((uintptr_t)lo + (n & ~(size_t)15));
	int i;

#if defined(__x86_64__)
	*--top = 0; /* fn() finds its stack as after a call */
#endif
	top -= SAVED;
	for (i = 0; i < SAVED; i++)
		top[i] = 0;
	top[SAVED_PC] = (uintptr_t)fn;
	at->sp = top;
}

void switch_to(struct switch_at *from, const struct switch_at *to)
{
	switch_asm(&from->sp, to->sp);
}

#endif
