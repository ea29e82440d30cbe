// SPDX-License-Identifier: Apache-2.0
// Encodings without a kernel of their own as s8_planes. The values of 16 neighbours are small multiples of one number
// in all of them, and f32 holds them exactly: their greatest common divisor becomes the scale, and the codes are what
// is left. Q8_K has its scale and codes already.
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/q8_k.h"
#include "codegen/pack/block_rows.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

constexpr int kGroup = 16;

/// A finite f32 as mantissa * 2^exponent; {0, 0} for zero.
struct Binary {
  int32_t mantissa;
  int exponent;
};

Binary binaryOf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), field = bits >> 23 & 255;
  const uint32_t mantissa = (bits & 0x7fffff) | (field != 0 ? 0x800000 : 0);
  if (mantissa == 0)
    return {0, 0};
  const int zeros = std::countr_zero(mantissa);
  const auto odd = static_cast<int32_t>(mantissa >> zeros);
  return {bits >> 31 ? -odd : odd, static_cast<int>(field != 0 ? field : 1) - 150 + zeros};
}

/// The codes of 16 values and their scale; false where there is none.
bool encodeGroup(const float* values, int8_t* codes, float& scale) {
  uint32_t divisor = 0; // of the odd parts
  int exponent = 0;
  Binary numbers[kGroup];
  for (int i = 0; i < kGroup; ++i) {
    if (!std::isfinite(values[i]))
      return false;
    numbers[i] = binaryOf(values[i]);
    if (numbers[i].mantissa == 0)
      continue;
    const auto odd = static_cast<uint32_t>(std::abs(numbers[i].mantissa));
    exponent = divisor == 0 ? numbers[i].exponent : std::min(exponent, numbers[i].exponent);
    if (divisor == 0 || odd % divisor != 0)
      divisor = std::gcd(divisor, odd);
  }
  scale = std::ldexp(static_cast<float>(divisor), exponent);
  for (int i = 0; i < kGroup; ++i) {
    const int64_t odd = divisor == 0 ? 0 : numbers[i].mantissa / static_cast<int64_t>(divisor);
    const int shift = numbers[i].mantissa == 0 ? 0 : numbers[i].exponent - exponent;
    if (shift > 7 || odd << shift < -128 || odd << shift > 127)
      return false;
    codes[i] = static_cast<int8_t>(odd << shift);
  }
  return true;
}

template <TensorType kSource>
Result<void> encodeRow(const std::byte* row, uint64_t columns, const PackedRow& to) {
  constexpr uint64_t kMost = 256;
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(kSource);
  float values[kMost];
  for (uint64_t c = 0; c < columns; c += info.blockElements, row += info.blockBytes) {
    formats::dequantizeRow(kSource, row, info.blockElements, values);
    for (uint64_t i = 0; i < info.blockElements; i += kGroup) {
      float scale = 0;
      if (!encodeGroup(values + i, reinterpret_cast<int8_t*>(to.codes + c + i), scale))
        return badInput("the ", info.name, " block of columns ", c, " to ", c + info.blockElements - 1,
                        " has a scale that is not finite");
      std::memcpy(to.scales + (c + i) / kGroup * sizeof scale, &scale, sizeof scale);
    }
  }
  return {};
}

Result<void> copyQ8_K(const std::byte* row, uint64_t columns, const PackedRow& to) {
  for (uint64_t c = 0; c < columns; c += 256, row += sizeof(formats::BlockQ8_K)) {
    const auto block = loadAs<formats::BlockQ8_K>(row);
    std::memcpy(to.codes + c, block.codes, 256);
    for (uint64_t g = c / kGroup; g < (c + 256) / kGroup; ++g) std::memcpy(to.scales + g * 4, &block.d, 4);
  }
  return {};
}

void unpackRow(const PackedRowView& row, uint64_t columns, float* out) {
  for (uint64_t c = 0; c < columns; ++c)
    out[c] = loadAs<float>(row.scales + c / kGroup * 4) * static_cast<float>(std::to_integer<int8_t>(row.codes[c]));
}

using enum WeightLayout;
constexpr auto kNone = static_cast<WeightLayout>(kWeightLayouts); ///< of encodings that no weight has

/// Encodings whose layout is s8_planes.
constexpr size_t kSources = 0
#define LLCUDA_ENCODING(enumerator, number, name, elements, bytes, Block, layout) +(layout == kS8Planes ? 1 : 0)
#include "codegen/formats/encodings.inc"
    ;

template <TensorType kSource, WeightLayout kLayout>
constexpr void addPacker(std::array<RowPacker, kSources>& packers, size_t& count) {
  if constexpr (kLayout == kS8Planes)
    packers[count++] = {kLayout, kSource, kSource == TensorType::kQ8_K ? copyQ8_K : encodeRow<kSource>};
}

constexpr auto kPackers = [] {
  std::array<RowPacker, kSources> packers = {};
  size_t count = 0;
#define LLCUDA_ENCODING(enumerator, number, name, elements, bytes, Block, layout)                                      \
  addPacker<TensorType::enumerator, layout>(packers, count);
#include "codegen/formats/encodings.inc"
  return packers;
}();
constexpr RowUnpacker kUnpackers[] = {{WeightLayout::kS8Planes, unpackRow}};

} // namespace

std::span<const RowPacker> signedByteRowPackers() {
  return kPackers;
}
std::span<const RowUnpacker> signedByteRowUnpackers() {
  return kUnpackers;
}

} // namespace llcuda::pack
