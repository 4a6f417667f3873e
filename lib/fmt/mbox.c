#include "fmt/mbox.h"

#include <time.h>

static bool is_from(struct str s)
{
	return str_starts(s, "From ");
}

/* Next separator at or behind `at`: after an empty line (or the start). */
static size_t next_from(struct str f, size_t at)
{
	while (at < f.n) {
		ptrdiff_t i = str_find(str_sub(f, at, f.n), STR("\nFrom "));
		size_t p;

		if (i < 0)
			return f.n;
		p = at + (size_t)i;
		if (p > 0 &&
		    (f.p[p - 1] == '\n' ||
		     (f.p[p - 1] == '\r' && p > 1 && f.p[p - 2] == '\n')))
			return p + 1;
		at = p + 1;
	}
	return f.n;
}

/* Undoes ">From "; false when there is none. */
static bool unquote(struct str mail, struct buf *b)
{
	struct str line, rest = mail;
	bool any = false;

	if (str_find(mail, STR("\n>")) < 0)
		return false;
	buf_clear(b);
	while (rest.n > 0) {
		const char *start = rest.p;
		size_t q = 0;

		str_line(&rest, &line);
		while (q < line.n && line.p[q] == '>')
			q++;
		if (q > 0 && is_from(str_sub(line, q, line.n))) {
			any = true;
			start++;
		}
		buf_add(b, start, (size_t)(rest.p - start));
	}
	return any;
}

int mbox_each(struct str file,
	      int (*fn)(void *ctx, struct str mail, struct coi_err *e),
	      void *ctx, struct coi_err *e)
{
	struct buf b = {0};
	size_t at = 0, next;
	int rc = 0;

	if (!is_from(file))
		return fn(ctx, file, e);
	while (rc == 0 && at < file.n) {
		struct str mail, line;

		next = next_from(file, at + 1);
		mail = str_sub(file, at, next - at);
		str_line(&mail, &line);
		/* The empty line in front of the separator is not ours. */
		if (next < file.n && mail.n > 0) {
			mail.n--;
			if (mail.n > 0 && mail.p[mail.n - 1] == '\r')
				mail.n--;
		}
		rc = fn(ctx, unquote(mail, &b) ? buf_view(&b) : mail, e);
		at = next;
	}
	buf_free(&b);
	return rc;
}

void mbox_write(struct buf *out, struct str mail, struct str from, int64_t date)
{
	time_t t = (time_t)date;
	struct str line;
	struct tm tm;
	char when[32] = "Thu Jan  1 00:00:00 1970";

	/* asctime's form, in the C locale that we never leave. */
	if (gmtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	buf_fmt(out, "From %.*s %s\n",
		STR_ARG(from.n > 0 ? from : STR("MAILER-DAEMON")), when);
	while (str_line(&mail, &line)) {
		size_t q = 0;

		while (q < line.n && line.p[q] == '>')
			q++;
		if (is_from(str_sub(line, q, line.n)))
			buf_c(out, '>');
		buf_str(out, line);
		buf_c(out, '\n');
	}
	buf_c(out, '\n');
}
