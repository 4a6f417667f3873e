/* What a sender that dies, or is thought dead, leaves beside the database. */
#include "test.h"

#include <dirent.h>
#include <sqlite3.h>

#include "store_dir.h"

static struct str one[] = {{"bob@example.com", 15}};

static int64_t add(struct store *s, const char *id)
{
	struct store_out o = {.id = str_of(id),
			      .from = STR("me@example.com"),
			      .rcpts = one,
			      .nrcpts = 1,
			      .state = STORE_SUBMITTING,
			      .wire = STR("From: me\r\n\r\nx"),
			      .sent_copy = 2};
	struct arena *a = arena_new();
	struct store_out was;
	struct coi_err e = {0};
	bool exists;

	CHECK(store_out_add(s, a, &o, &was, &exists, &e) == 0);
	arena_free(a);
	return o.row;
}

static enum store_state state(const struct dir *d, const char *id)
{
	struct store *s = dir_open(d);
	struct arena *a = arena_new();
	struct store_out o = {0};
	struct coi_err e = {0};
	bool found = false;

	CHECK(store_out_get(s, a, str_of(id), true, &o, &found, &e) == 0);
	CHECK(found);
	CHECK_INT(o.wire.p != NULL, o.state != STORE_ACCEPTED);
	store_close(s);
	arena_free(a);
	return o.state;
}

/* The files of senders; removed if asked for. */
static int files(const struct dir *d, bool drop)
{
	char path[400];
	struct dirent *de;
	DIR *x;
	int n = 0;

	snprintf(path, sizeof(path), "%s/s", d->path);
	x = opendir(path);
	while (x != NULL && (de = readdir(x)) != NULL) {
		if (strstr(de->d_name, ".sending") == NULL)
			continue;
		n++;
		snprintf(path, sizeof(path), "%s/s/%s", d->path, de->d_name);
		if (drop)
			unlink(path);
	}
	if (x != NULL)
		closedir(x);
	return n;
}

static void edit(const struct dir *d, const char *sql)
{
	sqlite3 *db = NULL;

	CHECK(sqlite3_open(d->db, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

/* Three of a batch: nothing left, data left, accepted; then the end. */
static void three(struct store *s)
{
	struct coi_err e = {0};
	int64_t a, b;

	store_begin(s, true, &e);
	add(s, "none@x");
	a = add(s, "data@x");
	b = add(s, "accepted@x");
	store_end(s, true, &e);
	store_out_data(s, a, &e);
	store_out_data(s, b, &e);
	store_out_result(s, b, STORE_ACCEPTED, STR("250 ok"), NULL, 0, &e);
}

TEST(killed, "a batch that was killed: each message is what it was")
{
	struct dir d = dir_new();

	dir_child(&d, NULL, three);
	CHECK_INT(files(&d, false), 1);
	CHECK_INT(state(&d, "none@x"), STORE_QUEUED);
	CHECK_INT(state(&d, "data@x"), STORE_UNKNOWN);
	CHECK_INT(state(&d, "accepted@x"), STORE_ACCEPTED);
	CHECK_INT(files(&d, false), 0);
	dir_free(&d);
}

TEST(crashed, "after a crash of the machine nobody knows, nothing is resent")
{
	struct dir d = dir_new();

	dir_child(&d, NULL, three);
	edit(&d, "UPDATE out SET boot = 'an earlier one'");
	CHECK_INT(state(&d, "none@x"), STORE_UNKNOWN);
	CHECK_INT(state(&d, "data@x"), STORE_UNKNOWN);
	CHECK_INT(state(&d, "accepted@x"), STORE_UNKNOWN);
	CHECK_INT(files(&d, false), 0);
	dir_free(&d);
}

TEST(lost, "a file that somebody removed: nobody knows either")
{
	struct dir d = dir_new();

	dir_child(&d, NULL, three);
	CHECK_INT(files(&d, true), 1);
	CHECK_INT(state(&d, "none@x"), STORE_UNKNOWN);
	CHECK_INT(state(&d, "accepted@x"), STORE_UNKNOWN);
	dir_free(&d);
}

static void take(struct store *s)
{
	struct coi_err e = {0};

	_exit(store_out_take(s, 1, &e) == 0 ? 0 : 10);
}

TEST(thought_dead, "who was thought dead does not send what others took")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	int64_t row = add(s, "1@x");

	/* Another container that has not moved for an hour. */
	edit(&d, "UPDATE out SET ns = 'pid:[1]', changed = 0");
	CHECK_INT(WEXITSTATUS(dir_child(&d, NULL, take)), 0);
	CHECK(store_out_data(s, row, &e) == -1);
	CHECK_INT(e.code, COI_E_TEMP);
	store_close(s);
	dir_free(&d);
}

TEST(marked_first, "what it had begun to send is not taken")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	int64_t row = add(s, "1@x");

	CHECK(store_out_data(s, row, &e) == 0);
	edit(&d, "UPDATE out SET ns = 'pid:[1]', changed = 0");
	CHECK_INT(WEXITSTATUS(dir_child(&d, NULL, take)), 10);
	store_close(s);
	CHECK_INT(state(&d, "1@x"), STORE_UNKNOWN);
	dir_free(&d);
}

TEST(settled, "others see the results once the batch is settled")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d);
	struct coi_err e = {0};
	int i;

	for (i = 0; i < 2; i++) {
		int64_t row = add(s, i == 0 ? "1@x" : "2@x");

		CHECK_INT(files(&d, false), 1);
		CHECK(store_out_data(s, row, &e) == 0);
		CHECK(store_out_result(s, row, STORE_ACCEPTED, STR("250"), NULL,
				       0, &e) == 0);
		CHECK(store_out_settle(s, &e) == 0);
		CHECK_INT(files(&d, false), 0);
		CHECK_INT(state(&d, i == 0 ? "1@x" : "2@x"), STORE_ACCEPTED);
	}
	store_close(s);
	dir_free(&d);
}

TEST(snapshot, "one look at the state serves until the next change")
{
	struct dir d = dir_new();
	struct store *s = dir_open(&d), *other = dir_open(&d);
	struct coi_err e = {0};
	bool has;

	CHECK(store_read(s, &e) == 0);
	CHECK(store_sent_has(s, STR("1@x"), &has, &e) == 0 && !has);
	add(other, "1@x");
	CHECK(store_sent_has(s, STR("1@x"), &has, &e) == 0 && !has);
	CHECK(store_read(s, &e) == 0);
	store_read_end(s);
	CHECK(store_sent_has(s, STR("1@x"), &has, &e) == 0 && has);
	CHECK(store_read(s, &e) == 0);
	CHECK(store_set(s, "a", STR("b"), &e) == 0);
	add(other, "2@x");
	CHECK(store_sent_has(s, STR("2@x"), &has, &e) == 0 && has);
	store_close(other);
	store_close(s);
	dir_free(&d);
}

TEST_MAIN
