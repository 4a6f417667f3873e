#include "find/autoconfig.h"

#include <expat.h>

#include "core/limits.h"

enum field { F_NONE, F_HOST, F_PORT, F_SOCKET, F_USER, F_LOGIN };

/* Where we are: the depth up to which the path is one of ours. */
enum place { P_ROOT, P_CONFIG, P_PROVIDER, P_SERVER, P_FIELD };

struct read {
	struct arena *a;
	struct autoconfig *out;
	size_t cap;
	XML_Parser p;
	unsigned depth, known; /* open elements; those of the path */
	struct auto_server now;
	enum field field;
	struct buf text;
	struct coi_err *e;
};

static void stop(struct read *r, const char *why)
{
	err_set(r->e, COI_E_PROTOCOL, "the autoconfig answer %s", why);
	XML_StopParser(r->p, XML_FALSE);
}

static bool is(const char *name, const char *z)
{
	return strcmp(name, z) == 0;
}

static const char *attribute(const char **v, const char *name)
{
	for (; *v != NULL; v += 2)
		if (is(v[0], name))
			return v[1];
	return "";
}

static enum field field_of(const char *name)
{
	return is(name, "hostname")	    ? F_HOST
	       : is(name, "port")	    ? F_PORT
	       : is(name, "socketType")	    ? F_SOCKET
	       : is(name, "username")	    ? F_USER
	       : is(name, "authentication") ? F_LOGIN
					    : F_NONE;
}

/* Is this element, below those of the path, one that leads on? */
static bool leads_on(struct read *r, const char *name, const char **attrs)
{
	const char *type = attribute(attrs, "type");

	switch ((enum place)r->known) {
	case P_ROOT:
		return is(name, "clientConfig");
	case P_CONFIG:
		return is(name, "emailProvider");
	case P_PROVIDER:
		r->now = (struct auto_server){
		    .smtp = is(name, "outgoingServer"), .socket = AUTO_OTHER};
		return (is(name, "incomingServer") && is(type, "imap")) ||
		       (is(name, "outgoingServer") && is(type, "smtp"));
	case P_SERVER:
		r->field = field_of(name);
		buf_clear(&r->text);
		return r->field != F_NONE;
	default:
		return false;
	}
}

static void XMLCALL opened(void *ctx, const char *name, const char **attrs)
{
	struct read *r = ctx;

	if (r->depth == LIMIT_AUTOCONFIG_NESTING)
		stop(r, "is nested too deeply");
	else if (r->depth == r->known && leads_on(r, name, attrs))
		r->known++;
	else if (r->depth == 0)
		stop(r, "is no <clientConfig>");
	r->depth++;
}

static void XMLCALL text(void *ctx, const char *p, int n)
{
	struct read *r = ctx;

	if (r->known != P_FIELD || r->depth != P_FIELD)
		return;
	if (r->text.n + (size_t)n > LIMIT_AUTOCONFIG_TEXT) {
		stop(r, "has a value that is too long");
		return;
	}
	buf_add(&r->text, p, (size_t)n);
}

static unsigned login_of(struct str s)
{
	static const struct {
		const char *word;
		unsigned login;
	} words[] = {
	    {"password-cleartext", AUTO_PASSWORD},
	    {"password-encrypted", AUTO_PASSWORD},
	    {"plain", AUTO_PASSWORD}, /* the old words */
	    {"secure", AUTO_PASSWORD},
	    {"OAuth2", AUTO_OAUTH2},
	    {"TLS-client-cert", AUTO_CERT},
	    {"client-IP-address", AUTO_NONE},
	    {"none", AUTO_NONE},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_iis(s, words[i].word))
			return words[i].login;
	return AUTO_ALIEN;
}

/* The first of several wins, but ways to log in add up. */
static void take_field(struct read *r)
{
	struct auto_server *s = &r->now;
	struct str v = str_trim(buf_view(&r->text));
	uint64_t port;

	switch (r->field) {
	case F_HOST:
		if (s->host.p == NULL)
			s->host = arena_str(r->a, v);
		break;
	case F_USER:
		if (s->user.p == NULL)
			s->user = arena_str(r->a, v);
		break;
	case F_PORT:
		if (s->port == 0 && str_u64(v, 65535, &port))
			s->port = (uint16_t)port;
		break;
	case F_SOCKET:
		if (s->socket != AUTO_OTHER)
			break;
		s->socket = str_iis(v, "SSL") || str_iis(v, "TLS") ? AUTO_SSL
			    : str_iis(v, "STARTTLS") ? AUTO_STARTTLS
			    : str_iis(v, "plain")    ? AUTO_PLAIN
						     : AUTO_OTHER;
		break;
	default:
		s->login |= login_of(v);
	}
}

