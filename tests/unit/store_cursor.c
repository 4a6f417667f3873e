#include "test.h"

#include <time.h>

#include "store_dir.h"

static struct store_cursor cursor(struct store *s, const char *consumer)
{
	struct store_cursor c = {0};
	struct coi_err e = {0};

	CHECK(store_cursor_get(s, consumer, STR("INBOX"), &c, &e) == 0);
	return c;
}

static struct store_seen line(const char *id, const char *identity,
			      uint32_t uid)
{
	return (struct store_seen){
	    .id = str_of(id), .identity = str_of(identity), .uid = uid};
}

static bool seen(struct store *s, const char *id, const char *identity)
{
	bool yes = false, reused = false;
	struct coi_err e = {0};

	CHECK(store_seen(s, "bot", str_of(id), str_of(identity), &yes, &reused,
			 &e) == 0);
	return yes;
}

static bool reused(struct store *s, const char *id, const char *identity)
{
	bool yes = false, again = false;
	struct coi_err e = {0};

	CHECK(store_seen(s, "bot", str_of(id), str_of(identity), &yes, &again,
			 &e) == 0);
	return again;
}

static int ack(struct store *s, const char *id)
{
	struct coi_err e = {0};
	int rc = store_ack(s, "bot", str_of(id), &e);

	CHECK(rc == 0 || e.code == COI_E_NOINPUT);
	return rc;
}

#define HANDOUT(s, validity, ...)                                        \
	do {                                                             \
		struct store_seen v_[] = {__VA_ARGS__};                  \
		size_t n_ = sizeof(v_) / sizeof(v_[0]);                  \
		struct store_cursor c_ = {validity, v_[n_ - 1].uid, 0};  \
		struct coi_err e_ = {0};                                 \
		CHECK(store_handout(s, "bot", STR("INBOX"), &c_, v_, n_, \
				    &e_) == 0);                          \
	} while (0)

#define COMMIT(s, validity, uid_, modseq_, ...)                            \
	do {                                                               \
		struct store_seen v_[] = {__VA_ARGS__};                    \
		struct store_cursor c_ = {validity, uid_, modseq_};        \
		struct coi_err e_ = {0};                                   \
		CHECK(store_commit(s, "bot", STR("INBOX"), &c_, v_,        \
				   sizeof(v_) / sizeof(v_[0]), &e_) == 0); \
	} while (0)

TEST(moves, "the cursor moves with what was printed, never back")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_cursor c = {7, 3, 0};
	struct coi_err e = {0};

	CHECK_INT(cursor(s, "bot").uid_validity, 0);
	COMMIT(s, 7, 10, 90210, line("a@x", "A", 10));
	CHECK_INT(cursor(s, "bot").uid, 10);
	CHECK_INT(cursor(s, "bot").modseq, 90210);
	CHECK(store_commit(s, "bot", STR("INBOX"), &c, NULL, 0, &e) == 0);
	CHECK_INT(cursor(s, "bot").uid, 10);
	CHECK_INT(cursor(s, "bot").modseq, 90210);
	CHECK_INT(cursor(s, "other").uid_validity, 0);
	store_close(s);
	s = dir_open(&d);
	CHECK_INT(cursor(s, "bot").uid, 10);
	/* INBOX is one mailbox in any case. */
	CHECK(store_cursor_get(s, "bot", STR("inbox"), &c, &e) == 0);
	CHECK_INT(c.uid, 10);
	store_close(s);
	dir_free(&d);
}

TEST(validity, "a changed UIDVALIDITY starts again and repeats nothing")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	COMMIT(s, 7, 10, 5, line("a@x", "A", 9), line("b@x", "B", 10));
	COMMIT(s, 8, 1, 0, line("c@x", "C", 1));
	CHECK_INT(cursor(s, "bot").uid_validity, 8);
	CHECK_INT(cursor(s, "bot").uid, 1);
	CHECK_INT(cursor(s, "bot").modseq, 0);
	CHECK(seen(s, "a@x", "A") && seen(s, "b@x", "B"));
	CHECK(!seen(s, "d@x", "D"));
	store_close(s);
	dir_free(&d);
}

TEST(reuse, "a reused Message-ID hides nothing and is told")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	COMMIT(s, 7, 1, 0, line("a@x", "first message", 1));
	CHECK(seen(s, "a@x", "first message"));
	CHECK(!reused(s, "a@x", "first message"));
	CHECK(!seen(s, "a@x", "other message"));
	CHECK(reused(s, "a@x", "other message"));
	/* No id at all is no reuse. */
	COMMIT(s, 7, 2, 0, line(NULL, "without id", 2));
	CHECK(seen(s, NULL, "without id"));
	CHECK(!seen(s, NULL, "also without") && !reused(s, NULL, "also"));
	/* Also while the first still waits for its --ack. */
	HANDOUT(s, 7, line("b@x", "B", 3));
	CHECK(!seen(s, "b@x", "B") && !reused(s, "b@x", "B"));
	CHECK(reused(s, "b@x", "not B"));
	store_close(s);
	dir_free(&d);
}

