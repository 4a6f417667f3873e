/* Reading what the rules need to know: a few header fields and the flags. */
#include "coi/filter_priv.h"
#include "core/limits.h"
#include "fmt/hdr.h"
#include "fmt/msgid.h"

#define ITEMS                                                              \
	"UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (DATE FROM TO CC " \
	"MESSAGE-ID IN-REPLY-TO REFERENCES CHAT-VERSION "                  \
	"X-MICROSOFT-ORIGINAL-MESSAGE-ID)]"
#define LONGEST_KEY 900 /* octets of what is searched for */

struct heads {
	struct store *st;
	const struct decode_opts *decode;
	const struct imap_set *set;
	struct arena *keep, *a; /* `a`: of one message */
	struct decoder *dec;
	struct items *out;
	struct buf header;
	bool got;
};

static int hd_begin(void *ctx, const struct imap_msg *m, struct str section,
		    uint64_t octets, struct coi_err *e)
{
	struct heads *h = ctx;

	buf_clear(&h->header);
	h->got = true;
	return 0;
}

static int hd_body(void *ctx, struct str chunk, struct coi_err *e)
{
	struct heads *h = ctx;

	if (h->header.n + chunk.n <= LIMIT_HEADER_BLOCK)
		buf_str(&h->header, chunk);
	return 0;
}

static int hd_body_end(void *ctx, struct coi_err *e)
{
	return 0;
}

static bool others(const struct decode_opts *d, const struct addr_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (!d->is_me(d->is_me_ctx, l->v[i].email))
			return true;
	return false;
}

/* With <> where they stand there: 1@x is a part of 11@x. */
static struct str whole_id(struct str block, struct str id)
{
	size_t at = (size_t)(id.p - block.p);

	if (at > 0 && at + id.n < block.n && id.p[-1] == '<' &&
	    id.p[id.n] == '>')
		return (struct str){id.p - 1, id.n + 2};
	return id;
}

static void find_key(struct heads *h, struct item *x)
{
	struct str block = buf_view(&h->header), value, id;

	value = hdr_get(block, "Message-ID");
	x->key = "Message-ID";
	if (value.p != NULL && msgid_next(&value, &id)) {
		id = whole_id(block, id);
	} else {
		x->key = "Date";
		id = str_trim(hdr_unfold(h->a, hdr_get(block, "Date")));
	}
	if (id.n == 0 || id.n > LONGEST_KEY || !str_ascii(id) ||
	    str_chr(id, '\0') >= 0)
		x->key = NULL;
	else
		x->value = arena_str(h->keep, id);
}

static bool flag(const struct imap_msg *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->nflags; i++)
		if (str_iis(m->flags[i], name))
			return true;
	return false;
}

static int hd_end(void *ctx, const struct imap_msg *im, struct coi_err *e)
{
	struct heads *h = ctx;
	struct message m;
	struct str conv;
	struct item *x;

	if (!h->got || im->uid == 0 || !im->have_flags ||
	    !imap_set_has(h->set, im->uid))
		return 0; /* news of others */
	h->got = false;
	arena_reset(h->a);
	decoder_begin(h->dec, h->a, &m);
	if (decoder_message_header(h->dec, buf_view(&h->header), e) < 0 ||
	    decoder_end(h->dec, e) < 0)
		return -1;
	h->out->v = arena_more(h->keep, h->out->v, h->out->n, &h->out->cap,
			       sizeof(*h->out->v));
	x = &h->out->v[h->out->n++];
	*x = (struct item){.uid = im->uid,
			   .received_at = im->have_date ? im->internal_date
							: INT64_MIN,
			   .deleted = flag(im, "\\Deleted"),
			   .has_keyword = flag(im, "$Chat")};
	x->facts.seen = flag(im, "\\Seen");
	x->facts.chat = m.meta.chat || x->has_keyword;
	x->facts.from_me = m.meta.from_me;
	x->facts.to_others = others(h->decode, &m.to) ||
			     others(h->decode, &m.cc);
	if (m.id.p != NULL)
		x->id = arena_str(h->keep, m.id);
	if (m.from.email.p != NULL)
		x->from = arena_str(h->keep, m.from.email);
	find_key(h, x);
	if (x->facts.chat)
		return 0;
	/* A reply of whatever program to a message that we know. */
	return store_thread_find(h->st, h->a, m.in_reply_to, m.references.v,
				 m.references.n, &conv, &x->facts.chat, e);
}

int heads_read(struct imap *im, struct store *st, const struct decode_opts *d,
	       struct arena *a, const struct imap_set *set, struct items *out,
	       struct coi_err *e)
{
	static const struct imap_fetch_events ev = {hd_begin, hd_body,
						    hd_body_end, hd_end, NULL};
	struct heads h = {.st = st,
			  .decode = d,
			  .set = set,
			  .keep = a,
			  .a = arena_new(),
			  .dec = decoder_new(d),
			  .out = out};
	int rc = imap_fetch(im, set, STR(ITEMS), &ev, &h, e);

	decoder_free(h.dec);
	arena_free(h.a);
	buf_free(&h.header);
	return rc;
}
