#include "watch_given.h"

#include "fetching.h"
#include "filtering.h"

#define LONGEST (INT64_C(36500) * 86400) /* s */

static int words(struct cli *c, const char *name, const char *const *v,
		 int *out, struct coi_err *e)
{
	const char *z = cli_value(c, name);
	struct buf b = {0};
	int i;

	if (z == NULL)
		return 0;
	for (i = 0; v[i] != NULL; i++) {
		if (strcmp(z, v[i]) == 0) {
			*out = i;
			buf_free(&b);
			return 0;
		}
		buf_fmt(&b, "%s%s", i == 0 ? "" : ", ", v[i]);
	}
	cli_usage(c, e, "--%s: \"%s\" is none of %s", name, z, buf_cstr(&b));
	buf_free(&b);
	return -1;
}

/* TIME of an option in seconds; without the option *s stays. */
static int seconds(struct cli *c, const char *name, int64_t most, int64_t *s,
		   struct coi_err *e)
{
	if (cli_duration(c, name, s, e) < 0)
		return -1;
	if (cli_has(c, name) && (*s < 1 || *s > most))
		return cli_usage(c, e, "--%s must be from 1s to %llds", name,
				 (long long)most);
	return 0;
}

/* The same in milliseconds. */
static int period(struct cli *c, const char *name, int64_t most, int *ms,
		  struct coi_err *e)
{
	int64_t s = *ms / 1000;

	if (seconds(c, name, most, &s, e) < 0)
		return -1;
	*ms = (int)(s * 1000);
	return 0;
}

int watch_given_read(struct cli *c, struct watch_given *g, struct watch_opts *o,
		     struct coi_err *e)
{
	static const char *const events[] = {"none", "state", "all", NULL};
	static const char *const latency[] = {"normal", "low", NULL};
	struct fetch_opts *f = &o->fetch;
	char **v;
	int low = 0;

	if (cli_operands(c, &v) > 0)
		return cli_usage(c, e, "unexpected operand \"%s\"", v[0]);
	g->events = cli_has(c, "exec") ? EVENTS_NONE : EVENTS_STATE;
	if (words(c, "events", events, &g->events, e) < 0 ||
	    words(c, "latency", latency, &low, e) < 0 ||
	    seconds(c, "run-for", LONGEST, &g->run_for, e) < 0 ||
	    seconds(c, "heartbeat", LONGEST, &g->heartbeat, e) < 0 ||
	    period(c, "idle", 29 * 60, &o->idle_ms, e) < 0 ||
	    period(c, "poll", 86400, &o->poll_ms, e) < 0 ||
	    period(c, "retry", 86400, &o->retry_ms, e) < 0 ||
	    fetching_start(c, true, f, e) < 0 ||
	    filtering_mode(c, &o->filter, e) < 0 ||
	    fetching_decode(c, -1, &o->decode, e) < 0)
		return -1;
	o->max_size_given = cli_has(c, "max-size");
	o->decode.identity = true;
	o->low_latency = low == 1;
	o->changes = g->events == EVENTS_ALL;
	o->once = g->once = cli_has(c, "once");
	o->net = cli_net(c);
	f->consumer = cli_has(c, "consumer") ? cli_value(c, "consumer")
					     : "default";
	f->all_mail = cli_has(c, "all-mail");
	f->own = cli_has(c, "own");
	f->no_commit = cli_has(c, "no-commit");
	f->mark_seen = cli_has(c, "mark-seen");
	return 0;
}
