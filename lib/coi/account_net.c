#include "coi/account_priv.h"

#include "core/sys.h"

/* One run of a tool logs in to two servers: ask a password manager once. */
#define SECRETS_MS 30000

enum which { IMAP, SMTP, SIEVE };

struct place {
	const char *label, *host, *user;
	uint16_t port;
	enum net_tls tls;
};

static struct place place(const struct account *ac, enum which w)
{
	switch (w) {
	case SMTP:
		return (struct place){"smtp", ac->smtp_host, ac->smtp_user,
				      ac->smtp_port, ac->smtp_tls};
	case SIEVE:
		return (struct place){"sieve", ac->sieve_host, ac->user,
				      ac->sieve_port, ac->sieve_tls};
	default:
		return (struct place){"imap", ac->imap_host, ac->user,
				      ac->imap_port, ac->imap_tls};
	}
}

static int need_host(const struct account *ac, enum which w, struct coi_err *e)
{
	const char *key = w == IMAP   ? "imap-host"
			  : w == SMTP ? "smtp-host"
				      : "sieve-host";

	if (place(ac, w).host != NULL)
		return 0;
	err_set(e, COI_E_CONFIG, "account \"%s\" has no %s", ac->section, key);
	err_hint(e, "add \"%s = ...\" to %s", key,
		 ac->file != NULL ? ac->file : "the configuration");
	return -1;
}

static struct net_opts net(const struct account *ac,
			   const struct account_net *n, enum which w)
{
	struct place p = place(ac, w);

	return (struct net_opts){
	    .host = p.host,
	    .port = p.port,
	    .tls = p.tls,
	    .family = n->family,
	    .ca_file = ac->ca_file,
	    .client_cert = ac->client_cert,
	    .client_key = ac->client_key != NULL ? ac->client_key
						 : ac->client_cert,
	    .pins = ac->pins,
	    .npins = ac->npins,
	    .connect_ms = ac->timeout_ms > 0 && ac->timeout_ms < 30000
			      ? ac->timeout_ms
			      : 30000,
	    .io_ms = ac->timeout_ms,
	    .trace_fd = n->trace_fd,
	    .label = p.label,
	    .cancel_fd = n->cancel_fd};
}

/* Another task may have the commands run anew while this one logs in. */
static struct sasl_creds creds(const struct account *ac, enum which w)
{
	bool external = ac->client_cert != NULL && ac->password == NULL &&
			ac->token == NULL;
	struct place p = place(ac, w);

	if (ac->auth != NULL)
		external = strcmp(ac->auth, "EXTERNAL") == 0;
	return (struct sasl_creds){.user = p.user,
				   .password = secret_keep(ac->password),
				   .token = secret_keep(ac->token),
				   .external = external,
				   .host = p.host,
				   .port = p.port,
				   .service = p.label,
				   .only = ac->auth};
}

static void forget(struct sasl_creds *c)
{
	secret_free(c->password);
	secret_free(c->token);
}

int account_probe(const struct account *ac, const struct account_net *n,
		  enum account_server which, struct net_info *i,
		  struct coi_err *e)
{
	enum which w = which == ACCOUNT_IMAP ? IMAP : SMTP;
	struct net_conn *c;
	struct net_opts o;

	if (need_host(ac, w, e) < 0)
		return -1;
	o = net(ac, n, w);
	c = net_open(&o, e);
	if (c == NULL) {
		err_stage(e, "connect");
		return -1;
	}
	net_info(c, i);
	net_close(c);
	return 0;
}

/* Commands run anew at each login, but for two logins in a row. */
static int secrets(struct account *ac, const struct account_net *n,
		   struct coi_err *e)
{
	bool old = ac->secrets_at != 0 &&
		   sys_mono_ms() - ac->secrets_at > SECRETS_MS;

	ac->cancel_fd = n->cancel_fd;
	return account_secrets(ac, old, e);
}

/* A token ends before its time is up: one more try with a new one. */
static bool again(struct account *ac, bool *tried, struct coi_err *e)
{
	if (*tried || e->code != COI_E_AUTH || ac->token_command == NULL)
		return false;
	*tried = true;
	err_clear(e);
	return account_secrets(ac, true, e) == 0;
}

struct imap *account_imap(struct account *ac, const struct account_net *n,
			  struct coi_err *e)
{
	struct imap_opts o;
	struct imap *im;
	bool tried = false;

	if (need_host(ac, IMAP, e) < 0 || secrets(ac, n, e) < 0)
		return NULL;
	do {
		o = (struct imap_opts){.net = net(ac, n, IMAP),
				       .creds = creds(ac, IMAP),
				       .compress = ac->compress};
		im = imap_open(&o, e);
		forget(&o.creds);
	} while (im == NULL && again(ac, &tried, e));
	return im;
}

struct smtp *account_smtp(struct account *ac, const struct account_net *n,
			  struct coi_err *e)
{
	/* smtp-user = "": a server that takes mail from us as we are. */
	bool auth = ac->smtp_user == NULL || ac->smtp_user[0] != '\0';
	struct smtp_opts o;
	struct smtp *s;
	bool tried = false;

	if (need_host(ac, SMTP, e) < 0 || (auth && secrets(ac, n, e) < 0))
		return NULL;
	do {
		o = (struct smtp_opts){.net = net(ac, n, SMTP),
				       .window = ac->smtp_window};
		if (auth)
			o.creds = creds(ac, SMTP);
		s = smtp_open(&o, e);
		forget(&o.creds);
	} while (s == NULL && auth && again(ac, &tried, e));
	return s;
}

struct sieve *account_sieve(struct account *ac, const struct account_net *n,
			    struct coi_err *e)
{
	struct sieve_opts o;
	struct sieve *s;
	bool tried = false;

	if (need_host(ac, SIEVE, e) < 0 || secrets(ac, n, e) < 0)
		return NULL;
	do {
		o = (struct sieve_opts){.net = net(ac, n, SIEVE),
					.creds = creds(ac, SIEVE)};
		s = sieve_open(&o, e);
		forget(&o.creds);
	} while (s == NULL && again(ac, &tried, e));
	return s;
}
