#!/usr/bin/env bats
# coi-config: status, enable, disable, filter, folders, doctor, show.
SERVERS="one coi dot"
load helper

CFG=/private/vendor/vendor.dovecot/coi/config

# peer_account [LINE...]: $HOME gets an account of the last peer's port.
peer_account() {
	local dir=$HOME/.config/coi
	mkdir -p "$dir"
	printf '%s\n' '[account me]' 'address = me@example.org' 'user = me' \
		'password-command = echo secret-me' 'imap-host = 127.0.0.1' \
		"imap-port = $PEER_PORT" 'imap-tls = off' \
		'sent-folder = none' "$@" >"$dir/config"
	chmod 600 "$dir/config"
}

# play NAME [PEER ARGUMENT...]: the scripted IMAP server, an account for it.
play() {
	local script=$ROOT/tests/peer/imap/$1.peer
	shift
	start_peer "$@" "$script"
	peer_account
}

# quietly COMMAND...: `run`, standard error to $T/stderr.
quietly() {
	status=0
	output=$("$@" 2>"$T/stderr") || status=$?
	errors=$(<"$T/stderr")
}

# said: what the peer was told, a command a line, without tags.
said() { sed -n 's/^C: a[0-9]* //p' "$PEER_LOG"; }

# harmless: nothing was renamed, deleted or set to NIL that must not be.
harmless() {
	lacks "$(<"$PEER_LOG")" RENAME
	lacks "$(<"$PEER_LOG")" ' DELETE'
	lacks "$(<"$PEER_LOG")" 'message-filter" NIL'
}

get() { jq -r "$1" <<<"$output"; }

# --- a scripted server -------------------------------------------------------

@test "enable: SRV-017, 023, 087, 114, 145, CLI-015, 335: one quoted entry, read back by a new session, nothing made twice" {
	play coi-enable
	quietly coi-config enable --json
	status_is 0
	[ "$(get .enabled)" = true ]
	[ "$(get .changed)" = true ]
	[ "$(get '.folders[0].name')" = INBOX.Chat.Chats ]
	[ "$(get '.folders[1].exists')" = true ]
	[ "$(grep -c ^connection "$PEER_LOG")" = 2 ]
	[ "$(said | grep SETMETADATA)" = "SETMETADATA \"\" (\"$CFG/enabled\" \"yes\")" ]
	# The options of GETMETADATA stand in front.
	[ "$(said | grep -c "^GETMETADATA (DEPTH 1) \"\" (\"$CFG\")")" = 2 ]
	lacks "$(said)" CREATE
	lacks "$(said)" 'SUBSCRIBE "'
	harmless
	wait_peer
}

@test "enable: CLI-331, 332, 333: folders that the server did not make are made, Chats subscribed" {
	play coi-enable-lazy
	quietly coi-config enable
	status_is 0
	[ "$output" = $'INBOX.Chat.Chats: made and subscribed\nINBOX.Chat.Contacts: made' ]
	wait_peer # CREATE, SUBSCRIBE, CREATE and nothing else
	harmless
}

@test "enable, filter: what is so already is not written again" {
	play coi-stale -r
	for words in enable 'filter active'; do
		# shellcheck disable=SC2086
		quietly coi-config $words --json
		status_is 0
		[ "$(get .changed)" = false ]
		[ -z "$errors" ]
	done
	lacks "$(said)" SETMETADATA
}

@test "filter: SRV-131, CLI-322: none, active and seen are quoted words, never NIL" {
	for mode in none active seen; do
		play coi-filter -D "mode=$mode"
		quietly coi-config filter "$mode" --json
		status_is 0
		[ "$(get .filter)" = "$mode" ]
		[ "$(get .changed)" = true ]
		[ "$(said | grep SETMETADATA)" = "SETMETADATA \"\" (\"$CFG/message-filter\" \"$mode\")" ]
		contains "$errors" 'up to an hour'
		lacks "$(said)" CREATE
		harmless
		wait_peer
	done
	quietly coi-config -q filter seen -n
	status_is 0
	[ "$output" = "SETMETADATA \"\" (\"$CFG/message-filter\" \"seen\")" ]
	quietly coi-config filter seen -n --json
	status_is 0
	[ "$(jq -c . <<<"$output")" = "{\"entry\":\"$CFG/message-filter\",\"value\":\"seen\"}" ]
	quietly coi-config disable -n --json
	[ "$(get .value)" = null ]
}

