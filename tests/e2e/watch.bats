#!/usr/bin/env bats
# coi-watch against real servers: lines as they arrive, none lost, none twice.
SERVERS="one two bare"
load helper
load watching

@test "chats are printed as they arrive, what was there before is not (CLI-007, 008)" {
	chat bob 1 old
	watch bob
	ready
	chat bob 2 one
	printed one
	mail bob m1 'no chat'
	chat bob 3 two
	chat bob 4 three
	printed one two three
	end_watch
	status_is 0
	[ ! -s "$ERR" ]
	[ -z "$(as bob coi-fetch --json)" ] # the cursor is committed
	[ "$(jq -r 'select(.kind) | .meta.account' "$OUT" | sort -u)" = bob ]
}

@test "a single mailbox is waited for by IDLE, without a second connection (CLI-326)" {
	watch bob --trace="$T/trace" -b INBOX
	ready
	[ "$(jq -c 'select(.event=="ready")' "$OUT")" = '{"event":"ready","account":"bob","mailbox":"INBOX","by":"idle"}' ]
	chat bob 1 one
	printed one
	end_watch
	grep -q 'C: a[0-9]* IDLE' "$T/trace"
	not grep -q 'NOTIFY SET' "$T/trace"
	[ "$(grep -c 'connected to' "$T/trace")" = 1 ]
	# EXISTS, then DONE and FETCH in one segment, then IDLE again
	grep -A1 'C: DONE' "$T/trace" | grep -q 'UID FETCH 1:'
}

@test "capability is asked after login and before folders (CLI-013, 014)" {
	watch bob --trace="$T/trace"
	ready
	end_watch
	awk '/C: a[0-9]+ AUTHENTICATE/ {auth=NR} /CAPABILITY/ {if (auth && !cap) cap=NR} /C: a[0-9]+ (STATUS|LIST|EXAMINE)/ {if (!folder) folder=NR} END {exit !(auth && cap && folder && auth < cap && cap < folder)}' "$T/trace"
}

@test "INBOX and the chats folder by one NOTIFY, in bursts (CLI-326)" {
	imap alice 'CREATE COI/Chats' >/dev/null
	watch alice --trace="$T/trace"
	ready 2
	[ "$(jq -r 'select(.event=="ready") | .by' "$OUT" | sort -u)" = notify ]
	local i
	for i in 1 2 3 4 5 6; do
		put alice COI/Chats "c$i" "c$i"
		chat alice "i$i" "i$i"
	done
	within 20 eval '[ "$(jq -r "select(.kind).text" "$OUT" | wc -l)" -ge 12 ]'
	sleep 0.6
	for i in 7 8 9; do chat alice "i$i" "i$i"; done
	put alice COI/Chats c7 c7
	within 20 eval '[ "$(jq -r "select(.kind).text" "$OUT" | wc -l)" -ge 16 ]'
	[ "$(jq -r 'select(.kind).text' "$OUT" | sort | tr '\n' ' ')" = "c1 c2 c3 c4 c5 c6 c7 i1 i2 i3 i4 i5 i6 i7 i8 i9 " ]
	end_watch
	[ "$(grep -c 'NOTIFY SET' "$T/trace")" = 1 ]
	[ "$(grep -c 'connected to' "$T/trace")" = 1 ]
}

@test "without NOTIFY each mailbox has IDLE, within max-connections (CLI-326)" {
	imap alice 'CREATE COI/Chats' 'CREATE Third' >/dev/null
	line alice NOTIFY
	watch alice -b INBOX -b COI/Chats -b Third --poll 1s --trace="$T/trace"
	ready 3
	[ "$(jq -r 'select(.event=="ready") | .by' "$OUT" | sort | tr '\n' ' ')" = "idle idle poll " ]
	put alice COI/Chats 1 one
	printed one
	put alice Third 2 two
	printed one two
	chat alice 3 three
	printed one two three
	put alice COI/Chats 4 four
	printed one two three four
	end_watch
	[ "$(grep -c 'connected to' "$T/trace")" = 2 ]
	not grep -q 'C: a[0-9]* NOTIFY' "$T/trace"
}

