/* coi-fetch: what is new in a mailbox, one JSON object a line. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "coi/decode.h"
#include "coi/fetch.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/sys.h"
#include "fmt/date.h"
#include "fmt/mbox.h"
#include "lines.h"
#include "schema.h"
#include "view.h"

static const char *const usage[] = {
    "coi-fetch [-b MAILBOX]... [selection] [--json]",
    "coi-fetch -f FILE | DIR | - [--json]", "coi-fetch --ack [--consumer NAME]",
    NULL};

static const struct cli_opt opts[] = {
    {'b', "mailbox", "MAILBOX",
     "read this mailbox instead of INBOX and the chats", CLI_REPEAT},
    {'f', "file", "FILE", "decode mail from a file, a Maildir or stdin", 0},
    {'j', "json", NULL, "JSON Lines (the default but on a terminal)", 0},
    {0, "all-mail", NULL, "also what is no chat message", 0},
    {0, "own", NULL, "also messages of our own", 0},
    {0, "since", "DATE", "only what arrived since (2026-11-25, 3d)", 0},
    {0, "unseen", NULL, "only what is not marked as seen", 0},
    {0, "uid", "SET", "only these UIDs (1:3,7)", 0},
    {0, "message-id", "ID", "only the message with this id", 0},
    {0, "limit", "N", "at most N messages", 0},
    {0, "consumer", "NAME", "whose cursor to use (default)", 0},
    {0, "start", "WHEN", "first run: now, all or a date (all)", 0},
    {0, "no-commit", NULL, "lines come back until --ack has read them", 0},
    {0, "ack", NULL, "acknowledge the lines or results on stdin", 0},
    {0, "max-size", "SIZE", "leave larger attachments on the server", 0},
    {0, "save", "DIR", "write attachments into DIR", 0},
    {0, "inline", NULL, "attachments as base64 in the record", 0},
    {0, "full", NULL, "quotes and signatures too (fullText)", 0},
    {0, "headers", NULL, "other header fields too", 0},
    {0, "mark-seen", NULL, "set \\Seen on what was printed", 0},
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

/* --- files --------------------------------------------------------------- */

struct offline {
	struct fetching *f;
	struct decoder *dec;
	struct arena *arena;
	struct buf head; /* a small file, or the beginning of a large one */
	struct message m;
	int64_t limit;
};

/* A file above this is decoded as it is read. */
#define SMALL_FILE (256u * 1024u)

static bool enough(const struct offline *x)
{
	return x->limit >= 0 && x->f->printed >= (uint64_t)x->limit;
}

static void begin(struct offline *x)
{
	arena_reset(x->arena);
	decoder_begin(x->dec, x->arena, &x->m);
}

static int finish(struct offline *x, int rc, struct coi_err *e)
{
	if (rc < 0) {
		decoder_drop(x->dec);
		return rc;
	}
	if (decoder_end(x->dec, e) < 0)
		return -1;
	return print_line(x->f, &x->m, e);
}

static int one(void *ctx, struct str mail, struct coi_err *e)
{
	struct offline *x = ctx;

	if (enough(x))
		return 0;
	begin(x);
	return finish(x, decoder_whole(x->dec, mail, e), e);
}

/* As read(2), again after a signal but the one that asks to stop. */
static ssize_t read_some(int fd, struct buf *b, size_t n, struct coi_err *e)
{
	ssize_t k;

	do
		k = read(fd, buf_room(b, n), n);
	while (k < 0 && errno == EINTR && !cli_stopped());
	if (k < 0)
		return errno == EINTR
			   ? err_set(e, COI_E_CANCELLED, "stopped")
			   : err_errno(e, COI_E_IO, errno, "cannot read");
	b->n += (size_t)k;
	return k;
}

/* One large mail: whatever its size, memory stays flat. */
static int streamed(struct offline *x, int fd, struct coi_err *e)
{
	ssize_t k = 1;
	int rc;

	begin(x);
	rc = decoder_feed(x->dec, buf_view(&x->head), e);
	while (rc == 0 && k > 0) {
		buf_clear(&x->head);
		k = read_some(fd, &x->head, SMALL_FILE, e);
		rc = k < 0 ? -1 : decoder_feed(x->dec, buf_view(&x->head), e);
	}
	return finish(x, rc, e);
}

