#include <iconv.h>
#include <string.h>

#include "fmt/text.h"

/* What mail calls it, and a superset that its senders really use. */
static const struct {
	const char *name, *use;
} aliases[] = {
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"cp936", "GB18030"},
    {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"windows-949", "CP949"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"ms_kanji", "CP932"},
    {"big5", "BIG5-HKSCS"},
    {"cp950", "BIG5-HKSCS"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"iso-8859-9", "CP1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"mac", "MACINTOSH"},
    {"mac-roman", "MACINTOSH"},
};

/* Names that may reach iconv: real mail, not "CHAR" or a locale's own. */
static const char *const families[] = {
    "iso-8859-", "iso8859-", "iso_8859-", "windows-", "cp",	   "koi8-",
    "gb18030",	 "big5",     "euc-",	  "eucjp",    "iso-2022-", "utf-7",
    "utf-16",	 "utf-32",   "utf16",	  "utf32",    "ucs-2",	   "shift",
    "mac",	 "ibm",	     "viscii",	  "tcvn",     "johab",	   "armscii-8",
    "georgian-", "pt154",    "hp-roman8", "tis-620",  "hz",	   "nextstep",
};

static const uint16_t cp1252[32] = {
    0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
    0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
    0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
};

/* What calls itself Latin-1 is windows-1252 where the two differ. */
static void from_latin1(struct buf *b, struct str in)
{
	size_t i, from = 0;

	for (i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (c < 0x80)
			continue;
		buf_add(b, in.p + from, i - from);
		buf_cp(b, c < 0xa0 ? cp1252[c - 0x80] : c);
		from = i + 1;
	}
	buf_add(b, in.p + from, in.n - from);
}

static bool is_one_of(struct str name, const char *const *list, size_t n)
{
	while (n > 0)
		if (str_iis(name, list[--n]))
			return true;
	return false;
}

#define ONE_OF(s, v) is_one_of((s), (v), sizeof(v) / sizeof((v)[0]))

static bool iconv_name(struct str name, char *out, size_t max)
{
	size_t i;

	if (name.n == 0 || name.n >= max)
		return false;
	for (i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		      (c >= 'A' && c <= 'Z') || (c != 0 && strchr("-_:.", c))))
			return false;
	}
	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (str_iis(name, aliases[i].name)) {
			memcpy(out, aliases[i].use, strlen(aliases[i].use) + 1);
			return true;
		}
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (str_istarts(name, families[i])) {
			memcpy(out, name.p, name.n);
			out[name.n] = 0;
			return true;
		}
	return false;
}

#define REPLACEMENT "\xef\xbf\xbd"

static void convert(iconv_t cd, struct buf *b, struct str in)
{
	char *src = (char *)(uintptr_t)in.p;
	size_t left = in.n;
	bool flush = false;

	for (;;) {
		size_t room = left * 2 + 64, free_;
		char *dst = buf_room(b, room), *start = dst;
		size_t before = left, r;

		free_ = room;
		r = iconv(cd, flush ? NULL : &src, &left, &dst, &free_);
		b->n += (size_t)(dst - start);
		if (r != (size_t)-1) {
			if (flush)
				return;
			flush = true;
			left = 0;
			continue;
		}
		if (flush)
			return;
		if (left == 0) {
			flush = true;
			continue;
		}
		if (free_ < 16 && (dst != start || left != before))
			continue; /* no room is no error */
		buf_z(b, REPLACEMENT);
		src++;
		left--;
	}
}

bool text_to_utf8(struct buf *b, struct str charset, struct str in)
{
	static const char *const utf8[] = {"utf-8", "utf8", "unicode-1-1-utf-8",
					   "cp65001"};
	static const char *const ascii[] = {
	    "us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "us"};
	static const char *const latin1[] = {
	    "iso-8859-1", "latin1",
	    "iso8859-1",  "iso_8859-1",
	    "8859-1",	  "windows-1252",
	    "cp1252",	  "l1",
	    "latin-1",	  "iso-8859-1-windows-1252"};
	struct str name = str_trim(charset);
	char z[64];
	iconv_t cd;

	if (in.n == 0)
		return true;
	while (name.n > 1 && (name.p[0] == '"' || name.p[0] == '\''))
		name = str_sub(name, 1, name.n - 1);
	while (name.n > 0 &&
	       (name.p[name.n - 1] == '"' || name.p[name.n - 1] == '\''))
		name.n--;
	if (str_istarts(name, "x-"))
		name = str_sub(name, 2, name.n - 2);
	else if (str_istarts(name, "cs") && !str_iis(name, "cs"))
		name = str_sub(name, 2, name.n - 2);
	if (ONE_OF(name, utf8)) {
		buf_utf8(b, in);
		return true;
	}
	if (ONE_OF(name, latin1)) {
		from_latin1(b, in);
		return true;
	}
	if (iconv_name(name, z, sizeof(z))) {
		cd = iconv_open("UTF-8", z);
		if (cd != (iconv_t)-1) {
			convert(cd, b, in);
			iconv_close(cd);
			return true;
		}
	}
	if (utf8_valid(in)) {
		buf_str(b, in);
		return name.n == 0 || ONE_OF(name, ascii);
	}
	from_latin1(b, in);
	return false;
}
