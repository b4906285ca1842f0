# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening images: files out of them beside restic and borg, mounted images, copies, restores straight to virtual drives."""
import collections
import contextlib
import os
import random
import shutil
import subprocess
import time

import bench_peers as peers
import report_open as report
from bench_base import SCRIPTS, Entry
from bench_images import ImagesBench
from measure import Failed, data_ranges, remove, shell, warm

PASSWORD = ("--password", "bench")
SMALL = range(1, (64 << 10) + 1)  # bytes of a small file
READS = 300  # at random places
FLUSH = "\nfind '{}' -type f -print0 | xargs -0 -r sync"


class MountedImage:
    """An image mounted by a process that is ours, with nothing in its caches yet."""

    def __init__(self, bench, image):
        self.folder, self.tintype = bench.out("mounted"), bench.tintype
        os.makedirs(self.folder, exist_ok=True)
        bench.to_close.append(self)
        with open(bench.log, "a") as log:
            self.process = subprocess.Popen([self.tintype, "mount", image, self.folder, "--foreground", *PASSWORD],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while not os.path.exists(f"{self.folder}/drive.img"):
            if self.process.poll() is not None or time.monotonic() > end:
                self.close()
                raise Failed(f"{image} cannot be mounted on {self.folder}: see {bench.log}")
            time.sleep(0.02)

    def close(self):
        """Unmounts; a process that does not end by that is ended."""
        if os.path.ismount(self.folder):
            subprocess.run([self.tintype, "unmount", self.folder], capture_output=True, check=False)
        for end in (lambda: None, self.process.terminate, self.process.kill):
            if self.process.poll() is not None:
                break
            end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        subprocess.run(["umount", "--lazy", self.folder], capture_output=True, check=False)  # of a process that was killed
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)


