#include "core/limits.h"
#include "sieve/priv.h"

#define STAGE "sieve"
#define QUOTED_MAX 1024 /* RFC 5804 4: octets in quotes */

void sieve_quote(struct buf *b, struct str s)
{
	bool literal = s.n > QUOTED_MAX;
	size_t i;

	for (i = 0; i < s.n && !literal; i++)
		literal = s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0';
	if (literal) {
		buf_fmt(b, "{%zu+}\r\n", s.n);
		buf_str(b, s);
		return;
	}
	buf_c(b, '"');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_c(b, '\\');
		buf_c(b, s.p[i]);
	}
	buf_c(b, '"');
}

static void literal(struct buf *b, struct str s)
{
	buf_fmt(b, " {%zu+}\r\n", s.n);
	buf_str(b, s);
}

/* A command with a name, and what else stands in `more`. */
static int command(struct sieve *s, const char *verb, const struct str *name,
		   struct str more, int (*data)(void *ctx, struct sieve *s),
		   void *ctx, struct coi_err *e)
{
	struct buf b = {0};
	int rc;

	buf_z(&b, verb);
	if (name != NULL) {
		buf_c(&b, ' ');
		sieve_quote(&b, *name);
	}
	buf_str(&b, more);
	rc = sieve_say(s, buf_view(&b), STAGE, e);
	if (rc == 0)
		rc = sieve_response(s, data, ctx, STAGE, e);
	buf_free(&b);
	return rc;
}

/* --- reading -------------------------------------------------------------- */

struct listing {
	struct arena *a;
	struct sieve_scripts *out;
	size_t cap;
};

static int list_line(void *ctx, struct sieve *s)
{
	struct listing *l = ctx;
	struct sieve_scripts *o = l->out;
	struct sieve_script *x;

	if (!s->line.v[0].string)
		return -1;
	o->v = arena_more(l->a, o->v, o->n, &l->cap, sizeof(*o->v));
	x = &o->v[o->n++];
	x->name = arena_str(l->a, sieve_line_word(&s->line, 0));
	x->active = s->line.n > 1 && !s->line.v[1].string &&
		    str_iis(sieve_line_word(&s->line, 1), "ACTIVE");
	return 0;
}

int sieve_list(struct sieve *s, struct arena *a, struct sieve_scripts *out,
	       struct coi_err *e)
{
	struct listing l = {.a = a, .out = out};
	int rc;

	*out = (struct sieve_scripts){.n = 0};
	rc = command(s, "LISTSCRIPTS", NULL, STR_NONE, list_line, &l, e);
	return rc <= 0 ? rc
		       : sieve_refused(s, COI_E_UNAVAILABLE, STAGE, e,
				       "the server does not list the scripts");
}

static int script_line(void *ctx, struct sieve *s)
{
	struct buf *b = ctx;

	if (s->line.n != 1 || !s->line.v[0].string || b->n > 0)
		return -1;
	buf_str(b, sieve_line_word(&s->line, 0));
	return 0;
}

int sieve_get(struct sieve *s, struct str name, struct buf *out,
	      struct coi_err *e)
{
	struct buf b = {0};
	int rc = command(s, "GETSCRIPT", &name, STR_NONE, script_line, &b, e);

	if (rc == 0)
		buf_str(out, buf_view(&b));
	else if (rc > 0)
		rc = sieve_refused(s, COI_E_UNAVAILABLE, STAGE, e,
				   "the server does not give the script");
	buf_free(&b);
	return rc;
}

/* --- writing -------------------------------------------------------------- */

static int have_space(struct sieve *s, struct str name, size_t octets,
		      struct coi_err *e)
{
	struct buf size = {0};
	int rc;

	buf_fmt(&size, " %zu", octets);
	rc = command(s, "HAVESPACE", &name, buf_view(&size), NULL, NULL, e);
	buf_free(&size);
	/* Other refusals are for PUTSCRIPT to say. */
	if (rc > 0 && str_istarts(sieve_line_code(&s->line), "QUOTA"))
		return sieve_refused(s, COI_E_UNAVAILABLE, STAGE, e,
				     "the server does not store the script");
	return rc < 0 ? -1 : 0;
}

int sieve_put(struct sieve *s, struct str name, struct str script,
	      struct buf *warnings, struct coi_err *e)
{
	static const char what[] = "the server does not take the script";
	struct buf b = {0};
	int rc;

	if (have_space(s, name, script.n, e) != 0)
		return -1;
	literal(&b, script);
	rc = s->version
		 ? command(s, "CHECKSCRIPT", NULL, buf_view(&b), NULL, NULL, e)
		 : 0;
	if (rc == 0)
		rc = command(s, "PUTSCRIPT", &name, buf_view(&b), NULL, NULL,
			     e);
	buf_free(&b);
	if (rc > 0)
		return sieve_refused(s, COI_E_UNAVAILABLE, STAGE, e, what);
	if (rc == 0 && warnings != NULL &&
	    str_iis(sieve_line_code(&s->line), "WARNINGS"))
		buf_clean(warnings, sieve_line_words(&s->line));
	return rc;
}

int sieve_activate(struct sieve *s, struct str name, struct coi_err *e)
{
	int rc = command(s, "SETACTIVE", &name, STR_NONE, NULL, NULL, e);

	return rc <= 0 ? rc
		       : sieve_refused(s, COI_E_UNAVAILABLE, STAGE, e,
				       "the server does not activate the "
				       "script");
}

int sieve_delete(struct sieve *s, struct str name, struct coi_err *e)
{
	int rc = command(s, "DELETESCRIPT", &name, STR_NONE, NULL, NULL, e);

	return rc <= 0 ? rc
		       : sieve_refused(s, COI_E_UNAVAILABLE, STAGE, e,
				       "the server does not delete the script");
}
