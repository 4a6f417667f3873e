/* layer: fmt */
#include "fmt/enc.h"

static void decode(enum enc enc, struct str in, size_t step, struct buf *out,
		   bool *bad)
{
	struct enc_dec d = {.enc = enc};
	size_t i;

	for (i = 0; i < in.n; i += step)
		enc_decode(&d, str_sub(in, i, step), false, out);
	enc_decode(&d, STR(""), true, out);
	*bad = d.bad;
}

/* Pieces decode like the whole. */
static void pieces(enum enc enc, struct str in, size_t step)
{
	struct buf whole = {0}, split = {0};
	bool bad = false, bad2 = false;

	decode(enc, in, in.n + 1, &whole, &bad);
	decode(enc, in, step, &split, &bad2);
	if (!str_eq(buf_view(&whole), buf_view(&split)) || bad != bad2)
		abort();
	buf_free(&whole);
	buf_free(&split);
}

/* What is written is read back, in lines of at most 76. */
static void there_and_back(enum enc enc, struct str in)
{
	struct buf wire = {0}, back = {0}, lf = {0};
	struct str rest, line;
	bool bad = false;
	size_t i;

	/* As text, CRLF and LF are the same line end. */
	for (i = 0; i < in.n; i++) {
		if (enc == ENC_QP && in.p[i] == '\n' &&
		    (i == 0 || in.p[i - 1] != '\r'))
			buf_c(&lf, '\r');
		buf_c(&lf, in.p[i]);
	}
	if (enc == ENC_QP)
		enc_qp(&wire, in);
	else
		enc_b64_lines(&wire, in);
	rest = buf_view(&wire);
	while (str_line(&rest, &line))
		if (line.n > 76 || str_starts(line, "From ") ||
		    str_starts(line, ".") || str_ends(line, " "))
			abort();
	decode(enc, buf_view(&wire), 7, &back, &bad);
	if (bad || !str_eq(buf_view(&back), buf_view(&lf)))
		abort();
	buf_free(&wire);
	buf_free(&back);
	buf_free(&lf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = {(const char *)data, size};
	struct buf b = {0};
	size_t step;

	if (size < 1)
		return 0;
	step = data[0] % 16 + 1u;
	in = str_sub(in, 1, size);
	pieces(ENC_QP, in, step);
	pieces(ENC_BASE64, in, step);
	there_and_back(ENC_QP, in);
	there_and_back(ENC_BASE64, in);
	enc_b64_decode(in, data[0] & 16, &b);
	enc_of(in);
	buf_free(&b);
	return 0;
}
