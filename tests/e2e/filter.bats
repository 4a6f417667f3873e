#!/usr/bin/env bats
# --filter against real servers: what is moved where, and that nothing is lost,
# doubled or touched that should not be.
SERVERS="two dot bare coi"
load helper

# letter USER ID TEXT [HEADER...]: by LMTP; without a From it is from Dean.
letter() {
	local user=$1 id=$2 text=$3 from='From: Dean <dean@one.test>'
	local site=SITE_$1 domain
	domain=${!site}_DOMAIN
	shift 3
	[[ "$*" != *From:* ]] || from=
	{
		[ -z "$from" ] || printf '%s\r\n' "$from"
		[[ "$*" == *To:* ]] || printf 'To: %s@%s\r\n' "$user" "${!domain}"
		[ -z "$id" ] || printf 'Message-ID: <%s>\r\n' "$id"
		printf 'Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nSubject: s\r\n'
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
		printf '\r\n%s\r\n' "$text"
	} | deliver "$user"
}
chat() { letter "$1" "chat\$$2@one.test" "$2" 'Chat-Version: 1.0'; }

# seen USER TEXT [MAILBOX]: is it marked as read?
seen() {
	local user=$1 text=$2 f
	shift 2
	f=$(mail_files "$user" "$@" | while IFS= read -r f; do
		! grep -q "^$text" "$f" || echo "$f"
	done)
	[[ $f == *:2,*S* ]]
}
unseen() { if seen "$@"; then return 1; fi; }
# commands TRACE...: what we said to the server.
commands() { sed -n 's/^imap C: a[0-9]* //p' "$@"; }
texts() { jq -r .text | tr '\n' ' '; }
filter() {
	local user=$1 mode=$2
	shift 2
	as "$user" coi-fetch --json --filter "$mode" "$@"
}
flags() { imap "$1" "SELECT ${2:-INBOX}" 'FETCH 1:* FLAGS' | grep FETCH; }

@test "active: chats go to COI/Chats, which is made and subscribed, with \$Chat; other mail stays (CLI-318, CLI-320, CLI-323, CLI-327, CLI-331, CLI-332)" {
	chat bob one
	letter bob m1@one.test plain
	[ "$(filter bob active --trace="$T/trace" | texts)" = "one " ]
	[ "$(in_box bob)" = "plain " ]
	[ "$(in_box bob COI/Chats)" = "one " ]
	contains "$(imap bob 'LSUB "" "*"')" COI.Chats
	contains "$(flags bob COI.Chats)" '$Chat'
	lacks "$(flags bob)" '$Chat'
	contains "$(<"$T/trace")" 'UID MOVE 1 "COI.Chats"'
	unseen bob one COI/Chats
	# What was moved is no news, for nobody who read it.
	[ -z "$(filter bob active)" ]
	[ -z "$(as bob coi-fetch --json)" ]
	[ "$(as bob coi-fetch --json --consumer other | texts)" = "one " ]
}

@test "what is a chat: the three rules and the threads of chats (CLI-325)" {
	letter bob a@x version 'Chat-Version: 1.0'
	letter bob b@x emptyversion 'Chat-Version:'
	letter bob 'chat$c@x' id
	letter bob d@x firstref 'References: <chat$q@x> <z@x>'
	letter bob e@x folded 'References:' ' <chat$q@x>'
	letter bob f@x laterref 'References: <z@x> <chat$q@x>'
	letter bob g@x inreply 'In-Reply-To: <chat$q@x>'
	letter bob 'CHAT$h@x' capitals
	letter bob 'xchat$i@x' within
	letter bob j@x otherref 'References: <z@x>'
	filter bob active >/dev/null
	[ "$(in_box bob)" = "capitals otherref within " ]
	[ "$(in_box bob COI/Chats)" = "emptyversion firstref folded id inreply laterref version " ]
}

