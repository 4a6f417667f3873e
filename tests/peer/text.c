#include "text.h"

#include <stdlib.h>
#include <strings.h>

void var_set(struct vars *p, const char *name, struct str val)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->v[i].name, name) == 0)
			break;
	if (i == VARS || strlen(name) >= sizeof(p->v[i].name))
		return;
	if (i == p->n)
		p->n++;
	memcpy(p->v[i].name, name, strlen(name) + 1);
	buf_clear(&p->v[i].val);
	buf_str(&p->v[i].val, val);
}

void vars_free(struct vars *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		buf_free(&p->v[i].val);
	p->n = 0;
}

/* The shortest for each star, but the last takes the rest. */
static bool glob(struct str g, struct str s, struct str *star, int n)
{
	size_t i;

	while (g.n > 0 && *g.p != '*') {
		if (s.n == 0 || (*g.p != '?' && strncasecmp(g.p, s.p, 1) != 0))
			return false;
		g = str_sub(g, 1, g.n);
		s = str_sub(s, 1, s.n);
	}
	if (g.n == 0)
		return s.n == 0;
	for (i = g.n == 1 ? s.n : 0; i <= s.n; i++) {
		if (!glob(str_sub(g, 1, g.n), str_sub(s, i, s.n), star, n + 1))
			continue;
		if (n < 9)
			star[n] = str_sub(s, 0, i);
		return true;
	}
	return false;
}

bool text_matches(struct vars *p, struct str g, struct str line)
{
	struct str star[9] = {0};
	char name[2] = "1";
	int i;

	if (!glob(g, line, star, 0))
		return false;
	for (i = 0; i < 9; i++) {
		name[0] = (char)('1' + i);
		var_set(p, name, star[i]);
	}
	return true;
}

static int hex(char c)
{
	const char *d = "0123456789abcdef", *q = strchr(d, c | 0x20);

	return c != '\0' && q != NULL ? (int)(q - d) : -1;
}

/* The variable with the longest name that s begins with, or NULL. */
static const struct var *find(const struct vars *p, struct str s)
{
	const struct var *best = NULL;
	size_t i;

	for (i = 0; i < p->n; i++)
		if (str_starts(s, p->v[i].name) &&
		    (best == NULL || strlen(p->v[i].name) > strlen(best->name)))
			best = &p->v[i];
	return best;
}

/* What stands behind a backslash; how many octets of it were taken. */
static size_t escape(struct str s, struct buf *out)
{
	static const char from[] = "rnt0\\", to[] = "\r\n\t\0\\";
	const char *q;

	if (s.n == 0)
		return 0;
	if (*s.p == 'x' && s.n > 2 && hex(s.p[1]) >= 0 && hex(s.p[2]) >= 0) {
		buf_c(out, (char)(hex(s.p[1]) * 16 + hex(s.p[2])));
		return 3;
	}
	q = strchr(from, *s.p);
	buf_c(out, q != NULL && *q != '\0' ? to[q - from] : *s.p);
	return 1;
}

void text_expand(const struct vars *p, struct str s, struct buf *out)
{
	const struct var *v;
	size_t i = 0;
	bool count;

	while (i < s.n) {
		if (s.p[i] == '\\') {
			i++;
			i += escape(str_sub(s, i, s.n), out);
			continue;
		}
		if (s.p[i] != '$') {
			buf_c(out, s.p[i++]);
			continue;
		}
		count = i + 1 < s.n && s.p[i + 1] == '#';
		v = find(p, str_sub(s, i + 1 + count, s.n));
		if (v == NULL) {
			buf_c(out, '$');
			i += 1 + (i + 1 < s.n && s.p[i + 1] == '$');
			continue;
		}
		if (count)
			buf_u64(out, v->val.n);
		else
			buf_str(out, buf_view(&v->val));
		i += 1 + count + strlen(v->name);
	}
}
