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
from measure import Failed, remove, shell, warm


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
    """The files of one state of the drive under `root`, at the same paths for both states."""

    def __init__(self, bench, root, fat_folder, parts):
        self.root, self.mounts = root, []
        self.devices = []
        try:
            for part in parts:
                place = f"{root}/{part['kind']}"
                if part["kind"] == "ntfs":
                    self.mounts.append(Mount(f"ntfs-3g -o ro {part['device']}", place))
                    self.devices.append(part)  # read through it each time: the kernel keeps little of a FUSE file
                elif part["kind"] == "ext4":
                    self.mounts.append(Mount(f"mount -t ext4 -o ro,noload {part['device']}", place))
                else:
                    self.mounts.append(Mount(f"mount --bind '{fat_folder}'", place))
        except Failed:
            self.close()
            raise
        bench.to_close.append(self)

    def warm(self):
        for part in self.devices:
            warm(part["device"], part["ranges"])
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not folder.startswith(f"{self.root}/ntfs"):
                    warm(path, [(0, os.path.getsize(path))])

    def close(self):
        while self.mounts:
            self.mounts.pop().close()


def unpack_fat(part, drive, folder):
    os.makedirs(folder)
    shell(f"mcopy -i '{drive}@@{part['offset']}' -s -Q -n -m '::*' '{folder}'")


def second_fat(first, unpacked, second):
    """`unpacked` becomes `second`: hard links to the files of `first`, but for those that differ."""
    shell(f"cp -al '{first}' '{second}'")
    for folder, _, names in os.walk(second):
        for name in names:
            path = os.path.join(folder, name)
            new = os.path.join(unpacked, os.path.relpath(path, second))
            if not os.path.exists(new):
                os.remove(path)
            elif filecmp.cmp(path, new, shallow=False):
                os.remove(new)
    for folder, _, names in os.walk(unpacked):
        for name in names:
            path = os.path.join(folder, name)
            target = os.path.join(second, os.path.relpath(path, unpacked))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(path, target)
    shutil.rmtree(unpacked)


def tree_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


class Peer:
    """A repository with its cache, as the first backup left it, and copies of it in which second backups are made."""

    def __init__(self, bench, name, init, create):
        self.bench, self.name = bench, name
        self.folder = bench.out(f"peer-{name}")
        self.kept, self.repo = f"{self.folder}/kept", f"{self.folder}/run/repo"
        self.say_init, self.create = init, create

    def environment(self):
        run = f"{self.folder}/run"
        return (f"export RESTIC_PASSWORD=bench RESTIC_CACHE_DIR='{run}/cache' BORG_BASE_DIR='{run}/cache' "
                f"BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes REPO='{self.repo}'\n")

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

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


RESTIC_INIT = "restic init -q -r \"$REPO\" --repository-version 2"
BORG_INIT = "borg init --encryption none \"$REPO\""


def of_files(bench):
    return (Peer(bench, "restic", RESTIC_INIT, "restic backup -q -r \"$REPO\" '{source}'"),
            Peer(bench, "borg", BORG_INIT, "borg create --compression lz4 \"$REPO::{archive}\" '{source}'"))


def of_drives(bench):
    """The drive file as one stream; borg cut into fixed pieces as its manual recommends for drives."""
    return (Peer(bench, "restic-drive", RESTIC_INIT,
                 "restic backup -q -r \"$REPO\" --stdin --stdin-filename drive.raw < '{source}'"),
            Peer(bench, "borg-drive", BORG_INIT,
                 "borg create --compression lz4 --chunker-params fixed,4194304 \"$REPO::{archive}\" - < '{source}'"))


def prepare_fat(bench, old, old_parts, new, new_parts):
    """Folders with the FAT files of both states."""
    first, unpacked, second = bench.out("peer-fat-1"), bench.out("peer-fat-new"), bench.out("peer-fat-2")
    for folder in (first, unpacked, second):
        shutil.rmtree(folder, ignore_errors=True)
    pick = {drive: next(part for part in parts if part["kind"] == "vfat")
            for drive, parts in ((old, old_parts), (new, new_parts))}
    unpack_fat(pick[old], old, first)
    unpack_fat(pick[new], new, unpacked)
    second_fat(first, unpacked, second)
    return first, second
