// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/file_id.h"
#include "runtime/base/result.h"
#include "runtime/base/temporary_path.h"

namespace llcuda {

/// Whether a file may be written under this name: a new name in a folder that can be written, or a regular file that is
/// none of `inputs`, under any of its names. Else kUsage, in one sentence. Links are followed.
Result<void> checkOutput(const std::string& path, std::span<const InputFile> inputs);

/// A file that is written under a temporary name beside its own: under its own lies a whole file, or what was there
/// before. An object destroyed before commit() leaves nothing behind, nor does a program that a signal ends
/// (clean_end.h).
class OutputFile {
public:
  /// Fails as checkOutput() does.
  static Result<OutputFile> create(const std::string& path, std::vector<InputFile> inputs = {});

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&& other) noexcept;
  ~OutputFile();

  Result<void> append(std::span<const std::byte> bytes);
  /// Writes over the first bytes, of which there are as many.
  Result<void> rewriteStart(std::span<const std::byte> bytes);
  uint64_t bytes() const { return position; }
  /// Where it lies until commit(), to be read again before.
  const std::string& temporaryPath() const { return temporary.path(); }

  /// Syncs the file and gives it its name, which is checked again: it may have come to lead to an input.
  Result<void> commit();

private:
  OutputFile() = default;
  Result<void> writeAll(std::span<const std::byte> bytes);
  Error ioError(const char* what) const;

  std::string name; ///< as the user gave it
  std::vector<InputFile> inputs;
  TemporaryPath temporary;
  int fd = -1;
  uint64_t position = 0;
};

/// Writes a whole text.
Result<void> writeOutput(const std::string& path, std::string_view text, std::vector<InputFile> inputs = {});

} // namespace llcuda
