// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "ui/cli/actions.h"
#include "ui/cli/served_image.h"

namespace tintype::cli {
namespace {

using std::chrono::milliseconds;

// The type of an EFI system partition (UEFI specification 2.10, table 5.7).
constexpr const char* kEfiSystem = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

bool wants_uefi(const options::ParsedCommand& command, const Layout& layout) {
  const std::uint64_t said = command.number("firmware").value_or(0);
  if (said != 0) return said == 2;
  return std::ranges::any_of(layout.partitions, [](const Partition& each) { return each.type_guid && guid_to_string(*each.type_guid) == kEfiSystem; });
}

// The first of Debian's file names for OVMF that is there, with the variables that belong to it.
struct Ovmf {
  std::string code, variables;
};
Result<Ovmf> find_ovmf() {
  for (const char* suffix : {"_4M.fd", ".fd"}) {
    const Ovmf found{fmt::format("/usr/share/OVMF/OVMF_CODE{}", suffix), fmt::format("/usr/share/OVMF/OVMF_VARS{}", suffix)};
    std::error_code error;
    if (std::filesystem::exists(found.code, error) && std::filesystem::exists(found.variables, error)) return found;
  }
  return fail(ErrorCode::not_found, "there is no UEFI firmware for virtual machines", "install the package ovmf, or use --firmware bios");
}

Result<void> add_firmware(std::vector<std::string>& words, const ServedImage& served) {
  const Ovmf ovmf = TRY(find_ovmf());
  const std::string variables = served.folder() + "/variables.fd";
  std::error_code error;
  std::filesystem::copy_file(ovmf.variables, variables, error);
  if (error) return fail(os_error(error.value(), "cannot copy " + ovmf.variables));
  words.insert(words.end(), {"-drive", fmt::format("if=pflash,format=raw,unit=0,readonly=on,file={}", ovmf.code), "-drive",
                             fmt::format("if=pflash,format=raw,unit=1,file={}", variables)});
  return {};
}

Result<std::vector<std::string>> machine(const options::ParsedCommand& command, const OpenedImage& image, const ServedImage& served) {
  const Layout& layout = image.reader->catalog().layout;
  const bool uefi = wants_uefi(command, layout);
  std::vector<std::string> words = {"qemu-system-x86_64", "-name", "tintype", "-m", fmt::format("{}M", *command.number("memory") >> 20),
                                    // A machine that was saved must not meet its original on the network.
                                    "-nic", "none", "-machine", uefi ? "q35" : "pc"};
  const std::uint64_t accelerator = command.number("accelerator").value_or(0);
  if (accelerator == 2 || (accelerator == 0 && ::access("/dev/kvm", R_OK | W_OK) == 0)) words.insert(words.end(), {"-accel", "kvm"});
  if (accelerator != 2) words.insert(words.end(), {"-accel", "tcg"});
  if (uefi) TRY(add_firmware(words, served));
  // IDE (AHCI on q35) is what every system has a driver for; it knows 512-byte sectors alone.
  const std::string drive = fmt::format("format=raw,cache=unsafe,discard=unmap,file={}", served.drive_file());
  if (layout.sector_bytes == 512) {
    words.insert(words.end(), {"-drive", "if=ide," + drive});
  } else {
    words.insert(words.end(), {"-drive", "if=none,id=d0," + drive, "-device",
                               fmt::format("nvme,drive=d0,serial=tintype,logical_block_size={0},physical_block_size={0}", layout.sector_bytes)});
  }
  if (command.flag("headless")) words.push_back("-nographic");
  return words;
}

}  // namespace

Result<Report> run_boot_action(Session& session) {
  const options::ParsedCommand& command = session.command();
  if (!command.flag("headless") && std::getenv("DISPLAY") == nullptr && std::getenv("WAYLAND_DISPLAY") == nullptr)
    return fail(ErrorCode::usage, "there is no display for the virtual machine's window", "add --headless: the terminal is its serial port then");
  OpenedImage image = TRY(open_image(*command.text("file"), session));
  TRY(require_chain(image));
  ShowOptions options = show_options(command);
  options.writable = true;
  const std::unique_ptr<ServedImage> served = TRY(ServedImage::open(image, options));
  // Without a window it needs our terminal, which takes Ctrl-C as a key of the machine.
  Result<std::unique_ptr<ChildProcess>> started = ChildProcess::start(TRY(machine(command, image, *served)), {.own_session = !command.flag("headless")});
  if (!started) return fail(std::move(started).error().with_hint("it is in the package qemu-system-x86"));
  session.events().info(fmt::format("{} runs in a virtual machine, without a network; what it writes is forgotten", printable(image.path)));
  std::optional<int> ended;
  while (!session.cancel().cancelled() && !(ended = (*started)->wait(milliseconds(200)))) {
  }
  (*started)->terminate();
  if (ended && *ended != 0 && !session.cancel().cancelled()) return fail(ErrorCode::io, fmt::format("the virtual machine ended with status {}", *ended), "what it said stands above");
  Report end;
  end.summary.push_back("the virtual machine has ended; the image is as it was");
  end.facts = {{"image", image.path}};
  return end;
}

}  // namespace tintype::cli
