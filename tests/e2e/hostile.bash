# For the tests against scripted servers: `load hostile` behind `load helper`.
# No real server is started unless the file asks for one itself.
# shellcheck shell=bash

# setup_file, teardown_file: without servers.
setup_file() { :; }
teardown_file() { :; }

# peer_account [LINE...]: $HOME gets an account of the last peer's port, for
# both protocols; what LINE sets replaces it.
# shellcheck disable=SC2120
peer_account() {
	local dir=$HOME/.config/coi line
	mkdir -p "$dir"
	{
		printf '%s\n' '[account me]' 'address = me@example.org' \
			'user = me' 'password-command = echo secret-me' \
			'imap-host = 127.0.0.1' 'smtp-host = 127.0.0.1' \
			"imap-port = $PEER_PORT" "smtp-port = $PEER_PORT" \
			'imap-tls = off' 'smtp-tls = off' 'sent-folder = none'
	} >"$dir/config"
	for line in "$@"; do
		sed -i "/^${line%%[ =]*} *=/d" "$dir/config"
		printf '%s\n' "$line" >>"$dir/config"
	done
	chmod 600 "$dir/config"
}

# play KIND NAME [PEER ARGUMENT...]: the scripted server KIND/NAME, and an
# account for it.
play() {
	local script=$ROOT/tests/peer/$1/$2.peer
	shift 2
	start_peer "$@" "$script" || return 1
	peer_account
}

# took MS COMMAND...: `run`, which must not take longer than that.
took() {
	local limit=$(($1 * ${TEST_SLOW:-1})) start end
	shift
	start=$(date +%s%N)
	run "$@"
	end=$((($(date +%s%N) - start) / 1000000))
	[ "$end" -le "$limit" ] || {
		printf '%s ms, more than %s:\n%s\n' "$end" "$limit" "$output"
		return 1
	}
}

# no_secret: the peer was told no password, in whatever form.
no_secret() {
	lacks "$(<"$PEER_LOG")" "secret-me"
	lacks "$(<"$PEER_LOG")" "c2VjcmV0LW1l"
	lacks "$(<"$PEER_LOG")" "AG1lAHNlY3JldC1tZQ"
	lacks "$(<"$PEER_LOG")" "AUTH"
	lacks "$(<"$PEER_LOG")" "LOGIN"
}
