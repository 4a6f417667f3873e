/* Sets of UIDs as ascending ranges. */
#include <stdlib.h>

#include "core/limits.h"
#include "imap/priv.h"

/* Index of the first range that ends at or behind uid. */
static size_t find(const struct imap_set *s, uint32_t uid)
{
	size_t lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->v[mid].hi < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void set_raw(struct imap_set *s, uint32_t lo, uint32_t hi)
{
	struct imap_range *last = s->n > 0 ? &s->v[s->n - 1] : NULL;

	if (lo > hi) {
		uint32_t t = lo;

		lo = hi;
		hi = t;
	}
	if (last != NULL && last->hi != UINT32_MAX && lo == last->hi + 1) {
		last->hi = hi;
		return;
	}
	s->v = mem_more(s->v, s->n, &s->cap, sizeof(*s->v));
	s->v[s->n++] = (struct imap_range){lo, hi};
}

static int cmp(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

void set_normalise(struct imap_set *s)
{
	size_t i, k = 0;
	bool sorted = true;

	for (i = 1; i < s->n && sorted; i++)
		sorted = s->v[i].lo > s->v[i - 1].hi;
	if (sorted)
		return;
	qsort(s->v, s->n, sizeof(*s->v), cmp);
	for (i = 1; i < s->n; i++) {
		if (s->v[k].hi == UINT32_MAX || s->v[i].lo <= s->v[k].hi + 1) {
			if (s->v[i].hi > s->v[k].hi)
				s->v[k].hi = s->v[i].hi;
		} else {
			s->v[++k] = s->v[i];
		}
	}
	s->n = k + 1;
}

void imap_set_add(struct imap_set *s, uint32_t lo, uint32_t hi)
{
	size_t i, k;

	if (lo > hi || hi == 0)
		return;
	if (lo == 0)
		lo = 1;
	if (s->n == 0 || lo > s->v[s->n - 1].hi) {
		set_raw(s, lo, hi);
		return;
	}
	/* [i, k): ranges that touch the new one and become it. */
	i = find(s, lo - 1);
	for (k = i; k < s->n && (hi == UINT32_MAX || s->v[k].lo <= hi + 1);
	     k++) {
		if (s->v[k].lo < lo)
			lo = s->v[k].lo;
		if (s->v[k].hi > hi)
			hi = s->v[k].hi;
	}
	if (k == i) {
		s->v = mem_more(s->v, s->n, &s->cap, sizeof(*s->v));
		memmove(s->v + i + 1, s->v + i, (s->n - i) * sizeof(*s->v));
		s->n++;
	} else if (k > i + 1) {
		memmove(s->v + i + 1, s->v + k, (s->n - k) * sizeof(*s->v));
		s->n -= k - i - 1;
	}
	s->v[i] = (struct imap_range){lo, hi};
}

bool imap_set_has(const struct imap_set *s, uint32_t uid)
{
	size_t i = find(s, uid);

	return i < s->n && s->v[i].lo <= uid;
}

uint64_t imap_set_count(const struct imap_set *s)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		n += (uint64_t)s->v[i].hi - s->v[i].lo + 1;
	return n;
}

void imap_set_both(const struct imap_set *a, const struct imap_set *b,
		   struct imap_set *out)
{
	size_t i = 0, k = 0;

	while (i < a->n && k < b->n) {
		uint32_t lo = a->v[i].lo > b->v[k].lo ? a->v[i].lo : b->v[k].lo;
		uint32_t hi = a->v[i].hi < b->v[k].hi ? a->v[i].hi : b->v[k].hi;

		if (lo <= hi)
			imap_set_add(out, lo, hi);
		if (a->v[i].hi < b->v[k].hi)
			i++;
		else
			k++;
	}
}

void imap_set_less(const struct imap_set *a, const struct imap_set *b,
		   struct imap_set *out)
{
	size_t i, k = 0;

	for (i = 0; i < a->n; i++) {
		uint64_t lo = a->v[i].lo;

		while (k < b->n && b->v[k].hi < lo)
			k++;
		while (k < b->n && b->v[k].lo <= a->v[i].hi) {
			if (b->v[k].lo > lo)
				imap_set_add(out, (uint32_t)lo, b->v[k].lo - 1);
			lo = (uint64_t)b->v[k].hi + 1;
			if (b->v[k].hi >= a->v[i].hi)
				break;
			k++;
		}
		if (lo <= a->v[i].hi)
			imap_set_add(out, (uint32_t)lo, a->v[i].hi);
	}
}

void imap_set_free(struct imap_set *s)
{
	free(s->v);
	*s = (struct imap_set){0};
}

bool set_range(struct imap_cur *c, uint32_t *lo, uint32_t *hi)
{
	if (!cur_u32(c, lo) || *lo == 0)
		return false;
	*hi = *lo;
	return !cur_ch(c, ':') || (cur_u32(c, hi) && *hi != 0);
}

bool imap_set_parse(struct str text, struct imap_set *s)
{
	struct imap_cur c = {.p = text.p, .end = text.p + text.n};
	size_t before = s->n;
	uint32_t lo, hi;

	do {
		if (!set_range(&c, &lo, &hi)) {
			s->n = before;
			return false;
		}
		s->v = mem_more(s->v, s->n, &s->cap, sizeof(*s->v));
		s->v[s->n++] = (struct imap_range){lo < hi ? lo : hi,
						   lo < hi ? hi : lo};
	} while (cur_ch(&c, ','));
	if (c.p != c.end) {
		s->n = before;
		return false;
	}
	set_normalise(s);
	return true;
}

void set_write(const struct imap_set *s, size_t *i, size_t max, struct buf *b)
{
	size_t start = b->n;

	for (; *i < s->n && b->n - start < max; ++*i) {
		if (b->n > start)
			buf_c(b, ',');
		buf_u64(b, s->v[*i].lo);
		if (s->v[*i].hi != s->v[*i].lo) {
			buf_c(b, ':');
			buf_u64(b, s->v[*i].hi);
		}
	}
}
