#include "smtp/priv.h"

#define PIECE (64u * 1024u)

void body_init(struct body *b, struct smtp_msg *m)
{
	struct buf mem = b->b;

	mem.n = 0;
	*b = (struct body){.m = m, .b = mem};
}

void body_free(struct body *b)
{
	buf_free(&b->b);
}

int body_fill(struct body *b, size_t want, struct coi_err *e)
{
	ssize_t k;

	if (b->at > 0 && b->b.n - b->at < want) {
		memmove(b->b.p, b->b.p + b->at, b->b.n - b->at);
		b->b.n -= b->at;
		b->at = 0;
	}
	while (!b->eof && b->b.n - b->at < want) {
		size_t room = want - (b->b.n - b->at);

		if (room > PIECE)
			room = PIECE;
		k = b->m->read(b->m->ctx, buf_room(&b->b, room), room, e);
		if (k < 0 || (size_t)k > room)
			return err_set(e, COI_E_IO, "cannot read the message");
		b->b.n += (size_t)k;
		b->total += (uint64_t)k;
		b->eof = k == 0;
		if (b->m->size > 0 && (b->total > b->m->size ||
				       (b->eof && b->total < b->m->size)))
			return err_set(e, COI_E_IO,
				       "the message changed its size while it "
				       "was sent");
	}
	return 0;
}

struct str body_view(const struct body *b, size_t max)
{
	return str_sub(buf_view(&b->b), b->at, max);
}

void body_take(struct body *b, size_t n)
{
	b->at += n;
}

/*
 * A lone CR or LF becomes CRLF: what one server takes for a line's end and the
 * next does not is how mail is smuggled behind a dot.
 */
void stuff_add(struct stuff *st, struct str in, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.n, *q = NULL, *cr;

	while (p < end) {
		if (st->cr) {
			st->cr = false;
			st->bol_not = false;
			buf_add(out, "\r\n", 2);
			if (*p == '\n') {
				p++;
				continue;
			}
		}
		if (!st->bol_not && *p == '.')
			buf_c(out, '.');
		st->bol_not = true;
		if (q == NULL || q < p)
			q = memchr(p, '\n', (size_t)(end - p));
		if (q == NULL)
			q = end;
		cr = memchr(p, '\r', (size_t)(q - p));
		if (cr != NULL && cr + 1 == q && q < end) {
			buf_add(out, p, (size_t)(q + 1 - p));
			p = q + 1;
			st->bol_not = false;
			continue;
		}
		if (cr != NULL) {
			buf_add(out, p, (size_t)(cr - p));
			p = cr + 1;
			st->cr = true;
			continue;
		}
		buf_add(out, p, (size_t)(q - p));
		p = q;
		if (q < end) {
			buf_add(out, "\r\n", 2);
			st->bol_not = false;
			p++;
		}
	}
}

void stuff_end(struct stuff *st, struct buf *out)
{
	if (st->cr || st->bol_not)
		buf_add(out, "\r\n", 2);
	buf_add(out, ".\r\n", 3);
	*st = (struct stuff){0};
}
