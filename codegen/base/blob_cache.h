// SPDX-License-Identifier: Apache-2.0
// Compiled kernels on disk, found by what they were made from. Several programs may use one folder at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace llcuda::codegen {

/// 32 hexadecimal digits that stand for the bytes.
std::string blobKey(std::string_view bytes);

class BlobCache {
public:
  /// `folder` need not exist; with an empty one nothing is found and nothing stored.
  explicit BlobCache(std::string folder) : folder(std::move(folder)) {}

  /// What was stored under a key of blobKey. A file that is damaged in any way counts as absent.
  std::optional<std::string> find(const std::string& key) const;

  /// Written beside its final name and renamed, so a reader sees all of it or nothing.
  Result<void> store(const std::string& key, std::string_view bytes) const;

private:
  std::string fileOf(const std::string& key) const;
  std::string folder;
};

} // namespace llcuda::codegen