@test "filter: other words are refused before anything is sent" {
	play coi-stale
	for word in inactive ACTIVE '' NIL; do
		quietly coi-config filter "$word"
		status_is 64
		contains "$errors" 'none, active or seen'
	done
	quietly coi-config filter
	status_is 64
	[ -z "$(said)" ]
}

@test "SRV-026, 029: after NO the server is asked again and the truth is told" {
	for words in enable disable 'filter none'; do
		play coi-refused
		# shellcheck disable=SC2086
		quietly coi-config $words --json
		case $words in
		disable) # is off already: nothing to say
			status_is 0
			lacks "$(said)" SETMETADATA
			;;
		*)
			status_is 69
			# Half of it happened.
			contains "$errors" 'the server has now: enabled = yes, filter = not set'
			contains "$errors" 'does not take this value'
			contains "$errors" 'Invalid [31m value'
			[ "$(grep '^{' "$T/stderr" | jq -r '.status, .stage')" = $'69\nmetadata' ]
			[ "$(said | grep -c SETMETADATA)" = 1 ]
			;;
		esac
		harmless
	done
}

@test "a server that says OK and keeps nothing is not believed" {
	play coi-liar
	quietly coi-config enable
	status_is 69
	contains "$errors" 'the server said OK, but enabled is not set now'
	contains "$errors" 'enabled = no'
}

@test "SRV-131: a server that dies of the command: said, with what it has afterwards" {
	play coi-crash
	quietly coi-config filter active
	status_is 69
	contains "$errors" 'filter = seen'
	wait_peer
}

@test "SRV-087: no folders inside folders: unsupported, and nothing is written" {
	play coi-flat -r
	for words in enable 'filter active' folders; do
		# shellcheck disable=SC2086
		quietly coi-config $words
		status_is 69
		contains "$errors" 'no folders inside folders'
	done
	lacks "$(said)" SETMETADATA
	lacks "$(said)" CREATE
	quietly coi-config status --json
	status_is 0
	[ "$(get .separator)" = null ]
	[ "$(get '.folders | map(.role) | join(",")')" = blocked ]
	quietly coi-config status
	contains "$output" 'none inside others'
}

@test "SRV-082: mailbox-root is UTF-8, the names on the wire modified UTF-7" {
	play coi-utf8
	quietly coi-config folders --json
	status_is 0
	[ "$(get .root)" = 'Unterhaltung-ä' ]
	[ "$(get '.folders[0].name')" = 'Unterhaltung-ä/Chats' ]
	[ "$(get '.folders[0].made')" = true ]
	wait_peer
	harmless
}

@test "folders: where making Chats would enable COI, it is not made" {
	play coi-disabled -r
	quietly coi-config folders
	status_is 78
	contains "$errors" 'would enable'
	contains "$errors" 'coi-config enable'
	lacks "$(said)" CREATE
	# Neither does a filter make it.
	quietly coi-config filter none -n
	status_is 0
}

