#!/usr/bin/env bats
# coi-send against real servers: what arrives, what is said, what is kept.
bats_require_minimum_version 1.5.0
load helper

@test "a text goes out and arrives whole (CLI-009, CLI-028, CLI-032)" {
	run as alice coi-send -m 'Grüße, the disk is full' bob@two.test
	status_is 0
	[ -z "$output" ]
	wait_for_mail bob 1
	mail=$(inbox bob)
	contains "$mail" "Chat-Version: 1.0"
	contains "$mail" "Message-ID: <chat\$"
	contains "$mail" "To: bob@two.test"
	run as bob coi-fetch --json
	status_is 0
	[ "$(jq -r .text <<<"$output")" = 'Grüße, the disk is full' ]
	[ "$(jq -r .from.email <<<"$output")" = alice@one.test ]
	[ "$(jq -r .meta.conversation <<<"$output")" = mail:alice@one.test ]
}

@test "text comes from standard input, a file or -m" {
	echo "from stdin" | as alice coi-send bob@two.test
	echo "from file" >"$T/text"
	as alice coi-send -i "$T/text" bob@two.test </dev/null
	as alice coi-send -m 'from option' bob@two.test
	wait_for_mail bob 3
	run as bob coi-fetch --json
	[ "$(jq -r .text <<<"$output" | sort | tr '\n' ,)" = "from file,from option,from stdin," ]
}

@test "-v prints the id, --json a result a line" {
	run as alice coi-send -v -m one bob@two.test
	status_is 0
	[[ $output == chat\$*@one.test ]]
	run as alice coi-send --json -m two bob@two.test
	status_is 0
	[ "$(jq -r .result <<<"$output")" = accepted ]
	[ "$(jq -r '.recipients[0].email' <<<"$output")" = bob@two.test ]
	[ "$(jq -r '.recipients[0].code' <<<"$output")" = 250 ]
}

@test "the conversation: fetch, answer, thread (CLI-034, CLI-036)" {
	as alice coi-send -m 'ping' bob@two.test
	wait_for_mail bob 1
	as bob coi-fetch --json >"$T/in"
	jq -c '{to:[.from],inReplyTo:.id,text:"pong"}' "$T/in" |
		as bob coi-send --json >"$T/results"
	[ "$(jq -r .result "$T/results")" = accepted ]
	[ "$(jq -r .source "$T/results")" = "$(jq -r .id "$T/in")" ]
	wait_for_mail alice 1
	as alice coi-fetch --json >"$T/answer"
	[ "$(jq -r .text "$T/answer")" = pong ]
	[ "$(jq -r .inReplyTo "$T/answer")" = "$(jq -r .id "$T/in")" ]
	[ "$(jq -c .references "$T/answer")" = "$(jq -c '[.id]' "$T/in")" ]
	# The third message of the thread names the first and the last only.
	as alice coi-send --reply-to-id "$(jq -r .id "$T/answer")" -m again bob@two.test
	wait_for_mail bob 2
	as bob coi-fetch --json >"$T/third"
	[ "$(jq -c .references "$T/third")" = \
		"$(jq -cn --slurpfile a "$T/in" --slurpfile b "$T/answer" '[$a[0].id,$b[0].id]')" ]
}

@test "--to-all answers everybody of the record but ourselves" {
	as alice coi-send -m 'all of you' --cc carol@one.test bob@two.test dave@two.test
	wait_for_mail bob 1
	as bob coi-fetch --json >"$T/in"
	as bob coi-send --to-all -m 'yes' --json <"$T/in" >"$T/r"
	[ "$(jq -r '.recipients[].email' "$T/r" | sort | tr '\n' ' ')" = "alice@one.test carol@one.test dave@two.test " ]
}

@test "files arrive byte for byte (CLI-041, CLI-042, CLI-043, CLI-086)" {
	head -c 300000 /dev/urandom >"$T/photo.jpg"
	printf 'Überschrift\n' >"$T/täxt.txt"
	as alice coi-send -m 'two files' --file "$T/photo.jpg" --file "$T/täxt.txt" bob@two.test
	wait_for_mail bob 1
	run as bob coi-fetch --json --save "$T/saved"
	status_is 0
	cmp "$T/photo.jpg" "$T/saved/photo.jpg"
	cmp "$T/täxt.txt" "$T/saved/täxt.txt"
	[ "$(stat -c %a "$T/saved/photo.jpg")" = 600 ]
	[ "$(jq -r '.attachments[0].size' <<<"$output")" = 300000 ]
	[ "$(jq -r '.attachments[1].name' <<<"$output")" = täxt.txt ]
}

