#include "store/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/sys.h"

/* A process of another container cannot be asked; no submission lasts so. */
#define OWNER_PATIENCE (15 * 60)

static size_t slurp(const char *path, char *p, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t k = fd < 0 ? -1 : read(fd, p, cap - 1);

	if (fd >= 0)
		close(fd);
	if (k < 0)
		k = 0;
	p[k] = '\0';
	return (size_t)k;
}

/* Field 22 of /proc/PID/stat; the name in field 2 may hold anything. */
static uint64_t start_of(pid_t pid)
{
	char path[64], text[1024];
	struct str rest, field;
	uint64_t v = 0;
	char *end;
	int i;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if (slurp(path, text, sizeof(text)) == 0)
		return 0;
	end = strrchr(text, ')');
	if (end == NULL)
		return 0;
	rest = str_trim(str_of(end + 1));
	for (i = 3; i <= 22; i++)
		field = str_split(&rest, ' ');
	return str_u64(field, UINT64_MAX, &v) ? v : 0;
}

const struct owner *owner_self(struct store *s)
{
	struct owner *o = &s->self;
	ssize_t k;

	if (o->pid == getpid())
		return o;
	*o = (struct owner){.pid = getpid(), .start = start_of(getpid())};
	slurp("/proc/sys/kernel/random/boot_id", o->boot, sizeof(o->boot));
	o->boot[strcspn(o->boot, "\n")] = '\0';
	k = readlink("/proc/self/ns/pid", o->ns, sizeof(o->ns) - 1);
	o->ns[k < 0 ? 0 : k] = '\0';
	return o;
}

bool owner_is_self(struct store *s, const struct owner *o)
{
	const struct owner *me = owner_self(s);

	return o->pid == me->pid && o->start == me->start &&
	       strcmp(o->boot, me->boot) == 0 && strcmp(o->ns, me->ns) == 0;
}

bool owner_is_of_boot(struct store *s, const struct owner *o)
{
	return strcmp(o->boot, owner_self(s)->boot) == 0;
}

bool owner_is_dead(struct store *s, const struct owner *o, int64_t since)
{
	const struct owner *me = owner_self(s);
	uint64_t start;

	if (owner_is_self(s, o))
		return false;
	if (!owner_is_of_boot(s, o))
		return true;
	if (strcmp(o->ns, me->ns) != 0)
		return sys_now() - since > OWNER_PATIENCE;
	if (o->pid <= 0 || (kill(o->pid, 0) < 0 && errno == ESRCH))
		return true;
	start = start_of(o->pid);
	return start != 0 && start != o->start;
}
