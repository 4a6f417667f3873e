/* Addresses: what may be sent, and how it is written. */
#include <idn2.h>

#include "fmt/addr.h"
#include "fmt/hdr.h"

#define LINE_MAX_COL 76
#define QUOTED_MAX 60 /* a longer name is encoded, which can be folded */

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

/* atext (RFC 5322 3.2.3); octets of UTF-8 count (RFC 6532). */
static bool atext(char c)
{
	if (alnum(c) || (unsigned char)c >= 128)
		return true;
	return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

static bool ascii(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 128)
			return false;
	return true;
}

/* Where the domain's "@" stands; a domain cannot hold one. */
static ptrdiff_t at_sign(struct str email)
{
	const char *q = email.n == 0 ? NULL : memrchr(email.p, '@', email.n);

	return q == NULL ? -1 : q - email.p;
}

static struct str local_part(struct str email)
{
	ptrdiff_t i = at_sign(email);

	return i < 0 ? email : str_sub(email, 0, (size_t)i);
}

struct str addr_domain(struct str email)
{
	ptrdiff_t i = at_sign(email);

	return i < 0 ? STR_NONE : str_sub(email, (size_t)i + 1, email.n);
}

bool addr_needs_utf8(struct str email)
{
	return !ascii(local_part(email));
}

/* Appends the A-label form of a domain; false when IDNA forbids it. */
static bool to_ascii(struct buf *b, struct str domain)
{
	char *in, *out = NULL;
	size_t i;
	int rc;

	if (ascii(domain)) {
		buf_str(b, domain);
		return true;
	}
	if (domain.n > 1024)
		return false;
	/* The mapping would drop blanks and the like. */
	for (i = 0; i < domain.n; i++)
		if ((unsigned char)domain.p[i] < 128 && !alnum(domain.p[i]) &&
		    domain.p[i] != '-' && domain.p[i] != '.')
			return false;
	in = mem_dup(domain);
	rc = idn2_to_ascii_8z(in, &out,
			      IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL |
				  IDN2_USE_STD3_ASCII_RULES);
	free(in);
	if (rc != IDN2_OK)
		return false;
	buf_z(b, out);
	idn2_free(out);
	return true;
}

struct str addr_ascii(struct arena *a, struct str email)
{
	struct str domain = addr_domain(email), s = STR_NONE;
	struct buf b = {0};

	if (ascii(domain))
		return email;
	buf_add(&b, email.p, email.n - domain.n);
	if (to_ascii(&b, domain))
		s = arena_str(a, buf_view(&b));
	buf_free(&b);
	return s;
}

/* --- validity ------------------------------------------------------------ */

static const char *why_local(struct str s)
{
	size_t i;

	if (s.n == 0)
		return "nothing in front of the \"@\"";
	if (s.n > 64)
		return "more than 64 octets in front of the \"@\"";
	if (s.p[0] != '"') {
		if (s.p[0] == '.' || s.p[s.n - 1] == '.' ||
		    str_find(s, STR("..")) >= 0)
			return "a dot at the wrong place in front of the \"@\"";
		for (i = 0; i < s.n; i++)
			if (s.p[i] != '.' && !atext(s.p[i]))
				return "a character in front of the \"@\" that "
				       "would need quotes";
		return NULL;
	}
	for (i = 1; i < s.n && s.p[i] != '"'; i++)
		if (s.p[i] == '\\')
			i++;
	return i + 1 == s.n ? NULL : "quotes that do not match";
}

static const char *why_literal(struct str s)
{
	size_t i;

	if (s.n < 3 || s.p[s.n - 1] != ']')
		return "an address literal without its \"]\"";
	for (i = 1; i + 1 < s.n; i++)
		if (!alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != ':' &&
		    s.p[i] != '-')
			return "an address literal that is none";
	return NULL;
}

static const char *why_domain(struct str s)
{
	struct str label;

	if (s.n > 0 && s.p[0] == '[')
		return why_literal(s);
	if (s.n == 0 || s.p[s.n - 1] == '.')
		return "a domain that is empty or ends with a dot";
	while (s.n > 0) {
		size_t i;

		label = str_split(&s, '.');
		if (label.n == 0 || label.n > 63)
			return "a domain label that is empty or too long";
		if (label.p[0] == '-' || label.p[label.n - 1] == '-')
			return "a domain label with \"-\" at its end";
		for (i = 0; i < label.n; i++)
			if (!alnum(label.p[i]) && label.p[i] != '-')
				return "a character that no mail domain has";
	}
	return NULL;
}

static bool has_control(struct str s)
{
	size_t i = 0, k;
	uint32_t cp;

	while (i < s.n) {
		k = utf8_decode(s.p + i, s.n - i, &cp);
		if (k == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
		    cp == 0x2028 || cp == 0x2029)
			return true;
		i += k;
	}
	return false;
}

const char *addr_why(struct str email)
{
	struct str domain = addr_domain(email);
	const char *why = NULL;
	struct buf b = {0};

	if (domain.p == NULL)
		return "no \"@\"";
	if (email.n > 1024)
		return "too long";
	if (has_control(email))
		return "a control character or invalid UTF-8";
	why = why_local(local_part(email));
	if (why == NULL && !to_ascii(&b, domain))
		why = "a domain that is no internationalised domain name";
	if (why == NULL)
		why = why_domain(buf_view(&b));
	if (why == NULL && email.n - domain.n + b.n > 254)
		why = "more than 254 octets";
	buf_free(&b);
	return why;
}

