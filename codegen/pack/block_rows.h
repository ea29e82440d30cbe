// SPDX-License-Identifier: Apache-2.0
// Rows of a layout block by block. `Layout` names the encoding's block and how one is split into planes and read back:
//
//   static constexpr WeightLayout kLayout;
//   using Block = formats::BlockQ4_0;                  as many weights as a block of the layout
//   static void split(const Block&, const PackedRow&);
//   static void values(const PackedRowView&, float*);  by the formula of the encoding's scalar codec
#pragma once

#include <cstring>

#include "codegen/formats/numbers.h"
#include "codegen/pack/row_packer.h"

namespace llcuda::pack {

template <typename Layout>
Result<void> packBlocks(const std::byte* row, uint64_t columns, const PackedRow& to) {
  using Block = typename Layout::Block;
  for (uint64_t b = 0; b < columns / weightBlockBytes(Layout::kLayout).columns; ++b) {
    Block block;
    std::memcpy(&block, row + b * sizeof block, sizeof block);
    Layout::split(block, to.at(Layout::kLayout, b));
  }
  return {};
}

template <typename Layout>
void unpackBlocks(const PackedRowView& row, uint64_t columns, float* out) {
  constexpr uint64_t kColumns = weightBlockBytes(Layout::kLayout).columns;
  for (uint64_t b = 0; b < columns / kColumns; ++b) Layout::values(row.at(Layout::kLayout, b), out + b * kColumns);
}

template <typename Layout>
constexpr RowPacker packerOf(formats::TensorType source) {
  return {Layout::kLayout, source, packBlocks<Layout>};
}
template <typename Layout>
constexpr RowUnpacker unpackerOf() {
  return {Layout::kLayout, unpackBlocks<Layout>};
}

template <typename T>
T loadAs(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}
inline float halfAt(const std::byte* bytes) {
  return formats::halfToFloat(loadAs<uint16_t>(bytes));
}

} // namespace llcuda::pack
