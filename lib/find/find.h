/*
 * Where are the mail servers of an address?  SRV records (RFC 6186, 8314),
 * then the provider's autoconfig over https.  Nothing is logged in to.
 */
#ifndef FIND_FIND_H
#define FIND_FIND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/str.h"
#include "net/conn.h"

struct find_opts {
	struct str email;	 /* addr_valid() */
	const char *ca_file;	 /* for https, instead of the system's trust */
	bool ispdb;		 /* ask Mozilla's database as well */
	int timeout_ms;		 /* all together; 0: 30000 */
	int family;		 /* 0, 4 or 6: for https */
	int trace_fd, cancel_fd; /* -1: none */
	uint16_t https_port;	 /* for tests: where port 443 is; 0: there */
};

enum find_login {
	FIND_UNKNOWN, /* nothing was said */
	FIND_PASSWORD,
	FIND_OAUTH2,
	FIND_CERT,
	FIND_NO_LOGIN,
};

struct find_server {
	bool found;
	bool refused; /* the domain says that there is none */
	bool outside; /* of the mail domain: a user has to agree */
	struct str host;
	uint16_t port;
	enum net_tls tls;  /* never OFF */
	struct str user;   /* STR_NONE: not said */
	bool user_unknown; /* said, but in a form only a user can fill */
	enum find_login login;
	struct str origin; /* "SRV _imaps._tcp.example.org", or a URL */
};

struct find_result {
	struct str domain; /* in A-labels, small letters */
	struct find_server imap, smtp;
	struct coi_err trouble; /* the worst that went wrong on the way */
};

/*
 * 0 when at least one of the two was found.  Else -1: COI_E_UNAVAILABLE
 * nothing is published, COI_E_TEMP no answer in time, COI_E_TLS a certificate
 * or an offer without TLS, COI_E_PROTOCOL an answer that is broken,
 * COI_E_CONFIG the ca-file, COI_E_DATA an address without a domain name.
 * Strings live in the arena.
 */
int find_servers(struct arena *a, const struct find_opts *o,
		 struct find_result *r, struct coi_err *e);

#endif
