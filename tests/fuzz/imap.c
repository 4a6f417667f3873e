/* layer: imap */
/*
 * A hostile server from the greeting to the goodbye: its octets are the input,
 * what we ask is fixed.  However they are cut, the outcome is the same.
 * The first octet says how to cut, the second where to begin.
 */
#include <stdint.h>

#include "../unit/imap_mem.h"
#include "imap/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAPS                                                                 \
	"IMAP4rev1 UIDPLUS IDLE NOTIFY ESEARCH CONDSTORE QRESYNC NAMESPACE " \
	"METADATA ID "                                                       \
	"SPECIAL-USE LIST-EXTENDED LIST-STATUS LITERAL- MOVE"

static void note(struct mem *m, const char *what, int rc, struct coi_err *e)
{
	if ((rc < 0) != (e->code != COI_OK))
		__builtin_trap();
	if (!utf8_valid(str_of(e->msg)) || !utf8_valid(str_of(e->reply)))
		__builtin_trap();
	/* A long list is quoted from where it was cut. */
	buf_fmt(&m->log, "%s %d %d %s\n", what, rc, e->code,
		e->code == COI_E_PROTOCOL ? "" : e->reply);
	err_clear(e);
}

static void note_set(struct mem *m, struct imap_set *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->v[i].lo == 0 || s->v[i].lo > s->v[i].hi ||
		    (i > 0 && s->v[i].lo <= s->v[i - 1].hi))
			__builtin_trap();
		buf_fmt(&m->log, "%u:%u ", s->v[i].lo, s->v[i].hi);
	}
	imap_set_free(s);
}

static void vanished(void *ctx, uint32_t lo, uint32_t hi)
{
	struct mem *m = ctx;

	if (lo == 0 || lo > hi)
		__builtin_trap();
	buf_fmt(&m->log, "gone %u:%u\n", lo, hi);
}

static int on_end(void *ctx, const struct imap_msg *msg, struct coi_err *e)
{
	struct arena *a = arena_new();
	struct coi_err le = {0};
	struct imap_part *v;
	size_t n;

	if (msg->bodystructure.p != NULL)
		imap_structure(a, msg->bodystructure, &v, &n, &le);
	arena_free(a);
	return ev_end(ctx, msg, e);
}

static ssize_t source(void *ctx, char *p, size_t n, struct coi_err *e)
{
	memset(p, 'x', n);
	return (ssize_t)n;
}

static void boxes(struct imap *im, struct mem *m, struct coi_err *e)
{
	const struct str names[] = {STR("INBOX"), STR("a&b"), STR("ä")};
	struct imap_status st[3];
	struct imap_namespace ns;
	struct imap_list l;
	struct arena *a = arena_new();
	struct buf meta = {0};
	struct imap_meta *tree;
	bool given = false;
	char delim;
	size_t i, n;
	int rc = imap_list(im, a, NULL, 0, true, &l, e);

	note(m, "list", rc, e);
	for (i = 0; i < l.n; i++) {
		if (!utf8_valid(l.v[i].name) || l.v[i].name.n == 0)
			__builtin_trap();
		buf_str(&m->log, l.v[i].name);
		buf_fmt(&m->log, " %x %u\n", l.v[i].attrs,
			l.v[i].status.uid_next);
	}
	rc = imap_list(im, a, names, 3, true, &l, e);
	note(m, "list", rc, e);
	rc = imap_namespace(im, a, &ns, e);
	note(m, "namespace", rc, e);
	rc = imap_poll(im, names, 3, st, "/private/x", &meta, &given, e);
	note(m, "poll", rc, e);
	for (i = 0; i < 3; i++)
		buf_fmt(&m->log, "%d %u ", st[i].have, st[i].uid_next);
	if (given)
		buf_str(&m->log, buf_view(&meta));
	buf_free(&meta);
	rc = imap_metadata_tree(im, a, STR(""), "/private", &tree, &n, e);
	note(m, "metadata", rc, e);
	for (i = 0; i < n; i++)
		buf_fmt(&m->log, "%.*s %.*s\n", STR_ARG(tree[i].entry),
			STR_ARG(tree[i].value));
	rc = imap_delimiter(im, &delim, e);
	note(m, "delimiter", rc, e);
	arena_free(a);
}

static void messages(struct imap *im, struct mem *m, struct coi_err *e)
{
	static const struct imap_fetch_events ev = {
	    ev_begin, ev_body, ev_body_end, on_end, ev_idle};
	struct imap_selected sel;
	struct imap_set set = {0}, found = {0};
	uint32_t v, u;
	bool given;
	int rc;

	imap_set_add(&set, 1, 5);
	rc = imap_select_qresync(im, STR("ä"), false, 5, 6, vanished, m, &sel,
				 e);
	note(m, "select", rc, e);
	buf_fmt(&m->log, "%u %u %u\n", sel.uid_validity, sel.uid_next,
		sel.exists);
	rc = imap_search(im, STR("SUBJECT {2+}\r\n\xc3\xa4"), &found, e);
	note(m, "search", rc, e);
	if (rc == 0)
		note_set(m, &found);
	imap_set_free(&found);
	rc = imap_fetch(im, &set, STR("UID BODY[]"), &ev, m, e);
	note(m, "fetch", rc, e);
	rc = imap_store(im, &set, STR("+FLAGS"), STR("\\Seen"), e);
	note(m, "store", rc, e);
	rc = imap_move(im, &set, STR("x"), e);
	note(m, "move", rc, e);
	rc = imap_append(im, STR("x"), STR("\\Seen"), 1, 5000, source, NULL, &v,
			 &u, e);
	note(m, "append", rc, e);
	rc = imap_setmetadata(im, STR(""), "/private/x", STR("1"), e);
	note(m, "setmetadata", rc, e);
	rc = imap_getmetadata(im, STR("x"), "/private/x", NULL, &given, e);
	note(m, "getmetadata", rc, e);
	imap_set_free(&set);
}

