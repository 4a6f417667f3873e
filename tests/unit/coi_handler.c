#include "coi/handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/file.h"
#include "core/task.h"
#include "store_dir.h"
#include "test.h"

/* One account with a database in a folder of its own; what handlers print
 * comes together in `said`, warnings in `warned`. */
static struct dir dir;
static struct account account;
static struct account_net net;
static struct store *st;
static struct handler_opts opts;
static struct buf said, warned;

static void on_warn(void *ctx, const char *text)
{
	buf_fmt(&warned, "%s\n", text);
}

static void on_output(void *ctx, struct str s)
{
	buf_str(&said, s);
}

/* Under valgrind all takes its time. */
static int64_t slow(int64_t limit)
{
	const char *factor = getenv("TEST_SLOW");

	return limit * (factor == NULL ? 1 : strtol(factor, NULL, 10));
}

static struct handler_account from_here(void)
{
	return (struct handler_account){&account, &net, "bot"};
}

static void begin(const char *command)
{
	static char state[128];

	dir = dir_new();
	signal(SIGPIPE, SIG_IGN);
	snprintf(state, sizeof(state), "%s/s", dir.path);
	account = (struct account){.section = "home",
				   .file = "/etc/passwd",
				   .encrypt = "auto",
				   .state_dir = state,
				   .state_path = dir.db};
	account.arena = arena_new();
	net = (struct account_net){.trace_fd = -1, .cancel_fd = -1};
	st = dir_open(&dir);
	opts = (struct handler_opts){.command = command,
				     .jobs = 4,
				     .timeout_ms = (int)slow(10000),
				     .tries = 3,
				     .retry_ms = 20,
				     .max_auto = 3,
				     .warn = on_warn,
				     .output = on_output};
	buf_clear(&said);
	buf_clear(&warned);
}

static void end(void)
{
	store_close(st);
	arena_free(account.arena);
	dir_free(&dir);
}

/* A message of conversation `conv`, handed out and taken. */
static int take(struct handler *h, const char *id, const char *conv,
		uint32_t uid, const char *text)
{
	struct handler_account from = from_here();
	struct coi_err e = {0};
	struct message m;
	struct buf line = {0};
	struct store_seen v = {
	    .id = str_of(id), .identity = str_of(id), .uid = uid};
	struct store_cursor c = {7, uid, 0};
	int rc;

	message_init(&m);
	m.id = str_of(id);
	m.from.email = STR("bob@two.test");
	m.text = str_of(text);
	m.imap.given = m.meta.given = true;
	m.imap.mailbox = STR("INBOX");
	m.imap.uid = uid;
	m.imap.uid_validity = 7;
	m.meta.chat = true;
	m.meta.conversation = str_of(conv);
	if (strncmp(id, "auto", 4) == 0)
		m.meta.auto_submitted = STR("auto-replied");
	message_json(&line, &m);
	CHECK(store_handout(st, "bot", STR("INBOX"), &c, &v, 1, &e) == 0);
	rc = handler_take(h, &from, &m, buf_view(&line), &e);
	CHECK(rc >= 0);
	buf_free(&line);
	return rc;
}

static uint32_t cursor(void)
{
	struct coi_err e = {0};
	struct store_cursor c;

	CHECK(store_cursor_get(st, "bot", STR("INBOX"), &c, &e) == 0);
	return c.uid;
}

static struct store_dead *dead(struct arena *a, size_t *n)
{
	struct store_dead *v = NULL;
	struct coi_err e = {0};

	CHECK(store_dead_list(st, a, "bot", false, &v, n, &e) == 0);
	return v;
}

static size_t ndead(void)
{
	struct arena *a = arena_new();
	size_t n = 0;

	dead(a, &n);
	arena_free(a);
	return n;
}

static struct handler *start(void)
{
	struct coi_err e = {0};
	struct handler *h = handler_new(&opts, &e);

	CHECK(h != NULL);
	return h;
}