@test "a plain mailer's reply to a message we know is moved (CLI-324)" {
	letter bob uuid-1@localhost 'from delta' 'Chat-Version: 1.0'
	letter bob r1@x unrelated 'In-Reply-To: <uuid-2@localhost>'
	filter bob active >/dev/null
	letter bob r2@x 'an answer' 'In-Reply-To: <uuid-1@localhost>'
	[ "$(filter bob active | texts)" = "an answer " ]
	[ "$(in_box bob)" = "unrelated " ]
	[ "$(in_box bob COI/Chats)" = "an answer from delta " ]
}

@test "none: everything stays in INBOX, chats are marked \$Chat (CLI-319)" {
	chat bob one
	letter bob m1@one.test plain
	[ "$(filter bob none --trace="$T/trace" | texts)" = "one " ]
	[ "$(in_box bob)" = "one plain " ]
	lacks "$(commands "$T/trace")" MOVE
	lacks "$(commands "$T/trace")" COPY
	lacks "$(commands "$T/trace")" CREATE
	[ "$(flags bob | grep -c '$Chat')" = 1 ]
	unseen bob one
}

@test "seen: chats are moved once they are read, by whatever program (CLI-321)" {
	chat bob one
	chat bob two
	letter bob uuid-1@localhost 'from delta' 'Chat-Version: 1.0'
	letter bob m1@one.test plain
	filter bob seen >/dev/null
	[ "$(in_box bob)" = "from delta one plain two " ]
	[ "$(flags bob | grep -c '$Chat')" = 3 ]
	# Nothing is read yet: looking costs no more than this.
	filter bob seen --trace="$T/trace"
	contains "$(commands "$T/trace")" 'SEEN UNDELETED UID 1:3'
	lacks "$(commands "$T/trace")" FETCH
	lacks "$(commands "$T/trace")" LIST
	imap bob 'SELECT INBOX' 'STORE 2,4 +FLAGS (\Seen)' >/dev/null
	[ -z "$(filter bob seen)" ]
	[ "$(in_box bob)" = "from delta one plain " ]
	[ "$(in_box bob COI/Chats)" = "two " ]
	seen bob two COI/Chats
	letter bob r2@x 'an answer' 'In-Reply-To: <uuid-1@localhost>'
	[ "$(filter bob seen --mark-seen | texts)" = "an answer " ]
	[ "$(in_box bob COI/Chats)" = "an answer two " ]
	# One that waited and is gone disturbs nobody.
	imap bob 'SELECT INBOX' 'STORE 1 +FLAGS (\Deleted)' EXPUNGE >/dev/null
	imap bob 'SELECT INBOX' 'STORE 1:* +FLAGS (\Seen)' >/dev/null
	filter bob seen
	[ "$(in_box bob)" = "plain " ]
	[ "$(in_box bob COI/Chats)" = "an answer from delta two " ]
}

@test "own messages to others are read, to Chats or Sent; to myself they stay unread (CLI-328, CLI-329, CLI-330)" {
	set_config bob aliases b.alias@two.test
	letter bob 'chat$1@x' ownchat 'From: bob@two.test' 'To: dean@one.test'
	letter bob n2@x ownplain 'From: bob@two.test' 'To: dean@one.test'
	letter bob 'chat$3@x' ownalias 'From: B <B.Alias@TWO.test>' 'To: dean@one.test'
	letter bob 'chat$4@x' selfchat 'From: bob@two.test' 'To: b.alias@two.test'
	letter bob n5@x selfplain 'From: bob@two.test' 'To: bob@two.test'
	letter bob n6@x ccother 'From: bob@two.test' 'To: bob@two.test' 'Cc: dean@one.test'
	filter bob active
	[ "$(in_box bob COI/Chats)" = "ownalias ownchat selfchat " ]
	[ "$(in_box bob Sent)" = "ccother ownplain " ]
	[ "$(in_box bob)" = "selfplain " ]
	for t in ownchat ownalias; do seen bob $t COI/Chats; done
	for t in ownplain ccother; do seen bob $t Sent; done
	unseen bob selfchat COI/Chats
	unseen bob selfplain
}

