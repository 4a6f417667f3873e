#include "test.h"

#include <signal.h>
#include <sqlite3.h>

#include "store_dir.h"

static struct store_dead letter(const char *id, const char *why)
{
	return (struct store_dead){.id = str_of(id),
				   .conversation = STR("mail:bob"),
				   .automatic = true,
				   .tries = 3,
				   .why = str_of(why),
				   .line = STR("{\"text\":\"x\"}\n")};
}

static struct store_dead *list(struct store *s, struct arena *a,
			       const char *consumer, bool retry, size_t *n)
{
	struct store_dead *v = NULL;
	struct coi_err e = {0};

	CHECK(store_dead_list(s, a, consumer, retry, &v, n, &e) == 0);
	return v;
}

static size_t count(struct store *s, const char *consumer, bool retry)
{
	struct arena *a = arena_new();
	size_t n = 9;

	list(s, a, consumer, retry, &n);
	arena_free(a);
	return n;
}

TEST(letters, "dead letters are kept by consumer, put back and done with")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_dead x = letter("1@x", "one"), *v;
	struct arena *a = arena_new();
	struct coi_err e = {0};
	unsigned tries = 9;
	size_t n;

	CHECK_INT(count(s, "bot", false), 0);
	CHECK(store_dead_add(s, "bot", &x, &e) == 0);
	x = letter("2@x", "two");
	CHECK(store_dead_add(s, "bot", &x, &e) == 0);
	CHECK_INT(count(s, "other", false), 0);
	CHECK_INT(count(s, "bot", true), 0);
	store_close(s);
	s = dir_open(&d);
	v = list(s, a, "bot", false, &n);
	CHECK_INT(n, 2);
	CHECK_STR(v[0].id, "1@x");
	CHECK_STR(v[0].why, "one");
	CHECK_STR(v[0].line, "{\"text\":\"x\"}\n");
	CHECK_STR(v[1].conversation, "mail:bob");
	CHECK(v[1].automatic && !v[1].retry && v[1].tries == 3);
	CHECK(v[1].at >= sys_now() - 60 && v[1].at <= sys_now());

	CHECK(store_dead_retry(s, "other", STR("1@x"), &e) < 0);
	CHECK_INT(e.code, COI_E_NOINPUT);
	err_clear(&e);
	CHECK(store_dead_retry(s, "bot", STR("1@x"), &e) == 0);
	v = list(s, a, "bot", true, &n);
	CHECK_INT(n, 1);
	CHECK(v[0].retry && v[0].tries == 0);
	CHECK(store_dead_try(s, v[0].row, 1, &tries, &e) == 0 && tries == 1);
	CHECK(store_dead_try(s, v[0].row, 1, &tries, &e) == 0 && tries == 2);
	CHECK(store_dead_try(s, v[0].row, -5, &tries, &e) == 0 && tries == 0);
	CHECK(store_dead_again(s, v[0].row, 4, STR("anew"), &e) == 0);
	CHECK_INT(count(s, "bot", true), 0);
	v = list(s, a, "bot", false, &n);
	CHECK_STR(v[0].why, "anew");
	CHECK_INT(v[0].tries, 4);
	CHECK(store_dead_done(s, v[0].row, &e) == 0);
	CHECK_INT(count(s, "bot", false), 1);
	arena_free(a);
	store_close(s);
	dir_free(&d);
}

static void hand(struct store *s, uint32_t uid)
{
	struct store_seen v = {
	    .id = STR("1@x"), .identity = STR("1"), .uid = uid};
	struct store_cursor c = {7, uid, 0};
	struct coi_err e = {0};

	CHECK(store_handout(s, "bot", STR("INBOX"), &c, &v, 1, &e) == 0);
}

static unsigned tries(struct store *s, uint32_t uid, int delta)
{
	struct coi_err e = {0};
	unsigned n = 99;

	CHECK(store_try(s, "bot", STR("inbox"), 7, uid, delta, &n, &e) == 0);
	return n;
}

TEST(tries_kept, "tries outlive the process and end with the acknowledgement")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};

	CHECK_INT(tries(s, 5, 1), 0); /* never handed out */
	hand(s, 5);
	CHECK_INT(tries(s, 5, 1), 1);
	CHECK_INT(tries(s, 5, 1), 2);
	store_close(s);
	s = dir_open(&d);
	hand(s, 5); /* once more, by the next run */
	CHECK_INT(tries(s, 5, 0), 2);
	CHECK_INT(tries(s, 5, -1), 1);
	CHECK_INT(tries(s, 5, -9), 0);
	CHECK_INT(tries(s, 6, 1), 0);
	CHECK(store_ack_uid(s, "bot", STR("INBOX"), 7, 5, &e) == 0);
	CHECK_INT(tries(s, 5, 1), 0);
	store_close(s);
	dir_free(&d);
}

static void count_one(struct store *s)
{
	tries(s, 5, 1);
	raise(SIGKILL);
}

TEST(tries_kill, "a try is counted although we are killed behind it")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	hand(s, 5);
	CHECK(WIFSIGNALED(dir_child(&d, NULL, count_one)));
	CHECK_INT(tries(s, 5, 0), 1);
	store_close(s);
	dir_free(&d);
}

static void bury(struct store *s)
{
	struct store_dead x = letter("1@x", "why");
	struct coi_err e = {0};

	CHECK(store_begin(s, true, &e) == 0);
	CHECK(store_dead_add(s, "bot", &x, &e) == 0);
	CHECK(store_ack_uid(s, "bot", STR("INBOX"), 7, 5, &e) == 0);
	CHECK(store_end(s, true, &e) == 0);
}

