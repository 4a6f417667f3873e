#!/usr/bin/env bats
# Certificates, versions and STARTTLS, for IMAP and SMTP: what is not safe is
# 82 with what to do, and no password leaves.
load helper
load hostile

setup_file() {
	export CA=$BATS_FILE_TMPDIR/ca
	"$ROOT/tests/lib/mkca" "$CA"
}

# pin NAME: the pin of that certificate.
pin() {
	openssl x509 -in "$CA/$1.pem" -pubkey -noout |
		openssl pkey -pubin -outform der |
		openssl dgst -sha256 -binary | base64
}

# tool KIND: fetches or sends.
tool() {
	case $1 in
	imap) run coi-fetch --json --timeout 2s ;;
	smtp) run coi-send --json --timeout 2s -m hello bob@two.test ;;
	esac
}

# tls_play KIND SCRIPT CERT MODE [LINE...]: the peer with that certificate and
# an account that uses TLS in that way, trusting our CA unless LINE says else.
tls_play() {
	local kind=$1 script=$2 cert=$3 mode=$4
	shift 4
	start_peer -t "$CA/$cert.pem" "$CA/$cert.key" \
		"$ROOT/tests/peer/$kind/$script.peer"
	peer_account "imap-host = localhost" "smtp-host = localhost" \
		"imap-tls = $mode" "smtp-tls = $mode" "${@:-ca-file = $CA/ca.pem}"
}

# refused KIND STATUS WORDS: by us, before any password.
refused() {
	tool "$1"
	status_is "$2" || return 1
	contains "$output" "$3" || return 1
	# What to do next is said.
	jq -es 'any(.hint)' <<<"$output" >/dev/null || {
		echo "no hint: $output"
		return 1
	}
	contains "$output" '"stage":"tls"' || return 1
	no_secret || return 1
	[ -z "$(coi-send --queue-list)" ]
}

both() {
	local kind
	for kind in imap smtp; do
		echo "with $kind"
		"$@"
	done
}

good() {
	tls_play $kind tls good implicit
	tool $kind
	status_is 0
	contains "$(<"$PEER_LOG")" "TLS: TLSv1."
	tls_play $kind starttls good starttls
	tool $kind
	status_is 0
	contains "$(<"$PEER_LOG")" "TLS: TLSv1."
	# The password went through TLS, not before it.
	lacks "$(sed '/^TLS:/,$d' "$PEER_LOG")" AUTH
}

@test "a good certificate, TLS from the start and STARTTLS" { both good; }

bad_certificate() { # NAME WORDS
	tls_play $kind tls "$1" implicit
	refused $kind 82 "$2"
	tls_play $kind starttls "$1" starttls
	refused $kind 82 "$2"
}

@test "wrong host: 82, says both names" { both bad_certificate wrong 'for wrong.test, not for localhost'; }
@test "expired: 82, says since when" { both bad_certificate expired 'expired on 2020-01-31'; }
@test "unknown CA: 82, says which, and what to configure" { both bad_certificate unknown 'Other Test CA'; }
@test "self-signed: 82, names ca-file and pin" { both bad_certificate self self-signed; }

unknown_to_system() {
	tls_play $kind tls good implicit 'sent-folder = none'
	refused $kind 82 'unknown'
	contains "$output" ca-file
}
@test "a private CA that nobody configured: 82" { both unknown_to_system; }

old() {
	tls_play $kind tls11 good implicit
	refused $kind 82 'no TLS 1.2'
}
@test "TLS 1.1 only: 82" { both old; }

pinned() {
	# A pin replaces chain and name.
	for cert in self wrong expired; do
		tls_play $kind tls $cert implicit "pin = $(pin $cert)"
		tool $kind
		status_is 0
	done
	tls_play $kind tls good implicit "ca-file = $CA/ca.pem" "pin = $(pin self)"
	refused $kind 82 'not the pinned one'
	contains "$output" "$(pin good)"
	# Of several, one is enough.
	tls_play $kind tls good implicit "pin = $(pin self) $(pin good)"
	tool $kind
	status_is 0
}
@test "a pin: right is enough, wrong is 82 whatever the chain says" { both pinned; }

stripped() {
	tls_play $kind starttls-stripped good starttls
	refused $kind 82 'offers no STARTTLS'
}
@test "STARTTLS taken out of the capabilities: 82, never in clear" { both stripped; }

not_today() {
	tls_play $kind starttls-refused good starttls
	refused $kind "$1" 'refused STARTTLS'
}
@test "STARTTLS refused: 82, or 75 for a while; never in clear" {
	kind=imap not_today 82
	kind=smtp not_today 75
}

injection() {
	tls_play $kind starttls-injection good starttls
	refused $kind 76 'unencrypted octets'
}
@test "answers injected behind the go-ahead of STARTTLS: 76, nothing said" { both injection; }

@test "PREAUTH where TLS is required: 82" {
	tls_play imap preauth good starttls
	refused imap 82 PREAUTH
}

plain_server() {
	play $kind ok
	peer_account 'imap-tls = implicit' 'smtp-tls = implicit'
	refused $kind 82 'does not speak TLS'
}
@test "a server without TLS on a TLS port: 82" { both plain_server; }

not_loopback() {
	play $kind ok
	peer_account 'imap-host = 192.0.2.1' 'smtp-host = 192.0.2.1'
	tool $kind
	status_is 78
	contains "$output" loopback
}
@test "tls = off for a host that is not this machine: 78" { both not_loopback; }

@test "a queued message waits until the certificate is good" {
	tls_play smtp tls expired implicit
	run coi-send --json --queue -m waiting bob@two.test
	status_is 82
	contains "$output" '"result":"queued"'
	no_secret
	tls_play smtp tls good implicit
	run coi-send --json --flush
	status_is 0
	[ "$(jq -r .result <<<"$output")" = accepted ]
	contains "$(<"$PEER_LOG")" "C: waiting"
}
