// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/encode_rows.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/quantize.h"
#include "runtime/base/parallel.h"

namespace llcuda::ingest {
namespace {

/// Rows of one piece of work: enough to hide what a piece costs, few enough to fill all threads.
uint64_t grainOf(uint64_t columns) {
  constexpr uint64_t kElements = 1 << 16;
  return std::max<uint64_t>(1, kElements / std::max<uint64_t>(1, columns));
}

std::optional<Error> checkRow(formats::TensorType type, uint64_t row, const std::vector<float>& values) {
  const float limit = formats::largestMagnitude(type);
  for (size_t column = 0; column < values.size(); ++column) {
    const float value = values[column];
    if (!std::isfinite(value))
      return badInput("the value at row ", row, ", column ", column, " is ", value, "; weights must be finite");
    if (std::fabs(value) > limit)
      return unsupported("the value ", value, " at row ", row, ", column ", column, " is too large for ",
                         formats::tensorTypeInfo(type).name, ", which ends at ", limit);
  }
  return std::nullopt;
}

} // namespace

uint64_t columnsOf(const TensorInfo& tensor) {
  return tensor.dims.empty() ? 1 : tensor.dims[0];
}

uint64_t rowsOf(const TensorInfo& tensor) {
  uint64_t rows = 1;
  for (size_t i = 1; i < tensor.dims.size(); ++i) rows *= tensor.dims[i];
  return rows;
}

uint64_t encodedBytes(const TensorInfo& tensor, formats::TensorType type) {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(type);
  return rowsOf(tensor) * (columnsOf(tensor) / info.blockElements * info.blockBytes);
}

ReadRow decodedRows(const TensorInfo& tensor, TensorBytes stored) {
  const uint64_t columns = columnsOf(tensor);
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(stored.type);
  const uint64_t rowBytes = columns / info.blockElements * info.blockBytes;
  return [=, stored = std::move(stored)](uint64_t row, float* values) {
    formats::dequantizeRow(stored.type, stored.bytes.data() + row * rowBytes, columns, values);
  };
}

Result<TensorBytes> encodeRows(const TensorInfo& tensor, const ReadRow& read, unsigned threads,
                               std::span<const float> importance) {
  const uint64_t columns = columnsOf(tensor);
  const uint64_t matrixRows = tensor.dims.size() > 1 ? tensor.dims[1] : 1;
  const uint64_t rowBytes = encodedBytes(tensor, tensor.type) / std::max<uint64_t>(1, rowsOf(tensor));
  auto encoded = std::make_shared<std::vector<std::byte>>(rowsOf(tensor) * rowBytes);
  std::mutex lock;
  std::optional<Error> failure; // of the first row that has one, whichever thread meets it
  uint64_t failedRow = rowsOf(tensor);
  parallelFor(threads, rowsOf(tensor), grainOf(columns), [&](size_t begin, size_t end) {
    std::vector<float> values(columns);
    for (size_t row = begin; row < end; ++row) {
      read(row, values.data());
      if (auto error = checkRow(tensor.type, row, values)) {
        const std::lock_guard guard(lock);
        if (row < failedRow) {
          failedRow = row;
          failure = std::move(error);
        }
        return;
      }
      const float* weights = importance.empty() ? nullptr : importance.data() + row / matrixRows * columns;
      formats::quantizeRow(tensor.type, values.data(), columns, encoded->data() + row * rowBytes, weights);
    }
  });
  if (failure)
    return *std::move(failure);
  return TensorBytes{tensor.type, *encoded, encoded};
}

} // namespace llcuda::ingest
