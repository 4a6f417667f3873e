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

/* Strips "Re:", "AW:", "[list]" and their like, repeatedly. */
static struct str bare_subject(struct str s)
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
		if (str_starts(s, "[") && str_chr(s, ']') > 0) {
			s = str_sub(s, (size_t)str_chr(s, ']') + 1, s.n);
			again = true;
		}
	}
	return s;
}

static void group_of(struct arena *a, struct message *m)
{
	struct str g = STR_NONE, name;

	if (m->id.p != NULL)
		g = msgid_group(m->id);
	if (g.p == NULL && m->references.n > 0)
		g = msgid_group(m->references.v[0]);
	if (g.p == NULL && m->references.n == 0 && m->in_reply_to.p != NULL)
		g = msgid_group(m->in_reply_to);
	if (g.p == NULL)
		return;
	m->group_id = g;
	name = bare_subject(m->subject);
	if (name.n > 0)
		m->group_name = name;
	/* The name is the default subject of a group: said once. */
	if (str_eq(name, m->subject))
		m->subject = STR_NONE;
	(void)a;
}

static struct str lower(struct arena *a, struct str s)
{
	char *p = (char *)arena_cstr(a, s);
	size_t i;

	for (i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 32);
	return (struct str){p, s.n};
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

static void conversation(struct decoder *d, struct message *m)
{
	struct str p;

	if (m->group_id.p != NULL) {
		m->meta.conversation = arena_fmt(d->a, "group:%.*s",
						 STR_ARG(m->group_id));
	} else if (d->list_id.n > 0) {
		m->meta.conversation = arena_fmt(
		    d->a, "list:%.*s", STR_ARG(lower(d->a, d->list_id)));
	} else {
		p = peer(d, m);
		if (p.p != NULL)
			m->meta.conversation = arena_fmt(
			    d->a, "mail:%.*s", STR_ARG(lower(d->a, p)));
	}
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
	group_of(d->a, m);
	conversation(d, m);
}
