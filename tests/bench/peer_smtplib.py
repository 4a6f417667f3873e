"""peer_smtplib.py PORT USER PASSWORD [CA]: sends the records on stdin, one
after the other, as a script of the standard library does it."""
import json
import smtplib
import ssl
import sys

port, user, password = sys.argv[1:4]
with smtplib.SMTP("localhost", int(port), local_hostname="localhost") as s:
    if len(sys.argv) > 4:
        s.starttls(context=ssl.create_default_context(cafile=sys.argv[4]))
    s.login(user, password)
    for n, line in enumerate(sys.stdin):
        r = json.loads(line)
        text = (
            "Message-ID: <chat$%d@one.test>\r\nFrom: <%s>\r\nTo: <%s>\r\n"
            "Date: Mon, 16 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Chat-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "\r\n%s\r\n" % (n, user, r["to"][0]["email"], r["text"]))
        s.sendmail(user, [r["to"][0]["email"]], text)
        print(json.dumps({"result": "accepted", "input": n + 1}))
