/* What coi-send prints: results, the outbox, with -n the messages. */
#include "send_out.h"

#include "fmt/date.h"
#include "fmt/mbox.h"

/* --- results -------------------------------------------------------------- */

int send_out_status(const bool seen[SEND_UNKNOWN + 1])
{
	if (seen[SEND_UNKNOWN])
		return 84;
	if (seen[SEND_PARTIAL] ||
	    (seen[SEND_REFUSED] &&
	     (seen[SEND_ACCEPTED] || seen[SEND_QUEUED] || seen[SEND_DEFERRED])))
		return 1;
	if (seen[SEND_DEFERRED])
		return 75;
	return seen[SEND_REFUSED] ? 67 : 0;
}

static void complain(struct sending *x, const struct send_result *r)
{
	size_t i;

	for (i = 0; i < r->nrcpts; i++) {
		const struct send_rcpt *p = &r->rcpts[i];

		/* Deferred without a code: the error tells why, once. */
		if (p->state == SEND_ACCEPTED ||
		    (p->state == SEND_QUEUED &&
		     (x->o.queue || r->outcome == SEND_QUEUED)) ||
		    (p->state == SEND_DEFERRED && p->code == 0))
			continue;
		cli_warn(x->c, "%.*s: %s%s%.*s%s", STR_ARG(p->email),
			 send_word(p->state), p->reply.n > 0 ? ": " : "",
			 STR_ARG(p->reply),
			 p->state == SEND_UNKNOWN
			     ? "; it may have arrived: --retry-unknown "
			       "sends it again"
			     : "");
	}
}

/* For the status: those who got it and those for whom it is kept, as was asked
 * for, make no partial failure; a refused one does. */
static enum send_outcome outcome_of(const struct sending *x,
				    const struct send_result *r)
{
	enum send_outcome worst = r->outcome;
	size_t i;

	if (worst == SEND_PARTIAL && x->o.queue)
		worst = SEND_QUEUED;
	for (i = 0; worst == SEND_QUEUED && i < r->nrcpts; i++)
		if (r->rcpts[i].state != SEND_ACCEPTED &&
		    r->rcpts[i].state != SEND_QUEUED)
			worst = SEND_PARTIAL;
	return worst;
}

int send_out_result(void *ctx, const struct send_result *r, struct coi_err *e)
{
	struct sending *x = ctx;

	x->seen[outcome_of(x, r)] = true;
	cli_status(x->c, send_out_status(x->seen));
	if (cli_json(x->c)) {
		send_result_json(cli_outbuf(x->c), r);
		return cli_out_more(x->c, e);
	}
	if (cli_verbose(x->c) > 0) {
		buf_fmt(cli_outbuf(x->c), "%.*s\n", STR_ARG(r->id));
		if (cli_out_more(x->c, e) < 0)
			return -1;
	}
	complain(x, r);
	return 0;
}

/* --- -n ------------------------------------------------------------------ */

static void to_lf(struct buf *b, struct str mail)
{
	struct str line;

	while (str_line(&mail, &line)) {
		buf_str(b, line);
		buf_c(b, '\n');
	}
}

int send_out_dry(struct sending *x, struct message *m, struct coi_err *e)
{
	struct arena *a = arena_new();
	struct buf raw = {0}, lf = {0}, *out = cli_outbuf(x->c);
	struct wire *w = NULL;
	ssize_t k = 0;
	int rc = -1;

	if (send_complete(x->ac, NULL, a, m, x->o.compose.keep, e) < 0)
		goto done;
	w = compose(a, m, &x->o.compose, e);
	if (w == NULL)
		goto done;
	while ((k = wire_read(w, buf_room(&raw, 65536), 65536, e)) > 0)
		raw.n += (size_t)k;
	if (k < 0)
		goto done;
	to_lf(&lf, buf_view(&raw));
	/* One message is printed as it is; a second one makes it an mbox. */
	if (x->ndry == 0) {
		buf_str(&x->first, buf_view(&lf));
		buf_str(&x->first_from, m->from.email);
		x->first_date = m->sent_at;
	} else {
		if (x->ndry == 1)
			mbox_write(out, buf_view(&x->first),
				   buf_view(&x->first_from), x->first_date);
		mbox_write(out, buf_view(&lf), m->from.email, m->sent_at);
	}
	x->ndry++;
	rc = cli_out_more(x->c, e);
done:
	wire_free(w);
	buf_free(&raw);
	buf_free(&lf);
	arena_free(a);
	return rc;
}

int send_out_dry_end(struct sending *x, struct coi_err *e)
{
	int rc = 0;

	if (x->ndry == 1)
		rc = cli_out(x->c, buf_view(&x->first), e);
	buf_free(&x->first);
	buf_free(&x->first_from);
	return rc;
}

/* --- --queue-list ----------------------------------------------------------
 */

int send_out_queue(struct sending *x, struct coi_err *e)
{
	static const enum store_state states[] = {STORE_QUEUED, STORE_UNKNOWN};
	struct arena *a = arena_new();
	struct buf *out = cli_outbuf(x->c);
	struct store_out *v;
	size_t n, i, k, r;
	int rc = 0;

	for (k = 0; rc == 0 && k < 2; k++) {
		rc = store_out_list(x->st, a, states[k], false, &v, &n, e);
		for (i = 0; rc == 0 && i < n; i++) {
			struct send_rcpt *p = arena_alloc(a, (v[i].nrcpts + 1) *
								 sizeof(*p));
			enum send_outcome s = k == 0 ? SEND_QUEUED
						     : SEND_UNKNOWN;
			struct send_result res = {s, v[i].id,	 0, STR_NONE,
						  p, v[i].nrcpts};

			for (r = 0; r < v[i].nrcpts; r++)
				p[r] = (struct send_rcpt){
				    .email = v[i].rcpts[r],
				    .state = s,
				    .reply = v[i].last_error};
			if (cli_json(x->c)) {
				send_result_json(out, &res);
				continue;
			}
			buf_fmt(out, "%-8s ", send_word(s));
			date_write_3339(out, v[i].created);
			buf_fmt(out, "  %.*s ", STR_ARG(v[i].id));
			for (r = 0; r < v[i].nrcpts; r++)
				buf_fmt(out, " %.*s", STR_ARG(v[i].rcpts[r]));
			if (v[i].last_error.n > 0)
				buf_fmt(out, "  (%.*s)",
					STR_ARG(v[i].last_error));
			buf_c(out, '\n');
		}
	}
	arena_free(a);
	return rc;
}
