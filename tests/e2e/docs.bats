#!/usr/bin/env bats
# What the manual and the README say: it is complete, and it works.
load helper

MAN=$ROOT/man

# page NAME: as a reader sees it, without overstriking, very wide.
page() { mandoc -T utf8 -O width=250 "$MAN/$1" | col -bx; }

# section NAME PAGE: the lines of one section of a page as it is shown.
section() {
	page "$2" | awk -v want="$1" '
		/^[A-Z]/ { on = $0 == want; next }
		on'
}

# blocks SECTION PAGE: the displays (.Dl, .Bd) of a section, each ended by a
# line "%%".
blocks() {
	awk -v want="$1" '
		function out(s) {
			gsub(/\\&/, "", s)
			gsub(/\\e/, "\\", s)
			print s
		}
		/^\.Sh / { on = substr($0, 5) == want; next }
		!on { next }
		/^\.Dl / { out(substr($0, 5)); print "%%"; next }
		/^\.Bd / { in_bd = 1; next }
		/^\.Ed/ { in_bd = 0; print "%%"; next }
		in_bd { out($0) }' "$MAN/$2"
}

# Names of the examples are of nobody; these are of the servers.
here() {
	sed -e 's/ops@example\.org/carol@one.test/g' \
		-e 's/bob@example\.org/bob@two.test/g' \
		-e 's/\(alice\|carol\)@example\.org/\1@one.test/g'
}

