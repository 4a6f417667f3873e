"""What killtest and killload share: who is killed, and at which points.

Expects the environment of the bats files: $T, $D, tools in $PATH, two servers.
"""
import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
T, D = os.environ["T"], os.environ["D"]
SLOW = float(os.environ.get("TEST_SLOW", "1"))


class Wrong(Exception):
    pass


def check(good, *what):
    if not good:
        raise Wrong(" ".join(str(x) for x in what)[:3000])


def points(*prefixes):
    """The names in sys_point() and tx_commit() of the sources."""
    found = set()
    for name in glob.glob(ROOT + "/lib/*/*.c") + glob.glob(ROOT + "/cmd/*.c"):
        with open(name) as f:
            text = f.read()
        found.update(re.findall(r'sys_point\("([^"]+)"', text))
        for commit in re.findall(r'tx_commit\(\s*s,\s*"([^"]+)"', text):
            found.update((commit + ".before", commit + ".after"))
    check(len(found) > 20, "only these points are in the sources:", found)
    return sorted(p for p in found if p.startswith(prefixes))


def snapshot(state, copy):
    """The databases at one moment each, without what belongs to a process."""
    os.mkdir(copy)
    for name in glob.glob(state + "/*.db"):
        here = sqlite3.connect(name, timeout=60)
        there = sqlite3.connect(os.path.join(copy, os.path.basename(name)))
        here.backup(there)
        here.close()
        there.close()


class User:
    def __init__(self, name):
        self.name = name
        self.config = os.path.join(T, "config-" + name)
        self.configure("")

    def configure(self, more):
        with open(os.path.join(D, "config-" + self.name)) as f:
            text = f.read()
        with open(self.config, "w") as f:
            f.write(text + more)

    def run(self, argv, state, stdin=None, kill=None, after=None):
        """(status, stdout lines, stderr); -9 is a kill.  A torn last line is
        none: who reads lines does not see it."""
        env = dict(os.environ, HOME=T)
        env.pop("COI_TEST_KILL_AT", None)
        if kill:
            env["COI_TEST_KILL_AT"] = kill
        argv = [argv[0], "-c", self.config, "--state-dir", state] + argv[1:]
        p = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if after is not None:
            time.sleep(after)
            p.kill()
        try:
            out, err = p.communicate(stdin or b"", timeout=60 * SLOW)
        except subprocess.TimeoutExpired:
            p.kill()
            raise Wrong("does not end:", " ".join(argv))
        lines = out.split(b"\n")
        check(p.returncode == -9 or lines[-1] == b"",
              "a torn line without a kill:", lines[-1])
        return (p.returncode, [json.loads(x) for x in lines[:-1]],
                err.decode(errors="replace"))

    def uncommitted(self, state, live=False):
        """The ids that a copy of the state does not know as done; live: it
        changes meanwhile."""
        copy = state + ".copy"
        if live:
            snapshot(state, copy)
        elif os.path.exists(state):
            shutil.copytree(state, copy)
        status, lines, err = self.run(["coi-fetch", "--json"], copy)
        shutil.rmtree(copy, ignore_errors=True)
        check(status == 0 and err == "", "coi-fetch:", status, err)
        return {x["id"] for x in lines}

    def mails(self, sub=""):
        """The texts in the Maildir."""
        site = {"bob": "two"}.get(self.name, "one")
        base = os.path.join(D, site, "mail", self.name, "Maildir", sub)
        for name in (glob.glob(os.path.join(base, "new", "*")) +
                     glob.glob(os.path.join(base, "cur", "*"))):
            try:
                with open(name, "rb") as f:
                    yield f.read().replace(b"\r\n", b"\n").decode()
            except FileNotFoundError:
                continue

    def mailbox(self, sub=""):
        """[(Message-ID, text)] of them."""
        mails = []
        for mail in self.mails(sub):
            text = re.search(r"kill-\S+", mail)
            mails.append((header(mail, "Message-ID"),
                          text.group(0) if text else None))
        return mails


def header(mail, name):
    """What is in its angle brackets; None: there is none."""
    found = re.search(r"^%s:\s*<(.*)>" % name, mail, re.M | re.I)
    return found and found.group(1)
