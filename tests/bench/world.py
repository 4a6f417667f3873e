"""What the benchmarks share: servers, mailboxes, timed runs, ratios."""
import atexit
import base64
import json
import os
import quopri
import re
import shlex
import shutil
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = os.path.realpath(sys.executable)


class Wrong(Exception):
    """A result that was counted is not what it must be."""


class Missing(Exception):
    """A peer is not installed."""


def peer(name, *version):
    """The path of a peer and its version."""
    path = shutil.which(name)
    if path is None:
        raise Missing(name)
    text = ""
    if version:
        r = subprocess.run([path, *version], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = r.stdout.decode(errors="replace")
    else:
        r = subprocess.run(["dpkg-query", "-W", "-f", "${Version}",
                            {"mshow": "mblaze"}.get(name, name)],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        text = r.stdout.decode()
    m = re.search(r"\d+\.[\d.]*\d", text)
    return path, "%s %s" % (name, m.group(0) if m else "?")


# --- mails ------------------------------------------------------------------

WORDS = ("the server answers with one literal for each message and the line "
         "goes out as it came in while nobody waits for what is already here "
         "so a conversation of many people stays quick on any machine").split()


def words(n, seed, accents=False):
    out = []
    for i in range(n):
        w = WORDS[(seed * 7 + i * 13 + i // 5) % len(WORDS)]
        out.append(w.replace("e", "\u00e9") if accents and i % 4 == 0 else w)
    lines = [" ".join(out[i:i + 11]) for i in range(0, n, 11)]
    return "\r\n".join(lines) + "\r\n"


def mail(i, to, chat=True, attachment=0, plain=False):
    """Mail number i, about 1.2 kB: text/plain mostly in 7bit, some quoted
    printable, some base64, some multipart."""
    head = (
        "Return-Path: <peer%d@elsewhere.test>\r\n"
        "Delivered-To: <%s>\r\n"
        "Received: from mx.elsewhere.test ([192.0.2.7])\r\n"
        "\tby mail.one.test with LMTP id q%07dAAAA\r\n"
        "\t(envelope-from <peer%d@elsewhere.test>); "
        "Mon, 16 Nov 2026 %02d:%02d:%02d +0000\r\n"
        "From: Peer %d <peer%d@elsewhere.test>\r\nTo: <%s>\r\n"
        "Date: Mon, 16 Nov 2026 %02d:%02d:%02d +0000\r\n"
        % (i % 50, to, i, i % 50, i // 3600 % 24, i // 60 % 60, i % 60,
           i % 50, i % 50, to, i // 3600 % 24, i // 60 % 60, i % 60))
    if chat:
        head += ("Message-ID: <chat$b%07d.k%05d@elsewhere.test>\r\n"
                 "References: <chat$root%d@elsewhere.test>\r\n"
                 "Chat-Version: 1.0\r\n" % (i, i % 99991, i % 50))
    else:
        head += ("Message-ID: <m%07d@elsewhere.test>\r\n"
                 "Subject: about number %d\r\n" % (i, i))
    head += "MIME-Version: 1.0\r\n"
    kind = 0 if plain else i % 20
    text = words(95, i, accents=kind in range(12, 19))
    if attachment:
        body = base64.encodebytes(os.urandom(57) * (attachment // 78))
        body = body.decode().replace("\n", "\r\n")
        return (head + 'Content-Type: multipart/mixed; boundary="=_x%d"\r\n'
                "\r\n--=_x%d\r\nContent-Type: text/plain\r\n\r\n%s\r\n"
                "--=_x%d\r\nContent-Type: application/octet-stream; "
                'name="data.bin"\r\nContent-Disposition: attachment; '
                'filename="data.bin"\r\nContent-Transfer-Encoding: base64'
                "\r\n\r\n%s\r\n--=_x%d--\r\n"
                % (i, i, text, i, body, i)).encode()
    ctype = 'Content-Type: text/plain; charset="utf-8"\r\n'
    if kind < 12:
        body = ctype + "Content-Transfer-Encoding: 7bit\r\n\r\n" + text
    elif kind < 16:
        q = quopri.encodestring(text.replace("\r\n", "\n").encode()).decode()
        body = (ctype + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" +
                q.replace("\n", "\r\n"))
    elif kind < 19:
        b = base64.encodebytes(text.encode()).decode()
        body = (ctype + "Content-Transfer-Encoding: base64\r\n\r\n" +
                b.replace("\n", "\r\n"))
    else:
        body = ('Content-Type: multipart/alternative; boundary="=_a%d"\r\n'
                "\r\n--=_a%d\r\n%s\r\n%s\r\n--=_a%d\r\n"
                "Content-Type: text/html; charset=utf-8\r\n\r\n"
                "<p>%s</p>\r\n\r\n--=_a%d--\r\n"
                % (i, i, ctype, text, i, text, i))
    return (head + body).encode()


# --- runs -------------------------------------------------------------------

class Times:
    """The runs of one program."""

    def __init__(self):
        self.s, self.cpu, self.rss = [], [], []

    def add(self, runs):
        for r in runs:
            self.s.append(r["s"])
            self.cpu.append(r["cpu"])
            self.rss.append(r["rss_kb"])

    @property
    def median(self):
        return statistics.median(self.s)

    @property
    def least(self):
        return min(self.s)

    def show(self):
        return {"median": round(self.median, 5), "min": round(self.least, 5),
                "cpu": round(statistics.median(self.cpu), 5),
                "rss_mb": round(max(self.rss) / 1024, 1)}


class World:
    def __init__(self, build, quick):
        self.build, self.quick = os.path.abspath(build), quick
        self.rounds = 3 if quick else 9
        self.dir = tempfile.mkdtemp(prefix="coi-bench.", dir="/tmp")
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self.memory = self.dir
        if os.path.ismount("/dev/shm") and \
                shutil.disk_usage("/dev/shm").free > 4 << 30:
            self.memory = tempfile.mkdtemp(prefix="coi-bench.",
                                           dir="/dev/shm")
            atexit.register(shutil.rmtree, self.memory, ignore_errors=True)
        self.servers, self.count = [], 0
        atexit.register(self.end)
        self.env = dict(os.environ, HOME=self.dir, LC_ALL="C.UTF-8", TZ="UTC",
                        PATH="%s:/usr/local/bin:/usr/bin:/bin" % self.build,
                        MBLAZE=self.dir + "/mblaze", PYTHONNOUSERSITE="1")
        for k in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME",
                  "COI_CONFIG", "COI_ACCOUNT"):
            self.env.pop(k, None)
        os.mkdir(self.dir + "/mblaze")
        self._mail = None

    def end(self):
        for p in self.servers:
            p.kill()
            p.wait()
        if self._mail:
            # a hundred thousand files take longer than `down` waits
            subprocess.run([ROOT + "/tests/servers/down", self._mail["D"]],
                           stderr=subprocess.DEVNULL)
            wait_for(lambda: not os.path.exists(self._mail["D"]), 120)

    def path(self, name, memory=False):
        self.count += 1
        return "%s/%03d-%s" % (self.memory if memory else self.dir,
                               self.count, name)

    def write(self, name, text):
        path = self.path(name)
        with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return path

    # servers

    @property
    def mail(self):
        """The two mail servers' environment; started when first needed."""
        if self._mail is None:
            top = subprocess.run(
                [ROOT + "/tests/servers/up", "--for", str(os.getpid())],
                env=dict(os.environ, COI_TEST_IDLE_CHECK="30s"),
                stdout=subprocess.PIPE, check=True).stdout.decode().strip()
            with open(top + "/env") as f:
                self._mail = dict(shlex.split(l)[0].split("=", 1) for l in f)
        return self._mail

    def serve(self, name, *args):
        """A helper that serves: its process and port."""
        p = subprocess.Popen(["%s/bench/%s" % (self.build, name),
                              *map(str, args)], stdout=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True)
        self.servers.append(p)
        return p, int(p.stdout.readline().split()[1])

    # mailboxes

    @staticmethod
    def site(user):
        return "TWO" if user in ("bob", "dave") else "ONE"

    def address(self, user):
        return "%s@%s" % (user, self.mail[self.site(user) + "_DOMAIN"])

    def port(self, user, name):
        return int(self.mail["%s_%s_PORT" % (self.site(user), name)])

    def maildir(self, user):
        return "%s/mail/%s" % (self.mail[self.site(user) + "_DIR"], user)

    def fill(self, user, mails):
        """A mailbox with these and nothing else."""
        top = self.maildir(user)
        if os.path.exists(top):
            os.rename(top, "%s.%d" % (top, self.count))
            self.count += 1
        own = os.stat(os.path.dirname(top))
        new = top + "/Maildir/cur"
        os.makedirs(new)
        for d in ("tmp", "new"):
            os.mkdir("%s/Maildir/%s" % (top, d))
        n = 0
        for n, m in enumerate(mails, 1):
            name = "%s/%d.M%dP1.bench,S=%d,W=%d:2," % (
                new, 1794000000 + n, n, len(m), len(m))
            with open(name, "wb") as f:
                f.write(m)
            if os.geteuid() == 0:
                os.chown(name, own.st_uid, own.st_gid)
        if os.geteuid() == 0:
            for d in ("", "/Maildir", "/Maildir/cur", "/Maildir/new",
                      "/Maildir/tmp"):
                os.chown(top + d, own.st_uid, own.st_gid)
        return n

    def deliver(self, user, mails):
        with smtplib.LMTP("127.0.0.1", self.port(user, "LMTP"),
                          local_hostname="localhost") as s:
            for m in mails:
                s.sendmail("peer@elsewhere.test", [self.address(user)], m)

    # accounts and runs of ours

    def config(self, user, **keys):
        secret = self.write("password", "secret-%s\n" % user)
        have = {"address": self.address(user), "imap-host": "localhost",
                "imap-port": self.port(user, "IMAPS"),
                "imap-tls": "implicit", "smtp-host": "localhost",
                "smtp-port": self.port(user, "SMTP"), "smtp-tls": "starttls",
                "user": self.address(user), "password-file": secret,
                "sent-folder": "none", "ca-file": self.mail["CA_FILE"]}
        have.update({k.replace("_", "-"): v for k, v in keys.items()})
        return self.write("config", "[account %s]\n" % user + "".join(
            "%s = %s\n" % kv for kv in have.items()))

    def tool(self, name, config, *args, state=None):
        return ["%s/%s" % (self.build, name), "-c", config, "--state-dir",
                state or self.path("state"), *args]

    def run(self, argv, n=1, ok=(0,), stdin=None, stdout=None, stderr=None):
        """Runs of a command, timed by a small parent."""
        cmd = [self.build + "/bench/run", "-n", str(n)]
        for flag, value in (("-i", stdin), ("-o", stdout), ("-e", stderr)):
            if value:
                cmd += [flag, value]
        r = subprocess.run(cmd + list(argv), env=self.env, check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           cwd=self.dir)
        runs = [json.loads(l) for l in r.stdout.splitlines()]
        for x in runs:
            if x["status"] not in ok:
                text = open(stderr).read() if stderr else ""
                raise Wrong("%s ended with %d %s" % (
                    os.path.basename(argv[0]), x["status"], text))
        return runs

    def fetch(self, config, *args, expect, state=None, out=None):
        """One run of coi-fetch that must print so many records."""
        err = self.path("stderr")
        runs = self.run(self.tool("coi-fetch", config, "--json", "-v", *args,
                                  state=state), stdout=out, stderr=err)
        text = open(err).read()
        m = re.search(r"(\d+) printed.*; (\d+) octets in", text)
        if not m or int(m.group(1)) != expect:
            raise Wrong("coi-fetch printed not %d: %s" % (expect, text))
        if out and lines(out) != expect:
            raise Wrong("coi-fetch wrote %d lines, not %d"
                        % (lines(out), expect))
        return runs, int(m.group(2))


def lines(path):
    n = 0
    with open(path, "rb") as f:
        while True:
            b = f.read(1 << 20)
            if not b:
                return n
            n += b.count(b"\n")


def interleave(rounds, *steps):
    """Each step once for warming up, then round by round; a step returns its
    runs and does its own checking."""
    times = [Times() for _ in steps]
    for i in range(rounds + 1):
        for t, step in zip(times, steps):
            os.sync()  # what one has written is not the next one's burden
            runs = step()
            if i > 0:
                t.add(runs)
    return times


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
