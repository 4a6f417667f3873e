#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coi/version.h"
#include "core/file.h"
#include "core/log.h"
#include "core/sys.h"
#include "fmt/json.h"
#include "net/conn.h"

struct given {
	const struct cli_opt *opt;
	const char *value;
};

struct cli {
	const struct cli_tool *tool;
	struct cli_opt *opts; /* the tool's and the common ones */
	size_t nopts;
	struct given *given;
	size_t ngiven, given_cap;
	const char **values; /* scratch of cli_values() */
	size_t values_cap;
	char **operands;
	size_t noperands;
	int verbose, status, trace_fd;
	struct buf out;
	enum coi_code out_code; /* why standard output is gone */
};

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

/* --- signals -------------------------------------------------------------- */

static volatile sig_atomic_t stop_asked;
static int cancel_pipe[2] = {-1, -1};
static volatile sig_atomic_t stop_fd = -1;

static void on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGALRM || stop_asked) {
		if (cancel_pipe[1] >= 0 && write(cancel_pipe[1], "", 1) < 0)
			errno = saved;
	} else {
		unsigned char octet = (unsigned char)sig;

		stop_asked = 1;
		alarm(3); /* what is not over by then is cut off */
		if (stop_fd >= 0 && write((int)stop_fd, &octet, 1) < 0)
			errno = saved;
	}
	errno = saved;
}

bool cli_stopped(void)
{
	return stop_asked != 0;
}

void cli_stop_to(int fd)
{
	stop_fd = fd;
}

