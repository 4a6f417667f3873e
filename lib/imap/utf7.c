/* Mailbox names: modified UTF-7 (RFC 3501 5.1.3), and the table of those
 * names that it does not lead back to what the server called them. */
#include <stdlib.h>

#include "core/limits.h"
#include "imap/priv.h"

#define NAME_MAX_OCTETS 4096 /* 20,000 of them must fit in memory */
#define ODD_MAX 1000

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct sextets {
	struct buf *b;
	uint32_t bits;
	unsigned n;
};

static void put16(struct sextets *x, uint32_t unit)
{
	x->bits = x->bits << 16 | unit;
	x->n += 16;
	while (x->n >= 6) {
		x->n -= 6;
		buf_c(x->b, digits[x->bits >> x->n & 63]);
	}
	x->bits &= (1u << x->n) - 1;
}

void imap_utf7_encode(struct buf *b, struct str s)
{
	struct sextets x = {.b = b};
	bool shifted = false;
	uint32_t cp;
	size_t k;

	for (; s.n > 0 || shifted; s = str_sub(s, k, s.n)) {
		k = utf8_decode(s.p, s.n, &cp);
		if (k == 0 && s.n > 0) {
			k = 1;
			cp = 0xfffd;
		}
		if (s.n == 0 || (cp >= 0x20 && cp <= 0x7e)) {
			if (shifted) {
				if (x.n > 0)
					buf_c(b, digits[x.bits << (6 - x.n)]);
				buf_c(b, '-');
				x = (struct sextets){.b = b};
				shifted = false;
			}
			if (s.n == 0)
				break;
			buf_c(b, (char)cp);
			if (cp == '&')
				buf_c(b, '-');
			continue;
		}
		if (!shifted)
			buf_c(b, '&');
		shifted = true;
		if (cp > 0xffff) {
			put16(&x, 0xd800 + ((cp - 0x10000) >> 10));
			put16(&x, 0xdc00 + ((cp - 0x10000) & 0x3ff));
		} else {
			put16(&x, cp);
		}
	}
}

/* What stands between & and -; false when it is not well formed. */
static bool decode_run(struct buf *b, struct str run)
{
	uint32_t bits = 0, high = 0;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < run.n; i++) {
		const char *d = memchr(digits, run.p[i], 64);
		uint32_t unit;

		if (d == NULL)
			return false;
		bits = (bits << 6 | (uint32_t)(d - digits)) & 0xffffffu;
		n += 6;
		if (n < 16)
			continue;
		n -= 16;
		unit = bits >> n & 0xffff;
		bits &= (1u << n) - 1;
		if (high != 0) {
			if (unit < 0xdc00 || unit > 0xdfff)
				return false;
			buf_cp(b, 0x10000 + ((high - 0xd800) << 10) +
				      (unit - 0xdc00));
			high = 0;
		} else if (unit >= 0xd800 && unit <= 0xdbff) {
			high = unit;
		} else if (unit < 0x20 || unit == 0x7f ||
			   (unit >= 0xdc00 && unit <= 0xdfff)) {
			return false;
		} else {
			buf_cp(b, unit);
		}
	}
	return high == 0 && n < 6 && bits == 0;
}

static bool decode(struct buf *b, struct str s)
{
	ptrdiff_t i;

	if (!utf8_valid(s))
		return false;
	while ((i = str_chr(s, '&')) >= 0) {
		buf_str(b, str_sub(s, 0, (size_t)i));
		s = str_sub(s, (size_t)i + 1, s.n);
		i = str_chr(s, '-');
		if (i < 0)
			return false;
		if (i == 0)
			buf_c(b, '&');
		else if (!decode_run(b, str_sub(s, 0, (size_t)i)))
			return false;
		s = str_sub(s, (size_t)i + 1, s.n);
	}
	buf_str(b, s);
	return true;
}

void imap_utf7_decode(struct buf *b, struct str wire)
{
	size_t n = b->n;

	if (!decode(b, wire)) {
		b->n = n;
		buf_utf8(b, wire);
	}
}

bool imap_same_mailbox(struct str a, struct str b)
{
	return imap_name_cmp(a, b) == 0;
}

int imap_name_cmp(struct str a, struct str b)
{
	size_t n;
	int r;

	if (str_iis(a, "INBOX"))
		a = STR("INBOX");
	if (str_iis(b, "INBOX"))
		b = STR("INBOX");
	n = a.n < b.n ? a.n : b.n;
	r = n == 0 ? 0 : memcmp(a.p, b.p, n);
	return r != 0 ? r : (a.n > b.n) - (a.n < b.n);
}

static bool has_line_end(struct str s)
{
	return str_chr(s, '\r') >= 0 || str_chr(s, '\n') >= 0 ||
	       str_chr(s, '\0') >= 0;
}

static const struct imap_odd *odd(const struct imap *im, struct str name)
{
	size_t i;

	for (i = 0; i < im->nodd; i++)
		if (str_eq(im->odd[i].name, name))
			return &im->odd[i];
	return NULL;
}

struct str imap_read_mailbox(struct arena *a, struct str wire)
{
	struct buf name = {0};
	struct str out;

	if (wire.n > NAME_MAX_OCTETS || has_line_end(wire))
		return STR_NONE;
	imap_utf7_decode(&name, wire);
	out = arena_str(a, buf_view(&name));
	buf_free(&name);
	return out;
}

struct str imap_take_mailbox(struct imap *im, struct arena *a, struct str wire)
{
	struct str out = imap_read_mailbox(a, wire);
	struct buf back = {0};

	if (out.p == NULL)
		return out;
	imap_utf7_encode(&back, out);
	if (!str_eq(buf_view(&back), wire) && im->nodd < ODD_MAX &&
	    odd(im, out) == NULL) {
		im->odd = mem_more(im->odd, im->nodd, &im->oddcap,
				   sizeof(*im->odd));
		im->odd[im->nodd].name = arena_str(im->names, out);
		im->odd[im->nodd++].wire = arena_str(im->names, wire);
	}
	buf_free(&back);
	return out;
}

int imap_put_mailbox(struct imap *im, struct buf *b, struct str name,
		     struct coi_err *e)
{
	const struct imap_odd *o = odd(im, name);
	struct buf wire = {0};

	if (has_line_end(name))
		return err_set(e, COI_E_DATA,
			       "the mailbox name \"%.*s\" has a line end or "
			       "NUL in it",
			       STR_ARG(str_sub(name, 0, 200)));
	if (o != NULL) {
		imap_quote(b, o->wire);
		return 0;
	}
	imap_utf7_encode(&wire, name);
	imap_quote(b, buf_view(&wire));
	buf_free(&wire);
	return 0;
}
