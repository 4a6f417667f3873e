/*
 * A server that says what its script says, for what no sane server does.
 *
 *   peer [-t CERT KEY] [-s] [-r] [-o FILE] [-T SECONDS] [-D NAME=TEXT]...
 *        SCRIPT
 *
 * Listens on a port of 127.0.0.1 that the kernel chose and prints "PORT n".
 * Serves one connection after the other, each by the next section of SCRIPT
 * (sections are divided by a line `---`); -r repeats the last one for ever.
 * What it received goes to stderr or FILE, a line "C: ..." each; what it did
 * not expect is a line "!! ...".  -s: TLS from the start.  It ends after the
 * last section, after 120 seconds (-T), or when its stdin was a pipe and that
 * was closed.  Exit status: 0, 1 when a client did not do as expected, 2 for a
 * bad script or command line, 4 when the time was over.
 *
 * A line of SCRIPT (`#` begins a comment line; blanks in front do not count):
 *   S: TEXT            sends TEXT and CRLF
 *   s: TEXT            sends TEXT
 *   C: GLOB            expects a line like that, else closes
 *   C* GLOB            reads lines until one is like that
 *   on GLOB => TEXT    from here a line like that, read by C* or serve, is
 *                      answered with TEXT and CRLF (the latest rule first)
 *   serve              answers by the rules until the client goes
 *   lit [N]            reads N octets (else: as {N} or BDAT N of the last
 *                      line says)
 *   data               reads lines up to "."
 *   bdat               reads BDAT chunks, answers all but the last
 *   repeat N ... end   does that N times
 *   loop               all that follows is done until the client goes, at
 *                      any point of it
 *   fill N C           sends the octet C (\xHH) N times
 *   drip MS TEXT       sends TEXT an octet every MS milliseconds
 *   wait MS            waits
 *   tls                from the start of a section: TLS (as -s)
 *   starttls           the handshake, after the script's own go-ahead
 *   tlsmax VERSION     no TLS above 1.0, 1.1, 1.2
 *   def NAME TEXT      $NAME is TEXT, $#NAME the number of its octets
 *   include FILE       its lines, before everything is played
 *   close | reset      ends the connection in good order | with a reset
 * GLOB: `*` and `?`; case does not count.  In TEXT: \r \n \t \0 \\ \xHH, $tag
 * (first word of the last line), $1 to $9 (what the stars stood for), $$.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "text.h"
#include "wire.h"

#define RULES 64
#define DEPTH 8
#define FILES 64

struct line {
	unsigned no;
	struct str word, arg; /* "S:", "text" */
};

struct peer {
	struct tls_files tls;
	bool implicit, repeat, watch;
	FILE *log;
	struct buf file[FILES];
	size_t files;
	struct line *v;
	size_t n, cap;
	/* of one connection */
	struct wire w;
	struct {
		struct str glob, text;
	} rule[RULES];
	size_t rules;
	struct vars vars;
	struct buf last; /* the last line read */
	unsigned long long literal;
	bool closed, looping, bad;
	const char *define[16]; /* -D */
	size_t defines;
};

static void quit(int status, const char *what, unsigned line)
{
	fprintf(stderr, "peer: line %u: %s\n", line, what);
	exit(status);
}

/* --- the script ----------------------------------------------------------- */

static void load(struct peer *p, const char *path, int depth)
{
	struct buf *b = &p->file[p->files % FILES]; /* lines point into it */
	struct coi_err e = {0};
	struct str rest, line;
	unsigned no = 0;

	if (depth > DEPTH || p->files++ == FILES ||
	    file_read(path, 1 << 24, b, &e) != 0)
		quit(2, path, 0);
	rest = buf_view(b);
	while (str_line(&rest, &line)) {
		struct line l = {.no = ++no};

		while (line.n > 0 && (*line.p == ' ' || *line.p == '\t'))
			line = str_sub(line, 1, line.n);
		if (line.n == 0 || *line.p == '#')
			continue;
		l.word = str_split(&line, ' ');
		l.arg = line;
		if (str_is(l.word, "include")) {
			const char *slash = strrchr(path, '/');
			struct buf name = {0};

			if (slash != NULL)
				buf_add(&name, path,
					(size_t)(slash + 1 - path));
			buf_str(&name, l.arg);
			load(p, buf_cstr(&name), depth + 1);
			buf_free(&name);
			continue;
		}
		p->v = mem_more(p->v, p->n, &p->cap, sizeof(*p->v));
		p->v[p->n++] = l;
	}
}

