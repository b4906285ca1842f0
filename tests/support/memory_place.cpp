// SPDX-License-Identifier: GPL-3.0-or-later
#include "support/memory_place.h"

#include <cerrno>

namespace tintype::test {

struct MemoryPlace::Handle final : PlaceLock {
  explicit Handle(std::shared_ptr<File> taken) : file(std::move(taken)) { file->locked = true; }
  ~Handle() override { file->locked = false; }
  std::shared_ptr<File> file;
};

struct MemoryPlace::Appender final : AppendFile {
  Appender(std::shared_ptr<MemoryPlace> owner, const std::shared_ptr<File>& opened) : place(std::move(owner)), handle(opened) {}
  Result<void> append(std::span<const ByteSpan> pieces) override {
    return place->step([&]() -> Result<void> {
      for (const ByteSpan piece : pieces) {
        const std::uint64_t used = place->used_bytes();
        const std::uint64_t room = place->faults.capacity_bytes > used ? place->faults.capacity_bytes - used : 0;
        const ByteSpan fitting = piece.first(std::min<std::uint64_t>(piece.size(), room));
        handle.file->content.insert(handle.file->content.end(), fitting.begin(), fitting.end());
        if (fitting.size() < piece.size()) return fail(os_error(ENOSPC, "cannot write"));
      }
      return {};
    });
  }
  std::uint64_t size() const override { return handle.file->content.size(); }
  Result<void> sync() override {
    return place->step([&]() -> Result<void> {
      handle.file->synced = handle.file->content.size();
      return {};
    });
  }
  std::shared_ptr<MemoryPlace> place;
  Handle handle;
};

struct MemoryPlace::Reader final : ReadFile {
  explicit Reader(std::shared_ptr<File> opened) : file(std::move(opened)) {}
  std::uint64_t size() const override { return file->content.size(); }
  Result<void> read(std::uint64_t offset, MutableByteSpan out) override {
    if (!fits(offset, out.size(), file->content.size())) return fail(ErrorCode::corrupt, "the file ends too early");
    std::copy_n(file->content.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return {};
  }
  void will_need(std::uint64_t, std::uint64_t) override {}
  std::shared_ptr<File> file;
};

Result<void> MemoryPlace::step(const std::function<Result<void>()>& act) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t now = ++operations_;
  const bool stopped = faults.stop_at != 0 && now >= faults.stop_at;
  if (stopped || now == faults.fail_at) return fail(os_error(EIO, "the place fails as asked"));
  const Result<void> result = act();
  if (now == faults.lie_at) return fail(os_error(EIO, "the place fails, it says"));
  return result;
}

void MemoryPlace::apply(Folder& folder, const Change& change) {
  // A rename may get lost while a later change of the same names is kept; what then stands there is whatever stood there.
  if (!change.from.empty()) {
    const auto at = folder.find(change.from);
    if (at == folder.end() || at->second != change.file) return;
    folder.erase(at);
  }
  if (change.file)
    folder[change.to] = change.file;
  else
    folder.erase(change.to);
}

void MemoryPlace::change(Change change) {
  apply(folder_, change);
  changes_.push_back(std::move(change));
}

std::uint64_t MemoryPlace::used_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, file] : folder_) sum += file->content.size();
  return sum;
}

std::shared_ptr<MemoryPlace> MemoryPlace::with(const Folder& folder, bool only_synced) {
  auto place = std::make_shared<MemoryPlace>();
  for (const auto& [name, file] : folder)
    place->put(name, only_synced ? ByteSpan(file->content).first(file->synced) : ByteSpan(file->content));
  return place;
}

std::shared_ptr<MemoryPlace> MemoryPlace::after_power_cut(const std::function<bool(std::size_t)>& kept) const {
  Folder folder = durable_;
  for (std::size_t i = 0; i < changes_.size(); ++i)
    if (kept(i)) apply(folder, changes_[i]);
  return with(folder, true);
}

std::shared_ptr<MemoryPlace> MemoryPlace::copy() const { return with(folder_, false); }

void MemoryPlace::put(const std::string& name, ByteSpan content) {
  auto file = std::make_shared<File>();
  file->content.assign(content.begin(), content.end());
  file->synced = content.size();
  folder_[name] = durable_[name] = file;
}

Bytes MemoryPlace::get(const std::string& name) const {
  const auto at = folder_.find(name);
  return at == folder_.end() ? Bytes{} : at->second->content;
}

std::vector<std::string> MemoryPlace::names() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : folder_) out.push_back(name);
  return out;
}

Result<std::unique_ptr<AppendFile>> MemoryPlace::create(const std::string& name) {
  auto file = std::make_shared<File>();
  TRY(step([&]() -> Result<void> {
    if (const auto at = folder_.find(name); at != folder_.end() && at->second->locked)
      return fail(ErrorCode::busy, name + " is being written");
    change({"", name, file});
    return {};
  }));
  return std::make_unique<Appender>(shared_from_this(), file);
}

Result<std::unique_ptr<AppendFile>> MemoryPlace::reopen(const std::string& name, std::uint64_t size) {
  std::shared_ptr<File> file;
  TRY(step([&]() -> Result<void> {
    const auto at = folder_.find(name);
    if (at == folder_.end()) return fail(os_error(ENOENT, "cannot open " + name));
    if (at->second->locked) return fail(ErrorCode::busy, name + " is being written");
    if (at->second->content.size() < size) return fail(ErrorCode::corrupt, name + " is too short");
    file = at->second;
    file->content.resize(static_cast<std::size_t>(size));
    file->synced = std::min(file->synced, file->content.size());
    return {};
  }));
  return std::make_unique<Appender>(shared_from_this(), file);
}

Result<std::unique_ptr<PlaceLock>> MemoryPlace::lock(const std::string& name) {
  std::unique_ptr<PlaceLock> out;
  TRY(step([&]() -> Result<void> {
    const auto at = folder_.find(name);
    if (at == folder_.end()) return fail(os_error(ENOENT, "cannot open " + name));
    if (at->second->locked) return fail(ErrorCode::busy, name + " is being written");
    out = std::make_unique<Handle>(at->second);
    return {};
  }));
  return out;
}

Result<std::unique_ptr<ReadFile>> MemoryPlace::open(const std::string& name) {
  std::unique_ptr<ReadFile> out;
  TRY(step([&]() -> Result<void> {
    const auto at = folder_.find(name);
    if (at == folder_.end()) return fail(os_error(ENOENT, "cannot open " + name));
    out = std::make_unique<Reader>(at->second);
    return {};
  }));
  return out;
}

Result<bool> MemoryPlace::exists(const std::string& name) {
  TRY(step([] { return Result<void>{}; }));
  return folder_.contains(name);
}

Result<std::vector<std::string>> MemoryPlace::list() {
  TRY(step([] { return Result<void>{}; }));
  return names();
}

Result<void> MemoryPlace::rename(const std::string& from, const std::string& to) {
  return step([&]() -> Result<void> {
    const auto at = folder_.find(from);
    if (at == folder_.end()) return fail(os_error(ENOENT, "cannot rename " + from));
    change({from, to, at->second});
    return {};
  });
}

Result<void> MemoryPlace::remove(const std::string& name) {
  return step([&]() -> Result<void> {
    if (folder_.contains(name)) change({"", name, nullptr});
    return {};
  });
}

Result<void> MemoryPlace::sync() {
  return step([&]() -> Result<void> {
    durable_ = folder_;
    changes_.clear();
    return {};
  });
}

}  // namespace tintype::test
