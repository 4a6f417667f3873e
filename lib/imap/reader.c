/*
 * Octets to responses, as a push parser: lines are framed once however they
 * arrive, literals of FETCH pass through, others are kept or dropped.
 */
#include "core/limits.h"
#include "imap/priv.h"

#define NUMBERS_PART 8192 /* a number list longer than this is cut */
#define SEPARATOR_WITHIN 32
#define WORDS 64
#define STATUS_LITERALS 8
#define PASS_MAX (64u * 1024u * 1024u)
#define TAIL 32 /* octets that show whether a line ends with a literal */

int imap_violation(struct imap *im, const char *what, struct str said,
		   struct coi_err *e)
{
	struct buf b = {0};

	buf_clean(&b, str_sub(str_trim(said), 0, 120));
	err_set(e, COI_E_PROTOCOL, "the server sent %s", what);
	err_reply(e, b.p == NULL ? "" : b.p, b.n);
	buf_free(&b);
	return -1;
}

/* The words at the beginning of "* ...": none is longer than WORDS. */
static void words(struct str line, bool *number, uint64_t *v, struct str *word,
		  struct str *args)
{
	struct str head = str_sub(line, 1, WORDS);
	struct imap_cur c = {head.p, head.p + head.n, NULL};

	*number = false;
	cur_sp(&c);
	if (cur_u64(&c, UINT32_MAX, v)) {
		*number = true;
		cur_sp(&c);
	}
	cur_atom(&c, word);
	*args = (struct str){c.p, (size_t)(line.p + line.n - c.p)};
}

static bool status_word(struct str w)
{
	return str_iis(w, "OK") || str_iis(w, "NO") || str_iis(w, "BAD") ||
	       str_iis(w, "BYE") || str_iis(w, "PREAUTH");
}

static void classify(struct imap *im, struct str line, struct str *args)
{
	struct str word;
	uint64_t n = 0;
	bool number;

	im->mode = MODE_STATUS;
	if (line.n == 0 || line.p[0] != '*')
		return;
	words(line, &number, &n, &word, args);
	im->number = (uint32_t)n;
	if (number)
		im->mode = str_iis(word, "FETCH") ? MODE_FETCH : MODE_KEEP;
	else if (status_word(word))
		im->mode = MODE_STATUS;
	else if (numbers_word(word, &im->numbers))
		im->mode = MODE_NUMBERS;
	else if (imap_known_untagged(word))
		im->mode = MODE_KEEP;
	else
		im->mode = MODE_SKIP;
	im->num_begun = false;
}

/* In a status response {n} is text, unless its [code] is still open. */
static bool in_code(struct str s)
{
	ptrdiff_t i = str_chr(s, '[');
	bool quote = false;
	size_t k;

	if (i < 0)
		return false;
	for (k = (size_t)i; k < s.n; k++) {
		if (quote && s.p[k] == '\\')
			k++;
		else if (s.p[k] == '"')
			quote = !quote;
		else if (s.p[k] == ']' && !quote)
			return false;
	}
	return true;
}

static bool code_goes_on(const struct imap *im, struct str line)
{
	struct buf b = {0};
	bool yes;

	if (im->kept.n == 0)
		return in_code(line);
	if (im->nlit >= STATUS_LITERALS)
		return false;
	buf_str(&b, buf_view(&im->kept));
	buf_str(&b, line);
	yes = in_code(buf_view(&b));
	buf_free(&b);
	return yes;
}

static int too_long(struct imap *im, struct coi_err *e)
{
	err_set(e, COI_E_PROTOCOL,
		"the server sent a response beyond the limit of %u octets",
		LIMIT_IMAP_LINE);
	return -1;
}

static int numbers_part(struct imap *im, struct str args, struct str line,
			struct coi_err *e)
{
	if (!numbers_feed(im, args))
		return imap_violation(im, "a list of numbers that is broken",
				      line, e);
	return 0;
}

static int finish(struct imap *im, struct str line, struct coi_err *e)
{
	int rc = 0;

	im->inside = false;
	if (im->mode != MODE_SKIP)
		rc = imap_respond(
		    im, im->kept.n > 0 ? buf_view(&im->kept) : line, e);
	buf_clear(&im->kept);
	arena_reset(im->scratch);
	return rc < 0 ? -1 : 1;
}

