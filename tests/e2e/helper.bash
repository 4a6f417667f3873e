# For bats files: `load helper` gives each file two mail servers (one.test,
# two.test; see tests/servers/up) and each test a folder $T with a home for
# each user.  A file that needs more defines setup_file, setup, teardown or
# teardown_file itself and calls the *_default function of that name.  One that
# needs other servers says which before it loads this: SERVERS="coi plain".
# shellcheck shell=bash

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac

setup_file_default() {
	# shellcheck disable=SC2086
	D=$("$ROOT/tests/servers/up" --for $$ ${SERVERS:-}) || return 1
	export D
	set -a
	# shellcheck disable=SC1091
	. "$D/env"
	set +a
}

teardown_file_default() {
	[ -z "${D:-}" ] || "$ROOT/tests/servers/down" "$D"
}

setup_default() {
	T=$(mktemp -d /tmp/coi-t.XXXXXX)
	# Marks every program that the test starts; teardown looks for it.
	export T COI_TEST_MARK="$T"
	export HOME=$T/home GNUPGHOME=$T/home/gnupg
	mkdir -m 700 "$HOME" "$GNUPGHOME"
	unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME XDG_CACHE_HOME
	unset NO_COLOR COI_CONFIG COI_ACCOUNT
	export LC_ALL=C.UTF-8 TZ=UTC
	PATH=$BUILD:/usr/local/bin:/usr/bin:/bin
	[ -z "${D:-}" ] || fresh_homes
}

teardown_default() {
	local left
	stop_peers
	if ! left=$(processes_left); then
		echo "processes left behind:"
		echo "$left"
		rm -rf "$T"
		return 1
	fi
	rm -rf "$T"
}

# fresh_homes: every mailbox as on the first day.
fresh_homes() {
	local site
	for site in "$D"/*/mail; do
		rm -rf "${site:?}"/*
		cp -a "${site%mail}skel/." "$site"
	done
}

setup_file() { setup_file_default; }
teardown_file() { teardown_file_default; }
setup() { setup_default; }
teardown() { teardown_default; }

# processes_left: prints what the test started and did not end; false if any.
# They have two seconds to finish.
processes_left() {
	local n p list
	for n in {1..40}; do
		list=
		for p in $(grep -lzx "COI_TEST_MARK=$T" /proc/[0-9]*/environ \
			2>/dev/null); do
			p=${p#/proc/}
			p=${p%/environ}
			[ -e "/proc/$p/exe" ] || continue
			list+="$p $(tr '\0' ' ' <"/proc/$p/cmdline" 2>/dev/null)"$'\n'
		done
		[ -n "$list" ] || return 0
		[ "$n" -lt 40 ] && sleep 0.05
	done
	printf '%s' "$list"
	for p in $(cut -d' ' -f1 <<<"$list"); do
		kill -9 "$p" 2>/dev/null
	done
	return 1
}

# as USER COMMAND...: with a home whose configuration is that user's account.
as() {
	local user=$1 home=$T/$1
	shift
	if [ ! -d "$home" ]; then
		mkdir -m 700 "$home" "$home/gnupg" "$home/.config"
		mkdir -m 700 "$home/.config/coi"
		if [ -n "${D:-}" ]; then
			cp "$D/config-$user" "$home/.config/coi/config"
			chmod 600 "$home/.config/coi/config"
		fi
	fi
	HOME=$home GNUPGHOME=$home/gnupg "$@"
}

# set_config USER KEY VALUE: changes or adds a line of the user's account.
set_config() {
	as "$1" true
	local file=$T/$1/.config/coi/config
	grep -v "^$2 *=" "$file" >"$file.new" || true
	printf '%s = %s\n' "$2" "$3" >>"$file.new"
	mv "$file.new" "$file"
}

# site USER: ONE, TWO, COITEST ..., the server where the user lives.
site() {
	local v=SITE_$1
	echo "${!v}"
}

