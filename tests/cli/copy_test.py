# SPDX-License-Identifier: GPL-3.0-or-later
"""copy: drive to drive, partition to partition or to free space, from an image; judged by other people's tools."""
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import support


class CopyTest(support.ProgramTest):
    def check_file_systems(self, drive, ids=("0x1", "0x2", "0x301")):
        checks = {"0x1": ("ntfsfix", "-n"), "0x2": ("e2fsck", "-fn"), "0x301": ("fsck.fat", "-n")}
        for name in ids:
            support.tool(*checks[name], support.extract(drive, name, self.path("part")))
        if "0x1" in ids:
            self.check_files_of_ntfs(support.extract(drive, "0x1", self.path("part")))

    def check_files_of_ntfs(self, path):
        for i in range(6):
            found = support.tool("ntfscat", path, f"file{i}.bin").stdout
            self.assertEqual(found, support.noise(400_000, i) + b"plain text " * 30_000)

    def table_of(self, drive):
        table = json.loads(support.tool("sfdisk", "--json", drive).stdout)["partitiontable"]
        for partition in table["partitions"]:
            del partition["node"]
        del table["device"]
        return table

    def new_drive(self, name, table, mib=96, junk=True):
        with open(self.path(name), "wb") as file:
            for _ in range(mib):
                file.write((b"\xa5" if junk else b"\0") * (1 << 20))
        support.tool("sfdisk", "-q", self.path(name), input=table.encode())
        return self.path(name)

    def own_copy(self, name="mine.raw"):
        support.tool("cp", "--sparse=always", self.drive, self.path(name))
        return self.path(name)

    def check_whole(self, *words):
        self.succeed(*words)
        self.assertEqual(self.table_of(self.path("new.raw")), self.table_of(self.drive))
        self.check_file_systems(self.path("new.raw"))
        # What was not in use did not travel.
        self.assertEqual(support.read_at(self.path("new.raw"), 120_000 * 512, 200_000), bytes(200_000))

    def test_a_drive_in_gnu_spelling(self):
        self.check_whole("copy", "--source", self.drive, "--target", "new.raw", "--byte-for-byte")

    def test_a_drive_in_slash_spelling(self):
        self.check_whole("/copy", f"/sd:{self.drive}", "/td:new.raw", "/vb")

    def test_raw_is_equal_in_every_sector(self):
        self.succeed("/copy", f"/sd:{self.drive}", "/td:new.raw", "/raw")
        support.tool("cmp", self.drive, self.path("new.raw"))

    def test_onto_an_old_drive_after_a_question(self):
        self.new_drive("new.raw", "label: gpt\nsize=20M\nsize=20M\n")
        before = support.read_at(self.path("new.raw"), 0, 96 << 20)
        self.assert_fails(3, "copy", "--source", self.drive, "--target", "new.raw", says="not overwritten")
        plan = self.succeed("copy", "--source", self.drive, "--target", "new.raw", "--dry-run").stdout
        self.assertIn("partition 0x301", plan)
        self.assertIn("What would be destroyed", plan)
        self.assertEqual(support.read_at(self.path("new.raw"), 0, 96 << 20), before)
        self.succeed("copy", "--source", self.drive, "--target", "new.raw", "--overwrite", "--byte-for-byte")
        self.assertEqual(self.table_of(self.path("new.raw")), self.table_of(self.drive))
        self.check_file_systems(self.path("new.raw"))

    def test_a_partition_into_another_that_is_larger(self):
        self.new_drive("new.raw", "label: gpt\nsize=10M\nsize=30M\n")
        first = support.read_at(self.path("new.raw"), 1 << 20, 10 << 20)
        self.succeed("/copy", f"/sd:{self.drive}@1", "/td:new.raw@2", "/o", "/vb")
        self.assertIn("No problems found", support.tool("sgdisk", "-v", self.path("new.raw")).stdout.decode())
        self.assertEqual(support.read_at(self.path("new.raw"), 1 << 20, 10 << 20), first)
        table = self.table_of(self.path("new.raw"))
        self.assertEqual(table["partitions"][1]["type"], "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7")
        start = table["partitions"][1]["start"]
        with open(self.path("part"), "wb") as file:
            file.write(support.read_at(self.path("new.raw"), start * 512, support.PARTITIONS["0x1"][1] * 512))
        support.tool("ntfsfix", "-n", self.path("part"))
        self.check_files_of_ntfs(self.path("part"))
        hidden = int.from_bytes(support.read_at(self.path("part"), 0x1C, 4), "little")
        self.assertEqual(hidden, start)
        self.assert_fails(3, "copy", "--source", self.drive + "@2", "--target", "new.raw@1", "--overwrite", says="too small")

    def test_a_partition_into_free_space(self):
        for label in ("dos", "gpt"):
            self.new_drive("new.raw", f"label: {label}\nsize=10M\n")
            self.succeed("copy", "--source", self.drive + "@2", "--target", "new.raw")
            found = self.table_of(self.path("new.raw"))["partitions"]
            self.assertEqual(len(found), 2)
            self.assertEqual(found[1]["size"], support.PARTITIONS["0x2"][1])
            with open(self.path("part"), "wb") as file:
                file.write(support.read_at(self.path("new.raw"), found[1]["start"] * 512, found[1]["size"] * 512))
            support.tool("e2fsck", "-fn", self.path("part"))
            os.unlink(self.path("new.raw"))

    def test_inside_one_drive(self):
        drive = self.own_copy()
        os.truncate(drive, 128 << 20)
        self.succeed("copy", "--source", drive + "@1", "--target", drive, "--byte-for-byte")
        found = self.table_of(drive)["partitions"]
        self.assertEqual(len(found), 5)
        self.check_file_systems(drive)
        new = next(p for p in found if p["start"] not in [q["start"] for q in self.table_of(self.drive)["partitions"]])
        with open(self.path("part"), "wb") as file:
            file.write(support.read_at(drive, new["start"] * 512, new["size"] * 512))
        self.check_files_of_ntfs(self.path("part"))

    def test_a_source_is_not_overwritten(self):
        drive = self.own_copy()
        for source, target in ((drive, drive), (drive + "@1", drive + "@1"), (drive, "./mine.raw"), (drive, drive + "@2")):
            self.assertNotEqual(self.run_here("copy", "--source", source, "--target", target, "--overwrite").returncode, 0)
        os.symlink(drive, self.path("other-name"))
        self.assert_fails(3, "copy", "--source", drive, "--target", "other-name", "--overwrite", says="over its own source")
        support.tool("cmp", self.drive, drive)

    def test_an_image_chain_is_a_source(self):
        drive = self.own_copy()
        self.succeed("backup", "--drive", drive, "--file", "full", "--encryption", "3", "--password", "p")
        start, _ = support.PARTITIONS["0x301"]
        with open(self.path("extra"), "wb") as file:
            file.write(support.noise(100_000, "extra"))
        support.tool("mcopy", "-i", f"{drive}@@{start * 512}", self.path("extra"), "::extra")
        self.succeed("backup", "--drive", drive, "--base", "full", "--file", "next", "--password", "p")
        self.succeed("copy", "--source", "next.tti", "--target", "new.raw", "--password", "p", "--byte-for-byte")
        self.check_file_systems(self.path("new.raw"))
        support.tool("mcopy", "-i", f"{self.path('new.raw')}@@{start * 512}", "::extra", self.path("back"))
        support.tool("cmp", self.path("extra"), self.path("back"))
        # The same as a restore gives.
        self.succeed("restore", "--file", "next", "--drive", "restored.raw", "--password", "p")
        support.tool("cmp", self.path("restored.raw"), self.path("new.raw"))
        before = support.read_at(self.path("full.tti"), 0, os.path.getsize(self.path("full.tti")))
        self.assert_fails(3, "copy", "--source", "next.tti", "--target", "full.tti", "--overwrite", "--password", "p", says="is an image")
        self.assertEqual(support.read_at(self.path("full.tti"), 0, len(before)), before)
        os.unlink(self.path("full.tti"))
        self.assertEqual(self.run_here("copy", "--source", "next.tti", "--target", "late.raw", "--password", "p").returncode, 4)
        self.assertFalse(os.path.exists(self.path("late.raw")))

    def test_an_image_of_one_partition(self):
        self.succeed("backup", "--drive", self.drive + "@2", "--file", "two")
        drive = self.own_copy()
        with open(drive, "r+b") as file:
            file.seek(support.PARTITIONS["0x2"][0] * 512)
            file.write(bytes(2 << 20))
        self.succeed("copy", "--source", "two.tti", "--target", drive + "@2", "--overwrite")
        self.check_file_systems(drive)
        self.assert_fails(1, "copy", "--source", "two.tti@1", "--target", drive + "@1", "--overwrite", says="not in the image")
        self.check_file_systems(drive)

    def test_a_page_file_is_left_out_and_its_head_cleared(self):
        drive = self.own_copy()
        part = support.extract(drive, "0x1", self.path("part"))
        with open(self.path("page"), "wb") as file:
            file.write(support.noise(1 << 20, "page"))
        support.tool("ntfscp", "-f", part, self.path("page"), "/pagefile.sys")
        with open(part, "rb") as source, open(drive, "r+b") as file:
            file.seek(support.PARTITIONS["0x1"][0] * 512)
            shutil.copyfileobj(source, file)
        page = support.noise(1 << 20, "page")
        for option, taken in (("/skp:0", True), ("/skh:0", False)):
            self.new_drive("new.raw", "label: dos\nsize=20M\n", mib=64)
            self.succeed("/copy", f"/sd:{drive}@1", "/td:new.raw@1", "/o", option)
            with open(self.path("part"), "wb") as file:
                file.write(support.read_at(self.path("new.raw"), 1 << 20, support.PARTITIONS["0x1"][1] * 512))
            found = support.tool("ntfscat", self.path("part"), "pagefile.sys").stdout
            self.assertEqual(found == page, taken)
            if not taken:
                self.assertEqual(found[:4096], bytes(4096))
                self.assertEqual(found[-4096:], b"\xa5" * 4096)  # what was there

    def test_a_delta_writes_little(self):
        self.succeed("copy", "--source", self.drive, "--target", "new.raw")
        result = self.succeed("copy", "--source", self.drive, "--target", "new.raw", "--overwrite", "--delta", "--json")
        end = support.events_of(result)[-1]
        self.assertGreater(end["compared_bytes"], 10 << 20)
        self.assertLess(end["written_bytes"], 2 << 20)
        self.check_file_systems(self.path("new.raw"))
        self.assertEqual(end["source"], self.drive)

    def test_bad_sectors_of_the_source(self):
        faults = {"TINTYPE_TEST_FAULTS": f"disk.raw:read-bad={(43008 + 40000) * 512}+512,read-bad={2048 * 512 + 4096 * 4}+512"}
        probe = self.run_here("copy", "--source", self.drive, "--target", "new.raw", "--raw-mode", env=faults)
        self.assertEqual(probe.returncode, 1, probe.stderr)
        self.assertFalse(os.path.exists(self.path("new.raw")))
        result = self.run_here("copy", "--source", self.drive, "--target", "new.raw", "--raw-mode", "--allow-errors", "--byte-for-byte", "--json", env=faults)
        end = support.events_of(result)[-1]
        self.assertEqual((result.returncode, end["unreadable_bytes"]), (5, 1024), result.stderr)

    def test_a_source_in_use(self):
        """A loop device that is mounted; needs root."""
        if os.geteuid() != 0 or shutil.which("losetup") is None:
            self.skipTest("needs root and losetup")
        drive = self.own_copy()
        start, count = support.PARTITIONS["0x2"]
        made = subprocess.run(["losetup", "--find", "--show", "-o", str(start * 512), "--sizelimit", str(count * 512), drive],
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest("no loop device: " + made.stderr)
        loop = made.stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", loop], check=False)
        os.mkdir(self.path("mnt"))
        support.tool("mount", "-t", "ext4", loop, self.path("mnt"))
        mounted = True
        try:
            self.assert_fails(3, "copy", "--source", drive + "@2", "--target", "new.raw", says="in use")
            self.assertFalse(os.path.exists(self.path("new.raw")))
            self.assert_fails(3, "copy", "--source", self.drive + "@2", "--target", drive + "@2", "--overwrite", says="in use")
            self.assert_fails(3, "copy", "--source", drive + "@2", "--target", "mnt/inside.raw", "--allow-in-use", says="its own source")
            self.succeed("copy", "--source", drive + "@1", "--target", "one.raw")
            self.succeed("copy", "--source", drive + "@2", "--target", "new.raw", "--allow-in-use")
        finally:
            support.tool("umount", self.path("mnt"))

    def test_a_locked_source_or_target(self):
        drive = self.own_copy()
        with open(drive, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.assert_fails(3, "copy", "--source", drive, "--target", "new.raw", says="is locked by another program")
            self.assert_fails(3, "copy", "--source", self.drive, "--target", drive, "--overwrite", says="is locked by another program")

    def test_killed_it_leaves_no_table_and_a_delta_goes_on(self):
        target = self.own_copy("old.raw")
        for point in (300_000, 3_000_000, 15_000_000):
            env = {"TINTYPE_TEST_FAULTS": f"old.raw:write-exit-at={point}"}
            killed = self.run_here("copy", "--source", self.drive, "--target", target, "--overwrite", env=env)
            self.assertEqual(killed.returncode, 137, killed.stderr)
            self.assertEqual(support.read_at(target, 510, 2), bytes(2))
            self.assertNotEqual(subprocess.run(["sfdisk", "-d", target], capture_output=True, check=False).returncode, 0)
        self.succeed("copy", "--source", self.drive, "--target", target, "--overwrite", "--delta")
        self.assertEqual(self.table_of(target), self.table_of(self.drive))
        self.check_file_systems(target)

    def test_cancelled_it_says_what_is_left(self):
        target = self.own_copy("old.raw")
        variables = {**os.environ, "TINTYPE_TEST_FAULTS": "old.raw:delay-ms=40"}
        words = [support.PROGRAM, "copy", "--source", self.drive, "--target", target, "--overwrite", "--quiet", "--workers", "1"]
        with subprocess.Popen(words, env=variables, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as running:
            deadline = time.monotonic() + 20
            while support.read_at(target, 510, 2) != bytes(2) and time.monotonic() < deadline:
                time.sleep(0.01)
            running.send_signal(signal.SIGTERM)
            _, errors = running.communicate(timeout=60)
        self.assertNotEqual(running.returncode, 0)
        self.assertIn("only in part", errors)
        self.assertEqual(support.read_at(target, 510, 2), bytes(2))

    def test_what_is_not_built_is_refused(self):
        for option in ("--expand", "--scale", "--set-active", "--change-nt-signature"):
            self.assert_fails(2, "copy", "--source", self.drive, "--target", "new.raw", option, says="not built")
        self.assertEqual(self.files(), [])

    def test_names_that_make_no_sense(self):
        self.assert_fails(2, "copy", "--source", self.drive, says="target-drive")
        self.assert_fails(2, "copy", "--source", self.drive + "@1,2", "--target", "new.raw", says="one partition")
        self.assert_fails(2, "copy", "--source", self.drive, "--target", "new.raw", "--first-fit", says="several partitions")
        self.assertEqual(self.files(), [])


if __name__ == "__main__":
    unittest.main()
