/* layer: fmt */
#include "fmt/mime.h"
#include "core/limits.h"

struct seen {
	struct buf out;
	unsigned open, parts;
};

static int on_begin(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct seen *s = ctx;

	if (p->type.value.n == 0 || p->header.p == NULL ||
	    p->section.p == NULL || p->depth > LIMIT_MIME_NESTING ||
	    (p->parent != NULL && !p->parent->multipart))
		abort();
	s->open++;
	s->parts++;
	buf_fmt(&s->out, "%.*s:%.*s:%zu(", STR_ARG(p->section),
		STR_ARG(p->type.value), p->header.n);
	return 0;
}

static int on_body(void *ctx, struct mime_part *p, struct str raw,
		   struct coi_err *e)
{
	struct seen *s = ctx;

	if (p->multipart)
		abort();
	buf_str(&s->out, raw);
	return 0;
}

static int on_end(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct seen *s = ctx;

	s->open--;
	buf_c(&s->out, ')');
	return 0;
}

static const struct mime_events events = {on_begin, on_body, on_end};

static void walk(struct arena *a, struct str in, size_t step, struct seen *s)
{
	struct coi_err e = {0};
	struct mime *m = mime_new(a, &events, s);
	size_t i;

	if (step == 0)
		mime_feed_whole(m, in, &e);
	for (i = 0; step > 0 && i < in.n; i += step)
		mime_feed(m, str_sub(in, i, step), &e);
	if (mime_end(m, &e) != 0 || s->open != 0 || s->parts == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	struct arena *a = arena_new();
	struct seen whole = {0}, split = {0};

	if (size > 0) {
		in = str_sub(in, 1, size);
		walk(a, in, 0, &whole);
		walk(a, in, data[0] % 64 + 1u, &split);
		if (!str_eq(buf_view(&whole.out), buf_view(&split.out)))
			abort();
	}
	buf_free(&whole.out);
	buf_free(&split.out);
	arena_free(a);
	return 0;
}
