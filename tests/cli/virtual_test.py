# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual drives as sources and targets, judged by qemu-img: every format, both spellings, hostile files, and QEMU going away."""
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import time
import unittest

import support

FORMATS = {"vhdd": ("vhd", "vpc"), "vhdf": ("vhd", "vpc"), "vmdk": ("vmdk", "vmdk"), "vmdks": ("vmdk", "vmdk"), "qcow2": ("qcow2", "qcow2"),
           "vhdx": ("vhdx", "vhdx"), "vdi": ("vdi", "vdi"), "raw": ("raw", "raw")}
CHECKED = ("vmdk", "vmdks", "qcow2", "vhdx", "vdi")  # by qemu-img check


class VirtualTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        if shutil.which("qemu-img") is None or shutil.which("qemu-nbd") is None:
            self.skipTest("needs qemu-img and qemu-nbd")
        self.run_folder = self.path("run")
        os.mkdir(self.run_folder, 0o700)
        self.variables = {"XDG_RUNTIME_DIR": self.run_folder}
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        self.succeed("restore", "--file", "pc", "--drive", "back.raw", "--save-log=0")

    def tearDown(self):
        out = subprocess.run(["pgrep", "-f", f"qemu-nbd.*{self.folder}"], capture_output=True, text=True, check=False)
        self.assertEqual(out.stdout, "", "a QEMU process is left")
        self.assertEqual(os.listdir(self.run_folder), [])

    def do(self, *words, **options):
        return self.succeed(*words, "--save-log=0", env=self.variables, **options)

    def info(self, path):
        driver = {each[0]: each[1] for each in FORMATS.values()}[path.rsplit(".", 1)[1]]  # a fixed VHD looks raw to a guess
        return json.loads(support.tool("qemu-img", "info", "-f", driver, "--output=json", self.path(path)).stdout)

    def same(self, path, driver, other="back.raw"):
        support.tool("qemu-img", "compare", "-f", driver, "-F", "raw", self.path(path), self.path(other))

    def test_each_format_there_and_back(self):
        for kind, (extension, driver) in FORMATS.items():
            with self.subTest(kind):
                name = f"{kind}.{extension}"
                self.do("restore", "--file", "pc", "--drive", name, "--type", kind, "--byte-for-byte")
                info = self.info(name)
                self.assertEqual(info["format"], driver)
                self.assertEqual(info["virtual-size"], support.DRIVE_BYTES)
                self.same(name, driver)
                if kind in CHECKED:
                    support.tool("qemu-img", "check", "-f", driver, self.path(name))
                if kind == "vhdf":
                    self.assertEqual(os.path.getsize(self.path(name)), support.DRIVE_BYTES + 512)
                elif kind != "raw":
                    # It grows with its data: some 15 MiB are in use of 64.
                    self.assertLess(os.stat(self.path(name)).st_blocks * 512, 32 << 20)
                before = os.stat(self.path(name))
                self.do("backup", "--drive", name, "--file", f"again-{kind}")
                self.do("validate", "--file", f"again-{kind}")
                after = os.stat(self.path(name))
                self.assertEqual((before.st_mtime_ns, before.st_size), (after.st_mtime_ns, after.st_size))
                self.do("restore", "--file", f"again-{kind}", "--drive", f"back-{kind}.raw")
                support.tool("cmp", self.path("back.raw"), self.path(f"back-{kind}.raw"))

    def test_the_old_spelling(self):
        self.do("/r", "/v0:new.vhd,C,vhdd,100", "/f:pc", "/d:v0")
        self.assertEqual(self.info("new.vhd")["virtual-size"], 100 << 20)
        listed = self.succeed("/l", "/v0:new.vhd", "/d:v0", env=self.variables).stdout
        self.assertIn("Windows", listed)
        self.do("/b", "/v0:other.vhd", "/v0:new.vhd", "/d:v0@1", "/f:one")
        self.assertIn("Windows", self.run_here("list", "--file", "one").stdout)
        # It is there now: C takes it as it is, and R makes it anew.
        self.assertEqual(self.run_here("/r", "/v0:new.vhd,C,vhdd,300", "/f:pc", "/d:v0", "/un", "/save-log=0", env=self.variables).returncode, 3)
        self.assertEqual(self.info("new.vhd")["virtual-size"], 100 << 20)
        self.do("/r", "/v0:new.vhd,R,vhdd,80", "/f:pc", "/d:v0", "/o")
        self.assertEqual(self.info("new.vhd")["virtual-size"], 80 << 20)
        self.do("restore", "--file", "pc", "--drive", "sized.qcow2", "--create", "90M")
        self.assertEqual(self.info("sized.qcow2")["virtual-size"], 90 << 20)
        self.do("backup", "--virtual-drive", "3=sized.qcow2", "--drive", "v3@0x2", "--file", "two")
        self.assert_fails(1, "backup", "--drive", "v4", "--file", "none", "--save-log=0", env=self.variables, says="v4")

    def test_over_one_that_is_there(self):
        self.do("restore", "--file", "pc", "--drive", "a.qcow2")
        self.assert_fails(3, "restore", "--file", "pc", "--drive", "a.qcow2", "--unattended-no", "--save-log=0", env=self.variables)
        self.do("restore", "--file", "pc", "--drive", "a.qcow2", "--overwrite")
        self.do("restore", "--file", "pc", "--drive", "a.qcow2", "--overwrite", "--delta")
        self.same("a.qcow2", "qcow2")
        support.tool("qemu-img", "check", self.path("a.qcow2"))

    def test_copy_and_convert(self):
        self.do("copy", "--source-drive", self.drive, "--target-drive", "copy.vmdk")
        self.same("copy.vmdk", "vmdk")
        for name in ("c.qcow2", "c.vhdx", "c.vdi", "c.raw"):
            self.succeed("convert", "pc", name, env=self.variables)
            self.same(name, FORMATS[name[2:]][1] if name[2:] in FORMATS else "raw")
        self.succeed("convert", "copy.vmdk", "again.vhd", "--type", "vhdf", env=self.variables)
        self.same("again.vhd", "vpc")
        self.assert_fails(3, "convert", "pc", "c.raw", env=self.variables, says="exists")
        self.assertFalse([name for name in os.listdir(self.folder) if "partial" in name])

    def test_names_and_types_agree(self):
        for words in (("restore", "--file", "pc", "--drive", "z.vdi", "--type", "vhdx"), ("convert", "pc", "q.qcow2", "--type", "vhdx"),
                      ("copy", "--source-drive", "pc", "--target-drive", "z.vdi", "--type", "qcow2"),
                      ("list", "--virtual-drive", "1:n.vhd,C,vmdk,30", "--drive", "v1")):
            self.assert_fails(2, *words, env=self.variables, says="by its name")
        self.assertEqual([name for name in self.files() if name not in ("run", "pc.tti", "back.raw")], [])

    def test_create_is_for_what_is_not_there(self):
        self.do("restore", "--file", "pc", "--drive", "a.raw", "--create", "80M")
        self.do("restore", "--file", "pc", "--drive", "a.raw", "--create", "80M", "--delta", "--overwrite")
        self.assert_fails(3, "restore", "--file", "pc", "--drive", "a.raw", "--create", "90M", "--overwrite", env=self.variables, says="--create")
        self.assertEqual(os.path.getsize(self.path("a.raw")), 80 << 20)

    def test_a_copy_takes_an_image_without_its_extension(self):
        self.do("copy", "--source-drive", "pc@2", "--target-drive", "two.raw")
        self.do("copy", "--source-drive", "pc.tti@2", "--target-drive", "same.raw")
        support.tool("cmp", "-i", str(1 << 20), self.path("two.raw"), self.path("same.raw"))  # behind the table, which has a signature of its own

    def test_leftovers_of_a_killed_convert_go(self):
        dead = subprocess.Popen(["true"])
        dead.wait()
        for name in (f"k.vdi.{dead.pid}.partial", f"k.vdi.{os.getpid()}.partial", f"j.vdi.{dead.pid}.partial", "k.vdi.x.partial"):
            open(self.path(name), "wb").close()
        self.succeed("convert", "pc", "k.vdi", env=self.variables)
        self.assertEqual([name for name in self.files() if "partial" in name],
                         sorted([f"k.vdi.{os.getpid()}.partial", f"j.vdi.{dead.pid}.partial", "k.vdi.x.partial"]))
        with open(self.path(f"m.raw.{dead.pid}.partial"), "wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.succeed("convert", "pc", "m.raw", env=self.variables)
        self.assertTrue(os.path.exists(self.path(f"m.raw.{dead.pid}.partial")))

    def test_files_that_need_others_are_refused(self):
        secret = self.path("secret.raw")
        with open(secret, "wb") as file:
            file.write(support.noise(1 << 20, "secret"))
        support.tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", self.path("backed.qcow2"))
        support.tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={self.path('data')},data_file_raw=on", self.path("outside.qcow2"), "1M")
        support.tool("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", self.path("flat.vmdk"), "1M")
        for name in ("backed.qcow2", "outside.qcow2", "flat.vmdk"):
            result = self.assert_fails(1, "list", "--drive", name, env=self.variables)
            self.assertIn("needs", result.stderr)
        support.tool("qemu-img", "create", "-q", "-f", "vpc", self.path("diff.vhd"), "1M")
        with open(self.path("diff.vhd"), "r+b") as file:
            file.seek(60)
            file.write(struct.pack(">I", 4))
        self.assertIn("needs", self.assert_fails(1, "list", "--drive", "diff.vhd", env=self.variables).stderr)

        support.tool("qemu-img", "create", "-q", "-f", "vmdk", self.path("base.vmdk"), "1M")
        support.tool("qemu-img", "create", "-q", "-f", "vmdk", "-b", self.path("base.vmdk"), "-F", "vmdk", self.path("child.vmdk"))
        self.assertIn("needs", self.assert_fails(1, "list", "--drive", "child.vmdk", env=self.variables).stderr)

    def test_what_the_guest_of_a_fixed_vhd_writes(self):
        # Its first sector is the file's: a header there must not make anybody open something else.
        support.tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", self.path("back.raw"), "-F", "raw", self.path("evil.qcow2"))
        with open(self.path("guest.raw"), "wb") as file:
            file.write(support.read_at(self.path("evil.qcow2"), 0, 65536))
            file.truncate(4 << 20)
        self.do("backup", "--drive", "guest.raw", "--file", "guest", "--raw-mode")
        self.do("restore", "--file", "guest", "--drive", "guest.vhd", "--type", "vhdf", "--byte-for-byte")
        self.assertEqual(os.path.getsize(self.path("guest.vhd")), (4 << 20) + 512)
        self.assertEqual(support.read_at(self.path("guest.vhd"), 0, 4 << 20), support.read_at(self.path("guest.raw"), 0, 4 << 20))
        self.do("backup", "--drive", "guest.vhd", "--file", "again", "--raw-mode")
        self.do("restore", "--file", "again", "--drive", "again.raw")
        support.tool("cmp", self.path("guest.raw"), self.path("again.raw"))

    def test_definitions_are_read_from_left_to_right(self):
        for words in (("--drive", "v0", "--virtual", "0=a.vhd"), ("--virtual", "0=a.vhd", "--drive", "v0", "--virtual", "0=b.vhd"),
                      ("--virtual", "0=a.vhd", "--drive", "v0@1", "--virtual-drive", "0:")):
            self.assert_fails(2, "list", *words, env=self.variables, says="v0")
        with open(self.path("tintype.ini"), "w", encoding="utf-8") as file:
            file.write("[Options]\nV0=not-there.vhd\nV1=new.qcow2,C,qcow2,50\n")
        self.do("restore", "--virtual", "0=mine.vmdk,create,vmdks,70M", "--file", "pc", "--drive", "v0")
        self.assertEqual(self.info("mine.vmdk")["virtual-size"], 70 << 20)
        self.assertFalse(os.path.exists(self.path("new.qcow2")), "made without need")

    def test_list_shows_what_is_defined(self):
        self.do("restore", "--file", "pc", "--drive", "a.vhdx")
        with open(self.path("block.lock.vmdk"), "wb") as file:
            file.write(b"KDMV" + bytes(8) + b"\1" + bytes(600))
        words = ("--virtual", "0=a.vhdx", "--virtual", "2=block.lock.vmdk", "--virtual", "5=odd,name.vhd,C,vhdf,3", "--virtual", "7=gone.vdi")
        drives = {each["virtual_number"]: each for each in json.loads(self.succeed("list", *words, "--json", env=self.variables).stdout)["drives"]}
        self.assertEqual((drives[0]["format"], drives[0]["number"], len(drives[0]["partitions"])), ("vhdx", None, 4))
        self.assertEqual((drives[5]["format"], drives[5]["size_bytes"]), ("vhdf", 3 << 20))
        self.assertTrue(os.path.exists(self.path("odd,name.vhd")))
        self.assertEqual((len(drives[2]["warnings"]), len(drives[7]["warnings"])), (1, 1))
        self.assertNotIn("open in another program", drives[2]["warnings"][0])
        text = self.succeed("/l", "/v0:a.vhdx,R,vhdx,10", "/d:v0", env=self.variables).stdout
        self.assertIn("drive v0: a.vhdx, vhdx, 64.0 MiB", text)
        self.assertIn("Windows", text, "looking at it must not make it anew")

    def test_files_whose_names_say_nothing(self):
        self.do("restore", "--file", "pc", "--virtual", "0=disk,C,qcow2,64", "--drive", "v0")
        self.assertIn("Windows", self.succeed("list", "--virtual", "0=disk", "--drive", "v0", env=self.variables).stdout)
        raw = ("list", "--virtual", "0=disk,C,raw,1", "--drive", "v0", "--json")
        self.assertEqual(json.loads(self.succeed(*raw, env=self.variables).stdout)["drives"][0]["format"], "")
        for name, kind in (("disk.img", "vhdd"), ("plain", "vdi"), ("new.vhd", "raw")):
            self.assert_fails(2, "restore", "--file", "pc", "--drive", name, "--type", kind, "--save-log=0", env=self.variables, says="name")
            self.assertFalse(os.path.exists(self.path(name)))

    def test_what_a_name_says(self):
        shutil.copyfile(self.path("back.raw"), self.path("no.vhd"))
        self.assertEqual(self.run_here("list", "--drive", "no.vhd", env=self.variables).returncode, 4)
        # A guest can write what it likes at the beginning of a raw drive.
        with open(self.path("raw.img"), "wb") as file:
            file.truncate(4 << 20)
            file.write(b"QFI\xfb\0\0\0\3" + bytes(96))
        self.do("backup", "--drive", "raw.img", "--file", "raw", "--raw")
        self.do("restore", "--file", "raw", "--drive", "raw-back.img")
        support.tool("cmp", self.path("raw.img"), self.path("raw-back.img"))

    def test_one_that_is_open_elsewhere(self):
        self.do("restore", "--file", "pc", "--drive", "a.qcow2")
        other = subprocess.Popen(["qemu-nbd", "-f", "qcow2", "-t", "-k", self.path("s"), self.path("a.qcow2")])
        try:
            time.sleep(0.5)
            result = self.run_here("restore", "--file", "pc", "--drive", "a.qcow2", "--overwrite", "--save-log=0", env=self.variables)
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertIn("open in another program", result.stderr)
        finally:
            other.terminate()
            other.wait()

    def start_slow(self, name, *words):
        """A run, by default a restore, that is in the middle of its requests."""
        words = words or ("restore", "--file", "pc", "--drive", name, "--unattended-no")
        program = subprocess.Popen([support.PROGRAM, *words, "--save-log=0"], cwd=self.folder,
                                   env={**os.environ, **self.variables, "TINTYPE_TEST_FAULTS": f"{name}:delay-ms=300"},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(program.stderr.close)
        for _ in range(100):
            out = subprocess.run(["pgrep", "-f", f"qemu-nbd.*{self.path(name)}"], capture_output=True, text=True, check=False)
            if out.stdout:
                time.sleep(1.2)
                return program, int(out.stdout.split()[0])
            time.sleep(0.05)
        self.fail("no QEMU process")

    def test_qemu_is_killed(self):
        program, server = self.start_slow("gone.qcow2")
        os.kill(server, signal.SIGKILL)
        self.assertEqual(program.wait(60), 1)
        said = program.stderr.read()
        self.assertIn("gone.qcow2", said)
        self.assertFalse(os.path.exists(self.path("gone.qcow2")))

    def test_qemu_is_killed_while_errors_are_allowed(self):
        # Sectors that cannot be read or written are one thing; a drive that is gone is another.
        program, server = self.start_slow("gone.qcow2", "restore", "--file", "pc", "--drive", "gone.qcow2", "--allow-errors", "--unattended-ignore")
        os.kill(server, signal.SIGKILL)
        self.assertEqual(program.wait(60), 1)
        self.assertIn("is gone", program.stderr.read())
        self.assertFalse(os.path.exists(self.path("gone.qcow2")))
        self.do("restore", "--file", "pc", "--drive", "source.vdi")
        program, server = self.start_slow("source.vdi", "backup", "--drive", "source.vdi", "--file", "part", "--allow-errors", "--retries=5")
        # One process for finding out what the drive is, then one for reading it.
        for _ in range(300):
            servers = subprocess.run(["pgrep", "-f", f"qemu-nbd.*{self.path('source.vdi')}"], capture_output=True, text=True, check=False).stdout.split()
            if any(int(each) != server for each in servers):
                break
            time.sleep(0.05)
        time.sleep(1)
        for each in servers:
            os.kill(int(each), signal.SIGKILL)
        self.assertEqual(program.wait(60), 1)
        self.assertIn("is gone", program.stderr.read())
        self.assertFalse([name for name in os.listdir(self.folder) if name.startswith("part")])

    def test_the_socket_goes_away(self):
        program, _ = self.start_slow("steady.vhdx")
        shutil.rmtree(os.path.join(self.run_folder, os.listdir(self.run_folder)[0]))
        # Who is connected stays so.
        self.assertEqual(program.wait(120), 0, program.stderr.read())
        self.same("steady.vhdx", "vhdx")

    def test_the_program_is_killed(self):
        program, _ = self.start_slow("left.qcow2")
        program.kill()
        program.wait()
        for _ in range(100):
            if not subprocess.run(["pgrep", "-f", f"qemu-nbd.*{self.folder}"], capture_output=True, check=False).stdout:
                break
            time.sleep(0.1)
        support.tool("qemu-img", "check", "-r", "all", self.path("left.qcow2"))
        # The next run clears away what is left, and the file is no longer locked.
        self.do("restore", "--file", "pc", "--drive", "left.qcow2", "--overwrite")
        self.same("left.qcow2", "qcow2")

    def test_a_full_place(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        small = self.path("small")
        os.mkdir(small)
        support.tool("mount", "-t", "tmpfs", "-o", "size=6m", "none", small)
        try:
            result = self.run_here("restore", "--file", "pc", "--drive", "small/a.vhd", "--unattended-no", "--save-log=0", env=self.variables)
            self.assertEqual(result.returncode, 1, result.stderr + result.stdout)
            self.assertIn("No space left", result.stderr)
            self.assertFalse(os.path.exists(self.path("small/a.vhd")))
        finally:
            support.tool("umount", small)


if __name__ == "__main__":
    support.main()
