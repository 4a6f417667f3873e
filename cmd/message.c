/* The message that the options of coi-send describe. */
#include "message.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "core/limits.h"
#include "fmt/msgid.h"
#include "fmt/text.h"
#include "kind/kind.h"

static int add_addresses(struct cli *c, struct arena *a, const char *what,
			 const char *const *v, size_t n, struct addr_list *l,
			 struct coi_err *e)
{
	struct addr x;
	size_t i;

	for (i = 0; i < n; i++) {
		if (addr_one(a, str_of(v[i]), &x, e) < 0) {
			e->code = COI_E_USAGE;
			err_ctx(e, "%s", what);
			err_hint(e, "recipients are mail addresses; the text "
				    "is given with -m, try coi-send -h");
			return -1;
		}
		addr_add(a, l, x);
	}
	(void)c;
	return 0;
}

static int add_option(struct cli *c, struct arena *a, const char *opt,
		      struct addr_list *l, struct coi_err *e)
{
	const char **v;
	size_t n = cli_values(c, opt, &v);
	int rc = add_addresses(c, a, opt, v, n, l, e);

	free(v);
	return rc;
}

static int add_files(struct cli *c, struct arena *a, struct message *m,
		     struct coi_err *e)
{
	const char **v;
	size_t i, n = cli_values(c, "file", &v);

	for (i = 0; i < n; i++) {
		struct blob *b = message_attach(a, m);

		b->path = arena_str(a, str_of(v[i]));
		b->disposition = STR("inline");
	}
	free(v);
	(void)e;
	return 0;
}

static int check_text(struct cli *c, struct str s, struct coi_err *e)
{
	if (!utf8_valid(s)) {
		err_set(e, COI_E_DATA, "the text is not valid UTF-8");
		err_hint(e, "convert it with iconv, or attach it with --file");
		return -1;
	}
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return err_set(e, COI_E_DATA, "the text holds a NUL octet");
	(void)c;
	return 0;
}

/* The beginning of what coi-fetch prints, and of what is written by hand. */
static bool is_record(struct str text)
{
	return str_starts(text, "{\"kind\"") ||
	       str_starts(text, "{\"v\":1,\"kind\"");
}

/* -m, -i, or standard input when no text is given and it is no terminal. */
static int read_text(struct cli *c, struct arena *a, bool stdin_taken,
		     struct str *text, struct coi_err *e)
{
	const char *m = cli_value(c, "message"), *file = cli_value(c, "input");
	bool use_stdin = file != NULL && strcmp(file, "-") == 0;
	struct buf b = {0};
	int rc;

	*text = STR_NONE;
	if (m != NULL && file != NULL)
		return cli_usage(c, e, "-m and -i exclude each other");
	if (m != NULL) {
		*text = str_of(m);
		return check_text(c, *text, e);
	}
	if (file == NULL) {
		if (stdin_taken || isatty(0))
			return 0;
		use_stdin = true;
	}
	rc = use_stdin ? file_read_fd(0, LIMIT_TEXT, &b, e)
		       : file_read(file, LIMIT_TEXT, &b, e);
	if (rc == 0 && file == NULL && is_record(buf_view(&b))) {
		rc = err_set(e, COI_E_DATA, "this looks like JSON records");
		err_hint(e, "use coi-send --json to send them, or -i - to send "
			    "this as text");
	}
	if (rc == 0)
		rc = check_text(c, buf_view(&b), e);
	if (rc == 0 && b.n > 0) {
		struct buf lf = {0};

		text_lf(&lf, buf_view(&b));
		if (lf.n > 0)
			*text = arena_str(a, buf_view(&lf));
		buf_free(&lf);
	}
	buf_free(&b);
	return rc;
}

static int set_from(struct cli *c, struct account *ac, struct arena *a,
		    struct message *m, struct coi_err *e)
{
	const char *from = cli_value(c, "from");

	if (from == NULL)
		return 0;
	if (addr_one(a, str_of(from), &m->from, e) < 0) {
		e->code = COI_E_USAGE;
		return -1;
	}
	if (!account_is_me(ac, m->from.email) &&
	    !(cli_has(c, "keep") && cli_dry_run(c))) {
		err_set(e, COI_E_USAGE,
			"--from: %s is not an address of this account", from);
		err_hint(e, "add it to `aliases` in the configuration");
		return -1;
	}
	return 0;
}

int message_of_options(struct cli *c, struct account *ac, struct arena *a,
		       bool stdin_taken, struct message *m, struct coi_err *e)
{
	const char *id = cli_value(c, "reply-to-id");
	const char *kind = cli_value(c, "kind");
	struct str text;
	char **to;
	size_t n = cli_operands(c, &to);

	message_init(m);
	if (kind != NULL) {
		m->kind = kind_by_name(str_of(kind));
		if (m->kind == NULL)
			return cli_usage(c, e, "-k: unknown kind \"%s\"", kind);
	}
	if (cli_has(c, "markdown") && cli_has(c, "html"))
		return cli_usage(c, e,
				 "--markdown and --html exclude each other");
	if (set_from(c, ac, a, m, e) < 0 ||
	    add_addresses(c, a, "recipient", (const char *const *)to, n, &m->to,
			  e) < 0 ||
	    add_option(c, a, "cc", &m->cc, e) < 0 ||
	    add_option(c, a, "bcc", &m->bcc, e) < 0 ||
	    add_files(c, a, m, e) < 0)
		return -1;
	if (!stdin_taken && m->to.n + m->cc.n + m->bcc.n == 0)
		return cli_usage(c, e, "no recipient");
	if (read_text(c, a, stdin_taken, &text, e) < 0)
		return -1;
	if (cli_has(c, "html"))
		m->html = text;
	else
		m->text = text;
	if (cli_has(c, "markdown"))
		m->markdown = text; /* counts for the idempotency key */
	if (text.n == 0 && m->nattachments == 0)
		return cli_usage(c, e,
				 "nothing to send: give a text (-m, -i "
				 "or standard input) or --file");
	if (cli_has(c, "subject"))
		m->subject = str_of(cli_value(c, "subject"));
	m->receipt_requested = cli_has(c, "receipt");
	if (id != NULL) {
		struct str s = str_of(id);

		if (str_starts(s, "<") && str_ends(s, ">"))
			s = str_sub(s, 1, s.n - 2);
		if (!msgid_valid(s))
			return cli_usage(c, e,
					 "--reply-to-id: \"%s\" is no "
					 "Message-ID",
					 id);
		m->in_reply_to = s;
	}
	return 0;
}
