#include <stdlib.h>

#include "coi/doctor_priv.h"
#include "fmt/json.h"

struct doctor *doctor_new(void (*say)(void *ctx, const struct doctor_step *s),
			  void *ctx)
{
	struct doctor *d = mem_alloc(sizeof(*d));

	*d = (struct doctor){.say = say, .ctx = ctx, .a = arena_new()};
	return d;
}

void doctor_free(struct doctor *d)
{
	if (d == NULL)
		return;
	arena_free(d->a);
	free(d);
}

enum coi_code doctor_first(const struct doctor *d)
{
	return d->first;
}

static void say(struct doctor *d, enum doctor_result r, const char *name,
		const char *fix, const char *fmt, va_list ap)
{
	struct doctor_step s = {.name = name, .result = r, .fix = str_of(fix)};
	struct buf b = {0};

	buf_vfmt(&b, fmt, ap);
	s.text = buf_view(&b);
	d->say(d->ctx, &s);
	buf_free(&b);
}

void doctor_ok(struct doctor *d, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(d, DOCTOR_OK, name, NULL, fmt, ap);
	va_end(ap);
}

void doctor_warn(struct doctor *d, const char *name, const char *fix,
		 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(d, DOCTOR_WARN, name, fix, fmt, ap);
	va_end(ap);
}

void doctor_skip(struct doctor *d, const char *name, const char *why)
{
	struct doctor_step s = {
	    .name = name, .result = DOCTOR_SKIP, .text = str_of(why)};

	d->say(d->ctx, &s);
}

static struct str some(const char *z)
{
	return z[0] == '\0' ? STR_NONE : str_of(z);
}

void doctor_failed(struct doctor *d, const char *name, struct coi_err *e)
{
	struct doctor_step s = {.name = name,
				.result = DOCTOR_FAIL,
				.code = e->code,
				.fix = some(e->hint),
				.host = some(e->host),
				.reply = some(e->reply)};
	struct buf b = {0};

	if (e->code == COI_E_CANCELLED) {
		d->cancelled = true;
		err_clear(e);
		return;
	}
	if (e->ctx[0] != '\0')
		buf_fmt(&b, "%s: ", e->ctx);
	buf_z(&b, e->msg);
	s.text = buf_view(&b);
	d->say(d->ctx, &s);
	buf_free(&b);
	if (d->first == COI_OK)
		d->first = e->code;
	err_clear(e);
}

int doctor_run(struct doctor *d, struct account *ac,
	       const struct account_net *net, struct coi_err *e)
{
	struct imap *im;
	struct smtp *s;

	d->ac = ac;
	d->net = net;
	doctor_state(d);
	doctor_secret(d);
	if (d->cancelled)
		goto out;
	im = doctor_imap(d);
	if (im != NULL)
		doctor_look_imap(d, im);
	imap_close(im);
	if (d->cancelled)
		goto out;
	s = doctor_smtp(d);
	if (s != NULL)
		doctor_look_smtp(d, s);
	smtp_close(s);
	if (!d->cancelled)
		doctor_clock(d);
out:
	return d->cancelled ? err_set(e, COI_E_CANCELLED, "interrupted") : 0;
}

/* --- output -----------------------------------------------------------------
 */

static const char *const words[] = {"ok", "warn", "fail", "skip"};

static void print_json(struct buf *out, const struct doctor_step *s)
{
	struct json j;

	json_begin(&j, out);
	json_open(&j, '{');
	json_kstr(&j, "check", str_of(s->name));
	json_kbool(&j, "ok", s->result != DOCTOR_FAIL);
	json_kstr(&j, "result", str_of(words[s->result]));
	json_kstr(&j, "text", s->text);
	json_kstr(&j, "host", s->host);
	json_kstr(&j, "reply", s->reply);
	json_kstr(&j, "fix", s->fix);
	if (s->result == DOCTOR_FAIL) {
		json_kstr(&j, "error", str_of(err_word(s->code)));
		json_kint(&j, "status", err_status(s->code));
	}
	json_close(&j, '}');
	buf_c(out, '\n');
}

void doctor_print(struct buf *out, const struct doctor_step *s, bool json)
{
	if (json) {
		print_json(out, s);
		return;
	}
	buf_fmt(out, "%-4s  %-13s ",
		s->result == DOCTOR_FAIL ? "FAIL" : words[s->result], s->name);
	if (s->host.p != NULL) {
		buf_clean(out, s->host);
		buf_z(out, ": ");
	}
	buf_clean(out, s->text);
	if (s->reply.p != NULL) {
		buf_z(out, " (the server said: ");
		buf_clean(out, s->reply);
		buf_c(out, ')');
	}
	buf_c(out, '\n');
	if (s->fix.p == NULL)
		return;
	buf_fmt(out, "%-19s > ", "");
	buf_clean(out, s->fix);
	buf_c(out, '\n');
}
