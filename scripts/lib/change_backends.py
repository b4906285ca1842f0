# SPDX-License-Identifier: GPL-3.0-or-later
"""Where scripts/lib/change-files changes files: a mounted folder, or the FAT of a drive file through mtools."""
import os
import re
import struct
import subprocess
import tempfile


class Folder:
    def __init__(self, root):
        self.root = root

    def list(self):
        for folder, folders, names in os.walk(self.root):
            folders.sort()
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    yield os.path.relpath(path, self.root), os.path.getsize(path)

    def at(self, name):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def read(self, name):
        with open(self.at(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.at(name), "wb") as file:
            file.write(data)

    def patch(self, name, at, data):
        with open(self.at(name), "r+b") as file:
            file.seek(at)
            file.write(data)

    def rename(self, name, target):
        os.rename(self.at(name), self.at(target))

    def delete(self, name):
        os.remove(self.at(name))


class Fat:
    """Names with characters that mtools takes for patterns are left alone."""

    def __init__(self, drive, offset):
        self.drive, self.offset = drive, offset
        with open(drive, "rb") as file:
            file.seek(offset)
            boot = file.read(512)
        sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", boot, 11)
        self.cluster = sector * per_cluster
        self.data = offset + (reserved + fats * struct.unpack_from("<I", boot, 36)[0]) * sector
        self.folders = set()

    def tool(self, name, *words, **options):
        done = subprocess.run([name, "-i", f"{self.drive}@@{self.offset}", *words], capture_output=True,
                              stdin=subprocess.DEVNULL, **options)
        if done.returncode:
            raise SystemExit(f"change-files: {name} {' '.join(words)}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def list(self):
        """Sizes in whole clusters, which is near enough to choose by."""
        lines = [line.rsplit(None, 1) for line in self.tool("mdu", "-a", "::/").decode().splitlines()]
        sizes = {name[3:]: int(clusters) * self.cluster for name, clusters in lines if not set(name) & set("[]*?")}
        files = set(name[3:] for name in self.tool("mdir", "-/", "-b", "::/").decode().splitlines() if name[-1] != "/")
        return ((name, size) for name, size in sizes.items() if name in files)

    def read(self, name):
        return self.tool("mcopy", "::/" + name, "-")

    def write(self, name, data):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            self.make_folder(os.path.dirname(name))
            self.tool("mcopy", "-n", "-Q", file.name, "::/" + name)

    def patch(self, name, at, data):
        text = self.tool("mshowfat", "::/" + name).decode()
        clusters = []
        for first, last in re.findall(r"<(\d+)(?:-(\d+))?>", text):
            clusters += range(int(first), int(last or first) + 1)
        with open(self.drive, "r+b") as file:
            while data:
                inside = at % self.cluster
                piece = data[:self.cluster - inside]
                file.seek(self.data + (clusters[at // self.cluster] - 2) * self.cluster + inside)
                file.write(piece)
                at, data = at + len(piece), data[len(piece):]

    def rename(self, name, target):
        self.make_folder(os.path.dirname(target))
        self.tool("mmove", "::/" + name, "::/" + target)

    def delete(self, name):
        self.tool("mdel", "::/" + name)

    def make_folder(self, name):
        path = ""
        for part in name.split("/"):
            path += "/" + part
            if path not in self.folders:
                self.folders.add(path)
                self.tool("mmd", "-D", "s", "::" + path)
