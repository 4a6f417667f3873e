#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/str.h"

/* Copies text cleaned for a terminal, cut at a code point boundary. */
static void put(char *dst, size_t cap, struct str s)
{
	struct buf b = {0};
	size_t n;

	buf_clean(&b, s);
	n = b.n;
	if (n >= cap) {
		n = cap - 1;
		while (n > 0 && ((unsigned char)b.p[n] & 0xc0) == 0x80)
			n--;
	}
	if (n > 0)
		memcpy(dst, b.p, n);
	dst[n] = '\0';
	buf_free(&b);
}

static void put_fmt(char *dst, size_t cap, const char *fmt, va_list ap)
{
	struct buf b = {0};

	buf_vfmt(&b, fmt, ap);
	put(dst, cap, buf_view(&b));
	buf_free(&b);
}

int err_set(struct coi_err *e, enum coi_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->code != COI_OK)
		return -1;
	e->code = code;
	va_start(ap, fmt);
	put_fmt(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	return -1;
}

int err_errno(struct coi_err *e, enum coi_code code, int num, const char *fmt,
	      ...)
{
	struct buf b = {0};
	va_list ap;

	if (e == NULL || e->code != COI_OK)
		return -1;
	e->code = code;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	buf_z(&b, ": ");
	buf_z(&b, strerror(num));
	put(e->msg, sizeof(e->msg), buf_view(&b));
	buf_free(&b);
	return -1;
}

void err_ctx(struct coi_err *e, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	if (e == NULL || e->code == COI_OK)
		return;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	if (e->ctx[0] != '\0') {
		buf_z(&b, ": ");
		buf_z(&b, e->ctx);
	}
	put(e->ctx, sizeof(e->ctx), buf_view(&b));
	buf_free(&b);
}

void err_hint(struct coi_err *e, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->hint[0] != '\0')
		return;
	va_start(ap, fmt);
	put_fmt(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
}

void err_stage(struct coi_err *e, const char *stage)
{
	if (e != NULL && e->stage[0] == '\0')
		put(e->stage, sizeof(e->stage), str_of(stage));
}

void err_host(struct coi_err *e, const char *host, unsigned port)
{
	if (e != NULL && e->host[0] == '\0')
		snprintf(e->host, sizeof(e->host), "%s:%u", host, port);
}

void err_reply(struct coi_err *e, const char *text, size_t n)
{
	if (e != NULL && e->reply[0] == '\0')
		put(e->reply, sizeof(e->reply), (struct str){text, n});
}

void err_clear(struct coi_err *e)
{
	*e = (struct coi_err){0};
}

static const struct {
	int status;
	const char *word;
} table[] = {
    [COI_OK] = {0, "ok"},
    [COI_E_PARTIAL] = {1, "partial"},
    [COI_E_USAGE] = {64, "usage"},
    [COI_E_DATA] = {65, "data"},
    [COI_E_NOINPUT] = {66, "noinput"},
    [COI_E_NOUSER] = {67, "nouser"},
    [COI_E_UNAVAILABLE] = {69, "unavailable"},
    [COI_E_INTERNAL] = {70, "internal"},
    [COI_E_OS] = {71, "os"},
    [COI_E_CREATE] = {73, "cantcreate"},
    [COI_E_IO] = {74, "io"},
    [COI_E_TEMP] = {75, "temporary"},
    [COI_E_PROTOCOL] = {76, "protocol"},
    [COI_E_AUTH] = {77, "permission"},
    [COI_E_CONFIG] = {78, "config"},
    [COI_E_KEY] = {80, "key"},
    [COI_E_NOKEY] = {81, "nokey"},
    [COI_E_TLS] = {82, "tls"},
    [COI_E_OUTCOME] = {84, "unknown"},
    [COI_E_CANCELLED] = {0, "cancelled"},
    [COI_E_PIPE] = {0, "pipe"},
};

int err_status(enum coi_code code)
{
	if ((size_t)code >= sizeof(table) / sizeof(table[0]))
		return 70;
	return table[code].status;
}

const char *err_word(enum coi_code code)
{
	if ((size_t)code >= sizeof(table) / sizeof(table[0]))
		return "internal";
	return table[code].word;
}
