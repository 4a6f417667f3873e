#include "store/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/sys.h"

#define BUSY_MS 10000 /* for another process that has the lock */
#define HURRY_MS 1000 /* the same when we are to end */

/* The real folder and the name in it, so that only the name may be a link. */
static int real_path(struct store *s, const char *path, struct coi_err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	struct buf b = {0};
	char *dir, *real;
	int rc = -1;

	dir = slash == NULL ? mem_dup(STR("."))
	      : slash == path
		  ? mem_dup(STR("/"))
		  : mem_dup((struct str){path, (size_t)(slash - path)});
	if (name[0] == '\0') {
		err_set(e, COI_E_CONFIG, "%s names no file", path);
		goto out;
	}
	real = realpath(dir, NULL);
	if (real == NULL && errno == ENOENT) {
		if (file_mkdirs(dir, e) < 0) {
			err_hint(e, "choose a folder that can be written with "
				    "--state-dir");
			goto out;
		}
		real = realpath(dir, NULL);
	}
	if (real == NULL) {
		err_errno(e, COI_E_CREATE, errno, "folder %s", dir);
		goto out;
	}
	buf_fmt(&b, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
	free(real);
	free(s->path);
	s->path = buf_take(&b);
	rc = 0;
out:
	free(dir);
	return rc;
}

/*
 * An existing file is only looked at, never opened here: closing another
 * descriptor of it would drop the locks that SQLite holds in this process.
 */
static int check_file(struct store *s, struct coi_err *e)
{
	struct stat st;
	int fd;

	fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EEXIST) {
		err_errno(e, COI_E_CREATE, errno,
			  "cannot create the state database %s", s->path);
		err_hint(e, "choose a folder that can be written with "
			    "--state-dir");
		return -1;
	}
	if (lstat(s->path, &st) < 0)
		return err_errno(e, COI_E_IO, errno, "%s", s->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, COI_E_CONFIG,
			       "the state database %s is %s; refused", s->path,
			       S_ISLNK(st.st_mode) ? "a symbolic link"
						   : "not a regular file");
	if (st.st_uid != geteuid())
		return err_set(e, COI_E_CONFIG,
			       "the state database %s belongs to another user "
			       "(uid %lu); refused",
			       s->path, (unsigned long)st.st_uid);
	if ((st.st_mode & 077) != 0 && chmod(s->path, 0600) < 0)
		return err_errno(e, COI_E_IO, errno, "%s", s->path);
	return 0;
}

static bool (*stopped)(void);

void store_stopped(bool (*fn)(void))
{
	stopped = fn;
}

/* Another process writes. */
static int on_busy(void *ctx, int n)
{
	struct store *s = ctx;
	int64_t now = sys_mono_ms();

	if (n == 0) {
		s->busy_until = now + BUSY_MS;
		s->hurried = false;
	}
	if (!s->hurried && stopped != NULL && stopped()) {
		s->hurried = true;
		if (s->busy_until > now + HURRY_MS)
			s->busy_until = now + HURRY_MS;
	}
	if (now >= s->busy_until)
		return 0;
	(void)poll(NULL, 0, n < 5 ? 1 << n : 25); /* a signal ends it */
	return 1;
}

struct store *store_open(const char *path, struct coi_err *e)
{
	struct store *s = mem_alloc(sizeof(*s));
	int rc;

	s->path = mem_dup(str_of(path));
	if (real_path(s, path, e) < 0 || check_file(s, e) < 0)
		goto fail;
	rc = sqlite3_open_v2(s->path, &s->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				 SQLITE_OPEN_NOFOLLOW,
			     NULL);
	if (rc != SQLITE_OK) {
		sql_fail(s, rc, "open", e);
		goto fail;
	}
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_handler(s->db, on_busy, s);
	/* A database is data: nothing in it may act. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	if (schema_check(s, e) < 0)
		goto fail;
	sqlite3_randomness(sizeof(s->run), &s->run);
	return s;
fail:
	store_close(s);
	return NULL;
}

int64_t store_run(const struct store *s)
{
	return s->run;
}

void store_run_set(struct store *s, int64_t run)
{
	s->run = run;
}

void store_close(struct store *s)
{
	struct coi_err ignored = {0};
	size_t i;

	if (s == NULL)
		return;
	store_end(s, false, &ignored);
	store_read_end(s);
	store_out_settle(s, &ignored);
	if (s->pending != NULL && tx_begin(s, SYNC_KERNEL, &ignored) == 0)
		tx_commit(s, NULL, &ignored);
	thread_forget(s);
	marks_close(s);
	for (i = 0; i < Q_MAX; i++)
		sqlite3_finalize(s->q[i]);
	sqlite3_close(s->db);
	for (i = 0; i < s->nleases; i++) {
		close(s->leases[i].fd);
		free(s->leases[i].consumer);
	}
	free(s->leases);
	free(s->consumer);
	free(s->path);
	free(s);
}

static int lease_held(const char *consumer, int fd, struct coi_err *e)
{
	char pid[32] = "";
	ssize_t k = pread(fd, pid, sizeof(pid) - 1, 0);
	struct str who = {pid, k > 0 ? (size_t)k : 0};
	uint64_t n;

	who = str_trim(who);
	if (str_u64(who, UINT32_MAX, &n))
		err_set(e, COI_E_TEMP,
			"the consumer \"%s\" is in use by process %llu",
			consumer, (unsigned long long)n);
	else
		err_set(e, COI_E_TEMP, "the consumer \"%s\" is in use",
			consumer);
	err_hint(e, "wait for it, or give this run a cursor of its own with "
		    "--consumer NAME");
	return -1;
}

int store_lease(struct store *s, const char *consumer, struct coi_err *e)
{
	struct buf b = {0};
	struct stat st;
	size_t i;
	int fd, rc = -1;

	if (consumer_check(consumer, e) < 0)
		return -1;
	for (i = 0; i < s->nleases; i++)
		if (strcmp(s->leases[i].consumer, consumer) == 0)
			return 0;
	buf_fmt(&b, "%s.%s.lock", s->path, consumer);
	fd = open(buf_cstr(&b), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_errno(e, COI_E_CREATE, errno, "cannot open %s", b.p);
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		err_set(e, COI_E_CONFIG, "%s is not a file of ours; refused",
			b.p);
		goto out;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			lease_held(consumer, fd, e);
		else
			err_errno(e, COI_E_IO, errno, "cannot lock %s", b.p);
		goto out;
	}
	buf_clear(&b);
	buf_fmt(&b, "%lu\n", (unsigned long)getpid());
	/* Only for the message that another process will print. */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, b.p, b.n, 0) < 0)
		rc = 0;
	s->leases = mem_more(s->leases, s->nleases, &s->leases_cap,
			     sizeof(*s->leases));
	s->leases[s->nleases++] = (struct lease){mem_dup(str_of(consumer)), fd};
	fd = -1;
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	buf_free(&b);
	return rc;
}

int store_lease_keep(struct store *s, const char *consumer, int *fd,
		     struct coi_err *e)
{
	size_t i;

	if (store_lease(s, consumer, e) < 0)
		return -1;
	for (i = 0; strcmp(s->leases[i].consumer, consumer) != 0;)
		i++;
	*fd = s->leases[i].fd;
	free(s->leases[i].consumer);
	s->leases[i] = s->leases[--s->nleases];
	return 0;
}
