#include "kind/message.h"

#include <dirent.h>

#include "core/file.h"
#include "core/limits.h"
#include "kind/keys.h"
#include "kind/kind.h"
#include "test.h"

static struct arena *arena;
static struct coi_err err;
static struct message msg;

static int in_n(struct str line, bool lax)
{
	if (arena == NULL)
		arena = arena_new();
	err_clear(&err);
	return message_from_json(arena, line, lax, &msg, &err);
}

static int in(const char *line)
{
	return in_n(str_of(line), false);
}

static void done(void)
{
	arena_free(arena);
	arena = NULL;
}

#define TO "\"to\":[{\"email\":\"you@example.org\"}]"

/* --- golden files ---------------------------------------------------------
 * Two lines a case: a record, and what it is read as and written back; or
 * {"error":...,"hint":...}.  A line that begins with # is a comment. */

static void write_error(struct buf *b)
{
	buf_fmt(b, "{\"error\":\"%s\",\"hint\":\"%s\"}", err.msg, err.hint);
}

static bool next_line(struct str *rest, struct str *line)
{
	while (str_line(rest, line))
		if (line->n > 0 && line->p[0] != '#')
			return true;
	return false;
}

static unsigned golden_file(const char *path)
{
	struct buf file = {0}, got = {0};
	struct str rest, a, b;
	unsigned n = 0;

	err_clear(&err);
	CHECK(file_read(path, 1 << 20, &file, &err) == 0);
	rest = buf_view(&file);
	while (next_line(&rest, &a)) {
		if (!next_line(&rest, &b))
			b = STR("(no second line)");
		buf_clear(&got);
		if (in_n(a, false) < 0)
			write_error(&got);
		else
			message_json(&got, &msg);
		if (!str_eq(str_trim(buf_view(&got)), b)) {
			test_bad++;
			printf("# %s: %.*s\n#  got %.*s\n# want %.*s\n", path,
			       STR_ARG(a), STR_ARG(str_trim(buf_view(&got))),
			       STR_ARG(b));
		}
		n++;
		done();
	}
	buf_free(&file);
	buf_free(&got);
	return n;
}

TEST(golden, "tests/golden/json: each record is read and written as shown")
{
	struct buf path = {0};
	struct dirent *d;
	unsigned n = 0;
	DIR *dir = opendir("tests/golden/json");

	CHECK(dir != NULL);
	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (!str_ends(str_of(d->d_name), ".jsonl"))
			continue;
		buf_clear(&path);
		buf_fmt(&path, "tests/golden/json/%s", d->d_name);
		n += golden_file(buf_cstr(&path));
	}
	if (dir != NULL)
		closedir(dir);
	buf_free(&path);
	CHECK(n >= 40);
}

/* --- output -------------------------------------------------------------- */

