/* coi-config show: the account as the tools see it, and who said so. */
#include "config.h"

#include <unistd.h>

#include "coi/config.h"
#include "fmt/json.h"

static const struct cli_opt opts[] = {
    {0, "origin", NULL, "say where each value comes from", 0},
    {0, NULL, NULL, NULL, 0}};

/* A command may have a password in it. */
static bool hidden(enum config_key k)
{
	return k == KEY_PASSWORD_COMMAND || k == KEY_TOKEN_COMMAND;
}

static const char *tls_word(enum net_tls t)
{
	return t == NET_TLS_IMPLICIT   ? "implicit"
	       : t == NET_TLS_STARTTLS ? "starttls"
				       : "off";
}

/* What holds for a key that nobody gave; absent: nothing does. */
static struct str otherwise(const struct account *ac, enum config_key k)
{
	struct arena *a = ac->arena;

	switch (k) {
	case KEY_IMAP_PORT:
		return arena_fmt(a, "%u", ac->imap_port);
	case KEY_SMTP_PORT:
		return arena_fmt(a, "%u", ac->smtp_port);
	case KEY_IMAP_TLS:
		return str_of(tls_word(ac->imap_tls));
	case KEY_SMTP_TLS:
		return str_of(tls_word(ac->smtp_tls));
	case KEY_SIEVE_HOST:
		return str_of(ac->sieve_host);
	case KEY_SIEVE_PORT:
		return arena_fmt(a, "%u", ac->sieve_port);
	case KEY_SIEVE_TLS:
		return str_of(tls_word(ac->sieve_tls));
	case KEY_USER:
		return str_of(ac->user);
	case KEY_SMTP_USER:
		return str_of(ac->smtp_user);
	case KEY_CLIENT_KEY:
		return str_of(ac->client_cert);
	case KEY_ENCRYPT:
		return str_of(ac->encrypt);
	case KEY_SENT_FOLDER:
		return str_of(ac->sent_folder);
	case KEY_SMTP_WINDOW:
		return arena_fmt(a, "%u", ac->smtp_window);
	case KEY_MAX_CONNECTIONS:
		return arena_fmt(a, "%u", (unsigned)ac->max_connections);
	case KEY_MAX_SIZE:
		return STR("none");
	case KEY_COMPRESS:
	case KEY_DEFAULT:
		return STR("no");
	case KEY_TIMEOUT:
		return STR("60s");
	default:
		return STR_NONE;
	}
}

/* Files as they are opened: seen from the file that names them. */
static struct str resolved(const struct account *ac, enum config_key k,
			   struct str given)
{
	const char *path = k == KEY_PASSWORD_FILE ? ac->password_file
			   : k == KEY_CLIENT_CERT ? ac->client_cert
			   : k == KEY_CLIENT_KEY  ? ac->client_key
			   : k == KEY_CA_FILE	  ? ac->ca_file
						  : NULL;

	return path != NULL && given.n > 0 ? str_of(path) : given;
}

struct shown {
	const char *key;
	struct str value; /* absent: nothing holds, or it is hidden */
	bool hidden;
	const char *kind; /* "file", "environment", "option", ... */
	const char *name; /* file, variable or option */
	unsigned line;
};

/* As the configuration file would have it. */
static void put_value(struct buf *b, struct str v)
{
	struct buf q = {0};

	config_put_value(&q, v);
	buf_clean(b, buf_view(&q));
	buf_free(&q);
}

static void text(struct buf *b, const struct shown *s, bool origin)
{
	if (s->value.p == NULL && !s->hidden)
		return;
	if (origin) {
		buf_z(b, s->kind);
		if (s->name != NULL) {
			buf_c(b, ':');
			buf_clean(b, str_of(s->name));
		}
		if (s->line != 0)
			buf_fmt(b, ":%u", s->line);
		buf_c(b, '\t');
	}
	/* No line that could be taken for the real thing. */
	if (s->hidden) {
		buf_fmt(b, "# %s is not shown\n", s->key);
		return;
	}
	buf_fmt(b, "%s = ", s->key);
	put_value(b, s->value);
	buf_c(b, '\n');
}

