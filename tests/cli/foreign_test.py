# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of partclone and folders of Clonezilla as drives; partclone.restore, sfdisk and the drive itself are the judges."""
import glob
import gzip
import json
import os
import shutil
import subprocess
import unittest

import support

NO_SLEEP = None
PACKERS = {"gz": ["gzip", "-1"], "zst": ["zstd", "-q", "-3"], "xz": ["xz", "-1"], "lz4": ["lz4", "-q"], "bz2": ["bzip2", "-1"], "uncomp": ["cat"]}


def partclone(program, *options):
    """partclone rests for some seconds in each run; NO_SLEEP, if it could be made, lets it not."""
    support.tool(program, *options, env={**os.environ, **({"LD_PRELOAD": NO_SLEEP} if NO_SLEEP else {})})


def clone(program, source, target, *options):
    # The log has a fixed path otherwise; each run its own keeps runs apart.
    partclone(program, "-c", "-s", source, "-O", target, "-L", target + ".log", *options)
    os.unlink(target + ".log")


def pack(path, kind):
    with open(path, "rb") as file, open(f"{path}.{kind}", "wb") as out:
        subprocess.run(PACKERS[kind], stdin=file, stdout=out, check=True)
    os.unlink(path)
    return f"{path}.{kind}"


def split(path, size):
    support.tool("split", "-a", "2", "-b", size, path, path + ".")
    os.unlink(path)
    return path + ".aa"


