#include "coi/decode_priv.h"
#include "fmt/msgid.h"

struct str message_root(const struct message *m)
{
	if (m->references.n > 0)
		return m->references.v[0];
	if (m->in_reply_to.p != NULL)
		return m->in_reply_to;
	return m->id;
}

/* Strips "Re:", "AW:" and their like, and with `tags` "[list]", repeatedly. */
static struct str bare_subject(struct str s, bool tags)
{
	static const char *const marks[] = {
	    "re:", "aw:", "sv:", "vs:",	 "antw:", "fwd:",
	    "fw:", "wg:", "tr:", "rif:", "odp:"};
	bool again = true;
	size_t i;

	while (again) {
		again = false;
		s = str_trim(s);
		for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
			if (str_istarts(s, marks[i])) {
				s = str_sub(s, strlen(marks[i]), s.n);
				again = true;
			}
		if (tags && str_starts(s, "[") && str_chr(s, ']') > 0) {
			s = str_sub(s, (size_t)str_chr(s, ']') + 1, s.n);
			again = true;
		}
	}
	return s;
}

static void group_of(struct decoder *d, struct message *m)
{
	struct str g = STR_NONE, name = STR_NONE;

	if (m->id.p != NULL)
		g = msgid_group(m->id);
	/* Of a chat program that is its subject, tags and all. */
	if (g.p != NULL && m->meta.by_version)
		name = bare_subject(m->subject, false);
	if (g.p == NULL && m->references.n > 0)
		g = msgid_group(m->references.v[0]);
	if (g.p == NULL && m->references.n == 0 && m->in_reply_to.p != NULL)
		g = msgid_group(m->in_reply_to);
	if (g.p == NULL && m->meta.by_version &&
	    msgid_group_valid(d->delta_group))
		g = d->delta_group;
	if (g.p == NULL)
		return;
	m->group_id = g;
	if (name.n == 0 && m->meta.by_version)
		name = d->delta_name;
	if (name.n == 0)
		name = bare_subject(m->subject, true);
	if (name.n > 0)
		m->group_name = name;
	/* The name is the default subject of a group: said once. */
	if (str_eq(name, m->subject))
		m->subject = STR_NONE;
}

/* PREFIX and s, its ASCII letters small if `fold`. */
static struct str named(struct arena *a, const char *prefix, struct str s,
			bool fold)
{
	size_t i, n = strlen(prefix);
	char *p = arena_alloc(a, n + s.n + 1);

	memcpy(p, prefix, n);
	for (i = 0; i < s.n; i++)
		p[n + i] = fold && s.p[i] >= 'A' && s.p[i] <= 'Z'
			       ? (char)(s.p[i] + 32)
			       : s.p[i];
	return (struct str){p, n + s.n};
}

static struct str peer(const struct decoder *d, const struct message *m)
{
	size_t i;

	if (!m->meta.from_me)
		return m->from.email;
	for (i = 0; i < m->to.n; i++)
		if (d == NULL || d->o->is_me == NULL ||
		    !d->o->is_me(d->o->is_me_ctx, m->to.v[i].email))
			return m->to.v[i].email;
	return m->to.n > 0 ? m->to.v[0].email : m->from.email;
}

static struct str conversation(struct decoder *d, struct message *m)
{
	struct str p;

	if (m->group_id.p != NULL)
		return named(d->a, "group:", m->group_id, false);
	if (d->list_id.n > 0)
		return named(d->a, "list:", d->list_id, true);
	p = peer(d, m);
	return p.p != NULL ? named(d->a, "mail:", p, true) : STR_NONE;
}

static bool any_chat(const struct message *m)
{
	size_t i;

	for (i = 0; i < m->references.n; i++)
		if (msgid_is_chat(m->references.v[i]))
			return true;
	return m->in_reply_to.p != NULL && msgid_is_chat(m->in_reply_to);
}

void message_classify_with(struct decoder *d, struct message *m)
{
	m->meta.by_id = m->id.p != NULL && msgid_is_chat(m->id);
	m->meta.by_references = m->references.n > 0 &&
				msgid_is_chat(m->references.v[0]);
	m->meta.by_thread = !m->meta.by_version && !m->meta.by_id &&
			    !m->meta.by_references && any_chat(m);
	m->meta.chat = m->meta.by_version || m->meta.by_id ||
		       m->meta.by_references || m->meta.by_thread;
	group_of(d, m);
	m->meta.conversation = conversation(d, m);
}
