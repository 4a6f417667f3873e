#!/usr/bin/env bats
# coi-watch, killed: no message is lost; a line or a handler comes again, with
# the same id, only where its commit was not reached; no answer leaves twice.
load helper

# The same with sanitizers, in fewer rounds.
if [ "${TEST_SLOW:-1}" = 1 ]; then FEW=1 TIMES=20; else FEW=2 TIMES=6; fi

kills() {
	run "$ROOT/tests/lib/$1" "${@:2}"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of coi-watch" { kills killtest watch --upto 2; }
@test "kill -9 at every named point with --exec" { kills killtest watchexec --upto 1; }
@test "kill -9 at every named point with --reply" { kills killtest watchreply --upto 1; }

# 1,000 messages in all, over one state each.
@test "lines under load: killed at every point and at 20 moments" {
	kills killload lines --messages $((400 / FEW)) --random "$TIMES"
}

@test "handlers under load: killed at every point and at 20 moments" {
	kills killload exec --messages $((400 / FEW)) --random "$TIMES"
}

@test "answers under load: killed at every point and at 20 moments" {
	kills killload reply --messages $((200 / FEW)) --random "$TIMES"
}