void cli_stop(void)
{
	stop_asked = 1;
	alarm(3);
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	if (pipe2(cancel_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		cancel_pipe[0] = cancel_pipe[1] = -1;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* EFBIG, as a full disk */
}

/* --- errors --------------------------------------------------------------- */

static void no_memory(size_t wanted)
{
	static const char text[] = "out of memory\n";

	(void)wanted;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(71);
	_exit(71);
}

static void to_stderr(struct str s)
{
	struct coi_err ignored = {0};

	file_write_fd(2, s.p, s.n, &ignored);
}

static void log_out(void *ctx, enum log_level level, const char *text)
{
	struct cli *c = ctx;
	struct buf b = {0};

	if ((level == LOG_WARN && cli_has(c, "quiet")) ||
	    (level == LOG_INFO && c->verbose < 1) ||
	    (level == LOG_DEBUG && c->verbose < 2))
		return;
	buf_fmt(&b, "%s: %s\n", c->tool->name, text);
	to_stderr(buf_view(&b));
	buf_free(&b);
}

void cli_warn(struct cli *c, const char *fmt, ...)
{
	struct buf raw = {0}, b = {0};
	va_list ap;

	if (cli_has(c, "quiet"))
		return;
	va_start(ap, fmt);
	buf_vfmt(&raw, fmt, ap);
	va_end(ap);
	buf_fmt(&b, "%s: ", c->tool->name);
	buf_clean(&b, buf_view(&raw));
	buf_c(&b, '\n');
	to_stderr(buf_view(&b));
	buf_free(&raw);
	buf_free(&b);
}

static void error_json(struct buf *b, const struct coi_err *e)
{
	struct json j;

	json_begin(&j, b);
	json_open(&j, '{');
	json_kstr(&j, "error", str_of(err_word(e->code)));
	json_kint(&j, "status", err_status(e->code));
	json_kstr(&j, "message", str_of(e->msg));
	if (e->ctx[0] != '\0')
		json_kstr(&j, "context", str_of(e->ctx));
	if (e->stage[0] != '\0')
		json_kstr(&j, "stage", str_of(e->stage));
	if (e->host[0] != '\0')
		json_kstr(&j, "host", str_of(e->host));
	if (e->reply[0] != '\0')
		json_kstr(&j, "reply", str_of(e->reply));
	if (e->hint[0] != '\0')
		json_kstr(&j, "hint", str_of(e->hint));
	json_close(&j, '}');
	buf_c(b, '\n');
}

static void error_text(struct buf *b, const char *tool, const struct coi_err *e)
{
	buf_fmt(b, "%s: ", tool);
	if (e->ctx[0] != '\0')
		buf_fmt(b, "%s: ", e->ctx);
	if (e->host[0] != '\0')
		buf_fmt(b, "%s: ", e->host);
	if (e->stage[0] != '\0')
		buf_fmt(b, "%s: ", e->stage);
	buf_z(b, e->msg);
	if (e->reply[0] != '\0')
		buf_fmt(b, " (the server said: %s)", e->reply);
	if (e->hint[0] != '\0')
		buf_fmt(b, "; %s", e->hint);
	buf_c(b, '\n');
}

void cli_report(struct cli *c, struct coi_err *e)
{
	struct buf b = {0};

	if (e->code != COI_OK && e->code != COI_E_PIPE &&
	    e->code != COI_E_CANCELLED) {
		if (cli_json(c))
			error_json(&b, e);
		else
			error_text(&b, c->tool->name, e);
		to_stderr(buf_view(&b));
	}
	buf_free(&b);
	err_clear(e);
}

int cli_usage(struct cli *c, struct coi_err *e, const char *fmt, ...)
{
	struct buf b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&b, fmt, ap);
	va_end(ap);
	err_set(e, COI_E_USAGE, "%s", buf_cstr(&b));
	err_hint(e, "try %s -h", c->tool->name);
	buf_free(&b);
	return -1;
}

/* --- options -------------------------------------------------------------- */

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

static void gather(struct cli *c)
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

static int parse(struct cli *c, int argc, char **argv, struct coi_err *e)
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

static void help(struct cli *c, struct buf *b)
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

static void version(struct cli *c, struct buf *b)
{
	buf_fmt(b, "%s %s\n", c->tool->name, COI_VERSION);
	coi_versions(b);
}

/* --- output --------------------------------------------------------------- */

struct buf *cli_outbuf(struct cli *c)
{
	return &c->out;
}

int cli_flush(struct cli *c, struct coi_err *e)
{
	int rc;

	/* What failed once is lost: nobody may think it was written later. */
	if (c->out_code != COI_OK)
		return err_set(e, c->out_code, "standard output failed before");
	if (c->out.n == 0)
		return 0;
	sys_point("out.before");
	rc = file_write_fd(1, c->out.p, c->out.n, e);
	if (rc < 0)
		c->out_code = e->code;
	sys_point("out.after");
	if (rc < 0 && e->code == COI_E_IO)
		err_ctx(e, "standard output");
	buf_clear(&c->out);
	return rc;
}

int cli_out_more(struct cli *c, struct coi_err *e)
{
	return c->out.n >= 65536 ? cli_flush(c, e) : 0;
}

int cli_out(struct cli *c, struct str s, struct coi_err *e)
{
	buf_str(&c->out, s);
	return cli_out_more(c, e);
}

void cli_status(struct cli *c, int status)
{
	c->status = status;
}

/* --- accounts ------------------------------------------------------------- */

static const char *env(const char *name)
{
	return getenv(name);
}

struct account *cli_account(struct cli *c, bool need_server, struct coi_err *e)
{
	return cli_account_of(c, cli_value(c, "account"), need_server, e);
}

struct account *cli_account_of(struct cli *c, const char *name,
			       bool need_server, struct coi_err *e)
{
	struct account_options o = {.config = cli_value(c, "config"),
				    .account = name,
				    .state_dir = cli_value(c, "state-dir"),
				    .getenv = env,
				    .environ_of_commands = environ};
	int64_t t = 0;

	if (cli_duration(c, "timeout", &t, e) < 0)
		return NULL;
	if (cli_has(c, "timeout") && (t <= 0 || t > 86400)) {
		cli_usage(c, e, "--timeout must be from 1s to 1d");
		return NULL;
	}
	o.timeout_ms = (int)(t * 1000);
	return account_load(&o, need_server, e);
}

struct account_net cli_net(struct cli *c)
{
	return (struct account_net){.trace_fd = c->trace_fd,
				    .family = cli_has(c, "ipv4")   ? 4
					      : cli_has(c, "ipv6") ? 6
								   : 0,
				    .cancel_fd = cancel_pipe[0]};
}

static int open_trace(struct cli *c, struct coi_err *e)
{
	const char *file = cli_value(c, "trace");

	c->trace_fd = -1;
	if (!cli_has(c, "trace"))
		return 0;
	c->trace_fd = file == NULL || strcmp(file, "-") == 0
			  ? 2
			  : open(file,
				 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
				 0600);
	if (c->trace_fd < 0)
		return err_errno(e, COI_E_CREATE, errno, "cannot open %s",
				 file);
	return 0;
}

/* A closed standard stream would lend its number to the next file that is
 * opened, and output would go there.  This way its use fails. */
static void hold_standard_fds(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(71);
}

static void harden(void)
{
	struct rlimit none = {0, 0};

	/* Passwords must not end in a core file or a debugger's hands. */
	setrlimit(RLIMIT_CORE, &none);
	umask(077);
}

int cli_main(const struct cli_tool *t, int argc, char **argv)
{
	struct cli c = {.tool = t, .trace_fd = -1};
	struct coi_err e = {0};
	const char **vs;
	enum coi_code code;
	int rc, status;

	hold_standard_fds();
	harden();
	mem_fail = no_memory;
	sys_seed(getenv("COI_TEST_SEED"));
	sys_kill_at(getenv("COI_TEST_KILL_AT"));
	net_trust_defaults(getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR"));
	gather(&c);
	rc = parse(&c, argc, argv, &e);
	if (rc == 0 && (cli_has(&c, "help") || cli_has(&c, "version"))) {
		if (cli_has(&c, "help"))
			help(&c, &c.out);
		else
			version(&c, &c.out);
		rc = cli_flush(&c, &e);
	} else if (rc == 0) {
		c.verbose = (int)cli_values(&c, "verbose", &vs);
		free(vs);
		log_to(log_out, &c);
		catch_signals();
		if (cli_has(&c, "ipv4") && cli_has(&c, "ipv6"))
			rc = cli_usage(&c, &e, "-4 and -6 exclude each other");
		if (rc == 0)
			rc = open_trace(&c, &e);
		if (rc == 0)
			rc = t->run(&c, &e);
		if (rc == 0)
			rc = cli_flush(&c, &e);
	}
	code = e.code;
	status = c.status;
	if (rc < 0) {
		status = code == COI_OK ? 70 : err_status(code);
		/* Mixed outcomes: what cannot be undone comes first. */
		if (c.status == 84 || (c.status == 1 && status != 84))
			status = c.status;
		/* After a signal: 0, unless something was left undone. */
		if (code == COI_E_CANCELLED)
			status = c.status;
		cli_report(&c, &e);
	}
	log_to(NULL, NULL);
	buf_free(&c.out);
	free(c.given);
	free(c.values);
	free(c.opts);
	return status;
}
