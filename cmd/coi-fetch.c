/* coi-fetch: what is new in a mailbox, one JSON object a line. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "coi/decode.h"
#include "coi/fetch.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/sys.h"
#include "dead.h"
#include "fetching.h"
#include "files.h"
#include "filtering.h"
#include "fmt/date.h"
#include "lines.h"
#include "schema.h"
#include "view.h"

static const char *const usage[] = {
    "coi-fetch [-b MAILBOX]... [selection] [--json]",
    "coi-fetch -f FILE | DIR | - [--json]", "coi-fetch --ack [--consumer NAME]",
    "coi-fetch --dead | --retry-dead ID [--consumer NAME]", NULL};

static const struct cli_opt opts[] = {
    FETCHING_WHERE,
    {'f', "file", "FILE", "decode mail from a file, a Maildir or stdin", 0},
    {0, "since", "DATE", "only what arrived since (2026-11-25, 3d)", 0},
    {0, "unseen", NULL, "only what is not marked as seen", 0},
    {0, "uid", "SET", "only these UIDs (1:3,7)", 0},
    {0, "message-id", "ID", "only the message with this id", 0},
    {0, "limit", "N", "at most N messages", 0},
    {0, "consumer", "NAME", "whose cursor to use (default)", 0},
    {0, "start", "WHEN", "first run: now, all or a date (all)", 0},
    {0, "no-commit", NULL, "lines come back until --ack has read them", 0},
    {0, "ack", NULL, "acknowledge the lines or results on stdin", 0},
    {0, "dead", NULL, "list what handlers of coi-watch could not take", 0},
    {0, "retry-dead", "ID", "put one of these back", 0},
    FETCHING_PRINT,
    FILTERING,
    {0, "fail-empty", NULL, "exit with 1 when nothing was printed", 0},
    {0, "json-schema", "[NAME]", "print the schema: message, result or error",
     0},
    {0, NULL, NULL, NULL, 0}};

static const char *const examples[] = {
    "coi-fetch", "coi-fetch --json | jq -r '\"\\(.from.email): \\(.text)\"'",
    "coi-fetch -f mail.eml", "coi-fetch --save attachments --limit 10", NULL};

struct fetching {
	struct cli *c;
	bool readable, color;
	uint64_t printed;
	enum filter_mode filter;
};

static int print_line(void *ctx, const struct message *m, struct coi_err *e)
{
	struct fetching *f = ctx;

	if (f->readable)
		view_message(cli_outbuf(f->c), m, f->color);
	else
		message_json(cli_outbuf(f->c), m);
	f->printed++;
	return cli_out_more(f->c, e);
}

static int flush(void *ctx, struct coi_err *e)
{
	struct fetching *f = ctx;

	return cli_flush(f->c, e);
}

static void warn(void *ctx, const char *text)
{
	struct fetching *f = ctx;

	cli_warn(f->c, "%s", text);
}

static bool is_me(const void *ctx, struct str email)
{
	return account_is_me(ctx, email);
}

/* --- --ack --------------------------------------------------------------- */

struct acking {
	struct cli *c;
	struct store *st;
	const char *consumer;
	bool open; /* a group of acknowledgements is being collected */
	enum coi_code missed; /* why a line acknowledged nothing */
};

/* The place of a full record is exact even where two share an id. */
static int ack_record(struct acking *x, json_t *j, struct coi_err *e)
{
	json_t *place = json_object_get(j, "imap");
	const char *id = json_string_value(json_object_get(j, "id"));
	const char *box = json_string_value(json_object_get(place, "mailbox"));
	json_int_t uid = json_integer_value(json_object_get(place, "uid"));
	json_int_t validity = json_integer_value(
	    json_object_get(place, "uidValidity"));

	if (box != NULL && uid > 0 && uid <= UINT32_MAX && validity > 0 &&
	    validity <= UINT32_MAX) {
		int rc = store_ack_uid(x->st, x->consumer, str_of(box),
				       (uint32_t)validity, (uint32_t)uid, e);

		/* Acknowledged before, perhaps: its id tells. */
		if (rc == 0 || e->code != COI_E_NOINPUT || id == NULL)
			return rc;
		err_clear(e);
	}
	if (id == NULL)
		return err_set(e, COI_E_DATA, "neither a record nor a result");
	return store_ack(x->st, x->consumer, str_of(id), e);
}

