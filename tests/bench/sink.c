/*
 * An SMTP server that takes everything and keeps nothing.
 *
 *   sink
 *
 * PIPELINING, CHUNKING, AUTH PLAIN, in the clear.  Replies leave when all that
 * came has been looked at.  A line "MESSAGES OCTETS" for each connection.
 */
#include <strings.h>

#include "sock.h"

struct session {
	int fd;
	char in[65536], out[65536];
	size_t at, n, out_n;
	uint64_t messages, octets;
	bool from, rcpt, any;
};

static bool more(struct session *s)
{
	ssize_t k;

	if (s->out_n > 0 && sock_write(s->fd, s->out, s->out_n) < 0)
		return false;
	s->out_n = 0;
	if (s->at > 0) {
		s->n -= s->at;
		memmove(s->in, s->in + s->at, s->n);
		s->at = 0;
	}
	if (s->n == sizeof(s->in))
		return false;
	k = read(s->fd, s->in + s->n, sizeof(s->in) - s->n);
	if (k <= 0)
		return false;
	s->n += (size_t)k;
	return true;
}

static bool say(struct session *s, const char *text)
{
	size_t n = strlen(text);

	if (s->out_n + n > sizeof(s->out))
		return false;
	memcpy(s->out + s->out_n, text, n);
	s->out_n += n;
	return true;
}

/* The next line without its CRLF; NULL: the link is gone. */
static char *line(struct session *s)
{
	char *lf, *p;

	while ((lf = memchr(s->in + s->at, '\n', s->n - s->at)) == NULL)
		if (!more(s))
			return NULL;
	p = s->in + s->at;
	s->at = (size_t)(lf + 1 - s->in);
	*lf = '\0';
	if (lf > p && lf[-1] == '\r')
		lf[-1] = '\0';
	return p;
}

static bool take(struct session *s, uint64_t octets)
{
	while (octets > 0) {
		uint64_t k = s->n - s->at;

		if (k == 0) {
			if (!more(s))
				return false;
			continue;
		}
		if (k > octets)
			k = octets;
		s->at += (size_t)k;
		s->octets += k;
		octets -= k;
		s->any = true;
	}
	return true;
}

static bool data(struct session *s)
{
	char *p;

	if (!say(s, "354 go on\r\n"))
		return false;
	while ((p = line(s)) != NULL) {
		if (strcmp(p, ".") == 0)
			return true;
		s->octets += strlen(p) + 2;
		s->any = true;
	}
	return false;
}

static bool finished(struct session *s)
{
	bool ok = s->from && s->rcpt && s->any;

	s->messages += ok;
	s->from = s->rcpt = s->any = false;
	return say(s, ok ? "250 2.0.0 taken\r\n" : "503 5.5.1 of what\r\n");
}

static bool command(struct session *s, char *p)
{
	if (strncasecmp(p, "EHLO", 4) == 0)
		return say(s, "250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n"
			      "250-8BITMIME\r\n250-SMTPUTF8\r\n"
			      "250-SIZE 100000000\r\n"
			      "250-ENHANCEDSTATUSCODES\r\n"
			      "250 AUTH PLAIN\r\n");
	if (strncasecmp(p, "AUTH", 4) == 0)
		return say(s, "235 2.7.0 welcome\r\n");
	if (strncasecmp(p, "RSET", 4) == 0) {
		s->from = s->rcpt = s->any = false;
		return say(s, "250 2.0.0 forgotten\r\n");
	}
	if (strncasecmp(p, "MAIL", 4) == 0) {
		s->from = true;
		return say(s, "250 2.1.0 go on\r\n");
	}
	if (strncasecmp(p, "RCPT", 4) == 0) {
		s->rcpt = true;
		return say(s, "250 2.1.5 go on\r\n");
	}
	if (strncasecmp(p, "BDAT ", 5) == 0) {
		char *end;
		uint64_t n = strtoull(p + 5, &end, 10);
		bool last = strcasecmp(end, " LAST") == 0;

		if (!take(s, n))
			return false;
		return last ? finished(s) : say(s, "250 2.0.0 more\r\n");
	}
	if (strncasecmp(p, "DATA", 4) == 0)
		return data(s) && finished(s);
	if (strncasecmp(p, "QUIT", 4) == 0) {
		say(s, "221 2.0.0 bye\r\n");
		sock_write(s->fd, s->out, s->out_n);
		return false;
	}
	return say(s, "250 2.0.0 well\r\n");
}

int main(void)
{
	static struct session s;
	int lfd = sock_listen();

	for (;;) {
		char *p;

		s.at = s.n = s.out_n = 0;
		s.messages = s.octets = 0;
		s.from = s.rcpt = s.any = false;
		s.fd = sock_accept(lfd);
		say(&s, "220 sink ESMTP\r\n");
		while ((p = line(&s)) != NULL && command(&s, p))
			;
		close(s.fd);
		printf("%llu %llu\n", (unsigned long long)s.messages,
		       (unsigned long long)s.octets);
		fflush(stdout);
	}
}
