/* coi-config sieve: the message filter as a Sieve script, printed or put on
 * the server. */
#include "config.h"

#include "coi/folders.h"
#include "coi/sieve_setup.h"
#include "fmt/json.h"

#define USUAL_FOLDER "COI/Chats"

static const struct cli_opt opts[] = {
    {0, "install", NULL, "put the script on the server (ManageSieve)", 0},
    {0, "include", NULL,
     "with --install: let a second script include it and the active one", 0},
    {0, "remove", NULL, "undo --install", 0},
    {0, "folder", "MAILBOX", "the folder of chats, instead of the server's", 0},
    {0, NULL, NULL, NULL, 0}};

struct job {
	struct cli *c;
	struct arena *a;
	struct account *ac;
	struct account_net net;
	struct sieve_chat chat;
	const char *mode;
};

/* --- what chats are filed into -------------------------------------------- */

static int check_folder(struct str name, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || name.p[i] == 0x7f)
			break;
	if (name.n > 0 && i == name.n && utf8_valid(name))
		return 0;
	err_set(e, COI_E_DATA,
		"the folder of chats has a name that a script "
		"cannot hold");
	err_hint(e, "give another one with --folder");
	return -1;
}

/* Asks the server; `make`: what is missing is made. */
static int servers_folder(struct job *j, struct imap *im, bool make,
			  struct coi_err *e)
{
	struct folders_place p;

	if (folders_place(im, j->a, STR_NONE, &p, e) < 0)
		return -1;
	if (p.delim == '\0') {
		err_set(e, COI_E_UNAVAILABLE,
			"the server has no folders inside folders");
		err_stage(e, "folders");
		err_hint(e, "\"coi-config sieve none\" marks chats and leaves "
			    "them in INBOX; or name a folder with --folder");
		return -1;
	}
	if (make && folders_make(im, j->a, &p, FOLDER_CHATS, e) < 0)
		return -1;
	j->chat.folder = p.v[0].name;
	return 0;
}

static int folder(struct job *j, struct coi_err *e)
{
	const char *given = cli_value(j->c, "folder");
	struct imap *im;
	int rc;

	j->chat.folder = given != NULL ? str_of(given) : STR(USUAL_FOLDER);
	if (!j->chat.active || given != NULL || j->ac->imap_host == NULL)
		return check_folder(j->chat.folder, e);
	im = account_imap(j->ac, &j->net, e);
	rc = im == NULL ? -1 : servers_folder(j, im, false, e);
	imap_close(im);
	if (rc < 0 && e->code == COI_E_UNAVAILABLE) {
		e->hint[0] = '\0';
		err_hint(e, "--folder prints the script without asking the "
			    "server");
	}
	return rc < 0 ? -1 : check_folder(j->chat.folder, e);
}

/* --- printing ------------------------------------------------------------- */

static int print(struct job *j, struct coi_err *e)
{
	struct buf text = {0}, *out = cli_outbuf(j->c);
	struct json json;

	j->ac = cli_account(j->c, false, e);
	if (j->ac == NULL || folder(j, e) < 0)
		return -1;
	j->chat.create = true;
	sieve_chat_write(&j->chat, &text);
	if (cli_json(j->c)) {
		json_begin(&json, out);
		json_open(&json, '{');
		json_kstr(&json, "mode", str_of(j->mode));
		if (j->chat.active)
			json_kstr(&json, "folder", j->chat.folder);
		json_kstr(&json, "script", buf_view(&text));
		json_close(&json, '}');
		buf_c(out, '\n');
	} else {
		buf_str(out, buf_view(&text));
	}
	buf_free(&text);
	return 0;
}

static const char *effect_word(enum sieve_effect x)
{
	return x == SIEVE_ALONE	     ? "active"
	       : x == SIEVE_INCLUDED ? "included"
	       : x == SIEVE_IN_USERS ? "included-by-you"
	       : x == SIEVE_STORED   ? "stored"
				     : "removed";
}

