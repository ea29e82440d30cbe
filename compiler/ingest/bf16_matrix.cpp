// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/bf16_matrix.h"

#include <algorithm>
#include <cstring>

#include "codegen/formats/numbers.h"

namespace llcuda::ingest {

uint16_t bf16At(std::span<const std::byte> bytes, size_t index) {
  uint16_t value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

// Magnitudes are in the order of their bits, infinity and NaN above all finite ones.
float largestBf16(std::span<const std::byte> bytes) {
  uint16_t largest = 0;
  for (size_t i = 0; i < bytes.size() / 2; ++i)
    largest = std::max(largest, static_cast<uint16_t>(bf16At(bytes, i) & 0x7fff));
  return formats::bf16ToFloat(largest);
}

} // namespace llcuda::ingest
