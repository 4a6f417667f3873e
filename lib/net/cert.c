/* Certificates: trust, pins, our own, and what is wrong with the peer's. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "fmt/enc.h"
#include "net/priv.h"

static const char *default_file, *default_dir;

void net_trust_defaults(const char *file, const char *dir)
{
	default_file = file;
	default_dir = dir;
}

void net_trust(const char **file, const char **dir)
{
	*file = default_file;
	*dir = default_dir;
}

/* --- words -----------------------------------------------------------------
 */

static void add_name(struct buf *b, struct str s)
{
	if (b->n > 0)
		buf_z(b, ", ");
	buf_clean(b, str_sub(s, 0, 80));
}

/* The names that a certificate is good for, a few of them. */
static void names_of(X509 *x, struct buf *b)
{
	GENERAL_NAMES *v = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
					    NULL);
	int i, n = v == NULL ? 0 : sk_GENERAL_NAME_num(v), shown = 0;

	for (i = 0; i < n; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(v, i);
		char ip[INET6_ADDRSTRLEN];
		struct str s;

		if (g->type == GEN_DNS) {
			s.p = (const char *)ASN1_STRING_get0_data(g->d.dNSName);
			s.n = (size_t)ASN1_STRING_length(g->d.dNSName);
		} else if (g->type == GEN_IPADD) {
			int len = ASN1_STRING_length(g->d.iPAddress);

			if (len != 4 && len != 16)
				continue;
			if (inet_ntop(len == 4 ? AF_INET : AF_INET6,
				      ASN1_STRING_get0_data(g->d.iPAddress), ip,
				      sizeof(ip)) == NULL)
				continue;
			s = str_of(ip);
		} else {
			continue;
		}
		if (shown++ == 6) {
			buf_z(b, ", ...");
			break;
		}
		add_name(b, s);
	}
	if (b->n == 0)
		buf_z(b, "no host at all");
	GENERAL_NAMES_free(v);
}

/* Common name, else organisation, else all of it. */
static void who(const X509_NAME *name, char *out, size_t n)
{
	static const int nids[] = {NID_commonName, NID_organizationName};
	struct buf b = {0};
	char *all;
	size_t i;

	for (i = 0; i < 2 && b.n == 0; i++) {
		int at = X509_NAME_get_index_by_NID(name, nids[i], -1);
		const ASN1_STRING *s;
		unsigned char *u = NULL;
		int len;

		if (at < 0)
			continue;
		s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
		len = ASN1_STRING_to_UTF8(&u, s);
		if (len > 0)
			add_name(&b, (struct str){(char *)u, (size_t)len});
		OPENSSL_free(u);
	}
	if (b.n == 0) {
		all = X509_NAME_oneline(name, NULL, 0);
		add_name(&b, str_of(all == NULL ? "?" : all));
		OPENSSL_free(all);
	}
	snprintf(out, n, "%s", buf_cstr(&b));
	buf_free(&b);
}

static void date_of(const ASN1_TIME *t, char *out, size_t n)
{
	struct tm tm;

	snprintf(out, n, "an unreadable date");
	if (t != NULL && ASN1_TIME_to_tm(t, &tm) == 1)
		strftime(out, n, "%Y-%m-%d", &tm);
}

void net_cert_issuer(const X509 *x, char *out, size_t n)
{
	who(X509_get_issuer_name(x), out, n);
}

/* The public key as it stands in the certificate. */
bool net_cert_pin(const X509 *x, struct buf *out)
{
	unsigned char md[EVP_MAX_MD_SIZE], *der = NULL;
	unsigned n = 0;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool ok;

	ok = len > 0 &&
	     EVP_Digest(der, (size_t)len, md, &n, EVP_sha256(), NULL) == 1;
	if (ok)
		enc_b64(out, (struct str){(char *)md, n});
	OPENSSL_free(der);
	return ok;
}

static void explain(struct net_conn *c, X509_STORE_CTX *sc)
{
	int err = X509_STORE_CTX_get_error(sc);
	int depth = X509_STORE_CTX_get_error_depth(sc);
	X509 *leaf = X509_STORE_CTX_get0_cert(sc);
	X509 *bad = X509_STORE_CTX_get_current_cert(sc);
	char *out = c->cert_text, name[128], date[32];
	size_t n = sizeof(c->cert_text);
	struct buf b = {0};

	if (bad == NULL)
		bad = leaf;
	switch (err) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		date_of(X509_get0_notAfter(bad), date, sizeof(date));
		who(X509_get_subject_name(bad), name, sizeof(name));
		if (depth > 0)
			snprintf(out, n,
				 "the certificate of the issuer \"%s\" expired "
				 "on %s",
				 name, date);
		else
			snprintf(out, n, "the certificate of %s expired on %s",
				 c->host, date);
		snprintf(c->cert_hint, sizeof(c->cert_hint),
			 "the server needs a new certificate; is the clock of "
			 "this machine right?");
		return;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		date_of(X509_get0_notBefore(bad), date, sizeof(date));
		snprintf(out, n, "the certificate is not valid before %s",
			 date);
		snprintf(c->cert_hint, sizeof(c->cert_hint),
			 "is the clock of this machine right?");
		return;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		names_of(leaf, &b);
		snprintf(out, n, "the certificate is for %s, not for %s",
			 buf_cstr(&b), c->host);
		snprintf(c->cert_hint, sizeof(c->cert_hint),
			 "use a name that the certificate has, if that is the "
			 "server you mean");
		buf_free(&b);
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(out, n, "the certificate of %s is self-signed",
			 c->host);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		who(X509_get_issuer_name(bad), name, sizeof(name));
		snprintf(out, n,
			 "the issuer \"%s\" of the certificate is unknown",
			 name);
		break;
	default:
		snprintf(out, n, "the certificate is not accepted: %s",
			 X509_verify_cert_error_string(err));
		return;
	}
	if (c->no_trust)
		snprintf(c->cert_hint, sizeof(c->cert_hint),
			 "this system has no CA certificates: install "
			 "ca-certificates, or set ca-file");
	else if (net_cert_pin(leaf, &b))
		snprintf(c->cert_hint, sizeof(c->cert_hint),
			 "if this server is yours: ca-file = its CA (PEM)%s, "
			 "or pin = %s",
			 c->o.ca_file != NULL ? "; the one given is another"
					      : "",
			 buf_cstr(&b));
	buf_free(&b);
}

