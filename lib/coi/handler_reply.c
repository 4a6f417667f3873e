/* What a handler prints, as answers to its message. */
#include "coi/handler_priv.h"
#include "coi/reply.h"
#include "core/limits.h"

int answers_possible(const struct account *ac, struct coi_err *e)
{
	if (ac->smtp_host == NULL) {
		err_set(e, COI_E_CONFIG,
			"account \"%s\" has no smtp-host, and --reply sends",
			ac->section);
		err_hint(e, "set smtp-host, or leave --reply out");
		return -1;
	}
	if (strcmp(ac->encrypt, "always") == 0) {
		err_set(e, COI_E_NOKEY,
			"encrypt = always, and this version cannot encrypt");
		err_hint(e, "encrypt = auto sends answers in clear");
		return -1;
	}
	return 0;
}

static bool listed(const struct addr_list *l, struct str email)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (addr_same(l->v[i].email, email))
			return true;
	return false;
}

/* Are all of these in the conversation already? */
static bool among(const struct message *in, const struct addr_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		struct str email = l->v[i].email;

		if (!addr_same(in->from.email, email) &&
		    !listed(&in->reply_to, email) && !listed(&in->to, email) &&
		    !listed(&in->cc, email))
			return false;
	}
	return true;
}

/* The record itself, changed perhaps: what says where it came from goes. */
static void anew(struct message *m)
{
	m->from = (struct addr){0};
	m->to = m->cc = m->bcc = m->reply_to = (struct addr_list){0};
	m->references = (struct ids){0};
	m->subject = m->in_reply_to = STR_NONE;
	m->receipt_requested = false;
	m->encrypted = m->is_signed = -1;
	m->nheaders = 0;
}

/* What it leaves open comes from the message that is answered. */
static int complete(struct answers *a, const struct job *j,
		    const struct message *in, struct message *m,
		    struct coi_err *e)
{
	struct message to_all = {0};

	if (m->id.n > 0 && str_eq(m->id, in->id))
		anew(m);
	m->auto_submitted = STR("auto-replied");
	if (m->to.n + m->cc.n + m->bcc.n > 0) {
		/* A third person does not hear of the message. */
		if (m->in_reply_to.p == NULL && m->references.n == 0 &&
		    among(in, &m->to) && among(in, &m->cc) &&
		    among(in, &m->bcc))
			m->in_reply_to = in->id;
		return 0;
	}
	if (reply_to_all(a->arena, j->src->account, in, &to_all, e) < 0)
		return -1;
	m->to = to_all.to;
	m->cc = to_all.cc;
	if (m->group_id.p == NULL) {
		m->group_id = to_all.group_id;
		m->group_name = to_all.group_name;
	}
	if (m->in_reply_to.p == NULL) {
		m->in_reply_to = to_all.in_reply_to;
		m->references = to_all.references;
	}
	return 0;
}

static struct message *more(struct answers *a)
{
	if (a->v == NULL)
		a->v = arena_alloc(a->arena, ANSWERS_MAX * sizeof(*a->v));
	a->v[a->n] = arena_alloc(a->arena, sizeof(*a->v[a->n]));
	return a->v[a->n++];
}

/* No JSON: all of it is one text. */
static int plain(struct answers *a, const struct job *j,
		 const struct message *in, struct str out, struct coi_err *e)
{
	struct message *m = more(a);
	struct buf b = {0};

	while (out.n > 0 && strchr("\r\n", out.p[out.n - 1]) != NULL)
		out.n--;
	if (out.n > LIMIT_TEXT)
		return err_set(e, COI_E_DATA,
			       "its answer is longer than %u octets",
			       LIMIT_TEXT);
	if (memchr(out.p, '\0', out.n) != NULL)
		return err_set(e, COI_E_DATA, "its answer is no text");
	message_init(m);
	buf_utf8(&b, out);
	m->text = arena_str(a->arena, buf_view(&b));
	buf_free(&b);
	return complete(a, j, in, m, e);
}

int answers_read(struct answers *a, const struct job *j, struct str out,
		 struct coi_err *e)
{
	struct message in;
	struct str line;
	unsigned number = 0;

	*a = (struct answers){.arena = arena_new()};
	if (str_trim(out).n == 0)
		return 0;
	if (answers_possible(j->src->account, e) < 0 ||
	    message_read_json(a->arena, str_trim(buf_view(&j->line)), &in, e) <
		0)
		return -1;
	if (str_trim(out).p[0] != '{')
		return plain(a, j, &in, out, e);
	while (str_line(&out, &line)) {
		struct message *m;

		number++;
		line = str_trim(line);
		if (line.n == 0)
			continue;
		if (a->n == ANSWERS_MAX)
			return err_set(e, COI_E_DATA,
				       "it gave more than %u answers",
				       ANSWERS_MAX);
		m = more(a);
		if (message_from_json(a->arena, line, false, m, e) < 0 ||
		    complete(a, j, &in, m, e) < 0) {
			err_ctx(e, "line %u of its output", number);
			return -1;
		}
	}
	return 0;
}

int answers_keep(struct answers *a, const struct job *j, struct store *st,
		 size_t *kept, struct coi_err *e)
{
	struct send_opts o = {.queue = true, .collect = true};
	struct sender *s;
	struct str source = str_of(j->id);
	struct buf key = {0};
	bool known;
	size_t i, k;
	int rc = 0;

	*kept = 0;
	s = sender_new(j->src->account, j->src->net, st, &o);
	for (i = 0; rc == 0 && i < a->n; i++) {
		buf_clear(&key);
		buf_fmt(&key, "exec:%s:", j->src->consumer);
		for (k = 0; k < sizeof(j->identity); k++)
			buf_fmt(&key, "%02x", j->identity[k]);
		buf_fmt(&key, ":%zu", i + 1);
		rc = store_out_key(st, buf_view(&key), &known, e);
		if (rc < 0 || known)
			continue; /* an earlier run said it */
		rc = sender_add(s, a->v[i], buf_cstr(&key), 0, source, e);
		if (rc == 0)
			++*kept;
		else
			err_ctx(e, "answer %zu", i + 1);
	}
	if (rc == 0)
		rc = sender_keep(s, e);
	sender_free(s);
	buf_free(&key);
	return rc;
}

void answers_free(struct answers *a)
{
	arena_free(a->arena);
}