/* A result names what it answers as its source. */
static int ack_result(struct acking *x, json_t *j, const char *result,
		      struct coi_err *e)
{
	const char *id = json_string_value(json_object_get(j, "source"));

	/* Deferred: nothing went out, the line has to come again.  All else is
	 * final: a refused answer would be refused again, an unknown one may
	 * have arrived and waits for --retry-unknown. */
	if (id == NULL || strcmp(result, "deferred") == 0)
		return 0;
	return store_ack(x->st, x->consumer, str_of(id), e);
}

static int ack_line(void *ctx, struct str line, int64_t n, struct coi_err *e)
{
	struct acking *x = ctx;
	json_error_t je;
	json_t *j = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &je);
	const char *result = json_string_value(json_object_get(j, "result"));
	int rc = 0;

	/* A control line of coi-watch. */
	if (json_object_get(j, "event") != NULL &&
	    json_object_get(j, "kind") == NULL) {
		json_decref(j);
		return 0;
	}
	if (!json_is_object(j))
		rc = err_set(e, COI_E_DATA, "no JSON object");
	if (rc == 0 && !x->open) {
		rc = store_begin(x->st, true, e);
		x->open = rc == 0;
	}
	if (rc == 0)
		rc = result != NULL ? ack_result(x, j, result, e)
				    : ack_record(x, j, e);
	json_decref(j);
	if (rc < 0)
		err_ctx(e, "line %lld", (long long)n);
	if (rc < 0 && (e->code == COI_E_NOINPUT || e->code == COI_E_DATA)) {
		if (x->missed == COI_OK)
			x->missed = e->code;
		cli_report(x->c, e);
		rc = 0;
	}
	return rc;
}

static int ack_pause(void *ctx, bool more, struct coi_err *e)
{
	struct acking *x = ctx;

	if (!x->open)
		return 0;
	x->open = false;
	return store_end(x->st, true, e);
}

static int ack(struct cli *c, const char *consumer, struct coi_err *e)
{
	struct account *ac = cli_account(c, true, e);
	struct acking x = {.c = c, .consumer = consumer};
	struct coi_err second = {0};
	int rc = -1;

	if (ac == NULL)
		return -1;
	x.st = store_open(ac->state_path, e);
	if (x.st != NULL)
		rc = lines_each(0, LIMIT_JSON_LINE, 1000, ack_line, ack_pause,
				cli_stopped, &x, e);
	/* What came before a bad line is acknowledged all the same. */
	if (rc < 0 && x.open)
		store_end(x.st, true, &second);
	if (rc == 0 && x.missed != COI_OK)
		cli_status(c, err_status(x.missed));
	store_close(x.st);
	account_free(ac);
	return rc;
}

/* --- online -------------------------------------------------------------- */

static int read_since(struct cli *c, struct fetch_opts *o, struct coi_err *e)
{
	const char *since = cli_value(c, "since");

	o->since = INT64_MIN;
	if (since == NULL ||
	    date_parse_human(str_of(since), sys_now(), &o->since))
		return 0;
	return cli_usage(c, e, "--since: \"%s\" is no date", since);
}

/* NULL without an error: there is nothing to be done here. */
static struct filter *open_filter(struct fetching *f, struct account *ac,
				  const struct fetch_opts *o, struct imap *im,
				  struct store *st, struct coi_err *e)
{
	struct filter_opts fo = {.store = st,
				 .account = ac,
				 .consumer = o->consumer,
				 .mode = f->filter,
				 .start = o->start_now ? INT64_MAX
						       : o->start_date,
				 .warn = warn,
				 .ctx = f};
	struct filter *x;

	if (f->filter == FILTER_OFF)
		return NULL;
	x = filter_new(&fo, im, e);
	if (x == NULL && e->code == COI_E_UNAVAILABLE) {
		cli_warn(f->c, "--filter: %s", e->msg);
		err_clear(e);
	}
	return x;
}

