# SPDX-License-Identifier: GPL-3.0-or-later
"""What all measurements share: the drive of real files and its partitions, our commands, groups of rows taking turns."""
import fcntl
import os
import platform
import shutil
import sys
import tempfile
import time
from typing import Callable, NamedTuple

from measure import NO_SLEEP_SOURCE, Failed, Loop, Row, data_ranges, measure, remove, shell, warm

SCRIPTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
COMMON = f"source '{SCRIPTS}/lib/common.sh'; "
PEER_OF = {"ntfs": "ntfs", "ext4": "ext4", "vfat": "fat32"}


def tintype_binary():
    return shell(COMMON + "tintype_binary release").splitlines()[-1]


def folder_to_work_in(options):
    """A new one of our own, or the one to keep, which no other run uses as long as this one lives."""
    if not options.keep:
        return tempfile.mkdtemp(prefix=f"tintype-bench-{options.what}-", dir="/var/tmp")
    os.makedirs(options.keep, exist_ok=True)
    try:
        fcntl.flock(os.open(options.keep, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"scripts/bench: another run works in {options.keep}; wait for it or name another folder") from None
    return os.path.abspath(options.keep)


class Entry(NamedTuple):
    """A row to be: a command and the outputs that are flushed inside its time and removed after it."""
    command: str
    outputs: list = []
    parts: tuple = ()  # partitions whose devices are read into the page cache too
    before: Callable | None = None  # makes ready for one run, not measured; in place of reading the source
    size: Callable | None = None  # bytes of output after a run; in place of those of `outputs`
    after: Callable | None = None  # undoes one run
    helper: Callable | None = None  # pid of a process that works for the command without being its child: it counts too
    may_be_refused: bool = False  # the program may not have this action yet: then the row is left out, and that is said


class Bench:
    """A folder to work in, the source drive, the rows. Everything made is removed by close()."""

    SCRATCH = ("run-*", "ours-*", "image-*", "restored-*", "no-sleep.*", "used*", "write.bin")

    def __init__(self, options):
        self.options = options
        self.keep = bool(options.keep)
        self.dir = folder_to_work_in(options)
        self.log = f"{self.dir}/bench.log"
        self.rows = {}
        self.refused = {}  # row -> why it was left out
        self.machine = {}
        self.loops = []
        self.tintype = None
        self.cores = len(os.sched_getaffinity(0))

    # --- preparation

    def prepare(self):
        if not self.options.peers_only:
            self.tintype = tintype_binary()
        mib = int(self.options.size[:-1]) * {"M": 1, "G": 1024}[self.options.size[-1]]
        self.source = f"{self.dir}/source-{mib}.raw"
        if not os.path.exists(self.source):
            self.say(f"making {self.source}")
            shell(f"'{SCRIPTS}/make-source' --size {mib}M --no-page-files '{self.source}.new'")
            os.rename(self.source + ".new", self.source)
        self.parts = self.partitions(self.source)
        self.ntfs = next(part for part in self.parts if part["kind"] == "ntfs")
        self.ext4 = next(part for part in self.parts if part["kind"] == "ext4")
        self.no_sleep = f"{self.dir}/no-sleep.so"
        with open(f"{self.dir}/no-sleep.c", "w") as code:
            code.write(NO_SLEEP_SOURCE)
        shell(f"cc -shared -fPIC -O2 -D_DEFAULT_SOURCE -o '{self.no_sleep}' '{self.dir}/no-sleep.c'")

    def partitions(self, drive):
        """The partitions of a drive file that hold file systems, each on a read-only loop device."""
        parts = []
        for line in shell(COMMON + f"partitions_of '{drive}'").splitlines():
            number, offset, size = (int(word) for word in line.split()[:3])
            kind = shell(COMMON + f"file_system_at '{drive}' {offset}")
            loop = Loop(drive, offset, size)
            self.loops.append(loop)
            ranges = [(a - offset, b - offset) for a, b in data_ranges(drive, offset, offset + size)]
            parts.append({"number": number, "offset": offset, "size": size, "kind": kind, "device": loop.device,
                          "clone": f"partclone.{PEER_OF[kind]}", "ranges": ranges})
        return parts

    def say(self, text):
        print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)

    def warm_source(self, file=True, parts=()):
        if file:
            warm(self.source, data_ranges(self.source))
        for part in parts:
            warm(part["device"], part["ranges"])

    def out(self, name):
        return f"{self.dir}/{name}"

    def ours_backup(self, what, name, *more):
        output = self.out(name)
        words = [self.tintype, "/b", f"/d:{what}", f"/f:{output}", "/log:0", "/uy", *more]
        return " ".join(f"'{word}'" for word in words), [output + "*"]

    def ours_restore(self, name):
        target = self.out("restored-ours.raw")
        size = os.path.getsize(self.source)
        return (f"truncate -s {size} {target}\n'{self.tintype}' /r /f:{self.out(name)} /d:{target} /o /uy /log:0",
                [target])

    def group(self, title, entries):
        """entries: name -> Entry or its leading fields."""
        self.say(title)
        os.sync()  # the first row does not pay for what was made before
        for run in range(self.options.runs):
            for name, entry in entries.items():
                done = name in self.rows and len(self.rows[name].runs) > run
                if not done and name not in self.refused:
                    self.run_once(name, Entry(*entry))

    def run_once(self, name, entry):
        remove(*entry.outputs)
        try:
            if entry.before:
                entry.before()
            else:
                self.warm_source(True, entry.parts)
            helper = entry.helper and entry.helper()
            cost = measure(entry.command, entry.outputs, self.log, helper)
            if entry.size:
                cost.size = entry.size()
            self.rows.setdefault(name, Row(name)).runs.append(cost)
            self.say(f"  {name}: {cost.wall_s:.2f} s wall, {cost.cpu_s:.2f} s CPU, {cost.size / 1e6:.1f} MB")
        except Failed as failure:
            if not (entry.may_be_refused and self.was_refused(name, failure)):
                self.say(f"  {name}: FAILED {failure}")
        finally:
            remove(*entry.outputs)
            if entry.after:
                entry.after()

    def was_refused(self, name, failure):
        """Whether the program said that it does not have this action or option yet: then the row is left out."""
        with open(self.log, "rb") as log:
            log.seek(max(0, os.path.getsize(self.log) - 4096))
            if failure.status != 2 or b"is not built yet" not in log.read():
                return False
        self.refused[name] = "this build does not offer it"
        self.say(f"  {name}: LEFT OUT, {self.refused[name]}")
        return True

    def gather_used(self):
        """One file with the used bytes of the drive, as partclone finds them. Returns its path."""
        used = self.out("used.bin")
        remove(used)
        for part in self.parts:
            shell(f"LD_PRELOAD='{self.no_sleep}' {part['clone']} -c -a 0 -q -L '{self.dir}/partclone.log' "
                  f"-s {part['device']} -o - >> {used} 2>>{self.log}")
        self.machine["used_bytes"] = os.path.getsize(used)
        return used

    def close(self):
        for loop in self.loops:
            loop.close()
        remove(*(self.out(name) for name in self.SCRATCH))
        if not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def facts(self):
        with open("/proc/cpuinfo") as info:
            model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "unknown")
        versions = {name: shell(command).splitlines()[0] for name, command in {
            "partclone": "partclone.ext4 -v 2>&1", "zstd": "zstd --version", "qemu-img": "qemu-img --version",
            "openssl": "openssl version"}.items()}
        return {"date": time.strftime("%Y-%m-%d"), "cpu": model, "cores": self.cores, "kernel": platform.release(),
                "load_at_start": os.getloadavg()[0], "versions": versions, "runs": self.options.runs,
                "partitions": [{key: part[key] for key in ("number", "kind", "size")} for part in self.parts]}
