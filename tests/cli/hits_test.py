# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the damage hit? validate, salvage and backups with unreadable sectors name the files behind it."""
import json
import os
import re
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

    def bad_backup(self, bad, *more, drive=None):
        """The result of a backup of a drive with one bad sector."""
        result = self.run_here("backup", "--drive", drive or self.drive, "--file", "pc", "--allow-errors", "--json", "--save-log=0", "--unattended-yes", *more,
                               env={"TINTYPE_TEST_FAULTS": f"disk.raw:read-bad={bad}+512"})
        if result.returncode == 0:
            self.skipTest("this build has no test hook")
        self.assertEqual(result.returncode, 5, result.stderr)
        return self.result_of(result)

    def words_of(self, *command):
        return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False).stdout

    def judged(self, partition, position):
        """Whose a byte of the drive is, in the words of the file system's own tools: a path, or nothing."""
        if shutil.which({"0x1": "ntfscluster", "0x2": "debugfs", "0x301": "mshowfat"}[partition]) is None:
            self.skipTest("ntfscluster, debugfs or mshowfat is missing")
        sector = position // 512 - support.PARTITIONS[partition][0]
        image = support.extract(self.drive, partition, self.path("judged"))
        if partition == "0x1":
            found = re.findall(r"^Inode \d+ (/.*)/\$DATA", self.words_of("ntfscluster", "-f", "-s", f"{sector}-{sector}", image), re.M)
            return found[0] if found else None
        if partition == "0x2":
            found = re.findall(r"^\d+\s+(\d+)$", self.words_of("debugfs", "-R", f"icheck {sector * 512 // self.block_bytes(image)}", image), re.M)
            names = self.words_of("debugfs", "-R", f"ncheck {found[0]}", image) if found else ""
            return "/" + names.split()[-1].lstrip("/") if names else None
        with open(image, "rb") as file:
            boot = file.read(512)
        word = lambda at: int.from_bytes(boot[at:at + 2], "little")
        cluster = (sector - word(14) - boot[16] * word(22) - word(17) * 32 // 512) // boot[13] + 2
        for i in range(4):
            for first, last in re.findall(r"<(\d+)(?:-(\d+))?>", self.words_of("mshowfat", "-i", image, f"::/file{i}.bin")):
                if int(first) <= cluster <= int(last or first):
                    return f"/file{i}.bin"
        return None

    def block_bytes(self, image):
        return int(re.search(r"Block size:\s+(\d+)", self.words_of("debugfs", "-R", "stats", image)).group(1))

    def test_bad_sectors_of_a_source(self):
        for partition in NAMES:
            with self.subTest(partition):
                bad = self.place_of(partition, 3)
                judged = self.judged(partition, bad)
                self.assertEqual(judged, "/file3.bin")
                end = self.bad_backup(bad)
                self.assertEqual(end["hit_count"], 1)
                self.assertEqual(len(end["hits"]), 1, end["hits"])
                self.assertTrue(end["hits"][0].startswith(NAMES[partition]), end["hits"])
                hit = end["hit_list"][0]
                self.assertEqual((hit["kind"], hit["what"].lower(), hit["bytes"]), ("file", judged, 512))
                self.assertTrue(hit["partition"].startswith(NAMES[partition]), hit)

    def test_free_space(self):
        for partition in NAMES:
            with self.subTest(partition):
                start, count = support.PARTITIONS[partition]
                bad = next(at for at in range((start + count - 2000) * 512, start * 512, -8192) if self.judged(partition, at) is None)
                end = self.bad_backup(bad, "--raw-mode", drive=f"{self.drive}@{partition}")
                self.assertEqual([(hit["kind"], hit["bytes"]) for hit in end["hit_list"]], [("free_space", 512)], end["hit_list"])

    def test_the_mft(self):
        # The second half of what mkntfs reserves for the file system's own records, and the record of a file.
        image = support.extract(self.drive, "0x1", self.path("n"))
        out = self.words_of("ntfsinfo", "-m", image)
        cluster, first = (int(re.search(word + r": (\d+)", out).group(1)) for word in ("Cluster Size", "LCN of Data Attribute for FILE_MFT"))
        mft = support.PARTITIONS["0x1"][0] * 512 + first * cluster
        self.assertEqual(self.judged("0x1", mft + 20 * 1024), "/$MFT")
        hit = self.bad_backup(mft + 20 * 1024)["hit_list"][0]
        self.assertEqual(hit["kind"], "structure", hit)
        self.assertIn("MFT", hit["what"] + hit["part"])
        number = int(re.search(r"MFT Record Number: (\d+)|Dumping Inode (\d+)", self.words_of("ntfsinfo", "-F", "/file3.bin", image)).group().split()[-1])
        hit = self.bad_backup(mft + number * 1024)["hit_list"][0]
        self.assertEqual((hit["what"], hit["part"]), ("/file3.bin", "MFT record"))

    def test_a_copy(self):
        bad = self.place_of("0x2", 3)
        result = self.run_here("copy", "--source-drive", self.drive, "--target-drive", "new.raw", "--allow-errors", "--json", "--save-log=0",
                               env={"TINTYPE_TEST_FAULTS": f"disk.raw:read-bad={bad}+512"})
        if result.returncode == 0:
            self.skipTest("this build has no test hook")
        self.assertEqual(result.returncode, 5, result.stderr)
        self.assertEqual([hit["what"] for hit in self.result_of(result)["hit_list"]], [self.judged("0x2", bad)])

    def test_one_image_for_each_partition(self):
        end = self.bad_backup(self.place_of("0x301", 2), "--multiple-file-sets")
        self.assertEqual((end["hit_count"], [hit["what"].lower() for hit in end["hit_list"]]), (1, ["/file2.bin"]))

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
                self.assertFalse(any("first track" in hit for hit in report["hits"]), report["hits"])
                self.assertEqual(report["hit_count"], len(report["hit_list"]))
                self.assertIn("/file2.bin", [hit["what"].lower() for hit in report["hit_list"] if hit["kind"] == "file"])
                with open(self.path("out/salvage.txt"), encoding="utf-8") as file:
                    self.assertIn("file2.bin", file.read().lower())

    def test_nothing_is_hit_in_a_sound_image(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        self.assertNotIn("hits", self.result_of(self.succeed("validate", "--file", "pc", "--json", "--save-log=0")))


if __name__ == "__main__":
    support.main()