bool addr_valid(struct str email)
{
	return addr_why(email) == NULL;
}

/* --- comparison ---------------------------------------------------------- */

/* The next octet of a local part with quotes and escapes taken off, or -1. */
static int next_octet(struct str *s, bool *in)
{
	while (s->n > 0) {
		unsigned char c = (unsigned char)s->p[0];

		*s = str_sub(*s, 1, s->n);
		if (c == '"') {
			*in = !*in;
			continue;
		}
		if (c == '\\' && *in && s->n > 0) {
			c = (unsigned char)s->p[0];
			*s = str_sub(*s, 1, s->n);
		}
		return (unsigned char)ascii_lower((char)c);
	}
	return -1;
}

static bool same_local(struct str a, struct str b)
{
	bool qa = false, qb = false;
	int x, y;

	if (str_ieq(a, b))
		return true;
	do {
		x = next_octet(&a, &qa);
		y = next_octet(&b, &qb);
	} while (x == y && x >= 0);
	return x == y;
}

bool addr_same(struct str a, struct str b)
{
	struct str da = addr_domain(a), db = addr_domain(b);
	struct buf x = {0}, y = {0};
	bool same;

	if (!same_local(local_part(a), local_part(b)))
		return false;
	if (str_ieq(da, db))
		return (da.p == NULL) == (db.p == NULL);
	if (ascii(da) && ascii(db))
		return false;
	same = to_ascii(&x, da) && to_ascii(&y, db) &&
	       str_ieq(buf_view(&x), buf_view(&y));
	buf_free(&x);
	buf_free(&y);
	return same;
}

/* --- writing ------------------------------------------------------------- */

static size_t column(const struct buf *b)
{
	const char *q = b->n == 0 ? NULL : memrchr(b->p, '\n', b->n);

	return q == NULL ? b->n : (size_t)(b->p + b->n - q) - 1;
}

static void put_email(struct buf *b, struct str email)
{
	struct str domain = addr_domain(email);
	size_t i, was = b->n;

	if (addr_valid(email)) {
		buf_add(b, email.p, email.n - domain.n);
		to_ascii(b, domain);
		return;
	}
	buf_utf8(b, email);
	for (i = was; i < b->n; i++) {
		char c = b->p[i];

		if ((unsigned char)c > ' ' && c != 127 &&
		    strchr("<>()[]\\,;:\"", c) == NULL)
			b->p[was++] = c;
	}
	b->n = was;
}

/* A phrase of atoms with single blanks between them. */
static bool plain(struct str name)
{
	size_t i;

	for (i = 0; i < name.n; i++) {
		if (name.p[i] == ' ') {
			if (i > 0 && name.p[i - 1] == ' ')
				return false;
		} else if (!atext(name.p[i])) {
			return false;
		}
	}
	return true;
}

static void put_name(struct buf *b, struct str name, size_t col)
{
	size_t i;

	if (!ascii(name) || name.n > QUOTED_MAX ||
	    str_find(name, STR("=?")) >= 0) {
		hdr_write_words(b, name, col);
	} else if (plain(name)) {
		buf_str(b, name);
	} else {
		buf_c(b, '"');
		for (i = 0; i < name.n; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_c(b, '\\');
			buf_c(b, name.p[i]);
		}
		buf_c(b, '"');
	}
}

static struct str clean_name(struct buf *t, struct str name)
{
	size_t i;

	buf_utf8(t, name);
	for (i = 0; i < t->n; i++)
		if ((unsigned char)t->p[i] < ' ' || t->p[i] == 127)
			t->p[i] = ' ';
	return str_trim(buf_view(t));
}

static void write_at(struct buf *b, const struct addr *x, size_t col)
{
	struct buf name = {0}, email = {0};
	struct str s = clean_name(&name, x->name);
	size_t was = b->n;

	put_email(&email, x->email);
	if (s.n == 0) {
		buf_str(b, buf_view(&email));
	} else {
		put_name(b, s, col);
		col += b->n - was;
		if (memchr(b->p + was, '\n', b->n - was) != NULL)
			col = column(b);
		buf_z(b, col + email.n + 3 > LINE_MAX_COL ? "\r\n <" : " <");
		buf_str(b, buf_view(&email));
		buf_c(b, '>');
	}
	buf_free(&name);
	buf_free(&email);
}

void addr_write(struct buf *b, const struct addr *x)
{
	size_t col = column(b);

	write_at(b, x, col > 52 ? 0 : col);
}

void addr_write_field(struct buf *b, const char *field,
		      const struct addr_list *l)
{
	size_t i, col;
	struct buf one = {0};

	if (l->n == 0)
		return;
	buf_z(b, field);
	buf_z(b, ": ");
	col = strlen(field) + 2;
	for (i = 0; i < l->n; i++) {
		buf_clear(&one);
		write_at(&one, &l->v[i], i == 0 ? col : 1);
		/* An address that is folded itself begins a line. */
		if (i > 0) {
			bool fresh = str_chr(buf_view(&one), '\n') >= 0 ||
				     col + 3 + one.n > LINE_MAX_COL;

			buf_z(b, fresh ? ",\r\n " : ", ");
		}
		buf_str(b, buf_view(&one));
		col = column(b);
	}
	buf_z(b, "\r\n");
	buf_free(&one);
}
