#include "core/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/mem.h"

struct notify {
	int fd;
	struct sockaddr_un to;
	socklen_t len;
};

struct notify *notify_new(const char *path)
{
	struct notify *n;
	size_t len = path == NULL ? 0 : strlen(path);

	if (len < 2 || len >= sizeof(n->to.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return NULL;
	n = mem_alloc(sizeof(*n));
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0'; /* the abstract namespace */
	n->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd >= 0)
		return n;
	free(n);
	return NULL;
}

void notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	close(n->fd);
	free(n);
}

bool notify_say(struct notify *n, const char *lines)
{
	ssize_t k;

	if (n == NULL)
		return false;
	do
		k = sendto(n->fd, lines, strlen(lines), MSG_NOSIGNAL,
			   (const struct sockaddr *)&n->to, n->len);
	while (k < 0 && errno == EINTR);
	return k >= 0;
}