# maildir USER [MAILBOX]: the folder on disk; MAILBOX with / as separator.
maildir() {
	local s dir
	s=$(site "$1")_DIR
	dir=${!s}/mail/$1/Maildir
	[ "${2:-INBOX}" = INBOX ] || dir+=/.${2//\//.}
	echo "$dir"
}

# mail_files USER [MAILBOX]: one path a line, oldest first.
mail_files() {
	local dir
	dir=$(maildir "$@")
	find "$dir/new" "$dir/cur" -type f -printf '%f\t%p\n' 2>/dev/null |
		sort -V | cut -f2
}

mail_count() { mail_files "$@" | wc -l; }

# inbox USER [MAILBOX]: the raw messages, one after the other.
inbox() {
	local f
	mail_files "$@" | while IFS= read -r f; do cat "$f"; done
}

# wait_for_mail USER N [MAILBOX]: until at least N are there; 10 seconds.
wait_for_mail() {
	local user=$1 want=$2 have=0 until=$((SECONDS + 10))
	shift 2
	while have=$(mail_count "$user" "$@"); [ "$have" -lt "$want" ]; do
		if [ "$SECONDS" -ge "$until" ]; then
			echo "$user has $have messages, not $want; Exim says:"
			tail -n 20 "$D"/*/exim-mainlog
			return 1
		fi
		sleep 0.02
	done
}

# deliver USER [FILE...]: by LMTP, as an MTA does; stdin without FILE.
deliver() {
	local user=$1 s
	s=$(site "$1")
	shift
	local port=${s}_LMTP_PORT domain=${s}_DOMAIN
	"$ROOT/tests/lib/lmtp" "${!port}" "$user@${!domain}" "$@"
}

# imap USER COMMAND...: raw commands, one after the other; prints the answers.
# Fails when one got NO or BAD.
imap() {
	local user=$1 s
	s=$(site "$1")_IMAPS_PORT
	shift
	"$ROOT/tests/lib/imap" "${!s}" "$user" "secret-$user" "$@"
}

# coi_set USER NAME VALUE...: what a COI server has been told: enabled yes,
# message-filter active.
coi_set() {
	local user=$1 list=
	shift
	while [ $# -gt 0 ]; do
		list+=" /private/vendor/vendor.dovecot/coi/config/$1 \"$2\""
		shift 2
	done
	imap "$user" "SETMETADATA \"\" (${list# })" >/dev/null
}

# start_peer SCRIPT [ARGUMENT...]: a scripted server; sets PEER_PORT, PEER_PID
# and PEER_LOG (what it printed).  It ends with the test.
start_peer() {
	local n
	PEER_LOG=$T/peer.$((${#PEERS[@]} + 1))
	: >"$PEER_LOG" # the background shell may be slow to make it
	"$BUILD/peer" "$@" >>"$PEER_LOG" 2>&1 3>&- &
	PEER_PID=$!
	PEERS+=("$PEER_PID")
	for n in {1..500}; do
		PEER_PORT=$(sed -n 's/^PORT \([0-9]*\)$/\1/p' "$PEER_LOG")
		[ -z "$PEER_PORT" ] || return 0
		kill -0 "$PEER_PID" 2>/dev/null || break
		sleep 0.01
	done
	echo "the peer did not start:"
	cat "$PEER_LOG"
	return 1
}

# wait_peer: until the last peer has played its script; its status.
wait_peer() {
	wait "$PEER_PID" || {
		cat "$PEER_LOG"
		return 1
	}
}

PEERS=()
stop_peers() {
	local p
	for p in "${PEERS[@]}"; do
		kill "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	PEERS=()
}

# contains TEXT PART, lacks TEXT PART: say what there was when it fails.
contains() {
	[[ $1 == *"$2"* ]] || {
		printf 'no "%s" in:\n%s\n' "$2" "$1"
		return 1
	}
}

lacks() {
	[[ $1 != *"$2"* ]] || {
		printf '"%s" is in:\n%s\n' "$2" "$1"
		return 1
	}
}

# status_is N: after `run`.
status_is() {
	# shellcheck disable=SC2154
	[ "$status" -eq "$1" ] || {
		printf 'exit status %s, not %s:\n%s\n' "$status" "$1" "$output"
		return 1
	}
}

# in_box USER [MAILBOX]: the texts there that are not marked \Deleted, sorted.
in_box() {
	local f
	mail_files "$@" | while IFS= read -r f; do
		[[ $f == *:2,*T* ]] || tail -n 1 "$f" | tr -d '\r'
	done | sort | tr '\n' ' '
}
# holds USER MAILBOX TEXTS: exactly these, as in_box prints them.
holds() { [ "$(in_box "$1" "$2")" = "$3" ]; }
