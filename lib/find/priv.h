/* What the files of lib/find share. */
#ifndef FIND_PRIV_H
#define FIND_PRIV_H

#include "find/find.h"
#include "net/srv.h"

/* Letters, digits, "-" and "_" in labels of 1 to 63, at most 253 octets. */
bool find_is_host(struct str name);
/* The domain itself, or a name below it. */
bool find_is_inside(struct str name, struct str domain);

/* One line for the trace ("dns C: ..."), and for -v. */
void find_note(const struct find_opts *o, const char *label, char dir,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * GET of an https URL: verified, no proxy, no cookie, a bounded number of
 * redirects, none of them away from https.  `body` gets at most `max` octets;
 * *final is the URL that answered.  COI_E_UNAVAILABLE when there is no such
 * host or page, COI_E_TLS, COI_E_TEMP, COI_E_PROTOCOL, COI_E_CONFIG (ca-file).
 */
int find_get(struct arena *a, const struct find_opts *o, const char *url,
	     size_t max, const struct net_until *u, struct buf *body,
	     struct str *final, struct coi_err *e);
/* Appends s as it stands in the query of a URL. */
void find_escape(struct buf *b, struct str s);

#endif
