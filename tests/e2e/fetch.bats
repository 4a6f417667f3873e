#!/usr/bin/env bats
# coi-fetch against real servers: selection, cursor, nothing lost.
load helper

# chat SUBJECT-LESS: a chat message for bob, put there by LMTP.
chat() {
	printf 'From: Alice <alice@one.test>\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@one.test>\r\nChat-Version: 1.0\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n%s\r\n' "$1" "$2" | deliver bob
}

# mail ID TEXT [HEADER]: an ordinary mail for bob.
mail() {
	printf 'From: Dean <dean@one.test>\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nSubject: hello\r\nMessage-ID: <%s@one.test>\r\n%s\r\n%s\r\n' "$1" "${3:+$3$'\r\n'}" "$2" | deliver bob
}

texts() { jq -r .text | tr '\n' ' '; }

@test "chats are printed once, ordinary mail is not" {
	chat 1 one
	mail m1 'no chat'
	chat 2 two
	[ "$(as bob coi-fetch --json | texts)" = "one two " ]
	run as bob coi-fetch --json
	status_is 0
	[ -z "$output" ]
	chat 3 three
	[ "$(as bob coi-fetch --json | texts)" = "three " ]
	run as bob coi-fetch --fail-empty
	status_is 1
}

@test "the three rules and replies found by thread (CLI-008)" {
	mail r1 'by references' 'References: <chat$x@one.test> <y@z>'
	mail r2 'by thread' 'In-Reply-To: <chat$x@one.test>'
	mail r3 'no chat' 'References: <y@z>'
	as bob coi-fetch --json >"$T/out"
	[ "$(texts <"$T/out")" = "by references by thread " ]
	[ "$(jq -c .meta.detectedBy "$T/out" | tr '\n' ' ')" = '["references"] ["thread"] ' ]
}

@test "a plain mailer's reply to a foreign id is found by the thread" {
	printf 'From: Dana <dana@one.test>\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <uuid-1@localhost>\r\nChat-Version: 1.0\r\n\r\nfrom delta\r\n' | deliver bob
	[ "$(as bob coi-fetch --json | texts)" = "from delta " ]
	mail r9 'from outlook' 'In-Reply-To: <uuid-1@localhost>'
	mail r8 'unrelated' 'In-Reply-To: <uuid-2@localhost>'
	[ "$(as bob coi-fetch --json | texts)" = "from outlook " ]
}

@test "--all-mail prints everything and decodes it" {
	mail m1 'plain words'
	chat 1 chat
	run as bob coi-fetch --json --all-mail
	[ "$(texts <<<"$output")" = "plain words chat " ]
	[ "$(jq -c .meta.chat <<<"$output" | tr '\n' ' ')" = "false true " ]
}

@test "consumers have cursors of their own" {
	chat 1 one
	[ "$(as bob coi-fetch --json | texts)" = "one " ]
	[ "$(as bob coi-fetch --json --consumer other | texts)" = "one " ]
	[ -z "$(as bob coi-fetch --json --consumer other)" ]
}

@test "--start now prints only what comes later" {
	chat 1 old
	[ -z "$(as bob coi-fetch --json --start now)" ]
	chat 2 new
	[ "$(as bob coi-fetch --json | texts)" = "new " ]
}

@test "--limit moves the cursor to the last line printed" {
	for i in 1 2 3 4 5; do chat $i m$i; done
	[ "$(as bob coi-fetch --json --limit 2 | texts)" = "m1 m2 " ]
	[ "$(as bob coi-fetch --json --limit 2 | texts)" = "m3 m4 " ]
	[ "$(as bob coi-fetch --json | texts)" = "m5 " ]
}

@test "selections never move the cursor" {
	chat 1 one
	chat 2 two
	[ "$(as bob coi-fetch --json --uid 2 | texts)" = "two " ]
	[ "$(as bob coi-fetch --json --uid '1:*' | texts)" = "one two " ]
	[ "$(as bob coi-fetch --json --message-id 'chat$1@one.test' | texts)" = "one " ]
	[ "$(as bob coi-fetch --json --unseen | texts)" = "one two " ]
	[ "$(as bob coi-fetch --json --since 2020-01-01 | texts)" = "one two " ]
	[ "$(as bob coi-fetch --json | texts)" = "one two " ]
}

@test "reading changes nothing in the mailbox; --mark-seen does" {
	chat 1 one
	as bob coi-fetch --json >/dev/null
	[ "$(as bob coi-fetch --json --unseen | texts)" = "one " ]
	chat 2 two
	as bob coi-fetch --json --mark-seen >/dev/null
	[ "$(as bob coi-fetch --json --unseen | texts)" = "one " ]
}