static bool idle(struct handler *h)
{
	return handler_idle(h, true, sys_mono_ms() + slow(20000));
}

static bool has(const struct buf *b, const char *part)
{
	return strstr(buf_cstr((struct buf *)b), part) != NULL;
}

static void in_task(void (*fn)(void *))
{
	CHECK(task_start(fn, NULL) != NULL);
	task_loop();
}

/* --- one message ---------------------------------------------------------- */

static void one(void *arg)
{
	struct handler *h = start();

	take(h, "1@x", "mail:bob", 1, "hello");
	CHECK_INT(cursor(), 0);
	CHECK(idle(h));
	CHECK_INT(cursor(), 1);
	CHECK_INT(handler_stats(h).done + handler_stats(h).dead, 1);
	handler_free(h, 1000);
}

TEST(simple, "a message is handled and acknowledged")
{
	begin("cat; echo; env");
	in_task(one);
	CHECK(has(&said, "\"text\":\"hello\""));
	CHECK(has(&said, "\nCOI_MSG_ID=1@x\n"));
	CHECK(has(&said, "\nCOI_MSG_FROM=bob@two.test\n"));
	CHECK(has(&said, "\nCOI_MSG_CONVERSATION=mail:bob\n"));
	CHECK(has(&said, "\nCOI_MSG_KIND=message\n"));
	CHECK(has(&said, "\nCOI_MSG_GROUP=\n"));
	CHECK(has(&said, "\nCOI_ACCOUNT=home\n"));
	CHECK(has(&said, "\nCOI_CONFIG=/etc/passwd\n"));
	CHECK(has(&said, "\nCOI_STATE_DIR=/tmp/"));
	CHECK_STR(buf_view(&warned), "");
	end();
}

TEST(surroundings, "only what is harmless of the environment is handed on")
{
	static char *base[] = {(char *)"HOME=/h",
			       (char *)"LC_TIME=C",
			       (char *)"XDG_STATE_HOME=/s",
			       (char *)"COI_PASSWORD=pw1",
			       (char *)"SMTP_PASSWORD=pw2",
			       (char *)"XDG_PASSWORD=pw3",
			       (char *)"AWS_SECRET=pw4",
			       (char *)"COI_TOKEN=pw5",
			       (char *)"CREDENTIALS_DIRECTORY=/run/pw6",
			       (char *)"LD_PRELOAD=pw7",
			       (char *)"HOMEX=pw8",
			       NULL};

	begin("env");
	opts.environ_base = base;
	in_task(one);
	CHECK(has(&said, "HOME=/h\n"));
	CHECK(has(&said, "LC_TIME=C\n"));
	CHECK(has(&said, "XDG_STATE_HOME=/s\n"));
	CHECK(!has(&said, "pw"));
	end();
}

static void control(void *arg)
{
	struct handler *h = start();

	take(h, "1\n\x1b[2J@x", "mail:b\rob\xff", 1, "hello");
	CHECK(idle(h));
	handler_free(h, 1000);
}

TEST(controls, "no control character is in the variables")
{
	begin("printf '<%s>' \"$COI_MSG_ID\" \"$COI_MSG_CONVERSATION\"");
	in_task(control);
	CHECK_STR(buf_view(&said), "<1  [2J@x><mail:b ob\xef\xbf\xbd>");
	end();
}

TEST(descriptors, "nothing but the standard streams is open")
{
	int fd = open("/etc/passwd", O_RDONLY); /* somebody forgot O_CLOEXEC */

	begin("ls /proc/self/fd | tr '\\n' ' '; "
	      "awk '/SigBlk/ { print $2 } /SigIgn/ { print substr($2, 10) }' "
	      "/proc/self/status; "
	      "cut -d' ' -f5 /proc/$$/stat; echo $$");
	in_task(one);
	CHECK(fd > 2);
	close(fd);
	/* 3 is the folder that ls reads. */
	CHECK(has(&said, "0 1 2 3 \n") || has(&said, "0 1 2 3 0"));
	/* SigBlk, SigIgn; glibc ignores 32 and 33, which are its own. */
	CHECK(has(&said, "0000000000000000\n") && has(&said, "0000000\n"));
	{
		struct str rest = buf_view(&said), line, last = STR_NONE,
			   before = STR_NONE;

		while (str_line(&rest, &line)) {
			before = last;
			last = line;
		}
		CHECK(last.n > 0 && str_eq(last, before)); /* its own group */
	}
	end();
}

