// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace llcuda::codegen {

/// A folder of one's own that goes away with the object.
class WorkFolder {
public:
  static Result<WorkFolder> create();
  WorkFolder(WorkFolder&& other) noexcept;
  WorkFolder& operator=(WorkFolder&&) = delete;
  ~WorkFolder();

  const std::string& path() const { return folder; }

  /// Files by their path within the folder, whose folders are made.
  Result<void> write(const std::string& name, std::string_view text) const;
  Result<std::string> read(const std::string& name) const;

private:
  WorkFolder() = default;
  std::string folder;
};

} // namespace llcuda::codegen
