#include <stdlib.h>

#include "core/limits.h"
#include "sieve/priv.h"

#define COMMAND_MS 60000
#define LOGOUT_MS 1000

int sieve_failed(struct sieve *s, const char *stage, struct coi_err *e)
{
	err_stage(e, stage);
	err_host(e, s->o.net.host, s->o.net.port);
	return -1;
}

int sieve_read(struct sieve *s, const char *stage, struct coi_err *e)
{
	size_t used;
	int rc;

	sieve_line_reset(&s->line);
	for (;;) {
		rc = sieve_line_feed(&s->line, net_avail(s->c), &used);
		net_consume(s->c, used);
		if (rc > 0)
			return 0;
		if (rc < 0) {
			err_set(e, COI_E_PROTOCOL, "the server sent %s",
				s->line.fault);
			break;
		}
		if (net_fill(s->c, LIMIT_SIEVE_LINE, e) != 0)
			break;
	}
	s->usable = false;
	return sieve_failed(s, stage, e);
}

int sieve_say(struct sieve *s, struct str command, const char *stage,
	      struct coi_err *e)
{
	net_deadline(s->c, s->io_ms);
	if (net_put(s->c, command, e) == 0 &&
	    net_put(s->c, STR("\r\n"), e) == 0 && net_flush(s->c, e) == 0)
		return 0;
	s->usable = false;
	return sieve_failed(s, stage, e);
}

/* The server ends it; another one (REFERRAL) is not asked unseen. */
static int goodbye(struct sieve *s, const char *stage, struct coi_err *e)
{
	struct str words = sieve_line_words(&s->line),
		   code = sieve_line_code(&s->line),
		   arg = sieve_line_argument(&s->line);

	s->usable = false;
	if (str_iis(code, "REFERRAL")) {
		err_set(e, COI_E_CONFIG,
			"the server sends us to another one: %.*s",
			STR_ARG(str_sub(arg, 0, 200)));
		err_hint(e, "if that is right, name it as sieve-host");
	} else {
		err_set(e, COI_E_TEMP, "the server ends the connection");
	}
	if (words.n > 0)
		err_reply(e, words.p, words.n);
	return sieve_failed(s, stage, e);
}

int sieve_response(struct sieve *s, int (*data)(void *ctx, struct sieve *s),
		   void *ctx, const char *stage, struct coi_err *e)
{
	enum sieve_status st;
	size_t n;

	for (n = 0; n <= LIMIT_SIEVE_LINES; n++) {
		if (sieve_read(s, stage, e) != 0)
			return -1;
		st = sieve_line_status(&s->line);
		if (st == SIEVE_OK || st == SIEVE_NO)
			return st == SIEVE_OK ? 0 : 1;
		if (st == SIEVE_BYE)
			return goodbye(s, stage, e);
		if (s->line.n == 0 && data != NULL)
			continue;
		if (data == NULL || data(ctx, s) != 0) {
			err_set(e, COI_E_PROTOCOL,
				"the server answered with something else");
			s->usable = false;
			return sieve_failed(s, stage, e);
		}
	}
	err_set(e, COI_E_PROTOCOL, "an answer of too many lines");
	s->usable = false;
	return sieve_failed(s, stage, e);
}

int sieve_refused(struct sieve *s, enum coi_code code, const char *stage,
		  struct coi_err *e, const char *what)
{
	struct str why = sieve_line_code(&s->line),
		   words = sieve_line_words(&s->line);
	bool set = e->code != COI_OK;

	if (str_istarts(why, "QUOTA"))
		err_set(e, COI_E_UNAVAILABLE, "%s: no room for it", what);
	else if (str_iis(why, "TRYLATER"))
		err_set(e, COI_E_TEMP, "%s for now", what);
	else if (str_iis(why, "NONEXISTENT"))
		err_set(e, COI_E_NOINPUT, "%s: no such script", what);
	else
		err_set(e, code, "%s", what);
	if (!set && words.n > 0)
		err_reply(e, words.p, words.n);
	else if (!set && why.n > 0)
		err_reply(e, why.p, why.n);
	return sieve_failed(s, stage, e);
}

/* --- what the server offers ----------------------------------------------- */

