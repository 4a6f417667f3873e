#!/usr/bin/env bats
# coi-fetch, killed: no line is lost; a line comes again, the same and with the
# same id, only where its commit was not reached.
load helper

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of a fetch" { killtest fetch; }
@test "kill -9 at every named point of a fetch with --no-commit" { killtest handout; }
@test "kill -9 at every named point of --ack" { killtest ack; }
@test "kill -9 at 20 random moments of a fetch" { killtest fetch --random 20; }
@test "kill -9 at 20 random moments of a fetch with --no-commit" { killtest handout --random 20; }
