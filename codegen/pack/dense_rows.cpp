// SPDX-License-Identifier: Apache-2.0
// f32_rows and f16_rows: values in order.
#include <cassert>
#include <cstring>

#include "codegen/formats/dequantize.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

template <size_t kBytes>
void copyRow(const std::byte* row, uint64_t columns, std::byte* codes, std::byte*) {
  std::memcpy(codes, row, columns * kBytes);
}

template <TensorType kSource>
void widenRow(const std::byte* row, uint64_t columns, std::byte* codes, std::byte*) {
  float values[kWeightBlock];
  const size_t step = kWeightBlock * formats::tensorTypeInfo(kSource).blockBytes;
  for (uint64_t c = 0; c < columns; c += kWeightBlock, row += step, codes += sizeof values) {
    formats::dequantizeRow(kSource, row, kWeightBlock, values);
    std::memcpy(codes, values, sizeof values);
  }
}

constexpr RowPacker kPackers[] = {
    {WeightLayout::kF32Rows, TensorType::kF32, copyRow<4>},
    {WeightLayout::kF32Rows, TensorType::kF16, widenRow<TensorType::kF16>},
    {WeightLayout::kF32Rows, TensorType::kBF16, widenRow<TensorType::kBF16>},
    {WeightLayout::kF16Rows, TensorType::kF16, copyRow<2>},
};

} // namespace

std::span<const RowPacker> denseRowPackers() {
  return kPackers;
}

void unpackDenseRow(WeightLayout layout, const std::byte* codes, uint64_t columns, float* out) {
  formats::dequantizeRow(layout == WeightLayout::kF32Rows ? TensorType::kF32 : TensorType::kF16, codes, columns, out);
}

} // namespace llcuda::pack
