#include "core/limits.h"
#include "sieve/priv.h"

#define STAGE "login"
#define QUOTED_MAX 1024 /* RFC 5804 4: octets in quotes */

/* A step's answer as a string; it is base64, so nothing needs a backslash. */
static int answer(struct sieve *s, struct str verb, struct str token,
		  struct coi_err *e)
{
	struct buf head = {0};
	bool literal;
	int rc = -1;

	/* "=" is what other protocols say for nothing at all. */
	if (str_is(token, "="))
		token.n = 0;
	literal = token.n > QUOTED_MAX;
	buf_str(&head, verb);
	if (literal)
		buf_fmt(&head, "{%zu+}\r\n", token.n);
	else
		buf_c(&head, '"');
	net_deadline(s->c, s->io_ms);
	if (net_put(s->c, buf_view(&head), e) == 0 &&
	    net_put_secret(s->c, token, e) == 0 &&
	    net_put(s->c, literal ? STR("\r\n") : STR("\"\r\n"), e) == 0 &&
	    net_flush(s->c, e) == 0)
		rc = sieve_read(s, STAGE, e);
	else
		s->usable = false;
	buf_free(&head);
	return rc == 0 ? 0 : sieve_failed(s, STAGE, e);
}

static int refused(struct sieve *s, const struct sasl *sasl, struct coi_err *e)
{
	struct str code = sieve_line_code(&s->line), why = sasl_reason(sasl);

	sieve_refused(s, COI_E_AUTH, STAGE, e, "the server refused the login");
	if (why.n > 0)
		err_reply(e, why.p, why.n);
	if (str_iis(code, "ENCRYPT-NEEDED"))
		err_hint(e, "the server wants TLS: sieve-tls = starttls");
	else if (str_iis(code, "TRANSITION-NEEDED") ||
		 str_iis(code, "AUTH-TOO-WEAK"))
		err_hint(e, "the server wants another mechanism; see the key "
			    "auth");
	else
		err_hint(e, "check user and the password; some providers want "
			    "an app password or a token");
	return -1;
}

static int first(struct sieve *s, struct sasl *sasl, struct buf *out,
		 struct coi_err *e)
{
	struct buf verb = {0};
	int rc = -1;

	buf_fmt(&verb, "AUTHENTICATE \"%s\"", sasl_name(sasl));
	if (!sasl_initial(sasl)) {
		if (sieve_say(s, buf_view(&verb), STAGE, e) == 0)
			rc = sieve_read(s, STAGE, e);
	} else if (sasl_step(sasl, STR(""), out, e) == 0) {
		buf_c(&verb, ' ');
		rc = answer(s, buf_view(&verb), buf_view(out), e);
	}
	buf_free(&verb);
	return rc;
}

static int rounds(struct sieve *s, struct sasl *sasl, struct coi_err *e)
{
	struct buf out = {0};
	struct str last;
	enum sieve_status st;
	int i, rc = -1;

	if (first(s, sasl, &out, e) != 0)
		goto out;
	for (i = 0;; i++) {
		st = sieve_line_status(&s->line);
		if (st != SIEVE_DATA)
			break;
		if (i >= LIMIT_SASL_ROUNDS || s->line.n != 1 ||
		    !s->line.v[0].string || s->line.text.n > LIMIT_SASL_TOKEN) {
			err_set(e, COI_E_PROTOCOL,
				"the server answered AUTHENTICATE with "
				"nonsense");
			goto out;
		}
		buf_wipe(&out);
		if (sasl_step(sasl, buf_view(&s->line.text), &out, e) != 0 ||
		    answer(s, STR(""), buf_view(&out), e) != 0)
			goto out;
	}
	if (st == SIEVE_NO) {
		refused(s, sasl, e);
		goto out;
	}
	if (st == SIEVE_BYE) {
		err_set(e, COI_E_TEMP, "the server ends the connection");
		last = sieve_line_words(&s->line);
		if (last.n > 0)
			err_reply(e, last.p, last.n);
		goto out;
	}
	last = str_iis(sieve_line_code(&s->line), "SASL")
		   ? sieve_line_argument(&s->line)
		   : STR_NONE;
	rc = sasl_done(sasl, last, e);
out:
	buf_wipe(&out);
	if (rc != 0)
		s->usable = false;
	return rc == 0 ? 0 : sieve_failed(s, STAGE, e);
}

int sieve_auth(struct sieve *s, struct coi_err *e)
{
	struct sasl *sasl;
	int rc;

	if (s->mechanisms.n == 0) {
		err_set(e, COI_E_UNAVAILABLE, "the server offers no login");
		if (!net_is_tls(s->c))
			err_hint(e, "most servers offer it under TLS only: set "
				    "sieve-tls = starttls");
		return sieve_failed(s, STAGE, e);
	}
	sasl = sasl_new(&s->o.creds, buf_view(&s->mechanisms), s->c, e);
	if (sasl == NULL)
		return sieve_failed(s, STAGE, e);
	rc = rounds(s, sasl, e);
	sasl_free(sasl);
	return rc;
}
