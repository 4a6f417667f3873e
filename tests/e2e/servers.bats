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
	D=$("$ROOT/tests/servers/up" "$@")
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

# chat TEXT [HEADER]...: a letter with these fields.
chat() {
	local text=$1
	shift
	printf '%b\r\n' "From: sender@elsewhere.test" "$@" "" "$text"
}

@test "coi.test offers COI after the login only, and knows its root" {
	up coi
	run imap grace 'GETMETADATA "" (/private/vendor/vendor.dovecot/coi/config/mailbox-root)' \
		'LIST "" "COI*"'
	status_is 0
	lacks "${lines[0]}" COI
	contains "${lines[1]}" " COI "
	contains "${lines[1]}" METADATA
	[ "$(tr -d '\r' <<<"${lines[3]}")" = "COI)" ]
	lacks "$output" Chats
}

@test "coi.test: every home is as on the first day again" {
	up coi
	coi_set grace enabled yes message-filter active
	chat hello 'Chat-Version: 1.0' | deliver grace
	[ "$(mail_count grace COI/Chats)" -eq 1 ]
	fresh_homes
	run imap grace \
		'GETMETADATA "" (/private/vendor/vendor.dovecot/coi/config/enabled)' \
		'GETMETADATA "" (/private/vendor/vendor.dovecot/coi/config/mailbox-root)' \
		'LIST "" COI*'
	contains "$output" "enabled NIL"
	contains "$output" "COI)"
	lacks "$output" Chats
}

@test "coi.test filters by what METADATA says" {
	local n
	up coi
	chat one 'Chat-Version: 1.0' | deliver grace
	[ "$(mail_count grace)" -eq 1 ]
	lacks "$(imap grace 'SELECT INBOX' 'FETCH 1 (FLAGS)')" '$Chat))'

	coi_set grace enabled yes
	chat two 'Chat-Version: 1.0' | deliver grace
	contains "$(imap grace 'SELECT INBOX' 'FETCH 2 (FLAGS)')" '$Chat))'

	coi_set grace message-filter active
	chat three 'Chat-Version: 1.0' | deliver grace
	chat four 'Message-ID: <chat$4@elsewhere.test>' | deliver grace
	chat five 'References:\r\n <chat$4@elsewhere.test> <x@y.test>' |
		deliver grace
	[ "$(mail_count grace)" -eq 2 ]
	[ "$(mail_count grace COI/Chats)" -eq 3 ]
	for n in 1 2 3; do
		contains "$(imap grace 'SELECT COI/Chats' "FETCH $n (FLAGS)")" \
			'$Chat))'
	done

	chat six 'Message-ID: <CHAT$4@elsewhere.test>' | deliver grace
	chat seven 'References: <x@y.test> <chat$4@elsewhere.test>' |
		deliver grace
	chat eight 'In-Reply-To: <chat$4@elsewhere.test>' | deliver grace
	[ "$(mail_count grace)" -eq 5 ]
	[ "$(mail_count grace COI/Chats)" -eq 3 ]

	# the other user has not switched anything on
	chat nine 'Chat-Version: 1.0' | deliver heidi
	[ "$(mail_count heidi)" -eq 1 ]
}

@test "coi.test, seen: what was read is in Chats as well, and deleted in INBOX" {
	up coi
	coi_set grace enabled yes message-filter seen
	chat one 'Chat-Version: 1.0' | deliver grace
	chat two | deliver grace
	[ "$(mail_count grace)" -eq 2 ]
	run imap grace 'SELECT INBOX' 'STORE 1:2 +FLAGS (\Seen)' NOOP \
		'FETCH 1:2 (FLAGS)' 'STATUS COI/Chats (MESSAGES)'
	status_is 0
	contains "$output" 'FETCH (FLAGS (\Deleted \Seen \Recent $Chat))'
	contains "$output" '* 2 FETCH (FLAGS (\Seen \Recent))'
	contains "$output" '(MESSAGES 1)'
}

@test "a user's own Sieve script runs behind the filter of coi.test" {
	up coi
	mkdir -p "$D/coi/mail/grace/sieve"
	printf '%s\n' 'require "fileinto";' 'fileinto "Trash";' \
		>"$D/coi/mail/grace/.dovecot.sieve"
	chmod -R a+rwX "$D/coi/mail/grace/sieve"
	chmod a+r "$D/coi/mail/grace/.dovecot.sieve"
	coi_set grace enabled yes message-filter active
	chat one 'Chat-Version: 1.0' | deliver grace
	chat two | deliver grace
	[ "$(mail_count grace COI/Chats)" -eq 1 ]
	[ "$(mail_count grace Trash)" -eq 1 ]
	coi_set grace message-filter none
	chat three 'Chat-Version: 1.0' | deliver grace
	[ "$(mail_count grace Trash)" -eq 2 ]
	contains "$(imap grace 'SELECT Trash' 'FETCH 2 (FLAGS)')" '$Chat))'
}

@test "plain.test has METADATA and Sieve, not COI" {
	up plain
	run imap frank CAPABILITY
	status_is 0
	contains "$output" METADATA
	contains "$output" NOTIFY
	lacks "$output" " COI"
	chat one 'Chat-Version: 1.0' | deliver frank
	[ "$(mail_count frank)" -eq 1 ]
	run submit "imaps://localhost:$PLAIN_IMAPS_PORT/" \
		--user "frank@plain.test:$PASSWORD_frank"
	status_is 0
	exec 5<>"/dev/tcp/127.0.0.1/$PLAIN_SIEVE_PORT"
	while IFS= read -r -t 10 line <&5; do
		output+=$line
		case $line in OK*) break ;; esac
	done
	exec 5>&-
	for word in STARTTLS PLAIN SCRAM-SHA-256 include imap4flags mailbox; do
		contains "$output" "$word"
	done
}

@test "dot.test keeps every folder below INBOX." {
	up dot
	run imap judy NAMESPACE 'CREATE INBOX.COI.Chats' 'LIST "" *'
	status_is 0
	contains "$output" '(("INBOX." ".")) NIL NIL'
	contains "$output" '"." INBOX.COI.Chats'
	contains "$output" '\Sent) "." INBOX.Sent'
	run imap judy 'CREATE COI.Chats'
	status_is 1
	[ -d "$(maildir judy COI/Chats)" ]
}

@test "bare.test offers neither IDLE nor NOTIFY nor MOVE nor UIDPLUS" {
	up bare
	run imap kim CAPABILITY
	status_is 0
	for word in IDLE NOTIFY MOVE UIDPLUS METADATA; do
		lacks "$output" " $word"
	done
	contains "$output" CONDSTORE
}

@test "mail goes between the sites that are named, and only they are there" {
	up coi dot
	[ -z "${ONE_IMAP_PORT:-}" ]
	letter grace@coi.test judy@dot.test >"$T/letter"
	submit --ssl-reqd "smtp://localhost:$COITEST_SMTP_PORT" \
		--user "grace@coi.test:$PASSWORD_grace" -T "$T/letter" \
		--mail-from grace@coi.test --mail-rcpt judy@dot.test
	wait_for_mail judy 1
	contains "$(inbox judy)" "A letter."
	run "$ROOT/tests/servers/up" nowhere
	status_is 2
	contains "$output" "no such site: nowhere"
}
