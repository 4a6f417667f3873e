/* The loop that reads, tags and what became of them, deadlines. */
#include <poll.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/sys.h"
#include "imap/priv.h"

#define PROGRESS 4096 /* octets that earn another io_ms */
#define RENEWALS 20   /* "* OK still searching" earns it as well */
#define SAID_MAX 1024

/* --- a connection as the source ------------------------------------------- */

static struct str io_avail(void *ctx)
{
	return net_avail(ctx);
}

static void io_consume(void *ctx, size_t n)
{
	net_consume(ctx, n);
}

static int io_fill(void *ctx, size_t max, struct coi_err *e)
{
	return net_fill(ctx, max, e);
}

static bool io_waits(void *ctx)
{
	struct pollfd p = {.fd = net_fd(ctx), .events = POLLIN};

	/* Half a line is there: the rest may be long in coming. */
	if (net_avail(ctx).n > 0)
		return poll(&p, 1, 0) == 0;
	return !net_pending(ctx);
}

static int io_put(void *ctx, struct str s, bool secret, struct coi_err *e)
{
	return secret ? net_put_secret(ctx, s, e) : net_put(ctx, s, e);
}

static int io_flush(void *ctx, struct coi_err *e)
{
	return net_flush(ctx, e);
}

static void io_deadline(void *ctx, int ms)
{
	net_deadline(ctx, ms);
}

static int io_idle(void *ctx, int64_t until, struct coi_err *e)
{
	return net_idle(ctx, until, e);
}

static const struct imap_io net_io = {io_avail,	   io_consume, io_fill,
				      io_waits,	   io_put,     io_flush,
				      io_deadline, io_idle};

static const struct imap_news no_news;

static struct imap *fresh(void)
{
	struct imap *im = mem_alloc(sizeof(*im));

	im->scratch = arena_new();
	im->names = arena_new();
	im->base = im->next = 1;
	im->stage = "connect";
	im->news = &no_news;
	return im;
}

struct imap *imap_new(const struct imap_opts *o)
{
	struct imap *im = fresh();

	im->o = *o;
	im->io = net_io;
	return im;
}

struct imap *imap_new_on(const struct imap_io *io, void *ctx)
{
	struct imap *im = fresh();

	im->io = *io;
	im->io_ctx = ctx;
	im->o.net.host = "test";
	return im;
}

static void forget_tags(struct imap *im)
{
	uint32_t t;

	for (t = im->base; t != im->next; t++)
		free(im->pend[t - im->base].said);
	im->base = im->next;
}

void imap_free(struct imap *im)
{
	if (im == NULL)
		return;
	net_close(im->c);
	forget_tags(im);
	free(im->pend);
	buf_free(&im->kept);
	buf_free(&im->plus_text);
	buf_free(&im->caps);
	buf_free(&im->others);
	items_free(&im->items);
	free(im->want.status);
	free(im->odd);
	arena_free(im->scratch);
	arena_free(im->names);
	free(im);
}

/* Those at the front that are done leave the table. */
static void drop_done(struct imap *im)
{
	size_t n = im->next - im->base, k = 0;

	while (k < n && im->pend[k].res != RES_PENDING)
		free(im->pend[k++].said);
	if (k > 0 && k < n)
		memmove(im->pend, im->pend + k, (n - k) * sizeof(*im->pend));
	im->base += (uint32_t)k;
}

int imap_begin(struct imap *im, const char *stage, struct coi_err *e)
{
	im->stage = stage;
	im->responses = 0;
	im->renewals = 0;
	im->since = 0;
	drop_done(im);
	if (im->dead || im->spoiled)
		return err_set(e, COI_E_UNAVAILABLE,
			       "the connection cannot be used any more");
	if (im->idling)
		return err_set(e, COI_E_INTERNAL,
			       "a command in the middle of IDLE");
	im->io.deadline(im->io_ctx, 0);
	return 0;
}

int imap_end(struct imap *im, int rc, struct coi_err *e)
{
	free(im->want.status);
	im->want = (struct imap_sinks){0};
	if (rc >= 0)
		return rc;
	err_stage(e, im->stage);
	err_host(e, im->o.net.host, im->o.net.port);
	return -1;
}

/* --- reading ---------------------------------------------------------------
 */

int imap_fill(struct imap *im, struct coi_err *e)
{
	size_t before = im->io.avail(im->io_ctx).n;

	if (im->io.fill(im->io_ctx, LIMIT_IMAP_LINE + 65536, e) < 0) {
		/* After a signal a goodbye is still in order. */
		if (e->code == COI_E_CANCELLED)
			im->spoiled = true;
		else
			im->dead = true;
		return -1;
	}
	im->since += im->io.avail(im->io_ctx).n - before;
	if (im->since >= PROGRESS && !im->leaving) {
		im->since = 0;
		im->io.deadline(im->io_ctx, 0);
	}
	return 0;
}

static int wait_more(struct imap *im, struct coi_err *e)
{
	const struct imap_fetch_events *ev = im->want.fetch;

	if (ev != NULL && ev->idle != NULL && im->io.waits(im->io_ctx) &&
	    ev->idle(im->want.fetch_ctx, e) < 0) {
		im->spoiled = true;
		return -1;
	}
	return imap_fill(im, e);
}