TEST(output, "a full record has its keys in order, modSeq as a string")
{
	static struct str flags[] = {{"$Chat", 5}};
	static struct str refs[] = {{"chat$group.4321dcba1234.S2571BC@example."
				     "com",
				     43}};
	struct buf out = {0};
	struct message m;

	arena = arena_new();
	message_init(&m);
	m.id = STR("CAB.1@mail.example.net");
	m.sent_at = 1575536400;
	m.from = (struct addr){STR("Dean"), STR("dean@example.net")};
	addr_add(arena, &m.to, (struct addr){STR_NONE, STR("me@example.com")});
	m.subject = STR("Re: My Crew");
	m.in_reply_to = refs[0];
	m.references = (struct ids){refs, 1};
	m.group_id = STR("4321dcba1234");
	m.group_name = STR("My Crew");
	m.text = STR("fine with me");
	m.imap.given = m.meta.given = true;
	m.imap.mailbox = STR("INBOX");
	m.imap.uid = 4711;
	m.imap.uid_validity = 1575471097;
	m.imap.mod_seq = UINT64_C(9223372036854775807);
	m.imap.flags = flags;
	m.imap.nflags = 1;
	m.imap.have_flags = true;
	m.imap.received_at = 1575536403;
	m.imap.size = 1893;
	m.meta.chat = m.meta.by_references = true;
	m.meta.conversation = STR("group:4321dcba1234");
	message_json(&out, &m);
	CHECK_STR(
	    buf_view(&out),
	    "{\"v\":1,\"kind\":\"message\",\"id\":\"CAB.1@mail.example.net\","
	    "\"sentAt\":\"2019-12-05T09:00:00Z\",\"from\":{\"name\":\"Dean\","
	    "\"email\":\"dean@example.net\"},\"to\":[{\"email\":"
	    "\"me@example.com\"}],\"subject\":\"Re: My Crew\",\"inReplyTo\":"
	    "\"chat$group.4321dcba1234.S2571BC@example.com\",\"references\":["
	    "\"chat$group.4321dcba1234.S2571BC@example.com\"],\"group\":{"
	    "\"id\":\"4321dcba1234\",\"name\":\"My Crew\"},\"text\":"
	    "\"fine with me\",\"imap\":{\"mailbox\":\"INBOX\",\"uid\":4711,"
	    "\"uidValidity\":1575471097,\"modSeq\":\"9223372036854775807\","
	    "\"flags\":[\"$Chat\"],\"receivedAt\":\"2019-12-05T09:00:03Z\","
	    "\"size\":1893},\"meta\":{\"chat\":true,\"detectedBy\":["
	    "\"references\"],\"chatVersion\":null,\"conversation\":"
	    "\"group:4321dcba1234\",\"fromMe\":false,\"warnings\":[]}}\n");
	/* What we print, we read. */
	CHECK_INT(in_n(buf_view(&out), false), 0);
	CHECK(!msg.imap.given && !msg.meta.given);
	CHECK_STR(msg.group_id, "4321dcba1234");
	buf_free(&out);
	done();
}

TEST(output_all, "detection, warnings, previews, headers; a line stays a line")
{
	struct buf out = {0};
	struct message m;
	struct blob *b, pre = {.size = -1};
	struct raw_header h = {STR("X-A"), STR("1")};

	arena = arena_new();
	message_init(&m);
	m.text = STR("a\r\nb\xe2\x80\xa8");
	m.receipt_requested = true;
	m.encrypted = 1;
	m.is_signed = 0;
	m.chat_content = STR("sticker");
	b = message_attach(arena, &m);
	b->type = STR("video/webm");
	b->size = 4194304;
	b->section = STR("2");
	pre.type = STR("image/jpeg");
	pre.data = STR("\xff\xd8\xff\xe0\x00\x10");
	b->preview = &pre;
	m.headers = &h;
	m.nheaders = 1;
	m.meta.given = true;
	m.meta.by_version = m.meta.by_id = m.meta.by_thread = true;
	m.meta.chat_version = STR("1.0");
	message_warn(arena, &m, "part %d is \"%s\"", 2, "cut");
	message_warn(arena, &m, "two");
	message_json(&out, &m);
	CHECK_STR(
	    buf_view(&out),
	    "{\"v\":1,\"kind\":\"message\",\"text\":\"a\\r\\nb\xe2\x80\xa8\","
	    "\"attachments\":[{\"type\":\"video/webm\",\"size\":4194304,"
	    "\"section\":\"2\",\"preview\":{\"type\":\"image/jpeg\",\"data\":"
	    "\"/9j/4AAQ\"}}],\"receiptRequested\":true,\"chatContent\":"
	    "\"sticker\",\"encrypted\":true,\"signed\":false,\"headers\":[{"
	    "\"name\":\"X-A\",\"value\":\"1\"}],\"meta\":{\"chat\":false,"
	    "\"detectedBy\":[\"chat-version\",\"message-id\",\"thread\"],"
	    "\"chatVersion\":\"1.0\",\"fromMe\":false,\"warnings\":["
	    "\"part 2 is \\\"cut\\\"\",\"two\"]}}\n");
	CHECK_INT(str_chr(buf_view(&out), '\n'), out.n - 1);
	buf_free(&out);
	done();
}

