#!/usr/bin/env bats
# coi-config sieve: the filter as a Sieve script, printed and put on a server
# over ManageSieve; what it does to mail is seen by delivering some.
# shellcheck disable=SC2034,SC2016,SC2154
SERVERS="plain dot coi"
load helper
load hostile
setup_file() { setup_file_default; }
teardown_file() { teardown_file_default; }
bats_require_minimum_version 1.5.0

config() {
	local user=$1
	shift
	as "$user" coi-config "$@"
}

# letter SUBJECT [HEADER]...: to be delivered; printf's escapes.
letter() {
	local subject=$1
	shift
	printf '%b\r\n' "From: sender@elsewhere.test" "Subject: $subject" \
		"$@" "" hello
}

# chats USER: delivers one of each kind: five chats, five that are none.
chats() {
	local dir=$T/letters
	mkdir -p "$dir"
	letter c1 'Chat-Version: 1.0' >"$dir/c1"
	letter c2 'Message-ID: <chat$abc@elsewhere.test>' >"$dir/c2"
	letter c3 'References: <chat$abc@elsewhere.test> <x@y.test>' >"$dir/c3"
	letter c4 'References:\r\n <chat$abc@elsewhere.test>\r\n <x@y.test>' \
		>"$dir/c4"
	letter c5 'Message-ID:\r\n\t<chat$group.1.2@elsewhere.test>' >"$dir/c5"
	letter m1 'Message-ID: <abc@elsewhere.test>' >"$dir/m1"
	letter m2 'Message-ID: <CHAT$abc@elsewhere.test>' >"$dir/m2"
	letter m3 'References: <x@y.test> <chat$abc@elsewhere.test>' >"$dir/m3"
	letter m4 'In-Reply-To: <chat$abc@elsewhere.test>' >"$dir/m4"
	letter m5 'X-Chat-Version: 1.0' >"$dir/m5"
	deliver "$1" "$dir"/*
}

# subjects USER [MAILBOX]: "c1 c2 ..." of what lies there.
subjects() {
	inbox "$@" | sed -n 's/^Subject: \([a-z0-9]*\).*/\1/p' | sort | xargs
}

# marked USER MAILBOX: how many have $Chat there, of how many.
marked() {
	local n
	n=$(imap "$1" "SELECT $2" 'FETCH 1:* (FLAGS)' | grep -c 'FETCH (FLAGS')
	echo "$(imap "$1" "SELECT $2" 'FETCH 1:* (FLAGS)' |
		grep -c 'FETCH (FLAGS.*\$Chat') of $n"
}

home() {
	local s
	s=$(site "$1")_DIR
	echo "${!s}/mail/$1"
}

# own_script USER NAME: stdin becomes a script of the user, and active.
own_script() {
	local h
	h=$(home "$1")
	mkdir -p "$h/sieve"
	cat >"$h/sieve/$2.sieve"
	rm -f "$h/.dovecot.sieve"
	ln -s "sieve/$2.sieve" "$h/.dovecot.sieve"
	chown -hR --reference="${h%/*}" "$h"
}

