/* Telling a service manager how we are: the protocol of sd_notify(3). */
#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include <stdbool.h>

struct notify;

/* `path`: what NOTIFY_SOCKET says, "/..." or "@..."; NULL, or what is no such
 * path: nobody is told anything, and NULL is returned. */
struct notify *notify_new(const char *path);
void notify_free(struct notify *n); /* NULL is legal */
/* Lines such as "READY=1" or "STATUS=...", LF between two.  Never waits; false
 * when nobody took it.  NULL is legal. */
bool notify_say(struct notify *n, const char *lines);

#endif
