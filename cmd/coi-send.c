/* coi-send: composes chat messages and submits them. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli.h"
#include "coi/doctor.h"
#include "coi/reply.h"
#include "core/limits.h"
#include "lines.h"
#include "message.h"
#include "schema.h"
#include "send_out.h"

static const char *const usage[] = {
    "coi-send [-m TEXT | -i FILE] [-k KIND] [--file F]... [--cc A] [--bcc A] "
    "ADDRESS...",
    "coi-send --to-all [-m TEXT] [--file F]... <RECORDS",
    "coi-send --json [FILE | -]",
    "coi-send --flush | --queue-list | --queue-drop ID | --retry-unknown [ID]",
    "coi-send --check",
    NULL};

static const struct cli_opt opts[] = {
    {'m', "message", "TEXT", "the text; else from -i or standard input", 0},
    {'i', "input", "FILE", "read the text from FILE (- for stdin)", 0},
    {'k', "kind", "KIND", "what to send (message)", 0},
    {0, "file", "FILE", "attach FILE; repeat for more", CLI_REPEAT},
    {0, "cc", "ADDRESS", "another recipient, shown in Cc", CLI_REPEAT},
    {0, "bcc", "ADDRESS", "a recipient that others do not see", CLI_REPEAT},
    {0, "from", "ALIAS", "send as this address of the account", 0},
    {0, "subject", "TEXT", "a subject (none by default)", 0},
    {0, "markdown", NULL,
     "the text is Markdown: sent as plain, markdown "
     "and html",
     0},
    {0, "html", NULL, "the text is HTML: sent as plain and html", 0},
    {0, "reply-to-id", "ID", "answer the message with this id", 0},
    {0, "to-all", NULL, "answer everybody of the record(s) on stdin", 0},
    {0, "receipt", NULL, "ask for a read receipt", 0},
    {'j', "json", "[FILE]", "read records as JSON Lines, print results", 0},
    {0, "lax", NULL, "ignore unknown keys in JSON input", 0},
    {'n', "dry-run", NULL, "print what would be sent, touch nothing", 0},
    {0, "keep", NULL, "keep id, date and sender of the input", 0},
    {0, "idempotency-key", "KEY", "send once however often it is tried", 0},
    {0, "queue", NULL, "keep what cannot go out now", 0},
    {0, "expire", "TIME", "how long it may wait in the queue (5d)", 0},
    {0, "flush", NULL, "send what is queued", 0},
    {0, "queue-list", NULL, "list what is queued or of unknown outcome", 0},
    {0, "queue-drop", "ID", "forget a queued message", 0},
    {0, "retry-unknown", "[ID]", "send again what may have been sent", 0},
    {0, "check", NULL, "log in to both servers and say what works", 0},
    {0, "json-schema", "[NAME]", "print the schema: message, result or error",
     0},
    {0, NULL, NULL, NULL, 0}};

static const char *const examples[] = {
    "coi-send -m 'the disk is full' ops@example.org",
    "df -h | coi-send ops@example.org",
    "coi-send --file photo.jpg bob@example.org </dev/null",
    "coi-fetch --json | jq -c '{to:[.from],inReplyTo:.id,text:\"pong\"}' | "
    "coi-send --json",
    NULL};

static void on_warn(void *ctx, const char *text, bool expected)
{
	struct sending *x = ctx;

	if (!expected || cli_verbose(x->c) > 0)
		cli_warn(x->c, "%s", text);
}

/* Options that would have no effect are mistakes. */
static int check_idle(struct cli *c, const char *mode, struct coi_err *e)
{
	static const char *const lines[] = {
	    "kind", "cc",      "bcc",	      "from",  "file", "subject",
	    "html", "receipt", "reply-to-id", "input", NULL};
	static const char *const none[] = {"message", "kind",
					   "cc",      "bcc",
					   "from",    "file",
					   "subject", "html",
					   "receipt", "reply-to-id",
					   "input",   "markdown",
					   "keep",    "idempotency-key",
					   "lax",     NULL};
	const char *const *v = strcmp(mode, "json") == 0 ? lines : none;

	for (; *v != NULL; v++)
		if (cli_has(c, *v))
			return cli_usage(c, e, "--%s has no effect with --%s",
					 *v, mode);
	return 0;
}

/* --- ways to run --------------------------------------------------------- */

static int deliver(struct sending *x, struct message *m, int64_t input,
		   struct str source, struct coi_err *e)
{
	const char *key = cli_value(x->c, "idempotency-key");
	struct buf line_key = {0};
	int rc;

	if (strcmp(x->ac->encrypt, "always") == 0) {
		err_set(e, COI_E_NOKEY,
			"encrypt = always, and this version cannot encrypt");
		err_hint(e, "encrypt = auto sends it in clear");
		return -1;
	}
	if (cli_dry_run(x->c))
		return send_out_dry(x, m, e);
	/* Each line of the input has a key of its own. */
	if (key != NULL && input > 0) {
		buf_fmt(&line_key, "%s:%lld", key, (long long)input);
		key = buf_cstr(&line_key);
	}
	rc = sender_add(x->sender, m, key, input, source, e);
	buf_free(&line_key);
	return rc;
}

