#!/usr/bin/env bats
# The cookbook of coi(7), as it stands there.
bats_require_minimum_version 1.5.0
load helper
load watching

teardown() {
	[ -z "${HOOKS:-}" ] || kill "$HOOKS" 2>/dev/null || true
	for p in "${WATCHES[@]}"; do
		kill -- "-$p" 2>/dev/null || true
	done
	stop_watches
	teardown_default
}

# recipe WORD: the block of the cookbook with that word, for these servers.
recipe() {
	awk -v word="$1" '
		/^\.Sh / { on = $0 == ".Sh COOKBOOK" }
		!on { next }
		/^\.Bd/ { block = ""; in_bd = 1; next }
		/^\.Ed/ { in_bd = 0; if (index(block, word)) printf "%s", block }
		in_bd { block = block $0 "\n" }' "$ROOT/man/coi.7" |
		sed -e 's/\\e/\\/g' -e 's/\\&//g' \
			-e 's/ops@example\.org/carol@one.test/'
}

# start USER SCRIPT: in the background, its first run reading everything.
start() {
	as "$1" true
	mkdir -p "$T/bin"
	printf '#!/bin/sh\nexec "%s/coi-watch" --start all "$@"\n' "$BUILD" \
		>"$T/bin/coi-watch"
	chmod +x "$T/bin/coi-watch"
	OUT=$T/out ERR=$T/err
	HOME=$T/$1 PATH=$T/bin:$PATH setsid sh -c "$2" >"$OUT" 2>"$ERR" 3>&- &
	WATCH=$!
	WATCHES+=("$WATCH")
}

mails() { [ "$(mail_count "$1")" -ge "$2" ]; }

@test "an echo bot" {
	script=$(recipe 'coi-watch --reply')
	contains "$script" coi-watch
	[ "$(wc -l <<<"$script")" -le 5 ]
	start bob "$script"
	as alice coi-send -m 'hello out there' bob@two.test
	within 15 mails alice 1
	[ "$(as alice coi-fetch --json | jq -r .text)" = 'hello out there' ]
	kill -- "-$WATCH"
	wait "$WATCH" || true
}

@test "an alert from cron" {
	script=$(recipe disk-)
	contains "$script" 'coi-send --flush'
	# Full enough, whatever this machine is.  What df prints changes all the
	# time: the text under one key must not.
	script=${script/-lt 90/-lt 0}
	mkdir "$T/bin"
	printf '#!/bin/sh\necho Filesystem; date +%%N; echo 95%%\n' >"$T/bin/df"
	chmod +x "$T/bin/df"
	PATH=$T/bin:$PATH
	for _ in 1 2 3; do
		run as alice sh -c "$script"
		status_is 0
		[ -z "$output" ]
	done
	within 10 mails carol 1
	sleep 0.5
	[ "$(mail_count carol)" = 1 ]
	inbox carol | grep -q 'nearly full'
}

@test "a digest" {
	script=$(recipe 'consumer digest')
	as alice mkdir "$T/alice/desk"
	for n in 1 2 3; do
		chat alice "d$n" "news number $n"
	done
	run as alice sh -c "cd && cd desk && $script"
	status_is 0
	within 10 mails carol 1
	[ "$(inbox carol | grep -c 'elsewhere.test: news number')" = 3 ]
	run as alice sh -c "cd && cd desk && $script"
	status_is 0
	sleep 0.5
	[ "$(mail_count carol)" = 1 ]
}

@test "a digest that was interrupted goes on, and comes once" {
	script=$(recipe 'consumer digest')
	as alice mkdir "$T/alice/desk"
	chat alice d1 "news number 1"
	run as alice sh -c "cd && cd desk && ${script/coi-fetch --consumer digest --ack/false}"
	[ "$status" -ne 0 ]
	within 10 mails carol 1
	chat alice d2 "news number 2"
	for _ in 1 2 3; do
		run as alice sh -c "cd && cd desk && $script"
		status_is 0
		[ -z "$output" ]
	done
	within 10 mails carol 2
	sleep 0.5
	[ "$(mail_count carol)" = 2 ]
	[ "$(inbox carol | grep -c 'news number')" = 2 ]
}

@test "a digest of what a bot has answered: their keys are not the same" {
	script=$(recipe 'consumer digest')
	as alice mkdir "$T/alice/desk"
	chat alice d1 "news number 1"
	as alice coi-fetch --json >"$T/new"
	as alice coi-send --idempotency-key "$(jq -r .id "$T/new")" -m pong \
		dave@two.test
	run as alice sh -c "cd && cd desk && $script"
	status_is 0
	within 10 mails carol 1
}

@test "forwarding to another system, which is down at first" {
	script=$(recipe curl)
	contains "$script" 'exit 75'
	cat >"$T/hooks.py" <<'P'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(sys.argv[1], "ab") as f:
            f.write(body)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *a):
        pass
s = http.server.HTTPServer(("127.0.0.1", int(sys.argv[2])), H)
print(s.server_port, flush=True)
s.serve_forever()
P
	hooks() { python3 "$T/hooks.py" "$T/got" "$1" >"$T/port" 3>&- & }
	hooks 0
	HOOKS=$!
	within 10 test -s "$T/port"
	port=$(<"$T/port")
	kill "$HOOKS"
	wait "$HOOKS" || true
	script=${script/localhost:8080/127.0.0.1:$port}
	chat bob h1 'while it is down'
	start bob "$script"
	sleep 1
	[ ! -e "$T/got" ]
	hooks "$port"
	HOOKS=$!
	within 30 test -s "$T/got"
	chat bob h2 'now it is up'
	two() { [ "$(wc -l <"$T/got")" -ge 2 ]; }
	within 20 two
	[ "$(jq -r .text "$T/got" | sort)" = $'now it is up\nwhile it is down' ]
	kill -- "-$WATCH"
	wait "$WATCH" || true
	kill "$HOOKS"
	wait "$HOOKS" || true
}
