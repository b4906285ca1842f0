# SPDX-License-Identifier: GPL-3.0-or-later
"""list: a real drive and an image of it, as text and as JSON."""
import json
import os
import subprocess
import unittest

import support

FILE_SYSTEMS = {"0x1": "ntfs", "0x2": "ext4", "0x3": "extended", "0x301": "fat16"}


class ListTest(support.ProgramTest):
    def listing(self, *words):
        return json.loads(self.succeed("list", *words, "--json").stdout)

    def test_says_of_a_drive_what_sfdisk_says(self):
        listing = self.listing("--drive", self.drive)
        self.assertEqual(list(listing), ["drives"])
        (drive,) = listing["drives"]
        self.assertIsNone(drive["number"])
        self.assertEqual((drive["path"], drive["table"], drive["signature"]), (self.drive, "mbr", "A1B2C3D4"))
        self.assertEqual((drive["size_bytes"], drive["sector_size_bytes"]), (support.DRIVE_BYTES, 512))
        table = json.loads(support.tool("sfdisk", "--json", self.drive).stdout)["partitiontable"]["partitions"]
        self.assertEqual([(p["start_sector"], p["sector_count"], int(p["type"], 16)) for p in drive["partitions"]],
                         [(p["start"], p["size"], int(p["type"], 16)) for p in table])
        self.assertEqual({p["id"]: p["file_system"] for p in drive["partitions"]}, FILE_SYSTEMS)
        self.assertEqual([p["active"] for p in drive["partitions"]], [True, False, False, False])

    def test_has_every_documented_field(self):
        fields = {"id", "start_sector", "sector_count", "type", "active", "name", "file_system", "label", "serial",
                  "cluster_bytes", "used_bytes", "free_bytes", "last_used_byte", "state", "warning"}
        for partition in self.listing("--drive", self.drive)["drives"][0]["partitions"]:
            self.assertLessEqual(fields, set(partition))

    def test_agrees_with_blkid_and_dumpe2fs(self):
        partitions = {p["id"]: p for p in self.listing("--drive", self.drive)["drives"][0]["partitions"]}
        ext = support.extract(self.drive, "0x2", self.path("ext"))
        said = dict(line.split(":", 1) for line in support.tool("dumpe2fs", "-h", ext).stdout.decode().splitlines()
                    if ":" in line)
        block = int(said["Block size"])
        self.assertEqual(partitions["0x2"]["cluster_bytes"], block)
        self.assertEqual(partitions["0x2"]["free_bytes"], int(said["Free blocks"]) * block)
        self.assertEqual(partitions["0x2"]["label"], "Größe")
        self.assertEqual(partitions["0x2"]["serial"], said["Filesystem UUID"].strip())
        ntfs = support.extract(self.drive, "0x1", self.path("ntfs"))
        serial = support.tool("blkid", "-p", "-s", "UUID", "-o", "value", ntfs).stdout.decode().strip()
        self.assertEqual(partitions["0x1"]["serial"], serial)

    def test_one_partition_and_a_bare_file_system(self):
        listing = self.listing("--drive", self.drive + "@0x301")
        self.assertEqual([p["id"] for p in listing["drives"][0]["partitions"]], ["0x301"])
        bare = support.extract(self.drive, "0x2", self.path("bare"))
        (drive,) = self.listing("--drive", bare)["drives"]
        self.assertEqual((drive["table"], drive["signature"]), ("none", ""))
        self.assertEqual([(p["id"], p["file_system"]) for p in drive["partitions"]], [("0", "ext4")])

    def test_a_failure_is_an_object_too(self):
        for words, status, code in ((("--drive", "nothing.raw"), 1, "not_found"), (("--file", "nothing"), 1, "not_found"),
                                    (("--file", "x", "--drive", "0"), 2, "usage"), (("--drive", self.drive + "@4"), 1, "not_found")):
            result = self.assert_fails(status, "list", *words, "--json")
            failure = json.loads(result.stdout)
            self.assertEqual(list(failure), ["error"])
            self.assertEqual(list(failure["error"]), ["code", "text", "offset_bytes", "os_error"])
            self.assertEqual(failure["error"]["code"], code)
            self.assertEqual("tintype: " + failure["error"]["text"], result.stderr.strip())

    def test_an_empty_file_lists_nothing_and_rubbish_never_fails(self):
        with open(self.path("empty"), "wb") as file:
            file.truncate(1 << 20)
        self.assertEqual(self.listing("--drive", "empty")["drives"][0]["partitions"], [])
        with open(self.path("rubbish"), "wb") as file:
            file.write(support.noise(510, 1) + b"\x55\xaa" + support.noise(1 << 20, 2))
        (drive,) = self.listing("--drive", "rubbish")["drives"]
        self.assertTrue(drive["warnings"] or any(p["warning"] for p in drive["partitions"]), drive)

    def test_both_spellings_say_the_same(self):
        gnu = self.succeed("list", "--drive", self.drive, "--json").stdout
        self.assertEqual(gnu, self.succeed("/l", f"/d:{self.drive}", "/json").stdout)
        text = self.succeed("list", "--drive", self.drive, "--free-space").stdout
        self.assertEqual(text, self.succeed("/l", f"/d:{self.drive}", "/fs").stdout)

    def test_text_has_a_bar_in_ascii_and_utf8(self):
        text = self.succeed("list", "--drive", self.drive, env={"LC_ALL": "C"}).stdout
        self.assertIn("|0x1 ntfs", text)
        self.assertIn("mbr A1B2C3D4", text)
        text = self.succeed("list", "--drive", self.drive, env={"LC_ALL": "C.UTF-8"}).stdout
        self.assertIn("┃0x1 ntfs", text)
        self.assertNotIn("\x1b", text)

    def test_escape_sequences_in_labels_do_not_reach_the_terminal(self):
        bare = support.extract(self.drive, "0x2", self.path("evil"))
        support.tool("tune2fs", "-L", "\x1b[2Jevil", bare)
        self.assertNotIn("\x1b", self.succeed("list", "--drive", bare).stdout)
        self.assertEqual(self.listing("--drive", bare)["drives"][0]["partitions"][0]["label"], "\x1b[2Jevil")

    def test_the_machine_can_be_listed(self):
        listing = self.listing()
        self.assertEqual([d["number"] for d in listing["drives"]], list(range(len(listing["drives"]))))
        self.succeed("list")

    def test_an_image(self):
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--description", "before the upgrade")
        listing = self.listing("--file", "pc")
        image = listing["image"]
        self.assertEqual((image["kind"], image["parts"], image["encryption"], image["compression"]), ("full", 1, "none", 1))
        self.assertEqual(image["description"], "before the upgrade")
        self.assertEqual(image["size_bytes"], os.path.getsize(self.path("pc.tti")))
        now = {p["id"]: p for p in self.listing("--drive", self.drive)["drives"][0]["partitions"]}
        for partition in listing["drives"][0]["partitions"]:
            for field in ("file_system", "label", "serial", "used_bytes", "last_used_byte", "start_sector"):
                self.assertEqual(partition[field], now[partition["id"]][field], field)
            self.assertEqual(partition["saved"], partition["file_system"] != "extended")
        self.assertEqual(self.listing("--file", "pc"), json.loads(self.succeed("/l", "/f:pc.tti", "/json").stdout))
        self.assertIn("before the upgrade", self.succeed("list", "--file", "pc").stdout)

    def test_a_reader_that_goes_away_is_no_crash(self):
        line = f"'{support.PROGRAM}' list --drive '{self.drive}' | true"
        self.assertEqual(subprocess.run(["sh", "-c", line], check=False, timeout=30).returncode, 0)


if __name__ == "__main__":
    unittest.main()
