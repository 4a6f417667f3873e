#!/usr/bin/env bats
# The servers of the tests themselves.
load helper

setup_file() { :; }
teardown_file() { :; }
teardown() {
	teardown_file_default
	teardown_default
}

up() {
	D=$("$ROOT/tests/servers/up")
	# shellcheck disable=SC1091
	. "$D/env"
}

# gone DIR: within two seconds neither the folder nor a process of it.
gone() {
	local n
	for n in {1..100}; do
		[ -e "$1" ] || grep -lqzF -- "$1" /proc/[0-9]*/cmdline \
			2>/dev/null || return 0
		sleep 0.02
	done
	echo "left of $1:"
	ls -d "$1"
	grep -lzF -- "$1" /proc/[0-9]*/cmdline
	return 1
}

letter() {
	printf '%s\r\n' "From: $1" "To: $2" "Subject: servers" "" "A letter."
}

submit() {
	curl -sS --max-time 10 --cacert "$CA_FILE" "$@"
}

@test "both servers are up within two seconds" {
	local before after
	before=$(date +%s%N)
	up
	after=$(date +%s%N)
	echo "$(((after - before) / 1000000)) ms"
	[ $((after - before)) -lt 2000000000 ]
	[ "$(stat -c %a "$D")" = 700 ]
	[ "$(stat -c %a "$D/env")" = 600 ]
}

@test "mail goes from one.test to two.test and back, by STARTTLS and TLS" {
	up
	letter alice@one.test bob@two.test >"$T/letter"
	submit --ssl-reqd "smtp://localhost:$ONE_SMTP_PORT" \
		--user "alice@one.test:$PASSWORD_alice" -T "$T/letter" \
		--mail-from alice@one.test --mail-rcpt bob@two.test
	wait_for_mail bob 1
	contains "$(inbox bob)" "A letter."
	contains "$(inbox bob)" "envelope-from <alice@one.test>"
	submit "smtps://localhost:$TWO_SMTPS_PORT" \
		--user "bob@two.test:$PASSWORD_bob" -T "$T/letter" \
		--mail-from bob@two.test --mail-rcpt alice.alias@one.test
	wait_for_mail alice 1
	run submit "imaps://localhost:$ONE_IMAPS_PORT/INBOX;MAILINDEX=1" \
		--user "alice@one.test:$PASSWORD_alice"
	status_is 0
	contains "$output" "A letter."
}

@test "a wrong password, an unknown address and relaying are refused" {
	up
	letter alice@one.test nobody@one.test >"$T/letter"
	run submit --ssl-reqd "smtp://localhost:$ONE_SMTP_PORT" \
		--user alice@one.test:wrong -T "$T/letter" \
		--mail-from alice@one.test --mail-rcpt bob@two.test
	status_is 67
	run submit --ssl-reqd "smtp://localhost:$ONE_SMTP_PORT" \
		-T "$T/letter" --mail-from alice@one.test \
		--mail-rcpt nobody@one.test
	status_is 55
	run submit --ssl-reqd "smtp://localhost:$ONE_SMTP_PORT" \
		-T "$T/letter" --mail-from alice@one.test \
		--mail-rcpt bob@two.test
	status_is 55
	run submit "imaps://localhost:$ONE_IMAPS_PORT/" \
		--user alice@one.test:wrong
	status_is 67
}

@test "refused@ gets 550, later@ gets 451" {
	up
	letter alice@one.test later@one.test >"$T/letter"
	for box in refused:550 later:451; do
		run submit -v --ssl-reqd "smtp://localhost:$ONE_SMTP_PORT" \
			-T "$T/letter" --mail-from alice@one.test \
			--mail-rcpt "${box%:*}@one.test"
		status_is 55
		contains "$output" "< ${box#*:} "
	done
}

@test "IMAP offers what the tests build on" {
	up
	run submit -v "imaps://localhost:$ONE_IMAPS_PORT/" \
		--user "alice@one.test:$PASSWORD_alice" -X CAPABILITY
	status_is 0
	for word in METADATA NOTIFY IDLE QRESYNC LITERAL+ LIST-STATUS MOVE \
		AUTH=PLAIN AUTH=SCRAM-SHA-256; do
		contains "$output" "$word"
	done
	run submit -v "imap://localhost:$TWO_IMAP_PORT/" \
		--user "bob@two.test:$PASSWORD_bob" -X CAPABILITY
	status_is 0
	contains "$output" STARTTLS
}

@test "down leaves neither a process nor a folder" {
	up
	"$ROOT/tests/servers/down" "$D"
	[ ! -e "$D" ]
	gone "$D"
	run curl -sS --max-time 5 "imap://127.0.0.1:$ONE_IMAP_PORT/"
	status_is 7
}

@test "nothing is left when the test process is killed with -9" {
	# shellcheck disable=SC2016
	run bash -c '"$0/tests/servers/up" >"$1"; kill -9 $$' "$ROOT" "$T/d"
	status_is 137
	D=$(cat "$T/d")
	[ -n "$D" ]
	gone "$D"
}

@test "nothing is left when the watchdog itself is killed with -9" {
	up
	kill -9 "$(cat "$D/pid")"
	gone "$D"
}
