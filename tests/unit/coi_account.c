#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "coi/account.h"
#include "core/task.h"
#include "imap/imap.h"

static struct coi_err e;
static char dir[64];
static char home_config[128], system_config[128];

/* --- a little world ------------------------------------------------------- */

static struct {
	const char *name, *value;
} envv[16];
static size_t nenv;

static const char *fake_env(const char *name)
{
	size_t i;

	for (i = nenv; i > 0; i--)
		if (strcmp(envv[i - 1].name, name) == 0)
			return envv[i - 1].value;
	return NULL;
}

static void setv(const char *name, const char *value)
{
	envv[nenv].name = name;
	envv[nenv++].value = value;
}

static int rm(const char *p, const struct stat *st, int f, struct FTW *w)
{
	return remove(p);
}

static void world(void)
{
	char p[96];

	if (dir[0] != '\0')
		nftw(dir, rm, 16, FTW_DEPTH | FTW_PHYS);
	snprintf(dir, sizeof(dir), "/tmp/coi-account-XXXXXX");
	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(p, sizeof(p), "%s/.config", dir);
	mkdir(p, 0700);
	snprintf(p, sizeof(p), "%s/.config/coi", dir);
	mkdir(p, 0700);
	snprintf(home_config, sizeof(home_config), "%s/config", p);
	snprintf(system_config, sizeof(system_config), "%s/system", dir);
	nenv = 0;
	setv("HOME", dir);
	err_clear(&e);
}

static void put_mode(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

static void put(const char *path, const char *text)
{
	put_mode(path, text, 0600);
}

static struct account *load_as(const char *name, bool need)
{
	struct account_options o = {.account = name,
				    .system_config = system_config,
				    .getenv = fake_env};

	err_clear(&e);
	return account_load(&o, need, &e);
}

static struct account *load(void)
{
	return load_as(NULL, true);
}

/* The error that this user file earns. */
static const char *bad(const char *text)
{
	struct account *ac;

	put(home_config, text);
	ac = load();
	if (ac != NULL)
		snprintf(e.msg, sizeof(e.msg), "no error");
	else if (e.code != COI_E_CONFIG)
		snprintf(e.msg, sizeof(e.msg), "code %d: %s", (int)e.code,
			 "not 78");
	account_free(ac);
	/* The folder is chance. */
	return strncmp(e.msg, home_config, strlen(home_config)) == 0
		   ? e.msg + strlen(home_config)
		   : e.msg;
}

#define MINE "[account work]\naddress = me@example.org\nimap-host = mail.x\n"

/* --- values --------------------------------------------------------------- */

TEST(defaults, "what need not be said")
{
	struct account *ac;
	char want[128];

	world();
	put(home_config, MINE "smtp-host = smtp.x\n");
	ac = load();
	CHECK(ac != NULL);
	if (ac == NULL)
		return;
	CHECK_STR(str_of(ac->section), "work");
	CHECK_STR(ac->me.email, "me@example.org");
	CHECK_INT(ac->imap_port, 993);
	CHECK_INT(ac->smtp_port, 465);
	CHECK_INT(ac->imap_tls, NET_TLS_IMPLICIT);
	CHECK_STR(str_of(ac->user), "me@example.org");
	CHECK_STR(str_of(ac->smtp_user), "me@example.org");
	CHECK_STR(str_of(ac->sent_folder), "auto");
	CHECK_INT(ac->max_size, -1);
	CHECK_INT(ac->smtp_window, 1);
	CHECK(!ac->compress);
	snprintf(want, sizeof(want), "%s/.local/state/coi/work.db", dir);
	CHECK_STR(str_of(ac->state_path), want);
	account_free(ac);
}

TEST(all, "every key arrives")
{
	struct account *ac;
	char want[128];

	world();
	put(home_config,
	    MINE "name = Me \"x\" \xc3\x9c\n"
		 "imap-tls = STARTTLS\nsmtp-host = ::1\nsmtp-tls = off\n"
		 "user = u\nsmtp-user = s\n"
		 "aliases = a@example.org, Other <b@example.net>\n"
		 "password-command = pass x\nclient-cert = ~/c.pem\n"
		 "client-key = k.pem\nca-file = /ca.pem\n"
		 "pin = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		 "pin = sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA= "
		 "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA=\n"
		 "encrypt = never\nsent-folder = none\nauth = plain\n"
		 "smtp-window = 4\nmax-size = 5M\ncompress = yes\n"
		 "timeout = 2m\n");
	ac = load();
	CHECK(ac != NULL);
	if (ac == NULL) {
		printf("# %s\n", e.msg);
		return;
	}
	CHECK_STR(ac->me.name, "Me \"x\" \xc3\x9c");
	CHECK_INT(ac->imap_port, 143);
	CHECK_INT(ac->smtp_port, 25);
	CHECK_STR(str_of(ac->smtp_host), "::1");
	CHECK_STR(str_of(ac->user), "u");
	CHECK_STR(str_of(ac->smtp_user), "s");
	CHECK(account_is_me(ac, STR("me@EXAMPLE.org")));
	CHECK(account_is_me(ac, STR("b@example.net")));
	CHECK(!account_is_me(ac, STR("c@example.net")));
	CHECK(!account_is_me(ac, STR_NONE));
	snprintf(want, sizeof(want), "%s/c.pem", dir);
	CHECK_STR(str_of(ac->client_cert), want);
	snprintf(want, sizeof(want), "%s/.config/coi/k.pem", dir);
	CHECK_STR(str_of(ac->client_key), want);
	CHECK_STR(str_of(ac->ca_file), "/ca.pem");
	CHECK_INT(ac->npins, 3);
	CHECK(ac->npins == 3 && ac->pins[1][0] == 'B');
	CHECK_STR(str_of(ac->auth), "PLAIN");
	CHECK_INT(ac->smtp_window, 4);
	CHECK_INT(ac->max_size, 5 << 20);
	CHECK(ac->compress);
	CHECK_INT(ac->timeout_ms, 120000);
	account_free(ac);
}

TEST(sizes, "sizes: octets, k, M, G, none")
{
	static const struct {
		const char *text;
		int64_t want;
	} t[] = {{"0", 0},	     {"123", 123},    {"100k", 102400},
		 {"5M", 5 << 20},    {"1G", 1 << 30}, {"none", -1},
		 {"2g", 2147483648}, {"8K", 8192}};
	char text[256];
	size_t i;

	world();
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct account *ac;

		snprintf(text, sizeof(text), MINE "max-size = %s\n", t[i].text);
		put(home_config, text);
		ac = load();
		CHECK(ac != NULL && ac->max_size == t[i].want);
		account_free(ac);
	}
}

