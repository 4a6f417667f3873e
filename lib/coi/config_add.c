/* Writing what config.c reads: a new section behind the others. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coi/config.h"
#include "core/file.h"
#include "core/limits.h"

void config_put_value(struct buf *b, struct str v)
{
	size_t i;

	if (v.n > 0 && str_trim(v).n == v.n && v.p[0] != '"' &&
	    str_chr(v, '\t') < 0) {
		buf_str(b, v);
		return;
	}
	buf_c(b, '"');
	for (i = 0; i < v.n; i++) {
		if (v.p[i] == '"' || v.p[i] == '\\')
			buf_c(b, '\\');
		if (v.p[i] == '\t')
			buf_z(b, "\\t");
		else
			buf_c(b, v.p[i]);
	}
	buf_c(b, '"');
}

void config_put(struct buf *b, const char *key, struct str v)
{
	buf_fmt(b, "%s = ", key);
	config_put_value(b, v);
	buf_c(b, '\n');
}

static int check(struct arena *a, const char *path, struct str text,
		 struct str name, struct config *c, struct coi_err *e)
{
	size_t i;

	if (text.n > LIMIT_CONFIG)
		return err_set(e, COI_E_CONFIG, "%s is too long", path);
	if (config_parse(a, path, text, c, e) < 0)
		return -1;
	for (i = 1; i < c->n; i++)
		if (str_eq(c->v[i].name, name)) {
			err_set(e, COI_E_CONFIG,
				"account \"%.*s\" stands in %s:%u already",
				STR_ARG(name), path, c->v[i].line);
			err_hint(e, "it is not changed; give the new one "
				    "another name with -a NAME");
			return -1;
		}
	return 0;
}

static int append(int fd, const char *path, struct str text, off_t end,
		  struct coi_err *e)
{
	int rc = file_write_fd(fd, text.p, text.n, e);

	/* A pipe or a device has nothing to sync. */
	if (rc == 0 && fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		rc = err_errno(e, COI_E_IO, errno, "cannot write");
	if (rc == 0)
		return 0;
	err_ctx(e, "%.200s", path);
	/* No half section. */
	if (ftruncate(fd, end) < 0)
		err_hint(e, "look at the end of %s", path);
	return -1;
}

int config_add(const char *path, struct str name, struct str text,
	       struct coi_err *e)
{
	struct arena *a = arena_new();
	struct buf old = {0}, more = {0};
	const char *slash = strrchr(path, '/');
	struct config c;
	int fd = -1, rc = -1;

	if (slash != NULL && slash != path &&
	    file_mkdirs(arena_fmt(a, "%.*s", (int)(slash - path), path).p, e) <
		0)
		goto out;
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
		  0600);
	if (fd < 0) {
		err_errno(e, COI_E_CREATE, errno, "cannot write %s", path);
		goto out;
	}
	/* Of two at a time, the second sees what the first wrote. */
	if (flock(fd, LOCK_EX) < 0) {
		err_errno(e, COI_E_OS, errno, "cannot lock %s", path);
		goto out;
	}
	if (file_read_fd(fd, LIMIT_CONFIG, &old, e) < 0 ||
	    check(a, path, buf_view(&old), name, &c, e) < 0)
		goto out;
	if (old.n > 0)
		buf_z(&more, old.p[old.n - 1] == '\n' ? "\n" : "\n\n");
	buf_str(&more, text);
	buf_str(&old, buf_view(&more));
	if (check(a, path, buf_view(&old), STR_NONE, &c, e) < 0)
		goto out;
	rc = append(fd, path, buf_view(&more), (off_t)(old.n - more.n), e);
out:
	if (fd >= 0)
		close(fd);
	buf_free(&old);
	buf_free(&more);
	arena_free(a);
	return rc;
}
