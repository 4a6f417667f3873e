#include "sieve/chat.h"

#define CHAT_MARK "# coi-chat 1: "
#define MAIN_MARK "# coi-chat-main 1: "
#define INCLUDE "include :personal :optional "

/* The three marks of a chat message.  Where a field is folded right behind its
 * name, some servers leave a blank in front of the value. */
static const char rules[] =
    "if anyof (exists \"Chat-Version\",\n"
    "  header :matches :comparator \"i;octet\" \"Message-ID\"\n"
    "    [\"<chat$*\", \" <chat$*\"],\n"
    "  # the first message of the thread is a chat message\n"
    "  header :matches :comparator \"i;octet\" \"References\"\n"
    "    [\"<chat$*\", \" <chat$*\"])\n";

static void quote(struct buf *out, struct str s)
{
	size_t i;

	buf_c(out, '"');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_c(out, '\\');
		buf_c(out, s.p[i]);
	}
	buf_c(out, '"');
}

void sieve_chat_write(const struct sieve_chat *c, struct buf *out)
{
	buf_z(out, CHAT_MARK "chat messages of COI ");
	buf_z(out, c->active ? "go to a folder of their own.\n"
			     : "get the mark $Chat.\n");
	buf_z(out, "# Made by coi-config sieve; see coi-config(1).\n");
	if (!c->active) {
		buf_z(out, "require \"imap4flags\";\n");
		buf_z(out, rules);
		buf_z(out, "{\n\taddflag \"$Chat\";\n}\n");
		return;
	}
	buf_fmt(out, "require [\"fileinto\", \"imap4flags\"%s];\n",
		c->create ? ", \"mailbox\"" : "");
	buf_z(out, rules);
	buf_fmt(out, "{\n\tfileinto :flags \"$Chat\" %s",
		c->create ? ":create " : "");
	quote(out, c->folder);
	buf_z(out, ";\n\tstop;\n}\n");
}

void sieve_main_write(struct str users, struct buf *out)
{
	buf_z(out, MAIN_MARK "first the filter of COI, then the script that "
			     "was active before.\n"
			     "# Made by coi-config sieve --install --include; "
			     "--remove makes that one active again.\n"
			     "require \"include\";\n" INCLUDE "\"" SIEVE_CHAT
			     "\";\n" INCLUDE);
	quote(out, users);
	buf_z(out, ";\n");
}

bool sieve_chat_ours(struct str script)
{
	return str_starts(script, "# coi-chat ");
}

bool sieve_main_ours(struct str script)
{
	return str_starts(script, "# coi-chat-main ");
}

bool sieve_main_users(struct str script, struct arena *a, struct str *users)
{
	struct str rest = script, line, last = STR_NONE;
	struct buf b = {0}, again = {0};
	bool same;
	size_t i;

	if (!str_starts(script, MAIN_MARK))
		return false;
	while (str_line(&rest, &line))
		if (line.n > 0)
			last = line;
	if (!str_starts(last, INCLUDE "\"") || !str_ends(last, "\";"))
		return false;
	last = str_sub(last, sizeof(INCLUDE), last.n);
	last.n = last.n > 2 ? last.n - 2 : 0;
	for (i = 0; i < last.n; i++) {
		if (last.p[i] == '\\' && i + 1 < last.n)
			i++;
		buf_c(&b, last.p[i]);
	}
	/* Nothing else is done in it that would be lost. */
	sieve_main_write(buf_view(&b), &again);
	same = b.n > 0 && sieve_same(buf_view(&again), script);
	if (same)
		*users = arena_str(a, buf_view(&b));
	buf_free(&b);
	buf_free(&again);
	return same;
}

bool sieve_same(struct str a, struct str b)
{
	struct str la, lb;
	bool more_a, more_b;

	a = str_trim(a);
	b = str_trim(b);
	do {
		more_a = str_line(&a, &la);
		more_b = str_line(&b, &lb);
		if (more_a != more_b || (more_a && !str_eq(la, lb)))
			return false;
	} while (more_a);
	return true;
}

void sieve_crlf(struct str script, struct buf *out)
{
	struct str line;

	while (str_line(&script, &line)) {
		buf_str(out, line);
		buf_z(out, "\r\n");
	}
}
