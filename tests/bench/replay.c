/*
 * An IMAP server that has one answer to a FETCH, from memory: what is left is
 * the client.
 *
 *   replay FILE MESSAGES UIDVALIDITY
 *
 * FILE was recorded by floor.c.  In the clear, any login is welcome; one
 * connection after the other.
 */
#include <strings.h>

#include "sock.h"

struct answer {
	char *p;
	size_t n;
	unsigned long messages, validity;
};

#define CAPS "IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN CONDSTORE"

static void load(struct answer *a, const char *path)
{
	FILE *f = fopen(path, "r");
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) < 0)
		die("%s", path);
	a->n = (size_t)st.st_size;
	a->p = malloc(a->n + 1);
	if (a->p == NULL || fread(a->p, 1, a->n, f) != a->n)
		die("%s", path);
	fclose(f);
}

static int say(int fd, const char *text)
{
	return sock_write(fd, text, strlen(text));
}

static int done(int fd, const char *tag)
{
	return say(fd, tag) < 0 ? -1 : say(fd, " OK done\r\n");
}

static bool has(const char *line, const char *word)
{
	return strncasecmp(line, word, strlen(word)) == 0;
}

/* false: that was the goodbye. */
static bool answer(int fd, const struct answer *a, char *line)
{
	const char *tag = line;
	char out[512];
	char *cmd = strchr(line, ' ');
	char *name;

	if (cmd == NULL || cmd - line > 64)
		return false;
	*cmd++ = '\0';
	if (has(cmd, "LOGOUT")) {
		say(fd, "* BYE\r\n");
		done(fd, tag);
		return false;
	}
	if (has(cmd, "CAPABILITY") || has(cmd, "AUTHENTICATE") ||
	    has(cmd, "LOGIN")) {
		say(fd, "* CAPABILITY " CAPS "\r\n");
	} else if (has(cmd, "STATUS")) {
		name = strchr(cmd + 7, '(');
		if (name == NULL)
			return false;
		snprintf(out, sizeof(out),
			 "* STATUS %.*s(UIDNEXT %lu UIDVALIDITY %lu "
			 "MESSAGES %lu)\r\n",
			 (int)(name - (cmd + 7)), cmd + 7, a->messages + 1,
			 a->validity, a->messages);
		say(fd, out);
	} else if (has(cmd, "EXAMINE") || has(cmd, "SELECT")) {
		snprintf(out, sizeof(out),
			 "* %lu EXISTS\r\n* FLAGS (\\Seen)\r\n"
			 "* OK [UIDVALIDITY %lu] .\r\n* OK [UIDNEXT %lu] .\r\n",
			 a->messages, a->validity, a->messages + 1);
		say(fd, out);
	} else if (has(cmd, "LIST")) {
		say(fd, "* LIST () \"/\" INBOX\r\n");
	} else if (has(cmd, "UID SEARCH")) {
		say(fd, "* SEARCH\r\n");
	} else if (has(cmd, "UID FETCH")) {
		if (sock_write(fd, a->p, a->n) < 0)
			return false;
	}
	return done(fd, tag) == 0;
}

static void serve(int fd, const struct answer *a)
{
	char in[16384];
	size_t n = 0;
	ssize_t k;

	if (say(fd, "* OK [CAPABILITY " CAPS "] replay\r\n") < 0)
		return;
	while ((k = read(fd, in + n, sizeof(in) - 1 - n)) > 0) {
		char *lf, *at = in;

		n += (size_t)k;
		in[n] = '\0';
		while ((lf = memchr(at, '\n', n - (size_t)(at - in))) != NULL) {
			*lf = '\0';
			at[strcspn(at, "\r")] = '\0';
			if (!answer(fd, a, at))
				return;
			at = lf + 1;
		}
		n -= (size_t)(at - in);
		memmove(in, at, n);
	}
}

int main(int argc, char **argv)
{
	struct answer a = {0};
	int lfd;

	if (argc != 4)
		return 64;
	load(&a, argv[1]);
	a.messages = strtoul(argv[2], NULL, 10);
	a.validity = strtoul(argv[3], NULL, 10);
	lfd = sock_listen();
	for (;;) {
		int fd = sock_accept(lfd);

		serve(fd, &a);
		close(fd);
	}
}
