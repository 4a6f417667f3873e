#include "filtering.h"

#include <stdlib.h>

int filtering_mode(struct cli *c, enum filter_mode *m, struct coi_err *e)
{
	const char *word = cli_value(c, "filter"), **boxes;
	size_t i, n = cli_values(c, "mailbox", &boxes);
	bool inbox = n == 0;
	int rc = 0;

	*m = FILTER_OFF;
	for (i = 0; i < n; i++)
		inbox |= str_iis(str_of(boxes[i]), "INBOX");
	if (word != NULL && !filter_mode_parse(str_of(word), m))
		rc = cli_usage(c, e,
			       "--filter: \"%.60s\" is not none, active or "
			       "seen",
			       word);
	else if (word != NULL && !inbox)
		rc = cli_usage(c, e,
			       "--filter sorts what is in INBOX, which -b "
			       "leaves out");
	free(boxes);
	return rc;
}
