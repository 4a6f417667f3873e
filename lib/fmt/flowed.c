#include "fmt/flowed.h"

#define COLS 72

/* --- writing ------------------------------------------------------------- */

static bool stuffed(struct str s)
{
	return s.n > 0 &&
	       (s.p[0] == ' ' || s.p[0] == '>' || str_starts(s, "From "));
}

static void put_line(struct buf *b, struct str s)
{
	if (stuffed(s))
		buf_c(b, ' ');
	buf_str(b, s);
	buf_z(b, "\r\n");
}

/*
 * Octets of the first line of s, its blank included: as many words as fit, at
 * least one.  s.n when the rest is one line.
 */
static size_t line_size(struct str s)
{
	size_t i, cols = stuffed(s), cut = 0;

	for (i = 0; i < s.n; i++) {
		/* Code points, not octets; the last column is for the blank. */
		cols += ((unsigned char)s.p[i] & 0xc0) != 0x80;
		if (cols > COLS && cut > 0)
			return cut;
		/* "-- " alone would be read as the signature mark. */
		if (s.p[i] == ' ' && i + 1 < s.n && s.p[i + 1] != ' ' &&
		    !(i == 2 && str_starts(s, "-- ")))
			cut = i + 1;
	}
	return s.n;
}

void flowed_encode(struct buf *b, struct str text)
{
	struct str line;
	size_t n;

	while (str_line(&text, &line)) {
		if (!str_is(line, "-- "))
			while (line.n > 0 && (line.p[line.n - 1] == ' ' ||
					      line.p[line.n - 1] == '\t'))
				line.n--;
		do {
			n = line_size(line);
			put_line(b, str_sub(line, 0, n));
			line = str_sub(line, n, line.n);
		} while (line.n > 0);
	}
}

/* --- reading ------------------------------------------------------------- */

void flowed_decode(struct buf *b, struct str wire, bool delsp)
{
	bool open = false, end = false; /* open: the paragraph goes on */
	size_t depth = 0, d, i;
	struct str line;

	while (wire.n > 0) {
		bool mark, soft;

		end = str_chr(wire, '\n') >= 0;
		str_line(&wire, &line);
		for (d = 0; d < line.n && line.p[d] == '>'; d++)
			;
		line = str_sub(line, d, line.n);
		if (line.n > 0 && line.p[0] == ' ')
			line = str_sub(line, 1, line.n);
		mark = str_is(line, "-- ");
		soft = !mark && line.n > 0 && line.p[line.n - 1] == ' ';
		if (open && (mark || d != depth)) {
			buf_c(b, '\n');
			open = false;
		}
		if (!open && d > 0) {
			for (i = 0; i < d; i++)
				buf_c(b, '>');
			if (line.n > 0)
				buf_c(b, ' ');
		}
		if (soft && delsp)
			line.n--;
		buf_str(b, line);
		depth = d;
		open = soft;
		if (!open && end)
			buf_c(b, '\n');
	}
	if (open && end)
		buf_c(b, '\n');
}
