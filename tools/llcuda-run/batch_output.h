// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "runtime/base/file_id.h"
#include "runtime/base/result.h"

namespace llcuda::run {

/// A file to which whole lines are appended, by one process at a time. A line that a process which was killed began is
/// cut off when the file is opened again: each answer is there once or not at all.
class BatchOutput {
public:
  /// kUsage as checkOutput(), and where another process has it; kBadInput where a line in it is no answer.
  static Result<BatchOutput> open(const std::string& path, const std::vector<InputFile>& inputs);
  BatchOutput(BatchOutput&& other) noexcept;
  BatchOutput& operator=(BatchOutput&&) = delete;
  ~BatchOutput();

  /// custom_id of the answers that were there.
  const std::unordered_set<std::string>& answered() const { return ids; }
  /// `line` ends with its newline.
  Result<void> append(std::string_view line);

private:
  BatchOutput() = default;
  Result<void> readAnswers();

  std::string name;
  int fd = -1;
  std::unordered_set<std::string> ids;
};

} // namespace llcuda::run
