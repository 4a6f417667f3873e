/* coi-config enable, disable, filter: COI's settings on the server. */
#include "config.h"
#include "config_print.h"
#include "fmt/json.h"

static const struct cli_opt opts[] = {
    {'n', "dry-run", NULL, "print what would be set, touch nothing", 0},
    {0, NULL, NULL, NULL, 0}};

enum what { ENABLE, DISABLE, FILTER };

static int dry(struct cli *c, enum what w, const char *mode, struct coi_err *e)
{
	const char *entry = w == FILTER ? COI_ENTRY "message-filter"
					: COI_ENTRY "enabled";
	const char *value = w == DISABLE ? NULL : w == FILTER ? mode : "yes";
	struct buf b = {0};
	struct json j;
	int rc;

	if (cli_json(c)) {
		json_begin(&j, &b);
		json_open(&j, '{');
		json_kstr(&j, "entry", str_of(entry));
		json_key(&j, "value");
		if (value != NULL)
			json_str(&j, str_of(value));
		else
			json_null(&j);
		json_close(&j, '}');
		buf_c(&b, '\n');
	} else if (value != NULL) {
		buf_fmt(&b, "SETMETADATA \"\" (\"%s\" \"%s\")\n", entry, value);
	} else {
		buf_fmt(&b, "SETMETADATA \"\" (\"%s\" NIL)\n", entry);
	}
	rc = cli_out(c, buf_view(&b), e);
	buf_free(&b);
	return rc;
}

static void told(struct cli *c, enum what w, const struct server_coi *s)
{
	if (w == FILTER && !s->enabled)
		cli_warn(c, "COI is disabled on this server: the filter does "
			    "nothing until \"coi-config enable\"");
	if (s->changed && w != ENABLE)
		cli_warn(c, "programs that are connected now may go on as "
			    "before for up to an hour");
	if (s->changed && str_is(s->filter, "active") && w == FILTER)
		cli_warn(c, "mail that is there already stays where it is");
}

/* A refusal may have changed something: then it is said what there is. */
static void after_failure(struct cli *c, const struct server_coi *s)
{
	if (s->offered)
		cli_warn(
		    c, "the server has now: enabled = %s, filter = %.*s",
		    s->enabled ? "yes" : "no",
		    STR_ARG(s->filter.p != NULL ? s->filter : STR("not set")));
}

static int set(struct cli *c, enum what w, const char *mode, struct coi_err *e)
{
	struct account *ac;
	struct account_net net = cli_net(c);
	struct arena *a;
	struct server_coi s;
	int rc;

	if (cli_dry_run(c))
		return dry(c, w, mode, e);
	ac = cli_account(c, true, e);
	if (ac == NULL)
		return -1;
	a = arena_new();
	rc = w == FILTER ? server_filter(ac, &net, a, mode, &s, e)
			 : server_enable(ac, &net, a, w == ENABLE, &s, e);
	if (rc < 0) {
		after_failure(c, &s);
	} else {
		if (cli_json(c))
			config_print_server(c, ac, &s);
		else
			config_print_made(c, &s.place);
		told(c, w, &s);
	}
	arena_free(a);
	account_free(ac);
	return rc;
}

static int run_enable(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	return set(c, ENABLE, NULL, e);
}

static int run_disable(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	return set(c, DISABLE, NULL, e);
}

static int run_filter(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	static const char *const modes[] = {"none", "active", "seen", NULL};
	size_t i;

	for (i = 0; modes[i] != NULL; i++)
		if (strcmp(v[0], modes[i]) == 0)
			return set(c, FILTER, modes[i], e);
	return cli_usage(c, e, "no filter \"%.60s\": none, active or seen",
			 v[0]);
}

static const char *const enable_usage[] = {"enable [-n] [--json]", NULL};
static const char *const disable_usage[] = {"disable [-n] [--json]", NULL};
static const char *const filter_usage[] = {
    "filter [-n] [--json] none|active|seen", NULL};

const struct config_command config_enable = {
    .name = "enable",
    .help = "switch COI on for this account",
    .usage = enable_usage,
    .opts = opts,
    .run = run_enable};

const struct config_command config_disable = {
    .name = "disable",
    .help = "switch COI off for this account",
    .usage = disable_usage,
    .opts = opts,
    .run = run_disable};

const struct config_command config_filter = {
    .name = "filter",
    .help = "what the server does with chat messages",
    .usage = filter_usage,
    .opts = opts,
    .min = 1,
    .max = 1,
    .run = run_filter};