@test "max-connections = 1: one has IDLE, the other is asked for" {
	imap alice 'CREATE COI/Chats' >/dev/null
	line alice NOTIFY
	set_config alice max-connections 1
	watch alice --poll 1s --trace="$T/trace"
	ready 2
	[ "$(jq -r 'select(.event=="ready") | .by' "$OUT" | sort | tr '\n' ' ')" = "idle poll " ]
	put alice COI/Chats 1 one
	printed one
	chat alice 2 two
	printed one two
	end_watch
	[ "$(grep -c 'connected to' "$T/trace")" = 1 ]
}

@test "the second connection is lost: its mailbox is looked after by the first" {
	imap alice 'CREATE COI/Chats' >/dev/null
	line alice NOTIFY
	watch alice
	ready 2
	chat alice 1 one
	put alice COI/Chats 2 two
	within 15 eval '[ "$(jq -c "select(.kind)" "$OUT" | wc -l)" -ge 2 ]'
	say cut
	chat alice 3 three
	put alice COI/Chats 4 four
	within 20 eval '[ "$(jq -c "select(.kind)" "$OUT" | wc -l)" -ge 4 ]'
	[ "$(jq -r 'select(.kind).text' "$OUT" | sort | tr '\n' ' ')" = "four one three two " ]
}

@test "--latency low: asked while it is hot, quicker than the server tells, then calm" {
	watch bob -b INBOX --latency low --heartbeat 1s --trace="$T/trace"
	ready
	chat bob 0 first
	printed first
	# what IDLE would have told half a second later
	local i t0 t1 quick=0
	for i in 1 2 3 4 5 6; do
		t0=$(date +%s%N)
		chat bob "$i" "m$i"
		while ! has "$OUT" "\"m$i\""; do sleep 0.005; done
		t1=$(date +%s%N)
		[ $(((t1 - t0) / 1000000)) -ge $((400 * ${TEST_SLOW:-1})) ] || quick=$((quick + 1))
		sleep 0.2
	done
	[ "$quick" -ge 4 ]
	within 5 eval '[ "$(jq -s "map(select(.event==\"heartbeat\").probes) | max" "$OUT")" -gt 20 ]'
	end_watch
	[ "$(grep -c 'C: a[0-9]* NOOP' "$T/trace")" -le 1400 ]
	# What is there when it begins is a conversation: ready all the same.
	chat bob last last
	watch bob -b INBOX --latency low
	within 3 event ready
	not event calm
	end_watch
	# a quiet account is never asked
	watch bob -b INBOX --latency low --trace="$T/quiet"
	ready
	sleep 1
	end_watch
	not grep -q 'C: a[0-9]* NOOP' "$T/quiet"
	grep -q 'C: a[0-9]* IDLE' "$T/quiet"
}

@test "what came while it was not running is printed at the start, once" {
	watch bob
	ready
	end_watch
	chat bob 1 one
	chat bob 2 two
	watch bob
	printed one two
	end_watch
	watch bob
	ready
	chat bob 3 three
	printed three
}

@test "--start all prints what is there, then waits" {
	chat bob 1 one
	chat bob 2 two
	watch bob --start all
	printed one two
	chat bob 3 three
	printed one two three
}

@test "all mail is the reader's choice (CLI-011, 317)" {
	watch bob --all-mail
	ready
	mail bob m1 'no chat'
	chat bob 1 chat
	within 15 eval '[ "$(jq -c "select(.kind).meta.chat" "$OUT" | wc -l)" -ge 2 ]'
	[ "$(jq -c 'select(.kind).meta.chat' "$OUT" | tr '\n' ' ')" = "false true " ]
}

@test "a chats folder that is made while it watches is read from its beginning" {
	watch alice --poll 1s
	ready
	imap alice 'CREATE COI/Chats' >/dev/null
	put alice COI/Chats 1 first
	printed first
	put alice COI/Chats 2 second
	printed first second
	chat alice 3 third
	printed first second third
}

@test "a server without IDLE and NOTIFY is asked every so often" {
	watch kim --poll 1s --trace="$T/trace"
	ready
	[ "$(jq -r 'select(.event=="ready") | .by' "$OUT")" = poll ]
	chat kim 1 one
	printed one
	chat kim 2 two
	printed one two
	end_watch
	not grep -qE 'C: a[0-9]+ (IDLE|NOTIFY)' "$T/trace"
}

@test "SIGUSR1: look now" {
	watch kim --poll 1h
	ready
	chat kim 1 one
	sleep 0.3
	[ -z "$(texts)" ]
	kill -USR1 "$WATCH"
	printed one
}