TEST(deaf, "a handler that does not read its input is no failure")
{
	begin("exit 0");
	in_task(one);
	CHECK_STR(buf_view(&warned), "");
	end();
}

static void big(void *arg)
{
	struct handler *h = start();
	char *text = mem_alloc(3000001);

	memset(text, 'x', 3000000);
	take(h, "1@x", "mail:bob", 1, text);
	free(text);
	CHECK(idle(h));
	handler_free(h, 1000);
}

TEST(large, "a large message arrives whole")
{
	begin("wc -c");
	in_task(big);
	CHECK(has(&said, "30002") && said.n < 12);
	end();
}

/* --- how it ends ---------------------------------------------------------- */

static void fails(void *arg)
{
	struct handler *h = start();

	take(h, "1@x", "mail:bob", 1, "one");
	take(h, "2@x", "mail:bob", 2, "two");
	take(h, "3@x", "mail:carol", 3, "three");
	CHECK(idle(h));
	CHECK_INT(cursor(), 3);
	handler_free(h, 1000);
}

TEST(retries, "a failing message is tried again, then a dead letter")
{
	struct arena *a = arena_new();
	struct store_dead *v;
	size_t n = 0;

	begin("echo $COI_MSG_ID; echo a reason >&2; [ $COI_MSG_ID != 1@x ]");
	in_task(fails);
	v = dead(a, &n);
	CHECK_INT(n, 1);
	if (n == 1) {
		CHECK_STR(v[0].id, "1@x");
		CHECK_STR(v[0].why, "exit status 1: a reason");
		CHECK_INT(v[0].tries, 3);
		CHECK(str_find(v[0].line, STR("\"text\":\"one\"")) > 0);
	}
	/* In order within the conversation, not held up beyond it. */
	CHECK(has(&said, "1@x\n"));
	CHECK(strstr(buf_cstr(&said), "3@x") < strstr(said.p, "2@x"));
	CHECK(has(&warned, "1@x from bob@two.test: exit status 1: a reason; "
			   "again in 0.0 s"));
	CHECK(has(&warned, "1@x from bob@two.test is a dead letter after 3 "
			   "tries"));
	arena_free(a);
	end();
}

TEST(never, "65 is a dead letter at once")
{
	begin("echo $COI_MSG_ID; [ $COI_MSG_ID != 1@x ] || exit 65");
	in_task(fails);
	CHECK_INT(ndead(), 1);
	CHECK(has(&warned, "after 1 try: exit status 65: 1@x"));
	end();
}

static char flag[128];

/* While it is there, handlers cannot do their work. */
static void make_busy(void)
{
	int fd;

	snprintf(flag, sizeof(flag), "%s/busy", dir.path);
	fd = open(flag, O_CREAT | O_WRONLY, 0600);
	close(fd);
}

static void later(void *arg)
{
	struct handler *h = start();

	take(h, "1@x", "mail:bob", 1, "one");
	take(h, "2@x", "mail:carol", 2, "two");
	CHECK(!handler_idle(h, true, sys_mono_ms() + 300));
	CHECK_INT(cursor(), 0);
	CHECK_INT(ndead(), 0);
	unlink(flag);
	CHECK(idle(h));
	CHECK_INT(cursor(), 2);
	handler_free(h, 1000);
}

