/* coi-config: is the account right, and what does its server do for chats? */
#include "config.h"

#include <stdlib.h>

#include "coi/config.h"

/* In the order of -h and of the manual. */
static const struct config_command *const commands[] = {
    &config_discover, &config_doctor,  &config_show,
    &config_status,   &config_enable,  &config_disable,
    &config_filter,   &config_folders, &config_sieve};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct cli_opt json = {0, "json", NULL,
				    "print JSON; errors are JSON as well", 0};

static const char *const examples[] = {
    "coi-config doctor",	"coi-config show --origin",
    "coi-config status --json", "coi-config enable && coi-config filter active",
    "coi-config folders",	NULL};

static bool has_opt(const struct cli_opt *v, const char *name)
{
	for (; v != NULL && v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return true;
	return false;
}

static int run(struct cli *c, struct coi_err *e)
{
	const struct config_command *cmd = NULL;
	const char *names[NCOMMANDS + 1] = {NULL}, *near;
	const struct cli_opt *o;
	char **v;
	size_t n = cli_operands(c, &v), i;

	if (n == 0)
		return cli_usage(c, e, "a subcommand is missing");
	for (i = 0; i < NCOMMANDS; i++) {
		names[i] = commands[i]->name;
		if (strcmp(v[0], commands[i]->name) == 0)
			cmd = commands[i];
	}
	if (cmd == NULL) {
		near = config_nearest(str_of(v[0]), names);
		return cli_usage(c, e, "no subcommand \"%.60s\"%s%s%s", v[0],
				 near != NULL ? ", did you mean \"" : "",
				 near != NULL ? near : "",
				 near != NULL ? "\"?" : "");
	}
	for (i = 0; i < NCOMMANDS; i++)
		for (o = commands[i]->opts; o != NULL && o->name != NULL; o++)
			if (cli_has(c, o->name) && !has_opt(cmd->opts, o->name))
				return cli_usage(c, e, "%s has no option --%s",
						 cmd->name, o->name);
	if (n - 1 < cmd->min || n - 1 > cmd->max)
		return cli_usage(c, e, "usage: coi-config %s", cmd->usage[0]);
	return cmd->run(c, v + 1, n - 1, e);
}

/* The options of all subcommands, each name once. */
static struct cli_opt *options(void)
{
	struct cli_opt *v = mem_array(2, sizeof(*v));
	const struct cli_opt *o;
	size_t n = 0, cap = 2, i;

	v[n++] = json;
	for (i = 0; i < NCOMMANDS; i++)
		for (o = commands[i]->opts; o != NULL && o->name != NULL; o++) {
			v[n] = (struct cli_opt){.name = NULL};
			if (has_opt(v, o->name))
				continue;
			v = mem_more(v, n + 1, &cap, sizeof(*v));
			v[n++] = *o;
		}
	v[n] = (struct cli_opt){.name = NULL};
	return v;
}

static const char **synopsis(void)
{
	const char **v = NULL;
	size_t n = 0, cap = 0, i, k;

	for (i = 0; i < NCOMMANDS; i++)
		for (k = 0; commands[i]->usage[k] != NULL; k++) {
			struct buf b = {0};

			v = mem_more(v, n + 1, &cap, sizeof(*v));
			buf_fmt(&b, "coi-config %s", commands[i]->usage[k]);
			v[n++] = buf_cstr(&b); /* kept */
		}
	v[n] = NULL;
	return v;
}

static void summary(struct buf *b)
{
	size_t i;

	buf_z(b, "Check an account and configure COI on its server.\n");
	for (i = 0; i < NCOMMANDS; i++)
		buf_fmt(b, "\n  %-10s %s", commands[i]->name,
			commands[i]->help);
}

int main(int argc, char **argv)
{
	struct buf text = {0};
	struct cli_opt *opts = options();
	const char **usage = synopsis();
	struct cli_tool tool = {.name = "coi-config",
				.usage = usage,
				.opts = opts,
				.examples = examples,
				.run = run};
	int status;
	size_t i;

	summary(&text);
	tool.summary = buf_cstr(&text);
	status = cli_main(&tool, argc, argv);
	buf_free(&text);
	for (i = 0; usage[i] != NULL; i++)
		free((void *)usage[i]);
	free(usage);
	free(opts);
	return status;
}
