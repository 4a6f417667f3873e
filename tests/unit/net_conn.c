/* Plain connections: buffers, deadlines, the trace, compression. */
#include <fcntl.h>
#include <zlib.h>

#include "core/mem.h"
#include "net_peer.h"
#include "test.h"

static struct net_conn *open_plain(const struct peer *p, struct coi_err *e)
{
	struct net_opts o = peer_opts(p, NET_TLS_OFF);

	return net_open(&o, e);
}

static bool says(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return true;
	printf("# \"%s\" is not in: %s\n", part, text);
	return false;
}

/* --- lines -----------------------------------------------------------------
 */

static const char script[] =
    "* OK hello\r\nbare\n\r\n\xc3\xa4\r two\r\nend\r\n";

static int say_bytes(int fd, void *arg)
{
	const char *z = arg;

	for (; *z != '\0'; z++) {
		if (write(fd, z, 1) != 1)
			return 1;
		if (z[0] == '\r' || z[0] == 'l')
			peer_sleep(2);
	}
	return 0;
}

TEST(lines, "lines come whole however the octets arrive")
{
	struct peer p = peer_start(say_bytes, (void *)(uintptr_t)script);
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	struct str line;

	CHECK(c != NULL && !net_is_tls(c) && net_is_loopback(c));
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "* OK hello");
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "bare");
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "");
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "\xc3\xa4\r two");
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "end");
	CHECK(net_line(c, 100, &line, &e) < 0);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK(says(e.msg, "closed"));
	CHECK(says(e.host, "127.0.0.1:"));
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
}

static int say(int fd, void *arg)
{
	char sink[256];

	if (peer_say(fd, arg) < 0)
		return 1;
	shutdown(fd, SHUT_WR);
	while (read(fd, sink, sizeof(sink)) > 0)
		;
	return 0;
}

TEST(limits, "a line may have max octets and no more")
{
	static const char *const lines[] = {"12345\r\n", "12345\n", "123456\n",
					    "123456\r\n", "12345678"};
	size_t i;

	for (i = 0; i < 5; i++) {
		struct peer p = peer_start(say, (void *)(uintptr_t)lines[i]);
		struct coi_err e = {0};
		struct net_conn *c = open_plain(&p, &e);
		struct str line = STR_NONE;
		int r = net_line(c, 5, &line, &e);

		CHECK_INT(r, i < 2 ? 0 : -1);
		if (i < 2)
			CHECK_STR(line, "12345");
		else
			CHECK_INT(e.code, COI_E_PROTOCOL);
		net_close(c);
		CHECK_INT(peer_end(&p), 0);
	}
}

TEST(fill_limit, "unread octets are limited by net_fill()")
{
	struct peer p = peer_start(say, (void *)(uintptr_t) "0123456789");
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);

	while (net_avail(c).n < 10)
		if (net_fill(c, 10, &e) < 0)
			break;
	CHECK_STR(net_avail(c), "0123456789");
	CHECK(net_fill(c, 10, &e) < 0);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	net_consume(c, 4);
	CHECK_STR(net_avail(c), "456789");
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
}

/* --- time and signals --------------------------------------------------------
 */

static int trickle(int fd, void *arg)
{
	int i;

	(void)arg;
	for (i = 0; i < 100; i++) {
		if (write(fd, "x", 1) != 1)
			break;
		peer_sleep(50);
	}
	return 0;
}

TEST(trickling, "an octet now and then does not push the deadline back")
{
	struct peer p = peer_start(trickle, NULL);
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	int64_t t = sys_mono_ms();
	struct str line;

	net_deadline(c, 300);
	CHECK(net_line(c, 1000, &line, &e) < 0);
	t = sys_mono_ms() - t;
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK(t >= 290 && t < 1500);
	/* A later read may be tried with more time. */
	err_clear(&e);
	net_deadline(c, 2000);
	CHECK(net_fill(c, 1000, &e) == 0);
	net_close(c);
	peer_kill(&p);
}

static int silent(int fd, void *arg)
{
	char sink[256];

	(void)arg;
	while (read(fd, sink, sizeof(sink)) > 0)
		;
	return 0;
}

