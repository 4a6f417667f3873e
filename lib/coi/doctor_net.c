/* The doctor on the way to a server: from its name to the login. */
#include "coi/doctor_priv.h"
#include "core/sys.h"

#define DAYS_WARN 14

/* Steps in the order in which they happen; one table a protocol. */
enum { RESOLVE, CONNECT, TLS, LOGIN, STEPS };

struct way {
	const char *step[STEPS], *greeting;
	const char *host;
	uint16_t port;
	enum net_tls tls;
	enum account_server which;
};

static struct way way_of(const struct account *ac, enum account_server which)
{
	if (which == ACCOUNT_IMAP)
		return (struct way){
		    {"imap-resolve", "imap-connect", "imap-tls", "imap-login"},
		    "imap-greeting",
		    ac->imap_host,
		    ac->imap_port,
		    ac->imap_tls,
		    which};
	return (struct way){
	    {"smtp-resolve", "smtp-connect", "smtp-tls", "smtp-login"},
	    "smtp-greeting",
	    ac->smtp_host,
	    ac->smtp_port,
	    ac->smtp_tls,
	    which};
}

/* --- what worked
 * -------------------------------------------------------------- */

static void certificate(struct doctor *d, const struct way *w,
			const struct net_info *i, struct str text)
{
	int64_t now = sys_now(), days = (i->not_after - now) / 86400;

	if (i->have_dates && i->not_after < now)
		doctor_warn(d, w->step[TLS],
			    "the pin is right, so it is used all the same; "
			    "the server needs a new certificate",
			    "%.*s; the certificate expired %lld days ago",
			    STR_ARG(text), (long long)-days);
	else if (i->have_dates && i->not_before > now)
		doctor_warn(
		    d, w->step[TLS], "is the clock of this machine right?",
		    "%.*s; the certificate is not valid yet", STR_ARG(text));
	else if (i->have_dates && days < DAYS_WARN)
		doctor_warn(d, w->step[TLS],
			    "the server needs a new certificate soon",
			    "%.*s; the certificate ends in %lld days",
			    STR_ARG(text), (long long)days);
	else
		doctor_ok(d, w->step[TLS],
			  "%.*s; the certificate is good for %lld days",
			  STR_ARG(text), (long long)days);
}

static void tls_works(struct doctor *d, const struct way *w,
		      const struct net_info *i)
{
	struct buf b = {0};

	if (i->tls[0] == '\0') {
		if (w->tls == NET_TLS_OFF)
			doctor_ok(d, w->step[TLS],
				  "off, as configured; the server is on this "
				  "machine");
		else
			doctor_skip(d, w->step[TLS],
				    "STARTTLS comes with the login");
		return;
	}
	buf_fmt(&b, "%s, %s, ", i->tls, i->cipher);
	if (i->pinned)
		buf_fmt(&b, "the pinned key %s", i->pin);
	else
		buf_fmt(&b, "issued by %s", i->issuer);
	certificate(d, w, i, buf_view(&b));
	buf_free(&b);
}

static void net_works(struct doctor *d, const struct way *w,
		      const struct net_info *i)
{
	doctor_ok(d, w->step[RESOLVE], "%s", w->host);
	doctor_ok(d, w->step[CONNECT], "%s", i->peer);
	tls_works(d, w, i);
}

/* --- what did not
 * ------------------------------------------------------------- */

static bool is(const struct coi_err *e, const char *stage)
{
	return strcmp(e->stage, stage) == 0;
}

/* What came before the failing step did work. */
static void came_to(struct doctor *d, const struct way *w, size_t at)
{
	struct coi_err e = {0};
	struct net_info info;
	size_t i;

	if (at == LOGIN && w->tls != NET_TLS_STARTTLS &&
	    account_probe(d->ac, d->net, w->which, &info, &e) == 0) {
		net_works(d, w, &info);
		return;
	}
	for (i = 0; i < at; i++) {
		if (i == TLS && w->tls == NET_TLS_OFF)
			continue;
		if (i == RESOLVE)
			doctor_ok(d, w->step[i], "%s", w->host);
		else
			doctor_ok(d, w->step[i], "%s:%u", w->host, w->port);
	}
}

static void broke(struct doctor *d, const struct way *w, struct coi_err *e)
{
	const char *name = w->step[LOGIN];
	size_t at = LOGIN;

	if (is(e, "dns"))
		at = RESOLVE;
	else if (is(e, "connect"))
		at = CONNECT;
	else if (is(e, "tls"))
		at = TLS;
	else if (is(e, "greeting") || is(e, "ehlo"))
		at = w->tls == NET_TLS_STARTTLS ? TLS : LOGIN;
	if (at < LOGIN || is(e, "tls"))
		name = w->step[at];
	if (is(e, "greeting") || is(e, "ehlo"))
		name = w->greeting;
	came_to(d, w, at);
	doctor_failed(d, name, e);
}

/* Without a secret as far as it goes. */
static void probe(struct doctor *d, const struct way *w)
{
	struct coi_err e = {0};
	struct net_info i;

	if (account_probe(d->ac, d->net, w->which, &i, &e) < 0) {
		broke(d, w, &e);
		return;
	}
	net_works(d, w, &i);
	doctor_skip(d, w->step[LOGIN], "there is no secret to log in with");
}

/* --- logins
 * -------------------------------------------------------------------- */

static const char *named(const char *mechanism)
{
	return mechanism[0] == '\0' ? "no mechanism" : mechanism;
}

struct imap *doctor_imap(struct doctor *d)
{
	struct way w = way_of(d->ac, ACCOUNT_IMAP);
	struct coi_err e = {0};
	struct net_info i;
	struct imap *im;

	if (w.host == NULL) {
		doctor_skip(d, "imap", "no imap-host is configured");
		return NULL;
	}
	if (d->no_secret) {
		probe(d, &w);
		return NULL;
	}
	im = account_imap(d->ac, d->net, &e);
	if (im == NULL) {
		broke(d, &w, &e);
		return NULL;
	}
	net_info(imap_conn(im), &i);
	net_works(d, &w, &i);
	doctor_ok(d, w.step[LOGIN], "logged in as %s (%s)", d->ac->user,
		  named(imap_mechanism(im)));
	return im;
}

struct smtp *doctor_smtp(struct doctor *d)
{
	struct way w = way_of(d->ac, ACCOUNT_SMTP);
	bool auth = d->ac->smtp_user == NULL || d->ac->smtp_user[0] != '\0';
	struct coi_err e = {0};
	struct net_info i;
	struct smtp *s;

	if (w.host == NULL) {
		doctor_skip(d, "smtp", "no smtp-host is configured");
		return NULL;
	}
	if (auth && d->no_secret) {
		probe(d, &w);
		return NULL;
	}
	s = account_smtp(d->ac, d->net, &e);
	if (s == NULL) {
		broke(d, &w, &e);
		return NULL;
	}
	net_info(smtp_conn(s), &i);
	net_works(d, &w, &i);
	if (auth)
		doctor_ok(d, w.step[LOGIN], "logged in as %s (%s)",
			  d->ac->smtp_user, named(smtp_mechanism(s)));
	else
		doctor_ok(d, w.step[LOGIN],
			  "none, as configured (smtp-user is empty)");
	return s;
}
