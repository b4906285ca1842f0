// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "media/mail.h"

namespace tintype {
namespace {

constexpr std::string_view kUsage = "say HOST*FROM*TO*SUBJECT*PORT*USER*PASSWORD";

std::unexpected<Error> wrong(std::string what, std::string_view hint = kUsage) {
  return fail(ErrorCode::usage, std::move(what), std::string(hint));
}

// Up to the next of these characters; what remains is left in `rest`.
std::string next_field(std::string_view& rest, std::string_view separators) {
  const std::size_t end = rest.find_first_of(separators);
  std::string field(rest.substr(0, end));
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  const std::size_t first = field.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return field.substr(first, field.find_last_not_of(' ') - first + 1);
}

// Addresses go into the dialogue with the server: nothing in them may end a command or a bracket.
Result<void> check_address(std::string_view address, const char* whose) {
  const bool bad = std::ranges::any_of(address, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == '<' || c == '>' || c == ',' || c == '"';
  });
  if (address.empty() || bad || address.front() == '-')
    return wrong(fmt::format("\"{}\" is not a mail address {}", printable(address), whose), "use the form name@example.org");
  return {};
}

Result<void> check_host(std::string_view host) {
  const bool good = std::ranges::all_of(host, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == ':';
  });
  if (host.empty() || !good) return wrong(fmt::format("\"{}\" is not the name of a mail server", printable(host)));
  return {};
}

// "smtps://host" → "host", and true; case does not matter.
bool take_scheme(std::string& host, std::string_view scheme) {
  const bool there = host.size() >= scheme.size() && std::ranges::equal(scheme, std::string_view(host).substr(0, scheme.size()),
                                                                        [](char a, char b) { return a == (b | 0x20) || a == b; });
  if (there) host.erase(0, scheme.size());
  return there;
}

}  // namespace

Result<MailAccount> parse_mail_account(std::string_view text) {
  MailAccount account;
  std::string host = next_field(text, "*");
  const bool from_start = take_scheme(host, "smtps://");
  const bool trusting = !from_start && take_scheme(host, "smtp://");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);  // IPv6
  TRY(check_host(host));
  account.host = std::move(host);
  account.from = next_field(text, "*");
  TRY(check_address(account.from, "to send from"));
  const std::string to = next_field(text, "*");
  for (std::string_view rest = to; !rest.empty();) {
    const std::string address = next_field(rest, ",;");
    if (address.empty()) continue;
    TRY(check_address(address, "to send to"));
    account.to.push_back(address);
  }
  if (account.to.empty()) return wrong("nobody is named to send the mail to");
  account.subject = next_field(text, "*");
  const std::string port = next_field(text, "*");
  const std::optional<std::uint64_t> number = port.empty() ? (from_start ? 465 : 25) : parse_number(port);
  if (!number || *number == 0 || *number > 65535) return wrong(fmt::format("\"{}\" is not a port", printable(port)), "25, 465 and 587 are usual");
  account.port = static_cast<std::uint16_t>(*number);
  account.user = next_field(text, "*");
  account.password = std::string(text);
  if (account.user.empty() != account.password.empty())
    return wrong(account.user.empty() ? "a mail password is given without its user" : "a mail user is given without a password");
  const bool secret = !account.password.empty();
  if (from_start || account.port == 465) account.security = MailAccount::Security::from_start;
  else if (secret && !trusting) account.security = MailAccount::Security::demanded;
  account.check_certificate = secret && !trusting;
  return account;
}

}  // namespace tintype