static int online(struct fetching *f, struct account *ac, struct fetch_opts *o,
		  struct coi_err *e)
{
	struct cli *c = f->c;
	struct account_net n = cli_net(c);
	struct fetch_result r = {0};
	struct store *st = NULL;
	struct imap *im = NULL;
	struct filter *filter = NULL;
	uint64_t moved = 0;
	const char **boxes;
	int rc = -1;

	o->nmailboxes = cli_values(c, "mailbox", &boxes);
	o->mailboxes = boxes;
	st = store_open(ac->state_path, e);
	if (st == NULL)
		goto out;
	if (o->consumer != NULL && store_lease(st, o->consumer, e) < 0)
		goto out;
	im = account_imap(ac, &n, e);
	if (im == NULL)
		goto out;
	filter = open_filter(f, ac, o, im, st, e);
	if (filter == NULL && e->code != COI_OK)
		goto out;
	rc = fetch_run(im, st, o, &r, e);
	if (rc == 0 && filter != NULL)
		rc = filter_apply(filter, im, &moved, e);
	if (cli_verbose(c) > 0) {
		struct net_stats s = net_stats(imap_conn(im));

		cli_warn(c,
			 "%llu printed, %llu seen before, %llu our own; "
			 "%llu octets in, %llu out",
			 (unsigned long long)r.printed,
			 (unsigned long long)r.duplicates,
			 (unsigned long long)r.own, (unsigned long long)s.in,
			 (unsigned long long)s.out);
		if (filter != NULL)
			cli_warn(c, "%llu moved", (unsigned long long)moved);
	}
out:
	filter_free(filter);
	imap_close(im);
	if (rc == 0 && o->consumer != NULL)
		rc = store_prune(st, 400, e);
	store_close(st);
	free(boxes);
	return rc;
}

/* --dead and --retry-dead read no mail. */
static int check_dead(struct cli *c, struct coi_err *e)
{
	static const char *const none[] = {
	    "mailbox",	 "uid",	  "message-id", "since",    "unseen",
	    "no-commit", "start", "mark-seen",	"all-mail", "own",
	    "filter",	 "ack",	  "file",	"limit",    "save",
	    "inline",	 "full",  "headers",	"max-size", NULL};
	bool list = cli_has(c, "dead");
	size_t i;

	if (!list && !cli_has(c, "retry-dead"))
		return 0;
	if (list && cli_has(c, "retry-dead"))
		return cli_usage(c, e,
				 "--dead and --retry-dead exclude each other");
	for (i = 0; none[i] != NULL; i++)
		if (cli_has(c, none[i]))
			return cli_usage(c, e, "--%s has no effect with --%s",
					 none[i], list ? "dead" : "retry-dead");
	return 0;
}

static int check_options(struct cli *c, struct coi_err *e)
{
	static const char *const online_only[] = {
	    "mailbox",	"uid",	     "message-id", "since",	"unseen",
	    "consumer", "no-commit", "start",	   "mark-seen", "all-mail",
	    "own",	"filter",    NULL};
	size_t i;
	char **v;

	if (cli_operands(c, &v) > 0)
		return cli_usage(c, e,
				 "unexpected operand \"%s\"; a file is "
				 "given with -f",
				 v[0]);
	if ((cli_has(c, "no-commit") || cli_has(c, "start")) &&
	    (cli_has(c, "uid") || cli_has(c, "message-id") ||
	     cli_has(c, "since") || cli_has(c, "unseen")))
		return cli_usage(c, e,
				 "--%s has no effect with a selection, which "
				 "knows no cursor",
				 cli_has(c, "start") ? "start" : "no-commit");
	if (cli_has(c, "filter") &&
	    (cli_has(c, "uid") || cli_has(c, "message-id") ||
	     cli_has(c, "since") || cli_has(c, "unseen") || cli_has(c, "ack")))
		return cli_usage(c, e,
				 "--filter goes with the cursor, not with a "
				 "selection or --ack");
	if (cli_has(c, "ack") &&
	    (cli_has(c, "no-commit") || cli_has(c, "limit") ||
	     cli_has(c, "save") || cli_has(c, "mailbox") || cli_has(c, "file")))
		return cli_usage(c, e, "--ack goes with --consumer only");
	if (check_dead(c, e) < 0)
		return -1;
	for (i = 0; online_only[i] != NULL; i++)
		if (cli_has(c, "file") && cli_has(c, online_only[i]) &&
		    strcmp(online_only[i], "all-mail") != 0 &&
		    strcmp(online_only[i], "own") != 0)
			return cli_usage(c, e, "-f and --%s exclude each other",
					 online_only[i]);
	return 0;
}

