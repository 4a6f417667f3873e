#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

int file_read_fd(int fd, size_t max, struct buf *out, struct coi_err *e)
{
	size_t start = out->n;
	ssize_t k;

	for (;;) {
		k = read(fd, buf_room(out, 16384), 16384);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, COI_E_IO, errno, "cannot read");
		if (k == 0)
			return 0;
		out->n += (size_t)k;
		if (out->n - start > max)
			return err_set(e, COI_E_DATA,
				       "more than %zu octets of input", max);
	}
}

int file_read(const char *path, size_t max, struct buf *out, struct coi_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc;

	if (fd < 0)
		return err_errno(e, errno == ENOENT ? COI_E_NOINPUT : COI_E_IO,
				 errno, "cannot open %s", path);
	rc = file_read_fd(fd, max, out, e);
	if (rc < 0)
		err_ctx(e, "%s", path);
	close(fd);
	return rc;
}

int file_write_fd(int fd, const void *p, size_t n, struct coi_err *e)
{
	const char *q = p;
	ssize_t k;

	while (n > 0) {
		k = write(fd, q, n);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0 && errno == EPIPE)
			return err_set(e, COI_E_PIPE, "the reader went away");
		if (k < 0)
			return err_errno(e, COI_E_IO, errno, "cannot write");
		q += k;
		n -= (size_t)k;
	}
	return 0;
}

int file_mkdirs(const char *path, struct coi_err *e)
{
	char *copy = mem_dup(str_of(path));
	char *p = copy;
	int rc = 0;

	do {
		p = strchr(p + 1, '/');
		if (p != NULL)
			*p = '\0';
		if (mkdir(copy, 0700) < 0 && errno != EEXIST) {
			rc = err_errno(e, COI_E_CREATE, errno,
				       "cannot create folder %s", copy);
			break;
		}
		if (p != NULL)
			*p = '/';
	} while (p != NULL);
	free(copy);
	return rc;
}

int file_create_new(int dirfd, const char *name, struct buf *used,
		    struct coi_err *e)
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot == NULL || dot == name ? strlen(name)
						 : (size_t)(dot - name);
	struct buf b = {0};
	unsigned i;
	int fd = -1;

	for (i = 0; i < 10000 && fd < 0; i++) {
		buf_clear(&b);
		buf_add(&b, name, stem);
		if (i > 0)
			buf_fmt(&b, "-%u", i);
		buf_z(&b, name + stem);
		fd = openat(
		    dirfd, buf_cstr(&b),
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		err_errno(e, COI_E_CREATE, errno, "cannot create %s", name);
	else
		buf_str(used, buf_view(&b));
	buf_free(&b);
	return fd;
}

void file_safe_name(struct str wanted, const char *fallback, struct buf *out)
{
	struct buf b = {0};
	struct str s;
	size_t i;

	for (i = wanted.n; i > 0; i--)
		if (wanted.p[i - 1] == '/' || wanted.p[i - 1] == '\\')
			break;
	buf_clean(&b, str_sub(wanted, i, wanted.n));
	s = str_trim(buf_view(&b));
	while (s.n > 0 && (s.p[0] == '.' || s.p[0] == '-' || s.p[0] == ' '))
		s = str_sub(s, 1, s.n);
	if (s.n > 200) {
		/* Keep the ending, which says what it is. */
		struct str tail = str_sub(s, s.n - 20, 20);
		ptrdiff_t d = str_chr(tail, '.');

		tail = d < 0 ? STR_NONE : str_sub(tail, (size_t)d, tail.n);
		s.n = 200 - tail.n;
		while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
			s.n--;
		buf_str(out, s);
		buf_str(out, tail);
	} else if (s.n > 0) {
		buf_str(out, s);
	} else {
		buf_z(out, fallback);
	}
	buf_free(&b);
}

bool file_is_open_to_others(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || (st.st_mode & 077) != 0;
}