TEST(order, "acks out of order move the cursor only over a full stretch")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	HANDOUT(s, 7, line("1@x", "1", 1), line("2@x", "2", 2),
		line("4@x", "4", 4), line("5@x", "5", 5));
	CHECK_INT(cursor(s, "bot").uid, 0);
	CHECK_INT(cursor(s, "bot").uid_validity, 7);
	store_close(s);
	s = dir_open(&d);
	CHECK(ack(s, "2@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 0);
	CHECK(seen(s, "2@x", "2") && !seen(s, "1@x", "1"));
	CHECK(ack(s, "1@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 3);
	CHECK(ack(s, "5@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 3);
	CHECK(ack(s, "4@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 5);
	CHECK(ack(s, "4@x") == 0);
	CHECK(ack(s, "never@x") == -1);
	store_close(s);
	dir_free(&d);
}

TEST(again, "what was not acknowledged comes again, the rest does not")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_cursor c = {7, 9, 44};
	struct coi_err e = {0};

	HANDOUT(s, 7, line("1@x", "1", 1), line("2@x", "2", 2),
		line("3@x", "3", 3));
	CHECK(store_handout_done(s, "bot", STR("INBOX"), &c, &e) == 0);
	CHECK(ack(s, "1@x") == 0 && ack(s, "3@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 1);
	store_close(s);
	/* The next run sees UID 2 and 3 after its cursor. */
	s = dir_open(&d);
	CHECK(!seen(s, "2@x", "2") && seen(s, "3@x", "3"));
	HANDOUT(s, 7, line("2@x", "2", 2));
	CHECK(store_handout_done(s, "bot", STR("INBOX"), &c, &e) == 0);
	CHECK_INT(cursor(s, "bot").uid, 1);
	CHECK(ack(s, "2@x") == 0);
	/* All is done up to where the run looked. */
	CHECK_INT(cursor(s, "bot").uid, 9);
	CHECK_INT(cursor(s, "bot").modseq, 44);
	store_close(s);
	dir_free(&d);
}

TEST(gone, "a line whose message left the mailbox does not hold the cursor")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_cursor c = {7, 9, 0};
	struct coi_err e = {0};

	HANDOUT(s, 7, line("1@x", "1", 1), line("2@x", "2", 2));
	store_close(s);
	s = dir_open(&d);
	HANDOUT(s, 7, line("2@x", "2", 2));
	CHECK(store_handout_done(s, "bot", STR("INBOX"), &c, &e) == 0);
	CHECK_INT(cursor(s, "bot").uid, 1);
	CHECK(ack(s, "2@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 9);
	CHECK(ack(s, "1@x") == 0); /* a slow bot */
	store_close(s);
	dir_free(&d);
}

TEST(not_looked_at, "lines behind what was not looked at hold the cursor back")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_seen v[] = {line("2@x", "2", 2), line("3@x", "3", 3)};
	struct store_cursor c = {7, 0, 0};
	struct coi_err e = {0};

	/* The server gave no answer about UID 1. */
	CHECK(store_handout(s, "bot", STR("INBOX"), &c, v, 2, &e) == 0);
	CHECK(ack(s, "3@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 0);
	CHECK(ack(s, "2@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 0);
	c.uid = 3;
	CHECK(store_handout_done(s, "bot", STR("INBOX"), &c, &e) == 0);
	CHECK_INT(cursor(s, "bot").uid, 3);
	store_close(s);
	dir_free(&d);
}

TEST(then_commit, "a later run that commits takes over what was open")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);

	HANDOUT(s, 7, line("1@x", "1", 1), line("2@x", "2", 2),
		line("9@x", "9", 9));
	COMMIT(s, 7, 2, 0, line("1@x", "1", 1), line("2@x", "2", 2));
	CHECK_INT(cursor(s, "bot").uid, 8);
	CHECK(ack(s, "1@x") == 0);
	CHECK(ack(s, "9@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 9);
	store_close(s);
	dir_free(&d);
}

TEST(hand_validity, "UIDVALIDITY changes while lines are open")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_cursor c = {8, 5, 0};
	struct coi_err e = {0};

	COMMIT(s, 7, 10, 0, line("0@x", "0", 10));
	HANDOUT(s, 7, line("1@x", "1", 11), line("2@x", "2", 12));
	store_close(s);
	s = dir_open(&d);
	HANDOUT(s, 8, line("1@x", "1", 2), line("2@x", "2", 3));
	CHECK(store_handout_done(s, "bot", STR("INBOX"), &c, &e) == 0);
	CHECK_INT(cursor(s, "bot").uid_validity, 8);
	CHECK_INT(cursor(s, "bot").uid, 1);
	CHECK(ack(s, "1@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 2);
	CHECK(ack(s, "2@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 5);
	store_close(s);
	dir_free(&d);
}

TEST(shared_id, "two lines with one id need two acks, or their places")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};

	HANDOUT(s, 7, line("a@x", "good", 1), line("a@x", "evil", 2));
	CHECK(ack(s, "a@x") == 0);
	CHECK(seen(s, "a@x", "good") && !seen(s, "a@x", "evil"));
	CHECK_INT(cursor(s, "bot").uid, 1);
	CHECK(store_ack_uid(s, "bot", STR("INBOX"), 7, 2, &e) == 0);
	CHECK(seen(s, "a@x", "evil"));
	CHECK_INT(cursor(s, "bot").uid, 2);
	CHECK(store_ack_uid(s, "bot", STR("INBOX"), 7, 2, &e) == 0);
	CHECK(store_ack_uid(s, "bot", STR("INBOX"), 7, 3, &e) == -1);
	CHECK_INT(e.code, COI_E_NOINPUT);
	store_close(s);
	dir_free(&d);
}

TEST(many_acks, "many acks go in one transaction and tell the unknown ones")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct str ids[] = {STR("2@x"), STR("no@x"), STR("1@x")};
	bool known[3] = {0};
	struct coi_err e = {0};

	HANDOUT(s, 7, line("1@x", "1", 1), line("2@x", "2", 2));
	CHECK(store_ack_all(s, "bot", ids, 3, known, &e) == 0);
	CHECK(known[0] && !known[1] && known[2]);
	CHECK_INT(cursor(s, "bot").uid, 2);
	store_close(s);
	dir_free(&d);
}

/* --- killed --------------------------------------------------------------- */

static void do_commit(struct store *s)
{
	COMMIT(s, 7, 5, 0, line("5@x", "5", 5));
}

static void do_ack(struct store *s)
{
	ack(s, "1@x");
}

TEST(killed, "a kill around a commit leaves all of it or nothing")
{
	static const struct {
		const char *at;
		void (*fn)(struct store *s);
		uint32_t uid;
	} t[] = {{"store.commit.before", do_commit, 0},
		 {"store.commit.after", do_commit, 5},
		 {"store.ack.before", do_ack, 0},
		 {"store.ack.after", do_ack, 1}};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct dir d = dir_new();
		struct store *s = dir_open(&d);

		if (t[i].fn == do_ack)
			HANDOUT(s, 7, line("1@x", "1", 1));
		store_close(s);
		CHECK(WIFSIGNALED(dir_child(&d, t[i].at, t[i].fn)));
		s = dir_open(&d);
		CHECK_INT(cursor(s, "bot").uid, t[i].uid);
		CHECK_INT(seen(s, "5@x", "5") || seen(s, "1@x", "1"),
			  t[i].uid != 0);
		store_close(s);
		dir_free(&d);
	}
}

/* --- threads -------------------------------------------------------------- */

TEST(threads, "threads are known at once and after a restart")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct str root, conv;
	bool found;
	int i;

	CHECK(store_thread_add(s, STR("2@x"), STR("1@x"), STR("group:g"), &e) ==
	      0);
	CHECK(store_thread_add(s, STR("3@x"), STR("1@x"), STR_NONE, &e) == 0);
	/* Who comes later cannot move it elsewhere. */
	CHECK(store_thread_add(s, STR("2@x"), STR("evil@x"), STR("g2"), &e) ==
	      0);
	for (i = 0; i < 2; i++) {
		CHECK(store_thread_get(s, a, STR("2@x"), &root, &conv, &found,
				       &e) == 0);
		CHECK(found);
		CHECK_STR(root, "1@x");
		CHECK_STR(conv, "group:g");
		CHECK(store_thread_get(s, a, STR("3@x"), &root, &conv, &found,
				       &e) == 0);
		CHECK(found && conv.p == NULL);
		CHECK(store_thread_get(s, a, STR("9@x"), &root, &conv, &found,
				       &e) == 0);
		CHECK(!found && root.p == NULL);
		store_close(s);
		s = dir_open(&d);
		store_thread_add(s, STR("2@x"), STR("evil@x"), STR("g2"), &e);
	}
	CHECK_INT(e.code, COI_OK);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(thread_commit, "a commit adds the threads of its messages")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct store_seen v = line("chat$2@x", "2", 1);
	struct str root, conv;
	bool found, any;

	v.root = STR("chat$1@x");
	v.conversation = STR("mail:b@x");
	COMMIT(s, 7, 1, 0, v);
	CHECK(store_thread_get(s, a, v.id, &root, &conv, &found, &e) == 0);
	CHECK(found);
	CHECK_STR(root, "chat$1@x");
	CHECK_STR(conv, "mail:b@x");
	CHECK(store_thread_foreign(s, &any, &e) == 0 && !any);
	v.id = STR("CAB.1@mail.example.net");
	v.identity = STR("3");
	HANDOUT(s, 7, v);
	CHECK(store_thread_get(s, a, v.id, &root, &conv, &found, &e) == 0);
	CHECK(found);
	CHECK(store_thread_foreign(s, &any, &e) == 0 && any);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(foreign_pending, "a plain id counts before it is written")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	bool any;

	store_thread_add(s, STR("coi$1@x"), STR("coi$1@x"), STR_NONE, &e);
	CHECK(store_thread_foreign(s, &any, &e) == 0 && !any);
	store_thread_add(s, STR("1@x"), STR("coi$1@x"), STR_NONE, &e);
	CHECK(store_thread_foreign(s, &any, &e) == 0 && any);
	store_close(s);
	dir_free(&d);
}

TEST(many_threads, "ten thousand threads are all kept")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct str root, conv;
	char id[32];
	bool found;
	int i, good = 0;

	for (i = 0; i < 10000; i++) {
		snprintf(id, sizeof(id), "%d@x", i);
		store_thread_add(s, str_of(id), str_of(id), STR("mail:a@b"),
				 &e);
	}
	store_close(s);
	s = dir_open(&d);
	for (i = 0; i < 10000; i++) {
		snprintf(id, sizeof(id), "%d@x", i);
		store_thread_get(s, a, str_of(id), &root, &conv, &found, &e);
		good += found && str_is(root, id);
	}
	CHECK_INT(good, 10000);
	CHECK_INT(e.code, COI_OK);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(prune, "pruning forgets the old and keeps cursors and open lines")
{
	struct dir d = dir_new();
	struct store *s;
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct str root, conv;
	bool found;

	sys_seed("1@1600000000");
	s = dir_open(&d);
	COMMIT(s, 7, 1, 0, line("old@x", "old", 1));
	store_thread_add(s, STR("old@x"), STR("old@x"), STR_NONE, &e);
	HANDOUT(s, 7, line("open@x", "open", 2));
	sys_seed("1@1610000000");
	COMMIT(s, 7, 1, 0, line("new@x", "new", 1));
	CHECK(store_prune(s, 30, &e) == 0);
	CHECK(!seen(s, "old@x", "old") && seen(s, "new@x", "new"));
	CHECK(store_thread_get(s, a, STR("old@x"), &root, &conv, &found, &e) ==
	      0);
	CHECK(!found);
	CHECK_INT(cursor(s, "bot").uid, 1);
	CHECK(ack(s, "open@x") == 0);
	CHECK_INT(cursor(s, "bot").uid, 2);
	store_close(s);
	sys_seed(NULL);
	arena_free(a);
	dir_free(&d);
}

TEST(speed, "ten thousand ids are committed at once")
{
	enum { N = 10000 };
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct store_seen *v = mem_array(N, sizeof(*v));
	char(*id)[48] = mem_array(N, sizeof(*id));
	struct coi_err e = {0};
	struct store_cursor c = {7, 0, 0};
	bool yes, again;
	/* Under valgrind and sanitizers the machine is that much slower. */
	const char *z = getenv("TEST_SLOW");
	double t, slow = z == NULL ? 1 : strtod(z, NULL);
	int i, round, good = 0;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < N; i++) {
			snprintf(id[i], sizeof(id[i]),
				 "chat$%d.%d.0123456789@example.org", round, i);
			v[i] = (struct store_seen){str_of(id[i]), str_of(id[i]),
						   (uint32_t)(round * N + i),
						   str_of(id[i]),
						   STR("mail:a@example.org")};
		}
		c.uid = (uint32_t)((round + 1) * N);
		t = ms();
		CHECK(store_commit(s, "bot", STR("INBOX"), &c, v, N, &e) == 0);
		printf("# commit of %d: %.1f ms\n", N, ms() - t);
		CHECK(ms() - t < 3000 * slow);
	}
	t = ms();
	for (i = 0; i < N; i++) {
		store_seen(s, "bot", v[i].id, v[i].identity, &yes, &again, &e);
		good += yes;
	}
	printf("# %d looks: %.1f ms\n", N, ms() - t);
	CHECK_INT(good, N);
	t = ms();
	c.uid_validity = 7;
	CHECK(store_handout(s, "bot2", STR("INBOX"), &c, v, N, &e) == 0);
	printf("# handout of %d: %.1f ms\n", N, ms() - t);
	t = ms();
	for (i = 0; i < 100; i++)
		CHECK(store_ack(s, "bot2", v[i].id, &e) == 0);
	printf("# one ack: %.2f ms\n", (ms() - t) / 100);
	store_close(s);
	free(v);
	free(id);
	dir_free(&d);
}

TEST_MAIN
