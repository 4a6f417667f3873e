#include "schema.h"

/*
 * The files of share/ are in the program itself, so that they can be printed
 * wherever it is installed, or not installed at all.
 */
#define EMBED(name)                                             \
	__asm__(".pushsection .rodata\n"                        \
		"schema_" #name ":\n"                           \
		".incbin \"share/coi-" #name ".schema.json\"\n" \
		"schema_" #name "_end:\n"                       \
		".popsection\n");                               \
	extern const char schema_##name[], schema_##name##_end[]

EMBED(message);
EMBED(result);
EMBED(error);
EMBED(event);

static const struct {
	const char *name, *text, *end;
} schemas[] = {{"message", schema_message, schema_message_end},
	       {"result", schema_result, schema_result_end},
	       {"error", schema_error, schema_error_end},
	       {"event", schema_event, schema_event_end}};

int schema_print(struct cli *c, const char *otherwise, struct coi_err *e)
{
	const char *name = cli_value(c, "json-schema");
	size_t i;

	if (name == NULL)
		name = otherwise;
	for (i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
		if (strcmp(name, schemas[i].name) == 0)
			return cli_out(c,
				       (struct str){schemas[i].text,
						    (size_t)(schemas[i].end -
							     schemas[i].text)},
				       e);
	return cli_usage(
	    c, e,
	    "--json-schema: \"%s\" is not message, result, error or "
	    "event",
	    name);
}
