/* Blocked senders: contact messages with COI-Blocked, told apart by
 * COI-From-Hash (client specification, "Blocking Contacts"). */
#include <openssl/evp.h>
#include <stdlib.h>

#include "coi/filter_priv.h"
#include "core/limits.h"
#include "fmt/addr_fold.h"
#include "fmt/date.h"
#include "fmt/enc.h"
#include "fmt/hdr.h"

#define CONTACTS_MAX 200000u /* hashes of one folder; the rest is not read */

struct contact {
	unsigned char hash[FILTER_HASH];
	int64_t changed;
	uint32_t uid;
	bool blocked;
};

struct contacts {
	struct contact *v;
	size_t n, cap;
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool block_hash_read(struct str value, unsigned char out[FILTER_HASH])
{
	struct buf b = {0};
	size_t i;
	bool ok;

	value = str_trim(value);
	if (value.n == 2 * FILTER_HASH) {
		for (i = 0; i < FILTER_HASH; i++) {
			int hi = digit(value.p[2 * i]);
			int lo = digit(value.p[2 * i + 1]);

			if (hi < 0 || lo < 0)
				return false;
			out[i] = (unsigned char)(hi * 16 + lo);
		}
		return true;
	}
	if (value.n != 43 && value.n != 44)
		return false;
	ok = enc_b64_decode(value, true, &b) && b.n == FILTER_HASH;
	if (ok)
		memcpy(out, b.p, FILTER_HASH);
	buf_free(&b);
	return ok;
}

bool block_hash_of(struct str text, unsigned char out[FILTER_HASH])
{
	unsigned n = 0;

	return EVP_Digest(text.p, text.n, out, &n, EVP_sha3_256(), NULL) == 1 &&
	       n == FILTER_HASH;
}

/* --- contacts ----------------------------------------------------------------
 */

struct contacts *contacts_new(void)
{
	return mem_alloc(sizeof(struct contacts));
}

void contacts_free(struct contacts *c)
{
	if (c == NULL)
		return;
	free(c->v);
	free(c);
}

/* Whatever COI-Blocked says: that it is there blocks. */
void contacts_add(struct contacts *c, uint32_t uid, struct str header)
{
	struct contact x = {.uid = uid, .changed = INT64_MIN};
	struct str block = header, name, value;
	unsigned n = 0;

	value = hdr_get(header, "Date");
	if (value.p != NULL && !date_parse(value, &x.changed))
		x.changed = INT64_MIN;
	x.blocked = hdr_get(header, "COI-Blocked").p != NULL;
	while (hdr_next(&block, &name, &value)) {
		if (++n > LIMIT_HEADER_FIELDS || c->n >= CONTACTS_MAX)
			return;
		if (!str_iis(name, "COI-From-Hash") ||
		    !block_hash_read(value, x.hash))
			continue;
		c->v = mem_more(c->v, c->n, &c->cap, sizeof(*c->v));
		c->v[c->n++] = x;
	}
}

static int by_hash(const void *a, const void *b)
{
	const struct contact *x = a, *y = b;
	int r = memcmp(x->hash, y->hash, FILTER_HASH);

	if (r == 0)
		r = (x->changed > y->changed) - (x->changed < y->changed);
	return r != 0 ? r : (x->uid > y->uid) - (x->uid < y->uid);
}

static void add_hash(struct blocked *b, const unsigned char *hash)
{
	b->v = mem_more(b->v, b->n, &b->cap, sizeof(*b->v));
	memcpy(b->v[b->n++], hash, FILTER_HASH);
}

void contacts_blocked(struct contacts *c, struct blocked *b)
{
	size_t i;

	b->n = 0;
	if (c->n > 0)
		qsort(c->v, c->n, sizeof(*c->v), by_hash);
	for (i = 0; i < c->n; i++)
		if (c->v[i].blocked &&
		    (i + 1 == c->n ||
		     memcmp(c->v[i].hash, c->v[i + 1].hash, FILTER_HASH) != 0))
			add_hash(b, c->v[i].hash);
}

/* --- who is it --------------------------------------------------------------
 */

void blocked_free(struct blocked *b)
{
	free(b->v);
	arena_free(b->arena);
	*b = (struct blocked){0};
}

static int cmp(const void *a, const void *b)
{
	return memcmp(a, b, FILTER_HASH);
}

bool blocked_has(const struct blocked *b, struct str email)
{
	unsigned char hash[FILTER_HASH];
	struct str form[ADDR_FORMS];
	struct arena *a;
	size_t i, n;
	bool has = false;

	if (b->n == 0 || email.n == 0)
		return false;
	a = arena_new();
	n = addr_forms(a, email, form);
	for (i = 0; i < n && !has; i++)
		has = block_hash_of(form[i], hash) &&
		      bsearch(hash, b->v, b->n, FILTER_HASH, cmp) != NULL;
	arena_free(a);
	return has;
}

/* --- from the server
 * ----------------------------------------------------------
 */

struct reader {
	struct contacts *contacts;
	struct buf header;
	bool got;
};

static int rd_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct reader *r = ctx;

