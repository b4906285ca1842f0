// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <string>
#include <string_view>

namespace tintype {

// UTF-16 to UTF-8 and back, nothing lost: a lone surrogate becomes three bytes (WTF-8). Bytes that are no UTF-8 become U+FFFD.
std::string name_of_utf16(std::u16string_view units);
std::u16string utf16_of_name(std::string_view name);

}  // namespace tintype
