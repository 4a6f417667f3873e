#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <time.h>

#include "store_dir.h"

static int exec(const char *db, const char *sql)
{
	sqlite3 *h = NULL;
	int rc = sqlite3_open(db, &h);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(h, sql, NULL, NULL, NULL);
	sqlite3_close(h);
	return rc;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

static void put(const char *path, const char *text, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, n) == (ssize_t)n);
	close(fd);
}

TEST(modes, "database and its folder are private")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	char path[160];

	CHECK(store_set(s, "x", STR("1"), &e) == 0);
	snprintf(path, sizeof(path), "%s/s", d.path);
	CHECK_INT(mode_of(path), 0700);
	CHECK_INT(mode_of(d.db), 0600);
	snprintf(path, sizeof(path), "%s-wal", d.db);
	CHECK_INT(mode_of(path), 0600);
	store_close(s);
	CHECK(chmod(d.db, 0644) == 0);
	store_close(dir_open(&d));
	CHECK_INT(mode_of(d.db), 0600);
	dir_free(&d);
}

TEST(links, "a symbolic link in place of the database is refused")
{
	struct dir d = dir_new();
	struct coi_err e = {0};
	char path[160];

	store_close(dir_open(&d));
	snprintf(path, sizeof(path), "%s/link.db", d.path);
	CHECK(symlink(d.db, path) == 0);
	CHECK(store_open(path, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "symbolic link") != NULL);
	/* A folder may well be reached through one. */
	err_clear(&e);
	snprintf(path, sizeof(path), "%s/dir", d.path);
	CHECK(symlink("s", path) == 0);
	snprintf(path, sizeof(path), "%s/dir/me.db", d.path);
	{
		struct store *s = store_open(path, &e);

		CHECK(s != NULL);
		store_close(s);
	}
	dir_free(&d);
}

TEST(owner, "the database of another user is refused")
{
	struct dir d = dir_new();
	struct coi_err e = {0};

	store_close(dir_open(&d));
	if (geteuid() == 0) {
		CHECK(chown(d.db, 12345, 12345) == 0);
		CHECK(store_open(d.db, &e) == NULL);
		CHECK_INT(e.code, COI_E_CONFIG);
		CHECK(strstr(e.msg, "another user") != NULL);
	} else {
		CHECK(store_open("/etc/passwd", &e) == NULL);
		CHECK(e.code != COI_OK);
	}
	dir_free(&d);
}

TEST(damage, "a damaged database is told and left alone")
{
	struct dir d = dir_new();
	struct coi_err e = {0};
	struct stat st;
	char junk[8192];

	store_close(dir_open(&d));
	memset(junk, 'x', sizeof(junk));
	put(d.db, junk, sizeof(junk));
	CHECK(store_open(d.db, &e) == NULL);
	CHECK_INT(e.code, COI_E_IO);
	CHECK(strstr(e.msg, d.db) != NULL && strstr(e.msg, "damaged") != NULL);
	CHECK(e.hint[0] != '\0');
	CHECK(stat(d.db, &st) == 0 && st.st_size == sizeof(junk));
	dir_free(&d);
}

TEST(pages, "damage inside the file is found when it is read")
{
	struct dir d = dir_new();
	struct coi_err e = {0};
	struct store *s = dir_open(&d);
	struct store_seen v[400];
	struct store_cursor c = {1, 400, 0};
	char id[400][16], junk[4096];
	bool seen, reused, bad = false;
	struct stat st;
	off_t at;
	int fd, i;

	for (i = 0; i < 400; i++) {
		snprintf(id[i], sizeof(id[i]), "%d@x", i);
		v[i] = (struct store_seen){.id = str_of(id[i]),
					   .uid = (uint32_t)i + 1};
	}
	CHECK(store_commit(s, "c", STR("INBOX"), &c, v, 400, &e) == 0);
	store_close(s);
	memset(junk, 0xee, sizeof(junk));
	fd = open(d.db, O_WRONLY);
	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	for (at = 3 * 4096; at < st.st_size; at += 4096)
		CHECK(pwrite(fd, junk, 4096, at) == 4096);
	close(fd);
	s = store_open(d.db, &e);
	for (i = 0; s != NULL && i < 400 && !bad; i++)
		bad = store_seen(s, "c", v[i].id, STR_NONE, &seen, &reused,
				 &e) < 0;
	CHECK(s == NULL || bad);
	CHECK_INT(e.code, COI_E_IO);
	store_close(s);
	CHECK(stat(d.db, &st) == 0 && st.st_size > 3 * 4096);
	dir_free(&d);
}

TEST(foreign, "an SQLite file of another program is refused")
{
	struct dir d = dir_new();
	struct coi_err e = {0};
	char path[160];

	snprintf(path, sizeof(path), "%s/other.db", d.path);
	CHECK(exec(path, "CREATE TABLE places(url TEXT)") == SQLITE_OK);
	CHECK(store_open(path, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "not a state database") != NULL);
	dir_free(&d);
}