/* An mbox is looked through as a whole. */
static int large_mbox(struct offline *x, int fd, struct coi_err *e)
{
	struct stat st;
	void *p = MAP_FAILED;
	ssize_t k = 1;
	int rc;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    lseek(fd, 0, SEEK_CUR) == (off_t)x->head.n)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
	if (p != MAP_FAILED) {
		rc = mbox_each((struct str){p, (size_t)st.st_size}, one, x, e);
		munmap(p, (size_t)st.st_size);
		return rc;
	}
	while (k > 0)
		k = read_some(fd, &x->head, 16 * SMALL_FILE, e);
	return k < 0 ? -1 : mbox_each(buf_view(&x->head), one, x, e);
}

static int one_file(struct offline *x, int fd, bool regular, struct coi_err *e)
{
	struct buf *b = &x->head;
	ssize_t k = 1;

	buf_clear(b);
	while (k > 0 && b->n < SMALL_FILE) {
		size_t room = SMALL_FILE - b->n;

		k = read_some(fd, b, room, e);
		if (regular && k >= 0 && (size_t)k < room)
			k = 0; /* the end: not worth a second call */
	}
	if (k < 0)
		return -1;
	if (k == 0)
		return mbox_each(buf_view(b), one, x, e);
	return str_starts(buf_view(b), "From ") ? large_mbox(x, fd, e)
						: streamed(x, fd, e);
}

struct entry {
	char *name;
	bool regular; /* the folder says so */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		      ((const struct entry *)b)->name);
}

static int one_entry(struct offline *x, int dir, const struct entry *n,
		     struct coi_err *e)
{
	/* A FIFO must not hold us up. */
	int fd = openat(dir, n->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_errno(e, COI_E_NOINPUT, errno, "cannot open %s",
				 n->name);
	if (n->regular || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		rc = one_file(x, fd, true, e);
	if (rc < 0)
		err_ctx(e, "%s", n->name);
	close(fd);
	return rc;
}

/* The mails of cur and new, else the files of a plain folder, by name. */
static int one_dir(struct offline *x, const char *dir, const char *sub,
		   bool *any, struct coi_err *e)
{
	struct buf path = {0};
	struct entry *v = NULL;
	size_t n = 0, cap = 0, i;
	struct dirent *de;
	DIR *d;
	int rc = 0;

	buf_fmt(&path, "%s%s%s", dir, *sub ? "/" : "", sub);
	d = opendir(buf_cstr(&path));
	if (d == NULL) {
		if (errno != ENOENT)
			rc = err_errno(e, COI_E_NOINPUT, errno,
				       "cannot open %s", path.p);
		buf_free(&path);
		return rc;
	}
	*any = true;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		v = mem_more(v, n, &cap, sizeof(*v));
		v[n].regular = de->d_type == DT_REG;
		v[n++].name = mem_dup(str_of(de->d_name));
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), by_name);
	for (i = 0; rc == 0 && i < n && !cli_stopped() && !enough(x); i++)
		rc = one_entry(x, dirfd(d), &v[i], e);
	for (i = 0; i < n; i++)
		free(v[i].name);
	free(v);
	closedir(d);
	buf_free(&path);
	return rc;
}

static int offline(struct fetching *f, const struct decode_opts *o,
		   int64_t limit, struct coi_err *e)
{
	const char *file = cli_value(f->c, "file");
	struct offline x = {.f = f, .limit = limit};
	bool any = false;
	struct stat st;
	int fd = 0, rc;

	x.dec = decoder_new(o);
	x.arena = arena_new();
	if (strcmp(file, "-") != 0) {
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			rc = err_errno(e, COI_E_NOINPUT, errno,
				       "cannot open %s", file);
			goto out;
		}
	}
	if (fstat(fd, &st) < 0) {
		rc = err_errno(e, COI_E_NOINPUT, errno, "cannot read %s", file);
	} else if (S_ISDIR(st.st_mode)) {
		rc = one_dir(&x, file, "cur", &any, e);
		if (rc == 0)
			rc = one_dir(&x, file, "new", &any, e);
		if (rc == 0 && !any)
			rc = one_dir(&x, file, "", &any, e);
	} else {
		rc = one_file(&x, fd, S_ISREG(st.st_mode), e);
		if (rc < 0 && e->code == COI_E_CANCELLED)
			rc = 0; /* SIGINT: what came whole was printed */
		if (rc < 0)
			err_ctx(e, "%s", file);
	}
	if (fd > 0)
		close(fd);
out:
	decoder_free(x.dec);
	arena_free(x.arena);
	buf_free(&x.head);
	return rc;
}

/* --- --ack --------------------------------------------------------------- */

