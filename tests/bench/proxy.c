/*
 * A longer way to a server of this machine, and a count of the round trips.
 *
 *   proxy PORT MICROSECONDS
 *
 * Each direction takes half of MICROSECONDS.  A line of JSON for each
 * connection: {"up","down": octets; "trips": flights of the client whose
 * answer it waited for; "after_login": those after the reply to an IMAP login
 * (in the clear); "logout": those that were nothing but a LOGOUT}.
 */
#include <poll.h>
#include <strings.h>

#include "sock.h"

#define PIECE 65536
#define QUEUE 256

struct piece {
	int64_t due; /* ns */
	size_t n, at;
	bool end; /* the other side closed */
	char p[PIECE];
};

/* One direction: from `in` to `out`. */
struct way {
	int in, out;
	struct piece *v; /* a ring */
	size_t head, count;
	uint64_t octets;
	bool read_end, write_end;
};

struct link {
	struct way up, down;
	uint64_t trips, after_login, logout;
	bool flying; /* the client has sent and got nothing since */
	bool leaving;
	char tag[32];
	bool logged_in;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The client's octets as they come. */
static void saw_up(struct link *l, const struct piece *p)
{
	const char *cmd = memchr(p->p, ' ', p->n);

	l->leaving = !l->flying && cmd != NULL && p->p + p->n - cmd == 9 &&
		     strncasecmp(cmd + 1, "LOGOUT", 6) == 0;
	l->flying = true;
	if (cmd != NULL && cmd - p->p < (long)sizeof(l->tag) - 1 &&
	    (size_t)(p->p + p->n - cmd) > 7 &&
	    (strncasecmp(cmd + 1, "LOGIN ", 6) == 0 ||
	     strncasecmp(cmd + 1, "AUTHEN", 6) == 0))
		snprintf(l->tag, sizeof(l->tag), "%.*s ", (int)(cmd - p->p),
			 p->p);
}

/* The server's octets as the client gets them: its flight has come home. */
static void saw_down(struct link *l, const struct piece *p)
{
	const char *at = p->p, *end = p->p + p->n;
	size_t n = strlen(l->tag);

	if (l->flying) {
		l->trips++;
		l->after_login += l->logged_in;
		l->logout += l->leaving;
		l->flying = false;
	}
	while (!l->logged_in && n > 0 && at != NULL && at < end) {
		if ((size_t)(end - at) > n + 2 && strncmp(at, l->tag, n) == 0 &&
		    strncasecmp(at + n, "OK", 2) == 0)
			l->logged_in = true;
		at = memchr(at, '\n', (size_t)(end - at));
		if (at != NULL)
			at++;
	}
}

static void take(struct link *l, struct way *w, int64_t delay)
{
	struct piece *p = &w->v[(w->head + w->count) % QUEUE];
	ssize_t k = read(w->in, p->p, PIECE);

	if (k < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	p->end = k <= 0;
	p->n = k > 0 ? (size_t)k : 0;
	p->at = 0;
	p->due = now() + delay;
	w->octets += p->n;
	w->read_end = p->end;
	w->count++;
	if (w == &l->up && !p->end)
		saw_up(l, p);
}

static void give(struct link *l, struct way *w)
{
	while (w->count > 0 && w->v[w->head].due <= now()) {
		struct piece *p = &w->v[w->head];

		if (w == &l->down && !p->end && p->at == 0)
			saw_down(l, p);
		if (p->end) {
			shutdown(w->out, SHUT_WR);
			w->write_end = true;
		} else if (sock_write(w->out, p->p + p->at, p->n) < 0) {
			w->write_end = w->read_end = true;
		}
		w->head = (w->head + 1) % QUEUE;
		w->count--;
	}
}

static int64_t first_due(const struct way *w, int64_t best)
{
	if (w->count > 0 && w->v[w->head].due < best)
		return w->v[w->head].due;
	return best;
}

static void carry(struct link *l, int64_t delay)
{
	while (!l->up.write_end || !l->down.write_end) {
		struct pollfd p[2] = {{.fd = -1}, {.fd = -1}};
		int64_t due = first_due(&l->up, first_due(&l->down, INT64_MAX));
		int64_t wait = due == INT64_MAX ? 60000000000 : due - now();
		struct timespec ts;

		if (wait < 0)
			wait = 0;
		ts = (struct timespec){wait / 1000000000, wait % 1000000000};
		if (!l->up.read_end && l->up.count < QUEUE)
			p[0] = (struct pollfd){l->up.in, POLLIN, 0};
		if (!l->down.read_end && l->down.count < QUEUE)
			p[1] = (struct pollfd){l->down.in, POLLIN, 0};
		if (ppoll(p, 2, &ts, NULL) < 0 && errno != EINTR)
			die("ppoll");
		if (p[0].revents != 0)
			take(l, &l->up, delay);
		if (p[1].revents != 0)
			take(l, &l->down, delay);
		give(l, &l->up);
		give(l, &l->down);
		/* Who waits for an answer does not go away. */
		if (l->up.read_end && l->up.write_end && l->down.read_end)
			break;
	}
}

int main(int argc, char **argv)
{
	struct piece *up = calloc(QUEUE, sizeof(*up));
	struct piece *down = calloc(QUEUE, sizeof(*down));
	unsigned port;
	int64_t delay;
	int lfd;

	if (argc != 3 || up == NULL || down == NULL)
		return 64;
	port = (unsigned)strtoul(argv[1], NULL, 10);
	delay = (int64_t)strtoul(argv[2], NULL, 10) * 500;
	prctl(PR_SET_TIMERSLACK, 1000);
	lfd = sock_listen();
	for (;;) {
		int c = sock_accept(lfd), s = sock_connect(port);
		struct link l = {.up = {.in = c, .out = s, .v = up},
				 .down = {.in = s, .out = c, .v = down}};

		carry(&l, delay);
		close(c);
		close(s);
		printf("{\"up\":%llu,\"down\":%llu,\"trips\":%llu,"
		       "\"after_login\":%llu,\"logout\":%llu}\n",
		       (unsigned long long)l.up.octets,
		       (unsigned long long)l.down.octets,
		       (unsigned long long)l.trips,
		       (unsigned long long)l.after_login,
		       (unsigned long long)l.logout);
		fflush(stdout);
	}
}
