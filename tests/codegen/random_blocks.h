// SPDX-License-Identifier: Apache-2.0
// Tensors of every encoding: random codes, and scales that keep the values around -1 ... 1.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "codegen/formats/numbers.h"
#include "codegen/formats/tensor_type.h"

namespace llcuda::testing {

/// Every encoding of a weight.
inline std::vector<formats::TensorType> weightTypes() {
  std::vector<formats::TensorType> types;
  for (const formats::TensorTypeInfo& info : formats::tensorTypes())
    if (info.layout)
      types.push_back(info.type);
  return types;
}

/// Where a block has its scales: f16 at `half` and `second` (a minimum; -1: none), with values of `size` and less.
struct ScalePlace {
  int half, second;
  float size;
};

inline ScalePlace scalePlaceOf(formats::TensorType type) {
  using enum formats::TensorType;
  switch (type) {
  case kQ4_0:
    return {0, -1, 1 / 8.f};
  case kQ4_1:
    return {0, 2, 1 / 8.f};
  case kQ5_0:
    return {0, -1, 1 / 16.f};
  case kQ5_1:
    return {0, 2, 1 / 16.f};
  case kQ8_0:
  case kIQ4_NL:
    return {0, -1, 1 / 127.f};
  case kQ2_K:
    return {80, 82, 1 / 32.f};
  case kQ3_K:
    return {108, -1, 1 / 128.f};
  case kQ4_K:
    return {0, 2, 1 / 512.f};
  case kQ5_K:
    return {0, 2, 1 / 1024.f};
  case kQ6_K:
    return {208, -1, 1 / 4096.f};
  case kIQ4_XS:
    return {0, -1, 1 / 4096.f};
  case kTQ1_0:
    return {52, -1, 1.f};
  case kTQ2_0:
    return {64, -1, 1.f};
  case kIQ2_XXS:
  case kIQ2_XS:
  case kIQ2_S:
  case kIQ3_XXS:
  case kIQ3_S:
    return {0, -1, 1 / 128.f};
  case kIQ1_S:
    return {0, -1, 1 / 8.f};
  case kQ1_0:
  case kQ2_0:
    return {0, -1, 1.f};
  default:
    return {-1, -1, 0.f};
  }
}

inline void putHalf(std::byte* at, float value) {
  const uint16_t half = formats::floatToHalf(value);
  std::memcpy(at, &half, 2);
}

/// Makes the scales of a block of random bytes tame.
inline void setScales(formats::TensorType type, std::byte* block, float random) {
  using enum formats::TensorType;
  const ScalePlace place = scalePlaceOf(type);
  if (place.half >= 0)
    putHalf(block + place.half, random * place.size);
  if (place.second >= 0)
    putHalf(block + place.second, (type == kQ4_1 || type == kQ5_1 ? -1.f : 16 * place.size) * random);
  switch (type) {
  case kF32:
  case kNf4:
  case kNf4Short:
  case kFp4:
  case kFp4Short:
    std::memcpy(block, &random, 4);
    break;
  case kF16:
    putHalf(block, random);
    break;
  case kBF16: {
    const uint16_t value = formats::floatToBf16(random);
    std::memcpy(block, &value, 2);
    break;
  }
  case kQ8_K: {
    const float d = random / 127;
    std::memcpy(block, &d, 4);
    break;
  }
  case kMXFP4:
    block[0] = static_cast<std::byte>(123 + std::to_integer<int>(block[0]) % 4);
    break;
  case kNVFP4: // 2^-3 and less
    for (int i = 0; i < 4; ++i) block[i] &= std::byte{0x27};
    break;
  case kIQ1_M: { // its f16 d lies in the upper nibbles of four words
    uint16_t words[4];
    std::memcpy(words, block + 48, 8);
    const uint16_t d = formats::floatToHalf(random / 8);
    for (int i = 0; i < 4; ++i) words[i] = static_cast<uint16_t>((words[i] & 0x0fff) | (d >> (4 * i) & 15) << 12);
    std::memcpy(block + 48, words, 8);
    break;
  }
  default:
    break;
  }
}

inline std::vector<std::byte> randomTensor(formats::TensorType type, size_t elements, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(0.5f, 1.5f);
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(type);
  std::vector<std::byte> bytes(elements / info.blockElements * info.blockBytes);
  for (std::byte& b : bytes) b = static_cast<std::byte>(generator());
  for (size_t at = 0; at < bytes.size(); at += info.blockBytes) {
    const float random = uniform(generator);
    setScales(type, bytes.data() + at, info.blockElements == 1 ? (random - 1.f) * 2 : random);
  }
  return bytes;
}

} // namespace llcuda::testing
