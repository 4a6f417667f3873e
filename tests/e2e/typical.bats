#!/usr/bin/env bats
# A whole run as the standard describes it, on a server that speaks COI and on
# one that does not; and what a large message costs.
SERVERS="coi plain"
load helper
load watching

# run_typical USER PEER [WATCH OPTION...]: chat and mail come in and are sorted, the chat
# is shown and answered, and the answer reaches the peer.
run_typical() {
	local user=$1 peer=$2
	shift 2
	watch "$user" "$@"
	ready
	as "$peer" coi-send -m question "$(address "$user")"
	mail "$user" m1 newsletter
	printed question
	within 10 holds "$user" COI/Chats "question "
	within 10 holds "$user" "" "newsletter "
	jq -c 'select(.kind) | {inReplyTo: .id, to: [.from], text: "answer"}' "$OUT" |
		as "$user" coi-send --json >/dev/null
	within 10 eval 'as "$peer" coi-fetch --json --no-commit | grep -q answer'
	end_watch
	status_is 0
}

address() {
	local s
	s=$(site "$1")_DOMAIN
	echo "$1@${!s}"
}

@test "CLI-012: with COI: found, enabled, and the server sorts" {
	[ "$(as grace coi-config status --json | jq -c '[.coi,.enabled]')" = '[true,false]' ]
	as grace coi-config enable
	as grace coi-config filter active
	[ "$(as grace coi-config status --json | jq -c '[.enabled,.filter]')" = '[true,"active"]' ]
	run_typical grace frank
}

@test "CLI-012: without COI: found, and we sort" {
	[ "$(as frank coi-config status --json | jq -c '.coi')" = false ]
	run_typical frank grace --filter active
}

@test "CLI-100, CLI-101: of a large message the structure is read first, then the preview and what is small" {
	head -c 3000000 /dev/urandom >"$T/film.webm"
	head -c 5000 /dev/urandom >"$T/still.jpg"
	jq -nc --arg d "$T" '{to: [{email: "frank@plain.test"}], attachments: [
		{type: "video/webm", path: "\($d)/film.webm", preview: {type: "image/jpeg", path: "\($d)/still.jpg"}},
		{type: "image/jpeg", name: "last.jpg", path: "\($d)/still.jpg"}]}' |
		as grace coi-send --json >/dev/null
	wait_for_mail frank 1
	watch frank --start all --inline --max-size 100k --trace="$T/trace" --once
	within 15 has "$OUT" '"kind"'
	ended
	status_is 0
	# The attachments in their order, the preview with what it shows.
	[ "$(jq -c 'select(.kind).attachments | map([.name, .size, .section, .data == null])' "$OUT")" = \
		'[["film.webm",3000000,"2",true],["last.jpg",5000,null,false]]' ]
	[ "$(jq -r 'select(.kind).attachments[0].preview.data' "$OUT" | base64 -d | sha256sum)" = "$(sha256sum <"$T/still.jpg")" ]
	[ "$(sed -n 's/^imap C: a[0-9]* UID FETCH 1 .*\(BODYSTRUCTURE\|(BODY.*\)/\1/p' "$T/trace" | tr '\n' ' ')" = \
		'BODYSTRUCTURE BODY.PEEK[HEADER]) (BODY.PEEK[1.MIME] BODY.PEEK[2.MIME] BODY.PEEK[3.MIME]) (BODY.PEEK[1] BODY.PEEK[3]) ' ]
}
