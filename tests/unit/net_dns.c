/* Finding and racing addresses, against a name server of our own. */
#include <fcntl.h>

#include "net_peer.h"
#include "test.h"

/* --- the name server
 * ----------------------------------------------------------- */

struct rr {
	const char *name;
	int type;	/* 1: A, 28: AAAA */
	const char *ip; /* NULL: no record of that type */
};

static const struct rr zone[] = {
    {"one.test", 1, "127.0.0.1"}, {"one.test", 28, NULL},
    {"two.test", 1, "127.0.0.9"}, {"two.test", 1, "127.0.0.1"},
    {"two.test", 28, NULL},	  {"six.test", 1, NULL},
    {"six.test", 28, "::1"},	  {"both.test", 1, "127.0.0.1"},
    {"both.test", 28, "::1"},	  {"far.test", 1, "192.0.2.55"},
    {"far.test", 28, NULL},	  {"half.test", 1, "127.0.0.1"},
    {"nothing.test", 1, NULL},	  {"nothing.test", 28, NULL},
};

static size_t name_of(const unsigned char *q, size_t n, char *out)
{
	size_t i = 12, k = 0;

	while (i < n && q[i] != 0 && i + q[i] < n) {
		if (k > 0)
			out[k++] = '.';
		memcpy(out + k, q + i + 1, q[i]);
		k += q[i];
		i += q[i] + 1u;
	}
	out[k] = '\0';
	return i + 1;
}

/* Answers, or is silent: half.test has no word about AAAA. */
static size_t reply(unsigned char *q, size_t n)
{
	char name[512];
	size_t end = name_of(q, n, name) + 4, i;
	int type = q[end - 3], found = 0, count = 0;

	q[2] = 0x81;
	q[3] = 0x80;
	memset(q + 6, 0, 6); /* counts; no EDNS */
	if (strcmp(name, "slow.test") == 0)
		return 0;
	if (strcmp(name, "broken.test") == 0) {
		q[3] |= 2; /* SERVFAIL */
		return end;
	}
	if (strcmp(name, "half.test") == 0 && type == 28)
		return 0;
	n = end;
	for (i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
		static const unsigned char rr[] = {0xc0, 12, 0, 0, 0, 1,
						   0,	 0,  0, 9, 0, 0};

		if (strcmp(zone[i].name, name) != 0)
			continue;
		found = 1;
		if (zone[i].type != type || zone[i].ip == NULL)
			continue;
		memcpy(q + n, rr, sizeof(rr));
		q[n + 3] = (unsigned char)type;
		q[n + 11] = type == 1 ? 4 : 16;
		inet_pton(type == 1 ? AF_INET : AF_INET6, zone[i].ip,
			  q + n + 12);
		n += 12 + (type == 1 ? 4u : 16u);
		count++;
	}
	q[7] = (unsigned char)count;
	if (!found)
		q[3] |= 3; /* NXDOMAIN */
	return n;
}

static pid_t dns_pid;
static char dns_at[64];

static void dns_start(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		exit(1);
	snprintf(dns_at, sizeof(dns_at), "127.0.0.1:%u", ntohs(sa.sin_port));
	fflush(stdout);
	dns_pid = fork();
	if (dns_pid == 0) {
		unsigned char q[2048];
		struct sockaddr_storage from;
		ssize_t n;

		alarm(120);
		for (;;) {
			len = sizeof(from);
			n = recvfrom(fd, q, 512, 0, (struct sockaddr *)&from,
				     &len);
			if (n < 17)
				continue;
			n = (ssize_t)reply(q, (size_t)n);
			if (n > 0)
				(void)sendto(fd, q, (size_t)n, 0,
					     (struct sockaddr *)&from, len);
		}
	}
	close(fd);
	net_dns_servers(dns_at);
}

/* --- the tests
 * ------------------------------------------------------------------ */

static int greet(int fd, void *arg)
{
	(void)arg;
	return peer_say(fd, "hi\r\n") < 0;
}

static struct net_conn *open_at(const char *host, uint16_t port, int ms,
				struct coi_err *e)
{
	struct peer p = {.port = port};
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);

	o.host = host;
	o.connect_ms = ms;
	return net_open(&o, e);
}

static bool says(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return true;
	printf("# \"%s\" is not in: %s\n", part, text);
	return false;
}

