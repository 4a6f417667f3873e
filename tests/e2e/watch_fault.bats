#!/usr/bin/env bats
# coi-watch and faults: servers that end and begin again, lines that hang in
# the middle, mailboxes that become others, clocks that jump, handlers out of
# control.  Nothing is lost, nothing is printed twice.
bats_require_minimum_version 1.5.0
load helper
load watching

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -n 20 "$T"/err.* "$T"/out.*
	exec 7>&-
	stop_watches
	[ ! -e "$T/cert.pem" ] || other_certificate "$T/cert.pem" "$T/key.pem"
	dovecot one start
	dovecot two start
	teardown_default
}

# dovecot SITE stop|kill|start
dovecot() { "$ROOT/tests/servers/dovecot" "$D" "$1" "$2"; }

# other_certificate CERT KEY: that of two.test from here on.
other_certificate() {
	cat "$1" >"$D/cert.pem"
	cat "$2" >"$D/key.pem"
	dovecot two stop
	dovecot two start
}

lines() { jq -c 'select(.kind)' "$OUT" | wc -l; }
# sorted TEXT...: exactly these, in any order.
all_of() {
	within 20 eval '[ "$(lines)" -ge '$#' ]'
	[ "$(jq -r 'select(.kind).text' "$OUT" | sort | tr '\n' ' ')" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ]
}
# memory: the most that the watch had, in kB; busy: its time on the CPU, in ms.
memory() { sed -n 's/^VmHWM:\s*\([0-9]*\).*/\1/p' "/proc/$WATCH/status"; }
busy() { awk '{ print ($14 + $15) * 10 }' "/proc/$WATCH/stat"; }

# --- the disk ----------------------------------------------------------------

@test "a disk that is full for a while: it waits, and every message is printed" {
	as bob true
	mkfifo "$T/pipe"
	cat "$T/pipe" >"$T/out.1" 3>&- &
	WATCHES+=("$!")
	HOME=$T/bob coi-watch --json --retry 1s >"$T/pipe" 2>"$T/err.1" 3>&- &
	WATCH=$! OUT=$T/out.1 ERR=$T/err.1
	WATCHES+=("$WATCH")
	ready
	prlimit --pid "$WATCH" --fsize=4096:unlimited
	chat bob 1 one
	within 10 event lost
	contains "$(lost)" "$T/bob"
	prlimit --pid "$WATCH" --fsize=unlimited:unlimited
	within 10 event reconnected
	chat bob 2 two
	within 10 has "$OUT" '"text":"two"'
	# A line whose commit failed may come again, with its id.
	[ "$(jq -r 'select(.kind).text' "$OUT" | uniq | tr '\n' ' ')" = "one two " ]
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
	# Standard output that cannot be written to is the end: 74.
	HOME=$T/bob coi-watch --json --retry 1s >/dev/full 2>"$T/err.1" 3>&- &
	WATCH=$!
	WATCHES+=("$WATCH")
	chat bob 3 three
	ended
	status_is 74
	[ "$(as bob coi-fetch --json | jq -r .text)" = three ]
}

# --- the server --------------------------------------------------------------

