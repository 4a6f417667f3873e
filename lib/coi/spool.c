#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "coi/send_priv.h"
#include "core/file.h"
#include "core/sys.h"
#include "fmt/enc.h"

#define OLD 86400 /* seconds */

ssize_t octets_read(void *ctx, char *p, size_t n, struct coi_err *e)
{
	struct octets *o = ctx;
	ssize_t k;

	if (o->wire != NULL)
		return wire_read(o->wire, p, n, e);
	if (o->fd >= 0) {
		do
			k = read(o->fd, p, n);
		while (k < 0 && errno == EINTR);
		if (k < 0)
			err_errno(e, COI_E_IO, errno, "cannot read the outbox");
		return k;
	}
	if (n > o->mem.n - o->at)
		n = o->mem.n - o->at;
	memcpy(p, o->mem.p + o->at, n);
	o->at += n;
	return (ssize_t)n;
}

void octets_rewind(struct octets *o)
{
	if (o->wire != NULL)
		wire_rewind(o->wire);
	if (o->fd >= 0)
		lseek(o->fd, 0, SEEK_SET);
	o->at = 0;
}

void octets_close(struct octets *o)
{
	wire_free(o->wire);
	if (o->fd >= 0)
		close(o->fd);
	*o = (struct octets){.fd = -1};
}

const char *spool_path(struct arena *a, const struct account *ac, struct str id)
{
	unsigned char md[32];
	unsigned n = 0, i;
	char hex[65];

	EVP_Digest(id.p, id.n, md, &n, EVP_sha256(), NULL);
	for (i = 0; i < 32; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
	return arena_fmt(a, "%s/%s.spool/%s", ac->state_dir, ac->section, hex)
	    .p;
}

static const char *spool_dir(struct arena *a, const struct account *ac)
{
	return arena_fmt(a, "%s/%s.spool", ac->state_dir, ac->section).p;
}

/* The names of the files that messages need, LF behind each. */
static int needed(struct sender *s, struct arena *a, struct buf *names)
{
	static const enum store_state open[] = {STORE_QUEUED, STORE_SUBMITTING,
						STORE_UNKNOWN};
	struct coi_err ignored = {0};
	struct store_out *v;
	size_t n, i, k;
	int rc = 0;

	for (k = 0; rc == 0 && k <= 3; k++) {
		rc = k < 3 ? store_out_list(s->st, a, open[k], false, &v, &n,
					    &ignored)
			   : store_out_copies(s->st, a, &v, &n, &ignored);
		for (i = 0; rc == 0 && i < n; i++)
			buf_fmt(names, "%s\n",
				strrchr(spool_path(a, s->ac, v[i].id), '/') +
				    1);
	}
	return rc;
}

void spool_sweep(struct sender *s)
{
	struct arena *a = arena_new();
	DIR *d = opendir(spool_dir(a, s->ac));
	struct buf names = {0};
	struct dirent *de;
	struct stat st;
	bool listed = false;

	/* A young one may be about to be recorded, by another process. */
	while (d != NULL && (de = readdir(d)) != NULL) {
		if (strlen(de->d_name) != 64 ||
		    fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) <
			0 ||
		    st.st_mtime > time(NULL) - OLD)
			continue;
		if (!listed && needed(s, a, &names) < 0)
			break;
		listed = true;
		if (strstr(buf_cstr(&names), de->d_name) == NULL)
			unlinkat(dirfd(d), de->d_name, 0);
	}
	if (d != NULL)
		closedir(d);
	buf_free(&names);
	arena_free(a);
}

int spool_write(struct arena *a, const struct account *ac, struct str id,
		struct octets *o, struct coi_err *e)
{
	const char *path = spool_path(a, ac, id);
	const char *dir = spool_dir(a, ac);
	char piece[65536];
	ssize_t k = 0;
	int fd, rc = 0;

	if (file_mkdirs(dir, e) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	if (fd < 0)
		return err_errno(e, COI_E_CREATE, errno, "cannot create %s",
				 path);
	while (rc == 0 && (k = octets_read(o, piece, sizeof(piece), e)) > 0)
		rc = file_write_fd(fd, piece, (size_t)k, e);
	if (k < 0)
		rc = -1;
	if (rc == 0 && fsync(fd) < 0)
		rc = err_errno(e, COI_E_IO, errno, "cannot write %s", path);
	close(fd);
	sys_point("spool.written");
	octets_rewind(o);
	if (rc < 0)
		unlink(path);
	return rc;
}

int spool_open(struct arena *a, const struct account *ac,
	       const struct store_out *row, struct octets *o, uint64_t *size,
	       struct coi_err *e)
{
	struct stat st;

	*o = (struct octets){.fd = -1};
	if (row->wire.n > 0) {
		o->mem = row->wire;
		*size = row->wire.n;
		return 0;
	}
	o->fd = open(spool_path(a, ac, row->id),
		     O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (o->fd < 0 || fstat(o->fd, &st) < 0)
		return err_errno(e, COI_E_IO, errno,
				 "the outbox lost the content of %.*s",
				 STR_ARG(row->id));
	*size = (uint64_t)st.st_size;
	return 0;
}

void spool_remove(struct arena *a, const struct account *ac, struct str id)
{
	unlink(spool_path(a, ac, id));
}