static int run_single(struct sending *x, struct coi_err *e)
{
	struct arena *a = arena_new();
	struct message m;
	int rc;

	rc = message_of_options(x->c, x->ac, a, false, &m, e);
	if (rc == 0)
		rc = deliver(x, &m, 0, STR_NONE, e);
	if (rc == 0 && !cli_dry_run(x->c))
		rc = sender_flush(x->sender, e);
	arena_free(a);
	return rc;
}

struct batch {
	struct sending *x;
	struct arena *arena;
	bool to_all, bad;
	struct coi_err first_bad;
};

static int flush_batch(void *ctx, bool more, struct coi_err *e)
{
	struct batch *b = ctx;

	if (!cli_dry_run(b->x->c) &&
	    (more ? sender_batch : sender_flush)(b->x->sender, e) < 0)
		return -1;
	arena_reset(b->arena);
	return cli_flush(b->x->c, e);
}

/* A line that cannot be used is told with its number; the others go out. */
static int bad_line(struct batch *b, int64_t n, struct coi_err *e)
{
	if (e->code != COI_E_DATA && e->code != COI_E_NOINPUT)
		return -1;
	err_ctx(e, "line %lld", (long long)n);
	if (!b->bad)
		b->first_bad = *e;
	b->bad = true;
	cli_report(b->x->c, e);
	return 0;
}

static int on_line(void *ctx, struct str line, int64_t n, struct coi_err *e)
{
	struct batch *b = ctx;
	struct sending *x = b->x;
	struct message *in = arena_alloc(b->arena, sizeof(*in));
	struct message *m = arena_alloc(b->arena, sizeof(*m));
	struct str source;
	bool keep = x->o.compose.keep;

	if (message_from_json(b->arena, line, b->to_all || cli_has(x->c, "lax"),
			      in, e) < 0)
		return bad_line(b, n, e);
	source = in->id.p != NULL ? in->id : in->in_reply_to;
	if (b->to_all) {
		if (message_of_options(x->c, x->ac, b->arena, true, m, e) < 0 ||
		    reply_to_all(b->arena, x->ac, in, m, e) < 0)
			return e->code == COI_E_USAGE ? -1 : bad_line(b, n, e);
		source = in->id;
	} else {
		*m = *in;
		if (keep && !cli_dry_run(x->c) && m->from.email.p != NULL &&
		    !account_is_me(x->ac, m->from.email)) {
			err_set(e, COI_E_DATA,
				"from %.*s is not an address of this account",
				STR_ARG(m->from.email));
			return bad_line(b, n, e);
		}
	}
	if (deliver(x, m, n, source, e) < 0)
		return bad_line(b, n, e);
	return 0;
}

static int run_lines(struct sending *x, const char *file, bool to_all,
		     struct coi_err *e)
{
	struct batch b = {.x = x, .to_all = to_all};
	int fd = 0, rc;

	if (!to_all && check_idle(x->c, "json", e) < 0)
		return -1;

	if (file != NULL && strcmp(file, "-") != 0) {
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return err_errno(e, COI_E_NOINPUT, errno,
					 "cannot open %s", file);
	}
	b.arena = arena_new();
	rc = lines_each(fd, LIMIT_JSON_LINE, 64, on_line, flush_batch,
			cli_stopped, &b, e);
	if (rc == 0 && b.bad) {
		int s = send_out_status(x->seen);
		bool some = x->seen[SEND_ACCEPTED] || x->seen[SEND_QUEUED] ||
			    x->seen[SEND_REFUSED];

		if (s == 0 || s == 67)
			cli_status(x->c,
				   some ? 1 : err_status(b.first_bad.code));
	}
	if (fd > 0)
		close(fd);
	arena_free(b.arena);
	return rc;
}

/* An id as the user pastes it, with <> or without. */
static struct str bare_id(const char *z)
{
	struct str s = str_of(z);

	return str_starts(s, "<") && str_ends(s, ">") ? str_sub(s, 1, s.n - 2)
						      : s;
}

static void on_step(void *ctx, const struct doctor_step *s)
{
	struct sending *x = ctx;
	struct coi_err told_at_the_end = {0};

	doctor_print(cli_outbuf(x->c), s, cli_json(x->c));
	cli_flush(x->c, &told_at_the_end);
}

static int run_check(struct sending *x, struct coi_err *e)
{
	struct doctor *d = doctor_new(on_step, x);
	int rc = doctor_run(d, x->ac, &x->net, e);

	if (rc == 0)
		rc = cli_flush(x->c, e);
	if (doctor_first(d) != COI_OK)
		cli_status(x->c, err_status(doctor_first(d)));
	doctor_free(d);
	return rc;
}