static void result_json(struct job *j, const struct sieve_setup *r)
{
	struct buf *out = cli_outbuf(j->c);
	struct json json;

	json_begin(&json, out);
	json_open(&json, '{');
	json_kstr(&json, "account", str_of(j->ac->section));
	json_kstr(&json, "sieve", str_of(effect_word(r->effect)));
	if (r->effect != SIEVE_ABSENT) {
		json_kstr(&json, "mode", str_of(j->mode));
		if (j->chat.active)
			json_kstr(&json, "folder", j->chat.folder);
	}
	json_kstr(&json, "activeScript", r->active);
	json_kstr(&json, "yourScript", r->users);
	json_kstr(&json, "foundScript", r->found);
	json_kbool(&json, "changed", r->changed);
	json_close(&json, '}');
	buf_c(out, '\n');
}

/* Nothing is said where nothing had to be done. */
static void result_text(struct job *j, const struct sieve_setup *r)
{
	struct buf *out = cli_outbuf(j->c);

	if (r->effect == SIEVE_STORED && r->can_include) {
		buf_z(out, "require \"include\"; # at the top\n"
			   "include :personal :optional \"" SIEVE_CHAT
			   "\"; # behind the last require\n");
		return;
	}
	if (!r->changed || r->effect == SIEVE_STORED)
		return;
	switch (r->effect) {
	case SIEVE_ABSENT:
		buf_z(out, "removed");
		break;
	case SIEVE_INCLUDED:
		buf_z(out, "\"" SIEVE_MAIN "\" is active and includes "
			   "\"" SIEVE_CHAT "\"");
		break;
	default:
		buf_z(out, "\"" SIEVE_CHAT "\" is stored and in effect");
	}
	if (r->users.p != NULL) {
		buf_z(out, r->effect == SIEVE_ABSENT ? "; active is \""
						     : ", then your \"");
		buf_clean(out, r->users);
		buf_c(out, '"');
	}
	buf_c(out, '\n');
}

/* --- the server ----------------------------------------------------------- */

/* Not where the server does it itself, with what coi-config filter says. */
static int prepare(struct job *j, struct coi_err *e)
{
	const char *given = cli_value(j->c, "folder");
	struct imap *im = account_imap(j->ac, &j->net, e);
	int rc = -1;

	if (im == NULL)
		return -1;
	if (imap_has(im, "COI")) {
		err_set(e, COI_E_CONFIG,
			"this server filters chat messages by itself");
		err_stage(e, "sieve");
		err_hint(e,
			 "use \"coi-config enable\" and \"coi-config filter "
			 "%s\"",
			 j->mode);
		goto out;
	}
	if (given != NULL)
		j->chat.folder = str_of(given);
	else if (j->chat.active && servers_folder(j, im, true, e) < 0)
		goto out;
	rc = j->chat.active ? check_folder(j->chat.folder, e) : 0;
out:
	imap_close(im);
	return rc;
}

static int need(struct sieve *s, const char *extension, struct coi_err *e)
{
	if (sieve_has(s, extension))
		return 0;
	err_set(e, COI_E_UNAVAILABLE, "the server's Sieve has no %s",
		extension);
	err_stage(e, "sieve");
	err_hint(e, "coi-fetch and coi-watch can filter instead, with "
		    "--filter");
	return -1;
}

static int not_running(const struct sieve_setup *r, struct coi_err *e)
{
	err_set(e, COI_E_PARTIAL,
		"\"" SIEVE_CHAT "\" is stored, but your script \"%.*s\" is "
		"active and was left as it is",
		STR_ARG(str_sub(r->active, 0, 200)));
	err_stage(e, "sieve");
	if (r->can_include)
		err_hint(e, "add the two lines to that script, or run this "
			    "again with --include");
	else
		err_hint(e, "the server has no include: put the rule that "
			    "\"coi-config sieve\" prints behind the last "
			    "require of that script, its require in front");
	return -1;
}

