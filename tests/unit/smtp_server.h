/* A scripted SMTP server in a child process, and messages to send to it. */
#ifndef UNIT_SMTP_SERVER_H
#define UNIT_SMTP_SERVER_H

#include <arpa/inet.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sys.h"
#include "smtp/smtp.h"

#define UNUSED __attribute__((unused))

/*
 * A scripted server in a child.  A line of the script:
 *   > text   sends text and CRLF        < glob  expects a line
 *   + text   the same, together with what comes next
 *   = N      reads N octets             .       reads up to the dot
 *   w MS     waits                      !       closes
 *   R        closes with a reset        --      next connection
 * At its end QUIT is answered and what else comes is taken up to the end.
 * Mismatches come back as "!! ..." in what it heard.
 */
struct server {
	pid_t pid;
	FILE *log;
	uint16_t port;
	struct buf heard;
};

struct child {
	FILE *in, *log;
	int fd;
	struct buf out;
};

static UNUSED void say(struct child *c, struct str s, bool more)
{
	buf_str(&c->out, s);
	buf_z(&c->out, "\r\n");
	if (more)
		return;
	(void)!send(c->fd, c->out.p, c->out.n, MSG_NOSIGNAL);
	buf_clear(&c->out);
}

/* false at the end of the stream */
static UNUSED bool hear(struct child *c, char *line, size_t cap)
{
	size_t n;

	if (fgets(line, (int)cap, c->in) == NULL)
		return false;
	fputs(line, c->log);
	n = strcspn(line, "\r\n");
	line[n] = '\0';
	return true;
}

