#!/usr/bin/env bats
# coi-send of a message that is kept in a file of its own, and with a copy in
# Sent, killed: as in kill_send.bats; in the end no file is left over and each
# copy is there once.
load helper

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of a large send" { killtest large; }
@test "kill -9 at 20 random moments of a large send" { killtest large --random 20; }
@test "kill -9 at every named point of the copy in Sent" { killtest copy; }
