#include "coi/config.h"
#include "core/word.h"

#include <stdarg.h>

static const char *const keys[KEY_MAX + 1] = {
    [KEY_ADDRESS] = "address",
    [KEY_NAME] = "name",
    [KEY_IMAP_HOST] = "imap-host",
    [KEY_IMAP_PORT] = "imap-port",
    [KEY_IMAP_TLS] = "imap-tls",
    [KEY_SMTP_HOST] = "smtp-host",
    [KEY_SMTP_PORT] = "smtp-port",
    [KEY_SMTP_TLS] = "smtp-tls",
    [KEY_SIEVE_HOST] = "sieve-host",
    [KEY_SIEVE_PORT] = "sieve-port",
    [KEY_SIEVE_TLS] = "sieve-tls",
    [KEY_USER] = "user",
    [KEY_SMTP_USER] = "smtp-user",
    [KEY_ALIASES] = "aliases",
    [KEY_PASSWORD_COMMAND] = "password-command",
    [KEY_TOKEN_COMMAND] = "token-command",
    [KEY_PASSWORD_FILE] = "password-file",
    [KEY_CLIENT_CERT] = "client-cert",
    [KEY_CLIENT_KEY] = "client-key",
    [KEY_CA_FILE] = "ca-file",
    [KEY_PIN] = "pin",
    [KEY_ENCRYPT] = "encrypt",
    [KEY_SENT_FOLDER] = "sent-folder",
    [KEY_AUTH] = "auth",
    [KEY_SMTP_WINDOW] = "smtp-window",
    [KEY_MAX_SIZE] = "max-size",
    [KEY_COMPRESS] = "compress",
    [KEY_TIMEOUT] = "timeout",
    [KEY_MAX_CONNECTIONS] = "max-connections",
    [KEY_DEFAULT] = "default",
};

/* Sections of one file: each takes room, and nobody has that many. */
#define SECTIONS_MAX 1000
#define PINS_MAX 8192

const char *config_key_name(enum config_key k)
{
	return keys[k];
}

bool config_name_ok(struct str name)
{
	size_t i;

	if (name.n == 0 || name.n > 64 || name.p[0] == '.' || name.p[0] == '-')
		return false;
	for (i = 0; i < name.n; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
			   "yz0123456789._-",
			   name.p[i]) == NULL ||
		    name.p[i] == '\0')
			return false;
	return true;
}

/* --- suggestions ---------------------------------------------------------- */

const char *config_nearest(struct str s, const char *const *words)
{
	const char *best = NULL;
	size_t least = 4, d;

	if (s.n == 0)
		return NULL;
	for (; *words != NULL; words++) {
		struct str w = str_of(*words);

		d = word_distance(s, w);
		/* More than half of a word is another word. */
		if (d < least && d * 2 <= w.n) {
			least = d;
			best = *words;
		}
	}
	return best;
}

/* --- lines ---------------------------------------------------------------- */

int config_bad(const struct config_value *v, struct coi_err *e, const char *fmt,
	       ...)
{
	struct buf b = {0};
	va_list ap;

	if (v->line != 0)
		buf_fmt(&b, "%s:%u: ", v->file, v->line);
	else
		buf_fmt(&b, "%s: ", v->name != NULL ? v->name : v->file);
	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	err_set(e, COI_E_CONFIG, "%s", buf_cstr(&b));
	buf_free(&b);
	return -1;
}

struct parse {
	struct arena *a;
	struct config *c;
	size_t cap;
	struct config_value at; /* where we are, for errors */
	struct coi_err *e;
};

static struct str show(struct str s)
{
	return str_sub(s, 0, 60);
}

static int find_section(const struct config *c, struct str name)
{
	size_t i;

	for (i = 1; i < c->n; i++)
		if (str_eq(c->v[i].name, name))
			return (int)i;
	return 0;
}

static int section(struct parse *p, struct str line)
{
	struct str name;
	int old;

	if (!str_ends(line, "]"))
		return config_bad(&p->at, p->e,
				  "the section does not end with \"]\"");
	name = str_trim(str_sub(line, 1, line.n - 2));
	if (!str_starts(name, "account") ||
	    (name.n > 7 && name.p[7] != ' ' && name.p[7] != '\t')) {
		config_bad(&p->at, p->e, "unknown section \"%.*s\"",
			   STR_ARG(show(name)));
		err_hint(p->e, "sections are written [account NAME]");
		return -1;
	}
	name = str_trim(str_sub(name, 7, name.n));
	if (!config_name_ok(name)) {
		config_bad(&p->at, p->e, "bad name of an account \"%.*s\"",
			   STR_ARG(show(name)));
		err_hint(p->e, "1 to 64 letters, digits and . _ - in "
			       "[account NAME]");
		return -1;
	}
	old = find_section(p->c, name);
	if (old != 0)
		return config_bad(&p->at, p->e,
				  "account \"%.*s\" stands in line %u already",
				  STR_ARG(name), p->c->v[old].line);
	if (p->c->n > SECTIONS_MAX)
		return config_bad(&p->at, p->e, "more than %d accounts",
				  SECTIONS_MAX);
	p->c->v = arena_more(p->a, p->c->v, p->c->n, &p->cap, sizeof(*p->c->v));
	p->c->v[p->c->n++] = (struct config_section){.name = name,
						     .line = p->at.line};
	return 0;
}

