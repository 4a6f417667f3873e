/* What to do about an error, and how long to wait: without any I/O. */
#include "coi/watch.h"

#define FIRST_MS 1000
#define BUSY_MS 15000 /* too many connections, mailbox in use */
#define REFUSALS 5    /* of a login that worked before */
#define STRANGE 5     /* TLS that breaks off before it ever worked */

/* "[LIMIT] too many": the code the server gave. */
static bool said(const struct coi_err *e, const char *code)
{
	struct str s = str_of(e->reply);
	size_t n = strlen(code);

	return s.n > n + 1 && s.p[0] == '[' &&
	       str_iis(str_sub(s, 1, n), code) &&
	       (s.p[n + 1] == ']' || s.p[n + 1] == ' ');
}

/* A server whose user database is away may say a plain NO. */
static bool is_final(const struct coi_err *e)
{
	return said(e, "AUTHENTICATIONFAILED") ||
	       said(e, "AUTHORIZATIONFAILED") || said(e, "EXPIRED") ||
	       said(e, "PRIVACYREQUIRED") || said(e, "CONTACTADMIN");
}

enum watch_fate watch_fate(const struct coi_err *e, bool session, bool ever,
			   unsigned attempt, unsigned refusals)
{
	if (e->lasting)
		return WATCH_GIVE_UP;
	switch (e->code) {
	case COI_E_PIPE:
	case COI_E_CANCELLED:
		return WATCH_END;
	case COI_E_UNAVAILABLE:
	case COI_E_TEMP:
	case COI_E_PROTOCOL:
	case COI_E_NOINPUT:
	case COI_E_PARTIAL:
		return WATCH_RETRY;
	case COI_E_AUTH:
		if (session)
			return WATCH_RETRY;
		return !ever || is_final(e) || refusals >= REFUSALS
			   ? WATCH_GIVE_UP
			   : WATCH_RETRY;
	case COI_E_TLS:
		if (session)
			return WATCH_RETRY;
		return ever || attempt < STRANGE ? WATCH_RETRY : WATCH_GIVE_UP;
	case COI_E_IO:
	case COI_E_CREATE:
	case COI_E_OS:
		/* A disk is full, or all descriptors are in use. */
		return ever ? WATCH_RETRY : WATCH_GIVE_UP;
	case COI_E_CONFIG:
		/* A password manager may be locked for a while. */
		return ever && !session ? WATCH_RETRY : WATCH_GIVE_UP;
	default:
		return WATCH_GIVE_UP;
	}
}

int watch_backoff(const struct coi_err *e, unsigned n, int most,
		  uint32_t random)
{
	int64_t ms = FIRST_MS;

	if (said(e, "LIMIT") || said(e, "INUSE"))
		ms = BUSY_MS;
	for (; n > 1 && ms < most; n--)
		ms *= 2;
	if (ms > most)
		ms = most;
	/* From half of it on: those who fell together rise one by one. */
	return (int)(ms / 2 + (int64_t)(random % 1024) * ms / 2048);
}

#define STEP_MS 40
#define HOT_MS 4000   /* that long at the first step */
#define WARM_MS 60000 /* then slower and slower */
#define STEP_MAX_MS 2000

void watch_heat_up(struct watch_heat *h, int64_t now)
{
	h->until = now + WARM_MS;
	h->step = STEP_MS;
	h->probes = 0;
}

int watch_heat_next(struct watch_heat *h, int64_t now)
{
	if (h->until == 0)
		return -1;
	if (now >= h->until || h->probes >= WATCH_PROBES_MAX) {
		h->until = 0;
		return -1;
	}
	h->probes++;
	if (h->until - now < WARM_MS - HOT_MS && h->step < STEP_MAX_MS)
		h->step += h->step / 4;
	return h->step;
}