TEST(errors, "bad values: file, line, key and what may stand there")
{
	static const char *const t[][2] = {
	    {MINE "imap-port = 0", ":4: imap-port is \"0\", not a number from "
				   "1 to 65535"},
	    {MINE "smtp-port = 65536", ":4: smtp-port is \"65536\", not a "
				       "number from 1 to 65535"},
	    {MINE "imap-port = 9x", ":4: imap-port is \"9x\", not a number "
				    "from 1 to 65535"},
	    {MINE "imap-tls = startls", ":4: imap-tls is \"startls\", did you "
					"mean \"starttls\"?"},
	    {MINE "imap-tls = ssl", ":4: imap-tls is \"ssl\""},
	    {MINE "max-size = 5T", ":4: max-size is \"5T\", not a size"},
	    {MINE "max-size = M", ":4: max-size is \"M\", not a size"},
	    {MINE "max-size = 99999999999G",
	     ":4: max-size is \"99999999999G\", not a size"},
	    {MINE "max-size = -1", ":4: max-size is \"-1\", not a size"},
	    {MINE "timeout = 0", ":4: timeout is \"0\", not a time"},
	    {MINE "smtp-host = mail:25",
	     ":4: smtp-host is \"mail:25\", not a host name"},
	    {MINE "smtp-host = a b",
	     ":4: smtp-host is \"a b\", not a host name"},
	    {MINE "pin = abc", ":4: \"abc\" is no pin"},
	    {MINE "compress = maybe", ":4: compress is \"maybe\""},
	    {MINE "auth = CRAM-MD5", ":4: auth is \"CRAM-MD5\""},
	    {MINE "default = true", ":4: default is \"true\", not yes or no"},
	    {MINE "client-key = x", ":4: client-key without client-cert"},
	    {MINE "password-command = x\npassword-file = y",
	     ":4: both password-command and password-file"},
	    {MINE "imap-hots = x", ":4: unknown key \"imap-hots\", did you "
				   "mean \"imap-host\"?"},
	    {MINE "default = yes\n[account b]\ndefault = yes",
	     ":6: line 4 has default = yes already"},
	};
	size_t i;

	world();
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		CHECK_STR(str_of(bad(t[i][0])), t[i][1]);
	CHECK(str_starts(str_of(bad("[account a]\naddress = nonsense\n")),
			 ":2: address: "));
	CHECK(str_starts(str_of(bad(MINE "aliases = a@b.c, bad\n")),
			 ":4: aliases: "));
	bad(MINE "imap-tls = ssl");
	CHECK_STR(str_of(e.hint), "it may be implicit, starttls, off");
}

