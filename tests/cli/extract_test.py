# SPDX-License-Identifier: GPL-3.0-or-later
"""extract: files out of images, compared with what the kernel, ntfs-3g and mtools read from the same file systems."""
import contextlib
import os
import shutil
import stat
import subprocess
import unittest

import support


@contextlib.contextmanager
def mounted(path, folder, *options):
    os.makedirs(folder)
    done = subprocess.run(["mount", *options, path, folder], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest("cannot mount: " + done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def facts(root, owners=True, modes=True):
    """Everything that must be the same on both sides."""
    found = {}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            entry = {"kind": stat.S_IFMT(info.st_mode), "mtime": info.st_mtime_ns}
            if modes and not stat.S_ISLNK(info.st_mode):
                entry["mode"] = info.st_mode & 0o777
            if owners:
                entry["owner"] = (info.st_uid, info.st_gid)
            if stat.S_ISLNK(info.st_mode):
                entry["target"] = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                with open(path, "rb") as file:
                    entry["content"] = file.read()
                entry["links"] = info.st_nlink
            found[os.path.relpath(path, root)] = entry
    return found


class ExtractTest(support.ProgramTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.image = os.path.join(cls.shared, "pc")
        result = support.run("backup", "--drive", cls.drive, "--file", cls.image, "--no-save-log")
        assert result.returncode == 0, result.stderr

    def content(self, number):
        return support.noise(400_000, number) + b"plain text " * 30_000

    def rich_ext4(self):
        """A bare ext4 with links, holes, odd names, odd modes and old times."""
        tree = self.path("tree")
        os.makedirs(os.path.join(tree, "deep/er/still"))
        for name, text in (("deep/er/still/file", b"x" * 5000), ("empty", b""), ("na\\me: ü", b"odd"), ("two\nlines", b"odd")):
            with open(os.path.join(tree, name), "wb") as file:
                file.write(text)
        with open(os.path.join(tree, "sparse"), "wb") as file:
            file.seek(3_000_000)
            file.write(b"end")
        os.link(os.path.join(tree, "empty"), os.path.join(tree, "deep/also empty"))
        os.link(os.path.join(tree, "sparse"), os.path.join(tree, "deep/also sparse"))
        os.symlink("/etc/passwd", os.path.join(tree, "absolute"))
        os.symlink("er/still/" + "long/" * 20, os.path.join(tree, "deep/long"))
        os.chmod(os.path.join(tree, "deep/er/still/file"), 0o4751)
        os.chmod(os.path.join(tree, "deep/er"), 0o510)
        os.utime(os.path.join(tree, "deep/er/still/file"), ns=(10**18 + 7, 10**18 + 123_456_789))
        if os.geteuid() == 0:
            os.chown(os.path.join(tree, "empty"), 1234, 4321)
        path = self.path("ext4")
        with open(path, "wb") as file:
            file.truncate(32 << 20)
        support.tool("mkfs.ext4", "-q", "-F", "-d", tree, path)
        return path

    def test_ext4_is_what_the_kernel_sees(self):
        path = self.rich_ext4()
        self.succeed("backup", "--drive", path, "--file", "pc")
        with mounted(path, self.path("mnt"), "-o", "loop,ro") as mnt:
            for source, to in (("pc", "out"), ("ext4", "out2")):
                self.succeed("extract", source, "/", "--to", to)
                self.assertEqual(facts(self.path(to)), facts(mnt))
                self.assertLess(os.stat(self.path(to + "/sparse")).st_blocks * 512, 100_000)
        self.succeed("extract", "pc", "/deep", "--to", "bits", "--special-bits", "--no-owner")
        self.assertEqual(os.stat(self.path("bits/deep/er/still/file")).st_mode & 0o7777, 0o4751)

    def test_ntfs_is_what_ntfs_3g_sees(self):
        path = support.extract(self.drive, "0x1", self.path("ntfs"))
        self.succeed("extract", self.image + "@1", "/", "--to", "out")
        with mounted(path, self.path("mnt"), "-t", "ntfs-3g", "-o", "ro,loop") as mnt:
            theirs, ours = facts(mnt, owners=False, modes=False), facts(self.path("out"), owners=False, modes=False)
            self.assertEqual(ours, theirs)
            self.assertEqual(len(ours), 6)

    def test_fat_is_what_mtools_sees(self):
        path = support.extract(self.drive, "0x301", self.path("fat"))
        os.makedirs(self.path("theirs"))
        support.tool("mcopy", "-s", "-i", path, "::*", self.path("theirs"))
        self.succeed("extract", self.image + "@0x301", "/FILE?.*", "--to", "out")
        self.assertEqual({k: v["content"] for k, v in facts(self.path("out")).items()}, {k: v["content"] for k, v in facts(self.path("theirs")).items()})

    def test_encrypted_chains(self):
        env = {"TINTYPE_PASSWORD": "secret"}
        drive = self.path("d.raw")
        shutil.copy(self.drive, drive)
        self.succeed("backup", "--drive", drive, "--file", "full", "--encryption", "3", "--compression", "7", env=env)
        ntfs = support.extract(drive, "0x1", self.path("part"))
        with open(self.path("new"), "wb") as file:
            file.write(b"changed" * 1000)
        support.tool("ntfscp", "-f", ntfs, self.path("new"), "/file1.bin")
        with open(ntfs, "rb") as source, open(drive, "r+b") as target:
            target.seek(support.PARTITIONS["0x1"][0] * 512)
            target.write(source.read())
        self.succeed("backup", "--base", "full", "--drive", drive, "--file", "inc", "--encryption", "3", env=env)
        for image, text in (("full", self.content(1)), ("inc", b"changed" * 1000)):
            self.succeed("extract", image + "@1", "/file1.bin", "/file2.bin", "--to", "out-" + image, env=env)
            with open(self.path(f"out-{image}/file1.bin"), "rb") as file:
                self.assertEqual(file.read()[:len(text)], text)
            with open(self.path(f"out-{image}/file2.bin"), "rb") as file:
                self.assertEqual(file.read(), self.content(2))
        self.assert_fails(3, "extract", "inc@1", "/", "--to", "no", env={"TINTYPE_PASSWORD": "wrong"}, says="password")
        self.assertFalse(os.path.exists(self.path("no")))

    def test_existing_files_and_statuses(self):
        words = ("extract", self.image + "@2", "/file1.bin", "/file2.bin", "--to", "out")
        os.makedirs(self.path("out"))
        with open(self.path("out/file1.bin"), "wb") as file:
            file.write(b"mine")
        self.assert_fails(5, *words, says="/file1.bin is in the target already")
        self.assertEqual(os.path.getsize(self.path("out/file1.bin")), 4)
        self.assertEqual(self.run_here(*words).returncode, 3)
        self.succeed(*words, "--skip-existing")
        self.assertEqual(os.path.getsize(self.path("out/file1.bin")), 4)
        self.succeed(*words, "--overwrite")
        with open(self.path("out/file1.bin"), "rb") as file:
            self.assertEqual(file.read(), self.content(1))
        self.assert_fails(2, *words, "--overwrite", "--skip-existing")
        self.assert_fails(1, "extract", self.image + "@2", "/none", "--to", "out", says="there is no /none")
        self.assert_fails(5, "extract", self.image + "@2", "/none", "/file3.bin", "--to", "out", says="there is no /none")
        self.assert_fails(2, "extract", self.image + "@2", "--to", "out", says="PATH")
        self.assert_fails(2, "extract", self.image + "@2", "/", says="--to")
        self.assertEqual([name for name in os.listdir(self.path("out")) if name.startswith(".")], [])

    def test_what_stands_in_the_way_is_a_failure(self):
        os.makedirs(self.path("out"))
        os.symlink("../outside", self.path("out/lost+found"))
        words = ("extract", self.image + "@2", "/lost+found", "--to", "out")
        self.assert_fails(3, *words, says="is no folder")
        for flag in ("--overwrite", "--skip-existing"):
            self.assert_fails(1, *words, flag, says="is no folder")
        self.assert_fails(5, *words, "/file1.bin", "--overwrite", says="is no folder")
        self.assertTrue(os.path.islink(self.path("out/lost+found")))
        self.assertFalse(os.path.exists(self.path("outside")))
        self.assertIn("extracted to out: 1 file,", self.succeed("extract", self.image + "@2", "/file2.bin", "--to", "out").stdout)
        self.assert_fails(2, "extract", self.image + "@2", "", "--to", "new", says="empty")

    def test_dry_run_writes_nothing(self):
        result = self.succeed("extract", self.image + "@2", "/", "--dry-run", "--to", "out")
        self.assertIn("/file5.bin", result.stdout)
        self.assertIn("what out holds already was not looked at", result.stdout)
        self.assertEqual(self.files(), [])

    def test_left_out_data_is_named_and_never_zeros(self):
        drive = self.path("d.raw")
        ntfs = support.make_partition(self.folder, "0x1")
        support.tool("ntfscp", "-f", ntfs, self.path("content/file0.bin"), "/pagefile.sys")
        os.rename(ntfs, drive)
        self.succeed("backup", "--drive", drive, "--file", "pc")
        result = self.run_here("extract", "pc", "/pagefile.sys", "/file1.bin", "--to", "out", "--json")
        self.assertEqual(result.returncode, 5, result.stderr)
        end = support.events_of(result)[-1]
        self.assertEqual((end["not_saved"], end["files"]), (1, 1))
        self.assertIn("/pagefile.sys", end["problems"][0])
        self.assertEqual(os.listdir(self.path("out")), ["file1.bin"])

    def test_without_root(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("not root, or no setpriv")
        program = shutil.copy(support.PROGRAM, self.path("program"))
        os.chown(shutil.copy(self.image + ".tti", self.path("pc.tti")), 65534, 65534)
        for folder in (self.shared, self.folder):
            os.chmod(folder, 0o755)
        os.makedirs(self.path("out"))
        os.chown(self.path("out"), 65534, 65534)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program, "extract", self.path("pc@2"), "/",
                               "--to", self.path("out"), "--no-save-log"], check=False, capture_output=True, text=True, cwd="/",
                              env={"PATH": os.environ["PATH"], "HOME": self.folder})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("out/file4.bin"), "rb") as file:
            self.assertEqual(file.read(), self.content(4))
        self.assertEqual(os.stat(self.path("out/file4.bin")).st_uid, 65534)


if __name__ == "__main__":
    unittest.main()
