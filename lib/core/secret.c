#include "core/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/mem.h"

struct secret {
	size_t n, size;
	unsigned users;
	char p[];
};

/* Own pages: out of core dumps, and out of swap where the limit allows it. */
struct secret *secret_new(struct str s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (sizeof(struct secret) + s.n + page) / page * page;
	struct secret *x;

	x = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (x == MAP_FAILED)
		mem_fail(size);
	(void)madvise(x, size, MADV_DONTDUMP);
	(void)mlock(x, size);
	x->n = s.n;
	x->size = size;
	x->users = 1;
	if (s.n > 0)
		memcpy(x->p, s.p, s.n);
	return x;
}

struct secret *secret_keep(struct secret *s)
{
	if (s != NULL)
		s->users++;
	return s;
}

void secret_free(struct secret *s)
{
	size_t size;

	if (s == NULL || --s->users > 0)
		return;
	size = s->size;
	secret_wipe(s, size);
	munmap(s, size);
}

struct str secret_view(const struct secret *s)
{
	return (struct str){s->p, s->n};
}

void secret_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

bool secret_same(const struct secret *a, const struct secret *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}
