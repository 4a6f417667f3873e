/* coi-config discover: the servers of an address, as a section to use. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "coi/config.h"
#include "config.h"
#include "core/file.h"
#include "core/limits.h"
#include "find/find.h"
#include "fmt/json.h"

static const char *const usage[] = {
    "discover [-a NAME] [--ispdb] [--write] [--json] ADDRESS", NULL};

static const struct cli_opt opts[] = {
    {0, "ispdb", NULL, "with discover: ask Mozilla's database as well", 0},
    {0, "write", NULL, "with discover: append it to the configuration", 0},
    {0, NULL, NULL, NULL, 0}};

/* One key of the section. */
struct line {
	const char *key;
	struct str value, origin;
	bool number, outside;
};

struct discover {
	struct cli *c;
	struct arena *a;
	const char *path; /* of the configuration; NULL: no home */
	struct str name;  /* of the account */
	struct str email;
	const char *ca_file; /* NULL: the system's */
	const char *ca_origin;
	bool ca_global; /* it stands in front of all sections */
	struct find_result r;
	struct line v[16];
	size_t n;
	bool outside;
};

static const char *env(const char *name)
{
	return getenv(name);
}

/* --- before the network --------------------------------------------------- */

static const char *account_name(struct discover *d, struct coi_err *e)
{
	const char *given = cli_value(d->c, "account");
	struct str domain = addr_domain(addr_ascii(d->a, d->email));

	if (given == NULL)
		return config_name_ok(domain) ? arena_cstr(d->a, domain)
					      : "mail";
	if (config_name_ok(str_of(given)))
		return given;
	cli_usage(d->c, e, "\"%.80s\" cannot be the name of an account", given);
	return NULL;
}

/* A file's name as it is from everywhere; one that is relative begins in
 * `folder`. */
static const char *whole_path(struct discover *d, struct str folder,
			      struct str v)
{
	const char *home = env("HOME");

	if (str_starts(v, "~/") && home != NULL)
		return arena_fmt(d->a, "%s/%.*s", home,
				 STR_ARG(str_sub(v, 2, v.n)))
		    .p;
	if (str_starts(v, "/") || folder.p == NULL)
		return arena_cstr(d->a, v);
	return arena_fmt(d->a, "%.*s/%.*s", STR_ARG(folder), STR_ARG(v)).p;
}

/* Seen from the file that names it. */
static const char *from_file(struct discover *d, struct str v)
{
	const char *slash = strrchr(d->path, '/');

	return whole_path(d,
			  slash == NULL ? STR_NONE
					: str_sub(str_of(d->path), 0,
						  (size_t)(slash - d->path)),
			  v);
}

/* Seen from the folder we are in: the section is read from elsewhere. */
static const char *from_here(struct discover *d, const char *v)
{
	char here[PATH_MAX];

	return whole_path(
	    d, str_of(getcwd(here, sizeof(here)) != NULL ? here : NULL),
	    str_of(v));
}

/* Is the name free, and whom does the file trust? */
static int read_config(struct discover *d, struct coi_err *e)
{
	const char *var = env("COI_CA_FILE");
	const struct config_value *ca;
	struct buf b = {0};
	struct config c;
	size_t i;
	int rc = -1;

	if (var != NULL && *var != '\0') {
		d->ca_file = from_here(d, var);
		d->ca_origin = "COI_CA_FILE";
	}
	if (d->path == NULL || access(d->path, F_OK) != 0)
		return 0;
	if (file_read(d->path, LIMIT_CONFIG, &b, e) < 0) {
		e->code = COI_E_CONFIG;
		goto out;
	}
	if (config_parse(d->a, d->path, arena_str(d->a, buf_view(&b)), &c, e) <
	    0)
		goto out;
	rc = 0;
	ca = &c.v[0].v[KEY_CA_FILE];
	if (d->ca_file == NULL && ca->file != NULL && ca->text.n > 0) {
		d->ca_file = from_file(d, ca->text);
		d->ca_global = true;
	}
	for (i = 1; i < c.n; i++) {
		if (!str_eq(c.v[i].name, d->name))
			continue;
		if (cli_has(d->c, "write")) {
			rc = err_set(e, COI_E_CONFIG,
				     "account \"%.*s\" stands in %s:%u already",
				     STR_ARG(d->name), d->path, c.v[i].line);
			err_hint(e, "it is not changed; give the new one "
				    "another name with -a NAME");
		} else {
			cli_warn(d->c,
				 "account \"%.*s\" stands in %s:%u already: "
				 "give the new one another name with -a NAME",
				 STR_ARG(d->name), d->path, c.v[i].line);
		}
	}
out:
	buf_free(&b);
	return rc;
}

/* --- the section ---------------------------------------------------------- */

