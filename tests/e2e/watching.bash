# What the files about coi-watch share; `load watching` behind the helper.
# shellcheck shell=bash

PEERS_DIR=$ROOT/tests/peer/imap
WATCHES=()

# watch USER [OPTION...]: coi-watch in the background: $OUT, $ERR, $WATCH.
watch() {
	local user=$1
	shift
	as "$user" true
	OUT=$T/out.$((${#WATCHES[@]} + 1))
	ERR=$T/err.$((${#WATCHES[@]} + 1))
	: >"$OUT"
	HOME=$T/$user GNUPGHOME=$T/$user/gnupg coi-watch --json --retry 1s "$@" \
		>"$OUT" 2>"$ERR" 3>&- &
	WATCH=$!
	WATCHES+=("$WATCH")
}

# ended: until the last watch has ended by itself; its status is in $status.
ended() {
	within 10 gone "$WATCH" || return 1
	status=0
	wait "$WATCH" || status=$?
	output=$(cat "$OUT" "$ERR")
}

gone() { [ ! -e "/proc/$1/exe" ]; }

# end_watch [SIGNAL]: asks it to end; status and output as after `run`.
end_watch() {
	kill -"${1:-TERM}" "$WATCH"
	ended
}

stop_watches() {
	local p
	for p in "${WATCHES[@]}"; do
		kill "$p" 2>/dev/null && within 6 gone "$p"
		kill -9 "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	WATCHES=()
}

# within SECONDS COMMAND...: until it succeeds.
within() {
	local n=$(($1 * 50 * ${TEST_SLOW:-1}))
	shift
	while ! "$@"; do
		if [ "$((n -= 1))" -le 0 ]; then
			echo "not within its time: $*"
			tail -n 30 "$OUT" "$ERR" 2>/dev/null
			return 1
		fi
		sleep 0.02
	done
}

# not COMMAND...: it fails.
not() {
	if "$@"; then
		echo "it should not: $*"
		return 1
	fi
}

# has FILE TEXT: a line with that text; count FILE TEXT: so many lines.
has() { grep -qF -- "$2" "$1"; }
count() { grep -cF -- "$2" "$1" || true; }

# event NAME [N]: at least N such event lines.
event() { [ "$(count "$OUT" "\"event\":\"$1\"")" -ge "${2:-1}" ]; }
ready() { within 15 event ready "${1:-1}"; }

# valid_event NAME: there are such lines, and they are as the schema says.
valid_event() {
	event "$1" || return 1
	jq -c --arg name "$1" 'select(.event==$name)' "$OUT" |
		"$ROOT/tests/lib/schema" "$ROOT/share/coi-event.schema.json"
}

# manager: a service manager at $T/notify, what it is told in $T/told.
manager() {
	python3 - "$T/notify" >"$T/told" 3>&- <<-'END' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    print(s.recv(4096).decode().replace("\n", " "), flush=True)
	END
	WATCHES+=("$!")
	within 5 test -S "$T/notify"
}

lost() { jq -r 'select(.event=="lost") | "\(.reason) \(.reply // "")"' "$OUT"; }
texts() { jq -r 'select(.kind) | .text' "$OUT" | tr '\n' ' '; }
# printed TEXT...: exactly these messages so far, in this order.
said() { [ "$(texts)" = "$* " ]; }
printed() { within 15 said "$@"; }

# chat USER ID TEXT: a chat message by LMTP.
chat() {
	local s
	s=$(site "$1")_DOMAIN
	printf 'From: Mallory <mallory@elsewhere.test>\r\nTo: %s@%s\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@elsewhere.test>\r\nChat-Version: 1.0\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n%s\r\n' "$1" "${!s}" "$2" "$3" | deliver "$1"
}

# mail USER ID TEXT: ordinary mail.
mail() {
	printf 'From: Dean <dean@elsewhere.test>\r\nTo: %s\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nSubject: hello\r\nMessage-ID: <%s@elsewhere.test>\r\n\r\n%s\r\n' "$1" "$2" "$3" | deliver "$1"
}

# put USER MAILBOX ID TEXT: a chat message by APPEND.
put() {
	local s
	s=$(site "$1")_IMAPS_PORT
	printf 'From: Mallory <mallory@elsewhere.test>\r\nTo: %s\r\nDate: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <chat$%s@elsewhere.test>\r\nChat-Version: 1.0\r\n\r\n%s\r\n' "$1" "$3" "$4" >"$T/put"
	curl -sk --url "imaps://localhost:${!s}/$2" -u "$1:secret-$1" -T "$T/put"
}

# line USER: the user's account goes over a bad line; say COMMAND tells it.
# line USER WORD: without TLS, and the server never says WORD.
line() {
	local s n
	s=$(site "$1")_IMAPS_PORT
	if [ -n "${2:-}" ]; then
		s=$(site "$1")_IMAP_PORT
		set_config "$1" imap-tls off
	fi
	mkfifo "$T/line.in"
	"$ROOT/tests/lib/badline" "${!s}" ${2:+"$2"} <"$T/line.in" >"$T/line.out" 3>&- &
	WATCHES+=("$!")
	exec 7>"$T/line.in"
	within 10 has "$T/line.out" PORT
	n=$(sed -n 's/^PORT //p' "$T/line.out")
	set_config "$1" imap-port "$n"
}
say() {
	local n
	n=$(count "$T/line.out" ok)
	echo "$1" >&7
	within 5 eval "[ \$(count \"$T/line.out\" ok) -gt $n ]"
}

# peer_account [KEY VALUE]...: an account me@example.org at the last peer.
# shellcheck disable=SC2120
peer_account() {
	mkdir -p "$T/me/.config/coi"
	printf '[account me]\naddress = me@example.org\nimap-host = localhost\nimap-port = %s\nimap-tls = off\npassword-command = echo secret\n' "$PEER_PORT" >"$T/me/.config/coi/config"
	while [ $# -gt 0 ]; do
		printf '%s = %s\n' "$1" "$2" >>"$T/me/.config/coi/config"
		shift 2
	done
}
# play SCRIPT [OPTION...]: the scripted server, and a watch of INBOX there.
play() {
	local script=$1
	shift
	start_peer -T 60 "$PEERS_DIR/$script.peer"
	peer_account
	watch me -b INBOX --timeout 5s "$@"
}
peer_got() { grep -q -- "^C: .*$1" "$PEER_LOG"; }

teardown() {
	exec 7>&-
	stop_watches
	teardown_default
}
