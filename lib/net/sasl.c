/* SASL mechanisms: choice, and the lines that each of them says. */
#include "net/sasl.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/mem.h"
#include "fmt/enc.h"
#include "net/scram.h"

enum mech { EXTERNAL, OAUTHBEARER, XOAUTH2, SCRAM_PLUS, SCRAM, PLAIN, LOGIN };

/* In the order of preference. */
static const char *const names[] = {
    "EXTERNAL",	     "OAUTHBEARER", "XOAUTH2", "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-256", "PLAIN",	    "LOGIN",
};
#define MECHS (sizeof(names) / sizeof(names[0]))

struct sasl {
	const struct sasl_creds *c;
	enum mech mech;
	unsigned rounds;
	struct scram *scram;
	bool proved;	   /* SCRAM: the server's signature was right */
	struct buf reason; /* what an OAuth server said against the token */
};

static bool offers(struct str offered, const char *name)
{
	while (offered.n > 0)
		if (str_iis(str_split(&offered, ' '), name))
			return true;
	return false;
}

/* "tls-exporter" for 1.3, "tls-unique" for 1.2 (RFC 9266), else the hash of
 * the certificate. */
static const char *binding(struct net_conn *conn, struct buf *out)
{
	static const char *const kinds[] = {"tls-exporter", "tls-unique",
					    "tls-server-end-point"};
	size_t i;

	for (i = 0; conn != NULL && i < 3; i++)
		if (net_binding(conn, kinds[i], out))
			return kinds[i];
	return NULL;
}

static bool have_what(const struct sasl_creds *c, enum mech m)
{
	switch (m) {
	case EXTERNAL:
		return c->external;
	case OAUTHBEARER:
	case XOAUTH2:
		return c->token != NULL && c->user != NULL;
	default:
		return c->password != NULL && c->user != NULL;
	}
}

static bool in_the_open(enum mech m)
{
	return m != SCRAM && m != SCRAM_PLUS && m != EXTERNAL;
}

static int none(const struct sasl_creds *c, struct str offered, bool open,
		struct coi_err *e)
{
	struct str show = str_trim(offered);

	if (show.n == 0)
		show = STR("nothing");
	if (!c->external && c->token == NULL && c->password == NULL) {
		err_set(e, COI_E_CONFIG, "there is no password or token");
		err_hint(e, "set password-command, password-file or "
			    "token-command");
		return -1;
	}
	if (!c->external && c->user == NULL) {
		err_set(e, COI_E_CONFIG, "there is no user name");
		return -1;
	}
	err_set(e, COI_E_AUTH,
		"no common way to log in; the server offers %.*s",
		STR_ARG(show));
	if (open)
		err_hint(e, "without TLS a password would be sent in the "
			    "clear: use tls = implicit or starttls");
	else if (c->only != NULL)
		err_hint(e, "only %s was asked for", c->only);
	else if (c->token != NULL)
		err_hint(e, "a token needs OAUTHBEARER or XOAUTH2");
	else
		err_hint(e, "%s",
			 c->external ? "the client certificate needs EXTERNAL"
				     : "a password needs SCRAM-SHA-256, PLAIN "
				       "or LOGIN");
	return -1;
}

static int start_scram(struct sasl *s, bool plus_offered, const char *cb_name,
		       const struct buf *cb, struct coi_err *e)
{
	char flag = 'n';

	if (s->mech == SCRAM_PLUS)
		flag = 'p';
	else if (cb_name != NULL && !plus_offered)
		flag = 'y'; /* so that a hidden -PLUS is found out */
	s->scram = scram_new(str_of(s->c->user), secret_view(s->c->password),
			     flag, cb_name, buf_view(cb), NULL, e);
	return s->scram == NULL ? -1 : 0;
}

struct sasl *sasl_new(const struct sasl_creds *c, struct str offered,
		      struct net_conn *conn, struct coi_err *e)
{
	bool safe = conn != NULL && (net_is_tls(conn) || net_is_loopback(conn));
	struct sasl *s = mem_alloc(sizeof(*s));
	struct buf cb = {0};
	const char *cb_name = binding(conn, &cb);
	bool open = false, plus = offers(offered, names[SCRAM_PLUS]);
	size_t i;

	s->c = c;
	for (i = 0; i < MECHS; i++) {
		if (c->only != NULL && !str_iis(str_of(c->only), names[i]))
			continue;
		if (!offers(offered, names[i]) || !have_what(c, i))
			continue;
		if (i == SCRAM_PLUS && cb_name == NULL)
			continue;
		if (in_the_open(i) && !safe) {
			open = true;
			continue;
		}
		break;
	}
	s->mech = i;
	if (i == MECHS)
		(void)none(c, offered, open, e);
	if (i == MECHS || ((i == SCRAM || i == SCRAM_PLUS) &&
			   start_scram(s, plus, cb_name, &cb, e) < 0)) {
		err_stage(e, "login");
		sasl_free(s);
		s = NULL;
	}
	buf_wipe(&cb);
	return s;
}

void sasl_free(struct sasl *s)
{
	if (s == NULL)
		return;
	scram_free(s->scram);
	buf_free(&s->reason);
	free(s);
}

const char *sasl_name(const struct sasl *s)
{
	return names[s->mech];
}

bool sasl_initial(const struct sasl *s)
{
	return s->mech != LOGIN;
}

struct str sasl_reason(const struct sasl *s)
{
	return buf_view(&s->reason);
}

