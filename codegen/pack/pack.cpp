// SPDX-License-Identifier: Apache-2.0
#include "codegen/pack/pack.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <vector>

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

/// memcpy of a granule: the common sizes as constants.
void copyGranule(std::byte* to, const std::byte* from, size_t bytes) {
  switch (bytes) {
  case 16:
    std::memcpy(to, from, 16);
    return;
  case 8:
    std::memcpy(to, from, 8);
    return;
  case 4:
    std::memcpy(to, from, 4);
    return;
  case 2:
    std::memcpy(to, from, 2);
    return;
  default:
    std::memcpy(to, from, bytes);
  }
}

/// A row's bytes in all planes, granule after granule, in memory of its own.
class RowBytes {
public:
  RowBytes(WeightLayout layout, uint64_t rows, uint64_t columns) : m_layout(layout), m_rows(rows), m_columns(columns) {
    uint64_t total = 0;
    for (WeightPlane plane : kPlanes) {
      m_first[static_cast<size_t>(plane)] = total;
      total += weightRowBytes(layout, plane, columns);
    }
    m_bytes.resize(total);
  }

  template <typename Byte>
  PlanePointers<Byte> pointers() {
    const auto part = [&](WeightPlane plane) { return m_bytes.data() + m_first[static_cast<size_t>(plane)]; };
    return {part(WeightPlane::kCodes), part(WeightPlane::kHigh), part(WeightPlane::kScales),
            part(WeightPlane::kSupers)};
  }

  void clear() { std::fill(m_bytes.begin(), m_bytes.end(), std::byte{0}); }

  void store(uint64_t row, std::byte* blob) const {
    forEachGranule(row, [&](uint64_t at, uint64_t inBlob, size_t bytes) {
      copyGranule(blob + inBlob, m_bytes.data() + at, bytes);
    });
  }
  void load(uint64_t row, const std::byte* blob) {
    forEachGranule(row, [&](uint64_t at, uint64_t inBlob, size_t bytes) {
      copyGranule(m_bytes.data() + at, blob + inBlob, bytes);
    });
  }

private:
  /// Calls f(offset here, offset in the blob, bytes).
  template <typename F>
  void forEachGranule(uint64_t row, F f) const {
    for (WeightPlane plane : kPlanes) {
      const uint64_t rowBytes = weightRowBytes(m_layout, plane, m_columns);
      const unsigned bytes = weightGranuleBytes(m_layout, plane);
      const uint64_t first = weightPlaneOffset(m_layout, plane, m_rows, m_columns) + row % kWeightTileRows * bytes;
      for (uint64_t at = 0, granule = 0; at < rowBytes; at += bytes, ++granule)
        f(m_first[static_cast<size_t>(plane)] + at,
          first + weightGranuleOffset(m_layout, plane, m_columns, row / kWeightTileRows, granule), bytes);
    }
  }

  WeightLayout m_layout;
  uint64_t m_rows, m_columns;
  uint64_t m_first[std::size(kPlanes)] = {};
  std::vector<std::byte> m_bytes;
};

uint64_t planeEnd(WeightLayout layout, WeightPlane plane, uint64_t rows, uint64_t columns) {
  return weightPlaneOffset(layout, plane, rows, columns) +
         weightStoredRows(rows) * weightRowBytes(layout, plane, columns);
}

/// Zeros between the planes and after the last.
void clearPadding(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<std::byte> blob) {
  for (size_t i = 0; i < std::size(kPlanes); ++i) {
    const uint64_t end = planeEnd(layout, kPlanes[i], rows, columns);
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
  const bool supers = weightRowBytes(layout, WeightPlane::kSupers, columns) != 0;
  const uint64_t end = planeEnd(layout, supers ? WeightPlane::kSupers : WeightPlane::kScales, rows, columns);
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

  RowBytes row(layout, rows, columns);
  for (uint64_t r = 0; r < rows; ++r) {
    LLCUDA_RETURN_IF_ERROR(packer->pack(source.data() + (rowOrder.empty() ? r : rowOrder[r]) * rowBytes, columns,
                                        row.pointers<std::byte>()));
    row.store(r, target.data());
  }
  row.clear();
  for (uint64_t r = rows; r < weightStoredRows(rows); ++r) row.store(r, target.data());
  clearPadding(layout, rows, columns, target);
  return {};
}

void unpack(WeightLayout layout, uint64_t rows, uint64_t columns, std::span<const std::byte> blob, float* out) {
  const RowUnpacker& unpacker = unpackerOf(layout);
  RowBytes row(layout, rows, columns);
  for (uint64_t r = 0; r < rows; ++r) {
    row.load(r, blob.data());
    unpacker.unpack(row.pointers<const std::byte>(), columns, out + r * columns);
  }
}

} // namespace llcuda::pack
