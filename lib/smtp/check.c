#include "smtp/priv.h"

#include "core/limits.h"

#define ADDRESS_MAX 1000 /* RFC 5321 says 254; be generous */
#define ARG_MAX 100

/* NULL when the address can stand between < and >. */
static const char *address_fault(struct str a)
{
	bool quoted = false;
	size_t i;

	if (a.n > ADDRESS_MAX)
		return "it is too long";
	if (!utf8_valid(a))
		return "it is not UTF-8";
	for (i = 0; i < a.n; i++) {
		unsigned char c = (unsigned char)a.p[i];

		if (c < ' ' || c == 0x7f)
			return "it holds a control character";
		if (c == 0xc2 && i + 1 < a.n &&
		    (unsigned char)a.p[i + 1] < 0xa0)
			return "it holds a control character";
		if (quoted && c == '\\') {
			if (i + 1 == a.n)
				return "it ends in a backslash";
			if ((unsigned char)a.p[i + 1] < ' ' ||
			    a.p[i + 1] == 0x7f)
				return "it holds a control character";
			i++;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && (c == '<' || c == '>')) {
			return "it holds an angle bracket";
		} else if (!quoted && c == ' ') {
			return "it holds a blank";
		}
	}
	return quoted ? "a quote is left open" : NULL;
}

static int check_address(struct str a, const char *what, struct coi_err *e)
{
	const char *why = address_fault(a);

	if (why == NULL)
		return 0;
	err_set(e, COI_E_DATA, "bad %s address \"%.*s\": %s", what, STR_ARG(a),
		why);
	err_stage(e, "envelope");
	return -1;
}

/* NOTIFY and RET are words, with commas between. */
static int check_words(struct str s, const char *what, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < s.n && i < ARG_MAX; i++)
		if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		      (s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == ','))
			break;
	if (i == s.n)
		return 0;
	err_set(e, COI_E_DATA, "bad value for %s", what);
	err_stage(e, "envelope");
	return -1;
}

static int check_envid(struct str s, struct coi_err *e)
{
	size_t i;

	for (i = 0; i < s.n && i < ARG_MAX; i++)
		if (s.p[i] < ' ' || s.p[i] == 0x7f)
			break;
	if (i == s.n)
		return 0;
	err_set(e, COI_E_DATA, "bad value for ENVID");
	err_stage(e, "envelope");
	return -1;
}

int smtp_check(const struct smtp_msg *m, struct coi_err *e)
{
	size_t i;

	if (m->nrcpts == 0 || m->nrcpts > LIMIT_RCPTS) {
		err_set(e, COI_E_DATA,
			m->nrcpts == 0 ? "no recipient"
				       : "more than %u recipients",
			LIMIT_RCPTS);
		err_stage(e, "envelope");
		return -1;
	}
	if (check_address(m->from, "sender", e) != 0 ||
	    check_words(m->notify, "NOTIFY", e) != 0 ||
	    check_words(m->ret, "RET", e) != 0 || check_envid(m->envid, e) != 0)
		return -1;
	for (i = 0; i < m->nrcpts; i++) {
		if (m->rcpts[i].email.n == 0) {
			err_set(e, COI_E_DATA, "empty recipient address");
			err_stage(e, "envelope");
			return -1;
		}
		if (check_address(m->rcpts[i].email, "recipient", e) != 0)
			return -1;
	}
	return 0;
}

bool smtp_needs_utf8(const struct smtp_msg *m)
{
	size_t i;

	if (m->utf8 || !str_ascii(m->from))
		return true;
	for (i = 0; i < m->nrcpts; i++)
		if (!str_ascii(m->rcpts[i].email))
			return true;
	return false;
}

bool smtp_check_fits(const struct smtp *s, struct arena *a, struct smtp_msg *m)
{
	size_t i;

	if (s->max_size > 0 && m->size > s->max_size) {
		m->enhanced = STR("5.3.4");
		m->reply = arena_fmt(
		    a,
		    "not sent: the message has %llu octets, the server takes "
		    "%llu at most",
		    (unsigned long long)m->size,
		    (unsigned long long)s->max_size);
	} else if (smtp_needs_utf8(m) && !s->smtputf8) {
		m->enhanced = STR("5.6.7");
		m->reply = STR("not sent: an address or header needs SMTPUTF8, "
			       "which the server does not offer");
	} else if (m->eight_bit && !s->eightbit) {
		m->enhanced = STR("5.6.3");
		m->reply = STR("not sent: the body has 8-bit octets and the "
			       "server does not offer 8BITMIME");
	} else {
		return true;
	}
	m->state = SMTP_REFUSED;
	m->code = 0;
	for (i = 0; i < m->nrcpts; i++) {
		m->rcpts[i].state = SMTP_REFUSED;
		m->rcpts[i].code = 0;
		m->rcpts[i].enhanced = m->enhanced;
		m->rcpts[i].reply = m->reply;
	}
	return false;
}

void smtp_xtext(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c > ' ' && c < 0x7f && c != '+' && c != '=')
			buf_c(out, (char)c);
		else
			buf_fmt(out, "+%02X", c);
	}
}
