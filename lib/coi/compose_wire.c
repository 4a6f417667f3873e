#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coi/compose_in.h"
#include "fmt/enc.h"

#define LINE_RAW 57u
#define LINE_WIRE 78u
/* Octets of a file encoded at a time: whole lines. */
#define CHUNK_LINES 1024u
#define CHUNK (LINE_RAW * CHUNK_LINES)

enum piece_kind { PIECE_TEXT, PIECE_DATA, PIECE_FILE };

struct piece {
	enum piece_kind kind;
	size_t at, n;	 /* TEXT: in wire.mem */
	struct str data; /* DATA: encoded as it is read */
	int fd;
	const char *name;
	uint64_t size; /* of the raw octets */
	struct timespec mtime;
};

struct wire {
	struct buf mem;
	size_t cut; /* mem before this is in a piece */
	struct piece *v;
	size_t n, cap;
	uint64_t size;
	bool utf8;
	/* where reading is */
	size_t i;
	uint64_t off;	/* raw octets of piece i that were taken */
	struct buf enc; /* encoded, not handed out yet */
	size_t enc_at;
	char *raw;
};

struct wire *wire_new(void)
{
	return mem_alloc(sizeof(struct wire));
}

void wire_free(struct wire *w)
{
	size_t i;

	if (w == NULL)
		return;
	for (i = 0; i < w->n; i++)
		if (w->v[i].kind == PIECE_FILE)
			close(w->v[i].fd);
	free(w->v);
	free(w->raw);
	buf_free(&w->mem);
	buf_free(&w->enc);
	free(w);
}

struct buf *wire_buf(struct wire *w)
{
	return &w->mem;
}

void wire_set_utf8(struct wire *w)
{
	w->utf8 = true;
}

static uint64_t b64_size(uint64_t n)
{
	uint64_t rest = n % LINE_RAW;

	return n / LINE_RAW * LINE_WIRE +
	       (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}

static struct piece *more(struct wire *w)
{
	w->v = mem_more(w->v, w->n, &w->cap, sizeof(*w->v));
	w->v[w->n] = (struct piece){.fd = -1};
	return &w->v[w->n++];
}

void wire_end(struct wire *w)
{
	struct piece *p;

	if (w->mem.n == w->cut)
		return;
	p = more(w);
	p->kind = PIECE_TEXT;
	p->at = w->cut;
	p->n = w->mem.n - w->cut;
	w->cut = w->mem.n;
	w->size += p->n;
}

void wire_add_data(struct wire *w, struct str raw)
{
	struct piece *p;

	wire_end(w);
	p = more(w);
	p->kind = PIECE_DATA;
	p->data = raw;
	p->size = raw.n;
	w->size += b64_size(raw.n);
}

void wire_add_file(struct wire *w, int fd, const struct stat *st,
		   const char *name)
{
	struct piece *p;

	wire_end(w);
	p = more(w);
	p->kind = PIECE_FILE;
	p->fd = fd;
	p->name = name;
	p->size = (uint64_t)st->st_size;
	p->mtime = st->st_mtim;
	w->size += b64_size(p->size);
}

uint64_t wire_size(const struct wire *w)
{
	return w->size;
}

bool wire_8bit(const struct wire *w)
{
	(void)w;
	return false; /* robustness first: quoted-printable or base64 */
}

bool wire_utf8(const struct wire *w)
{
	return w->utf8;
}

void wire_rewind(struct wire *w)
{
	w->i = 0;
	w->off = 0;
	w->enc_at = 0;
	buf_clear(&w->enc);
}

static int changed(const struct piece *p, struct coi_err *e)
{
	err_set(e, COI_E_DATA, "%s changed while it was read", p->name);
	err_hint(e, "send it again once nothing writes to it");
	return -1;
}

/* The next chunk of a file, whole; after the last one it must still be the
 * file that was measured. */
static int read_chunk(struct piece *p, uint64_t off, char *raw, size_t want,
		      struct coi_err *e)
{
	struct stat st;
	size_t have = 0;
	ssize_t k;

	while (have < want) {
		k = pread(p->fd, raw + have, want - have, (off_t)(off + have));
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_errno(e, COI_E_IO, errno, "cannot read %s",
					 p->name);
		if (k == 0)
			return changed(p, e);
		have += (size_t)k;
	}
	if (off + want < p->size)
		return 0;
	if (fstat(p->fd, &st) < 0)
		return err_errno(e, COI_E_IO, errno, "cannot read %s", p->name);
	if ((uint64_t)st.st_size != p->size ||
	    st.st_mtim.tv_sec != p->mtime.tv_sec ||
	    st.st_mtim.tv_nsec != p->mtime.tv_nsec)
		return changed(p, e);
	return 0;
}

/* Puts the next encoded octets into w->enc; 0 when the piece is done. */
static int fill(struct wire *w, struct piece *p, struct coi_err *e)
{
	uint64_t left = p->size - w->off;
	size_t n = left < CHUNK ? (size_t)left : CHUNK;
	struct str raw;

	if (n == 0)
		return p->kind == PIECE_FILE && p->size == 0
			   ? read_chunk(p, 0, NULL, 0, e)
			   : 0;
	if (p->kind == PIECE_DATA) {
		raw = str_sub(p->data, (size_t)w->off, n);
	} else {
		if (w->raw == NULL)
			w->raw = mem_alloc(CHUNK);
		if (read_chunk(p, w->off, w->raw, n, e) < 0)
			return -1;
		raw = (struct str){w->raw, n};
	}
	buf_clear(&w->enc);
	w->enc_at = 0;
	enc_b64_lines(&w->enc, raw);
	w->off += n;
	return 1;
}

ssize_t wire_read(void *ctx, char *out, size_t n, struct coi_err *e)
{
	struct wire *w = ctx;
	size_t done = 0;
	int rc;

	while (done < n) {
		size_t k = w->enc.n - w->enc_at;
		struct piece *p;

		if (k > 0) {
			k = k < n - done ? k : n - done;
			memcpy(out + done, w->enc.p + w->enc_at, k);
			w->enc_at += k;
			done += k;
			continue;
		}
		if (w->i == w->n)
			break;
		p = &w->v[w->i];
		if (p->kind == PIECE_TEXT && w->off < p->n) {
			k = p->n - (size_t)w->off;
			k = k < n - done ? k : n - done;
			memcpy(out + done, w->mem.p + p->at + w->off, k);
			w->off += k;
			done += k;
			continue;
		}
		rc = p->kind == PIECE_TEXT ? 0 : fill(w, p, e);
		if (rc < 0)
			return -1;
		if (rc == 0) {
			w->i++;
			w->off = 0;
		}
	}
	return (ssize_t)done;
}