@test "folders: what was made before a refusal is told" {
	sed 's/^on \* CREATE .*/on * CREATE * => $tag NO [NOPERM] not here\non * CREATE "COI\/Chats" => $tag OK done\non * SUBSCRIBE * => $tag OK done/' \
		"$ROOT/tests/peer/imap/folders-noperm.peer" >"$T/v.peer"
	cp "$ROOT"/tests/peer/imap/*.inc "$T"
	start_peer "$T/v.peer"
	peer_account
	quietly coi-config folders
	status_is 77
	[ "$output" = 'COI/Chats: made and subscribed' ]
	contains "$errors" 'mailbox "COI/Contacts"'
}

@test "folders: a refusal names the folder and the reason" {
	play folders-noperm
	quietly coi-config folders
	status_is 77
	contains "$errors" 'mailbox "COI/Chats"'
	contains "$errors" 'NOPERM'
	contains "$errors" 'may not make folders'
}

@test "COI counts when it is listed after the login, not before" {
	play coi-before -r
	quietly coi-config status --json
	status_is 0
	[ "$(get .coi)" = false ]
	[ "$(get .enabled)" = null ]
	quietly coi-config enable
	status_is 69
	lacks "$(said)" METADATA
}

@test "status: SRV-020, 024, 084: settings in several answers; what is odd does not reach the terminal" {
	play coi-odd -r
	quietly coi-config status --json
	status_is 0
	[ "$(get .enabled)" = true ]
	[ "$(jq -c .filter <<<"$output")" = '"a\u001b\n\r\n"' ]
	[ "$(jq -c .otherKeys <<<"$output")" = '["x-new"]' ]
	quietly coi-config status
	status_is 0
	contains "$output" 'other key:  x-new'
	lacks "$output" $'\e'
	[ "$(grep -c . <<<"$output")" = 7 ]
	quietly coi-config doctor
	contains "$output" 'coi-config filter none'
	play coi-disabled
	quietly coi-config status --json
	[ "$(jq -c '[.enabled, .filter, .otherKeys]' <<<"$output")" = '[false,null,null]' ]
}

@test "SRV-085: only \"yes\" is enabled" {
	for value in '"YES"' '"true"' '""' '"yes "' NIL; do
		sed "s/^def enabled .*/def enabled $value/" \
			"$ROOT/tests/peer/imap/coi-stale.peer" >"$T/v.peer"
		cp "$ROOT"/tests/peer/imap/*.inc "$T"
		start_peer "$T/v.peer"
		peer_account
		quietly coi-config status --json
		status_is 0
		[ "$(get .enabled)" = false ]
	done
}

# --- real servers ------------------------------------------------------------

@test "on a COI server: enable, filter, disable, as another client sees it" {
	quietly as grace coi-config enable
	status_is 0
	contains "$output" 'COI/Chats: made and subscribed'
	contains "$output" 'COI/Contacts: made'
	[ -z "$errors" ]
	contains "$(imap grace "GETMETADATA \"\" ($CFG/enabled)")" 'yes'
	contains "$(imap grace 'LSUB "" "*"')" 'COI/Chats'
	contains "$(imap grace 'LIST "" "*"')" 'COI/Contacts'
	quietly as grace coi-config filter active
	status_is 0
	contains "$errors" 'up to an hour'
	printf 'From: bob@two.test\nChat-Version: 1.0\n\nhi\n' | deliver grace
	[ "$(mail_count grace COI/Chats)" = 1 ]
	quietly as grace coi-config status
	status_is 0
	contains "$output" $'enabled:    yes\nfilter:     active'
	quietly as grace coi-config disable
	status_is 0
	contains "$errors" 'up to an hour'
	contains "$(imap grace "GETMETADATA \"\" ($CFG/enabled)")" 'NIL'
	# Folders and their mail stay; the filter's word as well.
	[ "$(mail_count grace COI/Chats)" = 1 ]
	quietly as grace coi-config filter seen
	status_is 0
	contains "$errors" 'COI is disabled on this server'
	quietly as grace coi-config status --json
	[ "$(jq -c '[.coi, .enabled, .filter, .root, .separator]' <<<"$output")" = \
		'[true,false,"seen","COI","/"]' ]
}

@test "SRV-146: mail that is there when the filter changes stays, and that is said" {
	as grace coi-config enable
	printf 'From: bob@two.test\nChat-Version: 1.0\n\nhi\n' | deliver grace
	quietly as grace coi-config filter active
	status_is 0
	contains "$errors" 'stays where it is'
	[ "$(mail_count grace)" = 1 ]
	[ "$(mail_count grace COI/Chats)" = 0 ]
}

@test "folders: SRV-213, CLI-331..334, 336: made on any server, with its separator, once" {
	quietly as judy coi-config folders
	status_is 0
	[ "$output" = $'INBOX.COI.Chats: made and subscribed\nINBOX.COI.Contacts: made\nINBOX.Blocked: made' ]
	contains "$(imap judy 'LSUB "" "*"')" INBOX.COI.Chats
	list=$(imap judy 'LIST "" "*"')
	contains "$list" INBOX.COI.Contacts
	contains "$list" INBOX.Blocked
	quietly as judy coi-config folders
	status_is 0
	[ -z "$output" ] && [ -z "$errors" ]
	# What is there is taken as it is, and only subscribed.
	imap alice 'CREATE COI/Chats' >/dev/null
	quietly as alice coi-config folders --json
	status_is 0
	[ "$(jq -c '.folders[0] | [.made, .nowSubscribed]' <<<"$output")" = '[null,true]' ]
	[ "$(get .changed)" = true ]
}

@test "without COI: enable, disable and filter end with 69 and say what to do" {
	for words in enable disable 'filter active' 'filter none'; do
		# shellcheck disable=SC2086
		quietly as alice coi-config $words
		status_is 69
		contains "$errors" 'does not speak COI'
		contains "$errors" 'coi-watch --filter'
		contains "$errors" 'coi-config sieve'
		contains "$errors" 'localhost:'
	done
	quietly as alice coi-config status
	status_is 0
	contains "$output" 'coi:        not offered'
}

# --- doctor ------------------------------------------------------------------

# steps [RESULT]: names of the steps with that result.
steps() { jq -r --arg r "${1:-ok}" 'select(.result == $r) | .check' <<<"$output"; }

@test "doctor: all is well" {
	as alice coi-config folders
	quietly as alice coi-config doctor --json
	status_is 0
	[ -z "$(steps fail)$(steps warn)$(steps skip)" ]
	[ "$(steps | tr '\n' ' ')" = "config state secret imap-resolve imap-connect imap-tls imap-login imap-offers folders coi sent smtp-resolve smtp-connect smtp-tls smtp-login smtp-offers clock " ]
	for words in 'TLSv1.' 'coi test CA' 'SCRAM-SHA-256' 'IDLE NOTIFY' \
		'COI/Chats' 'PIPELINING CHUNKING' 'octets a message' \
		'as the SMTP server says' "good for 29 days"; do
		contains "$output" "$words"
	done
	lacks "$output" secret-alice
	quietly as alice coi-config doctor
	status_is 0
	[ "$(grep -c '^ok' <<<"$output")" = 17 ]
	quietly as alice coi-config doctor -q
	[ -z "$output" ]
	# It looks, and leaves nothing.
	[ ! -e "$T/alice/.local" ]
	[ "$(mail_count alice)$(mail_count alice COI/Chats)" = 00 ]
}

@test "doctor: writes nothing and selects nothing" {
	quietly as alice coi-config doctor --trace="$T/trace"
	status_is 0
	contains "$(<"$T/trace")" ' LIST '
	contains "$(<"$T/trace")" 'EHLO '
	for word in SELECT EXAMINE APPEND CREATE SUBSCRIBE STORE SETMETADATA MAIL; do
		lacks "$(<"$T/trace")" " $word "
	done
}

@test "doctor: a wrong password: 77, what came before is ok, SMTP is tried too" {
	set_config alice password-command 'echo nope'
	quietly as alice coi-config doctor --json
	status_is 77
	[ "$(steps fail | tr '\n' ' ')" = 'imap-login smtp-login ' ]
	contains "$(jq -r 'select(.check == "imap-tls") | .text' <<<"$output")" TLSv1.
	contains "$(steps)" smtp-tls
	[ "$(jq -r 'select(.check == "imap-login") | .status, .error' <<<"$output")" = $'77\npermission' ]
	contains "$(jq -r 'select(.check == "imap-login") | .fix' <<<"$output")" 'check user and password'
	quietly as alice coi-config doctor
	contains "$output" 'FAIL  imap-login'
	contains "$output" ' > check user and password'
}

@test "doctor: no password at all: names, lines and TLS are tried all the same" {
	set_config alice password-command 'false'
	quietly as alice coi-config doctor --json
	[ "$(steps fail)" = secret ]
	status_is "$(jq -r 'select(.result == "fail") | .status' <<<"$output")"
	[ "$(steps skip | tr '\n' ' ')" = 'imap-login smtp-tls smtp-login ' ]
	contains "$(steps)" imap-tls
}

@test "doctor: a certificate of another authority: 82, says issuer and pin" {
	"$ROOT/tests/lib/mkca" "$T/ca"
	set_config alice ca-file "$T/ca/ca.pem"
	quietly as alice coi-config doctor --json
	status_is 82
	[ "$(steps fail | tr '\n' ' ')" = 'imap-tls smtp-tls ' ]
	contains "$(steps)" imap-connect
	contains "$output" 'coi test CA'
	pin=$(jq -r 'select(.check == "imap-tls") | .fix' <<<"$output" | grep -oE 'pin = .*')
	# The pin it names works, and that is said.
	set_config alice pin "${pin#pin = }"
	quietly as alice coi-config doctor --json
	status_is 0
	contains "$(jq -r 'select(.check == "imap-tls") | .text' <<<"$output")" "the pinned key ${pin#pin = }"
}

@test "doctor: a pinned certificate that has expired is told" {
	"$ROOT/tests/lib/mkca" "$T/ca"
	start_peer -r -t "$T/ca/expired.pem" "$T/ca/expired.key" \
		"$ROOT/tests/peer/imap/tls.peer"
	peer_account "pin = $(openssl x509 -in "$T/ca/expired.pem" -pubkey -noout |
		openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)"
	sed -i 's/^imap-tls.*/imap-tls = implicit/' "$HOME/.config/coi/config"
	quietly coi-config doctor --json
	status_is 0
	contains "$(steps warn)" imap-tls
	contains "$output" 'the certificate expired'
	contains "$output" 'new certificate'
}

