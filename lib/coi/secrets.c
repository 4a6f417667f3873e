#include "coi/account_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/limits.h"
#include "core/sys.h"

#define COMMAND_MS 30000

struct secret *secret_line(const char *what, struct str text, struct coi_err *e)
{
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n > 0 && text.p[text.n - 1] == '\r')
		text.n--;
	if (text.n == 0)
		err_set(e, COI_E_CONFIG, "%s gives nothing", what);
	else if (memchr(text.p, '\n', text.n) != NULL) {
		err_set(e, COI_E_CONFIG, "%s gives more than one line", what);
		err_hint(e, "it must give the secret alone, e.g. through "
			    "\"| head -n 1\"");
	} else if (memchr(text.p, '\0', text.n) != NULL)
		err_set(e, COI_E_CONFIG, "%s gives a NUL", what);
	else
		return secret_new(text);
	return NULL;
}

struct secret *secret_read(const char *what, const char *path, bool others,
			   struct coi_err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct secret *s = NULL;
	struct coi_err why = {0};
	struct buf b = {0};
	struct stat st;

	if (fd < 0) {
		err_errno(e, COI_E_CONFIG, errno, "%s: cannot open %s", what,
			  path);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(e, COI_E_CONFIG, "%s: %s is no regular file", what,
			path);
		goto out;
	}
	if (others && file_is_open_to_others(fd)) {
		err_set(e, COI_E_CONFIG, "%s: others can read %s", what, path);
		err_hint(e, "chmod 600 %s", path);
		goto out;
	}
	/* Room at once: growing would leave copies behind. */
	buf_room(&b, LIMIT_SECRET + 32768);
	if (file_read_fd(fd, LIMIT_SECRET, &b, &why) < 0)
		err_set(e, COI_E_CONFIG, "%s: %s: %s", what, path, why.msg);
	else
		s = secret_line(what, buf_view(&b), e);
out:
	buf_wipe(&b);
	close(fd);
	return s;
}

/* --- where they come from ------------------------------------------------- */

/* $CREDENTIALS_DIRECTORY/coi-NAME.KIND or KIND; NULL without an error when
 * there is none.  systemd guards that folder itself (by ACL). */
static struct secret *credential(struct account *ac, const char *kind,
				 struct coi_err *e)
{
	struct buf path = {0}, what = {0};
	struct secret *s = NULL;
	int i;

	if (ac->credentials == NULL)
		return NULL;
	buf_fmt(&what, "credential of account \"%s\"", ac->section);
	for (i = 0; i < 2 && s == NULL && e->code == COI_OK; i++) {
		buf_clear(&path);
		buf_fmt(&path, "%s/", ac->credentials);
		if (i == 0)
			buf_fmt(&path, "coi-%s.", ac->section);
		buf_z(&path, kind);
		if (access(buf_cstr(&path), F_OK) == 0)
			s = secret_read(buf_cstr(&what), buf_cstr(&path), false,
					e);
	}
	buf_free(&path);
	buf_free(&what);
	return s;
}

static struct secret *by_command(struct account *ac, const char *key,
				 const char *command, struct coi_err *e)
{
	struct buf what = {0};
	struct secret *s;

	buf_fmt(&what, "%s of account \"%s\"", key, ac->section);
	s = secret_run(buf_cstr(&what), command, ac->environ_of_commands,
		       ac->cancel_fd, COMMAND_MS, e);
	buf_free(&what);
	return s;
}

static void load(struct account *ac, struct secret **password,
		 struct secret **token, struct coi_err *e)
{
	struct buf what = {0};

	if (ac->token_command != NULL) {
		*token = by_command(ac, "token-command", ac->token_command, e);
	} else if (ac->password_command != NULL) {
		*password = by_command(ac, "password-command",
				       ac->password_command, e);
	} else if (ac->password_file != NULL) {
		buf_fmt(&what, "password-file of account \"%s\"", ac->section);
		*password = secret_read(buf_cstr(&what), ac->password_file,
					true, e);
	} else {
		*token = credential(ac, "token", e);
		if (*token == NULL && e->code == COI_OK)
			*password = credential(ac, "password", e);
	}
	buf_free(&what);
}

int account_secrets(struct account *ac, bool fresh, struct coi_err *e)
{
	struct secret *password = NULL, *token = NULL;
	struct coi_err mine = {0};

	if (!fresh && ac->secrets_at != 0)
		return 0;
	load(ac, &password, &token, &mine);
	if (mine.code == COI_OK && password == NULL && token == NULL &&
	    ac->client_cert == NULL) {
		err_set(&mine, COI_E_CONFIG,
			"account \"%s\" has no password or token", ac->section);
		err_hint(&mine,
			 "add password-command, password-file or "
			 "token-command to %s",
			 ac->file != NULL ? ac->file : "the configuration");
	}
	if (mine.code != COI_OK) {
		err_stage(&mine, "password");
		if (e->code == COI_OK)
			*e = mine;
		return -1;
	}
	ac->secrets_new = !secret_same(ac->password, password) ||
			  !secret_same(ac->token, token);
	secret_free(ac->password);
	secret_free(ac->token);
	ac->password = password;
	ac->token = token;
	ac->secrets_at = sys_mono_ms() + 1; /* never 0 */
	return 0;
}
