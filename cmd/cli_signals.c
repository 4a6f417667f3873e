/* Asked to stop once: soon; twice, or not in time: at once. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "cli_priv.h"

static volatile sig_atomic_t stop_asked;
static int cancel_pipe[2] = {-1, -1};
static volatile sig_atomic_t stop_fd = -1;

static void on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGALRM || stop_asked) {
		if (cancel_pipe[1] >= 0 && write(cancel_pipe[1], "", 1) < 0)
			errno = saved;
	} else {
		unsigned char octet = (unsigned char)sig;

		stop_asked = 1;
		alarm(3); /* what is not over by then is cut off */
		if (stop_fd >= 0 && write((int)stop_fd, &octet, 1) < 0)
			errno = saved;
	}
	errno = saved;
}

bool cli_stopped(void)
{
	return stop_asked != 0;
}

void cli_stop_to(int fd)
{
	stop_fd = fd;
}

void cli_stop(void)
{
	stop_asked = 1;
	alarm(3);
}

void signals_catch(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	if (pipe2(cancel_pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		cancel_pipe[0] = cancel_pipe[1] = -1;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* EFBIG, as a full disk */
	/* Ignored by whoever started us, the end of a child would be lost. */
	signal(SIGCHLD, SIG_DFL);
}

int signals_cancel_fd(void)
{
	return cancel_pipe[0];
}