def save_as_clonezilla(drive, folder, partitions, kind="gz"):
    """The folder that ocs-sr would leave of a drive file: {number: (partclone program, file system word, image of the partition)}."""
    os.makedirs(folder)
    sectors = os.path.getsize(drive) // 512
    dump = support.tool("sfdisk", "-d", drive).stdout.decode().replace(drive, "/dev/sda")
    gpt = "label: gpt" in dump
    with open(os.path.join(folder, "sda-pt.sf"), "w", encoding="utf-8") as file:
        file.write(dump)
    with open(os.path.join(folder, "sda-pt.parted"), "w", encoding="utf-8") as file:
        file.write(f"Model: ATA DISK (scsi)\nDisk /dev/sda: {sectors}s\nSector size (logical/physical): 512B/512B\n"
                   f"Partition Table: {'gpt' if gpt else 'msdos'}\n")
    with open(drive, "rb") as source:
        def keep(name, first, count):
            source.seek(first * 512)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(source.read(count * 512))
        keep("sda-mbr", 0, 1)
        if gpt:
            keep("sda-gpt-1st", 0, 34)
            keep("sda-gpt-2nd", sectors - 33 + 1, 33)  # as Clonezilla does it: one sector too late, and so one less
        else:
            keep("sda-hidden-data-after-mbr", 1, 2047)
            if "sda3" in dump:
                keep("sda3-ebr", 94208, 1)
    for name, text in (("parts", " ".join(f"sda{n}" for n in partitions)), ("disk", "sda"), ("clonezilla-img", "saved")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    for number, (program, word, image) in partitions.items():
        path = os.path.join(folder, f"sda{number}.{word}-ptcl-img")
        clone(program, image, path)
        split(pack(path, kind), "1m")


class ForeignTest(support.ProgramTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        global NO_SLEEP
        source = os.path.join(cls.shared, "no_sleep.c")
        with open(source, "w", encoding="utf-8") as file:
            file.write("unsigned sleep(unsigned s) { (void)s; return 0; }\nint usleep(unsigned us) { (void)us; return 0; }\n")
        built = subprocess.run(["cc", "-shared", "-fPIC", "-o", source + ".so", source], capture_output=True, check=False)
        NO_SLEEP = source + ".so" if built.returncode == 0 else None

    def setUp(self):
        super().setUp()
        missing = [t for t in ("partclone.ext4", "partclone.ntfs", "partclone.fat", "partclone.restore", "zstd", "xz", "lz4", "bzip2", "sgdisk")
                   if shutil.which(t, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
        if missing:
            self.skipTest(f"{', '.join(missing)} missing")

    def file_system(self, number):
        return support.extract(self.drive, number, self.path("part" + number))

    def image_then_restore(self, drive, target):
        """What a backup of `drive` restores."""
        for old in ("saved.tti", target):
            if os.path.exists(self.path(old)):
                os.unlink(self.path(old))
        self.succeed("backup", "--drive", drive, "--file", "saved", "--raw")
        self.succeed("restore", "--file", "saved", "--drive", target, "--overwrite")
        with open(self.path(target), "rb") as file:
            return file.read()

    def restored_by_partclone(self, image):
        target = self.path("judge")
        with open(target, "wb") as file:
            file.truncate(max(p[1] for p in support.PARTITIONS.values()) * 512)
        partclone("partclone.restore", "-s", image, "-O", target, "-C", "-L", self.path("log"))
        with open(target, "rb") as file:
            return file.read()

    def assert_same_bytes(self, got, wanted):
        self.assertEqual(len(got), len(wanted))
        if got != wanted:
            self.fail(f"they differ at byte {next(i for i, (a, b) in enumerate(zip(got, wanted)) if a != b)}")

    def test_every_checksum_setting_reads_as_partclone_restores_it(self):
        for number, program in (("0x1", "partclone.ntfs"), ("0x2", "partclone.ext4"), ("0x301", "partclone.fat")):
            source = self.file_system(number)
            settings = [["-a", "0"], ["-a", "1", "-k", "1"], ["-a", "1", "-k", "37"], ["-a", "1", "-k", "100000"], []]
            for options in settings if number == "0x2" else settings[-2:]:
                with self.subTest(program=program, options=options):
                    image = self.path("image")
                    if os.path.exists(image):
                        os.unlink(image)
                    clone(program, source, image, *options)
                    size = os.path.getsize(source)
                    judge = self.restored_by_partclone(image)[:size]
                    got = self.image_then_restore("image", "target")
                    self.assert_same_bytes(got[:size].ljust(size, b"\0"), judge)

    def test_a_partition_image_is_listed_backed_up_and_restored(self):
        source = self.file_system("0x2")
        clone("partclone.ext4", source, self.path("sda2.ext4-ptcl-img"))
        listing = json.loads(self.succeed("list", "--drive", "sda2.ext4-ptcl-img", "--json").stdout)["drives"][0]
        self.assertEqual([(p["id"], p["file_system"], p["label"]) for p in listing["partitions"]], [("0", "ext4", "Größe")])
        self.succeed("backup", "--drive", "sda2.ext4-ptcl-img", "--file", "saved")
        self.succeed("restore", "--file", "saved", "--drive", "target", "--overwrite")
        support.tool("e2fsck", "-fn", self.path("target"))
        self.assertEqual(support.tool("debugfs", "-R", "cat /file3.bin", self.path("target")).stdout,
                         support.tool("debugfs", "-R", "cat /file3.bin", source).stdout)

    def test_every_compression_whole_and_split(self):
        source = self.file_system("0x2")
        clone("partclone.ext4", source, self.path("plain"))
        judge = self.restored_by_partclone(self.path("plain"))
        for kind in PACKERS:
            with self.subTest(kind=kind):
                name = "sda2.ext4-ptcl-img"
                shutil.copy(self.path("plain"), self.path(name))
                packed = pack(self.path(name), kind)
                self.assert_same_bytes(self.image_then_restore(os.path.basename(packed), "target"), judge)
                first = split(packed, "1500k")
                self.assertTrue(os.path.exists(first[:-2] + "ab"))
                for drive in (first, first[:-3]):
                    self.assertIn("ext4", self.succeed("list", "--drive", drive).stdout)
                self.assert_same_bytes(self.image_then_restore(first, "target"), judge)
                last = sorted(f for f in os.listdir(self.folder) if f.startswith(os.path.basename(packed) + "."))[-1]
                os.unlink(self.path(last))
                result = self.assert_fails(4, "backup", "--drive", first, "--file", "cut", "--raw")
                self.assertIn(".aa, .ab", result.stderr)

    def clonezilla_folder(self, kind="gz"):
        folder = self.path("2026-01-01-img")
        shutil.rmtree(folder, ignore_errors=True)
        save_as_clonezilla(self.drive, folder, {1: ("partclone.ntfs", "ntfs", self.file_system("0x1")),
                                                2: ("partclone.ext4", "ext4", self.file_system("0x2")),
                                                5: ("partclone.fat", "vfat", self.file_system("0x301"))}, kind)
        return folder

    def test_a_clonezilla_folder_is_the_drive(self):
        folder = self.clonezilla_folder()
        mine = json.loads(self.succeed("list", "--drive", self.drive, "--json").stdout)["drives"][0]
        for option, name in (("--drive", folder), ("--drive", folder + "/"), ("--drive", folder + "/sda"), ("--file", folder + "/sda")):
            theirs = json.loads(self.succeed("list", option, name, "--json").stdout)["drives"][0]
            for field in ("table", "signature", "size_bytes", "partitions"):
                self.assertEqual(theirs[field], mine[field], field)
        one = json.loads(self.succeed("list", "--drive", folder + "/sda@0x301", "--json").stdout)["drives"][0]
        self.assertEqual([p["file_system"] for p in one["partitions"]], ["fat16"])
        self.succeed("backup", "--drive", folder + "/sda", "--file", "saved")
        self.succeed("restore", "--file", "saved", "--drive", "target", "--overwrite")
        table = [support.tool("sfdisk", "-d", f).stdout.decode().replace(f, "x") for f in (self.drive, self.path("target"))]
        self.assertEqual(table[1], table[0])
        for number, check in (("0x1", ["ntfsinfo", "-m"]), ("0x2", ["e2fsck", "-fn"]), ("0x301", ["fsck.fat", "-n"])):
            support.tool(*check, support.extract(self.path("target"), number, self.path("back" + number)))
        for i in range(4):
            # ntfsfix would complain: partclone's images lack the copy of the boot sector behind the last cluster.
            got, wanted = (support.tool("ntfscat", self.path(p), f"/file{i}.bin").stdout for p in ("back0x1", "part0x1"))
            self.assertEqual(got, wanted)
            got, wanted = (support.tool("mtype", "-i", self.path(p), f"::file{i}.bin").stdout for p in ("back0x301", "part0x301"))
            self.assertEqual(got, wanted)

    def test_files_of_a_clonezilla_folder(self):
        folder = self.clonezilla_folder()
        self.assertIn("0x301", self.succeed("ls", folder + "/sda").stdout)
        self.assertIn("file1.bin", self.succeed("ls", folder + "/sda@2").stdout)
        self.succeed("extract", folder + "/sda@2", "/file1.bin", "--to", "out")
        with open(self.path("out/file1.bin"), "rb") as file:
            self.assert_same_bytes(file.read(), support.noise(400_000, 1) + b"plain text " * 30_000)
        self.assert_fails(1, "ls", folder + "/sdx", says="there is no image or drive")

    def test_a_copy_brings_a_folder_back(self):
        folder = self.clonezilla_folder("xz")
        self.succeed("copy", "--source-drive", folder, "--target-drive", "target", "--overwrite")
        support.tool("e2fsck", "-fn", support.extract(self.path("target"), "0x2", self.path("ext")))
        table = [support.tool("sfdisk", "-d", f).stdout.decode().replace(f, "x") for f in (self.drive, self.path("target"))]
        self.assertEqual(table[1], table[0])

    def test_a_gpt_folder_is_sound_for_sgdisk(self):
        drive = self.path("gpt.raw")
        with open(drive, "wb") as file:
            file.truncate(40 << 20)
        support.tool("sfdisk", "-q", drive, input=b"label: gpt\nstart=2048, size=49152, name=\"a, b\"\nstart=53248, size=16384, type=S\n")
        ext = self.file_system("0x2")
        with open(ext, "rb") as source, open(drive, "r+b") as file:
            file.seek(2048 * 512)
            file.write(source.read())
        folder = self.path("gpt-img")
        save_as_clonezilla(drive, folder, {1: ("partclone.ext4", "ext4", ext)}, "zst")
        uuid = "d366f065-7714-4b4c-92db-f4b12b3e1f6b"
        with open(os.path.join(folder, "swappt-sda2.info"), "w", encoding="utf-8") as file:
            file.write(f'UUID="{uuid}"\nLABEL="tausch"\n')
        self.succeed("backup", "--drive", folder, "--file", "saved")
        self.succeed("restore", "--file", "saved", "--drive", "target", "--overwrite")
        self.assertIn("No problems found", support.tool("sgdisk", "-v", self.path("target")).stdout.decode())
        swap = support.tool("blkid", "-p", "-O", 53248 * 512, "-S", 16384 * 512, "-o", "export", self.path("target")).stdout.decode()
        for line in ("TYPE=swap", "UUID=" + uuid, "LABEL=tausch"):
            self.assertIn(line, swap)

    def test_restore_takes_them_as_they_are(self):
        folder = self.clonezilla_folder("gz")
        image = os.path.join(folder, "sda2.ext4-ptcl-img.gz.aa")
        packed = b"".join(support.read_at(part, 0, -1) for part in sorted(glob.glob(image[:-2] + "a?")))
        with open(self.path("plain"), "wb") as plain:
            plain.write(gzip.decompress(packed))
        judge = self.restored_by_partclone(self.path("plain"))
        self.succeed("validate", "--file", folder)
        self.succeed("restore", "--file", folder, "--drive", "new", "--pre-validate")
        shutil.copy(self.path("new"), self.path("other"))
        start = support.PARTITIONS["0x2"][0] * 512
        with open(self.path("other"), "r+b") as file:
            file.seek(start)
            file.write(os.urandom(1 << 20))
        # The image of one partition goes where that is; the rest stays.
        self.succeed("restore", "--file", image, "--drive", "other@0x2", "--overwrite", "--byte-for-byte")
        support.tool("e2fsck", "-fn", support.extract(self.path("other"), "0x2", self.path("part")))
        self.assert_same_bytes(support.read_at(self.path("other"), start, len(judge)), judge)
        self.assert_same_bytes(support.read_at(self.path("other"), 0, start), support.read_at(self.path("new"), 0, start))
        self.assert_fails(3, "restore", "--file", image, "--drive", "other@0x2")

    def test_a_damaged_one_is_told_and_kept_off(self):
        folder = self.clonezilla_folder("uncomp")
        # Not the first part, in which the superblock lies.
        with open(sorted(glob.glob(os.path.join(folder, "sda2.ext4-ptcl-img.uncomp.a?")))[-2], "r+b") as file:
            file.seek(700_000)
            byte = file.read(1)
            file.seek(700_000)
            file.write(bytes([byte[0] ^ 1]))
        for status, says, words in ((4, "checksum", ["validate", "--file", folder]),
                                    (4, "nothing was written", ["restore", "--file", folder, "--drive", "new", "--pre-validate"]),
                                    (5, "could not be read", ["restore", "--file", folder, "--drive", "other", "--allow-errors"])):
            result = self.run_here(*words)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(says, result.stdout + result.stderr)
        self.assertFalse(os.path.exists(self.path("new")))

    def test_says_what_it_cannot_do(self):
        folder = self.clonezilla_folder("uncomp")
        image = os.path.join(folder, "sda2.ext4-ptcl-img.uncomp.aa")
        self.assertIn("tintype backup --drive", self.assert_fails(1, "mount", image, self.path("folder")).stderr)
        with open(image, "rb") as file:
            before = file.read()
        self.succeed("backup", "--drive", self.drive + "@0x2", "--file", "saved")
        for target in (image, folder + "/sda"):
            self.assert_fails(3, "restore", "--file", "saved", "--drive", target, "--overwrite")
        self.assertFalse(os.path.exists(folder + "/sda"))
        with open(image, "rb") as file:
            self.assertEqual(file.read(), before)
        with open(os.path.join(folder, "lvm_vg_dev.list"), "w", encoding="utf-8") as file:
            file.write("vg /dev/sda2 abcdef-1234\n")
        self.assertIn("LVM", self.assert_fails(1, "list", "--drive", folder).stderr)
        os.unlink(os.path.join(folder, "lvm_vg_dev.list"))
        shutil.copy(os.path.join(folder, "sda-pt.sf"), os.path.join(folder, "sdb-pt.sf"))
        self.assertIn("2 disks", self.assert_fails(2, "list", "--drive", folder).stderr)

    def test_a_raw_drive_that_begins_like_a_compressed_file_stays_one(self):
        with open(self.path("odd.raw"), "wb") as file:
            file.write(gzip.compress(b"no image") + bytes(1 << 20))
        drive = json.loads(self.succeed("list", "--drive", "odd.raw", "--json").stdout)["drives"][0]
        self.assertEqual(drive["size_bytes"], os.path.getsize(self.path("odd.raw")))


if __name__ == "__main__":
    unittest.main()