static int dispatch(struct sending *x, struct coi_err *e)
{
	struct cli *c = x->c;
	const char *file = cli_value(c, "json");
	char **operands;
	size_t n = cli_operands(c, &operands);

	if (cli_has(c, "check"))
		return run_check(x, e);
	if (cli_has(c, "queue-list"))
		return send_out_queue(x, e);
	if (cli_has(c, "queue-drop"))
		return sender_drop(x->sender,
				   bare_id(cli_value(c, "queue-drop")), e);
	if (cli_has(c, "flush"))
		return sender_outbox(x->sender, false, STR_NONE, e);
	if (cli_has(c, "retry-unknown")) {
		const char *id = cli_value(c, "retry-unknown");

		if (id == NULL && n > 0)
			id = operands[0];
		return sender_outbox(x->sender, true,
				     id == NULL ? STR_NONE : bare_id(id), e);
	}
	if (cli_has(c, "to-all")) {
		if (n > 0)
			return cli_usage(c, e,
					 "--to-all takes its recipients "
					 "from the record");
		return run_lines(x, NULL, true, e);
	}
	if (cli_json(c) && cli_value(c, "json") == NULL && n <= 1 &&
	    !cli_has(c, "message") && !cli_has(c, "input") &&
	    !cli_has(c, "file") && (n == 0 || strchr(operands[0], '@') == NULL))
		return run_lines(x, n == 1 ? operands[0] : "-", false, e);
	if (file != NULL)
		return run_lines(x, file, false, e);
	return run_single(x, e);
}

static int check_modes(struct cli *c, struct coi_err *e)
{
	const char *key = cli_value(c, "idempotency-key");
	static const char *const modes[] = {
	    "flush", "queue-list", "queue-drop", "retry-unknown",
	    "check", "to-all",	   NULL};
	const char *first = NULL;
	char **v;
	size_t i;

	for (i = 0; modes[i] != NULL; i++) {
		if (!cli_has(c, modes[i]))
			continue;
		if (first != NULL)
			return cli_usage(c, e,
					 "--%s and --%s exclude each "
					 "other",
					 first, modes[i]);
		first = modes[i];
	}
	if (first != NULL && strcmp(first, "to-all") != 0 &&
	    strcmp(first, "retry-unknown") != 0 && cli_operands(c, &v) > 0)
		return cli_usage(c, e, "--%s takes no operand", first);
	if (key != NULL && *key == '\0')
		return cli_usage(c, e, "--idempotency-key is empty");
	if (first == NULL || strcmp(first, "to-all") == 0)
		return 0;
	if (cli_dry_run(c))
		return cli_usage(c, e, "-n and --%s exclude each other", first);
	return check_idle(c, first, e);
}

static int run(struct cli *c, struct coi_err *e)
{
	struct sending x = {.c = c};
	int64_t expire = 0;
	int rc = -1;

	if (cli_has(c, "json-schema"))
		return schema_print(c, "result", e);
	if (check_modes(c, e) < 0 || cli_duration(c, "expire", &expire, e) < 0)
		return -1;
	if (cli_has(c, "expire") && expire <= 0)
		return cli_usage(c, e, "--expire must be a time from now");
	x.ac = cli_account(c, !cli_dry_run(c), e);
	if (x.ac == NULL)
		return -1;
	x.net = cli_net(c);
	x.o = (struct send_opts){
	    .compose = {.keep = cli_has(c, "keep"),
			.markdown = cli_has(c, "markdown")},
	    .patient = cli_has(c, "queue"),
	    .queue = cli_has(c, "queue") || cli_has(c, "flush"),
	    .expire = expire,
	    .stopped = cli_stopped,
	    .result = send_out_result,
	    .warn = on_warn,
	    .ctx = &x};
	if (!cli_dry_run(c) && !cli_has(c, "check")) {
		x.st = store_open(x.ac->state_path, e);
		if (x.st == NULL)
			goto out;
		x.sender = sender_new(x.ac, &x.net, x.st, &x.o);
	}
	rc = dispatch(&x, e);
	if (cli_dry_run(c) && rc == 0)
		rc = send_out_dry_end(&x, e);
	/* The results first: a copy in Sent may take its time. */
	if (cli_flush(c, rc < 0 ? &(struct coi_err){0} : e) < 0 && rc == 0)
		rc = -1;
	if (x.sender != NULL && rc == 0)
		rc = sender_copies(x.sender, e);
	if (x.st != NULL && rc == 0)
		rc = store_prune(x.st, 400, e);
out:
	sender_free(x.sender);
	store_close(x.st);
	account_free(x.ac);
	return rc;
}

static const struct cli_tool tool = {
    .name = "coi-send",
    .summary = "Compose a chat message and submit it.",
    .usage = usage,
    .opts = opts,
    .examples = examples,
    .run = run};

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
