#include "coi/reply.h"

#include "fmt/msgid.h"

static bool listed(const struct addr_list *l, struct str email)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (addr_same(l->v[i].email, email))
			return true;
	return false;
}

static void add_others(struct arena *a, const struct account *ac,
		       const struct addr_list *from, struct addr_list *to,
		       const struct message *m)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (!account_is_me(ac, from->v[i].email) &&
		    !listed(&m->to, from->v[i].email) &&
		    !listed(&m->cc, from->v[i].email))
			addr_add(a, to, from->v[i]);
}

/* Two ids are enough: where the conversation began and what is answered.  In a
 * group it must have begun with a message of that group. */
static void thread(struct arena *a, const struct message *in, struct message *m)
{
	struct str root = in->references.n > 0 ? in->references.v[0] : in->id;

	if (in->group_id.p != NULL && !str_eq(msgid_group(root), in->group_id))
		root = in->id;
	m->in_reply_to = in->id;
	m->references.v = arena_alloc(a, 2 * sizeof(struct str));
	m->references.n = 0;
	m->references.v[m->references.n++] = root;
	if (!str_eq(root, in->id))
		m->references.v[m->references.n++] = in->id;
}

int reply_to_all(struct arena *a, const struct account *ac,
		 const struct message *in, struct message *m, struct coi_err *e)
{
	struct addr_list from = {.v = (struct addr *)&in->from, .n = 1};

	if (in->id.p == NULL)
		return err_set(e, COI_E_DATA, "the record to answer has no id");
	if (in->reply_to.n > 0)
		add_others(a, ac, &in->reply_to, &m->to, m);
	else if (in->from.email.p != NULL)
		add_others(a, ac, &from, &m->to, m);
	add_others(a, ac, &in->to, &m->to, m);
	add_others(a, ac, &in->cc, &m->cc, m);
	if (m->to.n + m->cc.n == 0)
		return err_set(e, COI_E_DATA,
			       "the record names nobody but ourselves");
	if (m->to.n == 0) {
		m->to = m->cc;
		m->cc = (struct addr_list){0};
	}
	m->group_id = in->group_id;
	m->group_name = in->group_name;
	thread(a, in, m);
	return 0;
}
