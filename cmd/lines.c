#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

static bool waiting(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

int lines_each(int fd, size_t max, unsigned batch,
	       int (*line)(void *ctx, struct str s, int64_t n,
			   struct coi_err *e),
	       int (*pause)(void *ctx, bool more, struct coi_err *e),
	       bool (*stopped)(void), void *ctx, struct coi_err *e)
{
	struct buf b = {0};
	size_t at = 0, scanned = 0;
	unsigned pending = 0;
	int64_t n = 0;
	bool eof = false, going = false; /* the last pause was none */
	int rc = 0;

	while (rc == 0 && !stopped()) {
		struct str rest = str_sub(buf_view(&b), at, b.n);
		const char *lf = NULL;
		ssize_t k;

		if (rest.n > scanned)
			lf = memchr(rest.p + scanned, '\n', rest.n - scanned);
		if (lf != NULL || (eof && rest.n > 0)) {
			struct str s = {rest.p, lf != NULL
						    ? (size_t)(lf - rest.p)
						    : rest.n};

			at += s.n + (lf != NULL);
			scanned = 0;
			n++;
			s = str_trim(s);
			if (s.n > 0) {
				rc = line(ctx, s, n, e);
				pending++;
			}
			if (rc == 0 && pending >= batch) {
				rc = pause(ctx, true, e);
				pending = 0;
				going = true;
			}
			continue;
		}
		if (eof)
			break;
		scanned = rest.n;
		if (rest.n > max) {
			rc = err_set(e, COI_E_DATA,
				     "line %lld is longer than %zu octets",
				     (long long)n + 1, max);
			break;
		}
		if ((pending > 0 || going) && !waiting(fd)) {
			rc = pause(ctx, false, e);
			pending = 0;
			going = false;
			if (rc < 0)
				break;
		}
		if (pending == 0 && at > 0) {
			/* The lines before are done with. */
			b.n = rest.n;
			if (rest.n > 0)
				memmove(b.p, rest.p, rest.n);
			at = 0;
		}
		/* Views of pending lines must stay: they were copied by their
		 * reader, so that the buffer may move. */
		k = read(fd, buf_room(&b, 65536), 65536);
		if (k < 0 && errno != EINTR)
			rc = err_errno(e, COI_E_IO, errno, "standard input");
		else if (k == 0)
			eof = true;
		else if (k > 0)
			b.n += (size_t)k;
	}
	if (rc == 0 && (pending > 0 || going))
		rc = pause(ctx, false, e);
	buf_free(&b);
	return rc;
}
