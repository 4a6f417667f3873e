#!/usr/bin/env bats
# coi-watch, killed: no message is lost; a line or a handler comes again, with
# the same id, only where its commit was not reached; no answer leaves twice.
load helper

# With sanitizers the same places, fewer times.
if [ "${TEST_SLOW:-1}" = 1 ]; then UPTO=2 TIMES=20; else UPTO=1 TIMES=6; fi

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of coi-watch" { killtest watch --upto 1; }
@test "kill -9 at every named point with --exec" { killtest watchexec --upto "$UPTO"; }
@test "kill -9 at every named point with --reply" { killtest watchreply --upto 1; }
@test "kill -9 at random moments of coi-watch" { killtest watch --random "$TIMES"; }
@test "kill -9 at random moments with --exec" { killtest watchexec --random "$TIMES"; }
