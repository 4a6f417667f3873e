#include "sieve/chat.h"

#define CHAT_MARK "# coi-chat 1: "
#define MAIN_MARK "# coi-chat-main 1: "
#define INCLUDE "include :personal :optional "
#define FILE_INTO "\tfileinto :flags \"$Chat\" "
#define CREATE ":create "

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
	buf_fmt(out, "{\n" FILE_INTO "%s", c->create ? CREATE : "");
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

/* "a\"b"; as quote() puts it, with the semicolon. */
static bool unquote(struct str s, struct buf *out)
{
	size_t i;

	if (s.n < 3 || !str_starts(s, "\"") || !str_ends(s, "\";"))
		return false;
	for (i = 1; i < s.n - 2; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n - 2)
			i++;
		buf_c(out, s.p[i]);
	}
	return true;
}

bool sieve_chat_edited(struct str script)
{
	struct sieve_chat c = {.active = false};
	struct str rest = script, line;
	struct buf folder = {0}, again = {0};
	bool edited;

	if (!str_starts(script, CHAT_MARK))
		return false;
	while (!c.active && str_line(&rest, &line)) {
		if (!str_starts(line, FILE_INTO))
			continue;
		line = str_sub(line, sizeof(FILE_INTO) - 1, line.n);
		c.active = true;
		c.create = str_starts(line, CREATE);
		if (c.create)
			line = str_sub(line, sizeof(CREATE) - 1, line.n);
		unquote(line, &folder);
	}
	c.folder = buf_view(&folder);
	sieve_chat_write(&c, &again);
	edited = !sieve_same(buf_view(&again), script);
	buf_free(&folder);
	buf_free(&again);
	return edited;
}

bool sieve_main_users(struct str script, struct arena *a, struct str *users)
{
	struct str rest = script, line, last = STR_NONE;
	struct buf b = {0}, again = {0};
	bool same;

	if (!str_starts(script, MAIN_MARK))
		return false;
	while (str_line(&rest, &line))
		if (line.n > 0)
			last = line;
	if (!str_starts(last, INCLUDE) ||
	    !unquote(str_sub(last, sizeof(INCLUDE) - 1, last.n), &b))
		return false;
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