static unsigned long number(struct str s, unsigned line)
{
	uint64_t n;

	if (!str_u64(s, 1ull << 40, &n))
		quit(2, "a number is missing", line);
	return (unsigned long)n;
}

static void send_text(struct peer *p, struct str s, const char *end)
{
	struct buf b = {0};

	text_expand(&p->vars, s, &b);
	buf_z(&b, end);
	wire_send(&p->w, buf_view(&b));
	buf_free(&b);
}

/* --- reading -------------------------------------------------------------- */

static bool next_line(struct peer *p)
{
	struct str line, rest;
	ptrdiff_t at;

	if (!wire_line(&p->w, &line))
		return false;
	buf_clear(&p->last);
	buf_str(&p->last, line);
	rest = line;
	var_set(&p->vars, "tag", str_split(&rest, ' '));
	p->literal = 0;
	if (str_istarts(line, "BDAT "))
		p->literal = strtoull(buf_cstr(&p->last) + 5, NULL, 10);
	if (line.n > 2 && line.p[line.n - 1] == '}') {
		for (at = (ptrdiff_t)line.n - 1; at > 0 && line.p[at] != '{';)
			at--;
		p->literal = strtoull(line.p + at + 1, NULL, 10);
	}
	return true;
}

static bool matches(struct peer *p, struct str glob)
{
	return text_matches(&p->vars, glob, buf_view(&p->last));
}

static void unexpected(struct peer *p, const struct line *l, const char *what)
{
	struct buf b = {0};

	buf_fmt(&b, "line %u: wanted %.*s %.*s, %s ", l->no, STR_ARG(l->word),
		STR_ARG(l->arg), what);
	buf_str(&b, buf_view(&p->last));
	wire_log(&p->w, "!! ", buf_view(&b));
	buf_free(&b);
	p->bad = p->closed = true;
}

static void by_rules(struct peer *p)
{
	size_t i;

	for (i = p->rules; i > 0; i--)
		if (matches(p, p->rule[i - 1].glob)) {
			send_text(p, p->rule[i - 1].text, "\r\n");
			return;
		}
}

static void await(struct peer *p, const struct line *l)
{
	while (next_line(p)) {
		if (l->arg.n > 0 && matches(p, l->arg))
			return;
		by_rules(p);
	}
	if (l->arg.n > 0 && !p->looping) {
		buf_clear(&p->last);
		unexpected(p, l, "got the end");
	}
	p->closed = true;
}

static void data(struct peer *p)
{
	while (next_line(p))
		if (str_is(buf_view(&p->last), "."))
			return;
	p->closed = true;
}

static void bdat(struct peer *p, const struct line *l)
{
	while (next_line(p)) {
		if (!str_istarts(buf_view(&p->last), "BDAT ")) {
			unexpected(p, l, "got");
			return;
		}
		if (!wire_skip(&p->w, p->literal))
			break;
		if (str_ends(buf_view(&p->last), "LAST"))
			return;
		wire_send(&p->w, STR("250 more\r\n"));
	}
	p->closed = true;
}

/* --- doing ---------------------------------------------------------------- */

static void fill(struct peer *p, const struct line *l)
{
	struct str rest = l->arg;
	unsigned long n = number(str_split(&rest, ' '), l->no);
	struct buf c = {0}, b = {0};
	size_t part;

	text_expand(&p->vars, rest, &c);
	if (c.n == 0)
		quit(2, "fill needs an octet", l->no);
	part = n < 65536 ? n : 65536 / c.n * c.n;
	while (b.n < part)
		buf_str(&b, buf_view(&c));
	for (; n > 0 && !p->w.over; n -= part) {
		if (part > n)
			part = n;
		wire_send(&p->w, str_sub(buf_view(&b), 0, part));
	}
	buf_free(&b);
	buf_free(&c);
}

