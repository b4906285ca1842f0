# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the program share: running it, and a small real drive to run it on."""
import json
import os
import pty
import random
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ["TINTYPE_PROGRAM"]
TOOLS = ["sfdisk", "mkntfs", "ntfscp", "mkfs.ext4", "mkfs.fat", "mcopy", "e2fsck", "fsck.fat", "ntfsfix"]
PARTITIONS = {"0x1": (2048, 40960), "0x2": (43008, 49152), "0x301": (96256, 20480)}  # first sector, sectors
DRIVE_BYTES = 64 << 20


def run(*words, env=None, cwd=None, stdin=subprocess.DEVNULL, timeout=120):
    """Runs the program without a terminal; returns a CompletedProcess with text in stdout and stderr."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("TINTYPE", "IFW"))}
    variables.update(env or {})
    return subprocess.run([PROGRAM, *map(str, words)], stdin=stdin, capture_output=True, text=True, env=variables,
                          cwd=cwd, timeout=timeout, start_new_session=True, check=False)


def tool(*words, **options):
    return subprocess.run([str(w) for w in words], check=True, capture_output=True, **options)


def noise(count, seed):
    return random.Random(seed).randbytes(count)


def make_partition(folder, partition):
    """An image of one file system with files in it; half of what they hold does not compress."""
    content = os.path.join(folder, "content")
    os.makedirs(content, exist_ok=True)
    for i in range(6):
        with open(os.path.join(content, f"file{i}.bin"), "wb") as file:
            file.write(noise(400_000, i) + b"plain text " * 30_000)
    path = os.path.join(folder, partition)
    with open(path, "wb") as file:
        file.truncate(PARTITIONS[partition][1] * 512)
    if partition == "0x1":
        tool("mkntfs", "-q", "-F", "-f", "-L", "Windows", "-p", PARTITIONS[partition][0], path)
        for i in range(6):
            tool("ntfscp", "-f", path, os.path.join(content, f"file{i}.bin"), f"/file{i}.bin")
    elif partition == "0x2":
        tool("mkfs.ext4", "-q", "-F", "-L", "Größe", "-d", content, path)
    else:
        tool("mkfs.fat", "-F", "16", "-n", "DATA", "-h", PARTITIONS[partition][0], path)
        tool("mcopy", "-i", path, *(os.path.join(content, f"file{i}.bin") for i in range(4)), "::")
    return path


def make_drive(path):
    """An MBR drive with NTFS, ext4, and FAT16 in an extended partition; the free space holds stale bytes."""
    with open(path, "wb") as file:
        file.truncate(DRIVE_BYTES)
        file.seek(120_000 * 512)
        file.write(noise(200_000, "stale"))
    table = ("label: dos\nlabel-id: 0xA1B2C3D4\nstart=2048, size=40960, type=7, bootable\n"
             "start=43008, size=49152, type=83\nstart=94208, type=f\nstart=96256, size=20480, type=6\n")
    tool("sfdisk", "-q", path, input=table.encode())
    with tempfile.TemporaryDirectory() as folder, open(path, "r+b") as drive:
        for name, (start, _) in PARTITIONS.items():
            with open(make_partition(folder, name), "rb") as source:
                drive.seek(start * 512)
                shutil.copyfileobj(source, drive)


def events_of(result):
    """The events of a run with --json; every line must be one object."""
    return [json.loads(line) for line in result.stdout.splitlines()]


class Terminal:
    """The program at a terminal of its own."""

    def __init__(self, *words, cwd, env=None):
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("TINTYPE", "IFW", "NO_COLOR"))}
        variables.update({"TERM": "xterm", "LC_ALL": "C.UTF-8"})
        variables.update(env or {})
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve(PROGRAM, [PROGRAM, *words], variables)
        self.text = ""

    def read(self, until=None, timeout=20):
        end = time.monotonic() + timeout
        while until is None or not re.search(until, self.text):
            ready = select.select([self.fd], [], [], 0.1)[0]
            if ready:
                try:
                    data = os.read(self.fd, 65536)
                except OSError:
                    data = b""
                if not data:
                    break
                self.text += data.decode("utf-8", "replace")
            if time.monotonic() > end:
                raise AssertionError(f"waited for {until!r}, got {self.text!r}")
        return self.text

    def type(self, text):
        os.write(self.fd, text.encode())

    def status(self):
        self.read()
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class ProgramTest(unittest.TestCase):
    """A scratch folder for each test, and one drive made once for each class."""

    needs_drive = True

    @classmethod
    def setUpClass(cls):
        missing = [name for name in TOOLS if shutil.which(name) is None]
        if cls.needs_drive and missing:
            raise unittest.SkipTest("not installed: " + ", ".join(missing))
        cls.shared = tempfile.mkdtemp(prefix="tintype-cli-")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        cls.drive = os.path.join(cls.shared, "disk.raw")
        if cls.needs_drive:
            make_drive(cls.drive)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="work-", dir=self.shared)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_here(self, *words, **options):
        return run(*words, cwd=options.pop("cwd", self.folder), **options)

    def succeed(self, *words, **options):
        result = self.run_here(*words, **options)
        self.assertEqual(result.returncode, 0, f"{words}: {result.stderr}")
        return result

    def assert_fails(self, status, *words, says=None, **options):
        """The run ends with `status` and exactly one clear sentence on standard error."""
        result = self.run_here(*words, **options)
        self.assertEqual(result.returncode, status, f"{words}: {result.stdout}{result.stderr}")
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 1, f"{words}: {result.stderr}")
        self.assertTrue(lines[0].startswith("tintype: "), lines[0])
        if says:
            self.assertIn(says, lines[0])
        return result

    def files(self):
        return sorted(name for name in os.listdir(self.folder) if name != "tintype.log")


def read_at(path, start, count):
    with open(path, "rb") as file:
        file.seek(start)
        return file.read(count)


def extract(path, partition, to):
    start, count = PARTITIONS[partition]
    with open(to, "wb") as file:
        file.write(read_at(path, start * 512, count * 512))
    return to


def main():
    unittest.main(verbosity=2)
