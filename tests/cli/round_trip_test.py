# SPDX-License-Identifier: GPL-3.0-or-later
"""backup, validate, restore: through both spellings, judged by other people's tools."""
import json
import os
import unittest

import support


class RoundTripTest(support.ProgramTest):
    def check_file_systems(self, drive):
        support.tool("e2fsck", "-fn", support.extract(drive, "0x2", self.path("e")))
        support.tool("fsck.fat", "-n", support.extract(drive, "0x301", self.path("f")))
        support.tool("ntfsfix", "-n", support.extract(drive, "0x1", self.path("n")))
        for i in range(6):
            found = support.tool("ntfscat", self.path("n"), f"file{i}.bin").stdout
            self.assertEqual(found, support.noise(400_000, i) + b"plain text " * 30_000)

    def table_of(self, drive):
        table = json.loads(support.tool("sfdisk", "--json", drive).stdout)["partitiontable"]
        for partition in table["partitions"]:
            del partition["node"]
        del table["device"]
        return table

    def check_whole_drive(self, backup, validate, restore):
        self.succeed(*backup)
        self.assertIn("sound", self.succeed(*validate).stdout)
        self.succeed(*restore)
        self.assertEqual(self.table_of(self.path("new.raw")), self.table_of(self.drive))
        self.check_file_systems(self.path("new.raw"))
        # What was not in use did not travel.
        self.assertEqual(support.read_at(self.path("new.raw"), 120_000 * 512, 200_000), bytes(200_000))

    def test_a_drive_in_gnu_spelling(self):
        self.check_whole_drive(("backup", "--drive", self.drive, "--file", "pc"), ("validate", "--file", "pc"),
                               ("restore", "--file", "pc", "--drive", "new.raw"))

    def test_a_drive_in_slash_spelling(self):
        self.check_whole_drive(("/b", f"/d:{self.drive}", "/f:pc"), ("/v", "/f:pc"), ("/r", "/f:pc", "/d:new.raw"))

    def test_both_spellings_make_the_same_image(self):
        self.succeed("backup", "--drive", self.drive, "--file", "gnu", "--compression", "2", "--description", "d")
        self.succeed("/b", f"/d:{self.drive}", "/f:slash", "/comp:2", "/desc:d")
        images = []
        for name in ("gnu", "slash"):
            listing = json.loads(self.succeed("list", "--file", name, "--json").stdout)
            for field in ("path", "set_id", "created", "finished", "size_bytes", "part_bytes", "chain"):
                del listing["image"][field]
            images.append(listing)
        self.assertEqual(*images)

    def test_onto_an_old_drive_that_is_larger(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--byte-for-byte")
        with open(self.path("new.raw"), "wb") as file:
            for _ in range(96):
                file.write(b"\xa5" * (1 << 20))
        support.tool("sfdisk", "-q", self.path("new.raw"), input=b"label: gpt\nsize=20M\nsize=20M\n")
        self.assert_fails(3, "restore", "--file", "pc", "--drive", "new.raw", says="not overwritten")
        self.succeed("restore", "--file", "pc", "--drive", "new.raw", "--overwrite", "--pre-validate", "--byte-for-byte")
        self.assertEqual(self.table_of(self.path("new.raw")), self.table_of(self.drive))
        self.check_file_systems(self.path("new.raw"))

    def test_one_partition_there_and_back(self):
        self.succeed("backup", "--drive", self.drive + "@2", "--file", "pc-2")
        listing = json.loads(self.succeed("list", "--file", "pc-2", "--json").stdout)
        self.assertEqual([p["id"] for p in listing["drives"][0]["partitions"] if p["saved"]], ["0x2"])
        copy = self.path("copy.raw")
        support.tool("cp", "--sparse=always", self.drive, copy)
        with open(copy, "r+b") as file:
            file.seek(43008 * 512)
            file.write(bytes(2 << 20))
        self.succeed("/r", "/f:pc-2", f"/d:{copy}@2", "/o")
        self.check_file_systems(copy)
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        with open(copy, "r+b") as file:
            file.seek(2048 * 512)
            file.write(bytes(1 << 20))
        self.succeed("restore", "--file", "pc", "--source-partition", "0x1", "--drive", copy, "--unattended-yes")
        self.check_file_systems(copy)

    def test_parts_encryption_and_levels(self):
        for level in (0, 7):
            name = f"level{level}"
            self.succeed("backup", "--drive", self.drive, "--file", name, "--compression", level, "--max-file-size", "1MiB",
                         "--encryption", "3", "--password-file", self.secret(), "--post-validate")
            parts = [f for f in self.files() if f.startswith(name + ".tti")]
            self.assertGreater(len(parts), 3)
            self.assertLessEqual(max(os.path.getsize(self.path(f)) for f in parts), 1 << 20)
            for part in parts:
                self.assertEqual(os.stat(self.path(part)).st_mode & 0o777, 0o600)
                self.assertNotIn("Größe".encode(), support.read_at(self.path(part), 0, 1 << 20))
            self.succeed("restore", "--file", name, "--drive", "new.raw", "--overwrite", env={"TINTYPE_PASSWORD": "Gehe1m 🗝"})
            self.check_file_systems(self.path("new.raw"))

    def secret(self):
        with open(self.path("secret"), "w", encoding="utf-8") as file:
            file.write("Gehe1m 🗝\n")
        return self.path("secret")

    def test_raw_takes_everything(self):
        self.succeed("backup", "--drive", self.drive, "--file", "raw", "--raw-mode")
        self.succeed("restore", "--file", "raw", "--drive", "new.raw")
        support.tool("cmp", self.drive, self.path("new.raw"))

    def test_utf8_names_and_blanks(self):
        name = "Sicherung für später ☕"
        os.mkdir(self.path("Ordner ä"))
        self.succeed("backup", "--drive", self.drive, "--file", f"Ordner ä/{name}")
        self.assertEqual(os.listdir(self.path("Ordner ä")), [name + ".tti"])
        self.succeed("/r", f"/f:Ordner ä/{name}.tti", "/d:neü.raw")
        self.assertIn("neü.raw", self.succeed("list", "--drive", "neü.raw").stdout)

    def test_dry_run_writes_nothing(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        before = self.files()
        plan = self.succeed("restore", "--file", "pc", "--drive", "new.raw", "--dry-run").stdout
        self.assertIn("partition 0x301", plan)
        self.assertEqual(self.files(), before)
        support.tool("cp", "--sparse=always", self.drive, self.path("old.raw"))
        result = self.succeed("restore", "--file", "pc", "--drive", "old.raw", "--dry-run", "--json")
        (end,) = support.events_of(result)
        self.assertEqual((end["event"], end["status"]), ("result", 0))
        self.assertTrue(any("Windows" in line for line in end["lost"]), end["lost"])
        support.tool("cmp", self.drive, self.path("old.raw"))

    def test_an_existing_image_is_asked_about(self):
        self.succeed("backup", "--drive", self.drive + "@1", "--file", "pc")
        with open(self.path("pc.tti"), "rb") as file:
            old = file.read()
        self.assert_fails(3, "backup", "--drive", self.drive, "--file", "pc", says="exists")
        self.assert_fails(3, "/b", "/un", f"/d:{self.drive}", "/f:pc", says="exists")
        with open(self.path("pc.tti"), "rb") as file:
            self.assertEqual(file.read(), old)
        self.succeed("/b", "/uy", f"/d:{self.drive}", "/f:pc")
        self.assertNotEqual(support.read_at(self.path("pc.tti"), 0, 4096), old[:4096])
        self.succeed("validate", "--file", "pc")

    def test_make_dir_and_quit(self):
        self.assert_fails(1, "backup", "--drive", self.drive, "--file", "a/b/pc", says="--make-dir")
        self.succeed("backup", "--drive", self.drive, "--file", "a/b/pc", "--make-dir", "--quit")
        self.assertFalse(os.path.exists(self.path("a")))
        self.succeed("backup", "--drive", self.drive, "--file", "a/b/pc", "--make-dir")
        self.succeed("validate", "--file", "a/b/pc")


if __name__ == "__main__":
    unittest.main()
