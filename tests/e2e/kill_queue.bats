#!/usr/bin/env bats
# coi-send with --queue and --flush, and with several messages in flight,
# killed: as in kill_send.bats.
load helper

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of a send that may wait" { killtest queue --upto 4; }
@test "kill -9 at every named point with a window of four messages" { killtest window --upto 6; }
@test "kill -9 at 20 random moments with a window of four messages" { killtest window --random 20; }
