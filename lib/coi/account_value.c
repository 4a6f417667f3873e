#include "coi/account_priv.h"

#include <stdlib.h>

#include "core/limits.h"

struct values {
	struct account *ac;
	const struct config_value *v;
	const char *home;
	struct coi_err *e;
};

/* An empty value ("") takes back what a file further down says. */
static bool given(const struct values *x, enum config_key k)
{
	return x->v[k].file != NULL && x->v[k].text.n > 0;
}

static const char *text(const struct values *x, enum config_key k)
{
	return given(x, k) ? arena_cstr(x->ac->arena, x->v[k].text) : NULL;
}

/* One of the words, or -1 with the error set. */
static int word(const struct values *x, enum config_key k,
		const char *const *words)
{
	const char *near;
	struct buf b = {0};
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (str_iis(x->v[k].text, words[i]))
			return i;
	near = config_nearest(x->v[k].text, words);
	for (i = 0; words[i] != NULL; i++)
		buf_fmt(&b, "%s%s", i > 0 ? ", " : "", words[i]);
	config_bad(&x->v[k], x->e, "%s is \"%.*s\"%s%s%s", config_key_name(k),
		   STR_ARG(str_sub(x->v[k].text, 0, 60)),
		   near != NULL ? ", did you mean \"" : "",
		   near != NULL ? near : "", near != NULL ? "\"?" : "");
	err_hint(x->e, "it may be %s", buf_cstr(&b));
	buf_free(&b);
	return -1;
}

static int tls(const struct values *x, enum config_key k, enum net_tls *out)
{
	static const char *const words[] = {"implicit", "starttls", "off",
					    NULL};
	static const enum net_tls is[] = {NET_TLS_IMPLICIT, NET_TLS_STARTTLS,
					  NET_TLS_OFF};
	int i;

	if (!given(x, k))
		return 0;
	i = word(x, k, words);
	if (i >= 0)
		*out = is[i];
	return i < 0 ? -1 : 0;
}

static int number(const struct values *x, enum config_key k, uint64_t lo,
		  uint64_t hi, uint64_t *out)
{
	if (!given(x, k))
		return 0;
	if (str_u64(x->v[k].text, hi, out) && *out >= lo)
		return 0;
	return config_bad(
	    &x->v[k], x->e, "%s is \"%.*s\", not a number from %llu to %llu",
	    config_key_name(k), STR_ARG(str_sub(x->v[k].text, 0, 60)),
	    (unsigned long long)lo, (unsigned long long)hi);
}

static int port(const struct values *x, enum config_key k, unsigned otherwise,
		uint16_t *out)
{
	uint64_t n = otherwise;

	if (number(x, k, 1, 65535, &n) < 0)
		return -1;
	*out = (uint16_t)n;
	return 0;
}

static int host(const struct values *x, enum config_key k, const char **out)
{
	struct str s = x->v[k].text;
	size_t i, colons = 0;

	if (!given(x, k))
		return 0;
	for (i = 0; i < s.n; i++) {
		colons += s.p[i] == ':';
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '/' ||
		    s.p[i] == '@')
			break;
	}
	if (i < s.n || s.n > 253 || colons == 1) {
		config_bad(&x->v[k], x->e, "%s is \"%.*s\", not a host name",
			   config_key_name(k), STR_ARG(str_sub(s, 0, 60)));
		err_hint(x->e, "the name alone; the port goes into %s",
			 k == KEY_IMAP_HOST   ? "imap-port"
			 : k == KEY_SMTP_HOST ? "smtp-port"
					      : "sieve-port");
		return -1;
	}
	*out = arena_cstr(x->ac->arena, s);
	return 0;
}

/* "100k", "5M", "1G", octets, or "none". */
static int size(const struct values *x, enum config_key k, int64_t *out)
{
	static const char units[] = "kmg";
	struct str s = x->v[k].text;
	uint64_t n, f = 1;
	const char *u;

	if (!given(x, k))
		return 0;
	if (str_iis(s, "none")) {
		*out = -1;
		return 0;
	}
	u = strchr(units, s.p[s.n - 1] | 0x20);
	if (u != NULL && *u != '\0') {
		f = UINT64_C(1) << (10 * (u - units + 1));
		s.n--;
	}
	if (!str_u64(s, INT64_MAX / f, &n)) {
		config_bad(&x->v[k], x->e, "%s is \"%.*s\", not a size",
			   config_key_name(k),
			   STR_ARG(str_sub(x->v[k].text, 0, 60)));
		err_hint(x->e, "100k, 5M, 1G, a number of octets, or none");
		return -1;
	}
	*out = (int64_t)(n * f);
	return 0;
}

