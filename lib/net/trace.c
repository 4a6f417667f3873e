/* The wire trace: whole lines, secrets counted but never shown. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/file.h"
#include "net/priv.h"

#define LINE_MAX_SHOWN 8192

static void flush_line(struct net_conn *c, struct net_trace *t)
{
	struct buf b = {0};

	buf_fmt(&b, "%s %c: ", c->o.label != NULL ? c->o.label : "net", t->dir);
	buf_str(&b, buf_view(&t->line));
	buf_c(&b, '\n');
	/* A trace that cannot be written must not stop the mail. */
	(void)file_write_fd(c->o.trace_fd, b.p, b.n, NULL);
	buf_free(&b);
	buf_clear(&t->line);
}

static void tell_hidden(struct net_trace *t)
{
	if (t->hidden == 0)
		return;
	buf_fmt(&t->line, "[%" PRIu64 " octets hidden]", t->hidden);
	t->hidden = 0;
}

static void escape(struct buf *b, struct str s)
{
	size_t i = 0, k;
	uint32_t cp;

	while (i < s.n) {
		k = utf8_decode(s.p + i, s.n - i, &cp);
		/* Controls, C1 and the marks that reorder or break lines. */
		if (k == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			buf_fmt(b, "\\x%02x",
				(unsigned)(k == 2 ? cp : (uint8_t)s.p[i]));
			i += k == 0 ? 1 : k;
			continue;
		}
		if ((cp >= 0x200e && cp <= 0x200f) ||
		    (cp >= 0x2028 && cp <= 0x202e) ||
		    (cp >= 0x2066 && cp <= 0x2069))
			buf_fmt(b, "\\u%04x", (unsigned)cp);
		else
			buf_add(b, s.p + i, k);
		i += k;
	}
}

void net_trace(struct net_conn *c, struct net_trace *t, struct str s,
	       bool hidden)
{
	struct str part;
	ptrdiff_t lf;

	if (c->o.trace_fd < 0 || s.n == 0)
		return;
	if (hidden) {
		t->hidden += s.n;
		return;
	}
	while (s.n > 0) {
		tell_hidden(t);
		lf = str_chr(s, '\n');
		part = lf < 0 ? s : str_sub(s, 0, (size_t)lf);
		if (part.n > LINE_MAX_SHOWN) {
			part.n = LINE_MAX_SHOWN;
			lf = -1;
		}
		s = str_sub(s, part.n + (lf >= 0), s.n);
		if (lf >= 0 && part.n > 0 && part.p[part.n - 1] == '\r')
			part.n--;
		escape(&t->line, part);
		if (lf >= 0) {
			flush_line(c, t);
		} else if (t->line.n >= LINE_MAX_SHOWN) {
			buf_z(&t->line, "\\");
			flush_line(c, t);
		}
	}
}

void net_trace_note(struct net_conn *c, const char *fmt, ...)
{
	struct net_trace t = {.dir = '-'};
	struct buf b = {0};
	va_list ap;

	if (c->o.trace_fd < 0)
		return;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	escape(&t.line, buf_view(&b));
	flush_line(c, &t);
	buf_free(&b);
	buf_free(&t.line);
}

void net_trace_end(struct net_conn *c)
{
	struct net_trace *t[2] = {&c->trace_out, &c->trace_in};
	size_t i;

	for (i = 0; i < 2; i++) {
		if (c->o.trace_fd >= 0) {
			tell_hidden(t[i]);
			if (t[i]->line.n > 0)
				flush_line(c, t[i]);
		}
		buf_free(&t[i]->line);
	}
}
