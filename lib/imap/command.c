/* Writing commands: literals of ours, and arguments that cannot break out. */
#include "imap/priv.h"

#define LITERAL_MINUS 4096 /* RFC 7888 5 */
#define QUOTED_MAX 1024

static int wrote(struct imap *im, int rc)
{
	if (rc < 0)
		im->dead = true;
	return rc;
}

int imap_put(struct imap *im, struct str s, struct coi_err *e)
{
	return wrote(im, im->io.put(im->io_ctx, s, false, e));
}

int imap_put_secret(struct imap *im, struct str s, struct coi_err *e)
{
	return wrote(im, im->io.put(im->io_ctx, s, true, e));
}

int imap_flush(struct imap *im, struct coi_err *e)
{
	return wrote(im, im->io.flush(im->io_ctx, e));
}

bool imap_literal_ok(const struct imap *im, uint64_t n)
{
	return imap_has(im, "LITERAL+") ||
	       (imap_has(im, "LITERAL-") && n <= LITERAL_MINUS);
}

int imap_wait_plus(struct imap *im, uint32_t tag, struct coi_err *e)
{
	im->plus = false;
	if (imap_flush(im, e) < 0)
		return -1;
	while (!im->plus && imap_state(im, tag) == RES_PENDING)
		if (imap_read(im, e) < 0)
			return -1;
	return imap_state(im, tag) == RES_PENDING;
}

int imap_wait_literal(struct imap *im, uint32_t tag, struct coi_err *e)
{
	int rc = imap_wait_plus(im, tag, e);

	if (rc != 0 || imap_state(im, tag) != RES_OK)
		return rc;
	/* It cannot have done what it was not told yet. */
	im->dead = true;
	return err_set(e, COI_E_PROTOCOL,
		       "the server said OK to half a command");
}

/*
 * The next {n+}CRLF of a command: `text` goes up to it, `lit` behind it.
 * False at the end; *bad: CR, LF or NUL where none may be.
 */
static bool next_literal(struct str *rest, struct str *text, struct str *lit,
			 bool *bad)
{
	bool quote = false;
	size_t i, before;
	uint64_t n;

	*bad = false;
	*text = *rest;
	for (i = 0; i < rest->n; i++) {
		char ch = rest->p[i];

		if (quote && ch == '\\' && i + 1 < rest->n)
			ch = rest->p[++i];
		else if (ch == '"')
			quote = !quote;
		if (ch != '\r' && ch != '\n' && ch != '\0')
			continue;
		*bad = true;
		if (quote || ch != '\r' || i + 1 >= rest->n ||
		    rest->p[i + 1] != '\n' || i < 4 || rest->p[i - 2] != '+' ||
		    imap_literal_tail(str_sub(*rest, 0, i), &before, &n) != 1)
			return false;
		if (n > rest->n - i - 2)
			return false;
		*text = str_sub(*rest, 0, before);
		*lit = str_sub(*rest, i + 2, (size_t)n);
		*rest = str_sub(*rest, i + 2 + (size_t)n, rest->n);
		*bad = str_chr(*lit, '\0') >= 0;
		return true;
	}
	*rest = str_sub(*rest, rest->n, 0);
	return false;
}

static int check_command(const char *what, struct str rest, struct coi_err *e)
{
	struct str text, lit;
	bool bad, more;

	do {
		more = next_literal(&rest, &text, &lit, &bad);
		if (bad)
			return err_set(e, COI_E_DATA,
				       "a line end or NUL inside an argument "
				       "of %s",
				       what);
	} while (more);
	return 0;
}

int imap_send(struct imap *im, const char *what, struct str rest, uint32_t *tag,
	      struct coi_err *e)
{
	struct buf b = {0};
	struct str text, lit;
	bool bad, more;
	int rc = -1;

	if (check_command(what, rest, e) < 0)
		return -1;
	*tag = imap_tag_new(im, what, &b);
	do {
		more = next_literal(&rest, &text, &lit, &bad);
		buf_str(&b, text);
		if (!more)
			break;
		if (imap_literal_ok(im, lit.n)) {
			buf_fmt(&b, "{%zu+}\r\n", lit.n);
			buf_str(&b, lit);
			continue;
		}
		buf_fmt(&b, "{%zu}\r\n", lit.n);
		if (imap_put(im, buf_view(&b), e) < 0)
			goto out;
		rc = imap_wait_literal(im, *tag, e);
		if (rc <= 0)
			goto out;
		rc = -1;
		buf_clear(&b);
		buf_str(&b, lit);
	} while (more);
	buf_z(&b, "\r\n");
	rc = imap_put(im, buf_view(&b), e);
out:
	buf_free(&b);
	return rc;
}

void imap_quote(struct buf *b, struct str s)
{
	bool plain = s.n <= QUOTED_MAX;
	size_t i;

	for (i = 0; i < s.n && plain; i++)
		plain = s.p[i] != '\r' && s.p[i] != '\n' && s.p[i] != '\0' &&
			(unsigned char)s.p[i] < 0x80;
	if (!plain) {
		buf_fmt(b, "{%zu+}\r\n", s.n);
		buf_str(b, s);
		return;
	}
	buf_c(b, '"');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_c(b, '\\');
		buf_c(b, s.p[i]);
	}
	buf_c(b, '"');
}