TEST(cancelling, "a readable cancel_fd ends the waiting at once")
{
	struct peer p = peer_start(silent, NULL);
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);
	struct coi_err e = {0};
	struct net_conn *c;
	int fds[2];
	pid_t pid;

	CHECK(pipe(fds) == 0);
	o.cancel_fd = fds[0];
	c = net_open(&o, &e);
	CHECK(c != NULL);
	pid = fork();
	if (pid == 0) {
		peer_sleep(80);
		_exit(write(fds[1], "x", 1) != 1);
	}
	CHECK(net_fill(c, 100, &e) < 0);
	CHECK_INT(e.code, COI_E_CANCELLED);
	waitpid(pid, NULL, 0);
	/* Saying goodbye is still possible. */
	err_clear(&e);
	net_ignore_cancel(c);
	CHECK(net_put(c, STR("a LOGOUT\r\n"), &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	net_deadline(c, 50);
	CHECK(net_fill(c, 100, &e) < 0);
	CHECK_INT(e.code, COI_E_TEMP);
	net_close(c);
	CHECK_INT(peer_end(&p), 0);

	/* Before the connection is there, too. */
	err_clear(&e);
	p = peer_start(silent, NULL);
	o.host = "slow.test";
	net_dns_servers("127.0.0.1:9");
	CHECK(net_open(&o, &e) == NULL);
	CHECK_INT(e.code, COI_E_CANCELLED);
	net_dns_servers(NULL);
	peer_kill(&p);
	close(fds[0]);
	close(fds[1]);
}

/* --- connecting --------------------------------------------------------------
 */

TEST(refused, "a closed port says which address and why")
{
	struct peer p = {0};
	struct coi_err e = {0};
	int fd = peer_listen(AF_INET, 1, &p.port);

	close(fd);
	CHECK(open_plain(&p, &e) == NULL);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(str_of(e.stage), "connect");
	CHECK(says(e.msg, "127.0.0.1: Connection refused"));
	CHECK(e.hint[0] != '\0');
}

TEST(six, "IPv6 literals, in brackets too, and the family option")
{
	static const char *const hosts[] = {"::1", "[::1]", "localhost"};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct peer p = peer_on(AF_INET6, say,
					(void *)(uintptr_t) "hi\r\n");
		struct net_opts o = peer_opts(&p, NET_TLS_OFF);
		struct coi_err e = {0};
		struct net_conn *c;
		struct str line;

		o.host = hosts[i];
		o.family = 4;
		CHECK(net_open(&o, &e) == NULL);
		CHECK_INT(e.code, COI_E_UNAVAILABLE);
		err_clear(&e);
		o.family = i == 2 ? 0 : 6;
		c = net_open(&o, &e);
		CHECK(c != NULL && net_is_loopback(c));
		if (c == NULL) {
			printf("# %s\n", e.msg);
			peer_kill(&p);
			continue;
		}
		CHECK(net_line(c, 10, &line, &e) == 0);
		CHECK_STR(line, "hi");
		net_close(c);
		CHECK_INT(peer_end(&p), 0);
	}
}

