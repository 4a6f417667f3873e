/* JSON writer: straight into a buffer, no tree (RFC 8259). */
#ifndef FMT_JSON_H
#define FMT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

/* Writes into a caller-owned buffer; commas are put by the writer. */
struct json {
	struct buf *out;
	bool comma;
};

void json_begin(struct json *j, struct buf *out);
void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_key(struct json *j, const char *key);
/* Invalid UTF-8 becomes U+FFFD; controls, quotes and backslash escaped. */
void json_str(struct json *j, struct str s);
void json_int(struct json *j, int64_t v);
void json_num(struct json *j, double v); /* shortest that reads back */
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
void json_b64(struct json *j, struct str raw);
/* key + value; absent strings (p == NULL) write nothing. */
void json_kstr(struct json *j, const char *key, struct str s);
void json_kint(struct json *j, const char *key, int64_t v);
/* As a string: 63 bits do not survive a reader that uses doubles. */
void json_kdigits(struct json *j, const char *key, uint64_t v);
void json_kbool(struct json *j, const char *key, bool v);
void json_kdate(struct json *j, const char *key, int64_t unixtime);

#endif
