/* layer: coi */
#include <jansson.h>
#include <stdlib.h>

#include "coi/decode.h"

/* The record of one mail and its identity, fed in steps (0: as a whole). */
static void decode(struct str in, const struct decode_opts *o, size_t step,
		   struct buf *out)
{
	struct arena *a = arena_new();
	struct decoder *d = decoder_new(o);
	struct coi_err e = {0};
	struct message m;
	size_t i;

	decoder_begin(d, a, &m);
	if (step == 0 && decoder_whole(d, in, &e) < 0)
		abort();
	for (i = 0; step > 0 && i < in.n; i += step)
		if (decoder_feed(d, str_sub(in, i, step), &e) < 0)
			abort();
	if (decoder_end(d, &e) < 0)
		abort();
	message_json(out, &m);
	buf_str(out, decoder_identity(d));
	decoder_free(d);
	arena_free(a);
}

/* One line of JSON, without control characters. */
static void check_line(struct str s)
{
	json_error_t je;
	json_t *j = json_loadb(s.p, s.n,
			       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &je);
	size_t i;

	if (!json_is_object(j) || json_object_get(j, "kind") == NULL)
		abort();
	json_decref(j);
	for (i = 0; i + 1 < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127 ||
		    ((unsigned char)s.p[i] == 0xc2 &&
		     (unsigned char)s.p[i + 1] < 0xa0))
			abort();
	if (s.n == 0 || s.p[s.n - 1] != '\n')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_opts o = {
	    .save_fd = -1, .max_size = -1, .identity = true};
	struct buf whole = {0}, pieces = {0};
	struct str in;

	if (size == 0)
		return 0;
	/* The first octet: options and size of the pieces. */
	o.full = (data[0] & 1) != 0;
	o.headers = (data[0] & 2) != 0;
	o.inline_data = (data[0] & 4) != 0;
	o.max_size = (data[0] & 8) != 0 ? 20 : -1;
	in = (struct str){(const char *)data + 1, size - 1};
	decode(in, &o, 0, &whole);
	decode(in, &o, data[0] / 16 * 3 + 1u, &pieces);
	if (!str_eq(buf_view(&whole), buf_view(&pieces)))
		abort();
	check_line(str_sub(buf_view(&whole), 0, whole.n - 32));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
