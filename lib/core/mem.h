/* Memory: allocation that never returns NULL, and arenas. */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stddef.h>

#include "core/str.h"

/*
 * Called when the system has no memory left; must not return.  A program sets
 * it once (print, leave with 71); without one the process traps.
 */
extern void (*mem_fail)(size_t wanted);

void *mem_alloc(size_t n);		/* zeroed */
void *mem_array(size_t n, size_t size); /* zeroed, overflow checked */
void *mem_grow(void *p, size_t n);
char *mem_dup(struct str s); /* NUL-terminated copy; free() it */

/*
 * Grows the array *v of elements of `size` so that index n fits, doubling.
 * *cap is its capacity in elements.
 */
void *mem_more(void *v, size_t n, size_t *cap, size_t size);

/*
 * An arena: items of one message live here and go at once.  Under
 * AddressSanitizer each object is a block of its own.
 */
struct arena;
struct arena *arena_new(void);
void arena_free(struct arena *a);  /* NULL is legal */
void arena_reset(struct arena *a); /* all objects gone, memory kept */
void *arena_alloc(struct arena *a, size_t n);	     /* zeroed, 16-aligned */
struct str arena_str(struct arena *a, struct str s); /* copy, NUL behind */
/* ASCII letters small; s itself when they are. */
struct str arena_lower(struct arena *a, struct str s);
struct str arena_fmt(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const char *arena_cstr(struct arena *a, struct str s);
/* Grows an arena array: as mem_more, old space stays until reset. */
void *arena_more(struct arena *a, void *v, size_t n, size_t *cap, size_t size);

#endif