@test "bcc reaches its recipient and is in no header" {
	as alice coi-send -m secretly --bcc carol@one.test bob@two.test
	wait_for_mail bob 1
	wait_for_mail carol 1
	lacks "$(inbox bob)" carol
	lacks "$(inbox carol | grep -vi -e '^delivered-to' -e 'for <' -e 'id ')" "Bcc"
}

@test "one recipient of two is refused: status 1, told by name" {
	run as alice coi-send -m x alice@one.test nobody@one.test
	status_is 1
	contains "$output" nobody@one.test
	wait_for_mail alice 1
}

@test "every recipient refused: status 67 and nothing kept" {
	run as alice coi-send --json -m x nobody@one.test
	status_is 67
	[ "$(jq -r .result <<<"${lines[0]}")" = refused ]
	run as alice coi-send --queue-list
	[ -z "$output" ]
}

@test "a Sent copy is made once" {
	as alice coi-send -m 'keep me' bob@two.test
	wait_for_mail alice 1 Sent
	run mail_count alice Sent
	[ "$output" = 1 ]
	contains "$(inbox alice Sent)" "keep me"
	# Our own copy is not news.
	run as alice coi-fetch --json -b Sent
	[ -z "$output" ]
	run as alice coi-fetch --json -b Sent --uid 1
	[ "$(jq -r .meta.fromMe <<<"$output")" = true ]
}

@test "an idempotency key sends once; other content under it is refused" {
	first=$(as alice coi-send --json --idempotency-key k1 -m same bob@two.test | jq -r .id)
	second=$(as alice coi-send --json --idempotency-key k1 -m same bob@two.test | jq -r .id)
	[ "$first" = "$second" ]
	wait_for_mail bob 1
	sleep 0.3
	[ "$(mail_count bob)" = 1 ]
	run as alice coi-send --idempotency-key k1 -m other bob@two.test
	status_is 65
}

@test "--queue keeps what cannot go out, --flush sends it" {
	as alice true
	set_config alice smtp-port 1
	run as alice coi-send --json --queue -m later bob@two.test
	status_is 0
	[ "$(jq -r .result <<<"$output")" = queued ]
	id=$(jq -r .id <<<"$output")
	run as alice coi-send --queue-list
	contains "$output" "$id"
	set_config alice smtp-port "$ONE_SMTP_PORT"
	run as alice coi-send --flush --json
	status_is 0
	[ "$(jq -r .id <<<"$output")" = "$id" ]
	wait_for_mail bob 1
	run as alice coi-send --queue-list
	[ -z "$output" ]
}

@test "without --queue an unreachable server is 69 and keeps nothing" {
	as alice true
	set_config alice smtp-port 1
	run as alice coi-send -m x bob@two.test
	status_is 69
	contains "$output" "127.0.0.1"
	[ "${#lines[@]}" = 1 ]
	run as alice coi-send --queue-list
	[ -z "$output" ]
}

@test "-n prints the message and touches nothing" {
	run as alice coi-send -n -m 'dry' bob@two.test
	status_is 0
	contains "$output" "To: bob@two.test"
	contains "$output" "From: "
	[ ! -e "$T/alice/.local/state/coi" ]
	# Without any configuration too.
	run coi-send -n --keep --json - <<<'{"kind":"message","from":{"email":"x@y.example"},"to":["a@b.example"],"text":"hi"}'
	status_is 0
	contains "$output" "From: x@y.example"
}

@test "several records with -n are an mbox that coi-fetch reads back" {
	printf '{"to":["a@b.example"],"text":"one\\nFrom here"}\n{"to":["a@b.example"],"text":"two"}\n' |
		as alice coi-send -n --json >"$T/mbox"
	grep -c '^From ' "$T/mbox" | grep -qx 2
	run coi-fetch --json -f "$T/mbox"
	[ "$(jq -r .text <<<"$output" | tr '\n' '|')" = "one|From here|two|" ]
}

@test "a wrong password is 77 with the server's words and no secret" {
	as alice true
	set_config alice password-command 'echo wrong-secret'
	run as alice coi-send -m x bob@two.test
	status_is 77
	lacks "$output" wrong-secret
}

