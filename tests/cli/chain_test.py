# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains the whole way: a drive whose files change between images, every link restored, consolidated, restored again."""
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import support

IS_ROOT = os.geteuid() == 0


def free_loop_device():
    """Whether a file system in a file can be mounted here."""
    return IS_ROOT and subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(free_loop_device(), "needs root and loop devices")
class ChainTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.source = self.path("disk.raw")
        support.tool("cp", "--sparse=always", self.drive, self.source)

    @contextlib.contextmanager
    def ext4(self, drive, how):
        """The ext4 partition, mounted."""
        start, count = support.PARTITIONS["0x2"]
        with tempfile.TemporaryDirectory(dir=self.shared) as point:
            support.tool("mount", "-t", "ext4", "-o", f"{how},loop,offset={start * 512},sizelimit={count * 512}", drive, point)
            try:
                yield point
            finally:
                support.tool("umount", point)

    @contextlib.contextmanager
    def fat(self, drive, write=False):
        """The files of the FAT partition in a folder, from where they go back; not every kernel can mount FAT."""
        image = f"{drive}@@{support.PARTITIONS['0x301'][0] * 512}"
        with tempfile.TemporaryDirectory(dir=self.shared) as folder:
            support.tool("mcopy", "-n", "-i", image, "::*", folder)
            before = os.listdir(folder)
            yield folder
            if write:
                for name in set(before) - set(os.listdir(folder)):
                    support.tool("mdel", "-i", image, f"::{name}")
                for name in sorted(os.listdir(folder)):
                    support.tool("mcopy", "-o", "-i", image, os.path.join(folder, name), "::")

    def change(self, day):
        """Files are overwritten in part, added and deleted, as on a working day."""
        with self.ext4(self.source, "rw") as ext4, self.fat(self.source, write=True) as fat:
            for folder in (ext4, fat):
                with open(os.path.join(folder, "file1.bin"), "r+b") as file:
                    file.seek(100_000 * day)
                    file.write(support.noise(5_000, day))
                with open(os.path.join(folder, f"day{day}.txt"), "wb") as file:
                    file.write(b"written on day %d\n" % day * 2_000)
                if day == 2:
                    os.remove(os.path.join(folder, "file2.bin"))

    def sums(self, drive):
        """SHA-256 of every file of the partitions that change."""
        found = {}
        with self.ext4(drive, "ro") as ext4, self.fat(drive) as fat:
            for top in (ext4, fat):
                for folder, _, names in os.walk(top):
                    for name in names:
                        with open(os.path.join(folder, name), "rb") as file:
                            found[top == fat, name] = hashlib.sha256(file.read()).hexdigest()
        return found

    def check(self, image, truth, *more):
        self.succeed("restore", "--file", image, "--drive", "new.raw", "--overwrite", *more)
        new = self.path("new.raw")
        support.tool("e2fsck", "-fn", support.extract(new, "0x2", self.path("e")))
        support.tool("fsck.fat", "-n", support.extract(new, "0x301", self.path("f")))
        support.tool("ntfsfix", "-n", support.extract(new, "0x1", self.path("n")))
        self.assertEqual(self.sums(new), truth)
        os.remove(new)

    def size(self, image):
        return os.path.getsize(self.path(image + ".tti"))

    def facts(self, image, *more):
        return json.loads(self.succeed("list", "--file", image, "--json", *more).stdout)["image"]

    def make_chain(self, *more, env=None):
        """monday (full), tuesday, wednesday, thursday; what the drive held at each."""
        truth = {"monday": self.sums(self.source)}
        self.succeed("backup", "--drive", "disk.raw", "--file", "monday", *more, env=env)
        self.change(1)
        truth["tuesday"] = self.sums(self.source)
        self.succeed("backup", "--base", "monday", "--file", "tuesday", env=env)
        self.change(2)
        truth["wednesday"] = self.sums(self.source)
        self.succeed("/b", "/base:tuesday", "/f:wednesday", env=env)
        self.change(3)
        truth["thursday"] = self.sums(self.source)
        self.succeed("backup", "--base=wednesday", "--file=thursday", "--multi-pass", "--byte-for-byte", env=env)
        return truth

    def test_a_week(self):
        truth = self.make_chain()
        self.assertEqual([self.facts(day)["kind"] for day in truth], ["full", "differential", "incremental", "incremental"])
        for day in ("tuesday", "wednesday", "thursday"):
            self.assertLess(self.size(day), self.size("monday") / 10)
        for day, sums in truth.items():
            self.assertIn("sound", self.succeed("validate", "--file", day).stdout)
            self.check(day, sums)

        before = self.files()
        out = self.succeed("consolidate", "--file", "thursday", "--to", "full2", "--description", "the week").stdout
        self.assertIn("validated", out)
        self.assertEqual(self.files(), sorted([*before, "full2.tti"]))
        listing = self.facts("full2")
        self.assertEqual((listing["kind"], listing["base_id"], listing["description"]), ("full", None, "the week"))
        self.assertEqual(listing["created"], self.facts("thursday")["created"])
        # It needs nothing else.
        os.mkdir(self.path("alone"))
        shutil.copy(self.path("full2.tti"), self.path("alone/full2.tti"))
        self.check("alone/full2", truth["thursday"])

        result = self.succeed("consolidate", "/f:thursday", "/to:week", "/base:monday", "/replace", "/json")
        end = support.events_of(result)[-1]
        self.assertEqual((end["kind"], end["images"], end["kept"]), ("differential", 3, []))
        self.assertEqual([os.path.basename(path) for path in end["removed"]], ["thursday.tti", "wednesday.tti", "tuesday.tti"])
        self.assertEqual([name for name in self.files() if name.endswith(".tti")], ["full2.tti", "monday.tti", "week.tti"])
        self.check("week", truth["thursday"])
        self.check("monday", truth["monday"])
        self.change(4)
        self.succeed("backup", "--base", "week", "--file", "friday")
        self.check("friday", self.sums(self.source), "--byte-for-byte")

    def test_a_link_that_another_image_needs_is_kept(self):
        truth = self.make_chain()
        result = self.succeed("consolidate", "--file", "wednesday", "--to", "full2", "--replace")
        self.assertIn("wednesday.tti is kept: thursday.tti builds on it", result.stdout)
        self.check("thursday", truth["thursday"])
        self.check("full2", truth["wednesday"])

    def test_a_missing_link_is_named_before_anything_is_written(self):
        truth = self.make_chain()
        os.mkdir(self.path("attic"))
        os.rename(self.path("tuesday.tti"), self.path("attic/tuesday.tti"))
        before = self.files()
        self.assert_fails(4, "restore", "--file", "thursday", "--drive", "new.raw", says="tuesday.tti")
        self.assert_fails(1, "consolidate", "--file", "thursday", "--to", "full2", says="tuesday.tti")
        self.assertEqual(self.files(), before)
        self.check("thursday", truth["thursday"], "--base", "attic/tuesday")
        self.succeed("/v", "/f:thursday", "/base:attic/tuesday")

    def test_encrypted_from_end_to_end(self):
        right, wrong = {"TINTYPE_PASSWORD": "Gehe1m"}, {"TINTYPE_PASSWORD": "gehe1m"}
        truth = self.make_chain("--encryption", "3", env=right)
        before = self.files()
        self.assert_fails(3, "backup", "--base", "thursday", "--file", "friday", env=wrong, says="password")
        self.assert_fails(3, "consolidate", "--file", "thursday", "--to", "full2", env=wrong, says="password")
        self.assertEqual(self.files(), before)
        self.succeed("consolidate", "--file", "thursday", "--to", "full2", "--replace", "--max-file-size", "4MiB", env=right)
        self.assertEqual({name.split(".")[0] for name in self.files() if ".tti" in name}, {"full2"})
        self.assert_fails(3, "restore", "--file", "full2", "--drive", "new.raw", env=wrong, says="password")
        self.assertNotIn(b"written on day", b"".join(self.content(name) for name in self.files() if ".tti" in name))
        with open(self.path("secret"), "w", encoding="utf-8") as file:
            file.write("Gehe1m\n")
        self.check("full2", truth["thursday"], "--password-file", "secret")

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def test_what_makes_no_sense(self):
        self.succeed("backup", "--drive", "disk.raw", "--file", "monday")
        self.succeed("backup", "--base", "monday", "--file", "tuesday")
        self.succeed("backup", "--drive", "disk.raw@0x2", "--file", "other")
        before = {name: self.content(name) for name in self.files() if name.endswith(".tti")}
        self.assert_fails(2, "consolidate", "--file", "tuesday", says="--to")
        self.assert_fails(2, "consolidate", "--to", "x", says="--file")
        self.assert_fails(2, "consolidate", "--file", "tuesday", "--to", "x", "--base", "other", says="other.tti")
        self.assert_fails(2, "consolidate", "--file", "tuesday", "--to", "x", "--replace", "--no-post-validate", says="--replace")
        self.assert_fails(3, "consolidate", "--file", "tuesday", "--to", "monday", "--unattended-yes", says="chain")
        self.assert_fails(3, "consolidate", "--file", "tuesday", "--to", "tuesday", "--unattended-yes", says="chain")
        self.assert_fails(3, "consolidate", "--file", "tuesday", "--to", "other", says="exists")
        self.assert_fails(3, "backup", "--base", "tuesday", "--file", "monday", "--unattended-yes", says="build")
        self.assertEqual({name: self.content(name) for name in self.files() if name.endswith(".tti")}, before)
        self.succeed("consolidate", "--file", "tuesday", "--to", "other", "--unattended-yes", "--no-post-validate")
        self.assertEqual(self.facts("other")["kind"], "full")


if __name__ == "__main__":
    unittest.main()
