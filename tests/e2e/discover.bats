#!/usr/bin/env bats
# coi-config discover: what a domain publishes, true, broken or hostile.
load helper

setup_file() {
	export CA=$BATS_FILE_TMPDIR/ca
	"$ROOT/tests/lib/mkca" "$CA"
	web_cert web example.test '*.example.test' xn--mller-kva.test \
		'*.xn--mller-kva.test' hoster.test '*.hoster.test' \
		autoconfig.thunderbird.net
}

# web_cert NAME HOST...: a certificate of our CA for these hosts.
web_cert() {
	local out=$CA/$1 names
	shift
	names=$(printf ',DNS:%s' "$@")
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$out.key" -out "$out.pem" -days 30 -subj /CN=web \
		-CA "$CA/ca.pem" -CAkey "$CA/ca.key" \
		-addext basicConstraints=CA:FALSE \
		-addext "subjectAltName=${names#,}" 2>/dev/null
}

setup() {
	setup_default
	WEB=$T/web
	mkdir "$WEB"
	: >"$T/zone"
	serve dns "$T/zone"
	DNS_PORT=$PORT
	web_server web
	CONF=$HOME/.config/coi/config
}

# serve PROGRAM ARGUMENT...: of tests/lib; sets PORT, and $T/PROGRAM.log.
serve() {
	local n out=$T/$1.port
	: >"$out"
	"$ROOT/tests/lib/$1" "${@:2}" >"$out" 2>>"$T/$1.log" 3>&- &
	PEERS+=("$!")
	for ((n = 0; n < 500; n++)); do
		PORT=$(<"$out")
		[ -z "$PORT" ] || return 0
		sleep 0.02
	done
	echo "$1 did not start:"
	cat "$T/$1.log"
	return 1
}

# web_server CERT
web_server() {
	serve https "$WEB" "$CA/$1.pem" "$CA/$1.key"
	WEB_PORT=$PORT
}

zone() { printf '%s\n' "$@" >>"$T/zone"; }

# hosts NAME...: they are here.
hosts() {
	local h
	for h; do zone "$h A 127.0.0.1"; done
}

# page HOST PATH: the answer is on standard input.
page() {
	mkdir -p "$(dirname "$WEB/$1/$2")"
	cat >"$WEB/$1/$2"
}
AUTO=mail/config-v1.1.xml
KNOWN=.well-known/autoconfig/mail/config-v1.1.xml

# server KIND HOST PORT SOCKET USER [LOGIN]
server() {
	local e=incomingServer
	[ "$1" != smtp ] || e=outgoingServer
	printf '<%s type="%s"><hostname>%s</hostname><port>%s</port>' \
		$e "$1" "$2" "$3"
	printf '<socketType>%s</socketType><username>%s</username>' "$4" "$5"
	printf '<authentication>%s</authentication></%s>\n' \
		"${6:-password-cleartext}" $e
}
doc() {
	echo '<?xml version="1.0" encoding="UTF-8"?>'
	echo '<clientConfig version="1.1"><emailProvider id="example.test">'
	cat
	echo '</emailProvider></clientConfig>'
}
good_doc() {
	{
		server pop3 pop.example.test 995 SSL %EMAILADDRESS%
		server imap imap.example.test 993 SSL %EMAILADDRESS%
		server smtp smtp.example.test 465 SSL %EMAILADDRESS%
	} | doc
}

# discover ARGUMENT...: sets status, out and err.
discover() {
	local begin=${EPOCHREALTIME/./}
	status=0
	COI_TEST_DNS=127.0.0.1:$DNS_PORT COI_TEST_HTTPS_PORT=$WEB_PORT \
		SSL_CERT_FILE=${TRUST-$CA/ca.pem} \
		timeout -k 5 60 coi-config discover "$@" \
		>"$T/out" 2>"$T/err" </dev/null || status=$?
	took=$((${EPOCHREALTIME/./} / 1000 - begin / 1000))
	out=$(<"$T/out") err=$(<"$T/err") output=$out$'\n'$err
}

# within SECONDS: so long did it take, at most.
within() {
	[ "$took" -le $(($1 * 1000 * ${TEST_SLOW:-1})) ] || {
		echo "took $took ms"
		return 1
	}
}

# fails STATUS WORDS [STATUS-WORD]: nothing was written, and it says why.
fails() {
	status_is "$1" || return 1
	contains "$err" "$2" || return 1
	[ -z "$out" ] || { echo "stdout: $out"; return 1; }
	[ ! -e "$CONF" ]
}

equal() { diff <(printf '%s\n' "$1") <(printf '%s\n' "$2"); }

# value KEY: of the JSON in $out.
value() { jq -r --arg k "$1" '.values[$k].value' <<<"$out"; }
origin() { jq -r --arg k "$1" '.values[$k].origin' <<<"$out"; }

srv_domain() {
	zone '_imaps._tcp.example.test SRV 0 1 993 imap.example.test.' \
		'_submissions._tcp.example.test SRV 0 1 465 smtp.example.test.'
}

# --- SRV ---------------------------------------------------------------------

@test "SRV: a section that the other tools read" {
	srv_domain
	discover alice@example.test
	status_is 0
	[ -z "$err" ]
	equal "$out" '[account example.test]
address = alice@example.test
imap-host = imap.example.test
imap-port = 993
imap-tls = implicit
smtp-host = smtp.example.test
smtp-port = 465
smtp-tls = implicit
# add password-command = ... or password-file = ...'
	mkdir -p "${CONF%/*}"
	cp "$T/out" "$CONF"
	run coi-config show
	status_is 0
	contains "$output" 'imap-host = imap.example.test'
	# Both are known and inside: nobody is asked for more.
	[ ! -s "$T/https.log" ]
	[ "$(sort -u "$T/dns.log" | wc -l)" -eq 4 ]
}

@test "SRV: implicit TLS goes before STARTTLS, whatever the priorities" {
	zone '_imap._tcp.example.test SRV 0 9 143 old.example.test.' \
		'_imaps._tcp.example.test SRV 10 0 1993 new.example.test.' \
		'_submission._tcp.example.test SRV 0 0 587 smtp.example.test.'
	discover --json alice@example.test
	status_is 0
	[ "$(value imap-host)" = new.example.test ]
	[ "$(value imap-port)" = 1993 ]
	[ "$(value imap-tls)" = implicit ]
	[ "$(value smtp-port)" = 587 ]
	[ "$(value smtp-tls)" = starttls ]
	[ "$(origin imap-host)" = 'SRV _imaps._tcp.example.test' ]
	[ "$(origin smtp-tls)" = 'SRV _submission._tcp.example.test' ]
	[ "$(origin address)" = argument ]
}

@test "SRV: priority decides, then chance by weight" {
	local n
	zone '_imaps._tcp.example.test SRV 20 9 993 third.example.test.' \
		'_imaps._tcp.example.test SRV 5 1 993 first.example.test.' \
		'_imaps._tcp.example.test SRV 5 1 993 second.example.test.' \
		'_submissions._tcp.example.test SRV 1 0 465 never.example.test.' \
		'_submissions._tcp.example.test SRV 0 0 465 smtp.example.test.'
	for n in {1..40}; do
		discover alice@example.test
		status_is 0
		contains "$out" 'smtp-host = smtp.example.test'
		sed -n 's/^imap-host = //p' <<<"$out" >>"$T/chosen"
	done
	equal "$(sort -u "$T/chosen")" 'first.example.test
second.example.test'
}

@test "SRV: \".\" means not offered, and is believed" {
	zone '_imaps._tcp.example.test SRV 0 0 0 .' \
		'_imap._tcp.example.test SRV 0 0 0 .' \
		'_submissions._tcp.example.test SRV 0 0 0 .' \
		'_submission._tcp.example.test SRV 0 0 0 .'
	hosts autoconfig.example.test example.test
	good_doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 69 'offers neither'
	[ ! -s "$T/https.log" ]
}

@test "SRV: only one of the two offered: 1, shown, not written" {
	zone '_imaps._tcp.example.test SRV 0 0 993 imap.example.test.' \
		'_submissions._tcp.example.test SRV 0 0 0 .' \
		'_submission._tcp.example.test SRV 0 0 0 .'
	discover --write alice@example.test
	status_is 1
	contains "$out" 'imap-host = imap.example.test'
	lacks "$out" smtp-host
	contains "$err" 'offers no SMTP'
	contains "$err" 'nothing was written'
	[ ! -e "$CONF" ]
}

@test "SRV: a port without TLS that is not offered does not stop the search" {
	zone '_imap._tcp.example.test SRV 0 0 0 .'
	hosts autoconfig.example.test
	good_doc | page autoconfig.example.test $AUTO
	discover --json alice@example.test
	status_is 0
	[ "$(value imap-host)" = imap.example.test ]
}

@test "SRV: an answer too long for UDP is asked for by TCP" {
	local n
	zone '_imaps._tcp.example.test truncated'
	for n in {10..60}; do
		zone "_imaps._tcp.example.test SRV $n 0 993 a-host-with-a-long-name-$n.example.test."
	done
	zone '_submissions._tcp.example.test SRV 0 0 465 smtp.example.test.'
	discover alice@example.test
	status_is 0
	contains "$out" 'imap-host = a-host-with-a-long-name-10.example.test'
	contains "$(<"$T/dns.log")" '_imaps._tcp.example.test SRV tcp'
}

@test "SRV: a target outside of the domain: 78, lines to paste, nothing written" {
	zone '_imaps._tcp.example.test SRV 0 1 993 mail.hoster.test.' \
		'_submissions._tcp.example.test SRV 0 1 465 smtp.example.test.'
	hosts autoconfig.example.test example.test
	discover --write alice@example.test
	fails 78 'mail.hoster.test is outside of example.test'
	# The lines are there to be read and copied, not on stdout, where
	# ">> config" would take them.
	contains "$err" $'\n[account example.test]\naddress = alice@example.test\nimap-host = mail.hoster.test\n'
	contains "$err" 'SRV _imaps._tcp.example.test'
	discover --json --write alice@example.test
	status_is 78
	[ "$(value imap-host)" = mail.hoster.test ]
	[ "$(jq -c '[.outside, .written]' <<<"$out")" = '[true,false]' ]
	[ "$(jq -c '[.values[] | select(.outside) | .value]' <<<"$out")" = '["mail.hoster.test"]' ]
	contains "$(jq -r .section <<<"$out")" 'imap-host = mail.hoster.test'
	[ "$(jq -r .error <<<"$err")" = config ]
	[ ! -e "$CONF" ]
}

@test "SRV: names that only look as if they were inside" {
	local name
	hosts autoconfig.example.test example.test
	for name in notexample.test example.test.evil.test evil-example.test \
		xexample.test test; do
		echo "$name"
		printf '%s\n' "_imaps._tcp.example.test SRV 0 1 993 $name." \
			"_submissions._tcp.example.test SRV 0 1 465 smtp.example.test." \
			>"$T/zone"
		discover alice@example.test
		fails 78 outside
	done
	# The domain itself, and any case, are inside.
	printf '%s\n' "_imaps._tcp.example.test SRV 0 1 993 Example.TEST." \
		"_submissions._tcp.example.test SRV 0 1 465 A.B.example.test." \
		>"$T/zone"
	discover alice@EXAMPLE.test
	status_is 0
	contains "$out" 'imap-host = example.test'
	contains "$out" 'smtp-host = a.b.example.test'
}

@test "SRV: targets that are no host names are not used" {
	local name
	for name in 'a\000b.example.test' 'a\012b.example.test' \
		'a\057b.example.test' '-x.example.test' '192.0.2.1' \
		'x\042.example.test'; do
		echo "$name"
		printf '%s\n' "_imaps._tcp.example.test SRV 0 1 993 $name." \
			"_submissions._tcp.example.test SRV 0 1 0 smtp.example.test." \
			>"$T/zone"
		discover alice@example.test
		fails 76 'names no server'
	done
}

@test "SRV: a broken record does not hide a good one" {
	zone '_imaps._tcp.example.test SRV 0 1 0 zero.example.test.' \
		'_imaps._tcp.example.test SRV 1 1 993 imap.example.test.' \
		'_submissions._tcp.example.test SRV 0 1 465 smtp.example.test.'
	discover alice@example.test
	status_is 0
	contains "$out" 'imap-host = imap.example.test'
}

@test "SRV: malformed answers: 76, 75 or another source, never a crash" {
	local how
	for how in garbage cut loop; do
		echo "$how"
		printf '%s\n' "* $how" \
			'* SRV 0 1 993 imap.example.test.' >"$T/zone"
		discover --timeout 3s alice@example.test
		[ "$status" -eq 76 ] || [ "$status" -eq 75 ]
		[ -z "$out" ]
		within 6
	done
	printf '%s\n' '_imaps._tcp.example.test cut' \
		'_imaps._tcp.example.test SRV 0 1 993 imap.example.test.' \
		'autoconfig.example.test A 127.0.0.1' >"$T/zone"
	good_doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	status_is 0
}

@test "DNS: silent, in trouble or away: 75 in time" {
	zone '* silent'
	discover --timeout 1s alice@example.test
	fails 75 'cannot be looked up'
	within 4
	echo '* servfail' >"$T/zone"
	discover alice@example.test
	fails 75 'cannot be looked up'
	within 10
	DNS_PORT=9 discover --timeout 5s alice@example.test
	fails 75 'cannot be looked up'
	within 10
}

@test "DNS: an interrupted look-up ends at once" {
	zone '* silent'
	COI_TEST_DNS=127.0.0.1:$DNS_PORT coi-config discover alice@example.test \
		>"$T/out" 2>"$T/err" 3>&- &
	local pid=$! n
	for n in {1..200}; do
		[ ! -s "$T/dns.log" ] || break
		sleep 0.02
	done
	kill -TERM "$pid"
	status=0
	SECONDS=0
	wait "$pid" || status=$?
	[ "$SECONDS" -le $((5 * ${TEST_SLOW:-1})) ]
	[ ! -s "$T/out" ]
}

@test "DNS: search domains are not used" {
	zone '_imaps._tcp.example.test.corp.test SRV 0 1 993 imap.example.test.' \
		'autoconfig.example.test.corp.test A 127.0.0.1'
	good_doc | page autoconfig.example.test $AUTO
	LOCALDOMAIN=corp.test discover alice@example.test
	fails 69 'neither SRV'
	lacks "$(<"$T/dns.log")" corp.test
}

@test "nothing published: 69 with what to do" {
	discover alice@example.test
	fails 69 'publishes neither SRV records nor an autoconfig page'
	contains "$err" 'coi-config(5)'
	contains "$err" --ispdb
	discover --json alice@example.test
	status_is 69
	[ "$(jq -r .error <<<"$err")" = unavailable ]
}

# --- autoconfig --------------------------------------------------------------

@test "autoconfig: the address is told to the domain's own host, in the URL" {
	hosts autoconfig.example.test
	good_doc | page autoconfig.example.test $AUTO
	discover --json 'a+b c@example.test'
	status_is 65
	discover --json a+b@example.test
	status_is 0
	equal "$(<"$T/https.log")" \
		'autoconfig.example.test /mail/config-v1.1.xml?emailaddress=a%2Bb%40example.test'
	[ "$(value imap-host)" = imap.example.test ]
	[ "$(value user)" = a+b@example.test ]
	[ "$(origin imap-host)" = 'https://autoconfig.example.test/mail/config-v1.1.xml?emailaddress=a%2Bb%40example.test' ]
	[ "$(jq -r .login <<<"$out")" = password ]
	[ "$(value smtp-user)" = null ]
}

@test "autoconfig: .well-known comes next, without the address" {
	hosts autoconfig.example.test example.test
	good_doc | page example.test $KNOWN
	discover alice@example.test
	status_is 0
	contains "$out" 'smtp-host = smtp.example.test'
	equal "$(tail -n 1 "$T/https.log")" \
		'example.test /.well-known/autoconfig/mail/config-v1.1.xml'
}

@test "autoconfig: user names in every form" {
	hosts autoconfig.example.test
	{
		server imap mail.%EMAILDOMAIN% 993 SSL '%EMAILLOCALPART%'
		server smtp smtp.example.test 587 STARTTLS \
			'%EMAILDOMAIN%\%EMAILLOCALPART% "x'
	} | doc | page autoconfig.example.test $AUTO
	discover --json alice@example.test
	status_is 0
	[ "$(value imap-host)" = mail.example.test ]
	[ "$(value user)" = alice ]
	[ "$(value smtp-user)" = 'example.test\alice "x' ]
	discover --write alice@example.test
	status_is 0
	run coi-config show
	contains "$output" 'smtp-user = example.test\alice "x'

	{
		server imap mail.example.test 993 SSL '%REALNAME%'
		server smtp smtp.example.test 587 STARTTLS ' "quoted" '
	} | doc | page autoconfig.example.test $AUTO
	discover -a other alice@example.test
	status_is 0
	contains "$out" 'add user ='
	contains "$out" 'smtp-user = "\"quoted\""'
}

@test "autoconfig: TLS from the start is preferred, without TLS is refused" {
	hosts autoconfig.example.test
	{
		server imap a.example.test 143 plain x
		server imap b.example.test 143 STARTTLS x
		server imap c.example.test 993 SSL x
		server smtp smtp.example.test 587 STARTTLS x
	} | doc | page autoconfig.example.test $AUTO
	discover --json alice@example.test
	status_is 0
	[ "$(value imap-host) $(value imap-tls)" = 'c.example.test implicit' ]
	[ "$(value smtp-tls)" = starttls ]
	{
		server imap a.example.test 143 plain x
		server smtp a.example.test 25 plain x
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 82 'without TLS'
}

@test "autoconfig: OAuth2, certificates, no login" {
	hosts autoconfig.example.test
	{
		server imap imap.example.test 993 SSL x OAuth2
		server smtp smtp.example.test 465 SSL x none
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	status_is 0
	contains "$out" 'token-command'
	contains "$out" 'smtp-user = ""'
	discover --json alice@example.test
	[ "$(jq -r .login <<<"$out")" = oauth2 ]
	{
		server imap imap.example.test 993 SSL x TLS-client-cert
		server smtp smtp.example.test 465 SSL x TLS-client-cert
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	contains "$out" 'client-cert'
	{
		server imap imap.example.test 993 SSL x NTLM
		server smtp smtp.example.test 465 SSL x GSSAPI
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 'can be used'
}

@test "autoconfig: hosts outside of the domain: 78" {
	hosts autoconfig.example.test
	{
		server imap imap.hoster.test 993 SSL x
		server smtp smtp.hoster.test 465 SSL x
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 78 'imap.hoster.test and smtp.hoster.test are outside'
	contains "$err" 'smtp-host = smtp.hoster.test'
	contains "$err" 'https://autoconfig.example.test/'
}

@test "autoconfig: says more about an outside host of SRV, or names one inside" {
	zone '_imaps._tcp.example.test SRV 0 1 993 imap.hoster.test.' \
		'_submissions._tcp.example.test SRV 0 1 465 smtp.hoster.test.'
	hosts autoconfig.example.test
	{
		server imap imap.hoster.test 993 SSL x-%EMAILLOCALPART%
		server smtp smtp.example.test 465 SSL x-%EMAILLOCALPART%
	} | doc | page autoconfig.example.test $AUTO
	discover --json alice@example.test
	status_is 78
	[ "$(value user)" = x-alice ]
	[ "$(value smtp-host)" = smtp.example.test ]
	[ "$(value imap-host)" = imap.hoster.test ]
}

@test "autoconfig: the hosts' names may be no host names, or none at all" {
	local bad
	hosts autoconfig.example.test
	for bad in 'imap example.test' 'imap.example.test:993' '' '192.0.2.1' \
		'imap.example.test/x' '%FOO%.example.test' 'a..example.test'; do
		echo "$bad"
		{
			server imap "$bad" 993 SSL x
			server smtp "$bad" 465 SSL x
		} | doc | page autoconfig.example.test $AUTO
		discover alice@example.test
		fails 76 'can be used'
	done
	for bad in 0 65536 99999999999999999999 -1 993x ''; do
		echo "$bad"
		server imap imap.example.test "$bad" SSL x | doc |
			page autoconfig.example.test $AUTO
		discover alice@example.test
		fails 76 'can be used'
	done
}

@test "the ISPDB is asked only with --ispdb, and without the address" {
	hosts autoconfig.example.test example.test autoconfig.thunderbird.net
	good_doc | page autoconfig.thunderbird.net v1.1/example.test
	discover alice@example.test
	fails 69 --ispdb
	lacks "$(<"$T/dns.log")" thunderbird
	discover --ispdb alice@example.test
	status_is 0
	contains "$out" 'imap-host = imap.example.test'
	lacks "$(grep thunderbird "$T/https.log")" alice
}

@test "internationalised domains" {
	zone '_imaps._tcp.xn--mller-kva.test SRV 0 1 993 imap.xn--mller-kva.test.'
	hosts autoconfig.xn--mller-kva.test
	{
		server imap imap.müller.test 993 SSL '%EMAILADDRESS%'
		server smtp Müller.test 465 SSL '%EMAILADDRESS%'
	} | doc | page autoconfig.xn--mller-kva.test $AUTO
	discover --json alice@Müller.test
	status_is 0
	[ "$(value address)" = alice@Müller.test ]
	[ "$(value imap-host)" = imap.xn--mller-kva.test ]
	[ "$(value smtp-host)" = xn--mller-kva.test ]
	[ "$(value user)" = null ]
	[ "$(value smtp-user)" = null ]
	contains "$(<"$T/https.log")" 'emailaddress=alice%40M%C3%BCller.test'
}

# --- hostile web -------------------------------------------------------------

@test "certificates: unknown, for another host, expired: 82" {
	hosts autoconfig.example.test
	good_doc | page autoconfig.example.test $AUTO
	local cert
	for cert in unknown wrong expired self; do
		echo "$cert"
		web_server "$cert"
		discover alice@example.test
		fails 82 autoconfig.example.test:443
		contains "$err" certificate
		# Nothing was said before the certificate was good.
		lacks "$(<"$T/https.log")" GET
		lacks "$(<"$T/https.log")" emailaddress
	done
	# A CA that only somebody else knows.
	web_server web
	TRUST= discover alice@example.test
	fails 82 certificate
	TRUST= COI_CA_FILE=$CA/ca.pem discover alice@example.test
	status_is 0
	contains "$out" "ca-file = $CA/ca.pem"
	mkdir -p "${CONF%/*}"
	cp "$CA/ca.pem" "${CONF%/*}/ca.pem"
	echo 'ca-file = ca.pem' >"$CONF"
	TRUST= discover alice@example.test
	status_is 0
	# It holds for all accounts of that file already.
	lacks "$out" ca-file
	TRUST=$T/absent discover -c /dev/null alice@example.test
	status_is 78
	contains "$err" 'CA certificates'
}

@test "a bad certificate of one page does not stop the other" {
	hosts autoconfig.example.test example.test
	web_cert half example.test
	web_server half
	good_doc | page autoconfig.example.test $AUTO
	good_doc | page example.test $KNOWN
	discover alice@example.test
	status_is 0
	contains "$(<"$T/https.log")" 'example.test /.well-known'
}

redirect() { # FROM-HOST PATH STATUS LOCATION
	mkdir -p "$(dirname "$WEB/$1/$2")"
	echo "$3 $4" >"$WEB/$1/$2.status"
}

@test "redirects to http are not followed: 82" {
	hosts autoconfig.example.test example.test
	redirect autoconfig.example.test $AUTO 301 http://example.test/x
	good_doc | page example.test x
	discover alice@example.test
	fails 82 'away from https, to http'
	lacks "$(<"$T/https.log")" 'example.test /x'
}

@test "redirects to other things: 76, nothing is opened" {
	local to
	hosts autoconfig.example.test
	for to in file:///etc/passwd ftp://example.test/x gopher://example.test/ \
		https://a:b@example.test/ https://127.0.0.1/ 'https://[::1]/' \
		https://2130706433/; do
		echo "$to"
		redirect autoconfig.example.test $AUTO 302 "$to"
		discover alice@example.test
		[ "$status" -eq 76 ] || [ "$status" -eq 82 ]
		contains "$err" 'the redirect leads'
		[ -z "$out" ]
	done
}

@test "redirects to another domain: followed with its certificate, its hosts not believed" {
	hosts autoconfig.example.test www.hoster.test evil.test
	redirect autoconfig.example.test $AUTO 301 https://www.hoster.test/c.xml
	{
		server imap imap.hoster.test 993 SSL x
		server smtp smtp.hoster.test 465 SSL x
	} | doc | page www.hoster.test c.xml
	discover --json alice@example.test
	status_is 78
	[ "$(origin imap-host)" = https://www.hoster.test/c.xml ]
	# The address goes there only if the redirect says it.
	contains "$(<"$T/https.log")" 'www.hoster.test /c.xml'
	redirect autoconfig.example.test $AUTO 301 https://evil.test/c.xml
	good_doc | page evil.test c.xml
	discover alice@example.test
	fails 82 evil.test:443
}

@test "redirects in a circle: 76" {
	hosts autoconfig.example.test example.test
	redirect autoconfig.example.test $AUTO 302 https://example.test/loop
	redirect example.test loop 302 https://example.test/loop
	discover alice@example.test
	fails 76 'redirects'
	[ "$(grep -c loop "$T/https.log")" -le 5 ]
}

@test "answers without end, compressed, or slow" {
	hosts autoconfig.example.test
	mkdir -p "$WEB/autoconfig.example.test/mail"
	cd "$WEB/autoconfig.example.test/mail"
	echo 10000000 >config-v1.1.xml.size
	discover alice@example.test
	fails 76 'longer than'
	rm ./*
	head -c 10000000 /dev/zero >config-v1.1.xml.zip
	discover alice@example.test
	fails 76 autoconfig
	rm ./*
	touch config-v1.1.xml.hang
	discover --timeout 2s alice@example.test
	fails 75 'in time'
	within 5
	rm ./*
	touch config-v1.1.xml.drip
	discover --timeout 2s alice@example.test
	fails 75 'in time'
	within 5
	rm ./*
	touch config-v1.1.xml.drop
	discover alice@example.test
	fails 75 autoconfig.example.test:443
}

@test "nobody at port 443, or not TLS there" {
	hosts autoconfig.example.test
	WEB_PORT=9 discover alice@example.test
	fails 69 'neither SRV'
	WEB_PORT=$DNS_PORT discover --timeout 8s alice@example.test
	[ "$status" -eq 82 ] || [ "$status" -eq 75 ]
	within 12
}

@test "HTTP statuses: 404 is nothing, 503 is later" {
	hosts autoconfig.example.test
	discover alice@example.test
	fails 69 'neither SRV'
	redirect autoconfig.example.test $AUTO 503
	discover alice@example.test
	fails 75 'HTTP status 503'
}

@test "XML bombs, DTDs, entities, other documents: 76" {
	hosts autoconfig.example.test
	{
		echo '<!DOCTYPE c [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">'
		local c=a n
		for n in b c d e f g h i j k; do
			printf '<!ENTITY %s "' $n
			printf "&$c;%.0s" {1..20}
			echo '">'
			c=$n
		done
		echo "]><clientConfig>&$c;</clientConfig>"
	} | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 DTD
	within 5
	printf '<!DOCTYPE c SYSTEM "file:///etc/passwd"><clientConfig/>' |
		page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 DTD
	printf '<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]><clientConfig>&x;</clientConfig>' |
		page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 DTD
	printf '<clientConfig>%s' "$(printf '<a>%.0s' {1..40})" |
		page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 nested
	good_doc | sed 's/993/9\x0093/' | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 'no XML'
	printf '<html></html>' | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 'no <clientConfig>'
	: | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 76 'no XML'
	printf '<clientConfig/>' | page autoconfig.example.test $AUTO
	discover alice@example.test
	fails 69 'neither SRV'
}

@test "nothing from outside can add lines, or reach the terminal" {
	hosts autoconfig.example.test
	{
		server imap imap.example.test 993 SSL $'x\npassword-command = touch /tmp/x'
		server smtp smtp.example.test 465 SSL 'x&#10;pin = y'
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	status_is 0
	lacks "$out" 'password-command = touch'
	lacks "$out" 'pin ='
	{
		server imap imap.example.test 993 SSL $'x\u009b31m'
		server smtp smtp.example.test 465 SSL x
	} | doc | page autoconfig.example.test $AUTO
	discover alice@example.test
	lacks "$output" $'\u009b'
	redirect autoconfig.example.test $AUTO 302 $'https://a\033[31m.test/'
	discover -v alice@example.test
	lacks "$output" $'\033'
}

# --- writing -----------------------------------------------------------------

@test "--write: makes a private file, appends, never replaces" {
	srv_domain
	discover --write alice@example.test
	status_is 0
	[ -z "$err" ]
	equal "$(<"$CONF")" "$out"
	[ "$(stat -c %a "$CONF" "${CONF%/*}" | xargs)" = '600 700' ]
	discover --write alice@example.test
	status_is 78
	contains "$err" "$CONF:1 already"
	contains "$err" '-a NAME'
	equal "$(<"$CONF")" "$(sed 's/$//' "$CONF")"
	[ "$(grep -c '^\[' "$CONF")" -eq 1 ]
	# Nobody was asked.
	[ "$(sort "$T/dns.log" | uniq -d | wc -l)" -eq 0 ]
	# Another name goes behind, on a line of its own.
	printf '# no line end' >>"$CONF"
	cp "$CONF" "$T/before"
	discover --write --json -a second alice@example.test
	status_is 0
	[ "$(jq -c '[.account, .written, .file]' <<<"$out")" = "[\"second\",true,\"$CONF\"]" ]
	cmp -n "$(stat -c %s "$T/before")" "$T/before" "$CONF"
	run coi-config show -a second
	status_is 0
	contains "$output" 'imap-host = imap.example.test'
	# Without --write it only warns.
	discover alice@example.test
	status_is 0
	contains "$err" 'already'
}

@test "--write: COI_CA_FILE stands there as a path that is right from everywhere" {
	srv_domain
	cp "$CA/ca.pem" "$HOME/ca.pem"
	cd "$HOME"
	# shellcheck disable=SC2088
	for file in ca.pem '~/ca.pem' "$HOME/ca.pem"; do
		rm -rf "$HOME/.config"
		COI_CA_FILE=$file discover --write alice@example.test
		status_is 0
		contains "$(<"$CONF")" "ca-file = $HOME/ca.pem"
		[ "$(cd / && coi-config show | grep ca-file)" = \
			"ca-file = $HOME/ca.pem" ]
	done
}

@test "--write: only where that can be read again" {
	srv_domain
	mkdir -p "${CONF%/*}"
	echo 'nonsense' >"$CONF"
	discover --write alice@example.test
	status_is 78
	contains "$err" "$CONF:1"
	[ "$(<"$CONF")" = nonsense ]
	discover -c "$T/no/such/config" --write alice@example.test
	status_is 0
	[ "$(stat -c %a "$T/no/such/config")" = 600 ]
	discover -c "$T/zone/config" --write alice@example.test
	status_is 73
	[ -z "$out" ]
	mkdir "$T/dir"
	discover -c "$T/dir" --write alice@example.test
	[ "$status" -eq 78 ] || [ "$status" -eq 73 ]
	[ -z "$out" ]
}

@test "--write: a full disk leaves the file as it was" {
	srv_domain
	mkdir -p "${CONF%/*}"
	head -c 999 /dev/zero | tr '\0' '#' >"$CONF"
	cp "$CONF" "$T/before"
	status=0
	out=$(trap '' XFSZ
		ulimit -f 1
		COI_TEST_DNS=127.0.0.1:$DNS_PORT coi-config discover --write \
			alice@example.test 2>&1) || status=$?
	[ "$status" -eq 74 ]
	contains "$out" "$CONF: cannot write"
	cmp "$T/before" "$CONF"
}

@test "--write: two at a time write one" {
	srv_domain
	local a b n=0
	COI_TEST_DNS=127.0.0.1:$DNS_PORT coi-config discover --write alice@example.test >/dev/null 2>&1 3>&- &
	a=$!
	COI_TEST_DNS=127.0.0.1:$DNS_PORT coi-config discover --write alice@example.test >/dev/null 2>&1 3>&- &
	b=$!
	wait "$a" && n=$((n + 1))
	wait "$b" && n=$((n + 1))
	[ "$n" -eq 1 ]
	[ "$(grep -c '^\[account example.test\]$' "$CONF")" -eq 1 ]
}

@test "addresses that cannot be: 65; a bad name: 64" {
	discover alice
	status_is 65
	discover 'alice@[127.0.0.1]'
	status_is 65
	contains "$err" 'no domain'
	discover -a '../x' alice@example.test
	status_is 64
	discover
	status_is 64
	discover a@example.test b@example.test
	status_is 64
	discover --timeout 0s a@example.test
	status_is 64
	[ ! -s "$T/dns.log" ]
}

@test "--trace and -v tell each question and answer; no secret, no proxy" {
	srv_domain
	sed -i '/_submissions/d' "$T/zone"
	hosts autoconfig.example.test
	good_doc | page autoconfig.example.test $AUTO
	printf 'machine autoconfig.example.test login a password hunter2\n' >"$HOME/.netrc"
	https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 \
		discover --trace="$T/trace" -v alice@example.test
	status_is 0
	contains "$(<"$T/trace")" 'dns C: SRV _imaps._tcp.example.test'
	contains "$(<"$T/trace")" 'dns S: imap.example.test port 993'
	contains "$(<"$T/trace")" 'https C: GET https://autoconfig.example.test/mail'
	contains "$(<"$T/trace")" 'https S: 200'
	contains "$err" 'https S: smtp.example.test port 465'
	lacks "$(<"$T/https.log")" '!'
	[ "$(stat -c %a "$T/trace")" = 600 ]
}

@test "only coi-config is linked with curl and the XML reader" {
	local t
	for t in "$BUILD"/coi-*; do
		[[ $t != *.* ]] || continue
		if [ "$(basename "$t")" = coi-config ]; then
			contains "$(ldd "$t")" libcurl
		else
			lacks "$(ldd "$t")" libcurl
			lacks "$(ldd "$t")" libexpat
		fi
	done
}