TEST(many, "attachments and warnings in any number")
{
	struct message m;
	size_t i;

	arena = arena_new();
	message_init(&m);
	for (i = 0; i < 1000; i++) {
		message_attach(arena, &m)->size = (int64_t)i;
		message_warn(arena, &m, "%zu", i);
	}
	CHECK_INT(m.nattachments, 1000);
	CHECK_INT(m.attachments[999].size, 999);
	CHECK_INT(m.attachments[0].size, 0);
	CHECK_STR(m.meta.warnings[999], "999");
	done();
}

/* --- input ---------------------------------------------------------------- */

TEST(unset, "what is not given is not given")
{
	CHECK_INT(in("{" TO ",\"text\":\"x\"}"), 0);
	CHECK(msg.kind == NULL || strcmp(msg.kind->name, "message") == 0);
	CHECK(msg.id.p == NULL && msg.from.email.p == NULL);
	CHECK(msg.sent_at == INT64_MIN);
	CHECK_INT(msg.encrypted, -1);
	CHECK_INT(msg.is_signed, -1);
	CHECK(!msg.receipt_requested);
	done();
}

TEST(secret, "encrypted is a demand, and survives the way through")
{
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"encrypted\":true}"), 0);
	CHECK_INT(msg.encrypted, 1);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"encrypted\":false}"), 0);
	CHECK_INT(msg.encrypted, 0);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"encrypted\":\"true\"}"), -1);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"encrypted\":null}"), -1);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"Encrypted\":true}"), -1);
	done();
}

TEST(one_from, "CLI-030: from holds exactly one address")
{
	CHECK_INT(in("{\"from\":[\"a@b.c\",\"d@e.f\"]," TO ",\"text\":\"x\"}"),
		  -1);
	CHECK_INT(err.code, COI_E_DATA);
	CHECK_STR(str_of(err.msg), "from holds exactly one address");
	CHECK_INT(in("{\"from\":[\"a@b.c\"]," TO ",\"text\":\"x\"}"), 0);
	CHECK_STR(msg.from.email, "a@b.c");
	done();
}

TEST(lax, "--lax drops unknown keys at every level, but no content")
{
	const char *line = "{\"to\":[{\"email\":\"a@b.c\",\"x\":1}],\"text\":"
			   "\"t\",\"texte\":{\"a\":[]},\"attachments\":[{"
			   "\"data\":\"\",\"z\":0}]}";

	CHECK_INT(in_n(str_of(line), false), -1);
	CHECK_INT(in_n(str_of(line), true), 0);
	CHECK_STR(msg.text, "t");
	CHECK_INT(msg.nattachments, 1);
	CHECK_INT(in_n(STR("{" TO ",\"text\":\"t\",\"poll\":{}}"), true), -1);
	done();
}

TEST(kinds, "each kind of the format is known by name")
{
	static const char *const names[] = {
	    "edit",  "delete",	"receipt", "leave", "poll",	 "vote",
	    "close", "contact", "profile", "group", "extension", "reaction"};
	struct buf line = {0};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (kind_by_name(str_of(names[i])) != NULL)
			continue;
		buf_clear(&line);
		buf_fmt(&line, "{\"kind\":\"%s\"}", names[i]);
		CHECK_INT(in_n(buf_view(&line), false), -1);
		CHECK_INT(err.code, COI_E_DATA);
		CHECK(strstr(err.msg, "not supported yet") != NULL);
		CHECK(strstr(err.msg, names[i]) != NULL);
	}
	buf_free(&line);
	done();
}

