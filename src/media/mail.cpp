// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/mail.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "base/text.h"
#include "media/mail_headers.h"

namespace tintype {
namespace {

struct CloseEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct CloseMime {
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
struct CloseList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, CloseEasy>;
using Mime = std::unique_ptr<curl_mime, CloseMime>;
using List = std::unique_ptr<curl_slist, CloseList>;

void add(List& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  std::ignore = list.release();
  list.reset(longer);
}

std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' && !out.ends_with('\r')) out += '\r';
    out += c;
  }
  return out;
}

void add_part(curl_mime* mime, const std::string& text, const std::string& file_name) {
  curl_mimepart* part = curl_mime_addpart(mime);
  const std::string lines = with_crlf(text);
  curl_mime_data(part, lines.data(), lines.size());
  curl_mime_type(part, "text/plain; charset=utf-8");
  curl_mime_encoder(part, "quoted-printable");
  if (!file_name.empty()) curl_mime_filename(part, file_name.c_str());
}

Result<List> headers_of(const MailAccount& account, const Letter& letter, Clock& clock, Random& random) {
  std::array<std::byte, 16> chance{};
  TRY(random.fill(chance));
  const std::size_t at = account.from.find('@');
  const std::string domain = at == std::string::npos ? account.host : account.from.substr(at + 1);
  List headers;
  add(headers, "Date: " + mail_date(clock.now()));
  add(headers, mail_address_header("From", {account.from}));
  add(headers, mail_address_header("To", account.to));
  add(headers, mail_header("Subject", account.subject.empty() ? letter.subject : account.subject));
  add(headers, fmt::format("Message-ID: <{}@{}>", to_hex(chance), domain));
  add(headers, "Auto-Submitted: auto-generated");  // RFC 3834: no answers from holiday programs
  return headers;
}

int asked_to_give_up(void* limits, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const MailLimits*>(limits)->give_up() ? 1 : 0;
}

void set_server(CURL* easy, const MailAccount& account) {
  const bool six = account.host.find(':') != std::string::npos;
  const bool from_start = account.security == MailAccount::Security::from_start;
  const std::string url = fmt::format("{}://{}{}{}:{}", from_start ? "smtps" : "smtp", six ? "[" : "", account.host, six ? "]" : "", account.port);
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");  // proxies of the environment are for web pages
  curl_easy_setopt(easy, CURLOPT_USE_SSL, account.security == MailAccount::Security::demanded ? CURLUSESSL_ALL : CURLUSESSL_TRY);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, account.check_certificate ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, account.check_certificate ? 2L : 0L);
  if (const char* authorities = std::getenv("SSL_CERT_FILE"); authorities != nullptr && *authorities != '\0')
    curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
  if (account.user.empty()) return;
  curl_easy_setopt(easy, CURLOPT_USERNAME, account.user.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, account.password.c_str());
}

void set_limits(CURL* easy, const MailLimits& limits) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits.connect.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.total.count()));
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, asked_to_give_up);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, const_cast<MailLimits*>(&limits));
}

// What libcurl knows about a failure, and the way out.
Error explain(CURLcode code, const std::string& detail, const MailAccount& account) {
  const std::string server = fmt::format("{} port {}", account.host, account.port);
  const std::string why = printable(detail.empty() ? curl_easy_strerror(code) : detail);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return make_error(ErrorCode::not_found, fmt::format("the mail server {} is not known", server), "check its name");
    case CURLE_COULDNT_CONNECT: return make_error(ErrorCode::io, fmt::format("the mail server {} cannot be reached ({})", server, why), "check its name and port");
    case CURLE_OPERATION_TIMEDOUT: return make_error(ErrorCode::io, fmt::format("the mail server {} does not answer in time ({})", server, why));
    case CURLE_ABORTED_BY_CALLBACK: return make_error(ErrorCode::cancelled, "the mail was given up on request");
    case CURLE_LOGIN_DENIED:
      return make_error(ErrorCode::denied, fmt::format("the mail server {} does not accept the user and password ({})", server, why));
    case CURLE_USE_SSL_FAILED:
      return make_error(ErrorCode::refused, fmt::format("the mail server {} offers no TLS, and the password must not travel in the clear", server),
                        "write the host as smtp://HOST to send it nevertheless");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return make_error(ErrorCode::refused, fmt::format("the certificate of the mail server {} is not trusted ({})", server, why),
                        "name a file with its authority in SSL_CERT_FILE, or write the host as smtp://HOST to trust it blindly");
    default: return make_error(ErrorCode::io, fmt::format("the mail server {} did not take the mail ({})", server, why));
  }
}

}  // namespace

Result<void> send_mail(const MailAccount& account, const Letter& letter, Clock& clock, Random& random, const MailLimits& limits) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const Easy easy(ready == CURLE_OK ? curl_easy_init() : nullptr);
  if (!easy) return fail(ErrorCode::unsupported, "the mail library cannot be used");
  const List headers = TRY(headers_of(account, letter, clock, random));
  const Mime mime(curl_mime_init(easy.get()));
  add_part(mime.get(), letter.text, {});
  if (!letter.attachment.empty()) add_part(mime.get(), letter.attachment, letter.attachment_name);
  List recipients;
  for (const std::string& each : account.to) add(recipients, fmt::format("<{}>", each));
  set_server(easy.get(), account);
  set_limits(easy.get(), limits);
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_FROM, fmt::format("<{}>", account.from).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_MIMEPOST, mime.get());
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_OK) return {};
  return fail(explain(code, detail.data(), account));
}

}  // namespace tintype
