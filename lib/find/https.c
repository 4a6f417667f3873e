#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>

#include "core/sys.h"
#include "core/task.h"
#include "find/priv.h"

struct get {
	const struct find_opts *o;
	const struct net_until *u;
	CURL *easy;
	CURLM *multi;
	struct curl_slist *resolve, *connect, *head;
	char detail[CURL_ERROR_SIZE];
	struct buf *body;
	size_t max;
	bool too_long;
	/* of the URL */
	char *host;
	uint16_t port;
	/* Who answers, for errors. */
	char at[256];
	unsigned at_port;
	struct coi_err *e;
};

static size_t received(char *p, size_t size, size_t n, void *ctx)
{
	struct get *g = ctx;

	(void)size; /* is 1 */
	if (g->body->n + n > g->max) {
		g->too_long = true;
		return 0;
	}
	buf_add(g->body, p, n);
	return n;
}

/* --- the URL -------------------------------------------------------------- */

static int bad_url(struct get *g, const char *why)
{
	return err_set(g->e, COI_E_PROTOCOL, "the redirect leads to %s", why);
}

/* Host and port of an https URL without a user. */
static int take_url(struct get *g, const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *user = NULL, *port = NULL;
	uint64_t n;
	int rc = -1;

	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
		bad_url(g, "something that is no URL");
		goto out;
	}
	if (strcmp(scheme, "https") != 0) {
		err_set(
		    g->e, COI_E_TLS,
		    "the redirect leads away from https, to %.80s:", scheme);
		err_hint(g->e, "it is not followed: what comes unprotected can "
			       "name any server");
		goto out;
	}
	if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK) {
		bad_url(g, "a URL with a user name");
		goto out;
	}
	if (curl_url_get(u, CURLUPART_HOST, &g->host, 0) != CURLUE_OK ||
	    !find_is_host(str_of(g->host))) {
		bad_url(g, "what is no host name");
		goto out;
	}
	if (curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) !=
		CURLUE_OK ||
	    !str_u64(str_of(port), 65535, &n) || n == 0) {
		bad_url(g, "no port number");
		goto out;
	}
	g->port = (uint16_t)n;
	snprintf(g->at, sizeof(g->at), "%s", g->host);
	g->at_port = g->port;
	rc = 0;
out:
	curl_free(scheme);
	curl_free(user);
	curl_free(port);
	curl_url_cleanup(u);
	return rc;
}

/* The name is looked up here: with a deadline, without search domains. */
static int place(struct get *g)
{
	struct buf b = {0}, addrs = {0};
	uint16_t port = g->port == 443 && g->o->https_port != 0
			    ? g->o->https_port
			    : g->port;
	int rc = -1;

	if (net_addrs(g->host, g->o->family, g->u, &addrs, g->e) < 0)
		goto out;
	buf_fmt(&b, "%s:%u:%s", g->host, port, buf_cstr(&addrs));
	g->resolve = curl_slist_append(NULL, buf_cstr(&b));
	if (port != g->port) {
		buf_clear(&b);
		buf_fmt(&b, "%s:%u::%u", g->host, g->port, port);
		g->connect = curl_slist_append(NULL, buf_cstr(&b));
	}
	rc = 0;
out:
	buf_free(&b);
	buf_free(&addrs);
	return rc;
}

/* --- the transfer --------------------------------------------------------- */

static void trust(struct get *g)
{
	const char *file, *dir;
	char *known = NULL;

	net_trust(&file, &dir);
	if (file != NULL && *file == '\0')
		file = NULL;
	if (dir != NULL && *dir == '\0')
		dir = NULL;
	if (g->o->ca_file != NULL) {
		file = g->o->ca_file;
		dir = NULL;
	}
	/* Where curl knows one file of all, its folder need not be read. */
	if (file != NULL || dir != NULL)
		curl_easy_setopt(g->easy, CURLOPT_CAINFO, file);
	else
		curl_easy_getinfo(g->easy, CURLINFO_CAINFO, &known);
	if (file != NULL || dir != NULL || known != NULL)
		curl_easy_setopt(g->easy, CURLOPT_CAPATH, dir);
}

static int set_up(struct get *g, const char *url)
{
	static bool ready;
	CURL *c;

	if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(g->e, COI_E_OS, "libcurl cannot be set up");
	ready = true;
	g->multi = curl_multi_init();
	g->easy = c = curl_easy_init();
	g->head = curl_slist_append(NULL, "Accept: text/xml, application/xml");
	if (g->multi == NULL || c == NULL)
		return err_set(g->e, COI_E_OS, "libcurl cannot be set up");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_RESOLVE, g->resolve);
	curl_easy_setopt(c, CURLOPT_CONNECT_TO, g->connect);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, g->head);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "coi/" COI_VERSION);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, g->detail);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, received);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, g);
	curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)g->max);
	trust(g);
	curl_multi_add_handle(g->multi, c);
	return 0;
}

