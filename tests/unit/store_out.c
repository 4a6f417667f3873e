#include "test.h"

#include <time.h>

#include "store_dir.h"

static struct str two[] = {{"bob@example.com", 15}, {"eve@example.com", 15}};

static struct store_out message(const char *id, const char *key,
				const char *digest, enum store_state state)
{
	return (struct store_out){.id = str_of(id),
				  .key = str_of(key),
				  .digest = str_of(digest),
				  .from = STR("me@example.com"),
				  .rcpts = two,
				  .nrcpts = 2,
				  .state = state,
				  .wire = STR("From: me\r\n\r\n\0x"),
				  .eight_bit = true,
				  .sent_copy = 2};
}

static int64_t add(struct store *s, const char *id, const char *key,
		   const char *digest, enum store_state state)
{
	struct store_out o = message(id, key, digest, state), was = {0};
	struct arena *a = arena_new();
	struct coi_err e = {0};
	bool exists = true;

	CHECK(store_out_add(s, a, &o, &was, &exists, &e) == 0);
	CHECK(!exists);
	arena_free(a);
	return o.row;
}

static struct store_out get(struct store *s, struct arena *a, const char *id)
{
	struct store_out o = {0};
	struct coi_err e = {0};
	bool found = false;

	CHECK(store_out_get(s, a, str_of(id), true, &o, &found, &e) == 0);
	CHECK(found);
	return o;
}

static size_t count(struct store *s, struct arena *a, int state)
{
	struct store_out *v;
	struct coi_err e = {0};
	size_t n = 99;

	CHECK(store_out_list(s, a, state, false, &v, &n, &e) == 0);
	return n;
}

TEST(round_trip, "a queued message is all there after a restart")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct store_out o;

	add(s, "1@x", "k", "abc", STORE_QUEUED);
	store_close(s);
	s = dir_open(&d);
	o = get(s, a, "1@x");
	CHECK_INT(o.state, STORE_QUEUED);
	CHECK_STR(o.key, "k");
	CHECK_STR(o.digest, "abc");
	CHECK_STR(o.from, "me@example.com");
	CHECK_INT(o.nrcpts, 2);
	CHECK_STR(o.rcpts[0], "bob@example.com");
	CHECK_STR(o.rcpts[1], "eve@example.com");
	CHECK(str_eq(o.wire, STR("From: me\r\n\r\n\0x")));
	CHECK(o.eight_bit && !o.utf8);
	CHECK_INT(o.tries, 0);
	CHECK_INT(o.sent_copy, 2);
	CHECK(o.created > 1600000000);
	CHECK_INT(count(s, a, -1), 1);
	CHECK_INT(count(s, a, STORE_UNKNOWN), 0);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(states, "taken once, tried, accepted; the octets go, the id stays")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	int64_t row = add(s, "1@x", NULL, NULL, STORE_QUEUED);
	struct store_out o;
	bool has;

	CHECK(store_out_take(s, row, &e) == 0);
	CHECK(store_out_take(s, row, &e) == 1);
	CHECK(store_out_data(s, row, &e) == 0);
	CHECK(store_out_result(s, row, STORE_QUEUED, STR("greylisted"), &two[1],
			       1, &e) == 0);
	o = get(s, a, "1@x");
	CHECK_INT(o.tries, 1);
	CHECK_INT(o.nrcpts, 1);
	CHECK_STR(o.rcpts[0], "eve@example.com");
	CHECK_STR(o.last_error, "greylisted");
	CHECK(store_out_take(s, row, &e) == 0);
	CHECK(store_out_data(s, row, &e) == 0);
	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	o = get(s, a, "1@x");
	CHECK_INT(o.state, STORE_ACCEPTED);
	CHECK(o.wire.p == NULL);
	CHECK(store_sent_has(s, STR("1@x"), &has, &e) == 0 && has);
	CHECK(store_sent_has(s, STR("2@x"), &has, &e) == 0 && !has);
	CHECK(store_out_take(s, row, &e) == 1);
	CHECK_INT(e.code, COI_OK);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(sent_copy, "octets wait until the sent copy is made")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	int64_t row = add(s, "1@x", NULL, NULL, STORE_SUBMITTING);

	CHECK(store_out_sent_copy(s, row, 0, &e) == 0);
	CHECK(store_out_data(s, row, &e) == 0);
	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	CHECK(get(s, a, "1@x").wire.n > 0);
	CHECK(store_out_sent_copy(s, row, 1, &e) == 0);
	CHECK(get(s, a, "1@x").wire.p == NULL);
	CHECK_INT(get(s, a, "1@x").sent_copy, 1);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(keys, "a key is submitted once; other content under it is refused")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct store_out o = message("2@x", "k", "abc", STORE_SUBMITTING), was;
	bool exists = false;
	int64_t row = add(s, "1@x", "k", "abc", STORE_SUBMITTING);

	CHECK(store_out_data(s, row, &e) == 0);
	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	CHECK(store_out_add(s, a, &o, &was, &exists, &e) == 0);
	CHECK(exists);
	CHECK_STR(was.id, "1@x");
	CHECK_INT(was.state, STORE_ACCEPTED);
	o.digest = STR("other");
	CHECK(store_out_add(s, a, &o, &was, &exists, &e) == -1);
	CHECK_INT(e.code, COI_E_DATA);
	CHECK(strstr(e.msg, "other content") != NULL);
	CHECK_INT(count(s, a, -1), 1);
	/* No key, no uniqueness. */
	add(s, "1@x", NULL, NULL, STORE_QUEUED);
	add(s, "1@x", NULL, NULL, STORE_QUEUED);
	CHECK_INT(count(s, a, -1), 3);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

