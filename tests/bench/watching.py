"""The benchmarks of coi-watch: how long from the end of a delivery to a line,
and what waiting costs."""
import json
import os
import random
import re
import select
import smtplib
import statistics
import subprocess
import time

from world import HERE, PYTHON, Missing, Wrong, mail, wait_for

MODULES = HERE + "/../../build/deps/node"


class Watcher:
    """A program that prints lines as messages come, and when."""

    def __init__(self, w, argv, ready):
        self.name = os.path.basename(argv[0])
        self.err = w.path("stderr")
        with open(self.err, "wb") as err:
            self.p = subprocess.Popen(
                argv, env=w.env, cwd=w.dir, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=err)
        w.servers.append(self.p)
        self.buf, self.texts = b"", []
        os.set_blocking(self.p.stdout.fileno(), False)
        if not wait_for(lambda: self.read(0.05) and ready(self.texts), 30):
            raise Wrong("%s is not ready: %s" % (self.name, self.said()))

    def said(self):
        with open(self.err, errors="replace") as f:
            return f.read()

    def read(self, timeout):
        """Takes what is there; true when anything was."""
        if not select.select([self.p.stdout], [], [], timeout)[0]:
            return bool(self.texts)
        data = os.read(self.p.stdout.fileno(), 1 << 20)
        if not data:
            raise Wrong("%s ended: %s" % (self.name, self.said()))
        *new, self.buf = (self.buf + data).split(b"\n")
        self.texts += [x.decode() for x in new]
        return bool(self.texts)

    def cpu(self):
        with open("/proc/%d/stat" % self.p.pid) as f:
            v = f.read().rpartition(")")[2].split()
        return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self):
        with open("/proc/%d/status" % self.p.pid) as f:
            m = re.search(r"VmRSS:\s+(\d+)", f.read())
        return int(m.group(1)) / 1024

    def end(self):
        self.p.terminate()
        self.p.wait()


def coi_watch(w, config, *args):
    def ready(texts):
        return any('"event":"ready"' in t for t in texts)
    return Watcher(w, w.tool("coi-watch", config, "--json", *args), ready)


def raw_idle(w, user):
    return Watcher(w, [w.build + "/bench/floor", "-w",
                       str(w.port(user, "IMAPS")), w.mail["CA_FILE"],
                       w.address(user), "secret-" + user, "INBOX"],
                   lambda texts: any(t.startswith("+") for t in texts))


def python_idle(w, user):
    return Watcher(w, [PYTHON, HERE + "/peer_idle.py",
                       str(w.port(user, "IMAPS")), w.mail["CA_FILE"],
                       w.address(user), "secret-" + user],
                   lambda texts: "ready" in texts)


def imapflow_idle(w, user):
    return Watcher(w, ["node", HERE + "/peer_idle.mjs", MODULES,
                       str(w.port(user, "IMAPS")), w.mail["CA_FILE"],
                       w.address(user), "secret-" + user],
                   lambda texts: '"ready"' in texts)


def new_line(t, mark):
    """A line that tells of the message, or that there is one."""
    return mark in t or " EXISTS" in t


def deliver_and_time(w, user, n, watchers, pause, first=0):
    """For each watcher the times in ms from the end of a delivery (LMTP's
    250) to its line."""
    out = [[] for _ in watchers]
    rnd = random.Random(7)
    with smtplib.LMTP("127.0.0.1", w.port(user, "LMTP"),
                      local_hostname="localhost") as s:
        for i in range(first, first + n):
            m = mail(900000 + i, w.address(user), plain=True)
            mark = "chat$b%07d." % (900000 + i)
            for x in watchers:
                x.read(0)
                x.texts.clear()
            s.sendmail("peer@elsewhere.test", [w.address(user)], m)
            t0 = time.monotonic()
            left = {x.p.stdout.fileno(): k for k, x in enumerate(watchers)}
            while left:
                got, _, _ = select.select(list(left), [], [], 20)
                now = time.monotonic()
                if not got:
                    raise Wrong("message %d did not come: %s" % (
                        i, [watchers[k].name for k in left.values()]))
                for fd in got:
                    x = watchers[left[fd]]
                    x.read(0)
                    if any(new_line(t, mark) for t in x.texts):
                        out[left.pop(fd)].append((now - t0) * 1000)
            time.sleep(pause(rnd))
    return out


