/* Standard error: warnings, and errors as text or JSON. */
#include <unistd.h>

#include "cli_priv.h"
#include "core/file.h"
#include "fmt/json.h"

void errors_no_memory(size_t wanted)
{
	static const char text[] = "out of memory\n";

	(void)wanted;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(71);
	_exit(71);
}

static void to_stderr(struct str s)
{
	struct coi_err ignored = {0};

	file_write_fd(2, s.p, s.n, &ignored);
}

void errors_log(void *ctx, enum log_level level, const char *text)
{
	struct cli *c = ctx;
	struct buf b = {0};

	if ((level == LOG_WARN && cli_has(c, "quiet")) ||
	    (level == LOG_INFO && c->verbose < 1) ||
	    (level == LOG_DEBUG && c->verbose < 2))
		return;
	buf_fmt(&b, "%s: %s\n", c->tool->name, text);
	to_stderr(buf_view(&b));
	buf_free(&b);
}

void cli_warn(struct cli *c, const char *fmt, ...)
{
	struct buf raw = {0}, b = {0};
	va_list ap;

	if (cli_has(c, "quiet"))
		return;
	va_start(ap, fmt);
	buf_vfmt(&raw, fmt, ap);
	va_end(ap);
	buf_fmt(&b, "%s: ", c->tool->name);
	buf_clean(&b, buf_view(&raw));
	buf_c(&b, '\n');
	to_stderr(buf_view(&b));
	buf_free(&raw);
	buf_free(&b);
}

static void error_json(struct buf *b, const struct coi_err *e)
{
	struct json j;

	json_begin(&j, b);
	json_open(&j, '{');
	json_kstr(&j, "error", str_of(err_word(e->code)));
	json_kint(&j, "status", err_status(e->code));
	json_kstr(&j, "message", str_of(e->msg));
	if (e->ctx[0] != '\0')
		json_kstr(&j, "context", str_of(e->ctx));
	if (e->stage[0] != '\0')
		json_kstr(&j, "stage", str_of(e->stage));
	if (e->host[0] != '\0')
		json_kstr(&j, "host", str_of(e->host));
	if (e->reply[0] != '\0')
		json_kstr(&j, "reply", str_of(e->reply));
	if (e->hint[0] != '\0')
		json_kstr(&j, "hint", str_of(e->hint));
	json_close(&j, '}');
	buf_c(b, '\n');
}

static void error_text(struct buf *b, const char *tool, const struct coi_err *e)
{
	buf_fmt(b, "%s: ", tool);
	if (e->ctx[0] != '\0')
		buf_fmt(b, "%s: ", e->ctx);
	if (e->host[0] != '\0')
		buf_fmt(b, "%s: ", e->host);
	if (e->stage[0] != '\0')
		buf_fmt(b, "%s: ", e->stage);
	buf_z(b, e->msg);
	if (e->reply[0] != '\0')
		buf_fmt(b, " (the server said: %s)", e->reply);
	if (e->hint[0] != '\0')
		buf_fmt(b, "; %s", e->hint);
	buf_c(b, '\n');
}

void cli_report(struct cli *c, struct coi_err *e)
{
	struct buf b = {0};

	if (e->code != COI_OK && e->code != COI_E_PIPE &&
	    e->code != COI_E_CANCELLED) {
		if (cli_json(c))
			error_json(&b, e);
		else
			error_text(&b, c->tool->name, e);
		to_stderr(buf_view(&b));
	}
	buf_free(&b);
	err_clear(e);
}

int cli_usage(struct cli *c, struct coi_err *e, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	err_set(e, COI_E_USAGE, "%s", buf_cstr(&b));
	err_hint(e, "try %s -h", c->tool->name);
	buf_free(&b);
	return -1;
}
