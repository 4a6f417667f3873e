/* The command line, and the help that lists it. */
#include <getopt.h>
#include <stdlib.h>

#include "cli_priv.h"

static const struct cli_opt common[] = {
    {'a', "account", "NAME", "the account of the configuration to use", 0},
    {'c', "config", "FILE", "read this configuration file", 0},
    {0, "state-dir", "DIR", "keep the state database there", 0},
    {'4', "ipv4", NULL, "connect over IPv4 only", 0},
    {'6', "ipv6", NULL, "connect over IPv6 only", 0},
    {0, "timeout", "TIME", "give up a command after TIME (60s)", 0},
    {0, "trace", "[FILE]", "write the wire, secrets hidden (stderr)", 0},
    {'v', "verbose", NULL, "say more; repeat for even more", CLI_REPEAT},
    {'q', "quiet", NULL, "no warnings", 0},
    {'h', "help", NULL, "print this help", 0},
    {'V', "version", NULL, "print versions", 0},
    {0, NULL, NULL, NULL, 0}};

bool cli_has(const struct cli *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->ngiven; i++)
		if (strcmp(c->given[i].opt->name, name) == 0)
			return true;
	return false;
}

const char *cli_value(const struct cli *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->ngiven; i++)
		if (strcmp(c->given[i].opt->name, name) == 0)
			return c->given[i].value;
	return NULL;
}

size_t cli_values(const struct cli *c, const char *name, const char ***v)
{
	struct cli *m = (struct cli *)c;
	size_t i, n = 0;

	for (i = 0; i < c->ngiven; i++) {
		if (strcmp(c->given[i].opt->name, name) != 0)
			continue;
		m->values = mem_more(m->values, n, &m->values_cap,
				     sizeof(*m->values));
		m->values[n++] = c->given[i].value;
	}
	/* A copy: two lists may be in use at a time. */
	*v = mem_array(n + 1, sizeof(**v));
	if (n > 0)
		memcpy(*v, m->values, n * sizeof(**v));
	return n;
}

size_t cli_operands(const struct cli *c, char ***v)
{
	*v = c->operands;
	return c->noperands;
}

static int bad_value(struct cli *c, const char *name, const char *what,
		     struct coi_err *e)
{
	return cli_usage(c, e, "--%s: \"%s\" is no %s", name,
			 cli_value(c, name), what);
}

int cli_number(struct cli *c, const char *name, int64_t lo, int64_t hi,
	       int64_t *v, struct coi_err *e)
{
	const char *z = cli_value(c, name);
	uint64_t u;

	if (z == NULL)
		return 0;
	if (!str_u64(str_of(z), (uint64_t)hi, &u) || (int64_t)u < lo)
		return bad_value(c, name, "number in range", e);
	*v = (int64_t)u;
	return 0;
}

static int scaled(struct cli *c, const char *name, const char *units,
		  const int64_t *factor, const char *what, int64_t *v,
		  struct coi_err *e)
{
	const char *z = cli_value(c, name), *unit;
	struct str s = str_of(z);
	uint64_t u;
	int64_t f = 1;

	if (z == NULL)
		return 0;
	if (s.n > 1 && (unit = strchr(units, s.p[s.n - 1])) != NULL) {
		f = factor[unit - units];
		s.n--;
	}
	if (!str_u64(s, (uint64_t)(INT64_MAX / f), &u))
		return bad_value(c, name, what, e);
	*v = (int64_t)u * f;
	return 0;
}

int cli_duration(struct cli *c, const char *name, int64_t *seconds,
		 struct coi_err *e)
{
	static const int64_t f[] = {1, 60, 3600, 86400, 604800};

	return scaled(c, name, "smhdw", f, "time (10s, 5m, 2h, 1d)", seconds,
		      e);
}

int cli_size(struct cli *c, const char *name, int64_t *octets,
	     struct coi_err *e)
{
	static const int64_t f[] = {1 << 10, 1 << 10, 1 << 20,
				    1 << 20, 1 << 30, 1 << 30};

	return scaled(c, name, "kKmMgG", f, "size (100k, 5M)", octets, e);
}

bool cli_dry_run(const struct cli *c)
{
	return cli_has(c, "dry-run");
}

int cli_verbose(const struct cli *c)
{
	return c->verbose;
}

bool cli_json(const struct cli *c)
{
	return cli_has(c, "json");
}

/* A tool may have a row of its own in place of a common one. */
static bool has_row(const struct cli_opt *v, size_t n, const char *name)
{
	while (n > 0)
		if (strcmp(v[--n].name, name) == 0)
			return true;
	return false;
}

