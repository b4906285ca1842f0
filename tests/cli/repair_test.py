# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovery files: real damage by dd, then validate, repair, validate, and cmp with the files as they were."""
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import support


class RepairTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.made = os.path.join(self.shared, "made")
        if not os.path.exists(self.made):
            os.mkdir(self.made)
            self.succeed("backup", "--drive", self.drive, "--file", self.made + "/pc", "--parity", "25%",
                         "--max-file-size", "1MiB", "--save-log=0")
        self.reset()

    def reset(self):
        for name in os.listdir(self.folder):
            os.remove(self.path(name))
        for name in os.listdir(self.made):
            shutil.copyfile(os.path.join(self.made, name), self.path(name))

    def expect_whole(self):
        self.assertEqual(self.files(), sorted(os.listdir(self.made)))
        for name in self.files():
            support.tool("cmp", self.path(name), os.path.join(self.made, name))

    def spoil(self, name, at, count):
        """Noise from /dev/urandom in the middle of a file, as a bad drive might leave it."""
        support.tool("dd", "if=/dev/urandom", "of=" + self.path(name), "bs=1", f"seek={at}", f"count={count}", "conv=notrunc")

    def validate(self, status):
        result = self.run_here("validate", "--file", "pc", "--save-log=0", "--json")
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return support.events_of(result)[-1]

    def repair_all(self):
        before = self.validate(4)
        self.assertEqual((before["action"], before["outcome"], before["repair"]), ("validate", "damaged", "possible"))
        self.assertLessEqual(before["worst_stripe_blocks"], before["stripe_blocks_repairable"])
        self.assertGreater(before["damaged_blocks"], 0)
        result = self.run_here("repair", "--file", "pc", "--save-log=0", "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        after = support.events_of(result)[-1]
        self.assertGreater(len(after["repaired_files"]), 0)
        self.expect_whole()
        self.validate(0)
        return after

    def test_a_sound_image(self):
        result = self.validate(0)
        self.assertEqual((result["recovery_file"], result["repair"]), ("sound", "not_needed"))
        self.assertIn("nothing to repair", self.succeed("repair", "--file", "pc", "--save-log=0").stdout)
        self.expect_whole()
        self.succeed("restore", "--file", "pc", "--drive", "new.raw", "--save-log=0")

    def test_damage_of_every_kind(self):
        parts = [name for name in self.files() if name != "pc.tti.parity"]
        self.assertGreater(len(parts), 6)
        last = parts[-1] if len(parts) < 11 else max(parts[1:], key=lambda n: int(n.rsplit(".", 1)[1]))
        rng = random.Random(4)
        with self.subTest("the first header"):
            self.spoil("pc.tti", 0, 4096)
            self.repair_all()
        with self.subTest("the trailer"):
            size = os.path.getsize(self.path(last))
            self.spoil(last, size - 100, 100)
            self.repair_all()
        with self.subTest("a part cut off"):
            os.truncate(self.path("pc.tti.2"), 500_000)
            self.repair_all()
        for name in ("pc.tti", "pc.tti.3", last):
            with self.subTest("missing " + name):
                os.remove(self.path(name))
                self.repair_all()
        with self.subTest("scattered"):
            for name in rng.sample(parts, 3):
                self.spoil(name, rng.randrange(os.path.getsize(self.path(name)) - 200), 200)
            self.repair_all()
        with self.subTest("the image and its recovery file"):
            self.spoil("pc.tti.1", 300_000, 5000)
            self.spoil("pc.tti.parity", 0, 4096)
            self.assertEqual(self.repair_all()["recovery_file_rebuilt"], "yes")

    def test_the_recovery_file_alone_is_damaged(self):
        self.spoil("pc.tti.parity", 100_000, 20)
        result = self.validate(4)
        self.assertEqual((result["recovery_file"], result["repair"], result["damage_count"]), ("damaged", "not_needed", 0))
        text = self.run_here("validate", "--file", "pc", "--save-log=0").stderr
        self.assertIn("tintype repair makes it anew", text.splitlines()[-1])
        self.succeed("repair", "--file", "pc", "--save-log=0")
        self.expect_whole()

    def test_too_much_is_refused_and_nothing_is_touched(self):
        for name in ("pc.tti.1", "pc.tti.2", "pc.tti.3"):
            os.remove(self.path(name))
        self.spoil("pc.tti", 5000, 20)
        before = {name: support.read_at(self.path(name), 0, 1 << 30) for name in self.files()}
        self.assertEqual(self.validate(4)["repair"], "impossible")
        result = self.run_here("repair", "--file", "pc", "--save-log=0")
        self.assertEqual(result.returncode, 4)
        self.assertIn("pc.tti.2: bytes 0 to ", result.stderr)
        self.assertIn("nothing was changed; tintype salvage", result.stderr.splitlines()[-1])
        self.assertEqual({name: support.read_at(self.path(name), 0, 1 << 30) for name in self.files()}, before)

    def test_without_or_with_a_strange_recovery_file(self):
        os.remove(self.path("pc.tti.parity"))
        self.assertEqual(self.validate(0)["recovery_file"], "none")
        self.spoil("pc.tti", 0, 4096)
        self.assert_fails(4, "validate", "--file", "pc", "--save-log=0", says="is not a Tintype image")
        self.assert_fails(1, "repair", "--file", "pc", "--save-log=0", says="has no recovery file")
        self.reset()
        self.succeed("backup", "--drive", self.drive + "@0x301", "--file", "other", "--parity=5", "--save-log=0")
        shutil.copyfile(self.path("other.tti.parity"), self.path("pc.tti.parity"))
        result = self.run_here("validate", "--file", "pc", "--save-log=0")
        self.assertEqual(result.returncode, 0)
        self.assertIn("belongs to another image and is ignored", result.stderr)
        self.assert_fails(1, "repair", "--file", "pc", "--save-log=0", says="belongs to another image")

    def test_a_new_image_leaves_no_old_recovery_file(self):
        words = ("backup", "--drive", self.drive + "@0x301", "--file", "pc", "--unattended-yes", "--save-log=0")
        self.succeed(*words)
        self.assertEqual(self.files(), ["pc.tti"])
        self.succeed(*words, env={"TINTYPE": "parity:20%"})
        self.assertEqual(self.files(), ["pc.tti", "pc.tti.parity"])
        size = os.path.getsize(self.path("pc.tti"))
        self.assertGreater(os.path.getsize(self.path("pc.tti.parity")), size // 5)
        self.assert_fails(2, *words, "--parity", "0%", says="a share from 1% to 100%")

    def test_encrypted_images_need_no_password(self):
        with open(self.path("secret"), "w", encoding="ascii") as file:
            file.write("my password\n")
        for name in self.files():
            if name != "secret":
                os.remove(self.path(name))
        self.succeed("backup", "--drive", self.drive + "@0x301", "--file", "pc", "--parity", "5%", "--encryption", "3",
                     "--password-file", "secret", "--save-log=0")
        before = support.read_at(self.path("pc.tti"), 0, 1 << 30)
        self.spoil("pc.tti", 0, 5000)
        self.succeed("repair", "--file", "pc", "--save-log=0")
        self.assertEqual(support.read_at(self.path("pc.tti"), 0, 1 << 30), before)
        self.succeed("validate", "--file", "pc", "--password-file", "secret", "--save-log=0")

    def test_killed_repairs_end_well(self):
        rng = random.Random(9)
        for _ in range(6):
            self.reset()
            self.spoil("pc.tti", 0, 4096)
            os.remove(self.path("pc.tti.2"))
            process = subprocess.Popen([support.PROGRAM, "repair", "--file", "pc", "--save-log=0"], cwd=self.folder,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                       start_new_session=True)
            time.sleep(rng.random() * 0.08)
            process.send_signal(signal.SIGKILL)
            process.wait()
            self.succeed("repair", "--file", "pc", "--save-log=0")
            self.expect_whole()


if __name__ == "__main__":
    unittest.main()
