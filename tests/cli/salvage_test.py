# SPDX-License-Identifier: GPL-3.0-or-later
"""salvage: what damage leaves of an image, compared with a restore of the sound one; what differs must be listed."""
import json
import os
import random
import unittest

import support


class SalvageTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.make_image()
        self.succeed("restore", "--file", "pc", "--drive", "whole.raw", "--save-log=0")

    def make_image(self, *more):
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--max-file-size", "2MiB", "--save-log=0",
                     "--unattended-yes", *more)

    def salvage(self, status, to="out", *more, file="pc"):
        result = self.run_here("salvage", "--file", file, "--to", to, "--save-log=0", *more)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def damage(self, name, at, count):
        support.tool("dd", "if=/dev/urandom", f"of={self.path(name)}", f"bs={count}", "count=1", f"seek={at}",
                     "oflag=seek_bytes", "conv=notrunc")

    def report(self, to="out"):
        with open(os.path.join(self.path(to), "salvage.json"), encoding="utf-8") as file:
            return json.load(file)

    def check(self, to="out"):
        """drive.raw is the restored drive but for what the report lists; returns the report."""
        report = self.report(to)
        wanted = bytearray(support.read_at(self.path("whole.raw"), 0, support.DRIVE_BYTES))
        got = bytearray(support.read_at(os.path.join(self.path(to), "drive.raw"), 0, support.DRIVE_BYTES))
        self.assertEqual(len(wanted), len(got))
        for area in report["areas"]:
            for kind in ("lost", "earlier_image", "unknown"):
                self.assertEqual(area[kind]["ranges"], len(area[kind]["extents"]))
                self.assertEqual(area[kind]["bytes"], sum(length for _, length in area[kind]["extents"]))
                for start, length in area[kind]["extents"]:
                    start += area["file_byte"]
                    wanted[start:start + length] = got[start:start + length] = bytes(length)
        with open(self.path("a"), "wb") as a, open(self.path("b"), "wb") as b:
            a.write(wanted)
            b.write(got)
        support.tool("cmp", self.path("a"), self.path("b"))
        return report

    def test_a_sound_image(self):
        result = self.salvage(0)
        self.assertIn("100.0 % brought back", result.stdout)
        support.tool("cmp", self.path("whole.raw"), self.path("out/drive.raw"))
        support.tool("e2fsck", "-fn", support.extract(self.path("out/drive.raw"), "0x2", self.path("e")))
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["drive.raw", "salvage.json", "salvage.txt"])
        self.assertLess(os.stat(self.path("out/drive.raw")).st_blocks * 512, support.DRIVE_BYTES // 2)

    def test_damage_with_dd(self):
        rng = random.Random(7)
        parts = [name for name in self.files() if name.startswith("pc.tti")]
        for i in range(4):
            name = rng.choice(parts)
            self.damage(name, rng.randrange(os.path.getsize(self.path(name)) - 3000), 3000)
            result = self.salvage(5, f"out{i}")
            report = self.check(f"out{i}")
            self.assertGreater(report["restored_bytes"], report["lost_bytes"])
        self.assertIn("salvage.txt lists what is lost", result.stdout)
        with open(self.path("out3/salvage.txt"), encoding="utf-8") as file:
            self.assertIn("lost:", file.read())

    def test_parts_cut_off_and_missing(self):
        os.truncate(self.path("pc.tti.1"), 700_000)
        os.remove(self.path("pc.tti.2"))
        result = self.salvage(5)
        self.assertIn("part 3 is missing", result.stderr)
        self.assertGreaterEqual(self.check()["lost_bytes"], 1 << 19)

    def test_the_last_part_missing(self):
        parts = sorted(name for name in self.files() if name.startswith("pc.tti."))
        os.remove(self.path(parts[-1]))
        self.salvage(5)
        self.assertEqual(self.check()["layout_from"], "prologue")

    def test_the_first_part_missing(self):
        whole = os.path.getsize(self.path("pc.tti"))
        os.remove(self.path("pc.tti"))
        self.salvage(5)
        report = self.check()
        self.assertEqual(report["layout_from"], "catalog")
        self.assertLess(report["lost_bytes"], 4 * whole)

    def test_every_header_and_the_end_lost(self):
        parts = [name for name in self.files() if name.startswith("pc.tti")]
        for name in parts:
            self.damage(name, 0, 4096)
        last = max(parts, key=lambda name: int((name + ".0").split(".")[2]))
        os.truncate(self.path(last), os.path.getsize(self.path(last)) - 128)
        self.salvage(0)
        self.check()

    def test_an_encrypted_image(self):
        with open(self.path("secret"), "w", encoding="utf-8") as file:
            file.write("grün\n")
        self.make_image("--encryption", "3", "--password-file", "secret")
        self.damage("pc.tti", 0, 4096)
        self.salvage(0, "out", "--password-file", "secret")
        support.tool("cmp", self.path("whole.raw"), self.path("out/drive.raw"))
        result = self.run_here("salvage", "--file", "pc", "--to", "none", "--password", "wrong", "--save-log=0")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertNotIn("none", self.files())

    def test_a_changes_only_image_and_its_base(self):
        with open(self.path(self.drive), "r+b") as drive:
            for at, count in ((200_000, 1_500_000), (2_500_000, 3_000)):  # whole chunks, and a little of one; in files of the FAT partition
                drive.seek(96_256 * 512 + at)
                drive.write(support.noise(count, f"change {at}"))
        self.succeed("backup", "--base", "pc", "--drive", self.drive, "--file", "next", "--save-log=0")
        self.succeed("restore", "--file", "next", "--drive", "whole.raw", "--overwrite", "--multi-pass", "--save-log=0")
        self.succeed("validate", "--file", "next", "--multi-pass", "--save-log=0")
        self.salvage(0, "sound", file="next")
        support.tool("cmp", self.path("whole.raw"), self.path("sound/drive.raw"))

        os.mkdir(self.path("away"))
        for name in [name for name in self.files() if name.startswith("pc.tti")]:
            os.rename(self.path(name), self.path(f"away/{name}"))
        result = self.salvage(5, "alone", file="next")
        self.assertIn("the image builds on pc.tti", result.stderr)
        self.assertGreater(sum(area["earlier_image"]["bytes"] for area in self.check("alone")["areas"]), 1 << 20)

        self.salvage(0, "named", "--base", "away/pc", file="next")
        support.tool("cmp", self.path("whole.raw"), self.path("named/drive.raw"))
        self.damage("away/pc.tti.1", 500_000, 3_000)
        self.damage("away/pc.tti", 0, 4_096)
        self.salvage(5, "damaged", "--base", "away/pc", file="next")
        report = self.check("damaged")
        self.assertLess(report["lost_bytes"], 3 << 19)
        self.assertEqual(report["lost_bytes"], sum(area["earlier_image"]["bytes"] for area in report["areas"]))

    def test_what_is_refused_leaves_nothing(self):
        os.mkdir(self.path("full"))
        with open(self.path("full/file"), "wb") as file:
            file.write(b"mine")
        self.assert_fails(3, "salvage", "--file", "pc", "--to", "full", "--save-log=0", says="not empty")
        self.assertEqual(os.listdir(self.path("full")), ["file"])
        self.assert_fails(1, "salvage", "--file", "nothing", "--to", "new", "--save-log=0", says="no part of it")
        with open(self.path("junk.tti"), "wb") as file:
            file.write(support.noise(100_000, "junk"))
        self.assertEqual(self.run_here("salvage", "--file", "junk", "--to", "new", "--save-log=0").returncode, 4)
        self.assert_fails(2, "salvage", "--file", "pc", says="--to")
        self.assertNotIn("new", self.files())

    def test_a_result_that_cannot_be_written_is_removed(self):
        result = self.run_here("salvage", "--file", "pc", "--to", "new", "--save-log=0",
                               env={"TINTYPE_TEST_FAULTS": "drive.raw:write-full-at=1000000"})
        if result.returncode == 0:
            self.skipTest("this build has no test hook")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("No space left", result.stderr)
        self.assertNotIn("new", self.files())


if __name__ == "__main__":
    unittest.main()
