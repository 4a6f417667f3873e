/* What the files of the decoder share. */
#ifndef COI_DECODE_PRIV_H
#define COI_DECODE_PRIV_H

#include "coi/decode.h"

enum role {
	ROLE_SKIP,
	ROLE_TEXT,
	ROLE_HTML,
	ROLE_MARKDOWN,
	ROLE_ATTACHMENT,
	ROLE_PREVIEW
};

/* A leaf while it is read; hangs on mime_part.user. */
struct part {
	struct mime_part *p;
	enum role role;
	struct enc_dec dec;
	struct blob *blob; /* previews only; others by index */
	size_t index;	   /* SIZE_MAX: a preview */
	int fd;		   /* file being saved, or -1 */
	bool absent;	   /* content not fetched */
	bool dropped;	   /* too large, the rest is not kept */
	uint64_t octets;   /* encoded */
	uint64_t size;	   /* decoded */
};

struct decoder {
	const struct decode_opts *o;
	struct arena *a;
	struct message *m;
	struct mime *mime;
	struct buf raw; /* decoded octets of the current leaf */
	struct buf text, html, markdown;
	struct buf utf8, joined; /* steps in between */
	struct buf shape;	 /* types and sizes, for the identity */
	struct blob *preview;	 /* waits for its full part */
	size_t last_index;
	bool have_text, unreadable, absent, by_parts;
	struct str list_id, original_id;
	struct str delta_group, delta_name; /* Chat-Group-ID, -Name */
	struct str *saved;
	size_t nsaved, saved_cap;
	void *md;
	unsigned char identity[32];
};

/* decode_head.c: the header block of the message itself. */
void decode_head(struct decoder *d, struct str block);

/* decode_part.c: what the MIME reader calls. */
int decode_part_begin(void *ctx, struct mime_part *p, struct coi_err *e);
int decode_part_body(void *ctx, struct mime_part *p, struct str raw,
		     struct coi_err *e);
int decode_part_end(void *ctx, struct mime_part *p, struct coi_err *e);
struct blob *decode_blob(struct decoder *d, struct part *x);

/* classify.c: chat or not, whose conversation. */
void message_classify_with(struct decoder *d, struct message *m);

#endif