@test "a large message and those around it, in order" {
	watch bob
	ready
	printf 'From: Mallory <mallory@elsewhere.test>\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$big@elsewhere.test>\r\nChat-Version: 1.0\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nbig\r\n--b\r\nContent-Type: image/jpeg; name=x.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--b--\r\n' "$(head -c 150000 /dev/zero | base64 | sed 's/$/\r/')" >"$T/big"
	for i in 1 2; do printf 'From: Mallory <mallory@elsewhere.test>\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@elsewhere.test>\r\nChat-Version: 1.0\r\n\r\nsmall%s\r\n' "$i" "$i" >"$T/s$i"; done
	deliver bob "$T/s1" "$T/big" "$T/s2"
	printed small1 big small2
	[ "$(jq -r 'select(.text=="big").attachments[0].section' "$OUT")" = 2 ]
	chat bob 9 more
	printed small1 big small2 more
}

@test "an expunge storm hides nothing" {
	local i
	for i in {1..30}; do chat bob "o$i" "o$i"; done
	watch bob
	ready
	for i in {1..5}; do
		imap bob 'SELECT INBOX' 'STORE 1:3 +FLAGS (\Deleted)' 'EXPUNGE' >/dev/null
		chat bob "n$i" "n$i"
	done
	printed n1 n2 n3 n4 n5
}

@test "several accounts: each record says whose it is" {
	as alice true
	cat "$D/config-bob" >>"$T/alice/.config/coi/config"
	watch alice -a alice -a bob
	ready 2
	chat alice 1 'for alice'
	chat bob 2 'for bob'
	within 15 eval '[ "$(jq -c "select(.kind)" "$OUT" | wc -l)" -ge 2 ]'
	[ "$(jq -r 'select(.kind) | "\(.meta.account): \(.text)"' "$OUT" | sort | tr '\n' ';')" = "alice: for alice;bob: for bob;" ]
	end_watch
	status_is 0
}

@test "a refused login stops that account only; the status is 77 when none is left" {
	as alice true
	sed 's/secret-bob/wrong/' "$D/config-bob" >>"$T/alice/.config/coi/config"
	watch alice -a alice -a bob
	within 15 event stopped
	[ "$(jq -c 'select(.event=="stopped") | [.account, .status]' "$OUT")" = '["bob",77]' ]
	valid_event stopped
	ready
	chat alice 1 one
	printed one
	end_watch
	status_is 1
	watch alice -a bob
	ended
	status_is 77
	contains "$output" AUTHENTICATIONFAILED
}

@test "a password that changes: the command is run anew, SIGHUP starts a stopped account" {
	as bob true
	echo wrong >"$T/pw"
	set_config bob password-command "cat $T/pw"
	cat "$D/config-alice" >>"$T/bob/.config/coi/config"
	watch bob -a bob -a alice
	within 15 event stopped
	echo secret-bob >"$T/pw"
	kill -HUP "$WATCH"
	within 15 eval '[ "$(jq -r "select(.event==\"ready\").account" "$OUT" | sort -u | wc -l)" = 2 ]'
	chat bob 1 one
	printed one
	end_watch
	status_is 0
}

@test "SIGHUP: the configuration is read again, nothing is lost or repeated" {
	watch bob
	ready
	chat bob 1 one
	printed one
	set_config bob max-connections 1
	kill -HUP "$WATCH"
	chat bob 2 two
	printed one two
	echo 'nonsense = 1' >>"$T/bob/.config/coi/config"
	kill -HUP "$WATCH"
	within 10 has "$ERR" nonsense
	chat bob 3 three
	printed one two three
	end_watch
	status_is 0
}

@test "the consumer is held: a second watch ends with 75" {
	watch bob
	ready
	run as bob coi-watch --json --run-for 5s
	status_is 75
	contains "$output" 'in use by process'
	run as bob coi-watch --json --run-for 1s --consumer other
	status_is 0
}

@test "--once ends after the first message, --run-for after its time" {
	watch bob --once
	ready
	chat bob 1 one
	ended
	status_is 0
	[ "$(texts)" = "one " ]
	chat bob 2 two
	watch bob --once
	ended
	[ "$(texts)" = "two " ]
	SECONDS=0
	run as bob coi-watch --json --run-for 1s
	status_is 0
	[ "$SECONDS" -le $((4 * ${TEST_SLOW:-1})) ]
}

