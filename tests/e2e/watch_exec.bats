#!/usr/bin/env bats
# coi-watch --exec: handlers, answers, dead letters, bots that meet.
load helper
load watching

teardown() {
	[ -n "$BATS_TEST_COMPLETED" ] || tail -n 20 "$T"/err.* "$T"/out.*
	stop_watches
	teardown_default
}

# bot USER CMD [OPTION...]: a watch whose handlers are CMD.
bot() {
	local user=$1 cmd=$2
	shift 2
	watch "$user" --events state --exec "$cmd" "$@"
	ready
}

tell() {
	as alice coi-send -m "$1" bob@two.test
}

# flood N: so many messages of Alice to Bob: m1, m2 and so on.
flood() {
	local i
	as bob mkdir "$T/flood"
	for ((i = 1; i <= $1; i++)); do
		printf 'From: alice@one.test\r\nTo: bob@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@one.test>\r\nChat-Version: 1.0\r\n\r\nm%s\r\n' "$i" "$i" >"$(printf '%s/flood/%04d' "$T" "$i")"
	done
	deliver bob "$T"/flood/*
}

# answers: all that came to Alice, as JSON.
answers() { as alice coi-fetch --json --uid '1:*' -b INBOX --all-mail; }

@test "a handler gets the record and its variables, and the message is done" {
	ulimit -Sn 1000
	bot bob 'cat >"$HOME/in"; env >"$HOME/env"; ulimit -Sn >"$HOME/files"; ls /proc/self/fd >"$HOME/fds"; echo printed'
	tell 'hello bob'
	within 10 test -s "$T/bob/fds"
	within 10 has "$ERR" printed
	end_watch
	status_is 0
	[ "$(jq -r .text "$T/bob/in")" = 'hello bob' ]
	[ "$(jq -r .meta.account "$T/bob/in")" = bob ]
	id=$(jq -r .id "$T/bob/in")
	has "$T/bob/env" "COI_MSG_ID=$id"
	has "$T/bob/env" COI_MSG_FROM=alice@one.test
	has "$T/bob/env" COI_MSG_CONVERSATION=mail:alice@one.test
	has "$T/bob/env" COI_MSG_KIND=message
	has "$T/bob/env" COI_ACCOUNT=bob
	has "$T/bob/env" "COI_CONFIG=$T/bob/.config/coi/config"
	[ "$(tr '\n' ' ' <"$T/bob/fds")" = '0 1 2 3 ' ] # 3: the folder itself
	lacks "$(cat "$T/bob/env")" COI_TEST
	[ "$(cat "$T/bob/files")" = 1000 ] # for select(2)
	[ -z "$(grep -v '^{"event"' "$OUT")" ] # stdout is not the handlers'
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "no secret reaches a handler" {
	as bob true
	export CREDENTIALS_DIRECTORY=$T/creds MY_PASSWORD=secret-x
	mkdir -m 700 "$CREDENTIALS_DIRECTORY"
	printf secret-bob >"$CREDENTIALS_DIRECTORY/password"
	chmod 600 "$CREDENTIALS_DIRECTORY/password"
	grep -v password-command "$T/bob/.config/coi/config" >"$T/c"
	cp "$T/c" "$T/bob/.config/coi/config"
	bot bob 'tr "\0" "\n" </proc/$$/environ >"$HOME/env"; tr "\0" " " </proc/$PPID/cmdline >>"$HOME/env"'
	tell x
	within 10 test -s "$T/bob/env"
	end_watch
	[ "$(wc -l <"$T/bob/env")" -gt 5 ]
	lacks "$(cat "$T/bob/env")" secret
	lacks "$(cat "$T/bob/env")" CREDENTIALS
}

@test "a handler's status counts also where children are ignored" {
	as bob true
	# As cron and some supervisors start it.
	python3 - "$T/bob/parent" <<-'EOF'
		import os, sys
		with open(sys.argv[1], "w") as f:
		    f.write("import os, signal, sys\n"
		            "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
		            "os.execvp(sys.argv[1], sys.argv[1:])\n")
	EOF
	tell x
	run as bob timeout $((20 * ${TEST_SLOW:-1})) python3 "$T/bob/parent" coi-watch --start all \
		--exec 'exit 65' --once
	contains "$output" 'dead letter after 1 try: exit status 65'
	status_is 0
	# The password command is a child, too.
	run as bob timeout $((20 * ${TEST_SLOW:-1})) python3 "$T/bob/parent" coi-fetch --all-mail
	status_is 0
}

@test "coi-send works inside of a handler, as the same account" {
	bot bob 'coi-send -m "from inside" "$COI_MSG_FROM"'
	tell x
	wait_for_mail alice 1
	end_watch
	[ "$(answers | jq -r .from.email)" = bob@two.test ]
}

@test "--reply sends the text that is printed, marked as automatic" {
	bot bob 'jq -r ".text | ascii_upcase"' --reply
	tell $'hello\n{bob}'
	wait_for_mail alice 1
	end_watch
	inbox alice | grep -q '^Auto-Submitted: auto-replied'
	[ "$(answers | jq -r .text)" = $'HELLO\n{BOB}' ]
	[ "$(answers | jq -r .meta.autoSubmitted)" = auto-replied ]
	[ "$(answers | jq -r '.to[0].email')" = alice@one.test ]
	sent=$(as alice coi-fetch --json --own --all-mail -b Sent --uid 1 | jq -r .id)
	[ "$(answers | jq -r .inReplyTo)" = "$sent" ]
	# An own copy, as of every message.
	wait_for_mail bob 1 Sent
}

@test "--reply sends each record that is printed" {
	printf 'content' >"$T/file.txt"
	bot bob "jq -c '{text: \"one\"}, {to: [\"carol@one.test\"], text: \"for carol\"}, (.text = \"same \" + .text), {text: \"file\", attachments: [{path: \"$T/file.txt\"}]}'" --reply
	tell record
	wait_for_mail alice 3
	wait_for_mail carol 1
	end_watch
	[ "$(answers | jq -r .text | sort)" = $'file\none\nsame record' ]
	[ "$(answers | jq -r '.attachments[]?.name')" = file.txt ]
	[ "$(answers | jq -r .from.email | uniq)" = bob@two.test ]
	[ "$(answers | jq -r .inReplyTo | sort -u | wc -l)" = 1 ]
	# A third person learns nothing of the message.
	lacks "$(inbox carol)" 'In-Reply-To:'
	[ "$(inbox carol | grep -c '^Auto-Submitted: auto-replied')" = 1 ]
}

@test "a group is answered as a group" {
	bot bob 'jq -r .text' --reply
	echo '{"to":["bob@two.test","carol@one.test"],"group":{"id":"g1","name":"Team"},"text":"hi"}' |
		as alice coi-send --json >/dev/null
	wait_for_mail alice 1
	wait_for_mail carol 2
	end_watch
	[ "$(answers | jq -r .group.id)" = g1 ]
	[ "$(answers | jq -r .meta.conversation)" = group:g1 ]
}

@test "nothing printed is no answer" {
	bot bob 'echo; date >"$HOME/ran"' --reply
	tell x
	within 10 test -s "$T/bob/ran"
	end_watch
	status_is 0
	[ -z "$(as bob coi-send --queue-list)" ]
	[ "$(mail_count alice)" = 0 ]
}

@test "output that cannot be sent is a failure that says why" {
	bot bob 'echo "{\"text\":\"ok\"}"; echo "{\"txet\":1}"' --reply --tries 1
	tell x
	within 10 has "$ERR" 'dead letter after 1 try'
	end_watch
	has "$ERR" 'line 2 of its output: unknown key "txet"'
	[ "$(mail_count alice)" = 0 ] # all or nothing
	as bob coi-fetch --dead --json | jq -e '.dead.why | contains("txet")'
}

@test "an attachment that was left on the server cannot be sent back" {
	bot bob cat --reply --tries 1
	head -c 100 /dev/zero >"$T/f.bin"
	as alice coi-send -m see --file "$T/f.bin" bob@two.test
	within 10 has "$ERR" 'dead letter'
	end_watch
	has "$ERR" 'answer 1'
}

@test "a message that fails is a dead letter; others go on" {
	bot bob '[ "$COI_MSG_FROM" != alice@one.test ] || { echo no good >&2; exit 3; }; cat >>"$HOME/in"' --tries 2
	tell bad
	within 10 has "$ERR" 'again in'
	as carol coi-send -m good bob@two.test
	within 10 test -s "$T/bob/in"
	within 10 has "$ERR" 'is a dead letter after 2 tries: exit status 3: no good'
	end_watch
	[ "$(jq -r .text "$T/bob/in")" = good ]
	as bob coi-fetch --dead --json >"$T/dead"
	"$ROOT/tests/lib/schema" "$ROOT/share/coi-message.schema.json" <"$T/dead"
	[ "$(jq -c '[.text, .dead.why, .dead.tries, .dead.retry]' "$T/dead")" = '["bad","exit status 3: no good",2,false]' ]
	[[ $(jq -r .dead.failedAt "$T/dead") == 20*Z ]]
	[ -z "$(as bob coi-fetch --json)" ]
	[ -z "$(as bob coi-fetch --dead --consumer other)" ]
	run as bob coi-fetch --dead --consumer other --fail-empty
	status_is 1
	# As it is read.
	run as bob script -qec 'coi-fetch --dead' /dev/null
	contains "$output" bad
	contains "$output" '2 tries, 20'
	contains "$output" ': exit status 3: no good'
}

@test "65 is a dead letter at once; --retry-dead puts it back" {
	bot bob 'cat >>"$HOME/in"; exit $(cat "$HOME/status")' --reply
	echo 65 >"$T/bob/status"
	tell again
	wait_for_mail bob 1
	within 10 has "$ERR" 'dead letter after 1 try: exit status 65'
	id=$(as bob coi-fetch --dead --json | jq -r .id)
	run as bob coi-fetch --retry-dead nonsense@x
	status_is 66
	contains "$output" 'coi-fetch --dead lists them'
	echo 0 >"$T/bob/status"
	as bob coi-fetch --retry-dead "<$id>"
	[ "$(as bob coi-fetch --dead --json | jq .dead.retry)" = true ]
	kill -USR1 "$WATCH"
	within 10 eval '[ "$(wc -l <"$T/bob/in")" = 2 ]'
	within 10 eval '[ -z "$(as bob coi-fetch --dead)" ]'
	[ "$(jq -r .id "$T/bob/in" | uniq)" = "$id" ]
	end_watch
	status_is 0
}

@test "what was put back is handled by the next run, although the mail is gone" {
	bot bob 'exit 65'
	tell again
	within 10 has "$ERR" 'dead letter'
	end_watch
	rm -rf "$(maildir bob)"/{cur,new}/*
	as bob coi-fetch --retry-dead "$(as bob coi-fetch --dead --json | jq -r .id)"
	bot bob 'jq -r .text' --reply
	wait_for_mail alice 1
	end_watch
	[ "$(answers | jq -r .text)" = again ]
	[ -z "$(as bob coi-fetch --dead)" ]
}

@test "75 waits for better times, and holds up its conversation only" {
	as bob true
	touch "$T/bob/busy"
	bot bob 'if [ -e "$HOME/busy" ] && [ "$COI_MSG_FROM" = alice@one.test ]; then exit 75; fi; jq -r .text >>"$HOME/in"' --tries 1
	tell one
	within 10 has "$ERR" 'exit status 75; again in'
	tell two
	as carol coi-send -m three bob@two.test
	within 10 has "$T/bob/in" three
	rm "$T/bob/busy"
	within 20 eval '[ "$(tr "\n" " " <"$T/bob/in")" = "three one two " ]'
	end_watch
	[ -z "$(as bob coi-fetch --dead)" ]
}

@test "two bots that answer each other stop (loop guard)" {
	bot alice 'jq -r .text' --reply --max-auto 2
	a=$WATCH ea=$ERR
	bot bob 'jq -r .text' --reply --max-auto 2
	tell ping
	within 15 grep -q 'more than 2 automatic messages' "$ea" "$ERR"
	local before
	before=$(($(mail_count alice) + $(mail_count bob)))
	sleep 1
	[ "$before" = $(($(mail_count alice) + $(mail_count bob))) ]
	# ping; Bob's answer; two answers of each to automatic ones.
	[ "$before" = 6 ]
	# A person is answered all the same.
	as carol coi-send -m human bob@two.test
	wait_for_mail carol 1
	kill "$a"
	end_watch
	[ "$(cat "$ea" "$ERR" | grep -c 'automatic messages')" = 1 ]
}

@test "two bots in one group stop (loop guard)" {
	bot alice 'echo a' --reply
	ea=$ERR
	bot bob 'echo b' --reply
	echo '{"to":["alice@one.test","bob@two.test"],"group":{"id":"g2"},"text":"go"}' |
		as carol coi-send --json >/dev/null
	within 20 grep -q 'group:g2: more than 3 automatic' "$ERR"
	within 20 grep -q 'group:g2: more than 3 automatic' "$ea"
	sleep 1
	# To Carol: one answer to her of each, and three to the other bot.
	[ "$(mail_count carol)" = 8 ]
}

@test "own messages are automatic, too" {
	bot bob 'jq -r .text' --reply --own --max-auto 1 -b INBOX
	tell x
	wait_for_mail alice 1
	for n in 1 2 3; do
		as bob coi-send -m "own $n" alice@one.test bob@two.test
	done
	within 15 has "$ERR" 'more than 1 automatic'
	end_watch
}

@test "killed at any point, a message is answered once" {
	as bob true
	for point in handler.started handler.ended handler.recorded \
		store.group.before store.group.after handler.acked send.replied; do
		export COI_TEST_KILL_AT=$point
		watch bob --exec 'date +%N; jq -r .text; echo ran >>"$HOME/runs"' --reply --start all
		unset COI_TEST_KILL_AT
		tell "at $point"
		within 15 gone "$WATCH" || continue
		watch bob --exec 'date +%N; jq -r .text; echo ran >>"$HOME/runs"' --reply --start all
		n=$((${n:-0} + 1))
		wait_for_mail alice "$n" || [ "$point" = send.replied ]
		[ "$point" != send.replied ] || sleep 1
		end_watch
	done
	[ "${n:-0}" = 7 ]
	[ "$(as bob coi-send --queue-list | wc -l)" -le 1 ]
	sleep 0.5
	# The one in doubt is told by the run that finds it.
	! grep -q unknown <<<"$(as bob coi-send --queue-list)" ||
		grep -q '1 answer is of unknown outcome' "$T"/err.*
	# Each once.  That of send.replied is out, or of unknown outcome.
	[ "$(mail_count alice)" = 7 ]
	[ "$(answers | jq -r '.text | split("\n")[1]' | sort | uniq -c | awk '$1 > 1' | wc -l)" = 0 ]
	[ -z "$(as bob coi-fetch --no-commit --json)" ]
}

@test "an answer that cannot leave waits in the outbox" {
	as bob true
	COI_SMTP_PORT=1 bot bob 'jq -r .text' --reply
	tell patience
	within 10 has "$ERR" 'answers wait in the outbox'
	end_watch
	status_is 0
	contains "$(as bob coi-send --queue-list)" alice@one.test
	[ -z "$(as bob coi-fetch --json)" ] # the message is done with
	bot bob 'jq -r .text' --reply
	wait_for_mail alice 1
	end_watch
	[ "$(answers | jq -r .text)" = patience ]
	[ -z "$(as bob coi-send --queue-list)" ]
}

@test "a refused answer is told, the message is done" {
	bot bob 'echo "{\"to\":[\"refused@two.test\"],\"text\":\"x\"}"' --reply
	tell x
	within 10 has "$ERR" 'to refused@two.test: refused: '
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "at SIGTERM a handler may finish; one that does not comes again" {
	bot bob 'echo began >>"$HOME/began"; sleep 1; echo done >>"$HOME/done"'
	tell x
	within 10 test -s "$T/bob/began"
	end_watch
	status_is 0
	[ -s "$T/bob/done" ]
	bot bob 'echo $$ >"$HOME/pid"; sleep 60'
	tell y
	within 10 test -s "$T/bob/pid"
	start=$SECONDS
	end_watch
	status_is 0
	[ $((SECONDS - start)) -le 5 ]
	within 5 gone "$(cat "$T/bob/pid")"
	bot bob 'jq -r .text >"$HOME/in"'
	within 10 test -s "$T/bob/in"
	end_watch
	[ "$(cat "$T/bob/in")" = y ]
}

@test "--once ends when the handler has ended, 75 when it has to run again" {
	tell one
	watch bob --start all --exec 'sleep 0.5; jq -r .text' --reply --once
	ended
	status_is 0
	wait_for_mail alice 1
	tell two
	watch bob --exec 'exit 1' --once
	ended
	status_is 75
	[ "$(as bob coi-fetch --json | jq -r .text)" = two ]
}

@test "many messages: each is handled once" {
	flood 60
	as bob touch "$T/bob/in"
	watch bob --start all --exec 'jq -r .text >>"$HOME/in"' --jobs 8
	within 30 eval '[ "$(wc -l <"$T/bob/in")" -ge 60 ]'
	end_watch
	# One conversation: in the order of the mailbox.
	[ "$(cat "$T/bob/in")" = "$(printf 'm%s\n' {1..60})" ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "SIGHUP twice while many messages wait: handlers go on with the account" {
	local i had
	flood 280
	as bob touch "$T/bob/in"
	# What is freed is overwritten.
	MALLOC_PERTURB_=90 watch bob --start all --jobs 1 \
		--exec 'sleep 0.1; echo "$COI_ACCOUNT" >>"$HOME/in"'
	for i in 1 2; do
		had=$(wc -l <"$T/bob/in")
		within 20 eval '[ "$(wc -l <"$T/bob/in")" -ge $((had + 3)) ]'
		kill -HUP "$WATCH"
	done
	had=$(wc -l <"$T/bob/in")
	within 20 eval '[ "$(wc -l <"$T/bob/in")" -ge $((had + 3)) ]'
	end_watch
	status_is 0
	[ "$(sort -u "$T/bob/in")" = bob ]
}

@test "SIGHUP starts the only account anew while a handler still runs" {
	bot bob 'echo "$COI_MSG_ID" >>"$HOME/in"; [ ! -e "$HOME/slow" ] || sleep 4'
	as bob touch "$T/bob/slow"
	tell one
	within 10 test -s "$T/bob/in"
	set_config bob password-command 'echo wrong'
	kill -HUP "$WATCH"
	within 10 event stopped
	set_config bob password-command 'echo secret-bob'
	rm "$T/bob/slow"
	kill -HUP "$WATCH"
	sleep 5 # the handler has ended
	tell two
	within 10 eval '[ "$(wc -l <"$T/bob/in")" = 2 ]'
	end_watch
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "a conversation whose handlers are slow holds up nobody else" {
	flood 300
	as carol coi-send -m 'from carol' bob@two.test
	wait_for_mail bob 301
	as bob touch "$T/bob/in" "$T/bob/slow"
	watch bob --start all --trace="$T/trace" \
		--exec '[ ! -e "$HOME/slow" ] || [ "$COI_MSG_FROM" = carol@one.test ] || sleep 1; jq -r .text >>"$HOME/in"'
	within 20 has "$T/bob/in" 'from carol'
	[ "$(wc -l <"$T/bob/in")" -lt 40 ]
	rm "$T/bob/slow"
	within 25 eval '[ "$(wc -l <"$T/bob/in")" -ge 301 ]'
	end_watch
	[ "$(grep -v carol "$T/bob/in")" = "$(printf 'm%s\n' {1..300})" ]
	# Nothing was read twice.
	[ "$(grep -c ' FETCH (UID .*BODY' "$T/trace")" = 301 ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "what was put off behind one that fails is read again as soon as there is room" {
	flood 100
	as bob touch "$T/bob/in" "$T/bob/busy"
	watch bob --start all --poll 1h --exec '[ ! -e "$HOME/busy" ] || exit 75; jq -r .text >>"$HOME/in"'
	within 10 has "$ERR" 'exit status 75; again in'
	as carol coi-send -m 'from carol' bob@two.test
	wait_for_mail bob 101
	rm "$T/bob/busy"
	within 20 eval '[ "$(wc -l <"$T/bob/in")" -ge 101 ]'
	end_watch
	[ "$(grep -v carol "$T/bob/in")" = "$(printf 'm%s\n' {1..100})" ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "--once says 75 when not all that it found was taken; nothing is lost" {
	flood 1100
	as bob touch "$T/bob/in"
	watch bob --start all --once \
		--exec '[ -s "$HOME/in" ] || sleep 5; echo "$COI_MSG_ID" >>"$HOME/in"'
	within 60 gone "$WATCH"
	ended
	status_is 75
	local n
	n=$(wc -l <"$T/bob/in")
	[ "$n" -ge 1000 ]
	[ "$n" -lt 1100 ]
	watch bob --poll 1h --exec 'echo "$COI_MSG_ID" >>"$HOME/in"'
	within 20 eval '[ "$(wc -l <"$T/bob/in")" -ge 1100 ]'
	end_watch
	[ "$(cat "$T/bob/in")" = "$(printf 'chat$%s@one.test\n' {1..1100})" ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "--run-for ends --once whose handler takes longer: 75, and it comes again" {
	tell one
	watch bob --start all --exec 'sleep 60' --once --run-for 2s
	ended
	status_is 75
	[ "$(as bob coi-fetch --json | jq -r .text)" = one ]
	# One that ends in the time that is left is done.
	watch bob --start all --exec 'sleep 3' --once --run-for 2s
	ended
	status_is 0
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "options that make no sense are refused" {
	as bob true
	for args in '--reply' '--jobs 2' '--tries 3' '--exec= ' '--exec true --jobs 0' \
		'--exec true --exec-timeout 0' '--exec true --no-commit' '--exec true --tries x'; do
		# shellcheck disable=SC2086
		run as bob coi-watch $args
		status_is 64
	done
	set_config bob encrypt always
	run as bob coi-watch --exec cat --reply
	status_is 81
	set_config bob encrypt auto
	sed -i '/^smtp-/d' "$T/bob/.config/coi/config"
	run as bob coi-watch --exec cat --reply
	status_is 78
	contains "$output" smtp-host
	for args in '--dead --retry-dead x' '--dead --ack' '--dead -b INBOX' '--retry-dead x --uid 1'; do
		# shellcheck disable=SC2086
		run as bob coi-fetch $args
		status_is 64
	done
}

@test "autoSubmitted of a record becomes the header, in its two values" {
	as alice true
	run as alice coi-send -n --json - <<<'{"to":["bob@two.test"],"text":"x","autoSubmitted":"auto-generated"}'
	status_is 0
	contains "$output" 'Auto-Submitted: auto-generated'
	run as alice coi-send -n --json - <<<'{"to":["bob@two.test"],"text":"x"}'
	lacks "$output" Auto-Submitted
	for v in no auto-generated\;x ''; do
		run as alice coi-send -n --json - <<<"{\"to\":[\"bob@two.test\"],\"text\":\"x\",\"autoSubmitted\":\"$v\"}"
		status_is 65
		contains "$output" autoSubmitted
	done
	# Printed as the mail has it; what a person sent has none.
	for v in 'Auto-Replied; x=y' no; do
		printf 'From: a@b.test\nAuto-Submitted: %s\nChat-Version: 1.0\n\nx\n' "$v" |
			coi-fetch -f - | jq -r .meta.autoSubmitted
	done >"$T/got"
	[ "$(cat "$T/got")" = $'auto-replied\nnull' ]
}
