# SPDX-License-Identifier: GPL-3.0-or-later
"""What is deleted, what stays and why: the action purge and --purge of a backup."""
import datetime
import fcntl
import json
import os
import shutil

import support

COMPAT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "compat", "v1")
SET_ID, BASE_ID = slice(16, 32), slice(32, 48)  # in a part header, docs/format/container.md


class PurgeTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.bk = self.path("bk")
        os.mkdir(self.bk)

    def backup(self, name, *options, drive=None, partition="@0x2", **more):
        return self.succeed("backup", "--drive", (drive or self.drive) + partition, "--file", os.path.join(self.bk, name), *options, **more)

    def images(self):
        return sorted(os.listdir(self.bk))

    def purge(self, *options, status=0, **more):
        result = self.run_here("purge", "--folder", self.bk, *options, **more)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def decisions(self, *options):
        """name → (decision, reasons, needed_by), from --json."""
        last = support.events_of(self.purge("--dry-run", "--json", *options))[-1]
        self.assertEqual(last["event"], "result")
        return {row["file"]: (row["decision"], row["reasons"], row["needed_by"]) for row in last["sets"]}

    def test_keep_last(self):
        for name in ("a", "b", "c"):
            self.backup(name, "--max-file-size", "1MiB", "--compression", "0")
        first = self.images()
        self.assertIn("a.tti.1", first)
        open(os.path.join(self.bk, "notes.txt"), "w", encoding="ascii").close()
        # The same second gives the order by name.
        told = self.purge("--keep-last", "1", "--dry-run")
        self.assertIn("Nothing was touched", told.stdout)
        self.assertEqual(len([line for line in told.stdout.splitlines() if line.startswith("remove")]), 2)
        self.assertEqual(self.images(), sorted(first + ["notes.txt"]))
        refused = self.purge("--keep-last", "1", status=3)
        self.assertIn("nothing in", refused.stderr)
        self.assertEqual(self.images(), sorted(first + ["notes.txt"]))
        done = self.purge("--keep-last", "1", "--unattended-yes")
        self.assertIn("2 images deleted", done.stdout)
        left = self.images()
        self.assertEqual(left, sorted(["notes.txt"] + [n for n in first if n.startswith("c.")]))
        self.succeed("validate", "--file", os.path.join(self.bk, "c"))
        self.purge("--keep-last", "1", "--unattended-no")  # nothing to delete: nothing to ask

    def test_no_rule_no_deletion(self):
        self.backup("a")
        for words in ((), ("--keep-last", "0"), ("--keep-within", "30")):
            self.purge(*words, "--unattended-yes", status=2)
        self.assertEqual(self.images(), ["a.tti"])
        self.assert_fails(2, "purge", "--keep-last", "1", says="--folder")
        self.assert_fails(1, "purge", "--folder", self.path("none"), "--keep-last", "1")

    def test_a_folder_that_is_not_there(self):
        result = self.assert_fails(1, "purge", "--folder", "nope", "--keep-last", "1")
        self.assertNotIn("--make-dir", result.stderr)

    def test_slash_spelling_and_a_single_image_of_each_period(self):
        self.backup("a")
        self.backup("b")
        rows = support.events_of(self.succeed("/purge", f"/folder:{self.bk}", "/keep-daily:2", "/keep-yearly:1", "/dry-run", "/json"))[-1]
        self.assertEqual(rows["removed"], [])
        self.assertEqual({row["file"]: row["decision"] for row in rows["sets"]}, {"a.tti": "keep", "b.tti": "keep"})  # a: the oldest
        self.assertEqual(self.decisions("--keep-last", "1")["a.tti"], ("remove", ["no rule keeps it"], []))

    def test_sources_are_counted_for_themselves(self):
        self.backup("two")
        self.backup("one", partition="@0x1")
        self.backup("whole", partition="")
        found = self.decisions("--keep-last", "1")
        self.assertEqual({name: row[0] for name, row in found.items()}, {"two.tti": "keep", "one.tti": "keep", "whole.tti": "keep"})

    def patch(self, name, where, content):
        with open(os.path.join(self.bk, name), "r+b") as file:
            file.seek(where)
            file.write(content)

    def test_damaged_and_needed(self):
        for name in ("a", "b", "c"):
            self.backup(name)
        # a is needed by c, which is damaged in its header: what it says about its base still counts.
        self.patch("c.tti", BASE_ID.start, support.read_at(os.path.join(self.bk, "a.tti"), SET_ID.start, 16))
        with open(os.path.join(self.bk, "junk.tti"), "wb") as file:
            file.write(support.noise(20_000, "junk"))
        self.backup("d")
        found = self.decisions("--keep-last", "1")
        self.assertEqual(found["a.tti"], ("keep", [], ["c"]))
        self.assertEqual(found["b.tti"][0], "remove")
        self.assertIn("cannot be read", found["c.tti"][1][0])
        self.assertIn("cannot be read", found["junk.tti"][1][0])
        self.assertIn("needed by c", self.purge("--keep-last", "1", "--unattended-yes").stdout)
        self.assertEqual(self.images(), ["a.tti", "c.tti", "d.tti", "junk.tti"])

    def test_encrypted(self):
        secret = {"TINTYPE_PASSWORD": "secret"}
        for name in ("a", "b"):
            self.backup(name, "--encryption", "3", env=secret)
        self.backup("plain")
        self.assertEqual(self.decisions("--keep-last", "1")["a.tti"], ("keep", ["needs a password to be read"], []))
        self.purge("--keep-last", "1", "--unattended-yes", env={"TINTYPE_PASSWORD": "wrong"})
        self.assertEqual(self.images(), ["a.tti", "b.tti", "plain.tti"])
        self.purge("--keep-last", "1", "--unattended-yes", env=secret)
        self.assertEqual(self.images(), ["plain.tti"])

    def test_an_image_in_use_stays(self):
        self.backup("a")
        self.backup("b")
        with open(os.path.join(self.bk, "a.tti"), "r+b") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            result = self.purge("--keep-last", "1", "--unattended-yes", status=1)
            self.assertIn("a.tti stays", result.stderr)
            self.assertEqual(self.images(), ["a.tti", "b.tti"])
        self.purge("--keep-last", "1", "--unattended-yes")
        self.assertEqual(self.images(), ["b.tti"])

    def test_an_image_that_is_being_read_stays(self):
        self.backup("a", "--max-file-size", "1MiB", "--compression", "0")
        self.backup("b")
        before = self.images()
        part = os.path.join(self.bk, "a.tti.1")
        with open(part, "rb") as alone:
            try:
                fcntl.fcntl(alone, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                fcntl.fcntl(alone, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            except OSError:
                self.skipTest("the file system does not tell who has a file open")
        with open(part, "rb"):
            result = self.purge("--keep-last", "1", "--unattended-yes", status=1)
            self.assertIn("a.tti.1 is open in another program", result.stderr)
            self.assertEqual(self.images(), before)
        self.purge("--keep-last", "1", "--unattended-yes")
        self.assertEqual(self.images(), ["b.tti"])

    def test_leftovers_of_a_purge_that_was_cut_off(self):
        self.backup("a", "--max-file-size", "1MiB", "--compression", "0")
        self.backup("b")
        os.rename(os.path.join(self.bk, "a.tti"), os.path.join(self.bk, "a.tti.purged"))
        os.remove(os.path.join(self.bk, "a.tti.1"))
        self.assertIn("a.tti.purged", self.purge("--keep-last", "5", "--dry-run").stdout)
        self.purge("--keep-last", "5")
        self.assertEqual(self.images(), ["b.tti"])

    def test_purge_of_a_backup(self):
        old = shutil.copy(os.path.join(COMPAT, "mbr.tti"), os.path.join(self.bk, "old.tti"))
        listing = json.loads(self.succeed("list", "--file", old, "--json").stdout)
        made = datetime.datetime.fromisoformat(listing["image"]["created"].replace("Z", "+00:00"))
        age = datetime.datetime.now(datetime.timezone.utc) - made
        if age < datetime.timedelta(days=1):
            self.skipTest("the clock says that the images of tests/compat are not a day old")
        self.succeed("restore", "--file", old, "--drive", "disk.raw", "--overwrite")
        disk = self.path("disk.raw")
        self.backup("new", "--purge", str(age.days + 1), drive=disk, partition="")
        self.assertEqual(self.images(), ["new.tti", "old.tti"])
        self.backup("other", "--purge", str(age.days))  # another source
        self.backup("part", "--purge", str(age.days), drive=disk, partition="@1")
        self.assertEqual(self.images(), ["new.tti", "old.tti", "other.tti", "part.tti"])
        done = self.backup("newer", f"/purge:{age.days}", "--json", drive=disk, partition="")
        self.assertEqual(support.events_of(done)[-1]["purged"], ["old.tti"])
        self.assertEqual(self.images(), ["new.tti", "newer.tti", "other.tti", "part.tti"])
        shutil.copy(os.path.join(COMPAT, "mbr.tti"), old)
        shutil.copy(os.path.join(COMPAT, "encrypted.tti"), os.path.join(self.bk, "secret.tti"))
        done = self.backup("last", "--purge", "1", "--purge-all-sources")
        self.assertIn("secret.tti is not purged: needs a password", done.stderr)
        self.assertEqual(self.images(), ["last.tti", "new.tti", "newer.tti", "other.tti", "part.tti", "secret.tti"])
        self.assert_fails(2, "backup", "--drive", disk, "--file", "x", "--purge-all-sources", says="--purge")
        self.assert_fails(2, "backup", "--drive", disk, "--file", "x", "--purge", "0")


if __name__ == "__main__":
    support.main()
