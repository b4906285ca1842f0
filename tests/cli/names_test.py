# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of images: variables, saved names, suggested names, one image for each partition."""
import datetime
import json
import os
import re
import stat

import support

EVERY = ["name-1.tti", "name-0x301.tti", "name-2.tti"]


class NamesTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        self.state = {"XDG_STATE_HOME": self.path("state")}

    def backup(self, *options, **more):
        return self.succeed("backup", "--drive", self.drive + "@0x2", *options, **more)

    def names_file(self):
        return os.path.join(self.path("state"), "tintype", "names.json")

    def test_variables_in_every_place(self):
        before = datetime.date.today()
        self.backup("--file", "pc $~YYYY$-$~YY$-$~MM$-$~DD$-$~DOY$-$~DOW$-$~VER$")
        version = self.succeed("version").stdout.split()[-1]
        names = {day.strftime(f"pc %Y-%y-%m-%d-%j-%a-{version}.tti") for day in (before, datetime.date.today())}
        self.assertEqual(len(names & set(self.files())), 1, self.files())
        self.succeed("/b", f"/d:{self.drive}@0x2", "/f:\"slash-$~HHMM$\"", env={"TINTYPE": "logfile:log-$~YYYY$"})
        with open(self.path("tintype.ini"), "w", encoding="ascii") as ini:
            ini.write("[Options]\nLogFile=ini-$~YY$.log\n")
        self.backup("--file", "ini")
        there = self.files()
        self.assertTrue(any(re.fullmatch(r"slash-\d{4}\.tti", name) for name in there), there)
        self.assertTrue(any(re.fullmatch(r"log-\d{4}", name) for name in there), there)
        self.assertTrue(any(re.fullmatch(r"ini-\d\d\.log", name) for name in there), there)

    def test_the_zone_of_the_clock_counts(self):
        for zone, hours in (("UTC-13", 13), ("UTC+11", -11)):
            moments = [datetime.datetime.now(datetime.timezone.utc)]
            self.backup("--file", "at-$~DD$-$~HHMM$", env={"TZ": zone})
            moments.append(datetime.datetime.now(datetime.timezone.utc))
            wanted = {(m + datetime.timedelta(hours=hours)).strftime("at-%d-%H%M.tti") for m in moments}
            self.assertTrue(wanted & set(self.files()), (wanted, self.files()))

    def test_unknown_variables_list_those_there_are(self):
        result = self.assert_fails(2, "backup", "--drive", self.drive, "--file", "pc-$~yyyy$", says="$~yyyy$")
        for name in ("YYYY", "YY", "MM", "DD", "DOY", "DOW", "HHMM", "VER"):
            self.assertIn(name, result.stderr)
        self.assertEqual(self.files(), [])

    def test_saved_names_live_on(self):
        self.backup("--file", "full", "--save-name", "lastfull", env=self.state)
        self.backup("--file", "other", "--save-name", "other", env=self.state)
        with open(self.names_file(), encoding="utf-8") as file:
            self.assertEqual(json.load(file), {"lastfull": self.path("full.tti"), "other": self.path("other.tti")})
        self.assertEqual(stat.S_IMODE(os.stat(self.names_file()).st_mode), 0o600)
        told = self.succeed("/v", "/f:$~lastfull$", "/savename:checked", cwd="/", env={**self.state, "TINTYPE": "log:0"})
        self.assertIn("full.tti is sound", told.stdout)
        self.succeed("restore", "--file", "$~checked$", "--drive", "new.raw", "--overwrite", "--save-name", "restored", env=self.state)
        with open(self.names_file(), encoding="utf-8") as file:
            saved = json.load(file)
        self.assertEqual(saved["restored"], self.path("full.tti"))
        self.assertIn("lastfull, other, restored", self.assert_fails(2, "validate", "--file", "$~none$", env=self.state).stderr)

    def test_only_success_is_saved(self):
        self.assert_fails(1, "validate", "--file", "none", "--save-name", "a", env=self.state)
        self.backup("--file", "full")
        with open(self.path("full.tti"), "r+b") as file:
            file.seek(-5000, os.SEEK_END)
            file.write(b"damage")
        self.assertEqual(self.run_here("validate", "--file", "full", "--save-name", "a", env=self.state).returncode, 4)
        self.assertFalse(os.path.exists(self.names_file()))
        for name in ("YYYY", "ver", "a b", "a$"):
            self.assert_fails(2, "backup", "--drive", self.drive, "--file", "x", "--save-name", name)

    def test_saved_names_that_make_no_sense_are_left_alone(self):
        os.makedirs(os.path.dirname(self.names_file()))
        with open(self.names_file(), "w", encoding="ascii") as file:
            file.write("[]")
        result = self.run_here("backup", "--drive", self.drive + "@0x2", "--file", "full", "--save-name", "a", env=self.state)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("full.tti is complete, but", result.stderr)
        self.succeed("validate", "--file", "full", env=self.state)
        with open(self.names_file(), encoding="ascii") as file:
            self.assertEqual(file.read(), "[]")

    def test_suggested_names(self):
        os.mkdir(self.path("bk"))
        for _ in range(3):
            self.backup("--file", "bk")
        self.backup("--file", "bk/")
        self.succeed("backup", "--drive", self.drive, "--file", "new/", "--make-dir")
        made = os.listdir(self.path("bk"))
        self.assertEqual(len(made), 4)
        for name in made:
            self.assertRegex(name, r"^disk-2-\d{4}-\d\d-\d\d-\d{4}(-[234])?\.tti$")
        self.assertRegex(os.listdir(self.path("new"))[0], r"^disk-\d{4}-\d\d-\d\d-\d{4}\.tti$")
        self.assert_fails(1, "backup", "--drive", self.drive, "--file", "missing/", says="--make-dir")

    def test_one_image_for_each_partition(self):
        done = self.succeed("backup", "--drive", self.drive, "--file", "name", "--multiple-file-sets", "--json")
        last = support.events_of(done)[-1]
        self.assertEqual(sorted(last["images"]), sorted(EVERY))
        self.assertEqual(len(set(last["set_ids"])), 3)
        self.assertEqual(self.files(), sorted(EVERY))
        for name, partition in (("name-1", "0x1"), ("name-2", "0x2"), ("name-0x301", "0x301")):
            self.succeed("validate", "--file", name)
            listing = json.loads(self.succeed("list", "--file", name, "--json").stdout)
            saved = [p["id"] for p in listing["drives"][0]["partitions"] if p["saved"]]
            self.assertEqual(saved, [partition])
            self.succeed("restore", "--file", name, "--drive", f"{name}.raw", "--overwrite", "--byte-for-byte")

    def test_chosen_partitions_and_slash_spelling(self):
        self.succeed("/b", f"/d:{self.drive}@1,0x301", "/f:x.tti", "/mf")
        self.assertEqual(self.files(), ["x-0x301.tti", "x-1.tti"])

    def test_a_failure_says_what_was_made(self):
        self.succeed("backup", "--drive", self.drive + "@2", "--file", "name-2")
        result = self.run_here("backup", "--drive", self.drive, "--file", "name", "--multiple-file-sets", "--unattended-no")
        self.assertEqual(result.returncode, 3)
        self.assertIn("complete: name-1.tti; not made: name-2.tti, name-0x301.tti", result.stderr)
        self.assertEqual(self.files(), ["name-1.tti", "name-2.tti"])
        self.succeed("validate", "--file", "name-1")

    def test_a_password_is_read_once(self):
        read_end, write_end = os.pipe()
        os.write(write_end, b"secret\n")
        os.close(write_end)
        words = ["backup", "--drive", self.drive, "--file", "name", "--multiple-file-sets", "--encryption", "3", "--purge", "9",
                 "--password-fd", str(read_end)]
        done = support.subprocess.run([support.PROGRAM, *words], cwd=self.folder, pass_fds=[read_end], capture_output=True, text=True,
                                      stdin=support.subprocess.DEVNULL, check=False, timeout=120)
        os.close(read_end)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("not purged", done.stderr)
        for name in ("name-1", "name-2", "name-0x301"):
            self.succeed("validate", "--file", name, env={"TINTYPE_PASSWORD": "secret"})


if __name__ == "__main__":
    support.main()
