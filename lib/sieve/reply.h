/* ManageSieve: one line of a server, strings and literals in it (RFC 5804 4),
 * streaming. */
#ifndef SIEVE_REPLY_H
#define SIEVE_REPLY_H

#include <stdbool.h>

#include "core/str.h"

#define SIEVE_WORDS 16 /* more in one line are left out */

struct sieve_word {
	bool string;   /* quoted or a literal; else an atom */
	size_t at, n;  /* in text */
	unsigned deep; /* inside this many parentheses */
};

/* Zero-initialise; sieve_line_reset() before the next one. */
struct sieve_line {
	struct buf text; /* of all words, one behind the other */
	struct sieve_word v[SIEVE_WORDS];
	size_t n;
	const char *fault; /* after -1: what the server sent */
	/* the reader's state */
	int state;
	bool many; /* words were left out */
	unsigned deep;
	size_t octets; /* seen, but those of literals */
	size_t at;     /* the word being read */
	uint64_t left; /* of the literal */
};

/*
 * Takes octets until the line is complete: 1; 0: more is needed; -1: this is
 * no ManageSieve.  *used octets are done with.
 */
int sieve_line_feed(struct sieve_line *l, struct str in, size_t *used);
void sieve_line_reset(struct sieve_line *l); /* keeps the memory */
void sieve_line_free(struct sieve_line *l);
/* Absent when there are not so many. */
struct str sieve_line_word(const struct sieve_line *l, size_t i);

enum sieve_status { SIEVE_DATA, SIEVE_OK, SIEVE_NO, SIEVE_BYE };

/* What ends a response: OK, NO or BYE (SIEVE_DATA: none of these). */
enum sieve_status sieve_line_status(const struct sieve_line *l);
/* "QUOTA/MAXSCRIPTS" of NO (QUOTA/MAXSCRIPTS) "..."; absent. */
struct str sieve_line_code(const struct sieve_line *l);
/* The string behind the code's name, as in (SASL "..."); absent. */
struct str sieve_line_argument(const struct sieve_line *l);
/* The server's own words; absent. */
struct str sieve_line_words(const struct sieve_line *l);

#endif
