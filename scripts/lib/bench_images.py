# SPDX-License-Identifier: GPL-3.0-or-later
"""What measurements of images beside restic and borg share: our commands, warm caches of files, undoing what is open."""
import contextlib
import os
import shutil

from bench_base import Bench
from measure import data_ranges, remove, shell, warm


class ImagesBench(Bench):
    def __init__(self, options):
        super().__init__(options)
        self.to_close = []  # mounts and what lies below them; closed last to first, more than once if need be

    def ours(self, *words):
        return " ".join(f"'{word}'" for word in (self.tintype, *words, "--unattended-yes", "--no-save-log"))

    def backup(self, drive, name, *more):
        words = ("backup", "--drive", drive, "--file", self.out(name), "--compression", "1", *more)
        return self.ours(*words), [self.out(name) + "*"]

    def image(self, name, drive, *more):
        """Makes an image that stays; returns its name."""
        remove(self.out(name) + "*")
        shell(self.backup(drive, name, *more)[0])
        return self.out(name)

    def warmer(self, *paths):
        """Reads files, all files of images, or all files in folders."""
        def run():
            for path in paths:
                for file in self.files_of(path):
                    warm(file, data_ranges(file))
        return run

    @staticmethod
    def files_of(path):
        if os.path.isdir(path):
            return [os.path.join(at, name) for at, _, names in os.walk(path) for name in names]
        if os.path.exists(path):
            return [path]
        folder, name = os.path.split(path)
        return [f"{folder}/{each}" for each in os.listdir(folder) if each.startswith(name + ".tti")]

    def close(self):
        with contextlib.ExitStack() as stack:  # file systems first, then the loop devices below them
            stack.callback(super().close)
            stack.callback(lambda: [shutil.rmtree(self.out(name), ignore_errors=True) for name in os.listdir(self.dir)
                                    if name.startswith("peer-")])
            for each in self.to_close:
                stack.callback(each.close)