static void object(struct buf *b, const struct account *ac,
		   const struct shown *s)
{
	struct json j;

	json_begin(&j, b);
	json_open(&j, '{');
	json_kstr(&j, "account", str_of(ac->section));
	json_kstr(&j, "key", str_of(s->key));
	if (s->value.p != NULL) {
		json_kstr(&j, "value", s->value);
	} else {
		json_key(&j, "value");
		json_null(&j);
	}
	if (s->hidden)
		json_kbool(&j, "hidden", true);
	json_kstr(&j, "origin", str_of(s->kind));
	if (s->name != NULL)
		json_kstr(&j, strcmp(s->kind, "file") == 0 ? "file" : "name",
			  str_of(s->name));
	if (s->line != 0)
		json_kint(&j, "line", s->line);
	json_close(&j, '}');
	buf_c(b, '\n');
}

static void show(struct cli *c, const struct account *ac, const struct shown *s)
{
	if (cli_json(c))
		object(cli_outbuf(c), ac, s);
	else
		text(cli_outbuf(c), s, cli_has(c, "origin"));
}

static void show_key(struct cli *c, const struct account *ac, enum config_key k)
{
	const struct config_value *v = &ac->given[k];
	struct shown s = {.key = config_key_name(k), .kind = "default"};

	if (k == KEY_TIMEOUT && cli_has(c, "timeout")) {
		s.value = str_of(cli_value(c, "timeout"));
		s.kind = "option";
		s.name = "--timeout";
	} else if (v->file != NULL) {
		s.hidden = hidden(k) && v->text.n > 0;
		s.value = s.hidden ? STR_NONE : resolved(ac, k, v->text);
		s.kind = v->line != 0 ? "file" : "environment";
		s.name = v->line != 0 ? v->file : v->name;
		s.line = v->line;
	} else {
		s.value = otherwise(ac, k);
	}
	show(c, ac, &s);
}

/* Without a key for it the secret may be a credential of the service. */
static void show_credential(struct cli *c, const struct account *ac)
{
	static const char *const kinds[] = {"token", "password"};
	struct shown s = {.hidden = true, .kind = "credential"};
	size_t i;
	int own;

	if (ac->credentials == NULL || ac->password_command != NULL ||
	    ac->password_file != NULL || ac->token_command != NULL)
		return;
	for (i = 0; i < 2; i++)
		for (own = 1; own >= 0; own--) {
			s.key = kinds[i];
			s.name = own ? arena_fmt(ac->arena, "%s/coi-%s.%s",
						 ac->credentials, ac->section,
						 kinds[i])
					   .p
				     : arena_fmt(ac->arena, "%s/%s",
						 ac->credentials, kinds[i])
					   .p;
			if (access(s.name, F_OK) == 0) {
				show(c, ac, &s);
				return;
			}
		}
}

static int run(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	struct coi_err le = {0};
	struct account *ac = cli_account(c, true, &le);
	enum config_key k;

	/* What is not complete is shown, what is not there or not clear
	 * which is told. */
	if (ac == NULL)
		ac = cli_account(c, false, e);
	if (ac != NULL && le.code != COI_OK &&
	    strcmp(ac->section, "default") == 0) {
		*e = le;
		account_free(ac);
		return -1;
	}
	if (ac == NULL)
		return -1;
	if (!cli_json(c))
		buf_fmt(cli_outbuf(c), "%s[account %s]\n",
			cli_has(c, "origin") ? "\t" : "", ac->section);
	for (k = 0; k < KEY_MAX; k++)
		show_key(c, ac, k);
	show_credential(c, ac);
	account_free(ac);
	return 0;
}

static const char *const usage[] = {"show [--origin] [--json]", NULL};

const struct config_command config_show = {
    .name = "show",
    .help = "the account as the tools see it, secrets hidden",
    .usage = usage,
    .opts = opts,
    .run = run};