@test "own messages without a move mode go to Sent, and read they are (CLI-329)" {
	letter bob 'chat$1@x' ownchat 'From: bob@two.test' 'To: dean@one.test'
	letter bob 'chat$2@x' selfchat 'From: bob@two.test' 'To: bob@two.test'
	filter bob none
	[ "$(in_box bob)" = "selfchat " ]
	[ "$(in_box bob Sent)" = "ownchat " ]
	seen bob ownchat Sent
}

@test "own messages in mode seen: what is ours is read, and goes at once" {
	letter bob 'chat$1@x' ownchat 'From: bob@two.test' 'To: dean@one.test'
	letter bob 'chat$2@x' selfchat 'From: bob@two.test' 'To: bob@two.test'
	filter bob seen
	[ "$(in_box bob COI/Chats)" = "ownchat " ]
	[ "$(in_box bob)" = "selfchat " ]
}

@test "an own message that is in Sent already stays where it is" {
	printf 'From: bob@two.test\r\nMessage-ID: <n1@x>\r\n\r\nthe sent copy\r\n' >"$T/m"
	curl -sk --url "imaps://localhost:$TWO_IMAPS_PORT/Sent" -u bob:secret-bob -T "$T/m"
	letter bob n1@x 'came back' 'From: bob@two.test' 'To: dean@one.test'
	filter bob active --trace="$T/trace"
	lacks "$(commands "$T/trace")" MOVE
	[ "$(in_box bob)" = "came back " ]
	[ "$(in_box bob Sent)" = "the sent copy " ]
	seen bob 'came back'
}

@test "an own message whose id is a part of another in Sent is moved" {
	for id in 11@x 1@x; do
		letter bob $id "$id" 'From: bob@two.test' 'To: dean@one.test'
		filter bob active
	done
	[ -z "$(in_box bob)" ]
	[ "$(in_box bob Sent)" = "11@x 1@x " ]
}

@test "no Sent folder wanted: own mail is only marked" {
	as bob true
	set_config bob sent-folder none
	letter bob n1@x own 'From: bob@two.test' 'To: dean@one.test'
	filter bob active
	[ "$(in_box bob)" = "own " ]
	seen bob own
}

@test "INBOX is the Sent folder: own mail is only marked, with and without MOVE" {
	for u in bob kim; do
		set_config $u sent-folder inbox
		letter $u o1@x ownplain "From: $(sed -n 's/^address = //p' "$D/config-$u")" 'To: dean@one.test'
		filter $u none
		filter $u active
		[ "$(in_box $u)" = "ownplain " ]
		[ "$(mail_count $u)" = 1 ]
		seen $u ownplain
	done
}

@test "a Sent folder that is not there: own mail stays, and that is said once a message" {
	as bob true
	set_config bob sent-folder Nope
	letter bob n1@x own 'From: bob@two.test' 'To: dean@one.test'
	chat bob one
	filter bob active 2>"$T/err" >/dev/null
	contains "$(<"$T/err")" 'there is no mailbox "Nope": own mail stays in INBOX'
	[ "$(in_box bob)" = "own " ]
	[ "$(in_box bob COI/Chats)" = "one " ]
	chat bob two
	filter bob active 2>"$T/err" >/dev/null
	[ ! -s "$T/err" ]
	[ "$(in_box bob COI/Chats)" = "one two " ]
}

@test "the Sent folder has another name now: it is looked for anew" {
	as bob coi-fetch >/dev/null
	python3 - "$T/bob/.local/state/coi/bob.db" <<-'END'
		import sqlite3, sys
		c = sqlite3.connect(sys.argv[1])
		c.execute("insert or replace into kv values('sent', 'Old')")
		c.commit()
	END
	letter bob n1@x own 'From: bob@two.test' 'To: dean@one.test'
	filter bob active
	[ -z "$(in_box bob)" ]
	[ "$(in_box bob Sent)" = "own " ]
}

