// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/base/temporary_path.h"

namespace llcuda::codegen {

/// A folder of one's own that goes away with the object.
class WorkFolder {
public:
  static Result<WorkFolder> create();

  const std::string& path() const { return folder.path(); }

  /// Files by their path within the folder, whose folders are made.
  Result<void> write(const std::string& name, std::string_view text) const;
  Result<std::string> read(const std::string& name) const;

private:
  explicit WorkFolder(TemporaryPath folder) : folder(std::move(folder)) {}
  TemporaryPath folder;
};

} // namespace llcuda::codegen