@test "doctor: a closed port: 69; no such host: 69 or, without an answer, 75" {
	set_config alice imap-port 1
	quietly as alice coi-config doctor --json
	status_is 69
	[ "$(steps fail)" = imap-connect ]
	contains "$(steps)" imap-resolve
	contains "$(steps)" smtp-login
	set_config alice imap-host nowhere.invalid
	quietly as alice coi-config doctor --json --timeout 3s
	[ "$status" = 69 ] || [ "$status" = 75 ]
	[ "$(steps fail)" = imap-resolve ]
	contains "$(steps)" smtp-login
}

@test "doctor: no STARTTLS, no TLS, a BYE: the step that failed is named" {
	start_peer -r "$ROOT/tests/peer/imap/starttls-stripped.peer"
	peer_account
	sed -i 's/^imap-tls.*/imap-tls = starttls/' "$HOME/.config/coi/config"
	quietly coi-config doctor --json --timeout 2s
	status_is 82
	[ "$(steps fail)" = imap-tls ]
	contains "$(steps)" imap-connect
	start_peer -r "$ROOT/tests/peer/imap/bye-greeting.peer"
	peer_account
	quietly coi-config doctor --json --timeout 2s
	status_is 75
	[ "$(steps fail)" = imap-greeting ]
	[ "$(steps skip)" = smtp ]
	contains "$output" overloaded
}

