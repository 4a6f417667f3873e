#include "store/priv.h"

#include "core/sys.h"

static uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static uint64_t load(const char *p, size_t n)
{
	uint64_t x = 0;
	size_t i;

	for (i = 0; i < n; i++)
		x |= (uint64_t)(unsigned char)p[i] << (8 * i);
	return x;
}

/* Spelt so that compilers see one load. */
static uint64_t load8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	       (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	       (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

static void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

/* SipHash-2-4 (Aumasson, Bernstein). */
uint64_t hash_sip(const uint64_t key[2], struct str s)
{
	uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
			 key[1] ^ UINT64_C(0x646f72616e646f6d),
			 key[0] ^ UINT64_C(0x6c7967656e657261),
			 key[1] ^ UINT64_C(0x7465646279746573)};
	uint64_t m;
	size_t i;

	for (i = 0; i + 8 <= s.n; i += 8) {
		m = load8(s.p + i);
		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	m = (uint64_t)s.n << 56;
	if (i < s.n)
		m |= load(s.p + i, s.n - i);
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int hash_key(struct store *s, struct coi_err *e)
{
	sqlite3_stmt *st;
	struct str v;
	int rc;

	if (s->have_key)
		return 0;
	st = sql(s, Q_KV_GET, e);
	if (st == NULL)
		return -1;
	sql_text(st, 1, STR("store.hash-key"));
	rc = sql_step(s, st, e);
	if (rc < 0)
		return -1;
	v = rc == 0 ? STR_NONE : sql_col(st, 0);
	if (v.n == sizeof(s->key)) {
		memcpy(s->key, v.p, sizeof(s->key));
		s->have_key = true;
	}
	sqlite3_reset(st);
	if (!s->have_key)
		return err_set(e, COI_E_IO,
			       "the state database %s lacks its hash key",
			       s->path);
	return 0;
}

int64_t hash_id(struct store *s, struct str id)
{
	uint64_t h = hash_sip(s->key, id);
	int64_t out;

	memcpy(&out, &h, sizeof(out));
	return out;
}

void hash_ident(struct store *s, struct str id, struct str identity,
		unsigned char out[STORE_IDENT])
{
	uint64_t other[2] = {~s->key[0], s->key[1]}, h[2];

	if (identity.n >= STORE_IDENT) {
		memcpy(out, identity.p, STORE_IDENT);
		return;
	}
	if (identity.n == 0)
		identity = id;
	h[0] = hash_sip(s->key, identity);
	h[1] = hash_sip(other, identity);
	memcpy(out, h, STORE_IDENT);
}
