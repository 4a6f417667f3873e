/* One connection of the scripted peer: plain or TLS, blocking. */
#ifndef PEER_WIRE_H
#define PEER_WIRE_H

#include <stdbool.h>

#include "core/str.h"

struct wire {
	int fd;
	struct ssl_st *ssl;
	struct buf in; /* read, [at, n) not yet taken */
	size_t at;
	FILE *log;
	bool watch; /* leave when stdin, a pipe, is closed */
	bool over;  /* the client is gone */
};

struct tls_files {
	const char *cert, *key;
	const char *max; /* "1.0" ... "1.3", or NULL */
};

bool wire_tls(struct wire *w, const struct tls_files *f);
/* A line without its end, valid until the next read; false at the end. */
bool wire_line(struct wire *w, struct str *line);
/* Reads n octets away; false at the end. */
bool wire_skip(struct wire *w, unsigned long long n);
void wire_send(struct wire *w, struct str s);
/* Ends it: reset, or in good order (the client may still be talking). */
void wire_close(struct wire *w, bool reset);
void wire_log(struct wire *w, const char *what, struct str s);

#endif
