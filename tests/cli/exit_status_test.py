# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong ends in the documented exit status and one clear sentence, and harms nothing."""
import os
import shutil
import subprocess
import unittest

import support


class ExitStatusTest(support.ProgramTest):
    def flip(self, path, position):
        with open(path, "r+b") as file:
            file.seek(position)
            byte = file.read(1)
            file.seek(position)
            file.write(bytes([byte[0] ^ 0x10]))

    def test_usage(self):
        for words in (("backup",), ("frobnicate",), ("backup", "--drive", "0"), ("/b", "/f:x"), ("/b", "/d:0", "/f:x", "/nonsense"),
                      ("backup", "--drive", self.drive, "--file", "x", "--compression", "3"), ("/v",), ("restore",),
                      ("validate", "--file"), ("/b", f"/d:{self.drive}", "/f:x", "/base:y"),
                      ("backup", "--drive", "", "--file", "x"), ("backup", "--drive", self.drive + "@x", "--file", "x"),
                      ("backup", "--drive", self.drive, "--file", "x", "--max-file-size", "5"),
                      ("copy", "--source-drive", "nothing.raw"),
                      ("backup", "--drive", self.drive, "--file", "x", "--description", "x" * 128),
                      ("backup", "--drive", self.drive, "--file", "x", "--encryption", "3")):
            self.assert_fails(2, *words)
        self.assertEqual(self.files(), [])

    def test_things_that_are_not_there(self):
        self.assert_fails(1, "list", "--drive", "nothing.raw", says="nothing.raw")
        self.assert_fails(1, "list", "--drive", self.drive + "@4", says="0x301")
        self.assert_fails(1, "list", "--file", "nothing", says="nothing.tti")
        self.assert_fails(1, "validate", "--file", "nothing", says="nothing.tti")
        self.assert_fails(1, "backup", "--drive", "nothing.raw", "--file", "pc", says="nothing.raw")
        self.assert_fails(1, "backup", "--drive", self.drive, "--file", "no/such/folder/pc", says="folder")
        self.assert_fails(1, "backup", "--drive", "999", "--file", "pc", says="999")
        self.assertEqual(self.files(), [])

    def test_what_is_no_image(self):
        with open(self.path("rubbish.tti"), "wb") as file:
            file.write(support.noise(100_000, 1))
        open(self.path("empty.tti"), "wb").close()
        for name in ("rubbish", "empty"):
            for action in ("list", "validate"):
                self.assert_fails(4, action, "--file", name, says=name)
            self.assert_fails(4, "restore", "--file", name, "--drive", "new.raw", says=name)
        self.assertEqual(self.files(), ["empty.tti", "rubbish.tti"])

    def test_help_and_version(self):
        for words in (("help",), ("/?",), ("--help",), ("backup", "--help"), ("/b", "/?"), ("help", "list"), ("--version",)):
            result = self.succeed(*words)
            self.assertTrue(result.stdout)
            self.assertEqual(result.stderr, "")

    def test_a_home_that_may_not_be_entered_is_as_none(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("not root, or no setpriv")
        program = shutil.copy(support.PROGRAM, self.path("program"))
        for folder in (self.shared, self.folder):
            os.chmod(folder, 0o755)
        os.makedirs(self.path("home/.config/tintype"))
        with open(self.path("home/.config/tintype/tintype.ini"), "w", encoding="ascii") as file:
            file.write("[Options]\n")
        for mode, status in ((0o700, 0), (0o755, 1)):
            os.chmod(self.path("home"), mode)
            os.chmod(self.path("home/.config/tintype/tintype.ini"), 0o600)
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "help"], check=False,
                                  capture_output=True, text=True, cwd="/", env={"PATH": os.environ["PATH"], "HOME": self.path("home")})
            self.assertEqual(done.returncode, status, done.stderr)

    def test_passwords(self):
        self.image("--encryption", "3", env={"TINTYPE_PASSWORD": "right"})
        for action in (("validate",), ("list",), ("restore", "--drive", "new.raw")):
            self.assert_fails(3, *action, "--file", "pc", env={"TINTYPE_PASSWORD": "wrong"}, says="password")
            self.assert_fails(2, *action, "--file", "pc", says="password")
        self.assertEqual(self.files(), ["pc.tti"])
        self.succeed("validate", "--file", "pc", "--password", "right")
        self.succeed("/v", "/f:pc", "/pw:right")
        read, write = os.pipe()
        os.write(write, b"right\n")
        os.close(write)
        fds = {"stdin": read}
        self.succeed("validate", "--file", "pc", "--password-fd", "0", **fds)
        os.close(read)

    def image(self, *options, name="pc", env=None):
        self.succeed("backup", "--drive", self.drive, "--file", name, *options, env=env)
        return self.path(name + ".tti")

    def test_damage_in_every_region_is_found_and_never_restored(self):
        image = self.image("--compression", "0")
        size = os.path.getsize(image)
        for position in (0, 100, 5000, size // 3, size // 2, size - 3000, size - 100, size - 1):
            shutil.copyfile(image, self.path("bad.tti"))
            self.flip(self.path("bad.tti"), position)
            result = self.run_here("validate", "--file", "bad")
            self.assertEqual(result.returncode, 4, f"{position}: {result.stdout}{result.stderr}")
            result = self.run_here("restore", "--file", "bad", "--drive", "new.raw", "--pre-validate")
            self.assertEqual(result.returncode, 4, f"{position}: {result.stdout}{result.stderr}")
            self.assertFalse(os.path.exists(self.path("new.raw")), position)

    def test_damage_is_told_with_its_place(self):
        image = self.image("--compression", "0")
        self.flip(image, os.path.getsize(image) // 2)
        result = self.run_here("validate", "--file", "pc")
        self.assertIn("partition 0x", result.stderr)
        self.assertIn("pc.tti is damaged in 1 place", result.stderr)
        (end,) = [e for e in support.events_of(self.run_here("validate", "--file", "pc", "--json")) if e["event"] == "result"]
        self.assertEqual((end["status"], end["outcome"], end["damage_count"]), (4, "damaged", 1))

    def test_cut_off_images(self):
        image = self.image()
        size = os.path.getsize(image)
        for length in (0, 10, 4096, size // 2, size - 1):
            with open(image, "rb") as source, open(self.path("short.tti"), "wb") as file:
                file.write(source.read(length))
            self.assert_fails(4, "validate", "--file", "short", says="short.tti")
        self.assert_fails(4, "restore", "--file", "short", "--drive", "new.raw", says="tintype salvage --file short.tti")

    def test_damage_is_told_with_the_way_out(self):
        image = self.image("--compression", "0", "--parity", "5%")
        self.flip(image, os.path.getsize(image) // 2)
        for action in (("restore", "--file", "pc", "--drive", "new.raw"), ("convert", "pc", "new.raw")):
            self.assert_fails(4, *action, says="tintype repair --file pc.tti")
        os.rename(self.path("pc.tti.parity"), self.path("away"))
        self.assert_fails(4, "restore", "--file", "pc", "--drive", "new.raw", says="tintype salvage --file pc.tti")
        os.rename(self.path("away"), self.path("pc.tti.parity"))
        self.succeed("repair", "--file", "pc")
        self.succeed("restore", "--file", "pc", "--drive", "new.raw")

    def test_missing_and_swapped_parts(self):
        self.image("--max-file-size", "1MiB", "--compression", "0")
        parts = sorted(self.files(), key=len)
        self.assertGreater(len(parts), 4)
        os.rename(self.path("pc.tti.2"), self.path("away"))
        for action in (("validate",), ("restore", "--drive", "new.raw", "--pre-validate")):
            result = self.run_here(*action, "--file", "pc")
            self.assertEqual(result.returncode, 4, result.stderr)
            self.assertIn("pc.tti.2", result.stderr)
        os.rename(self.path("pc.tti.1"), self.path("pc.tti.2"))
        os.rename(self.path("away"), self.path("pc.tti.1"))
        result = self.run_here("validate", "--file", "pc")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("pc.tti.", result.stderr)

    def test_a_part_of_another_image(self):
        self.image("--max-file-size", "1MiB", "--compression", "0")
        self.image("--max-file-size", "1MiB", "--compression", "0", name="other")
        shutil.copyfile(self.path("other.tti.2"), self.path("pc.tti.2"))
        result = self.run_here("validate", "--file", "pc")
        self.assertEqual(result.returncode, 4, result.stderr)
        self.assertIn("pc.tti.2", result.stderr)

    def test_a_target_that_is_too_small_is_refused_with_the_numbers(self):
        self.image()
        with open(self.path("small.raw"), "wb") as file:
            file.truncate(10 << 20)
        result = self.run_here("restore", "--file", "pc", "--drive", "small.raw", "--overwrite")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertRegex(result.stderr, r"\d{5,}")
        self.assertEqual(support.read_at(self.path("small.raw"), 0, 10 << 20), bytes(10 << 20))

    def test_the_image_itself_is_no_target_and_no_source_of_itself(self):
        image = self.image()
        before = support.read_at(image, 0, 1 << 30)
        self.assert_fails(3, "restore", "--file", "pc", "--drive", "pc.tti", "--overwrite")
        os.link(self.path("pc.tti"), self.path("link.raw"))
        self.assert_fails(3, "restore", "--file", "pc", "--drive", "link.raw", "--overwrite")
        self.assert_fails(3, "backup", "--drive", "pc.tti", "--file", "pc", "--unattended-yes", says="source itself")
        self.assertEqual(support.read_at(image, 0, 1 << 30), before)


if __name__ == "__main__":
    unittest.main()
