#include "core/log.h"

#include <stdarg.h>
#include <stddef.h>

#include "core/str.h"

static log_fn *sink;
static void *sink_ctx;

void log_to(log_fn *fn, void *ctx)
{
	sink = fn;
	sink_ctx = ctx;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	struct buf raw = {0}, clean = {0};
	va_list ap;

	if (sink == NULL)
		return;
	va_start(ap, fmt);
	buf_vfmt(&raw, fmt, ap);
	va_end(ap);
	buf_clean(&clean, buf_view(&raw));
	sink(sink_ctx, level, buf_cstr(&clean));
	buf_free(&raw);
	buf_free(&clean);
}
