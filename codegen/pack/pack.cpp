// SPDX-License-Identifier: Apache-2.0
#include "codegen/pack/pack.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

#include "codegen/pack/row_packer.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

constexpr uint64_t kMaxBytes = uint64_t(1) << 48;

const RowPacker* findPacker(WeightLayout layout, TensorType source) {
  for (std::span<const RowPacker> packers :
       {denseRowPackers(), blockRowPackers(), superblockRowPackers(), fourBitRowPackers(), signedByteRowPackers()})
    for (const RowPacker& packer : packers)
      if (packer.layout == layout && packer.source == source)
        return &packer;
  return nullptr;
}

const RowUnpacker& unpackerOf(WeightLayout layout) {
  for (std::span<const RowUnpacker> unpackers : {denseRowUnpackers(), blockRowUnpackers(), superblockRowUnpackers(),
                                                 fourBitRowUnpackers(), signedByteRowUnpackers()})
    for (const RowUnpacker& unpacker : unpackers)
      if (unpacker.layout == layout)
        return unpacker;
  assert(false && "every layout has an unpacker");
  std::abort();
}

constexpr WeightPlane kPlanes[] = {WeightPlane::kCodes, WeightPlane::kHigh, WeightPlane::kScales, WeightPlane::kSupers};

/// Where row `row` has its parts.
template <typename Byte>
PlanePointers<Byte> rowOf(WeightLayout layout, uint64_t rows, uint64_t columns, Byte* blob, uint64_t row) {
  const auto part = [&](WeightPlane plane) {
    return blob + weightPlaneOffset(layout, plane, rows, columns) + row * weightRowBytes(layout, plane, columns);
  };
  return {part(WeightPlane::kCodes), part(WeightPlane::kHigh), part(WeightPlane::kScales), part(WeightPlane::kSupers)};
}

/// Zeros between the planes and after the last.
void clearPadding(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<std::byte> blob) {
  for (size_t i = 0; i < std::size(kPlanes); ++i) {
    const uint64_t end =
        weightPlaneOffset(layout, kPlanes[i], rows, columns) + rows * weightRowBytes(layout, kPlanes[i], columns);
    const uint64_t next =
        i + 1 < std::size(kPlanes) ? weightPlaneOffset(layout, kPlanes[i + 1], rows, columns) : blob.size();
    if (end < blob.size())
      std::memset(blob.data() + end, 0, std::min<uint64_t>(next, blob.size()) - end);
  }
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

Result<uint64_t> packedBytes(WeightLayout layout, uint64_t rows, uint64_t columns) {
  const unsigned block = weightBlockBytes(layout).columns;
  if (columns == 0 || columns % block != 0)
    return unsupported("a weight has ", columns, " columns; kernels of ", layoutName(layout), " need a multiple of ",
                       block);
  if (rows == 0 || rows > kMaxBytes || columns > kMaxBytes / sizeof(float) / rows)
    return unsupported("a weight of ", rows, " x ", columns, " elements is out of range");
  const uint64_t supers = rows * weightRowBytes(layout, WeightPlane::kSupers, columns);
  const uint64_t scalesEnd = weightPlaneOffset(layout, WeightPlane::kScales, rows, columns) +
                             rows * weightRowBytes(layout, WeightPlane::kScales, columns);
  const uint64_t end =
      supers == 0 ? scalesEnd : weightPlaneOffset(layout, WeightPlane::kSupers, rows, columns) + supers;
  return (end + 15) / 16 * 16;
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

  for (uint64_t r = 0; r < rows; ++r)
    LLCUDA_RETURN_IF_ERROR(packer->pack(source.data() + (rowOrder.empty() ? r : rowOrder[r]) * rowBytes, columns,
                                        rowOf(layout, rows, columns, target.data(), r)));
  clearPadding(layout, rows, columns, target);
  return {};
}

void unpack(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<const std::byte> blob, float* out) {
  const RowUnpacker& unpacker = unpackerOf(layout);
  for (uint64_t r = 0; r < rows; ++r)
    unpacker.unpack(rowOf(layout, rows, columns, blob.data(), r), columns, out + r * columns);
}

} // namespace llcuda::pack
