// SPDX-License-Identifier: Apache-2.0
// How a sequence's tokens are chosen, as the device is told: codegen/formats/sampling.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "codegen/formats/sampling.h"

namespace llcuda {

/// What mirostat and adaptive_p have learnt so far.
struct SamplerState {
  float values[2] = {0, 0};
};

/// The values were checked where they came from.
struct Sampler {
  uint64_t seed = 0;
  SamplerProgram program = {.takesBest = 1};             ///< without the number of biases
  std::vector<LogitBias> biases;                         ///< at most kLogitBiases, of each token at most one
  std::shared_ptr<const std::vector<uint32_t>> breakers; ///< of dry: packDryBreakers(); null: without dry

  /// Whether it is the most likely token of the plain logits: rows need no chain.
  bool isPlain() const { return program.takesBest != 0 && program.stageCount == 0 && biases.empty(); }
  /// Whether the program's states go on from token to token.
  bool learns() const {
    return program.stageCount != 0 && program.stages[program.stageCount - 1].op >= SamplerOp::kAdaptive;
  }
  SamplerState initialState() const { return {{program.state[0], program.state[1]}}; }
  /// Of a row of this sampler.
  SamplingParams params() const { return {seed, 0, 0, isPlain() ? 0u : 1u, 0}; }
};

} // namespace llcuda