static void take_server(struct read *r)
{
	struct autoconfig *o = r->out;

	if (o->n == LIMIT_AUTOCONFIG_SERVERS) {
		stop(r, "names too many servers");
		return;
	}
	o->v = arena_more(r->a, o->v, o->n, &r->cap, sizeof(*o->v));
	o->v[o->n++] = r->now;
}

static void XMLCALL closed(void *ctx, const char *name)
{
	struct read *r = ctx;

	(void)name;
	if (r->depth == r->known) {
		if (r->known == P_FIELD)
			take_field(r);
		else if (r->known == P_SERVER)
			take_server(r);
		r->known--;
	}
	r->depth--;
}

/* No DTD, no entities: nothing grows, nothing is fetched. */
static void XMLCALL doctype(void *ctx, const char *name, const char *system,
			    const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(ctx, "has a DTD, which is refused");
}

int autoconfig_parse(struct arena *a, struct str xml, struct autoconfig *out,
		     struct coi_err *e)
{
	struct read r = {.a = a, .out = out, .e = e};
	enum XML_Status st;
	int rc = -1;

	*out = (struct autoconfig){.n = 0};
	if (xml.n > LIMIT_AUTOCONFIG)
		return err_set(e, COI_E_PROTOCOL,
			       "the autoconfig answer is too long");
	r.p = XML_ParserCreate(NULL);
	if (r.p == NULL)
		return err_set(e, COI_E_OS, "the XML reader cannot be set up");
	XML_SetUserData(r.p, &r);
	XML_SetElementHandler(r.p, opened, closed);
	XML_SetCharacterDataHandler(r.p, text);
	XML_SetStartDoctypeDeclHandler(r.p, doctype);
	st = XML_Parse(r.p, xml.n > 0 ? xml.p : "", (int)xml.n, XML_TRUE);
	if (st == XML_STATUS_OK)
		rc = 0;
	else if (XML_GetErrorCode(r.p) != XML_ERROR_ABORTED)
		err_set(e, COI_E_PROTOCOL,
			"the autoconfig answer is no XML: line %lu: %s",
			(unsigned long)XML_GetCurrentLineNumber(r.p),
			XML_ErrorString(XML_GetErrorCode(r.p)));
	XML_ParserFree(r.p);
	buf_free(&r.text);
	return rc;
}

/* Controls, and the marks that reorder or break a line. */
static bool has_controls(struct str s)
{
	uint32_t cp;
	size_t i, k;

	for (i = 0; i < s.n; i += k) {
		k = utf8_decode(s.p + i, s.n - i, &cp);
		if (k == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    (cp >= 0x200e && cp <= 0x200f) ||
		    (cp >= 0x2028 && cp <= 0x202e) ||
		    (cp >= 0x2066 && cp <= 0x2069))
			return true;
	}
	return false;
}

struct str autoconfig_fill(struct arena *a, struct str raw, struct str email)
{
	struct buf b = {0};
	struct str out = STR_NONE;
	ptrdiff_t at = -1;
	size_t i;

	for (i = 0; i < email.n; i++)
		if (email.p[i] == '@')
			at = (ptrdiff_t)i;
	if (has_controls(raw))
		return STR_NONE;
	for (i = 0; i < raw.n; i++) {
		struct str rest = str_sub(raw, i, raw.n);

		if (raw.p[i] != '%') {
			buf_c(&b, raw.p[i]);
			continue;
		}
		if (str_starts(rest, "%EMAILADDRESS%")) {
			buf_str(&b, email);
			i += 13;
		} else if (at >= 0 && str_starts(rest, "%EMAILLOCALPART%")) {
			buf_str(&b, str_sub(email, 0, (size_t)at));
			i += 15;
		} else if (at >= 0 && str_starts(rest, "%EMAILDOMAIN%")) {
			buf_str(&b, str_sub(email, (size_t)at + 1, email.n));
			i += 12;
		} else {
			goto out;
		}
	}
	out = arena_str(a, b.n > 0 ? buf_view(&b) : STR(""));
out:
	buf_free(&b);
	return out;
}