static void drip(struct peer *p, const struct line *l)
{
	struct str rest = l->arg;
	unsigned long ms = number(str_split(&rest, ' '), l->no);
	struct buf b = {0};
	size_t i;

	text_expand(&p->vars, rest, &b);
	for (i = 0; i < b.n && !p->w.over; i++) {
		wire_send(&p->w, str_sub(buf_view(&b), i, 1));
		poll(NULL, 0, (int)ms);
	}
	buf_free(&b);
}

static void define(struct peer *p, const struct line *l)
{
	struct str rest = l->arg;
	char *name = mem_dup(str_split(&rest, ' '));
	struct buf b = {0};

	text_expand(&p->vars, rest, &b);
	var_set(&p->vars, name, buf_view(&b));
	buf_free(&b);
	free(name);
}

static void rule(struct peer *p, const struct line *l)
{
	ptrdiff_t at = str_find(l->arg, STR(" => "));

	if (at < 0 || p->rules == RULES)
		quit(2, "on GLOB => TEXT", l->no);
	p->rule[p->rules].glob = str_sub(l->arg, 0, (size_t)at);
	p->rule[p->rules++].text = str_sub(l->arg, (size_t)at + 4, l->arg.n);
}

static bool one(struct peer *p, const struct line *l)
{
	struct str w = l->word;

	if (str_is(w, "S:")) {
		send_text(p, l->arg, "\r\n");
	} else if (str_is(w, "s:")) {
		send_text(p, l->arg, "");
	} else if (str_is(w, "C:")) {
		buf_clear(&p->last);
		if (!next_line(p) && p->looping)
			p->closed = true;
		else if (!matches(p, l->arg))
			unexpected(p, l, "got");
	} else if (str_is(w, "C*") || str_is(w, "serve")) {
		await(p, l);
	} else if (str_is(w, "on")) {
		rule(p, l);
	} else if (str_is(w, "lit")) {
		p->closed |= !wire_skip(
		    &p->w, l->arg.n > 0 ? number(l->arg, l->no) : p->literal);
	} else if (str_is(w, "data")) {
		data(p);
	} else if (str_is(w, "bdat")) {
		bdat(p, l);
	} else if (str_is(w, "fill")) {
		fill(p, l);
	} else if (str_is(w, "drip")) {
		drip(p, l);
	} else if (str_is(w, "wait")) {
		poll(NULL, 0, (int)number(l->arg, l->no));
	} else if (str_is(w, "tls") || str_is(w, "starttls")) {
		if (p->tls.cert == NULL)
			quit(2, "TLS needs -t CERT KEY", l->no);
		/* A client that refuses us is part of the play. */
		p->closed |= !wire_tls(&p->w, &p->tls);
	} else if (str_is(w, "tlsmax")) {
		p->tls.max = mem_dup(l->arg);
	} else if (str_is(w, "def")) {
		define(p, l);
	} else if (str_is(w, "close")) {
		p->closed = true;
	} else if (str_is(w, "reset")) {
		wire_close(&p->w, true);
		p->w.fd = -1;
		p->closed = true;
	} else {
		return false;
	}
	return true;
}

/* The line of the `end` that belongs to the repeat before `i`. */
static size_t end_of(struct peer *p, size_t i, size_t n)
{
	int depth = 0;

	for (; i < n; i++) {
		if (str_is(p->v[i].word, "repeat"))
			depth++;
		else if (str_is(p->v[i].word, "end") && depth-- == 0)
			return i;
	}
	quit(2, "repeat without end", p->v[n - 1].no);
	return n;
}

static void play(struct peer *p, size_t i, size_t n, int depth)
{
	for (; i < n && !p->closed; i++) {
		const struct line *l = &p->v[i];

		if (str_is(l->word, "repeat") && depth < DEPTH) {
			size_t end = end_of(p, i + 1, n);
			unsigned long k = number(l->arg, l->no);

			for (; k > 0 && !p->closed && !p->w.over; k--)
				play(p, i + 1, end, depth + 1);
			i = end;
		} else if (str_is(l->word, "loop")) {
			p->looping = true;
			while (i + 1 < n && !p->closed && !p->w.over)
				play(p, i + 1, n, depth + 1);
			return;
		} else if (!one(p, l)) {
			quit(2, "what is that?", l->no);
		}
	}
}

