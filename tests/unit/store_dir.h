/* One private folder with a database for a test of the store. */
#ifndef UNIT_STORE_DIR_H
#define UNIT_STORE_DIR_H

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sys.h"
#include "store/store.h"

struct dir {
	char path[64];
	char db[96];
};

static inline struct dir dir_new(void)
{
	struct dir d = {"/tmp/coi-store-XXXXXX", ""};

	if (mkdtemp(d.path) == NULL)
		abort();
	snprintf(d.db, sizeof(d.db), "%s/s/me.db", d.path);
	return d;
}

static inline int dir_rm(const char *p, const struct stat *st, int f,
			 struct FTW *w)
{
	return remove(p);
}

static inline void dir_free(struct dir *d)
{
	nftw(d->path, dir_rm, 16, FTW_DEPTH | FTW_PHYS);
}

/* Opens or says why not. */
static inline struct store *dir_open(const struct dir *d)
{
	struct coi_err e = {0};
	struct store *s = store_open(d->db, &e);

	if (s == NULL) {
		printf("# store_open: %s\n", e.msg);
		exit(1);
	}
	return s;
}

static inline double ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Runs fn in a child that is killed at the point; its wait status. */
static inline int dir_child(const struct dir *d, const char *kill_at,
			    void (*fn)(struct store *s))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct store *s = dir_open(d);

		sys_kill_at(kill_at);
		fn(s);
		/* As a crash: nothing is closed. */
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

#endif
