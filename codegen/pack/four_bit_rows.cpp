// SPDX-License-Identifier: Apache-2.0
// NF4 and FP4: a file's bytes have element 2i high and 2i + 1 low; the largest magnitudes lie apart.
#include "codegen/formats/nf4.h"
#include "codegen/pack/block_rows.h"
#include "codegen/pack/plane_codes.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

template <WeightLayout kLayoutArg, int kElements, const float (&kValues)[16]>
struct FourBit {
  static constexpr WeightLayout kLayout = kLayoutArg;
  using Block = formats::BlockFourBit<kElements>;
  static void split(const Block& block, const PackedRow& to) {
    for (int unit = 0; unit < kElements / 32; ++unit) {
      BlockCodes codes;
      for (int i = 0; i < 32; ++i) codes[i] = block.codes[(32 * unit + i) / 2] >> (i % 2 == 0 ? 4 : 0) & 15;
      storeNibblesInOrder(codes, to.codes + 16 * unit);
    }
    std::memcpy(to.scales, &block.absmax, 4);
  }
  static void values(const PackedRowView& from, float* out) {
    const auto absmax = loadAs<float>(from.scales);
    for (int unit = 0; unit < kElements / 32; ++unit) {
      BlockCodes codes;
      loadNibblesInOrder(from.codes + 16 * unit, codes);
      for (int i = 0; i < 32; ++i) out[32 * unit + i] = kValues[codes[i]] * absmax;
    }
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
