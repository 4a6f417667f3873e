/*
 * The floor of a fetch: a TLS socket, one UID FETCH, everything discarded.
 *
 *   floor [-r FILE] [-i ITEMS] PORT CA-FILE USER PASSWORD MAILBOX
 *   floor -w PORT CA-FILE USER PASSWORD MAILBOX
 *
 * Prints "MESSAGES OCTETS".  -r: keeps the answer, without its last line, for
 * replay.c.  -w: IDLE, and a line for each EXISTS until it is killed.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "sock.h"

#define ROOM (256 * 1024)
#define LINE (64 * 1024)

struct reader {
	SSL *ssl;
	char buf[ROOM], line[LINE];
	size_t at, n, line_n;
	uint64_t literal, octets, messages;
	FILE *keep;
};

static void more(struct reader *r)
{
	int k = SSL_read(r->ssl, r->buf, ROOM);

	if (k <= 0)
		die("the server closed the connection");
	r->at = 0;
	r->n = (size_t)k;
	r->octets += (size_t)k;
}

static void skip_literal(struct reader *r)
{
	size_t k = r->n - r->at;

	if (k > r->literal)
		k = (size_t)r->literal;
	if (r->keep != NULL)
		fwrite(r->buf + r->at, 1, k, r->keep);
	r->at += k;
	r->literal -= k;
}

/* {N} at the end of a line, without its CRLF. */
static uint64_t announced(const struct reader *r)
{
	size_t i = r->line_n;

	if (i < 3 || r->line[i - 1] != '}')
		return 0;
	for (i--; i > 0 && r->line[i - 1] >= '0' && r->line[i - 1] <= '9';)
		i--;
	if (i == 0 || r->line[i - 1] != '{')
		return 0;
	return strtoull(r->line + i, NULL, 10);
}

/* One line, with the literals in it skipped; its first piece in `line`. */
static void response(struct reader *r, char *first, size_t cap)
{
	bool begun = false;

	for (;;) {
		char *lf;
		size_t k;

		while (r->literal > 0) {
			if (r->at == r->n)
				more(r);
			skip_literal(r);
		}
		if (r->at == r->n)
			more(r);
		lf = memchr(r->buf + r->at, '\n', r->n - r->at);
		k = (lf != NULL ? (size_t)(lf + 1 - r->buf) : r->n) - r->at;
		if (r->line_n + k >= LINE)
			die("line too long");
		memcpy(r->line + r->line_n, r->buf + r->at, k);
		r->line_n += k;
		r->at += k;
		if (lf == NULL)
			continue;
		if (r->keep != NULL && r->line[0] != 'F')
			fwrite(r->line, 1, r->line_n, r->keep);
		r->line_n -= r->line_n > 1 && r->line[r->line_n - 2] == '\r'
				 ? 2
				 : 1;
		r->line[r->line_n] = '\0';
		if (!begun)
			snprintf(first, cap, "%.*s", (int)cap - 1, r->line);
		begun = true;
		r->literal = announced(r);
		r->line_n = 0;
		if (r->literal == 0)
			return;
	}
}

static void command(struct reader *r, const char *text)
{
	char first[256], out[1024];
	int n = snprintf(out, sizeof(out), "F %s\r\n", text);

	if (n < 0 || (size_t)n >= sizeof(out) || SSL_write(r->ssl, out, n) != n)
		die("write");
	do {
		response(r, first, sizeof(first));
		if (strncmp(first, "* ", 2) == 0 &&
		    strstr(first, " FETCH (") != NULL)
			r->messages++;
	} while (strncmp(first, "F ", 2) != 0);
	if (strncmp(first, "F OK", 4) != 0) {
		fprintf(stderr, "%s\n", first);
		exit(1);
	}
}

__attribute__((noreturn)) static void watch(struct reader *r)
{
	char first[256];

	SSL_write(r->ssl, "F IDLE\r\n", 8);
	for (;;) {
		response(r, first, sizeof(first));
		if (first[0] != '+' && strstr(first, " EXISTS") == NULL)
			continue;
		printf("%s\n", first);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const char *keep = NULL, *items = "UID FLAGS BODY.PEEK[]";
	bool idle = false;
	struct reader *r = calloc(1, sizeof(*r));
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char text[512];
	int c;

	while ((c = getopt(argc, argv, "r:i:w")) != -1)
		if (c == 'r')
			keep = optarg;
		else if (c == 'i')
			items = optarg;
		else if (c == 'w')
			idle = true;
		else
			return 64;
	if (argc - optind != 5 || r == NULL || ctx == NULL)
		return 64;
	argv += optind;
	if (SSL_CTX_load_verify_locations(ctx, argv[1], NULL) != 1)
		die("%s", argv[1]);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	r->ssl = SSL_new(ctx);
	SSL_set_fd(r->ssl, sock_connect((unsigned)strtoul(argv[0], NULL, 10)));
	if (SSL_connect(r->ssl) != 1) {
		ERR_print_errors_fp(stderr);
		return 1;
	}
	response(r, text, sizeof(text));
	snprintf(text, sizeof(text), "LOGIN %s %s", argv[2], argv[3]);
	command(r, text);
	snprintf(text, sizeof(text), "EXAMINE \"%s\"", argv[4]);
	command(r, text);
	if (idle)
		watch(r);
	r->messages = 0;
	if (keep != NULL && (r->keep = fopen(keep, "w")) == NULL)
		die("%s", keep);
	snprintf(text, sizeof(text), "UID FETCH 1:* (%s)", items);
	command(r, text);
	if (r->keep != NULL && fclose(r->keep) != 0)
		die("%s", keep);
	r->keep = NULL;
	printf("%llu %llu\n", (unsigned long long)r->messages,
	       (unsigned long long)r->octets);
	SSL_write(r->ssl, "F LOGOUT\r\n", 10);
	return 0;
}