static int unknown_key(struct parse *p, struct str key)
{
	const char *near = config_nearest(key, keys);

	if (str_iis(key, "password") || str_iis(key, "token")) {
		config_bad(&p->at, p->e, "no %.*s may stand in this file",
			   STR_ARG(key));
		err_hint(p->e, "use %.*s-command = ... (a password manager)%s",
			 STR_ARG(key),
			 str_iis(key, "password")
			     ? " or password-file = ... (mode 0600)"
			     : "");
		return -1;
	}
	if (near != NULL)
		return config_bad(&p->at, p->e,
				  "unknown key \"%.*s\", did you mean \"%s\"?",
				  STR_ARG(show(key)), near);
	config_bad(&p->at, p->e, "unknown key \"%.*s\"", STR_ARG(show(key)));
	err_hint(p->e, "the keys are in coi-config(5)");
	return -1;
}

static int unquote(struct parse *p, struct str raw, struct str *out)
{
	char *q = arena_alloc(p->a, raw.n + 1);
	size_t i, n = 0;

	for (i = 1; i < raw.n && raw.p[i] != '"'; i++) {
		char c = raw.p[i];

		if (c == '\\') {
			c = ++i < raw.n ? raw.p[i] : '\0';
			if (c == 't')
				c = '\t';
			else if (c != '"' && c != '\\')
				return config_bad(
				    &p->at, p->e,
				    "in quotes only \\\" \\\\ and \\t may "
				    "follow a backslash");
		}
		q[n++] = c;
	}
	if (i >= raw.n)
		return config_bad(&p->at, p->e, "a closing \" is missing");
	if (i + 1 < raw.n)
		return config_bad(&p->at, p->e,
				  "text behind the closing \": \"%.*s\"",
				  STR_ARG(show(str_sub(raw, i + 1, raw.n))));
	*out = (struct str){q, n};
	return 0;
}

static int store(struct parse *p, enum config_key k, struct str value)
{
	struct config_section *s = &p->c->v[p->c->n - 1];
	struct config_value *v = &s->v[k];

	if (v->file != NULL && k != KEY_PIN)
		return config_bad(&p->at, p->e,
				  "\"%s\" stands in line %u already", keys[k],
				  v->line);
	if (k == KEY_DEFAULT && s->name.p == NULL)
		return config_bad(&p->at, p->e,
				  "\"default\" belongs into a section");
	if (v->file != NULL) {
		/* Each is copied again here: keep that short. */
		if (v->text.n + value.n > PINS_MAX)
			return config_bad(&p->at, p->e, "too many pins");
		v->text = arena_fmt(p->a, "%.*s %.*s", STR_ARG(v->text),
				    STR_ARG(value));
		return 0;
	}
	*v = (struct config_value){value, p->c->file, keys[k], p->at.line};
	return 0;
}

static int pair(struct parse *p, struct str line)
{
	struct str value = line, key = str_trim(str_split(&value, '='));
	int k;

	if (str_chr(line, '=') < 0) {
		config_bad(&p->at, p->e, "no \"=\" in \"%.*s\"",
			   STR_ARG(show(line)));
		err_hint(p->e, "lines are: key = value");
		return -1;
	}
	for (k = 0; k < KEY_MAX; k++)
		if (str_is(key, keys[k]))
			break;
	if (k == KEY_MAX)
		return unknown_key(p, key);
	value = str_trim(value);
	if (value.n == 0) {
		config_bad(&p->at, p->e, "\"%s\" has no value", keys[k]);
		err_hint(p->e, "write \"\" to mean empty, or remove the line");
		return -1;
	}
	if (value.p[0] == '"' && unquote(p, value, &value) < 0)
		return -1;
	return store(p, (enum config_key)k, value);
}

static bool has_controls(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return true;
	return false;
}

int config_parse(struct arena *a, const char *file, struct str text,
		 struct config *out, struct coi_err *e)
{
	struct parse p = {.a = a, .c = out, .at = {.file = file}, .e = e};
	struct str line;
	int rc = 0;

	*out = (struct config){.file = file};
	out->v = arena_more(a, NULL, 0, &p.cap, sizeof(*out->v));
	out->v[0] = (struct config_section){.name = STR_NONE};
	out->n = 1;
	if (str_starts(text, "\xef\xbb\xbf"))
		text = str_sub(text, 3, text.n);
	while (rc == 0 && str_line(&text, &line)) {
		p.at.line++;
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (!utf8_valid(line) || has_controls(line))
			rc = config_bad(&p.at, e, "%s",
					has_controls(line)
					    ? "control characters in the line"
					    : "the line is not UTF-8");
		else if (line.p[0] == '[')
			rc = section(&p, line);
		else
			rc = pair(&p, line);
	}
	return rc;
}
