# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is lost: killed runs, full places, sources and targets in use."""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import support

IS_ROOT = os.geteuid() == 0


class TrustTest(support.ProgramTest):
    def start(self, *words):
        return subprocess.Popen([support.PROGRAM, *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)

    def parts_of(self, folder):
        return sorted(name for name in os.listdir(folder) if name.startswith("pc.tti"))

    def backup_words(self, drive=None):
        return ("backup", "--drive", drive or self.drive, "--file", "pc", "--compression", "0", "--max-file-size", "2MiB",
                "--unattended-yes", "--save-log=0")

    def kill_points(self, count):
        """Moments over the length of a whole run, in seconds."""
        start = time.monotonic()
        self.succeed(*self.backup_words())
        whole = time.monotonic() - start
        rng = random.Random(1)
        return [whole * 1.05 * (i + rng.random()) / count for i in range(count)]

    def kill_after(self, seconds):
        process = self.start(*self.backup_words())
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        return process.returncode

    def test_kill_leaves_a_whole_image_or_none(self):
        points = self.kill_points(12)
        for name in self.files():
            os.remove(self.path(name))
        outcomes = set()
        for seconds in points:
            self.kill_after(seconds)
            there = os.path.exists(self.path("pc.tti"))
            outcomes.add(there)
            if there:
                self.succeed("validate", "--file", "pc", "--save-log=0")
                os.remove(self.path("pc.tti"))
            else:
                self.assert_fails(1, "validate", "--file", "pc", "--save-log=0")
        self.assertIn(False, outcomes)
        self.succeed(*self.backup_words())
        self.succeed("validate", "--file", "pc", "--save-log=0")
        self.assertFalse([n for n in self.files() if n.endswith(".partial")])

    def test_kill_leaves_the_older_image_until_the_new_one_is_complete(self):
        points = self.kill_points(12)
        ids = set()
        for seconds in points:
            self.kill_after(seconds)
            self.succeed("validate", "--file", "pc", "--save-log=0")
            ids.add(self.succeed("list", "--file", "pc", "--json").stdout.split('"set_id": "')[1][:32])
        self.assertGreaterEqual(len(ids), 1)

    def test_a_failed_backup_leaves_nothing_and_the_older_image(self):
        self.succeed("backup", "--drive", self.drive + "@2", "--file", "pc", "--save-log=0")
        before = support.read_at(self.path("pc.tti"), 0, 1 << 30)
        process = self.start(*self.backup_words())
        time.sleep(0.03)
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stderr.close()
        if process.returncode == 3:
            self.assertEqual(support.read_at(self.path("pc.tti"), 0, 1 << 30), before)
            self.assertEqual(self.files(), ["pc.tti"])
        elif process.returncode != -signal.SIGTERM:  # that came before the program was ready for it
            self.assertEqual(process.returncode, 0)

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_a_full_place_fails_and_can_be_continued(self):
        place = self.path("place")
        os.mkdir(place)
        support.tool("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        for extra in ((), ("--max-file-size", "1MiB")):
            result = self.run_here("backup", "--drive", self.drive, "--file", place + "/pc", "--save-log=0", *extra)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("free: the image may not fit", result.stderr)
            self.assertIn("No space left", result.stderr.splitlines()[-1])
            self.assertIn("--resume", result.stderr.splitlines()[-1])
            left = os.listdir(place)
            self.assertTrue(left and all(name.endswith(".partial") for name in left), left)
            support.tool("mount", "-o", "remount,size=64m", place)
            result = self.run_here("backup", "--drive", self.drive, "--file", place + "/pc", "--save-log=0", "--resume", *extra)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("were there already", result.stderr + result.stdout)
            self.succeed("validate", "--file", place + "/pc", "--save-log=0")
            for name in os.listdir(place):
                os.remove(os.path.join(place, name))
            support.tool("mount", "-o", "remount,size=3m", place)
        with open(place + "/pc.tti", "wb") as file:
            file.write(b"older")
        self.run_here("backup", "--drive", self.drive, "--file", place + "/pc", "--save-log=0", "--unattended-yes")
        with open(place + "/pc.tti", "rb") as file:
            self.assertEqual(file.read(), b"older")
        result = self.run_here("backup", "--drive", self.drive, "--file", place + "/kept", "--save-log=0",
                               "--keep-failed-backups")
        self.assertEqual(result.returncode, 1)
        self.assertIn("kept.tti.partial", os.listdir(place))

    def test_a_killed_backup_is_continued(self):
        points = self.kill_points(6) * 4  # on a busy machine a run takes longer than the one that was timed
        continued = 0
        for name in self.files():
            os.remove(self.path(name))
        for count, seconds in enumerate(points):
            if count >= 6 and continued > 0:
                break
            self.kill_after(seconds)
            result = self.succeed(*self.backup_words(), "--resume", "--json")
            report = [json.loads(line) for line in result.stdout.splitlines()][-1]
            continued += report["continued_bytes"]
            self.succeed("validate", "--file", "pc", "--save-log=0")
            target = self.path("target.raw")
            self.succeed("restore", "--file", "pc", "--drive", target, "--overwrite", "--save-log=0", "--byte-for-byte")
            for name in self.files():
                if name.startswith(("pc.tti", "target")):
                    os.remove(self.path(name))
        self.assertGreater(continued, 0)

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_a_target_place_that_fills_up(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        place = self.path("place")
        os.mkdir(place)
        support.tool("mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        result = self.run_here("restore", "--file", "pc", "--drive", place + "/new.raw", "--save-log=0")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(os.listdir(place), [])

    def mount_partition(self, options):
        """A copy of the drive with its ext4 partition mounted; returns the drive and the mount point."""
        drive = self.path("busy.raw")
        shutil.copyfile(self.drive, drive)
        start, count = support.PARTITIONS["0x2"]
        loop = support.tool("losetup", "-f", "--show", "-o", start * 512, "--sizelimit", count * 512, drive).stdout.decode().strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", loop], check=False)
        point = self.path("mounted")
        os.mkdir(point)
        support.tool("mount", "-o", options, loop, point)
        self.addCleanup(subprocess.run, ["umount", "-l", point], check=False)
        return drive, point

    def consistency(self, name):
        return self.succeed("list", "--file", name, "--json").stdout.split('"consistency": "')[1].split('"')[0]

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_a_source_in_use_is_refused_unless_allowed(self):
        drive, point = self.mount_partition("rw")
        self.assert_fails(3, "backup", "--drive", drive, "--file", "pc", says="mounted on " + point)
        self.assert_fails(3, "backup", "--drive", drive + "@2", "--file", "pc", says="--allow-in-use")
        self.succeed("backup", "--drive", drive + "@1", "--file", "other")
        self.assertEqual(self.consistency("other"), "offline")
        result = self.succeed("backup", "--drive", drive, "--file", "pc", "--allow-in-use")
        self.assertIn("not be of one point in time", result.stderr)
        self.assertEqual(self.consistency("pc"), "in-use")
        self.assert_fails(3, "backup", "--drive", drive + "@2", "--file", point + "/pc", "--allow-in-use", says="own source")
        self.succeed("backup", "--drive", drive + "@1", "--file", point + "/pc")
        # The image lies on the drive that is to be written, or the target is mounted: refused, nothing changed.
        for words in (("--drive", drive), ("--drive", drive + "@2", "--source-partition", "2"), ("--drive", drive, "--overwrite")):
            self.assertEqual(self.run_here("restore", "--file", "pc", *words, "--overwrite").returncode, 3)
        result = self.run_here("restore", "--file", point + "/pc", "--drive", drive + "@1", "--overwrite")
        self.assertEqual(result.returncode, 0, result.stderr)
        support.tool("ntfsfix", "-n", support.extract(drive, "0x1", self.path("n")))

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_a_source_mounted_read_only_is_fine(self):
        drive, _ = self.mount_partition("ro,noload")
        self.succeed("backup", "--drive", drive, "--file", "pc")
        self.assertEqual(self.consistency("pc"), "read-only")

    def aliases(self, path):
        """Other names of a file: through a symbolic link, a hard link, and another way to its folder."""
        os.symlink(path, self.path("symbolic"))
        os.link(path, self.path("hard"))
        return [path, self.path("symbolic"), self.path("hard"), self.path("../" + os.path.basename(self.folder) + "/hard")]

    def refused_whatever_its_name(self, image, target, says):
        """Restoring `image` onto `target` is refused under each of its names, and not a byte of it changes."""
        size = os.path.getsize(target)
        before = support.read_at(target, 0, size)
        for name in self.aliases(target):
            self.assert_fails(3, "restore", "--file", image, "--drive", name, "--overwrite", says=says)
        self.assertTrue(support.read_at(target, 0, size + 1) == before, "the target was written to")

    def test_the_own_files_of_an_image_are_no_target_however_large(self):
        with open(self.path("noise.raw"), "wb") as file:
            file.write(support.noise(6 << 20, 11))
        self.succeed("backup", "--drive", "noise.raw", "--file", "one", "--compression", "0")
        self.assertGreater(os.path.getsize(self.path("one.tti")), 6 << 20)
        self.refused_whatever_its_name("one", self.path("one.tti"), "holds the image itself")
        self.succeed("validate", "--file", "one")

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_a_drive_file_that_holds_the_image_is_no_target(self):
        holder = self.path("holder.raw")
        with open(holder, "wb") as file:
            file.truncate(96 << 20)
        support.tool("mkfs.ext4", "-q", "-F", holder)
        loop = support.tool("losetup", "-f", "--show", holder).stdout.decode().strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", loop], check=False)
        point = self.path("mounted")
        os.mkdir(point)
        support.tool("mount", loop, point)
        self.addCleanup(subprocess.run, ["umount", "-l", point], check=False)
        self.succeed("backup", "--drive", self.drive, "--file", point + "/pc")
        os.sync()
        self.refused_whatever_its_name(point + "/pc", holder, "lies on what would be overwritten")
        os.symlink(loop, self.path("device"))
        for name in (loop, self.path("device")):
            self.assert_fails(3, "restore", "--file", point + "/pc", "--drive", name, "--overwrite", says="lies on what would be overwritten")
        self.succeed("validate", "--file", point + "/pc")

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_a_loop_device_is_a_drive(self):
        copy = self.path("loop.raw")
        with open(copy, "wb") as file:
            file.truncate(support.DRIVE_BYTES + (4 << 20))
        loop = support.tool("losetup", "-f", "--show", copy).stdout.decode().strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", loop], check=False)
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        self.succeed("restore", "--file", "pc", "--drive", loop, "--overwrite", "--byte-for-byte")
        self.succeed("backup", "--drive", loop + "@0x301", "--file", "again")
        support.tool("fsck.fat", "-n", support.extract(copy, "0x301", self.path("f")))
        self.assertIn(loop, self.succeed("list").stdout)


if __name__ == "__main__":
    unittest.main()