@test "event lines: none, state, all; heartbeat; all valid against the schema" {
	coi-watch --json-schema=event >"$T/schema"
	watch bob --events none
	sleep 0.5
	chat bob 1 one
	within 15 eval '[ "$(count "$OUT" kind)" = 1 ] || chat bob x$RANDOM more'
	not has "$OUT" event
	end_watch
	watch bob --events all --heartbeat 1s
	ready
	chat bob 2 two
	within 15 has "$OUT" '"text":"two"'
	imap bob 'SELECT INBOX' 'STORE 1 +FLAGS (\Flagged)' >/dev/null
	within 15 event flags
	imap bob 'SELECT INBOX' 'STORE 1 +FLAGS (\Deleted)' 'EXPUNGE' >/dev/null
	within 15 event expunged
	within 15 event heartbeat
	end_watch
	jq -c 'select(.event)' "$OUT" | "$ROOT/tests/lib/schema" "$T/schema"
	jq -c 'select(.kind)' "$OUT" | "$ROOT/tests/lib/schema" "$ROOT/share/coi-message.schema.json"
	[ "$(jq -c 'select(.event=="flags").imap.flags | index("\\Flagged") != null' "$OUT" | head -n1)" = true ]
	[ "$(jq -c 'select(.event=="expunged").imap.uid' "$OUT")" = 1 ]
}

@test "a reader that leaves ends it quietly; what was not read comes again" {
	as bob true
	mkfifo "$T/pipe"
	head -n 2 "$T/pipe" >"$T/got" &
	local reader=$!
	HOME=$T/bob coi-watch --json --trace="$T/trace" >"$T/pipe" 2>"$T/err" 3>&- &
	WATCH=$! OUT=$T/got ERR=$T/err
	WATCHES+=("$WATCH")
	within 15 eval '[ -e "$T/trace" ] && grep -qE "C: a[0-9]+ IDLE" "$T/trace"'
	chat bob 1 one
	wait "$reader"
	ended
	status_is 0
	[ ! -s "$T/err" ]
	[ "$(jq -r 'select(.kind).text' "$T/got")" = one ]
}

@test "a reader behind a socket that leaves ends it quietly" {
	as bob true
	OUT=$T/out ERR=$T/err
	: >"$OUT"
	HOME=$T/bob python3 - "$T/pid" >"$T/got" 2>"$ERR" 3>&- <<-'END'
		import socket, subprocess, sys
		ours, theirs = socket.socketpair()
		p = subprocess.Popen(["coi-watch", "--json"], stdin=subprocess.DEVNULL, stdout=theirs)
		theirs.close()
		got = b""
		while b"ready" not in got:
		    got += ours.recv(4096)
		ours.close()
		try:
		    print("status", p.wait(10))
		except subprocess.TimeoutExpired:
		    print("goes on after", open("/proc/%d/stat" % p.pid).read().split()[13:15])
		    p.kill()
		    p.wait()
	END
	[ "$(cat "$T/got")" = "status 0" ]
	[ ! -s "$ERR" ]
}

# unread USER OPTION...: a watch whose reader sleeps.
unread() {
	local user=$1
	shift
	as "$user" true
	mkfifo "$T/pipe"
	# shellcheck disable=SC2217 # to hold the pipe open is what it is for
	sleep 60 <"$T/pipe" 3>&- &
	READER=$!
	HOME=$T/$user coi-watch --json "$@" >"$T/pipe" 2>"$T/err" 3>&- &
	WATCH=$! OUT=$T/err ERR=$T/err
	WATCHES+=("$WATCH" "$READER")
}

# stalled OPTION...: there is more than a pipe takes, and its reader sleeps.
stalled() {
	local i
	for i in {1..40}; do
		printf 'From: M <mallory@elsewhere.test>\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@elsewhere.test>\r\nChat-Version: 1.0\r\n\r\nm%s %s\r\n' "$i" "$i" "$(head -c 9000 /dev/zero | tr '\0' x | fold -w 70)" >"$T/m$i"
	done
	deliver bob "$T"/m?*
	unread bob --start all --heartbeat 1s "$@"
}

