/* CAPABILITY, ID (RFC 2971), COMPRESS (RFC 4978). */
#include "imap/priv.h"

bool caps_take(struct imap *im, struct imap_cur *c)
{
	struct str word;

	buf_clear(&im->caps);
	while (!cur_end(c)) {
		/* No list in here, so anything but a blank is a word. */
		word.p = c->p;
		while (c->p < c->end && *c->p != ' ')
			c->p++;
		word.n = (size_t)(c->p - word.p);
		if (im->caps.n > 0)
			buf_c(&im->caps, ' ');
		buf_clean(&im->caps, word);
	}
	im->caps_known = true;
	return true;
}

void caps_forget(struct imap *im)
{
	buf_clear(&im->caps);
	im->caps_known = false;
}

bool imap_has(const struct imap *im, const char *capability)
{
	struct str rest = buf_view(&im->caps);

	while (rest.n > 0)
		if (str_iis(str_split(&rest, ' '), capability))
			return true;
	return false;
}

struct str imap_capabilities(const struct imap *im)
{
	return buf_view(&im->caps);
}

int caps_ask(struct imap *im, struct coi_err *e)
{
	if (imap_run(im, "CAPABILITY", STR("CAPABILITY"), e) < 0)
		return -1;
	if (!im->caps_known)
		return err_set(e, COI_E_PROTOCOL,
			       "the server did not say what it can");
	return 0;
}

static int compress(struct imap *im, struct coi_err *e)
{
	enum imap_result res;
	uint32_t tag;

	if (im->c == NULL || !imap_has(im, "COMPRESS=DEFLATE"))
		return 0;
	if (imap_send(im, "COMPRESS", STR("COMPRESS DEFLATE"), &tag, e) < 0 ||
	    imap_await(im, tag, &res, e) < 0)
		return -1;
	/* A refusal only means that it is slower. */
	if (res != RES_OK)
		return 0;
	if (net_compress(im->c, e) == 0)
		return 0;
	im->dead = true;
	return -1;
}

int caps_after_login(struct imap *im, struct coi_err *e)
{
	if (!im->caps_known && caps_ask(im, e) < 0)
		return -1;
	return im->o.compress ? compress(im, e) : 0;
}

int imap_id(struct imap *im, const char *name, const char *version,
	    struct coi_err *e)
{
	struct buf b = {0};
	uint32_t tag;
	int rc = 0;

	if (!imap_has(im, "ID"))
		return 0;
	if (imap_begin(im, "id", e) < 0)
		return imap_end(im, -1, e);
	buf_z(&b, "ID (\"name\" ");
	imap_quote(&b, str_of(name));
	buf_z(&b, " \"version\" ");
	imap_quote(&b, str_of(version));
	buf_c(&b, ')');
	rc = imap_send(im, "ID", buf_view(&b), &tag, e);
	if (rc == 0)
		imap_ignore(im, tag);
	buf_free(&b);
	return imap_end(im, rc, e);
}
