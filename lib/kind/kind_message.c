#include "kind/kind.h"

const struct coi_kind kind_message = {
    .name = "message",
    .help = "text, formatted text, files",
};