TEST(temporary, "75 tries again for as long as it takes")
{
	static char command[256];

	begin(command);
	make_busy();
	snprintf(command, sizeof(command),
		 "[ $COI_MSG_ID = 2@x ] && exit; test ! -e %s || exit 75",
		 flag);
	opts.tries = 1;
	in_task(later);
	CHECK_INT(ndead(), 0);
	CHECK(has(&warned, "exit status 75; again in"));
	end();
}

TEST(missing, "a command that is not there is not the message's fault")
{
	static char command[256];

	begin(command);
	make_busy();
	snprintf(command, sizeof(command),
		 "test ! -e %s || exec /nonexistent/handler", flag);
	opts.tries = 1;
	opts.jobs = 1;
	in_task(later);
	CHECK_INT(ndead(), 0);
	CHECK(has(&warned, "exit status 127"));
	end();
}

TEST(signalled, "the signal that ended a handler is told")
{
	begin("kill -9 $$");
	opts.tries = 1;
	in_task(one);
	CHECK(has(&warned, "after 1 try: ended by signal 9"));
	end();
}

/* --- time ----------------------------------------------------------------- */

static int64_t took;

/* Ended, whether or not its new parent has noticed. */
static bool gone(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *f;
	int i;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (i = 0; i < 100; i++) {
		f = fopen(path, "r");
		if (f == NULL)
			return true;
		state = 'Z';
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		fclose(f);
		if (state == 'Z')
			return true;
		usleep(10000);
	}
	return false;
}

static void timed(void *arg)
{
	int64_t t = sys_mono_ms();

	one(arg);
	took = sys_mono_ms() - t;
}

TEST(hangs, "a handler that hangs is ended with its children")
{
	begin("sleep 300 & echo $!; sleep 300");
	opts.tries = 1;
	opts.timeout_ms = 200;
	in_task(timed);
	CHECK(has(&warned, "did not end in time"));
	CHECK(took < slow(1500));
	CHECK(gone((pid_t)strtol(buf_cstr(&said), NULL, 10)));
	end();
}

TEST(stubborn, "one that ignores SIGTERM is killed 2 s later")
{
	begin("trap '' TERM; sleep 300 & echo $!; while :; do sleep 1; done");
	opts.tries = 1;
	opts.timeout_ms = 200;
	in_task(timed);
	CHECK(has(&warned, "did not end in time"));
	CHECK(took >= 2000 && took < slow(4000));
	CHECK(gone((pid_t)strtol(buf_cstr(&said), NULL, 10)));
	end();
}

TEST(background, "one that leaves a child with its output open holds up nobody")
{
	pid_t pid;

	begin("sleep 300 & echo $!");
	in_task(timed);
	CHECK(took < slow(1000));
	pid = (pid_t)strtol(buf_cstr(&said), NULL, 10);
	CHECK(pid > 1 && kill(pid, SIGKILL) == 0); /* it was left alone */
	end();
	begin("sleep 300 & echo $! >&2");
	opts.reply = true;
	account.smtp_host = "localhost";
	in_task(timed);
	CHECK(took < slow(1000));
	pid = (pid_t)strtol(buf_cstr(&said), NULL, 10);
	CHECK(pid > 1 && kill(pid, SIGKILL) == 0);
	CHECK_INT(ndead(), 0);
	end();
}

TEST(flood, "of 1 GB of output a little is handed on")
{
	begin("head -c 1000000000 /dev/zero");
	in_task(one);
	CHECK_INT(said.n, 256 * 1024);
	CHECK(has(&warned, "prints more than 256 kB"));
	CHECK_INT(ndead(), 0);
	end();
}

TEST(answers_flood, "1 GB of answers is a failure, soon")
{
	begin("head -c 1000000000 /dev/zero; sleep 300");
	opts.tries = 1;
	opts.reply = true;
	account.smtp_host = "localhost";
	in_task(timed);
	CHECK(took < slow(3000));
	CHECK(has(&warned, "after 1 try: printed more than 32 MB"));
	end();
}