/* An address as authzid of GS2: "," and "=" escaped. */
static void gs2_name(struct buf *b, const char *z)
{
	for (; *z != '\0'; z++) {
		if (*z == ',')
			buf_z(b, "=2C");
		else if (*z == '=')
			buf_z(b, "=3D");
		else
			buf_c(b, *z);
	}
}

static int again(struct coi_err *e)
{
	return err_set(e, COI_E_PROTOCOL,
		       "the server asks for more than the login has to say");
}

/* RFC 7628.  A challenge behind the token is an error in JSON; it is answered
 * with ^A so that the server can refuse. */
static int oauth(struct sasl *s, struct str in, struct buf *out,
		 struct coi_err *e)
{
	struct str token = secret_view(s->c->token);

	if (memchr(token.p, 1, token.n) != NULL)
		return err_set(e, COI_E_CONFIG,
			       "the token has a control "
			       "character in it");
	if (s->rounds == 2) {
		buf_clean(&s->reason, str_sub(in, 0, 1024));
		if (s->mech == OAUTHBEARER)
			buf_c(out, 1);
		return 0;
	}
	if (s->rounds > 2)
		return again(e);
	buf_room(out, token.n + 2 * strlen(s->c->user) * 3 + 512);
	if (s->mech == XOAUTH2) {
		buf_fmt(out, "user=%s\001auth=Bearer ", s->c->user);
	} else {
		buf_z(out, "n,a=");
		gs2_name(out, s->c->user);
		buf_c(out, ',');
		if (s->c->host != NULL)
			buf_fmt(out, "\001host=%s\001port=%u", s->c->host,
				s->c->port);
		buf_z(out, "\001auth=Bearer ");
	}
	buf_str(out, token);
	buf_z(out, "\001\001");
	return 0;
}

static int plain(struct sasl *s, struct buf *out, struct coi_err *e)
{
	struct str p = secret_view(s->c->password);

	if (s->rounds > 1)
		return again(e);
	if (memchr(p.p, '\0', p.n) != NULL)
		return err_set(e, COI_E_CONFIG, "the password has a NUL in it");
	buf_room(out, p.n + strlen(s->c->user) + 2);
	buf_c(out, '\0');
	buf_z(out, s->c->user);
	buf_c(out, '\0');
	buf_str(out, p);
	return 0;
}

static int login(struct sasl *s, struct buf *out, struct coi_err *e)
{
	if (s->rounds > 2)
		return again(e);
	if (s->rounds == 1)
		buf_z(out, s->c->user);
	else
		buf_str(out, secret_view(s->c->password));
	return 0;
}

static int scram(struct sasl *s, struct str in, struct buf *out,
		 struct coi_err *e)
{
	switch (s->rounds) {
	case 1:
		scram_first(s->scram, out);
		return 0;
	case 2:
		return scram_final(s->scram, in, out, e);
	case 3:
		if (scram_check(s->scram, in, e) < 0)
			return -1;
		s->proved = true;
		return 0;
	default:
		return again(e);
	}
}

static int answer(struct sasl *s, struct str in, struct buf *out,
		  struct coi_err *e)
{
	switch (s->mech) {
	case EXTERNAL:
		if (s->rounds > 1)
			return again(e);
		if (s->c->user != NULL)
			buf_z(out, s->c->user);
		return 0;
	case OAUTHBEARER:
	case XOAUTH2:
		return oauth(s, in, out, e);
	case SCRAM_PLUS:
	case SCRAM:
		return scram(s, in, out, e);
	case PLAIN:
		return plain(s, out, e);
	case LOGIN:
		return login(s, out, e);
	}
	return again(e);
}

static int decode(struct str in, struct buf *out, struct coi_err *e)
{
	in = str_trim(in);
	if (in.n > LIMIT_SASL_TOKEN)
		return err_set(e, COI_E_PROTOCOL,
			       "the server's login challenge is too long");
	if (str_is(in, "=") || enc_b64_decode(in, false, out))
		return 0;
	return err_set(e, COI_E_PROTOCOL,
		       "the server's login challenge is not base64");
}

int sasl_step(struct sasl *s, struct str in, struct buf *out, struct coi_err *e)
{
	struct buf said = {0}, reply = {0};
	int r;

	s->rounds++;
	r = decode(in, &said, e);
	if (r == 0)
		r = answer(s, buf_view(&said), &reply, e);
	if (r == 0) {
		/* No growing later: it would leave copies behind. */
		buf_room(out, reply.n * 4 / 3 + 8);
		if (reply.n > 0)
			enc_b64(out, buf_view(&reply));
		else if (s->rounds == 1 && sasl_initial(s))
			buf_c(out, '=');
	} else {
		err_stage(e, "login");
	}
	buf_free(&said);
	buf_wipe(&reply);
	return r;
}

int sasl_done(struct sasl *s, struct str last, struct coi_err *e)
{
	struct buf said = {0};
	int r = 0;

	if (s->scram == NULL || s->proved)
		return 0;
	if (s->rounds == 2 && last.n > 0) {
		r = decode(last, &said, e);
		if (r == 0)
			r = scram_check(s->scram, buf_view(&said), e);
		buf_free(&said);
	} else {
		r = err_set(e, COI_E_AUTH,
			    "the server accepted the login without proving "
			    "that it knows the password");
		err_hint(e, "this may not be the server that you mean");
	}
	if (r < 0)
		err_stage(e, "login");
	else
		s->proved = true;
	return r;
}
