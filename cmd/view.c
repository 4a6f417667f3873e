#include "view.h"

#include <time.h>

static void when(struct buf *b, int64_t t)
{
	time_t tt = (time_t)t;
	struct tm tm;
	char s[32];

	if (t == INT64_MIN || localtime_r(&tt, &tm) == NULL ||
	    strftime(s, sizeof(s), "%Y-%m-%d %H:%M", &tm) == 0)
		buf_z(b, "(no date)       ");
	else
		buf_z(b, s);
}

static void who(struct buf *b, const struct message *m)
{
	if (m->from.name.n > 0)
		buf_clean(b, m->from.name);
	else if (m->from.email.n > 0)
		buf_clean(b, m->from.email);
	else
		buf_z(b, "(nobody)");
}

static void indented(struct buf *b, struct str text)
{
	struct str line;

	while (str_line(&text, &line)) {
		buf_z(b, "  ");
		buf_clean(b, line);
		buf_c(b, '\n');
	}
}

static void size(struct buf *b, int64_t n)
{
	if (n < 0)
		return;
	if (n < 10000)
		buf_fmt(b, ", %lld B", (long long)n);
	else if (n < 10000000)
		buf_fmt(b, ", %lld kB", (long long)(n / 1000));
	else
		buf_fmt(b, ", %lld MB", (long long)(n / 1000000));
}

static void blob(struct buf *b, const struct blob *x)
{
	buf_z(b, "  [");
	buf_clean(b, x->name.n > 0 ? x->name : x->type);
	if (x->name.n > 0) {
		buf_z(b, ", ");
		buf_clean(b, x->type);
	}
	size(b, x->size);
	if (x->path.n > 0) {
		buf_z(b, ": ");
		buf_clean(b, x->path);
	}
	buf_z(b, "]\n");
}

void view_message(struct buf *b, const struct message *m, bool color)
{
	size_t i;

	if (color)
		buf_z(b, "\033[2m");
	when(b, m->sent_at);
	buf_z(b, color ? "\033[0m  \033[1m" : "  ");
	who(b, m);
	if (color)
		buf_z(b, "\033[0m");
	if (m->group_name.n > 0) {
		buf_z(b, "  in ");
		buf_clean(b, m->group_name);
	} else if (m->subject.n > 0 && !m->meta.chat) {
		buf_z(b, "  ");
		buf_clean(b, m->subject);
	}
	if (m->encrypted == 1 && m->text.p == NULL)
		buf_z(b, "  (encrypted)");
	buf_c(b, '\n');
	indented(b, m->text);
	for (i = 0; i < m->nattachments; i++)
		blob(b, &m->attachments[i]);
	for (i = 0; i < m->meta.nwarnings; i++) {
		buf_z(b, "  ! ");
		buf_clean(b, m->meta.warnings[i]);
		buf_c(b, '\n');
	}
}
