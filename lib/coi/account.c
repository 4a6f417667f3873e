#include "coi/account_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/limits.h"

#define SYSTEM_CONFIG "/etc/coi/config"

const char *load_env(const struct load *l, const char *name)
{
	const char *v = l->o->getenv == NULL ? NULL : l->o->getenv(name);

	return v != NULL && *v != '\0' ? v : NULL;
}

/* $XDG/coi/LEAF or HOME/DIR/coi/LEAF; NULL without a home. */
static const char *xdg(const struct load *l, const char *var, const char *dir,
		       const char *leaf)
{
	const char *base = load_env(l, var);

	/* The standard has relative ones ignored. */
	if (base != NULL && base[0] == '/')
		return arena_fmt(l->a, "%s/coi%s", base, leaf).p;
	if (l->home == NULL)
		return NULL;
	return arena_fmt(l->a, "%s/%s/coi%s", l->home, dir, leaf).p;
}

/* --- files ---------------------------------------------------------------- */

/* What the file says is run as a command: nobody else may write it. */
static int check_owner(const char *path, int fd, struct coi_err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0; /* a pipe of the shell, <(...) */
	if ((st.st_mode & S_IWOTH) == 0)
		return 0;
	err_set(e, COI_E_CONFIG, "%s can be written by every user", path);
	err_hint(e, "chmod go-w %s", path);
	return -1;
}

/* 1 read, 0 not there (only if that is allowed). */
static int read_file(struct load *l, const char *path, bool must)
{
	struct buf b = {0};
	int fd, rc = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		if (!must && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		return err_errno(l->e, COI_E_CONFIG, errno,
				 "cannot open configuration %s", path);
	}
	if (check_owner(path, fd, l->e) < 0)
		goto out;
	if (file_read_fd(fd, LIMIT_CONFIG, &b, l->e) < 0) {
		/* A folder, or too large. */
		l->e->code = COI_E_CONFIG;
		err_ctx(l->e, "configuration %s", path);
		goto out;
	}
	if (config_parse(l->a, path, arena_str(l->a, buf_view(&b)),
			 &l->file[l->nfiles], l->e) < 0)
		goto out;
	l->nfiles++;
	rc = 1;
out:
	buf_free(&b);
	close(fd);
	return rc;
}

static const char *named_file(const struct load *l)
{
	return l->o->config != NULL ? l->o->config : load_env(l, "COI_CONFIG");
}

const char *account_config_path(const struct account_options *o,
				struct arena *a)
{
	struct load l = {.o = o, .a = a};
	const char *named = named_file(&l);

	l.home = load_env(&l, "HOME");
	return named != NULL ? arena_cstr(a, str_of(named))
			     : xdg(&l, "XDG_CONFIG_HOME", ".config", "/config");
}

static int read_files(struct load *l)
{
	const char *named = named_file(l);
	const char *sys = l->o->system_config != NULL ? l->o->system_config
						      : SYSTEM_CONFIG;

	if (named != NULL) {
		l->wanted = named;
		return read_file(l, arena_cstr(l->a, str_of(named)), true);
	}
	l->wanted = xdg(l, "XDG_CONFIG_HOME", ".config", "/config");
	if (l->wanted != NULL && read_file(l, l->wanted, false) < 0)
		return -1;
	if (l->wanted == NULL)
		l->wanted = sys;
	return read_file(l, arena_cstr(l->a, str_of(sys)), false);
}

/* --- values --------------------------------------------------------------- */

static int from_env(const struct load *l, struct config_value v[KEY_MAX])
{
	static const char *const refused[] = {"COI_PASSWORD", "COI_TOKEN"};
	char name[64];
	const char *value;
	size_t i, j;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (load_env(l, refused[i]) == NULL)
			continue;
		err_set(l->e, COI_E_CONFIG,
			"%s is set: an environment is no place for secrets, "
			"other processes can read it",
			refused[i]);
		err_hint(l->e, "unset it and use %s",
			 i == 0 ? "password-command or password-file"
				: "token-command");
		return -1;
	}
	for (i = 0; i < KEY_MAX; i++) {
		const char *key = config_key_name((enum config_key)i);

		if (i == KEY_DEFAULT)
			continue;
		snprintf(name, sizeof(name), "COI_%s", key);
		for (j = 4; name[j] != '\0'; j++)
			name[j] = name[j] == '-' ? '_'
				  : name[j] >= 'a' && name[j] <= 'z'
				      ? (char)(name[j] - 32)
				      : name[j];
		value = load_env(l, name);
		if (value == NULL)
			continue;
		v[i] = (struct config_value){arena_str(l->a, str_of(value)),
					     "environment",
					     arena_cstr(l->a, str_of(name)), 0};
		if (!utf8_valid(v[i].text) || strlen(value) > LIMIT_CONFIG)
			return config_bad(&v[i], l->e, "not UTF-8");
	}
	return 0;
}