def show(v):
    v = sorted(v)
    return {"median": round(statistics.median(v), 2),
            "p99": round(v[min(len(v) - 1, int(len(v) * 0.99))], 2),
            "min": round(v[0], 2)}


def latency(w, emit):
    """The same deliveries seen by a raw socket, by us and by others."""
    n = 8 if w.quick else 60
    w.fill("alice", [])
    config = w.config("alice")
    x = {"raw": raw_idle(w, "alice"),
         "coi": coi_watch(w, config, "-b", "INBOX"),
         "imaplib": python_idle(w, "alice")}
    flow = os.path.isdir(MODULES + "/node_modules/imapflow")
    if flow:
        x["imapflow"] = imapflow_idle(w, "alice")
    t = dict(zip(x, deliver_and_time(w, "alice", n, list(x.values()),
                                     lambda rnd: 0.2 + rnd.random() * 0.6)))
    over = {name: round(statistics.median(
        c - r for r, c in zip(t["raw"], v)), 2) for name, v in t.items()}
    for watcher in x.values():
        watcher.end()
    emit("watch.over_raw_ms", over["coi"], n=n,
         **{name: show(v) for name, v in t.items()},
         **{name + "_over_raw": over[name] for name in list(x)[2:]})
    if not flow:
        raise Missing("imapflow")


def low_latency(w, emit):
    n = 12 if w.quick else 100
    w.fill("alice", [])
    config = w.config("alice")
    coi = coi_watch(w, config, "-b", "INBOX", "--latency", "low",
                    "--heartbeat", "1")
    # the first one finds a quiet account
    first = deliver_and_time(w, "alice", 1, [coi], lambda rnd: 0.5)
    t = deliver_and_time(w, "alice", n, [coi],
                         lambda rnd: 0.2 + rnd.random() * 0.8, first=1)
    probes = None
    wait_for(lambda: False, 1.2)
    coi.read(0)
    for text in coi.texts:
        m = re.search(r'"probes":(\d+)', text)
        probes = int(m.group(1)) if m else probes
    coi.end()
    emit("watch.low.median_ms", statistics.median(t[0]), n=n, coi=show(t[0]),
         quiet_before=round(first[0][0], 1), probes=probes)


def idle(w, emit):
    seconds = 5 if w.quick else 30
    w.fill("alice", [])
    coi = coi_watch(w, w.config("alice"))
    time.sleep(1)
    before, t0 = coi.cpu(), time.monotonic()
    time.sleep(seconds)
    used, took = coi.cpu() - before, time.monotonic() - t0
    coi.end()
    emit("watch.idle_cpu_percent", 100 * used / took, n=1,
         seconds=round(took, 1), cpu_seconds=round(used, 3))


def accounts(w, emit):
    n = 200
    w.fill("alice", [])
    with open(w.config("alice")) as f:
        keys = f.read().split("\n", 1)[1]
    config = w.write("many", "\n".join(
        "[account a%d]\n%s" % (i, keys) for i in range(n)))
    coi = Watcher(
        w, w.tool("coi-watch", config, "--json", "-b", "INBOX",
                  *(x for i in range(n) for x in ("-a", "a%d" % i))),
        lambda texts: sum('"event":"ready"' in t for t in texts) >= n)
    w.deliver("alice", [mail(950000, w.address("alice"), plain=True)])

    def all_of_it():
        coi.read(0.05)
        return len({json.loads(t)["meta"]["account"] for t in coi.texts
                    if "chat$b0950000." in t}) == n
    if not wait_for(all_of_it, 60):
        raise Wrong("not every account printed the message")
    rss = coi.rss_mb()
    coi.end()
    emit("watch.200_accounts_mb", rss, n=1, accounts=n)
