// SPDX-License-Identifier: GPL-3.0-or-later
// Writes into a FAT file system of hostile bytes: whatever it says, nothing is written outside it, and nothing goes on without end.
#include <array>

#include "fs_probe_fuzz.h"
#include "store/writers/tree_writer.h"

namespace tintype::fuzz {
namespace {

class CountedDrive final : public Drive {
 public:
  explicit CountedDrive(std::shared_ptr<Drive> inner) : inner_(std::move(inner)) {}
  const DriveInfo& info() const override { return inner_->info(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    count();
    return inner_->read(offset, out);
  }
  Result<void> write(std::uint64_t offset, ByteSpan data) override {
    count();
    must(fits(offset, data.size(), size_bytes()), "a write outside the partition");
    return inner_->write(offset, data);
  }
  Result<void> zero(std::uint64_t offset, std::uint64_t length) override {
    count();
    must(fits(offset, length, size_bytes()), "a write outside the partition");
    return inner_->zero(offset, length);
  }
  Result<void> flush() override { return {}; }

 private:
  void count() { must(++calls_ < 400000, "too many calls"); }
  std::shared_ptr<Drive> inner_;
  std::size_t calls_ = 0;
};

void write_into(TreeWriter& writer) {
  const auto root = writer.folder("/");
  if (!root) return;
  auto folder = writer.folder("/backups");
  if (!folder) folder = writer.make_folder(*root, "backups");
  const Bytes data(70'000, std::byte{0x5A});
  for (const auto& in : {root, folder}) {
    if (!in) continue;
    std::size_t written = 0;
    const auto file = writer.create(*in, "A long name.tti.partial");
    if (file) {
      (void)writer.append(*file, data, written);
      must(writer.size(*file) == written, "size and what arrived");
      (void)writer.rename(*in, "A long name.tti.partial", "A long name.tti");
      (void)writer.append(*file, ByteSpan(data).first(3), written);
      writer.release(*file);
    }
    if (const auto again = writer.reopen(*in, "A long name.tti", 100)) (void)writer.append(*again, data, written);
    for (const char* name : {"FILE.TXT", "HELLO.TXT", "A long name.tti"}) (void)writer.remove(*in, name);
  }
  (void)writer.close();
}

}  // namespace
}  // namespace tintype::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tintype;
  auto memory = make_memory_drive(std::max<std::uint64_t>(size, 1U << 20));
  if (size != 0) fuzz::must(memory->write(0, {reinterpret_cast<const std::byte*>(data), size}).has_value(), "memory drive");
  // Without the check for being clean, which would keep most of them out.
  auto writer = open_fat_writer(std::make_shared<fuzz::CountedDrive>(memory), "the partition");
  if (writer) fuzz::write_into(**writer);
  return 0;
}
