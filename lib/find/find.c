#include "core/limits.h"
#include "core/log.h"
#include "core/sys.h"
#include "find/autoconfig.h"
#include "find/priv.h"
#include "fmt/addr.h"

#define TOTAL_MS 30000
#define STEP_MS 10000 /* the SRV records, or one page */

enum { ASK_IMAPS, ASK_IMAP, ASK_SUBMISSIONS, ASK_SUBMISSION, ASKS };

static const struct {
	const char *service;
	enum net_tls tls;
} services[ASKS] = {
    [ASK_IMAPS] = {"_imaps", NET_TLS_IMPLICIT},
    [ASK_IMAP] = {"_imap", NET_TLS_STARTTLS},
    [ASK_SUBMISSIONS] = {"_submissions", NET_TLS_IMPLICIT},
    [ASK_SUBMISSION] = {"_submission", NET_TLS_STARTTLS},
};

struct find {
	struct arena *a;
	const struct find_opts *o;
	struct find_result *r;
	int64_t deadline;
	struct coi_err *e;
};

static struct net_until soon(const struct find *f)
{
	int64_t at = sys_mono_ms() + STEP_MS;

	return (struct net_until){at < f->deadline ? at : f->deadline,
				  f->o->cancel_fd};
}

/* --- what went wrong ------------------------------------------------------ */

static int rank(enum coi_code c)
{
	return c == COI_OK	     ? 0
	       : c == COI_E_TLS	     ? 4
	       : c == COI_E_TEMP     ? 3
	       : c == COI_E_PROTOCOL ? 2
				     : 1;
}

/* Keeps the worst; 0 when another source may still know, else -1. */
static int trouble(struct find *f, const struct coi_err *e)
{
	if (e->code == COI_E_CANCELLED || e->code == COI_E_OS ||
	    e->code == COI_E_INTERNAL || e->code == COI_E_CONFIG) {
		*f->e = *e;
		return -1;
	}
	if (rank(e->code) > rank(f->r->trouble.code))
		f->r->trouble = *e;
	return 0;
}

static bool wanted(const struct find_server *s)
{
	return !s->refused && (!s->found || s->outside);
}

/* Nothing known yet, or a name that no user need be asked about, or more
 * about the same host. */
static void offer(struct find *f, struct find_server *s,
		  const struct find_server *x, const char *what)
{
	find_note(f->o, what, 'S', "%.*s port %u%s", STR_ARG(x->host), x->port,
		  x->outside ? ", outside of the mail domain" : "");
	if (!s->found ||
	    (s->outside && (!x->outside || str_eq(s->host, x->host))))
		*s = *x;
}

static struct str host_name(struct find *f, struct str raw)
{
	if (str_ends(raw, "."))
		raw.n--;
	return find_is_host(raw) ? arena_lower(f->a, arena_str(f->a, raw))
				 : STR_NONE;
}

/* --- SRV ------------------------------------------------------------------ */

static void bad_record(struct find *f, const struct net_srv_ask *q,
		       const struct net_srv *s)
{
	struct coi_err e = {0};

	err_stage(&e, "dns");
	err_set(&e, COI_E_PROTOCOL, "%s names no server: \"%.80s\" port %u",
		q->name, s->host, s->port);
	find_note(f->o, "dns", 'S', "%s", e.msg);
	trouble(f, &e);
}

static bool take_srv(struct find *f, const struct net_srv_ask *q,
		     enum net_tls tls, struct find_server *to)
{
	struct find_server x = {.found = true, .tls = tls};
	size_t i;

	for (i = 0; i < q->n; i++) {
		x.host = host_name(f, str_of(q->v[i].host));
		x.port = q->v[i].port;
		if (x.host.p == NULL || x.port == 0) {
			bad_record(f, q, &q->v[i]);
			continue;
		}
		x.outside = !find_is_inside(x.host, f->r->domain);
		x.origin = arena_fmt(f->a, "SRV %s", q->name);
		offer(f, to, &x, "dns");
		return true;
	}
	return false;
}

static void take_pair(struct find *f, const struct net_srv_ask *q, size_t first,
		      struct find_server *to)
{
	size_t i, no = 0;

	/* TLS from the start goes first (RFC 8314, 3). */
	for (i = first; i < first + 2; i++) {
		no += q[i].got == NET_SRV_NOT_OFFERED;
		if (q[i].got == NET_SRV_FOUND &&
		    take_srv(f, &q[i], services[i].tls, to))
			return;
	}
	to->refused = no == 2;
}

