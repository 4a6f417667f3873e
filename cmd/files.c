#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fmt/mbox.h"

struct reading {
	const struct files_opts *o;
	struct decoder *dec;
	struct arena *arena;
	struct buf head; /* a small file, or the beginning of a large one */
	struct message m;
	uint64_t printed;
};

/* A file above this is decoded as it is read. */
#define SMALL_FILE (256u * 1024u)

static bool enough(const struct reading *x)
{
	return x->o->limit >= 0 && x->printed >= (uint64_t)x->o->limit;
}

static void begin(struct reading *x)
{
	arena_reset(x->arena);
	decoder_begin(x->dec, x->arena, &x->m);
}

static int finish(struct reading *x, int rc, struct coi_err *e)
{
	if (rc < 0) {
		decoder_drop(x->dec);
		return rc;
	}
	if (decoder_end(x->dec, e) < 0)
		return -1;
	x->printed++;
	return x->o->line(x->o->ctx, &x->m, e);
}

static int one(void *ctx, struct str mail, struct coi_err *e)
{
	struct reading *x = ctx;

	if (enough(x))
		return 0;
	begin(x);
	return finish(x, decoder_whole(x->dec, mail, e), e);
}

/* As read(2), again after a signal but the one that asks to stop. */
static ssize_t read_some(const struct reading *x, int fd, struct buf *b,
			 size_t n, struct coi_err *e)
{
	ssize_t k;

	do
		k = read(fd, buf_room(b, n), n);
	while (k < 0 && errno == EINTR && !x->o->stopped());
	if (k < 0)
		return errno == EINTR
			   ? err_set(e, COI_E_CANCELLED, "stopped")
			   : err_errno(e, COI_E_IO, errno, "cannot read");
	b->n += (size_t)k;
	return k;
}

/* One large mail: whatever its size, memory stays flat. */
static int streamed(struct reading *x, int fd, struct coi_err *e)
{
	ssize_t k = 1;
	int rc;

	begin(x);
	rc = decoder_feed(x->dec, buf_view(&x->head), e);
	while (rc == 0 && k > 0) {
		buf_clear(&x->head);
		k = read_some(x, fd, &x->head, SMALL_FILE, e);
		rc = k < 0 ? -1 : decoder_feed(x->dec, buf_view(&x->head), e);
	}
	return finish(x, rc, e);
}

/* An mbox is looked through as a whole. */
static int large_mbox(struct reading *x, int fd, struct coi_err *e)
{
	struct stat st;
	void *p = MAP_FAILED;
	ssize_t k = 1;
	int rc;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    lseek(fd, 0, SEEK_CUR) == (off_t)x->head.n)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
			 0);
	if (p != MAP_FAILED) {
		rc = mbox_each((struct str){p, (size_t)st.st_size}, one, x, e);
		munmap(p, (size_t)st.st_size);
		return rc;
	}
	while (k > 0)
		k = read_some(x, fd, &x->head, 16 * SMALL_FILE, e);
	return k < 0 ? -1 : mbox_each(buf_view(&x->head), one, x, e);
}

static int one_file(struct reading *x, int fd, bool regular, struct coi_err *e)
{
	struct buf *b = &x->head;
	ssize_t k = 1;

	buf_clear(b);
	while (k > 0 && b->n < SMALL_FILE) {
		size_t room = SMALL_FILE - b->n;

		k = read_some(x, fd, b, room, e);
		if (regular && k >= 0 && (size_t)k < room)
			k = 0; /* the end: not worth a second call */
	}
	if (k < 0)
		return -1;
	if (k == 0 && b->n == 0)
		return 0; /* an mbox without a mail */
	if (k == 0)
		return mbox_each(buf_view(b), one, x, e);
	return str_starts(buf_view(b), "From ") ? large_mbox(x, fd, e)
						: streamed(x, fd, e);
}

struct entry {
	char *name;
	bool regular; /* the folder says so */
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		      ((const struct entry *)b)->name);
}

static int one_entry(struct reading *x, int dir, const struct entry *n,
		     struct coi_err *e)
{
	/* A FIFO must not hold us up. */
	int fd = openat(dir, n->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_errno(e, COI_E_NOINPUT, errno, "cannot open %s",
				 n->name);
	if (n->regular || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		rc = one_file(x, fd, true, e);
	if (rc < 0)
		err_ctx(e, "%s", n->name);
	close(fd);
	return rc;
}

/* The mails of cur and new, else the files of a plain folder, by name. */
static int one_dir(struct reading *x, const char *dir, const char *sub,
		   bool *any, struct coi_err *e)
{
	struct buf path = {0};
	struct entry *v = NULL;
	size_t n = 0, cap = 0, i;
	struct dirent *de;
	DIR *d;
	int rc = 0;

	buf_fmt(&path, "%s%s%s", dir, *sub ? "/" : "", sub);
	d = opendir(buf_cstr(&path));
	if (d == NULL) {
		if (errno != ENOENT)
			rc = err_errno(e, COI_E_NOINPUT, errno,
				       "cannot open %s", path.p);
		buf_free(&path);
		return rc;
	}
	*any = true;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		v = mem_more(v, n, &cap, sizeof(*v));
		v[n].regular = de->d_type == DT_REG;
		v[n++].name = mem_dup(str_of(de->d_name));
	}
	if (n > 0)
		qsort(v, n, sizeof(*v), by_name);
	for (i = 0; rc == 0 && i < n && !x->o->stopped() && !enough(x); i++)
		rc = one_entry(x, dirfd(d), &v[i], e);
	for (i = 0; i < n; i++)
		free(v[i].name);
	free(v);
	closedir(d);
	buf_free(&path);
	return rc;
}

int files_each(const char *path, const struct decode_opts *d,
	       const struct files_opts *o, struct coi_err *e)
{
	struct reading x = {.o = o};
	bool any = false;
	struct stat st;
	int fd = 0, rc;

	x.dec = decoder_new(d);
	x.arena = arena_new();
	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			rc = err_errno(e, COI_E_NOINPUT, errno,
				       "cannot open %s", path);
			goto out;
		}
	}
	if (fstat(fd, &st) < 0) {
		rc = err_errno(e, COI_E_NOINPUT, errno, "cannot read %s", path);
	} else if (S_ISDIR(st.st_mode)) {
		rc = one_dir(&x, path, "cur", &any, e);
		if (rc == 0)
			rc = one_dir(&x, path, "new", &any, e);
		if (rc == 0 && !any)
			rc = one_dir(&x, path, "", &any, e);
	} else {
		rc = one_file(&x, fd, S_ISREG(st.st_mode), e);
		if (rc < 0 && e->code == COI_E_CANCELLED)
			rc = 0; /* SIGINT: what came whole was printed */
		if (rc < 0)
			err_ctx(e, "%s", path);
	}
	if (fd > 0)
		close(fd);
out:
	decoder_free(x.dec);
	arena_free(x.arena);
	buf_free(&x.head);
	return rc;
}
