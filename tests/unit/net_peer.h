/*
 * Peers for the tests of lib/net: a child process that listens on loopback,
 * takes connections and plays a script.  Everything ends by itself.
 */
#ifndef UNIT_NET_PEER_H
#define UNIT_NET_PEER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/err.h"
#include "core/str.h"
#include "core/sys.h"
#include "net/conn.h"

typedef int peer_fn(int fd, void *arg); /* its exit status */

struct peer {
	pid_t pid;
	uint16_t port;
};

__attribute__((unused)) static void peer_sleep(int ms)
{
	struct timespec ts = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

/* A listening socket on 127.0.0.1 or ::1; its port. */
static int peer_listen(int family, int backlog, uint16_t *port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_storage got;
	socklen_t len = sizeof(got);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	if (family == AF_INET)
		r = bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	else
		r = bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (r < 0 || listen(fd, backlog) < 0 ||
	    getsockname(fd, (struct sockaddr *)&got, &len) < 0) {
		perror("# no listening socket");
		exit(1);
	}
	*port = ntohs(family == AF_INET
			  ? ((struct sockaddr_in *)&got)->sin_port
			  : ((struct sockaddr_in6 *)&got)->sin6_port);
	return fd;
}

static struct peer peer_on(int family, peer_fn *fn, void *arg)
{
	struct peer p;
	int lis = peer_listen(family, 8, &p.port), fd, one = 1;

	fflush(stdout);
	p.pid = fork();
	if (p.pid == 0) {
		alarm(120);
		signal(SIGPIPE, SIG_IGN);
		fd = accept(lis, NULL, NULL);
		close(lis);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		one = fn(fd, arg);
		close(fd);
		_exit(one);
	}
	close(lis);
	return p;
}

__attribute__((unused)) static struct peer peer_start(peer_fn *fn, void *arg)
{
	return peer_on(AF_INET, fn, arg);
}

/* Waits for its end; its exit status. */
__attribute__((unused)) static int peer_end(struct peer *p)
{
	int st = -1;

	if (waitpid(p->pid, &st, 0) != p->pid)
		return -1;
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

__attribute__((unused)) static void peer_kill(struct peer *p)
{
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

__attribute__((unused)) static int peer_say(int fd, const char *z)
{
	size_t n = strlen(z);

	return write(fd, z, n) == (ssize_t)n ? 0 : -1;
}

/* Reads up to and with the first LF; 0 at the end. */
__attribute__((unused)) static size_t peer_line(int fd, char *out, size_t n)
{
	size_t k = 0;

	while (k + 1 < n && read(fd, out + k, 1) == 1)
		if (out[k++] == '\n')
			break;
	out[k] = '\0';
	return k;
}

__attribute__((unused)) static struct net_opts peer_opts(const struct peer *p,
							 enum net_tls tls)
{
	return (struct net_opts){
	    .host = "127.0.0.1",
	    .port = p->port,
	    .tls = tls,
	    .trace_fd = -1,
	    .cancel_fd = -1,
	    .connect_ms = 10000,
	    .io_ms = 10000,
	    .label = "test",
	};
}

#endif
