/* coi-config status: what the server says about COI. */
#include "config.h"
#include "config_print.h"

static int run(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	struct account *ac = cli_account(c, true, e);
	struct account_net net = cli_net(c);
	struct arena *a = arena_new();
	struct server_coi s;
	struct imap *im = NULL;
	int rc = -1;

	if (ac == NULL)
		goto out;
	im = account_imap(ac, &net, e);
	if (im == NULL || server_read(im, a, &s, e) < 0)
		goto out;
	config_print_server(c, ac, &s);
	rc = 0;
out:
	imap_close(im);
	arena_free(a);
	account_free(ac);
	return rc;
}

static const char *const usage[] = {"status [--json]", NULL};

const struct config_command config_status = {
    .name = "status",
    .help = "what the server says about COI and its folders",
    .usage = usage,
    .run = run};