/* --- many at a time ------------------------------------------------------- */

static void crowd(void *arg)
{
	struct handler *h = start();
	char id[32], conv[32];
	unsigned i;

	for (i = 1; i <= 60; i++) {
		snprintf(id, sizeof(id), "%u@x", i);
		snprintf(conv, sizeof(conv), "mail:%u", i % 3);
		take(h, id, conv, i, "text");
	}
	CHECK(idle(h));
	CHECK_INT(cursor(), 60);
	CHECK_INT(handler_stats(h).done, 60);
	handler_free(h, 1000);
}

TEST(order, "conversations keep their order while others run beside")
{
	struct str rest, line;
	unsigned last[3] = {0}, n = 0;

	begin("sleep 0.0$(($$ % 3)); echo $COI_MSG_ID");
	in_task(crowd);
	rest = buf_view(&said);
	while (str_line(&rest, &line)) {
		unsigned v = (unsigned)strtoul(line.p, NULL, 10);

		CHECK(v > last[v % 3]);
		last[v % 3] = v;
		n++;
	}
	CHECK_INT(n, 60);
	end();
}

static void twice(void *arg)
{
	struct handler *h = start();

	take(h, "1@x", "mail:bob", 1, "hello");
	take(h, "1@x", "mail:bob", 1, "hello"); /* waits */
	task_sleep(50);
	take(h, "1@x", "mail:bob", 1, "hello"); /* runs */
	CHECK(idle(h));
	take(h, "1@x", "mail:bob", 1, "hello"); /* was done */
	take(h, "1@x", "mail:bob", 2, "hello"); /* and so was its copy */
	CHECK(idle(h));
	CHECK_INT(handler_stats(h).done, 1);
	CHECK_INT(cursor(), 2);
	handler_free(h, 1000);
}

TEST(once, "a message is not taken twice")
{
	begin("sleep 0.2; echo ran");
	in_task(twice);
	CHECK_STR(buf_view(&said), "ran\n");
	end();
}

static void behind(void *arg)
{
	struct handler_account from = from_here();
	struct handler *h = start();
	char id[32];
	unsigned i, refused = 0;

	take(h, "0@x", "mail:bob", 1, "text");
	task_sleep(300); /* it has failed by now */
	for (i = 1; i <= 100; i++) {
		snprintf(id, sizeof(id), "%u@x", i);
		refused += take(h, id, "mail:bob", i + 1, "text") == 1;
	}
	CHECK_INT(refused, 37); /* 64 wait, the first included */
	CHECK(!handler_missed(h, &from));
	/* Others are not concerned. */
	CHECK(take(h, "other@x", "mail:carol", 200, "text") == 0);
	unlink(flag);
	CHECK(idle(h));
	/* None overtakes those that were not taken. */
	CHECK(take(h, "late@x", "mail:bob", 201, "text") == 1);
	CHECK(handler_missed(h, &from));
	CHECK(!handler_missed(h, &from));
	CHECK(take(h, "64@x", "mail:bob", 65, "text") == 0);
	CHECK(idle(h));
	CHECK_INT(cursor(), 65);
	CHECK_INT(handler_stats(h).done, 66);
	handler_free(h, 1000);
}

TEST(backlog, "what waits behind a failing message has a limit")
{
	static char command[256];

	begin(command);
	make_busy();
	snprintf(command, sizeof(command),
		 "[ $COI_MSG_ID = other@x ] || test ! -e %s || exit 75", flag);
	opts.retry_ms = 200;
	in_task(behind);
	end();
}

