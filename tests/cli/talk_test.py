# SPDX-License-Identifier: GPL-3.0-or-later
"""How the program talks: terminal, pipe, JSON, log, questions, cancelling."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import support
from support import Terminal

SCHEMA = {  # docs/json-events.md
    "stage": {"event": str, "stage": str, "total_bytes": int},
    "progress": {"event": str, "stage": str, "object": str, "done_bytes": int, "total_bytes": int, "percent": int,
                 "bytes_per_second": int, "seconds_left": (int, type(None))},
    "message": {"event": str, "severity": str, "text": str},
    "question": {"event": str, "id": str, "kind": str, "text": str, "lost": list, "answer": str},
    "result": {"event": str, "action": str, "status": int, "outcome": str, "seconds": (int, float),
               "error": (dict, type(None))},
}
FACTS = {
    "backup": {"image": str, "set_id": str, "kind": str, "used_bytes": int, "changed_bytes": int,
               "continued_bytes": int, "image_bytes": int, "parity_bytes": int, "unreadable_bytes": int},
    "validate": {"image": str, "checked_bytes": int, "damage_count": int, "damage": list, "recovery_file": str, "repair": str},
    "restore": {"image": str, "target": str, "target_format": str, "written_bytes": int, "compared_bytes": int, "unwritable_bytes": int},
    "salvage": {"image": str, "folder": str, "layout_from": str, "restored_bytes": int, "lost_bytes": int, "unknown_bytes": int, "hit_count": int},
}


class TalkTest(support.ProgramTest):
    def backup(self, *options, **more):
        return self.succeed("backup", "--drive", self.drive, "--file", "pc", *options, **more)

    def check_schema(self, events):
        for event in events:
            wanted = SCHEMA[event["event"]]
            if event["event"] == "result" and event["error"] is None:
                wanted = {**wanted, **FACTS[event["action"]]}
            self.assertEqual(list(event), list(wanted), event)
            for field, kind in wanted.items():
                self.assertIsInstance(event[field], kind, event)
                self.assertNotIsInstance(event[field], bool, event)

    def test_json_events_follow_their_schema(self):
        runs = [self.backup("--json", "--post-validate"), self.succeed("/v", "/f:pc", "/json"),
                self.succeed("restore", "--file", "pc", "--drive", "new.raw", "--json"),
                self.succeed("salvage", "--file", "pc", "--to", "out", "--json"),
                self.run_here("restore", "--file", "pc", "--drive", "new.raw", "--json"),
                self.run_here("validate", "--file", "nothing", "--json")]
        for result in runs:
            events = support.events_of(result)
            self.check_schema(events)
            self.assertEqual([e["event"] for e in events].count("result"), 1)
            self.assertEqual((events[-1]["event"], events[-1]["status"]), ("result", result.returncode))
        for result in runs[:4]:
            self.assertEqual(result.stderr, "")
            stages = [e["stage"] for e in support.events_of(result) if e["event"] == "stage"]
            done = {}
            for event in support.events_of(result):
                if event["event"] == "progress":
                    self.assertGreaterEqual(event["done_bytes"], done.get(event["stage"], 0))
                    done[event["stage"]] = event["done_bytes"]
            self.assertEqual(list(done), stages)
        question = [e for e in support.events_of(runs[4]) if e["event"] == "question"]
        self.assertEqual([(q["id"], q["answer"]) for q in question], [("overwrite-target", "no")])
        self.assertTrue(any("Windows" in line for line in question[0]["lost"]))
        self.assertEqual(len(runs[4].stderr.splitlines()), 1)

    def test_without_a_terminal_lines_are_plain(self):
        result = self.backup()
        self.assertNotIn("\r", result.stdout + result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)
        self.assertEqual(result.stderr, "")
        self.assertIn("100 %", result.stdout)
        self.assertLess(len(result.stdout.splitlines()), 15)
        self.assertEqual(self.succeed("validate", "--file", "pc", "--quiet").stdout, "")

    def test_a_message_is_shown(self):
        self.assertIn("do not switch off\nback soon", self.backup("--message", "do not switch off\\nback soon").stdout)

    def test_a_terminal_has_one_line_and_colour_only_if_wanted(self):
        terminal = Terminal("backup", "--drive", self.drive, "--file", "pc", cwd=self.folder)
        self.assertEqual(terminal.status(), 0)
        self.assertIn("\r\x1b[K", terminal.text)
        self.assertIn(" % ", terminal.text)
        terminal = Terminal("validate", "--file", "nothing", cwd=self.folder)
        self.assertEqual(terminal.status(), 1)
        self.assertIn("\x1b[31m", terminal.text)
        for env, words in (({"NO_COLOR": "1"}, ()), ({}, ("--no-color",)), ({"TERM": "dumb"}, ())):
            terminal = Terminal("validate", "--file", "nothing", *words, cwd=self.folder, env=env)
            self.assertEqual(terminal.status(), 1)
            self.assertNotIn("\x1b[31m", terminal.text)

    def test_a_person_is_asked(self):
        self.backup()
        for typed, status in (("n\n", 3), ("\n", 3), ("what?\ny\n", 0)):
            terminal = Terminal("backup", "--drive", self.drive + "@2", "--file", "pc", cwd=self.folder)
            terminal.read(until=r"(?s)pc\.tti exists.*\[y/N\]")
            terminal.type(typed)
            self.assertEqual(terminal.status(), status, terminal.text)
        terminal = Terminal("/b", "/un", f"/d:{self.drive}", "/f:pc", cwd=self.folder)
        self.assertEqual(terminal.status(), 3)
        self.assertNotIn("[y/N]", terminal.text)

    def test_a_target_that_changes_while_a_person_is_asked_is_refused(self):
        self.backup()
        target = self.path("old.raw")
        shutil.copyfile(self.drive, target)
        terminal = Terminal("restore", "--file", "pc", "--drive", target, cwd=self.folder)
        terminal.read(until=r"\[y/N\]")
        support.tool("sfdisk", "-q", target, input=b"label: dos\nstart=2048, size=90000, type=83\n")
        changed = support.read_at(target, 0, support.DRIVE_BYTES)
        terminal.type("y\n")
        self.assertEqual(terminal.status(), 3, terminal.text)
        self.assertIn("changed while everything was prepared", terminal.text)
        self.assertTrue(support.read_at(target, 0, support.DRIVE_BYTES) == changed)

    def test_a_password_is_typed_unseen(self):
        terminal = Terminal("backup", "--drive", self.drive + "@2", "--file", "pc", "--encryption", "3", cwd=self.folder)
        terminal.read(until="Password for the image:")
        terminal.type("s3cret\n")
        terminal.read(until="again:")
        terminal.type("s3cret\n")
        self.assertEqual(terminal.status(), 0, terminal.text)
        self.assertNotIn("s3cret", terminal.text)
        terminal = Terminal("validate", "--file", "pc", cwd=self.folder)
        terminal.read(until="Password of the image:")
        terminal.type("s3cret\n")
        self.assertEqual(terminal.status(), 0, terminal.text)
        terminal = Terminal("backup", "--drive", self.drive, "--file", "two", "--encryption", "3", cwd=self.folder)
        terminal.read(until="Password for the image:")
        terminal.type("one\n")
        terminal.read(until="again:")
        terminal.type("other\n")
        self.assertEqual(terminal.status(), 2, terminal.text)

    def test_the_log_has_times_and_no_passwords(self):
        self.succeed("/b", f"/d:{self.drive}", "/f:pc", "/enc:3", "/pw:s3cret", "/logfile:run.log")
        with open(self.path("run.log"), encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("s3cret", text)
        self.assertIn("backup: success (exit status 0)", text)
        for line in text.splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")
        self.assertFalse(os.path.exists(self.path("tintype.log")))
        self.succeed("/v", "/f:pc", "/pw:s3cret", "/log:0")
        self.assertFalse(os.path.exists(self.path("tintype.log")))
        self.succeed("/v", "/f:pc", "/pw:s3cret")
        self.assertTrue(os.path.exists(self.path("tintype.log")))
        self.assert_fails(1, "/v", "/f:pc", "/pw:s3cret", "/logfile:no/folder/x.log", says="log file")

    # ---- cancelling; the drive is stretched so that there is time to do it ----

    def large_drive(self):
        path = self.path("large.raw")
        if not os.path.exists(path):
            block = support.noise(4 << 20, 7)
            with open(path, "wb") as file:
                for _ in range(100):
                    file.write(block)
        return path

    def slow_backup(self, *options):
        return ("backup", "--drive", self.large_drive(), "--file", "pc", "--compression", "10", "--workers", "1", *options)

    def start(self, words):
        return subprocess.Popen([support.PROGRAM, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def test_signals_cancel_at_once_without_a_terminal(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start(self.slow_backup("--json"))
            for line in process.stdout:
                if json.loads(line)["event"] == "progress":
                    break
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, 3, err)
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertEqual(json.loads(out.splitlines()[-1])["error"]["code"], "cancelled")
            self.assertEqual(self.files(), ["large.raw"])

    def test_a_cancelled_restore_leaves_no_file_it_made(self):
        self.succeed("backup", "--drive", self.large_drive(), "--file", "pc", "--compression", "0")
        process = self.start(("restore", "--file", "pc", "--drive", "new.raw", "--json", "--byte-for-byte"))
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                break
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 3, err)
        self.assertIn("was removed again", err)
        self.assertEqual(self.files(), ["large.raw", "pc.tti"])
        with open(self.path("old.raw"), "wb") as file:
            file.truncate(400 << 20)
        process = self.start(("restore", "--file", "pc", "--drive", "old.raw", "--overwrite", "--json"))
        for line in process.stdout:
            if json.loads(line)["event"] == "progress":
                break
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 3, err)
        self.assertIn("only in part", err)

    def test_ctrl_c_asks_and_the_work_goes_on_meanwhile(self):
        words = self.slow_backup()
        terminal = Terminal(*words, cwd=self.folder)
        terminal.read(until=r"\d+ % ")
        terminal.type("\x03")
        terminal.read(until=r"Cancel the backup\?.*\[y/N\]")
        terminal.type("n\n")
        terminal.text = ""
        terminal.read(until=r"\d+ % ")
        terminal.type("\x03")
        terminal.read(until=r"Cancel the backup\?.*\[y/N\]")
        terminal.type("y\n")
        self.assertEqual(terminal.status(), 3, terminal.text)
        self.assertEqual(self.files(), ["large.raw"])
        terminal = Terminal(*words, cwd=self.folder)
        terminal.read(until=r"\d+ % ")
        terminal.type("\x03")
        terminal.read(until=r"\[y/N\]")
        terminal.type("\x03")
        self.assertEqual(terminal.status(), 3, terminal.text)


if __name__ == "__main__":
    unittest.main()
