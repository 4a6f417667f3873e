/* The configuration file: sections of keys and values, with line numbers. */
#ifndef COI_CONFIG_H
#define COI_CONFIG_H

#include <stdbool.h>

#include "core/err.h"
#include "core/mem.h"

enum config_key {
	KEY_ADDRESS,
	KEY_NAME,
	KEY_IMAP_HOST,
	KEY_IMAP_PORT,
	KEY_IMAP_TLS,
	KEY_SMTP_HOST,
	KEY_SMTP_PORT,
	KEY_SMTP_TLS,
	KEY_SIEVE_HOST,
	KEY_SIEVE_PORT,
	KEY_SIEVE_TLS,
	KEY_USER,
	KEY_SMTP_USER,
	KEY_ALIASES,
	KEY_PASSWORD_COMMAND,
	KEY_TOKEN_COMMAND,
	KEY_PASSWORD_FILE,
	KEY_CLIENT_CERT,
	KEY_CLIENT_KEY,
	KEY_CA_FILE,
	KEY_PIN,
	KEY_ENCRYPT,
	KEY_SENT_FOLDER,
	KEY_AUTH,
	KEY_SMTP_WINDOW,
	KEY_MAX_SIZE,
	KEY_COMPRESS,
	KEY_TIMEOUT,
	KEY_MAX_CONNECTIONS,
	KEY_DEFAULT,
	KEY_MAX
};

/* One value and where it stands; file NULL: not given. */
struct config_value {
	struct str text;
	const char *file; /* or "environment" */
	const char *name; /* as the user wrote it: "imap-host", "COI_..." */
	unsigned line;	  /* 0: no line */
};

struct config_section {
	struct str name; /* STR_NONE: what stands before the first section */
	unsigned line;
	struct config_value v[KEY_MAX];
};

struct config {
	const char *file;
	struct config_section *v; /* v[0] is what stands before */
	size_t n;
};

/* "imap-host" of KEY_IMAP_HOST. */
const char *config_key_name(enum config_key k);

/*
 * `key = value` lines, `[account NAME]`, comments in lines that begin with
 * # or ;.  A value may stand in double quotes with \" \\ \t; else it is what
 * stands there, trimmed.  `pin` may be repeated (then blank-separated).
 * COI_E_CONFIG "FILE:LINE: ..." for all that is not so.  Strings live in the
 * arena; `file` is borrowed.
 */
int config_parse(struct arena *a, const char *file, struct str text,
		 struct config *out, struct coi_err *e);

/* COI_E_CONFIG, with "FILE:LINE: " or "COI_X: " in front. */
int config_bad(const struct config_value *v, struct coi_err *e, const char *fmt,
	       ...) __attribute__((format(printf, 3, 4)));

/* The word of the NULL-ended list nearest to s, if it is near enough. */
const char *config_nearest(struct str s, const char *const *words);

/* Appends the value as a file has it, in quotes where it needs them; it must be
 * UTF-8 without controls other than HTAB. */
void config_put_value(struct buf *b, struct str value);
/* Appends "KEY = VALUE" and a line end. */
void config_put(struct buf *b, const char *key, struct str value);

/*
 * Appends the section `text` ("[account NAME]" and its lines) to the file,
 * which is made 0600 when it is not there.  Nothing that stands there is
 * changed: COI_E_CONFIG when NAME is there already, or when the file is
 * broken before or would be after it.
 */
int config_add(const char *path, struct str name, struct str text,
	       struct coi_err *e);

/* Letters, digits and . _ -, 1 to 64, no dot or dash in front. */
bool config_name_ok(struct str name);

#endif
