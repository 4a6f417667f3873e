#include "core/limits.h"
#include "core/sys.h"
#include "smtp/priv.h"

#define GREETING_MS 300000 /* RFC 5321 4.5.3.2.1 */
#define COMMAND_MS 60000
#define FINAL_MS 600000 /* RFC 5321 4.5.3.2.6: giving up early doubles mail */
#define QUIT_MS 1000
#define GRACE_MS 1500 /* after a signal; all must be over within 5 s */
#define LATE_MS 100   /* for a reply whose first octets are there */

int smtp_failed(struct smtp *s, const char *stage, struct coi_err *e)
{
	err_stage(e, stage);
	err_host(e, s->o.net.host, s->o.net.port);
	return -1;
}

int smtp_refused(struct smtp *s, enum coi_code code, const char *stage,
		 struct coi_err *e, const char *what)
{
	struct buf b = {0};

	if (e != NULL && e->code == COI_OK) {
		buf_fmt(&b, "%d ", s->r.code);
		if (smtp_reply_enhanced(&s->r).n > 0) {
			buf_str(&b, smtp_reply_enhanced(&s->r));
			buf_c(&b, ' ');
		}
		smtp_reply_words(&s->r, &b);
		err_set(e, code, "%s", what);
		err_reply(e, b.p, b.n);
		buf_free(&b);
	}
	return smtp_failed(s, stage, e);
}

/* A signal lets the message in hand come to its end, for a short while. */
static bool grace(struct smtp *s, struct coi_err *e)
{
	if (e->code != COI_E_CANCELLED || s->begun == 0 || s->grace != 0)
		return false;
	err_clear(e);
	s->grace = sys_mono_ms() + GRACE_MS;
	net_ignore_cancel(s->c);
	smtp_deadline(s, GRACE_MS);
	return true;
}

void smtp_deadline(struct smtp *s, int ms)
{
	int64_t left = s->grace - sys_mono_ms();

	if (s->grace != 0 && left < ms)
		ms = left > 1 ? (int)left : 1;
	net_deadline(s->c, ms);
}

int smtp_read(struct smtp *s, int ms, const char *stage, struct coi_err *e)
{
	struct coi_err le = {0};
	size_t used;
	int rc;

	smtp_reply_reset(&s->r);
	smtp_deadline(s, ms);
	sys_point("smtp.reply.before");
	for (;;) {
		rc = smtp_reply_feed(&s->r, net_avail(s->c), &used);
		net_consume(s->c, used);
		if (rc > 0)
			break;
		if (rc == 0)
			rc = net_fill(s->c, LIMIT_SMTP_TEXT, &le);
		else
			err_set(&le, COI_E_PROTOCOL, "the server sent %s",
				s->r.fault);
		if (rc == 0 || grace(s, &le))
			continue;
		s->usable = false;
		if (e != NULL && e->code == COI_OK)
			*e = le;
		return smtp_failed(s, stage, e);
	}
	sys_point("smtp.reply.after");
	if (s->r.code == 421)
		s->usable = false;
	return 0;
}

int smtp_quiet(struct smtp *s, const char *stage, struct coi_err *e)
{
	struct coi_err le = {0};

	if (!net_pending(s->c))
		return 0;
	if (smtp_read(s, LATE_MS, stage, &le) == 0 && s->r.code == 421)
		return smtp_refused(s, COI_E_TEMP, stage, e,
				    "the server ends the connection");
	s->usable = false;
	if (le.code == COI_E_UNAVAILABLE) {
		err_set(e, COI_E_TEMP, "the server closed the connection");
		return smtp_failed(s, stage, e);
	}
	err_set(e, COI_E_PROTOCOL, "the server speaks without being asked");
	err_hint(e, "something between here and the server may be altering "
		    "the connection");
	return smtp_failed(s, stage, e);
}

int smtp_cmd(struct smtp *s, const char *stage, struct coi_err *e,
	     const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;
	int rc = -1;

	if (smtp_quiet(s, stage, e) != 0)
		return -1;
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	buf_z(&b, "\r\n");
	smtp_deadline(s, s->io_ms);
	if (net_put(s->c, buf_view(&b), e) == 0 && net_flush(s->c, e) == 0)
		rc = smtp_read(s, s->io_ms, stage, e);
	buf_free(&b);
	if (rc != 0) {
		s->usable = false;
		return smtp_failed(s, stage, e);
	}
	return 0;
}