static void from_section(const struct config_section *s,
			 struct config_value v[KEY_MAX])
{
	size_t i;

	for (i = 0; s != NULL && i < KEY_MAX; i++)
		if (v[i].file == NULL)
			v[i] = s->v[i];
}

/*
 * A password-command that stands further up hides a password-file further
 * down and the other way round; both in one place is an error.
 */
static void hide_secrets(struct config_value v[KEY_MAX],
			 const struct config_section *s, bool had)
{
	static const enum config_key k[] = {
	    KEY_PASSWORD_COMMAND, KEY_PASSWORD_FILE, KEY_TOKEN_COMMAND};
	size_t i;

	if (!had || s == NULL)
		return;
	for (i = 0; i < sizeof(k) / sizeof(k[0]); i++)
		if (v[k[i]].file != NULL && v[k[i]].file == s->v[k[i]].file &&
		    v[k[i]].line == s->v[k[i]].line)
			v[k[i]] = (struct config_value){.file = NULL};
}

static bool has_secret(const struct config_value v[KEY_MAX])
{
	return v[KEY_PASSWORD_COMMAND].file != NULL ||
	       v[KEY_PASSWORD_FILE].file != NULL ||
	       v[KEY_TOKEN_COMMAND].file != NULL;
}

static int gather(const struct load *l, struct str name,
		  struct config_value v[KEY_MAX])
{
	size_t f, part;

	if (from_env(l, v) < 0)
		return -1;
	for (f = 0; f < l->nfiles; f++)
		for (part = 0; part < 2; part++) {
			const struct config_section *s =
			    part == 0 ? load_section(&l->file[f], name)
				      : &l->file[f].v[0];
			bool had = has_secret(v);

			from_section(s, v);
			hide_secrets(v, s, had);
		}
	return 0;
}

/* --- the account ---------------------------------------------------------- */

static int state(const struct load *l, struct account *ac, bool need)
{
	const char *dir = l->o->state_dir != NULL
			      ? l->o->state_dir
			      : load_env(l, "COI_STATE_DIR");

	if (dir == NULL || *dir == '\0')
		dir = xdg(l, "XDG_STATE_HOME", ".local/state", "");
	if (dir != NULL) {
		ac->state_dir = arena_cstr(ac->arena, str_of(dir));
		ac->state_path = arena_fmt(ac->arena, "%s/%s.db", ac->state_dir,
					   ac->section)
				     .p;
		return 0;
	}
	if (!need)
		return 0;
	err_set(l->e, COI_E_CONFIG, "no folder for the state: HOME is not set");
	err_hint(l->e, "give one with --state-dir or COI_STATE_DIR");
	return -1;
}

static int complete(const struct load *l, const struct account *ac)
{
	const char *missing = ac->me.email.n == 0 ? "address"
			      : ac->imap_host == NULL && ac->smtp_host == NULL
				  ? "imap-host"
				  : NULL;

	if (missing == NULL)
		return 0;
	if (l->nfiles == 0) {
		err_set(l->e, COI_E_CONFIG, "no account is configured");
		err_hint(l->e,
			 "write %s: [account NAME], address, imap-host, "
			 "smtp-host, password-command; see coi-config(5)",
			 l->wanted);
		return -1;
	}
	err_set(l->e, COI_E_CONFIG, "account \"%s\" has no %s", ac->section,
		missing);
	err_hint(l->e, "add \"%s = ...\" to %s", missing, ac->file);
	return -1;
}

