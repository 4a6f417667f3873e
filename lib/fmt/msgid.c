#include "fmt/msgid.h"

#include "core/sys.h"

#define ID_MAX 900	/* octets of an id that is written */
#define COMMENT_MAX 256 /* a longer one is text: linear */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

bool msgid_group_valid(struct str group)
{
	size_t i;

	for (i = 0; i < group.n; i++)
		if (!word(group.p[i]))
			return false;
	return group.n > 0 && group.n <= 128;
}

void msgid_new(struct buf *b, struct str group, struct str domain)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz"
				     "0123456789-_";
	unsigned char raw[16];
	unsigned bits = 0, have = 0;
	size_t i;

	buf_z(b, "chat$");
	if (group.n > 0) {
		buf_z(b, "group.");
		for (i = 0; i < group.n; i++)
			if (word(group.p[i]))
				buf_c(b, group.p[i]);
		buf_c(b, '.');
	}
	/* No dot is in the alphabet, so it cannot begin with "group.". */
	sys_random(raw, sizeof(raw));
	for (i = 0; i < sizeof(raw); i++) {
		bits = (bits << 8 | raw[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			buf_c(b, digits[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_c(b, digits[bits << (6 - have) & 63]);
	buf_c(b, '@');
	for (i = 0; i < domain.n; i++)
		if (word(domain.p[i]) || domain.p[i] == '.' ||
		    domain.p[i] == '[' || domain.p[i] == ']' ||
		    domain.p[i] == ':')
			buf_c(b, domain.p[i]);
	if (b->p[b->n - 1] == '@')
		buf_z(b, "localhost");
}

/* Octets of the comment at the front of s; 1 when it does not end soon. */
static size_t comment(struct str s)
{
	size_t i, depth = 0;

	for (i = 0; i < s.n && i < COMMENT_MAX; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 1;
}

static bool ends_id(char c)
{
	return blank(c) || c == '<' || c == '>' || c == ',' || c == ';' ||
	       c == '\0';
}

bool msgid_next(struct str *rest, struct str *id)
{
	bool no_comment = false;

	while (rest->n > 0) {
		bool open = rest->p[0] == '<', done;
		size_t i = 0, n;

		if (open) {
			for (i = 1; i < rest->n && blank(rest->p[i]); i++)
				;
		} else if (rest->p[0] == '(') {
			i = no_comment ? 1 : comment(*rest);
			no_comment = i == 1;
			*rest = str_sub(*rest, i, rest->n);
			continue;
		} else if (ends_id(rest->p[0]) || rest->p[0] == '"') {
			*rest = str_sub(*rest, 1, rest->n);
			continue;
		}
		*rest = str_sub(*rest, i, rest->n);
		/* Between brackets only a blank or a bracket ends it. */
		for (n = 0; n < rest->n; n++) {
			char c = rest->p[n];

			if (open && (c == ',' || c == ';'))
				continue;
			if (ends_id(c) || (!open && (c == '(' || c == '"')))
				break;
		}
		*id = str_sub(*rest, 0, n);
		*rest = str_sub(*rest, n, rest->n);
		while (open && rest->n > 0 && blank(rest->p[0]))
			*rest = str_sub(*rest, 1, rest->n);
		done = rest->n == 0 || rest->p[0] == '>';
		if (rest->n > 0 && rest->p[0] == '>')
			*rest = str_sub(*rest, 1, rest->n);
		if (open && !done && str_ends(*id, ","))
			id->n--;
		/* Free text ("Your message of Monday") is no id. */
		if (id->n > 0 && ((open && done) || str_chr(*id, '@') > 0))
			return true;
	}
	return false;
}

/* What can stand between "<" and ">" without becoming something else. */
static bool safe(struct str id)
{
	size_t i;

	if (id.n == 0 || id.n > ID_MAX || !utf8_valid(id))
		return false;
	for (i = 0; i < id.n; i++)
		if ((unsigned char)id.p[i] <= ' ' || id.p[i] == 127 ||
		    id.p[i] == '<' || id.p[i] == '>')
			return false;
	return true;
}

bool msgid_valid(struct str id)
{
	ptrdiff_t at = str_chr(id, '@');

	return safe(id) && at > 0 && (size_t)at + 1 < id.n;
}

static struct str behind_prefix(struct str id)
{
	id = str_trim(id);
	if (str_starts(id, "<"))
		id = str_sub(id, 1, id.n);
	if (str_starts(id, "chat$"))
		return str_sub(id, 5, id.n);
	if (str_starts(id, "coi$")) /* before July 2019 */
		return str_sub(id, 4, id.n);
	return STR_NONE;
}

bool msgid_is_chat(struct str id)
{
	return behind_prefix(id).p != NULL;
}

struct str msgid_group(struct str id)
{
	struct str s = behind_prefix(id);
	ptrdiff_t dot;
	size_t i;

	if (s.p == NULL || !str_starts(s, "group."))
		return STR_NONE;
	s = str_sub(s, 6, s.n);
	/* To the first dot, as Dovecot does; the unique part may hold dots. */
	dot = str_chr(s, '.');
	if (dot <= 0)
		return STR_NONE;
	s.n = (size_t)dot;
	for (i = 0; i < s.n; i++)
		if (!word(s.p[i]))
			return STR_NONE;
	return s;
}

void msgid_write_field(struct buf *b, const char *field, const struct str *ids,
		       size_t n)
{
	size_t i, written = 0;

	for (i = 0; i < n; i++) {
		if (!safe(ids[i]))
			continue;
		if (written++ == 0) {
			buf_z(b, field);
			buf_z(b, ": <");
		} else {
			buf_z(b, "\r\n <");
		}
		buf_str(b, ids[i]);
		buf_c(b, '>');
	}
	if (written > 0)
		buf_z(b, "\r\n");
}