static struct line *add(struct discover *d, const char *key, struct str value,
			struct str origin)
{
	d->v[d->n] = (struct line){
	    .key = key, .value = value, .origin = origin};
	return &d->v[d->n++];
}

static void add_server(struct discover *d, const struct find_server *s,
		       const char *const keys[3])
{
	if (!s->found)
		return;
	add(d, keys[0], s->host, s->origin)->outside = s->outside;
	d->outside |= s->outside;
	add(d, keys[1], arena_fmt(d->a, "%u", s->port), s->origin)->number =
	    true;
	add(d, keys[2],
	    str_of(s->tls == NET_TLS_IMPLICIT ? "implicit" : "starttls"),
	    s->origin);
}

/* The user that counts, where both servers are told of. */
static void add_users(struct discover *d)
{
	const struct find_server *i = &d->r.imap, *s = &d->r.smtp;
	struct str user = i->user.p != NULL ? i->user : STR_NONE;

	if (user.p != NULL)
		add(d, "user", user, i->origin);
	else
		user = d->email;
	if (s->login == FIND_NO_LOGIN)
		add(d, "smtp-user", STR(""), s->origin);
	else if (s->user.p != NULL && !str_eq(s->user, user))
		add(d, "smtp-user", s->user, s->origin);
}

static void collect(struct discover *d)
{
	static const char *const imap[] = {"imap-host", "imap-port",
					   "imap-tls"};
	static const char *const smtp[] = {"smtp-host", "smtp-port",
					   "smtp-tls"};

	add(d, "address", d->email, STR("argument"));
	add_server(d, &d->r.imap, imap);
	add_server(d, &d->r.smtp, smtp);
	add_users(d);
	if (d->ca_file != NULL && !d->ca_global)
		add(d, "ca-file", str_of(d->ca_file), str_of(d->ca_origin));
}

static enum find_login login(const struct discover *d)
{
	return d->r.imap.found && d->r.imap.login != FIND_UNKNOWN
		   ? d->r.imap.login
		   : d->r.smtp.login;
}

static const char *login_word(const struct discover *d)
{
	static const char *const words[] = {[FIND_UNKNOWN] = "unknown",
					    [FIND_PASSWORD] = "password",
					    [FIND_OAUTH2] = "oauth2",
					    [FIND_CERT] = "certificate",
					    [FIND_NO_LOGIN] = "none"};

	return words[login(d)];
}

static const char *login_line(const struct discover *d)
{
	switch (login(d)) {
	case FIND_OAUTH2:
		return "# the provider wants OAuth2: add token-command = ...\n";
	case FIND_CERT:
		return "# the provider wants client-cert = ... (PEM)\n";
	case FIND_NO_LOGIN:
		return "";
	default:
		return "# add password-command = ... or password-file = ...\n";
	}
}

static void section(struct discover *d, struct buf *b)
{
	size_t i;

	buf_fmt(b, "[account %.*s]\n", STR_ARG(d->name));
	for (i = 0; i < d->n; i++)
		config_put(b, d->v[i].key, d->v[i].value);
	if (d->r.imap.user_unknown || d->r.smtp.user_unknown)
		buf_z(b, "# the provider gives user names of its own: "
			 "add user = ...\n");
	buf_z(b, login_line(d));
}

/* --- the answer ----------------------------------------------------------- */

static bool complete(const struct discover *d)
{
	return d->r.imap.found && d->r.smtp.found;
}

