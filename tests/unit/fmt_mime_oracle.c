/* libetpan as the oracle of our MIME reader. */
#include <libetpan/libetpan.h>

#include "fmt/mime.h"

#include "test.h"

struct leaves {
	struct buf out;
	struct enc_dec dec;
};

static int leaf_begin(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct leaves *l = ctx;

	if (p->multipart)
		return 0;
	buf_fmt(&l->out, "%.*s(", STR_ARG(p->type.value));
	l->dec = (struct enc_dec){.enc = p->enc};
	return 0;
}

static int leaf_body(void *ctx, struct mime_part *p, struct str raw,
		     struct coi_err *e)
{
	struct leaves *l = ctx;

	enc_decode(&l->dec, raw, false, &l->out);
	return 0;
}

static int leaf_end(void *ctx, struct mime_part *p, struct coi_err *e)
{
	struct leaves *l = ctx;

	if (p->multipart)
		return 0;
	enc_decode(&l->dec, STR(""), true, &l->out);
	buf_z(&l->out, ")\n");
	return 0;
}

static const char *discrete(const struct mailmime_type *t)
{
	static const char *const names[] = {
	    [MAILMIME_DISCRETE_TYPE_TEXT] = "text",
	    [MAILMIME_DISCRETE_TYPE_IMAGE] = "image",
	    [MAILMIME_DISCRETE_TYPE_AUDIO] = "audio",
	    [MAILMIME_DISCRETE_TYPE_VIDEO] = "video",
	    [MAILMIME_DISCRETE_TYPE_APPLICATION] = "application",
	};

	return t->tp_type == MAILMIME_TYPE_DISCRETE_TYPE
		   ? names[t->tp_data.tp_discrete_type->dt_type]
		   : "?";
}

static void oracle(struct mailmime *m, struct buf *out)
{
	clistiter *it;
	struct mailmime_data *d;
	size_t index = 0, n = 0;
	char *body = NULL;

	switch (m->mm_type) {
	case MAILMIME_MESSAGE:
		oracle(m->mm_data.mm_message.mm_msg_mime, out);
		break;
	case MAILMIME_MULTIPLE:
		for (it = clist_begin(m->mm_data.mm_multipart.mm_mp_list);
		     it != NULL; it = clist_next(it))
			oracle(clist_content(it), out);
		break;
	default:
		d = m->mm_data.mm_single;
		buf_fmt(out, "%s/%s(", discrete(m->mm_content_type->ct_type),
			m->mm_content_type->ct_subtype);
		if (mailmime_part_parse(d->dt_data.dt_text.dt_data,
					d->dt_data.dt_text.dt_length, &index,
					d->dt_encoding, &body,
					&n) == MAILIMF_NO_ERROR) {
			buf_add(out, body, n);
			mailmime_decoded_part_free(body);
		}
		buf_z(out, ")\n");
	}
}

static unsigned seed;
static unsigned pick(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

static void make_part(struct buf *b, int depth, unsigned *number)
{
	static const char *const kinds[] = {"mixed", "alternative", "related"};
	static const char *const types[] = {
	    "text/plain", "text/html", "image/png", "application/octet-stream"};
	static const char *const bits[] = {
	    "Hello ",	"\xc3\xa9", "--",     "-",	   "=",	      ".",
	    "a line\n", "\n",	    "--b1\n", "--b1x--\n", "x = y\n", "\t"};
	struct buf text = {0};
	unsigned i, n, me;

	if (depth < 4 && pick(3) == 0) {
		me = ++*number;
		/* b1, b11, b111: prefixes of each other on purpose. */
		buf_fmt(b, "Content-Type: multipart/%s;\r\n boundary=\"b",
			kinds[pick(3)]);
		for (i = 0; i < me; i++)
			buf_c(b, '1');
		buf_fmt(b, "\"\r\n\r\n%s", pick(2) ? "preamble\r\n" : "");
		n = 1 + pick(3);
		while (n-- > 0) {
			buf_z(b, "--b");
			for (i = 0; i < me; i++)
				buf_c(b, '1');
			buf_z(b, pick(4) == 0 ? "  \r\n" : "\r\n");
			make_part(b, depth + 1, number);
			buf_z(b, "\r\n");
		}
		buf_z(b, "--b");
		for (i = 0; i < me; i++)
			buf_c(b, '1');
		buf_z(b, pick(2) ? "--\r\nepilogue\r\n" : "--\r\n");
		return;
	}
	n = 1 + pick(20);
	buf_z(&text, "x");
	while (n-- > 0)
		buf_z(&text, bits[pick(12)]);
	buf_z(&text, "x");
	buf_fmt(b, "Content-Type: %s\r\n", types[pick(4)]);
	if (pick(2)) {
		buf_z(b, "Content-Transfer-Encoding: base64\r\n\r\n");
		enc_b64_lines(b, buf_view(&text));
	} else {
		buf_z(b, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		/* A line of the text may look like our boundary. */
		for (i = 0; i < text.n; i++)
			if (text.p[i] == '-')
				text.p[i] = '=';
		enc_qp(b, buf_view(&text));
	}
	buf_free(&text);
}

static void drop_cr(struct buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		if (b->p[i] != '\r')
			b->p[n++] = b->p[i];
	b->n = n;
}

/*
 * Well-formed ones only: libetpan 1.9.4 loses the text of a nested multipart
 * without close boundary, lets an empty part swallow the next delimiter, ends
 * a header block at a line without colon, and decodes base64 behind its
 * padding.  Those shapes have tests of their own above and in fmt_enc.c.
 */
TEST(agrees, "libetpan reads the same leaves in 2,000 well-formed messages")
{
	static const struct mime_events ev = {leaf_begin, leaf_body, leaf_end};
	struct arena *a = arena_new();
	struct leaves ours = {0};
	struct buf msg = {0}, theirs = {0};
	unsigned round, differ = 0;

	for (round = 0; round < 2000; round++) {
		struct mailmime *tree = NULL;
		struct coi_err e = {0};
		struct mime *m;
		unsigned number = 0;
		size_t index = 0;

		seed = round * 7919 + 1;
		buf_clear(&msg);
		buf_clear(&theirs);
		buf_clear(&ours.out);
		arena_reset(a);
		buf_z(&msg, "From: a@example.org\r\nMIME-Version: 1.0\r\n");
		make_part(&msg, 0, &number);
		if (round % 4 == 3)
			drop_cr(&msg);
		m = mime_new(a, &ev, &ours);
		CHECK_INT(mime_feed_whole(m, buf_view(&msg), &e), 0);
		CHECK_INT(mime_end(m, &e), 0);
		CHECK_INT(mailmime_parse(msg.p, msg.n, &index, &tree),
			  MAILIMF_NO_ERROR);
		if (tree == NULL)
			continue;
		oracle(tree, &theirs);
		mailmime_free(tree);
		if (round % 4 == 3) { /* its decoder makes CRLF of LF */
			drop_cr(&ours.out);
			drop_cr(&theirs);
		}
		if (!str_eq(buf_view(&ours.out), buf_view(&theirs)) &&
		    differ++ < 3)
			printf("# round %u:\n%.*s\n# ours:\n%.*s\n# "
			       "libetpan:\n%.*s\n",
			       round, STR_ARG(buf_view(&msg)),
			       STR_ARG(buf_view(&ours.out)),
			       STR_ARG(buf_view(&theirs)));
	}
	CHECK_INT(differ, 0);
	buf_free(&msg);
	buf_free(&theirs);
	buf_free(&ours.out);
	arena_free(a);
}

TEST_MAIN
