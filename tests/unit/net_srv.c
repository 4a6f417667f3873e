/* The order in which servers of SRV records are used (RFC 2782). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/sys.h"
#include "net/conn.h"
#include "net/srv.h"
#include "test.h"

static struct net_srv at(uint16_t priority, uint16_t weight, const char *host)
{
	struct net_srv s = {.priority = priority, .weight = weight, .port = 1};

	snprintf(s.host, sizeof(s.host), "%s", host);
	return s;
}

TEST(priority, "lower priorities first, each record once")
{
	int round, i;

	for (round = 0; round < 200; round++) {
		struct net_srv v[] = {at(9, 1, "e"), at(1, 7, "b"),
				      at(5, 0, "d"), at(1, 0, "a"),
				      at(5, 65535, "c")};
		int seen = 0;

		net_srv_sort(v, 5);
		for (i = 0; i < 5; i++)
			seen |= 1 << (v[i].host[0] - 'a');
		CHECK_INT(seen, 31);
		CHECK_INT(v[0].priority, 1);
		CHECK_INT(v[1].priority, 1);
		CHECK_INT(v[2].priority, 5);
		CHECK_INT(v[3].priority, 5);
		CHECK_STR(str_of(v[4].host), "e");
	}
	net_srv_sort(NULL, 0);
}

TEST(weight, "chance follows the weights; no weight is seldom, not never")
{
	unsigned first[3] = {0};
	int i;

	sys_seed("7");
	for (i = 0; i < 8000; i++) {
		struct net_srv v[] = {at(0, 10, "a"), at(0, 30, "b"),
				      at(0, 0, "c")};

		net_srv_sort(v, 3);
		first[v[0].host[0] - 'a']++;
	}
	/* 10/41, 30/41 and 1/41 of them. */
	CHECK(first[0] > 1800 && first[0] < 2100);
	CHECK(first[1] > 5650 && first[1] < 6050);
	CHECK(first[2] > 100 && first[2] < 300);
}

TEST(equal, "no weights at all: any of them")
{
	unsigned first[2] = {0};
	int i;

	for (i = 0; i < 100; i++) {
		struct net_srv v[] = {at(0, 0, "a"), at(0, 0, "b")};

		net_srv_sort(v, 2);
		first[v[0].host[0] - 'a']++;
	}
	/* RFC 2782 leaves it to the order of the answer. */
	CHECK_INT(first[0] + first[1], 100);
}

/* A name server that hears everything and says nothing. */
static const char *deaf(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	static char at[32];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		exit(1);
	snprintf(at, sizeof(at), "127.0.0.1:%u", ntohs(sa.sin_port));
	return at;
}

TEST(nobody, "nobody answers: each failed, temporarily, within the deadline")
{
	struct net_until u = {sys_mono_ms() + 200, -1};
	struct net_srv_ask *q = calloc(2, sizeof(*q));
	struct coi_err e = {0};
	struct buf b = {0};

	net_dns_servers(deaf());
	q[0].name = "_imaps._tcp.x.test";
	q[1].name = "_imap._tcp.x.test";
	CHECK_INT(net_srv(q, 2, &u, &e), 0);
	CHECK_INT(e.code, COI_OK);
	CHECK_INT(q[0].got, NET_SRV_FAILED);
	CHECK_INT(q[1].got, NET_SRV_FAILED);
	CHECK_INT(q[0].err.code, COI_E_TEMP);
	CHECK(sys_mono_ms() < u.deadline + 3000);
	u.deadline = sys_mono_ms() + 200;
	CHECK_INT(net_addrs("x.test", 0, &u, &b, &e), -1);
	CHECK_INT(e.code, COI_E_TEMP);
	err_clear(&e);
	CHECK_INT(net_addrs("127.0.0.1", 0, &u, &b, &e), 0);
	CHECK_STR(buf_view(&b), "127.0.0.1");
	buf_clear(&b);
	CHECK_INT(net_addrs("localhost", 0, &u, &b, &e), 0);
	CHECK_STR(buf_view(&b), "[::1],127.0.0.1");
	buf_free(&b);
	free(q);
}

TEST_MAIN
