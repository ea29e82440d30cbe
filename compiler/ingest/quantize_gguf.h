// SPDX-License-Identifier: Apache-2.0
// A GGUF file made of a model, its matrices in other encodings.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compiler/ingest/gguf_writer.h"
#include "compiler/ingest/quantization.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// What becomes of a tensor.
struct QuantizedTensor {
  TensorInfo tensor; ///< as it is made
  formats::TensorType stored;
  uint64_t storedBytes = 0, bytes = 0;
  bool weighted = false;   ///< by the importance matrix
  double squaredError = 0; ///< of its values, over their square; 0 where it stays
};

struct QuantizeGgufOptions {
  std::string input;  ///< of a split model the first part
  std::string output; ///< not written when `dryRun`
  Quantization quantization = Quantization::kQ8_0;
  std::string importance; ///< the file of an importance matrix; empty: none
  bool requantize = false, keepHead = false, dryRun = false, replace = false;
  unsigned threads = 1;
  /// Called for each tensor, when it has been written, or of a dry run when its encoding is known.
  std::function<void(const QuantizedTensor&, std::size_t number, std::size_t count)> progress;
};

struct QuantizeGgufReport {
  uint64_t storedBytes = 0, bytes = 0; ///< of all tensors
  double squaredError = 0;             ///< of the values of what was encoded, over their square
  std::size_t weighted = 0;            ///< tensors that the importance matrix was used for
};

/// A model as a GGUF file has it: tensors by their names, encodings and order of rows, and keys.
struct GgufModel {
  const Checkpoint& tensors;
  GgufHeader header; ///< without tensors, and without the keys that say how a file is quantised
  uint64_t layers = 0;
  uint64_t experts = 0;           ///< of a layer
  std::vector<std::string> files; ///< that it is read from, none of which becomes the output
};

/// The file is read again before it gets its name; where this fails, nothing is left.
///
/// kUsage: an output that is there, unless `replace`, or that is an input. kUnsupported: a tensor that is quantised
/// already and should have another encoding, unless `requantize`, or that has one which GGUF lacks.
Result<QuantizeGgufReport> quantizeModel(const QuantizeGgufOptions& options, const GgufModel& model);

/// The same of a GGUF file. Metadata stays, but for the keys that say how a file is quantised and how it was split.
Result<QuantizeGgufReport> quantizeGguf(const QuantizeGgufOptions& options);

} // namespace llcuda::ingest