class OpenBench(ImagesBench):
    SCRATCH = (*ImagesBench.SCRATCH, "restored.*", "read.txt")

    def __init__(self, options):
        super().__init__(options)
        self.mounted = None

    def run(self):
        self.prepare()
        facts = self.facts()
        facts["versions"].update(restic=shell("restic version"), borg=shell("borg --version"))
        facts["drive_bytes"] = os.path.getsize(self.source)
        self.copies()
        self.restores()
        self.secret = self.image("image-secret", self.source, "--encryption", "3", *PASSWORD)
        self.files()
        self.mounts()
        text, met = report.markdown(facts, self.machine, self.rows, self.refused)
        record = {"facts": facts, "machine": self.machine, "rows": [row.as_json() for row in self.rows.values()],
                  "refused": self.refused}
        return text, record, met

    # --- drives

    @staticmethod
    def on_disk(path):
        """Bytes that a file takes on the disk."""
        return lambda: os.stat(path).st_blocks * 512

    def copies(self):
        used, target, beside = self.gather_used(), self.out("run-copy.raw"), self.out("run-used")
        self.group("copy", {
            report.COPY: Entry(self.ours("copy", "--source", self.source, "--target", target), [target],
                               size=self.on_disk(target)),
            report.DD: Entry(f"dd if='{used}' of='{beside}' bs=1M status=none", [beside],
                             before=lambda: warm(used, data_ranges(used)))})
        remove(used)

    def restores(self):
        image, raw, entries = self.image("image-plain", self.source), self.out("restored.raw"), {}
        for kind, (straight, around) in report.RESTORES.items():
            target = self.out(f"restored.{kind}")
            how = "-O qcow2" if kind == "qcow2" else "-O vpc -o subformat=dynamic,force_size=on"
            restore = [self.ours("restore", "--file", image, "--drive", drive) for drive in (target, raw)]
            entries[straight] = Entry(restore[0], [target], before=self.warmer(image), size=self.on_disk(target),
                                      may_be_refused=True)
            entries[around] = Entry(f"{restore[1]}\nqemu-img convert -f raw {how} '{raw}' '{target}'", [target],
                                    before=self.warmer(image), size=self.on_disk(target), after=lambda: remove(raw))
        self.group("restores to virtual drives", entries)
        remove(image + "*")

    # --- files

    def files(self):
        fat, root, pair = self.out("peer-fat"), self.out("peer-files"), peers.of_files(self, encrypted=True)
        self.say("encrypted backups of files: restic, borg")
        peers.unpack_fat(self.source, self.parts, fat)
        with contextlib.closing(peers.Files(self, root, fat, self.source, self.parts)):
            for peer in pair:
                peer.first(root)
            small = self.small_files(f"{root}/ntfs")
        noise = random.Random(1)
        many = noise.sample(small, min(1000, len(small)))
        self.machine["files"] = len(many)
        one = many[:1]
        restic, borg = pair
        self.lists(root, many)
        self.group("one file", {
            report.ONE: self.ours_extract(one),
            report.ONE_PEERS[0]: self.peer_extract(restic, "restic dump -q -r \"$REPO\" latest \"/${files[0]}\" > file", one),
            report.ONE_PEERS[1]: self.peer_extract(borg, "borg extract --stdout \"$REPO::first\" \"${files[0]}\" > file", one)})
        self.group(f"{len(many)} small files", {
            report.MANY: self.ours_extract(many),
            report.MANY_BORG: self.peer_extract(
                borg, f"borg extract --patterns-from '{self.out('used-borg.list')}' \"$REPO::first\"", many)})
        for peer in pair:
            peer.close()
        for folder in (fat, self.out("peer-aside")):
            shutil.rmtree(folder)

    def lists(self, root, files):
        """Their names as ours and as in a repository, which commands read: a thousand of them are too long for a log.

        borg compares every item with every path that it is given, but finds whole ones among patterns at once.
        """
        saved = root.lstrip("/") + "/ntfs"
        for name, before, end in (("ours", "", ""), ("peers", saved, ""), ("borg", "+ pf:" + saved, "- re:.\n")):
            with open(self.out(f"used-{name}.list"), "w") as out:
                out.writelines([*(f"{before}{path}\n" for path, _ in files), end])

    def read_list(self, name, files):
        return f"mapfile -n {len(files)} -t files < '{self.out(f'used-{name}.list')}'\n"

    @staticmethod
    def small_files(folder):
        """(path from the root of the file system, bytes), in the order of paths. None that a pattern would be taken for, or
        that only case tells from another one, which would come along."""
        paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
        spellings = collections.Counter(path.lower() for path in paths)
        found = sorted((path.removeprefix(folder), os.path.getsize(path)) for path in paths
                       if spellings[path.lower()] == 1 and not set(path) & set("*?[]\\"))
        small = [(path, size) for path, size in found if size in SMALL]
        if not small:
            raise Failed(f"{folder} has no small files")
        return small

    def into_folder(self, command, files, warmer):
        """Extracts into a new folder; what lies there must have the bytes that were wanted. It is only moved out of the way after that:
        an ext4 without a journal looks for each new inode behind all that were deleted in the last minutes."""
        folder, aside = self.out("peer-extracted"), self.out("peer-aside")

        def before():
            shutil.rmtree(folder, ignore_errors=True)
            os.mkdir(folder)
            warmer()

        def after():
            os.makedirs(aside, exist_ok=True)
            os.rename(folder, f"{aside}/{len(os.listdir(aside))}")

        def size():
            got = peers.tree_bytes(folder)
            if got != sum(size for _, size in files):
                raise Failed(f"{got} bytes were extracted in place of {sum(size for _, size in files)}")
            return got

        return Entry(command + FLUSH.format(folder), before=before, size=size, after=after)

    def words(self, *words):
        """A command of ours that asks nothing and keeps no log."""
        return " ".join(f"'{word}'" for word in (self.tintype, *words, *PASSWORD))

    def ours_extract(self, files):
        command = self.words("extract", f"{self.secret}@{self.ntfs['number']}", "--to", self.out("peer-extracted"))
        return self.into_folder(f"{self.read_list('ours', files)}{command} \"${{files[@]}}\"", files, self.warmer(self.secret))

    def peer_extract(self, peer, command, files):
        command = f"{self.read_list('peers', files)}cd '{self.out('peer-extracted')}'\n{peer.reads(command)}"
        return self.into_folder(command, files, self.warmer(peer.kept))

    # --- mounted

    def mounts(self):
        drive, told = self.out("mounted/drive.img"), self.out("read.txt")
        latencies = self.machine["latency_s"] = []

        def mount():
            self.warmer(self.secret)()
            self.mounted = MountedImage(self, self.secret)

        def unmount():
            if self.mounted:
                self.mounted.close()
                self.to_close.remove(self.mounted)
            self.mounted = None

        def figures():
            with open(told) as line:
                return line.read().split()

        def read_in_order():
            self.machine["saved_bytes"] = int(figures()[0])
            return self.machine["saved_bytes"]

        def read_at_random():
            median, size, chunks = figures()
            latencies.append(float(median))
            self.machine.update(reads=int(size) // 4096, chunks=int(chunks))
            return int(size)

        def reading(size, *more):
            return Entry(f"'{SCRIPTS}/lib/read-saved' '{drive}' {' '.join(more)} > '{told}'", before=mount, size=size, after=unmount,
                         helper=lambda: self.mounted.process.pid)

        def ours(action, *more):
            return Entry(self.words(action, "--file", self.secret, *more), before=self.warmer(self.secret))

        at_random = reading(read_at_random, "--random", str(READS))
        self.group("mounted", {report.OPEN: ours("list"), report.VALIDATE: ours("validate"), report.IN_ORDER: reading(read_in_order, "--direct"),
                               report.IN_ORDER_CACHED: reading(read_in_order),
                               report.VALIDATE_ONE: ours("validate", "--workers", "1"), report.AT_RANDOM: at_random})
