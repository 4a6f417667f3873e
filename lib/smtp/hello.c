#include "smtp/priv.h"

#include "core/log.h"

/* The line's keyword and the rest behind the blank. */
static struct str keyword(struct str line, struct str *arg)
{
	struct str word = str_split(&line, ' ');

	*arg = str_trim(line);
	return word;
}

bool smtp_ext(const struct smtp *s, const char *name, struct str *arg)
{
	struct str rest = buf_view(&s->ext), line;

	while (str_line(&rest, &line))
		if (str_iis(keyword(line, arg), name))
			return true;
	return false;
}

bool smtp_has(const struct smtp *s, const char *extension)
{
	struct str arg;

	return smtp_ext(s, extension, &arg);
}

static void learn(struct smtp *s)
{
	struct str text = buf_view(&s->r.text), first, arg;

	buf_clear(&s->ext);
	if (str_line(&text, &first))
		buf_str(&s->ext, text);
	s->pipelining = smtp_has(s, "PIPELINING");
	s->chunking = smtp_has(s, "CHUNKING");
	s->eightbit = smtp_has(s, "8BITMIME");
	s->smtputf8 = smtp_has(s, "SMTPUTF8");
	s->dsn = smtp_has(s, "DSN");
	s->max_size = 0;
	s->sizes = smtp_ext(s, "SIZE", &arg);
	if (s->sizes && arg.n > 0 && !str_u64(arg, UINT64_MAX, &s->max_size))
		s->max_size = 0;
}

static int check_name(const char *name, struct coi_err *e)
{
	const char *p;

	for (p = name; *p > ' ' && *p < 0x7f; p++)
		;
	if (*p == '\0' && p != name && p - name <= 255)
		return 0;
	return err_set(e, COI_E_CONFIG, "bad name for EHLO: \"%s\"", name);
}

int smtp_hello(struct smtp *s, struct coi_err *e)
{
	/* Our real name or address is nobody's business in Received. */
	const char *name = s->o.helo != NULL ? s->o.helo : "[127.0.0.1]";
	const char *verb = s->o.lmtp ? "LHLO" : "EHLO";

	if (check_name(name, e) != 0)
		return smtp_failed(s, "ehlo", e);
	if (smtp_cmd(s, "ehlo", e, "%s %s", verb, name) != 0)
		return -1;
	if (s->r.code == 250) {
		learn(s);
		return 0;
	}
	if (s->r.code / 100 == 5 && !s->o.lmtp) {
		/* Without extensions nothing may stay of the old ones. */
		smtp_reply_reset(&s->r);
		learn(s);
		if (smtp_cmd(s, "ehlo", e, "HELO %s", name) != 0)
			return -1;
		if (s->r.code == 250) {
			smtp_reply_reset(&s->r);
			learn(s);
			return 0;
		}
	}
	switch (s->r.code / 100) {
	case 4:
		return smtp_refused(s, COI_E_TEMP, "ehlo", e,
				    "the server cannot serve us now");
	case 5:
		return smtp_refused(s, COI_E_UNAVAILABLE, "ehlo", e,
				    "the server refused our greeting");
	default:
		return smtp_refused(s, COI_E_PROTOCOL, "ehlo", e,
				    "the server answered EHLO with nonsense");
	}
}
