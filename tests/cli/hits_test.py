# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the damage hit? validate, salvage and backups with unreadable sectors name the files behind it."""
import json
import os
import shutil
import subprocess
import unittest

import support

NAMES = {"0x1": "partition 0x1", "0x2": "partition 0x2", "0x301": "partition 0x301"}


class HitsTest(support.ProgramTest):
    def place_of(self, partition, number):
        """Where on the drive the middle of a file's data lies."""
        start, count = support.PARTITIONS[partition]
        with open(self.drive, "rb") as file:
            file.seek(start * 512)
            return start * 512 + file.read(count * 512).index(support.noise(400_000, number)[200_192:200_704]) // 512 * 512

    def result_of(self, result):
        return [e for e in support.events_of(result) if e["event"] == "result"][0]

    def test_bad_sectors_of_a_source(self):
        for partition in NAMES:
            with self.subTest(partition):
                bad = self.place_of(partition, 3)
                result = self.run_here("backup", "--drive", self.drive, "--file", f"pc{partition}", "--allow-errors", "--json", "--save-log=0",
                                       env={"TINTYPE_TEST_FAULTS": f"disk.raw:read-bad={bad}+512"})
                if result.returncode == 0:
                    self.skipTest("this build has no test hook")
                self.assertEqual(result.returncode, 5, result.stderr)
                hits = self.result_of(result)["hits"]
                self.assertEqual(len(hits), 1, hits)
                self.assertTrue(hits[0].startswith(NAMES[partition]), hits)
                self.assertIn("/file3.bin", hits[0].lower())
                self.assertIn("512", hits[0])

    def test_structures_of_the_file_system(self):
        # Group descriptors of the ext4 partition: behind its superblock, whatever the block size.
        out = subprocess.run(["debugfs", "-R", "stats", support.extract(self.drive, "0x2", self.path("e"))], capture_output=True, text=True, check=True).stdout
        block = int([line for line in out.splitlines() if line.startswith("Block size")][0].split()[-1])
        table = int(out.split("inode table at ")[1].split(",")[0].split()[0])
        bad = support.PARTITIONS["0x2"][0] * 512 + table * block + 5 * block
        result = self.run_here("backup", "--drive", self.drive, "--file", "pc", "--allow-errors", "--json", "--save-log=0",
                               env={"TINTYPE_TEST_FAULTS": f"disk.raw:read-bad={bad}+512"})
        if result.returncode == 0:
            self.skipTest("this build has no test hook")
        hits = self.result_of(result)["hits"]
        self.assertIn("inode table", hits[0])

    def damage(self, image, number, which):
        """Spoils the chunk that holds a file's data for the `which`th time; data that does not shrink stands there as it is."""
        with open(self.path(image), "r+b") as file:
            content, at = file.read(), -1
            for _ in range(which + 1):
                at = content.index(support.noise(400_000, number)[200_192:200_256], at + 1)
            file.seek(at)
            file.write(b"\0" * 16)

    def test_validate_and_salvage(self):
        for which, partition in enumerate(NAMES):
            with self.subTest(partition):
                self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0", "--unattended-yes")
                self.damage("pc.tti", 2, which)
                result = self.run_here("validate", "--file", "pc", "--json", "--save-log=0")
                self.assertEqual(result.returncode, 4)
                hits = self.result_of(result)["hits"]
                self.assertTrue(all(NAMES[partition] in hit for hit in hits), hits)
                self.assertTrue(any("/file2.bin" in hit.lower() for hit in hits), hits)
                self.assertFalse(any("/file5.bin" in hit.lower() for hit in hits), hits)
                said = self.run_here("validate", "--file", "pc", "--save-log=0").stderr
                self.assertIn("hit: " + NAMES[partition], said)
                shutil.rmtree(self.path("out"), ignore_errors=True)
                self.assertEqual(self.run_here("salvage", "--file", "pc", "--to", "out", "--save-log=0").returncode, 5)
                with open(self.path("out/salvage.json"), encoding="utf-8") as file:
                    report = json.load(file)
                self.assertTrue(any("/file2.bin" in hit.lower() for hit in report["hits"]), report["hits"])
                with open(self.path("out/salvage.txt"), encoding="utf-8") as file:
                    self.assertIn("file2.bin", file.read().lower())

    def test_nothing_is_hit_in_a_sound_image(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        self.assertNotIn("hits", self.result_of(self.succeed("validate", "--file", "pc", "--json", "--save-log=0")))


if __name__ == "__main__":
    support.main()
