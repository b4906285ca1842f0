# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail server for tests, out of aiosmtpd: prints its port, then puts each mail and its envelope into a folder as JSON.

Run by Debian's own Python, which has the package, whichever Python runs the tests.
"""
import argparse
import asyncio
import json
import os
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, options):
        self.options = options
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("nobody@"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        user = session.auth_data.login.decode() if session.authenticated else None
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": bool(session.ssl) or self.options.smtps,
                "user": user, "content": envelope.content.decode("utf-8")}
        self.count += 1
        path = os.path.join(self.options.folder, f"{self.count}.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(mail, file)
        os.rename(path + ".new", path)
        return "250 OK"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--certificate")
    parser.add_argument("--smtps", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--clear-auth", action="store_true")
    options = parser.parse_args()

    def check(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (options.user.encode(), options.password.encode())
        return AuthResult(success=good, handled=False, auth_data=data)

    tls = None
    if options.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.certificate)
    more = {"tls_context": tls} if tls and not options.smtps else {}
    if options.user:
        more.update(authenticator=check, auth_required=True,
                    auth_require_tls=not (options.clear_auth or options.smtps))
    handler = Handler(options)

    async def serve():
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(handler, enable_SMTPUTF8=True, **more), "127.0.0.1", 0, ssl=tls if options.smtps else None)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
