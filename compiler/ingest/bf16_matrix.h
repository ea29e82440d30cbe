// SPDX-License-Identifier: Apache-2.0
// What is asked of stored bf16 matrices before they become f16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace llcuda::ingest {

inline constexpr float kLargestHalf = 65504;

uint16_t bf16At(std::span<const std::byte> bytes, size_t index);

/// The largest magnitude; infinity or NaN where one of the values is no finite number.
float largestBf16(std::span<const std::byte> bytes);

} // namespace llcuda::ingest
