/* Names of hosts, and what a reader may see of it all. */
#include "core/file.h"
#include "core/log.h"
#include "find/priv.h"

static bool word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool find_is_host(struct str name)
{
	bool letter = false;

	if (name.n == 0 || name.n > 253)
		return false;
	while (name.p != NULL) {
		bool more = str_chr(name, '.') >= 0;
		struct str label = str_split(&name, '.');
		size_t i;

		if (label.n == 0 || label.n > 63 || label.p[0] == '-' ||
		    label.p[label.n - 1] == '-')
			return false;
		letter = false;
		for (i = 0; i < label.n; i++) {
			if (!word(label.p[i]) && label.p[i] != '-' &&
			    label.p[i] != '_')
				return false;
			letter |= label.p[i] < '0' || label.p[i] > '9';
		}
		if (!more)
			break;
	}
	return letter; /* no address: 192.0.2.1 */
}

bool find_is_inside(struct str name, struct str domain)
{
	if (str_ieq(name, domain))
		return true;
	/* Below a name without a dot stand all its customers. */
	if (name.n <= domain.n + 1 || str_chr(domain, '.') < 0)
		return false;
	return name.p[name.n - domain.n - 1] == '.' &&
	       str_ieq(str_sub(name, name.n - domain.n, domain.n), domain);
}

void find_note(const struct find_opts *o, const char *label, char dir,
	       const char *fmt, ...)
{
	struct buf raw = {0}, b = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vfmt(&raw, fmt, ap);
	va_end(ap);
	buf_fmt(&b, "%s %c: ", label, dir);
	buf_clean(&b, buf_view(&raw));
	log_line(LOG_INFO, "%s", buf_cstr(&b));
	buf_c(&b, '\n');
	if (o->trace_fd >= 0)
		(void)file_write_fd(o->trace_fd, b.p, b.n, NULL);
	buf_free(&raw);
	buf_free(&b);
}

void find_escape(struct buf *b, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (word(s.p[i]) || (c != '\0' && strchr("-._~", c) != NULL)) {
			buf_c(b, s.p[i]);
			continue;
		}
		buf_c(b, '%');
		buf_c(b, hex[c >> 4]);
		buf_c(b, hex[c & 15]);
	}
}
