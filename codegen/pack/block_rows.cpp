// SPDX-License-Identifier: Apache-2.0
// Encodings of blocks of 32 weights. Codes of five bits with a sign are stored in two's complement.
#include "codegen/pack/block_rows.h"

#include "codegen/formats/iq4_nl.h"
#include "codegen/formats/mxfp4.h"
#include "codegen/formats/q4_0.h"
#include "codegen/formats/q4_1.h"
#include "codegen/formats/q5_0.h"
#include "codegen/formats/q5_1.h"
#include "codegen/formats/q8_0.h"
#include "codegen/pack/plane_codes.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

/// Byte j of a file holds element j low and element j + 16 high.
void codesOfFile(const uint8_t (&stored)[16], BlockCodes& codes) {
  for (int j = 0; j < 16; ++j) {
    codes[j] = stored[j] & 15;
    codes[j + 16] = stored[j] >> 4;
  }
}

struct Q4_0 {
  static constexpr auto kLayout = WeightLayout::kQ4_0Planes;
  using Block = formats::BlockQ4_0;
  static void split(const Block& block, const PackedRow& to) {
    BlockCodes codes;
    codesOfFile(block.codes, codes);
    storeNibbles(codes, to.codes);
    std::memcpy(to.scales, &block.d, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    BlockCodes codes;
    loadNibbles(from.codes, codes);
    const float d = halfAt(from.scales);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(codes[i] - 8);
  }
};

struct Q4_1 {
  static constexpr auto kLayout = WeightLayout::kQ4_1Planes;
  using Block = formats::BlockQ4_1;
  static void split(const Block& block, const PackedRow& to) {
    BlockCodes codes;
    codesOfFile(block.codes, codes);
    storeNibbles(codes, to.codes);
    std::memcpy(to.scales, &block.d, 2);
    std::memcpy(to.scales + 2, &block.m, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    BlockCodes codes;
    loadNibbles(from.codes, codes);
    const float d = halfAt(from.scales), m = halfAt(from.scales + 2);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(codes[i]) + m;
  }
};

struct Q5_0 {
  static constexpr auto kLayout = WeightLayout::kQ5_0Planes;
  using Block = formats::BlockQ5_0;
  static void split(const Block& block, const PackedRow& to) {
    BlockCodes codes;
    for (int j = 0; j < 32; ++j)
      codes[j] = static_cast<uint8_t>(formats::fiveBitCode(block.codes, block.highBits, j) - 16);
    storeNibbles(codes, to.codes);
    storeBits(codes, 4, to.high);
    std::memcpy(to.scales, &block.d, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    BlockCodes codes;
    loadNibbles(from.codes, codes);
    addBits(from.high, 4, codes);
    const float d = halfAt(from.scales);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>((codes[i] ^ 16) - 16);
  }
};

struct Q5_1 {
  static constexpr auto kLayout = WeightLayout::kQ5_1Planes;
  using Block = formats::BlockQ5_1;
  static void split(const Block& block, const PackedRow& to) {
    BlockCodes codes;
    for (int j = 0; j < 32; ++j) codes[j] = static_cast<uint8_t>(formats::fiveBitCode(block.codes, block.highBits, j));
    storeNibbles(codes, to.codes);
    storeBits(codes, 4, to.high);
    std::memcpy(to.scales, &block.d, 2);
    std::memcpy(to.scales + 2, &block.m, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    BlockCodes codes;
    loadNibbles(from.codes, codes);
    addBits(from.high, 4, codes);
    const float d = halfAt(from.scales), m = halfAt(from.scales + 2);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(codes[i]) + m;
  }
};

struct Q8_0 {
  static constexpr auto kLayout = WeightLayout::kQ8_0Planes;
  using Block = formats::BlockQ8_0;
  static void split(const Block& block, const PackedRow& to) {
    std::memcpy(to.codes, block.codes, 32);
    std::memcpy(to.scales, &block.d, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    const float d = halfAt(from.scales);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(std::to_integer<int8_t>(from.codes[i]));
  }
};

struct IQ4_NL {
  static constexpr auto kLayout = WeightLayout::kIQ4_NLPlanes;
  using Block = formats::BlockIQ4_NL;
  static void split(const Block& block, const PackedRow& to) {
    BlockCodes codes;
    codesOfFile(block.codes, codes);
    storeNibblesInOrder(codes, to.codes);
    std::memcpy(to.scales, &block.d, 2);
  }
  static void values(const PackedRowView& from, float* out) {
    BlockCodes codes;
    loadNibblesInOrder(from.codes, codes);
    const float d = halfAt(from.scales);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(formats::kIq4Levels[codes[i]]);
  }
};

struct MXFP4 {
  static constexpr auto kLayout = WeightLayout::kMXFP4Planes;
  using Block = formats::BlockMXFP4;
  static void split(const Block& block, const PackedRow& to) {
    BlockCodes codes;
    codesOfFile(block.codes, codes);
    storeNibblesInOrder(codes, to.codes);
    *to.scales = static_cast<std::byte>(block.exponent);
  }
  static void values(const PackedRowView& from, float* out) {
    BlockCodes codes;
    loadNibblesInOrder(from.codes, codes);
    const float d = formats::mxfp4Scale(std::to_integer<uint8_t>(*from.scales));
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(formats::kFp4Levels[codes[i]]);
  }
};

constexpr RowPacker kPackers[] = {
    packerOf<Q4_0>(TensorType::kQ4_0),   packerOf<Q4_1>(TensorType::kQ4_1), packerOf<Q5_0>(TensorType::kQ5_0),
    packerOf<Q5_1>(TensorType::kQ5_1),   packerOf<Q8_0>(TensorType::kQ8_0), packerOf<IQ4_NL>(TensorType::kIQ4_NL),
    packerOf<MXFP4>(TensorType::kMXFP4),
};
constexpr RowUnpacker kUnpackers[] = {
    unpackerOf<Q4_0>(), unpackerOf<Q4_1>(),   unpackerOf<Q5_0>(),  unpackerOf<Q5_1>(),
    unpackerOf<Q8_0>(), unpackerOf<IQ4_NL>(), unpackerOf<MXFP4>(),
};

} // namespace

std::span<const RowPacker> blockRowPackers() {
  return kPackers;
}
std::span<const RowUnpacker> blockRowUnpackers() {
  return kUnpackers;
}

} // namespace llcuda::pack
