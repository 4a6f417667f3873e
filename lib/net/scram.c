#include "net/scram.h"

#include <gsasl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/mem.h"
#include "core/secret.h"
#include "core/sys.h"
#include "fmt/enc.h"

#define HASH 32
#define SALT_MAX 1024
#define ITER_MIN 4096	 /* RFC 7677 4 */
#define ITER_MAX 5000000 /* some seconds of work */

struct scram {
	struct buf password; /* prepared */
	struct buf gs2;	     /* "n,,", as bound by c= */
	struct buf cb;
	struct buf bare; /* client-first-message-bare, then AuthMessage */
	struct buf nonce;
	unsigned char server[HASH]; /* signature to expect */
};

/* ASCII needs no preparation, and so no further copy of a password. */
static int prepare(struct str in, struct buf *out, const char *what,
		   struct coi_err *e)
{
	char *z, *prepped = NULL;
	size_t i;
	int r;

	for (i = 0; i < in.n; i++)
		if ((unsigned char)in.p[i] >= 0x80 || in.p[i] == '\0')
			break;
	if (i == in.n) {
		buf_room(out, in.n + 1);
		buf_str(out, in);
		return 0;
	}
	if (!utf8_valid(in) || memchr(in.p, '\0', in.n) != NULL)
		return err_set(e, COI_E_CONFIG, "the %s is not UTF-8 text",
			       what);
	z = mem_dup(in);
	r = gsasl_saslprep(z, GSASL_ALLOW_UNASSIGNED, &prepped, NULL);
	secret_wipe(z, in.n);
	free(z);
	if (r != GSASL_OK)
		return err_set(e, COI_E_CONFIG,
			       "the %s has characters that a login cannot use",
			       what);
	buf_room(out, strlen(prepped) + 1);
	buf_z(out, prepped);
	secret_wipe(prepped, strlen(prepped));
	gsasl_free(prepped);
	return 0;
}

static void escape(struct buf *b, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '=')
			buf_z(b, "=3D");
		else if (s.p[i] == ',')
			buf_z(b, "=2C");
		else
			buf_c(b, s.p[i]);
	}
}

struct scram *scram_new(struct str user, struct str password, char flag,
			const char *cb_name, struct str cb, const char *nonce,
			struct coi_err *e)
{
	struct scram *s = mem_alloc(sizeof(*s));
	struct buf name = {0};
	char raw[24];

	if (prepare(user, &name, "user name", e) < 0 ||
	    prepare(password, &s->password, "password", e) < 0) {
		buf_free(&name);
		scram_free(s);
		return NULL;
	}
	if (flag == 'p') {
		buf_fmt(&s->gs2, "p=%s,,", cb_name);
		buf_str(&s->cb, cb);
	} else {
		buf_fmt(&s->gs2, "%c,,", flag);
	}
	sys_random(raw, sizeof(raw));
	if (nonce != NULL)
		buf_z(&s->nonce, nonce);
	else
		enc_b64(&s->nonce, (struct str){raw, sizeof(raw)});
	buf_z(&s->bare, "n=");
	escape(&s->bare, buf_view(&name));
	buf_z(&s->bare, ",r=");
	buf_str(&s->bare, buf_view(&s->nonce));
	buf_free(&name);
	return s;
}

void scram_free(struct scram *s)
{
	if (s == NULL)
		return;
	buf_wipe(&s->password);
	buf_wipe(&s->cb);
	buf_free(&s->gs2);
	buf_free(&s->bare);
	buf_free(&s->nonce);
	secret_wipe(s, sizeof(*s));
	free(s);
}

void scram_first(struct scram *s, struct buf *out)
{
	buf_str(out, buf_view(&s->gs2));
	buf_str(out, buf_view(&s->bare));
}

/* Takes "k=VALUE" off the front. */
static bool attr(struct str *rest, char key, struct str *value)
{
	struct str a = str_split(rest, ',');

	if (a.n < 2 || a.p[0] != key || a.p[1] != '=')
		return false;
	*value = str_sub(a, 2, a.n);
	return true;
}

static void hmac(const unsigned char *key, struct str text, unsigned char *out)
{
	unsigned n = HASH;

	if (HMAC(EVP_sha256(), key, HASH, (const unsigned char *)text.p, text.n,
		 out, &n) == NULL)
		mem_fail(text.n);
}

