#!/usr/bin/env bats
# coi-send against SMTP servers that no sane person runs: each gives its
# documented status and message; nothing is sent twice unasked.
load helper
load hostile
bats_require_minimum_version 1.5.0

send() { coi-send --json --timeout 1s "$@" 2>"$T/err"; }

# sends STATUS RESULT WORDS SCRIPT [PEER ARGUMENT...]: that is what becomes of
# a message; nothing stays behind in the queue, and a second run against a
# sane server sends anew.
sends() {
	local status=$1 result=$2 words=$3 rc=0
	shift 3
	play smtp "$@" || return 1
	send -m hello bob@two.test >"$T/out" || rc=$?
	[ "$rc" = "$status" ] || {
		echo "$*: status $rc, not $status: $(cat "$T/err" "$T/out")"
		return 1
	}
	[ "$(jq -r .result "$T/out")" = "$result" ] || {
		echo "$*: not $result: $(<"$T/out")"
		return 1
	}
	contains "$(cat "$T/err" "$T/out" | jq -r '.message, .reply, .hint,
		(.recipients // [])[].reply' | tr '\n' ' ')" "$words" || return 1
	# The same without --json: one line or more on stderr, no control octet.
	play smtp "$@" || return 1
	rc=0
	coi-send --timeout 1s -m hello bob@two.test >"$T/plain" 2>&1 || rc=$?
	[ "$rc" = "$status" ] || return 1
	[ "$result" = accepted ] || contains "$(<"$T/plain")" "coi-send: " || return 1
	[ "$(tr -d '\n' <"$T/plain" | LC_ALL=C tr -d ' -~\200-\377' | wc -c)" = 0 ] ||
		return 1
	[ "$result" = unknown ] || [ -z "$(coi-send --queue-list)" ]
}

@test "421, 4xx and 5xx at every stage" {
	local code
	for code in '421 4.3.2 bye' '450 4.2.0 later'; do
		for at in greeting ehlo auth mail rcpt data dot bdat; do
			sends 75 deferred "${code##* }" at-$at -D "reply=$code"
		done
	done
	for at in greeting:69:deferred ehlo:69:deferred auth:77:deferred \
		mail:67:refused rcpt:67:refused data:67:refused \
		dot:67:refused bdat:67:refused; do
		IFS=: read -r stage status result <<<"$at"
		sends "$status" "$result" never at-$stage -D 'reply=550 5.7.1 never'
	done
}

@test "with --queue what is deferred at any stage is kept and sent once later" {
	for at in greeting ehlo auth mail rcpt data dot bdat; do
		play smtp at-$at -D 'reply=451 4.7.1 later'
		run coi-send --json --queue -m "queued at $at" bob@two.test
		[ "$(jq -r '.result // empty' <<<"${lines[0]}")" = queued ]
	done
	[ "$(coi-send --queue-list | wc -l)" = 8 ]
	play smtp ok
	send --flush >"$T/out"
	[ "$(jq -r .result "$T/out" | sort | uniq -c | tr -s ' ')" = " 8 accepted" ]
	for at in greeting ehlo auth mail rcpt data dot bdat; do
		[ "$(grep -c "C: queued at $at\$" "$PEER_LOG")" = 1 ]
	done
	[ -z "$(coi-send --queue-list)" ]
	[ -z "$(send --flush)" ]
}

@test "servers with few extensions are no trouble" {
	for script in ok data plain exim-503 quit-silent; do
		sends 0 accepted '' $script
	done
}

@test "greetings, lines and logins of nonsense" {
	sends 76 deferred 'without being asked' greeting-injection
	sends 76 deferred 'too long' line-endless
	sends 76 deferred 'asks for more than the login has to say' auth-endless
	sends 69 deferred 'offers no login' no-auth
}

@test "a silent server: 75 in time" {
	took 6000 sends 75 deferred 'in time' silent-greeting
	status_is 0
}

@test "a server that accepts before the end of the data has not accepted" {
	play smtp early
	run coi-send --json --timeout 1s -m hello bob@two.test
	[ "$status" = 69 ] || [ "$status" = 76 ]
	lacks "$output" accepted
}

@test "a link cut before the data is no loss and no riddle: 69, deferred" {
	sends 69 deferred 'connection' cut-mail
	sends 69 deferred 'connection' cut-354
}

@test "the data went out and no receipt came: 84, unknown" {
	sends 84 unknown 'connection lost' cut-bdat
	sends 84 unknown 'connection lost' cut-dot
	sends 84 unknown 'closed by the server' cut-half-reply
	sends 84 unknown 'different codes' codes-mixed
	sends 84 unknown 'too many lines' reply-endless
	sends 84 unknown 'taken' all-refused-taken
	took 6000 sends 84 unknown 'in time' silent-bdat
	status_is 0
	took 6000 sends 84 unknown 'in time' drip-reply
	status_is 0
}

@test "what is unknown waits: --flush leaves it, --retry-unknown sends it with the same id" {
	play smtp cut-bdat
	run send -m once bob@two.test
	status_is 84
	id=$(jq -r .id <<<"$output")
	contains "$(coi-send --queue-list)" "unknown"
	play smtp ok
	run send --flush
	status_is 0
	[ -z "$output" ]
	lacks "$(<"$PEER_LOG")" "C: once"
	run send --retry-unknown "$id"
	status_is 0
	[ "$(jq -r .result <<<"$output")" = accepted ]
	[ "$(jq -r .id <<<"$output")" = "$id" ]
	contains "$(<"$PEER_LOG")" "C: Message-ID: <$id>"
	contains "$(<"$PEER_LOG")" "C: once"
	[ -z "$(coi-send --queue-list)" ]
	run coi-send --retry-unknown "$id"
	status_is 66
}

@test "an idempotency key does not repeat what is unknown" {
	play smtp cut-bdat
	run send --idempotency-key k -m once bob@two.test
	status_is 84
	id=$(jq -r .id <<<"$output")
	play smtp ok
	run send --idempotency-key k -m once bob@two.test
	status_is 84
	[ "$(jq -r .id <<<"$output")" = "$id" ]
	lacks "$(<"$PEER_LOG")" "C: once"
}

@test "one message cut off, the others of the batch go on over a new connection" {
	play smtp cut-second
	printf '{"to":["bob@two.test"],"text":"n%s"}\n' 1 2 3 >"$T/in"
	run send "$T/in"
	status_is 84
	[ "$(jq -r .result <<<"$output" | tr '\n' ' ')" = "accepted unknown accepted " ]
	[ "$(jq -r .input <<<"$output" | tr '\n' ' ')" = "1 2 3 " ]
	[ "$(grep -c 'C: n1$' "$PEER_LOG")" = 1 ]
	[ "$(grep -c 'C: n2$' "$PEER_LOG")" = 1 ]
}

@test "421 between two messages: the second goes over a new connection" {
	play smtp rset-421
	printf '{"to":["bob@two.test"],"text":"n%s"}\n' 1 2 3 >"$T/in"
	run send "$T/in"
	status_is 0
	[ "$(jq -r .result <<<"$output" | sort -u)" = accepted ]
	for n in 1 2 3; do
		# What was written behind the 421 was not looked at.
		[ "$(sed '/^connection/h' "$PEER_LOG" | grep -c "C: n$n\$")" -ge 1 ]
	done
	[ "$(grep -c '^connection' "$PEER_LOG")" = 2 ]
}

@test "some recipients refused: 1, each by name; --queue keeps the one for later" {
	play smtp partial
	run send -m hello bob@two.test bad@two.test late@two.test
	status_is 1
	[ "$(jq -r .result <<<"$output")" = partial ]
	[ "$(jq -r '.recipients[] | .email + " " + .state + " " + (.code|tostring)' <<<"$output" | tr '\n' ,)" = \
		"bob@two.test accepted 250,bad@two.test refused 550,late@two.test deferred 451," ]
	[ -z "$(coi-send --queue-list)" ]
	play smtp partial
	run send --queue -m again bob@two.test bad@two.test late@two.test
	status_is 1
	[ "$(jq -r '.recipients[].state' <<<"$output" | tr '\n' ,)" = "accepted,refused,queued," ]
	contains "$(coi-send --queue-list)" late@two.test
	lacks "$(coi-send --queue-list)" bob@two.test
	lacks "$(coi-send --queue-list)" bad@two.test
	play smtp ok
	run send --flush
	status_is 0
	contains "$(<"$PEER_LOG")" "RCPT TO:<late@two.test>"
	lacks "$(<"$PEER_LOG")" "RCPT TO:<bob@two.test>"
	[ -z "$(coi-send --queue-list)" ]
}

@test "control octets of a reply reach neither terminal nor log" {
	sends 67 refused red bytes
	iconv -f UTF-8 -t UTF-8 "$T/out" >/dev/null
}

@test "SIGTERM while the receipt is awaited: within 5 s, unknown, told" {
	play smtp silent-bdat
	coi-send --json -m hello bob@two.test >"$T/out" 2>"$T/err" &
	pid=$!
	for _ in {1..200}; do
		grep -q 'BDAT' "$PEER_LOG" && break
		sleep 0.02
	done
	sleep 0.2
	start=$SECONDS
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	[ $((SECONDS - start)) -le 5 ]
	[ "$rc" = 84 ]
	[ "$(jq -r .result "$T/out")" = unknown ]
	contains "$(coi-send --queue-list)" unknown
}

@test "SIGTERM before the data: within 5 s, nothing was sent, nothing kept" {
	play smtp silent-greeting
	coi-send --json -m hello bob@two.test >"$T/out" 2>"$T/err" &
	pid=$!
	for _ in {1..200}; do
		grep -q connection "$PEER_LOG" && break
		sleep 0.02
	done
	sleep 0.1
	start=$SECONDS
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	[ $((SECONDS - start)) -le 5 ]
	[ "$(jq -r .result "$T/out")" = deferred ]
	[ "$rc" = 75 ]
	[ -z "$(coi-send --queue-list)" ]
}

@test "a hostile IMAP server holds up no message: 0, one warning, the copy follows" {
	for script in bye-greeting cut-login login-refused literal-in-list \
		bye-select silent-greeting; do
		play imap $script
		imap=$PEER_PORT
		play smtp ok
		peer_account "imap-port = $imap" 'sent-folder = auto'
		run --separate-stderr coi-send --json --timeout 1s \
			--state-dir "$T/$script" -m hello bob@two.test
		status_is 0
		[ "$(jq -r .result <<<"$output")" = accepted ]
		[ "$(wc -l <<<"$stderr")" = 1 ]
		contains "$stderr" 'no copy in Sent yet'
	done
	# The next chance is taken, and taken once.
	play imap append
	imap=$PEER_PORT append=$PEER_LOG
	play smtp ok
	peer_account "imap-port = $imap" 'sent-folder = auto'
	run coi-send --flush --state-dir "$T/cut-login"
	status_is 0
	[ -z "$output" ]
	[ "$(grep -c APPEND "$append")" = 1 ]
	run coi-send --flush --state-dir "$T/cut-login"
	status_is 0
	[ "$(grep -c APPEND "$append")" = 1 ]
	lacks "$(<"$PEER_LOG")" connection
}