same() {
	diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

# desk: a folder of Alice with the files of the examples, and mail for her:
# two chat messages, the second with a picture.
desk() {
	W=$T/alice/desk
	as alice mkdir "$W"
	printf '\377\330\377\340\0\20JFIF\0' >"$W/photo.jpg"
	printf '%%PDF-1.4\n' >"$W/invoice.pdf"
	printf 'From: Bob <bob@two.test>\nTo: alice@one.test\nDate: Wed, 25 Nov 2026 10:00:00 +0000\nMessage-ID: <chat$m@two.test>\nChat-Version: 1.0\n\nfrom a file\n' >"$W/mail.eml"
	as bob coi-send -m ping alice@one.test
	wait_for_mail alice 1
	as bob coi-send -m 'a picture' --file "$W/photo.jpg" alice@one.test
	wait_for_mail alice 2
}

# try COMMAND: as Alice would type it, all mail being new; it ends with 0 and
# has nothing to complain.
try() {
	rm -rf "$T/alice/.local" "$T/alice/sent"
	status=0
	output=$(cd "$W" && as alice bash -o pipefail -ec "$1" \
		2>"$T/stderr" </dev/null) || status=$?
	[ "$status" -eq 0 ] && [ ! -s "$T/stderr" ] || {
		printf 'status %s:\n%s\n%s\n' "$status" "$1" "$output"
		cat "$T/stderr"
		return 1
	}
}

# newest USER TEXT: a message with that text arrives within seconds.
newest() {
	local until=$((SECONDS + 10))
	until inbox "$1" | grep -qF -- "$2"; do
		[ "$SECONDS" -lt "$until" ] || {
			echo "$1 got no \"$2\""
			return 1
		}
		sleep 0.05
	done
	rm -rf "$(maildir "$1")"/{new,cur}/*
}

# makes_sense COMMAND: is $output what this example is there for?
makes_sense() {
	case $1 in
	*'coi-fetch --ack'*)
		newest bob pong && [ -z "$output" ] &&
			[ -z "$(as alice coi-fetch --no-commit --json)" ]
		;;
	*'coi-fetch'*--to-all*)
		[ -z "$output" ] && newest bob 'In-Reply-To: <chat$'
		;;
	*'coi-send --json -n --keep'*)
		[ "$(jq -r .text <<<"$output")" = 'from a file' ] &&
			[ "$(jq -r .id <<<"$output")" = 'chat$m@two.test' ] &&
			[ "$(jq -r .meta <<<"$output")" = null ]
		;;
	*'coi-fetch'*'carol@one.test'*'coi-send --json'*)
		[ "$(jq -r .result <<<"$output")" = $'accepted\naccepted' ] &&
			newest carol photo.jpg
		;;
	*'coi-fetch'*'coi-send --json'*)
		[ "$(jq -r .result <<<"$output" | uniq)" = accepted ] &&
			newest bob pong
		;;
	*'select(.state != "accepted")'*)
		[ -z "$output" ] && newest bob 'Meeting at ten'
		;;
	*'"\(.from.email): \(.text)"'*)
		[ "$output" = $'bob@two.test: ping\nbob@two.test: a picture' ]
		;;
	*'.attachments[]?.path'*) cmp "$W/$output" "$W/photo.jpg" ;;
	*group_by*) [ "$(jq -c . <<<"$output")" = '{"mail:bob@two.test":2}' ] ;;
	*'coi-fetch --dead'*) [ -z "$output" ] ;;
	*coi-watch*'jq -r .text'*--reply*) [ -z "$output" ] && newest bob 'a picture' ;;
	*coi-watch*pong*) [ -z "$output" ] && newest bob pong ;;
	*coi-watch*chats.txt*)
		[ -z "$output" ] &&
			[ "$(<"$T/alice/chats.txt")" = $'ping\na picture' ]
		;;
	*coi-watch*meta.account*)
		[ "$(sort <<<"$output")" = $'home: a picture\nhome: ping\nwork: a picture\nwork: ping' ]
		;;
	*coi-watch*'| .text'*) [ "$output" = $'ping\na picture' ] ;;
	'coi-watch -a work -a home'*) [ "$(grep -c '"text":"ping"' <<<"$output")" = 2 ] ;;
	coi-watch*) contains "$output" '"text":"ping"' ;;
	*'coi-fetch -f'*) [ "$(jq -r .text <<<"$output")" = 'from a file' ] ;;
	*'--start now'*) [ -z "$output" ] ;;
	*--json-schema*) [ "$(jq -r .type <<<"$output" | uniq)" = object ] ;;
	*'coi-send -n'*)
		contains "$output" 'Chat-Version: 1.0' &&
			contains "$output" hello
		;;
	*'coi-send --check'*)
		contains "$output" 'logged in as alice@one.test' &&
			lacks "$output" FAIL
		;;
	*'coi-send --flush') [ -z "$output" ] ;;
	coi-fetch*)
		contains "$(jq -r .text <<<"$output")" ping &&
			[ "$(jq -r .kind <<<"$output" | uniq)" = message ]
		;;
	*'df -h | coi-send carol'*) [ -z "$output" ] && newest carol Filesystem ;;
	*'df -h | coi-send bob'*) [ -z "$output" ] && newest bob Filesystem ;;
	*'the disk is full'*) [ -z "$output" ] && newest carol 'the disk is full' ;;
	*'the backup is done'*) [ -z "$output" ] && newest carol 'backup is done' ;;
	*invoice.pdf*) [ -z "$output" ] && newest bob invoice.pdf ;;
	*photo.jpg*) [ -z "$output" ] && newest bob photo.jpg ;;
	*'Lunch at one?'*) [ -z "$output" ] && newest bob 'Lunch at one?' ;;
	*)
		echo "this test does not know what to expect of: $1"
		return 1
		;;
	esac || {
		printf 'not what it should print or do: %s\n%s\n' "$1" "$output"
		return 1
	}
}

# all_work: each block on standard input.
all_work() {
	local line block='' n=0
	desk
	while IFS= read -r line <&3; do
		if [ "$line" = %% ]; then
			try "$block"
			makes_sense "$block"
			block='' n=$((n + 1))
		else
			block+=${block:+$'\n'}$line
		fi
	done 3< <(here)
	[ "$n" -gt 0 ]
}

@test "SYNOPSIS says what -h says" {
	for tool in coi-send coi-fetch coi-watch coi-config; do
		said=$("$tool" -h | sed -n '/^usage:/,/^$/s/^\(usage:\|      \) //p')
		[ -n "$said" ]
		same "$said" "$(section SYNOPSIS "$tool.1" | sed -n 's/^     //p')"
	done
}

@test "what a page shows can be copied: quotes, backslashes, one line a line" {
	local bad=0
	for file in "$MAN"/*.[1-8]; do
		name=${file##*/}
		mandoc -T utf8 "$file" | col -bx | sed 's/^ *//' >"$T/shown"
		sections=$(sed -n 's/^\.Sh //p' "$file")
		while IFS= read -r sec; do
			blocks "$sec" "$name"
		done <<<"$sections" | sed 's/^[ \t]*//; /^$/d; /^%%$/d' >"$T/meant"
		while IFS= read -r line; do
			grep -qxF -- "$line" "$T/shown" || {
				echo "$name does not show: $line"
				bad=1
			}
		done <"$T/meant"
	done
	return $bad
}