@test "the chats folder is read too" {
	chat 1 inbox
	curl -sk --url "imaps://localhost:$TWO_IMAPS_PORT" -u bob:secret-bob -X 'CREATE COI.Chats'
	printf 'From: a@one.test\r\nMessage-ID: <chat$c@one.test>\r\nChat-Version: 1.0\r\n\r\nin chats\r\n' >"$T/m"
	curl -sk --url "imaps://localhost:$TWO_IMAPS_PORT/COI.Chats" -u bob:secret-bob -T "$T/m"
	run as bob coi-fetch --json
	status_is 0
	[ "$(texts <<<"$output")" = "inbox in chats " ]
	[ "$(jq -r .imap.mailbox <<<"$output" | tr '\n' ' ')" = "INBOX COI.Chats " ]
}

@test "a second run on the same consumer is 75" {
	chat 1 one
	as bob coi-fetch --json >/dev/null
	db=$T/bob/.local/state/coi/bob.db
	flock -F "$db.default.lock" sleep 3 3>&- &
	holder=$!
	sleep 0.2
	run as bob coi-fetch --json
	kill $holder; wait $holder || true
	status_is 75
}

@test "--no-commit lines come back until --ack has read them" {
	chat 1 one
	chat 2 two
	[ "$(as bob coi-fetch --no-commit --json | texts)" = "one two " ]
	as bob coi-fetch --no-commit --json >"$T/again"
	[ "$(texts <"$T/again")" = "one two " ]
	tail -n 1 "$T/again" | as bob coi-fetch --ack
	[ "$(as bob coi-fetch --no-commit --json | texts)" = "one " ]
	head -n 1 "$T/again" | as bob coi-fetch --ack
	[ -z "$(as bob coi-fetch --no-commit --json)" ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "the pipe: fetch --no-commit, bot, send, ack" {
	chat 1 ping
	as bob true
	as bob coi-fetch --no-commit --json |
		jq -c '{to:[.from],inReplyTo:.id,text:"pong"}' |
		as bob coi-send --json | as bob coi-fetch --ack
	wait_for_mail alice 1
	[ -z "$(as bob coi-fetch --no-commit --json)" ]
}

@test "a reader that leaves ends it quietly and moves no cursor too far" {
	for i in 1 2 3; do chat $i m$i; done
	as bob coi-fetch --json | true
	[ "${PIPESTATUS[0]}" = 0 ]
	[ "$(as bob coi-fetch --json | texts)" = "m1 m2 m3 " ]
}

@test "a full disk under stdout is an error and moves no cursor" {
	chat 1 one
	run bash -c "HOME=$T/bob coi-fetch --json >/dev/full"
	as bob true
	run bash -c "HOME=$T/bob coi-fetch --json >/dev/full"
	status_is 74
	[ "$(as bob coi-fetch --json | texts)" = "one " ]
}

@test "large attachments stay on the server unless asked for" {
	head -c 3000000 /dev/urandom >"$T/big.bin"
	as alice coi-send -m 'a big one' --file "$T/big.bin" bob@two.test
	wait_for_mail bob 1
	run as bob coi-fetch --json -v
	contains "$output" '"section":"2"'
	contains "$output" 'a big one'
	in=$(sed -n 's/.*; \([0-9]*\) octets in.*/\1/p' <<<"$output")
	[ "$in" -lt 20000 ]
	run as bob coi-fetch --json --uid 1 --save "$T/s" --max-size 1M
	contains "$output" '"section":"2"'
	[ -z "$(ls "$T/s")" ]
	as bob coi-fetch --json --uid 1 --save "$T/s" >/dev/null
	cmp "$T/big.bin" "$T/s/big.bin"
	[ "$(as bob coi-fetch --json --uid 1 --inline | jq -r '.attachments[0].data' | base64 -d | sha256sum)" = "$(sha256sum <"$T/big.bin")" ]
}

@test "saved files never overwrite and have safe names" {
	printf 'From: a@one.test\r\nMessage-ID: <chat$c@one.test>\r\nChat-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="../../.evil"\r\n\r\nx\r\n' | deliver bob
	as bob coi-fetch --json --uid 1 --save "$T/s" >/dev/null
	as bob coi-fetch --json --uid 1 --save "$T/s" >/dev/null
	[ "$(ls -A "$T/s" | tr '\n' ' ')" = "evil evil-1 " ]
}

@test "a renumbered mailbox repeats nothing (UIDVALIDITY)" {
	chat 1 one
	chat 2 two
	[ "$(as bob coi-fetch --json | texts)" = "one two " ]
	rm -f "$(maildir bob)"/dovecot*
	run as bob coi-fetch --json
	status_is 0
	lacks "$output" '"text"'
	chat 3 three
	[ "$(as bob coi-fetch --json -q | texts)" = "three " ]
}

@test "nothing new costs one round trip after login" {
	chat 1 one
	as bob coi-fetch --json >/dev/null
	as bob coi-fetch --trace="$T/trace" --json
	# From the login on: STATUS of the chats folder and INBOX opened in one
	# flight, then LOGOUT.
	sed '1,/Logged in/d' "$T/trace" >"$T/after"
	[ "$(grep -c 'C: ' "$T/after")" = 3 ]
	[ "$(grep -c 'C: .*STATUS' "$T/after")" = 1 ]
	[ "$(grep -c 'C: .*EXAMINE "INBOX"' "$T/after")" = 1 ]
	[ "$(sed -n 's/^imap \([CS]\): .*/\1/p' "$T/after" | head -3 | tr -d '\n')" = CCS ]
	lacks "$(grep " C: " "$T/trace")" SELECT
	lacks "$(cat "$T/trace")" secret-bob
}

@test "an error names stage, host and reason; with --json it is an object" {
	as bob true
	set_config bob imap-port 1
	run as bob coi-fetch
	status_is 69
	contains "$output" ":1"
	run as bob coi-fetch --json
	[ "$(jq -r .status <<<"$output")" = 69 ]
	[ "$(jq -r .error <<<"$output")" = unavailable ]
}

@test "--since and --start know hours, not only days" {
	chat 1 one
	sleep 2
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	chat 2 two
	[ "$(as bob coi-fetch --json --since "$now" | texts)" = "two " ]
	[ "$(as bob coi-fetch --json --start "$now" | texts)" = "two " ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "what would have no effect with a selection is a mistake" {
	for option in --no-commit '--start now'; do
		# shellcheck disable=SC2086
		run as bob coi-fetch --unseen $option
		status_is 64
		contains "$output" "${option% now} has no effect"
	done
}

@test "two equal copies of a message are one line" {
	chat 1 same
	chat 1 same
	chat 1 other
	as bob coi-fetch --json >"$T/out"
	[ "$(texts <"$T/out")" = "same other " ]
	# The id was used before by another text: said, not hidden.
	contains "$(tail -n 1 "$T/out")" "used before"
}

@test "what a full disk swallowed is printed by the next run, all of it" {
	for i in 1 2 3 4; do chat $i m$i; done
	as bob true
	run bash -c "HOME=$T/bob coi-fetch --json --limit 3 >/dev/full"
	status_is 74
	[ "$(as bob coi-fetch --json | texts)" = "m1 m2 m3 m4 " ]
}

@test "closed standard streams lose nothing" {
	for i in 1 2 3; do chat $i m$i; done
	as bob true
	run bash -c "HOME=$T/bob coi-fetch --json <&- >&-"
	status_is 74
	[ "$(as bob coi-fetch --json | texts)" = "m1 m2 m3 " ]
}

@test "a stranger's mail under an id of ours is printed, with a warning" {
	id=$(as bob coi-send -v -m mine alice@one.test)
	printf 'From: mallory@one.test\r\nTo: bob@two.test\r\nMessage-ID: <%s>\r\nChat-Version: 1.0\r\n\r\nspoofed\r\n' "$id" | deliver bob
	as bob coi-fetch --json -b INBOX >"$T/out"
	[ "$(texts <"$T/out")" = "spoofed " ]
	contains "$(cat "$T/out")" "that of a message of ours"
}

@test "a chat without Message-ID does not stop the pipe" {
	printf 'From: alice@one.test\r\nTo: bob@two.test\r\nChat-Version: 1.0\r\n\r\nno id\r\n' | deliver bob
	as bob true
	as bob coi-fetch --no-commit --json >"$T/in"
	contains "$(cat "$T/in")" "made up"
	jq -c '{to:[.from],inReplyTo:.id,text:"pong"}' "$T/in" |
		as bob coi-send --json | as bob coi-fetch --ack
	[ -z "$(as bob coi-fetch --no-commit --json)" ]
}

@test "equal messages without Message-ID are two, and repeat nothing when they are renumbered" {
	for i in 1 2 3; do
		printf 'From: sensor@one.test\r\nTo: bob@two.test\r\nChat-Version: 1.0\r\n\r\nthe door is open\r\n' | deliver bob
	done
	[ "$(as bob coi-fetch --json | jq -r .id | sort -u | wc -l)" = 3 ]
	[ -z "$(as bob coi-fetch --json)" ]
	sed -i '1s/V[0-9]*/V77777/' "$(maildir bob)/dovecot-uidlist"
	rm -f "$(maildir bob)"/dovecot.index*
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "--ack goes on after a line that is no record" {
	chat 1 one
	chat 2 two
	as bob coi-fetch --no-commit --json >"$T/in"
	run bash -c "{ echo '{\"error\":\"x\"}'; cat $T/in; } | HOME=$T/bob coi-fetch --ack"
	status_is 65
	contains "$output" "line 1"
	[ -z "$(as bob coi-fetch --no-commit --json)" ]
	# The same lines once more are no mistake.
	run bash -c "HOME=$T/bob coi-fetch --ack <$T/in"
	status_is 0
}