TEST(headers, "headers may name no field that is written from other keys")
{
	static const char *const names[] = {
	    "From",	    "SENDER",
	    "Date",	    "to",
	    "Cc",	    "Bcc",
	    "Reply-To",	    "Subject",
	    "Message-Id",   "References",
	    "In-Reply-To",  "MIME-Version",
	    "COI-Token",    "chat-x",
	    "Content-Type", "Resent-To",
	    "Return-Path",  "Received",
	    "Autocrypt",    "Disposition-Notification-To",
	    "Chat-Version", "Content-Foo"};
	struct buf line = {0};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_clear(&line);
		buf_fmt(&line,
			"{" TO ",\"text\":\"x\",\"headers\":[{\"name\":\"%s\","
			"\"value\":\"1\"}]}",
			names[i]);
		CHECK_INT(in_n(buf_view(&line), false), -1);
		CHECK_INT(err.code, COI_E_DATA);
	}
	buf_free(&line);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"headers\":[{\"name\":\"X-A\","
		     "\"value\":\"b\\r\\nBcc: e@f.g\"}]}"),
		  -1);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"headers\":[{\"name\":"
		     "\"X-A: 1\\nBcc\",\"value\":\"b\"}]}"),
		  -1);
	CHECK_INT(in("{" TO ",\"text\":\"x\",\"headers\":[{\"name\":\"X-A\","
		     "\"value\":\"b\"}]}"),
		  0);
	CHECK_INT(msg.nheaders, 1);
	done();
}

TEST(hostile, "no line is too odd to be refused in a sentence")
{
	static const char *const lines[] = {
	    "",
	    " ",
	    "null",
	    "[]",
	    "1",
	    "\"x\"",
	    "{",
	    "{\"text\":",
	    "{}{}",
	    "\xef\xbb\xbf{}",
	    "{\"text\":\"\xff\"," TO "}",
	    "{\"text\":\"\\ud800\"," TO "}",
	    "{\"text\":\"a\",\"text\":\"b\"," TO "}",
	    "{\"text\":\"a\\u0000b\"," TO "}",
	    "{\"a\\u0000b\":1}",
	    "{\"v\":2,\"text\":\"a\"," TO "}",
	    "{\"v\":\"1\",\"text\":\"a\"," TO "}",
	    "{\"kind\":{},\"text\":\"a\"}",
	    "{\"text\":\"a\",\"to\":[1]}",
	    "{\"text\":\"a\",\"to\":[[\"a@b.c\"]]}",
	    "{\"text\":\"a\",\"to\":null}",
	    "{\"text\":[\"a\",\"b\"]," TO "}",
	    "{\"text\":\"a\",\"inReplyTo\":\"x\\r\\nBcc: a@b\"," TO "}",
	    "{\"text\":\"a\",\"sentAt\":\"2019-12-04T14:51:37.5Z\"," TO "}",
	    "{\"text\":\"a\",\"sentAt\":1575471097," TO "}",
	    "{\"text\":\"a\",\"group\":{\"id\":\"a.b\"}," TO "}",
	    "{\"text\":\"a\",\"group\":{\"name\":\"x\"}," TO "}",
	    "{\"attachments\":[{\"type\":\"image\",\"data\":\"\"}]," TO "}",
	    "{\"attachments\":[{\"type\":\"a/b\\r\\nX: y\",\"data\":\"\"}]," TO
	    "}",
	    "{\"attachments\":[{\"data\":\"a\"}]," TO "}",
	    "{\"attachments\":[{\"data\":\"YQ==\",\"path\":\"x\"}]," TO "}",
	    "{\"attachments\":[{\"name\":\"x\"}]," TO "}",
	    "{\"attachments\":[{\"data\":\"\",\"size\":-1}]," TO "}",
	    "{\"attachments\":[{\"data\":\"\",\"preview\":{\"data\":\"\","
	    "\"preview\":{\"data\":\"\"}}}]," TO "}",
	    "{\"attachments\":{\"data\":\"\"}," TO "}",
	    "{\"text\":\"a\",\"headers\":{}," TO "}",
	    "{\"text\":\"\"," TO "}",
	    "{" TO "}",
	};
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (in(lines[i]) != -1 || err.code != COI_E_DATA ||
		    strlen(err.msg) < 10) {
			test_bad++;
			printf("# accepted or unclear: %s (%s)\n", lines[i],
			       err.msg);
		}
		done();
	}
}