/* --- senders that die ----------------------------------------------------- */

static void submit(struct store *s)
{
	struct coi_err e = {0};
	int64_t row = add(s, "1@x", "k", "abc", STORE_SUBMITTING);

	store_out_data(s, row, &e);
	store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e);
}

TEST(killed, "a killed sender: free before the data, unknown after it")
{
	static const struct {
		const char *at;
		int state; /* -1: not there */
	} t[] = {{"store.out.add.before", -1},
		 {"store.out.add.after", STORE_QUEUED},
		 {"store.out.data.before", STORE_QUEUED},
		 {"store.out.data.after", STORE_UNKNOWN},
		 {"store.out.result.before", STORE_UNKNOWN},
		 {"store.out.result.after", STORE_ACCEPTED}};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dir d = dir_new();
		struct arena *a = arena_new();
		struct coi_err e = {0};
		struct store_out *v;
		struct store *s;
		size_t n;

		CHECK(WIFSIGNALED(dir_child(&d, t[i].at, submit)));
		s = dir_open(&d);
		CHECK(store_out_list(s, a, -1, true, &v, &n, &e) == 0);
		CHECK_INT(n, t[i].state >= 0);
		if (n == 1) {
			CHECK_INT(v[0].state, t[i].state);
			CHECK_INT(v[0].wire.n > 0,
				  t[i].state != STORE_ACCEPTED);
			CHECK_INT(store_out_take(s, v[0].row, &e),
				  t[i].state != STORE_QUEUED);
		}
		store_close(s);
		arena_free(a);
		dir_free(&d);
	}
}

static void leave_sent(struct store *s)
{
	struct coi_err e = {0};

	store_out_data(s, add(s, "1@x", NULL, NULL, STORE_SUBMITTING), &e);
}

TEST(unknown, "an unknown message is never taken unless the user asks")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	int64_t row;
	int i;

	dir_child(&d, NULL, leave_sent);
	/* No list in between: take itself must see it, and see it twice. */
	for (i = 0; i < 2; i++)
		CHECK(store_out_take(s, 1, &e) == 1);
	CHECK_INT(get(s, a, "1@x").state, STORE_UNKNOWN);
	row = get(s, a, "1@x").row;
	CHECK(store_out_retry(s, row, &e) == 0);
	CHECK(store_out_retry(s, row, &e) == 1);
	CHECK(store_out_take(s, row, &e) == 0);
	CHECK(store_out_data(s, row, &e) == 0);
	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	CHECK_INT(count(s, a, STORE_ACCEPTED), 1);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