struct acking {
	struct cli *c;
	struct store *st;
	const char *consumer;
	bool open;   /* a group of acknowledgements is being collected */
	bool missed; /* one was never handed out */
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
	    validity <= UINT32_MAX)
		return store_ack_uid(x->st, x->consumer, str_of(box),
				     (uint32_t)validity, (uint32_t)uid, e);
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
	if (rc < 0 && e->code == COI_E_NOINPUT) {
		x->missed = true;
		cli_report(x->c, e);
		rc = 0;
	}
	return rc;
}

static int ack_pause(void *ctx, struct coi_err *e)
{
	struct acking *x = ctx;

	if (!x->open)
		return 0;
	x->open = false;
	return store_end(x->st, true, e);
}

static int ack(struct cli *c, const char *consumer, struct coi_err *e)
{
	struct account *ac = cli_account(c, false, e);
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
	if (rc == 0 && x.missed)
		cli_status(c, err_status(COI_E_NOINPUT));
	store_close(x.st);
	account_free(ac);
	return rc;
}

/* --- online -------------------------------------------------------------- */

static int read_start(struct cli *c, struct fetch_opts *o, struct coi_err *e)
{
	const char *start = cli_value(c, "start");
	const char *since = cli_value(c, "since");

	o->since = o->start_date = INT64_MIN;
	if (since != NULL &&
	    !date_parse_human(str_of(since), sys_now(), &o->since))
		return cli_usage(c, e, "--since: \"%s\" is no date", since);
	if (start == NULL || strcmp(start, "all") == 0)
		return 0;
	if (strcmp(start, "now") == 0)
		o->start_now = true;
	else if (!date_parse_human(str_of(start), sys_now(), &o->start_date))
		return cli_usage(c, e,
				 "--start: \"%s\" is not now, all or a "
				 "date",
				 start);
	return 0;
}

static int online(struct fetching *f, struct account *ac, struct fetch_opts *o,
		  struct coi_err *e)
{
	struct cli *c = f->c;
	struct account_net n = cli_net(c);
	struct fetch_result r = {0};
	struct store *st = NULL;
	struct imap *im = NULL;
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
	rc = fetch_run(im, st, o, &r, e);
	if (cli_verbose(c) > 0) {
		struct net_stats s = net_stats(imap_conn(im));

		cli_warn(c,
			 "%llu printed, %llu seen before, %llu our own; "
			 "%llu octets in, %llu out",
			 (unsigned long long)r.printed,
			 (unsigned long long)r.duplicates,
			 (unsigned long long)r.own, (unsigned long long)s.in,
			 (unsigned long long)s.out);
	}
out:
	imap_close(im);
	if (rc == 0 && o->consumer != NULL)
		rc = store_prune(st, 400, e);
	store_close(st);
	free(boxes);
	return rc;
}

static int check_options(struct cli *c, struct coi_err *e)
{
	static const char *const online_only[] = {
	    "mailbox",	 "uid",	     "message-id", "since",
	    "unseen",	 "consumer", "no-commit",  "start",
	    "mark-seen", "all-mail", "own",	   NULL};
	size_t i;
	char **v;

	if (cli_operands(c, &v) > 0)
		return cli_usage(c, e,
				 "unexpected operand \"%s\"; a file is "
				 "given with -f",
				 v[0]);
	if (cli_has(c, "save") && cli_has(c, "inline"))
		return cli_usage(c, e,
				 "--save and --inline exclude each other");
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
	const char *save = cli_value(c, "save"), *consumer;
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
	if (cli_number(c, "limit", 0, INT64_MAX, &o.limit, e) < 0 ||
	    read_start(c, &o, e) < 0)
		return -1;
	f.readable = isatty(1) && !cli_json(c);
	f.color = f.readable && getenv("NO_COLOR") == NULL;
	selected = cli_has(c, "uid") || cli_has(c, "message-id") ||
		   cli_has(c, "since") || cli_has(c, "unseen");
	ac = cli_account(c, !cli_has(c, "file"), e);
	if (ac == NULL)
		return -1;
	d.max_size = ac->max_size;
	if (cli_size(c, "max-size", &d.max_size, e) < 0)
		goto out;
	d.is_me = is_me;
	d.is_me_ctx = ac;
	d.inline_data = cli_has(c, "inline");
	d.full = cli_has(c, "full");
	d.headers = cli_has(c, "headers");
	if (save != NULL) {
		if (file_mkdirs(save, e) < 0)
			goto out;
		d.save_dir = save;
		d.save_fd = open(save, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (d.save_fd < 0) {
			err_errno(e, COI_E_CREATE, errno, "cannot open %s",
				  save);
			goto out;
		}
	}
	if (cli_has(c, "file")) {
		rc = offline(&f, &d, o.limit, e);
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
	if (d.save_fd >= 0)
		close(d.save_fd);
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
