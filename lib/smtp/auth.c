#include "smtp/priv.h"

#include <stdio.h>

#include "core/limits.h"

#define STAGE "login"
#define LINE_MAX_AUTH 512 /* RFC 4954 4: else no initial response */

/* The mechanisms offered, from "AUTH A B" and the old "AUTH=A B". */
static void mechanisms(const struct smtp *s, struct buf *out)
{
	struct str rest = buf_view(&s->ext), line;

	while (str_line(&rest, &line)) {
		if (!str_istarts(line, "AUTH ") && !str_istarts(line, "AUTH="))
			continue;
		if (out->n > 0)
			buf_c(out, ' ');
		buf_str(out, str_trim(str_sub(line, 5, line.n)));
	}
}

static int say(struct smtp *s, struct str a, struct str secret,
	       struct coi_err *e)
{
	smtp_deadline(s, s->io_ms);
	if ((a.n > 0 && net_put(s->c, a, e) != 0) ||
	    (secret.n > 0 && net_put_secret(s->c, secret, e) != 0) ||
	    net_put(s->c, STR("\r\n"), e) != 0 || net_flush(s->c, e) != 0) {
		s->usable = false;
		return smtp_failed(s, STAGE, e);
	}
	return smtp_read(s, s->io_ms, STAGE, e);
}

static int refused(struct smtp *s, struct coi_err *e)
{
	switch (s->r.code / 100) {
	case 4:
		return smtp_refused(s, COI_E_TEMP, STAGE, e,
				    "the server cannot check the login now");
	case 5:
		smtp_refused(s, COI_E_AUTH, STAGE, e,
			     "the server refused the login");
		err_hint(e, "check smtp-user and the password; some providers "
			    "want an app password or a token");
		return -1;
	default:
		return smtp_refused(s, COI_E_PROTOCOL, STAGE, e,
				    "the server answered AUTH with nonsense");
	}
}

/* The challenge behind "334 ". */
static struct str challenge(struct smtp *s)
{
	return str_trim(buf_view(&s->r.text));
}

static int rounds(struct smtp *s, struct sasl *sasl, struct coi_err *e)
{
	struct buf cmd = {0}, out = {0};
	bool pending = false; /* out holds a first answer not sent yet */
	int i, rc = -1;

	buf_fmt(&cmd, "AUTH %s", sasl_name(sasl));
	if (sasl_initial(sasl)) {
		if (sasl_step(sasl, STR(""), &out, e) != 0)
			goto out;
		pending = cmd.n + 1 + out.n + 2 > LINE_MAX_AUTH;
		if (!pending)
			buf_c(&cmd, ' ');
	}
	if (say(s, buf_view(&cmd), pending ? STR_NONE : buf_view(&out), e) != 0)
		goto out;
	for (i = 0; s->r.code == 334; i++) {
		if (i >= LIMIT_SASL_ROUNDS) {
			err_set(e, COI_E_PROTOCOL,
				"AUTH does not come to "
				"an end");
			goto out;
		}
		if (!pending) {
			buf_wipe(&out);
			if (sasl_step(sasl, challenge(s), &out, e) != 0)
				goto out;
		}
		pending = false;
		if (say(s, STR_NONE, buf_view(&out), e) != 0)
			goto out;
	}
	if (s->r.code / 100 != 2) {
		refused(s, e);
		goto out;
	}
	rc = sasl_done(sasl, STR_NONE, e);
out:
	buf_wipe(&out);
	buf_free(&cmd);
	return rc == 0 ? 0 : smtp_failed(s, STAGE, e);
}

int smtp_auth(struct smtp *s, struct coi_err *e)
{
	struct buf mechs = {0};
	struct sasl *sasl = NULL;
	int rc = -1;

	mechanisms(s, &mechs);
	if (mechs.n == 0) {
		err_set(e, COI_E_UNAVAILABLE, "the server offers no login");
		err_hint(e,
			 net_is_tls(s->c)
			     ? "is this a submission port (465 or 587)? if it "
			       "needs no login, leave smtp-user empty"
			     : "most servers offer it under TLS only: set "
			       "smtp-tls = starttls or implicit");
		smtp_failed(s, STAGE, e);
		goto out;
	}
	if (smtp_quiet(s, STAGE, e) != 0)
		goto out;
	sasl = sasl_new(&s->o.creds, buf_view(&mechs), s->c, e);
	if (sasl == NULL) {
		smtp_failed(s, STAGE, e);
		goto out;
	}
	snprintf(s->mech, sizeof(s->mech), "%s", sasl_name(sasl));
	rc = rounds(s, sasl, e);
out:
	sasl_free(sasl);
	buf_free(&mechs);
	return rc;
}
