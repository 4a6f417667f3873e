#include "fmt/date.h"
#include "fmt/msgid.h"
#include "kind/in.h"
#include "kind/keys.h"

int in_bad(struct in *in, const char *why)
{
	struct str p = buf_view(&in->path);

	return err_set(in->e, COI_E_DATA, "%.*s %s", STR_ARG(p), why);
}

size_t in_push(struct in *in, const char *key, size_t n)
{
	size_t mark = in->path.n;

	if (mark > 0)
		buf_c(&in->path, '.');
	buf_add(&in->path, key, n < 60 ? n : 60);
	return mark;
}

size_t in_push_index(struct in *in, size_t i)
{
	size_t mark = in->path.n;

	buf_fmt(&in->path, "[%zu]", i);
	return mark;
}

/* --- values ------------------------------------------------------------- */

const char *in_type_name(const json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_NULL:
		return "null";
	default:
		return "true or false";
	}
}

int in_wrong_type(struct in *in, const json_t *v, const char *want)
{
	struct str p = buf_view(&in->path);

	err_set(in->e, COI_E_DATA, "%.*s must be %s, not %s", STR_ARG(p), want,
		in_type_name(v));
	if (json_is_null(v))
		err_hint(in->e, "leave out a key that has no value; in jq: "
				"with_entries(select(.value != null))");
	return -1;
}

json_t *in_scalar(json_t *v)
{
	if (json_is_array(v) && json_array_size(v) == 1)
		return json_array_get(v, 0);
	return v;
}

int in_str(struct in *in, json_t *v, struct str *out)
{
	struct str s;

	v = in_scalar(v);
	if (!json_is_string(v))
		return in_wrong_type(in, v, "a string");
	s = (struct str){json_string_value(v), json_string_length(v)};
	if (str_chr(s, '\0') >= 0)
		return in_bad(in, "has a NUL character (\\u0000), which mail "
				  "cannot carry");
	*out = arena_str(in->a, s);
	return 0;
}

int in_bool(struct in *in, json_t *v, bool *out)
{
	if (!json_is_boolean(v))
		return in_wrong_type(in, v, "true or false");
	*out = json_is_true(v);
	return 0;
}

int in_id(struct in *in, json_t *v, struct str *out)
{
	struct str s = STR_NONE;

	if (in_str(in, v, &s) < 0)
		return -1;
	s = str_trim(s);
	if (s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = str_sub(s, 1, s.n - 2);
	if (!msgid_valid(s)) {
		in_bad(in, "is not a message id");
		err_hint(in->e, "an id looks like chat$abc@example.org");
		return -1;
	}
	*out = s;
	return 0;
}

int in_date(struct in *in, json_t *v, int64_t *out)
{
	struct str s = STR_NONE;

	if (in_str(in, v, &s) < 0)
		return -1;
	/* Fractions do not fit a Date header: they would vanish. */
	if (str_chr(s, '.') >= 0 || !date_parse_3339(s, out)) {
		in_bad(in, "is not a date");
		err_hint(in->e, "RFC 3339 without fractions of a second: "
				"2019-12-04T14:51:37Z");
		return -1;
	}
	return 0;
}

/* --- keys --------------------------------------------------------------- */

int in_unknown_key(struct in *in, const char *key, size_t n,
		   const char *const *known)
{
	const char *near;
	struct str name = {key, n};
	size_t mark;

	if (in->lax)
		return 0;
	mark = in_push(in, key, n);
	err_set(in->e, COI_E_DATA, "unknown key \"%.*s\"",
		STR_ARG(buf_view(&in->path)));
	in->path.n = mark;
	near = keys_nearest(name, known);
	if (mark == 0 && (str_is(name, "event") || str_is(name, "result")))
		err_hint(in->e, "this is no message; in jq: select(.kind)");
	else if (near != NULL)
		err_hint(in->e,
			 "did you mean \"%s\"? (--lax drops unknown "
			 "keys)",
			 near);
	else
		err_hint(in->e, "--lax drops unknown keys");
	return -1;
}

int in_later(struct in *in, const char *key, size_t n)
{
	size_t mark = in_push(in, key, n);

	err_set(in->e, COI_E_DATA, "\"%.*s\" is not supported yet",
		STR_ARG(buf_view(&in->path)));
	err_hint(in->e, "leave the key out");
	in->path.n = mark;
	return -1;
}
