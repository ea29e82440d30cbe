// SPDX-License-Identifier: Apache-2.0
// How much the columns of a model's matrices matter: mean squares of what was multiplied with them, as llama-imatrix
// collects them. As a GGUF file, or in the older form without a header.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/ingest/checkpoint.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

class ImportanceMatrix {
public:
  /// kBadInput: a file that is no such matrix, or a damaged one; a number that is no mean square.
  static Result<ImportanceMatrix> open(const std::string& path);

  /// A number for each column of each matrix of the tensor; nothing for a tensor that the file does not have. kBadInput
  /// where it has another number of them. Messages go on after the tensor's name.
  Result<std::span<const float>> of(const TensorInfo& tensor) const;

  std::size_t entries() const { return means.size(); }
  uint32_t chunks() const { return chunkCount; }
  const std::string& dataset() const { return datasetName; } ///< empty where the file does not say it

private:
  friend class ImportanceReader;

  std::unordered_map<std::string, std::vector<float>> means; // by the tensor's name
  uint32_t chunkCount = 0;
  std::string datasetName;
};

} // namespace llcuda::ingest