static uint32_t cursor(struct store *s)
{
	struct store_cursor c = {0};
	struct coi_err e = {0};

	CHECK(store_cursor_get(s, "bot", STR("INBOX"), &c, &e) == 0);
	return c.uid;
}

TEST(buried, "the dead letter and the acknowledgement are one")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	hand(s, 5);
	CHECK(WIFSIGNALED(dir_child(&d, "store.group.before", bury)));
	CHECK_INT(count(s, "bot", false), 0);
	CHECK_INT(cursor(s), 0);
	CHECK(WIFSIGNALED(dir_child(&d, "store.group.after", bury)));
	CHECK_INT(count(s, "bot", false), 1);
	CHECK_INT(cursor(s), 5);
	store_close(s);
	dir_free(&d);
}

static bool allowed(struct store *s, const char *conv, const char *id,
		    unsigned max)
{
	struct coi_err e = {0};
	bool yes = false;

	CHECK(store_auto(s, "bot", str_of(conv), str_of(id), max, &yes, &e) ==
	      0);
	return yes;
}

static void at(int64_t when)
{
	char seed[64];

	snprintf(seed, sizeof(seed), "1@%lld", (long long)when);
	sys_seed(seed);
}

TEST(automatic, "so many automatic messages of a conversation within an hour")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	int64_t now = sys_now();

	at(now);
	CHECK(allowed(s, "a", "1", 2));
	CHECK(allowed(s, "a", "1", 2)); /* the same one, tried again */
	at(now + 10);
	CHECK(allowed(s, "a", "2", 2));
	CHECK(!allowed(s, "a", "3", 2));
	CHECK(allowed(s, "b", "3", 2));
	CHECK(!allowed(s, "c", "4", 0));
	at(now + 3599);
	CHECK(!allowed(s, "a", "5", 2));
	at(now + 3600);
	CHECK(allowed(s, "a", "5", 2));
	CHECK(!allowed(s, "a", "6", 2));
	at(now - 86400); /* the clock was set back */
	CHECK(allowed(s, "a", "6", 2));
	sys_seed(NULL);
	store_close(s);
	dir_free(&d);
}

TEST(pruned, "old dead letters go")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_dead x = letter("1@x", "why");
	struct coi_err e = {0};
	int64_t now = sys_now();

	at(now - 401 * (int64_t)86400);
	CHECK(store_dead_add(s, "bot", &x, &e) == 0);
	at(now);
	CHECK(store_dead_add(s, "bot", &x, &e) == 0);
	CHECK(store_prune(s, 400, &e) == 0);
	CHECK_INT(count(s, "bot", false), 1);
	sys_seed(NULL);
	store_close(s);
	dir_free(&d);
}

static int sql(const struct dir *d, const char *text)
{
	sqlite3 *h = NULL;
	int rc = sqlite3_open(d->db, &h);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(h, text, NULL, NULL, NULL);
	sqlite3_close(h);
	return rc;
}

/* As version 0.1 left it. */
static void age(const struct dir *d)
{
	CHECK(sql(d, "ALTER TABLE handout DROP COLUMN tries;"
		     "DROP TABLE dead; DROP TABLE auto;"
		     "PRAGMA user_version=1") == SQLITE_OK);
}

TEST(upgrade, "a database of the first schema is brought up to date")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	struct store *two[2];

	hand(s, 5);
	store_close(s);
	age(&d);
	s = dir_open(&d);
	CHECK_INT(tries(s, 5, 1), 1); /* what was handed out is still */
	CHECK(store_ack_uid(s, "bot", STR("INBOX"), 7, 5, &e) == 0);
	CHECK_INT(cursor(s), 5);
	store_close(s);
	/* By two at a time. */
	age(&d);
	two[0] = dir_open(&d);
	two[1] = dir_open(&d);
	CHECK_INT(count(two[0], "bot", false), 0);
	CHECK_INT(count(two[1], "bot", false), 0);
	store_close(two[0]);
	store_close(two[1]);
	CHECK(sql(&d, "PRAGMA user_version=3") == SQLITE_OK);
	CHECK(store_open(d.db, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	dir_free(&d);
}

static void upgrade_killed(const struct dir *d)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		sys_kill_at("store.upgrade.before");
		dir_open(d);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status));
}

TEST(upgrade_kill, "killed while it is brought up to date, it is as before")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	hand(s, 5);
	store_close(s);
	age(&d);
	upgrade_killed(&d);
	s = dir_open(&d);
	CHECK_INT(tries(s, 5, 1), 1);
	store_close(s);
	dir_free(&d);
}

TEST(key, "is an idempotency key known?")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct str to = STR("b@x");
	struct store_out o = {.id = STR("1@x"),
			      .key = STR("k1"),
			      .digest = STR("d"),
			      .from = STR("a@x"),
			      .rcpts = &to,
			      .nrcpts = 1,
			      .state = STORE_QUEUED,
			      .wire = STR("mail")},
			 old;
	bool known = true;

	CHECK(store_out_key(s, STR("k1"), &known, &e) == 0 && !known);
	CHECK(store_out_add(s, a, &o, &old, &known, &e) == 0);
	CHECK(store_out_key(s, STR("k1"), &known, &e) == 0 && known);
	CHECK(store_out_key(s, STR("k2"), &known, &e) == 0 && !known);
	arena_free(a);
	store_close(s);
	dir_free(&d);
}

TEST_MAIN
