#!/usr/bin/env bats
# coi-watch when the line, the server or the mailbox goes away: it comes back,
# nothing is lost, nothing is printed twice.
load helper
load watching

@test "the server restarts: connected again, all that came meanwhile is printed" {
	line bob
	watch bob
	ready
	chat bob 1 one
	printed one
	say refuse
	within 10 event lost
	chat bob 2 two
	within 10 event lost 2
	say pass
	printed one two
	within 10 event reconnected
	chat bob 3 three
	printed one two three
	[ "$(jq -c 'select(.event=="lost").attempt' "$OUT" | head -n2 | tr '\n' ' ')" = "1 2 " ]
	# one line for the log at the beginning of the trouble, one at its end
	[ "$(count "$ERR" 'trying again')" = 1 ]
	has "$ERR" 'connected again'
	end_watch
	status_is 0
	coi-watch --json-schema=event >"$T/schema"
	jq -c 'select(.event)' "$OUT" | "$ROOT/tests/lib/schema" "$T/schema"
}

@test "a line that swallows everything is found out by the probe" {
	line bob
	watch bob --idle 2s --timeout 2s
	ready
	say swallow
	chat bob 1 one
	within 15 event lost
	contains "$(lost)" 'no answer from the server in time'
	say pass
	printed one
}

@test "SIGUSR1 finds a dead line at once, however long IDLE is" {
	line bob
	watch bob --timeout 2s
	ready
	say swallow
	chat bob 1 one
	kill -USR1 "$WATCH"
	within 10 event lost
	say pass
	printed one
}

@test "SIGTERM on a dead line: over within 5 s, status 0" {
	line bob
	watch bob
	ready
	say swallow
	SECONDS=0
	end_watch
	status_is 0
	[ "$SECONDS" -le 5 ]
}

@test "cut off again and again under load: every message once, in order" {
	local i want=
	line bob
	watch bob
	ready
	for i in {1..24}; do
		chat bob "$i" "m$i"
		want+="m$i "
		[ $((i % 4)) -ne 0 ] || say cut
	done
	within 40 eval '[ "$(jq -c "select(.kind)" "$OUT" | wc -l)" -ge 24 ]'
	[ "$(texts)" = "$want" ]
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "an untrusted certificate in place of the good one: stops, 82" {
	"$ROOT/tests/lib/mkca" "$T/ca"
	line bob
	watch bob
	ready
	start_peer -s -r -t "$T/ca/good.pem" "$T/ca/good.key" "$PEERS_DIR/ok.peer"
	say "to $PEER_PORT"
	say cut
	ended
	status_is 82
	[ "$(jq -c 'select(.event=="stopped").status' "$OUT")" = 82 ]
	contains "$output" 'ca-file'
	lacks "$(<"$PEER_LOG")" AUTHENTICATE
}

@test "the mailbox is deleted and made anew: read from its beginning, once" {
	imap alice 'CREATE Work' >/dev/null
	put alice Work 0 before
	watch alice -b Work --poll 1s --idle 2s
	ready
	put alice Work 1 one
	printed one
	imap alice 'DELETE Work' >/dev/null
	within 15 event lost
	imap alice 'CREATE Work' >/dev/null
	put alice Work 2 two
	printed one two
	# the same message again is the same message
	put alice Work 1 one
	put alice Work 3 three
	printed one two three
}

@test "BYE in IDLE" {
	play watch-bye
	printed 'hello two'
	contains "$(lost)" '[UNAVAILABLE] the server goes down'
	within 5 event reconnected
}

@test "EXISTS in front of the go-ahead of IDLE" {
	play watch-early
	printed 'hello two'
}

@test "the server ends IDLE on its own: it begins anew" {
	play watch-end
	printed 'hello two'
	not event lost
}

@test "UIDVALIDITY changes in IDLE: read again, nothing repeated" {
	play watch-number --start all
	printed 'hello one' 'hello two'
	within 5 event lost
}

@test "a message that FETCH hides is looked for" {
	play watch-hidden
	within 15 eval '[ "$(jq -c "select(.kind)" "$OUT" | wc -l)" -ge 2 ]'
	[ "$(jq -r 'select(.kind).text' "$OUT" | sort | tr '\n' ' ')" = "hello three hello two " ]
}

@test "one leaves and another comes while it reads: no less is printed" {
	play watch-swap --start all --idle 60s
	printed 'hello one' 'hello two'
}

@test "a login refused for a while is survived" {
	play watch-login
	printed 'hello two'
	[ "$(jq -r 'select(.event=="lost") | .reply // "-"' "$OUT" | tr '\n' ';')" = "-;[UNAVAILABLE] Temporary authentication failure;Authentication failed;[LIMIT] Too many connections;" ]
	not event stopped
}

@test "a password that is wrong by now stops it: 77" {
	play watch-final
	ended
	status_is 77
	contains "$output" 'AUTHENTICATIONFAILED'
}

@test "NOTIFY that overflows: connected anew, caught up" {
	start_peer -T 60 "$PEERS_DIR/watch-overflow.peer"
	peer_account
	watch me -b INBOX -b Other
	printed 'hello two'
	within 5 event lost
}

@test "the service manager is told: READY, STATUS, WATCHDOG, RELOADING, STOPPING" {
	manager
	NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=400000 watch bob
	ready
	within 5 has "$T/told" READY=1
	within 5 has "$T/told" '1 of 1 accounts connected'
	within 5 has "$T/told" WATCHDOG=1
	kill -HUP "$WATCH"
	within 5 has "$T/told" RELOADING=1
	grep -q 'RELOADING=1 MONOTONIC_USEC=[0-9]' "$T/told"
	within 5 eval '[ "$(count "$T/told" READY=1)" -ge 2 ]'
	end_watch
	status_is 0
	within 5 has "$T/told" STOPPING=1
}
