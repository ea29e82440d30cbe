// SPDX-License-Identifier: Apache-2.0
// What hyperparameters may be, whatever kind of file states them.
#pragma once

#include <cstdint>
#include <string_view>

#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

inline constexpr uint64_t kMaxLayers = 512;
inline constexpr uint64_t kMaxWidth = 1u << 20; ///< of embedding, feed-forward and head count times head size
inline constexpr uint64_t kMaxVocabulary = 1u << 24;
inline constexpr uint64_t kMaxContext = 1u << 24;
inline constexpr uint64_t kMaxHeads = 4096;
inline constexpr uint64_t kMaxExperts = 1024;

struct Bounds {
  uint64_t low;
  uint64_t high;
};
inline constexpr Bounds kHeadSizes = {2, 1024};
inline constexpr Bounds kTaps = {2, 8}; ///< of a convolution

/// `number` when it lies within `bounds`, else an error that names `key`.
Result<uint32_t> checkBounds(std::string_view key, uint64_t number, Bounds bounds);

/// What must hold between the numbers of a model: layers of kinds that its family has, attention in one at least, a
/// shared cache of its layers' shape, heads that share kv heads and key heads evenly, head sizes and rotated elements
/// that are even, a norm, a rope and a convolution that can be computed.
Result<void> checkConfig(const ModelConfig& config);

} // namespace llcuda::models
