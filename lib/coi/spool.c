#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coi/send_priv.h"
#include "core/file.h"
#include "fmt/enc.h"

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

int spool_write(struct arena *a, const struct account *ac, struct str id,
		struct octets *o, struct coi_err *e)
{
	const char *path = spool_path(a, ac, id);
	const char *dir =
	    arena_fmt(a, "%s/%s.spool", ac->state_dir, ac->section).p;
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
