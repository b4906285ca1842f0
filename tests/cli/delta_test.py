# SPDX-License-Identifier: GPL-3.0-or-later
"""restore --delta: the fast way back, and the end of a restore that was cut off; judged by cmp with a full restore."""
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import support


class DeltaTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")

    def words(self, drive, *more):
        return ("restore", "--file", "pc", "--drive", drive, "--overwrite", "--save-log=0", *more)

    def noise_drive(self, name):
        with open(self.path(name), "wb") as file:
            for i in range(support.DRIVE_BYTES >> 20):
                file.write(support.noise(1 << 20, i))
        return self.path(name)

    def full_restore_of(self, state):
        """What a full restore makes of a drive in this state."""
        shutil.copyfile(state, self.path("full.raw"))
        self.succeed(*self.words("full.raw"))
        return self.path("full.raw")

    def result_of(self, *words):
        return [e for e in support.events_of(self.succeed(*words, "--json")) if e["event"] == "result"][0]

    def test_back_to_yesterday(self):
        self.succeed(*self.words("now.raw"))
        rng = random.Random(4)
        with open(self.path("now.raw"), "r+b") as file:
            for _ in range(60):
                start, count = support.PARTITIONS[rng.choice(list(support.PARTITIONS))]
                file.seek(start * 512 + rng.randrange(count * 512 - 5000))
                file.write(rng.randbytes(rng.choice((1, 700, 5000))))
        full = self.full_restore_of(self.path("now.raw"))
        result = self.result_of(*self.words("now.raw", "--delta", "--byte-for-byte"))
        support.tool("cmp", full, self.path("now.raw"))
        support.tool("e2fsck", "-fn", support.extract(self.path("now.raw"), "0x2", self.path("e")))
        self.assertGreater(result["compared_bytes"], 8 << 20)
        self.assertLess(result["written_bytes"], 4 << 20)
        self.assertIn("compared", self.succeed(*self.words("now.raw", "--delta")).stdout)

    def test_a_restore_that_was_cut_off(self):
        state = self.noise_drive("state.raw")
        full = self.full_restore_of(state)
        for exit_at in (0, 4096, 3 << 20, 7 << 20, 11 << 20):
            shutil.copyfile(state, self.path("now.raw"))
            cut = self.run_here(*self.words("now.raw"), env={"TINTYPE_TEST_FAULTS": f"now.raw:write-exit-at={exit_at}"})
            if cut.returncode == 0:
                self.skipTest("this build has no test hook")
            self.assertEqual(cut.returncode, 137, cut.stderr)
            self.succeed(*self.words("now.raw", "--delta"))
            support.tool("cmp", full, self.path("now.raw"))

    def test_kill_at_any_moment(self):
        state = self.noise_drive("state.raw")
        full = self.full_restore_of(state)
        start = time.monotonic()
        self.full_restore_of(state)
        whole = time.monotonic() - start
        killed = 0
        for i in range(8):
            shutil.copyfile(state, self.path("now.raw"))
            process = subprocess.Popen([support.PROGRAM, *self.words("now.raw")], cwd=self.folder, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            time.sleep(whole * i / 8)
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            self.succeed(*self.words("now.raw", "--delta"))
            support.tool("cmp", full, self.path("now.raw"))
        self.assertGreater(killed, 0)

    def test_a_new_file_is_simply_written(self):
        result = self.result_of("restore", "--file", "pc", "--drive", "new.raw", "--delta", "--save-log=0")
        self.assertEqual(result["compared_bytes"], 0)
        self.succeed(*self.words("other.raw"))
        support.tool("cmp", self.path("other.raw"), self.path("new.raw"))

    def test_a_sector_of_the_target_that_cannot_be_read(self):
        state = self.noise_drive("state.raw")
        full = self.full_restore_of(state)
        shutil.copyfile(full, self.path("now.raw"))
        at = support.PARTITIONS["0x2"][0] * 512 + 4096
        self.succeed(*self.words("now.raw", "--delta"), env={"TINTYPE_TEST_FAULTS": f"now.raw:read-bad={at}+512"})
        support.tool("cmp", full, self.path("now.raw"))
        self.assertTrue(os.path.getsize(self.path("now.raw")) == support.DRIVE_BYTES)


if __name__ == "__main__":
    unittest.main()