static int ask_dns(struct find *f)
{
	struct net_srv_ask *q = arena_alloc(f->a, ASKS * sizeof(*q));
	struct net_until u = soon(f);
	size_t i;

	for (i = 0; i < ASKS; i++) {
		q[i].name = arena_fmt(f->a, "%s._tcp.%.*s", services[i].service,
				      STR_ARG(f->r->domain))
				.p;
		find_note(f->o, "dns", 'C', "SRV %s", q[i].name);
	}
	if (net_srv(q, ASKS, &u, f->e) < 0)
		return -1;
	for (i = 0; i < ASKS; i++) {
		if (q[i].got == NET_SRV_NOT_OFFERED)
			find_note(f->o, "dns", 'S', "%s: not offered",
				  q[i].name);
		if (q[i].got != NET_SRV_FAILED)
			continue;
		find_note(f->o, "dns", 'S', "%s", q[i].err.msg);
		if (trouble(f, &q[i].err) < 0)
			return -1;
	}
	take_pair(f, q, ASK_IMAPS, &f->r->imap);
	take_pair(f, q, ASK_SUBMISSIONS, &f->r->smtp);
	return 0;
}

/* --- autoconfig ----------------------------------------------------------- */

static enum find_login login_of(unsigned bits)
{
	return bits & AUTO_PASSWORD ? FIND_PASSWORD
	       : bits & AUTO_OAUTH2 ? FIND_OAUTH2
	       : bits & AUTO_CERT   ? FIND_CERT
	       : bits & AUTO_NONE   ? FIND_NO_LOGIN
				    : FIND_UNKNOWN;
}

/* The name may come in Unicode, as a provider of such a domain writes it. */
static struct str auto_host(struct find *f, const struct auto_server *s)
{
	struct str h = autoconfig_fill(f->a, s->host, f->o->email), mail;

	if (h.p != NULL && !str_ascii(h)) {
		mail = arena_fmt(f->a, "x@%.*s", STR_ARG(h));
		mail = addr_valid(mail) ? addr_ascii(f->a, mail) : STR_NONE;
		h = mail.p == NULL ? STR_NONE : addr_domain(mail);
	}
	return h.p == NULL ? h : host_name(f, h);
}

/* False when it cannot be used. */
static bool as_server(struct find *f, const struct auto_server *s,
		      struct find_server *x)
{
	*x = (struct find_server){
	    .found = true,
	    .host = auto_host(f, s),
	    .port = s->port,
	    .tls = s->socket == AUTO_SSL ? NET_TLS_IMPLICIT : NET_TLS_STARTTLS,
	    .login = login_of(s->login)};
	if (x->host.p == NULL || x->port == 0 ||
	    (s->socket != AUTO_SSL && s->socket != AUTO_STARTTLS))
		return false;
	if (s->login == AUTO_ALIEN)
		return false;
	x->outside = !find_is_inside(x->host, f->r->domain);
	if (s->user.n > 0) {
		x->user = autoconfig_fill(f->a, s->user, f->o->email);
		x->user_unknown = x->user.n == 0;
		if (x->user_unknown)
			x->user = STR_NONE;
	}
	return true;
}

static void take_auto(struct find *f, const struct autoconfig *c, bool smtp,
		      const char *url, struct find_server *to)
{
	struct find_server x, best = {.found = false};
	struct coi_err e = {0};
	bool plain = false, any = false;
	size_t i;

	if (!wanted(to))
		return;
	for (i = 0; i < c->n; i++) {
		if (c->v[i].smtp != smtp)
			continue;
		any = true;
		plain |= c->v[i].socket == AUTO_PLAIN;
		if (as_server(f, &c->v[i], &x) &&
		    (!best.found || (best.tls == NET_TLS_STARTTLS &&
				     x.tls == NET_TLS_IMPLICIT)))
			best = x;
	}
	if (best.found) {
		best.origin = arena_str(f->a, str_of(url));
		offer(f, to, &best, "https");
		return;
	}
	if (!any)
		return;
	err_stage(&e, "https");
	err_set(&e, plain ? COI_E_TLS : COI_E_PROTOCOL,
		plain ? "%s offers %s without TLS only, which is not used"
		      : "%s names no server for %s that can be used",
		url, smtp ? "SMTP" : "IMAP");
	find_note(f->o, "https", 'S', "%s", e.msg);
	trouble(f, &e);
}

