#include "fmt/addr_fold.h"

#include <idn2.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#include "fmt/addr.h"

#define LONGEST 1000 /* octets; no address in use comes near */

/* "a\"b"@x without quotes and backslashes. */
static struct str unquoted(struct arena *a, struct str email, size_t local)
{
	char *p = arena_alloc(a, email.n + 1);
	size_t i, n = 0;

	for (i = 0; i < email.n; i++) {
		if (i < local && email.p[i] == '"')
			continue;
		if (i < local && email.p[i] == '\\' && i + 1 < local)
			i++;
		p[n++] = email.p[i];
	}
	return (struct str){p, n};
}

static struct str folded(struct arena *a, struct str s)
{
	size_t n = 0;
	uint8_t *low;
	struct str out;

	if (str_ascii(s) || !utf8_valid(s))
		return arena_lower(a, s);
	low = u8_tolower((const uint8_t *)s.p, s.n, NULL, UNINORM_NFC, NULL,
			 &n);
	if (low == NULL)
		return arena_lower(a, s);
	out = arena_str(a, (struct str){(const char *)low, n});
	free(low);
	return out;
}

/* The domain in U-labels, where it has some. */
static struct str unicode(struct arena *a, struct str email)
{
	struct str domain = addr_domain(email), out = email;
	char *in, *text = NULL;

	if (str_ifind(domain, STR("xn--")) < 0)
		return email;
	in = mem_dup(domain);
	if (idn2_to_unicode_8z8z(in, &text, 0) == IDN2_OK && text != NULL)
		out = arena_fmt(a, "%.*s%s", (int)(email.n - domain.n), email.p,
				text);
	idn2_free(text);
	free(in);
	return out;
}

static size_t add(struct str out[ADDR_FORMS], size_t n, struct str s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(out[i], s))
			return n;
	if (s.n > 0 && n < ADDR_FORMS)
		out[n++] = s;
	return n;
}

size_t addr_forms(struct arena *a, struct str email, struct str out[ADDR_FORMS])
{
	struct str plain, ascii;
	size_t n;

	if (email.n == 0 || email.n > LONGEST || str_chr(email, '\0') >= 0)
		return 0;
	plain = unquoted(a, email, email.n - addr_domain(email).n);
	n = add(out, 0, folded(a, unicode(a, plain)));
	ascii = addr_ascii(a, plain);
	if (ascii.p != NULL)
		n = add(out, n, folded(a, ascii));
	return add(out, n, arena_lower(a, plain));
}
