// SPDX-License-Identifier: GPL-3.0-or-later
// What of mailing is pure, and a server that never answers; real servers are in tests/cli/mail_test.py.
#include "media/mail.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/mail_headers.h"

namespace tintype {
namespace {

using Security = MailAccount::Security;

std::string refusal(std::string_view text) {
  const Result<MailAccount> account = parse_mail_account(text);
  if (account) return "";
  EXPECT_EQ(account.error().code, ErrorCode::usage);
  return account.error().message();
}

TEST(MailAccount, IsReadFieldByField) {
  const Result<MailAccount> account = parse_mail_account("smtp.example.org*me@example.org*a@b.c, d@e.f;g@h.i*Die Nacht*587*me*pa*ss*");
  ASSERT_TRUE(account) << account.error().message();
  EXPECT_EQ(account->host, "smtp.example.org");
  EXPECT_EQ(account->from, "me@example.org");
  EXPECT_THAT(account->to, testing::ElementsAre("a@b.c", "d@e.f", "g@h.i"));
  EXPECT_EQ(account->subject, "Die Nacht");
  EXPECT_EQ(account->port, 587);
  EXPECT_EQ(account->user, "me");
  EXPECT_EQ(account->password, "pa*ss*");
  EXPECT_EQ(account->security, Security::demanded);
  EXPECT_TRUE(account->check_certificate);
}

TEST(MailAccount, SafetyFollowsFromPasswordPortAndScheme) {
  const auto safety = [](std::string_view text) {
    const Result<MailAccount> account = parse_mail_account(text);
    EXPECT_TRUE(account) << text;
    return account ? std::tuple(account->security, account->check_certificate, account->port) : std::tuple(Security::if_offered, false, std::uint16_t{0});
  };
  EXPECT_EQ(safety("h*f@g*t@u"), std::tuple(Security::if_offered, false, 25));
  EXPECT_EQ(safety("h*f@g*t@u**465"), std::tuple(Security::from_start, false, 465));
  EXPECT_EQ(safety("smtps://h*f@g*t@u"), std::tuple(Security::from_start, false, 465));
  EXPECT_EQ(safety("SMTPS://h*f@g*t@u***x*y"), std::tuple(Security::from_start, true, 465));
  EXPECT_EQ(safety("h*f@g*t@u***x*y"), std::tuple(Security::demanded, true, 25));
  EXPECT_EQ(safety("smtp://h*f@g*t@u***x*y"), std::tuple(Security::if_offered, false, 25));
  EXPECT_EQ(parse_mail_account("[::1]*f*t")->host, "::1");
}

TEST(MailAccount, NothingBreaksOutOfTheDialogue) {
  using testing::HasSubstr;
  for (const char* text : {"", "*f@g*t@u", "ho st*f@g*t@u", "h/x*f@g*t@u", "h@i*f@g*t@u"}) EXPECT_THAT(refusal(text), HasSubstr("not the name of a mail server"));
  for (const char* text : {"h**t@u", "h*f g*t@u", "h*f>\r\nDATA*t@u", "h*f@g\n*t@u"}) EXPECT_THAT(refusal(text), HasSubstr("to send from"));
  for (const char* text : {"h*f@g*t\r\nRCPT", "h*f@g*<t@u>", "h*f@g*a@b,\"x\"@c"}) EXPECT_THAT(refusal(text), HasSubstr("to send to"));
  EXPECT_THAT(refusal("h*f@g*"), HasSubstr("nobody"));
  EXPECT_THAT(refusal("h*f@g*t@u*s*0"), HasSubstr("not a port"));
  EXPECT_THAT(refusal("h*f@g*t@u*s*65536"), HasSubstr("not a port"));
  EXPECT_THAT(refusal("h*f@g*t@u*s*25*me"), HasSubstr("without a password"));
  EXPECT_THAT(refusal("h*f@g*t@u*s*25**hush"), testing::AllOf(HasSubstr("without its user"), testing::Not(HasSubstr("hush"))));
}

TEST(MailHeader, IsOneHeaderWhateverStandsInIt) {
  EXPECT_EQ(mail_header("Subject", "backup of 0: success"), "Subject: backup of 0: success");
  EXPECT_EQ(mail_header("Subject", "a\r\nBcc: x@y"), "Subject: a  Bcc: x@y");
  EXPECT_EQ(mail_header("Subject", "Größe"), "Subject: =?UTF-8?B?R3LDtsOfZQ==?=");
  EXPECT_EQ(mail_header("Subject", "=?x?="), "Subject: =?UTF-8?B?PT94Pz0=?=");
  EXPECT_EQ(mail_header("Subject", ""), "Subject: ");
}

TEST(MailHeader, LongTextIsFoldedAndCharactersStayWhole) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "ä€😀";
  std::string header = mail_header("Subject", text);
  std::size_t lines = 0;
  for (std::size_t end; !header.empty(); header.erase(0, end == std::string::npos ? end : end + 2), ++lines) {
    end = header.find("\r\n");
    EXPECT_LE(std::min(end, header.size()), 78U);
    if (lines > 0) {
      EXPECT_EQ(header.front(), ' ');
    }
  }
  EXPECT_GT(lines, 15U);
}

TEST(MailDate, IsAsTheStandardWantsIt) {
  EXPECT_EQ(mail_date(std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000))), "Tue, 14 Nov 2023 22:13:20 +0000");
}

// Listens, takes the connection into its queue, and says nothing.
class SilentServer {
 public:
  SilentServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_, 5), 0);
    socklen_t length = sizeof address;
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { ::close(fd_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

Result<void> send_to(std::uint16_t port, const MailLimits& limits) {
  MailAccount account{.host = "127.0.0.1", .port = port, .from = "a@b", .to = {"c@d"}, .subject = "", .user = "", .password = ""};
  FixedClock clock{std::chrono::sys_seconds(std::chrono::seconds(1'700'000'000))};
  SeededRandom random(1);
  return send_mail(account, {.subject = "s", .text = "t", .attachment = "", .attachment_name = ""}, clock, random, limits);
}

TEST(SendMail, DoesNotWaitForeverForAServerThatHangs) {
  using namespace std::chrono_literals;
  const SilentServer server;
  const Result<void> sent = send_to(server.port(), {.connect = 300ms, .total = 500ms});
  ASSERT_FALSE(sent);
  EXPECT_THAT(sent.error().message(), testing::HasSubstr("does not answer in time"));
}

TEST(SendMail, IsGivenUpOnRequest) {
  const SilentServer server;
  const Result<void> sent = send_to(server.port(), {.give_up = [] { return true; }});
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace tintype
