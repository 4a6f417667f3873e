#!/usr/bin/env bats
# coi-watch, killed: no message is lost; a line or a handler comes again, with
# the same id, only where its commit was not reached; no answer leaves twice.
load helper

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of coi-watch" { killtest watch --upto 1; }
@test "kill -9 at every named point with --exec" { killtest watchexec --upto 2; }
@test "kill -9 at every named point with --reply" { killtest watchreply --upto 1; }
@test "kill -9 at 20 random moments of coi-watch" { killtest watch --random 20; }
@test "kill -9 at 20 random moments with --exec" { killtest watchexec --random 20; }