static void repeat(struct buf *b, const char *z, size_t n)
{
	while (n-- > 0)
		buf_z(b, z);
}

TEST(limits, "depth and length are looked at before parsing")
{
	struct buf b = {0};

	buf_z(&b, "{" TO ",\"text\":\"[[{{ \\\" [[\",\"meta\":");
	repeat(&b, "[", LIMIT_JSON_DEPTH - 1);
	repeat(&b, "]", LIMIT_JSON_DEPTH - 1);
	buf_z(&b, "}");
	CHECK_INT(in_n(buf_view(&b), false), 0);
	buf_clear(&b);
	buf_z(&b, "{" TO ",\"text\":\"x\",\"meta\":");
	repeat(&b, "[", LIMIT_JSON_DEPTH);
	repeat(&b, "]", LIMIT_JSON_DEPTH);
	buf_z(&b, "}");
	CHECK_INT(in_n(buf_view(&b), false), -1);
	CHECK(strstr(err.msg, "deeper") != NULL);
	buf_clear(&b);
	repeat(&b, "[", 1000000);
	CHECK_INT(in_n(buf_view(&b), false), -1);
	CHECK(strstr(err.msg, "deeper") != NULL);
	buf_clear(&b);
	repeat(&b, " ", LIMIT_JSON_LINE + 1);
	CHECK_INT(in_n(buf_view(&b), false), -1);
	CHECK(strstr(err.msg, "64 MB") != NULL);
	buf_free(&b);
	done();
}

TEST(cut, "a record cut anywhere is an error, never half a message")
{
	const char *line =
	    "{\"v\":1,\"kind\":\"message\",\"to\":[\"A B <a@b.c>\"],\"text\":"
	    "\"\\u00fc\\n\xf0\x9f\x91\x8d\",\"attachments\":[{\"type\":"
	    "\"image/png\",\"data\":\"AAEC\",\"preview\":{\"data\":\"\"}}],"
	    "\"sentAt\":\"2019-12-04T14:51:37Z\",\"signed\":false}";
	size_t n = strlen(line), i;

	for (i = 0; i < n; i++)
		CHECK_INT(in_n((struct str){line, i}, false), -1);
	CHECK_INT(in_n((struct str){line, n}, false), 0);
	CHECK_STR(msg.to.v[0].name, "A B");
	CHECK_STR(msg.text, "\xc3\xbc\n\xf0\x9f\x91\x8d");
	CHECK_INT(msg.attachments[0].data.n, 3);
	CHECK(memcmp(msg.attachments[0].data.p, "\0\1\2", 3) == 0);
	CHECK_INT(msg.attachments[0].preview->data.n, 0);
	done();
}

TEST(nearest, "a misspelt word finds its neighbour, a strange one none")
{
	static const char *const known[] = {"text", "to", "attachments",
					    "receiptRequested", NULL};

	CHECK(keys_nearest(STR("txet"), known) == known[0]);
	CHECK(keys_nearest(STR("TEXT"), known) == known[0]);
	CHECK(keys_nearest(STR("atachment"), known) == known[2]);
	CHECK(keys_nearest(STR("receiptrequested"), known) == known[3]);
	CHECK(keys_nearest(STR("zz"), known) == NULL);
	CHECK(keys_nearest(STR("location"), known) == NULL);
	CHECK(keys_nearest(STR(""), known) == NULL);
}

TEST_MAIN
