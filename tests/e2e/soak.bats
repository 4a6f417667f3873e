#!/usr/bin/env bats
# Every message is accounted for on a line that breaks all the time.
bats_require_minimum_version 1.5.0
load helper

setup_file() { :; }
teardown_file() { :; }

# soak OPTION...: its one line of JSON in $soak.
soak() {
	[ "${TEST_SLOW:-1}" = 1 ] || set -- --any-memory "$@"
	run --separate-stderr "$ROOT/tests/soak" --build "$BUILD" "$@"
	echo "$output"
	echo "$stderr"
	soak=$output
	[ "$status" -eq 0 ]
}

has() { [ "$(jq "$1" <<<"$soak")" = true ]; }

@test "soak: each message is printed once, memory stays flat (CLI-007)" {
	soak --seconds 15
	has '.delivered > 100 and .seen == .delivered and .again == 0'
	has '.connections > 3 and .events.lost > 1'
}

@test "soak: each message is handled once" {
	soak --seconds 15 --exec
	has '.delivered > 100 and .seen == .delivered and .again == 0'
	has '.connections > 3'
}

@test "soak: with kill -9 now and then nothing is lost" {
	soak --seconds 10 --kill
	has '.kills > 3 and .delivered > 50 and .seen == .delivered'
	soak --seconds 10 --kill --exec
	has '.kills > 3 and .delivered > 50 and .seen == .delivered'
}
