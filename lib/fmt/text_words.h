/* How mail programs of many languages introduce what they quote. */
#ifndef FMT_TEXT_WORDS_H
#define FMT_TEXT_WORDS_H

#include <stdbool.h>

#include "core/str.h"

enum { WORDS_NONE, WORDS_FROM, WORDS_SENT, WORDS_TO, WORDS_CC, WORDS_SUBJECT };

/* Which field of a quoted header block the line is ("*Von:* ..."). */
int words_header(struct str line);

/* "-----Original Message-----" */
bool words_separator(struct str line);

/* The line introduces a message that is passed on. */
bool words_forwards(struct str line);

/* "On ... wrote:"; `joined`: of more than one line, a date must be in it. */
bool words_attribution(struct str line, bool joined);

/* The line may be the first of a broken attribution. */
bool words_opener(struct str line);

#endif