/* One connection; the milliseconds it took. */
static int64_t once(const char *host, int family)
{
	struct peer p = peer_on(family, greet, NULL);
	struct coi_err e = {0};
	int64_t t = sys_mono_ms();
	struct net_conn *c = open_at(host, p.port, 5000, &e);
	struct str line = STR_NONE;

	t = sys_mono_ms() - t;
	CHECK(c != NULL);
	if (c == NULL) {
		printf("# %s: %s\n", host, e.msg);
		peer_kill(&p);
		return 0;
	}
	CHECK(net_line(c, 10, &line, &e) == 0);
	CHECK_STR(line, "hi");
	net_close(c);
	CHECK_INT(peer_end(&p), 0);
	return t;
}

/* A busy machine may be late once, but not always. */
static void reach(const char *host, int family, int limit_ms)
{
	int64_t t = limit_ms;
	int i;

	for (i = 0; i < 5 && t >= limit_ms; i++)
		t = once(host, family);
	if (t >= limit_ms)
		printf("# %s took %d ms\n", host, (int)t);
	CHECK(t < limit_ms);
}

TEST(found, "names with A, with AAAA, with both")
{
	dns_start();
	reach("one.test", AF_INET, 240);
	reach("one.test.", AF_INET, 240);
	reach("six.test", AF_INET6, 240);
	reach("both.test", AF_INET6, 240);
}

TEST(next, "the next address is tried when one refuses, in both families")
{
	reach("two.test", AF_INET, 240);
	reach("both.test", AF_INET, 240);
}

TEST(half, "a server that never answers for AAAA costs 50 ms, not seconds")
{
	reach("half.test", AF_INET, 240);
}

TEST(none, "no such host, no address of the kind, not on this machine")
{
	struct coi_err e = {0};
	struct peer p = {.port = 143};
	struct net_opts o = peer_opts(&p, NET_TLS_OFF);

	CHECK(open_at("absent.test", 143, 5000, &e) == NULL);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	CHECK_STR(str_of(e.stage), "dns");
	CHECK(says(e.msg, "no host \"absent.test\""));
	CHECK(says(e.host, "absent.test:143"));
	err_clear(&e);
	CHECK(open_at("nothing.test", 143, 5000, &e) == NULL);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	err_clear(&e);
	o.host = "one.test";
	o.family = 6;
	CHECK(net_open(&o, &e) == NULL);
	CHECK_INT(e.code, COI_E_UNAVAILABLE);
	err_clear(&e);
	CHECK(open_at("far.test", 143, 5000, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
}

TEST(trouble, "a name server in trouble is temporary, within the deadline")
{
	struct coi_err e = {0};
	int64_t t = sys_mono_ms();

	CHECK(open_at("slow.test", 143, 300, &e) == NULL);
	t = sys_mono_ms() - t;
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK_STR(str_of(e.stage), "dns");
	CHECK(t >= 290 && t < 2500);
	err_clear(&e);
	CHECK(open_at("broken.test", 143, 5000, &e) == NULL);
	CHECK_INT(e.code, COI_E_TEMP);
	CHECK(says(e.msg, "broken.test"));
}

/*
 * 127.0.0.9 hangs: its queue of connections is full.  Where the system does not
 * drop them then, nothing can be shown.
 */
TEST(hanging, "an address that hangs costs a quarter of a second")
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	struct peer p = peer_on(AF_INET, greet, NULL);
	int lis = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fill[8], i;
	struct coi_err e = {0};
	struct net_conn *c;
	struct pollfd pf;
	bool hangs;
	int64_t t;

	sa.sin_port = htons(p.port);
	inet_pton(AF_INET, "127.0.0.9", &sa.sin_addr);
	CHECK(bind(lis, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(listen(lis, 0) == 0);
	for (i = 0; i < 8; i++) {
		fill[i] = socket(AF_INET,
				 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fill[i], (struct sockaddr *)&sa, sizeof(sa));
	}
	pf = (struct pollfd){.fd = fill[7], .events = POLLOUT};
	hangs = poll(&pf, 1, 100) == 0;
	if (hangs) {
		t = sys_mono_ms();
		c = open_at("two.test", p.port, 5000, &e);
		t = sys_mono_ms() - t;
		CHECK(c != NULL);
		CHECK(t >= 240 && t < 2000);
		net_close(c);
		CHECK_INT(peer_end(&p), 0);
	} else {
		printf("# a full queue does not hang here\n");
		peer_kill(&p);
	}
	for (i = 0; i < 8; i++)
		close(fill[i]);
	close(lis);
	kill(dns_pid, SIGKILL);
	waitpid(dns_pid, NULL, 0);
}

TEST_MAIN
