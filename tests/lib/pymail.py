#!/usr/bin/env python3
"""What Python's email package reads in mail files, to compare with ours.

    pymail.py DIR/FILE.eml... <RECORDS

RECORDS are lines of {"file": ..., "record": ...}, where the record is what
coi-fetch --json --save --full printed for the file.  For each message: the
SHA-256 of every attachment that was saved, the decoded text parts, ids,
addresses and subject must agree.  One line for each difference; exit 1.
"""
import email
import email.policy
import email.utils
import hashlib
import json
import sys

SKIPPED = ("application/pgp-signature", "application/pkcs7-signature")
# What Python decodes otherwise than RFC or practice say, by file and topic.
DIFFERENT = {
    "mail-boundary-wrong": {"attachments"},  # no part at all in Python
    "mail-charset-absent": {"text"},         # 8 bit without a name
    "mail-charset-unknown": {"text"},
    "mail-8bit-headers": {"subject"},
    "mail-latin1-is-1252": {"text"},         # as every browser reads it
    "mail-names-hostile": {"names"},         # folders are cut off
    "mail-rfc2231": {"names"},
}


def leaves(m, inside=()):
    if m.get_content_maintype() == "multipart" and m.is_multipart():
        for p in m.get_payload():
            yield from leaves(p, inside + (m.get_content_type(),))
    else:
        yield m, inside


def octets(p):
    """Decoded content; of an embedded message its own octets."""
    if p.get_content_maintype() == "message":
        return None
    return p.get_payload(decode=True) or b""


def attached(p):
    return (p.get_content_disposition() == "attachment" or
            p.get_filename() is not None)


def chat_content(p):
    return str(p.get("Chat-Content", "")).split(";")[0].strip().lower()


def read(data):
    """Hashes of attachments in order, and the plain texts."""
    m = email.message_from_bytes(data, policy=email.policy.compat32)
    files, texts = [], []
    html = markdown = False
    for p, inside in leaves(m):
        kind = p.get_content_type()
        if "multipart/encrypted" in inside or kind in SKIPPED or \
           kind == "application/pkcs7-mime":
            continue
        preview = chat_content(p) == "preview"
        if kind == "text/plain" and not attached(p) and not preview:
            texts.append(p)
        elif kind == "text/html" and not attached(p) and not html:
            html = True
        elif kind == "text/markdown" and not attached(p) and not markdown:
            markdown = True
        else:
            files.append(p)
    return m, files, texts


def words(s):
    """Without blanks and quote marks: soft line breaks are ours to join."""
    return "".join(s.replace(">", "").split())


def text_of(p):
    raw = p.get_payload(decode=True) or b""
    return raw.decode(p.get_content_charset() or "utf-8", "replace")


def blobs(record):
    """Saved files in the order of the parts: a preview stands before."""
    for b in record.get("attachments", []):
        if "preview" in b:
            yield b["preview"]
        yield b


def differences(name, data, record):
    known = DIFFERENT.get(name, set())
    m, files, texts = read(data)
    ours = list(blobs(record))
    if "attachments" not in known:
        if len(ours) != len(files):
            yield "%d attachments, not %d" % (len(ours), len(files))
        for b, p in zip(ours, files):
            if b["type"] != p.get_content_type():
                yield "type %s, not %s" % (b["type"], p.get_content_type())
            want = octets(p)
            with open(b["path"], "rb") as f:
                have = f.read()
            if len(have) != b["size"]:
                yield "%s: size %d, but %d octets saved" % (
                    b["path"], b["size"], len(have))
            if want is not None and hashlib.sha256(want).digest() != \
                    hashlib.sha256(have).digest():
                yield "%s: content differs" % b["path"]
            file = p.get_filename()
            if file is not None and "names" not in known and \
                    email.utils.collapse_rfc2231_value(file) != b.get("name"):
                decoded = str(email.header.make_header(
                    email.header.decode_header(file)))
                if decoded != b.get("name"):
                    yield "name %r, not %r" % (b.get("name"), decoded)
    if "text" not in known and texts:
        want = words("".join(text_of(p) for p in texts))
        have = words(record.get("fullText", record.get("text", "")))
        if want and want != have:
            yield "text %r, not %r" % (have, want)
    if m["Message-ID"] and "X-Microsoft-Original-Message-ID" not in m and \
            m["Message-ID"].strip().strip("<>") != record.get("id"):
        yield "id %r" % record.get("id")
    if "subject" not in known and m["Subject"] and "group" not in record:
        want = str(email.header.make_header(
            email.header.decode_header(m["Subject"])))
        if words(want) != words(record.get("subject", "")):
            yield "subject %r, not %r" % (record.get("subject"), want)
    if m["Date"]:
        try:
            want = email.utils.parsedate_to_datetime(m["Date"]).timestamp()
        except (TypeError, ValueError):
            want = None
        if want is not None and "sentAt" in record:
            have = email.utils.datetime.datetime.fromisoformat(
                record["sentAt"].replace("Z", "+00:00")).timestamp()
            if have != want:
                yield "date %s, not %s" % (record["sentAt"], m["Date"])
        elif want is not None:
            yield "no date"


def main():
    bad = count = 0
    for line in sys.stdin:
        x = json.loads(line)
        with open(x["file"], "rb") as f:
            data = f.read()
        name = x["file"].rsplit("/", 1)[-1].rsplit(".", 1)[0]
        count += 1
        for d in differences(name, data, x["record"]):
            print("%s: %s" % (x["file"], d))
            bad += 1
    print("%d messages compared" % count)
    sys.exit(bad > 0 or count == 0)


if __name__ == "__main__":
    main()