static void try_others(struct store *s)
{
	struct coi_err e = {0};
	int rc = store_out_take(s, 1, &e);

	if (rc != 1)
		_exit(10);
	if (store_out_data(s, 1, &e) == 0 || e.code != COI_E_TEMP)
		_exit(11);
	err_clear(&e);
	if (store_out_result(s, 1, STORE_QUEUED, STR_NONE, NULL, 0, &e) == 0)
		_exit(12);
	err_clear(&e);
	if (store_out_drop(s, STR("1@x"), &e) == 0 || e.code != COI_E_TEMP)
		_exit(13);
}

TEST(alive, "a living sender keeps its message from all others")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	int64_t row = add(s, "1@x", NULL, NULL, STORE_SUBMITTING);

	CHECK_INT(WEXITSTATUS(dir_child(&d, NULL, try_others)), 0);
	CHECK(store_out_data(s, row, &e) == 0);
	CHECK_INT(WEXITSTATUS(dir_child(&d, NULL, try_others)), 0);
	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	store_close(s);
	dir_free(&d);
}

TEST(race, "of many that want one queued message exactly one gets it")
{
	enum { N = 6 };
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	int i, won = 0, go[2], told[2], stay[2];
	pid_t pid[N];
	char c;

	add(s, "1@x", NULL, NULL, STORE_QUEUED);
	store_close(s);
	CHECK(pipe(go) == 0 && pipe(told) == 0 && pipe(stay) == 0);
	fflush(stdout);
	for (i = 0; i < N; i++) {
		pid[i] = fork();
		if (pid[i] != 0)
			continue;
		close(go[1]);
		close(stay[1]);
		s = dir_open(&d);
		if (read(go[0], &c, 1) < 0)
			_exit(1);
		c = store_out_take(s, 1, &e) == 0 ? 'w' : 'l';
		/* Nobody leaves before all have tried: the dead lose hold. */
		if (write(told[1], &c, 1) < 0 || read(stay[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(go[1]);
	for (i = 0; i < N; i++) {
		CHECK(read(told[0], &c, 1) == 1);
		won += c == 'w';
	}
	CHECK_INT(won, 1);
	close(stay[1]);
	for (i = 0; i < N; i++)
		waitpid(pid[i], NULL, 0);
	close(go[0]);
	close(told[0]);
	close(told[1]);
	close(stay[0]);
	dir_free(&d);
}

TEST(drop, "dropping: the queued go, the accepted stay, the unknown keep id")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	int64_t row = add(s, "acc@x", NULL, NULL, STORE_SUBMITTING);
	bool has;

	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	add(s, "q@x", NULL, NULL, STORE_QUEUED);
	row = add(s, "u@x", "key", "d", STORE_SUBMITTING);
	CHECK(store_out_data(s, row, &e) == 0);
	CHECK(store_out_result(s, row, STORE_UNKNOWN, STR("lost"), NULL, 0,
			       &e) == 0);
	CHECK(store_out_drop(s, STR("q@x"), &e) == 0);
	CHECK(store_out_drop(s, STR("u@x"), &e) == 0);
	CHECK(store_sent_has(s, STR("q@x"), &has, &e) == 0 && !has);
	CHECK(store_sent_has(s, STR("u@x"), &has, &e) == 0 && has);
	CHECK_INT(count(s, a, STORE_UNKNOWN), 0);
	CHECK(store_out_drop(s, STR("acc@x"), &e) == -1);
	CHECK_INT(e.code, COI_E_NOINPUT);
	err_clear(&e);
	CHECK(store_out_drop(s, STR("no@x"), &e) == -1);
	CHECK_INT(e.code, COI_E_NOINPUT);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(drop_own, "what we hold ourselves can be given up, and goes alone")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};

	add(s, "1@x", NULL, NULL, STORE_QUEUED);
	add(s, "1@x", NULL, NULL, STORE_SUBMITTING);
	CHECK(store_out_drop(s, STR("1@x"), &e) == 0);
	CHECK_INT(count(s, a, -1), 1);
	CHECK_INT(count(s, a, STORE_QUEUED), 1);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(group, "a group is one transaction: all of it or nothing")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct store_out bad = message("3@x", "k", "other", STORE_QUEUED), was;
	struct str root, conv;
	bool exists, found;
	int i;

	for (i = 0; i < 2; i++) {
		CHECK(store_begin(s, true, &e) == 0);
		add(s, "1@x", i == 0 ? NULL : "k", "abc", STORE_QUEUED);
		/* A failure in between leaves what stood before. */
		if (i == 1) {
			CHECK(store_out_add(s, a, &bad, &was, &exists, &e) ==
			      -1);
			CHECK_INT(e.code, COI_E_DATA);
			err_clear(&e);
		}
		store_thread_add(s, STR("1@x"), STR("1@x"), STR_NONE, &e);
		CHECK(store_out_take(s, 99, &e) == 1);
		add(s, "2@x", NULL, NULL, STORE_SUBMITTING);
		CHECK(store_end(s, i == 1, &e) == 0);
		CHECK_INT(count(s, a, -1), i == 0 ? 0 : 2);
	}
	store_close(s);
	s = dir_open(&d);
	CHECK_INT(count(s, a, -1), 2);
	CHECK(store_thread_get(s, a, STR("1@x"), &root, &conv, &found, &e) ==
	      0);
	CHECK(found);
	CHECK_INT(e.code, COI_OK);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(prune, "pruning forgets finished sends, never queued or unknown ones")
{
	struct dir d = dir_new();
	struct store *s;
	struct arena *a = arena_new();
	struct coi_err e = {0};
	int64_t row;

	sys_seed("1@1600000000");
	s = dir_open(&d);
	row = add(s, "acc@x", NULL, NULL, STORE_SUBMITTING);
	CHECK(store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e) ==
	      0);
	add(s, "q@x", NULL, NULL, STORE_QUEUED);
	row = add(s, "u@x", NULL, NULL, STORE_SUBMITTING);
	CHECK(store_out_result(s, row, STORE_UNKNOWN, STR_NONE, NULL, 0, &e) ==
	      0);
	sys_seed("1@1610000000");
	CHECK(store_prune(s, 30, &e) == 0);
	CHECK_INT(count(s, a, -1), 2);
	CHECK_INT(count(s, a, STORE_QUEUED), 1);
	CHECK_INT(count(s, a, STORE_UNKNOWN), 1);
	CHECK(get(s, a, "q@x").wire.n > 0);
	store_close(s);
	sys_seed(NULL);
	arena_free(a);
	dir_free(&d);
}

TEST(bad, "an address with a line feed never gets in")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct str evil = STR("a@x\nb@x");
	struct store_out o = message("1@x", NULL, NULL, STORE_QUEUED), was;
	bool exists;

	o.rcpts = &evil;
	o.nrcpts = 1;
	CHECK(store_out_add(s, a, &o, &was, &exists, &e) == -1);
	CHECK_INT(e.code, COI_E_DATA);
	CHECK_INT(count(s, a, -1), 0);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(speed, "what recording a send costs")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	double t = ms();
	char id[32];
	int i;

	for (i = 0; i < 200; i++) {
		int64_t row;

		snprintf(id, sizeof(id), "%d@x", i);
		row = add(s, id, NULL, NULL, STORE_SUBMITTING);
		store_out_data(s, row, &e);
		store_out_result(s, row, STORE_ACCEPTED, STR_NONE, NULL, 0, &e);
	}
	t = ms() - t;
	printf("# add, data, result: %.2f ms a message\n", t / 200);
	CHECK(t < 20000);
	store_close(s);
	dir_free(&d);
}

TEST_MAIN
