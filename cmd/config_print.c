#include "config_print.h"

#include "fmt/json.h"

#define NFOLDERS(p) (sizeof((p)->v) / sizeof((p)->v[0]))

static struct str separator(const struct folders_place *p)
{
	return (struct str){p->delim == '\0' ? NULL : &p->delim,
			    p->delim == '\0' ? 0 : 1};
}

static void kstr_or_null(struct json *j, const char *key, struct str s)
{
	if (s.p != NULL) {
		json_kstr(j, key, s);
	} else {
		json_key(j, key);
		json_null(j);
	}
}

static void folders_json(struct json *j, const struct folders_place *p)
{
	size_t i;

	json_key(j, "folders");
	json_open(j, '[');
	for (i = 0; i < NFOLDERS(p); i++) {
		const struct folder *f = &p->v[i];

		if (f->name.n == 0)
			continue;
		json_open(j, '{');
		json_kstr(j, "role", str_of(folder_word(f->role)));
		json_kstr(j, "name", f->name);
		json_kbool(j, "exists", f->exists);
		json_kbool(j, "subscribed", f->subscribed);
		if (f->made)
			json_kbool(j, "made", true);
		if (f->now_subscribed)
			json_kbool(j, "nowSubscribed", true);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void server_json(struct buf *b, const struct account *ac,
			const struct server_coi *s)
{
	struct json j;
	size_t i;

	json_begin(&j, b);
	json_open(&j, '{');
	json_kstr(&j, "account", str_of(ac->section));
	json_kbool(&j, "coi", s->offered);
	if (s->offered) {
		json_kbool(&j, "enabled", s->enabled);
		kstr_or_null(&j, "filter", s->filter);
		json_kbool(&j, "webpush", s->webpush);
	}
	json_kstr(&j, "root", s->place.root);
	kstr_or_null(&j, "separator", separator(&s->place));
	folders_json(&j, &s->place);
	if (s->nothers > 0) {
		json_key(&j, "otherKeys");
		json_open(&j, '[');
		for (i = 0; i < s->nothers; i++)
			json_str(&j, s->others[i]);
		json_close(&j, ']');
	}
	json_kbool(&j, "changed", s->changed);
	json_close(&j, '}');
	buf_c(b, '\n');
}

static void line(struct buf *b, const char *key, struct str value)
{
	size_t start = b->n;

	buf_fmt(b, "%s:", key);
	do
		buf_c(b, ' ');
	while (b->n - start < 12);
	buf_clean(b, value);
	buf_c(b, '\n');
}

static void server_text(struct buf *b, const struct server_coi *s)
{
	const struct folders_place *p = &s->place;
	struct buf t = {0};
	size_t i;

	line(b, "coi", s->offered ? STR("offered") : STR("not offered"));
	if (s->offered) {
		line(b, "enabled", s->enabled ? STR("yes") : STR("no"));
		line(b, "filter",
		     s->filter.p != NULL ? s->filter : STR("not set"));
	}
	if (p->delim == '\0')
		line(b, "folders", STR("none inside others on this server"));
	for (i = 0; i < NFOLDERS(p); i++) {
		const struct folder *f = &p->v[i];

		if (f->name.n == 0)
			continue;
		buf_clear(&t);
		buf_fmt(&t, "%.*s%s%s", STR_ARG(f->name),
			f->exists ? "" : ", not there",
			f->exists && f->role == FOLDER_CHATS && !f->subscribed
			    ? ", not subscribed"
			    : "");
		line(b, folder_word(f->role), buf_view(&t));
	}
	for (i = 0; i < s->nothers; i++)
		line(b, "other key", s->others[i]);
	buf_free(&t);
}

void config_print_server(struct cli *c, const struct account *ac,
			 const struct server_coi *s)
{
	if (cli_json(c))
		server_json(cli_outbuf(c), ac, s);
	else
		server_text(cli_outbuf(c), s);
}

void config_print_made(struct cli *c, const struct folders_place *p)
{
	struct buf *b = cli_outbuf(c);
	size_t i;

	for (i = 0; i < NFOLDERS(p); i++) {
		const struct folder *f = &p->v[i];

		if (!f->made && !f->now_subscribed)
			continue;
		buf_clean(b, f->name);
		buf_fmt(b, ": %s\n",
			f->made && f->now_subscribed ? "made and subscribed"
			: f->made		     ? "made"
						     : "subscribed");
	}
}
