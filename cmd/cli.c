#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_priv.h"
#include "coi/version.h"
#include "core/file.h"
#include "core/log.h"
#include "core/sys.h"
#include "net/conn.h"

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
				    .cancel_fd = signals_cancel_fd()};
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

static void version(struct cli *c, struct buf *b)
{
	buf_fmt(b, "%s %s\n", c->tool->name, COI_VERSION);
	coi_versions(b);
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
	mem_fail = errors_no_memory;
	sys_seed(getenv("COI_TEST_SEED"));
	sys_kill_at(getenv("COI_TEST_KILL_AT"));
	net_trust_defaults(getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR"));
	options_gather(&c);
	rc = options_parse(&c, argc, argv, &e);
	if (rc == 0 && (cli_has(&c, "help") || cli_has(&c, "version"))) {
		if (cli_has(&c, "help"))
			options_help(&c, &c.out);
		else
			version(&c, &c.out);
		rc = cli_flush(&c, &e);
	} else if (rc == 0) {
		c.verbose = (int)cli_values(&c, "verbose", &vs);
		free(vs);
		log_to(errors_log, &c);
		signals_catch();
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
