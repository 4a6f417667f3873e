#include "coi/sieve_setup.h"

/* What is there. */
struct scripts {
	struct sieve *s;
	struct arena *a;
	struct sieve_scripts list;
	struct str active;
	bool have_chat, have_main;
	struct str chat, main, users; /* their text; that of a user's active */
};

static bool there(const struct scripts *x, struct str name)
{
	size_t i;

	for (i = 0; i < x->list.n; i++)
		if (str_eq(x->list.v[i].name, name))
			return true;
	return false;
}

static int look(struct scripts *x, struct coi_err *e)
{
	size_t i;

	if (sieve_list(x->s, x->a, &x->list, e) < 0)
		return -1;
	x->active = STR_NONE;
	for (i = 0; i < x->list.n; i++)
		if (x->list.v[i].active)
			x->active = x->list.v[i].name;
	x->have_chat = there(x, STR(SIEVE_CHAT));
	x->have_main = there(x, STR(SIEVE_MAIN));
	return 0;
}

static int get(struct scripts *x, struct str name, struct str *text,
	       struct coi_err *e)
{
	struct buf b = {0};
	int rc = sieve_get(x->s, name, &b, e);

	if (rc == 0)
		*text = arena_str(x->a, buf_view(&b));
	buf_free(&b);
	return rc;
}

static int not_ours(const char *name, struct coi_err *e)
{
	err_set(e, COI_E_CONFIG,
		"the server has a script \"%s\" that was not made by "
		"coi-config",
		name);
	err_stage(e, "sieve");
	err_hint(e, "give that script another name first");
	return -1;
}

static int edited(struct coi_err *e)
{
	err_set(e, COI_E_CONFIG,
		"the script \"" SIEVE_CHAT "\" was changed by hand");
	err_stage(e, "sieve");
	err_hint(e, "keep your changes in a script of another name and delete "
		    "\"" SIEVE_CHAT "\", then run this again");
	return -1;
}

static bool users_own(struct str name)
{
	return name.p != NULL && !str_is(name, SIEVE_CHAT) &&
	       !str_is(name, SIEVE_MAIN);
}

/* Reads the three that matter; ours must be ours. */
static int read_all(struct scripts *x, struct coi_err *e)
{
	if (look(x, e) < 0 ||
	    (x->have_chat && get(x, STR(SIEVE_CHAT), &x->chat, e) < 0) ||
	    (x->have_main && get(x, STR(SIEVE_MAIN), &x->main, e) < 0) ||
	    (users_own(x->active) && get(x, x->active, &x->users, e) < 0))
		return -1;
	if (x->have_chat && !sieve_chat_ours(x->chat))
		return not_ours(SIEVE_CHAT, e);
	if (x->have_main && !sieve_main_ours(x->main))
		return not_ours(SIEVE_MAIN, e);
	/* It may be all that a user has, with rules of his own in it. */
	if (x->have_chat && sieve_chat_edited(x->chat))
		return edited(e);
	return 0;
}

static int put(struct scripts *x, const char *name, struct buf *text,
	       struct str *warning, struct coi_err *e)
{
	struct buf wire = {0}, said = {0};
	int rc;

	sieve_crlf(buf_view(text), &wire);
	rc = sieve_put(x->s, str_of(name), buf_view(&wire), &said, e);
	if (rc < 0)
		err_ctx(e, "script \"%s\"", name);
	else if (said.n > 0)
		*warning = arena_str(x->a, buf_view(&said));
	buf_free(&wire);
	buf_free(&said);
	return rc;
}

/* Somebody else may be at it: what counts is what the server says at last. */
static int activate(struct scripts *x, struct str name, struct coi_err *e)
{
	if (sieve_activate(x->s, name, e) < 0 || look(x, e) < 0)
		return -1;
	if (str_eq(x->active, name) || (name.n == 0 && x->active.n == 0))
		return 0;
	err_set(e, COI_E_TEMP,
		"another program changed the active script at the same time");
	err_stage(e, "sieve");
	err_hint(e, "run it again");
	return -1;
}

static bool has_control(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return !utf8_valid(s);
}

static int include_it(struct scripts *x, struct sieve_setup *out,
		      struct coi_err *e)
{
	struct buf text = {0};
	struct str users = x->active;
	struct coi_err le = {0};
	int rc = -1;

	if (!out->can_include) {
		err_set(e, COI_E_UNAVAILABLE,
			"the server's Sieve has no include, and your script "
			"\"%.*s\" is active",
			STR_ARG(users));
		err_stage(e, "sieve");
		err_hint(e, "put the rule that \"coi-config sieve\" prints "
			    "behind the last require of that script, its "
			    "require in front");
		return -1;
	}
	if (has_control(users)) {
		err_set(e, COI_E_DATA,
			"the name of the active script has control characters "
			"in it");
		err_stage(e, "sieve");
		err_hint(e, "rename that script");
		return -1;
	}
	sieve_main_write(users, &text);
	if (!x->have_main || !sieve_same(x->main, buf_view(&text))) {
		if (put(x, SIEVE_MAIN, &text, &out->warning, e) < 0)
			goto out;
		out->changed = true;
	}
	if (activate(x, STR(SIEVE_MAIN), e) < 0) {
		if (!x->have_main && !str_is(x->active, SIEVE_MAIN))
			sieve_delete(x->s, STR(SIEVE_MAIN), &le);
		goto out;
	}
	out->changed = true;
	out->effect = SIEVE_INCLUDED;
	out->users = users;
	rc = 0;
out:
	buf_free(&text);
	return rc;
}

