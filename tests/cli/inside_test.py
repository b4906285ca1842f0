# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files inside file systems of partitions that are not mounted: found, listed, validated and restored from there."""
import os
import subprocess
import unittest

import support


class InsideTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        with open(self.path("small.raw"), "wb") as file:
            for i in range(6):
                file.write(support.noise(200_000, i) + b"text " * 20_000)
            file.truncate(4 << 20)
        self.succeed("backup", "--drive", "small.raw", "--file", "full", "--max-file-size", "1M", "--save-log=0")
        with open(self.path("small.raw"), "r+b") as file:
            file.seek(70_000)
            file.write(support.noise(9000, "more"))
        self.succeed("backup", "--drive", "small.raw", "--base", "full", "--file", "more", "--save-log=0")
        names = [name for name in os.listdir(self.folder) if ".tti" in name]
        # A drive with the images in a folder of each of its file systems.
        os.makedirs(self.path("content/bk"))
        for name in names:
            os.rename(self.path(name), self.path("content/bk/" + name))
        paths = [self.path("content/bk/" + name) for name in names]
        table = "label: dos\nstart=2048, size=32768, type=7\nstart=34816, size=32768, type=83\nstart=67584, size=32768, type=6\n"
        with open(self.path("store.raw"), "wb") as file:
            file.truncate(64 << 20)
        support.tool("sfdisk", "-q", self.path("store.raw"), input=table.encode())
        parts = {1: self.path("p1"), 2: self.path("p2"), 3: self.path("p3")}
        for path in parts.values():
            with open(path, "wb") as file:
                file.truncate(16 << 20)
        support.tool("mkntfs", "-q", "-F", "-f", "-p", "2048", parts[1])
        point = self.path("point")
        os.mkdir(point)
        support.tool("ntfs-3g", parts[1], point)
        try:
            os.mkdir(point + "/bk")
            for path in paths:
                support.tool("cp", path, point + "/bk/")
        finally:
            support.tool("umount", point)
        support.tool("mkfs.ext4", "-q", "-F", "-d", self.path("content"), parts[2])
        support.tool("mkfs.fat", "-F", "16", "-h", "67584", parts[3])
        support.tool("mmd", "-i", parts[3], "::bk")
        support.tool("mcopy", "-i", parts[3], *paths, "::bk")
        with open(self.path("store.raw"), "r+b") as drive:
            for number, path in parts.items():
                drive.seek((2048 + (number - 1) * 32768) * 512)
                with open(path, "rb") as file:
                    drive.write(file.read())

    @unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/fuse"), "fills an NTFS through ntfs-3g")
    def test_read_from_each_file_system(self):
        with open(self.path("store.raw"), "rb") as file:
            before = file.read()
        for number in (1, 2, 3):
            for image in (f"store.raw@{number}:/bk/more", f"store.raw@{number}:\\bk\\more.tti"):
                with self.subTest(image):
                    self.succeed("validate", "--file", image, "--save-log=0")
                    self.assertIn("differential", self.succeed("list", "--file", image).stdout)
                    self.succeed("restore", "--file", image, "--drive", "back.raw", "--overwrite", "--save-log=0")
                    support.tool("cmp", self.path("small.raw"), self.path("back.raw"))
        with open(self.path("store.raw"), "rb") as file:
            self.assertEqual(file.read(), before)
        self.succeed("/v", "/f:store.raw@1:\\bk\\full", "/save-log=0")
        self.succeed("restore", "--virtual-drive", "0=store.raw", "--file", "v0@2:/bk/full", "--drive", "v.raw", "--save-log=0")
        self.assert_fails(1, "list", "--file", "store.raw@2:/bk/none", says="none.tti")
        self.assert_fails(1, "list", "--file", "store.raw@7:/bk/full", says="no partition 7")


if __name__ == "__main__":
    support.main()
