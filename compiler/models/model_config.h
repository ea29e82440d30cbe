// SPDX-License-Identifier: Apache-2.0
// The hyperparameters of a model, typed and checked, with llama.cpp's defaults for what a file leaves out.
#pragma once

#include <cstdint>
#include <string>

#include "compiler/ingest/gguf_reader.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// How positions turn queries and keys.
struct RopeConfig {
  uint32_t dimensions = 0; ///< rotated elements of a head, even
  double base = 10000;
  double scale = 1; ///< 1 / factor of linear scaling
};

struct ModelConfig {
  std::string architecture;
  std::string name; ///< may be empty
  uint32_t layers = 0;
  uint32_t embedding = 0;
  uint32_t heads = 0;
  uint32_t kvHeads = 0; ///< divides heads
  uint32_t headSize = 0;
  uint32_t feedForward = 0;
  uint32_t vocabulary = 0;
  uint32_t trainedContext = 0;
  double normEps = 0;
  RopeConfig rope;
};

/// Reads `<architecture>.*`. A key that is missing, of the wrong type or out of bounds is an error that names it;
/// what the file asks for and this version lacks (another
/// architecture, experts, yarn) is kUnsupported.
Result<ModelConfig> configFromGguf(const ingest::GgufFile& file);

} // namespace llcuda::models