/* --- the peer's ------------------------------------------------------------
 */

/* "BASE64", and as other programs write it: "sha256/...", "sha256//...". */
static bool same_pin(const char *given, struct str seen)
{
	struct str g = str_trim(str_of(given)), how;

	while (g.n > 0 && g.p[g.n - 1] == '=')
		g.n--;
	while (seen.n > 0 && seen.p[seen.n - 1] == '=')
		seen.n--;
	if (g.n < seen.n || !str_eq(str_sub(g, g.n - seen.n, seen.n), seen))
		return false;
	how = str_sub(g, 0, g.n - seen.n);
	return how.n == 0 || str_iis(how, "sha256/") ||
	       str_iis(how, "sha256//") || str_iis(how, "sha256:");
}

static int check_pins(struct net_conn *c, X509 *leaf)
{
	struct buf b = {0};
	size_t i;
	int ok = 0;

	if (leaf != NULL && net_cert_pin(leaf, &b))
		for (i = 0; i < c->o.npins && !ok; i++)
			ok = same_pin(c->o.pins[i], buf_view(&b));
	if (!ok) {
		snprintf(c->cert_text, sizeof(c->cert_text),
			 "the key of the server is not the pinned one; seen "
			 "was %s",
			 buf_cstr(&b));
		snprintf(c->cert_hint, sizeof(c->cert_hint),
			 "if the server has a new key for a reason you know: "
			 "pin = %s",
			 buf_cstr(&b));
	}
	buf_free(&b);
	return ok;
}

static int verify(X509_STORE_CTX *sc, void *arg)
{
	struct net_conn *c = arg;

	if (c->o.npins > 0) {
		if (check_pins(c, X509_STORE_CTX_get0_cert(sc)))
			return 1;
		X509_STORE_CTX_set_error(sc,
					 X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	if (X509_verify_cert(sc) == 1)
		return 1;
	explain(c, sc);
	return 0;
}

/* True when dir holds at least one certificate under its hash. */
static bool is_hashed(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	bool found = false;

	if (d == NULL)
		return false;
	while (!found && (ent = readdir(d)) != NULL)
		found = strlen(ent->d_name) == 10 &&
			strspn(ent->d_name, "0123456789abcdef") == 8 &&
			strcmp(ent->d_name + 8, ".0") == 0;
	closedir(d);
	return found;
}

/*
 * Looked up by hash: reading the whole bundle takes 25 ms.  A folder that was
 * named stands alone.  False when there is nothing to trust.
 */
static bool trust_system(SSL_CTX *ctx)
{
	const char *dir = default_dir, *file = default_file;
	bool any = dir != NULL;

	if (dir == NULL) {
		dir = X509_get_default_cert_dir();
		any = is_hashed(dir);
		if (file == NULL && !any)
			file = X509_get_default_cert_file();
	}
	(void)SSL_CTX_load_verify_dir(ctx, dir);
	if (file != NULL && *file != '\0')
		any |= SSL_CTX_load_verify_file(ctx, file) == 1;
	ERR_clear_error();
	return any;
}

/* TLS does not say that a file is not there. */
static void why_not(const char *path, char *why, size_t n)
{
	net_tls_errors(why, n);
	if (access(path, R_OK) < 0)
		snprintf(why, n, "%s", strerror(errno));
}

int net_cert_trust(struct net_conn *c, SSL_CTX *ctx, struct coi_err *e)
{
	char why[160];

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, c);
	if (c->o.npins > 0)
		return 0;
	if (c->o.ca_file == NULL) {
		c->no_trust = !trust_system(ctx);
		return 0;
	}
	if (SSL_CTX_load_verify_file(ctx, c->o.ca_file) != 1) {
		why_not(c->o.ca_file, why, sizeof(why));
		err_set(e, COI_E_CONFIG, "ca-file \"%s\" cannot be used: %s",
			c->o.ca_file, why);
		err_hint(e, "it must be a readable PEM file of certificates");
		return -1;
	}
	/* Who is named there is trusted, root or not. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx),
				    X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

/* --- ours --------------------------------------------------------------------
 */

static int no_prompt(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return -1;
}

int net_cert_client(struct net_conn *c, SSL_CTX *ctx, struct coi_err *e)
{
	const char *key = c->o.client_key;
	char why[160];

	if (c->o.client_cert == NULL)
		return 0;
	if (key == NULL)
		key = c->o.client_cert;
	SSL_CTX_set_default_passwd_cb(ctx, no_prompt);
	if (SSL_CTX_use_certificate_chain_file(ctx, c->o.client_cert) != 1) {
		why_not(c->o.client_cert, why, sizeof(why));
		return err_set(e, COI_E_CONFIG,
			       "client-cert \"%s\" cannot be used: %s",
			       c->o.client_cert, why);
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		why_not(key, why, sizeof(why));
		err_set(e, COI_E_CONFIG, "client-key \"%s\" cannot be used: %s",
			key, why);
		err_hint(e, "a PEM key without passphrase that belongs to the "
			    "certificate is needed");
		return -1;
	}
	return 0;
}
