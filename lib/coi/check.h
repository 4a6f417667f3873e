/* Does the account work?  Logs in to both servers. */
#ifndef COI_CHECK_H
#define COI_CHECK_H

#include "coi/account.h"

struct check_line {
	struct str name; /* "smtp", "imap" */
	bool ok;
	struct str text; /* what works, or what is wrong */
};

struct check_result {
	struct arena *arena;
	struct check_line *v;
	size_t n, cap;
	bool failed;
	struct coi_err first;
};

int check_account(struct account *ac, const struct account_net *net,
		  struct check_result *r, struct coi_err *e);
void check_print(struct buf *out, const struct check_result *r, bool json);
void check_free(struct check_result *r);

#endif
