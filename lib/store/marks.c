#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/sys.h"
#include "store/out_priv.h"

/*
 * The file: entries of 16 octets, only ever added to, by its owner and, once
 * that is thought dead, by whoever takes its rows over (MARK_UNKNOWN, row 0).
 * What the owner adds behind that entry does not count, and the owner knows:
 * the file is longer than it made it.
 */
struct entry {
	int64_t row;
	uint32_t mark, check;
};

#define CHECK UINT32_C(0x636f6921)
#define LOG_MAX (256u * 1024u * 1024u)

struct waiting {
	int64_t row;
	struct str error;
};

struct marks {
	int fd;
	uint64_t octets;
	int64_t *held; /* rows, ascending but for what was queued before */
	size_t nheld, held_cap;
	size_t first; /* those before it have their result */
	size_t next;  /* where the last look ended */
	struct waiting *v;
	size_t n, cap, flushed;
	struct arena *arena;
};

struct marks_log {
	bool there;
	struct entry *v;
	size_t n;
	struct buf octets;
};

static void path_of(const struct store *s, const struct owner *o, struct buf *b)
{
	buf_fmt(b, "%s.%ld-%llu.sending", s->path, (long)o->pid,
		(unsigned long long)o->start);
}

static bool add(int fd, int64_t row, enum mark m)
{
	struct entry x = {row, m, CHECK};
	ssize_t k;

	do
		k = write(fd, &x, sizeof(x));
	while (k < 0 && errno == EINTR);
	return k == (ssize_t)sizeof(x);
}

/* --- our own ---------------------------------------------------------------
 */

void marks_hold(struct store *s, int64_t row)
{
	struct marks *m = s->marks;
	struct buf path = {0};
	int fd;

	if (m == NULL) {
		/* Where there can be no such file the database does it. */
		path_of(s, owner_self(s), &path);
		fd = open(buf_cstr(&path),
			  O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW |
			      O_CLOEXEC,
			  0600);
		buf_free(&path);
		if (fd < 0)
			return;
		m = s->marks = mem_alloc(sizeof(*m));
		m->fd = fd;
		m->arena = arena_new();
	}
	m->held = mem_more(m->held, m->nheld, &m->held_cap, sizeof(*m->held));
	m->held[m->nheld++] = row;
}

/* In the order they were held, mostly. */
bool marks_held(const struct store *s, int64_t row)
{
	struct marks *m = s->marks;
	size_t i;

	if (m == NULL || s->group)
		return false;
	for (i = m->first; i < m->nheld; i++) {
		if (m->next < m->first || m->next >= m->nheld)
			m->next = m->first;
		if (m->held[m->next] == row)
			return true;
		m->next++;
	}
	return false;
}

/* The one that was found last has its result. */
static void let_go(struct marks *m)
{
	m->held[m->next] = m->held[m->first];
	if (++m->first == m->nheld)
		m->first = m->nheld = 0;
}

int marks_put(struct store *s, int64_t row, enum mark mark)
{
	struct marks *m = s->marks;
	struct stat st;

	if (!add(m->fd, row, mark))
		return -1;
	m->octets += sizeof(struct entry);
	if (fstat(m->fd, &st) < 0 || (uint64_t)st.st_size != m->octets)
		return -1;
	return 0;
}

void marks_result(struct store *s, int64_t row, struct str error)
{
	struct marks *m = s->marks;

	m->v = mem_more(m->v, m->n, &m->cap, sizeof(*m->v));
	m->v[m->n++] = (struct waiting){
	    row, error.p == NULL ? error : arena_str(m->arena, error)};
	if (marks_held(s, row))
		let_go(m);
}

/* If the row is ours still. */
static int accept(struct store *s, const struct waiting *w, struct coi_err *e)
{
	sqlite3_stmt *st = sql(s, Q_OUT_OURS, e);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, w->row);
	sql_text(st, 2, w->error);
	sqlite3_bind_int64(st, 3, sys_now());
	out_bind_owner(st, 4, owner_self(s));
	if (sql_step(s, st, e) < 0)
		return -1;
	return sqlite3_changes(s->db) > 0
		   ? out_by_row(s, Q_OUT_SPENT, w->row, e)
		   : 0;
}

int marks_flush(struct store *s, struct coi_err *e)
{
	struct marks *m = s->marks;
	size_t i;

	for (i = 0; m != NULL && i < m->n; i++)
		if (accept(s, &m->v[i], e) < 0)
			return -1;
	if (m != NULL)
		m->flushed = m->n;
	return 0;
}

void marks_flushed(struct store *s)
{
	struct marks *m = s->marks;

	if (m == NULL || m->n == 0 || m->flushed != m->n)
		return;
	m->n = m->flushed = 0;
	arena_reset(m->arena);
}

void marks_close(struct store *s)
{
	struct marks *m = s->marks;

	if (m == NULL)
		return;
	s->marks = NULL;
	if (m->n == 0)
		marks_remove(s, owner_self(s));
	close(m->fd);
	arena_free(m->arena);
	free(m->held);
	free(m->v);
	free(m);
}

int marks_write(struct store *s, struct coi_err *e)
{
	if (s->marks == NULL || s->group || s->marks->n == 0)
		return 0;
	if (tx_begin(s, SYNC_KERNEL, e) < 0)
		return -1;
	return tx_commit(s, "store.out.settle", e);
}

int store_out_settle(struct store *s, struct coi_err *e)
{
	if (s->group)
		return 0;
	if (marks_write(s, e) < 0)
		return -1;
	marks_close(s);
	return 0;
}

/* --- of a dead owner -------------------------------------------------------
 */

struct marks_log *marks_seize(struct store *s, const struct owner *o)
{
	struct marks_log *l = mem_alloc(sizeof(*l));
	struct coi_err ignored = {0};
	struct buf path = {0};
	struct stat st;
	size_t i;
	int fd;

	path_of(s, o, &path);
	fd = open(buf_cstr(&path), O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	buf_free(&path);
	if (fd < 0)
		return l;
	/* First the end, then a look: what comes later is void. */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && add(fd, 0, MARK_UNKNOWN) &&
	    lseek(fd, 0, SEEK_SET) == 0 &&
	    file_read_fd(fd, LOG_MAX, &l->octets, &ignored) == 0) {
		l->v = (struct entry *)(void *)l->octets.p;
		l->there = true;
		for (i = 0; i < l->octets.n / sizeof(struct entry); i++) {
			if (l->v[i].check != CHECK)
				l->there = false;
			if (l->v[i].row == 0)
				break;
		}
		l->n = i;
	}
	close(fd);
	return l;
}

enum mark marks_of(const struct marks_log *l, int64_t row)
{
	size_t i;

	for (i = l->n; l->there && i > 0; i--)
		if (l->v[i - 1].row == row)
			return l->v[i - 1].mark == MARK_ACCEPTED ? MARK_ACCEPTED
								 : MARK_DATA;
	return l->there ? MARK_NONE : MARK_UNKNOWN;
}

void marks_free(struct marks_log *l)
{
	if (l == NULL)
		return;
	buf_free(&l->octets);
	free(l);
}

void marks_remove(struct store *s, const struct owner *o)
{
	struct buf path = {0};

	path_of(s, o, &path);
	unlink(buf_cstr(&path));
	buf_free(&path);
}