int imap_take(struct imap *im, struct coi_err *e)
{
	size_t used;
	int rc;

	do {
		rc = imap_feed(im, im->io.avail(im->io_ctx), &used, e);
		im->io.consume(im->io_ctx, used);
	} while (rc == 0 && used > 0);
	/* After an event said no, the goodbye is still possible. */
	if (rc < 0 && !im->spoiled)
		im->dead = true;
	return rc;
}

int imap_read(struct imap *im, struct coi_err *e)
{
	struct coi_err le = {0};
	int rc;

	if (e == NULL)
		e = &le;
	for (;;) {
		if (im->leaving && sys_mono_ms() > im->leave_by) {
			im->dead = true;
			return err_set(e, COI_E_TEMP, "no time left");
		}
		rc = imap_take(im, e);
		if (rc > 0)
			break;
		if (rc < 0 || wait_more(im, e) < 0)
			return -1;
	}
	if (im->mode == MODE_STATUS && !im->leaving &&
	    im->renewals++ < RENEWALS)
		im->io.deadline(im->io_ctx, 0);
	return 0;
}

/* --- tags ------------------------------------------------------------------
 */

uint32_t imap_tag_new(struct imap *im, const char *what, struct buf *b)
{
	size_t n = im->next - im->base;

	im->pend = mem_more(im->pend, n, &im->pendcap, sizeof(*im->pend));
	im->pend[n] = (struct imap_pending){.what = what};
	buf_fmt(b, "a%u ", im->next);
	return im->next++;
}

static struct imap_pending *pending(const struct imap *im, uint32_t tag)
{
	if (tag < im->base || tag >= im->next)
		return NULL;
	return &im->pend[tag - im->base];
}

enum imap_result imap_state(const struct imap *im, uint32_t tag)
{
	const struct imap_pending *p = pending(im, tag);

	return p == NULL ? RES_OK : p->res;
}

void imap_settle(struct imap *im, uint32_t tag, enum imap_result res,
		 struct str text)
{
	struct imap_pending *p = pending(im, tag);

	sys_point("imap.reply");
	p->res = res;
	if (res != RES_OK && !p->ignored)
		p->said = mem_dup(str_sub(text, 0, SAID_MAX));
}

void imap_ignore(struct imap *im, uint32_t tag)
{
	struct imap_pending *p = pending(im, tag);

	if (p != NULL)
		p->ignored = true;
}

/* --- results ----------------------------------------------------------------
 */

int imap_await(struct imap *im, uint32_t tag, enum imap_result *res,
	       struct coi_err *e)
{
	if (imap_flush(im, e) < 0)
		return -1;
	while (imap_state(im, tag) == RES_PENDING)
		if (imap_read(im, e) < 0)
			return -1;
	*res = imap_state(im, tag);
	return 0;
}

int imap_done(struct imap *im, uint32_t tag, struct coi_err *e)
{
	enum imap_result res;

	if (imap_await(im, tag, &res, e) < 0)
		return -1;
	return res == RES_OK ? 0 : imap_refused(im, tag, e);
}

int imap_run(struct imap *im, const char *what, struct str text,
	     struct coi_err *e)
{
	uint32_t tag;

	if (imap_send(im, what, text, &tag, e) < 0)
		return -1;
	return imap_done(im, tag, e);
}

/* "[CODE ...] words": the code's name. */
static struct str code_name(struct str said)
{
	size_t i;

	if (said.n == 0 || said.p[0] != '[')
		return STR_NONE;
	for (i = 1; i < said.n && said.p[i] != ' ' && said.p[i] != ']';)
		i++;
	return str_sub(said, 1, i - 1);
}

enum coi_code imap_code_of(enum imap_result res, struct str said)
{
	static const struct {
		const char *name;
		enum coi_code code;
	} codes[] = {
	    {"AUTHENTICATIONFAILED", COI_E_AUTH},
	    {"AUTHORIZATIONFAILED", COI_E_AUTH},
	    {"EXPIRED", COI_E_AUTH},
	    {"PRIVACYREQUIRED", COI_E_AUTH},
	    {"CONTACTADMIN", COI_E_AUTH},
	    {"NOPERM", COI_E_AUTH},
	    {"UNAVAILABLE", COI_E_TEMP},
	    {"INUSE", COI_E_TEMP},
	    {"LIMIT", COI_E_TEMP},
	    {"OVERQUOTA", COI_E_TEMP},
	    {"NONEXISTENT", COI_E_NOINPUT},
	    {"TRYCREATE", COI_E_NOINPUT},
	    {"CANNOT", COI_E_UNAVAILABLE},
	};
	struct str name = code_name(said);
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (str_iis(name, codes[i].name))
			return codes[i].code;
	return res == RES_BAD ? COI_E_PROTOCOL : COI_E_UNAVAILABLE;
}

bool imap_said_code(const struct imap *im, uint32_t tag, const char *code)
{
	const struct imap_pending *p = pending(im, tag);

	return p != NULL && str_iis(code_name(str_of(p->said)), code);
}

int imap_refused(struct imap *im, uint32_t tag, struct coi_err *e)
{
	const struct imap_pending *p = pending(im, tag);
	struct str said = str_of(p->said == NULL ? "" : p->said);

	err_set(e, imap_code_of(p->res, said), "the server %s %s",
		p->res == RES_BAD ? "does not understand" : "refused", p->what);
	err_reply(e, said.p, said.n);
	return -1;
}

struct net_conn *imap_conn(struct imap *im)
{
	return im->c;
}