static int greeting(struct smtp *s, struct coi_err *e)
{
	int ms = s->o.net.io_ms > 0 ? s->o.net.io_ms : GREETING_MS;

	if (smtp_read(s, ms, "greeting", e) != 0) {
		if (e->code == COI_E_TEMP && !net_is_tls(s->c)) {
			e->hint[0] = '\0';
			err_hint(e, "a server that expects TLS from the start "
				    "says nothing: try smtp-tls = implicit, or "
				    "a longer --timeout");
		}
		return -1;
	}
	if (s->r.code == 220) {
		smtp_reply_words(&s->r, &s->hi);
		return 0;
	}
	if (s->r.code / 100 == 4)
		return smtp_refused(s, COI_E_TEMP, "greeting", e,
				    "the server is not ready");
	return smtp_refused(
	    s, s->r.code / 100 == 5 ? COI_E_UNAVAILABLE : COI_E_PROTOCOL,
	    "greeting", e, "the server does not want to talk to us");
}

static int starttls(struct smtp *s, struct coi_err *e)
{
	if (!smtp_has(s, "STARTTLS")) {
		err_set(e, COI_E_TLS, "the server offers no STARTTLS");
		err_hint(e, "nothing was sent in clear text; use the port for "
			    "TLS (465) with smtp-tls = implicit");
		return smtp_failed(s, "tls", e);
	}
	if (smtp_cmd(s, "tls", e, "STARTTLS") != 0)
		return -1;
	if (s->r.code != 220) {
		smtp_refused(s, s->r.code / 100 == 4 ? COI_E_TEMP : COI_E_TLS,
			     "tls", e, "the server refused STARTTLS");
		err_hint(e, "nothing was sent in clear text; use the port for "
			    "TLS (465) with smtp-tls = implicit");
		return -1;
	}
	if (net_starttls(s->c, e) != 0)
		return smtp_failed(s, "tls", e);
	return smtp_hello(s, e);
}

struct smtp *smtp_open(const struct smtp_opts *o, struct coi_err *e)
{
	struct smtp *s = mem_alloc(sizeof(*s));
	struct coi_err le = {0};

	if (e == NULL)
		e = &le;
	s->o = *o;
	s->io_ms = o->net.io_ms > 0 ? o->net.io_ms : COMMAND_MS;
	s->final_ms = o->net.io_ms > 0 ? o->net.io_ms : FINAL_MS;
	s->c = net_open(&o->net, e);
	if (s->c == NULL) {
		smtp_failed(s, "connect", e);
		goto fail;
	}
	s->usable = true;
	if (greeting(s, e) != 0 || smtp_hello(s, e) != 0)
		goto fail;
	if (o->net.tls == NET_TLS_STARTTLS && starttls(s, e) != 0)
		goto fail;
	if (o->creds.user != NULL && smtp_auth(s, e) != 0)
		goto fail;
	return s;
fail:
	s->usable = false;
	smtp_close(s);
	return NULL;
}

void smtp_close(struct smtp *s)
{
	struct coi_err le = {0};

	if (s == NULL)
		return;
	if (s->c != NULL && s->usable) {
		net_ignore_cancel(s->c);
		net_deadline(s->c, QUIT_MS);
		if (net_put(s->c, STR("QUIT\r\n"), &le) == 0 &&
		    net_flush(s->c, &le) == 0)
			smtp_read(s, QUIT_MS, "quit", &le);
	}
	if (s->c != NULL)
		net_close(s->c);
	smtp_reply_free(&s->r);
	buf_free(&s->hi);
	buf_free(&s->ext);
	buf_free(&s->out);
	body_free(&s->body);
	free(s);
}

struct net_conn *smtp_conn(struct smtp *s)
{
	return s->c;
}

const char *smtp_mechanism(const struct smtp *s)
{
	return s->mech;
}

struct str smtp_greeting(const struct smtp *s)
{
	return buf_view(&s->hi);
}

bool smtp_usable(const struct smtp *s)
{
	return s->usable;
}

uint64_t smtp_max_size(const struct smtp *s)
{
	return s->max_size;
}
