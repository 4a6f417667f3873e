/* The same message twice in a mailbox: two programs moved it at once, or one
 * was killed between copying and removing. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "coi/filter_priv.h"

#define AT_ONCE 20   /* ids of one SEARCH */
#define TOO_MANY 200 /* messages are not compared for so few ids */

int copies_find(struct imap *im, struct item *const *v, size_t n,
		struct imap_set *found, struct coi_err *e)
{
	struct buf b = {0};
	size_t i, keys = 0;
	int rc;

	for (i = 0; i < n; i++)
		keys += v[i]->key != NULL;
	if (keys == 0)
		return 0;
	buf_z(&b, "UNDELETED");
	for (i = 1; i < keys; i++)
		buf_z(&b, " OR");
	for (i = 0; i < n; i++) {
		if (v[i]->key == NULL)
			continue;
		buf_fmt(&b, " HEADER %s ", v[i]->key);
		imap_quote(&b, v[i]->value);
	}
	rc = imap_search(im, buf_view(&b), found, e);
	buf_free(&b);
	return rc;
}

struct sums {
	const struct imap_set *set;
	EVP_MD_CTX *md;
	struct copy now;
	bool got, failed;
	struct copy *v;
	size_t n, cap;
};

static int su_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct sums *s = ctx;

	s->got = section.n == 0;
	if (s->got && EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) != 1)
		s->failed = true;
	return 0;
}

static int su_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct sums *s = ctx;

	if (EVP_DigestUpdate(s->md, chunk.p, chunk.n) != 1)
		s->failed = true;
	return 0;
}

static int su_body_end(void *ctx, struct coi_err *e)
{
	struct sums *s = ctx;
	unsigned n = 0;

	if (s->got && EVP_DigestFinal_ex(s->md, s->now.sum, &n) != 1)
		s->failed = true;
	return 0;
}

static int su_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	struct sums *s = ctx;

	if (!s->got || m->uid == 0 || !imap_set_has(s->set, m->uid))
		return 0;
	s->got = false;
	if (s->failed)
		return err_set(e, COI_E_INTERNAL, "SHA-256 failed");
	s->now.uid = m->uid;
	s->v = mem_more(s->v, s->n, &s->cap, sizeof(*s->v));
	s->v[s->n++] = s->now;
	return 0;
}

int copies_sums(struct imap *im, const struct imap_set *set, struct copy **v,
		size_t *n, struct coi_err *e)
{
	static const struct imap_fetch_events ev = {su_begin, su_body,
						    su_body_end, su_end, NULL};
	struct sums s = {.set = set, .md = EVP_MD_CTX_new()};
	int rc;

	if (s.md == NULL)
		return err_set(e, COI_E_INTERNAL, "SHA-256 failed");
	rc = imap_fetch(im, set, STR("UID BODY.PEEK[]"), &ev, &s, e);
	EVP_MD_CTX_free(s.md);
	if (rc < 0) {
		free(s.v);
		return -1;
	}
	*v = s.v;
	*n = s.n;
	return 0;
}

static int by_sum(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	int r = memcmp(x->sum, y->sum, sizeof(x->sum));

	return r != 0 ? r : (x->uid > y->uid) - (x->uid < y->uid);
}

/* All of these but the first of each kind. */
static int surplus(struct imap *im, const struct imap_set *found,
		   struct imap_set *out, struct coi_err *e)
{
	struct copy *v = NULL;
	size_t i, n = 0;

	if (copies_sums(im, found, &v, &n, e) < 0)
		return -1;
	if (n > 0)
		qsort(v, n, sizeof(*v), by_sum);
	for (i = 1; i < n; i++)
		if (memcmp(v[i].sum, v[i - 1].sum, sizeof(v[i].sum)) == 0 &&
		    v[i].uid != v[i - 1].uid)
			imap_set_add(out, v[i].uid, v[i].uid);
	free(v);
	return 0;
}

static int thin_some(struct imap *im, struct item *const *v, size_t n,
		     const struct imap_set *moved, struct coi_err *e)
{
	struct imap_set found = {0}, out = {0};
	uint64_t have;
	size_t i, each_once = 0;
	int rc = copies_find(im, v, n, &found, e);

	for (i = 0; i < n; i++)
		each_once += v[i]->key != NULL &&
			     imap_set_has(moved, v[i]->uid);
	have = imap_set_count(&found);
	if (rc == 0 && have > each_once && have <= TOO_MANY)
		rc = surplus(im, &found, &out, e);
	if (rc == 0 && out.n > 0)
		rc = imap_store(im, &out, STR("+FLAGS.SILENT"),
				STR("\\Deleted"), e);
	/* Else they stay marked. */
	if (rc == 0 && out.n > 0 && imap_has(im, "UIDPLUS"))
		rc = imap_expunge(im, &out, e);
	imap_set_free(&found);
	imap_set_free(&out);
	return rc;
}

int copies_thin(struct imap *im, struct item *const *v, size_t n,
		const struct imap_set *moved, struct coi_err *e)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < n; i += AT_ONCE)
		rc = thin_some(im, v + i, n - i < AT_ONCE ? n - i : AT_ONCE,
			       moved, e);
	return rc;
}
