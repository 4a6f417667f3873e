#include "coi/server.h"

#define CONFIG "/private/vendor/vendor.dovecot/coi/config"
#define OTHERS_MAX 100

/* "/private/.../config/KEY" in any case: KEY. */
static struct str key_of(struct str entry)
{
	return str_sub(entry, sizeof(CONFIG "/") - 1, entry.n);
}

static void take(struct arena *a, struct server_coi *s, struct str key,
		 struct str value, struct str *root)
{
	if (str_iis(key, "mailbox-root")) {
		*root = value;
	} else if (str_iis(key, "enabled")) {
		s->enabled_value = value;
	} else if (str_iis(key, "message-filter")) {
		s->filter = value;
	} else if (key.n > 0 && value.p != NULL && s->nothers < OTHERS_MAX) {
		size_t cap = s->nothers;

		s->others = arena_more(a, s->others, s->nothers, &cap,
				       sizeof(*s->others));
		s->others[s->nothers++] = key;
	}
}

/* A server that does not know DEPTH is asked entry by entry. */
static int one_by_one(struct imap *im, struct arena *a, struct server_coi *s,
		      struct str *root, struct coi_err *e)
{
	static const char *const keys[] = {COI_ENTRY "mailbox-root",
					   COI_ENTRY "enabled",
					   COI_ENTRY "message-filter"};
	struct buf b = {0};
	bool given;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < sizeof(keys) / sizeof(keys[0]); i++) {
		buf_clear(&b);
		rc = imap_getmetadata(im, STR(""), keys[i], &b, &given, e);
		if (rc == 0 && given)
			take(a, s, key_of(str_of(keys[i])),
			     arena_str(a, buf_view(&b)), root);
	}
	buf_free(&b);
	return rc;
}

static int read_config(struct imap *im, struct arena *a, struct server_coi *s,
		       struct str *root, struct coi_err *e)
{
	struct coi_err le = {0};
	struct imap_meta *v;
	size_t n, i;

	if (imap_metadata_tree(im, a, STR(""), CONFIG, &v, &n, &le) == 0) {
		for (i = 0; i < n; i++)
			take(a, s, key_of(v[i].entry), v[i].value, root);
	} else if (le.reply[0] == '\0') {
		if (e->code == COI_OK)
			*e = le;
		return -1;
	}
	/* mailbox-root is always there: without it the answer was none. */
	return root->p != NULL ? 0 : one_by_one(im, a, s, root, e);
}

int server_read(struct imap *im, struct arena *a, struct server_coi *s,
		struct coi_err *e)
{
	struct str root = STR_NONE;

	*s = (struct server_coi){.offered = imap_has(im, "COI"),
				 .webpush = imap_has(im, "WEBPUSH")};
	if (s->offered && read_config(im, a, s, &root, e) < 0)
		return -1;
	s->enabled = str_is(s->enabled_value, "yes");
	s->root_told = root.p != NULL;
	return folders_place(im, a, root, &s->place, e);
}

/* --- changing it ------------------------------------------------------------
 */

struct change {
	struct account *ac;
	const struct account_net *net;
	struct arena *a;
	const char *entry;
	struct str value; /* absent: NIL */
	const char *key;
};

static int need(const struct account *ac, const struct server_coi *s,
		struct coi_err *e)
{
	if (s->offered)
		return 0;
	err_set(e, COI_E_UNAVAILABLE, "the server does not speak COI");
	err_host(e, ac->imap_host, ac->imap_port);
	err_stage(e, "coi");
	err_hint(e, "coi-watch --filter sorts chats on this side; \"coi-config "
		    "sieve\" lets a Sieve server do it");
	return -1;
}

/* What a new session sees. */
static int read_anew(const struct change *x, struct imap **im,
		     struct server_coi *s, struct coi_err *e)
{
	*im = account_imap(x->ac, x->net, e);
	return *im == NULL ? -1 : server_read(*im, x->a, s, e);
}

/* After a refusal the server may have changed something all the same. */
static void look_again(const struct change *x, struct server_coi *s)
{
	struct coi_err le = {0};
	struct imap *im;

	if (read_anew(x, &im, s, &le) < 0)
		*s = (struct server_coi){.offered = false};
	imap_close(im);
}

static bool is_so(const struct change *x, const struct server_coi *s)
{
	if (strcmp(x->key, "enabled") == 0)
		return x->value.p == NULL ? s->enabled_value.p == NULL
					  : s->enabled;
	return s->filter.p != NULL && str_eq(s->filter, x->value);
}

static int verify(const struct change *x, const struct server_coi *s,
		  struct coi_err *e)
{
	struct str now = strcmp(x->key, "enabled") == 0 ? s->enabled_value
							: s->filter;

	/* "no" instead of nothing is off as well. */
	if (is_so(x, s) || (x->value.p == NULL && !s->enabled))
		return 0;
	err_set(e, COI_E_UNAVAILABLE,
		"the server said OK, but %s is %s%.*s%s now", x->key,
		now.p == NULL ? "not set" : "\"", STR_ARG(str_sub(now, 0, 60)),
		now.p == NULL ? "" : "\"");
	err_stage(e, "coi");
	err_hint(e, "another program may have changed it; see coi-config "
		    "status");
	return -1;
}

static bool wants_folders(const struct change *x)
{
	return x->value.p != NULL && !str_is(x->value, "none");
}

/* Making Chats while COI is disabled would enable it. */
static int make_folders(struct imap *im, const struct change *x,
			struct server_coi *s, struct coi_err *e)
{
	if (!s->enabled || !wants_folders(x))
		return 0;
	return folders_make(im, x->a, &s->place, FOLDER_CHATS | FOLDER_CONTACTS,
			    e);
}

static int change(const struct change *x, struct server_coi *s,
		  struct coi_err *e)
{
	struct imap *im;
	int rc = read_anew(x, &im, s, e);

	if (rc == 0)
		rc = need(x->ac, s, e);
	/* Nothing is switched on that cannot work. */
	if (rc == 0 && wants_folders(x))
		rc = folders_make(im, x->a, &s->place, 0, e);
	if (rc == 0 && !is_so(x, s)) {
		rc = imap_setmetadata(im, STR(""), x->entry, x->value, e);
		imap_close(im);
		im = NULL;
		if (rc < 0) {
			look_again(x, s);
			return -1;
		}
		rc = read_anew(x, &im, s, e);
		if (rc < 0)
			err_ctx(e, "%s was set; reading it back", x->key);
		s->changed = true;
		if (rc == 0)
			rc = verify(x, s, e);
	}
	if (rc == 0)
		rc = make_folders(im, x, s, e);
	imap_close(im);
	return rc;
}

int server_enable(struct account *ac, const struct account_net *n,
		  struct arena *a, bool on, struct server_coi *s,
		  struct coi_err *e)
{
	struct change x = {.ac = ac,
			   .net = n,
			   .a = a,
			   .entry = COI_ENTRY "enabled",
			   .value = on ? STR("yes") : STR_NONE,
			   .key = "enabled"};

	*s = (struct server_coi){.offered = false};
	return change(&x, s, e);
}

int server_filter(struct account *ac, const struct account_net *n,
		  struct arena *a, const char *mode, struct server_coi *s,
		  struct coi_err *e)
{
	struct change x = {.ac = ac,
			   .net = n,
			   .a = a,
			   .entry = COI_ENTRY "message-filter",
			   .value = str_of(mode),
			   .key = "message-filter"};

	*s = (struct server_coi){.offered = false};
	return change(&x, s, e);
}
