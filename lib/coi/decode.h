/*
 * From octets of a mail to a message: one pass, attachments streamed away,
 * what is unreadable told as a warning and never as a failure.
 */
#ifndef COI_DECODE_H
#define COI_DECODE_H

#include "core/err.h"
#include "fmt/mime.h"
#include "kind/message.h"

struct decode_opts {
	/* Is this address ours?  May be NULL. */
	bool (*is_me)(const void *ctx, struct str email);
	const void *is_me_ctx;
	int64_t max_size; /* attachments above stay a section; -1: no limit */
	const char *save_dir; /* NULL: do not save */
	int save_fd;	      /* its descriptor */
	bool inline_data;     /* content as base64 in the record */
	bool full;	      /* fullText, ignored parts */
	bool headers;	      /* other header fields */
	bool identity;	      /* make the identity hash */
	bool sections;	      /* content is elsewhere: name the section */
};

struct decoder;

/* The options are borrowed. */
struct decoder *decoder_new(const struct decode_opts *o);
void decoder_free(struct decoder *d);

/* Starts a message; all strings of *m will live in the arena. */
void decoder_begin(struct decoder *d, struct arena *a, struct message *m);
/* Octets of the whole message, in pieces ... */
int decoder_feed(struct decoder *d, struct str in, struct coi_err *e);
/* ... or all at once, when they stay until decoder_end(). */
int decoder_whole(struct decoder *d, struct str in, struct coi_err *e);
/*
 * ... or part by part: `header` of the message once, then each leaf with its
 * own header block; body octets as they come.  `octets`: encoded size of a
 * leaf that is not fetched (body is then not given), else -1.
 */
int decoder_message_header(struct decoder *d, struct str header,
			   struct coi_err *e);
int decoder_part_begin(struct decoder *d, struct str section,
		       struct mime_part *parent, struct str header,
		       int64_t octets, struct mime_part **out,
		       struct coi_err *e);
int decoder_part_body(struct decoder *d, struct mime_part *p, struct str raw,
		      struct coi_err *e);
int decoder_part_end(struct decoder *d, struct mime_part *p, struct coi_err *e);
/* Completes *m.  A negative return: the message was given up, files saved for
 * it are removed. */
int decoder_end(struct decoder *d, struct coi_err *e);
/* Gives up a message that was begun: files saved for it are removed. */
void decoder_drop(struct decoder *d);

/* Hash over id (without one: the header), From, Date, text and the shape of the
 * parts: the same mail gives the same value however it was fetched.  32 octets.
 */
struct str decoder_identity(const struct decoder *d);
/* The first References id, or In-Reply-To, else the id itself. */
struct str message_root(const struct message *m);

#endif
