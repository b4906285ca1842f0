// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/writers/ext_io.h"

#include <cstdlib>
#include <cstring>

#include "base/extent.h"

namespace tintype {
namespace {

// The library names drives by text only; the one being opened by this thread.
thread_local ExtIo* opening = nullptr;

io_manager manager_of_drives();

ExtIo& io_of(io_channel channel) { return *static_cast<ExtIo*>(channel->private_data); }

// The library gives memory back with free() as well.
errcode_t open_channel(const char* name, int, io_channel* out) {
  if (opening == nullptr) return EINVAL;
  auto* channel = static_cast<io_channel>(std::calloc(1, sizeof(struct_io_channel)));
  char* copy = ::strdup(name);
  if (channel == nullptr || copy == nullptr) {
    std::free(channel);
    std::free(copy);
    return EXT2_ET_NO_MEMORY;
  }
  channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  channel->manager = manager_of_drives();
  channel->name = copy;
  channel->block_size = 1024;
  channel->refcount = 1;
  channel->private_data = opening;
  *out = channel;
  return 0;
}

errcode_t close_channel(io_channel channel) {
  if (--channel->refcount > 0) return 0;
  std::free(channel->name);
  std::free(channel);
  return 0;
}

errcode_t set_block_size(io_channel channel, int size) {
  channel->block_size = size;
  return 0;
}

// A negative count is one of bytes.
std::size_t length_of(io_channel channel, int count) {
  return count < 0 ? static_cast<std::size_t>(-static_cast<long>(count)) : static_cast<std::size_t>(count) * static_cast<std::size_t>(channel->block_size);
}

std::optional<std::uint64_t> offset_of(io_channel channel, unsigned long long block) {
  return checked_mul(block, static_cast<std::uint64_t>(channel->block_size));
}

errcode_t read_blocks(io_channel channel, unsigned long long block, int count, void* data) {
  const auto offset = offset_of(channel, block);
  if (!offset) return EXT2_ET_SHORT_READ;
  Result<void> done = io_of(channel).drive().read(*offset, {static_cast<std::byte*>(data), length_of(channel, count)});
  return done ? 0 : io_of(channel).failed(std::move(done).error());
}

errcode_t write_blocks(io_channel channel, unsigned long long block, int count, const void* data) {
  const auto offset = offset_of(channel, block);
  if (!offset) return EXT2_ET_SHORT_WRITE;
  Result<void> done = io_of(channel).drive().write(*offset, {static_cast<const std::byte*>(data), length_of(channel, count)});
  return done ? 0 : io_of(channel).failed(std::move(done).error());
}

errcode_t read_blocks_32(io_channel channel, unsigned long block, int count, void* data) { return read_blocks(channel, block, count, data); }
errcode_t write_blocks_32(io_channel channel, unsigned long block, int count, const void* data) { return write_blocks(channel, block, count, data); }

errcode_t write_bytes(io_channel channel, unsigned long offset, int count, const void* data) {
  if (count < 0) return EINVAL;
  Result<void> done = io_of(channel).drive().write(offset, {static_cast<const std::byte*>(data), static_cast<std::size_t>(count)});
  return done ? 0 : io_of(channel).failed(std::move(done).error());
}

errcode_t flush_channel(io_channel channel) {
  Result<void> done = io_of(channel).drive().flush();
  return done ? 0 : io_of(channel).failed(std::move(done).error());
}

errcode_t zero_blocks(io_channel channel, unsigned long long block, unsigned long long count) {
  const auto offset = offset_of(channel, block), length = offset_of(channel, count);
  if (!offset || !length) return EXT2_ET_SHORT_WRITE;
  Result<void> done = io_of(channel).drive().zero(*offset, *length);
  return done ? 0 : io_of(channel).failed(std::move(done).error());
}

errcode_t set_option(io_channel, const char*, const char*) { return EXT2_ET_INVALID_ARGUMENT; }

io_manager manager_of_drives() {
  static struct_io_manager manager = [] {
    struct_io_manager made{};
    made.magic = EXT2_ET_MAGIC_IO_MANAGER;
    made.name = "drive";
    made.open = open_channel;
    made.close = close_channel;
    made.set_blksize = set_block_size;
    made.read_blk = read_blocks_32;
    made.write_blk = write_blocks_32;
    made.flush = flush_channel;
    made.write_byte = write_bytes;
    made.set_option = set_option;
    made.read_blk64 = read_blocks;
    made.write_blk64 = write_blocks;
    made.zeroout = zero_blocks;
    return made;
  }();
  return &manager;
}

}  // namespace

errcode_t ExtIo::open(int flags, ext2_filsys* out) {
  opening = this;
  const errcode_t done = ext2fs_open(drive_->info().path.c_str(), flags, 0, 0, manager_of_drives(), out);
  opening = nullptr;
  return done;
}

}  // namespace tintype