	buf_clear(&r->header);
	r->got = true;
	return 0;
}

static int rd_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct reader *r = ctx;

	if (r->header.n + chunk.n <= LIMIT_HEADER_BLOCK)
		buf_str(&r->header, chunk);
	return 0;
}

static int rd_body_end(void *ctx, struct coi_err *e)
{
	return 0;
}

static int rd_end(void *ctx, const struct imap_msg *m, struct coi_err *e)
{
	struct reader *r = ctx;
	size_t i;
	bool deleted = false;

	for (i = 0; i < m->nflags; i++)
		deleted |= str_iis(m->flags[i], "\\Deleted");
	if (r->got && m->uid != 0 && !deleted)
		contacts_add(r->contacts, m->uid, buf_view(&r->header));
	r->got = false;
	return 0;
}

static int read_folder(struct blocked *b, struct imap *im, struct str folder,
		       struct coi_err *e)
{
	static const struct imap_fetch_events ev = {rd_begin, rd_body,
						    rd_body_end, rd_end, NULL};
	struct reader r = {.contacts = contacts_new()};
	struct imap_set all = {0}, some = {0};
	struct imap_selected sel;
	int rc = imap_select(im, folder, true, &sel, e);

	/* Most people block nobody. */
	if (rc == 0)
		rc = imap_search(im, STR("HEADER COI-Blocked \"\""), &some, e);
	if (rc == 0 && some.n > 0) {
		imap_set_add(&all, 1, UINT32_MAX);
		rc = imap_fetch(im, &all,
				STR("UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE "
				    "COI-BLOCKED COI-FROM-HASH)]"),
				&ev, &r, e);
	}
	if (rc == 0)
		contacts_blocked(r.contacts, b);
	imap_set_free(&all);
	imap_set_free(&some);
	buf_free(&r.header);
	contacts_free(r.contacts);
	return rc;
}

/* The state database keeps them: which state of the folder, LF, hashes. */
static int recall(struct blocked *b, struct store *st, struct coi_err *e)
{
	struct str v;
	ptrdiff_t lf;
	size_t i;

	if (store_get(st, b->arena, "filter.blocked", &v, e) < 0)
		return -1;
	b->known = true;
	lf = str_chr(v, '\n');
	if (lf < 0 || (v.n - (size_t)lf - 1) % FILTER_HASH != 0)
		return 0;
	b->of = str_sub(v, 0, (size_t)lf);
	for (i = (size_t)lf + 1; i < v.n; i += FILTER_HASH)
		add_hash(b, (const unsigned char *)v.p + i);
	return 0;
}

static int keep(struct blocked *b, struct store *st, struct coi_err *e)
{
	struct buf v = {0};
	int rc;

	buf_str(&v, b->of);
	buf_c(&v, '\n');
	if (b->n > 0)
		buf_add(&v, b->v, b->n * FILTER_HASH);
	rc = store_set(st, "filter.blocked", buf_view(&v), e);
	buf_free(&v);
	return rc;
}

int blocked_load(struct blocked *b, struct imap *im, struct store *st,
		 struct str folder, bool *selected, struct coi_err *e)
{
	struct imap_status s;
	struct str now = STR_NONE;
	struct buf of = {0};
	int rc = 0;

	*selected = false;
	if (b->arena == NULL)
		b->arena = arena_new();
	if (!b->known && recall(b, st, e) < 0)
		return -1;
	if (folder.n > 0 && imap_status(im, &folder, 1, &s, e) < 0)
		return -1;
	if (folder.n == 0 || !s.have || s.messages == 0) {
		b->n = 0;
		b->of = STR_NONE;
		return 0;
	}
	buf_fmt(&of, "%u %u %u %llu ", s.uid_validity, s.uid_next, s.messages,
		(unsigned long long)s.highest_modseq);
	buf_str(&of, folder);
	now = buf_view(&of);
	if (!str_eq(now, b->of)) {
		*selected = true;
		rc = read_folder(b, im, folder, e);
		if (rc == 0) {
			arena_reset(b->arena);
			b->of = arena_str(b->arena, now);
			rc = keep(b, st, e);
		}
	}
	buf_free(&of);
	return rc;
}
