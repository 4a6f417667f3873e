#!/usr/bin/env bats
# coi-fetch -f: mail in files to JSON, exactly as tests/golden has it.
load helper

# No server is needed here.
setup_file() { :; }
teardown_file() { :; }

setup() {
	setup_default
	G=$ROOT/tests/golden
	cd "$T" || return 1
}

# same FOLDER: each FOLDER/*.eml gives exactly its .json; lists what does not.
same() {
	local f bad=0 n=0
	for f in "$G/$1"/*.eml; do
		n=$((n + 1))
		coi-fetch --json -f "$f" >"$T/have" 2>"$T/err" || {
			echo "$f: exit status $?"
			bad=1
		}
		cmp -s "$T/have" "${f%.eml}.json" && [ ! -s "$T/err" ] && continue
		bad=1
		echo "$f:"
		diff "${f%.eml}.json" "$T/have" || true
		cat "$T/err"
	done
	[ "$n" -ge "$2" ] || {
		echo "only $n files"
		return 1
	}
	return $bad
}

# get NAME FILTER [OPTION...]: of one message of the mail folder.
get() {
	local f=$G/mail/$1.eml q=$2
	shift 2
	coi-fetch --json -f "$f" "$@" | jq -rc "$q"
}

@test "every message of tests/golden/mail gives its record" {
	same mail 100
}

@test "every message that Delta Chat sent gives its record" {
	same deltachat 60
}

@test "attachments, texts, names, dates: as Python's email package reads them" {
	local f
	mkdir saved
	for f in "$G"/mail/*.eml "$G"/deltachat/*.eml; do
		case $f in */mail-mbox.eml) continue ;; esac
		coi-fetch --json --full --save saved -f "$f" |
			jq -c --arg f "$f" '{file:$f,record:.}'
	done >records
	[ "$(wc -l <records)" -ge 160 ]
	"$ROOT/tests/lib/pymail.py" <records
}

