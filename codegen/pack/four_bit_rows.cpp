// SPDX-License-Identifier: Apache-2.0
// NF4 and FP4: the bytes have element 2i low instead of high, the largest magnitudes lie apart.
#include "codegen/formats/nf4.h"
#include "codegen/pack/block_rows.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

template <WeightLayout kLayoutArg, int kElements, const float (&kValues)[16]>
struct FourBit {
  static constexpr WeightLayout kLayout = kLayoutArg;
  using Block = formats::BlockFourBit<kElements>;
  static void split(const Block& block, const PackedRow& to) {
    for (int i = 0; i < kElements / 2; ++i)
      to.codes[i] = static_cast<std::byte>(block.codes[i] >> 4 | (block.codes[i] & 15) << 4);
    std::memcpy(to.scales, &block.absmax, 4);
  }
  static void values(const PackedRowView& from, float* out) {
    const auto absmax = loadAs<float>(from.scales);
    for (int i = 0; i < kElements; ++i)
      out[i] = kValues[std::to_integer<int>(from.codes[i / 2]) >> (i % 2 * 4) & 15] * absmax;
  }
};
using Nf4 = FourBit<WeightLayout::kNf4Planes, 64, formats::kNf4Values>;
using Nf4Short = FourBit<WeightLayout::kNf4ShortPlanes, 32, formats::kNf4Values>;
using Fp4 = FourBit<WeightLayout::kFp4Planes, 64, formats::kFp4Values>;
using Fp4Short = FourBit<WeightLayout::kFp4ShortPlanes, 32, formats::kFp4Values>;

constexpr RowPacker kPackers[] = {
    packerOf<Nf4>(TensorType::kNf4),
    packerOf<Nf4Short>(TensorType::kNf4Short),
    packerOf<Fp4>(TensorType::kFp4),
    packerOf<Fp4Short>(TensorType::kFp4Short),
};
constexpr RowUnpacker kUnpackers[] = {unpackerOf<Nf4>(), unpackerOf<Nf4Short>(), unpackerOf<Fp4>(),
                                      unpackerOf<Fp4Short>()};

} // namespace

std::span<const RowPacker> fourBitRowPackers() {
  return kPackers;
}
std::span<const RowUnpacker> fourBitRowUnpackers() {
  return kUnpackers;
}

} // namespace llcuda::pack
