/* IDLE over a socket, in tasks: time, wakes, cancellation, segments. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/sys.h"
#include "core/task.h"
#include "imap/imap.h"
#include "test.h"

static uint16_t port;
static int lfd, peer_fd, cancel[2];
static struct coi_err e;
static struct imap *im;
static struct buf news;
static struct task *client;

static void on_exists(void *ctx, uint32_t n)
{
	buf_fmt(&news, "exists %u\n", n);
}

static const struct imap_news events = {.exists = on_exists};

static void listen_on(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);

	lfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(lfd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(lfd, 1) != 0 ||
	    getsockname(lfd, (struct sockaddr *)&sa, &len) != 0)
		abort();
	port = ntohs(sa.sin_port);
}

/* --- the peer, a task as well -----------------------------------------------
 */

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return task_poll(&p, 1, ms) == 1;
}

static void peer_accept(void)
{
	CHECK(readable(lfd, 5000));
	peer_fd = accept(lfd, NULL, NULL);
	CHECK(peer_fd >= 0);
}

static void say(const char *s)
{
	CHECK_INT(send(peer_fd, s, strlen(s), MSG_NOSIGNAL),
		  (long long)strlen(s));
}

/* What comes in one read is what was sent at once. */
static void hear(const char *want)
{
	char got[4096];
	ssize_t n = 0;

	CHECK(readable(peer_fd, 5000));
	n = recv(peer_fd, got, sizeof(got), MSG_DONTWAIT);
	CHECK_STR(((struct str){got, n < 0 ? 0 : (size_t)n}), want);
}

static void greet(void)
{
	peer_accept();
	say("* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hello\r\n");
	hear("a1 IDLE\r\n");
}

static void bye(const char *logout)
{
	hear(logout);
	say("* BYE\r\n");
	close(peer_fd);
}

/* --- the client --------------------------------------------------------------
 */

static void dial(int io_ms)
{
	struct imap_opts o = {0};

	o.net.host = "127.0.0.1";
	o.net.port = port;
	o.net.tls = NET_TLS_OFF;
	o.net.io_ms = io_ms;
	o.net.trace_fd = -1;
	o.net.cancel_fd = cancel[0];
	o.net.label = "imap";
	o.creds.user = "me";
	o.creds.service = "imap";
	err_clear(&e);
	buf_clear(&news);
	im = imap_open(&o, &e);
	CHECK(im != NULL);
	if (im == NULL)
		return;
	imap_listen(im, &events, NULL);
	CHECK_INT(imap_idle(im, &e), 0);
}

static int64_t in_ms(int ms)
{
	return sys_mono_ms() + ms;
}

static void play(void (*peer)(void *), void (*mine)(void *))
{
	CHECK_INT(pipe2(cancel, O_CLOEXEC), 0);
	listen_on();
	(void)task_start(peer, NULL);
	client = task_start(mine, NULL);
	task_loop();
	close(lfd);
	close(cancel[0]);
	close(cancel[1]);
	buf_free(&news);
}

/* --- time ------------------------------------------------------------------
 */

static void late_peer(void *arg)
{
	greet();
	say("+ idling\r\n");
	task_sleep(500);
	say("* 3 EXISTS\r\n");
	hear("DONE\r\na2 NOOP\r\n");
	say("a1 OK\r\n* 4 EXISTS\r\na2 OK\r\n");
	bye("a3 LOGOUT\r\n");
}

static void late_client(void *arg)
{
	int64_t start = sys_mono_ms();

	dial(200);
	CHECK_INT(imap_idle_wait(im, in_ms(50), &e), 0);
	CHECK(sys_mono_ms() - start >= 49);
	CHECK_INT(imap_idle_wait(im, -1, &e), 1);
	CHECK(sys_mono_ms() - start >= 499);
	CHECK_INT(imap_idle_wait(im, in_ms(250), &e), 0);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(buf_view(&news), "exists 3\nexists 4\n");
	imap_close(im);
}

TEST(late, "waiting in IDLE is no answer that is late; one segment ends it")
{
	play(late_peer, late_client);
}

static void mute_peer(void *arg)
{
	greet();
	CHECK(readable(peer_fd, 5000)); /* the end */
	close(peer_fd);
}

static void mute_client(void *arg)
{
	int64_t start = sys_mono_ms();

	dial(200);
	CHECK_INT(imap_idle_stop(im, &e), -1);
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK(sys_mono_ms() - start >= 199);
	imap_close(im);
}

TEST(mute, "a \"+\" that never comes is not waited for for ever")
{
	play(mute_peer, mute_client);
}

/* --- wakes -----------------------------------------------------------------
 */

static void waking_peer(void *arg)
{
	greet();
	say("+ idling\r\n* 1 EXI");
	task_sleep(50);
	task_wake(client);
	hear("DONE\r\na2 NOOP\r\n");
	/* A wake in the middle of a command waits for the next idling. */
	task_wake(client);
	task_sleep(50);
	say("STS\r\na1 OK\r\na2 OK\r\n");
	bye("a3 LOGOUT\r\n");
}

static void woken_client(void *arg)
{
	dial(2000);
	CHECK_INT(imap_idle_wait(im, -1, &e), 0);
	CHECK_INT(imap_idle_stop(im, &e), 0);
	CHECK_INT(imap_noop(im, &e), 0);
	CHECK_STR(str_of(e.msg), "");
	CHECK_STR(buf_view(&news), "exists 1\n");
	CHECK_INT(imap_idle_wait(im, -1, &e), 0);
	imap_close(im);
}

TEST(wake, "a wake ends the waiting, and no command")
{
	play(waking_peer, woken_client);
}

/* --- ends ------------------------------------------------------------------
 */

static void cancel_peer(void *arg)
{
	greet();
	say("+ idling\r\n");
	task_sleep(20);
	CHECK_INT(write(cancel[1], "x", 1), 1);
	bye("DONE\r\na2 LOGOUT\r\n");
}

static void cancelled_client(void *arg)
{
	int64_t start = sys_mono_ms();

	dial(2000);
	CHECK_INT(imap_idle_wait(im, -1, &e), -1);
	CHECK_INT(e.code, COI_E_CANCELLED);
	imap_close(im);
	CHECK(sys_mono_ms() - start < 900);
}

TEST(cancelled, "a signal ends it, with a goodbye")
{
	play(cancel_peer, cancelled_client);
}

static void gone_peer(void *arg)
{
	greet();
	say("+ idling\r\n* 3 EXISTS\r\n");
	close(peer_fd);
}

static void left_client(void *arg)
{
	int rc;

	dial(2000);
	do
		rc = imap_idle_wait(im, -1, &e);
	while (rc > 0);
	CHECK_INT(rc, -1);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(str_of(e.stage), "idle");
	CHECK_STR(buf_view(&news), "exists 3\n");
	imap_close(im);
}

TEST(gone, "the server goes away without a word")
{
	play(gone_peer, left_client);
}

TEST_MAIN