@test "every option of -h is in the page, and no other" {
	for tool in coi-send coi-fetch coi-watch coi-config; do
		said=$("$tool" -h | sed -n '/^  \(-\|    --\)/{s/^ *//;s/  .*//;p}' | sort)
		[ "$(wc -l <<<"$said")" -ge 20 ]
		same "$said" "$(section OPTIONS "$tool.1" |
			sed -n '/^     -/{s/^ *//;s/  .*//;p}' | sort)"
	done
}

@test "every key of the configuration is in coi-config(5), and no other" {
	keys=$(sed -n 's/^ *\[KEY_[A-Z_]*\] = "\(.*\)",$/\1/p' \
		"$ROOT/lib/coi/config.c" | sort)
	[ "$(wc -l <<<"$keys")" -gt 20 ]
	same "$keys" "$(sed -n '/^\.Sh KEYS/,/^\.Sh ENV/s/^\.It Cm //p' \
		"$MAN/coi-config.5" | sed 's/ , /\n/g' | sort)"
}

@test "every key of the JSON is in coi-json(5), and no other" {
	# What is written, and what is read but for the kinds to come.
	keys=$(
		cd "$ROOT" || exit
		grep -ohE 'json_k[a-z0-9]*\(&?j, *"[A-Za-z]+"' lib/kind/message_json.c \
			lib/coi/send_result.c lib/coi/doctor.c cmd/cli_errors.c \
			cmd/dead.c cmd/watch_out.c lib/coi/filter.c |
			sed 's/.*"\(.*\)"/\1/'
		grep -ohE 'put_(addrs|strs)\(&?j, "[A-Za-z]+"' \
			lib/kind/message_json.c | sed 's/.*"\(.*\)"/\1/'
		sed -n '/H_LATER/d; s/^ *{"\([A-Za-z]*\)", H_.*/\1/p' \
			lib/kind/message_in.c
	)
	keys=$(sort -u <<<"$keys")
	[ "$(wc -l <<<"$keys")" -gt 50 ]
	for key in $keys; do
		grep -qE "^\.(It )?Cm (.* , )?$key( |\$)" "$MAN/coi-json.5" || {
			echo "coi-json(5) lacks $key"
			false
		}
	done
	for key in $(sed -n 's/^\.It Cm //p' "$MAN/coi-json.5" | sed 's/ , /\n/g'); do
		grep -qx "$key" <<<"$keys" || {
			echo "coi-json(5) has $key"
			false
		}
	done
}

@test "the exit statuses are in coi(7), their words in coi-json(5)" {
	table=$(sed -n 's/^ *\[COI_[A-Z_]*\] = {\([0-9]*\), "\(.*\)"},$/\1 \2/p' \
		"$ROOT/lib/core/err.c")
	[ "$(wc -l <<<"$table")" -gt 15 ]
	same "$(cut -d' ' -f1 <<<"$table" | sort -nu)" \
		"$(sed -n '/^\.Sh EXIT/,/^\.El/s/^\.It //p' "$MAN/coi.7" | sort -n)"
	same "$(awk '$1 > 0 { print $2, $1 }' <<<"$table")" \
		"$(page coi-json.5 | sed -n '/words, with their status:/,/Warnings/p' |
			tr '\n' ' ' | sed 's/.*status: *//; s/\. *Warnings.*//' |
			sed 's/, */\n/g' | tr -s ' ')"
	for tool in coi-send coi-fetch coi-watch coi-config; do
		for n in $(sed -n '/^\.Sh EXIT/,/^\.El/s/^\.It //p' \
			"$MAN/$tool.1" | tr -d ','); do
			cut -d' ' -f1 <<<"$table" | grep -qx "$n"
		done
	done
}

@test "pages refer to pages that exist" {
	for name in $(cat "$MAN"/*.[1-8] | sed -n \
		's/^\.Xr \(coi[-a-z]*\) \([0-9]\).*/\1.\2/p' | sort -u) \
		$(grep -oE '\((man/)?[A-Za-z.0-9/-]+\)' "$ROOT/README.md" |
			tr -d '()' | grep -E '^(man/|[A-Z]+)'); do
		[ -e "$MAN/$name" ] || [ -e "$ROOT/$name" ] || {
			echo "no $name"
			false
		}
	done
}

