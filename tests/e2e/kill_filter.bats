#!/usr/bin/env bats
# coi-fetch --filter, killed: no mail is lost or doubled, and what was moved is
# not printed again.
SERVERS="one two bare"
load helper

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of --filter" { killtest filter; }
@test "kill -9 at every named point of --filter without MOVE" { killtest filtercopy; }
@test "kill -9 at 20 random moments of --filter" { killtest filter --random 20; }
@test "kill -9 at 20 random moments of --filter without MOVE" { killtest filtercopy --random 20; }