static UNUSED void reset(struct child *c)
{
	struct linger l = {.l_onoff = 1, .l_linger = 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

/* Plays lines up to "--" or the end; false when it closed early. */
static UNUSED bool play(struct child *c, struct str *script)
{
	static char line[1 << 16];
	struct str d, arg;
	long n;

	while (script->n > 0) {
		d = str_split(script, '\n');
		arg = str_sub(d, 2, d.n);
		if (str_is(d, "--"))
			return true;
		switch (d.n > 0 ? d.p[0] : '\n') {
		case '+':
		case '>':
			say(c, arg, d.p[0] == '+');
			break;
		case '<':
			snprintf(line, sizeof(line), "%.*s", STR_ARG(arg));
			{
				char *glob = strdup(line);

				if (!hear(c, line, sizeof(line)))
					fprintf(c->log, "!! end, not %s\n",
						glob);
				else if (fnmatch(glob, line, 0) != 0)
					fprintf(c->log, "!! wanted %s\n", glob);
				free(glob);
			}
			break;
		case '=':
			for (n = strtol(arg.p, NULL, 10); n > 0; n--) {
				int ch = getc(c->in);

				if (ch == EOF)
					break;
				putc(ch, c->log);
			}
			break;
		case '.':
			while (hear(c, line, sizeof(line)) &&
			       strcmp(line, ".") != 0)
				;
			break;
		case 'w':
			usleep((useconds_t)strtol(arg.p, NULL, 10) * 1000);
			break;
		case 'R':
			reset(c);
			return false;
		case '!':
			return false;
		default:
			break;
		}
	}
	return true;
}

static UNUSED void serve(int lfd, FILE *out, const char *text)
{
	struct str script = str_of(text), rest;
	struct child c = {.log = out};
	int one = 1;
	static char line[1 << 16];
	ptrdiff_t at;

	alarm(30);
	while (script.n > 0) {
		c.fd = accept(lfd, NULL, NULL);
		setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		c.in = fdopen(c.fd, "r");
		rest = script;
		if (play(&c, &rest))
			while (hear(&c, line, sizeof(line)))
				if (strcmp(line, "QUIT") == 0)
					say(&c, STR("221 bye"), false);
		fclose(c.in);
		at = str_find(script, STR("\n--\n"));
		script = at < 0 ? STR_NONE
				: str_sub(script, (size_t)at + 4, script.n);
	}
	fclose(c.log);
	/* No report about the parent's memory, which is not ours to free. */
	raise(SIGKILL);
}

static UNUSED struct server server_new(const char *script)
{
	struct server s = {0};
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	int lfd = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(lfd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    listen(lfd, 4) != 0 ||
	    getsockname(lfd, (struct sockaddr *)&sa, &len) != 0)
		abort();
	s.log = tmpfile();
	s.port = ntohs(sa.sin_port);
	fflush(stdout);
	s.pid = fork();
	if (s.pid == 0)
		serve(lfd, s.log, script);
	close(lfd);
	return s;
}

/* Waits for its end; what it heard stays in s->heard. */
static UNUSED void server_end(struct server *s)
{
	size_t n;

	waitpid(s->pid, NULL, 0);
	rewind(s->log);
	do {
		n = fread(buf_room(&s->heard, 65536), 1, 65536, s->log);
		s->heard.n += n;
	} while (n > 0);
	fclose(s->log);
	if (str_find(buf_view(&s->heard), STR("!!")) >= 0) {
		test_bad++;
		printf("# the server heard:\n");
		for (struct str r = buf_view(&s->heard), l; str_line(&r, &l);)
			if (!str_starts(l, "aaaa"))
				printf("#   %.*s\n", STR_ARG(l));
	}
}

static UNUSED bool heard(struct server *s, const char *what)
{
	return str_find(buf_view(&s->heard), str_of(what)) >= 0;
}

/* --- a message ------------------------------------------------------------ */

struct mail {
	struct smtp_msg m;
	struct smtp_rcpt r[4];
	struct str body;
	size_t at;
	int before;  /* calls of before_data */
	int fail_at; /* read() fails there; 0: never */
	bool fail_before;
};

static UNUSED ssize_t mail_read(void *ctx, char *p, size_t n, struct coi_err *e)
{
	struct mail *m = ctx;
	struct str s = str_sub(m->body, m->at, n);

	if (m->fail_at > 0 && m->at >= (size_t)m->fail_at)
		return err_set(e, COI_E_IO, "disk on fire");
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	m->at += s.n;
	return (ssize_t)s.n;
}

static UNUSED int mail_before(void *ctx, struct coi_err *e)
{
	struct mail *m = ctx;

	m->before++;
	return m->fail_before ? err_set(e, COI_E_OS, "no room") : 0;
}

static UNUSED void mail_new(struct mail *m, struct str body, const char *rcpts)
{
	struct str rest = str_of(rcpts);

	*m = (struct mail){.body = body};
	m->m.from = STR("me@example.org");
	m->m.rcpts = m->r;
	while (rest.n > 0)
		m->r[m->m.nrcpts++].email = str_split(&rest, ' ');
	m->m.size = body.n;
	m->m.read = mail_read;
	m->m.before_data = mail_before;
	m->m.ctx = m;
}

static UNUSED struct smtp_opts opts(const struct server *s)
{
	struct smtp_opts o = {0};

	o.net.host = "127.0.0.1";
	o.net.port = s->port;
	o.net.tls = NET_TLS_OFF;
	o.net.io_ms = 3000;
	o.net.trace_fd = getenv("TRACE") != NULL ? 2 : -1;
	o.net.label = "smtp";
	o.net.cancel_fd = -1;
	return o;
}

#define HELLO(ext) "> 220 hi\n< EHLO ?127.0.0.1?\n> 250-me\n" ext
#define FULL                                                       \
	HELLO("> 250-PIPELINING\n> 250-CHUNKING\n> 250-8BITMIME\n" \
	      "> 250-SIZE 3000000\n> 250-SMTPUTF8\n> 250-DSN\n"    \
	      "> 250 ENHANCEDSTATUSCODES\n")
#define DATA HELLO("> 250-PIPELINING\n> 250 SIZE\n")
#define PLAIN HELLO("> 250 HELP\n")
#define BODY "Subject: x\r\n\r\n.hi\r\n" /* 19 octets */

/* One message on one connection: what smtp_send said. */
static UNUSED int once(const char *script, struct smtp_opts *extra,
		       struct mail *m, struct arena *a, struct server *s,
		       struct coi_err *e, bool *usable)
{
	struct smtp_opts o;
	struct smtp *c;
	int rc = -2;

	*s = server_new(script);
	o = opts(s);
	if (extra != NULL) {
		o.lmtp = extra->lmtp;
		o.window = extra->window;
		if (extra->net.io_ms > 0)
			o.net.io_ms = extra->net.io_ms;
	}
	c = smtp_open(&o, e);
	if (c != NULL) {
		rc = smtp_send(c, a, &m->m, e);
		if (usable != NULL)
			*usable = smtp_usable(c);
		smtp_close(c);
	}
	server_end(s);
	return rc;
}

#define TAKEN(n) \
	"< MAIL*\n< RCPT*\n< BDAT*\n= " n "\n> 250 s\n> 250 r\n> 250 ok " n "\n"

#define PUT "< RSET\n< MAIL*\n< RCPT*\n< BDAT*\n= 19\n"

static UNUSED char *big_body(size_t n)
{
	char *p = mem_alloc(n + 1);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'a';
	return p;
}

#endif
