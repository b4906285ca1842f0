# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts/bench stands on: running a command with its cost, loop devices that are ours, warm caches."""
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field

os.environ["LC_ALL"] = "C.UTF-8"
os.environ["PATH"] += ":/usr/sbin:/sbin"

# partclone's progress thread sleeps 2 s at a time and is joined at the end. Preloaded, it sleeps 50 ms instead.
NO_SLEEP_SOURCE = """
#include <unistd.h>
unsigned sleep(unsigned seconds) { usleep(seconds ? 50000 : 0); return 0; }
"""


@dataclass
class Cost:
    wall_s: float
    cpu_s: float
    rss_mib: float
    size: int = 0


@dataclass
class Row:
    """All runs of one measured thing; `size` is of its output."""
    name: str
    runs: list = field(default_factory=list)

    def median(self, what):
        return statistics.median(getattr(run, what) for run in self.runs)

    def as_json(self):
        return {"name": self.name, "runs": [vars(run) for run in self.runs],
                "median": {key: self.median(key) for key in ("wall_s", "cpu_s", "rss_mib", "size")}}


class Failed(Exception):
    def __init__(self, text, status=1):
        super().__init__(text)
        self.status = status  # of the command that failed


def shell(command, **options):
    """Runs a preparation step; raises Failed with its output."""
    done = subprocess.run(["bash", "-c", "set -eo pipefail; " + command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise Failed(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmHWM:"))) / 1024


def measure(command, outputs=(), log="/dev/null", helper=None):
    """Wall and CPU seconds of a shell command and all it starts, with its outputs flushed to the disk inside the time.

    CPU is user and system time of every process waited for; peak RSS is of the largest single process. With a helper (a pid)
    that works for the command its CPU time is added, and the peak is the helper's.
    """
    if outputs:
        command += "\nsync " + " ".join(outputs)
    with open(log, "a") as sink:
        sink.write(f"+ {command}\n")
        sink.flush()
        helper_before = cpu_seconds(helper) if helper else 0
        begin = time.monotonic()
        child = subprocess.Popen(["bash", "-c", "set -eo pipefail\n" + command], stdin=subprocess.DEVNULL, stdout=sink,
                                 stderr=sink)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise Failed(f"exit status {child.returncode} (see {log}): {command}", child.returncode)
    size = sum(os.path.getsize(path) for path in glob_all(outputs))
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    if helper:
        cpu, peak = cpu + cpu_seconds(helper) - helper_before, peak_mib(helper)
    return Cost(wall, cpu, peak, size)


def glob_all(patterns):
    import glob
    return [path for pattern in patterns for path in glob.glob(pattern)]


def remove(*patterns):
    for path in glob_all(patterns):
        os.remove(path)


class Loop:
    """A read-only (or writable) loop device over a part of a file. Touches no device that is not its own."""

    def __init__(self, path, offset, size, writable=False, device=None):
        self.path = os.path.realpath(path)
        how = f"{'' if writable else '--read-only'} --offset {offset} --sizelimit {size}"
        if device:  # one that was ours and has been closed
            shell(f"for pause in 0.1 0.5 1 2 4; do losetup {how} {device} '{self.path}' && exit; sleep $pause; done; exit 1")
            self.device = device
        else:
            self.device = shell(f"losetup --find --show {how} '{self.path}'")
        if not self.ours():
            raise Failed(f"{self.device} is not a loop device of {self.path}: left alone")

    def ours(self):
        found = subprocess.run(["losetup", "--noheadings", "--output", "BACK-FILE", self.device], capture_output=True,
                               text=True)
        return found.stdout.strip().removesuffix(" (deleted)") == self.path

    def close(self):
        if self.ours():
            subprocess.run(["losetup", "--detach", self.device], check=False)


def data_ranges(path, begin=0, end=None):
    """The ranges of a sparse file that hold data."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size if end is None else end
        while begin < end:
            try:
                begin = os.lseek(file.fileno(), begin, os.SEEK_DATA)
            except OSError:
                return
            hole = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            if begin < end:
                yield begin, min(hole, end)
            begin = hole


def warm(path, ranges):
    """Reads the ranges into the page cache. Returns bytes and seconds."""
    total = 0
    begin_time = time.monotonic()
    file = os.open(path, os.O_RDONLY)
    buffer = bytearray(4 << 20)
    for begin, end in ranges:
        while begin < end:
            got = os.preadv(file, [memoryview(buffer)[:min(len(buffer), end - begin)]], begin)
            if got <= 0:
                break
            begin += got
            total += got
    os.close(file)
    return total, time.monotonic() - begin_time