void options_gather(struct cli *c)
{
	size_t n = 0, k = 0, i;

	while (c->tool->opts[n].name != NULL)
		n++;
	while (common[k].name != NULL)
		k++;
	c->opts = mem_array(n + k, sizeof(*c->opts));
	memcpy(c->opts, c->tool->opts, n * sizeof(*c->opts));
	c->nopts = n;
	for (i = 0; i < k; i++)
		if (!has_row(c->tool->opts, n, common[i].name))
			c->opts[c->nopts++] = common[i];
}

static bool optional(const struct cli_opt *o)
{
	return o->arg != NULL && o->arg[0] == '[';
}

static int take(struct cli *c, const struct cli_opt *o, const char *value,
		struct coi_err *e)
{
	if (cli_has(c, o->name) && !(o->flags & CLI_REPEAT))
		return cli_usage(c, e, "--%s is given twice", o->name);
	c->given = mem_more(c->given, c->ngiven, &c->given_cap,
			    sizeof(*c->given));
	c->given[c->ngiven++] = (struct given){o, value};
	return 0;
}

int options_parse(struct cli *c, int argc, char **argv, struct coi_err *e)
{
	struct option *lo = mem_array(c->nopts + 1, sizeof(*lo));
	struct buf sho = {0};
	size_t i;
	int k, rc = 0;

	buf_z(&sho, ":");
	for (i = 0; i < c->nopts; i++) {
		const struct cli_opt *o = &c->opts[i];

		lo[i] = (struct option){o->name,
					o->arg == NULL ? no_argument
					: optional(o)  ? optional_argument
						       : required_argument,
					NULL, 256 + (int)i};
		if (o->letter != 0) {
			buf_c(&sho, o->letter);
			if (o->arg != NULL)
				buf_z(&sho, optional(o) ? "::" : ":");
		}
	}
	buf_cstr(&sho);
	opterr = 0;
	while (rc == 0 &&
	       (k = getopt_long(argc, argv, sho.p, lo, NULL)) != -1) {
		const struct cli_opt *o = NULL;

		if (k == '?' || k == ':') {
			const char *what = argv[optind - 1];

			if (k == ':')
				rc = cli_usage(c, e, "%s needs a value", what);
			else if (optopt >= 256)
				rc = cli_usage(c, e, "--%s takes no value",
					       c->opts[optopt - 256].name);
			else if (optopt != 0)
				rc = cli_usage(c, e, "unknown option -%c",
					       optopt);
			else
				rc = cli_usage(c, e, "unknown option %s", what);
			break;
		}
		for (i = 0; i < c->nopts && o == NULL; i++)
			if (k == 256 + (int)i || k == c->opts[i].letter)
				o = &c->opts[i];
		rc = take(c, o, optarg, e);
	}
	c->operands = argv + optind;
	c->noperands = (size_t)(argc - optind);
	buf_free(&sho);
	free(lo);
	return rc;
}

static void help_usage(struct cli *c, struct buf *b)
{
	size_t i;

	for (i = 0; c->tool->usage[i] != NULL; i++)
		buf_fmt(b, "%s %s\n", i == 0 ? "usage:" : "      ",
			c->tool->usage[i]);
}

void options_help(struct cli *c, struct buf *b)
{
	size_t i;

	help_usage(c, b);
	buf_fmt(b, "\n%s\n\n", c->tool->summary);
	for (i = 0; i < c->nopts; i++) {
		const struct cli_opt *o = &c->opts[i];
		size_t start = b->n;

		if (o->flags & CLI_HIDDEN)
			continue;
		buf_fmt(b, o->letter ? "  -%c, " : "      ", o->letter);
		buf_fmt(b, "--%s", o->name);
		if (optional(o))
			buf_fmt(b, "[=%.*s]", (int)strlen(o->arg) - 2,
				o->arg + 1);
		else if (o->arg != NULL)
			buf_fmt(b, " %s", o->arg);
		do
			buf_c(b, ' ');
		while (b->n - start < 30);
		buf_fmt(b, "%s\n", o->help);
	}
	if (c->tool->examples != NULL) {
		buf_z(b, "\nexamples:\n");
		for (i = 0; c->tool->examples[i] != NULL; i++)
			buf_fmt(b, "  %s\n", c->tool->examples[i]);
	}
	buf_fmt(b, "\nManual: man %s, man 7 coi\n", c->tool->name);
}