static void object(struct discover *d, struct str text, bool written)
{
	struct json j;
	uint64_t n;
	size_t i;

	json_begin(&j, cli_outbuf(d->c));
	json_open(&j, '{');
	json_kstr(&j, "account", d->name);
	json_kstr(&j, "domain", d->r.domain);
	json_kbool(&j, "complete", complete(d));
	json_kbool(&j, "outside", d->outside);
	json_kbool(&j, "written", written);
	if (d->path != NULL)
		json_kstr(&j, "file", str_of(d->path));
	json_kstr(&j, "login", str_of(login_word(d)));
	json_key(&j, "values");
	json_open(&j, '{');
	for (i = 0; i < d->n; i++) {
		const struct line *l = &d->v[i];

		json_key(&j, l->key);
		json_open(&j, '{');
		if (l->number && str_u64(l->value, 65535, &n))
			json_kint(&j, "value", (int64_t)n);
		else
			json_kstr(&j, "value", l->value);
		json_kstr(&j, "origin", l->origin);
		if (l->outside)
			json_kbool(&j, "outside", true);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	json_kstr(&j, "section", text);
	json_close(&j, '}');
	buf_c(cli_outbuf(d->c), '\n');
}

/* Which hosts, and who named them. */
static int ask_user(struct discover *d, struct str text, struct coi_err *e)
{
	const struct find_server *i = &d->r.imap, *s = &d->r.smtp;
	bool both = i->outside && s->outside && !str_eq(i->host, s->host);
	struct coi_err ignored = {0};
	struct buf b = {0};

	if (!cli_json(d->c)) {
		buf_c(&b, '\n');
		buf_str(&b, text);
		buf_c(&b, '\n');
		file_write_fd(2, b.p, b.n, &ignored);
		buf_clear(&b);
	}
	if (i->outside)
		buf_str(&b, i->host);
	if (both)
		buf_z(&b, " and ");
	if (s->outside && (both || !i->outside))
		buf_str(&b, s->host);
	err_set(e, COI_E_CONFIG,
		"%s %s outside of %.*s, named by %.*s: nothing was written",
		buf_cstr(&b), both ? "are" : "is", STR_ARG(d->r.domain),
		STR_ARG(i->outside ? i->origin : s->origin));
	err_hint(e, "if that is your provider, put the lines %s into %.120s",
		 cli_json(d->c) ? "of \"section\"" : "above",
		 d->path != NULL ? d->path : "the configuration");
	buf_free(&b);
	return -1;
}

static void tell_missing(struct discover *d)
{
	const char *what = d->r.imap.found ? "SMTP" : "IMAP";
	const struct find_server *s = d->r.imap.found ? &d->r.smtp : &d->r.imap;

	cli_status(d->c, 1);
	if (s->refused)
		cli_warn(d->c, "%.*s says that it offers no %s",
			 STR_ARG(d->r.domain), what);
	else if (d->r.trouble.code != COI_OK)
		cli_warn(d->c, "no %s server was found: %s", what,
			 d->r.trouble.msg);
	else
		cli_warn(d->c, "no %s server was found", what);
	if (cli_has(d->c, "write"))
		cli_warn(d->c, "the section is not complete: nothing was "
			       "written");
}

static int answer(struct discover *d, struct coi_err *e)
{
	bool write = cli_has(d->c, "write") && !d->outside && complete(d);
	struct buf b = {0};
	int rc = 0;

	section(d, &b);
	if (write)
		rc = config_add(d->path, d->name, buf_view(&b), e);
	if (rc == 0 && cli_json(d->c))
		object(d, buf_view(&b), write);
	else if (rc == 0 && !d->outside)
		buf_str(cli_outbuf(d->c), buf_view(&b));
	if (rc == 0)
		rc = cli_flush(d->c, e);
	if (rc == 0 && !complete(d))
		tell_missing(d);
	if (rc == 0 && d->outside)
		rc = ask_user(d, buf_view(&b), e);
	buf_free(&b);
	return rc;
}

static int test_port(uint16_t *port, struct coi_err *e)
{
	const char *z = env("COI_TEST_HTTPS_PORT");
	uint64_t n = 0;

	if (z != NULL && !str_u64(str_of(z), 65535, &n))
		return err_set(e, COI_E_USAGE, "COI_TEST_HTTPS_PORT: no port");
	*port = (uint16_t)n;
	return 0;
}

static int run(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	struct account_options ao = {.config = cli_value(c, "config"),
				     .getenv = env};
	struct account_net net = cli_net(c);
	struct discover d = {.c = c, .a = arena_new()};
	struct find_opts o = {.ispdb = cli_has(c, "ispdb"),
			      .family = net.family,
			      .trace_fd = net.trace_fd,
			      .cancel_fd = net.cancel_fd};
	int64_t seconds = 0;
	struct addr who;
	const char *name;
	int rc = -1;

	(void)n;
	if (cli_duration(c, "timeout", &seconds, e) < 0)
		goto out;
	if (cli_has(c, "timeout") && (seconds <= 0 || seconds > 86400)) {
		cli_usage(c, e, "--timeout must be from 1s to 1d");
		goto out;
	}
	if (addr_one(d.a, str_of(v[0]), &who, e) < 0)
		goto out;
	d.email = o.email = who.email;
	name = account_name(&d, e);
	if (name == NULL)
		goto out;
	d.name = str_of(name);
	d.path = account_config_path(&ao, d.a);
	if (d.path == NULL && cli_has(c, "write")) {
		err_set(e, COI_E_CONFIG,
			"no place for the configuration: HOME is not set");
		err_hint(e, "give the file with -c FILE");
		goto out;
	}
	if (read_config(&d, e) < 0 || test_port(&o.https_port, e) < 0)
		goto out;
	net_dns_servers(env("COI_TEST_DNS"));
	o.ca_file = d.ca_file;
	o.timeout_ms = (int)(seconds * 1000);
	if (find_servers(d.a, &o, &d.r, e) < 0)
		goto out;
	collect(&d);
	rc = answer(&d, e);
out:
	arena_free(d.a);
	return rc;
}

const struct config_command config_discover = {
    .name = "discover",
    .help = "find the servers of an address",
    .usage = usage,
    .opts = opts,
    .min = 1,
    .max = 1,
    .run = run};
