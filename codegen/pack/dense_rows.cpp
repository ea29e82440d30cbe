// SPDX-License-Identifier: Apache-2.0
// f32_rows and f16_rows: values in order.
#include <cstring>

#include "codegen/formats/dequantize.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

template <size_t kBytes>
Result<void> copyRow(const std::byte* row, uint64_t columns, const PackedRow& to) {
  std::memcpy(to.codes, row, columns * kBytes);
  return {};
}

template <TensorType kSource>
Result<void> widenRow(const std::byte* row, uint64_t columns, const PackedRow& to) {
  float values[kWeightBlock];
  const size_t step = kWeightBlock * formats::tensorTypeInfo(kSource).blockBytes;
  for (uint64_t c = 0; c < columns; c += kWeightBlock, row += step) {
    formats::dequantizeRow(kSource, row, kWeightBlock, values);
    std::memcpy(to.codes + c * sizeof(float), values, sizeof values);
  }
  return {};
}

template <TensorType kSource>
void decodeRow(const PackedRowView& row, uint64_t columns, float* out) {
  formats::dequantizeRow(kSource, row.codes, columns, out);
}

constexpr RowPacker kPackers[] = {
    {WeightLayout::kF32Rows, TensorType::kF32, copyRow<4>},
    {WeightLayout::kF32Rows, TensorType::kF16, widenRow<TensorType::kF16>},
    {WeightLayout::kF32Rows, TensorType::kBF16, widenRow<TensorType::kBF16>},
    {WeightLayout::kF16Rows, TensorType::kF16, copyRow<2>},
};

constexpr RowUnpacker kUnpackers[] = {
    {WeightLayout::kF32Rows, decodeRow<TensorType::kF32>},
    {WeightLayout::kF16Rows, decodeRow<TensorType::kF16>},
};

} // namespace

std::span<const RowPacker> denseRowPackers() {
  return kPackers;
}
std::span<const RowUnpacker> denseRowUnpackers() {
  return kUnpackers;
}

} // namespace llcuda::pack
