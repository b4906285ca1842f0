# SPDX-License-Identifier: GPL-3.0-or-later
"""ls: the files inside an image and a drive, against what mtools, ntfsls and debugfs see."""
import datetime
import json
import os
import subprocess
import unittest

import support


class LsTest(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        result = support.run("backup", "--drive", cls.drive, "--file", os.path.join(cls.shared, "pc"), "--no-save-log")
        assert result.returncode == 0, result.stderr
        cls.image = os.path.join(cls.shared, "pc")

    def entries(self, *words):
        events = support.events_of(self.succeed("ls", *words, "--json"))
        self.assertEqual(events[-1]["event"], "result")
        return [event for event in events if event["event"] == "entry"]

    def test_partitions(self):
        events = support.events_of(self.succeed("ls", self.image, "--json"))
        self.assertEqual([(e["id"], e["file_system"], e["saved"]) for e in events[:-1]],
                         [("0x1", "ntfs", True), ("0x2", "ext4", True), ("0x3", "extended", False), ("0x301", "fat16", True)])
        self.assertIn("Windows", self.succeed("ls", self.image).stdout)

    def test_agrees_with_others(self):
        ext = support.extract(self.drive, "0x2", self.path("ext"))
        said = support.tool("debugfs", "-R", "ls -p /", ext).stdout.decode().splitlines()
        theirs = {f.split("/")[5]: int(f.split("/")[6] or 0) for f in said if f and f.split("/")[5] not in (".", "..")}
        ours = {e["name"]: 0 if e["kind"] == "folder" else e["size_bytes"] for e in self.entries(self.image + "@2")}
        self.assertEqual(ours, theirs)
        ntfs = support.extract(self.drive, "0x1", self.path("ntfs"))
        theirs = set(support.tool("ntfsls", ntfs).stdout.decode().splitlines())
        self.assertEqual({e["name"] for e in self.entries(self.image + "@1", "/")}, theirs)
        fat = support.extract(self.drive, "0x301", self.path("fat"))
        theirs = support.tool("mdir", "-b", "-i", fat, "::").stdout.decode().split()
        self.assertEqual(sorted("::" + e["path"] for e in self.entries(self.image + "@0x301")), sorted(theirs))

    def test_an_image_and_its_drive_say_the_same(self):
        for partition in ("1", "2", "0x301"):
            self.assertEqual(self.entries(f"{self.image}@{partition}", "/", "-R"), self.entries(f"{self.drive}@{partition}", "/", "-R"))

    def test_wildcards_case_and_text(self):
        self.assertEqual([e["name"] for e in self.entries(self.image + "@1", "\\FILE[0-1].B?N")], ["file0.bin", "file1.bin"])
        self.assert_fails(1, "ls", self.image + "@2", "/FILE*", says="nothing is called /FILE*")
        line = self.succeed("ls", self.image + "@2", "/file1.bin", env={"TZ": "UTC"}).stdout.split()
        self.assertEqual((line[0], line[-1]), ("file", "file1.bin"))
        made = json.loads(self.succeed("ls", self.image + "@2", "/file1.bin", "--json").stdout.splitlines()[0])["modified"]
        self.assertEqual(datetime.datetime.strptime(" ".join(line[4:6]), "%Y-%m-%d %H:%M:%S").isoformat(), made[:19])

    def test_what_is_not_there(self):
        self.assert_fails(1, "ls", self.image + "@2", "/none/x", says="there is no /none")
        self.assert_fails(1, "ls", self.image + "@2", "/file1.bin/x", says="not a folder")
        self.assert_fails(1, "ls", self.image + "@4", "/", says="0x301")
        self.assert_fails(1, "ls", "nothing@1", says="nothing")
        self.assert_fails(2, "ls", self.image, "/", says="@1")
        self.assert_fails(2, "ls")
        self.assert_fails(2, "ls", self.image + "@1", "/a/../b")

    def test_an_existing_image_wins_over_what_at_means(self):
        os.link(self.image + ".tti", self.path("pc@1.tti"))
        events = support.events_of(self.succeed("ls", "pc@1", "--json"))
        self.assertEqual(events[0]["event"], "partition")
        self.assertEqual(len(self.entries("pc@1@2")), 7)

    def test_one_partition_needs_no_number(self):
        self.succeed("backup", "--drive", self.drive + "@2", "--file", "one")
        self.assertEqual(len(self.entries("one", "/file*")), 6)

    def test_leaves_nothing_behind_and_minds_no_closed_pipe(self):
        self.succeed("ls", self.image + "@2", "/")
        self.assertEqual(os.listdir(self.folder), [])
        line = f"'{support.PROGRAM}' ls '{self.image}@2' / | true"
        self.assertEqual(subprocess.run(["sh", "-c", line], check=False, timeout=30).returncode, 0)


if __name__ == "__main__":
    unittest.main()
