# SPDX-License-Identifier: GPL-3.0-or-later
"""Block devices that fail as real ones do, below the page cache: loop devices over a file that nbdkit serves with errors."""
import os
import shutil
import subprocess
import time
import unittest

import support

SECTOR = 512
NEEDED = ["nbdkit", "nbdfuse", "losetup", "fusermount3"]


def sectors_with_data(drive, count):
    """The first sector of `count` files in the ext4 partition of the test drive, none beside another."""
    start, length = support.PARTITIONS["0x2"]
    with open(drive, "rb") as file:
        file.seek(start * SECTOR)
        content = file.read(length * SECTOR)
    return [start * SECTOR + content.index(support.noise(400_000, i)[:4096]) for i in range(count)]


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/fuse") and all(shutil.which(n) for n in NEEDED),
                     "needs root, /dev/fuse and " + ", ".join(NEEDED))
class BadDriveTest(support.ProgramTest):
    def serve(self, *nbdkit):
        """A loop device over what nbdkit serves."""
        point = self.path("served")
        os.makedirs(point, exist_ok=True)
        process = subprocess.Popen(["nbdfuse", point + "/drive", "--command", "nbdkit", "-s", "--exit-with-parent", *nbdkit],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(subprocess.run, ["fusermount3", "-u", "-z", point], check=False)
        for _ in range(100):
            if os.path.exists(point + "/drive"):
                break
            time.sleep(0.1)
        device = support.tool("losetup", "-f", "--show", "--direct-io=on", point + "/drive").stdout.decode().strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", device], check=False)
        return device

    def serve_with_bad_reads(self, bad):
        """The test drive, with sectors that ddrescue's map calls bad."""
        with open(self.path("map"), "w", encoding="ascii") as file:
            file.write(f"# Mapfile. Created by a test\n0x0 + 1\n")
            at = 0
            for position in sorted(bad):
                file.write(f"{at:#x} {position - at:#x} +\n{position:#x} {SECTOR:#x} -\n")
                at = position + SECTOR
            file.write(f"{at:#x} {support.DRIVE_BYTES - at:#x} +\n")
        return self.serve("-r", "--filter=ddrescue", "file", self.drive, "ddrescue-mapfile=" + self.path("map"))

    def serve_with_bad_writes(self, bad):
        """An empty drive that refuses to write one sector."""
        with open(self.path("target.raw"), "wb") as file:
            file.truncate(support.DRIVE_BYTES)
        return self.serve("--filter=protect", "file", self.path("target.raw"), f"protect={bad}-{bad + SECTOR - 1}")

    def test_a_bad_sector_costs_one_sector(self):
        bad = sectors_with_data(self.drive, 3)
        bad[1] += 5 * SECTOR  # inside a page
        device = self.serve_with_bad_reads(bad)
        self.assert_fails(1, "backup", "--drive", device, "--file", "pc", says="cannot be read")
        result = self.run_here("backup", "--drive", device, "--file", "pc", "--allow-errors", "--json")
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertEqual(support.events_of(result)[-1]["unreadable_bytes"], len(bad) * SECTOR)
        self.assertEqual(self.run_here("restore", "--file", "pc", "--drive", "new.raw").returncode, 5)
        start, count = support.PARTITIONS["0x2"]
        wanted = bytearray(support.read_at(self.drive, start * SECTOR, count * SECTOR))
        for position in bad:
            wanted[position - start * SECTOR:position - start * SECTOR + SECTOR] = bytes(SECTOR)
        got = support.read_at(self.path("new.raw"), start * SECTOR, count * SECTOR)
        for position in bad:
            at = position - start * SECTOR
            self.assertEqual(got[at - 8192:at + 8192], bytes(wanted[at - 8192:at + 8192]))

    def test_a_write_that_does_not_reach_the_device_is_found(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        bad = sectors_with_data(self.drive, 2)[1] + 3 * SECTOR
        device = self.serve_with_bad_writes(bad)
        # Whenever the system writes out what it was given: soon, as it likes, or every few MiB while it is waited for.
        for manner in ("0", "257", "2056"):
            result = self.run_here("restore", "--file", "pc", "--drive", device, "--overwrite", "--performance-options", manner)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn(f"at byte {bad}", result.stderr, manner)
            self.assertEqual(support.read_at(self.path("target.raw"), 510, 2), bytes(2), "it looks whole")
        result = self.run_here("restore", "--file", "pc", "--drive", device, "--overwrite", "--allow-errors", "--byte-for-byte", "--json")
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertEqual(support.events_of(result)[-1]["unwritable_bytes"], SECTOR)
        got = support.read_at(self.path("target.raw"), bad - 8192, 16384)
        wanted = bytearray(support.read_at(self.drive, bad - 8192, 16384))
        wanted[8192:8192 + SECTOR] = bytes(SECTOR)
        self.assertEqual(got, bytes(wanted))
        support.tool("ntfsfix", "-n", support.extract(self.path("target.raw"), "0x1", self.path("n")))


if __name__ == "__main__":
    unittest.main()
