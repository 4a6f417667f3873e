#!/usr/bin/env bats
# coi-watch --filter: what arrives is moved behind its line, what is read is
# moved when it is read.
SERVERS="two bare coi"
load helper
load watching

@test "active: printed, then moved, with an event line; never printed again (CLI-326)" {
	chat bob 0 old
	watch bob --filter active
	ready
	mail bob m1 plain
	chat bob 1 one
	printed one
	within 10 holds bob COI/Chats "one "
	within 5 event moved
	valid_event moved
	[ "$(jq -c 'select(.event=="moved") | [.account, .imap.mailbox, .imap.uid, .id, .to]' "$OUT")" = \
		'["bob","INBOX",3,"chat$1@elsewhere.test","COI.Chats"]' ]
	chat bob 2 two
	chat bob 3 three
	printed one two three
	within 10 holds bob COI/Chats "one three two "
	[ "$(in_box bob)" = "old plain " ]
	end_watch
	status_is 0
	[ ! -s "$ERR" ]
	[ "$(texts)" = "one two three " ]
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "the folder of chats is deleted meanwhile: it is made again, also for own messages" {
	watch bob --filter active
	ready
	chat bob 1 one
	within 10 holds bob COI/Chats "one "
	imap bob 'DELETE COI.Chats' >/dev/null
	printf '%s\r\n' 'From: bob@two.test' 'To: dean@one.test' \
		'Message-ID: <chat$own@two.test>' '' own | deliver bob
	within 10 holds bob COI/Chats "own "
	chat bob 2 two
	within 10 holds bob COI/Chats "own two "
	[ -z "$(in_box bob)" ]
	end_watch
	status_is 0
}

@test "seen: moved when another program marks it as read" {
	watch bob --filter seen
	ready
	chat bob 1 one
	chat bob 2 two
	printed one two
	[ "$(in_box bob)" = "one two " ]
	imap bob 'SELECT INBOX' 'STORE 2 +FLAGS (\Seen)' >/dev/null
	within 10 holds bob COI/Chats "two "
	[ "$(in_box bob)" = "one " ]
	end_watch
	# Read while nobody was looking: moved at the next start.
	imap bob 'SELECT INBOX' 'STORE 1 +FLAGS (\Seen)' >/dev/null
	watch bob --filter seen
	within 10 holds bob COI/Chats "one two "
	end_watch
	status_is 0
	[ -z "$(texts)" ]
}

@test "without IDLE, NOTIFY and MOVE it is moved all the same" {
	watch kim --filter active --poll 1s
	ready
	chat kim 1 one
	printed one
	within 10 holds kim COI/Chats "one "
	within 10 holds kim INBOX ""
	end_watch
	status_is 0
}

@test "--no-commit: moved when the line was acknowledged" {
	watch bob --filter active --no-commit
	ready
	chat bob 1 one
	printed one
	sleep 0.3
	[ "$(in_box bob)" = "one " ]
	grep '"kind"' "$OUT" | as bob coi-fetch --ack
	within 10 holds bob COI/Chats "one "
	end_watch
	status_is 0
}

@test "a server that filters itself: said once, and left to it (CLI-322)" {
	imap grace 'CREATE COI/Chats' >/dev/null
	coi_set grace enabled yes message-filter none
	watch grace --filter active
	ready
	chat grace 1 one
	printed one
	end_watch
	status_is 0
	[ "$(count "$ERR" 'filters chats itself')" = 1 ]
	[ "$(in_box grace)" = "one " ]
}
