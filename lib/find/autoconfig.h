/*
 * The XML by which a provider says how to reach its servers ("autoconfig",
 * config-v1.1).  There is no standard; the description is Mozilla's, and a
 * draft: draft-ietf-mailmaint-autoconfig.
 */
#ifndef FIND_AUTOCONFIG_H
#define FIND_AUTOCONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/str.h"

enum auto_socket { AUTO_SSL, AUTO_STARTTLS, AUTO_PLAIN, AUTO_OTHER };

/* Ways to log in, as bits. */
enum auto_login {
	AUTO_PASSWORD = 1,
	AUTO_OAUTH2 = 2,
	AUTO_CERT = 4,
	AUTO_NONE = 8,	 /* no login, or known by the address of the client */
	AUTO_ALIEN = 16, /* NTLM, Kerberos, and words unknown */
};

struct auto_server {
	bool smtp;	       /* else imap; others are left out */
	struct str host, user; /* raw: with placeholders; STR_NONE: not said */
	uint16_t port;	       /* 0: not said, or no port number */
	enum auto_socket socket;
	unsigned login;
};

struct autoconfig {
	struct auto_server *v;
	size_t n;
};

/*
 * Reads a whole document, in UTF-8, UTF-16, Latin-1 or ASCII.  Strings are
 * UTF-8 in the arena, trimmed.  COI_E_PROTOCOL for what is no such document,
 * has a DTD (so there are no entities to expand), or is over a limit.
 */
int autoconfig_parse(struct arena *a, struct str xml, struct autoconfig *out,
		     struct coi_err *e);

/*
 * Puts the address into %EMAILADDRESS%, %EMAILLOCALPART% and %EMAILDOMAIN%.
 * STR_NONE when another placeholder is left, or a control character.
 */
struct str autoconfig_fill(struct arena *a, struct str raw, struct str email);

#endif
