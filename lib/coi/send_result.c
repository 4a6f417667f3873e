#include "coi/send.h"
#include "fmt/json.h"

static const struct {
	const char *word;
	int status;
} table[] = {
    [SEND_ACCEPTED] = {"accepted", 0}, [SEND_PARTIAL] = {"partial", 1},
    [SEND_REFUSED] = {"refused", 67},  [SEND_DEFERRED] = {"deferred", 75},
    [SEND_QUEUED] = {"queued", 0},     [SEND_UNKNOWN] = {"unknown", 84}};

const char *send_word(enum send_outcome o)
{
	return table[o].word;
}

int send_status(enum send_outcome o)
{
	return table[o].status;
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