TEST(off_is_local, "without TLS only this machine is spoken to")
{
	struct peer p = {.port = 143};
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);
	struct coi_err e = {0};
	int64_t t = sys_mono_ms();

	o.host = "192.0.2.77";
	CHECK(net_open(&o, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(says(e.hint, "loopback"));
	CHECK(sys_mono_ms() - t < 1000);
}

TEST(odd_hosts, "host names that are none are configuration errors")
{
	static const char *const hosts[] = {"", "a b", "m\xc3\xbcnchen.test",
					    "a\r\nb", "http://x"};
	size_t i;

	for (i = 0; i < 5; i++) {
		struct peer p = {.port = 143};
		struct net_opts o = peer_opts(&p, NET_TLS_OFF);
		struct coi_err e = {0};

		o.host = hosts[i];
		CHECK(net_open(&o, &e) == NULL);
		CHECK_INT(e.code, COI_E_CONFIG);
	}
}

/* --- writing
 * ------------------------------------------------------------------ */

static int count_all(int fd, void *arg)
{
	static char sink[65536];
	size_t want = *(size_t *)arg, all = 0, i;
	ssize_t n;

	while (all < want && (n = read(fd, sink, sizeof(sink))) > 0) {
		for (i = 0; i < (size_t)n; i++)
			if (sink[i] != (char)('a' + (all + i) % 23))
				return 2;
		all += (size_t)n;
	}
	return all == want && peer_say(fd, "done\r\n") == 0 ? 0 : 1;
}

TEST(writing, "small and large puts arrive in order")
{
	size_t sizes[] = {1, 100, 70000, 3, 65536, 65535, 200000, 1}, n = 0, i;
	struct peer p;
	struct coi_err e = {0};
	struct net_conn *c;
	struct buf b = {0};
	struct str line;

	for (i = 0; i < 8; i++)
		n += sizes[i];
	for (i = 0; i < n; i++)
		buf_c(&b, (char)('a' + i % 23));
	p = peer_start(count_all, &n);
	c = open_plain(&p, &e);
	for (i = n = 0; i < 8; i++) {
		CHECK(net_put(c, (struct str){b.p + n, sizes[i]}, &e) == 0);
		n += sizes[i];
	}
	CHECK(net_flush(c, &e) == 0);
	CHECK(net_line(c, 10, &line, &e) == 0);
	CHECK_STR(line, "done");
	CHECK_INT(net_stats(c).out, n);
	CHECK_INT(net_stats(c).in, 6);
	CHECK_INT(net_stats(c).turns, 1);
	net_close(c);
	buf_free(&b);
	CHECK_INT(peer_end(&p), 0);
}

/* Says much before it listens: what a pipelining client must bear. */
static int talk_first(int fd, void *arg)
{
	static char block[65536];
	size_t i, all = 0;
	ssize_t n;

	(void)arg;
	memset(block, 'x', sizeof(block));
	for (i = 0; i < 128; i++)
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
			return 1;
	while (all < (size_t)16 << 20 &&
	       (n = read(fd, block, sizeof(block))) > 0)
		all += (size_t)n;
	return all == (size_t)16 << 20 && peer_say(fd, "\n") == 0 ? 0 : 1;
}

TEST(two_full_pipes, "both sides writing at once do not lock each other")
{
	struct peer p = peer_start(talk_first, NULL);
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	char *block = mem_alloc(1 << 20);
	struct str line = STR_NONE;
	int i;

	for (i = 0; i < 16; i++)
		CHECK(net_put(c, (struct str){block, 1 << 20}, &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	CHECK(net_line(c, 9 << 20, &line, &e) == 0);
	CHECK_INT(line.n, 8 << 20);
	free(block);
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
}

static int hang_up(int fd, void *arg)
{
	char line[256];

	(void)arg;
	peer_line(fd, line, sizeof(line));
	return peer_say(fd, "421 too many\r\n") < 0;
}

TEST(hung_up, "a peer that has gone is an error, not a signal; its last "
	      "words can be read")
{
	struct peer p = peer_start(hang_up, NULL);
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	struct str line = STR_NONE;
	int i;

	CHECK(net_put(c, STR("EHLO x\r\n"), &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	CHECK_INT(peer_end(&p), 0);
	for (i = 0; i < 100 && e.code == COI_OK; i++) {
		if (net_put(c, STR("MAIL FROM:<>\r\n"), &e) == 0)
			(void)net_flush(c, &e);
		peer_sleep(5);
	}
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	err_clear(&e);
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "421 too many");
	CHECK(net_line(c, 100, &line, &e) < 0);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	net_close(c);
}

/* --- pending
 * ------------------------------------------------------------------ */

static int on_request(int fd, void *arg)
{
	char line[256];

	(void)arg;
	while (peer_line(fd, line, sizeof(line)) > 0)
		if (peer_say(fd, line) < 0)
			return 1;
	return 0;
}

TEST(pending, "net_pending() knows the kernel's octets and loses none")
{
	struct peer p = peer_start(on_request, NULL);
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	struct pollfd pf;
	struct str line;

	CHECK(!net_pending(c));
	CHECK(net_put(c, STR("one\r\n"), &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	pf = (struct pollfd){.fd = net_fd(c), .events = POLLIN};
	CHECK(poll(&pf, 1, 5000) == 1);
	CHECK(net_pending(c));
	CHECK(net_pending(c));
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "one");
	CHECK(!net_pending(c));
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
}

/* --- the trace
 * ----------------------------------------------------------------- */

TEST(trace, "the trace has every line and no secret")
{
	char name[] = "/tmp/net_conn.XXXXXX", text[4096];
	int fd = mkstemp(name);
	struct peer p = peer_start(
	    say,
	    (void *)(uintptr_t) "* OK \x1b[31mred\xff\r\nsalt\r\nbody one\r\n"
				"two\r\nthree\r\n");
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);
	struct coi_err e = {0};
	struct net_conn *c;
	struct str line;
	ssize_t n;

	o.trace_fd = fd;
	o.label = "imap";
	c = net_open(&o, &e);
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK(net_put(c, STR("a1 AUTHENTICATE PLAIN "), &e) == 0);
	CHECK(net_put_secret(c, STR("AGFsaWNlAHB3"), &e) == 0);
	CHECK(net_put(c, STR("\r\na2 NOOP\r\n"), &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	net_trace_hide(c, true);
	CHECK(net_line(c, 100, &line, &e) == 0);
	net_trace_hide(c, false);
	CHECK(net_line(c, 100, &line, &e) == 0);
	net_trace_hide(c, true);
	CHECK(net_line(c, 100, &line, &e) == 0);
	net_trace_hide(c, false);
	CHECK(net_line(c, 100, &line, &e) == 0);
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	CHECK(says(text, "imap -: connected to 127.0.0.1:"));
	CHECK(says(text, "\nimap S: * OK \\x1b[31mred\\xff\n"));
	CHECK(says(text, "\nimap C: a1 AUTHENTICATE PLAIN [12 octets hidden]\n"
			 "imap C: a2 NOOP\n"));
	CHECK(says(text, "\nimap S: [6 octets hidden]body one\n"));
	CHECK(says(text, "\nimap S: [5 octets hidden]three\n"));
	CHECK(strstr(text, "AGFs") == NULL);
	CHECK(strstr(text, "salt") == NULL && strstr(text, "two") == NULL);
	close(fd);
	unlink(name);
}

/* --- compression
 * ---------------------------------------------------------------- */

/* Inflates what comes, checks it, and answers deflated in small pieces. */
static int squeeze(int fd, void *arg)
{
	static unsigned char in[65536], out[65536], text[300000];
	z_stream i = {0}, o = {0};
	size_t n = 0, at, k;
	ssize_t got;

	(void)arg;
	inflateInit2(&i, -15);
	deflateInit2(&o, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	/* The go-ahead and, in the same segment, compressed data. */
	o.next_in = (Bytef *)(uintptr_t) "first\r\n";
	o.avail_in = 7;
	memcpy(out, "OK\r\n", 4);
	o.next_out = out + 4;
	o.avail_out = sizeof(out) - 4;
	deflate(&o, Z_SYNC_FLUSH);
	k = sizeof(out) - o.avail_out;
	if (write(fd, out, k) != (ssize_t)k)
		return 1;
	while (n < sizeof(text) && (got = read(fd, in, sizeof(in))) > 0) {
		i.next_in = in;
		i.avail_in = (uInt)got;
		i.next_out = text + n;
		i.avail_out = (uInt)(sizeof(text) - n);
		inflate(&i, Z_SYNC_FLUSH);
		n = sizeof(text) - i.avail_out;
	}
	if (n != sizeof(text))
		return 2;
	o.next_in = text;
	o.avail_in = sizeof(text);
	do {
		o.next_out = out;
		o.avail_out = sizeof(out);
		deflate(&o, Z_SYNC_FLUSH);
		for (at = 0; at < sizeof(out) - o.avail_out; at += k) {
			k = sizeof(out) - o.avail_out - at;
			if (k > 17)
				k = 17;
			if (write(fd, out + at, k) != (ssize_t)k)
				return 3;
		}
	} while (o.avail_out == 0);
	inflateEnd(&i);
	deflateEnd(&o);
	return 0;
}

TEST(compressing, "COMPRESS=DEFLATE both ways, from the octet after the OK")
{
	struct peer p = peer_start(squeeze, NULL);
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	struct buf b = {0};
	struct str line;
	size_t i;

	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "OK");
	CHECK(net_compress(c, &e) == 0);
	CHECK(net_pending(c));
	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK_STR(line, "first");
	CHECK(!net_pending(c));
	for (i = 0; i < 300000; i++)
		buf_c(&b, "abcdefgh"[(i * i >> 7) % 8]);
	CHECK(net_put(c, (struct str){b.p, 1000}, &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	CHECK(net_put(c, (struct str){b.p + 1000, b.n - 1000}, &e) == 0);
	CHECK(net_flush(c, &e) == 0);
	while (net_avail(c).n < b.n)
		if (net_fill(c, b.n, &e) < 0)
			break;
	CHECK(str_eq(net_avail(c), buf_view(&b)));
	CHECK(net_stats(c).out < b.n);
	net_close(c);
	buf_free(&b);
	CHECK_INT(peer_end(&p), 0);
}

TEST(bad_deflate, "a damaged compressed stream breaks the protocol")
{
	struct peer p = peer_start(
	    say, (void *)(uintptr_t) "OK\r\n\xff\xff\xff\xff\xff");
	struct coi_err e = {0};
	struct net_conn *c = open_plain(&p, &e);
	struct str line;

	CHECK(net_line(c, 100, &line, &e) == 0);
	CHECK(net_compress(c, &e) == 0);
	CHECK(net_fill(c, 100, &e) < 0);
	CHECK_INT(e.code, COI_E_PROTOCOL);
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
}

TEST_MAIN
