/* Reads a script as far as needed to see what it includes. */
#include "sieve/chat.h"

enum token { END, NAME, TAG, STRING, OTHER };

struct scan {
	struct str in;
	size_t at;
	enum token token;
	struct buf text; /* of NAME, TAG and STRING */
};

static int peek(const struct scan *s, size_t ahead)
{
	return s->at + ahead < s->in.n ? (unsigned char)s->in.p[s->at + ahead]
				       : -1;
}

static void skip_line(struct scan *s)
{
	while (peek(s, 0) >= 0 && peek(s, 0) != '\n')
		s->at++;
	if (peek(s, 0) == '\n')
		s->at++;
}

static void skip_comments(struct scan *s)
{
	for (;;) {
		int c = peek(s, 0);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			s->at++;
		} else if (c == '#') {
			skip_line(s);
		} else if (c == '/' && peek(s, 1) == '*') {
			s->at += 2;
			while (peek(s, 0) >= 0 &&
			       !(peek(s, 0) == '*' && peek(s, 1) == '/'))
				s->at++;
			s->at += 2;
		} else {
			return;
		}
	}
}

static bool name_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (c >= '0' && c <= '9');
}

static void take_name(struct scan *s)
{
	while (name_char(peek(s, 0)))
		buf_c(&s->text, s->in.p[s->at++]);
}

static void take_quoted(struct scan *s)
{
	for (s->at++; peek(s, 0) >= 0 && peek(s, 0) != '"'; s->at++) {
		if (peek(s, 0) == '\\' && peek(s, 1) >= 0)
			s->at++;
		buf_c(&s->text, s->in.p[s->at]);
	}
	s->at++;
}

/* text: and lines up to a dot alone; what it says does not matter here. */
static void skip_text(struct scan *s)
{
	size_t from;

	s->at++;
	skip_line(s);
	for (from = s->at; s->at < s->in.n; from = s->at) {
		skip_line(s);
		if (str_is(str_trim(str_sub(s->in, from, s->at - from)), "."))
			break;
	}
	buf_clear(&s->text);
}

static enum token next(struct scan *s)
{
	skip_comments(s);
	buf_clear(&s->text);
	if (peek(s, 0) < 0)
		return s->token = END;
	if (peek(s, 0) == '"') {
		take_quoted(s);
		return s->token = STRING;
	}
	if (name_char(peek(s, 0))) {
		take_name(s);
		if (str_iis(buf_view(&s->text), "text") && peek(s, 0) == ':') {
			skip_text(s);
			return s->token = STRING;
		}
		return s->token = NAME;
	}
	if (peek(s, 0) == ':' && name_char(peek(s, 1))) {
		s->at++;
		take_name(s);
		return s->token = TAG;
	}
	s->at++;
	return s->token = OTHER;
}

bool sieve_includes(struct str script, const char *name)
{
	struct scan s = {.in = script};
	bool found = false, personal;

	next(&s);
	while (s.token != END && !found) {
		if (s.token != NAME || !str_iis(buf_view(&s.text), "include")) {
			next(&s);
			continue;
		}
		personal = true;
		while (next(&s) == TAG)
			if (str_iis(buf_view(&s.text), "global"))
				personal = false;
		found = s.token == STRING && personal &&
			str_is(buf_view(&s.text), name);
	}
	buf_free(&s.text);
	return found;
}
