// SPDX-License-Identifier: Apache-2.0
#include "codegen/pack/pack.h"

#include <cassert>
#include <cstring>

#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

constexpr uint64_t kMaxBytes = uint64_t(1) << 48;

struct LayoutNames {
  WeightLayout layout;
  std::string_view name, format;
};
constexpr LayoutNames kNames[] = {
    {WeightLayout::kF32Rows, "f32_rows", "f32"},        {WeightLayout::kF16Rows, "f16_rows", "f16"},
    {WeightLayout::kQ4_0Planes, "q4_0_planes", "q4_0"}, {WeightLayout::kQ4_1Planes, "q4_1_planes", "q4_1"},
    {WeightLayout::kQ8_0Planes, "q8_0_planes", "q8_0"},
};
static_assert(std::size(kNames) == kWeightLayouts);

const LayoutNames& namesOf(WeightLayout layout) {
  const LayoutNames& names = kNames[static_cast<size_t>(layout)];
  assert(names.layout == layout && "the table is in the order of the enumerators");
  return names;
}

const RowPacker* findPacker(WeightLayout layout, TensorType source) {
  for (std::span<const RowPacker> packers : {denseRowPackers(), planeRowPackers()})
    for (const RowPacker& packer : packers)
      if (packer.layout == layout && packer.source == source)
        return &packer;
  return nullptr;
}

Result<void> checkRowOrder(std::span<const uint32_t> rowOrder, uint64_t rows) {
  if (rowOrder.empty())
    return {};
  if (rowOrder.size() != rows)
    return internalError("a row order of ", rowOrder.size(), " rows for a weight of ", rows);
  for (uint32_t row : rowOrder)
    if (row >= rows)
      return internalError("a row order names row ", row, " of ", rows);
  return {};
}

} // namespace

std::string_view layoutName(WeightLayout layout) {
  return namesOf(layout).name;
}

std::string_view layoutFormat(WeightLayout layout) {
  return namesOf(layout).format;
}

std::optional<WeightLayout> layoutByName(std::string_view name) {
  for (const LayoutNames& names : kNames)
    if (names.name == name)
      return names.layout;
  return std::nullopt;
}

std::optional<WeightLayout> defaultLayout(TensorType source) {
  switch (source) {
  case TensorType::kF32:
  case TensorType::kBF16:
    return WeightLayout::kF32Rows;
  case TensorType::kF16:
    return WeightLayout::kF16Rows;
  case TensorType::kQ4_0:
    return WeightLayout::kQ4_0Planes;
  case TensorType::kQ4_1:
    return WeightLayout::kQ4_1Planes;
  case TensorType::kQ8_0:
    return WeightLayout::kQ8_0Planes;
  default:
    return std::nullopt;
  }
}

Result<uint64_t> packedBytes(WeightLayout layout, uint64_t rows, uint64_t columns) {
  if (columns == 0 || columns % kWeightBlock != 0)
    return unsupported("a weight has ", columns, " columns; kernels need a multiple of ", kWeightBlock);
  if (rows == 0 || rows > kMaxBytes || columns > kMaxBytes / sizeof(float) / rows)
    return unsupported("a weight of ", rows, " x ", columns, " elements is out of range");
  const uint64_t scales = rows * (columns / kWeightBlock) * weightBlockBytes(layout).scales;
  return (weightScalesOffset(layout, rows, columns) + scales + 15) / 16 * 16;
}

Result<void> pack(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<const uint32_t> rowOrder,
                  TensorType sourceType, std::span<const std::byte> source, std::span<std::byte> target) {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(sourceType);
  const RowPacker* packer = findPacker(layout, sourceType);
  if (!packer)
    return unsupported("no packer from ", info.name, " to ", layoutName(layout));
  LLCUDA_ASSIGN_OR_RETURN(const uint64_t bytes, packedBytes(layout, rows, columns));
  if (columns % info.blockElements != 0)
    return badInput("rows of ", columns, " elements are no whole blocks of ", info.name);
  const uint64_t rowBytes = columns / info.blockElements * info.blockBytes;
  if (source.size() / rows != rowBytes || source.size() % rows != 0)
    return badInput("a tensor of ", rows, " x ", columns, " ", info.name, " has ", source.size(), " bytes, not ", rows,
                    " x ", rowBytes);
  if (target.size() != bytes)
    return internalError("a target of ", target.size(), " bytes for a weight of ", bytes);
  LLCUDA_RETURN_IF_ERROR(checkRowOrder(rowOrder, rows));

  const WeightBlockBytes block = weightBlockBytes(layout);
  const uint64_t blocks = columns / kWeightBlock;
  const uint64_t codesEnd = rows * blocks * block.codes, scalesAt = weightScalesOffset(layout, rows, columns);
  const uint64_t scalesEnd = scalesAt + rows * blocks * block.scales;
  for (uint64_t r = 0; r < rows; ++r)
    packer->pack(source.data() + (rowOrder.empty() ? r : rowOrder[r]) * rowBytes, columns,
                 target.data() + r * blocks * block.codes, target.data() + scalesAt + r * blocks * block.scales);
  std::memset(target.data() + codesEnd, 0, scalesAt - codesEnd);
  std::memset(target.data() + scalesEnd, 0, bytes - scalesEnd);
  return {};
}

void unpack(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<const std::byte> blob, float* out) {
  const WeightBlockBytes block = weightBlockBytes(layout);
  const uint64_t blocks = columns / kWeightBlock;
  const std::byte* scales = blob.data() + weightScalesOffset(layout, rows, columns);
  for (uint64_t r = 0; r < rows; ++r) {
    const std::byte* codes = blob.data() + r * blocks * block.codes;
    if (block.scales == 0)
      unpackDenseRow(layout, codes, columns, out + r * columns);
    else
      unpackPlaneRow(layout, codes, scales + r * blocks * block.scales, columns, out + r * columns);
  }
}

} // namespace llcuda::pack
