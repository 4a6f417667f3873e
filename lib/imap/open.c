/* From the greeting to the login, and the goodbye. */
#include "core/sys.h"
#include "imap/priv.h"

#define GOODBYE_MS 1000

static int greeting(struct imap *im, struct coi_err *e)
{
	if (imap_begin(im, "greeting", e) < 0)
		return -1;
	while (!im->greeted) {
		if (imap_read(im, e) < 0) {
			if (e->code == COI_E_TEMP && im->c != NULL &&
			    im->o.net.tls != NET_TLS_IMPLICIT && !im->bye) {
				e->hint[0] = '\0';
				err_hint(e, "a server that expects TLS from "
					    "the start says nothing: try "
					    "imap-tls = implicit, or a longer "
					    "--timeout");
			}
			return -1;
		}
	}
	return 0;
}

static int starttls(struct imap *im, struct coi_err *e)
{
	enum imap_result res;
	uint32_t tag;

	if (imap_begin(im, "tls", e) < 0)
		return -1;
	if (im->preauth) {
		/* RFC 3501 6.2.1: no STARTTLS after that: so never go on. */
		err_set(e, COI_E_TLS,
			"the server greets with PREAUTH, which rules out TLS");
		err_hint(e, "somebody on the way may be altering the "
			    "connection; use port 993 with imap-tls = "
			    "implicit");
		return -1;
	}
	if (!im->caps_known && caps_ask(im, e) < 0)
		return -1;
	if (!imap_has(im, "STARTTLS")) {
		err_set(e, COI_E_TLS, "the server offers no STARTTLS");
		err_hint(e, "nothing secret was sent; use port 993 with "
			    "imap-tls = implicit");
		return -1;
	}
	if (imap_send(im, "STARTTLS", STR("STARTTLS"), &tag, e) < 0 ||
	    imap_await(im, tag, &res, e) < 0)
		return -1;
	if (res != RES_OK) {
		struct coi_err le = {0};

		imap_refused(im, tag, &le);
		err_set(e, le.code == COI_E_TEMP ? COI_E_TEMP : COI_E_TLS,
			"the server refused STARTTLS");
		err_reply(e, le.reply, strlen(le.reply));
		err_hint(e, "nothing secret was sent; use port 993 with "
			    "imap-tls = implicit");
		return -1;
	}
	/* All that was said in the clear may be a lie. */
	caps_forget(im);
	im->plus = false;
	if (im->c == NULL)
		return 0;
	if (net_starttls(im->c, e) == 0)
		return 0;
	im->dead = true;
	return -1;
}

int imap_hello(struct imap *im, struct coi_err *e)
{
	bool clear = im->o.net.tls == NET_TLS_STARTTLS;

	im->secure = !clear;
	if (greeting(im, e) < 0 || (clear && starttls(im, e) < 0))
		return -1;
	im->secure = true;
	if (imap_begin(im, "login", e) < 0)
		return -1;
	if (!im->caps_known && caps_ask(im, e) < 0)
		return -1;
	if (!im->preauth && login(im, e) < 0)
		return -1;
	return caps_after_login(im, e);
}

struct imap *imap_open(const struct imap_opts *o, struct coi_err *e)
{
	struct imap *im = imap_new(o);
	struct coi_err le = {0};

	if (e == NULL)
		e = &le;
	im->c = net_open(&im->o.net, e);
	im->io_ctx = im->c;
	if (im->c != NULL && imap_hello(im, e) == 0)
		return im;
	imap_end(im, -1, e);
	imap_close(im);
	return NULL;
}

/* Takes what is under way, for a second at most. */
static void goodbye(struct imap *im)
{
	struct coi_err le = {0};
	enum imap_result res;
	uint32_t tag;

	im->leaving = true;
	im->leave_by = sys_mono_ms() + GOODBYE_MS;
	im->responses = 0;
	if (im->c != NULL)
		net_ignore_cancel(im->c);
	im->io.deadline(im->io_ctx, GOODBYE_MS);
	if (idle_leave(im, &le) &&
	    imap_send(im, "LOGOUT", STR("LOGOUT"), &tag, &le) == 0)
		imap_await(im, tag, &res, &le);
}

void imap_close(struct imap *im)
{
	if (im == NULL)
		return;
	imap_end(im, 0, NULL);
	if (im->greeted && !im->dead && !im->bye)
		goodbye(im);
	imap_free(im);
}
