// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/environment.h"
#include "base/result.h"

namespace tintype {

// Where mail is handed in, who it is from and for.
//
// How safe the way is: TLS from the start on port 465 or for a host written smtps://HOST. Otherwise STARTTLS wherever the
// server offers it. With a password, TLS is demanded and the server's certificate must be good, or the password
// is not sent; a host written smtp://HOST takes that demand away. Without a password the certificate is not looked at: the
// mail would go in the clear if there were no TLS, so a doubtful server gets no more than it would anyway.
struct MailAccount {
  enum class Security { if_offered, demanded, from_start };
  std::string host;
  std::uint16_t port = 25;
  Security security = Security::if_offered;
  bool check_certificate = false;  // $SSL_CERT_FILE may name the authorities to trust
  std::string from;
  std::vector<std::string> to;
  std::string subject;             // empty: the sender's own
  std::string user, password;      // both empty: no authentication
};

// Reads HOST*FROM*TO*SUBJECT*PORT*USER*PASSWORD. All from SUBJECT on may be left out or empty; TO holds one or more addresses
// with ',' or ';' between them; the password is the rest, whatever it holds. Error{usage}, never naming the password.
Result<MailAccount> parse_mail_account(std::string_view text);

struct Letter {
  std::string subject;
  std::string text;        // UTF-8, "\n" ends a line
  std::string attachment;  // text too; empty: none
  std::string attachment_name;
};

struct MailLimits {
  std::chrono::milliseconds connect = std::chrono::seconds(15);
  std::chrono::milliseconds total = std::chrono::seconds(45);
  // Asked now and then while it is under way; true: give up.
  std::function<bool()> give_up = [] { return false; };
};

// Hands the letter to the server; success means that it took it, for everybody. The Error says why not and never holds the
// password.
Result<void> send_mail(const MailAccount& account, const Letter& letter, Clock& clock, Random& random, const MailLimits& limits = {});

}  // namespace tintype
