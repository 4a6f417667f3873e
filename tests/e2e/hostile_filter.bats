#!/usr/bin/env bats
# coi-fetch --filter against servers that refuse, disturb or lack something:
# what was printed stays printed, and no mail is lost.
load helper
load hostile

# filtered STATUS SCRIPT: one run in mode active; what we said is in $SAID.
filtered() {
	local status=$1 rc=0
	play imap "filter-$2" || return 1
	coi-fetch --json --timeout 5s --filter active --state-dir "$T/state" \
		>"$T/out" 2>"$T/err" || rc=$?
	[ "$rc" = "$status" ] || {
		echo "$2: status $rc, not $status: $(<"$T/err")"
		return 1
	}
	[ "$(jq -r .text "$T/out")" = "hello one" ] || {
		echo "$2: printed $(<"$T/out")"
		return 1
	}
	SAID=$(sed -n 's/^C: a[0-9]* //p' "$PEER_LOG")
}

# completes: the run after it, against a sane server, moves the message.
completes() {
	play imap filter-move || return 1
	[ -z "$(coi-fetch --json --filter active --state-dir "$T/state")" ] || return 1
	contains "$(<"$PEER_LOG")" 'UID MOVE 1 "COI/Chats"'
}

@test "EXPUNGE, EXISTS and FETCH of others among the answers disturb nothing" {
	filtered 0 move
	[ ! -s "$T/err" ]
	contains "$SAID" 'UID MOVE 1 "COI/Chats"'
	contains "$SAID" 'SUBSCRIBE "COI/Chats"'
	rm -r "$T/state"
	filtered 0 more
	contains "$SAID" 'UID MOVE 1 "'
	lacks "$SAID" 'MOVE 9'
	lacks "$SAID" ' 1,9'
}

@test "without MOVE: copied, then marked, then this one expunged" {
	filtered 0 copy
	lacks "$SAID" MOVE
	[ "$(grep -E '^UID (COPY|STORE .*Deleted|EXPUNGE)' <<<"$SAID" | tr '\n' ';')" = \
		'UID COPY 1 "COI/Chats";UID STORE 1 +FLAGS.SILENT (\Deleted);UID EXPUNGE 1;' ]
}

@test "no copy, no \\Deleted: a refused COPY leaves the message alone" {
	filtered 75 copy-no
	contains "$(<"$T/err")" 'no room'
	lacks "$SAID" Deleted
	lacks "$SAID" EXPUNGE
	completes
}

@test "a refused MOVE: it was printed, and the next run moves it" {
	filtered 75 move-no
	[ "$(jq -r .reply "$T/err")" = '[OVERQUOTA] no room' ]
	completes
}

@test "one that is never moved holds up no other, and is tried once" {
	play imap filter-poison
	coi-fetch --json --timeout 5s --filter active --state-dir "$T/state" \
		>"$T/out" 2>"$T/err"
	contains "$(<"$T/err")" '1 message stays in INBOX'
	contains "$(<"$T/err")" 'this one is odd'
	[ "$(sed -n 's/^C: a[0-9]* UID MOVE \([^ ]*\).*/\1/p' "$PEER_LOG" | tr '\n' ' ')" = "1:3 1 2 3 " ]
	play imap filter-poison
	coi-fetch --json --timeout 5s --filter active --state-dir "$T/state"
	lacks "$(<"$PEER_LOG")" MOVE
}

@test "a goodbye during MOVE: the next run moves it" {
	filtered 75 bye
	completes
}

@test "\$Chat is set only where it is kept; a refusal keeps nothing from moving" {
	filtered 0 nokeyword
	lacks "$SAID" 'UID STORE'
	contains "$SAID" 'UID MOVE'
	rm -r "$T/state"
	filtered 0 onekeyword
	contains "$SAID" 'UID STORE 1 +FLAGS.SILENT ($Chat)'
	rm -r "$T/state"
	filtered 0 keyword-no
	contains "$(<"$T/err")" 'too many keywords'
	contains "$SAID" 'UID MOVE'
}

@test "a folder that vanished is made anew" {
	filtered 0 trycreate
	contains "$SAID" 'CREATE "COI/Chats"'
	[ "$(grep -c 'UID MOVE' <<<"$SAID")" = 2 ]
}

@test "INBOX read-only: said, and nothing tried" {
	filtered 69 readonly
	contains "$(<"$T/err")" 'cannot be changed'
	lacks "$SAID" "UID STORE"
	lacks "$SAID" MOVE
	completes
}

@test "a server without folders inside folders: said" {
	filtered 69 flat
	contains "$(<"$T/err")" 'chats stay in INBOX'
	lacks "$SAID" MOVE
}

@test "moved by somebody else in between: no error; for ever: an end" {
	filtered 0 gone
	rm -r "$T/state"
	filtered 69 ever
	[ "$(grep -c 'UID MOVE' <<<"$SAID")" -le 25 ]
}

@test "renumbered in between: nothing is touched" {
	filtered 75 renumbered
	lacks "$SAID" MOVE
	lacks "$SAID" "UID STORE"
}
