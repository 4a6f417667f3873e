#include "coi/send.h"
#include "fmt/json.h"

static const char *const words[] = {
    [SEND_ACCEPTED] = "accepted", [SEND_PARTIAL] = "partial",
    [SEND_REFUSED] = "refused",	  [SEND_DEFERRED] = "deferred",
    [SEND_QUEUED] = "queued",	  [SEND_UNKNOWN] = "unknown"};

const char *send_word(enum send_outcome o)
{
	return words[o];
}

void send_result_json(struct buf *b, const struct send_result *r)
{
	struct json j;
	size_t i;

	json_begin(&j, b);
	json_open(&j, '{');
	json_kstr(&j, "result", str_of(send_word(r->outcome)));
	json_kstr(&j, "id", r->id);
	if (r->input > 0)
		json_kint(&j, "input", r->input);
	json_kstr(&j, "source", r->source);
	json_key(&j, "recipients");
	json_open(&j, '[');
	for (i = 0; i < r->nrcpts; i++) {
		const struct send_rcpt *x = &r->rcpts[i];

		json_open(&j, '{');
		json_kstr(&j, "email", x->email);
		json_kstr(&j, "state", str_of(send_word(x->state)));
		if (x->code > 0)
			json_kint(&j, "code", x->code);
		json_kstr(&j, "enhanced", x->enhanced);
		json_kstr(&j, "reply", x->reply);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_c(b, '\n');
}
