# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the machine a run takes: priority, page cache, paced requests; and what the system log hears of it.

The verdict comes from ps, ionice, fincore, strace and a socket in the place of the system's log.
"""
import os
import re
import shutil
import signal
import subprocess
import unittest

import support
from talk_test import Terminal

BYTES = 48 << 20


def needs(*tools):
    return unittest.skipIf(any(shutil.which(tool) is None for tool in tools), "missing: one of " + ", ".join(tools))


def scheduling(pid):
    """(nice, class) of every thread but the watcher of signals, and the I/O class."""
    lines = subprocess.run(["ps", "-T", "-o", "ni=,cls=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    threads = [tuple(line.split()) for line in lines.splitlines()]
    io = subprocess.run(["ionice", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return threads, io


class GentleTest(support.ProgramTest):
    needs_drive = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(cls.drive, "wb") as file:
            file.write(support.noise(BYTES, 5))

    def start(self, *words, prefix=(), env=None):
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("TINTYPE", "IFW"))}
        return subprocess.Popen([*prefix, support.PROGRAM, *words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True, env={**variables, **(env or {})})

    def slow(self):
        return ("backup", "--drive", self.drive, "--file", "pc", "--compression", "10", "--workers", "1", "--json", "--save-log=0")

    def seen(self, *options, **more):
        """What the system says of the run while it works, and what it said itself."""
        process = self.start(*self.slow(), *options, **more)
        first = ""
        for line in process.stdout:
            first += line
            if '"progress"' in line:
                break
        found = scheduling(process.pid)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 3, out)
        return found, first + out

    # ---- priority ----

    @needs("ps", "ionice")
    def test_priority_reaches_the_threads_that_work(self):
        for level, nice, policy, io in (("low", "19", "TS", None), ("1", "10", "TS", None), ("2", "0", "TS", None),
                                        ("8", "-", "IDL", "idle"), ("9", "10", "B", "idle"), ("background", "0", "B", "idle")):
            (threads, io_class), _ = self.seen(f"--priority={level}")
            changed = [t for t in threads if t == (nice, policy)] if (nice, policy) != ("0", "TS") else threads
            self.assertGreaterEqual(len(changed), 2, (level, threads))  # the main thread and the worker
            self.assertEqual(threads[0], (nice, policy))
            if io:
                self.assertEqual(io_class, io, level)
            else:
                self.assertNotEqual(io_class, "idle", level)

    @needs("ps", "setpriv")
    def test_more_priority_needs_rights_and_is_done_without_otherwise(self):
        (threads, _), text = self.seen("--priority=high")
        self.assertTrue(threads[0] == ("-10", "TS") or "was not granted" in text, (threads, text))
        if os.geteuid() == 0:
            (threads, _), text = self.seen("--priority=4", prefix=("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"))
            self.assertEqual(threads[0], ("0", "TS"))
            self.assertEqual(text.count("was not granted"), 1, text)

    @needs("ps")
    def test_ini_file_variable_and_command_line_in_this_order(self):
        with open(self.path("tintype.ini"), "w", encoding="utf-8") as file:
            file.write("[Options]\nPriority=0\n")
        self.assertEqual(self.seen()[0][0][0][0], "19")
        self.assertEqual(self.seen(env={"IFW": "priority:1"})[0][0][0][0], "10")
        self.assertEqual(self.seen(env={"IFW": "priority:1", "TINTYPE": "priority:2"})[0][0][0][0], "0")
        self.assertEqual(self.seen("/priority:1", env={"TINTYPE": "priority:0"})[0][0][0][0], "10")

    # ---- the page cache ----

    def share_in_cache(self, name):
        out = support.tool("fincore", "--bytes", "--noheadings", "--output", "RES,SIZE", name).stdout.split()
        return int(out[0]) / int(out[1])

    def forget(self, path):
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if self.share_in_cache(path) > 0.01:
            self.skipTest("the scratch folder's file system keeps everything in memory")

    def backup(self, name, *options, **more):
        return self.succeed("backup", "--drive", self.drive, "--file", name, "--save-log=0", "--quiet", *options, **more)

    @needs("fincore")
    def test_a_run_leaves_the_page_cache_as_it_found_it(self):
        new = self.path("new.raw")
        self.forget(self.drive)
        self.backup("cold")
        self.assertLess(self.share_in_cache(self.drive), 0.1)
        self.assertLess(self.share_in_cache(self.path("cold.tti")), 0.1)
        self.forget(self.path("cold.tti"))
        self.succeed("restore", "--file", "cold", "--drive", new, "--save-log=0")
        self.assertLess(self.share_in_cache(self.path("cold.tti")), 0.1)
        self.assertLess(self.share_in_cache(new), 0.1)
        with open(self.drive, "rb") as file:
            file.read()
        self.backup("warm")
        self.assertGreaterEqual(self.share_in_cache(self.drive), 1.0)  # it was there before, and somebody wants it

    @needs("fincore")
    def test_cached_reads_and_writes_on_request(self):
        self.forget(self.drive)
        self.backup("pc", "/po:771")
        self.assertGreaterEqual(self.share_in_cache(self.drive), 1.0)
        self.assertGreaterEqual(self.share_in_cache(self.path("pc.tti")), 1.0)
        self.succeed("restore", "--file", "pc", "--drive", "new.raw", "--save-log=0", "--performance-options=cached-writes")
        self.assertGreaterEqual(self.share_in_cache(self.path("new.raw")), 1.0)

    def calls(self, *words, env=None):
        """Lines of strace: what the program asked the system to do with its data."""
        trace = self.path("trace")
        variables = {k: v for k, v in os.environ.items() if not k.startswith(("TINTYPE", "IFW"))}
        done = subprocess.run(["strace", "-f", "-y", "-o", trace, "-e", "trace=fdatasync,sync_file_range,pread64,pwrite64,writev",
                               support.PROGRAM, *words, "--save-log=0", "--quiet"], cwd=self.folder, capture_output=True, text=True,
                              env={**variables, **(env or {})}, check=False)
        if "PTRACE" in done.stderr:
            self.skipTest("tracing is not allowed here")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(trace, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()

    def waits(self, lines, name):
        durable = sum("fdatasync(" in line and name in line for line in lines)
        paced = sum("SYNC_FILE_RANGE_WAIT_AFTER" in line and name in line for line in lines)
        return durable, paced

    @needs("strace")
    def test_writing_waits_for_the_drive_as_told(self):
        stick = {"TINTYPE_TEST_REMOVABLE": "pc.tti"}
        backup = ("backup", "--drive", self.drive, "--file", "pc", "--unattended-yes")
        steps = BYTES // (4 << 20) - 1
        for options, env, durable, paced in (((), {}, False, False), ((), stick, True, False), (("/po:0",), stick, False, False),
                                             (("/po:273",), stick, False, False), (("/po:1028",), {}, False, True),
                                             (("/po:2056",), {}, False, False)):
            found = self.waits(self.calls(*backup, *options, env=env), "pc.tti")
            self.assertEqual((found[0] >= steps, found[1] >= steps), (durable, paced), (options, env, found))
        stick = {"TINTYPE_TEST_REMOVABLE": "new.raw"}
        restore = ("restore", "--file", "pc", "--drive", self.path("new.raw"), "--overwrite")
        for options, env, durable, paced in (((), {}, False, False), ((), stick, True, False), (("/po:2056",), {}, False, True),
                                             (("/po:1028",), {}, False, False)):
            found = self.waits(self.calls(*restore, *options, env=env), "new.raw")
            self.assertEqual((found[0] >= steps, found[1] >= steps), (durable, paced), (options, env, found))
        with open(self.path("new.raw"), "rb") as copy, open(self.drive, "rb") as source:
            self.assertTrue(copy.read() == source.read())

    @needs("strace")
    def test_gentle_requests_are_small_and_change_nothing(self):
        def largest(lines):
            return max(int(match.group(1)) for line in lines if (match := re.search(r"= (\d+)$", line)))
        backup = ("backup", "--drive", self.drive, "--file", "pc")
        self.assertGreater(largest(self.calls(*backup)), 64 * 1024)
        self.assertLessEqual(largest(self.calls(*backup, "--unattended-yes", "--gentle-io")), 64 * 1024)
        self.assertLessEqual(largest(self.calls("/v", "/f:pc", env={"TINTYPE": "iobs"})), 64 * 1024)
        self.assertLessEqual(largest(self.calls("/r", "/f:pc", "/d:new.raw", "/iobs")), 64 * 1024)
        with open(self.path("new.raw"), "rb") as copy, open(self.drive, "rb") as source:
            self.assertTrue(copy.read() == source.read())

    def test_other_sums_are_refused_with_what_would_be_right(self):
        for value in ("1", "17", "256", "4096", "x"):
            self.assert_fails(2, "/b", f"/d:{self.drive}", "/f:pc", f"/po:{value}",
                              says="sum of some of 16 (flush-removable), 257 (cached-writes), 514")

    # ---- not from the keyboard ----

    def test_no_cancel_holds_for_the_keyboard_only(self):
        words = [w for w in self.slow() if w != "--json"]
        terminal = Terminal(*words, "--no-cancel", cwd=self.folder)
        terminal.read(until=r"\d+ % ")
        terminal.type("\x03\x1c")
        terminal.text = ""
        terminal.read(until=r"\d+ % ")
        self.assertNotIn("Cancel", terminal.text)
        os.kill(terminal.pid, signal.SIGTERM)
        self.assertEqual(terminal.status(), 3, terminal.text)
        self.assertNotIn("Cancel", terminal.text)
        self.assertEqual(self.files(), [])

    # ---- the system log ----

    def system_log(self, level, *words, status):
        """What reaches /dev/log, in a namespace whose /dev is the test's own."""
        inside = ("mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && mknod -m 444 /dev/urandom c 1 9 && "
                  "exec python3 -c \"$1\" \"${@:2}\"")
        listen = ("import socket,subprocess,sys\n"
                  "log=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\nlog.bind('/dev/log')\nlog.setblocking(False)\n"
                  "done=subprocess.run(sys.argv[1:],stdin=subprocess.DEVNULL,capture_output=True)\n"
                  "try:\n  while True: print(log.recv(65536).decode())\nexcept BlockingIOError: pass\nsys.exit(done.returncode)\n")
        done = subprocess.run(["unshare", "--mount", "bash", "-c", inside, "bash", listen, support.PROGRAM, *words,
                               "--save-log=0", *([] if level is None else [f"--event-log-level={level}"])],
                              cwd=self.folder, capture_output=True, text=True, check=False)
        if "unshare failed" in done.stderr or "mount:" in done.stderr or "mknod" in done.stderr:
            self.skipTest("mount namespaces are not allowed here: " + done.stderr)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        kinds = set()
        for line in done.stdout.splitlines():
            severity = int(re.match(r"<(\d+)>", line).group(1)) & 7
            self.assertRegex(line, r"tintype\[\d+\]: ")
            text = line.split("]: ", 1)[1]
            kinds.add("status" if text.startswith(("start: ", "end: ")) else {3: "error", 4: "warning", 6: "info", 7: "info"}[severity])
        return kinds

    @needs("unshare")
    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_system_log_levels_are_those_of_the_manual(self):
        self.backup("pc")
        with open(self.path("pc.tti"), "r+b") as file:
            file.seek(1 << 20)
            file.write(b"rot")
        whole = ("backup", "--drive", self.drive, "--file", "new", "--unattended-yes")  # warns: no known file system
        rotten = ("validate", "--file", "pc")
        missing = ("validate", "--file", "nothing")
        table = {0: (set(), set()), 1: (set(), {"error"}), 2: ({"warning"}, {"error"}),
                 3: ({"warning", "status"}, {"error", "status"}), 4: ({"warning", "status", "info"}, {"error", "status"})}
        for level, (good, bad) in table.items():
            self.assertEqual(self.system_log(level, *whole, status=0), good, level)
            self.assertEqual(self.system_log(level, *missing, status=1), bad, level)
            self.assertEqual(self.system_log(level, *rotten, status=4) & {"error"}, bad & {"error"}, level)
        self.assertEqual(self.system_log(None, *whole, status=0), table[3][0])


if __name__ == "__main__":
    support.main()