TEST(missing, "what is missing is named, with the file to put it in")
{
	char want[256];

	world();
	CHECK_STR(str_of(bad("[account a]\nimap-host = x\n")),
		  "account \"a\" has no address");
	snprintf(want, sizeof(want), "add \"address = ...\" to %s",
		 home_config);
	CHECK_STR(str_of(e.hint), want);
	CHECK_STR(str_of(bad("[account a]\naddress = a@b.c\n")),
		  "account \"a\" has no imap-host");
	unlink(home_config);
	CHECK(load() == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK_STR(str_of(e.msg), "no account is configured");
	CHECK(strstr(e.hint, home_config) != NULL);
}

/* --- where values come from ----------------------------------------------- */

TEST(order, "environment, user's section, user's defaults, system's")
{
	struct account *ac;

	world();
	put(system_config, "user = s-all\nsmtp-user = s-all\nname = s-all\n"
			   "imap-host = s-all\n"
			   "[account work]\nname = s-work\nsmtp-host = s-work\n"
			   "[account other]\naddress = o@x.y\n");
	put(home_config, "smtp-user = u-all\nname = u-all\n"
			 "[account work]\naddress = me@x.y\n"
			 "default = yes\n");
	ac = load();
	CHECK(ac != NULL);
	if (ac != NULL) {
		CHECK_STR(ac->me.name, "u-all");
		CHECK_STR(str_of(ac->smtp_user), "u-all");
		CHECK_STR(str_of(ac->user), "s-all");
		CHECK_STR(str_of(ac->smtp_host), "s-work");
		CHECK_STR(str_of(ac->imap_host), "s-all");
	}
	account_free(ac);
	setv("COI_SMTP_HOST", "env.x");
	setv("COI_IMAP_PORT", "1143");
	ac = load();
	CHECK(ac != NULL && strcmp(ac->smtp_host, "env.x") == 0);
	CHECK(ac != NULL && ac->imap_port == 1143);
	account_free(ac);
	setv("COI_IMAP_PORT", "x");
	CHECK(load() == NULL);
	CHECK_STR(str_of(e.msg), "COI_IMAP_PORT: imap-port is \"x\", not a "
				 "number from 1 to 65535");
	ac = load_as("other", true);
	CHECK(ac == NULL);
}

TEST(files, "-c and COI_CONFIG name the one file; XDG_CONFIG_HOME moves it")
{
	struct account_options o = {.system_config = system_config,
				    .getenv = fake_env};
	struct account *ac;
	char p[128], q[160];

	world();
	snprintf(p, sizeof(p), "%s/one", dir);
	put(p, MINE);
	put(system_config, "name = system\n");
	setv("COI_CONFIG", p);
	ac = load();
	CHECK(ac != NULL && ac->me.name.p == NULL);
	account_free(ac);
	o.config = "/nonexistent/config";
	err_clear(&e);
	CHECK(account_load(&o, false, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "/nonexistent/config") != NULL);
	nenv = 1;
	snprintf(p, sizeof(p), "%s/xdg", dir);
	mkdir(p, 0700);
	setv("XDG_CONFIG_HOME", p);
	snprintf(q, sizeof(q), "%s/coi", p);
	mkdir(q, 0700);
	snprintf(q, sizeof(q), "%s/coi/config", p);
	put(q, MINE "name = xdg\n");
	ac = load();
	CHECK(ac != NULL && str_is(ac->me.name, "xdg"));
	account_free(ac);
}

TEST(environment, "the environment alone makes an account")
{
	struct account *ac;
	char want[128];

	world();
	setv("COI_ADDRESS", "me@example.org");
	setv("COI_IMAP_HOST", "mail.x");
	setv("COI_STATE_DIR", "/var/lib/x");
	ac = load();
	CHECK(ac != NULL);
	if (ac != NULL) {
		CHECK_STR(str_of(ac->section), "default");
		CHECK_STR(str_of(ac->state_path), "/var/lib/x/default.db");
	}
	account_free(ac);
	snprintf(want, sizeof(want), "%s/xs", dir);
	nenv--;
	setv("XDG_STATE_HOME", want);
	ac = load_as("bot", true);
	snprintf(want, sizeof(want), "%s/xs/coi/bot.db", dir);
	CHECK(ac != NULL && strcmp(ac->state_path, want) == 0);
	account_free(ac);
	CHECK(load_as("../x", true) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
}

TEST(no_secrets, "a password in the environment is refused, with the reason")
{
	world();
	put(home_config, MINE);
	setv("COI_PASSWORD", "hunter2");
	CHECK(load() == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "COI_PASSWORD") != NULL);
	CHECK(strstr(e.msg, "hunter2") == NULL);
	CHECK(strstr(e.hint, "password-command") != NULL);
}

TEST(offline, "without need of a server, no file is no error")
{
	struct account *ac;

	world();
	ac = load_as(NULL, false);
	CHECK(ac != NULL);
	if (ac != NULL) {
		CHECK_STR(str_of(ac->section), "default");
		CHECK(ac->me.email.p == NULL && ac->imap_host == NULL);
		CHECK_STR(str_of(ac->sent_folder), "auto");
	}
	account_free(ac);
	put(home_config, "[account a]\nname=A\n[account b]\nname=B\n");
	ac = load_as(NULL, false);
	CHECK(ac != NULL && ac->me.name.p == NULL);
	account_free(ac);
	nenv = 0;
	ac = load_as(NULL, false);
	CHECK(ac != NULL && ac->state_path == NULL);
	account_free(ac);
}

TEST(which, "the account: by name, by mark, the only one; else told")
{
	struct account *ac;

	world();
	put(home_config, "imap-host = h\n[account a]\naddress = a@x.y\n"
			 "[account work]\naddress = w@x.y\n");
	CHECK(load() == NULL);
	CHECK_STR(str_of(e.msg), "there are 2 accounts and no default");
	CHECK(strstr(e.hint, "a, work") != NULL);
	ac = load_as("work", true);
	CHECK(ac != NULL && str_is(ac->me.email, "w@x.y"));
	account_free(ac);
	CHECK(load_as("wrok", true) == NULL);
	CHECK_STR(str_of(e.msg), "no account \"wrok\", did you mean \"work\"?");
	setv("COI_ACCOUNT", "a");
	ac = load();
	CHECK(ac != NULL && str_is(ac->me.email, "a@x.y"));
	account_free(ac);
	put(home_config, "imap-host = h\n[account a]\naddress = a@x.y\n"
			 "[account b]\naddress = b@x.y\ndefault = yes\n");
	nenv = 1;
	ac = load();
	CHECK(ac != NULL && str_is(ac->me.email, "b@x.y"));
	account_free(ac);
}

TEST(writable, "a configuration that everybody can write is refused")
{
	world();
	put_mode(home_config, MINE, 0666);
	CHECK(load() == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.hint, "chmod") != NULL);
}