# active USER: which script is, as the server has it.
active() {
	local l
	l=$(readlink "$(home "$1")/.dovecot.sieve") || return 0
	l=${l##*/}
	echo "${l%.sieve}"
}

scripts() {
	(cd "$(home "$1")/sieve" 2>/dev/null && ls ./*.sieve 2>/dev/null |
		sed 's/^\.\///; s/\.sieve$//' | xargs)
}

users_rule='require ["fileinto", "mailbox"];
# mine: äöü, no line end at the end
if header :contains "Subject" "m1" { fileinto :create "Work"; stop; }
if header :contains "Subject" "c1" { fileinto :create "Work"; }'

# --- printed ----------------------------------------------------------------

@test "without an account: the script for COI/Chats, as it is installed" {
	run coi-config sieve
	status_is 0
	[ "$output" = "$(<"$ROOT/share/sieve/coi-chat.sieve")" ]
	[ "$output" = "$(coi-config sieve active)" ]
	contains "$output" 'fileinto :flags "$Chat" :create "COI/Chats";'
	run coi-config sieve none
	status_is 0
	[ "$output" = "$(<"$ROOT/share/sieve/coi-mark.sieve")" ]
	lacks "$output" fileinto
	run coi-config sieve --json
	status_is 0
	[ "$(jq -r .mode <<<"$output")" = active ]
	[ "$(jq -r .folder <<<"$output")" = COI/Chats ]
	[ "$(jq -r .script <<<"$output")" = "$(coi-config sieve)" ]
	[ "$(coi-config sieve --json none | jq -r '.mode, has("folder")' |
		xargs)" = "none false" ]
}

@test "the folder is the server's own, or that of --folder (SRV-082)" {
	contains "$(config frank sieve)" ':create "COI/Chats";'
	contains "$(config judy sieve)" ':create "INBOX.COI.Chats";'
	imap grace 'SETMETADATA "" (/private/vendor/vendor.dovecot/coi/config/mailbox-root "Chatty")' >"$T/out"
	contains "$(config grace sieve)" ':create "Chatty/Chats";'
	imap frank 'LIST "" "*"' >"$T/out"
	lacks "$(<"$T/out")" Chats
	contains "$(config frank sieve --folder 'Ärger "1"\2')" \
		':create "Ärger \"1\"\\2";'
	# nothing is asked for that
	set_config frank imap-port 1
	config frank sieve --folder X >"$T/out"
	config frank sieve none >"$T/out"
	run config frank sieve
	status_is 69
	contains "$output" "--folder"
	run coi-config sieve --folder $'a\nb'
	status_is 65
	run coi-config sieve --folder ''
	status_is 65
}

@test "what is wrong on the command line is 64" {
	for args in 'seen' 'nonsense' 'none active' '--install --remove' \
		'--include' '--remove none' '--remove --folder X' \
		'--remove --include'; do
		# shellcheck disable=SC2086
		run coi-config sieve $args
		status_is 64
	done
	run coi-config sieve seen
	contains "$output" "coi-watch --filter seen"
}

# --- in effect --------------------------------------------------------------

@test "--install active: chats go to their folder with \$Chat, nothing else does (CLI-325)" {
	run config frank sieve --install
	status_is 0
	[ "$output" = '"coi-chat" is stored and in effect' ]
	[ "$(active frank)" = coi-chat ]
	contains "$(imap frank 'LSUB "" *')" COI/Chats
	chats frank
	[ "$(subjects frank COI/Chats)" = "c1 c2 c3 c4 c5" ]
	[ "$(subjects frank)" = "m1 m2 m3 m4 m5" ]
	[ "$(marked frank COI/Chats)" = "5 of 5" ]
	[ "$(marked frank INBOX)" = "0 of 5" ]
}

@test "--install none: chats stay in INBOX with \$Chat" {
	run config frank sieve --install none --json
	status_is 0
	[ "$(jq -r '.account, .sieve, .mode, .activeScript, .changed, has("folder"), has("yourScript")' \
		<<<"$output" | xargs)" = "frank active none coi-chat true false false" ]
	chats frank
	[ "$(mail_count frank)" -eq 10 ]
	[ "$(marked frank INBOX)" = "5 of 10" ]
	lacks "$(imap frank 'LIST "" *')" Chats
}

@test "where everything lies below INBOX. chats go to INBOX.COI.Chats" {
	run config judy sieve --install
	status_is 0
	chats judy
	[ "$(subjects judy COI/Chats)" = "c1 c2 c3 c4 c5" ]
	[ "$(subjects judy)" = "m1 m2 m3 m4 m5" ]
	contains "$(imap judy 'LSUB "" *')" INBOX.COI.Chats
}

@test "a second --install writes nothing; another filter takes its place" {
	config frank sieve --install >"$T/out"
	run --separate-stderr config frank sieve --install --trace
	status_is 0
	[ -z "$output" ]
	for word in PUTSCRIPT SETACTIVE CREATE SUBSCRIBE DELETE; do
		lacks "$stderr" "C: $word"
		lacks "$stderr" " $word "
	done
	[ "$(config frank sieve --install --json | jq .changed)" = false ]
	[ "$(config frank sieve --install none --json | jq .changed)" = true ]
	letter c1 'Chat-Version: 1.0' | deliver frank
	[ "$(subjects frank)" = c1 ]
	[ "$(marked frank INBOX)" = "1 of 1" ]
	[ "$(scripts frank)" = coi-chat ]
}

@test "--remove takes it all away, a second one finds nothing" {
	config frank sieve --install >"$T/out"
	run config frank sieve --remove
	status_is 0
	[ "$output" = removed ]
	[ -z "$(scripts frank)$(active frank)" ]
	letter c1 'Chat-Version: 1.0' | deliver frank
	[ "$(subjects frank)" = c1 ]
	run config frank sieve --remove
	status_is 0
	[ -z "$output" ]
	[ "$(config frank sieve --remove --json | jq -c '[.sieve, .changed]')" = \
		'["removed",false]' ]
}

# --- beside a script of the user's ------------------------------------------

@test "a user's active script stays as it is: 1, and what to add is printed" {
	printf '%s' "$users_rule" | own_script frank mine
	cp "$(home frank)/sieve/mine.sieve" "$T/before"
	run --separate-stderr config frank sieve --install
	status_is 1
	[ "$(grep -c . <<<"$output")" -eq 2 ]
	grep '^require "include";' <<<"$output" >"$T/require"
	grep '^include :personal :optional "coi-chat";' <<<"$output" >"$T/include"
	contains "$stderr" 'your script "mine" is active and was left as it is'
	contains "$stderr" "--include"
	cmp "$T/before" "$(home frank)/sieve/mine.sieve"
	[ "$(active frank)" = mine ]
	[ "$(scripts frank)" = "coi-chat mine" ]
	run --separate-stderr config frank sieve --install --json
	status_is 1
	[ "$(jq -c '[.sieve, .activeScript, .yourScript, .changed]' <<<"$output")" = \
		'["stored","mine","mine",false]' ]
	[ "$(jq -r .status <<<"$stderr")" = 1 ]

	# as printed
	{
		cat "$T/require"
		head -n 1 <<<"$users_rule"
		cat "$T/include"
		tail -n +2 <<<"$users_rule"
	} | own_script frank mine
	run config frank sieve --install --json
	status_is 0
	[ "$(jq -r .sieve <<<"$output")" = included-by-you ]
	chats frank
	[ "$(subjects frank COI/Chats)" = "c1 c2 c3 c4 c5" ]
	[ "$(subjects frank Work)" = m1 ]

	# then it is not for us to take it away
	run config frank sieve --remove
	status_is 78
	contains "$output" 'your script "mine" includes "coi-chat"'
	[ "$(scripts frank)" = "coi-chat mine" ]
}

@test "--include: both run, the user's script is not written to, --remove undoes" {
	printf '%s' "$users_rule" | own_script frank 'my "own" rules'
	cp "$(home frank)/sieve/my \"own\" rules.sieve" "$T/before"
	run config frank sieve --install --include
	status_is 0
	contains "$output" '"coi-chat-main" is active and includes "coi-chat", then your "my "own" rules"'
	[ "$(active frank)" = coi-chat-main ]
	chats frank
	[ "$(subjects frank COI/Chats)" = "c1 c2 c3 c4 c5" ]
	[ "$(subjects frank Work)" = m1 ]
	[ "$(subjects frank)" = "m2 m3 m4 m5" ]

	run --separate-stderr config frank sieve --install --include --trace
	status_is 0
	[ -z "$output" ]
	lacks "$stderr" PUTSCRIPT
	lacks "$stderr" SETACTIVE
	[ "$(config frank sieve --install --json | jq -c '[.sieve, .yourScript]')" = \
		'["included","my \"own\" rules"]' ]

	# only marked, then the user's rule sees it too
	config frank sieve --install none
	letter c1 'Chat-Version: 1.0' | deliver frank
	[ "$(subjects frank Work)" = "c1 m1" ]
	[ "$(marked frank Work)" = "1 of 2" ]

	cmp "$T/before" "$(home frank)/sieve/my \"own\" rules.sieve"
	run config frank sieve --remove
	status_is 0
	contains "$output" 'active is "my "own" rules"'
	[ "$(active frank)" = 'my "own" rules' ]
	[ "$(ls "$(home frank)"/sieve/*.sieve | wc -l)" -eq 1 ]
	cmp "$T/before" "$(home frank)/sieve/my \"own\" rules.sieve"
}

@test "a user who deletes the included script still has chats filtered" {
	printf '%s' "$users_rule" | own_script frank mine
	config frank sieve --install --include >"$T/out"
	rm "$(home frank)/sieve/mine.sieve"
	chats frank
	[ "$(subjects frank COI/Chats)" = "c1 c2 c3 c4 c5" ]
	[ "$(mail_count frank)" -eq 5 ]
	run config frank sieve --remove
	status_is 0
	[ -z "$(scripts frank)$(active frank)" ]
}

@test "a script put into the home by hand is not lost to ours" {
	local h
	h=$(home frank)
	mkdir -p "$h"
	printf '%s' "$users_rule" >"$h/.dovecot.sieve"
	chown -R --reference="${h%/*}" "$h"
	letter m1 | deliver frank
	[ "$(subjects frank Work)" = m1 ]
	run --separate-stderr config frank sieve --install
	status_is 1
	contains "$stderr" 'the server did not list'
	contains "$stderr" '"dovecot.orig"'
	[ "$(active frank)" = dovecot.orig ]
	letter m1 | deliver frank
	[ "$(subjects frank Work)" = "m1 m1" ]
	printf '%s' "$users_rule" | cmp - "$h/sieve/dovecot.orig.sieve"
	config frank sieve --install --include >"$T/out"
	chats frank
	[ "$(subjects frank COI/Chats)" = "c1 c2 c3 c4 c5" ]
	[ "$(subjects frank Work)" = "m1 m1 m1" ]
}

@test "scripts of the user's under our names are never overwritten: 78" {
	for name in coi-chat coi-chat-main; do
		fresh_homes
		printf 'keep;' | own_script frank $name
		for how in '--install' '--install --include' --remove; do
			# shellcheck disable=SC2086
			run config frank sieve $how
			status_is 78
			contains "$output" "\"$name\" that was not made by"
			[ "$(<"$(home frank)/sieve/$name.sieve")" = 'keep;' ]
			[ "$(active frank)" = $name ]
		done
	done
}

@test "a coi-chat-main changed by hand is neither overwritten nor dropped" {
	local main
	printf 'keep;' | own_script frank mine
	config frank sieve --install --include >"$T/out"
	main=$(home frank)/sieve/coi-chat-main.sieve
	printf 'keep;\r\n' >>"$main"
	cp "$main" "$T/before"
	run config frank sieve --install
	status_is 0
	run config frank sieve --remove
	status_is 78
	contains "$output" 'changed by hand'
	cmp "$main" "$T/before"
	[ "$(active frank)" = coi-chat-main ]
}

@test "a coi-chat with rules of the user's in it is neither overwritten nor deleted" {
	local script mode how
	script=$(home frank)/sieve/coi-chat.sieve
	for mode in none active; do
		fresh_homes
		config frank sieve --install $mode >"$T/out"
		printf 'redirect "me@home.test";\r\n' >>"$script"
		cp "$script" "$T/before"
		for how in --remove '--install none' '--install active'; do
			# shellcheck disable=SC2086
			run config frank sieve $how
			status_is 78
			contains "$output" '"coi-chat" was changed by hand'
			cmp "$script" "$T/before"
			[ "$(active frank)" = coi-chat ]
		done
	done
}

# --- the server -------------------------------------------------------------

@test "a server that filters by itself is left alone: 78" {
	run config grace sieve --install
	status_is 78
	contains "$output" 'coi-config filter active'
	[ -z "$(scripts grace)" ]
}

@test "no ManageSieve there: 69, and what can be done" {
	set_config frank sieve-port 1
	run config frank sieve --install
	status_is 69
	contains "$output" ':1: connect:'
	contains "$output" 'sieve-host and sieve-port'
	contains "$output" 'prints the script'
	lacks "$(imap frank 'LIST "" *')" Chats
}

@test "login: SCRAM-SHA-256, or PLAIN where it is asked for, no secret in the trace" {
	run config frank sieve --install --trace
	status_is 0
	contains "$output" 'sieve C: AUTHENTICATE "SCRAM-SHA-256" "['
	set_config frank auth PLAIN
	run config frank sieve --remove --trace
	status_is 0
	contains "$output" 'sieve C: AUTHENTICATE "PLAIN" "['
	lacks "$output" secret-frank
	lacks "$output" "$(printf '\0frank@plain.test\0secret-frank' | base64)"
	set_config frank password-command 'echo wrong'
	run config frank sieve --remove
	status_is 77
	contains "$output" 'the server refused the login'
	contains "$output" 'Authentication failed'
}

@test "TLS is verified there, too: 82" {
	set_config frank ca-file /etc/ssl/certs/ca-certificates.crt
	set_config frank sieve-host localhost
	[ -e /etc/ssl/certs/ca-certificates.crt ] ||
		set_config frank ca-file "$D/cert.pem"
	run config frank sieve --remove --trace
	status_is 82
	lacks "$output" AUTHENTICATE
}

# --- servers that no sane person runs ---------------------------------------

# peer_sieve SCRIPT [-D NAME=TEXT]...: the peer is frank's ManageSieve server;
# his mailboxes are real.
peer_sieve() {
	local script=$ROOT/tests/peer/sieve/$1.peer
	shift
	start_peer -D sasl=PLAIN -D 'auth=OK "in"' -D list=OK -D get=OK \
		-D put=OK -D check=OK -D active=OK \
		-D 'ext=fileinto imap4flags mailbox include' "$@" "$script"
	set_config frank sieve-host 127.0.0.1
	set_config frank sieve-port "$PEER_PORT"
	set_config frank sieve-tls "${TLS:-off}"
}

# ends STATUS WORDS ARGUMENT...: in time, and printable.
ends() {
	local want=$1 words=$2
	shift 2
	took 10000 as frank coi-config sieve "$@" || return 1
	status_is "$want" || return 1
	contains "$output" "$words" || return 1
	[ "$(LC_ALL=C tr -d '\n -~\200-\377' <<<"$output" | wc -c)" = 0 ]
}

silent() { lacks "$(grep ^C: "$PEER_LOG")" AUTHENTICATE; }

@test "greetings that are none: 76 or 75, and no login" {
	local first
	for first in '* OK IMAP4rev1 ready\r\n' '220 smtp.test ESMTP\r\n' \
		'"SASL" "PLAIN\r\n' '"SASL" {99999999}\r\n' '{3}\r\n' \
		'HTTP/1.1 400 Bad Request\r\n\r\n' '\x16\x03\x01\0\x02\r\n' \
		'"a" "b\r\n' '(((((((((((((((((((((((((((((\r\n'; do
		peer_sieve greeting -D "first=$first"
		set_config frank timeout 1s
		took 10000 as frank coi-config sieve --remove
		case $first in
		'{3}'*) status_is 75 ;;
		*) status_is 76 ;;
		esac
		silent
	done
	peer_sieve greeting -D 'first=BYE "too busy"\r\n'
	ends 75 'too busy' --remove
	peer_sieve greeting -D 'first=NO "go away"\r\n'
	ends 69 'go away' --remove
	peer_sieve greeting -D 'first=BYE (REFERRAL "sieve://evil.test") "there"\r\n'
	ends 78 'sieve://evil.test' --remove
	silent
}

@test "a server that says nothing, or never ends: 75 or 76 in time" {
	set_config frank timeout 1s
	peer_sieve greeting -D first=
	ends 75 'sieve-tls = implicit' --remove
	set_config frank timeout 1s
	peer_sieve endless-line
	ends 76 'too long' --remove
	peer_sieve endless-list
	ends 76 'too many lines' --remove
	peer_sieve drip
	ends 75 '' --remove
}

@test "STARTTLS not offered, refused, or with clear text behind it: no login" {
	TLS=starttls
	peer_sieve session
	ends 82 'offers no STARTTLS' --remove
	silent
	peer_sieve starttls -D 'go=NO "not today"\r\n'
	ends 82 'not today' --remove
	silent
	peer_sieve starttls -D 'go=OK\r\n"SASL" "PLAIN"\r\nOK\r\n'
	ends 76 'unencrypted octets' --remove
	silent
}

@test "logins that go wrong" {
	peer_sieve session -D 'auth=NO "no \x1b[31mway"'
	ends 77 'way' --remove
	peer_sieve session -D 'auth=NO (TRYLATER) "later"'
	ends 75 'later' --remove
	peer_sieve session -D 'auth=NO (ENCRYPT-NEEDED) "tls"'
	ends 77 'sieve-tls = starttls' --remove
	peer_sieve session -D 'auth=BYE "gone"'
	ends 75 'gone' --remove
	peer_sieve session -D 'sasl='
	ends 69 'offers no login' --remove
	silent
	peer_sieve session -D 'sasl=GSSAPI'
	ends 77 'GSSAPI' --remove
	silent
	peer_sieve session -D 'auth="YQ=="'
	run as frank coi-config sieve --remove
	[ "$status" -ne 0 ]
	# Who does not know the password cannot say OK to SCRAM.
	peer_sieve session -D sasl=SCRAM-SHA-256
	run as frank coi-config sieve --remove
	[ "$status" -ne 0 ]
	lacks "$(<"$PEER_LOG")" 'C: LISTSCRIPTS'
}

@test "answers that are not the question's: 76" {
	peer_sieve session -D 'list="a" ACTIVE\r\n"b"\r\nMAYBE\r\nOK'
	ends 76 'something else' --remove
	peer_sieve session -D 'list="coi-chat"\r\nOK' \
		-D 'get={3}\r\nabc\r\n{3}\r\nabc\r\nOK'
	ends 76 'something else' --remove
	peer_sieve session -D 'list="coi-chat"\r\nOK' -D 'get={2000000}\r\nx'
	ends 76 'too long' --remove
	peer_sieve session -D 'list="coi-chat"\r\nOK' -D 'get=NO (NONEXISTENT)'
	ends 66 'no such script' --remove
	peer_sieve session -D 'list=NO "no\r\n"'
	ends 76 'line end' --remove
	peer_sieve session -D 'list=BYE "timeout"'
	ends 75 'timeout' --remove
}

@test "scripts that the server does not take; extensions it has not" {
	peer_sieve put -D 'check=NO {20}\r\nline 1: no such test'
	ends 69 'line 1: no such test' --install
	lacks "$(<"$PEER_LOG")" 'C: PUTSCRIPT'
	lacks "$(<"$PEER_LOG")" 'C: SETACTIVE'
	peer_sieve put -D 'put=NO (QUOTA/MAXSCRIPTS) "full"'
	ends 69 'no room' --install
	lacks "$(<"$PEER_LOG")" 'C: SETACTIVE'
	peer_sieve session -D ext=fileinto
	ends 69 'no imap4flags' --install
	peer_sieve session -D ext=imap4flags
	ends 69 'no fileinto' --install active
	# without mailbox the script does not ask for it
	peer_sieve put -D 'ext=fileinto imap4flags'
	run as frank coi-config sieve --install
	lacks "$(grep ^C: "$PEER_LOG")" :create
	contains "$(<"$PEER_LOG")" 'C: SETACTIVE "coi-chat"'
	# activated, says the server, and lists it as not
	status_is 75
}

@test "no include on the server: 69 with --include, else 1; what to do" {
	peer_sieve put -D 'ext=fileinto imap4flags' -D 'get={5}\r\nkeep;\r\nOK' \
		-D 'list="mine" ACTIVE\r\nOK'
	ends 69 'has no include' --install --include
	lacks "$(<"$PEER_LOG")" 'C: SETACTIVE'
	peer_sieve put -D 'ext=fileinto imap4flags' -D 'get={5}\r\nkeep;\r\nOK' \
		-D 'list="mine" ACTIVE\r\nOK'
	ends 1 'no include' --install
	lacks "$output" '# at the top'
}
