"""peer_idle.py PORT CA USER PASSWORD: IDLE with Python's imaplib as its users
write it; one JSON line a message."""
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
top = int(box.response("UIDNEXT")[1][0])
while True:
    box.send(b"%s IDLE\r\n" % box._new_tag())
    while b"EXISTS" not in (line := box.readline()):
        if line.startswith(b"+"):
            print("ready", flush=True)
        elif not line:
            sys.exit("the server closed the connection")
    box.send(b"DONE\r\n")
    while b" OK " not in box.readline():
        pass
    ok, data = box.uid("FETCH", "%d:*" % top, "(UID BODY.PEEK[])")
    for item in data:
        if not isinstance(item, tuple):
            continue
        uid = int(item[0].split(b"UID ")[1].split()[0])
        if uid < top:
            continue
        top = uid + 1
        m = email.message_from_bytes(item[1])
        print(json.dumps({"id": m["Message-ID"], "from": m["From"],
                          "text": m.get_payload()}), flush=True)