static int on_server(struct job *j, struct coi_err *e)
{
	struct sieve_setup r = {.effect = SIEVE_ABSENT};
	struct sieve *s = NULL;
	bool install = cli_has(j->c, "install");
	int rc = -1;

	j->ac = cli_account(j->c, true, e);
	if (j->ac == NULL)
		return -1;
	s = account_sieve(j->ac, &j->net, e);
	if (s == NULL) {
		if (e->code == COI_E_UNAVAILABLE &&
		    strcmp(e->stage, "connect") == 0) {
			e->hint[0] = '\0';
			err_hint(e, "sieve-host and sieve-port name the "
				    "ManageSieve server; without one, \"coi-"
				    "config sieve\" prints the script for your "
				    "provider's web pages");
		}
		return -1;
	}
	if (install) {
		j->chat.create = sieve_has(s, "mailbox");
		if (need(s, "imap4flags", e) < 0 ||
		    (j->chat.active && need(s, "fileinto", e) < 0) ||
		    prepare(j, e) < 0 ||
		    sieve_setup_install(s, j->a, &j->chat,
					cli_has(j->c, "include"), &r, e) < 0)
			goto out;
	} else if (sieve_setup_remove(s, j->a, &r, e) < 0) {
		goto out;
	}
	if (cli_json(j->c))
		result_json(j, &r);
	else
		result_text(j, &r);
	if (r.found.p != NULL && !cli_json(j->c))
		cli_warn(j->c,
			 "a script was in effect that the server did not list; "
			 "it is called \"%.*s\" now and is active again",
			 STR_ARG(r.found));
	if (r.warning.p != NULL)
		cli_warn(j->c, "the server warns: %.*s", STR_ARG(r.warning));
	rc = cli_flush(j->c, e);
	if (rc == 0 && r.effect == SIEVE_STORED)
		rc = not_running(&r, e);
out:
	sieve_close(s);
	if (e->code != COI_OK)
		err_host(e, j->ac->sieve_host, j->ac->sieve_port);
	return rc;
}

static int arguments(struct job *j, char **v, size_t n, struct coi_err *e)
{
	struct cli *c = j->c;

	if (cli_has(c, "install") && cli_has(c, "remove"))
		return cli_usage(c, e, "--install or --remove, not both");
	if (cli_has(c, "include") && !cli_has(c, "install"))
		return cli_usage(c, e, "--include goes with --install");
	if (cli_has(c, "remove") && (n > 0 || cli_has(c, "folder")))
		return cli_usage(c, e, "--remove takes everything away");
	j->mode = n > 0 ? v[0] : "active";
	j->chat.active = strcmp(j->mode, "active") == 0;
	if (j->chat.active || strcmp(j->mode, "none") == 0)
		return 0;
	if (strcmp(j->mode, "seen") == 0) {
		err_set(e, COI_E_USAGE,
			"Sieve runs when mail arrives, not when it is read");
		err_hint(e, "the filter seen: coi-watch --filter seen");
		return -1;
	}
	return cli_usage(c, e, "the filter is none or active, not \"%.60s\"",
			 j->mode);
}

static int run(struct cli *c, char **v, size_t n, struct coi_err *e)
{
	struct job j = {.c = c, .net = cli_net(c)};
	int rc = -1;

	if (arguments(&j, v, n, e) < 0)
		return -1;
	j.a = arena_new();
	rc = cli_has(c, "install") || cli_has(c, "remove") ? on_server(&j, e)
							   : print(&j, e);
	arena_free(j.a);
	account_free(j.ac);
	return rc;
}

static const char *const usage[] = {
    "sieve [--json] [--folder MAILBOX] [none|active]",
    "sieve --install [--include] [--json] [--folder MAILBOX] [none|active]",
    "sieve --remove [--json]", NULL};

const struct config_command config_sieve = {
    .name = "sieve",
    .help = "the message filter as a Sieve script for any server",
    .usage = usage,
    .opts = opts,
    .max = 1,
    .run = run};
