#include "dead.h"

#include "fmt/date.h"
#include "fmt/json.h"
#include "kind/message.h"
#include "store/store.h"
#include "view.h"

/* The record as it was given to the handler, and what became of it. */
static void put_json(struct buf *b, const struct store_dead *d)
{
	struct str line = str_trim(d->line);
	struct buf rest = {0};
	struct json j;

	json_begin(&j, &rest);
	json_open(&j, '{');
	json_key(&j, "dead");
	json_open(&j, '{');
	json_kstr(&j, "why", d->why);
	json_kint(&j, "tries", d->tries);
	json_kdate(&j, "failedAt", d->at);
	json_kbool(&j, "retry", d->retry);
	json_close(&j, '}');
	json_close(&j, '}');
	if (line.n > 2 && line.p[line.n - 1] == '}') {
		buf_str(b, str_sub(line, 0, line.n - 1));
		buf_c(b, ',');
		buf_str(b, str_sub(buf_view(&rest), 1, rest.n));
	} else {
		buf_str(b, buf_view(&rest));
	}
	buf_c(b, '\n');
	buf_free(&rest);
}

static void put_text(struct buf *b, struct arena *a, const struct store_dead *d,
		     bool color)
{
	struct coi_err ignored = {0};
	struct message m;

	if (message_read_json(a, str_trim(d->line), &m, &ignored) == 0)
		view_message(b, &m, color);
	buf_z(b, "  ! ");
	buf_clean(b, d->id);
	buf_fmt(b, ": %u %s, ", d->tries, d->tries == 1 ? "try" : "tries");
	date_write_3339(b, d->at);
	buf_z(b, ": ");
	buf_clean(b, d->why);
	buf_z(b, d->retry ? "; to be tried again\n" : "\n");
}

static struct store *open_store(struct cli *c, struct account **ac,
				struct coi_err *e)
{
	*ac = cli_account(c, true, e);
	return *ac == NULL ? NULL : store_open((*ac)->state_path, e);
}

int dead_list(struct cli *c, const char *consumer, bool readable, bool color,
	      uint64_t *n, struct coi_err *e)
{
	struct account *ac = NULL;
	struct store *st = open_store(c, &ac, e);
	struct arena *a = arena_new();
	struct store_dead *v = NULL;
	size_t count = 0, i;
	int rc = -1;

	if (st != NULL)
		rc = store_dead_list(st, a, consumer, false, &v, &count, e);
	for (i = 0; rc == 0 && i < count; i++) {
		if (readable)
			put_text(cli_outbuf(c), a, &v[i], color);
		else
			put_json(cli_outbuf(c), &v[i]);
		rc = cli_out_more(c, e);
	}
	*n = count;
	arena_free(a);
	store_close(st);
	account_free(ac);
	return rc;
}

int dead_retry(struct cli *c, const char *consumer, const char *id,
	       struct coi_err *e)
{
	struct account *ac = NULL;
	struct store *st = open_store(c, &ac, e);
	struct str s = str_of(id);
	int rc = -1;

	/* As the user pastes it. */
	if (str_starts(s, "<") && str_ends(s, ">"))
		s = str_sub(s, 1, s.n - 2);
	if (st != NULL)
		rc = store_dead_retry(st, consumer, s, e);
	store_close(st);
	account_free(ac);
	return rc;
}
