#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "coi/compose_in.h"
#include "core/file.h"
#include "core/limits.h"
#include "fmt/hdr.h"

#define HEAD 8192u

int part_open_file(const char *path, struct stat *st, struct coi_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(
		    e,
		    errno == ENOENT || errno == ENOTDIR	 ? COI_E_NOINPUT
		    : errno == EMFILE || errno == ENFILE ? COI_E_OS
							 : COI_E_IO,
		    errno, "cannot open %s", path);
	if (fstat(fd, st) < 0) {
		err_errno(e, COI_E_IO, errno, "cannot read %s", path);
	} else if (S_ISDIR(st->st_mode)) {
		err_set(e, COI_E_DATA, "%s is a folder", path);
		err_hint(e, "pack it first: tar or zip");
	} else if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode)) {
		err_set(e, COI_E_DATA, "%s is no file", path);
	} else {
		return fd;
	}
	close(fd);
	return -1;
}

static struct str last_component(struct str s)
{
	size_t i = s.n;

	while (i > 0 && s.p[i - 1] != '/' && s.p[i - 1] != '\\')
		i--;
	return str_sub(s, i, s.n);
}

struct str part_name(struct arena *a, const struct blob *b)
{
	struct str s = b->name.n > 0 ? b->name : b->path;
	struct buf clean = {0};

	if (s.n == 0)
		return STR_NONE;
	buf_clean(&clean, last_component(s));
	s = arena_str(a, str_trim(buf_view(&clean)));
	buf_free(&clean);
	return s.n > 0 ? s : STR_NONE;
}

/* A pipe cannot be measured or read twice: its octets are kept. */
static int slurp(struct arena *a, struct blob *b, int fd, struct coi_err *e)
{
	struct buf all = {0};
	int rc = file_read_fd(fd, LIMIT_JSON_LINE, &all, e);

	if (rc == 0) {
		b->name = part_name(a, b);
		b->data = arena_str(a, buf_view(&all));
		b->path = STR_NONE;
	} else {
		err_hint(e, "write it to a file and send that");
	}
	buf_free(&all);
	return rc;
}

static int open_content(struct arena *a, struct blob *b, struct part *p,
			struct buf *head, struct coi_err *e)
{
	ssize_t k;

	if (b->path.p != NULL) {
		if (memchr(b->path.p, '\0', b->path.n) != NULL)
			return err_set(e, COI_E_DATA, "NUL in a file name");
		p->path = arena_cstr(a, b->path);
		p->fd = part_open_file(p->path, &p->st, e);
		if (p->fd < 0)
			return -1;
		if (S_ISFIFO(p->st.st_mode)) {
			int rc = slurp(a, b, p->fd, e);

			close(p->fd);
			p->fd = -1;
			if (rc < 0)
				return rc;
		}
	}
	if (p->fd >= 0) {
		k = pread(p->fd, buf_room(head, HEAD), HEAD, 0);
		if (k < 0)
			return err_errno(e, COI_E_IO, errno, "cannot read %s",
					 p->path);
		head->n += (size_t)k;
	} else if (b->data.p != NULL) {
		p->data = b->data;
		buf_str(head, str_sub(b->data, 0, HEAD));
	} else if (b->section.p != NULL) {
		err_set(e, COI_E_DATA,
			"an attachment is only a \"section\" of another mail, "
			"its content is not here");
		err_hint(e, "fetch it with coi-fetch --save DIR or --inline");
		return -1;
	} else {
		return err_set(e, COI_E_DATA, "an attachment has no content");
	}
	return 0;
}

static bool token(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c <= ' ' || c > '~' || strchr("()<>@,;:\\\"/[]?=", c))
			return false;
	}
	return s.n > 0 && s.n < 64;
}

/* type "/" subtype, nothing behind it. */
static bool media_type(struct str s)
{
	struct str type = str_split(&s, '/');

	return token(type) && token(s);
}

static bool cid_ok(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '<' ||
		    s.p[i] == '>')
			return false;
	return s.n > 0 && s.n < 250;
}

/* Where the ending is looked for; NUL-terminated. */
static const char *ending_of(const struct part *p)
{
	if (p->name.p != NULL && str_chr(p->name, '.') >= 0)
		return p->name.p;
	return p->path;
}

int part_open(struct arena *a, struct blob *b, bool preview, struct part *p,
	      struct coi_err *e)
{
	struct buf head = {0};
	int rc;

	*p = (struct part){.fd = -1, .preview = preview};
	rc = open_content(a, b, p, &head, e);
	if (rc < 0)
		goto out;
	rc = -1;
	p->name = part_name(a, b);
	p->type = b->type;
	if (p->type.n == 0)
		p->type = compose_type(a, ending_of(p), buf_view(&head));
	if (!media_type(p->type)) {
		err_set(e, COI_E_DATA, "\"%.*s\" is not a media type",
			STR_ARG(p->type));
		goto out;
	}
	/* Those two may not be base64 (RFC 2046 5.1, 5.2). */
	if (str_istarts(p->type, "message/") ||
	    str_istarts(p->type, "multipart/"))
		p->type = STR("application/octet-stream");
	if (str_istarts(p->type, "text/") && type_is_text(buf_view(&head)))
		p->charset = "UTF-8";
	if (p->name.p == NULL)
		p->name = arena_fmt(a, "%s.%s", preview ? "preview" : "file",
				    type_ext(p->type));
	p->disposition = b->disposition.n > 0 ? b->disposition : STR("inline");
	if (!token(p->disposition)) {
		err_set(e, COI_E_DATA, "\"%.*s\" is not a disposition",
			STR_ARG(p->disposition));
		err_hint(e, "inline or attachment");
		goto out;
	}
	p->cid = b->cid;
	if (p->cid.p != NULL && !cid_ok(p->cid)) {
		err_set(e, COI_E_DATA, "\"%.*s\" is not a content id",
			STR_ARG(p->cid));
		goto out;
	}
	rc = 0;
out:
	if (rc < 0 && p->fd >= 0) {
		close(p->fd);
		p->fd = -1;
	}
	buf_free(&head);
	return rc;
}
