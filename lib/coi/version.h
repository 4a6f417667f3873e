/* Versions of the libraries in use, for -V. */
#ifndef COI_VERSION_H
#define COI_VERSION_H

#include "core/str.h"

void coi_versions(struct buf *b); /* one line each */

#endif
