#include "fmt/hdr.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Octets of the empty line that stands at the front of s, 0 if none does. */
static size_t empty_line(struct str s)
{
	if (s.n > 0 && s.p[0] == '\n')
		return 1;
	if (s.n > 1 && s.p[0] == '\r' && s.p[1] == '\n')
		return 2;
	return 0;
}

/* Octets of the first line with its continuation lines and line ends. */
static size_t field_size(struct str s)
{
	const char *p = s.p, *end = s.p + s.n;

	do {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL)
			return s.n;
		p++;
	} while (p < end && blank(*p));
	return (size_t)(p - s.p);
}

/*
 * The field name at the front of s: visible ASCII up to the colon, blanks
 * before the colon allowed (RFC 5322 4.5).  0 when there is none, as in the
 * "From " line of an mbox.
 */
static size_t name_size(struct str s, size_t *colon)
{
	size_t i = 0, n;

	while (i < s.n && s.p[i] > ' ' && s.p[i] < 127 && s.p[i] != ':')
		i++;
	n = i;
	while (i < s.n && blank(s.p[i]))
		i++;
	*colon = i;
	return i < s.n && s.p[i] == ':' ? n : 0;
}

bool hdr_next(struct str *block, struct str *name, struct str *value)
{
	while (block->n > 0) {
		size_t size = empty_line(*block), colon = 0, n;
		struct str f;

		if (size > 0) {
			*block = str_sub(*block, size, block->n);
			return false;
		}
		size = field_size(*block);
		f = (struct str){block->p, size};
		block->p += size;
		block->n -= size;
		n = name_size(f, &colon);
		if (n == 0)
			continue;
		*name = (struct str){f.p, n};
		*value = str_trim(str_sub(f, colon + 1, f.n));
		return true;
	}
	return false;
}

bool hdr_next_of(struct str *block, char initial, struct str *name,
		 struct str *value)
{
	const char *p, *end;

	do {
		p = block->p;
		end = p + block->n;
		/* Only a line that begins with it is looked at closely. */
		while (p < end && (*p | 0x20) != initial &&
		       empty_line((struct str){p, (size_t)(end - p)}) == 0) {
			p = memchr(p, '\n', (size_t)(end - p));
			p = p == NULL ? end : p + 1;
		}
		*block = (struct str){p, (size_t)(end - p)};
		if (!hdr_next(block, name, value))
			return false;
	} while ((name->p[0] | 0x20) != initial);
	return true;
}

struct str hdr_get(struct str block, const char *name)
{
	struct str n, v;

	while (hdr_next_of(&block, (char)(name[0] | 0x20), &n, &v))
		if (str_iis(n, name))
			return v;
	return STR_NONE;
}

size_t hdr_end(struct str msg)
{
	struct str rest = msg;
	const char *q;
	size_t size;

	while (rest.n > 0) {
		size = empty_line(rest);
		if (size > 0)
			return (size_t)(rest.p - msg.p) + size;
		q = memchr(rest.p, '\n', rest.n);
		if (q == NULL)
			break;
		rest = str_sub(rest, (size_t)(q + 1 - rest.p), rest.n);
	}
	return msg.n;
}

struct str hdr_unfold(struct arena *a, struct str raw)
{
	size_t i = 0, n = 0;
	char *p;

	/* A carriage return alone is no better than a fold. */
	if (str_chr(raw, '\n') < 0 && str_chr(raw, '\r') < 0)
		return raw;
	raw = str_trim(raw);
	p = arena_alloc(a, raw.n + 1);
	while (i < raw.n) {
		if (raw.p[i] != '\r' && raw.p[i] != '\n') {
			p[n++] = raw.p[i++];
			continue;
		}
		while (n > 0 && blank(p[n - 1]))
			n--;
		while (i < raw.n && (blank(raw.p[i]) || raw.p[i] == '\r' ||
				     raw.p[i] == '\n'))
			i++;
		p[n++] = ' ';
	}
	return (struct str){p, n};
}

bool hdr_safe(struct str text)
{
	return text.n == 0 || (memchr(text.p, '\n', text.n) == NULL &&
			       memchr(text.p, '\r', text.n) == NULL &&
			       memchr(text.p, '\0', text.n) == NULL);
}
