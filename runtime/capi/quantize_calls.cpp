// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>

#include "codegen/formats/dynamic8.h"
#include "codegen/formats/quantize_blocks.h"
#include "runtime/capi/boundary.h"

namespace llcuda::capi {
namespace {

constexpr size_t kMinBlock = 32, kMaxBlock = 4096;

Result<void> checkBlock(size_t block) {
  if (block < kMinBlock || block > kMaxBlock || !std::has_single_bit(block))
    return usageError("a block is of ", block, " values; it has to be a power of two from ", kMinBlock, " to ",
                      kMaxBlock);
  return {};
}

Result<void> checkFinite(const float* values, size_t first, size_t count) {
  for (size_t i = first; i < first + count; ++i)
    if (!std::isfinite(values[i]))
      return badInput("value ", i, " is ", values[i], "; only finite values can be quantised");
  return {};
}

/// Calls encode(first value, count, number of the block) for each block of finite values.
template <typename Encode>
llcuda_status forBlocks(const float* values, size_t count, size_t block, llcuda_error* error, Encode encode) {
  return guarded(error, [&]() -> Result<void> {
    LLCUDA_RETURN_IF_ERROR(checkBlock(block));
    for (size_t first = 0, number = 0; first < count; first += block, ++number) {
      const size_t size = std::min(block, count - first);
      LLCUDA_RETURN_IF_ERROR(checkFinite(values, first, size));
      encode(first, size, number);
    }
    return {};
  });
}

/// A block of an odd number of values ends with half a byte, which bitsandbytes fills with a zero's code.
float encodeNf4(const float* values, size_t count, uint8_t* codes) {
  static const formats::FourBitEncoder encoder(formats::kNf4Values);
  if (count % 2 == 0)
    return encoder.encode(values, static_cast<int>(count), codes);
  float filled[kMaxBlock] = {};
  std::copy_n(values, count, filled);
  return encoder.encode(filled, static_cast<int>(count + 1), codes);
}

} // namespace
} // namespace llcuda::capi

using namespace llcuda;

extern "C" llcuda_status llcuda_quantize_nf4(const float* values, size_t count, size_t block, uint8_t* codes,
                                             float* absmax, llcuda_error* error) {
  return capi::forBlocks(values, count, block, error, [&](size_t first, size_t size, size_t number) {
    absmax[number] = capi::encodeNf4(values + first, size, codes + first / 2);
  });
}

extern "C" llcuda_status llcuda_quantize_dynamic8(const float* values, size_t count, size_t block, uint8_t* codes,
                                                  float* absmax, llcuda_error* error) {
  return capi::forBlocks(values, count, block, error, [&](size_t first, size_t size, size_t number) {
    absmax[number] = formats::quantizeDynamic8(values + first, size, codes + first);
  });
}

extern "C" const float* llcuda_nf4_values(void) {
  return formats::kNf4Values;
}

extern "C" const float* llcuda_dynamic8_values(void) {
  return formats::dynamic8Values().data();
}