/* --- secrets -------------------------------------------------------------- */

static struct account *with(const char *line)
{
	char text[1024];
	struct account *ac;

	snprintf(text, sizeof(text), MINE "%s\n", line);
	put(home_config, text);
	ac = load();
	CHECK(ac != NULL);
	return ac;
}

static struct str password(const struct account *ac)
{
	return ac->password == NULL ? STR_NONE : secret_view(ac->password);
}

TEST(command, "the one line of a password or token command")
{
	struct account *ac;

	world();
	ac = with("password-command = printf '%s\\n' 'pa ss'; echo warn >&2");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), "pa ss");
	CHECK(ac->token == NULL);
	account_free(ac);
	ac = with("token-command = cat; printf 'tok\\r\\n'");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK(ac->token != NULL);
	if (ac->token != NULL)
		CHECK_STR(secret_view(ac->token), "tok");
	CHECK(ac->password == NULL);
	account_free(ac);
}

TEST(command_env, "a command gets the environment that the caller gives")
{
	char *const given[] = {(char *)"BW_SESSION=abc", NULL};
	struct account_options o = {.system_config = system_config,
				    .getenv = fake_env,
				    .environ_of_commands = given};
	struct account *ac;

	world();
	ac = with("password-command = echo \"$HOME$BW_SESSION\"");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), dir);
	account_free(ac);
	ac = account_load(&o, true, &e);
	CHECK(ac != NULL && account_secrets(ac, false, &e) == 0);
	if (ac != NULL)
		CHECK_STR(password(ac), "abc");
	account_free(ac);
}

