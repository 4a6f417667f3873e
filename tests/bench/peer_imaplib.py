"""peer_imaplib.py PORT CA USER PASSWORD: all of INBOX to JSON Lines, as a
script of the standard library does it."""
import email
import imaplib
import json
import ssl
import sys

port, ca, user, password = sys.argv[1:]
ctx = ssl.create_default_context(cafile=ca)
box = imaplib.IMAP4_SSL("localhost", int(port), ssl_context=ctx)
box.login(user, password)
box.select("INBOX", readonly=True)
ok, data = box.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
for item in data:
    if not isinstance(item, tuple):
        continue
    m = email.message_from_bytes(item[1])
    part = m
    if m.is_multipart():
        part = next(p for p in m.walk()
                    if p.get_content_type() == "text/plain")
    text = part.get_payload(decode=True).decode(
        part.get_content_charset("utf-8"), "replace")
    sys.stdout.write(json.dumps({
        "id": m["Message-ID"], "from": m["From"], "to": m["To"],
        "date": m["Date"], "references": m["References"],
        "text": text}) + "\n")
box.logout()