@test "doctor: starttls where the server speaks TLS from the start: the fix says so" {
	set_config alice imap-tls starttls
	set_config alice smtp-port "$ONE_SMTPS_PORT"
	quietly as alice coi-config doctor --json --timeout 1s
	status_is 75
	[ "$(steps fail | xargs)" = 'imap-greeting smtp-greeting' ]
	contains "$(get 'select(.check == "imap-greeting") | .fix')" 'imap-tls = implicit'
	contains "$(get 'select(.check == "smtp-greeting") | .fix')" 'smtp-tls = implicit'
}

@test "doctor: a file of certificates that is not there, or no such file" {
	set_config alice client-cert "$T/none.pem"
	quietly as alice coi-config doctor --json
	status_is 78
	contains "$(get 'select(.result == "fail") | .text')" 'none.pem" cannot be used: No such file'
	set_config alice ca-file "$T/nope.pem"
	quietly as alice coi-config doctor --json
	status_is 78
	contains "$(get 'select(.check == "imap-tls") | .text')" 'No such file'
	echo hello >"$T/nope.pem"
	quietly as alice coi-config doctor --json
	status_is 78
	contains "$(get 'select(.check == "imap-tls") | .text')" 'no certificate'
}

@test "doctor: a server without IDLE, a Sent mailbox that is not there, no COI/Chats: told, with the fix" {
	play ok -r
	sed -i 's/^sent-folder.*/sent-folder = Outbox/' "$HOME/.config/coi/config"
	quietly coi-config doctor --json
	status_is 78
	[ "$(steps fail)" = sent ]
	contains "$(steps warn)" folders
	contains "$(jq -r 'select(.check == "folders") | .fix' <<<"$output")" 'coi-config folders'
	contains "$(jq -r 'select(.check == "sent") | .fix' <<<"$output")" sent-folder
	play coi-before -r
	quietly coi-config doctor --json
	contains "$(jq -r 'select(.check == "imap-offers") | .fix' <<<"$output")" 'news come late'
}

