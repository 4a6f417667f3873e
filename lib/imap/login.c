/* AUTHENTICATE (SASL-IR, RFC 4959), or LOGIN where there is nothing else. */
#include <stdio.h>

#include "core/limits.h"
#include "imap/priv.h"

static void mechanisms(const struct imap *im, struct buf *out)
{
	struct str rest = buf_view(&im->caps), word;

	while (rest.n > 0) {
		word = str_split(&rest, ' ');
		if (!str_istarts(word, "AUTH="))
			continue;
		if (out->n > 0)
			buf_c(out, ' ');
		buf_str(out, str_sub(word, 5, word.n));
	}
}

static int refused(struct imap *im, uint32_t tag, struct str reason,
		   struct coi_err *e)
{
	struct imap_pending *p = &im->pend[tag - im->base];
	struct str said = str_of(p->said == NULL ? "" : p->said);
	enum coi_code code = imap_code_of(p->res, said);

	if (code == COI_E_UNAVAILABLE || code == COI_E_NOINPUT)
		code = COI_E_AUTH; /* a plain NO is about the password */
	if (code == COI_E_TEMP)
		err_set(e, code, "the server cannot log us in now");
	else if (code == COI_E_PROTOCOL)
		err_set(e, code, "the server does not understand the login");
	else
		err_set(e, code, "the server refused the login");
	err_reply(e, said.p, said.n);
	if (code == COI_E_AUTH && reason.n > 0)
		err_hint(e, "about the token it says: %.*s",
			 STR_ARG(str_sub(reason, 0, 160)));
	else if (code == COI_E_AUTH)
		err_hint(e, "check user and password; some providers want an "
			    "app password or a token");
	return -1;
}

static int say(struct imap *im, struct buf *secret, struct coi_err *e)
{
	int rc = 0;

	if (secret->n > 0)
		rc = imap_put_secret(im, buf_view(secret), e);
	if (rc == 0)
		rc = imap_put(im, STR("\r\n"), e);
	buf_wipe(secret);
	return rc;
}

static int authenticate(struct imap *im, struct sasl *sasl, struct coi_err *e)
{
	struct buf cmd = {0}, out = {0};
	uint32_t tag = imap_tag_new(im, "AUTHENTICATE", &cmd);
	struct str challenge;
	bool first = true;
	int i, rc = -1;

	buf_fmt(&cmd, "AUTHENTICATE %s", sasl_name(sasl));
	if (sasl_initial(sasl) && imap_has(im, "SASL-IR")) {
		if (sasl_step(sasl, STR(""), &out, e) < 0)
			goto out;
		first = false;
		buf_c(&cmd, ' ');
	}
	if (imap_put(im, buf_view(&cmd), e) < 0 || say(im, &out, e) < 0)
		goto out;
	for (i = 0;; i++) {
		rc = imap_wait_plus(im, tag, e);
		if (rc <= 0)
			break;
		rc = -1;
		if (i >= LIMIT_SASL_ROUNDS) {
			err_set(e, COI_E_PROTOCOL,
				"the login does not come to an end");
			goto out;
		}
		challenge = buf_view(&im->plus_text);
		if (first && sasl_initial(sasl))
			challenge = STR("");
		if (sasl_step(sasl, challenge, &out, e) < 0)
			goto out;
		/* "=" says "empty" only behind the command itself. */
		if (first && out.n == 1 && out.p[0] == '=')
			out.n = 0;
		first = false;
		if (say(im, &out, e) < 0)
			goto out;
	}
	if (rc == 0 && imap_state(im, tag) != RES_OK)
		rc = refused(im, tag, sasl_reason(sasl), e);
	else if (rc == 0)
		rc = sasl_done(sasl, STR_NONE, e);
out:
	buf_wipe(&out);
	buf_free(&cmd);
	return rc;
}

/* A string that may be secret: quoted, or a literal when it must be one. */
static int put_string(struct imap *im, uint32_t tag, struct str s,
		      struct coi_err *e)
{
	struct buf b = {0};
	bool literal = false;
	size_t i;
	int rc = -1;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\0') {
			err_set(e, COI_E_CONFIG,
				"user name or password has a NUL in it");
			return -1;
		}
		if ((unsigned char)s.p[i] >= 0x7f || s.p[i] < ' ')
			literal = true;
	}
	if (literal) {
		buf_fmt(&b, "{%zu%s}\r\n", s.n,
			imap_literal_ok(im, s.n) ? "+" : "");
		rc = imap_put(im, buf_view(&b), e);
		if (rc == 0 && !imap_literal_ok(im, s.n))
			rc = imap_wait_literal(im, tag, e) == 1 ? 0 : -1;
		if (rc == 0)
			rc = imap_put_secret(im, s, e);
	} else {
		buf_room(&b, 2 * s.n + 2);
		imap_quote(&b, s);
		rc = imap_put_secret(im, buf_view(&b), e);
	}
	buf_wipe(&b);
	return rc;
}

static int plain_login(struct imap *im, struct coi_err *e)
{
	struct buf b = {0};
	uint32_t tag = imap_tag_new(im, "LOGIN", &b);
	enum imap_result res;
	int rc = -1;

	buf_z(&b, "LOGIN ");
	if (imap_put(im, buf_view(&b), e) < 0 ||
	    put_string(im, tag, str_of(im->o.creds.user), e) < 0 ||
	    imap_put(im, STR(" "), e) < 0 ||
	    put_string(im, tag, secret_view(im->o.creds.password), e) < 0 ||
	    imap_put(im, STR("\r\n"), e) < 0)
		goto out;
	rc = imap_await(im, tag, &res, e);
out:
	/* A NO may have come in place of "+". */
	if (imap_state(im, tag) == RES_NO || imap_state(im, tag) == RES_BAD)
		rc = refused(im, tag, STR_NONE, e);
	buf_free(&b);
	return rc;
}

/* LOGIN sends what AUTH=PLAIN sends, so under the same conditions. */
static bool may_login(const struct imap *im)
{
	return im->o.creds.only == NULL && im->o.creds.user != NULL &&
	       im->o.creds.password != NULL && !im->o.creds.external &&
	       im->c != NULL && !imap_has(im, "LOGINDISABLED") &&
	       (net_is_tls(im->c) || net_is_loopback(im->c));
}

int login(struct imap *im, struct coi_err *e)
{
	struct buf mechs = {0};
	struct coi_err le = {0};
	struct sasl *sasl;
	int rc = -1;

	mechanisms(im, &mechs);
	sasl = sasl_new(&im->o.creds, buf_view(&mechs), im->c, &le);
	/* What the server can is said anew to those who are logged in. */
	if (sasl != NULL) {
		im->caps_known = false;
		snprintf(im->mech, sizeof(im->mech), "%s", sasl_name(sasl));
		rc = authenticate(im, sasl, e);
	} else if (may_login(im)) {
		im->caps_known = false;
		snprintf(im->mech, sizeof(im->mech), "LOGIN");
		rc = plain_login(im, e);
	} else if (e != NULL && e->code == COI_OK) {
		*e = le;
	}
	sasl_free(sasl);
	buf_free(&mechs);
	return rc;
}

const char *imap_mechanism(const struct imap *im)
{
	return im->mech;
}