@test "schemas are printed, and what is printed is valid" {
	for tool in coi-send coi-fetch coi-watch; do
		for name in message result error event; do
			cmp <("$tool" --json-schema="$name") \
				"$ROOT/share/coi-$name.schema.json"
		done
	done
	cmp <(coi-fetch --json-schema) <(coi-fetch --json-schema=message)
	cmp <(coi-send --json-schema) <(coi-fetch --json-schema=result)
	cmp <(coi-watch --json-schema) <(coi-fetch --json-schema=event)
	run coi-send --json-schema=nonsense
	status_is 64
	valid() { "$ROOT/tests/lib/schema" "$ROOT/share/coi-$1.schema.json"; }
	desk
	as alice coi-fetch --json --headers --full --inline --own -b INBOX | valid message
	as alice coi-fetch --json --all-mail --uid 1:99 -b INBOX | valid message
	as alice coi-send --json -m x bob@two.test nobody@two.test >"$T/r" || true
	as alice coi-send --json -m x nobody@one.test bob@two.test 2>/dev/null >>"$T/r" || true
	echo '{"to":["bob@two.test"],"text":"y"}' | as alice coi-send --json >>"$T/r"
	COI_SMTP_PORT=1 as alice coi-send --json --queue -m x bob@two.test >>"$T/r"
	COI_SMTP_PORT=1 as alice coi-send --json -m x bob@two.test >>"$T/r" 2>"$T/e" || true
	[ "$(jq -r .result "$T/r" | sort | uniq | wc -l)" -ge 4 ]
	valid result <"$T/r"
	echo '{"bogus":1}' | as alice coi-send --json 2>>"$T/e" || true
	as alice coi-fetch --json -f /nonexistent 2>>"$T/e" || true
	as alice coi-send --json 2>>"$T/e" --bogus || true
	COI_PASSWORD_COMMAND='echo no' as alice coi-fetch --json 2>>"$T/e" || true
	[ "$(grep -c '^{' "$T/e")" -ge 4 ]
	grep '^{' "$T/e" | valid error
}

@test "the examples of coi-send(1) work" {
	blocks EXAMPLES coi-send.1 | all_work
}

@test "the examples of coi-fetch(1) work" {
	blocks EXAMPLES coi-fetch.1 | all_work
}

@test "the examples of coi-watch(1) and its -h work" {
	mkdir "$T/bin"
	# They would go on for ever, and begin with what is not there yet.
	cat >"$T/bin/coi-watch" <<'W'
#!/bin/bash
set -- "${@/#1h/2s}"
[[ " $* " == *" --run-for "* ]] || set -- "$@" --run-for 3s
exec "$REAL/coi-watch" --start all "$@"
W
	chmod +x "$T/bin/coi-watch"
	as alice true
	for name in work home; do
		sed "s/^\[account .*/[account $name]/; /^default/d" "$D/config-alice"
	done >>"$T/alice/.config/coi/config"
	set_default() { sed -i '0,/^\[account .*/s//&\ndefault = yes/' "$1"; }
	set_default "$T/alice/.config/coi/config"
	export REAL=$BUILD PATH=$T/bin:$PATH
	{
		blocks EXAMPLES coi-watch.1
		coi-watch -h | sed -n '/^examples:/,/^$/s/^  //p' | sed 's/$/\n%%/'
	} | all_work
}

@test "the examples of coi-json(5) work" {
	{
		blocks EXAMPLES coi-json.5
		blocks DESCRIPTION coi-json.5 | sed 1,2d
	} | all_work
	# The first one of the description is a record.
	record=$(blocks DESCRIPTION coi-json.5 | head -n 1 | here)
	run as alice coi-send -n --json - <<<"$record"
	status_is 0
	contains "$output" 'To: bob@two.test'
}

@test "the examples of -h work" {
	for tool in coi-send coi-fetch; do
		"$tool" -h | sed -n '/^examples:/,/^$/s/^  //p' | sed 's/$/\n%%/'
	done | all_work
}

