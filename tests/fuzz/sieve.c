/* layer: sieve */
/*
 * ManageSieve lines: the same outcome however the octets are cut, within the
 * limits; and scripts of others: whatever they are, what we read out of them
 * is what we would write.  The first octet says how to cut.
 */
#include <stdint.h>

#include "core/limits.h"
#include "sieve/chat.h"
#include "sieve/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int play(struct sieve_line *l, struct str in, size_t step, size_t *used)
{
	size_t n, k;
	int rc = 0;

	*used = 0;
	while (*used < in.n && rc == 0) {
		n = in.n - *used < step ? in.n - *used : step;
		rc = sieve_line_feed(l, str_sub(in, *used, n), &k);
		if (k > n || (rc == 0 && k != n))
			__builtin_trap();
		*used += k;
	}
	if ((rc < 0) != (l->fault != NULL) || l->n > SIEVE_WORDS ||
	    l->text.n > LIMIT_SIEVE_SCRIPT + 2 * LIMIT_SIEVE_LINE)
		__builtin_trap();
	return rc;
}

static void lines(struct str in, size_t step)
{
	struct sieve_line a = {.n = 0}, b = {.n = 0};
	size_t used_a, used_b, i;
	int rc;

	do {
		sieve_line_reset(&a);
		sieve_line_reset(&b);
		rc = play(&a, in, in.n + 1, &used_a);
		if (rc != play(&b, in, step, &used_b) || used_a != used_b ||
		    a.n != b.n ||
		    sieve_line_status(&a) != sieve_line_status(&b))
			__builtin_trap();
		for (i = 0; i < a.n; i++)
			if (a.v[i].string != b.v[i].string ||
			    a.v[i].deep != b.v[i].deep ||
			    !str_eq(sieve_line_word(&a, i),
				    sieve_line_word(&b, i)))
				__builtin_trap();
		sieve_line_code(&a);
		sieve_line_argument(&a);
		sieve_line_words(&a);
		in = str_sub(in, used_a, in.n);
	} while (rc > 0 && in.n > 0);
	sieve_line_free(&a);
	sieve_line_free(&b);
}

static void scripts(struct str in)
{
	struct arena *a = arena_new();
	struct buf b = {0};
	struct str users;

	sieve_includes(in, SIEVE_CHAT);
	if (sieve_main_users(in, a, &users)) {
		sieve_main_write(users, &b);
		if (!sieve_same(buf_view(&b), in))
			__builtin_trap();
	}
	/* Any name without a line end comes back. */
	if (in.n > 0 && str_chr(in, '\n') < 0 && str_chr(in, '\r') < 0) {
		buf_clear(&b);
		sieve_main_write(in, &b);
		if (!sieve_main_users(buf_view(&b), a, &users) ||
		    !str_eq(users, in))
			__builtin_trap();
	}
	buf_free(&b);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in;

	if (size < 1)
		return 0;
	in = (struct str){(const char *)data + 1, size - 1};
	lines(in, data[0] % 64 + 1);
	scripts(in);
	return 0;
}
