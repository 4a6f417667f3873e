/* What a connection is made of, for those who want to know. */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/priv.h"

static bool unix_time(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

void net_info(const struct net_conn *c, struct net_info *i)
{
	X509 *x;
	struct buf b = {0};

	*i = (struct net_info){.pinned = c->ssl != NULL && c->o.npins > 0};
	snprintf(i->peer, sizeof(i->peer), "%s", c->peer);
	if (c->ssl == NULL)
		return;
	snprintf(i->tls, sizeof(i->tls), "%s", SSL_get_version(c->ssl));
	snprintf(i->cipher, sizeof(i->cipher), "%s",
		 SSL_get_cipher_name(c->ssl));
	x = SSL_get0_peer_certificate(c->ssl);
	if (x == NULL)
		return;
	i->have_dates = unix_time(X509_get0_notBefore(x), &i->not_before) &&
			unix_time(X509_get0_notAfter(x), &i->not_after);
	net_cert_issuer(x, i->issuer, sizeof(i->issuer));
	if (net_cert_pin(x, &b))
		snprintf(i->pin, sizeof(i->pin), "%s", buf_cstr(&b));
	buf_free(&b);
}