@test "doctor: configuration, state and clock" {
	as alice true
	echo 'bogus = 1' >>"$T/alice/.config/coi/config"
	quietly as alice coi-config doctor --json
	status_is 78
	[ "$(jq -r .check <<<"$output")" = config ]
	contains "$output" 'unknown key'
	set_config alice bogus 1
	sed -i '/^bogus/d' "$T/alice/.config/coi/config"
	echo x >"$T/file"
	quietly as alice coi-config doctor --json --state-dir "$T/file/state"
	[ "$(steps fail)" = state ]
	# One name, seen from here or from /, is as good as another.
	cd "$T"
	quietly as alice coi-config doctor --json --state-dir fresh
	contains "$(steps ok)" state
	cd "$OLDPWD"
	mkdir "$T/state"
	echo nonsense that is no database, long enough to be looked at >"$T/state/alice.db"
	quietly as alice coi-config doctor --json --state-dir "$T/state"
	[ "$(steps fail)" = state ]
	COI_TEST_SEED=1@1000000000 quietly as alice coi-config doctor --json
	contains "$(steps warn)" clock
	contains "$output" 2001-09-09
	COI_TEST_SEED=1@$(($(date +%s) + 4000)) quietly as alice coi-config doctor --json
	contains "$(jq -r 'select(.check == "clock") | .text' <<<"$output")" 'ahead of the SMTP server'
}

@test "doctor: a signal ends it at once" {
	start_peer "$ROOT/tests/peer/imap/silent-login.peer"
	peer_account
	timeout -s INT 1 coi-config doctor >"$T/out" 2>"$T/err" || true
	lacks "$(<"$T/out")" smtp
	lacks "$(<"$T/out")" FAIL
}

# --- show --------------------------------------------------------------------

@test "show --origin: file and line, environment, option, default" {
	as alice true
	config=$T/alice/.config/coi/config
	line=$(grep -n '^imap-port' "$config" | cut -d: -f1)
	COI_SMTP_PORT=2525 quietly as alice coi-config show --origin --timeout 5s
	status_is 0
	contains "$output" "file:$config:$line"$'\timap-port = '
	contains "$output" $'environment:COI_SMTP_PORT\tsmtp-port = 2525'
	contains "$output" $'option:--timeout\ttimeout = 5s'
	contains "$output" $'default\tsent-folder = auto'
	contains "$output" $'default\tsmtp-user = alice@one.test'
	COI_SMTP_PORT=2525 quietly as alice coi-config show --origin --json --timeout 5s
	status_is 0
	one() { jq -c "select(.key == \"$1\") | [.value, .origin, .file // .name, .line]" <<<"$output"; }
	[ "$(one imap-port | jq -c .[1:])" = "[\"file\",\"$config\",$line]" ]
	[ "$(one smtp-port)" = '["2525","environment","COI_SMTP_PORT",null]' ]
	[ "$(one timeout)" = '["5s","option","--timeout",null]' ]
	[ "$(one max-size)" = '["none","default",null,null]' ]
	[ "$(one pin)" = '[null,"default",null,null]' ]
	# Every key, each once.
	[ "$(jq -r .key <<<"$output" | sort)" = "$(sed -n \
		's/^ *\[KEY_[A-Z_]*\] = "\(.*\)",$/\1/p' "$ROOT/lib/coi/config.c" | sort)" ]
}

