#!/usr/bin/env bats
# coi-fetch against IMAP servers that no sane person runs: each gives its
# documented status and message, and a second run continues.
load helper
load hostile

fetch() { coi-fetch --json "$@" 2>"$T/err"; }

# fails STATUS SCRIPT WORDS: it does, says WORDS, and nothing is lost: the run
# after it, against a sane server, completes what was printed, once each.
fails() {
	local status=$1 script=$2 words=$3 rc=0
	play imap "$script" || return 1
	coi-fetch --json --timeout 1s --state-dir "$T/$script" >"$T/out" \
		2>"$T/err" || rc=$?
	[ "$rc" = "$status" ] || {
		echo "$script: status $rc, not $status: $(<"$T/err")"
		return 1
	}
	contains "$(jq -r '[.message, .reply, .hint] | join("; ")' "$T/err")" \
		"$words" || return 1
	[ "$(jq -r .status "$T/err")" = "$status" ] || return 1
	play imap ok || return 1
	coi-fetch --json --state-dir "$T/$script" >>"$T/out" || return 1
	[ "$(jq -r .text "$T/out")" = "hello one" ] || {
		echo "$script, then a sane server: $(<"$T/out")"
		return 1
	}
}

@test "BYE at every stage is 75 with the server's words; nothing is lost" {
	fails 75 bye-greeting overloaded
	fails 75 bye-login 'shutting down'
	fails 75 bye-authenticated 'shutting down'
	fails 75 bye-status 'shutting down'
	fails 75 bye-list 'shutting down'
	fails 75 bye-select 'shutting down'
	fails 75 bye-search 'shutting down'
	fails 75 bye-fetch 'shutting down'
	fails 75 bye-message 'shutting down'
}

@test "a link cut at every stage is 69; nothing is lost" {
	fails 69 cut-login 'connection lost'
	fails 69 cut-status 'connection lost'
	fails 69 cut-list 'connection lost'
	fails 69 cut-select 'connection lost'
	fails 69 cut-search 'connection lost'
	fails 69 cut-fetch 'connection lost'
}

@test "a cut literal, one of 4294967295 and of 4294967299 octets" {
	fails 69 literal-cut 'closed by the server'
	fails 76 literal-4g 'literal that is too large'
	fails 76 literal-wrap 'literal that is too large'
	fails 76 literal-in-list 'beyond the limit'
	fails 69 literal-in-greeting 'closed by the server'
}

@test "lines and answers without end, nesting of 100,000" {
	fails 76 greeting-endless 'beyond the limit'
	fails 76 line-endless 'beyond the limit'
	fails 76 structure-endless 'beyond the limit'
	fails 76 nesting 'did not send message 1'
	fails 76 nesting-open 'FETCH response that is broken'
	fails 76 login-endless 'asks for more than the login has to say'
}

@test "untagged answers without end are cut off" {
	fails 76 many 'does not stop sending'
}

@test "what is no IMAP: greetings, injected answers, foreign tags" {
	fails 76 greeting-nonsense 'strange greeting'
	fails 76 greeting-injection 'what is no IMAP'
	fails 76 tag-wrong 'what is no IMAP'
}

@test "silence, and an octet every now and then, end in time with 75" {
	for script in silent-greeting silent-login silent-select literal-silent \
		drip-greeting drip; do
		took 3000 fails 75 $script --timeout
		status_is 0
	done
}

@test "a refused login is 77, one that cannot be checked now 75" {
	fails 77 login-refused 'check user and password'
	fails 75 login-unavailable later
	fails 69 no-fetch 'internal error'
}

@test "answers for no UID, UID 0 and no answer at all" {
	fails 76 uid-missing 'the next run asks again'
	fails 76 uid-zero 'broken'
}

@test "a FETCH nobody asked for and two answers for one UID print one line" {
	for script in uid-foreign uid-twice unknown greeting-badcharset \
		list-injection uidvalidity-between; do
		play imap "$script"
		run coi-fetch --json --state-dir "$T/$script"
		status_is 0
		[ "$(jq -r .text <<<"$output")" = "hello one" ]
		lacks "$(<"$PEER_LOG")" 'C: x1'
	done
}

@test "a changed UIDVALIDITY is told and repeats nothing" {
	play imap uidvalidity
	[ "$(fetch | jq -r .text)" = "hello one" ]
	[ -z "$(fetch)" ]
	contains "$(<"$T/err")" UIDVALIDITY
	wait_peer
}