static int ask_page(struct find *f, const char *url)
{
	struct net_until u = soon(f);
	struct autoconfig c;
	struct coi_err e = {0};
	struct buf body = {0};
	struct str final;
	int rc;

	rc = find_get(f->a, f->o, url, LIMIT_AUTOCONFIG, &u, &body, &final, &e);
	if (rc == 0) {
		rc = autoconfig_parse(f->a, buf_view(&body), &c, &e);
		if (rc < 0) {
			err_stage(&e, "https");
			err_ctx(&e, "%.200s", final.p);
			find_note(f->o, "https", 'S', "%s", e.msg);
		}
	}
	if (rc == 0) {
		take_auto(f, &c, false, final.p, &f->r->imap);
		take_auto(f, &c, true, final.p, &f->r->smtp);
	}
	buf_free(&body);
	return rc < 0 ? trouble(f, &e) : 0;
}

static int ask_web(struct find *f)
{
	struct str d = f->r->domain;
	struct buf mail = {0};
	const char *url[3];
	size_t i, n = 2;
	int rc = 0;

	find_escape(&mail, f->o->email);
	url[0] = arena_fmt(f->a,
			   "https://autoconfig.%.*s/mail/config-v1.1.xml"
			   "?emailaddress=%s",
			   STR_ARG(d), buf_cstr(&mail))
		     .p;
	url[1] = arena_fmt(f->a,
			   "https://%.*s/.well-known/autoconfig/mail/"
			   "config-v1.1.xml",
			   STR_ARG(d))
		     .p;
	if (f->o->ispdb)
		url[n++] = arena_fmt(f->a,
				     "https://autoconfig.thunderbird.net/v1.1/"
				     "%.*s",
				     STR_ARG(d))
			       .p;
	buf_free(&mail);
	for (i = 0; rc == 0 && i < n; i++)
		if (wanted(&f->r->imap) || wanted(&f->r->smtp))
			rc = ask_page(f, url[i]);
	return rc;
}

/* --- all of it ------------------------------------------------------------ */

static int domain_of(struct find *f)
{
	struct str mail = addr_ascii(f->a, f->o->email);

	f->r->domain = STR_NONE;
	if (mail.p != NULL)
		f->r->domain = arena_lower(f->a, addr_domain(mail));
	if (f->r->domain.p != NULL && find_is_host(f->r->domain))
		return 0;
	return err_set(f->e, COI_E_DATA,
		       "\"%.*s\" has no domain that could be looked up",
		       STR_ARG(str_sub(f->o->email, 0, 200)));
}

static int nothing(struct find *f)
{
	const struct coi_err *t = &f->r->trouble;
	const char *hint = "ask the provider for its host names and put them "
			   "into the configuration, see coi-config(5)";

	if (f->r->imap.refused && f->r->smtp.refused) {
		err_stage(f->e, "dns");
		err_set(f->e, COI_E_UNAVAILABLE,
			"%.*s says that it offers neither IMAP nor submission",
			STR_ARG(f->r->domain));
		return -1;
	}
	if (rank(t->code) > 1) {
		*f->e = *t;
		err_hint(f->e, "%s", hint);
		return -1;
	}
	err_set(f->e, COI_E_UNAVAILABLE,
		"%.*s publishes neither SRV records nor an autoconfig page",
		STR_ARG(f->r->domain));
	err_hint(f->e, "%s%s", hint, f->o->ispdb ? "" : ", or try --ispdb");
	return -1;
}

int find_servers(struct arena *a, const struct find_opts *o,
		 struct find_result *r, struct coi_err *e)
{
	struct find f = {.a = a, .o = o, .r = r, .e = e};

	*r = (struct find_result){.domain = STR_NONE};
	f.deadline = sys_mono_ms() +
		     (o->timeout_ms > 0 ? o->timeout_ms : TOTAL_MS);
	if (domain_of(&f) < 0 || ask_dns(&f) < 0)
		return -1;
	if ((wanted(&r->imap) || wanted(&r->smtp)) && ask_web(&f) < 0)
		return -1;
	return r->imap.found || r->smtp.found ? 0 : nothing(&f);
}