static void two_behind(void *arg)
{
	struct handler_account from = from_here();
	struct handler *h = start();
	char id[32];
	unsigned i;

	take(h, "0@x", "mail:bob", 1, "text");
	take(h, "0@y", "mail:carol", 2, "text");
	task_sleep(300); /* both have failed by now */
	for (i = 1; i <= 70; i++) {
		snprintf(id, sizeof(id), "%u@x", i);
		take(h, id, "mail:bob", 2 * i + 1, "text");
		snprintf(id, sizeof(id), "%u@y", i);
		take(h, id, "mail:carol", 2 * i + 2, "text");
	}
	CHECK(!handler_missed(h, &from));
	unlink(flag);
	for (i = 0; i < 1000 && handler_stats(h).done < 64; i++)
		task_sleep((int)slow(20));
	CHECK_INT(handler_stats(h).done, 64);
	/* Those of Bob can come, however long Carol's wait. */
	CHECK(handler_missed(h, &from));
	CHECK(!handler_missed(h, &from));
	CHECK(take(h, "70@x", "mail:bob", 141, "text") == 0);
	CHECK(take(h, "70@y", "mail:carol", 142, "text") == 1);
	handler_free(h, 1000);
}

TEST(backlogs, "a conversation that goes on does not wait for one that fails")
{
	static char command[256];

	begin(command);
	make_busy();
	snprintf(command, sizeof(command),
		 "case $COI_MSG_ID in *@y) exit 75;; esac; "
		 "test ! -e %s || exit 75",
		 flag);
	opts.retry_ms = 200;
	in_task(two_behind);
	end();
}

/* --- stopping ------------------------------------------------------------- */

static void stop(void *arg)
{
	struct handler *h = start();
	struct coi_err e = {0};
	int64_t t;
	unsigned tries = 9;

	take(h, "1@x", "mail:bob", 1, "one");
	take(h, "2@x", "mail:carol", 2, "two");
	take(h, "3@x", "mail:carol", 3, "three");
	task_sleep(100);
	t = sys_mono_ms();
	handler_free(h, 700);
	CHECK(sys_mono_ms() - t < 1500);
	/* 2 ended in its time; 1 was ended and comes again, uncounted. */
	CHECK_INT(cursor(), 0);
	CHECK(store_try(st, "bot", STR("INBOX"), 7, 1, 0, &tries, &e) == 0);
	CHECK_INT(tries, 0);
}

TEST(stopping, "at the end handlers get their time, then are ended")
{
	begin("echo $COI_MSG_ID; case $COI_MSG_ID in 1*) sleep 300;; "
	      "*) sleep 0.3;; esac");
	in_task(stop);
	CHECK(has(&said, "1@x") && has(&said, "2@x") && !has(&said, "3@x"));
	CHECK_INT(ndead(), 0);
	end();
}

/* A child of the test that is killed while a handler runs. */
static void killed(struct store *s)
{
	st = s;
	in_task(one);
}

TEST(kills, "a handler that kills us is not run for ever")
{
	struct arena *a = arena_new();
	struct store_dead *v;
	size_t n = 0;
	int i;

	begin("echo ran >>$TMPDIR/runs");
	{
		static char tmp[160];
		static char *base[] = {tmp, NULL};

		snprintf(tmp, sizeof(tmp), "TMPDIR=%s", dir.path);
		opts.environ_base = base;
	}
	for (i = 0; i < 3; i++) {
		int status = dir_child(&dir, "handler.ended", killed);

		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		CHECK_INT(cursor(), 0);
		CHECK_INT(ndead(), 0);
	}
	in_task(one);
	v = dead(a, &n);
	CHECK_INT(n, 1);
	if (n == 1) {
		CHECK_INT(v[0].tries, 3);
		CHECK(str_find(v[0].why, STR("ended while its handler")) > 0);
	}
	{
		struct buf b = {0};
		struct coi_err e = {0};
		char path[160];

		snprintf(path, sizeof(path), "%s/runs", dir.path);
		CHECK(file_read(path, 1000, &b, &e) == 0);
		CHECK_STR(buf_view(&b), "ran\nran\nran\n");
		buf_free(&b);
	}
	arena_free(a);
	end();
}

/* --- dead letters that are put back --------------------------------------- */