@test "NUL, broken UTF-8 and escapes in every field make valid JSON" {
	play imap bytes
	fetch >"$T/out"
	[ "$(wc -l <"$T/out")" = 1 ]
	iconv -f UTF-8 -t UTF-8 "$T/out" >/dev/null
	jq -e '.from.email == "bob@example.org"' "$T/out"
	contains "$(jq -r .text "$T/out")" hel
	# Not one control octet, raw.
	[ "$(tr -d '\n' <"$T/out" | LC_ALL=C tr -d ' -~\200-\377' | wc -c)" = 0 ]
	# On a terminal neither.
	play imap bytes
	script -qec "coi-fetch --consumer tty" "$T/tty" >/dev/null
	contains "$(tr -d '\0' <"$T/tty")" hel
	lacks "$(sed 1d "$T/tty" | tr -d '\0')" $'\e]0'
	lacks "$(sed 1d "$T/tty" | tr -d '\0')" $'\e[2J'
}

@test "EXISTS before the go-ahead of APPEND: the copy is made" {
	play imap exists-before-plus
	imap=$PEER_PORT append=$PEER_LOG
	play smtp ok
	peer_account "imap-port = $imap" "sent-folder = auto"
	run coi-send -m 'a copy of it' bob@two.test
	status_is 0
	[ -z "$output" ]
	contains "$(<"$append")" 'APPEND "Sent"'
	contains "$(<"$append")" 'LOGOUT'
}

# Two messages, and something happens between them.
one_then() {
	play imap "$1"
	rc=0
	fetch --timeout 1s "${@:3}" >"$T/out" || rc=$?
	[ "$rc" = "$2" ]
}
rest_comes() {
	play imap two
	fetch "$@" >>"$T/out"
	[ "$(jq -r .text "$T/out" | sort | tr '\n' ,)" = "hello one,hello two," ] || {
		cat "$T/out"
		return 1
	}
	[ -z "$(fetch "$@")" ]
}

@test "cut or silent in the second message: the first is not repeated, the second not lost" {
	for script in two-cut:69 two-hang:75; do
		one_then "${script%:*}" "${script#*:}" --consumer "${script%:*}"
		[ "$(jq -r .text "$T/out")" = "hello one" ]
		rest_comes --consumer "${script%:*}"
	done
}

@test "a message left out, or the answers backwards and cut: nothing is passed over" {
	for script in two-half:76 two-backwards:69; do
		one_then "${script%:*}" "${script#*:}" --consumer "${script%:*}"
		[ "$(jq -r .text "$T/out")" = "hello two" ]
		rest_comes --consumer "${script%:*}"
	done
}

@test "the same with --no-commit: acknowledging the second does not pass the first" {
	one_then two-half 76 --no-commit
	[ "$(jq -r .text "$T/out")" = "hello two" ]
	coi-fetch --ack <"$T/out"
	play imap two
	fetch --no-commit >"$T/again"
	[ "$(jq -r .text "$T/again")" = "hello one" ]
	coi-fetch --ack <"$T/again"
	[ -z "$(fetch)" ]
}

@test "a selection that fails in the middle still prints what came" {
	play imap two-cut
	rc=0
	fetch --uid 1:2 >"$T/out" || rc=$?
	[ "$rc" = 69 ]
	[ "$(jq -r .text "$T/out")" = "hello one" ]
}

@test "SIGTERM during a fetch that hangs: within 5 s, status 0, what was printed is committed" {
	play imap two-hang
	fetch >"$T/out" &
	pid=$!
	for _ in {1..200}; do
		grep -q 'UID FETCH' "$PEER_LOG" && break
		sleep 0.02
	done
	sleep 0.3
	kill -TERM "$(pgrep -P $pid coi-fetch || echo $pid)"
	start=$SECONDS
	wait $pid
	[ $((SECONDS - start)) -le 5 ]
	[ ! -s "$T/err" ]
	[ "$(jq -r .text "$T/out")" = "hello one" ]
	rest_comes
}

@test "SIGTERM and SIGINT while nothing answers at all: within 5 s, status 0" {
	for sig in TERM INT; do
		play imap silent-greeting
		bash -ic 'exec coi-fetch --json' >"$T/out" 2>/dev/null &
		pid=$!
		for _ in {1..200}; do
			grep -q connection "$PEER_LOG" && break
			sleep 0.02
		done
		sleep 0.1
		kill -$sig $pid
		start=$SECONDS
		wait $pid
		[ $((SECONDS - start)) -le 5 ]
	done
}
