# SPDX-License-Identifier: GPL-3.0-or-later
"""serve and boot: an image as a network block device, judged by qemu-img and nbdinfo; a virtual machine that runs from one."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import support

# Writes a line to the first serial port and three bytes to sector 1, then switches the machine off (the power register that both
# of QEMU's firmwares leave at port 0x604). Assembled by hand, so that the test needs no assembler.
BOOT_CODE = bytes([
    0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0xFC,        # xor ax,ax; mov ds,ax; mov es,ax; cld
    0xBE, 0x3E, 0x7C,                                # mov si,0x7C3E
    0xAC, 0x84, 0xC0, 0x74, 0x11,                    # next: lodsb; test al,al; jz done
    0x88, 0xC4, 0xBA, 0xFD, 0x03, 0xEC,              # mov ah,al; mov dx,0x3FD; wait: in al,dx
    0xA8, 0x20, 0x74, 0xFB,                          # test al,0x20; jz wait
    0x88, 0xE0, 0xB2, 0xF8, 0xEE, 0xEB, 0xEA,        # mov al,ah; mov dl,0xF8; out dx,al; jmp next
    0xB8, 0x01, 0x03, 0xB9, 0x02, 0x00,              # done: mov ax,0x0301 (write one sector); mov cx,2
    0xBA, 0x80, 0x00, 0xBB, 0x3E, 0x7C, 0xCD, 0x13,  # mov dx,0x80; mov bx,0x7C3E; int 0x13
    0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF,        # mov dx,0x604; mov ax,0x2000; out dx,ax
    0xF4, 0xEB, 0xFD])                               # hlt; jmp back
MESSAGE = b"TINTYPE BOOTED\r\n\0"


class ServeTest(support.ProgramTest):
    def setUp(self):
        super().setUp()
        missing = [name for name in ("qemu-nbd", "qemu-img", "nbdinfo") if shutil.which(name) is None]
        if missing or not os.path.exists("/dev/fuse"):
            self.skipTest("needs FUSE and " + ", ".join(missing))
        self.run_folder = self.path("run")
        os.mkdir(self.run_folder, 0o700)
        self.variables = {**os.environ, "XDG_RUNTIME_DIR": self.run_folder}
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        self.succeed("restore", "--file", "pc", "--drive", "back.raw", "--save-log=0")

    def serve(self, *more):
        program = subprocess.Popen([support.PROGRAM, "serve", "pc", "--socket", "s", *more], cwd=self.folder,
                                   env=self.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(program.wait)
        self.addCleanup(program.kill)
        uri = f"nbd+unix:///?socket={self.path('s')}"
        for _ in range(100):
            if subprocess.run(["nbdinfo", "--size", uri], capture_output=True, check=False).returncode == 0:
                return program, uri
            time.sleep(0.1)
        self.fail("not served")

    def servers(self):
        out = subprocess.run(["pgrep", "-f", f"qemu-nbd.*{self.folder}"], capture_output=True, text=True, check=False)
        return out.stdout.split()

    def wait_for(self, condition, what):
        for _ in range(100):
            if condition():
                return
            time.sleep(0.1)
        self.fail(what)

    def expect_nothing_left(self):
        self.wait_for(lambda: not self.servers(), "a server is left")
        self.assertFalse(os.path.exists(self.path("s")))
        self.assertEqual(os.listdir(self.run_folder), [])

    def test_read_only(self):
        program, uri = self.serve()
        facts = json.loads(support.tool("nbdinfo", "--json", uri).stdout)["exports"][0]
        self.assertEqual(facts["export-size"], support.DRIVE_BYTES)
        self.assertTrue(facts["is_read_only"])
        support.tool("qemu-img", "compare", "-f", "raw", "-F", "raw", uri, self.path("back.raw"))
        # What was not saved is a hole.
        states = json.loads(support.tool("nbdinfo", "--map", "--json", uri).stdout)
        self.assertIn(3, {each["type"] for each in states})
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.wait(20), 0)
        self.expect_nothing_left()

    def test_writable(self):
        with open(self.path("pc.tti"), "rb") as file:
            before = hashlib.sha256(file.read()).hexdigest()
        program, uri = self.serve("--writable")
        support.tool("qemu-io", "-f", "raw", "-c", "write -P 0x5A 1000000 70000", uri)
        support.tool("qemu-io", "-f", "raw", "-c", "read -P 0x5A 1000000 70000", uri)
        program.send_signal(signal.SIGINT)
        self.assertEqual(program.wait(20), 0)
        self.expect_nothing_left()
        with open(self.path("pc.tti"), "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), before)

    def test_killed(self):
        program, _ = self.serve()
        program.kill()
        program.wait()
        self.wait_for(lambda: not self.servers(), "the server outlives the program")
        self.assertNotEqual(os.listdir(self.run_folder), [])
        program, _ = self.serve()  # takes away what the killed one left
        self.assertEqual(len(os.listdir(self.run_folder)), 1)
        program.terminate()
        program.wait()
        self.expect_nothing_left()

    def test_a_server_that_goes_away(self):
        program, _ = self.serve()
        pid, = self.servers()
        os.kill(int(pid), signal.SIGKILL)
        self.assertEqual(program.wait(20), 1)
        self.expect_nothing_left()

    def test_what_is_refused(self):
        with open(self.path("s"), "w"):
            pass
        self.assert_fails(3, "serve", "pc", "--socket", "s", says="exists")
        self.assert_fails(2, "serve", "pc", "--socket", "s" * 120, says="too long")
        self.assert_fails(1, "serve", "pc", "--socket", "nodir/s", says="there is no folder")
        self.assert_fails(2, "boot", "pc", "--headless", "--memory", "0", says="--memory")

    def test_ctrl_c_at_a_terminal_ends_it(self):
        terminal = support.Terminal("serve", "pc", "--socket", "s", cwd=self.folder, env={"XDG_RUNTIME_DIR": self.run_folder})
        terminal.read(until="Ctrl-C ends it")
        terminal.type("\x03")
        self.assertEqual(terminal.status(), 0, terminal.text)
        self.assertIn("is no longer served", terminal.text)
        self.assertNotIn("[y/N]", terminal.text)
        self.assertNotIn("qemu-nbd", terminal.text)
        self.expect_nothing_left()

    def test_boot(self):
        if shutil.which("qemu-system-x86_64") is None:
            self.skipTest("needs qemu-system-x86_64")
        code = BOOT_CODE + b"\0" * (0x3E - len(BOOT_CODE)) if len(BOOT_CODE) <= 0x3E else None
        self.assertIsNotNone(code)
        with open(self.path("boot.raw"), "wb") as file:
            file.truncate(4 << 20)
            file.write((code + MESSAGE).ljust(510, b"\0") + b"\x55\xAA")
        self.succeed("backup", "--drive", "boot.raw", "--file", "vm", "--raw", "--save-log=0")
        with open(self.path("vm.tti"), "rb") as file:
            before = file.read()
        result = self.succeed("boot", "vm", "--headless", "--accelerator", "tcg", "--memory", "64", env={
            "XDG_RUNTIME_DIR": self.run_folder}, timeout=100)
        self.assertIn("TINTYPE BOOTED", result.stdout)
        with open(self.path("vm.tti"), "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(os.listdir(self.run_folder), [])

    def test_boot_with_uefi(self):
        missing = [name for name in ("qemu-system-x86_64", "sgdisk", "mkfs.fat", "mcopy") if shutil.which(name) is None]
        if missing or not os.path.exists("/usr/share/OVMF"):
            self.skipTest("needs OVMF and " + ", ".join(missing))
        with open(self.path("esp"), "wb") as file:
            file.truncate(40 << 20)
        support.tool("mkfs.fat", "-F", "32", self.path("esp"))
        with open(self.path("startup.nsh"), "w", encoding="ascii", newline="\r\n") as file:
            file.write("echo TINTYPE-UEFI\nreset -s\n")
        support.tool("mcopy", "-i", self.path("esp"), self.path("startup.nsh"), "::/")
        with open(self.path("gpt.raw"), "wb") as file:
            file.truncate(48 << 20)
        support.tool("sgdisk", "-n", "1:2048:+40M", "-t", "1:ef00", self.path("gpt.raw"))
        with open(self.path("gpt.raw"), "r+b") as file, open(self.path("esp"), "rb") as esp:
            file.seek(1 << 20)
            shutil.copyfileobj(esp, file)
        self.succeed("backup", "--drive", "gpt.raw", "--file", "uefi", "--save-log=0")
        # The firmware is chosen by the EFI system partition.
        result = self.succeed("boot", "uefi", "--headless", "--accelerator", "tcg", "--memory", "256", timeout=200,
                              env={"XDG_RUNTIME_DIR": self.run_folder})
        self.assertIn("TINTYPE-UEFI", result.stdout)


if __name__ == "__main__":
    support.main()