/* 1: something happened, 0: the time is over. */
static int wait_for(struct get *g)
{
	struct pollfd p[FD_SETSIZE < 16 ? FD_SETSIZE : 16];
	const size_t room = sizeof(p) / sizeof(p[0]);
	fd_set in, out, bad;
	int64_t left = g->u->deadline - sys_mono_ms();
	int max = -1, fd, k;
	long ms = -1;
	size_t n = 0;

	if (left <= 0)
		return 0;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&bad);
	curl_multi_fdset(g->multi, &in, &out, &bad, &max);
	curl_multi_timeout(g->multi, &ms);
	for (fd = 0; fd <= max && n < room - 1; fd++) {
		short ev = (short)((FD_ISSET(fd, &in) ? POLLIN : 0) |
				   (FD_ISSET(fd, &out) ? POLLOUT : 0));

		if (ev != 0)
			p[n++] = (struct pollfd){.fd = fd, .events = ev};
	}
	p[n] = (struct pollfd){.fd = g->u->cancel_fd, .events = POLLIN};
	/* No descriptor yet: curl wants to be asked again soon. */
	if (ms < 0 || ms > 1000)
		ms = max < 0 ? 50 : 1000;
	k = task_poll(p, n + 1, ms < left ? (int)ms : (int)left);
	if (k < 0 && errno != EINTR)
		return err_errno(g->e, COI_E_OS, errno, "poll");
	if (k > 0 && p[n].revents != 0)
		return err_set(g->e, COI_E_CANCELLED, "interrupted");
	return 1;
}

static int late(struct get *g)
{
	err_set(g->e, COI_E_TEMP, "no answer in time");
	err_hint(g->e, "a longer --timeout may help");
	return -1;
}

static int failed(struct get *g, CURLcode r)
{
	const char *why = g->detail[0] != '\0' ? g->detail
					       : curl_easy_strerror(r);

	if (g->too_long || r == CURLE_FILESIZE_EXCEEDED)
		return err_set(g->e, COI_E_PROTOCOL,
			       "the answer is longer than %zu octets", g->max);
	switch (r) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_INVALIDCERTSTATUS:
		err_stage(g->e, "tls");
		err_set(g->e, COI_E_TLS, "%s", why);
		err_hint(g->e, "not asked any further; if this server is "
			       "yours: COI_CA_FILE = its CA (PEM)");
		return -1;
	case CURLE_SSL_CACERT_BADFILE:
		err_stage(g->e, "tls");
		return err_set(g->e, COI_E_CONFIG,
			       "the file of CA certificates cannot be used: %s",
			       why);
	case CURLE_COULDNT_CONNECT:
		err_stage(g->e, "connect");
		return err_set(g->e, COI_E_UNAVAILABLE, "%s", why);
	case CURLE_OPERATION_TIMEDOUT:
		return late(g);
	case CURLE_OUT_OF_MEMORY:
		return err_set(g->e, COI_E_OS, "%s", why);
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return err_set(g->e, COI_E_TEMP, "%s", why);
	default:
		return err_set(g->e, COI_E_PROTOCOL, "%s", why);
	}
}

static int transfer(struct get *g)
{
	int running = 1, rc, left;
	CURLMsg *m;

	for (;;) {
		if (curl_multi_perform(g->multi, &running) != CURLM_OK)
			return err_set(g->e, COI_E_INTERNAL,
				       "libcurl is in no state");
		if (running == 0)
			break;
		rc = wait_for(g);
		if (rc <= 0)
			return rc < 0 ? -1 : late(g);
	}
	m = curl_multi_info_read(g->multi, &left);
	if (m == NULL || m->msg != CURLMSG_DONE)
		return err_set(g->e, COI_E_INTERNAL, "libcurl is in no state");
	return m->data.result == CURLE_OK ? 0 : failed(g, m->data.result);
}

static void clean(struct get *g)
{
	if (g->multi != NULL && g->easy != NULL)
		curl_multi_remove_handle(g->multi, g->easy);
	curl_easy_cleanup(g->easy);
	curl_multi_cleanup(g->multi);
	curl_slist_free_all(g->resolve);
	curl_slist_free_all(g->connect);
	curl_slist_free_all(g->head);
	curl_free(g->host);
	g->easy = NULL;
	g->multi = NULL;
	g->resolve = g->connect = g->head = NULL;
	g->host = NULL;
}

/* 0 there it is, 1 go on at *next (arena), -1. */
static int judge(struct get *g, struct arena *a, const char **next)
{
	long status = 0;
	char *to = NULL;

	curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(g->easy, CURLINFO_REDIRECT_URL, &to);
	find_note(g->o, "https", 'S', "%ld, %zu octets%s%s", status, g->body->n,
		  to != NULL ? ", go to " : "", to != NULL ? to : "");
	if (status == 200)
		return 0;
	if (status / 100 == 3 && to != NULL) {
		*next = arena_cstr(a, str_of(to));
		return 1;
	}
	err_set(g->e,
		status / 100 == 5 || status == 429 ? COI_E_TEMP
		: status / 100 == 4		   ? COI_E_UNAVAILABLE
						   : COI_E_PROTOCOL,
		"HTTP status %ld", status);
	return -1;
}

int find_get(struct arena *a, const struct find_opts *o, const char *url,
	     size_t max, const struct net_until *u, struct buf *body,
	     struct str *final, struct coi_err *e)
{
	struct get g = {.o = o, .u = u, .body = body, .max = max, .e = e};
	int hops, rc = 1;

	for (hops = 0; rc == 1; hops++) {
		if (hops > LIMIT_REDIRECTS) {
			rc = err_set(e, COI_E_PROTOCOL,
				     "more than %d redirects", LIMIT_REDIRECTS);
			break;
		}
		buf_clear(body);
		find_note(o, "https", 'C', "GET %s", url);
		*final = arena_str(a, str_of(url));
		rc = -1;
		if (take_url(&g, url) == 0 && place(&g) == 0 &&
		    set_up(&g, url) == 0 && transfer(&g) == 0)
			rc = judge(&g, a, &url);
		clean(&g);
	}
	if (rc < 0) {
		err_stage(e, "https");
		err_host(e, g.at, g.at_port);
		find_note(o, "https", 'S', "%s", e->msg);
	}
	return rc;
}
