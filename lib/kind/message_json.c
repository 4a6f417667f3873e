#include "fmt/json.h"
#include "kind/kind.h"
#include "kind/message.h"

static void put_addr(struct json *j, const struct addr *x)
{
	json_open(j, '{');
	json_kstr(j, "name", x->name);
	json_kstr(j, "email", x->email);
	json_close(j, '}');
}

static void put_addrs(struct json *j, const char *key,
		      const struct addr_list *l)
{
	size_t i;

	if (l->n == 0)
		return;
	json_key(j, key);
	json_open(j, '[');
	for (i = 0; i < l->n; i++)
		put_addr(j, &l->v[i]);
	json_close(j, ']');
}

static void put_strs(struct json *j, const char *key, const struct str *v,
		     size_t n)
{
	size_t i;

	json_key(j, key);
	json_open(j, '[');
	for (i = 0; i < n; i++)
		json_str(j, v[i]);
	json_close(j, ']');
}

static void put_blob(struct json *j, const struct blob *b)
{
	json_open(j, '{');
	json_kstr(j, "type", b->type);
	json_kstr(j, "name", b->name);
	if (b->size >= 0)
		json_kint(j, "size", b->size);
	json_kstr(j, "disposition", b->disposition);
	json_kstr(j, "cid", b->cid);
	if (b->path.p != NULL) {
		json_kstr(j, "path", b->path);
	} else if (b->data.p != NULL) {
		json_key(j, "data");
		json_b64(j, b->data);
	} else {
		json_kstr(j, "section", b->section);
	}
	if (b->preview != NULL) {
		json_key(j, "preview");
		put_blob(j, b->preview);
	}
	json_close(j, '}');
}

static void put_imap(struct json *j, const struct message *m)
{
	json_key(j, "imap");
	json_open(j, '{');
	json_kstr(j, "mailbox", m->imap.mailbox);
	if (m->imap.uid != 0)
		json_kint(j, "uid", m->imap.uid);
	if (m->imap.uid_validity != 0)
		json_kint(j, "uidValidity", m->imap.uid_validity);
	if (m->imap.mod_seq != 0)
		json_kdigits(j, "modSeq", m->imap.mod_seq);
	if (m->imap.have_flags)
		put_strs(j, "flags", m->imap.flags, m->imap.nflags);
	json_kdate(j, "receivedAt", m->imap.received_at);
	if (m->imap.size >= 0)
		json_kint(j, "size", m->imap.size);
	json_close(j, '}');
}

static void put_meta(struct json *j, const struct message *m)
{
	json_key(j, "meta");
	json_open(j, '{');
	json_kbool(j, "chat", m->meta.chat);
	json_key(j, "detectedBy");
	json_open(j, '[');
	if (m->meta.by_version)
		json_str(j, STR("chat-version"));
	if (m->meta.by_id)
		json_str(j, STR("message-id"));
	if (m->meta.by_references)
		json_str(j, STR("references"));
	if (m->meta.by_thread)
		json_str(j, STR("thread"));
	json_close(j, ']');
	json_key(j, "chatVersion");
	if (m->meta.chat_version.p == NULL)
		json_null(j);
	else
		json_str(j, m->meta.chat_version);
	json_kstr(j, "conversation", m->meta.conversation);
	json_kbool(j, "fromMe", m->meta.from_me);
	json_kstr(j, "autoSubmitted", m->meta.auto_submitted);
	json_kstr(j, "account", m->meta.account);
	put_strs(j, "warnings", m->meta.warnings, m->meta.nwarnings);
	json_close(j, '}');
}

static void put_headers(struct json *j, const struct message *m)
{
	size_t i;

	json_key(j, "headers");
	json_open(j, '[');
	for (i = 0; i < m->nheaders; i++) {
		json_open(j, '{');
		json_kstr(j, "name", m->headers[i].name);
		json_kstr(j, "value", m->headers[i].value);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_content(struct json *j, const struct message *m)
{
	size_t i;

	json_kstr(j, "text", m->text);
	json_kstr(j, "fullText", m->full_text);
	json_kstr(j, "html", m->html);
	json_kstr(j, "markdown", m->markdown);
	if (m->nattachments > 0) {
		json_key(j, "attachments");
		json_open(j, '[');
		for (i = 0; i < m->nattachments; i++)
			put_blob(j, &m->attachments[i]);
		json_close(j, ']');
	}
	if (m->receipt_requested)
		json_kbool(j, "receiptRequested", true);
	json_kstr(j, "autoSubmitted", m->auto_submitted);
	json_kstr(j, "chatContent", m->chat_content);
	if (m->encrypted >= 0)
		json_kbool(j, "encrypted", m->encrypted != 0);
	if (m->is_signed >= 0)
		json_kbool(j, "signed", m->is_signed != 0);
	if (m->nheaders > 0)
		put_headers(j, m);
}

void message_json(struct buf *out, const struct message *m)
{
	struct json j;

	json_begin(&j, out);
	json_open(&j, '{');
	json_kint(&j, "v", 1);
	json_kstr(&j, "kind",
		  str_of(m->kind == NULL ? "message" : m->kind->name));
	json_kstr(&j, "id", m->id);
	json_kdate(&j, "sentAt", m->sent_at);
	if (m->from.email.p != NULL) {
		json_key(&j, "from");
		put_addr(&j, &m->from);
	}
	put_addrs(&j, "to", &m->to);
	put_addrs(&j, "cc", &m->cc);
	put_addrs(&j, "bcc", &m->bcc);
	put_addrs(&j, "replyTo", &m->reply_to);
	json_kstr(&j, "subject", m->subject);
	json_kstr(&j, "inReplyTo", m->in_reply_to);
	if (m->references.n > 0)
		put_strs(&j, "references", m->references.v, m->references.n);
	json_kstr(&j, "targetId", m->target_id);
	if (m->group_id.p != NULL) {
		json_key(&j, "group");
		json_open(&j, '{');
		json_kstr(&j, "id", m->group_id);
		json_kstr(&j, "name", m->group_name);
		json_close(&j, '}');
	}
	put_content(&j, m);
	if (m->imap.given)
		put_imap(&j, m);
	if (m->meta.given)
		put_meta(&j, m);
	json_close(&j, '}');
	buf_c(out, '\n');
}
