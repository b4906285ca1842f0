# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad sectors, dead drives and sudden ends, through the program's test hook (TINTYPE_TEST_FAULTS)."""
import os
import unittest

import support

# A file's data in the ext4 partition of the test drive: found by its content, so that the fault hits something used.
SECTOR = 512


def sector_with_data(drive):
    start, count = support.PARTITIONS["0x2"]
    wanted = support.noise(400_000, 3)[:4096]
    with open(drive, "rb") as file:
        file.seek(start * SECTOR)
        found = file.read(count * SECTOR).find(wanted)
    assert found > 0
    return start * SECTOR + found


class FaultsTest(support.ProgramTest):
    def faults(self, text):
        return {"TINTYPE_TEST_FAULTS": text}

    def setUp(self):
        super().setUp()
        self.bad = sector_with_data(self.drive)
        probe = self.run_here("list", "--drive", self.drive, "--json", env=self.faults("disk.raw:read-dead-at=0"))
        if probe.returncode == 0 and '"table": "mbr"' in probe.stdout:
            self.skipTest("this build has no test hook")

    def test_an_unreadable_sector_stops_the_backup(self):
        self.assert_fails(1, "backup", "--drive", self.drive, "--file", "pc", says="--allow-errors",
                          env=self.faults(f"disk.raw:read-bad={self.bad}+512"))
        self.assertEqual(self.files(), [])

    def test_errors_that_are_allowed_are_recorded_and_told(self):
        faults = self.faults(f"disk.raw:read-bad={self.bad}+512")
        result = self.run_here("backup", "--drive", self.drive, "--file", "pc", "--allow-errors", env=faults)
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertIn("cannot be read", result.stderr)
        self.succeed("validate", "--file", "pc")
        self.assertIn('"unreadable_bytes": 512', self.succeed("list", "--file", "pc", "--json").stdout)
        result = self.run_here("restore", "--file", "pc", "--drive", "new.raw", "--byte-for-byte")
        self.assertEqual(result.returncode, 5, result.stderr)
        got = support.read_at(self.path("new.raw"), self.bad - 4096, 12288)
        wanted = bytearray(support.read_at(self.drive, self.bad - 4096, 12288))
        wanted[4096:4096 + 512] = bytes(512)
        self.assertEqual(got, bytes(wanted))

    def test_a_sector_that_recovers_is_read_after_retries(self):
        faults = self.faults(f"disk.raw:read-bad={self.bad}+512x12")
        self.assertEqual(self.run_here("backup", "--drive", self.drive, "--file", "few", "--allow-errors", "--retries", "0",
                                       env=faults).returncode, 5)
        result = self.run_here("backup", "--drive", self.drive, "--file", "pc", "--allow-errors", "--retries", "20", env=faults)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_unattended_ignore_goes_on_and_unattended_no_stops(self):
        faults = self.faults(f"disk.raw:read-bad={self.bad}+512")
        for word, status in (("/ui", 5), ("/un", 1)):
            result = self.run_here("/b", word, "/d:" + self.drive, "/f:pc" + word[1:], env=faults)
            self.assertEqual(result.returncode, status, result.stderr)

    def test_an_unwritable_sector_of_the_target(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        faults = self.faults(f"new.raw:write-bad={self.bad}+512")
        result = self.run_here("restore", "--file", "pc", "--drive", "new.raw", env=faults)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertNotIn("new.raw", self.files())
        result = self.run_here("restore", "--file", "pc", "--drive", "new.raw", "--allow-errors", env=faults)
        self.assertEqual(result.returncode, 5, result.stderr)
        wanted = bytearray(support.read_at(self.drive, self.bad - 4096, 12288))
        wanted[4096:4096 + 512] = bytes(512)
        self.assertEqual(support.read_at(self.path("new.raw"), self.bad - 4096, 12288), bytes(wanted))

    def test_a_write_that_fails_only_at_the_flush_is_found(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        faults = self.faults(f"new.raw:late-bad={self.bad}+512")
        result = self.run_here("restore", "--file", "pc", "--drive", "new.raw", env=faults)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(f"at byte {self.bad}", result.stderr)
        self.assertNotIn("new.raw", self.files())
        result = self.run_here("restore", "--file", "pc", "--drive", "new.raw", "--allow-errors", "--json", env=faults)
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertEqual(support.events_of(result)[-1]["unwritable_bytes"], 512)
        wanted = bytearray(support.read_at(self.drive, self.bad - 4096, 12288))
        wanted[4096:4096 + 512] = bytes(512)
        self.assertEqual(support.read_at(self.path("new.raw"), self.bad - 4096, 12288), bytes(wanted))
        support.tool("e2fsck", "-fn", support.extract(self.path("new.raw"), "0x2", self.path("e")))

    def test_a_target_that_dies_never_looks_whole(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        for dead_at in (0, 4096, 1 << 20, 5 << 20):
            with open(self.path("old.raw"), "wb") as file:
                file.write(support.read_at(self.drive, 0, support.DRIVE_BYTES))
            result = self.run_here("restore", "--file", "pc", "--drive", "old.raw", "--overwrite",
                                   env=self.faults(f"old.raw:write-exit-at={dead_at}"))
            self.assertEqual(result.returncode, 137, result.stderr)
            if dead_at >= 4096:
                self.assertEqual(support.read_at(self.path("old.raw"), 510, 2), bytes(2), f"whole after {dead_at}")

    def test_a_write_that_was_lost_is_found_by_comparing(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        result = self.run_here("restore", "--file", "pc", "--drive", "new.raw", "--byte-for-byte",
                               env=self.faults(f"new.raw:lost={self.bad}+512"))
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("differs", result.stderr)

    def test_the_source_changes_before_the_comparison(self):
        copy = self.path("live.raw")
        with open(copy, "wb") as file:
            file.write(support.read_at(self.drive, 0, support.DRIVE_BYTES))
        self.succeed("backup", "--drive", copy, "--file", "pc", "--byte-for-byte")


if __name__ == "__main__":
    unittest.main()
