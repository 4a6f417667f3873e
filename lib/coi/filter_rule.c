/* What becomes of a message, by facts alone (client specification, "Manual
 * Message Filtering"). */
#include "coi/filter_priv.h"

bool filter_mode_parse(struct str word, enum filter_mode *m)
{
	static const struct {
		const char *word;
		enum filter_mode mode;
	} words[] = {{"none", FILTER_NONE},
		     {"active", FILTER_ACTIVE},
		     {"seen", FILTER_SEEN}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (str_is(word, words[i].word)) {
			*m = words[i].mode;
			return true;
		}
	return false;
}

struct filter_deed filter_rule(enum filter_mode mode,
			       const struct filter_facts *f)
{
	struct filter_deed d = {.keyword = f->chat};
	bool moves = mode == FILTER_ACTIVE || mode == FILTER_SEEN;

	if (mode == FILTER_OFF)
		return (struct filter_deed){TO_STAY, false, false};
	if (f->blocked && !f->from_me) {
		d.to = TO_BLOCKED;
	} else if (f->from_me && f->to_others) {
		d.mark_seen = true;
		d.to = f->chat && moves ? TO_CHATS : TO_SENT;
	} else if (f->chat && moves) {
		d.to = mode == FILTER_SEEN && !f->seen ? TO_WAIT : TO_CHATS;
	}
	return d;
}
