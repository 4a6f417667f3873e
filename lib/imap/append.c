/* APPEND, streamed; APPENDUID (RFC 4315). */
#include "fmt/date.h"
#include "imap/priv.h"

#define CHUNK ((size_t)64 * 1024)
/* Beyond this a refusal before the octets is worth a round trip. */
#define UNASKED ((uint64_t)1024 * 1024)

void append_code(struct imap *im, struct str name, struct imap_cur *c)
{
	uint32_t validity, uid;

	if (im->want.append_uid == NULL || !str_iis(name, "APPENDUID"))
		return;
	if (!cur_u32(c, &validity) || !cur_sp(c) || !cur_u32(c, &uid))
		return;
	*im->want.append_validity = validity;
	*im->want.append_uid = uid;
}

static int body(struct imap *im, uint64_t size,
		ssize_t (*read)(void *ctx, char *p, size_t n,
				struct coi_err *e),
		void *ctx, struct coi_err *e)
{
	struct buf b = {0};
	uint64_t left = size;
	size_t want;
	ssize_t n;
	int rc = -1;

	buf_room(&b, CHUNK);
	while (left > 0) {
		want = left < CHUNK ? (size_t)left : CHUNK;
		n = read(ctx, b.p, want, e);
		if (n <= 0 || (size_t)n > want) {
			if (n >= 0)
				err_set(e, COI_E_IO,
					"the message is not as long as said");
			/* Half a literal is sent: there is no way back. */
			im->dead = true;
			goto out;
		}
		im->io.deadline(im->io_ctx, 0);
		if (imap_put(im, (struct str){b.p, (size_t)n}, e) < 0)
			goto out;
		left -= (uint64_t)n;
	}
	rc = imap_put(im, STR("\r\n"), e);
	im->io.deadline(im->io_ctx, 0);
out:
	buf_free(&b);
	return rc;
}

static bool clean(struct str s)
{
	return str_chr(s, '\r') < 0 && str_chr(s, '\n') < 0 &&
	       str_chr(s, '\0') < 0 && str_chr(s, ')') < 0;
}

int imap_append(struct imap *im, struct str mailbox, struct str flags,
		int64_t internal_date, uint64_t size,
		ssize_t (*read)(void *ctx, char *p, size_t n,
				struct coi_err *e),
		void *ctx, uint32_t *uid_validity, uint32_t *uid,
		struct coi_err *e)
{
	bool ask = size > UNASKED || !imap_literal_ok(im, size);
	struct buf b = {0};
	uint32_t tag, v, u;
	int rc = imap_begin(im, "append", e);

	im->want.append_validity = uid_validity != NULL ? uid_validity : &v;
	im->want.append_uid = uid != NULL ? uid : &u;
	*im->want.append_validity = *im->want.append_uid = 0;
	if (rc == 0 && !clean(flags))
		rc = err_set(e, COI_E_DATA, "flags that cannot be written");
	if (rc < 0)
		goto out;
	rc = -1;
	tag = imap_tag_new(im, "APPEND", &b);
	buf_z(&b, "APPEND ");
	if (imap_put_mailbox(im, &b, mailbox, e) < 0) {
		/* Nothing of it was written. */
		im->next--;
		goto out;
	}
	if (flags.n > 0)
		buf_fmt(&b, " (%.*s)", STR_ARG(flags));
	if (internal_date != 0) {
		buf_z(&b, " \"");
		date_write_imap(&b, internal_date);
		buf_c(&b, '"');
	}
	buf_fmt(&b, " {%llu%s}\r\n", (unsigned long long)size, ask ? "" : "+");
	if (imap_put(im, buf_view(&b), e) < 0)
		goto out;
	rc = ask ? imap_wait_literal(im, tag, e) : 1;
	if (rc > 0)
		rc = body(im, size, read, ctx, e);
	if (rc == 0)
		rc = imap_done(im, tag, e);
	if (rc < 0)
		err_ctx(e, "mailbox \"%.*s\"",
			STR_ARG(str_sub(mailbox, 0, 150)));
out:
	buf_free(&b);
	return imap_end(im, rc, e);
}
