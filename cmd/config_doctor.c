/* coi-config doctor: tries the account, step by step. */
#include "coi/doctor.h"
#include "config.h"

struct run {
	struct cli *c;
	struct coi_err e; /* of standard output */
	bool broken;
};

/* Each step at once: some take their time. */
static void say(void *ctx, const struct doctor_step *s)
{
	struct run *r = ctx;

	if (r->broken || (cli_has(r->c, "quiet") && s->result != DOCTOR_FAIL))
		return;
	doctor_print(cli_outbuf(r->c), s, cli_json(r->c));
	r->broken = cli_flush(r->c, &r->e) < 0;
}

static int run(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	struct run r = {.c = c};
	struct doctor *d = doctor_new(say, &r);
	struct account_net net = cli_net(c);
	struct coi_err le = {0};
	struct doctor_step ok = {.name = "config"};
	struct account *ac = cli_account(c, true, &le);
	int rc = 0;

	if (ac == NULL && le.code == COI_E_USAGE) {
		*e = le;
		rc = -1;
	} else if (ac == NULL) {
		doctor_failed(d, "config", &le);
	} else {
		struct buf b = {0};

		buf_fmt(&b, "account \"%s\" of %s", ac->section,
			ac->file != NULL ? ac->file : "the environment");
		ok.text = buf_view(&b);
		say(&r, &ok);
		buf_free(&b);
		rc = doctor_run(d, ac, &net, e);
	}
	if (rc == 0 && r.broken) {
		*e = r.e;
		rc = -1;
	}
	if (doctor_first(d) != COI_OK)
		cli_status(c, err_status(doctor_first(d)));
	doctor_free(d);
	account_free(ac);
	return rc;
}

static const char *const usage[] = {"doctor [--json]", NULL};

const struct config_command config_doctor = {
    .name = "doctor",
    .help = "try the account, say what is wrong and how to mend it",
    .usage = usage,
    .run = run};
