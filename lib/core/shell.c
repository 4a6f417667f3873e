#include "core/shell.h"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>

static struct rlimit files;
static bool kept;

void shell_keep_limit(void)
{
	kept = getrlimit(RLIMIT_NOFILE, &files) == 0;
}

/* A program that calls select(2) may not survive a larger one than it had. */
static int spawn(pid_t *pid, const posix_spawn_file_actions_t *fa,
		 const posix_spawnattr_t *at, char *const *argv,
		 char *const *env)
{
	struct rlimit ours, theirs;
	bool less = kept && getrlimit(RLIMIT_NOFILE, &ours) == 0 &&
		    ours.rlim_cur > files.rlim_cur;
	int rc;

	if (less) {
		theirs = ours;
		theirs.rlim_cur = files.rlim_cur;
		less = setrlimit(RLIMIT_NOFILE, &theirs) == 0;
	}
	rc = posix_spawn(pid, "/bin/sh", fa, at, argv, env);
	if (less)
		(void)setrlimit(RLIMIT_NOFILE, &ours);
	return rc;
}

int shell_spawn(const char *command, char *const *env, int in, int out, int err,
		pid_t *pid, struct coi_err *e)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, dfl;
	int rc;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, err, 2);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_init(&at);
	sigemptyset(&none);
	sigfillset(&dfl);
	sigdelset(&dfl, SIGKILL);
	sigdelset(&dfl, SIGSTOP);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &dfl);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP |
					  POSIX_SPAWN_SETSIGMASK |
					  POSIX_SPAWN_SETSIGDEF);
	rc = spawn(pid, &fa, &at, argv, env);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	if (rc == 0)
		return 0;
	*pid = -1;
	return err_errno(e, COI_E_OS, rc, "cannot run /bin/sh");
}