static int timeout(const struct values *x, enum config_key k, int *ms)
{
	static const uint64_t factor[] = {1, 60, 3600};
	struct str s = x->v[k].text;
	uint64_t n, f = 1;
	const char *u;

	if (!given(x, k))
		return 0;
	u = memchr("smh", s.p[s.n - 1], 3);
	if (u != NULL) {
		f = factor[*u == 's' ? 0 : *u == 'm' ? 1 : 2];
		s.n--;
	}
	if (!str_u64(s, 86400 / f, &n) || n == 0) {
		config_bad(&x->v[k], x->e, "%s is \"%.*s\", not a time",
			   config_key_name(k),
			   STR_ARG(str_sub(x->v[k].text, 0, 60)));
		err_hint(x->e, "30s, 5m, 1h, at most 24h");
		return -1;
	}
	*ms = (int)(n * f * 1000);
	return 0;
}

/* ~/ is the home; else relative to the folder of the file that says it. */
static int path(const struct values *x, enum config_key k, const char **out)
{
	const struct config_value *v = &x->v[k];
	const char *slash;

	if (!given(x, k))
		return 0;
	if (str_starts(v->text, "~/")) {
		if (x->home == NULL)
			return config_bad(v, x->e, "%s: no HOME for \"~\"",
					  config_key_name(k));
		*out = arena_fmt(x->ac->arena, "%s/%.*s", x->home,
				 STR_ARG(str_sub(v->text, 2, v->text.n)))
			   .p;
		return 0;
	}
	slash = v->line == 0 ? NULL : strrchr(v->file, '/');
	if (v->text.p[0] == '/' || slash == NULL)
		*out = text(x, k);
	else
		*out = arena_fmt(x->ac->arena, "%.*s/%.*s",
				 (int)(slash - v->file), v->file,
				 STR_ARG(v->text))
			   .p;
	return 0;
}

static int base64_value(char c)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
				  "stuvwxyz0123456789+/";
	const char *p = c == '\0' ? NULL : strchr(set, c);

	return p == NULL ? -1 : (int)(p - set);
}

/* 32 octets in base64: 43 characters and "="; the last has two spare bits. */
static bool is_pin(struct str s)
{
	size_t i;

	if (s.n != 44 || s.p[43] != '=')
		return false;
	for (i = 0; i < 43; i++)
		if (base64_value(s.p[i]) < 0)
			return false;
	return (base64_value(s.p[42]) & 3) == 0;
}

static int pins(const struct values *x)
{
	struct account *ac = x->ac;
	struct str rest, one;
	size_t cap = 0;

	if (!given(x, KEY_PIN))
		return 0;
	rest = x->v[KEY_PIN].text;
	while (rest.n > 0) {
		one = str_trim(str_split(&rest, ' '));
		if (one.n == 0)
			continue;
		if (str_starts(one, "sha256//"))
			one = str_sub(one, 8, one.n);
		if (!is_pin(one)) {
			config_bad(&x->v[KEY_PIN], x->e, "\"%.*s\" is no pin",
				   STR_ARG(str_sub(one, 0, 60)));
			err_hint(x->e, "a pin is the SHA-256 of the server's "
				       "public key (SPKI) in base64, 44 "
				       "characters");
			return -1;
		}
		ac->pins = arena_more(ac->arena, ac->pins, ac->npins, &cap,
				      sizeof(*ac->pins));
		ac->pins[ac->npins++] = arena_cstr(ac->arena, one);
	}
	return 0;
}

static int one_address(const struct values *x, enum config_key k, struct str s,
		       struct addr *out)
{
	struct coi_err why = {0};

	if (addr_one(x->ac->arena, s, out, &why) == 0)
		return 0;
	return config_bad(&x->v[k], x->e, "%s: %s", config_key_name(k),
			  why.msg);
}

static int addresses(const struct values *x)
{
	struct account *ac = x->ac;
	struct str rest, one;
	struct addr alias;

	if (given(x, KEY_ADDRESS) &&
	    one_address(x, KEY_ADDRESS, x->v[KEY_ADDRESS].text, &ac->me) < 0)
		return -1;
	if (given(x, KEY_NAME))
		ac->me.name = arena_str(ac->arena, x->v[KEY_NAME].text);
	if (!given(x, KEY_ALIASES))
		return 0;
	rest = x->v[KEY_ALIASES].text;
	while (rest.n > 0) {
		one = str_trim(str_split(&rest, ','));
		if (one.n == 0)
			continue;
		if (one_address(x, KEY_ALIASES, one, &alias) < 0)
			return -1;
		addr_add(ac->arena, &ac->aliases, alias);
	}
	return 0;
}