/* --- news, at any time ------------------------------------------------------
 */

static void on_number(void *ctx, uint32_t n)
{
	struct mem *m = ctx;

	buf_fmt(&m->log, "number %u\n", n);
}

static void on_flags(void *ctx, uint32_t number, const struct imap_msg *msg)
{
	struct mem *m = ctx;
	int fail_at = m->fail_at;

	m->fail_at = 0;
	buf_fmt(&m->log, "%u: ", number);
	ev_end(ctx, msg, NULL);
	m->fail_at = fail_at;
}

static void on_status(void *ctx, struct str mailbox,
		      const struct imap_status *st)
{
	struct mem *m = ctx;

	if (!utf8_valid(mailbox))
		__builtin_trap();
	buf_str(&m->log, mailbox);
	buf_fmt(&m->log, " %u %u\n", st->uid_validity, st->uid_next);
}

static void on_mailbox(void *ctx, const struct imap_mailbox *x)
{
	struct mem *m = ctx;

	if (!utf8_valid(x->name) || x->name.n == 0)
		__builtin_trap();
	buf_str(&m->log, x->name);
	buf_fmt(&m->log, " %x\n", x->attrs);
}

static void on_overflow(void *ctx)
{
	struct mem *m = ctx;

	buf_z(&m->log, "overflow\n");
}

static const struct imap_news news = {
    .exists = on_number,
    .expunge = on_number,
    .vanished = vanished,
    .flags = on_flags,
    .status = on_status,
    .mailbox = on_mailbox,
    .overflow = on_overflow,
    .renumbered = on_number,
};

static void live(struct imap *im, struct mem *m, struct coi_err *e)
{
	const struct str names[] = {STR("a&b"), STR("ä")};
	struct imap_selected sel;
	int rc = imap_select(im, STR("INBOX"), false, &sel, e), i;

	note(m, "select", rc, e);
	rc = imap_notify(im, names, 2, true, e);
	note(m, "notify", rc, e);
	for (i = 0; i < 3 && rc == 0; i++) {
		rc = imap_idle(im, e);
		note(m, "idle", rc, e);
		rc = imap_idle_wait(im, 1, e);
		note(m, "wait", rc, e);
		rc = imap_idle_stop(im, e);
		note(m, "stop", rc, e);
	}
	rc = imap_noop(im, e);
	note(m, "noop", rc, e);
	rc = imap_idle(im, e);
	note(m, "idle", rc, e);
}

static struct buf play(struct str in, size_t step, unsigned how)
{
	struct coi_err e = {0};
	struct mem m;
	struct imap *im;
	int rc = 0;

	if (how % 2 == 0) {
		im = mem_open(&m, in, step);
		im->o.creds.external = true;
		im->o.net.tls = how & 2 ? NET_TLS_STARTTLS : NET_TLS_OFF;
		rc = imap_end(im, imap_hello(im, &e), &e);
		note(&m, "hello", rc, &e);
	} else {
		im = mem_ready(&m, in, step, CAPS);
	}
	if (how & 128) {
		imap_listen(im, &news, &m);
		m.pause = in.n / 2;
	}
	m.fail_at = how & 64 ? (int)(how >> 2) % 16 : 0;
	imap_id(im, "x", "1", &e);
	err_clear(&e);
	if (rc == 0 && how & 128)
		live(im, &m, &e);
	if (rc == 0 && !(how & 32))
		boxes(im, &m, &e);
	if (rc == 0)
		messages(im, &m, &e);
	buf_z(&m.log, "said: ");
	buf_str(&m.log, buf_view(&m.out));
	buf_free(&m.out);
	imap_close(im);
	buf_free(&m.out);
	return m.log;
}

/*
 * Has a line that is taken in parts?  Where a list of numbers longer than that
 * is broken, the place of the cut decides what is seen of it: the two runs may
 * differ there, though neither may crash.
 */
static bool cut_list(struct str in)
{
	struct str line;

	while (in.n > 0) {
		line = str_split(&in, '\n');
		if (line.n > 8000)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf a, b;
	struct str in;

	if (size < 2)
		return 0;
	in = (struct str){(const char *)data + 2, size - 2};
	a = play(in, 0, data[1]);
	b = play(in, data[0] % 64 + 1, data[1]);
	if (!cut_list(in) && !str_eq(buf_view(&a), buf_view(&b)))
		__builtin_trap();
	buf_free(&a);
	buf_free(&b);
	return 0;
}
