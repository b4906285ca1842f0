# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes-only backups as a user meets them: which drive is taken, what is refused, and where links are found."""
import os
import shutil
import subprocess
import tempfile
import unittest

from support import noise, run

TABLE = "label: dos\nlabel-id: 0xaabbccdd\nstart=2048,size=4096,type=83\nstart=6144,size=4096,type=83\n"


class Chain(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("here", "there"):
            os.mkdir(os.path.join(self.folder, name))

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def drive(self, path, table=TABLE, seed=1):
        with open(path, "wb") as file:
            file.write(noise(2 << 20, seed))
            file.truncate(6 << 20)
        if table:
            subprocess.run(["sfdisk", "-q", "--wipe", "never", path], input=table, text=True, check=True)
        else:
            self.patch(path, bytes(1024), 0)

    @staticmethod
    def patch(path, data, offset):
        with open(path, "r+b") as file:
            file.seek(offset)
            file.write(data)

    def ok(self, *words, cwd=None, status=0):
        done = run(*words, cwd=cwd)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def restored(self, image, *words):
        target = self.at("restored.raw")
        if os.path.exists(target):
            os.remove(target)
        self.ok("restore", "--file", image, "--drive", target, "--unattended-yes", *words)
        with open(target, "rb") as file:
            return file.read()

    def content(self, path):
        with open(path, "rb") as file:
            return file.read()

    def test_a_raw_file_is_found_again_from_another_folder(self):
        for table in (TABLE, None):
            with self.subTest(table=bool(table)):
                self.drive(self.at("here", "disk.raw"), table)
                self.drive(self.at("there", "disk.raw"), table, seed=2)
                self.ok("backup", "--drive", "disk.raw", "--file", "full", "--unattended-yes", cwd=self.at("here"))
                self.patch(self.at("here", "disk.raw"), b"changed", 1_500_000)
                self.ok("backup", "--base", "../here/full", "--file", "diff", "--unattended-yes", cwd=self.at("there"))
                self.assertEqual(self.restored(self.at("there", "diff")), self.content(self.at("here", "disk.raw")))
                self.ok("backup", "--base", "full", "--drive", "disk.raw", "--file", "again", "--unattended-yes", cwd=self.at("here"))

    def test_a_partition_that_is_gone_is_not_replaced_by_the_whole_drive(self):
        disk = self.at("disk.raw")
        self.drive(disk)
        self.ok("backup", "--drive", f"{disk}@2", "--file", self.at("full"))
        subprocess.run(["sfdisk", "-q", "--delete", disk, "2"], check=True)
        done = self.ok("backup", "--base", self.at("full"), "--file", self.at("diff"), status=1)
        self.assertIn("only 0 of them", done.stderr)
        self.assertFalse(os.path.exists(self.at("diff.tti")))

    def test_no_image_of_the_chain_is_replaced(self):
        disk = self.at("disk.raw")
        self.drive(disk)
        self.ok("backup", "--drive", disk, "--file", self.at("here", "full"))
        self.ok("backup", "--base", self.at("here", "full"), "--file", self.at("here", "diff"))
        os.symlink("full.tti", self.at("here", "link.tti"))
        os.symlink(self.at("here"), self.at("alias"))
        for name in (self.at("here", "full"), self.at("here", "link"), self.at("alias", "full"), self.at("here", "diff")):
            before = self.content(self.at("here", "full.tti"))
            self.ok("backup", "--base", self.at("here", "diff"), "--file", name, "--unattended-yes", status=3)
            self.assertEqual(self.content(self.at("here", "full.tti")), before)

    def test_links_that_are_named_serve_the_check_afterwards_too(self):
        disk = self.at("disk.raw")
        self.drive(disk)
        os.mkdir(self.at("old"))
        self.ok("backup", "--drive", disk, "--file", self.at("old", "full"))
        self.patch(disk, b"one", 1_500_000)
        self.patch(disk, b"one", 3_500_000)
        self.ok("backup", "--base", self.at("old", "full"), "--file", self.at("there", "one"))
        os.rename(self.at("old"), self.at("older"))
        self.patch(disk, b"two", 1_600_000)
        named = ("--base", self.at("there", "one"), "--base", self.at("older", "full"))
        self.ok("backup", *named, "--file", self.at("here", "two"), "--post-validate", "--byte-for-byte")
        self.assertEqual(self.restored(self.at("here", "two"), "--base", self.at("there", "one"), "--base", self.at("older", "full")),
                         self.content(disk))
        # A piece of the index that did not change lies in the image that is not found.
        done = self.ok("backup", *named[:2], "--file", self.at("here", "three"), status=1)
        self.assertIn("warning: the new image can only be restored with all of its chain", done.stderr)
        self.assertIn("full.tti", done.stderr.splitlines()[-1])
        self.assertFalse(os.path.exists(self.at("here", "three.tti")))


if __name__ == "__main__":
    unittest.main()
