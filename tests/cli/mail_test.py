# SPDX-License-Identifier: GPL-3.0-or-later
"""The result by mail, handed to a real SMTP server on the loopback interface and read by Python's own parser."""
import email
import email.policy
import json
import os
import shutil
import socket
import subprocess
import unittest

import support

PYTHON = "/usr/bin/python3"
HERE = os.path.dirname(os.path.realpath(__file__))
SECRET = "s3cr*t pass"


def server_is_there():
    return os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", "import aiosmtpd"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(server_is_there() and shutil.which("openssl"), "python3-aiosmtpd or openssl is missing")
class MailTest(support.ProgramTest):
    needs_drive = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with open(cls.drive, "wb") as file:
            file.write(support.noise(2 << 20, 3))
        cls.authority = os.path.join(cls.shared, "certificate.pem")
        cls.certificate = os.path.join(cls.shared, "server.pem")
        support.tool("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                     "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", cls.certificate + ".key",
                     "-out", cls.authority)
        with open(cls.certificate, "wb") as out:
            for name in (cls.certificate + ".key", cls.authority):
                with open(name, "rb") as file:
                    out.write(file.read())

    def serve(self, *options):
        box = self.path("box")
        os.makedirs(box, exist_ok=True)
        process = subprocess.Popen([PYTHON, "-B", os.path.join(HERE, "mail_server.py"), box, *options],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = process.stdout.readline().strip()
        self.assertTrue(port.isdigit(), "the mail server did not start")
        return port

    def serve_tls(self, *options):
        return self.serve("--certificate", self.certificate, *options)

    def mails(self):
        box = self.path("box")
        out = []
        for name in sorted(os.listdir(box)):
            with open(os.path.join(box, name), encoding="utf-8") as file:
                out.append(json.load(file))
        return out

    def one_mail(self):
        mails = self.mails()
        self.assertEqual(len(mails), 1)
        return mails[0], email.message_from_string(mails[0]["content"], policy=email.policy.default)

    def backup(self, option, *more, env=None):
        return self.run_here("backup", "--drive", self.drive, "--file", "pc", "--unattended-yes", f"--email={option}", *more,
                             env={"SSL_CERT_FILE": self.authority, **(env or {})})

    def test_starttls_authentication_and_all_that_belongs_into_the_mail(self):
        port = self.serve_tls("--user", "me", "--password", SECRET)
        result = self.backup(f"localhost*me@example.org*a@example.org,b@example.org**{port}*me*{SECRET}", "--save-log=0", "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        envelope, mail = self.one_mail()
        self.assertEqual((envelope["tls"], envelope["user"]), (True, "me"))
        self.assertEqual(envelope["from"], "me@example.org")
        self.assertEqual(envelope["to"], ["a@example.org", "b@example.org"])
        self.assertEqual(mail["To"], "a@example.org, b@example.org")
        self.assertEqual(mail.defects, [])
        for name in ("Date", "From", "Subject", "Message-ID", "MIME-Version", "Content-Type"):
            self.assertEqual(len(mail.get_all(name)), 1, name)
        self.assertIn(f"tintype backup of {self.drive} to pc: success", mail["Subject"])
        text, log = list(mail.iter_parts())
        self.assertIn("exit status 0", text.get_content())
        self.assertIn("saved in", text.get_content())
        self.assertIn("warning: ", text.get_content())  # no known file system
        self.assertEqual(log.get_filename(), "tintype-log.txt")
        self.assertIn("backup: success (exit status 0)", log.get_content())
        self.assertLessEqual(max(len(line) for line in envelope["content"].splitlines()), 998)
        for where in (result.stdout, text.get_content(), log.get_content()):
            self.assertNotIn("s3cr", where)
        self.assertFalse(os.path.exists(self.path("tintype.log")))

    def test_failure_and_damage_are_told(self):
        port = self.serve()
        option = f"--email=127.0.0.1*me@example.org*you@example.org**{port}"
        self.assertEqual(self.run_here("validate", "--file", "nothing", option, "--save-log=0").returncode, 1)
        self.succeed("backup", "--drive", self.drive, "--file", "pc", "--save-log=0")
        with open(self.path("pc.tti"), "r+b") as file:
            file.seek(1 << 20)
            file.write(b"rot")
        self.assertEqual(self.run_here("validate", "--file", "pc", option, "--save-log=0").returncode, 4)
        first, second = (email.message_from_string(m["content"], policy=email.policy.default) for m in self.mails())
        self.assertIn("validate of nothing: failed", first["Subject"])
        self.assertIn("validate of pc: damaged", second["Subject"])
        self.assertIn("error: ", next(second.iter_parts()).get_content())

    def test_nothing_breaks_out_of_a_header_or_the_text(self):
        port = self.serve()
        name = ".\r\nBcc: evil@example.org\r\n.\r\nMAIL FROM:<x@y>"
        option = f"127.0.0.1*me@example.org*you@example.org*Größe {name}*{port}"
        self.assertEqual(self.backup(option, "--save-log=0", "--description", name).returncode, 0)
        envelope, mail = self.one_mail()
        self.assertEqual(envelope["to"], ["you@example.org"])
        self.assertIsNone(mail["Bcc"])
        self.assertTrue(mail["Subject"].startswith("Größe .  Bcc: evil"), mail["Subject"])
        self.assertIn("MAIL FROM", next(mail.iter_parts()).get_content())  # of the command line, as text

    def test_ini_file_and_variable(self):
        port = self.serve()
        with open(self.path("tintype.ini"), "w", encoding="utf-8") as file:
            file.write(f"[Options]\nEmail=127.0.0.1*ini@example.org*you@example.org**{port}\n")
        self.succeed("backup", "--drive", self.drive, "--file", "pc")
        self.succeed("validate", "--file", "pc", env={"TINTYPE": f"email:127.0.0.1*env@example.org*you@example.org**{port}"})
        self.assertEqual([m["from"] for m in self.mails()], ["ini@example.org", "env@example.org"])

    def test_tls_from_the_start_and_without_a_password(self):
        port = self.serve_tls("--smtps", "--user", "me", "--password", SECRET)
        self.assertEqual(self.backup(f"smtps://127.0.0.1*me@example.org*you@example.org**{port}*me*{SECRET}").stderr.count("mailed"), 0)
        self.assertEqual([(m["tls"], m["user"]) for m in self.mails()], [(True, "me")])
        port = self.serve_tls()
        self.backup(f"127.0.0.1*me@example.org*you@example.org**{port}", env={"SSL_CERT_FILE": ""})
        self.assertEqual([m["tls"] for m in self.mails()], [True])

    def assert_not_mailed(self, option, says, **more):
        result = self.backup(option, "--json", **more)
        self.assertEqual(result.returncode, 0, result.stderr)
        events = support.events_of(result)
        self.assertEqual(events[-1]["event"], "result")
        texts = [e["text"] for e in events if e["event"] == "message" and e["severity"] == "warning"]
        self.assertTrue(any("the result was not mailed: " in text and says in text for text in texts), texts)
        self.assertNotIn("s3cr", result.stdout + result.stderr)
        with open(self.path("tintype.log"), encoding="utf-8") as file:
            log = file.read()
        self.assertIn("the result was not mailed", log)
        self.assertNotIn("s3cr", log)
        os.remove(self.path("tintype.log"))

    def test_a_mail_that_cannot_be_sent_is_a_warning_that_says_why(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = free.getsockname()[1]
        self.assert_not_mailed(f"127.0.0.1*me@example.org*you@example.org**{closed}", "cannot be reached")
        tail = f"*me@example.org*you@example.org**{{}}*me*{SECRET}"
        port = self.serve_tls("--user", "me", "--password", "another")
        self.assert_not_mailed("localhost" + tail.format(port), "does not accept the user and password")
        port = self.serve_tls("--user", "me", "--password", SECRET)
        self.assert_not_mailed("localhost" + tail.format(port), "is not trusted", env={"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"})
        port = self.serve("--user", "me", "--password", SECRET, "--clear-auth")
        self.assert_not_mailed("localhost" + tail.format(port), "offers no TLS")
        self.assertEqual(self.mails(), [])
        self.assertEqual(self.backup("smtp://localhost" + tail.format(port)).returncode, 0)
        self.assertEqual([(m["tls"], m["user"]) for m in self.mails()], [(False, "me")])
        self.assert_not_mailed(f"127.0.0.1*me@example.org*nobody@example.org**{self.serve()}", "550")

    def test_an_option_that_cannot_be_understood_stops_the_run_before_anything_is_touched(self):
        for option, says in (("h*from example*to@x", "not a mail address"), ("h*a@b*c@d**99999", "not a port")):
            result = self.backup(option)
            self.assertEqual(result.returncode, 2)
            self.assertIn(says, result.stderr)
            self.assertEqual(self.files(), [])


if __name__ == "__main__":
    support.main()
