/* The doctor on this machine: the secret, the state, the clock. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "coi/doctor_priv.h"
#include "core/sys.h"
#include "fmt/date.h"
#include "store/store.h"

#define DISK_MIN (16ull << 20)
#define CLOCK_MAX 300
#define CLOCK_YEAR                                                \
	1767225600 /* 2026-01-01: older is a clock that was reset \
		    */

void doctor_secret(struct doctor *d)
{
	struct account *ac = d->ac;
	struct coi_err e = {0};

	ac->cancel_fd = d->net->cancel_fd;
	if (account_secrets(ac, false, &e) < 0) {
		d->no_secret = true;
		doctor_failed(d, "secret", &e);
		return;
	}
	if (ac->token != NULL)
		doctor_ok(d, "secret", "a token from %s",
			  ac->token_command != NULL ? "token-command"
						    : "a credential");
	else if (ac->password != NULL)
		doctor_ok(d, "secret", "a password from %s",
			  ac->password_command != NULL ? "password-command"
			  : ac->password_file != NULL  ? "password-file"
						       : "a credential");
	else
		doctor_ok(d, "secret", "none; the client certificate is used");
}

/* --- the state -------------------------------------------------------------
 */

/* Where it would be made: the nearest folder that is there. */
static void check_above(struct doctor *d, const char *dir)
{
	char *p = mem_dup(str_of(dir)), *slash;
	const char *above = p;
	struct coi_err e = {0};

	while (access(p, F_OK) < 0 && (slash = strrchr(p, '/')) != NULL &&
	       slash != p)
		*slash = '\0';
	if (access(p, F_OK) < 0)
		above = p[0] == '/' ? "/" : ".";
	if (access(above, W_OK | X_OK) == 0) {
		doctor_ok(d, "state", "%s, not there yet", dir);
	} else {
		err_errno(&e, COI_E_CREATE, errno, "%s cannot be made in %s",
			  dir, above);
		err_hint(&e, "chmod, or another folder with --state-dir");
		doctor_failed(d, "state", &e);
	}
	free(p);
}

static void check_room(struct doctor *d, const char *dir)
{
	struct statvfs v;
	unsigned long long room;

	if (statvfs(dir, &v) == 0) {
		room = (unsigned long long)v.f_bavail * v.f_frsize;
		if (room < DISK_MIN) {
			doctor_warn(d, "state", "make room on that disk",
				    "%s: %llu octets are left on the disk", dir,
				    room);
			return;
		}
	}
	doctor_ok(d, "state", "%s", d->ac->state_path);
}

void doctor_state(struct doctor *d)
{
	const char *dir = d->ac->state_dir;
	struct coi_err e = {0};
	struct store *st;

	if (dir == NULL) {
		err_set(&e, COI_E_CONFIG, "no folder: HOME is not set");
		err_hint(&e, "give one with --state-dir or COI_STATE_DIR");
		doctor_failed(d, "state", &e);
	} else if (access(dir, F_OK) < 0) {
		check_above(d, dir);
	} else if (access(dir, W_OK | X_OK) < 0) {
		err_errno(&e, COI_E_CREATE, errno, "%s", dir);
		err_hint(&e,
			 "chmod u+rwx %s, or another folder with "
			 "--state-dir",
			 dir);
		doctor_failed(d, "state", &e);
	} else if (access(d->ac->state_path, F_OK) < 0) {
		doctor_ok(d, "state", "%s, not there yet", d->ac->state_path);
	} else {
		st = store_open(d->ac->state_path, &e);
		if (st == NULL)
			doctor_failed(d, "state", &e);
		else
			check_room(d, dir);
		store_close(st);
	}
}

/* --- the clock ---------------------------------------------------------------
 */

void doctor_clock(struct doctor *d)
{
	int64_t now = sys_now(), off;
	struct buf b = {0};

	date_write_3339(&b, now);
	off = d->server_time == 0 ? 0 : now - d->server_time;
	if (now < CLOCK_YEAR)
		doctor_warn(d, "clock", "set the clock (NTP)",
			    "it stands at %s", buf_cstr(&b));
	else if (off > CLOCK_MAX || off < -CLOCK_MAX)
		doctor_warn(d, "clock", "set the clock (NTP)",
			    "%s is %lld s %s the SMTP server", buf_cstr(&b),
			    (long long)(off < 0 ? -off : off),
			    off < 0 ? "behind" : "ahead of");
	else
		doctor_ok(d, "clock", "%s%s", buf_cstr(&b),
			  d->server_time == 0 ? ""
					      : ", as the SMTP server says");
	buf_free(&b);
}
