# SPDX-License-Identifier: GPL-3.0-or-later
"""Image files written into file systems of partitions that are not mounted; the file systems' own checkers are the judges."""
import os
import shutil
import signal
import subprocess
import time
import unittest

import support

MIB = 1 << 20
PART_BYTES = 48 * MIB
FIRST = 1 * MIB
NAMES = {1: "ntfs", 2: "ext4", 3: "fat32", 4: "fat16"}


def offset(number):
    return FIRST + (number - 1) * PART_BYTES


class InsideWriteTest(support.ProgramTest):
    needs_drive = False

    def setUp(self):
        super().setUp()
        missing = [name for name in ("sfdisk", "mkntfs", "mkfs.ext4", "mkfs.fat", "e2fsck", "fsck.fat", "ntfsfix", "ntfscat", "debugfs", "mcopy")
                   if shutil.which(name) is None]
        if missing:
            self.skipTest("not installed: " + ", ".join(missing))
        with open(self.path("small.raw"), "wb") as file:
            file.write(support.noise(5 * MIB, 1) + b"text " * 200_000)
            file.truncate(8 * MIB)
        table = "label: dos\n" + "".join(f"start={offset(n) // 512}, size={PART_BYTES // 512}, type={t}\n" for n, t in {1: "7", 2: "83", 3: "c", 4: "6"}.items())
        with open(self.path("store.raw"), "wb") as file:
            file.truncate(offset(5))
        support.tool("sfdisk", "-q", self.path("store.raw"), input=table.encode())
        makers = {1: ["mkntfs", "-q", "-F", "-f", "-p", offset(1) // 512], 2: ["mkfs.ext4", "-q", "-F"],
                  3: ["mkfs.fat", "-F", "32", "-h", offset(3) // 512], 4: ["mkfs.fat", "-F", "16", "-h", offset(4) // 512]}
        for number, words in makers.items():
            with open(self.path("part"), "wb") as file:
                file.truncate(PART_BYTES)
            support.tool(*words, self.path("part"))
            self.put_back(number)

    def take_out(self, number):
        """The partition as a file of its own."""
        with open(self.path("store.raw"), "rb") as drive, open(self.path("part"), "wb") as file:
            drive.seek(offset(number))
            file.write(drive.read(PART_BYTES))
        return self.path("part")

    def put_back(self, number):
        with open(self.path("store.raw"), "r+b") as drive, open(self.path("part"), "rb") as file:
            drive.seek(offset(number))
            drive.write(file.read())

    def checker(self, number, mend):
        return {1: ["ntfsfix", "-d" if mend else "-n"], 2: ["e2fsck", "-fy" if mend else "-fn"]}.get(number, ["fsck.fat", "-a" if mend else "-n"])

    def assert_sound(self, number, what=""):
        result = subprocess.run([*self.checker(number, False), self.take_out(number)], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, f"{what} {NAMES[number]}: {result.stdout}{result.stderr}")

    def read_inside(self, number, path):
        """A file's bytes, by somebody else's reader."""
        part = self.take_out(number)
        words = {1: ["ntfscat", part, path], 2: ["debugfs", "-R", f"cat {path}", part]}.get(number, ["mcopy", "-n", "-i", part, "::" + path, "-"])
        return subprocess.run(words, check=True, capture_output=True).stdout

    def back_up(self, image, *more):
        return self.succeed("backup", "--drive", "small.raw", "--file", image, "--save-log=0", "--unattended-yes", *more)

    def assert_restores(self, image, *more):
        self.succeed("restore", "--file", image, "--drive", "back.raw", "--overwrite", "--save-log=0", *more)
        support.tool("cmp", self.path("small.raw"), self.path("back.raw"))

    def test_a_chain_in_parts_in_a_new_folder(self):
        for number in NAMES:
            with self.subTest(NAMES[number]):
                shutil.copy(self.path("small.raw"), self.path("first.raw"))
                self.back_up(f"store.raw@{number}:/bk/deep/Full image", "--make-dir", "--max-file-size", "1M")
                self.assert_sound(number, "new image")
                with open(self.path("small.raw"), "r+b") as file:
                    file.seek(70_000)
                    file.write(support.noise(9000, number))
                self.succeed("/b", f"/base:store.raw@{number}:\\bk\\deep\\Full image", f"/f:store.raw@{number}:\\bk\\deep\\more", "/save-log=0")
                self.assert_sound(number, "changes")
                self.assertIn("differential", self.succeed("list", "--file", f"store.raw@{number}:/bk/deep/more").stdout)
                self.succeed("validate", "--file", f"store.raw@{number}:/bk/deep/more", "--save-log=0")
                self.assert_restores(f"store.raw@{number}:/bk/deep/more")
                shutil.copy(self.path("first.raw"), self.path("small.raw"))
                self.assert_restores(f"store.raw@{number}:/bk/deep/Full image")

    def test_the_same_bytes_as_in_a_folder(self):
        for number in NAMES:
            with self.subTest(NAMES[number]):
                self.back_up(f"store.raw@{number}:/x", "--max-file-size", "2M", "--encryption", "3", "--password", "secret word")
                listed = self.succeed("ls", f"store.raw@{number}").stdout.split()
                names = [word.strip("/") for word in listed if word.strip("/").startswith("x.tti")]
                self.assertGreater(len(names), 2)
                for name in names:
                    with open(self.path(name), "wb") as file:
                        file.write(self.read_inside(number, "/" + name))
                self.assert_restores("x.tti", "--password", "secret word")
                self.assert_restores(f"store.raw@{number}:/x", "--password", "secret word")

    def test_replaces_and_removes(self):
        for number in NAMES:
            with self.subTest(NAMES[number]):
                image = f"store.raw@{number}:/pc"
                self.back_up(image, "--max-file-size", "1M")
                self.back_up(image)
                self.assert_restores(image)
                self.assert_sound(number, "replaced")
                listed = self.succeed("ls", f"store.raw@{number}").stdout
                self.assertIn("pc.tti", listed)
                self.assertNotIn("pc.tti.1", listed)
                self.assertNotIn("partial", listed)
                time.sleep(1.1)  # images are ordered by their second
                self.back_up(f"store.raw@{number}:/later")
                self.succeed("purge", "--folder", f"store.raw@{number}:/", "--keep-last", "1", "--save-log=0", "--unattended-yes")
                self.assert_sound(number, "purged")
                listed = self.succeed("ls", f"store.raw@{number}").stdout
                self.assertNotIn("pc.tti", listed)
                self.assert_restores(f"store.raw@{number}:/later")

    def test_names_in_another_letter_case(self):
        for number in (1, 3):
            with self.subTest(NAMES[number]):
                for old, new in (("Pc", "pC"), ("Ärger", "äRGER")):
                    self.back_up(f"store.raw@{number}:/{old}", "--max-file-size", "2M")
                    self.succeed("validate", "--file", f"store.raw@{number}:/{new}", "--save-log=0")
                    self.back_up(f"store.raw@{number}:/{new}", "--max-file-size", "3M")
                    self.assert_restores(f"store.raw@{number}:/{old}")
                    self.back_up(f"store.raw@{number}:/{old}")
                    self.assert_restores(f"store.raw@{number}:/{new}")
                    self.assertNotIn(".tti.", self.succeed("ls", f"store.raw@{number}").stdout)
                self.assert_sound(number, "other case")
        # On ext they are two.
        self.back_up("store.raw@2:/Pc", "--max-file-size", "2M")
        self.back_up("store.raw@2:/pC")
        self.assert_restores("store.raw@2:/Pc")

    def test_a_base_inside_is_found_again(self):
        for number, folder in ((1, "/c"), (2, "")):
            with self.subTest(NAMES[number]):
                self.back_up(f"./store.raw@{number}:{folder}/i3", "--make-dir")
                self.back_up(f"local{number}", "--base", f"store.raw@{number}:{folder}/i3", "--post-validate")
                os.makedirs(self.path("other"), exist_ok=True)
                self.succeed("validate", "--file", f"../local{number}", "--save-log=0", cwd=self.path("other"))
                self.assert_restores(f"local{number}")
        self.succeed("/b", "/v0:store.raw", "/base:v0@1:\\c\\i3", "/f:more", "/save-log=0")
        self.succeed("validate", "--file", "more", "--save-log=0")

    def test_full(self):
        for number in NAMES:
            with self.subTest(NAMES[number]):
                with open(self.path("small.raw"), "r+b") as file:
                    file.truncate(30 * MIB)
                    file.write(support.noise(30 * MIB, 7))
                self.back_up(f"store.raw@{number}:/old")
                result = self.run_here("backup", "--drive", "small.raw", "--file", f"store.raw@{number}:/old", "--save-log=0", "--unattended-yes")
                self.assertNotEqual(result.returncode, 0)
                self.assertIn("No space left", result.stderr)
                self.assert_sound(number, "full")
                self.assert_restores(f"store.raw@{number}:/old")

    def test_full_to_the_last_block(self):
        with open(self.path("small.raw"), "wb") as file:
            file.write(support.noise(14 * MIB, 7))
        drive = self.path("full.raw")
        for kind in ("ext2", "ext4"):
            with self.subTest(kind):
                with open(drive, "wb") as file:
                    file.truncate(8 * MIB)
                support.tool("mkfs." + kind, "-q", "-F", "-b", "4096", drive)
                for more in ([], [], ["--resume"]):
                    result = self.run_here("backup", "--drive", "small.raw", "--file", "full.raw@0:/x", "--save-log=0", *more)
                    self.assertIn("No space left", result.stderr)
                    support.tool("e2fsck", "-fn", drive)
                    self.assertIn(b"x.tti.partial", support.tool("debugfs", "-R", "ls -p /", drive).stdout)
        # What cannot be removed, since its blocks lie behind the end, is told in words and leaves the mark.
        with open(self.path("stale"), "wb") as file:
            file.write(support.noise(9000, 8))
        support.tool("mkfs.ext4", "-q", "-F", "-b", "4096", drive)
        support.tool("debugfs", "-w", "-f", "-", drive, input=f"write {self.path('stale')} x.tti.partial\nsif x.tti.partial block[5] 99999\n".encode())
        result = self.run_here("backup", "--drive", "small.raw", "--file", "full.raw@0:/x", "--save-log=0")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("run e2fsck -f", result.stderr)
        self.assertNotIn("Unknown code", result.stderr)
        self.assertIn(b"not clean", support.tool("debugfs", "-R", "show_super_stats -h", drive).stdout)

    def test_killed(self):
        with open(self.path("small.raw"), "wb") as file:
            file.write(support.noise(24 * MIB, 9))
        for number in NAMES:
            with self.subTest(NAMES[number]):
                self.succeed("backup", "--drive", "small.raw", "--file", f"store.raw@{number}:/small/old", "--make-dir", "--compression", "0", "--save-log=0",
                             "--max-file-size", "4M")
                cut_off = 0
                for delay in (0.05, 0.15, 0.3):
                    words = ["backup", "--drive", "small.raw", "--file", f"store.raw@{number}:/small/old", "--save-log=0", "--unattended-yes", "--gentle-io", "--max-file-size", "4M"]
                    child = subprocess.Popen([support.PROGRAM, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    time.sleep(delay)
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    cut_off += "partial" in self.succeed("ls", f"store.raw@{number}", "/small").stdout
                    part = self.take_out(number)
                    mended = subprocess.run([*self.checker(number, True), part], capture_output=True, text=True, check=False)
                    self.assertIn(mended.returncode, (0, 1), mended.stdout + mended.stderr)
                    self.put_back(number)
                    self.assert_sound(number, f"killed after {delay}")
                    self.assert_restores(f"store.raw@{number}:/small/old")
                self.assertGreater(cut_off, 0)

    def assert_refused(self, status, says, image, *more):
        result = self.run_here("backup", "--drive", "small.raw", "--file", image, "--save-log=0", *more)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(says, result.stderr)

    def test_refuses_names_before_anything_is_written(self):
        before = {number: self.succeed("ls", f"store.raw@{number}").stdout for number in NAMES}
        windows = ["con", "Nul", "com1.x", "b\udcff\udcfe", "a?b", "x" * 238]
        for number, names in {1: windows, 2: ["ü" * 120, "x" * 238], 3: windows, 4: windows}.items():
            for name in names:
                with self.subTest(f"{NAMES[number]} {name[:9]!r}"):
                    self.assert_refused(2, "takes no file of the name", f"store.raw@{number}:/{name}")
            self.assertEqual(self.succeed("ls", f"store.raw@{number}").stdout, before[number])
            self.assert_sound(number, "names")
        self.back_up("store.raw@2:/" + "x" * 237, "--max-file-size", "2M")
        self.back_up("store.raw@3:/" + "ü" * 237, "--max-file-size", "2M")
        self.assert_restores("store.raw@3:/" + "ü" * 237)
        self.assert_refused(2, "a device", "store.raw@1:/new/aux/x", "--make-dir")
        self.assertNotIn("new", self.succeed("ls", "store.raw@1").stdout)

    def test_a_partition_without_a_slash(self):
        for name in ("store.raw@1:rel", "store.raw@1:", "v0@1:rel", "0@1:"):
            self.assert_refused(2, "@1:/", name)
        self.back_up("none.raw@1:x")  # no such drive: a file as every other
        self.assertIn("none.raw@1:x.tti", self.files())

    def test_looks_into_images_there(self):
        support.tool("mkfs.ext4", "-q", "-F", self.path("small.raw"))
        support.tool("debugfs", "-w", "-R", f"write {os.path.abspath(__file__)} file", self.path("small.raw"))
        self.back_up("store.raw@1:/bk/pc", "--make-dir", "--max-file-size", "1M")
        self.assertIn("ext4", self.succeed("ls", "store.raw@1:/bk/pc").stdout)
        for name in ("store.raw@1:/bk/pc@0", "store.raw@1:\\bk\\PC.tti@0"):
            self.assertIn("file", self.succeed("ls", name, "/").stdout)
        os.mkdir(self.path("out"))
        self.succeed("extract", "store.raw@1:/bk/pc", "/file", "--to", "out")
        support.tool("cmp", __file__, self.path("out/file"))
        self.succeed("convert", "store.raw@1:/bk/pc", "converted.raw")
        self.succeed("copy", "--source-drive", "store.raw@1:/bk/pc", "--target-drive", "copied.raw", "--save-log=0")
        for name in ("converted.raw", "copied.raw"):
            support.tool("debugfs", "-R", f"dump file {self.path('dumped')}", self.path(name))
            support.tool("cmp", __file__, self.path("dumped"))
        self.assert_fails(1, "ls", "store.raw@1:/bk/none", says="none.tti")

    def test_refuses(self):
        # Its own source, whole or in part.
        self.assert_fails(3, "backup", "--drive", "store.raw", "--file", "store.raw@2:/x", "--save-log=0", says="its own source")
        self.assert_fails(3, "backup", "--drive", "store.raw@2", "--file", "./store.raw@2:/x", "--save-log=0", says="its own source")
        # Another partition of the drive is no source.
        self.succeed("backup", "--drive", "store.raw@3", "--file", "store.raw@2:/x", "--save-log=0")
        self.assert_sound(2)
        # The partition that holds the image is no target for it.
        self.assert_fails(3, "restore", "--file", "store.raw@2:/x", "--drive", "store.raw@2", "--overwrite", "--save-log=0", says="would be overwritten")
        # A dirty file system.
        support.tool("debugfs", "-w", "-R", "set_super_value state 0", self.take_out(2))
        self.put_back(2)
        before = self.read_inside(2, "/x.tti")
        result = self.run_here("backup", "--drive", "small.raw", "--file", "store.raw@2:/x", "--save-log=0", "--unattended-yes")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn("e2fsck", result.stderr)
        self.assertEqual(self.read_inside(2, "/x.tti"), before)

    @unittest.skipUnless(shutil.which("qemu-img") and shutil.which("qemu-storage-daemon"), "needs QEMU's tools")
    def test_on_a_virtual_drive(self):
        support.tool("qemu-img", "convert", "-O", "qcow2", self.path("store.raw"), self.path("store.qcow2"))
        for number in NAMES:
            with self.subTest(NAMES[number]):
                self.succeed("/b", "/v0:store.qcow2", "/d:small.raw", f"/f:v0@{number}:\\bk\\a", "/make-dir", "/save-log=0")
                self.succeed("backup", "--virtual-drive", "0=store.qcow2", "--base", f"v0@{number}:/bk/a", "--file", f"v0@{number}:/bk/b", "--save-log=0", "--post-validate")
                self.assert_restores(f"store.qcow2@{number}:/bk/b")
        # QEMU gives a drive to one at a time, also within one program.
        self.assert_fails(3, "backup", "--drive", "store.qcow2@1", "--file", "store.qcow2@2:/x", "--save-log=0", says="convert the drive to raw")
        support.tool("qemu-img", "convert", "-O", "raw", self.path("store.qcow2"), self.path("store.raw"))
        for number in NAMES:
            self.assert_sound(number, "virtual")

    @unittest.skipUnless(os.geteuid() == 0, "mounts through a loop device")
    def test_refuses_what_is_mounted(self):
        point = self.path("point")
        os.mkdir(point)
        mounted = subprocess.run(["mount", "-o", f"loop,offset={offset(2)},sizelimit={PART_BYTES}", self.path("store.raw"), point], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount here")
        try:
            result = self.run_here("backup", "--drive", "small.raw", "--file", "store.raw@2:/x", "--save-log=0")
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertIn(point, result.stderr)
        finally:
            support.tool("umount", point)

    @unittest.skipUnless(os.geteuid() == 0, "mounts a small tmpfs")
    def test_no_room_under_the_drive(self):
        point = self.path("point")
        os.mkdir(point)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3M", "none", point], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount here")
        try:
            for kind in ("ext4", "ntfs"):
                with self.subTest(kind):
                    with open(point + "/drive.raw", "wb") as file:
                        file.truncate(40 * MIB)
                    support.tool(*(["mkfs.ext4", "-q", "-F", "-O", "^has_journal"] if kind == "ext4" else ["mkntfs", "-q", "-F", "-f", "-L", "x"]), point + "/drive.raw")
                    result = self.run_here("backup", "--drive", "small.raw", "--file", "point/drive.raw@0:/x", "--save-log=0")
                    self.assertIn("No space left", result.stderr)
                    self.assertIn("must be checked", result.stderr)
                    os.remove(point + "/drive.raw")
        finally:
            support.tool("umount", point)


if __name__ == "__main__":
    support.main()