TEST(again, "a command runs again only when asked for a fresh one")
{
	struct account *ac;
	char line[256];

	world();
	snprintf(line, sizeof(line),
		 "token-command = echo x >> %s/n; wc -l < %s/n", dir, dir);
	ac = with(line);
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(secret_view(ac->token), "1");
	CHECK(account_secrets(ac, true, &e) == 0);
	CHECK_STR(secret_view(ac->token), "2");
	account_free(ac);
}

static struct account *shared;
static int listener;
static char login[256];

static void log_in(void *arg)
{
	struct account_net n = {.trace_fd = -1, .cancel_fd = -1};

	imap_close(account_imap(shared, &n, &e));
}

/* A server that greets late; meanwhile another task needs a new password. */
static void serve(void *arg)
{
	static const char hi[] = "* OK [CAPABILITY IMAP4rev1] hi\r\n";
	struct pollfd p = {.fd = listener, .events = POLLIN};

	task_poll(&p, 1, 10000);
	p.fd = accept(listener, NULL, NULL);
	CHECK(p.fd >= 0 && account_secrets(shared, true, &e) == 0);
	CHECK(write(p.fd, hi, strlen(hi)) > 0);
	task_poll(&p, 1, 10000);
	CHECK(read(p.fd, login, sizeof(login) - 1) > 0);
	close(p.fd);
}

TEST(two, "a login goes on with its password when another task gets a new one")
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sa);
	char text[512];

	world();
	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(bind(listener, (struct sockaddr *)&sa, len) == 0 &&
	      listen(listener, 1) == 0 &&
	      getsockname(listener, (struct sockaddr *)&sa, &len) == 0);
	snprintf(text, sizeof(text),
		 "[account me]\naddress = me@one.test\nimap-host = 127.0.0.1\n"
		 "imap-port = %d\nimap-tls = off\nuser = me\n"
		 "password-command = echo x >> %s/n; wc -l < %s/n\n",
		 ntohs(sa.sin_port), dir, dir);
	put(home_config, text);
	shared = load();
	if (shared != NULL && task_start(log_in, NULL) != NULL &&
	    task_start(serve, NULL) != NULL)
		task_loop();
	CHECK(strstr(login, " LOGIN ") != NULL &&
	      strstr(login, "\"1\"") != NULL);
	close(listener);
	account_free(shared);
}

TEST(command_errors, "a command that fails tells why and leaks nothing")
{
	static const struct {
		const char *command;
		enum coi_code code;
		const char *msg;
	} t[] = {
	    {"echo one; echo two", COI_E_CONFIG,
	     "password-command of account \"work\" gives more than one line"},
	    {"true", COI_E_CONFIG,
	     "password-command of account \"work\" gives nothing"},
	    {"echo", COI_E_CONFIG,
	     "password-command of account \"work\" gives nothing"},
	    {"echo hunter2; printf '\\n\\033[1mlocked\\nmore\\n' >&2; exit 2",
	     COI_E_AUTH,
	     "password-command of account \"work\" failed with status 2: "
	     " [1mlocked"},
	    {"kill -9 $$", COI_E_AUTH,
	     "password-command of account \"work\" was ended by signal 9"},
	    {"head -c 100000 /dev/zero", COI_E_CONFIG,
	     "password-command of account \"work\" gives more than 16384 "
	     "octets"},
	    {"printf 'a\\000b'", COI_E_CONFIG,
	     "password-command of account \"work\" gives a NUL"},
	};
	struct account *ac;
	char line[256];
	size_t i;

	world();
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(line, sizeof(line), "password-command = %s",
			 t[i].command);
		ac = with(line);
		CHECK(account_secrets(ac, false, &e) == -1);
		CHECK_INT(e.code, t[i].code);
		CHECK_STR(str_of(e.msg), t[i].msg);
		CHECK(ac->password == NULL);
		account_free(ac);
	}
	ac = with("password-command = no-such-command-here");
	CHECK(account_secrets(ac, false, &e) == -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "status 127") != NULL);
	account_free(ac);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