@test "JSON that goes to plain coi-send is refused with the hint" {
	run as alice coi-send bob@two.test <<<'{"kind":"message"}'
	status_is 65
	contains "$output" --json
	as bob coi-send -m private alice@one.test
	wait_for_mail alice 1
	as alice coi-fetch --json >"$T/record"
	run as alice coi-send bob@two.test <"$T/record"
	status_is 65
	contains "$output" --json
	run as alice coi-send -n -i - bob@two.test <"$T/record"
	status_is 0
}

@test "a bad line of many is told by number, the others go out" {
	printf '{"to":["bob@two.test"],"text":"1"}\n{"bogus":1}\n{"to":["bob@two.test"],"text":"3"}\n' >"$T/in"
	run as alice coi-send --json "$T/in"
	status_is 1
	contains "$output" "line 2"
	[ "$(grep -c '"result":"accepted"' <<<"$output")" = 2 ]
	wait_for_mail bob 2
}

@test "--check says what works" {
	run as alice coi-send --check
	status_is 0
	contains "$output" "smtp"
	contains "$output" "logged in as alice"
	as alice true
	set_config alice password-command 'echo nope'
	run as alice coi-send --check
	status_is 77
	contains "$output" FAIL
}

@test "usage errors: no recipient, unknown option, repeated option" {
	run as alice coi-send -m x
	status_is 64
	run as alice coi-send -m x -m y bob@two.test
	status_is 64
	contains "$output" twice
	run as alice coi-send --bogus
	status_is 64
	contains "$output" "coi-send -h"
	run as alice coi-send -m 'x' 'not an address'
	status_is 64
}

@test "the same key again tells of those who did not get it" {
	run as alice coi-send --json --idempotency-key k -m x alice@one.test nobody@one.test
	status_is 1
	run as alice coi-send --json --idempotency-key k -m x alice@one.test nobody@one.test
	status_is 1
	[ "$(jq -r .result <<<"${lines[0]}")" = partial ]
	contains "$output" nobody@one.test
}

@test "the same key again serves those who could not be served, and no others" {
	run as alice coi-send --json --idempotency-key k -m x bob@two.test later@one.test
	status_is 1
	[ "$(jq -r .result <<<"${lines[0]}")" = partial ]
	[ "$(jq -r '.recipients[1].state' <<<"${lines[0]}")" = queued ]
	id=$(jq -r .id <<<"${lines[0]}")
	run as alice coi-send --idempotency-key k2 -m y bob@two.test later@one.test
	status_is 1
	contains "$output" 'later@one.test: queued: this mailbox is busy'
	wait_for_mail bob 2
	# Not now either: it is never called refused.
	run as alice coi-send --json --idempotency-key k -m x bob@two.test later@one.test
	lacks "$output" refused
	[ "$(jq -r .id <<<"${lines[0]}")" = "$id" ]
	# Now there is room.
	start_peer "$ROOT/tests/peer/smtp/ok.peer"
	set_config alice smtp-port "$PEER_PORT"
	set_config alice smtp-tls off
	set_config alice smtp-user '""'
	run as alice coi-send --json --idempotency-key k -m x bob@two.test later@one.test
	status_is 0
	[ "$(jq -r .result <<<"$output")" = accepted ]
	[ "$(jq -r '.recipients[].email' <<<"$output")" = later@one.test ]
	sleep 0.3
	[ "$(mail_count bob)" = 2 ]
}

@test "--queue: accepted for some and kept for the others is no failure" {
	run as alice coi-send --json --queue -m x bob@two.test later@one.test
	status_is 0
	[ "$(jq -r .result <<<"$output")" = partial ]
	[ "$(jq -rc '[.recipients[].state]' <<<"$output")" = '["accepted","queued"]' ]
	run as alice coi-send --queue -m x bob@two.test later@one.test
	status_is 0
	[ -z "$output" ]
	run as alice coi-send --queue -m x bob@two.test later@one.test refused@one.test
	status_is 1
}

@test "a changed line under a used key fails alone" {
	printf '{"to":["bob@two.test"],"text":"%s"}\n' 1 2 3 >"$T/a"
	sed 's/"2"/"two"/' "$T/a" >"$T/b"
	as alice coi-send --json="$T/a" --idempotency-key K >/dev/null
	printf '{"to":["bob@two.test"],"text":"4"}\n' >>"$T/b"
	run as alice coi-send --json="$T/b" --idempotency-key K
	status_is 1
	[ "$(grep -c '"result":"accepted"' <<<"$output")" = 3 ]
	[ "$(grep -c '"result":"refused"' <<<"$output")" = 1 ]
	wait_for_mail bob 4
	sleep 0.3
	[ "$(mail_count bob)" = 4 ]
}