/* A whole line: 1 ends the response, 0 goes on. */
static int line_in(struct imap *im, struct str line, struct coi_err *e)
{
	struct str args = line;
	size_t before = line.n;
	uint64_t n = 0;
	int lit, rc;

	if (!im->inside) {
		if (++im->responses > LIMIT_IMAP_RESPONSES) {
			err_set(e, COI_E_PROTOCOL,
				"the server does not stop sending");
			return -1;
		}
		im->inside = true;
		im->nlit = 0;
		im->passed = 0;
		classify(im, line, &args);
		if (im->mode == MODE_FETCH) {
			items_begin(&im->items);
			line = args;
			before = line.n;
		}
	}
	if (line.n > LIMIT_IMAP_LINE && im->mode == MODE_FETCH)
		im->mode = MODE_SKIP;
	else if (line.n > LIMIT_IMAP_LINE && im->mode != MODE_NUMBERS)
		return too_long(im, e);
	if (im->mode == MODE_NUMBERS) {
		im->inside = false;
		if (numbers_part(im, args, line, e) < 0)
			return -1;
		arena_reset(im->scratch);
		return 1;
	}
	lit = imap_literal_tail(line, &before, &n);
	if (lit != 0 && im->mode == MODE_STATUS && !code_goes_on(im, line))
		lit = 0;
	if (lit < 0)
		return imap_violation(im, "a literal that is too large", line,
				      e);
	if (lit > 0) {
		im->in_literal = true;
		im->left = n;
		im->nlit++;
	}
	if (im->mode == MODE_FETCH) {
		rc = items_line(im, str_sub(line, 0, lit ? before : line.n),
				lit > 0, n, e);
		if (rc > 0 || (rc < 0 && im->spoiled && !im->in_literal)) {
			im->inside = false;
			arena_reset(im->scratch);
		}
		return rc;
	}
	if (im->mode != MODE_SKIP && (lit > 0 || im->kept.n > 0)) {
		if (n > LIMIT_IMAP_LITERAL_MEM ||
		    im->kept.n + line.n + n >
			LIMIT_IMAP_LINE + LIMIT_IMAP_LITERAL_MEM)
			return too_long(im, e);
		buf_str(&im->kept, line);
		if (lit > 0)
			buf_z(&im->kept, "\r\n");
	}
	return lit > 0 ? 0 : finish(im, line, e);
}

static int literal_in(struct imap *im, struct str chunk, struct coi_err *e)
{
	im->left -= chunk.n;
	if (im->mode == MODE_FETCH) {
		if (chunk.n > 0 && items_octets(im, chunk, e) < 0)
			return -1;
	} else if (im->mode != MODE_SKIP) {
		buf_str(&im->kept, chunk);
	}
	if (im->left > 0)
		return 0;
	im->in_literal = false;
	return im->mode == MODE_FETCH ? items_literal_end(im, e) : 0;
}

/* Takes a list of numbers as far as it came: octets used, or -1. */
static ptrdiff_t long_numbers(struct imap *im, struct str rest,
			      struct coi_err *e)
{
	struct str args = rest;
	size_t i;

	if (rest.n < NUMBERS_PART)
		return 0;
	if (!im->inside) {
		classify(im, rest, &args);
		if (im->mode != MODE_NUMBERS)
			return 0;
	} else if (im->mode != MODE_NUMBERS) {
		return 0;
	}
	for (i = 0; i < SEPARATOR_WITHIN; i++)
		if (rest.p[rest.n - 1 - i] == ' ' ||
		    rest.p[rest.n - 1 - i] == ',')
			break;
	if (i == SEPARATOR_WITHIN)
		return 0;
	if (!im->inside)
		im->responses++;
	im->inside = true;
	args.n -= i;
	if (numbers_part(im, args, rest, e) < 0)
		return -1;
	arena_reset(im->scratch);
	return (ptrdiff_t)(rest.n - i);
}

/*
 * A BODYSTRUCTURE is as long as a sender likes.  One beyond the limit is
 * dropped up to the end of its response, so that the messages behind it can
 * be read: octets used, 0 when that is no way out.
 */
static size_t pass_over(struct imap *im, struct str rest)
{
	struct str args;

	if (!im->inside) {
		classify(im, rest, &args);
		if (im->mode != MODE_FETCH)
			return 0;
		im->inside = true;
		im->responses++;
		im->nlit = 0;
		im->passed = 0;
	} else if (im->mode != MODE_FETCH && im->passed == 0) {
		return 0;
	}
	im->mode = MODE_SKIP;
	im->passed += rest.n - TAIL;
	return im->passed > PASS_MAX ? 0 : rest.n - TAIL;
}

int imap_feed(struct imap *im, struct str view, size_t *used, struct coi_err *e)
{
	struct str rest, line;
	const char *lf;
	ptrdiff_t k;
	int rc;

	*used = 0;
	for (;;) {
		rest = str_sub(view, *used, view.n);
		if (im->in_literal) {
			if (rest.n == 0 && im->left > 0)
				return 0;
			if (rest.n > im->left)
				rest.n = (size_t)im->left;
			*used += rest.n;
			if (literal_in(im, rest, e) < 0)
				return -1;
			continue;
		}
		lf = rest.n == im->scanned ? NULL
					   : memchr(rest.p + im->scanned, '\n',
						    rest.n - im->scanned);
		if (lf == NULL) {
			k = long_numbers(im, rest, e);
			if (k < 0)
				return -1;
			*used += (size_t)k;
			im->scanned = rest.n - (size_t)k;
			if (im->scanned <= LIMIT_IMAP_LINE)
				return 0;
			k = (ptrdiff_t)pass_over(im, rest);
			if (k == 0)
				return too_long(im, e);
			*used += (size_t)k;
			im->scanned -= (size_t)k;
			return 0;
		}
		line = (struct str){rest.p, (size_t)(lf - rest.p)};
		*used += line.n + 1;
		im->scanned = 0;
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		rc = line_in(im, line, e);
		if (rc != 0)
			return rc;
	}
}
