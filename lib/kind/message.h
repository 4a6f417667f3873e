/* One COI message as the JSON format has it (coi-json(5)), in an arena. */
#ifndef KIND_MESSAGE_H
#define KIND_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/mem.h"
#include "fmt/addr.h"

struct coi_kind;

/* Content of an attachment is exactly one of path, data, section. */
struct blob {
	struct str type; /* "image/jpeg", lower case */
	struct str name;
	int64_t size;		/* decoded octets, -1: unknown */
	struct str disposition; /* "inline", "attachment", ... */
	struct str cid;		/* without <> */
	struct str path;
	struct str data;    /* raw octets (base64 in JSON) */
	struct str section; /* IMAP part number */
	struct blob *preview;
};

struct raw_header {
	struct str name, value;
};

struct ids {
	struct str *v;
	size_t n;
};

struct message {
	const struct coi_kind *kind; /* NULL: "message" */
	struct str id;		     /* without <> */
	int64_t sent_at;	     /* INT64_MIN: not given */
	struct addr from;	     /* email absent: not given */
	struct addr_list to, cc, bcc, reply_to;
	struct str subject;
	struct str in_reply_to;
	struct ids references;
	struct str target_id;
	struct str group_id, group_name;
	struct str text, full_text, html, markdown;
	struct blob *attachments;
	size_t nattachments, attachments_cap;
	bool receipt_requested;
	/* Auto-Submitted (RFC 3834): what to say of it when sent. */
	struct str auto_submitted;
	struct str chat_content;
	int encrypted; /* -1 not given, 0, 1 */
	int is_signed; /* -1 not given, 0, 1 */
	struct raw_header *headers;
	size_t nheaders, headers_cap;

	struct {
		bool given;
		struct str mailbox; /* UTF-8 */
		uint32_t uid, uid_validity;
		uint64_t mod_seq; /* 0: unknown */
		struct str *flags;
		size_t nflags;
		bool have_flags;
		int64_t received_at; /* INT64_MIN: unknown */
		int64_t size;	     /* -1: unknown */
	} imap;

	struct {
		bool given;
		bool chat;
		bool by_version, by_id, by_references, by_thread;
		struct str chat_version; /* "1.0", or absent (null) */
		struct str conversation; /* "mail:..", "group:..", ... */
		bool from_me;
		struct str auto_submitted; /* absent: by a person */
		struct str account;	   /* of the configuration; coi-watch */
		struct str *warnings;
		size_t nwarnings, warnings_cap;
	} meta;
};

void message_init(struct message *m); /* all "not given" */
void message_warn(struct arena *a, struct message *m, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
struct blob *message_attach(struct arena *a, struct message *m);

/* A header that the composer or a server writes: `headers` may not name it. */
bool message_header_ours(struct str name);
bool message_header_name(struct str name); /* RFC 5322 field name */

/* Appends the record and LF, in the key order of coi-json(5). */
void message_json(struct buf *out, const struct message *m);

struct coi_err;
/*
 * Reads one JSON line.  Unknown keys are COI_E_DATA naming the key, unless
 * `lax` (dropped).  imap and meta are ignored.  Strings live in the arena.
 * `needs`: what the kind lacks is an error too.
 */
int message_from_json(struct arena *a, struct str line, bool lax,
		      struct message *m, struct coi_err *e);
/* As message_from_json() when `lax`, of a record that need not be fit to be
 * sent, such as one that coi-fetch printed. */
int message_read_json(struct arena *a, struct str line, struct message *m,
		      struct coi_err *e);

#endif