@test "the five minutes of coi(7) work" {
	blocks 'FIVE MINUTES' coi.7 >"$T/tour"
	# The first block is the configuration: of that server, not of this.
	as alice true
	sed '/^%%/,$d' "$T/tour" >"$T/config"
	contains "$(cat "$T/config")" '[account home]'
	for key in imap-port smtp-port smtp-tls ca-file; do
		grep "^$key = " "$T/alice/.config/coi/config"
	done >>"$T/config"
	here <"$T/config" | sed -e 's/[a-z]*\.example\.org/localhost/' \
		-e 's,pass show mail/alice,echo secret-alice,' \
		>"$T/alice/.config/coi/config"
	sed '1,/^%%/d' "$T/tour" | all_work
}

@test "the bot of coi(7) that answers some messages sends nothing twice" {
	desk
	script=$(blocks 'FIVE MINUTES' coi.7 | here |
		awk 'BEGIN { RS = "%%\n" } /idempotency/')
	contains "$script" --idempotency-key
	# The server goes away behind the first step, so does the last step.
	broken=${script/coi-send/COI_SMTP_PORT=1 coi-send}
	run as alice sh -ec "cd $W && $broken"
	status_is 69
	run as alice sh -ec "cd $W && ${script/coi-fetch --ack/false}"
	[ "$status" -ne 0 ]
	# What came meanwhile waits: the lines and their keys are the same.
	as bob coi-send -m another alice@one.test
	wait_for_mail alice 3
	run as alice sh -ec "cd $W && $script"
	status_is 0
	run as alice sh -ec "cd $W && cat results && $script"
	status_is 0
	[ "$(jq -r .result <<<"$output")" = accepted ]
	[ -z "$(as alice coi-fetch --no-commit --json)" ]
	newest bob pong
	sleep 0.3
	[ "$(mail_count bob)" = 0 ]
	# Nothing is new: cron(8) hears nothing.
	run as alice sh -ec "cd $W && $script"
	status_is 0
	[ -z "$output" ]
}

@test "the example of coi-config(5) is share/examples/config, and is right" {
	same "$(blocks EXAMPLES coi-config.5 | sed '$d')" \
		"$(sed 1d "$ROOT/share/examples/config")"
	cp "$ROOT/share/examples/config" "$T/config"
	run coi-send -c "$T/config" -n -m hello bob@example.org
	status_is 0
	contains "$output" 'From: Alice <alice@example.org>'
	run coi-send -c "$T/config" -a bot -n -m hello --from help@example.com bob@example.org
	status_is 0
	contains "$output" 'From: help@example.com'
}

@test "encrypt = always sends nothing in clear, as coi-config(5) says" {
	as alice true
	set_config alice encrypt always
	run as alice coi-send -m secret bob@two.test
	status_is 81
	run as alice coi-send --json -n <<<'{"to":["bob@two.test"],"text":"x"}'
	status_is 81
	run as alice coi-send --queue-list
	status_is 0
	[ -z "$output" ]
}

@test "the demonstration runs, and the README shows what it prints" {
	# It has a home and servers of its own, and leaves nothing.
	start=$SECONDS
	run "$ROOT/tests/demo"
	status_is 0
	[ $((SECONDS - start)) -lt 20 ]
	shown=$(sed -n '/^```console/,/^```$/{/^```/d;p}' "$ROOT/README.md")
	[ -n "$shown" ]
	while IFS= read -r line; do
		case $line in
		20[0-9][0-9]-*) line=${line#*  } ;; # the time is another one
		esac
		contains "$output" "$line"
	done <<<"$shown"
}

@test "the demonstration fails when something fails" {
	mkdir "$T/bin"
	ln -s "$BUILD/coi-fetch" "$T/bin/coi-fetch"
	printf '#!/bin/sh\ncase $* in *--json*) exit 1;; esac\nexec %s "$@"\n' \
		"$BUILD/coi-send" >"$T/bin/coi-send"
	chmod +x "$T/bin/coi-send"
	BUILD=$T/bin run "$ROOT/tests/demo"
	status_is 1
	contains "$output" 'demo: '
	BUILD=$T/nowhere run "$ROOT/tests/demo"
	status_is 1
}

@test "the README names the account as coi(7) does" {
	same "$(sed -n '/^```ini/,/^```$/{/^```/d;p}' "$ROOT/README.md")" \
		"$(blocks 'FIVE MINUTES' coi.7 | sed '/^%%/,$d')"
}