static void connection(struct peer *p, int fd, size_t from, size_t to)
{
	int on = 1;
	size_t i;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	p->w = (struct wire){.fd = fd, .log = p->log, .watch = p->watch};
	p->closed = p->looping = false;
	p->rules = 0;
	vars_free(&p->vars);
	for (i = 0; i < p->defines; i++) {
		struct str val = str_of(p->define[i]);
		char *name = mem_dup(str_split(&val, '='));
		struct buf b = {0};

		text_expand(&p->vars, val, &b);
		var_set(&p->vars, name, buf_view(&b));
		buf_free(&b);
		free(name);
	}
	wire_log(&p->w, "connection", STR(""));
	if (p->implicit && !wire_tls(&p->w, &p->tls))
		p->closed = true;
	play(p, from, to, 0);
	if (p->w.fd >= 0)
		wire_close(&p->w, false);
}

/* --- waiting for clients -------------------------------------------------- */

static int accept_one(struct peer *p, int lfd)
{
	struct pollfd v[2] = {{.fd = lfd, .events = POLLIN},
			      {.fd = p->watch ? 0 : -1, .events = POLLIN}};
	char sink[256];

	for (;;) {
		if (poll(v, 2, -1) < 0)
			continue;
		if (v[0].revents != 0)
			return accept(lfd, NULL, NULL);
		if (v[1].revents != 0 && read(0, sink, sizeof(sink)) <= 0)
			return -1;
	}
}

static int listener(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		quit(2, "cannot listen", 0);
	printf("PORT %u\n", ntohs(sa.sin_port));
	fflush(stdout);
	return fd;
}

static void late(int sig)
{
	(void)sig;
	_exit(4);
}

static void usage(void)
{
	fprintf(stderr, "usage: peer [-t CERT KEY] [-s] [-r] [-o FILE] "
			"[-T SECONDS] [-D NAME=TEXT]... SCRIPT\n");
	exit(2);
}

static struct peer the_peer; /* static: what it holds is no leak at the end */

int main(int argc, char **argv)
{
	struct peer *p = &the_peer;
	unsigned seconds = 120;
	size_t from = 0, to;
	struct stat st;
	int i, lfd, fd;

	p->log = stderr;
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-t") == 0 && i + 2 < argc) {
			p->tls.cert = argv[++i];
			p->tls.key = argv[++i];
		} else if (strcmp(argv[i], "-s") == 0) {
			p->implicit = true;
		} else if (strcmp(argv[i], "-r") == 0) {
			p->repeat = true;
		} else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
			p->log = fopen(argv[++i], "w");
		} else if (strcmp(argv[i], "-D") == 0 && i + 1 < argc &&
			   p->defines < sizeof(p->define) / sizeof(char *)) {
			p->define[p->defines++] = argv[++i];
		} else if (strcmp(argv[i], "-T") == 0 && i + 1 < argc) {
			seconds = (unsigned)strtoul(argv[++i], NULL, 10);
		} else {
			usage();
		}
	}
	if (i + 1 != argc || p->log == NULL)
		usage();
	load(p, argv[i], 0);
	if (p->n == 0)
		quit(2, "an empty script", 0);
	signal(SIGALRM, late);
	signal(SIGPIPE, SIG_IGN);
	alarm(seconds);
	/* Behind & a shell puts /dev/null there, which says nothing. */
	p->watch = fstat(0, &st) == 0 && S_ISFIFO(st.st_mode);
	lfd = listener();
	while (from < p->n) {
		for (to = from; to < p->n && !str_is(p->v[to].word, "---");
		     to++)
			;
		fd = accept_one(p, lfd);
		if (fd < 0)
			break;
		connection(p, fd, from, to);
		if (to < p->n || !p->repeat)
			from = to + 1;
	}
	return p->bad ? 1 : 0;
}