TEST(newer, "a newer schema is refused, naming both numbers")
{
	struct dir d = dir_new();
	struct coi_err e = {0};

	store_close(dir_open(&d));
	CHECK(exec(d.db, "PRAGMA user_version=99") == SQLITE_OK);
	CHECK(store_open(d.db, &e) == NULL);
	CHECK_INT(e.code, COI_E_CONFIG);
	CHECK(strstr(e.msg, "schema 99") != NULL);
	dir_free(&d);
}

TEST(unwritable, "a folder that cannot be made: what, and --state-dir")
{
	struct coi_err e = {0};

	CHECK(store_open("/proc/nowhere/me.db", &e) == NULL);
	CHECK_INT(e.code, COI_E_CREATE);
	CHECK(strstr(e.hint, "--state-dir") != NULL);
}

TEST(kv, "small values: set, replaced, removed; they survive")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct arena *a = arena_new();
	struct coi_err e = {0};
	struct str v;

	CHECK(store_get(s, a, "k", &v, &e) == 0 && v.p == NULL);
	CHECK(store_set(s, "k", STR("one\0two"), &e) == 0);
	CHECK(store_set(s, "empty", STR(""), &e) == 0);
	store_close(s);
	s = dir_open(&d);
	CHECK(store_get(s, a, "k", &v, &e) == 0);
	CHECK(str_eq(v, STR("one\0two")));
	CHECK(store_get(s, a, "empty", &v, &e) == 0 && v.p != NULL && v.n == 0);
	CHECK(store_set(s, "k", STR("3"), &e) == 0);
	CHECK(store_get(s, a, "k", &v, &e) == 0);
	CHECK_STR(v, "3");
	CHECK(store_set(s, "k", STR_NONE, &e) == 0);
	CHECK(store_get(s, a, "k", &v, &e) == 0 && v.p == NULL);
	CHECK_INT(e.code, COI_OK);
	store_close(s);
	arena_free(a);
	dir_free(&d);
}

TEST(lease, "a consumer has one holder; its name is checked")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d), *t = dir_open(&d);
	struct coi_err e = {0};
	char want[64];

	CHECK(store_lease(s, "bot", &e) == 0);
	CHECK(store_lease(s, "bot", &e) == 0);
	CHECK(store_lease(t, "bot", &e) == -1);
	CHECK_INT(e.code, COI_E_TEMP);
	snprintf(want, sizeof(want), "process %ld", (long)getpid());
	CHECK(strstr(e.msg, want) != NULL);
	err_clear(&e);
	CHECK(store_lease(t, "other", &e) == 0);
	store_close(s);
	CHECK(store_lease(t, "bot", &e) == 0);
	CHECK(store_lease(t, "../x", &e) == -1);
	CHECK_INT(e.code, COI_E_USAGE);
	err_clear(&e);
	CHECK(store_lease(t, "", &e) == -1);
	CHECK_INT(e.code, COI_E_USAGE);
	store_close(t);
	dir_free(&d);
}

static void take_lease(struct store *s)
{
	struct coi_err e = {0};

	store_lease(s, "bot", &e);
	raise(SIGKILL);
}

TEST(lease_dead, "a killed holder leaves no lease behind")
{
	struct dir d = dir_new();
	struct store *s;
	struct coi_err e = {0};

	CHECK(WIFSIGNALED(dir_child(&d, NULL, take_lease)));
	s = dir_open(&d);
	CHECK(store_lease(s, "bot", &e) == 0);
	store_close(s);
	dir_free(&d);
}

TEST(together, "many processes may create the database at the same moment")
{
	struct dir d = dir_new();
	struct coi_err e = {0};
	pid_t pid[8];
	int i, status, good = 0;

	fflush(stdout);
	for (i = 0; i < 8; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct store *s = store_open(d.db, &e);
			struct store_seen v = {.id = STR("x@y"), .uid = 5};
			struct store_cursor c = {1, 5, 0};
			char name[8];

			snprintf(name, sizeof(name), "c%d", i);
			if (s == NULL || store_commit(s, name, STR("INBOX"), &c,
						      &v, 1, &e) < 0) {
				printf("# %s\n", e.msg);
				fflush(stdout);
				_exit(1);
			}
			store_close(s);
			_exit(0);
		}
	}
	for (i = 0; i < 8; i++) {
		waitpid(pid[i], &status, 0);
		good += status == 0;
	}
	CHECK_INT(good, 8);
	dir_free(&d);
}

TEST(speed, "opening costs little")
{
	struct dir d = dir_new();
	struct store *s;
	double best = 1e9, t;
	struct store_cursor c;
	struct coi_err e = {0};
	int i;

	store_close(dir_open(&d));
	for (i = 0; i < 20; i++) {
		t = ms();
		s = dir_open(&d);
		store_cursor_get(s, "default", STR("INBOX"), &c, &e);
		store_close(s);
		t = ms() - t;
		best = t < best ? t : best;
	}
	printf("# open, look, close: %.2f ms\n", best);
	CHECK(best < 20); /* ten times the goal: busy machines, sanitizers */
	dir_free(&d);
}

TEST_MAIN
