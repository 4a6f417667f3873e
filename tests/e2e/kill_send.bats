#!/usr/bin/env bats
# coi-send, killed: nothing is lost, no message arrives twice unasked; only
# what may have left is unknown, and keeps its id when it is sent again.
load helper

killtest() {
	run "$ROOT/tests/lib/killtest" "$@"
	echo "$output"
	status_is 0
}

@test "kill -9 at every named point of a send" { killtest send; }
@test "kill -9 at 20 random moments of a send" { killtest send --random 20; }

@test "--retry-unknown that cannot go out keeps the message" {
	as alice true
	set_config alice sent-folder none
	printf '{"to":["bob@two.test"],"text":"kept"}\n' >"$T/in"
	run as alice env COI_TEST_KILL_AT=smtp-before-data coi-send --json "$T/in"
	[ "$status" = 137 ]
	run as alice coi-send --queue-list --json
	[ "$(jq -r .result <<<"$output")" = unknown ]
	id=$(jq -r .id <<<"$output")
	set_config alice smtp-port 1
	run as alice coi-send --json --retry-unknown
	status_is 69
	contains "$(as alice coi-send --queue-list)" "$id"
	set_config alice smtp-port "$ONE_SMTP_PORT"
	run as alice coi-send --json --flush
	[ "$(jq -r .id <<<"$output")" = "$id" ]
	wait_for_mail bob 1
	contains "$(inbox bob)" "Message-ID: <$id>"
	[ -z "$(as alice coi-send --queue-list)" ]
}

@test "a key whose message waits in the queue: the same command sends it" {
	as alice true
	set_config alice smtp-port 1
	first=$(as alice coi-send --json --queue --idempotency-key k -m hello bob@two.test | jq -r .id)
	# It was to be kept, and stays when it still cannot go out.
	run as alice coi-send --json --idempotency-key k -m hello bob@two.test
	status_is 69
	contains "$(as alice coi-send --queue-list)" "$first"
	set_config alice smtp-port "$ONE_SMTP_PORT"
	run as alice coi-send --json --idempotency-key k -m hello bob@two.test
	status_is 0
	[ "$(jq -r '.result + " " + .id' <<<"$output")" = "accepted $first" ]
	wait_for_mail bob 1
	[ -z "$(as alice coi-send --flush --json)" ]
	sleep 0.3
	[ "$(mail_count bob)" = 1 ]
}

@test "eight runs of one command at a time, one key: it arrives once" {
	as alice true
	pids=() # a bare wait would wait for the time limit of the test, too
	for n in 1 2 3 4 5 6 7 8; do
		as alice coi-send --json --idempotency-key k -m once bob@two.test \
			>"$T/r$n" 2>"$T/e$n" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || true; done
	[ "$(jq -r .id "$T"/r? | sort -u | wc -l)" = 1 ]
	wait_for_mail bob 1
	sleep 0.5
	[ "$(mail_count bob)" = 1 ]
}

@test "four --flush at a time: each queued message arrives once" {
	as alice true
	set_config alice smtp-port 1
	for n in 1 2 3 4 5 6 7 8 9; do
		as alice coi-send --queue -m "queued $n" bob@two.test
	done
	set_config alice smtp-port "$ONE_SMTP_PORT"
	pids=()
	for n in 1 2 3 4; do
		as alice coi-send --flush --json >"$T/f$n" 2>"$T/e$n" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p" || true; done
	cat "$T"/e?
	[ "$(cat "$T"/f? | jq -r 'select(.result == "accepted").id' | sort | uniq -c | grep -c ' 1 ')" = 9 ]
	wait_for_mail bob 9
	sleep 0.5
	[ "$(mail_count bob)" = 9 ]
}
