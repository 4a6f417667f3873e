#include "coi/version.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

void coi_versions(struct buf *b)
{
	buf_fmt(b, "%s\n", OpenSSL_version(OPENSSL_VERSION));
	buf_fmt(b, "SQLite %s\n", sqlite3_libversion());
	buf_fmt(b, "jansson %s\n", JANSSON_VERSION);
}
