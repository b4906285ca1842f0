// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <string>

#include "image/reader.h"
#include "ui/cli/session.h"

namespace tintype::cli {

// The password as the command tells it, or as it was typed for a new image in this run; nobody is asked.
Result<std::optional<std::string>> told_password(Session& session);

// The password of an image that is to be read: as the command tells it, or else asked for at the terminal. The
// session must outlive it.
PasswordSource password_to_read(Session& session);

// The password for a new image: as the command tells it, or else asked for twice. Nothing if it needs none.
Result<std::optional<std::string>> password_to_write(Session& session);

}  // namespace tintype::cli
