/* The rules of watching: what an error means, how long to wait, how often to
 * ask. */
#include "coi/watch.h"
#include "core/notify.h"
#include "test.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct coi_err of(enum coi_code code, const char *reply)
{
	struct coi_err e = {0};

	err_set(&e, code, "x");
	if (reply != NULL)
		err_reply(&e, reply, strlen(reply));
	return e;
}

static enum watch_fate fate(enum coi_code code, const char *reply, bool session,
			    bool ever, unsigned attempt, unsigned refusals)
{
	struct coi_err e = of(code, reply);

	return watch_fate(&e, session, ever, attempt, refusals);
}

TEST(errors, "what is temporary is tried again, what lasts is not")
{
	static const enum coi_code again[] = {COI_E_UNAVAILABLE, COI_E_TEMP,
					      COI_E_PROTOCOL, COI_E_NOINPUT};
	static const enum coi_code never[] = {COI_E_INTERNAL, COI_E_DATA,
					      COI_E_NOKEY};
	static const enum coi_code disk[] = {COI_E_IO, COI_E_CREATE, COI_E_OS};
	struct coi_err e;
	size_t i;

	for (i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		CHECK(fate(again[i], NULL, false, false, 1, 0) == WATCH_RETRY);
		CHECK(fate(again[i], NULL, true, true, 99, 0) == WATCH_RETRY);
	}
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		CHECK(fate(never[i], NULL, true, true, 1, 0) == WATCH_GIVE_UP);
	for (i = 0; i < sizeof(disk) / sizeof(disk[0]); i++) {
		CHECK(fate(disk[i], NULL, false, false, 1, 0) == WATCH_GIVE_UP);
		CHECK(fate(disk[i], NULL, true, true, 9, 0) == WATCH_RETRY);
	}
	CHECK(fate(COI_E_PIPE, NULL, true, true, 1, 0) == WATCH_END);
	CHECK(fate(COI_E_CANCELLED, NULL, true, true, 1, 0) == WATCH_END);
	e = of(COI_E_TEMP, NULL);
	e.lasting = true; /* the consumer is held by another process */
	CHECK(watch_fate(&e, false, true, 1, 0) == WATCH_GIVE_UP);
}

TEST(login, "a refused login: final when it never worked or says so")
{
	const char *final = "[AUTHENTICATIONFAILED] no";

	CHECK(fate(COI_E_AUTH, "no", false, false, 1, 1) == WATCH_GIVE_UP);
	CHECK(fate(COI_E_AUTH, final, false, true, 1, 1) == WATCH_GIVE_UP);
	CHECK(fate(COI_E_AUTH, "no", false, true, 1, 1) == WATCH_RETRY);
	CHECK(fate(COI_E_AUTH, "no", false, true, 1, 5) == WATCH_GIVE_UP);
	CHECK(fate(COI_E_AUTH, "[NOPERM] x", true, true, 1, 0) == WATCH_RETRY);
	CHECK(fate(COI_E_CONFIG, NULL, false, false, 1, 0) == WATCH_GIVE_UP);
	CHECK(fate(COI_E_CONFIG, NULL, false, true, 1, 0) == WATCH_RETRY);
}

TEST(tls, "a bad certificate is final, a handshake that breaks off is not")
{
	struct coi_err e = of(COI_E_TLS, NULL);

	CHECK(watch_fate(&e, false, false, 1, 0) == WATCH_RETRY);
	CHECK(watch_fate(&e, false, false, 5, 0) == WATCH_GIVE_UP);
	CHECK(watch_fate(&e, false, true, 50, 0) == WATCH_RETRY);
	CHECK(watch_fate(&e, true, true, 1, 0) == WATCH_RETRY);
	e.lasting = true;
	CHECK(watch_fate(&e, false, true, 1, 0) == WATCH_GIVE_UP);
}

TEST(backoff, "later and later, never more than the limit, never at once")
{
	struct coi_err e = of(COI_E_TEMP, NULL);
	struct coi_err busy = of(COI_E_TEMP, "[LIMIT] too many");
	unsigned n;
	uint32_t r;

	for (n = 1; n < 100; n++)
		for (r = 0; r < 4096; r += 255) {
			int ms = watch_backoff(&e, n, 300000, r);

			CHECK(ms >= 500 && ms <= 300000);
			if (n == 1)
				CHECK(ms <= 1000);
			if (n > 10)
				CHECK(ms >= 150000);
		}
	CHECK(watch_backoff(&busy, 1, 300000, 0) >= 7500);
	CHECK(watch_backoff(&busy, 1, 1000, 0) <= 1000);
	CHECK(watch_backoff(&e, 7, 300000, 0) !=
	      watch_backoff(&e, 7, 300000, 1023));
	CHECK(watch_backoff(&e, UINT32_MAX, 300000, 5) <= 300000);
}

/* Asks whenever it may; what that comes to. */
static unsigned cool_down(struct watch_heat *h, int64_t *now, int64_t *first)
{
	unsigned n = 0;
	int ms;

	while ((ms = watch_heat_next(h, *now)) >= 0) {
		if (n == 0)
			*first = ms;
		CHECK(ms >= 40 && ms <= 2500);
		*now += ms;
		n++;
	}
	return n;
}

TEST(heat, "probes: 40 ms at first, bounded, calm within a minute or so")
{
	struct watch_heat h = {0};
	int64_t now = 1000, first = 0;
	unsigned n;

	CHECK(watch_heat_next(&h, now) == -1);
	watch_heat_up(&h, now);
	n = cool_down(&h, &now, &first);
	CHECK(first == 40);
	CHECK(n >= 100 && n <= WATCH_PROBES_MAX);
	CHECK(now >= 60000 && now <= 65000);
	CHECK(h.until == 0 && watch_heat_next(&h, now) == -1);
	/* However quick the answers, however often it is asked. */
	watch_heat_up(&h, now);
	for (n = 0; watch_heat_next(&h, now) >= 0; n++)
		CHECK(n < 1000);
	CHECK(n == WATCH_PROBES_MAX);
}

TEST(manager, "the service manager gets what is said, by path and by name")
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char name[64], got[64];
	struct notify *n;
	ssize_t k;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(name, sizeof(name), "@coi-test-%ld", (long)getpid());
	memcpy(to.sun_path + 1, name + 1, strlen(name) - 1);
	CHECK(bind(fd, (struct sockaddr *)&to,
		   (socklen_t)(sizeof(to.sun_family) + strlen(name))) == 0);
	n = notify_new(name);
	CHECK(n != NULL && notify_say(n, "READY=1\nSTATUS=x"));
	k = recv(fd, got, sizeof(got), 0);
	CHECK(k == 16 && memcmp(got, "READY=1\nSTATUS=x", 16) == 0);
	close(fd);
	CHECK(!notify_say(n, "READY=1"));
	notify_free(n);
	CHECK(notify_new(NULL) == NULL);
	CHECK(notify_new("relative") == NULL);
	CHECK(notify_new("") == NULL);
	CHECK(!notify_say(NULL, "READY=1"));
	notify_free(NULL);
}

TEST_MAIN
