/* Whole responses to those who want them: one table for all extensions. */
#include "core/limits.h"
#include "core/log.h"
#include "imap/priv.h"

static bool ignored_take(struct imap *im, struct imap_cur *c)
{
	c->p = c->end;
	return true;
}

static const struct {
	const char *word;
	bool (*take)(struct imap *im, struct imap_cur *c);
} untagged[] = {
    {"CAPABILITY", caps_take},	   {"LIST", list_take},
    {"LSUB", lsub_take},	   {"STATUS", status_take},
    {"NAMESPACE", namespace_take}, {"METADATA", metadata_take},
    {"FLAGS", ignored_take},	   {"ENABLED", ignored_take},
};
#define UNTAGGED (sizeof(untagged) / sizeof(untagged[0]))

bool imap_known_untagged(struct str word)
{
	size_t i;

	for (i = 0; i < UNTAGGED; i++)
		if (str_iis(word, untagged[i].word))
			return true;
	return false;
}

/* "[CODE args] words" */
static void code(struct imap *im, struct str text)
{
	struct imap_cur c = {text.p, text.p + text.n, im->scratch};
	struct str name;

	if (!cur_ch(&c, '['))
		return;
	/* A code without arguments ends with the bracket. */
	name.p = c.p;
	while (c.p < c.end && *c.p != ' ' && *c.p != ']')
		c.p++;
	name.n = (size_t)(c.p - name.p);
	cur_sp(&c);
	if (str_iis(name, "CAPABILITY")) {
		const char *q = memchr(c.p, ']', (size_t)(c.end - c.p));

		if (q != NULL) {
			c.end = q;
			caps_take(im, &c);
		}
	} else if (str_iis(name, "ALERT") && im->secure) {
		/* RFC 3501 7.1: the user must see it. */
		log_line(
		    LOG_WARN, "%s: the server says: %.*s",
		    im->o.net.host != NULL ? im->o.net.host : "imap",
		    STR_ARG(str_sub(str_trim(str_sub(text, name.n + 2, text.n)),
				    0, 500)));
	} else if (str_iis(name, "NOTIFICATIONOVERFLOW")) {
		if (im->news->overflow != NULL)
			im->news->overflow(im->news_ctx);
	} else {
		select_code(im, name, &c);
		append_code(im, name, &c);
	}
}

static void greeting(struct imap *im, bool preauth)
{
	im->greeted = true;
	im->preauth = preauth;
}

static int untagged_status(struct imap *im, struct str word, struct str text,
			   struct coi_err *e)
{
	code(im, text);
	if (!im->greeted) {
		if (str_iis(word, "OK") || str_iis(word, "PREAUTH")) {
			greeting(im, word.n == 7);
			return 0;
		}
		if (!str_iis(word, "BYE"))
			return imap_violation(im, "a strange greeting", word,
					      e);
	}
	if (!str_iis(word, "BYE"))
		return 0;
	im->bye = true;
	if (im->leaving)
		return 0;
	err_set(e, COI_E_TEMP, "the server ends the connection");
	err_reply(e, text.p == NULL ? "" : text.p, text.n);
	return -1;
}

static int tagged(struct imap *im, struct str line, struct coi_err *e)
{
	struct imap_cur c = {line.p + 1, line.p + line.n, im->scratch};
	enum imap_result res;
	struct str word, text;
	uint32_t tag;

	if (line.n == 0)
		return 0; /* a blank line between two responses */
	if (line.p[0] != 'a' || !cur_u32(&c, &tag) || !cur_sp(&c) ||
	    !cur_atom(&c, &word))
		return imap_violation(im, "what is no IMAP", line, e);
	if (str_iis(word, "OK"))
		res = RES_OK;
	else if (str_iis(word, "NO"))
		res = RES_NO;
	else if (str_iis(word, "BAD"))
		res = RES_BAD;
	else
		return imap_violation(im, "what is no IMAP", line, e);
	if (imap_state(im, tag) != RES_PENDING)
		return imap_violation(
		    im, "an answer to a command that was not given", line, e);
	text = str_trim((struct str){c.p, (size_t)(c.end - c.p)});
	im->answers++;
	code(im, text);
	imap_settle(im, tag, res, text);
	return 0;
}

static int numbered(struct imap *im, struct imap_cur *c, struct str line,
		    struct coi_err *e)
{
	struct str word;
	uint32_t n;

	if (!cur_u32(c, &n) || !cur_sp(c) || !cur_atom(c, &word))
		return imap_violation(im, "a response that is broken", line, e);
	if (str_iis(word, "EXISTS")) {
		select_exists(im, n);
		if (im->want.select == NULL && im->news->exists != NULL)
			im->news->exists(im->news_ctx, n);
	} else if (str_iis(word, "EXPUNGE")) {
		if (im->want.select == NULL && im->news->expunge != NULL)
			im->news->expunge(im->news_ctx, n);
	}
	return 0;
}

int imap_respond(struct imap *im, struct str line, struct coi_err *e)
{
	struct imap_cur c = {line.p, line.p + line.n, im->scratch};
	struct str word;
	size_t i;

	if (cur_ch(&c, '+')) {
		if (!im->greeted)
			return imap_violation(im, "a strange greeting", line,
					      e);
		cur_sp(&c);
		im->plus = true;
		im->answers++;
		buf_clear(&im->plus_text);
		buf_add(&im->plus_text, c.p, (size_t)(c.end - c.p));
		return 0;
	}
	if (!cur_ch(&c, '*')) {
		if (!im->greeted)
			return imap_violation(im, "a strange greeting", line,
					      e);
		return tagged(im, line, e);
	}
	cur_sp(&c);
	if (im->greeted && c.p < c.end && *c.p >= '0' && *c.p <= '9')
		return numbered(im, &c, line, e);
	cur_atom(&c, &word);
	for (i = 0; im->greeted && i < UNTAGGED; i++) {
		if (!str_iis(word, untagged[i].word))
			continue;
		cur_sp(&c);
		if (untagged[i].take(im, &c))
			return 0;
		return imap_violation(im, "a response that is broken", line, e);
	}
	cur_sp(&c);
	return untagged_status(im, word,
			       (struct str){c.p, (size_t)(c.end - c.p)}, e);
}
