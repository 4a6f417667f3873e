#!/usr/bin/env bats
# Mails that a sender may send to stop a reader, through the real server: each
# is printed, none keeps those behind it from being read.
load helper

@test "mails made to stop a reader: all are printed, and the one behind each" {
	"$ROOT/tests/lib/poison" "$T/mails"
	chat='From: a@one.test\r\nMessage-ID: <chat$%s@one.test>\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nChat-Version: 1.0\r\n\r\n%s\r\n'
	mkdir "$T/in"
	n=0
	for f in "$T"/mails/*; do
		n=$((n + 1))
		cp "$f" "$T/in/$(printf %03d $n)-0"
		# shellcheck disable=SC2059
		printf "$chat" "behind-$n" "behind ${f##*/}" >"$T/in/$(printf %03d $n)-1"
	done
	deliver bob "$T"/in/*
	as bob timeout 120 coi-fetch --json >"$T/out"
	jq -r .id "$T/out" | sort >"$T/got"
	grep -ahi '^message-id:' "$T"/in/* | sed 's/.*<\(.*\)>.*/\1/' | sort >"$T/want"
	diff "$T/want" "$T/got"
	# Their texts, where the text is the name, come too.
	for name in nested-90 nested-90-large nested-3000-large forwarded-90 \
		parts-3000 parts-990-large parts-deep param-long params-many \
		continued-many params-huge parts-names type-strange dashes \
		boundary-missing boundary-never header-long header-many octets; do
		jq -r --arg id "chat\$$name@one.test" \
			'select(.id == $id) | .text // ""' "$T/out" >"$T/text"
		head -n 1 "$T/text" | grep -aq "^$name" || {
			echo "no text of $name"
			return 1
		}
	done
	[ -z "$(as bob coi-fetch --json)" ]
}

@test "the same with attachments saved" {
	"$ROOT/tests/lib/poison" "$T/mails"
	deliver bob "$T"/mails/*
	as bob timeout 120 coi-fetch --json --save "$T/saved" >"$T/out"
	[ "$(wc -l <"$T/out")" = "$(find "$T/mails" -type f | wc -l)" ]
	# Nothing was written beside the folder, each record names its files.
	[ -z "$(find "$T/saved" -mindepth 1 -not -type f)" ]
	[ "$(jq -r '.attachments[]?.path // empty' "$T/out" | sort -u | wc -l)" = \
		"$(find "$T/saved" -type f | wc -l)" ]
}

@test "they make no record that another tool could not read again" {
	"$ROOT/tests/lib/poison" "$T/mails"
	deliver bob "$T"/mails/*
	as bob timeout 120 coi-fetch --no-commit --json >"$T/out"
	as bob coi-fetch --ack <"$T/out"
	[ -z "$(as bob coi-fetch --json)" ]
	# An answer to each can be composed.
	jq -c '{to: [.from], inReplyTo: .id, text: "pong"}' "$T/out" |
		as bob coi-send -n --json >"$T/answers"
	[ "$(grep -ac '^In-Reply-To: ' "$T/answers")" = "$(wc -l <"$T/out")" ]
}
