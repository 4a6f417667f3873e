/*
 * Runs a command N times and says what each run took.
 *
 *   run [-n N] [-i FILE] [-o FILE] [-e FILE] COMMAND...
 *
 * The command's stdin, stdout and stderr are FILE (/dev/null, /dev/null,
 * ours).  A JSON line a run: {"s","cpu","rss_kb","status"}.  It is a small
 * program because the kernel counts the resident set of whoever forks as the
 * child's too.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "sock.h"

static void onto(int fd, const char *path, int flags)
{
	int got;

	if (path == NULL)
		return;
	got = open(path, flags, 0600);
	if (got < 0 || dup2(got, fd) < 0)
		_exit(126);
	if (got != fd)
		close(got);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double secs(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	const char *in = "/dev/null", *out = "/dev/null", *errors = NULL;
	long n = 1;
	int c, status;

	while ((c = getopt(argc, argv, "+n:i:o:e:")) != -1)
		switch (c) {
		case 'n':
			n = strtol(optarg, NULL, 10);
			break;
		case 'i':
			in = optarg;
			break;
		case 'o':
			out = optarg;
			break;
		case 'e':
			errors = optarg;
			break;
		default:
			return 64;
		}
	if (optind >= argc)
		return 64;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	while (n-- > 0) {
		struct rusage ru;
		double t = now();
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			onto(0, in, O_RDONLY);
			onto(1, out, O_WRONLY | O_CREAT | O_TRUNC);
			onto(2, errors, O_WRONLY | O_CREAT | O_TRUNC);
			execvp(argv[optind], argv + optind);
			_exit(127);
		}
		while (wait4(pid, &status, 0, &ru) < 0)
			if (errno != EINTR)
				die("wait4");
		t = now() - t;
		printf("{\"s\":%.6f,\"cpu\":%.6f,\"rss_kb\":%ld,"
		       "\"status\":%d}\n",
		       t, secs(ru.ru_utime) + secs(ru.ru_stime), ru.ru_maxrss,
		       WIFEXITED(status) ? WEXITSTATUS(status)
					 : 128 + WTERMSIG(status));
	}
	return 0;
}
