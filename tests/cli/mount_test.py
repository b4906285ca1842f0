# SPDX-License-Identifier: GPL-3.0-or-later
"""mount and unmount: an image as files, judged by cmp with what a restore gives, by e2fsck and ntfsfix, and by the files themselves."""
import hashlib
import os
import shutil
import signal
import subprocess
import time
import unittest

import support


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
            hashlib.sha256(file.read()).hexdigest()


class MountTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        if not os.path.exists("/dev/fuse") or (os.geteuid() != 0 and shutil.which("fusermount3") is None):
            self.skipTest("needs FUSE")
        self.at = self.path("m")
        os.mkdir(self.at)
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        self.succeed("restore", "--file", "pc", "--drive", "back.raw", "--save-log=0")

    def mount(self, *more, image="pc", **options):
        result = self.succeed("mount", image, self.at, *more, **options)
        self.addCleanup(self.leave)
        return result

    def leave(self):
        for _ in range(50):
            if not os.path.ismount(self.at) and "Transport" not in self.list_error():
                return
            if self.run_here("unmount", self.at).returncode == 0:
                return
            time.sleep(0.1)
        self.fail("still mounted")

    def list_error(self):
        try:
            os.listdir(self.at)
            return ""
        except OSError as error:
            return str(error)

    def test_the_drive_and_its_partitions_are_files(self):
        result = self.mount()
        self.assertIn("partition-0x301.img", result.stdout)
        self.assertEqual(sorted(os.listdir(self.at)), ["drive.img", "partition-0x301.img", "partition-1.img", "partition-2.img"])
        support.tool("cmp", self.path("back.raw"), f"{self.at}/drive.img")
        for partition, name in (("0x1", "partition-1.img"), ("0x2", "partition-2.img"), ("0x301", "partition-0x301.img")):
            support.tool("cmp", support.extract(self.path("back.raw"), partition, self.path("p")), f"{self.at}/{name}")
        support.tool("e2fsck", "-fn", f"{self.at}/partition-2.img")
        support.tool("ntfsfix", "-n", f"{self.at}/partition-1.img")
        with self.assertRaises(OSError):
            open(f"{self.at}/drive.img", "r+b")
        # A hole is where nothing was saved.
        with open(f"{self.at}/drive.img", "rb") as file:
            hole = os.lseek(file.fileno(), 0, os.SEEK_HOLE)
            self.assertLess(hole, support.DRIVE_BYTES)
            data = os.lseek(file.fileno(), hole, os.SEEK_DATA)
            self.assertGreater(data, hole)
        self.succeed("unmount", self.at)
        self.assertEqual(os.listdir(self.at), [])

    def test_the_files_are_there_too(self):
        self.mount("--files")
        for partition, count in (("1", 6), ("2", 6), ("0x301", 4)):
            for i in range(count):
                with open(f"{self.at}/files/{partition}/file{i}.bin", "rb") as file:
                    self.assertEqual(file.read(), support.noise(400_000, i) + b"plain text " * 30_000, f"{partition} {i}")
        self.assertIn("lost+found", os.listdir(f"{self.at}/files/2"))
        self.assertEqual(os.path.getsize(f"{self.at}/files/1/FILE0.BIN"), 730_000)  # NTFS folds case
        self.assertFalse(os.path.exists(f"{self.at}/files/2/FILE0.BIN"))
        with self.assertRaises(OSError):
            open(f"{self.at}/files/2/new", "wb")

    def test_an_encrypted_chain(self):
        secret = {"TINTYPE_PASSWORD": "secret"}
        shutil.copyfile(self.drive, self.path("now.raw"))
        self.succeed("backup", "--drive", "now.raw", "--file", "full", "--encryption", "3", "--save-log=0", env=secret)
        with open(self.path("now.raw"), "r+b") as file:
            file.seek(43008 * 512 + 12 * 1024 * 1024)
            file.write(support.noise(90_000, "new"))
        self.succeed("backup", "--drive", "now.raw", "--base", "full", "--file", "more", "--encryption", "3", "--save-log=0", env=secret)
        self.succeed("restore", "--file", "more", "--drive", "more.raw", "--save-log=0", env=secret)
        self.assert_fails(3, "mount", "more", self.at, env={"TINTYPE_PASSWORD": "wrong"})
        self.mount(image="more", env=secret)
        support.tool("cmp", self.path("more.raw"), f"{self.at}/drive.img")

    def test_writes_go_elsewhere(self):
        before = digest(self.path("pc.tti"))
        self.mount("--writable")
        support.tool("mkfs.fat", "-F", "16", "-n", "NEW", f"{self.at}/partition-0x301.img")
        with open(f"{self.at}/drive.img", "rb") as file:
            file.seek(support.PARTITIONS["0x301"][0] * 512)
            whole = file.read(support.PARTITIONS["0x301"][1] * 512)
        with open(f"{self.at}/partition-0x301.img", "rb") as file:
            self.assertEqual(file.read(), whole)
        with open(self.path("fat"), "wb") as file:
            file.write(whole)
        support.tool("fsck.fat", "-n", self.path("fat"))
        support.tool("e2fsck", "-fn", f"{self.at}/partition-2.img")
        with open(f"{self.at}/drive.img", "r+b") as file:
            file.seek(1_000_001)
            file.write(b"odd")
            file.seek(999_999)
            self.assertEqual(file.read(7), support.read_at(self.path("back.raw"), 999_999, 2) + b"odd" + support.read_at(self.path("back.raw"), 1_000_004, 2))
        self.succeed("unmount", self.at)
        self.assertEqual(digest(self.path("pc.tti")), before)
        self.mount()
        support.tool("cmp", self.path("back.raw"), f"{self.at}/drive.img")

    def test_a_full_place_for_writes_is_told_to_the_writer(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        small = self.path("small")
        os.mkdir(small)
        support.tool("mount", "-t", "tmpfs", "-o", "size=1m", "none", small)
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        self.mount("--writable", "--overlay-folder", small)
        with open(f"{self.at}/drive.img", "r+b", buffering=0) as file:
            with self.assertRaises(OSError) as caught:
                for i in range(64):
                    file.seek(i << 16)
                    file.write(support.noise(1 << 16, i))
            self.assertEqual(caught.exception.strerror, "No space left on device")
        support.tool("cmp", "-i", str(32 << 20), self.path("back.raw"), f"{self.at}/drive.img")

    def test_what_is_refused(self):
        with open(self.path("m/there"), "w"):
            pass
        self.assert_fails(2, "mount", "pc", self.at, says="not empty")
        os.remove(self.path("m/there"))
        self.assert_fails(1, "mount", "pc", self.path("nowhere"), says="make the folder first")
        self.assert_fails(1, "unmount", self.at, says="no image is mounted")
        self.mount()
        self.assert_fails(3, "mount", "pc", self.at, says="already")
        with open(f"{self.at}/drive.img", "rb"):
            self.assert_fails(3, "unmount", self.at, says="in use")
        support.tool("cmp", self.path("back.raw"), f"{self.at}/drive.img")

    def servers(self):
        out = subprocess.run(["pgrep", "-f", f"mount pc {self.at}"], capture_output=True, text=True, check=False)
        return [int(pid) for pid in out.stdout.split()]

    def test_a_killed_server_leaves_nothing_that_cannot_be_taken_away(self):
        self.mount()
        server, = self.servers()
        os.kill(server, signal.SIGKILL)
        time.sleep(0.2)
        self.assertNotEqual(self.list_error(), "")
        self.assert_fails(3, "mount", "pc", self.at, says="tintype unmount")
        self.succeed("unmount", self.at)
        self.assertEqual(os.listdir(self.at), [])

    def test_a_server_that_is_told_to_end_unmounts(self):
        self.mount()
        server, = self.servers()
        os.kill(server, signal.SIGTERM)
        for _ in range(50):
            if not self.servers():
                break
            time.sleep(0.1)
        self.assertEqual(self.servers(), [])
        self.assertEqual(os.listdir(self.at), [])

    def test_without_the_right_to_dev_fuse(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None or shutil.which("unshare") is None:
            self.skipTest("needs root, setpriv and unshare")
        program = shutil.copy(support.PROGRAM, self.path("program"))
        for folder in (self.shared, self.folder):
            os.chmod(folder, 0o755)
        os.chmod(self.path("pc.tti"), 0o644)
        os.chown(self.at, 65534, 65534)
        os.close(os.open(self.path("closed"), os.O_CREAT, 0o600))
        line = f"mount --bind {self.path('closed')} /dev/fuse && exec setpriv --reuid=65534 --regid=65534 --clear-groups " \
               f"{program} mount {self.path('pc')} {self.at}"
        done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", line], cwd="/", capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("/dev/fuse", done.stderr)
        self.assertNotIn("fuse3", done.stderr)

    def test_in_the_foreground(self):
        program = subprocess.Popen([support.PROGRAM, "mount", "pc", self.at, "--foreground"], cwd=self.folder,
                                   stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(program.stdout.close)
        for _ in range(100):
            if os.listdir(self.at):
                break
            time.sleep(0.1)
        support.tool("cmp", self.path("back.raw"), f"{self.at}/drive.img")
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(20), 0)
        self.assertEqual(os.listdir(self.at), [])
        terminal = support.Terminal("mount", "pc", self.at, "--foreground", cwd=self.folder)
        terminal.read(until="partition-2.img|shown")
        terminal.type("\x03")
        self.assertEqual(terminal.status(), 0, terminal.text)
        self.assertNotIn("[y/N]", terminal.text)

    def test_damage_is_an_error_of_the_read(self):
        with open(self.path("pc.tti"), "r+b") as file:
            file.seek(os.path.getsize(self.path("pc.tti")) // 2)
            file.write(b"\xff" * 16)
        self.mount()
        bad = 0
        with open(f"{self.at}/drive.img", "rb", buffering=0) as file:
            for at in range(0, support.DRIVE_BYTES, 65536):
                file.seek(at)
                try:
                    file.read(65536)
                except OSError as error:
                    self.assertEqual(error.strerror, "Input/output error")
                    bad += 1
        self.assertIn(bad, range(1, 17))


if __name__ == "__main__":
    support.main()
