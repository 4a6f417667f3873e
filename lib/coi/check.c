#include "coi/check.h"

#include "coi/folders.h"
#include "fmt/json.h"

static void say(struct check_result *r, const char *name, bool ok,
		struct str text)
{
	r->v = arena_more(r->arena, r->v, r->n, &r->cap, sizeof(*r->v));
	r->v[r->n++] = (struct check_line){str_of(name), ok, text};
}

static void fail(struct check_result *r, const char *name, struct coi_err *e)
{
	say(r, name, false,
	    arena_fmt(r->arena, "%s%s%s%s%s%s%s%s%s", e->host,
		      e->host[0] ? ": " : "", e->stage, e->stage[0] ? ": " : "",
		      e->msg, e->reply[0] ? " (the server said: " : "",
		      e->reply, e->reply[0] ? ")" : "",
		      e->hint[0] ? "; " : ""));
	if (e->hint[0] != '\0')
		r->v[r->n - 1].text = arena_fmt(
		    r->arena, "%.*s%s", STR_ARG(r->v[r->n - 1].text), e->hint);
	if (!r->failed)
		r->first = *e;
	r->failed = true;
	err_clear(e);
}

static void check_smtp(struct account *ac, const struct account_net *net,
		       struct check_result *r)
{
	static const char *const ext[] = {"PIPELINING", "CHUNKING", "8BITMIME",
					  "SMTPUTF8", "DSN"};
	struct coi_err e = {0};
	struct smtp *s = account_smtp(ac, net, &e);
	struct buf b = {0};
	size_t i;

	if (s == NULL) {
		fail(r, "smtp", &e);
		return;
	}
	buf_fmt(&b, "%s:%u: logged in as %s", ac->smtp_host, ac->smtp_port,
		ac->smtp_user != NULL ? ac->smtp_user : "nobody");
	for (i = 0; i < sizeof(ext) / sizeof(ext[0]); i++)
		if (smtp_has(s, ext[i]))
			buf_fmt(&b, "%s%s", i == 0 ? "; " : " ", ext[i]);
	if (smtp_max_size(s) > 0)
		buf_fmt(&b, "; at most %llu octets a message",
			(unsigned long long)smtp_max_size(s));
	say(r, "smtp", true, arena_str(r->arena, buf_view(&b)));
	buf_free(&b);
	smtp_close(s);
}

static void check_imap(struct account *ac, const struct account_net *net,
		       struct check_result *r)
{
	struct coi_err e = {0};
	struct imap *im = account_imap(ac, net, &e);
	struct folders f;
	struct str sent = STR_NONE;

	if (im == NULL) {
		fail(r, "imap", &e);
		return;
	}
	say(r, "imap", true,
	    arena_fmt(r->arena, "%s:%u: logged in as %s", ac->imap_host,
		      ac->imap_port, ac->user));
	if (folders_find(im, NULL, r->arena, &f, &e) < 0)
		fail(r, "folders", &e);
	else
		say(r, "folders", true,
		    f.chats.n > 0
			? arena_fmt(r->arena, "INBOX and %.*s",
				    STR_ARG(f.chats))
			: STR("INBOX; no chats folder on this server"));
	if (strcmp(ac->sent_folder, "none") != 0) {
		if (folders_sent(im, NULL, r->arena, ac->sent_folder, &sent,
				 &e) < 0)
			fail(r, "sent", &e);
		else
			say(r, "sent", sent.n > 0,
			    sent.n > 0
				? sent
				: STR("no Sent mailbox; set sent-folder"));
	}
	say(r, "coi", true,
	    imap_has(im, "COI") ? STR("the server speaks COI")
				: STR("not offered; the tools do its part"));
	imap_close(im);
}

int check_account(struct account *ac, const struct account_net *net,
		  struct check_result *r, struct coi_err *e)
{
	r->arena = arena_new();
	if (account_secrets(ac, false, e) < 0)
		return -1;
	check_smtp(ac, net, r);
	check_imap(ac, net, r);
	return 0;
}

void check_print(struct buf *out, const struct check_result *r, bool json)
{
	struct json j;
	size_t i;

	for (i = 0; i < r->n; i++) {
		const struct check_line *l = &r->v[i];

		if (json) {
			json_begin(&j, out);
			json_open(&j, '{');
			json_kstr(&j, "check", l->name);
			json_kbool(&j, "ok", l->ok);
			json_kstr(&j, "text", l->text);
			json_close(&j, '}');
			buf_c(out, '\n');
			continue;
		}
		buf_fmt(out, "%-8.*s %s  ", STR_ARG(l->name),
			l->ok ? "ok  " : "FAIL");
		buf_clean(out, l->text);
		buf_c(out, '\n');
	}
}

void check_free(struct check_result *r)
{
	arena_free(r->arena);
	*r = (struct check_result){0};
}