@test "Dovecot ends and begins again: caught up, every line once" {
	watch bob
	ready
	chat bob 1 one
	printed one
	dovecot two stop
	within 10 event lost 2
	dovecot two start
	within 10 event reconnected
	chat bob 2 two
	printed one two
	dovecot two stop
	dovecot two start # quicker than the second attempt
	chat bob 3 three
	printed one two three
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "Dovecot dies at once, with two mailboxes under NOTIFY" {
	imap alice 'CREATE COI/Chats' >/dev/null
	watch alice
	ready 2
	put alice COI/Chats 1 one
	chat alice 2 two
	all_of one two
	dovecot one kill
	within 10 event lost
	dovecot one start
	# While it is away: nobody tells, the next look finds them.
	put alice COI/Chats 3 three
	chat alice 4 four
	all_of one two three four
	within 10 event reconnected
	put alice COI/Chats 5 five
	chat alice 6 six
	all_of one two three four five six
	end_watch
	status_is 0
}

@test "Dovecot ends while handlers run: each message is handled once" {
	watch bob --events state --jobs 2 --exec 'sleep 0.3; jq -r .text >>"$HOME/in"'
	ready
	local i
	for i in {1..6}; do chat bob "$i" "m$i"; done
	within 10 test -s "$T/bob/in"
	dovecot two stop
	dovecot two start
	for i in {7..9}; do chat bob "$i" "m$i"; done
	within 20 eval '[ "$(wc -l <"$T/bob/in")" -ge 9 ]'
	sleep 0.5
	[ "$(sort "$T/bob/in" | tr '\n' ' ')" = "m1 m2 m3 m4 m5 m6 m7 m8 m9 " ]
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "a server that is not there when it starts is waited for" {
	dovecot two stop
	watch bob --start all
	within 10 event lost 2
	dovecot two start
	chat bob 1 one
	printed one
	end_watch
	status_is 0
}

@test "mail restored from a backup has another UIDVALIDITY: nothing is repeated" {
	watch bob
	ready
	chat bob 1 one
	chat bob 2 two
	printed one two
	dovecot two stop
	sed -i '1s/V[0-9]*/V77777/' "$(maildir bob)/dovecot-uidlist"
	rm -f "$(maildir bob)"/dovecot.index*
	dovecot two start
	chat bob 3 three
	printed one two three
	[ "$(jq -c 'select(.text=="three").imap.uidValidity' "$OUT")" = 77777 ]
	chat bob 4 four
	printed one two three four
	end_watch
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "the certificate of one server is another one by now: that account only" {
	as alice true
	cat "$D/config-bob" >>"$T/alice/.config/coi/config"
	watch alice -a alice -a bob
	ready 2
	local logins
	logins=$(count "$D/two/dovecot.log" 'Login: user=<bob>')
	"$ROOT/tests/lib/mkca" "$T/ca"
	cp "$D/cert.pem" "$D/key.pem" "$T/"
	other_certificate "$T/ca/unknown.pem" "$T/ca/unknown.key"
	within 15 event stopped
	[ "$(jq -c 'select(.event=="stopped") | [.account, .status]' "$OUT")" = '["bob",82]' ]
	[ "$(count "$D/two/dovecot.log" 'Login: user=<bob>')" = "$logins" ]
	chat alice 1 one
	printed one
	other_certificate "$T/cert.pem" "$T/key.pem"
	# It was stopped for good: until the configuration is read again.
	kill -HUP "$WATCH"
	chat bob 2 two
	printed one two
	end_watch
	status_is 0
}

# --- the line ----------------------------------------------------------------

@test "a line that hangs in the middle of a FETCH, at many places" {
	local n i=0 want=
	line bob
	watch bob -b INBOX --timeout 1s --idle 2s
	ready
	for n in 1 40 90 200 700; do
		say "after $n"
		i=$((i + 1))
		chat bob "$i" "m$i"
		chat bob "$i.b" "m$i.b"
		want+="m$i m$i.b "
		within 15 event lost "$i"
		say pass
		within 15 eval '[ "$(texts)" = "'"$want"'" ]'
		within 10 event reconnected "$i"
	done
	contains "$(lost)" 'no answer from the server in time'
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "a half-open line: what is said into it is answered by a reset" {
	line bob
	watch bob --idle 2s
	ready
	say half
	chat bob 1 one
	# found when IDLE is renewed
	printed one
	within 10 event reconnected
	say half
	chat bob 2 two
	kill -USR1 "$WATCH"
	printed one two
}

@test "a server that takes connections and says nothing, from the beginning" {
	line bob
	say swallow
	watch bob --start all --timeout 1s
	within 10 event lost 2
	chat bob 1 one
	say pass
	printed one
	end_watch
	status_is 0
}

@test "SIGTERM while it waits for a greeting that does not come" {
	line bob
	say swallow
	watch bob --timeout 60s
	sleep 0.5
	SECONDS=0
	end_watch
	status_is 0
	[ "$SECONDS" -le $((5 * ${TEST_SLOW:-1})) ]
}

# --- the mailbox -------------------------------------------------------------

@test "1,000 messages leave while one comes: only that is printed" {
	as bob true
	chat bob old0 old
	python3 - "$(mail_files bob)" <<-'P'
	import os, sys
	box = os.path.dirname(sys.argv[1])
	with open(sys.argv[1]) as f:
	    mail, st = f.read(), os.stat(f.fileno())
	for i in range(1, 1000):
	    name = "%s/%d.M1P1.here" % (box, 1700000000 + i)
	    with open(name, "w") as f:
	        f.write(mail.replace("chat$old0@", "chat$old%d@" % i))
	    os.chmod(name, 0o600)
	    os.chown(name, st.st_uid, st.st_gid)
	P
	watch bob --events all
	ready
	imap bob 'SELECT INBOX' 'STORE 1:500 +FLAGS.SILENT (\Deleted)' 'EXPUNGE' >/dev/null
	chat bob 1 one
	imap bob 'SELECT INBOX' 'STORE 1:500 +FLAGS.SILENT (\Deleted)' 'EXPUNGE' >/dev/null
	chat bob 2 two
	within 30 eval '[ "$(lines)" -ge 2 ]'
	printed one two
	within 30 event expunged 1000
	[ "$(jq -c 'select(.event=="expunged").imap.uid' "$OUT" | sort -n | uniq | wc -l)" = 1000 ]
	not event lost
	[ "$(busy)" -lt $((3000 * ${TEST_SLOW:-1})) ]
	end_watch
	status_is 0
}

@test "1,000 EXPUNGE lines, more than there are messages" {
	play watch-storm
	printed 'hello two'
	not event lost
	[ "$(busy)" -lt $((2000 * ${TEST_SLOW:-1})) ]
}

@test "the chats folder is deleted and made anew, under NOTIFY" {
	imap alice 'CREATE COI/Chats' >/dev/null
	watch alice --poll 1s --idle 2s
	ready 2
	put alice COI/Chats 1 one
	printed one
	imap alice 'DELETE COI/Chats' >/dev/null
	chat alice 2 two
	printed one two
	imap alice 'CREATE COI/Chats' >/dev/null
	put alice COI/Chats 3 three
	printed one two three
	put alice COI/Chats 4 four
	chat alice 5 five
	all_of one two three four five
}

@test "a mailbox is renamed away, another one takes its name" {
	imap alice 'CREATE Work' 'CREATE Other' >/dev/null
	put alice Other 7 seven
	watch alice -b Work --poll 1s --idle 2s
	ready
	put alice Work 1 one
	printed one
	imap alice 'RENAME Work Gone' 'RENAME Other Work' >/dev/null
	put alice Work 2 two
	# What is in it was never seen, whatever its numbers.
	all_of one seven two
	put alice Gone 3 three
	put alice Work 4 four
	all_of one seven two four
}

# --- the login ---------------------------------------------------------------

@test "refused for a while, then the token has run out: the command is run anew" {
	start_peer -T 60 "$PEERS_DIR/watch-token.peer"
	peer_account
	sed -i "s,^password-command.*,password-command = cat $T/token," "$T/me/.config/coi/config"
	echo old >"$T/token"
	watch me -b INBOX --timeout 5s --start all
	within 10 event lost 2
	echo new >"$T/token"
	all_of 'hello two'
	contains "$(lost)" '[UNAVAILABLE]'
	not event stopped
	lacks "$(lost)" AUTHENTICATIONFAILED # a second try at once, no wait
}

# --- the clock ---------------------------------------------------------------

# jump WALL ASLEEP: seconds; what the clocks say from here on.
jump() {
	echo "$1 $2" >"$T/jump.new"
	mv "$T/jump.new" "$T/jump"
}

with_jumps() {
	jump 0 0
	export CLOCK_JUMP=$T/jump
	LD_PRELOAD=$BUILD/clock.so watch "$@"
	unset CLOCK_JUMP
}

@test "the clock is set, forth and back: all goes on as before" {
	with_jumps bob --heartbeat 1s --idle 60s --trace="$T/trace"
	ready
	chat bob 1 one
	printed one
	jump 400000000 0
	within 5 eval '[[ $(jq -r "select(.event==\"heartbeat\").at" "$OUT" | tail -n 1) > 2037 ]]'
	chat bob 2 two
	printed one two
	jump -400000000 0
	local beats
	beats=$(count "$OUT" heartbeat)
	chat bob 3 three
	printed one two three
	within 10 event heartbeat $((beats + 3))
	end_watch
	status_is 0
	not event lost
	[ "$(grep -c 'connected to' "$T/trace")" = 1 ]
	[ "$(grep -c 'C: a[0-9]* IDLE' "$T/trace")" -le 8 ]
}

@test "after a suspension it looks at once whether the line is alive" {
	line bob
	with_jumps bob --heartbeat 1s --idle 20m --timeout 2s --trace="$T/trace"
	ready
	# a second is no suspension
	jump 0 1
	sleep 1.5
	not grep -q 'C: a[0-9]* NOOP' "$T/trace"
	jump 0 3600
	within 5 grep -q 'C: a[0-9]* NOOP' "$T/trace"
	not event lost # it was alive
	say swallow
	chat bob 1 one
	jump 0 7200
	within 10 event lost
	say pass
	printed one
}

# --- handlers ----------------------------------------------------------------

# bot CMD [OPTION...]
bot() {
	local cmd=$1
	shift
	watch bob --events state --exec "$cmd" "$@"
	ready
}

# none FILE: none of the processes it names is there any more.
none() {
	local p
	while read -r p; do
		gone "$p" || return 1
	done <"$1"
}

@test "a handler that hangs is ended in time; others go on meanwhile" {
	bot 'if [ "$(jq -r .text)" = hang ]; then echo $$ >"$HOME/pid"; sleep 300; fi; echo "$COI_MSG_ID" >>"$HOME/in"' --exec-timeout 2s --tries 1
	as alice coi-send -m hang bob@two.test
	within 10 test -s "$T/bob/pid"
	chat bob 1 one
	within 5 test -s "$T/bob/in"
	within 10 has "$ERR" 'dead letter after 1 try: did not end in time'
	within 5 none "$T/bob/pid"
	[ "$(cat "$T/bob/in")" = 'chat$1@elsewhere.test' ]
	end_watch
	status_is 0
	[ "$(as bob coi-fetch --dead --json | jq -r .text)" = hang ]
}

@test "a handler that forks a hundred times: all of them are ended" {
	bot 'for i in $(seq 100); do sleep 300 & echo $! >>"$HOME/pids"; done; wait' --exec-timeout 2s --tries 1
	chat bob 1 one
	within 15 has "$ERR" 'did not end in time'
	[ "$(wc -l <"$T/bob/pids")" = 100 ]
	within 5 none "$T/bob/pids"
	end_watch
	status_is 0
}

@test "a handler that leaves a daemon behind is done with" {
	bot 'setsid sleep 300 & echo $! >>"$HOME/pid"; echo "$COI_MSG_ID" >>"$HOME/in"'
	chat bob 1 one
	chat bob 2 two
	within 5 eval '[ "$(wc -l <"$T/bob/in")" = 2 ]'
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
	while read -r p; do kill "$p"; done <"$T/bob/pid" # they were left alone
}

@test "a handler that ignores SIGTERM does not hold up the end" {
	bot 'trap "" TERM; echo $$ >"$HOME/pid"; while :; do sleep 1; done'
	chat bob 1 one
	within 10 test -s "$T/bob/pid"
	SECONDS=0
	end_watch
	status_is 0
	[ "$SECONDS" -le $((5 * ${TEST_SLOW:-1})) ]
	within 5 none "$T/bob/pid"
	# It was not done: it comes again.
	[ "$(as bob coi-fetch --json | jq -r .text)" = one ]
}

@test "a handler that writes 1 GB costs no memory and holds up nobody" {
	bot 'if [ "$(jq -r .text)" = much ]; then head -c 500000000 /dev/zero; head -c 500000000 /dev/zero >&2; fi; echo "$COI_MSG_ID" >>"$HOME/in"'
	as alice coi-send -m much bob@two.test
	within 10 has "$ERR" 'prints more than 256 kB'
	chat bob 1 one
	within 30 eval '[ "$(wc -l <"$T/bob/in")" = 2 ]'
	[ "${TEST_SLOW:-1}" != 1 ] || [ "$(memory)" -lt 40000 ]
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
	[ "$(tr -d '\0' <"$ERR" | wc -c)" -lt 10000 ]
}

@test "a handler that answers with 1 GB is a dead letter, nothing is sent" {
	bot 'head -c 1000000000 /dev/zero | tr "\0" x' --reply --tries 1
	as alice coi-send -m much bob@two.test
	within 30 has "$ERR" 'dead letter after 1 try: printed more than 32 MB'
	[ "${TEST_SLOW:-1}" != 1 ] || [ "$(memory)" -lt 130000 ]
	end_watch
	status_is 0
	[ -z "$(as bob coi-send --queue-list)" ]
	[ "$(mail_count alice)" = 0 ]
}
