// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "runtime/base/mapped_file.h"
#include "runtime/base/result.h"
#include "runtime/engine/engine.h"

namespace llcuda {

/// The files that hold the weights which an engine leaves outside, mapped.
class WeightFiles {
public:
  /// Finds and maps them; none, for an engine that holds all its weights. `from` is a folder with files of the recorded
  /// names, or the file itself when there is one; empty: where the compiler found them, else beside the engine.
  /// kBadInput names every place that was looked at and what is wrong there.
  static Result<WeightFiles> open(const Engine& engine, const std::string& from);

  /// The weight of a source in its device layout. kBadInput when the bytes in the file are not those that were
  /// compiled, with both hashes. Any thread.
  Result<std::vector<std::byte>> pack(const Engine& engine, const fb::WeightSource& source) const;

private:
  std::vector<MappedFile> files; // one for each of source_files
};

} // namespace llcuda
