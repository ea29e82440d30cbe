// SPDX-License-Identifier: Apache-2.0
// Layouts of two planes, codes and scales, block by block of 32 weights. Both directions go through the encoding's own
// block, so what is read back is decoded by the scalar codec.
#include <cassert>
#include <cstring>

#include "codegen/formats/q4_0.h"
#include "codegen/formats/q4_1.h"
#include "codegen/formats/q8_0.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

// Nibbles of a file: byte j has element j low and element j + 16 high. Of a plane: byte 4w + b has element 8w + b low
// and element 8w + 4 + b high.
void nibblesToPlane(const uint8_t (&stored)[16], std::byte* plane) {
  for (int i = 0; i < 16; ++i) {
    const int low = i / 4 * 8 + i % 4, high = low + 4; // elements, both of one half of the block
    const int shift = low < 16 ? 0 : 4;
    plane[i] = static_cast<std::byte>((stored[low % 16] >> shift & 15) | (stored[high % 16] >> shift & 15) << 4);
  }
}

void nibblesFromPlane(const std::byte* plane, uint8_t (&stored)[16]) {
  std::memset(stored, 0, sizeof stored);
  for (int i = 0; i < 16; ++i) {
    const int low = i / 4 * 8 + i % 4, high = low + 4;
    const int shift = low < 16 ? 0 : 4;
    stored[low % 16] |= static_cast<uint8_t>((std::to_integer<int>(plane[i]) & 15) << shift);
    stored[high % 16] |= static_cast<uint8_t>((std::to_integer<int>(plane[i]) >> 4) << shift);
  }
}

void split(const formats::BlockQ4_0& block, std::byte* codes, std::byte* scales) {
  nibblesToPlane(block.codes, codes);
  std::memcpy(scales, &block.d, 2);
}
void join(const std::byte* codes, const std::byte* scales, formats::BlockQ4_0& block) {
  nibblesFromPlane(codes, block.codes);
  std::memcpy(&block.d, scales, 2);
}

void split(const formats::BlockQ4_1& block, std::byte* codes, std::byte* scales) {
  nibblesToPlane(block.codes, codes);
  std::memcpy(scales, &block.d, 2);
  std::memcpy(scales + 2, &block.m, 2);
}
void join(const std::byte* codes, const std::byte* scales, formats::BlockQ4_1& block) {
  nibblesFromPlane(codes, block.codes);
  std::memcpy(&block.d, scales, 2);
  std::memcpy(&block.m, scales + 2, 2);
}

void split(const formats::BlockQ8_0& block, std::byte* codes, std::byte* scales) {
  std::memcpy(codes, block.codes, 32);
  std::memcpy(scales, &block.d, 2);
}
void join(const std::byte* codes, const std::byte* scales, formats::BlockQ8_0& block) {
  std::memcpy(block.codes, codes, 32);
  std::memcpy(&block.d, scales, 2);
}

template <WeightLayout kLayout, typename Block>
void packRow(const std::byte* row, uint64_t columns, std::byte* codes, std::byte* scales) {
  constexpr WeightBlockBytes kBytes = weightBlockBytes(kLayout);
  for (uint64_t b = 0; b < columns / kWeightBlock; ++b) {
    Block block;
    std::memcpy(&block, row + b * sizeof block, sizeof block);
    split(block, codes + b * kBytes.codes, scales + b * kBytes.scales);
  }
}

template <WeightLayout kLayout, typename Block>
void unpackRow(const std::byte* codes, const std::byte* scales, uint64_t columns, float* out) {
  constexpr WeightBlockBytes kBytes = weightBlockBytes(kLayout);
  for (uint64_t b = 0; b < columns / kWeightBlock; ++b) {
    Block block;
    join(codes + b * kBytes.codes, scales + b * kBytes.scales, block);
    formats::dequantize(block, out + b * kWeightBlock);
  }
}

constexpr RowPacker kPackers[] = {
    {WeightLayout::kQ4_0Planes, TensorType::kQ4_0, packRow<WeightLayout::kQ4_0Planes, formats::BlockQ4_0>},
    {WeightLayout::kQ4_1Planes, TensorType::kQ4_1, packRow<WeightLayout::kQ4_1Planes, formats::BlockQ4_1>},
    {WeightLayout::kQ8_0Planes, TensorType::kQ8_0, packRow<WeightLayout::kQ8_0Planes, formats::BlockQ8_0>},
};

} // namespace

std::span<const RowPacker> planeRowPackers() {
  return kPackers;
}

void unpackPlaneRow(WeightLayout layout, const std::byte* codes, const std::byte* scales, uint64_t columns,
                    float* out) {
  switch (layout) {
  case WeightLayout::kQ4_0Planes:
    return unpackRow<WeightLayout::kQ4_0Planes, formats::BlockQ4_0>(codes, scales, columns, out);
  case WeightLayout::kQ4_1Planes:
    return unpackRow<WeightLayout::kQ4_1Planes, formats::BlockQ4_1>(codes, scales, columns, out);
  case WeightLayout::kQ8_0Planes:
    return unpackRow<WeightLayout::kQ8_0Planes, formats::BlockQ8_0>(codes, scales, columns, out);
  default:
    assert(false && "a layout of two planes");
  }
}

} // namespace llcuda::pack