@test "--flush says so when the server is away; the mail stays queued" {
	as alice true
	set_config alice smtp-port 1
	as alice coi-send --queue -m later bob@two.test
	run as alice coi-send --flush
	status_is 69
	run as alice coi-send --queue-list
	contains "$output" queued
}

@test "options without effect and an empty key are usage errors" {
	run as alice coi-send -n --flush
	status_is 64
	run as alice coi-send --idempotency-key '' -m x bob@two.test
	status_is 64
	run as alice coi-send --json --bcc carol@one.test <<<'{"to":["bob@two.test"],"text":"x"}'
	status_is 64
	run as alice coi-send --flush -m x
	status_is 64
}

@test "the Sent mailbox that was remembered is gone: another is found" {
	as alice coi-send -m one bob@two.test
	python3 - "$T/alice/.local/state/coi/alice.db" <<-'END'
		import sqlite3, sys
		c = sqlite3.connect(sys.argv[1])
		assert c.execute("update kv set value='Old' where name='sent'").rowcount == 1
		c.commit()
	END
	run as alice coi-send -m two bob@two.test
	status_is 0
	[ -z "$output" ]
	wait_for_mail alice 2 Sent
}

@test "senders side by side make one Sent copy each" {
	as alice true
	pids=()
	for i in 1 2 3 4 5; do as alice coi-send -m "c$i" bob@two.test 3>&- & pids+=($!); done
	for p in "${pids[@]}"; do wait "$p"; done
	as alice coi-send -m last bob@two.test
	[ "$(inbox alice Sent | grep -ci '^message-id:')" = 6 ]
	[ "$(inbox alice Sent | grep -i '^message-id:' | sort -u | wc -l)" = 6 ]
}

@test "what looks into the state wants to know of which account" {
	as alice true
	sed 's/^\[account .*/[account other]/' "$D/config-alice" \
		>>"$T/alice/.config/coi/config"
	COI_SMTP_PORT=1 as alice coi-send --queue -a alice -m x bob@two.test
	for what in 'coi-send --queue-list' 'coi-send --queue-drop x' \
		'coi-fetch --ack' 'coi-fetch --dead' 'coi-fetch --retry-dead x'; do
		# shellcheck disable=SC2086
		run as alice $what </dev/null
		status_is 78
		contains "$output" 'there are 2 accounts and no default'
		# shellcheck disable=SC2086
		run env -u HOME $what </dev/null
		status_is 78
		contains "$output" 'HOME is not set'
	done
	[ ! -e "$T/alice/.local/state/coi/default.db" ]
	run as alice coi-send -a alice --queue-list
	contains "$output" bob@two.test
	run as alice coi-send -n -m x bob@two.test
	status_is 78
	contains "$output" '-a NAME'
}

@test "a limit for the size of files is as a full disk" {
	run as alice bash -c 'ulimit -f 8; exec coi-send -m x bob@two.test 2>&1'
	status_is 74
	contains "$output" 'state database'
	[ "$(mail_count bob)" = 0 ]
	run as alice coi-send -m x bob@two.test
	status_is 0
}

@test "a key that another process is sending: 75, and it says why" {
	as alice true
	start_peer "$ROOT/tests/peer/smtp/silent-greeting.peer"
	set_config alice smtp-port "$PEER_PORT"
	set_config alice smtp-tls off
	set_config alice smtp-user '""'
	as alice coi-send --timeout 20s --idempotency-key k -m x bob@two.test \
		2>/dev/null 3>&- &
	first=$!
	for _ in {1..100}; do
		[ ! -s "$T/alice/.local/state/coi/alice.db" ] || break
		sleep 0.05
	done
	sleep 0.5
	run as alice coi-send --idempotency-key k -m x bob@two.test
	status_is 75
	contains "$output" 'another process is sending'
	run --separate-stderr as alice coi-send --json --idempotency-key k -m x bob@two.test
	status_is 75
	contains "$(jq -r '.recipients[0].reply' <<<"$output")" 'another process'
	kill "$first"
	wait "$first" || true
}