@test "a namespace with a prefix: INBOX.COI.Chats, INBOX.Blocked" {
	chat judy one
	[ "$(filter judy active --trace="$T/trace" | texts)" = "one " ]
	contains "$(<"$T/trace")" 'UID MOVE 1 "INBOX.COI.Chats"'
	contains "$(imap judy 'LSUB "" "*"')" INBOX.COI.Chats
	[ -z "$(filter judy active)" ]
	[ -z "$(in_box judy)" ]
	[ "$(in_box judy COI/Chats)" = "one " ]
}

@test "without MOVE and UIDPLUS: COPY and \\Deleted, but never EXPUNGE" {
	letter kim m1@x 'to be expunged later'
	imap kim 'SELECT INBOX' 'STORE 1 +FLAGS (\Deleted)' >/dev/null
	chat kim one
	[ "$(filter kim active --trace="$T/trace" | texts)" = "one " ]
	[ "$(in_box kim COI/Chats)" = "one " ]
	[ -z "$(in_box kim)" ]
	[ "$(mail_count kim)" = 2 ]
	# What is marked is left alone from then on.
	chat kim two
	[ "$(filter kim active --trace="$T/trace2" | texts)" = "two " ]
	[ "$(in_box kim COI/Chats)" = "one two " ]
	[ "$(mail_count kim COI/Chats)" = 2 ]
	lacks "$(commands "$T"/trace*)" 'EXPUNGE'
	lacks "$(commands "$T"/trace*)" 'UID MOVE'
}

@test "a server that filters itself is left alone, and it is said (CLI-167, CLI-322)" {
	imap grace 'CREATE COI/Chats' >/dev/null
	coi_set grace enabled yes message-filter none
	chat grace one
	filter grace active --trace="$T/trace" >"$T/out" 2>"$T/err"
	[ "$(texts <"$T/out")" = "one " ]
	contains "$(<"$T/err")" 'filters chats itself'
	lacks "$(commands "$T/trace")" MOVE
	lacks "$(commands "$T/trace")" 'UID STORE'
	[ "$(in_box grace)" = "one " ]
}

@test "a COI server that is not enabled: the switch that a new folder is stays untouched" {
	chat grace one
	run filter grace active --trace="$T/trace"
	status_is 78
	contains "$output" 'coi-config enable'
	lacks "$(commands "$T/trace")" CREATE
	[ "$(in_box grace)" = "one " ]
	# With the folder there it is filtered; nothing was lost by the refusal.
	imap grace 'CREATE COI/Chats' >/dev/null
	[ -z "$(filter grace active)" ]
	[ "$(in_box grace COI/Chats)" = "one " ]
}

@test "mail that was there before the filter is left alone" {
	chat bob old
	as bob coi-fetch --json >/dev/null
	chat bob new
	filter bob active >/dev/null
	[ "$(in_box bob)" = "old " ]
	[ "$(in_box bob COI/Chats)" = "new " ]
	chat bob newer
	filter bob active >/dev/null
	[ "$(in_box bob)" = "old " ]
}

@test "--start now: what came before is left alone" {
	chat bob old
	filter bob active --start now
	[ "$(in_box bob)" = "old " ]
	chat bob new
	[ "$(filter bob active --start now | texts)" = "new " ]
	[ "$(in_box bob)" = "old " ]
	[ "$(in_box bob COI/Chats)" = "new " ]
}

@test "--start DATE: what came before is left alone" {
	chat bob old
	sleep 2
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	chat bob new
	filter bob active --start "$now" >/dev/null
	[ "$(in_box bob)" = "old " ]
	[ "$(in_box bob COI/Chats)" = "new " ]
}

