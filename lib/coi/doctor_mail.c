/* The doctor after the login: what the servers offer, and the folders. */
#include "coi/doctor_priv.h"
#include "coi/server.h"
#include "fmt/date.h"

static bool has(const struct imap *im, const char *word)
{
	if (strcmp(word, "LITERAL+") == 0)
		return imap_has(im, "LITERAL+") || imap_has(im, "LITERAL-");
	return imap_has(im, word);
}

static void capabilities(struct doctor *d, struct imap *im)
{
	static const char *const words[] = {"IDLE",	"NOTIFY",   "CONDSTORE",
					    "QRESYNC",	"MOVE",	    "UIDPLUS",
					    "LITERAL+", "METADATA", "COI"};
	static const char name[] = "imap-offers";
	struct buf b = {0}, no = {0};
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		buf_fmt(has(im, words[i]) ? &b : &no, " %s", words[i]);
	if (b.n == 0)
		buf_z(&b, " nothing of use");
	if (no.n > 0)
		buf_fmt(&b, "; not%s", buf_cstr(&no));
	text = buf_cstr(&b) + 1;
	if (!imap_has(im, "IDLE") && !imap_has(im, "NOTIFY"))
		doctor_warn(d, name,
			    "coi-watch has to ask again and again; news come "
			    "late there",
			    "%s", text);
	else if (!imap_has(im, "MOVE") && !imap_has(im, "UIDPLUS"))
		doctor_warn(d, name,
			    "chats cannot be moved safely: leave --filter "
			    "of coi-watch off",
			    "%s", text);
	else
		doctor_ok(d, name, "%s", text);
	buf_free(&b);
	buf_free(&no);
}

static void folders(struct doctor *d, const struct server_coi *s)
{
	const struct folder *chats = &s->place.v[0];
	const char *fix = s->offered && !s->enabled ? "coi-config enable"
						    : "coi-config folders";

	if (s->place.delim == '\0')
		doctor_warn(d, "folders", "chats stay in INBOX there",
			    "the server has no folders inside folders");
	else if (!chats->exists)
		doctor_warn(d, "folders", fix, "INBOX; %.*s is not there",
			    STR_ARG(chats->name));
	else if (!chats->subscribed)
		doctor_warn(d, "folders", "coi-config folders",
			    "INBOX and %.*s, which is not subscribed",
			    STR_ARG(chats->name));
	else
		doctor_ok(d, "folders", "INBOX and %.*s", STR_ARG(chats->name));
}

static void coi(struct doctor *d, const struct server_coi *s)
{
	struct str filter = s->filter.p != NULL ? s->filter : STR("none");

	if (!s->offered)
		doctor_ok(d, "coi",
			  "not offered by the server; the tools do its part");
	else if (!s->enabled)
		doctor_ok(d, "coi",
			  "offered, disabled; \"coi-config enable\" enables "
			  "it");
	else if (str_is(filter, "none") || str_is(filter, "active") ||
		 str_is(filter, "seen"))
		doctor_ok(d, "coi", "enabled, filter %.*s", STR_ARG(filter));
	else
		doctor_warn(d, "coi", "coi-config filter none",
			    "enabled, but the filter is \"%.*s\"",
			    STR_ARG(str_sub(filter, 0, 60)));
}

static void sent(struct doctor *d, struct imap *im)
{
	struct coi_err e = {0};
	struct imap_status st = {0};
	struct str name;

	if (strcmp(d->ac->sent_folder, "none") == 0) {
		doctor_ok(d, "sent", "no copies are kept, as configured");
		return;
	}
	if (folders_sent(im, NULL, d->a, d->ac->sent_folder, &name, &e) < 0 ||
	    (name.n > 0 && imap_status(im, &name, 1, &st, &e) < 0)) {
		doctor_failed(d, "sent", &e);
	} else if (name.n == 0) {
		doctor_warn(d, "sent", "set sent-folder to its name, or none",
			    "no Sent mailbox was found");
	} else if (!st.have) {
		err_set(&e, COI_E_CONFIG, "there is no mailbox \"%.*s\"",
			STR_ARG(str_sub(name, 0, 150)));
		err_hint(&e, "make it, or set sent-folder to another, auto or "
			     "none");
		doctor_failed(d, "sent", &e);
	} else {
		doctor_ok(d, "sent", "%.*s", STR_ARG(name));
	}
}

void doctor_look_imap(struct doctor *d, struct imap *im)
{
	struct coi_err e = {0};
	struct server_coi s;

	capabilities(d, im);
	if (server_read(im, d->a, &s, &e) < 0) {
		doctor_failed(d, "coi", &e);
	} else {
		folders(d, &s);
		coi(d, &s);
	}
	if (!d->cancelled)
		sent(d, im);
}

/* "mail.example.org ESMTP Exim 4.96 Wed, 25 Nov 2026 20:15:00 +0000" */
static void greeting_date(struct doctor *d, struct str s)
{
	static const char *const days[] = {"Mon, ", "Tue, ", "Wed, ", "Thu, ",
					   "Fri, ", "Sat, ", "Sun, "};
	ptrdiff_t at;
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		at = str_find(s, str_of(days[i]));
		if (at < 0 || !date_parse(str_sub(s, (size_t)at, s.n), &t))
			continue;
		d->server_time = t;
		return;
	}
}

void doctor_look_smtp(struct doctor *d, struct smtp *s)
{
	static const char *const words[] = {
	    "PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE"};
	struct buf b = {0}, no = {0};
	size_t i;

	greeting_date(d, smtp_greeting(s));
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		buf_fmt(smtp_has(s, words[i]) ? &b : &no, " %s", words[i]);
	if (b.n == 0)
		buf_z(&b, " nothing of use");
	if (no.n > 0)
		buf_fmt(&b, "; not%s", buf_cstr(&no));
	if (smtp_max_size(s) > 0)
		buf_fmt(&b, "; at most %llu octets a message",
			(unsigned long long)smtp_max_size(s));
	doctor_ok(d, "smtp-offers", "%s", buf_cstr(&b) + 1);
	buf_free(&b);
	buf_free(&no);
}
