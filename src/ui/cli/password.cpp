// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/cli/password.h"

#include "options/parse.h"
#include "ui/cli/progress_text.h"

namespace tintype::cli {
namespace {

constexpr std::size_t kMaxCharacters = 128;

std::unexpected<Error> nobody_to_ask(const std::string& why) {
  return fail(ErrorCode::usage, why + " needs a password, and there is no terminal to ask for it",
              "give --password-file, --password-fd or the variable TINTYPE_PASSWORD");
}

Result<std::string> ask(Session& session, const std::string& prompt) {
  Result<std::string> answer = fail(ErrorCode::cancelled, "no password was given");
  session.screen().with_terminal([&](Tty& tty) {
    if (tty.usable()) answer = tty.read_secret(prompt, session.cancel());
  });
  if (answer && columns_of(*answer) > kMaxCharacters)
    return fail(ErrorCode::usage, "the password is longer than 128 characters", "shorten it");
  return answer;
}

}  // namespace

Result<std::optional<std::string>> told_password(Session& session) {
  std::optional<std::string>& known = session.known_password();
  if (!known) known = TRY(options::read_password(session.command()));
  return known;
}

PasswordSource password_to_read(Session& session) {
  return [&session]() -> Result<std::string> {
    if (std::optional<std::string> told = TRY(told_password(session))) return *told;
    if (!session.screen().facts().can_ask || session.command().answers_no()) return nobody_to_ask("the image");
    return ask(session, "Password of the image: ");
  };
}

Result<std::optional<std::string>> password_to_write(Session& session) {
  if (session.command().number("encryption").value_or(0) == 0) return std::nullopt;
  if (std::optional<std::string> told = TRY(told_password(session))) return told;
  if (!session.screen().facts().can_ask || session.command().answers_no()) return nobody_to_ask("--encryption");
  const std::string first = TRY(ask(session, "Password for the image: "));
  if (first.empty()) return fail(ErrorCode::usage, "the password is empty", "give one, or leave out --encryption");
  const std::string second = TRY(ask(session, "The same again: "));
  if (first != second) return fail(ErrorCode::usage, "the two passwords differ", "start again");
  session.known_password() = first;
  return first;
}

}  // namespace tintype::cli
