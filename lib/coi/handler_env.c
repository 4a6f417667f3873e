/* What a handler sees of our environment, and of its message. */
#include <stdlib.h>

#include "coi/handler_priv.h"

#define VALUE_MAX 1000 /* octets of what the sender chose */

/* A name, or what it begins with. */
static bool harmless(const char *var)
{
	static const char *const names[] = {
	    "HOME",	"PATH",	     "LANG",   "LANGUAGE", "TZ",
	    "USER",	"SHELL",     "TMPDIR", "TERM",	   "LOGNAME",
	    "NO_COLOR", "GNUPGHOME", NULL};
	struct str name = str_of(var);
	size_t i;

	name = str_split(&name, '=');
	for (i = 0; names[i] != NULL; i++)
		if (str_is(name, names[i]))
			return true;
	if (str_starts(name, "LC_") || str_starts(name, "XDG_"))
		return !str_ends(name, "PASSWORD") && !str_ends(name, "TOKEN");
	return false;
}

struct list {
	char **v;
	size_t n, cap;
};

static void add(struct list *l, char *entry)
{
	l->v = mem_more(l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] = entry;
}

static void set(struct list *l, const char *name, const char *value)
{
	struct buf b = {0};

	if (value == NULL)
		return;
	buf_fmt(&b, "%s=%s", name, value);
	add(l, buf_take(&b));
}

/* Chosen by whoever wrote the message: one line, UTF-8, short. */
static void set_clean(struct list *l, const char *name, const char *value)
{
	struct buf b = {0};

	buf_fmt(&b, "%s=", name);
	buf_clean(&b,
		  str_sub(str_of(value == NULL ? "" : value), 0, VALUE_MAX));
	add(l, buf_take(&b));
}

/* The handler may change its folder. */
static void set_path(struct list *l, const char *name, const char *path)
{
	char *real = path == NULL ? NULL : realpath(path, NULL);

	set(l, name, real != NULL ? real : path);
	free(real);
}

char **env_make(const struct handler *h, const struct job *j)
{
	const struct account *ac = j->src->account;
	struct list l = {0};
	char *const *p;

	for (p = h->o.environ_base; p != NULL && *p != NULL; p++)
		if (harmless(*p))
			add(&l, mem_dup(str_of(*p)));
	set_path(&l, "COI_CONFIG", ac->file);
	set_path(&l, "COI_STATE_DIR", ac->state_dir);
	set(&l, "COI_ACCOUNT", ac->section);
	set_clean(&l, "COI_MSG_ID", j->id);
	set_clean(&l, "COI_MSG_FROM", j->from);
	set_clean(&l, "COI_MSG_CONVERSATION", j->conversation);
	set_clean(&l, "COI_MSG_KIND", j->kind);
	set_clean(&l, "COI_MSG_GROUP", j->group);
	add(&l, NULL);
	return l.v;
}

void env_free(char **v)
{
	size_t i;

	for (i = 0; v != NULL && v[i] != NULL; i++)
		free(v[i]);
	free(v);
}
