/* Commands of the user: /bin/sh -c, as it would run from a fresh shell. */
#ifndef CORE_SHELL_H
#define CORE_SHELL_H

#include <sys/types.h>

#include "core/err.h"

/*
 * Starts `sh -c command` as the leader of a new process group, with these
 * descriptors as its standard ones and nothing else of ours: no other
 * descriptor, no signal blocked or ignored, the environment given.  The caller
 * waits for *pid.  COI_E_OS.
 */
int shell_spawn(const char *command, char *const *env, int in, int out, int err,
		pid_t *pid, struct coi_err *e);

/* What may be open at a time stays for commands as it is at this call. */
void shell_keep_limit(void);

#endif