static void revive(void *arg)
{
	struct handler_account from = from_here();
	struct coi_err e = {0};
	struct handler *h = start();

	take(h, "1@x", "mail:bob", 1, "hello");
	CHECK(idle(h));
	CHECK_INT(ndead(), 1);
	CHECK(handler_look(h, &from, &e) == 0);
	CHECK(idle(h));
	CHECK_INT(handler_stats(h).failures, 1); /* not asked for */
	CHECK(store_dead_retry(st, "bot", STR("2@x"), &e) < 0);
	CHECK_INT(e.code, COI_E_NOINPUT);
	err_clear(&e);
	CHECK(store_dead_retry(st, "bot", STR("1@x"), &e) == 0);
	CHECK(handler_look(h, &from, &e) == 0);
	CHECK(handler_look(h, &from, &e) == 0); /* taken once */
	CHECK(idle(h));
	CHECK_INT(handler_stats(h).failures, 2);
	CHECK_INT(ndead(), 1); /* it failed again */
	CHECK(store_dead_retry(st, "bot", STR("1@x"), &e) == 0);
	unlink(flag);
	CHECK(handler_look(h, &from, &e) == 0);
	CHECK(idle(h));
	CHECK_INT(ndead(), 0);
	CHECK_INT(handler_stats(h).done, 1);
	handler_free(h, 1000);
}

TEST(dead_again, "a dead letter is put back, and is tried again")
{
	static char command[256];

	begin(command);
	opts.tries = 1;
	make_busy();
	snprintf(command, sizeof(command), "cat; test ! -e %s", flag);
	in_task(revive);
	CHECK(has(&said, "\"text\":\"hello\""));
	end();
}

/* --- loop guard ----------------------------------------------------------- */

static void loop(void *arg)
{
	struct handler *h = start();
	char id[32];
	unsigned i;

	for (i = 1; i <= 10; i++) {
		snprintf(id, sizeof(id), "auto%u@x", i);
		take(h, id, "group:g", i, "text");
	}
	take(h, "person@x", "group:g", 11, "text");
	take(h, "auto@y", "mail:bob", 12, "text");
	CHECK(idle(h));
	CHECK_INT(cursor(), 12);
	CHECK_INT(handler_stats(h).silenced, 7);
	CHECK_INT(handler_stats(h).done, 5);
	handler_free(h, 1000);
}

TEST(guard, "automatic messages are handled a few times an hour")
{
	struct coi_err e = {0};
	bool allowed = true;
	size_t n = 0, i;

	begin("echo $COI_MSG_ID");
	in_task(loop);
	CHECK(has(&said, "auto3@x\n") && !has(&said, "auto4@x\n"));
	CHECK(has(&said, "person@x\n") && has(&said, "auto@y\n"));
	for (i = 0; i < warned.n; i++)
		n += warned.p[i] == '\n';
	CHECK_INT(n, 1);
	CHECK(has(&warned, "group:g: more than 3 automatic messages"));
	/* Remembered by the next run; another hour is another hour. */
	CHECK(store_auto(st, "bot", STR("group:g"), STR("new@x"), 3, &allowed,
			 &e) == 0);
	CHECK(!allowed);
	CHECK(store_auto(st, "bot", STR("group:g"), STR("auto1@x"), 3, &allowed,
			 &e) == 0);
	CHECK(allowed);
	{
		char seed[64];

		snprintf(seed, sizeof(seed), "1@%lld",
			 (long long)sys_now() + 3601);
		sys_seed(seed);
		CHECK(store_auto(st, "bot", STR("group:g"), STR("new@x"), 3,
				 &allowed, &e) == 0);
		CHECK(allowed);
		sys_seed(NULL);
	}
	end();
}

TEST(wrong, "options that cannot be are refused")
{
	struct coi_err e = {0};

	begin(" ");
	CHECK(handler_new(&opts, &e) == NULL);
	CHECK_INT(e.code, COI_E_USAGE);
	end();
}

TEST_MAIN
