/* Reading a JSON record into a message: what its files share. */
#ifndef KIND_IN_H
#define KIND_IN_H

#include <jansson.h>

#include "core/err.h"
#include "kind/message.h"

struct in {
	struct arena *a;
	struct message *m;
	struct coi_err *e;
	struct buf path; /* "attachments[1].preview", for messages */
	bool lax;
};

/* All return -1 with the error set, naming the place in the record. */
int in_bad(struct in *in, const char *why);
int in_wrong_type(struct in *in, const json_t *v, const char *want);
/* 0 when lax; `known` ends with NULL. */
int in_unknown_key(struct in *in, const char *key, size_t n,
		   const char *const *known);
int in_later(struct in *in, const char *key, size_t n);

/* Goes down one step; in->path.n = what it returned goes back up. */
size_t in_push(struct in *in, const char *key, size_t n);
size_t in_push_index(struct in *in, size_t i);

const char *in_type_name(const json_t *v);
/* JMAP's list of one stands for its element. */
json_t *in_scalar(json_t *v);

int in_str(struct in *in, json_t *v, struct str *out);
int in_bool(struct in *in, json_t *v, bool *out);
int in_id(struct in *in, json_t *v, struct str *out);
int in_ids(struct in *in, json_t *v, struct ids *out);
int in_date(struct in *in, json_t *v, int64_t *out);
int in_addr(struct in *in, json_t *v, bool check, struct addr *out);
int in_addrs(struct in *in, json_t *v, struct addr_list *out);
int in_group(struct in *in, json_t *v);
int in_blobs(struct in *in, json_t *v);
int in_headers(struct in *in, json_t *v);

#endif
