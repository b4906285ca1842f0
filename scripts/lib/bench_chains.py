# SPDX-License-Identifier: GPL-3.0-or-later
"""How memory grows with the size of a drive, and time with the length of a chain."""
import contextlib
import os
import random
import re
import subprocess

import report_chains as report
from bench_base import Bench, tintype_binary
from bench_peers import Mount
from measure import Failed, Loop, data_ranges, measure, remove, shell, warm

SIZES_TIB = (1, 8, 32)
LENGTHS = (1, 10, 50, 100, 200)  # links of a chain, the full image included
START = 1 << 20
MAKE = {
    "ext4": lambda tib: "mkfs.ext4 -q -F -i 4194304 -J size=64 -E lazy_itable_init=1,lazy_journal_init=1,nodiscard",
    # At most 2^32 - 1 clusters.
    "ntfs": lambda tib: f"mkntfs -q -Q -F -p 2048 -H 255 -S 63 -c {4096 if tib < 16 else 8192}",
}
MOUNT = {"ext4": "mount -t ext4 -o noatime,noinit_itable", "ntfs": "ntfs-3g -o noatime,big_writes"}
FOLDERS, FILE_BYTES = 2048, 128 << 10  # 256 MiB of files; ext4 spreads the folders of the root over the drive


class ChainsBench(Bench):
    def __init__(self, options):
        super().__init__(options)
        self.memory, self.opening = [], []

    def run(self):
        self.tintype = tintype_binary()
        self.parts = []
        facts = self.facts()
        self.lengths()
        self.sizes()
        text, met = report.markdown(facts, self.memory, self.opening)
        return text, {"facts": facts, "memory": self.memory, "opening": self.opening}, met

    def ours(self, *words):
        return " ".join(f"'{word}'" for word in (self.tintype, *words))

    def backup(self, drive, image, *base):
        return self.ours("backup", "--drive", drive, "--file", image, *base, "--unattended-yes", "--no-save-log")

    # --- memory over the size of the drive

    def sizes(self):
        """Drives larger than ext4 allows for a file (16 TiB) lie on an XFS in a sparse file."""
        room = self.out("room.xfs")
        shell(f"truncate -s 64G '{room}'; mkfs.xfs -q -f '{room}'")
        with contextlib.closing(Loop(room, 0, os.path.getsize(room), writable=True)) as loop, \
                contextlib.closing(Mount(f"mount -t xfs {loop.device}", self.out("room"))):
            for kind in MAKE:
                for tib in SIZES_TIB:
                    self.say(f"{kind} of {tib} TiB")
                    self.memory.append({"kind": kind, "tib": tib, **self.size(kind, tib)})
        remove(room)

    def size(self, kind, tib):
        drive, target = self.out("room/drive.raw"), self.out("room/target.raw")
        full, changed, last = (self.out(f"image-{name}") for name in ("full", "changed", "last"))
        remove(drive)
        shell(f"truncate -s {tib << 40} '{drive}'; sgdisk -n 1:2048:-1M '{drive}'")
        self.on_it(drive, kind, self.populate, MAKE[kind](tib))
        commands = {
            "full": self.backup(drive, full),
            "differential": self.backup(drive, changed, "--base", full),
            "incremental": self.backup(drive, last, "--base", changed),
            "dry-run": self.ours("restore", "--file", last, "--drive", target, "--dry-run"),
            "validate": self.ours("validate", "--file", last, "--no-save-log"),
        }
        row = {}
        for name, command in commands.items():
            if name in ("differential", "incremental"):
                self.on_it(drive, kind, lambda folder, name=name: self.change(folder, name))
            cost = measure(command, (), self.log)
            row[name] = cost.rss_mib
            self.say(f"  {name}: peak {cost.rss_mib:.0f} MiB, {cost.wall_s:.1f} s")
        row["on_disk_mb"] = os.stat(drive).st_blocks * 512 / 1e6
        row["images_mb"] = sum(os.path.getsize(f"{image}.tti") for image in (full, changed, last)) / 1e6
        remove(drive, full + "*", changed + "*", last + "*")
        return row

    def on_it(self, drive, kind, act, make=None):
        with contextlib.closing(Loop(drive, START, os.path.getsize(drive) - START - (2 << 20), writable=True)) as loop:
            if make:
                shell(f"{make} {loop.device}")
            with contextlib.closing(Mount(f"{MOUNT[kind]} {loop.device}", self.out("mounted"))):
                act(self.out("mounted"))
            shell(f"sync '{drive}'")

    @staticmethod
    def path(folder, number):
        return f"{folder}/folder-{number:04}/file"

    def populate(self, folder):
        noise = random.Random(1)
        for number in range(FOLDERS):
            os.mkdir(os.path.dirname(self.path(folder, number)))
            with open(self.path(folder, number), "wb") as file:
                file.write(noise.randbytes(FILE_BYTES))

    def change(self, folder, seed):
        """1 % of the files get other bytes in the same place."""
        noise = random.Random(seed)
        for number in noise.sample(range(FOLDERS), FOLDERS // 100):
            with open(self.path(folder, number), "r+b") as file:
                file.write(noise.randbytes(FILE_BYTES))

    # --- time over the length of a chain

    def lengths(self):
        drive = self.out("small.raw")
        remove(drive)
        shell(f"truncate -s 64M '{drive}'; echo 'start=1MiB, type=83' | sfdisk -q --no-reread --no-tell-kernel '{drive}'")
        with contextlib.closing(Loop(drive, START, (64 << 20) - START, writable=True)) as loop:
            shell(f"mkfs.ext4 -q -F {loop.device}")
            with contextlib.closing(Mount(f"mount -t ext4 {loop.device}", self.out("mounted"))):
                shell(f"tar -C /usr -cf - bin 2>/dev/null | head -c 32M > '{self.out('mounted')}/files.tar' || true")
                block = int(re.search(r"(\d+)\.\.", shell(f"filefrag -v '{self.out('mounted')}/files.tar'").splitlines()[3]
                                      .split(":", 2)[2]).group(1))
            shell(f"sync '{drive}'")
            size = int(shell(f"stat -f -c %S '{self.dir}'"))
        self.say(f"a chain of {max(LENGTHS)} links")
        noise, base = random.Random(1), ()
        for link in range(1, max(LENGTHS) + 1):
            image = self.out(f"image-{link:03}")
            shell(self.backup(drive, image, *base))
            base = ("--base", image)
            if link in LENGTHS:
                self.opening.append(self.length(link, image))
            with open(drive, "r+b") as file:  # 16 pieces in the first MiB of a file, where the map says it lies
                for _ in range(16):
                    file.seek(START + block * size + noise.randrange(1 << 20))
                    file.write(noise.randbytes(512))
        remove(drive, self.out("image-*"))

    def length(self, links, image):
        for path in [self.out(name) for name in os.listdir(self.dir) if name.startswith("image-")]:
            warm(path, data_ranges(path))
        row = {"links": links, "size": os.path.getsize(image + ".tti")}
        for name, words in (("list", ("list", "--file", image)),
                            ("dry-run", ("restore", "--file", image, "--drive", self.out("target.raw"), "--dry-run"))):
            runs = [measure(self.ours(*words), (), self.log) for _ in range(max(5, self.options.runs))]
            row[name + "_s"] = sorted(run.wall_s for run in runs)[len(runs) // 2]
            row[name + "_rss_mib"] = max(run.rss_mib for run in runs)
            row[name + "_read"] = self.bytes_read(self.ours(*words))
        self.say(f"  {links} links: list {row['list_s']:.3f} s, {row['list_read'] / 1e3:.0f} kB read")
        return row

    @staticmethod
    def bytes_read(command):
        """What the command read, of which loading the program itself is a few kB."""
        done = subprocess.run(["bash", "-c", f"{command} >/dev/null && grep rchar /proc/$$/io"], capture_output=True,
                              text=True, check=False)
        before = subprocess.run(["bash", "-c", "/bin/true && grep rchar /proc/$$/io"], capture_output=True, text=True,
                                check=False)
        if done.returncode or before.returncode:
            raise Failed(f"{command}: {done.stderr}")
        return int(done.stdout.split()[1]) - int(before.stdout.split()[1])

    def close(self):
        remove(self.out("small.raw"), self.out("room.xfs"))
        super().close()
        for folder in ("room", "mounted"):
            with contextlib.suppress(OSError):
                os.rmdir(self.out(folder))