/* No script is named as active, but one may have been: activating ours then
 * makes it appear in the list.  It is given its place back. */
static int activate_alone(struct scripts *x, struct sieve_setup *out,
			  struct coi_err *e)
{
	struct scripts before = *x;
	size_t i;

	out->changed = true;
	out->effect = SIEVE_ALONE;
	if (activate(x, STR(SIEVE_CHAT), e) < 0)
		return -1;
	for (i = 0; i < x->list.n; i++)
		if (users_own(x->list.v[i].name) &&
		    !there(&before, x->list.v[i].name))
			out->found = x->list.v[i].name;
	if (out->found.p == NULL)
		return 0;
	if (activate(x, out->found, e) < 0)
		return -1;
	return get(x, x->active, &x->users, e);
}

/* What runs now that our script is stored. */
static int take_effect(struct scripts *x, bool include, struct sieve_setup *out,
		       struct coi_err *e)
{
	if (x->active.p == NULL && activate_alone(x, out, e) < 0)
		return -1;
	if (str_is(x->active, SIEVE_CHAT)) {
		out->effect = SIEVE_ALONE;
		return 0;
	}
	if (str_is(x->active, SIEVE_MAIN)) {
		out->effect = SIEVE_INCLUDED;
		if (sieve_main_users(x->main, x->a, &out->users) ||
		    sieve_includes(x->main, SIEVE_CHAT))
			return 0;
		err_set(e, COI_E_CONFIG,
			"the script \"" SIEVE_MAIN "\" was changed by hand and "
			"does not include \"" SIEVE_CHAT "\"");
		err_stage(e, "sieve");
		err_hint(e, "make your own script the active one, then run "
			    "this again");
		return -1;
	}
	out->users = x->active;
	if (sieve_includes(x->users, SIEVE_CHAT)) {
		out->effect = SIEVE_IN_USERS;
		return 0;
	}
	out->effect = SIEVE_STORED;
	return include ? include_it(x, out, e) : 0;
}

int sieve_setup_install(struct sieve *s, struct arena *a,
			const struct sieve_chat *chat, bool include,
			struct sieve_setup *out, struct coi_err *e)
{
	struct scripts x = {.s = s, .a = a};
	struct buf text = {0};
	int rc = -1;

	*out = (struct sieve_setup){.can_include = sieve_has(s, "include")};
	if (read_all(&x, e) < 0)
		return -1;
	sieve_chat_write(chat, &text);
	if (!x.have_chat || !sieve_same(x.chat, buf_view(&text))) {
		if (put(&x, SIEVE_CHAT, &text, &out->warning, e) < 0)
			goto out;
		out->changed = true;
	}
	rc = take_effect(&x, include, out, e);
	out->active = x.active;
out:
	buf_free(&text);
	return rc;
}

/* --- removing ------------------------------------------------------------- */

static int step_down(struct scripts *x, struct sieve_setup *out,
		     struct coi_err *e)
{
	if (str_is(x->active, SIEVE_CHAT)) {
		out->changed = true;
		return activate(x, STR(""), e);
	}
	if (str_is(x->active, SIEVE_MAIN)) {
		if (!sieve_main_users(x->main, x->a, &out->users)) {
			err_set(e, COI_E_CONFIG,
				"the script \"" SIEVE_MAIN
				"\" was changed by hand");
			err_stage(e, "sieve");
			err_hint(e, "make the script active that you want, "
				    "then run this again");
			return -1;
		}
		if (!there(x, out->users))
			out->users = STR_NONE;
		out->changed = true;
		return activate(x, out->users.p != NULL ? out->users : STR(""),
				e);
	}
	if (x->have_chat && x->active.p != NULL &&
	    sieve_includes(x->users, SIEVE_CHAT)) {
		err_set(e, COI_E_CONFIG,
			"your script \"%.*s\" includes \"" SIEVE_CHAT "\"",
			STR_ARG(x->active));
		err_stage(e, "sieve");
		err_hint(e, "take the include out of it, then run this again");
		return -1;
	}
	out->users = x->active;
	return 0;
}

int sieve_setup_remove(struct sieve *s, struct arena *a,
		       struct sieve_setup *out, struct coi_err *e)
{
	struct scripts x = {.s = s, .a = a};

	*out = (struct sieve_setup){.can_include = sieve_has(s, "include"),
				    .effect = SIEVE_ABSENT};
	if (read_all(&x, e) < 0 || step_down(&x, out, e) < 0)
		return -1;
	if ((x.have_main && sieve_delete(s, STR(SIEVE_MAIN), e) < 0) ||
	    (x.have_chat && sieve_delete(s, STR(SIEVE_CHAT), e) < 0))
		return -1;
	out->changed |= x.have_main || x.have_chat;
	out->active = x.active;
	return 0;
}