@test "--start DATE: also when the first run could not print" {
	chat bob old
	sleep 2
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	chat bob new
	as bob true
	run bash -c "HOME=$T/bob coi-fetch --json --filter active --start $now >/dev/full"
	status_is 74
	filter bob active --start "$now" >/dev/null
	[ "$(in_box bob)" = "old " ]
	[ "$(in_box bob COI/Chats)" = "new " ]
	# mode seen has a set of its own in between
	chat bob unread
	filter bob seen >/dev/null
	filter bob seen >/dev/null
	[ "$(in_box bob)" = "old unread " ]
}

@test "nothing is moved before it was printed and acknowledged" {
	for i in 1 2 3; do chat bob c$i; done
	as bob true
	run bash -c "HOME=$T/bob coi-fetch --json --filter active >/dev/full"
	status_is 74
	[ "$(in_box bob)" = "c1 c2 c3 " ]
	filter bob active --no-commit >"$T/out"
	[ "$(texts <"$T/out")" = "c1 c2 c3 " ]
	[ "$(in_box bob)" = "c1 c2 c3 " ]
	head -n 2 "$T/out" | as bob coi-fetch --ack
	[ "$(filter bob active --no-commit | texts)" = "c3 " ]
	[ "$(in_box bob)" = "c3 " ]
	[ "$(in_box bob COI/Chats)" = "c1 c2 " ]
	tail -n 1 "$T/out" | as bob coi-fetch --ack
	[ -z "$(filter bob active --no-commit)" ]
	[ -z "$(in_box bob)" ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "--limit: only what was printed is moved" {
	for i in 1 2 3; do chat bob c$i; done
	[ "$(filter bob active --limit 2 | texts)" = "c1 c2 " ]
	[ "$(in_box bob)" = "c3 " ]
	[ "$(filter bob active --limit 2 | texts)" = "c3 " ]
	[ -z "$(in_box bob)" ]
	[ "$(in_box bob COI/Chats)" = "c1 c2 c3 " ]
}

@test "a copy that a killed run left behind: one stays" {
	chat bob one
	chat kim one
	as bob coi-fetch --json >/dev/null
	as kim coi-fetch --json >/dev/null
	chat bob two
	chat kim two
	imap bob 'CREATE COI.Chats' 'SELECT INBOX' 'COPY 2 COI.Chats' >/dev/null
	imap kim 'CREATE COI/Chats' 'SELECT INBOX' 'COPY 2 COI/Chats' >/dev/null
	filter bob active >/dev/null
	filter kim active >/dev/null
	[ "$(in_box bob COI/Chats)" = "two " ]
	[ "$(mail_count bob COI/Chats)" = 1 ]
	[ "$(in_box kim COI/Chats)" = "two " ]
	[ "$(in_box kim)" = "one " ]
}

@test "a copy that a killed run left behind, beside a chat without id and date" {
	chat bob one
	as bob coi-fetch --json >/dev/null
	chat bob two
	printf '%s\r\n' 'From: dean@one.test' 'Chat-Version: 1.0' '' nameless |
		deliver bob
	imap bob 'CREATE COI.Chats' 'SELECT INBOX' 'COPY 2 COI.Chats' >/dev/null
	filter bob active >/dev/null
	[ "$(in_box bob COI/Chats)" = "nameless two " ]
	[ "$(in_box bob)" = "one " ]
}

@test "another message under the same id is no copy: both stay" {
	chat bob one
	filter bob active >/dev/null
	letter bob 'chat$one@one.test' 'another' 'Chat-Version: 1.0'
	letter bob 'chat$one@one.test' 'third' 'Chat-Version: 1.0'
	filter bob active >/dev/null
	[ "$(in_box bob COI/Chats)" = "another one third " ]
}

# two_at_once USER: two clients that know nothing of each other.
two_at_once() {
	local i user=$1 p1 p2
	mkdir "$T/mails"
	for i in {1..200}; do
		printf 'From: a@one.test\r\nTo: x@two.test\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@one.test>\r\nChat-Version: 1.0\r\n\r\ntext%s\r\n' $i $i >"$T/mails/$i"
	done
	deliver "$user" "$T"/mails/*
	as "$user" true
	filter "$user" active --state-dir "$T/s1" >"$T/o1" 3>&- &
	p1=$!
	filter "$user" active --state-dir "$T/s2" >"$T/o2" 3>&- &
	p2=$!
	wait "$p1"
	wait "$p2"
	# Together they saw all, whoever moved it first.
	filter "$user" active --state-dir "$T/s1" >>"$T/o1"
	filter "$user" active --state-dir "$T/s2" >>"$T/o2"
	for i in 1 2; do
		[ "$(jq -r .text "$T/o$i" | sort | uniq -d | wc -l)" = 0 ]
		[ "$(jq -r .text "$T/o$i" | sort -u | wc -l)" = 200 ]
	done
	[ -z "$(in_box "$user")" ]
	[ "$(in_box "$user" COI/Chats | wc -w)" = 200 ]
	[ "$(in_box "$user" COI/Chats | tr ' ' '\n' | sort -u | grep -c .)" = 200 ]
}

@test "two filters race over 200 messages: each is there once (MOVE)" { two_at_once bob; }
@test "two filters race over 200 messages: each is there once (COPY)" { two_at_once kim; }

@test "many at first: more than are looked at in one go" {
	mkdir "$T/mails"
	for i in {1..1300}; do
		printf 'From: a@one.test\r\nMessage-ID: <%s%s@x>\r\n\r\ntext%s\r\n' "$([ $((i % 2)) = 0 ] || echo 'chat$')" $i $i >"$T/mails/$i"
	done
	deliver bob "$T"/mails/*
	filter bob active >"$T/out"
	[ "$(wc -l <"$T/out")" = 650 ]
	[ "$(mail_count bob)" = 650 ]
	[ "$(mail_count bob COI/Chats)" = 650 ]
	[ "$(in_box bob | tr ' ' '\n' | grep -c '[02468]$')" = 650 ]
	[ -z "$(filter bob active)" ]
}

# --- blocked senders ---------------------------------------------------------

# contact USER MAILBOX ADDRESS DATE [HEADER...]: its storage message.
contact() {
	local user=$1 box=$2 hash
	hash=${hashed:-$(printf %s "$3" | openssl dgst -sha3-256 -r | cut -d' ' -f1)}
	local s
	s=$(site "$user")_IMAPS_PORT
	{
		printf 'Date: %s\r\nFrom: me@x\r\nMessage-ID: <c%s@x>\r\nChat-Content: contact\r\nCOI-From-Hash: %s\r\n' "$4" "$RANDOM$RANDOM" "$hash"
		shift 4
		[ $# -eq 0 ] || printf '%s\r\n' "$@"
		printf '\r\ncontact\r\n'
	} >"$T/contact"
	imap "$user" "CREATE $box" >/dev/null || true
	curl -sSk --url "imaps://localhost:${!s}/$box" -u "$user:secret-$user" -T "$T/contact"
}

@test "mail of blocked contacts goes to Blocked, in every mode (CLI-164, CLI-166, CLI-334)" {
	contact bob COI.Contacts eve@one.test 'Mon, 02 Nov 2026 10:00:00 +0000' 'COI-Blocked: yes'
	contact bob COI.Contacts no@one.test 'Mon, 02 Nov 2026 10:00:00 +0000' 'COI-Blocked: no'
	contact bob COI.Contacts dean@one.test 'Mon, 02 Nov 2026 10:00:00 +0000'
	letter bob 'chat$1@x' evechat 'From: Eve <EVE@One.Test>' 'Chat-Version: 1.0'
	letter bob n2@x eveplain 'From: eve@one.test'
	letter bob n3@x valueisignored 'From: no@one.test'
	letter bob 'chat$4@x' deanchat
	filter bob none --trace="$T/trace" >/dev/null
	[ "$(in_box bob Blocked)" = "evechat eveplain valueisignored " ]
	[ "$(in_box bob)" = "deanchat " ]
	unseen bob evechat Blocked
	# The contacts are read once, while they stay as they are.
	letter bob n5@x more 'From: eve@one.test'
	filter bob none --trace="$T/trace2" >/dev/null
	[ "$(in_box bob Blocked)" = "evechat eveplain more valueisignored " ]
	contains "$(<"$T/trace")" 'COI-FROM-HASH'
	lacks "$(commands "$T/trace2")" 'COI-FROM-HASH'
	# Unblocked by a newer message without the header.
	contact bob COI.Contacts eve@one.test 'Tue, 03 Nov 2026 10:00:00 +0000'
	letter bob n6@x forgiven 'From: eve@one.test'
	filter bob none >/dev/null
	contains "$(in_box bob)" forgiven
	lacks "$(in_box bob Blocked)" forgiven
}

@test "the hash of a blocked address: hex or base64, and the address in its forms" {
	b64() { printf %s "$1" | openssl dgst -sha3-256 -binary | base64; }
	local old='Mon, 02 Nov 2026 10:00:00 +0000'
	hashed=$(b64 b64@one.test) contact judy INBOX.COI.Contacts x "$old" 'COI-Blocked: yes'
	hashed=$(b64 bare@one.test | tr -d =) contact judy INBOX.COI.Contacts x "$old" 'COI-Blocked: yes'
	hashed=$(printf 'caps@one.test' | openssl dgst -sha3-256 -r | cut -d' ' -f1 | tr a-f A-F) contact judy INBOX.COI.Contacts x "$old" 'COI-Blocked:'
	contact judy INBOX.COI.Contacts 'j d@one.test' "$old" 'COI-Blocked: yes'
	contact judy INBOX.COI.Contacts 'x@bücher.test' "$old" 'COI-Blocked: yes'
	letter judy n1@x one 'From: b64@one.test'
	letter judy n2@x two 'From: bare@one.test'
	letter judy n3@x three 'From: caps@one.test'
	letter judy n4@x four 'From: "J D"@one.test'
	letter judy n5@x five 'From: X@xn--bcher-kva.test'
	letter judy n6@x six 'From: other@one.test'
	filter judy active
	[ "$(in_box judy)" = "six " ]
	[ "$(in_box judy Blocked)" = "five four one three two " ]
}

@test "nobody blocks himself, and contacts marked \\Deleted block nobody" {
	contact bob COI.Contacts bob@two.test 'Mon, 02 Nov 2026 10:00:00 +0000' 'COI-Blocked: yes'
	contact bob COI.Contacts eve@one.test 'Mon, 02 Nov 2026 10:00:00 +0000' 'COI-Blocked: yes'
	imap bob 'SELECT COI.Contacts' 'STORE 2 +FLAGS (\Deleted)' >/dev/null
	letter bob n1@x self 'From: bob@two.test' 'To: bob@two.test'
	letter bob n2@x eve 'From: eve@one.test'
	filter bob active
	[ "$(in_box bob)" = "eve self " ]
}

# --- the command line ----------------------------------------------------------

@test "--filter: what it does not go with" {
	for args in '--filter maybe' '--filter active --uid 1' \
		'--filter active --unseen' '--filter active --ack' \
		'--filter seen -b Sent' '--filter active -f x'; do
		# shellcheck disable=SC2086
		run as bob coi-fetch $args
		status_is 64
		contains "$output" filter
	done
	chat bob one
	[ "$(filter bob active -b inbox -v 2>"$T/err" | texts)" = "one " ]
	contains "$(<"$T/err")" '1 moved'
	[ "$(in_box bob COI/Chats)" = "one " ]
}