static int run(struct cli *c, struct coi_err *e)
{
	const char *consumer;
	struct decode_opts d = {.save_fd = -1, .max_size = -1};
	struct fetch_opts o = {.limit = -1, .decode = &d};
	struct fetching f = {.c = c};
	struct account *ac = NULL;
	bool selected;
	int rc = -1;

	if (cli_has(c, "json-schema"))
		return schema_print(c, "message", e);
	if (check_options(c, e) < 0)
		return -1;
	consumer = cli_has(c, "consumer") ? cli_value(c, "consumer")
					  : "default";
	if (cli_has(c, "ack"))
		return ack(c, consumer, e);
	f.readable = isatty(1) && !cli_json(c);
	f.color = f.readable && getenv("NO_COLOR") == NULL;
	if (cli_has(c, "retry-dead"))
		return dead_retry(c, consumer, cli_value(c, "retry-dead"), e);
	if (cli_has(c, "dead")) {
		rc = dead_list(c, consumer, f.readable, f.color, &f.printed, e);
		if (rc == 0 && f.printed == 0 && cli_has(c, "fail-empty"))
			cli_status(c, 1);
		return rc;
	}
	if (filtering_mode(c, &f.filter, e) < 0 ||
	    cli_number(c, "limit", 0, INT64_MAX, &o.limit, e) < 0 ||
	    read_since(c, &o, e) < 0 || fetching_start(c, false, &o, e) < 0)
		return -1;
	selected = cli_has(c, "uid") || cli_has(c, "message-id") ||
		   cli_has(c, "since") || cli_has(c, "unseen");
	ac = cli_account(c, !cli_has(c, "file"), e);
	if (ac == NULL)
		return -1;
	if (fetching_decode(c, ac->max_size, &d, e) < 0)
		goto out;
	d.is_me = is_me;
	d.is_me_ctx = ac;
	if (cli_has(c, "file")) {
		rc = files_each(cli_value(c, "file"), &d,
				&(struct files_opts){.limit = o.limit,
						     .line = print_line,
						     .stopped = cli_stopped,
						     .ctx = &f},
				e);
	} else {
		o.consumer = selected ? NULL : consumer;
		d.identity = o.consumer != NULL;
		o.all_mail = cli_has(c, "all-mail") || cli_has(c, "uid") ||
			     cli_has(c, "message-id");
		o.own = cli_has(c, "own") || cli_has(c, "uid") ||
			cli_has(c, "message-id");
		o.unseen = cli_has(c, "unseen");
		o.uids = cli_value(c, "uid");
		o.message_id = cli_value(c, "message-id");
		o.no_commit = cli_has(c, "no-commit");
		o.mark_seen = cli_has(c, "mark-seen");
		o.stopped = cli_stopped;
		o.line = print_line;
		o.flush = flush;
		o.warn = warn;
		o.ctx = &f;
		rc = online(&f, ac, &o, e);
	}
	if (rc == 0)
		rc = cli_flush(c, e);
	if (rc == 0 && f.printed == 0 && cli_has(c, "fail-empty"))
		cli_status(c, 1);
out:
	fetching_end(&d);
	account_free(ac);
	return rc;
}

static const struct cli_tool tool = {
    .name = "coi-fetch",
    .summary = "Print what is new in a mailbox, one JSON object a line.",
    .usage = usage,
    .opts = opts,
    .examples = examples,
    .run = run};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