static int server(const struct values *x)
{
	static const char *const auth[] = {
	    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN",    "LOGIN",
	    "OAUTHBEARER",	  "XOAUTH2",	   "EXTERNAL", NULL};
	static const unsigned imap[] = {993, 143, 143}, smtp[] = {465, 587, 25};
	struct account *ac = x->ac;
	uint64_t window = 1, connections = 2;
	int i;

	if (host(x, KEY_IMAP_HOST, &ac->imap_host) < 0 ||
	    host(x, KEY_SMTP_HOST, &ac->smtp_host) < 0 ||
	    host(x, KEY_SIEVE_HOST, &ac->sieve_host) < 0 ||
	    tls(x, KEY_IMAP_TLS, &ac->imap_tls) < 0 ||
	    tls(x, KEY_SMTP_TLS, &ac->smtp_tls) < 0 ||
	    tls(x, KEY_SIEVE_TLS, &ac->sieve_tls) < 0 ||
	    port(x, KEY_IMAP_PORT, imap[ac->imap_tls], &ac->imap_port) < 0 ||
	    port(x, KEY_SMTP_PORT, smtp[ac->smtp_tls], &ac->smtp_port) < 0 ||
	    port(x, KEY_SIEVE_PORT, 4190, &ac->sieve_port) < 0 ||
	    number(x, KEY_SMTP_WINDOW, 1, 1000, &window) < 0 ||
	    number(x, KEY_MAX_CONNECTIONS, 1, 16, &connections) < 0 ||
	    pins(x) < 0)
		return -1;
	if (ac->sieve_host == NULL)
		ac->sieve_host = ac->imap_host;
	ac->smtp_window = (unsigned)window;
	ac->max_connections = (unsigned)connections;
	ac->user = text(x, KEY_USER);
	if (ac->user == NULL && ac->me.email.p != NULL)
		ac->user = arena_cstr(ac->arena, ac->me.email);
	ac->smtp_user = x->v[KEY_SMTP_USER].file != NULL
			    ? arena_cstr(ac->arena, x->v[KEY_SMTP_USER].text)
			    : ac->user;
	if (given(x, KEY_AUTH)) {
		i = word(x, KEY_AUTH, auth);
		if (i < 0)
			return -1;
		ac->auth = auth[i];
	}
	return 0;
}

static int secrets(const struct values *x)
{
	struct account *ac = x->ac;
	const struct config_value *cmd = &x->v[KEY_PASSWORD_COMMAND];

	ac->password_command = text(x, KEY_PASSWORD_COMMAND);
	ac->token_command = text(x, KEY_TOKEN_COMMAND);
	if (path(x, KEY_PASSWORD_FILE, &ac->password_file) < 0 ||
	    path(x, KEY_CLIENT_CERT, &ac->client_cert) < 0 ||
	    path(x, KEY_CLIENT_KEY, &ac->client_key) < 0 ||
	    path(x, KEY_CA_FILE, &ac->ca_file) < 0)
		return -1;
	if (ac->password_command != NULL && ac->password_file != NULL)
		return config_bad(cmd, x->e,
				  "both password-command and password-file");
	if (ac->client_key != NULL && ac->client_cert == NULL)
		return config_bad(&x->v[KEY_CLIENT_KEY], x->e,
				  "client-key without client-cert");
	return 0;
}

int account_values(struct account *ac, const struct config_value v[KEY_MAX],
		   const char *home, struct coi_err *e)
{
	static const char *const encrypt[] = {"auto", "always", "never", NULL};
	static const char *const yes_no[] = {"no", "yes", NULL};
	struct values x = {ac, v, home, e};
	int i;

	if (addresses(&x) < 0 || server(&x) < 0 || secrets(&x) < 0 ||
	    size(&x, KEY_MAX_SIZE, &ac->max_size) < 0 ||
	    timeout(&x, KEY_TIMEOUT, &ac->timeout_ms) < 0)
		return -1;
	if (given(&x, KEY_SENT_FOLDER))
		ac->sent_folder = text(&x, KEY_SENT_FOLDER);
	if (given(&x, KEY_ENCRYPT)) {
		i = word(&x, KEY_ENCRYPT, encrypt);
		if (i < 0)
			return -1;
		ac->encrypt = encrypt[i];
	}
	if (given(&x, KEY_COMPRESS)) {
		i = word(&x, KEY_COMPRESS, yes_no);
		if (i < 0)
			return -1;
		ac->compress = i == 1;
	}
	return 0;
}
