#include "test.h"

#include "imap/structure.h"

static size_t parse(struct arena *a, const char *z, struct imap_part **v)
{
	struct coi_err e = {0};
	size_t n = 0;

	return imap_structure(a, str_of(z), v, &n, &e) < 0 ? 0 : n;
}

TEST(single, "a single part is section 1")
{
	struct arena *a = arena_new();
	struct imap_part *v;

	CHECK_INT(parse(a,
			"(\"TEXT\" \"Plain\" (\"charset\" \"utf-8\") NIL NIL "
			"\"7BIT\" 12 1 NIL NIL NIL NIL)",
			&v),
		  1);
	CHECK_STR(v[0].section, "1");
	CHECK_STR(v[0].type, "text/plain");
	CHECK_STR(v[0].encoding, "7bit");
	CHECK_INT(v[0].octets, 12);
	arena_free(a);
}

TEST(nested, "sections of nested multiparts, literals and rfc822 inside")
{
	struct arena *a = arena_new();
	struct imap_part *v;
	size_t n = parse(
	    a,
	    "(((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)"
	    "(\"text\" \"html\" NIL NIL NIL \"base64\" 2 1) \"alternative\" "
	    "(\"boundary\" {3}\r\na)b))(\"message\" \"rfc822\" NIL NIL NIL "
	    "\"7bit\" 99 (NIL \"x \\\" (\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	    "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1) 4)"
	    "(\"image\" \"png\" NIL NIL NIL \"BASE64\" 70000) \"mixed\")",
	    &v);

	CHECK_INT(n, 6);
	if (n == 6) {
		CHECK_STR(v[0].type, "multipart/mixed");
		CHECK_STR(v[1].section, "1");
		CHECK_STR(v[1].type, "multipart/alternative");
		CHECK_STR(v[2].section, "1.1");
		CHECK_STR(v[3].section, "1.2");
		CHECK_STR(v[3].encoding, "base64");
		CHECK_STR(v[4].section, "2");
		CHECK_STR(v[4].type, "message/rfc822");
		CHECK_STR(v[5].section, "3");
		CHECK_INT(v[5].octets, 70000);
		CHECK_INT(v[5].parent, 0);
	}
	arena_free(a);
}

TEST(broken, "broken and endless structures are refused")
{
	struct arena *a = arena_new();
	struct imap_part *v;
	struct buf deep = {0};
	int i;

	CHECK_INT(parse(a, "", &v), 0);
	CHECK_INT(parse(a, "(", &v), 0);
	CHECK_INT(parse(a, "(\"a\" \"b\"", &v), 0);
	CHECK_INT(parse(a, "(\"a\" \"b\" NIL NIL NIL {99}\r\nx 1)", &v), 0);
	for (i = 0; i < 100000; i++)
		buf_c(&deep, '(');
	CHECK_INT(parse(a, buf_cstr(&deep), &v), 0);
	buf_free(&deep);
	arena_free(a);
}

TEST_MAIN
