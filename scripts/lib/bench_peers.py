# SPDX-License-Identifier: GPL-3.0-or-later
"""restic and borg, which save files: what they see of a drive, their first backup, and their second one as a row.

As their users run them: the file systems are mounted read-only and saved as one tree. There is no kernel driver for
FAT everywhere, so its files are unpacked, which is faster to read; what did not change keeps inode and times. borg
without encryption and with lz4, its default and faster than zstd; restic with its default compression (it cannot do without
encryption).
"""
import filecmp
import os
import shutil
import subprocess
import time

from bench_base import Entry
from measure import Failed, Loop, shell, warm


class Mount:
    def __init__(self, command, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        shell(f"{command} '{folder}'")

    def close(self):
        for pause in (0.2, 0.5, 1, 2, 4):
            if subprocess.run(["umount", self.folder], capture_output=True, check=False).returncode == 0:
                return
            if not os.path.ismount(self.folder):
                return
            time.sleep(pause)
        raise Failed(f"{self.folder} cannot be unmounted")


class Files:
    """The files of one state of the drive under `root`: the file systems mounted, FAT's files in `fat_folder`.

    restic saves device and inode numbers of everything: both states must have the same ones, as on one computer.
    """

    def __init__(self, bench, root, fat_folder, drive, parts, devices=None):
        self.root, self.opened = root, []
        self.devices = {}  # kind of file system -> loop device; to be given for the second state
        self.ranges = {}
        bench.to_close.append(self)
        for part in parts:
            kind, place = part["kind"], f"{root}/{part['kind']}"
            if kind == "vfat":
                self.opened.append(Mount(f"mount --bind '{fat_folder}'", place))
                continue
            loop = Loop(drive, part["offset"], part["size"], device=devices and devices[kind])
            self.opened.append(loop)
            self.devices[kind], self.ranges[kind] = loop.device, part["ranges"]
            how = "ntfs-3g -o ro" if kind == "ntfs" else "mount -t ext4 -o ro,noload"
            self.opened.append(Mount(f"{how} {loop.device}", place))

    def warm(self):
        warm(self.devices["ntfs"], self.ranges["ntfs"])  # the kernel keeps little of FUSE's files
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not folder.startswith(f"{self.root}/ntfs"):
                    warm(path, [(0, os.path.getsize(path))])

    def close(self):
        while self.opened:
            self.opened.pop().close()


def unpack_fat(drive, parts, folder):
    offset = next(part["offset"] for part in parts if part["kind"] == "vfat")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    shell(f"mcopy -i '{drive}@@{offset}' -s -Q -n -m '::*' '{folder}'")


def update_folder(folder, new):
    """Makes `folder` hold the files of `new`, which goes; those that did not change stay untouched."""
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            beside = os.path.join(new, os.path.relpath(path, folder))
            if not os.path.exists(beside):
                os.remove(path)
            elif filecmp.cmp(path, beside, shallow=False):
                os.remove(beside)
    for at, _, names in os.walk(new):
        for name in names:
            path = os.path.join(at, name)
            target = os.path.join(folder, os.path.relpath(path, new))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(path, target)
    shutil.rmtree(new)


def tree_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


class Peer:
    """A repository with its cache, as the first backup left it, and copies of it in which second backups are made."""

    def __init__(self, bench, name, init, create):
        self.bench, self.name = bench, name
        self.folder = bench.out(f"peer-{name}")
        self.kept, self.repo = f"{self.folder}/kept", f"{self.folder}/run/repo"
        self.say_init, self.create = init, create

    def environment(self, place=None):
        run = place or f"{self.folder}/run"
        return (f"export RESTIC_PASSWORD=bench RESTIC_CACHE_DIR='{run}/cache' BORG_BASE_DIR='{run}/cache' BORG_PASSPHRASE=bench "
                "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes "
                f"REPO='{run}/repo'\n")

    def first(self, source):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(f"{self.folder}/run/cache")
        shell(self.environment() + self.say_init + "\n" + self.create.format(archive="first", source=source),
              cwd=self.bench.dir)
        os.rename(f"{self.folder}/run", self.kept)
        self.first_bytes = tree_bytes(f"{self.kept}/repo")

    def reset(self):
        """Data files are only ever added, so they are shared; all else is copied."""
        run = f"{self.folder}/run"
        shutil.rmtree(run, ignore_errors=True)
        os.makedirs(self.repo)
        shell(f"cp -a '{self.kept}/cache' '{run}/'; cd '{self.kept}/repo'; for each in *; do "
              f"if [ \"$each\" = data ]; then cp -al data '{self.repo}/'; else cp -a \"$each\" '{self.repo}/'; fi; done; "
              f"touch '{run}/mark'; sync -f '{run}'")

    def second(self, source, warm_source):
        def before():
            self.reset()
            warm_source()

        command = (self.environment() + self.create.format(archive="second", source=source) +
                   "\nfind \"$REPO\" -type f -newer \"$REPO/../mark\" -print0 | xargs -0 -r sync")
        return Entry(command, before=before, size=lambda: tree_bytes(self.repo) - self.first_bytes)

    def reads(self, command):
        """A command that reads from the repository and leaves it as it is."""
        return self.environment(self.kept) + command

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


RESTIC_INIT = "restic init -q -r \"$REPO\" --repository-version 2"
BORG_INIT = "borg init --encryption none \"$REPO\""


BORG_INIT_ENCRYPTED = "borg init --encryption repokey \"$REPO\""


def of_files(bench, encrypted=False):
    return (Peer(bench, "restic", RESTIC_INIT, "restic backup -q -r \"$REPO\" '{source}'"),
            Peer(bench, "borg", BORG_INIT_ENCRYPTED if encrypted else BORG_INIT,
                 "borg create --compression lz4 \"$REPO::{archive}\" '{source}'"))


def of_drives(bench):
    """The drive file as one stream; borg cut into fixed pieces as its manual recommends for drives."""
    return (Peer(bench, "restic-drive", RESTIC_INIT,
                 "restic backup -q -r \"$REPO\" --stdin --stdin-filename drive.raw < '{source}'"),
            Peer(bench, "borg-drive", BORG_INIT,
                 "borg create --compression lz4 --chunker-params fixed,4194304 \"$REPO::{archive}\" - < '{source}'"))
