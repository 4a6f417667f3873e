#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "coi/compose_in.h"
#include "kind/kind.h"

/* Each value goes in with its length, so that no two messages run together. */
struct sum {
	EVP_MD_CTX *ctx;
	bool failed;
};

static void sum_raw(struct sum *s, const void *p, size_t n)
{
	if (!s->failed && n > 0 && EVP_DigestUpdate(s->ctx, p, n) != 1)
		s->failed = true;
}

static void sum_u64(struct sum *s, uint64_t v)
{
	unsigned char raw[8];
	size_t i;

	for (i = 0; i < 8; i++)
		raw[i] = (unsigned char)(v >> (8 * i));
	sum_raw(s, raw, sizeof(raw));
}

static void sum_str(struct sum *s, const char *tag, struct str v)
{
	/* Absent and empty are the same on the wire. */
	if (v.n == 0)
		return;
	sum_raw(s, tag, strlen(tag) + 1);
	sum_u64(s, v.n);
	sum_raw(s, v.p, v.n);
}

static void sum_num(struct sum *s, const char *tag, uint64_t v)
{
	sum_raw(s, tag, strlen(tag) + 1);
	sum_u64(s, v);
}

static void sum_addrs(struct sum *s, const char *tag, const struct addr_list *l)
{
	size_t i;

	sum_num(s, tag, l->n);
	for (i = 0; i < l->n; i++) {
		sum_str(s, "name", l->v[i].name);
		sum_str(s, "email", l->v[i].email);
	}
}

static int sum_file(struct sum *s, const char *path, struct coi_err *e)
{
	struct stat st;
	char *raw = NULL;
	uint64_t total = 0;
	ssize_t k;
	int fd = part_open_file(path, &st, e);

	if (fd < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		err_set(e, COI_E_DATA,
			"%s is a pipe, whose content cannot be compared", path);
		err_hint(e, "write it to a file and send that");
		return -1;
	}
	raw = mem_alloc(65536);
	sum_num(s, "content", (uint64_t)st.st_size);
	while ((k = read(fd, raw, 65536)) != 0) {
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			break;
		sum_raw(s, raw, (size_t)k);
		total += (uint64_t)k;
	}
	if (k < 0)
		err_errno(e, COI_E_IO, errno, "cannot read %s", path);
	else if (total != (uint64_t)st.st_size)
		k = err_set(e, COI_E_DATA, "%s changed while it was read",
			    path);
	free(raw);
	close(fd);
	return k < 0 ? -1 : 0;
}

static int sum_blob(struct sum *s, struct arena *a, const struct blob *b,
		    struct coi_err *e)
{
	sum_str(s, "type", b->type);
	sum_str(s, "name", part_name(a, b));
	sum_str(s, "disposition", b->disposition);
	sum_str(s, "cid", b->cid);
	sum_str(s, "section", b->section);
	if (b->path.p != NULL) {
		if (sum_file(s, arena_cstr(a, b->path), e) < 0)
			return -1;
	} else {
		sum_num(s, "content", b->data.n);
		sum_raw(s, b->data.p, b->data.n);
	}
	sum_num(s, "preview", b->preview != NULL);
	return b->preview == NULL ? 0 : sum_blob(s, a, b->preview, e);
}

/* Not the references: a later try may know more of the thread. */
static void sum_fields(struct sum *s, const struct message *m)
{
	size_t i;

	sum_str(s, "kind", str_of(m->kind == NULL ? "message" : m->kind->name));
	sum_str(s, "from", m->from.email);
	sum_addrs(s, "to", &m->to);
	sum_addrs(s, "cc", &m->cc);
	sum_addrs(s, "bcc", &m->bcc);
	sum_addrs(s, "replyTo", &m->reply_to);
	sum_str(s, "subject", m->subject);
	sum_str(s, "inReplyTo", m->in_reply_to);
	sum_str(s, "targetId", m->target_id);
	sum_str(s, "groupId", m->group_id);
	sum_str(s, "groupName", m->group_name);
	sum_str(s, "text", m->text);
	sum_str(s, "html", m->html);
	sum_str(s, "markdown", m->markdown);
	sum_num(s, "receipt", m->receipt_requested);
	/* Not at all without: keys that older versions noted go on. */
	if (m->auto_submitted.n > 0)
		sum_str(s, "autoSubmitted", m->auto_submitted);
	sum_num(s, "encrypted", (uint64_t)(m->encrypted + 1));
	sum_num(s, "signed", (uint64_t)(m->is_signed + 1));
	sum_num(s, "headers", m->nheaders);
	for (i = 0; i < m->nheaders; i++) {
		sum_str(s, "name", m->headers[i].name);
		sum_str(s, "value", m->headers[i].value);
	}
}

void compose_digest(const struct message *m, struct buf *hex, struct coi_err *e)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md[EVP_MAX_MD_SIZE];
	struct arena *a = arena_new();
	struct sum s = {EVP_MD_CTX_new(), false};
	unsigned n = 0, k;
	size_t i;

	s.failed = s.ctx == NULL ||
		   EVP_DigestInit_ex(s.ctx, EVP_sha256(), NULL) != 1;
	sum_fields(&s, m);
	sum_num(&s, "attachments", m->nattachments);
	for (i = 0; i < m->nattachments; i++)
		if (sum_blob(&s, a, &m->attachments[i], e) < 0)
			goto out;
	if (s.failed || EVP_DigestFinal_ex(s.ctx, md, &n) != 1) {
		err_set(e, COI_E_INTERNAL, "SHA-256 failed");
		goto out;
	}
	for (k = 0; k < n; k++) {
		buf_c(hex, digits[md[k] >> 4]);
		buf_c(hex, digits[md[k] & 15]);
	}
out:
	EVP_MD_CTX_free(s.ctx);
	arena_free(a);
}