/*
 * COI_PASSWORD and COI_TOKEN are refused, so no secret of ours is in what a
 * command gets.
 */
static char *const *environ_of_commands(const struct load *l, struct arena *a)
{
	static const char *const names[] = {
	    "HOME",	 "PATH",	  "USER",
	    "LOGNAME",	 "LANG",	  "LC_ALL",
	    "TZ",	 "TMPDIR",	  "XDG_RUNTIME_DIR",
	    "GNUPGHOME", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS",
	    "DISPLAY",	 "XAUTHORITY",	  "WAYLAND_DISPLAY"};
	char **v;
	const char *value;
	size_t i, n = 0;

	if (l->o->environ_of_commands != NULL)
		return l->o->environ_of_commands;
	v = arena_alloc(a, (sizeof(names) / sizeof(names[0]) + 1) * sizeof(*v));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = load_env(l, names[i]);
		if (value != NULL)
			v[n++] =
			    (char *)arena_fmt(a, "%s=%s", names[i], value).p;
	}
	return v;
}

/* Out of files that may describe hundreds of other accounts. */
static void keep(struct account *ac, struct config_value v[KEY_MAX])
{
	size_t i;

	for (i = 0; i < KEY_MAX; i++) {
		if (v[i].file == NULL)
			continue;
		v[i].text = arena_str(ac->arena, v[i].text);
		v[i].file = arena_cstr(ac->arena, str_of(v[i].file));
		v[i].name = arena_cstr(ac->arena, str_of(v[i].name));
	}
}

static const char *file_of(const struct load *l, struct str name)
{
	if (l->nfiles == 0)
		return NULL;
	return l->nfiles == 2 && load_section(&l->file[0], name) == NULL &&
		       load_section(&l->file[1], name) != NULL
		   ? l->file[1].file
		   : l->file[0].file;
}

struct account *account_load(const struct account_options *o, bool need_server,
			     struct coi_err *e)
{
	struct account *ac = mem_alloc(sizeof(*ac));
	struct load l = {.o = o, .e = e};
	struct config_value *v;
	const char *cred;
	struct str name;

	l.a = arena_new();
	l.home = load_env(&l, "HOME");
	if (l.home != NULL)
		l.home = arena_cstr(l.a, str_of(l.home));
	*ac = (struct account){.arena = arena_new(),
			       .sent_folder = "auto",
			       .encrypt = "auto",
			       .smtp_window = 1,
			       .max_connections = 2,
			       .max_size = -1,
			       .sieve_tls = NET_TLS_STARTTLS,
			       .cancel_fd = -1};
	v = arena_alloc(ac->arena, KEY_MAX * sizeof(*v));
	if (read_files(&l) < 0 || load_choose(&l, need_server, &name) < 0 ||
	    gather(&l, name, v) < 0)
		goto fail;
	keep(ac, v);
	ac->section = arena_cstr(ac->arena, name);
	ac->given = v;
	ac->file = file_of(&l, name);
	if (ac->file != NULL)
		ac->file = arena_cstr(ac->arena, str_of(ac->file));
	ac->environ_of_commands = environ_of_commands(&l, ac->arena);
	cred = load_env(&l, "CREDENTIALS_DIRECTORY");
	if (cred != NULL)
		ac->credentials = arena_cstr(ac->arena, str_of(cred));
	if (account_values(ac, v, l.home, e) < 0 ||
	    state(&l, ac, need_server) < 0 ||
	    (need_server && complete(&l, ac) < 0))
		goto fail;
	if (o->timeout_ms > 0)
		ac->timeout_ms = o->timeout_ms;
	arena_free(l.a);
	return ac;
fail:
	account_free(ac);
	arena_free(l.a);
	return NULL;
}

void account_free(struct account *ac)
{
	if (ac == NULL)
		return;
	secret_free(ac->password);
	secret_free(ac->token);
	arena_free(ac->arena);
	free(ac);
}

bool account_is_me(const struct account *ac, struct str email)
{
	size_t i;

	if (email.n == 0)
		return false;
	if (ac->me.email.n > 0 && addr_same(ac->me.email, email))
		return true;
	for (i = 0; i < ac->aliases.n; i++)
		if (addr_same(ac->aliases.v[i].email, email))
			return true;
	return false;
}