@test "a reader that does not read: SIGTERM ends it within 5 s, nothing is lost" {
	manager
	NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=400000 stalled
	sleep 2 # heartbeats wait, too
	: >"$T/told"
	within 5 has "$T/told" WATCHDOG=1
	SECONDS=0
	kill "$WATCH"
	ended
	[ "$SECONDS" -le $((5 * ${TEST_SLOW:-1})) ]
	status_is 0
	kill "$READER"
	[ "$(as bob coi-fetch --json | wc -l)" = 40 ]
}

# locks USER: another program locks the user's state database, for long.
locks() {
	python3 - "$T/$1/.local/state/coi/$1.db" >"$T/locked" 3>&- <<-'END' &
		import sqlite3, sys, time
		sqlite3.connect(sys.argv[1], isolation_level=None).execute("BEGIN IMMEDIATE")
		print("locked", flush=True)
		time.sleep(60)
	END
	LOCKER=$!
	WATCHES+=("$LOCKER")
	within 5 test -s "$T/locked"
}

@test "a state database that is locked: SIGTERM ends it within 5 s, nothing is lost" {
	local how
	for how in '' "--exec=echo ran >>\"\$HOME/ran\"; sleep 2"; do
		rm -f "$T/bob/ran"
		if [ -z "$how" ]; then
			watch bob
			ready
			locks bob
			chat bob plain plain
		else
			watch bob --events state "$how"
			ready
			chat bob handled handled
			within 10 test -s "$T/bob/ran"
			locks bob
		fi
		sleep 3
		SECONDS=0
		kill "$WATCH"
		ended
		[ "$SECONDS" -le $((5 * ${TEST_SLOW:-1})) ]
		status_is 0
		kill "$LOCKER"
		within 5 gone "$LOCKER"
		[ "$(as bob coi-fetch --json | wc -l)" = 1 ]
	done
}

@test "a reader that does not read: --run-for ends it in time, nothing is lost" {
	stalled --run-for 2s
	SECONDS=0
	ended
	[ "$SECONDS" -le $((9 * ${TEST_SLOW:-1})) ]
	status_is 0
	kill "$READER"
	[ "$(as bob coi-fetch --json | wc -l)" = 40 ]
}

@test "event lines that nobody reads take no memory, and end with the watch" {
	start_peer -T 60 "$PEERS_DIR/watch-flags.peer"
	peer_account
	: >"$T/trace"
	unread me -b INBOX --events all --trace="$T/trace"
	within 15 eval '[ "$(count "$T/trace" another-keyword)" -gt 300 ]'
	sleep 1
	# 15 MB of lines wait to be made.
	[ "$(sed -n 's/^VmHWM:\s*\([0-9]*\).*/\1/p' "/proc/$WATCH/status")" -lt $((22000 * ${TEST_SLOW:-1} * ${TEST_SLOW:-1})) ]
	end_watch
	status_is 0
	kill "$READER"
}

@test "--no-commit: lines come back until they are acknowledged, not before" {
	watch bob --no-commit
	ready
	chat bob 1 one
	chat bob 2 two
	printed one two
	head -n 2 "$OUT" | as bob coi-fetch --ack
	end_watch
	watch bob --no-commit
	within 15 has "$OUT" '"text"'
	chat bob 3 three
	within 15 has "$OUT" three
	lacks "$(texts)" one
}

@test "on a terminal it is readable, and controls of a mail do nothing" {
	as bob true
	HOME=$T/bob script -qfec 'coi-watch --once --retry 1s' "$T/tty" >/dev/null 2>&1 3>&- &
	WATCH=$! OUT=$T/tty ERR=$T/tty
	WATCHES+=("$WATCH")
	within 15 has "$T/tty" 'ready INBOX'
	chat bob 1 $'hi \033[31mthere'
	ended
	has "$T/tty" Mallory
	not grep -q $'\033\[31m' "$T/tty"
	not has "$T/tty" '"kind"'
}

@test "options that make no sense are usage errors" {
	local o
	for o in '--events some' '--latency fast' '--poll 0' '--idle 40m' 'operand' '--save x --inline' '-a bob -a bob' '--start soon' '--filter all' '--run-for 0' '--run-for 99999999999999999s' '--heartbeat 0s' '--heartbeat 9999999999999w'; do
		# shellcheck disable=SC2086
		run as bob coi-watch $o
		status_is 64
	done
	run as bob coi-watch -b Nowhere
	status_is 66
	contains "$output" 'no mailbox "Nowhere"'
}