@test "a folder, a Maildir, an mbox and stdin give the same lines" {
	local f n=0
	mkdir plain box box/cur box/new box/tmp
	for f in "$G"/mail/*.eml "$G"/deltachat/*.eml; do
		case $f in */mail-mbox.eml) continue ;; esac
		n=$((n + 1))
		name=$(printf '%04d' $n)
		cp "$f" "plain/$name.eml"
		if [ $n -le 80 ]; then
			cp "$f" "box/cur/$name:2,S"
		else
			cp "$f" "box/new/$name"
		fi
		coi-fetch --json -f - <"$f"
	done >stdin
	coi-fetch --json -f plain >folder
	coi-fetch --json -f box >maildir
	cmp stdin folder
	cmp stdin maildir
	# mboxrd: LF line ends, and "From " quoted.
	python3 - plain/*.eml >mbox <<-'END'
		import re, sys
		for name in sys.argv[1:]:
		    m = open(name, "rb").read().replace(b"\r\n", b"\n")
		    m = re.sub(rb"(?m)^(>*From )", rb">\1", m)
		    m += b"" if m.endswith(b"\n") else b"\n"
		    sys.stdout.buffer.write(b"From a@b.test Thu Nov  5 07:45:00 "
		                            b"2026\n" + m + b"\n")
	END
	coi-fetch --json -f mbox >lines
	coi-fetch --json -f - <mbox >pipe
	coi-fetch --json -f - < <(cat mbox) | cmp - lines
	cmp lines pipe
	# A line end is one octet there: sizes of 7 bit text files differ.
	jq -c 'del(.attachments[]?.size)' stdin >a
	jq -c 'del(.attachments[]?.size)' lines >b
	diff a b
}

@test "pieces of any size give the same record as the whole" {
	local f
	for f in "$G"/deltachat/out-enc-12c*.eml; do
		(
			head -c 300000 "$f"
			sleep 0.1
			tail -c +300001 "$f"
		) | coi-fetch --json -f - | cmp - "${f%.eml}.json"
	done
}

@test "control characters of mail never reach a terminal" {
	local f
	for f in mail-control mail-names-hostile mail-8bit-headers; do
		NO_COLOR=1 script -qec "coi-fetch -f '$G/mail/$f.eml'" /dev/null >seen
		[ -s seen ]
		# What is left when line ends go has no control, C1 ones included.
		tr -d '\r\n' <seen | iconv -f UTF-8 -t UTF-32LE |
			python3 -c 'import struct, sys
d = sys.stdin.buffer.read()
bad = [hex(c) for c, in struct.iter_unpack("<I", d)
       if c < 32 or 127 <= c < 160 or 0x202a <= c <= 0x202e]
sys.exit("control characters: %s" % bad if bad else 0)'
	done
	# Colours are ours and end.
	script -qec "coi-fetch -f '$G/mail/mail-control.eml'" /dev/null >seen
	run sed 's/\x1b\[[0-2]*m//g' seen
	lacks "$output" $'\x1b'
	# JSON on a terminal: escaped.
	script -qec "coi-fetch --json -f '$G/mail/mail-control.eml'" /dev/null >seen
	[ "$(tr -d '\r\n' <seen | LC_ALL=C grep -c -P '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]')" = 0 ]
	[ "$(tr -d '\r' <seen)" = "$(cat "$G/mail/mail-control.json")" ]
}

# peak COMMAND: runs it; prints the largest resident size in MB on the last line.
peak() {
	python3 -c 'import resource, subprocess, sys
rc = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
sys.exit(rc)' "$@"
}

@test "a message of 200 MB needs little memory, from a file and from a pipe" {
	# Mapped pages would count too: a mail is read, not mapped.
	local max=60 from
	[ "${TEST_SLOW:-1}" = 1 ] || max=600
	python3 - >big.eml <<-'END'
		import sys
		w = sys.stdout.buffer.write
		w(b"From: a@one.test\r\nMessage-ID: <chat$big@one.test>\r\n"
		  b"Chat-Version: 1.0\r\nMIME-Version: 1.0\r\n"
		  b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		  b"--b\r\nContent-Type: text/plain\r\n\r\na big one\r\n"
		  b"--b\r\nContent-Type: video/webm; name=v.webm\r\n"
		  b"Content-Transfer-Encoding: base64\r\n\r\n")
		line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"
		for i in range(2700):
		    w(line * 1000)
		w(b"--b--\r\n")
	END
	[ "$(stat -c %s big.eml)" -gt 200000000 ]
	for from in big.eml -; do
		peak coi-fetch --json -f "$from" < <(cat big.eml) >out
		[ "$(head -n 1 out | jq -c '[.text,.attachments[0].size,.meta.warnings]')" = \
			'["a big one",153900000,[]]' ]
		[ "$(tail -n 1 out)" -lt $max ]
	done
	peak coi-fetch --json --save s -f - < <(cat big.eml) >out
	[ "$(tail -n 1 out)" -lt $max ]
	[ "$(stat -c %s s/v.webm)" = 153900000 ]
	[ "$(head -n 1 out | jq -r '.attachments[0].path')" = s/v.webm ]
}

@test "what cannot be read: status and reason" {
	run coi-fetch -f nothing.eml
	status_is 66
	contains "$output" nothing.eml
	mkdir empty
	run coi-fetch -f empty
	status_is 0
	[ -z "$output" ]
	run coi-fetch --fail-empty -f empty
	status_is 1
	# The mbox of somebody who has no mail, a program that printed nothing.
	: >mbox
	run coi-fetch -f mbox
	status_is 0
	[ -z "$output" ]
	run coi-fetch --fail-empty -f - </dev/null
	status_is 1
	[ -z "$output" ]
	run coi-fetch --limit 1 --json -f "$G/mail/mail-mbox.eml"
	[ "$(wc -l <<<"$output")" = 1 ]
}

@test "a FIFO or a folder among the mails holds nothing up" {
	mkdir -p d/sub
	mkfifo d/a
	cp "$G/mail/coi-text.eml" d/b.eml
	run timeout 10 coi-fetch --json -f d
	status_is 0
	[ "$output" = "$(cat "$G/mail/coi-text.json")" ]
}

@test "SIGTERM while a mail is still coming ends quietly" {
	mkfifo in
	coi-fetch --json -f in >out 2>err &
	local pid=$!
	exec 9>in
	head -c 100 "$G/mail/coi-text.eml" >&9
	sleep 0.3
	kill -TERM $pid
	wait $pid
	exec 9>&-
	[ ! -s out ]
	[ ! -s err ]
}

@test "--max-size leaves a large attachment where it is and says so" {
	coi-fetch --json --save s --max-size 500 -f "$G/mail/coi-preview-video.eml" >out
	[ "$(jq -c '.attachments[0]|[.section,.size,.path]' out)" = '["2",928,null]' ]
	[ -z "$(ls -A s)" ]
	coi-fetch --json --inline --max-size 600 -f "$G/mail/coi-preview-video.eml" >out
	[ "$(jq -c '.attachments[0]|[.section,.data]' out)" = '["2",null]' ]
	[ "$(jq -r '.attachments[0].preview.data' out | base64 -d | wc -c)" = 534 ]
}

# --- statements of the standard ----------------------------------------------

@test "ids: coi\$ of old is read; parameters behind the version are no version (CLI-001, CLI-029)" {
	[ "$(get coi-old-id '[.meta.chat,.meta.detectedBy]')" = '[true,["message-id"]]' ]
	[ "$(get coi-version-parameters .meta.chatVersion)" = 1.0 ]
}

@test "References name the first and the last message only (CLI-035)" {
	[ "$(get coi-group-requested '.references|length')" = 2 ]
	[ "$(get coi-group-requested '[.references[1]==.inReplyTo,.group.id]')" = '[true,"harbor-crew-07"]' ]
}

@test "Chat-Content counts in the message and in a part; ignored parts are not shown (CLI-044, CLI-045)" {
	[ "$(get coi-editrequest .chatContent)" = editrequest ]
	[ "$(get coi-word-in-capitals .chatContent)" = editrequest ]
	[ "$(get coi-formatted-ignored-plain .text)" = 'words for everybody' ]
	[ "$(get coi-ignored-container '[.text,.html]')" = '["words for everybody",null]' ]
	contains "$(get coi-ignored-container .text --full)" 'mail programs'
	lacks "$(get coi-formatted-nested .html)" chat.harbor.test
}

@test "the word of another client is passed through as it is (CLI-059)" {
	[ "$(get coi-extension-header '[.chatContent,.text]')" = '["test.harbor.chess.Resign","Mira gives up."]' ]
	[ "$(jq -r .chatContent "$G/deltachat/out-plain-08-sticker.json")" = sticker ]
}

@test "header fields that nobody knows are borne; --headers lists them (CLI-060)" {
	[ "$(get coi-unknown-headers '[.text,.headers]')" = '["headers nobody knows",null]' ]
	[ "$(get coi-unknown-headers '[.headers[]|.name+"="+.value]' --headers)" = \
		'["X-Tide=high","X-Tide=low"]' ]
}

@test "mail of ordinary programs is shown: HTML, character sets, encodings (CLI-068, CLI-069)" {
	local f
	for f in html-only html-empty-plain html-related latin1 iso-2022-jp \
		gb2312 koi8-r utf16 charset-unknown charset-absent \
		flowed-delsp base64-broken qp-broken bare; do
		[ "$(get "mail-$f" '(.text|length)>0 and (.text|contains("�")|not)')" = true ] || {
			echo "mail-$f: $(get "mail-$f" .text)"
			return 1
		}
	done
	lacks "$(get mail-html-only .text)" '<p>'
	lacks "$(get mail-html-only .text)" hidden
}

@test "quotes and signatures are cut; --full keeps them beside (CLI-070, CLI-071)" {
	local f n=0
	for f in "$G"/mail/mail-quote-*.eml "$G"/mail/mail-signature*.eml \
		"$G"/mail/mail-outlook*.eml; do
		n=$((n + 1))
		coi-fetch --json --full -f "$f" >out
		# What was cut is in fullText, and nothing of it in text.
		[ "$(jq '(.text//""|test("(^|\n)(>|-- |-----)|@harbor|vender|Tel")|not)
			and (.fullText|length) > (.text//""|length)' out)" = true ] || {
			echo "$f"
			cat out
			return 1
		}
		[ "$(coi-fetch --json -f "$f" | jq .fullText)" = null ]
	done
	[ "$n" -ge 17 ]
	# What was forwarded is no quote, and a chat program quotes nothing.
	contains "$(get mail-forward .text)" 'Fees rise'
	contains "$(get coi-own-words .text)" '> so was this'
}

@test "plain, markdown and html forms are all there, from any nesting (CLI-075, CLI-076)" {
	[ "$(get coi-formatted-nested '[.text,.markdown,.html]')" = \
		'["the harbour is really close","the harbour is *really* close","<p>the harbour is <em>really</em> close</p>"]' ]
}

@test "photos, sounds and films come out as they went in (CLI-078, CLI-079, CLI-080, CLI-081, CLI-082, CLI-083, CLI-086)" {
	coi-fetch --json --save s -f "$G/mail/coi-media.eml" >out
	[ "$(jq -r '.attachments[].type' out | tr '\n' ' ')" = \
		'image/webp image/gif audio/mp4 audio/aac video/mp4 ' ]
	[ "$(stat -c %s s/w.webp s/g.gif s/a.m4a s/a.aac s/v.mp4 | tr '\n' ' ')" = '100 101 102 103 104 ' ]
	for t in two-files preview-video image; do
		coi-fetch --json --save s -f "$G/mail/coi-$t.eml"
	done >>out
	for t in audio/webm video/webm image/jpeg image/png; do
		jq -es --arg t $t 'any(.[].attachments[]; .type==$t or .preview.type==$t)' out
	done
	# An independent decoder agrees on the octets.
	sed '1,/^\r$/d' "$G/mail/coi-image.eml" | tr -d '\r' | base64 -d | cmp - s/lighthouse.png
}

@test "several files, and one file as the whole message (CLI-090, CLI-091, CLI-093)" {
	[ "$(get coi-two-files '[.attachments[]|[.type,.name]]')" = \
		'[["audio/webm",null],["image/jpeg","tide table.jpg"]]' ]
	[ "$(get coi-image '[.text,(.attachments|length),.attachments[0].disposition]')" = '[null,1,"inline"]' ]
}

@test "a preview and its film are one attachment (CLI-095)" {
	[ "$(get coi-preview-video '[(.attachments|length),.attachments[0].type,.attachments[0].preview.type]')" = \
		'[1,"video/webm","image/jpeg"]' ]
	# None is lost when it stands alone.
	[ "$(get coi-preview-alone '[.attachments[]|.name,.preview.name]')" = \
		'["one.png",null,"film.webm","two.png","last.jpg",null]' ]
}

@test "encrypted mail is a record without text and with a warning" {
	local f n=0
	for f in "$G"/deltachat/out-*.eml; do
		[ -e "${f%.eml}.decrypted.eml" ] || continue
		n=$((n + 1))
		[ "$(jq -c '[.encrypted,.text,.attachments,(.meta.warnings|length)]' \
			"${f%.eml}.json")" = '[true,null,null,1]' ]
	done
	[ $n -ge 24 ]
}

# --- there and back ----------------------------------------------------------

back() { coi-fetch --json --inline --headers -f "$@" | jq -Sc 'del(.v,.imap,.meta)'; }

@test "messages, forms, files and previews come back from the wire as they were" {
	cd "$G/roundtrip"
	coi-send -n --keep --json in.jsonl >"$T/mbox"
	back "$T/mbox" >"$T/have"
	jq -Sc . out.jsonl | diff - "$T/have"
	[ "$(wc -l <"$T/have")" -ge 40 ]
}

@test "one message alone, through a pipe, comes back as well" {
	local line n=0
	cd "$G/roundtrip"
	while IFS= read -r line; do
		n=$((n + 1))
		coi-send -n --keep --json <<<"$line" | back -
	done <in.jsonl >"$T/have"
	jq -Sc . out.jsonl | diff - "$T/have"
}

@test "what coi-fetch prints can be sent as it is, and comes back unchanged" {
	cd "$G/roundtrip"
	coi-send -n --keep --json in.jsonl | coi-fetch --json --inline --headers -f - >"$T/one"
	coi-send -n --keep --json "$T/one" | coi-fetch --json --inline --headers -f - >"$T/two"
	cmp "$T/one" "$T/two"
}

@test "every record of tests/golden/mail that can be sent comes back" {
	local f n=0
	for f in "$G"/mail/*.eml; do
		# Controls in names are not written.
		case $f in */mail-mbox.eml | */mail-control.eml) continue ;; esac
		coi-fetch --json --inline -f "$f" >one
		# What a mail lacks is filled in: that cannot come back.
		jq -e '.id and .sentAt and .from' one >/dev/null || continue
		coi-send -n --keep --json one >mail 2>err || continue
		n=$((n + 1))
		coi-fetch --json --inline -f mail >two
		for x in one two; do
			# Blanks at line ends would be soft line breaks.
			jq -Sc '[.id,.sentAt,.from,.to,.cc,.markdown,
				(.text//""|gsub("[ \t]+(?<e>\n|$)";.e)),
				(.attachments//[]|map(.data,.preview.data)),
				.group,.receiptRequested]' $x >$x.s
		done
		diff one.s two.s || {
			echo "$f"
			return 1
		}
	done
	echo "$n came back"
	[ $n -ge 70 ]
}
