#include "core/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void trap(size_t wanted)
{
	(void)wanted;
	__builtin_trap();
}

void (*mem_fail)(size_t wanted) = trap;

void *mem_alloc(size_t n)
{
	void *p = calloc(1, n == 0 ? 1 : n);

	if (p == NULL)
		mem_fail(n);
	return p;
}

void *mem_array(size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		mem_fail(n);
	return mem_alloc(n * size);
}

void *mem_grow(void *p, size_t n)
{
	void *q = realloc(p, n == 0 ? 1 : n);

	if (q == NULL)
		mem_fail(n);
	return q;
}

char *mem_dup(struct str s)
{
	char *p = mem_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

static size_t next_cap(size_t n, size_t cap, size_t size)
{
	size_t want = cap == 0 ? 8 : cap;

	while (want <= n)
		want *= 2;
	if (want > SIZE_MAX / size)
		mem_fail(want);
	return want;
}

void *mem_more(void *v, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = next_cap(n, *cap, size);
	return mem_grow(v, *cap * size);
}

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_BLOCKS 1
#endif
#endif

struct chunk {
	struct chunk *next;
	size_t cap, used;
	char pad[8];
	char data[];
};

struct arena {
	struct chunk *chunks; /* the one being filled first */
	struct chunk *spare;  /* emptied by reset, to be filled again */
};

#define CHUNK (16u * 1024u)
#define KEEP (256u * 1024u) /* a chunk larger than this is given back */

struct arena *arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

static void drop(struct chunk *c)
{
	struct chunk *next;

	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	drop(a->chunks);
	drop(a->spare);
	free(a);
}

void arena_reset(struct arena *a)
{
	struct chunk *c, *next;

	for (c = a->chunks; c != NULL; c = next) {
		next = c->next;
#ifdef ARENA_BLOCKS
		free(c);
#else
		if (c->cap > KEEP) {
			free(c);
			continue;
		}
		c->used = 0;
		c->next = a->spare;
		a->spare = c;
#endif
	}
	a->chunks = NULL;
}

static struct chunk *chunk_for(struct arena *a, size_t n)
{
	struct chunk *c = a->spare;
	size_t cap = n;

#ifndef ARENA_BLOCKS
	if (cap < CHUNK)
		cap = CHUNK;
#endif
	if (c != NULL && c->cap >= n) {
		a->spare = c->next;
	} else {
		if (cap > SIZE_MAX - sizeof(*c))
			mem_fail(n);
		c = mem_grow(NULL, sizeof(*c) + cap);
		c->cap = cap;
		c->used = 0;
	}
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c = a->chunks;
	size_t want = (n + 15) & ~(size_t)15;
	void *p;

	if (want < n)
		mem_fail(n);
#ifdef ARENA_BLOCKS
	c = chunk_for(a, n); /* exact, so that an overflow is seen */
	want = n;
#else
	if (c == NULL || c->cap - c->used < want)
		c = chunk_for(a, want);
#endif
	p = c->data + c->used;
	c->used += want;
	memset(p, 0, n);
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

struct str arena_lower(struct arena *a, struct str s)
{
	size_t i;
	char *p;

	for (i = 0; i < s.n && s.p[i] == ascii_lower(s.p[i]); i++)
		;
	if (i == s.n)
		return s;
	p = arena_alloc(a, s.n + 1);
	memcpy(p, s.p, i);
	for (; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	return (struct str){p, s.n};
}

const char *arena_cstr(struct arena *a, struct str s)
{
	return arena_str(a, s).p;
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
	struct buf b = {0};
	struct str s;
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

void *arena_more(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	size_t old = *cap;
	void *q;

	if (n < *cap)
		return v;
	*cap = next_cap(n, *cap, size);
	q = arena_alloc(a, *cap * size);
	if (old > 0)
		memcpy(q, v, old * size);
	return q;
}