TEST(agent, "an agent that keeps the pipes open holds nobody up")
{
	struct account *ac;
	double t = seconds();

	world();
	ac = with("password-command = (trap '' TERM; sleep 3) & echo x");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), "x");
	CHECK(seconds() - t < 2);
	account_free(ac);
}

TEST(cancel, "a hanging command is ended with all it started")
{
	struct account *ac;
	int fd[2];
	double t = seconds();
	char line[256], text[32] = "";
	int f;

	world();
	CHECK(pipe(fd) == 0 && write(fd[1], "x", 1) == 1);
	snprintf(line, sizeof(line),
		 "password-command = sleep 100 & echo $! > %s/pid; wait", dir);
	ac = with(line);
	ac->cancel_fd = fd[0];
	/* Give the shell the time to start its sleep. */
	CHECK(account_secrets(ac, false, &e) == -1);
	CHECK_INT(e.code, COI_E_CANCELLED);
	CHECK(seconds() - t < 5);
	snprintf(line, sizeof(line), "%s/pid", dir);
	f = open(line, O_RDONLY);
	if (f >= 0) {
		uint64_t pid;
		ssize_t k = read(f, text, sizeof(text) - 1);
		struct timespec nap = {0, 100000000};

		nanosleep(&nap, NULL);
		if (k > 0 && str_u64(str_trim(str_of(text)), 1u << 30, &pid)) {
			char stat[64];

			/* Gone, or a zombie that init has yet to reap. */
			snprintf(stat, sizeof(stat), "/proc/%d/exe", (int)pid);
			CHECK(readlink(stat, text, sizeof(text)) < 0);
		}
		close(f);
	}
	close(fd[0]);
	close(fd[1]);
	account_free(ac);
}

TEST(file, "a password file: private, one line")
{
	struct account *ac;
	char p[128], line[200];

	world();
	snprintf(p, sizeof(p), "%s/pw", dir);
	snprintf(line, sizeof(line), "password-file = %s", p);
	put(p, "s3cret\n");
	ac = with(line);
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), "s3cret");
	account_free(ac);
	put_mode(p, "s3cret\n", 0640);
	ac = with(line);
	CHECK(account_secrets(ac, false, &e) == -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "others can read") != NULL);
	CHECK(strstr(e.hint, "chmod 600") != NULL);
	account_free(ac);
	put_mode(p, "a\nb\n", 0600);
	ac = with(line);
	CHECK(account_secrets(ac, false, &e) == -1);
	CHECK(strstr(e.msg, "more than one line") != NULL);
	account_free(ac);
	ac = with("password-file = ~/none");
	CHECK(account_secrets(ac, false, &e) == -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	account_free(ac);
}

TEST(credentials, "systemd credentials serve where nothing else is said")
{
	struct account *ac;
	char p[128];

	world();
	setv("CREDENTIALS_DIRECTORY", dir);
	ac = with("");
	CHECK(account_secrets(ac, false, &e) == -1);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.hint, home_config) != NULL);
	account_free(ac);
	snprintf(p, sizeof(p), "%s/password", dir);
	put_mode(p, "general", 0440);
	ac = with("");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), "general");
	account_free(ac);
	snprintf(p, sizeof(p), "%s/coi-work.password", dir);
	put_mode(p, "special", 0440);
	ac = with("");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), "special");
	account_free(ac);
	ac = with("password-command = echo said");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK_STR(password(ac), "said");
	account_free(ac);
}

TEST(layers, "a command for one account hides the file meant for all")
{
	struct account *ac;

	world();
	put(system_config, "password-file = /etc/pw\n");
	put(home_config,
	    "token-command = echo all\n" MINE "password-command = echo mine\n");
	ac = load();
	CHECK(ac != NULL);
	if (ac != NULL) {
		CHECK(account_secrets(ac, false, &e) == 0);
		CHECK_STR(password(ac), "mine");
	}
	account_free(ac);
	ac = with("client-cert = /c.pem");
	CHECK(ac != NULL && ac->password_file != NULL);
	account_free(ac);
	unlink(system_config);
	ac = with("client-cert = /c.pem");
	CHECK(account_secrets(ac, false, &e) == 0);
	CHECK(ac->password == NULL && ac->token == NULL);
	account_free(ac);
	nftw(dir, rm, 16, FTW_DEPTH | FTW_PHYS);
	dir[0] = '\0';
}

TEST_MAIN