@test "show: secrets are not shown, only that there are some" {
	for options in '' --origin --json '--origin --json'; do
		# shellcheck disable=SC2086
		quietly as alice coi-config show $options
		status_is 0
		lacks "$output" secret-alice
		lacks "$output" 'echo secret'
		contains "$output" password-command
	done
	[ "$(jq -c 'select(.hidden) | [.key, .value]' <<<"$output")" = '["password-command",null]' ]
	mkdir -m 700 "$T/cred"
	echo secret-alice >"$T/cred/coi-alice.password"
	set_config alice password-command '""'
	CREDENTIALS_DIRECTORY=$T/cred quietly as alice coi-config show --origin
	contains "$output" "credential:$T/cred/coi-alice.password"
	lacks "$output" secret-alice
}

@test "show: no account, or none chosen, is said; one that is not complete is shown" {
	quietly coi-config show
	status_is 78
	contains "$errors" 'no account is configured'
	mkdir -p "$HOME/.config/coi"
	printf '[account a]\naddress = a@example.org\n[account b]\naddress = b@example.org\n' \
		>"$HOME/.config/coi/config"
	quietly coi-config show
	status_is 78
	contains "$errors" 'choose with -a'
	COI_NAME=$' \e[31mred' quietly coi-config show -a b --origin
	status_is 0
	contains "$output" $'environment:COI_NAME\tname = "  [31mred"'
	contains "$output" 'address = b@example.org'
}

@test "show: what it prints is a configuration" {
	set_config alice name '"  Alice \"A\" \\ B "'
	set_config alice smtp-user '""'
	as alice coi-config show >"$T/config"
	[ "$(grep -v '^#' "$T/config" | head -n 1)" = '[account alice]' ]
	quietly coi-config show -c "$T/config"
	status_is 0
	[ "$output" = "$(grep -v '^#' "$T/config")" ]
	contains "$output" 'name = "  Alice \"A\" \\ B "'
	contains "$output" 'smtp-user = ""'
}

# --- usage -------------------------------------------------------------------

@test "usage: a missing or misspelt subcommand, options and operands that are not its own" {
	quietly coi-config
	status_is 64
	contains "$errors" 'subcommand'
	quietly coi-config statsu
	status_is 64
	contains "$errors" 'did you mean "status"?'
	quietly coi-config status --origin
	status_is 64
	contains "$errors" 'status has no option --origin'
	quietly coi-config show -n
	status_is 64
	quietly coi-config status now
	status_is 64
	contains "$errors" 'usage: coi-config status [--json]'
	quietly coi-config --json nonsense
	status_is 64
	[ "$(jq -r .error <<<"$errors")" = usage ]
	quietly coi-config enable -n
	status_is 0
	[ "$output" = "SETMETADATA \"\" (\"$CFG/enabled\" \"yes\")" ]
	quietly coi-config disable -n
	[ "$output" = "SETMETADATA \"\" (\"$CFG/enabled\" NIL)" ]
}

@test "the examples of -h and of the manual work" {
	{
		coi-config -h | sed -n '/^examples:/,/^$/s/^  //p'
		sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl //p' "$ROOT/man/coi-config.1"
	} | grep -v -e discover -e sieve >"$T/examples"
	[ "$(grep -c . "$T/examples")" -ge 9 ]
	while IFS= read -r example <&3; do
		quietly as grace bash -o pipefail -ec "$example"
		status_is 0 || { echo "$example: $errors"; false; }
		case $example in
		*doctor*) contains "$output" 'imap-login' ;;
		*imap-host*) contains "$output" $'\timap-host = localhost' ;;
		*filter) [ "$output" = active ] ;;
		*'filter active') contains "$(imap grace "GETMETADATA \"\" ($CFG/message-filter)")" active ;;
		*folders) [ -z "$output" ] || contains "$output" 'Blocked: made' ;;
		*) [ -n "$output" ] ;;
		esac
	done 3<"$T/examples"
}

@test "every key of the JSON is in coi-config(1)" {
	as grace coi-config enable
	{
		as grace coi-config folders --json
		as grace coi-config show --origin --json
	} | jq -r 'paths | map(strings) | .[]' | sort -u >"$T/keys"
	echo otherKeys >>"$T/keys"
	[ "$(grep -c . "$T/keys")" -ge 20 ]
	while IFS= read -r key; do
		grep -qE "^\.(It )?Cm (.* , )?$key( |\$)" "$ROOT/man/coi-config.1" || {
			echo "coi-config(1) lacks $key"
			false
		}
	done <"$T/keys"
}