static int capability(void *ctx, struct sieve *s)
{
	struct str name = sieve_line_word(&s->line, 0),
		   value = sieve_line_word(&s->line, 1);
	struct buf *to = NULL;

	/* Names of our own are strings; what else there is, is not for us. */
	if (!s->line.v[0].string)
		return -1;
	if (str_iis(name, "SASL"))
		to = &s->mechanisms;
	else if (str_iis(name, "SIEVE"))
		to = &s->extensions;
	else if (str_iis(name, "STARTTLS"))
		s->starttls = true;
	else if (str_iis(name, "VERSION"))
		s->version = true;
	if (to != NULL) {
		buf_clear(to);
		buf_str(to, value);
	}
	return 0;
}

int sieve_capabilities(struct sieve *s, const char *stage, struct coi_err *e)
{
	int rc;

	buf_clear(&s->mechanisms);
	buf_clear(&s->extensions);
	s->starttls = s->version = false;
	rc = sieve_response(s, capability, NULL, stage, e);
	return rc <= 0 ? rc
		       : sieve_refused(s, COI_E_UNAVAILABLE, stage, e,
				       "the server does not want to talk "
				       "to us");
}

static bool listed(const struct buf *b, const char *word)
{
	struct str rest = buf_view(b);

	while (rest.n > 0)
		if (str_iis(str_trim(str_split(&rest, ' ')), word))
			return true;
	return false;
}

bool sieve_has(const struct sieve *s, const char *extension)
{
	return listed(&s->extensions, extension);
}

/* --- the connection ------------------------------------------------------- */

static int starttls(struct sieve *s, struct coi_err *e)
{
	static const char hint[] = "nothing was sent in clear text; does the "
				   "server speak TLS from the start "
				   "(sieve-tls = implicit)?";
	int rc;

	if (!s->starttls) {
		err_set(e, COI_E_TLS, "the server offers no STARTTLS");
		err_hint(e, "%s", hint);
		return sieve_failed(s, "tls", e);
	}
	if (sieve_say(s, STR("STARTTLS"), "tls", e) != 0)
		return -1;
	rc = sieve_response(s, NULL, NULL, "tls", e);
	if (rc > 0) {
		sieve_refused(s, COI_E_TLS, "tls", e,
			      "the server refused STARTTLS");
		err_hint(e, "%s", hint);
	}
	if (rc != 0)
		return -1;
	if (net_starttls(s->c, e) != 0) {
		s->usable = false;
		return sieve_failed(s, "tls", e);
	}
	net_deadline(s->c, s->io_ms);
	return sieve_capabilities(s, "tls", e);
}

static int greeting(struct sieve *s, struct coi_err *e)
{
	net_deadline(s->c, s->io_ms);
	if (sieve_capabilities(s, "greeting", e) == 0)
		return 0;
	if (e->code == COI_E_TEMP && !net_is_tls(s->c) && s->line.text.n == 0) {
		e->hint[0] = '\0';
		err_hint(e, "a server that expects TLS from the start says "
			    "nothing: try sieve-tls = implicit");
	} else if (e->code == COI_E_PROTOCOL) {
		err_hint(e, "is there a ManageSieve server at sieve-host and "
			    "sieve-port?");
	}
	return -1;
}

struct sieve *sieve_open(const struct sieve_opts *o, struct coi_err *e)
{
	struct sieve *s = mem_alloc(sizeof(*s));
	struct coi_err le = {0};

	if (e == NULL)
		e = &le;
	s->o = *o;
	s->io_ms = o->net.io_ms > 0 ? o->net.io_ms : COMMAND_MS;
	s->c = net_open(&o->net, e);
	if (s->c == NULL) {
		sieve_failed(s, "connect", e);
		goto fail;
	}
	s->usable = true;
	if (greeting(s, e) != 0)
		goto fail;
	if (o->net.tls == NET_TLS_STARTTLS && starttls(s, e) != 0)
		goto fail;
	if (sieve_auth(s, e) != 0 ||
	    sieve_say(s, STR("CAPABILITY"), "login", e) != 0 ||
	    sieve_capabilities(s, "login", e) != 0)
		goto fail;
	return s;
fail:
	s->usable = false;
	sieve_close(s);
	return NULL;
}

void sieve_close(struct sieve *s)
{
	struct coi_err le = {0};

	if (s == NULL)
		return;
	if (s->c != NULL && s->usable) {
		net_ignore_cancel(s->c);
		s->io_ms = LOGOUT_MS;
		if (sieve_say(s, STR("LOGOUT"), "logout", &le) == 0)
			sieve_response(s, NULL, NULL, "logout", &le);
	}
	net_close(s->c);
	sieve_line_free(&s->line);
	buf_free(&s->mechanisms);
	buf_free(&s->extensions);
	free(s);
}