/* From the salted password: the proof, and what the server must answer. */
static void sign(struct scram *s, const unsigned char *salted,
		 unsigned char *proof)
{
	unsigned char stored[HASH], key[HASH];
	struct str text = buf_view(&s->bare);
	unsigned n = HASH;
	size_t i;

	hmac(salted, STR("Client Key"), key);
	if (EVP_Digest(key, HASH, stored, &n, EVP_sha256(), NULL) != 1)
		mem_fail(HASH);
	hmac(stored, text, proof);
	for (i = 0; i < HASH; i++)
		proof[i] ^= key[i];
	hmac(salted, STR("Server Key"), key);
	hmac(key, text, s->server);
	secret_wipe(key, sizeof(key));
	secret_wipe(stored, sizeof(stored));
}

static int odd(struct coi_err *e, const char *what)
{
	return err_set(e, COI_E_PROTOCOL, "the server's SCRAM %s", what);
}

int scram_final(struct scram *s, struct str in, struct buf *out,
		struct coi_err *e)
{
	unsigned char salted[HASH], proof[HASH];
	struct str rest = in, nonce, salt64, iter;
	struct buf salt = {0}, bind = {0};
	size_t from = out->n;
	uint64_t n;
	int ret = -1;

	if (str_starts(in, "e=")) {
		err_set(e, COI_E_AUTH, "login refused");
		err_reply(e, in.p, in.n);
		return -1;
	}
	if (!attr(&rest, 'r', &nonce) || !attr(&rest, 's', &salt64) ||
	    !attr(&rest, 'i', &iter))
		return odd(e, "challenge cannot be read");
	if (nonce.n <= s->nonce.n ||
	    !str_eq(str_sub(nonce, 0, s->nonce.n), buf_view(&s->nonce)))
		return odd(e, "nonce is not an answer to ours");
	if (!str_u64(iter, UINT32_MAX, &n) || n < ITER_MIN || n > ITER_MAX)
		return odd(e, "iteration count is not between 4096 and "
			      "5000000");
	if (!enc_b64_decode(salt64, false, &salt) || salt.n == 0 ||
	    salt.n > SALT_MAX) {
		buf_free(&salt);
		return odd(e, "salt cannot be read");
	}
	buf_str(&bind, buf_view(&s->gs2));
	buf_str(&bind, buf_view(&s->cb));
	buf_z(out, "c=");
	enc_b64(out, buf_view(&bind));
	buf_z(out, ",r=");
	buf_str(out, nonce);
	buf_c(&s->bare, ',');
	buf_str(&s->bare, in);
	buf_c(&s->bare, ',');
	buf_add(&s->bare, out->p + from, out->n - from);
	if (PKCS5_PBKDF2_HMAC(s->password.p == NULL ? "" : s->password.p,
			      (int)s->password.n, (unsigned char *)salt.p,
			      (int)salt.n, (int)n, EVP_sha256(), HASH,
			      salted) != 1) {
		err_set(e, COI_E_INTERNAL, "PBKDF2 failed");
		goto out;
	}
	sign(s, salted, proof);
	buf_z(out, ",p=");
	enc_b64(out, (struct str){(char *)proof, HASH});
	ret = 0;
out:
	secret_wipe(salted, sizeof(salted));
	secret_wipe(proof, sizeof(proof));
	buf_wipe(&bind);
	buf_free(&salt);
	return ret;
}

int scram_check(struct scram *s, struct str in, struct coi_err *e)
{
	struct str rest = in, sig64;
	struct buf sig = {0};
	bool same;

	if (str_starts(in, "e=")) {
		err_set(e, COI_E_AUTH, "login refused");
		err_reply(e, in.p, in.n);
		err_hint(e, "check user and password");
		return -1;
	}
	if (!attr(&rest, 'v', &sig64) || !enc_b64_decode(sig64, false, &sig)) {
		buf_free(&sig);
		return odd(e, "signature cannot be read");
	}
	same = sig.n == HASH && CRYPTO_memcmp(sig.p, s->server, HASH) == 0;
	buf_free(&sig);
	if (same)
		return 0;
	err_set(e, COI_E_AUTH,
		"the server does not know the password: its "
		"SCRAM signature is wrong");
	err_hint(e, "this may not be the server that you mean");
	return -1;
}
