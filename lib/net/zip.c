/* COMPRESS=DEFLATE (RFC 4978): a stream on top of plain or TLS. */
#include <libetpan/mailstream_low.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/mem.h"
#include "net/priv.h"

#define ZIN ((size_t)16 * 1024)
#define ZOUT ((size_t)16 * 1024)

struct zip {
	struct net_conn *c;
	mailstream_low *below;
	z_stream in, out;
	char *rest_mem;
	bool more; /* the last call filled what it was given */
	char zin[ZIN], zout[ZOUT];
};

static ssize_t broken(struct zip *z, const char *why)
{
	z->c->fail = NET_GARBLED;
	snprintf(z->c->fail_text, sizeof(z->c->fail_text),
		 "the compressed stream is broken: %s", why);
	return -1;
}

static ssize_t zip_read(mailstream_low *low, void *p, size_t n)
{
	struct zip *z = low->data;
	ssize_t k;
	int r;

	z->in.next_out = p;
	z->in.avail_out = n > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)n;
	n = z->in.avail_out;
	for (;;) {
		if (z->in.avail_in == 0 && !z->more) {
			k = mailstream_low_read(z->below, z->zin, ZIN);
			if (k <= 0)
				return -1;
			z->in.next_in = (Bytef *)z->zin;
			z->in.avail_in = (uInt)k;
		}
		r = inflate(&z->in, Z_SYNC_FLUSH);
		z->more = z->in.avail_out == 0;
		if (z->in.avail_out < n)
			return (ssize_t)(n - z->in.avail_out);
		if (r == Z_STREAM_END)
			return broken(z, "it ended");
		if (r != Z_OK && r != Z_BUF_ERROR)
			return broken(z, z->in.msg == NULL ? "damaged"
							   : z->in.msg);
	}
}

/* All of it, and flushed: the peer can read up to the last octet. */
static ssize_t zip_write(mailstream_low *low, const void *p, size_t n)
{
	struct zip *z = low->data;
	size_t at, have;
	ssize_t k;

	if (n > UINT32_MAX / 2)
		n = UINT32_MAX / 2;
	z->out.next_in = (Bytef *)(uintptr_t)p;
	z->out.avail_in = (uInt)n;
	do {
		z->out.next_out = (Bytef *)z->zout;
		z->out.avail_out = ZOUT;
		if (deflate(&z->out, Z_SYNC_FLUSH) == Z_STREAM_ERROR)
			return broken(z, "internal error");
		have = ZOUT - z->out.avail_out;
		for (at = 0; at < have; at += (size_t)k) {
			k = mailstream_low_write(z->below, z->zout + at,
						 have - at);
			if (k <= 0)
				return -1;
		}
	} while (z->out.avail_out == 0);
	return (ssize_t)n;
}

static int zip_close(mailstream_low *low)
{
	(void)low;
	return 0;
}

static int zip_fd(mailstream_low *low)
{
	return ((struct zip *)low->data)->c->fd;
}

static void zip_free(mailstream_low *low)
{
	struct zip *z = low->data;

	mailstream_low_free(z->below);
	inflateEnd(&z->in);
	deflateEnd(&z->out);
	free(z->rest_mem);
	free(z);
	free(low);
}

static mailstream_low_driver zip = {
    .mailstream_read = zip_read,
    .mailstream_write = zip_write,
    .mailstream_close = zip_close,
    .mailstream_get_fd = zip_fd,
    .mailstream_free = zip_free,
};

mailstream_low *net_zip_new(struct net_conn *c, mailstream_low *below,
			    struct str rest)
{
	struct zip *z = mem_alloc(sizeof(*z));
	mailstream_low *low = mailstream_low_new(z, &zip);

	z->c = c;
	z->below = below;
	if (low == NULL || inflateInit2(&z->in, -15) != Z_OK ||
	    deflateInit2(&z->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		mem_fail(sizeof(*z));
	z->rest_mem = mem_dup(rest);
	z->in.next_in = (Bytef *)z->rest_mem;
	z->in.avail_in = (uInt)rest.n;
	return low;
}
