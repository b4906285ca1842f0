// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tintype {

// "Subject: …" for any text: line ends and other control characters become blanks, so that nothing can begin a header
// of its own; what is not plain ASCII, or too long for a line, becomes encoded words (RFC 2047), folded (RFC 5322, 2.2.3).
std::string mail_header(std::string_view name, std::string_view utf8);
// "To: a@b, c@d", folded.
std::string mail_address_header(std::string_view name, const std::vector<std::string>& addresses);
// "Wed, 25 Nov 2026 18:50:22 +0000" (RFC 5322, 3.3).
std::string mail_date(std::chrono::sys_seconds at);

}  // namespace tintype
