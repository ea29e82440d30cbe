// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/temporary_path.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <utility>

namespace llcuda {
namespace {

namespace fs = std::filesystem;

// Of the process, as signals are. Never destroyed: a signal may come while the program ends.
struct Registry {
  std::mutex mutex;
  std::set<std::string> paths;
};

Registry& registry() {
  static auto* const all = new Registry;
  return *all;
}

/// A program that still writes into a folder may put a file there between the listing and the removal.
void removePath(const std::string& path) {
  constexpr int kAttempts = 5;
  std::error_code error;
  for (int i = 0; i < kAttempts; ++i) {
    fs::remove_all(path, error);
    if (!error)
      return;
  }
}

} // namespace

TemporaryPath::TemporaryPath(std::string path) : name(std::move(path)) {
  const std::lock_guard lock(registry().mutex);
  registry().paths.insert(name);
}

TemporaryPath TemporaryPath::made(const std::function<std::string()>& make) {
  TemporaryPath result;
  const std::lock_guard lock(registry().mutex);
  result.name = make();
  if (!result.name.empty())
    registry().paths.insert(result.name);
  return result;
}

TemporaryPath::TemporaryPath(TemporaryPath&& other) noexcept : name(std::exchange(other.name, {})) {}

TemporaryPath& TemporaryPath::operator=(TemporaryPath&& other) noexcept {
  std::swap(name, other.name);
  return *this;
}

TemporaryPath::~TemporaryPath() {
  if (name.empty())
    return;
  const std::lock_guard lock(registry().mutex);
  removePath(name);
  registry().paths.erase(name);
}

Result<void> TemporaryPath::renameTo(const std::string& target) {
  const std::lock_guard lock(registry().mutex);
  if (std::rename(name.c_str(), target.c_str()) != 0)
    return internalError(target, ": cannot be renamed into place: ", std::strerror(errno));
  registry().paths.erase(std::exchange(name, {}));
  return {};
}

std::size_t removeAllTemporaryPaths() {
  registry().mutex.lock(); // and never unlocked
  for (const std::string& path : registry().paths) removePath(path);
  return registry().paths.size();
}

} // namespace llcuda
