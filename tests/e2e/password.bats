#!/usr/bin/env bats
# Password commands and files that do not give one secret line: each has its
# documented status, and nothing that they said is shown.
load helper
load hostile

# gives STATUS WORDS LINE...: with these lines in the account, for both tools.
gives() {
	local status=$1 words=$2 tool
	shift 2
	start_peer "$ROOT/tests/peer/imap/ok.peer"
	peer_account 'password-command =' "$@"
	sed -i '/^password-command = *$/d' "$HOME/.config/coi/config"
	for tool in 'coi-fetch --json' 'coi-send --json -m x bob@two.test'; do
		# shellcheck disable=SC2086
		run $tool
		[ "$(jq -r 'select(.error).status' <<<"$output")" = "$status" ] || {
			echo "$output"
			return 1
		}
		[ "$(jq -r 'select(.error).stage' <<<"$output")" = password ] || return 1
		status_is "$status" || return 1
		contains "$output" "$words" || return 1
		lacks "$output" s3cret || return 1
	done
	# The server was not even asked.
	lacks "$(<"$PEER_LOG")" connection || return 1
	[ -z "$(coi-send --queue-list)" ]
}

@test "a password command that fails is 77, with its words" {
	gives 77 'failed with status 3: the store is locked' \
		"password-command = echo the store is locked >&2; echo s3cret; exit 3"
	gives 77 'ended by signal 9' 'password-command = kill -9 $$'
	gives 78 'status 127' 'password-command = /no/such/command s3cret'
}

@test "two lines, none, a NUL, too much: 78" {
	gives 78 'more than one line' 'password-command = echo s3cret; echo s3cret2'
	gives 78 'gives nothing' 'password-command = true'
	gives 78 'gives nothing' 'password-command = echo'
	gives 78 NUL "password-command = printf 's3cret\\0x'"
	gives 78 '' 'password-command = yes s3cret'
}

@test "a password file that is missing, open to others, or of two lines: 78" {
	gives 78 'cannot open' "password-file = $T/none"
	echo s3cret >"$T/pass"
	chmod 644 "$T/pass"
	gives 78 'others can read' "password-file = $T/pass"
	chmod 600 "$T/pass"
	echo s3cret >>"$T/pass"
	gives 78 'more than one line' "password-file = $T/pass"
	mkfifo -m 600 "$T/fifo"
	gives 78 'no regular file' "password-file = $T/fifo"
}

@test "no password at all: 78 and how to give one" {
	gives 78 'add password-command'
}

@test "a password command that hangs: SIGTERM ends it within 5 s, with all it started" {
	play imap ok
	peer_account 'password-command = sleep 60 | cat'
	coi-fetch --json >"$T/out" 2>"$T/err" &
	pid=$!
	sleep 0.5
	start=$SECONDS
	kill -TERM $pid
	wait $pid
	[ $((SECONDS - start)) -le 5 ]
	[ ! -s "$T/out" ]
	# That nothing is left behind is what every test ends with.
}

@test "a password command that hangs is given up after half a minute: 77" {
	play imap ok
	peer_account 'password-command = sleep 300'
	took 33000 coi-fetch --json
	status_is 77
	contains "$output" password-command
	lacks "$(<"$PEER_LOG")" connection
}

@test "its standard input is empty and it sees no file of ours" {
	play imap ok
	peer_account 'password-command = cat; ls /proc/self/fd >$T/fds; echo secret-me'
	echo from-our-stdin | coi-send --json bob@two.test >"$T/out" 2>&1 || true
	lacks "$(<"$PEER_LOG")" from-our-stdin
	# 0, 1, 2 and the one that ls reads the folder through.
	[ "$(wc -l <"$T/fds")" = 4 ]
}
