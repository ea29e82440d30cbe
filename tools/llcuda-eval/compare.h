// SPDX-License-Identifier: Apache-2.0
// Where two models, each an engine or a checkpoint under the interpreter, begin to differ.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/models/open_model.h"
#include "compiler/reference/float_ops.h"
#include "llcuda/llcuda.hpp"
#include "runtime/base/result.h"

namespace llcuda::tools {

/// What a model computes for some tokens at positions from 0 on.
struct LayerValues {
  std::vector<reference::Matrix>
      layers;               ///< the residual stream after each, perhaps without the last: [tokens][embedding]
  reference::Matrix logits; ///< of the last token's successor
};

/// How far values are from others.
struct Difference {
  double nmse = 0;    ///< sum of squared differences by the sum of the others' squares
  double largest = 0; ///< |difference|
};

struct CompareOptions {
  std::string model, other;
  std::vector<int32_t> tokens; ///< empty: those that an engine records, else a few spread over the vocabulary
  models::OpenOptions open;    ///< of checkpoints
  double tolerance = 0;
  bool json = false;
  api::SessionOptions session;
};

Difference differenceOf(const reference::Matrix& values, const reference::Matrix& others);

/// Prints a line for each layer and one for the logits. kSelfCheckFailed names the first layer above the tolerance.
Result<void> compare(const CompareOptions& options);

} // namespace llcuda::tools
