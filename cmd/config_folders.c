/* coi-config folders: makes what is missing, on any server. */
#include "config.h"
#include "config_print.h"

/* There the creation of Chats is a switch (server specification). */
static int check_switch(const struct server_coi *s, struct coi_err *e)
{
	if (!s->offered || s->enabled || s->place.v[0].exists ||
	    s->place.delim == '\0')
		return 0;
	err_set(e, COI_E_CONFIG,
		"COI is disabled on this server, and making %.*s would enable "
		"it",
		STR_ARG(s->place.v[0].name));
	err_stage(e, "folders");
	err_hint(e, "\"coi-config enable\" enables it and makes the folders");
	return -1;
}

static int run(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	struct account *ac = cli_account(c, true, e);
	struct account_net net = cli_net(c);
	struct arena *a = arena_new();
	struct server_coi s;
	struct imap *im = NULL;
	size_t i;
	int rc = -1;

	if (ac == NULL)
		goto out;
	im = account_imap(ac, &net, e);
	if (im == NULL || server_read(im, a, &s, e) < 0 ||
	    check_switch(&s, e) < 0)
		goto out;
	rc = folders_make(im, a, &s.place,
			  FOLDER_CHATS | FOLDER_CONTACTS | FOLDER_BLOCKED, e);
	for (i = 0; i < sizeof(s.place.v) / sizeof(s.place.v[0]); i++)
		s.changed |= s.place.v[i].made || s.place.v[i].now_subscribed;
	if (cli_json(c) && rc == 0)
		config_print_server(c, ac, &s);
	else if (!cli_json(c))
		config_print_made(c, &s.place);
	/* What was made before a failure is told as well. */
	if (rc < 0)
		cli_flush(c, &(struct coi_err){0});
out:
	imap_close(im);
	arena_free(a);
	account_free(ac);
	return rc;
}

static const char *const usage[] = {"folders [--json]", NULL};

const struct config_command config_folders = {
    .name = "folders",
    .help = "make the folders for chats that are missing",
    .usage = usage,
    .run = run};
