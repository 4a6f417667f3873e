/* Which account: by name, by default = yes, the only one. */
#include "coi/account_priv.h"

#define NO_ACCOUNT STR("default")

const struct config_section *load_section(const struct config *c,
					  struct str name)
{
	size_t i;

	for (i = 1; i < c->n; i++)
		if (str_eq(c->v[i].name, name))
			return &c->v[i];
	return NULL;
}

static bool known(const struct load *l, struct str name)
{
	size_t f;

	for (f = 0; f < l->nfiles; f++)
		if (load_section(&l->file[f], name) != NULL)
			return true;
	return false;
}

/* All names, each once. */
static const char **names(const struct load *l, size_t *n)
{
	const char **v = NULL;
	size_t f, i, cap = 0;

	*n = 0;
	for (f = 0; f < l->nfiles; f++)
		for (i = 1; i < l->file[f].n; i++) {
			struct str s = l->file[f].v[i].name;

			if (f > 0 && load_section(&l->file[0], s) != NULL)
				continue;
			v = arena_more(l->a, v, *n, &cap, sizeof(*v));
			v[(*n)++] = arena_cstr(l->a, s);
		}
	v = arena_more(l->a, v, *n, &cap, sizeof(*v));
	v[*n] = NULL;
	return v;
}

static void list_names(struct coi_err *e, const char **v, size_t n)
{
	struct buf b = {0};
	size_t i;

	for (i = 0; i < n && b.n < 150; i++)
		buf_fmt(&b, "%s%s", i > 0 ? ", " : "", v[i]);
	if (i < n)
		buf_z(&b, ", ...");
	err_hint(e, "the accounts are %s; choose with -a NAME or default = yes",
		 buf_cstr(&b));
	buf_free(&b);
}

/* The section with default = yes in one file; STR_NONE: none. */
static int marked(const struct load *l, const struct config *c,
		  struct str *name)
{
	const struct config_value *first = NULL;
	size_t i;

	for (i = 1; i < c->n; i++) {
		const struct config_value *v = &c->v[i].v[KEY_DEFAULT];

		if (v->file == NULL || str_iis(v->text, "no"))
			continue;
		if (!str_iis(v->text, "yes"))
			return config_bad(v, l->e,
					  "default is \"%.*s\", not yes or no",
					  STR_ARG(str_sub(v->text, 0, 60)));
		if (first != NULL)
			return config_bad(v, l->e,
					  "line %u has default = yes already",
					  first->line);
		first = v;
		*name = c->v[i].name;
	}
	return 0;
}

static int choose_named(const struct load *l, const char *name, struct str *out)
{
	const char **v, *near;
	size_t n;

	*out = arena_str(l->a, str_of(name));
	if (known(l, *out))
		return 0;
	v = names(l, &n);
	if (n == 0 && config_name_ok(*out))
		return 0; /* the environment may say it all */
	near = config_nearest(*out, v);
	if (n == 0)
		err_set(l->e, COI_E_CONFIG,
			"\"%.80s\" cannot be the name of an account", name);
	else if (near != NULL)
		err_set(l->e, COI_E_CONFIG,
			"no account \"%.80s\", did you mean \"%s\"?", name,
			near);
	else
		err_set(l->e, COI_E_CONFIG, "no account \"%.80s\"", name);
	if (n > 0)
		list_names(l->e, v, n);
	return -1;
}

int load_choose(const struct load *l, bool need_server, struct str *out)
{
	const char *name = l->o->account != NULL ? l->o->account
						 : load_env(l, "COI_ACCOUNT");
	struct str mark[2] = {STR_NONE, STR_NONE};
	const char **v;
	size_t f, n;

	for (f = 0; f < l->nfiles; f++)
		if (marked(l, &l->file[f], &mark[f]) < 0)
			return -1;
	if (name != NULL)
		return choose_named(l, name, out);
	*out = mark[0].p != NULL ? mark[0] : mark[1];
	if (out->p != NULL)
		return 0;
	v = names(l, &n);
	if (n == 1) {
		*out = str_of(v[0]);
		return 0;
	}
	*out = NO_ACCOUNT;
	if (n == 0 || !need_server)
		return 0;
	err_set(l->e, COI_E_CONFIG, "there are %zu accounts and no default", n);
	list_names(l->e, v, n);
	return -1;
}
